"""Imports over the wire, against the sandbox."""

import pytest

from prospect_sync.account_engagement.imports import AccountEngagementImports
from prospect_sync.errors import Misconfigured, Rejected, Stale, TryLater
from prospect_sync.ports import ImportColumn, ImportLine, ImportState, ImportStatus, RefusedLine
from tests.adapters.test_engagement import put, some

ORG = "account_engagement"
PLAIN = {"city": ImportColumn(), "jobTitle": ImportColumn()}


@pytest.fixture
def side(engagement):
    return AccountEngagementImports(engagement())


@pytest.fixture(autouse=True)
def _at_once(sandbox):
    sandbox.admin.configure(account_engagement={"import_wait_seconds": 0, "import_rows_per_second": 0})


def operations(sandbox):
    return [call["operation"] for call in sandbox.calls(ORG) if call["method"] != "LATER"]


def prospects(sandbox, number):
    rows = sandbox.admin.dump("Prospect")[ORG]["prospects"]
    return {row["id"]: row for row in rows if number <= row["id"] < number + 10_000}


def test_two_thousand_prospects_in_four_calls(sandbox, side, number):
    put(sandbox, *some(number, 2_000, city="Bonn", jobTitle="CEO"))
    import_id = side.start(PLAIN)
    lines = (ImportLine(number + place, {"city": f'Köln, "{place}"'}) for place in range(2_000))
    assert side.add(import_id, ["city", "jobTitle"], lines) == 1
    assert side.status(import_id) == ImportStatus(ImportState.OPEN)
    side.run(import_id)
    assert side.status(import_id) == ImportStatus(ImportState.COMPLETE, updated=2_000)
    assert operations(sandbox) == [
        "imports.create", "imports.upload", "imports.read", "imports.update", "imports.read",
    ]  # fmt: skip
    after = prospects(sandbox, number)
    assert {row["city"] for row in after.values()} == {f'Köln, "{place}"' for place in range(2_000)}
    assert {row["jobTitle"] for row in after.values()} == {"CEO"}, "a blank cell erased"
    connector = sandbox.contract["users"]["connector"]["account_engagement_user_id"]
    assert {row["updatedById"] for row in after.values()} == {connector}


def test_values_travel_as_they_are_written_by_a_patch(sandbox, side, number):
    put(sandbox, *some(number, 1))
    columns = dict.fromkeys(["isReviewed", "score", "employees", "comments"], ImportColumn())
    import_id = side.start(columns)
    values = {"isReviewed": True, "score": 7, "employees": "12.50", "comments": "two\nlines; =1+1"}
    side.add(import_id, list(columns), [ImportLine(number, values)])
    side.run(import_id)
    assert side.status(import_id).updated == 1
    assert {name: prospects(sandbox, number)[number][name] for name in columns} == values


def test_a_cell_erases_or_fills_only_where_its_column_says_so(sandbox, side, number):
    put(sandbox, *some(number, 1, city="Bonn", jobTitle="CEO", department=None, phone="1"))
    columns = {
        "city": ImportColumn(erase=True),
        "jobTitle": ImportColumn(overwrite=False),
        "department": ImportColumn(overwrite=False),
        "phone": ImportColumn(),
    }
    import_id = side.start(columns)
    side.add(import_id, list(columns), [ImportLine(number, {"city": None, "jobTitle": "CTO", "department": "R&D"})])
    side.run(import_id)
    assert side.status(import_id).updated == 1
    row = prospects(sandbox, number)[number]
    assert {name: row[name] for name in columns} == {
        "city": None, "jobTitle": "CEO", "department": "R&D", "phone": "1",
    }  # fmt: skip


def test_refused_rows_come_with_the_vendors_words(sandbox, side, number):
    put(sandbox, *some(number, 2), {**some(number + 2, 1)[0], "isDeleted": True})
    sandbox.admin.configure(account_engagement={"refusals": {str(number): {"code": 85, "times": -1}}})
    import_id = side.start({"score": ImportColumn()})
    ids = (number, number + 1, number + 2, number + 3)
    side.add(import_id, ["score"], [ImportLine(one, {"score": "x" if one == number + 1 else 1}) for one in ids])
    side.run(import_id)
    assert side.status(import_id) == ImportStatus(ImportState.COMPLETE, refused=4)
    assert list(side.refused(import_id)) == [
        RefusedLine(number, "Unable to save the prospect", "85"),
        RefusedLine(number + 1, "Input needs to be a number: score", "56", ("score",)),
        RefusedLine(number + 2, "The record is deleted; undelete it before updating", "219"),
        RefusedLine(number + 3, "The requested record was not found.", "109"),
    ]


def test_a_large_import_goes_up_in_parts_of_bounded_size(sandbox, engagement, number):
    put(sandbox, *some(number, 30))
    sandbox.admin.configure(account_engagement={"import_batch_bytes": 1_000})
    side = AccountEngagementImports(engagement(), most_bytes=1_000)
    import_id = side.start({"city": ImportColumn()})
    lines = [ImportLine(number + place, {"city": "x" * 200}) for place in range(30)]
    assert side.add(import_id, ["city"], lines) == 8
    side.run(import_id)
    assert side.status(import_id).updated == 30
    too_much = side.start({"city": ImportColumn()})
    with pytest.raises(Rejected):
        side.add(too_much, ["city"], lines * 2)
    sandbox.admin.configure(account_engagement={"import_batch_bytes": 10_000_000})


def test_what_the_vendor_says_is_one_of_the_four_words(sandbox, side, number):
    with pytest.raises(Misconfigured) as wrong:
        side.start({"town": ImportColumn()})
    assert (wrong.value.fields, wrong.value.code) == (("town",), "130")
    import_id = side.start(PLAIN)
    with pytest.raises(Rejected):
        side.run(import_id)  # nothing in it
    with pytest.raises(Stale):
        side.status("987654")
    put(sandbox, *some(number, 1))
    side.add(import_id, ["city"], [ImportLine(number, {"city": "Bonn"})])
    side.run(import_id)
    with pytest.raises(Stale):
        side.run(import_id)
    sandbox.admin.configure(account_engagement={"import_batches_a_day": 0})
    with pytest.raises(TryLater) as later:
        side.add(side.start(PLAIN), ["city"], [ImportLine(number, {"city": "Ulm"})])
    assert later.value.reason == "limit"
    sandbox.admin.configure(account_engagement={"import_batches_a_day": 1_000})


def test_an_upload_whose_answer_is_lost_is_not_repeated(sandbox, side, number):
    put(sandbox, *some(number, 1))
    import_id = side.start(PLAIN)
    sandbox.admin.faults({"org": ORG, "do": "drop_after", "method": "POST", "count": 1})
    with pytest.raises(TryLater):
        side.add(import_id, ["city"], [ImportLine(number, {"city": "Bonn"})])
    assert operations(sandbox).count("imports.upload") == 1


def test_a_failed_import_says_so(sandbox, side, number):
    put(sandbox, *some(number, 2))
    sandbox.admin.configure(account_engagement={"failing_imports": 1})
    import_id = side.start(PLAIN)
    side.add(import_id, ["city"], [ImportLine(number + place, {"city": "Bonn"}) for place in range(2)])
    side.run(import_id)
    assert side.status(import_id).state is ImportState.FAILED
