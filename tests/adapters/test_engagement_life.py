"""Prospects found by address, created, recycled and restored over the wire, against the sandbox."""

from datetime import UTC, datetime

import httpx
import pytest

from prospect_sync.account_engagement.prospects import AccountEngagementProspects
from prospect_sync.errors import LeaseLost, Misconfigured, Rejected, Stale, TryLater
from prospect_sync.model import RecordKind, Ref, Stamp
from prospect_sync.ports import Creation, Write

ORG = "account_engagement"


def put(sandbox, *prospects, **parts):
    sandbox.admin.load(account_engagement={"prospects": list(prospects), **parts})


def prospect(prospect_id, **values):
    stamps = {"createdAt": "2025-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
    return {"id": prospect_id, "email": f"p{prospect_id}@a.example", **stamps, **values}


def configure(sandbox, **settings):
    sandbox.admin.configure(account_engagement=settings)


def hand(sandbox, prospect_id, action, user="marketing", **changes):
    return sandbox.admin.edit(ORG, user, changes, record_id=prospect_id, action=action)


def held(sandbox, prospect_id):
    rows = sandbox.admin.dump("Prospect")[ORG]["prospects"]
    return next((row for row in rows if row["id"] == prospect_id), None)


def with_address(sandbox, email):
    rows = sandbox.admin.dump("Prospect")[ORG]["prospects"]
    return [row["id"] for row in rows if (row["email"] or "").lower() == email]


def new(intent, **values):
    return Creation(intent, RecordKind.PROSPECT, values)


def order(prospect_id, **changes):
    return Write(f"intent-{prospect_id}", Ref.prospect(prospect_id), changes)


def only(batches):
    (done,) = [one for batch in batches for one in batch]
    return done


@pytest.fixture(autouse=True)
def _settings(sandbox):
    yield
    configure(sandbox, multiple_prospects_per_email=False, unique_salesforce_id=True)


@pytest.fixture
def side(engagement):
    return AccountEngagementProspects(engagement())


# ---- by address


def test_prospects_are_found_by_address_whatever_the_case(sandbox, side, number):
    put(sandbox, prospect(number, email=f"Anna.{number}@A.Example", jobTitle="CTO"), prospect(number + 1))
    found = side.find([f"ANNA.{number}@a.example", f"nobody{number}@a.example"], ["jobTitle"])
    assert list(found) == [f"anna.{number}@a.example"]
    (one,) = found[f"anna.{number}@a.example"]
    assert (one.id, one.values, one.deleted) == (number, {"jobTitle": "CTO"}, False)
    assert one.modified.at == datetime(2026, 1, 1, tzinfo=UTC)
    assert len(sandbox.calls(ORG)) == 2
    assert side.find([f"anna.{number}@a.example"], ["email"])[f"anna.{number}@a.example"][0].values == {
        "email": f"Anna.{number}@A.Example"
    }


def test_living_ones_come_first_then_the_last_modified_then_the_lowest_id(sandbox, side, number):
    configure(sandbox, multiple_prospects_per_email=True)
    email, late = f"many{number}@a.example", "2026-02-01T00:00:00Z"
    put(
        sandbox,
        prospect(number, email=email, isDeleted=True, updatedAt="2026-03-01T00:00:00Z"),
        prospect(number + 1, email=email),
        prospect(number + 2, email=email.upper(), updatedAt=late),
        prospect(number + 3, email=email, updatedAt=late),
    )
    found = side.find([email], [])[email]
    assert [(one.id - number, one.deleted) for one in found] == [(2, False), (3, False), (1, False), (0, True)]


def test_more_holders_than_a_page_has_room_for(sandbox, side, number):
    email = f"crowd{number}@a.example"
    put(sandbox, *[prospect(number + place, email=email) for place in range(1_100)])
    assert len(side.find([email], [])[email]) == 1_100
    assert len(sandbox.calls(ORG)) == 2


STRANGE = [
    "o'neil{}@a.example",
    "per%cent_{}@a.example",
    "plus+{}&x=1@a.example",
    "jörg{}@a.example",
    "a/b?{}@a.example",
]


def test_strange_addresses_are_only_text(sandbox, side, number):
    addresses = [one.format(number) for one in STRANGE]
    put(sandbox, *[prospect(number + place, email=one) for place, one in enumerate(addresses)])
    found = side.find(addresses, [])
    assert {address: [one.id for one in some] for address, some in found.items()} == {
        address: [number + place] for place, address in enumerate(addresses)
    }


def test_addresses_that_nobody_can_have_cost_no_call(sandbox, side):
    assert (
        side.find(["", "no address", "a b@c.example", "a\n@b.example", "\ud800@b.example", "\x00@b.example"], []) == {}
    )
    assert sandbox.calls(ORG) == []


def test_an_address_that_is_refused_belongs_to_nobody(sandbox, side, number):
    body = {"code": 4, "message": "Invalid prospect email address"}
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 400, "body": body})
    assert side.find([f"p{number}@a.example"], []) == {}


def test_other_refusals_are_no_absence(sandbox, side, number):
    """Nothing found means that a prospect may be created: a question that was not understood must never look like that."""
    body = {"code": 51, "message": "Invalid parameter: email"}
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 400, "body": body, "count": 1})
    with pytest.raises(Misconfigured):
        side.find([f"p{number}@a.example"], [])
    row = {"id": 5, "email": "somebody@else.example", "createdAt": None, "updatedAt": None}
    answer = {"values": [row], "nextPageToken": "further"}
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 200, "body": answer, "count": 1})
    with pytest.raises(Misconfigured, match="filter"):
        side.find([f"p{number}@a.example"], [])


def test_a_prospect_created_a_moment_ago_may_be_missing(sandbox, side, patience, number):
    configure(sandbox, lag_seconds=60)
    email = f"fresh{number}@a.example"
    created = only(side.create([new("i", email=email)], patience()))
    assert side.find([email], []) == {}
    sandbox.admin.clock(ORG, step=61)
    assert [str(one.id) for one in side.find([email], [])[email]] == [created.id]


# ---- creating


def test_a_created_prospect_has_its_id_and_stamp(sandbox, side, patience, number):
    sandbox.admin.clock(ORG, set="2026-03-01T10:00:00+00:00")
    values = {"email": f"new{number}@a.example", "jobTitle": "CTO", "salesforceId": f"003{number:012d}"}
    creation = new("i", **values)
    created = only(side.create([creation], patience()))
    assert (created.creation, created.error, created.unknown) == (creation, None, False)
    assert created.modified == Stamp(datetime(2026, 3, 1, 10, tzinfo=UTC), "41")
    assert side.read([int(created.id)], values)[int(created.id)].values == values
    assert [call["operation"] for call in sandbox.calls(ORG)] == ["prospects.create", "prospects.read"]


def test_the_place_of_a_created_prospect_tells_its_id_too(sandbox, side, patience, number):
    sandbox.admin.faults(
        {"do": "answer_after", "org": ORG, "method": "POST", "status": 201, "body": None, "count": 1,
         "headers": {"location": f"https://pi.example/api/v5/objects/prospects/{number}"}}
    )  # fmt: skip
    created = only(side.create([new("i", email=f"place{number}@a.example")], patience()))
    assert (created.id, created.error, created.unknown) == (str(number), None, False)


def test_each_creation_is_one_call_and_five_at_once(sandbox, side, patience, number):
    sandbox.admin.latency(20)
    wanted = [new(f"i{place}", email=f"n{place}.{number}@a.example") for place in range(12)]
    created = [one for batch in side.create(wanted, patience()) for one in batch]
    assert sorted(one.creation.intent_id for one in created) == sorted(one.intent_id for one in wanted)
    assert len({one.id for one in created}) == 12
    assert len(sandbox.calls(ORG)) == 12
    starts = [(call["started"], call["started"] + call["duration_ms"] / 1000) for call in sandbox.calls(ORG)]
    assert max(sum(begin <= at < end for begin, end in starts) for at, _ in starts) == 5


def test_refusals_are_of_single_creations_and_name_fields(sandbox, side, patience, number):
    put(sandbox, prospect(number, salesforceId=f"00Q{number:012d}"))
    wanted = [
        new("taken", email=f"P{number}@A.example"),
        new("no address", jobTitle="CTO"),
        new("bad address", email="nonsense"),
        new("taken person", email=f"a{number}@a.example", salesforceId=f"00Q{number:012d}"),
        new("read-only", email=f"b{number}@a.example", grade="A"),
        new("stranger", email=f"c{number}@a.example", Foo__c="x"),
        new("surrogate", email=f"d{number}@a.example", jobTitle="\ud800"),
        new("good", email=f"e{number}@a.example"),
    ]
    created = {one.creation.intent_id: one for batch in side.create(wanted, patience()) for one in batch}
    assert created.pop("good").error is None
    assert {name: (type(one.error), one.error.code, one.error.fields) for name, one in created.items()} == {
        "taken": (Rejected, "9", ("email",)),
        "no address": (Rejected, "153", ("email",)),
        "bad address": (Rejected, "4", ("email",)),
        "taken person": (Rejected, "81", ("salesforceId",)),
        "read-only": (Misconfigured, "180", ("grade",)),
        "stranger": (Misconfigured, "180", ("Foo__c",)),
        "surrogate": (Rejected, "UNSENDABLE", ("jobTitle",)),
    }
    assert not any(one.unknown or one.id for one in created.values())


def test_where_an_address_is_unique_creating_brings_the_recycled_prospect_back(sandbox, side, patience, number):
    put(sandbox, prospect(number, isDeleted=True))
    created = only(side.create([new("i", email=f"p{number}@a.example", jobTitle="CTO")], patience()))
    assert (created.id, created.error) == (str(number), None)
    assert not held(sandbox, number)["isDeleted"]


LOST = [
    {"do": "drop_after"},
    {"do": "answer_after", "status": 500, "body": "<html>"},
    {"do": "answer_after", "status": 500, "body": {"code": 183, "message": "Internal error"}},
    {"do": "answer_after", "status": 400, "body": {"code": 214, "message": "The request timed out"}},
    {"do": "answer_after", "status": 200, "body": "<html>"},
    {"do": "answer_after", "status": 201, "body": {"strange": True}},
    {"do": "answer_after", "status": 201, "body": None},
    {"do": "answer_after", "status": 201, "body": {"id": None}},
]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("several", [False, True])
def test_a_lost_answer_is_unknown_and_never_sent_again(sandbox, side, patience, number, fault, several):
    configure(sandbox, multiple_prospects_per_email=several)
    email = f"lost{number}@a.example"
    sandbox.admin.faults({**fault, "org": ORG, "method": "POST"})
    created = only(side.create([new("i", email=email)], patience()))
    assert (created.unknown, created.id) == (True, None)
    assert isinstance(created.error, TryLater)
    assert len(sandbox.calls(ORG)) == 1
    assert len(with_address(sandbox, email)) == 1


def test_a_creation_that_never_left_is_known(engagement, patience, number):
    side = AccountEngagementProspects(engagement(base_url="https://127.0.0.1:9"))
    created = only(side.create([new("i", email=f"x{number}@a.example")], patience()))
    assert isinstance(created.error, TryLater)
    assert not created.unknown


def test_a_refused_token_is_renewed_and_the_creation_sent_whole(sandbox, engagement, patience, number):
    client = engagement(sandbox.token("sales"), sandbox.token("connector"))
    body = {"code": 184, "message": "access_token is invalid, unknown, or malformed"}
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 401, "body": body, "count": 1})
    email = f"token{number}@a.example"
    created = only(AccountEngagementProspects(client).create([new("i", email=email)], patience()))
    assert (created.error, len(with_address(sandbox, email))) == (None, 1)


def test_a_lost_lease_ends_creating_after_what_is_under_way(sandbox, side, patience, number):
    created = []
    batches = side.create([new(f"i{place}", email=f"l{place}.{number}@a.example") for place in range(9)], patience(4))
    with pytest.raises(LeaseLost):
        created.extend(one for batch in batches for one in batch)
    assert len(created) == 4
    assert len(sandbox.calls(ORG)) == 4


# ---- the recycle bin


def test_a_prospect_is_recycled_and_that_twice_is_harmless(sandbox, side, patience, number):
    put(sandbox, prospect(number), prospect(number + 1))
    written = only(side.delete([order(number)], patience()))
    assert (written.error, written.unknown) == (None, False)
    assert held(sandbox, number)["isDeleted"]
    assert len(sandbox.calls(ORG)) == 1
    assert only(side.delete([order(number)], patience())).error is None
    hand(sandbox, number + 1, "delete")
    assert only(side.delete([order(number + 1)], patience())).error is None


def test_a_recycled_prospect_that_reads_still_show_alive_is_recycled(sandbox, side, patience, number):
    put(sandbox, prospect(number))
    configure(sandbox, lag_seconds=60)
    hand(sandbox, number, "delete")
    assert only(side.delete([order(number)], patience())).error is None


@pytest.mark.parametrize(("code", "kind"), [(219, None), (132, None), (46, Misconfigured), (85, TryLater)])
def test_refusals_of_recycling(sandbox, side, patience, number, code, kind):
    put(sandbox, prospect(number))
    configure(sandbox, refusals={str(number): {"code": code, "times": 1}})
    written = only(side.delete([order(number)], patience()))
    assert (type(written.error) if written.error else None) is kind
    assert not written.unknown


def test_a_prospect_that_never_was_cannot_be_recycled(side, patience, number):
    assert type(only(side.delete([order(number)], patience())).error) is Stale


def test_a_look_that_fails_is_the_failure_of_that_prospect_alone(sandbox, side, patience, number):
    put(sandbox, prospect(number), prospect(number + 1))
    sandbox.admin.faults({"do": "answer", "org": ORG, "method": "GET", "status": 503, "body": "<html>"})
    written = {
        one.write.ref.id: one for batch in side.delete([order(number + 5), order(number)], patience()) for one in batch
    }
    assert isinstance(written[str(number + 5)].error, TryLater)
    assert written[str(number)].error is None


def test_a_prospect_is_restored_by_its_address(sandbox, side, patience, number):
    put(sandbox, prospect(number, email=f"Back.{number}@a.example", isDeleted=True))
    sandbox.admin.clock(ORG, set="2026-03-01T10:00:00+00:00")
    written = only(side.restore([order(number, email=f"back.{number}@a.example")], patience()))
    assert (written.error, written.unknown) == (None, False)
    assert written.modified == Stamp(datetime(2026, 3, 1, 10, tzinfo=UTC), "41")
    assert written.stored == {"email": f"Back.{number}@a.example"}
    assert not held(sandbox, number)["isDeleted"]
    assert len(sandbox.calls(ORG)) == 1


def test_a_living_prospect_needs_no_restoring(sandbox, side, patience, number):
    put(sandbox, prospect(number))
    assert only(side.restore([order(number, email=f"p{number}@a.example")], patience())).error is None


def test_what_cannot_be_restored(sandbox, side, patience, number):
    put(sandbox, prospect(number, isDeleted=True))
    nobody = order(number + 1, email=f"never{number}@a.example")
    assert type(only(side.restore([nobody], patience())).error) is Stale
    other_address = order(number, email=f"old{number}@a.example")
    assert type(only(side.restore([other_address], patience())).error) is Stale
    for address in (None, "", "\ud800@a.example"):
        refused = only(side.restore([order(number, email=address)], patience())).error
        assert (type(refused), refused.fields) == (Rejected, ("email",))
    assert held(sandbox, number)["isDeleted"]


def test_another_living_prospect_has_the_address(sandbox, side, patience, number):
    email = f"shared{number}@a.example"
    put(sandbox, prospect(number, email=email, isDeleted=True), prospect(number + 1, email=email))
    refused = only(side.restore([order(number, email=email)], patience())).error
    assert (type(refused), refused.code, refused.fields) == (Rejected, "54", ("email",))
    assert held(sandbox, number)["isDeleted"]
    assert only(side.restore([order(number + 1, email=email)], patience())).error is None


def test_where_several_may_share_an_address_the_right_one_comes_back_or_none(sandbox, side, patience, number):
    configure(sandbox, multiple_prospects_per_email=True)
    email = f"several{number}@a.example"
    put(
        sandbox,
        prospect(number, email=email, isDeleted=True),
        prospect(number + 1, email=email, isDeleted=True, lastActivityAt="2026-05-01T00:00:00Z"),
        prospect(number + 2, email=email),
    )
    assert only(side.restore([order(number + 1, email=email)], patience())).error is None
    hand(sandbox, number + 1, "delete")
    refused = only(side.restore([order(number, email=email)], patience())).error
    assert type(refused) is Stale
    assert refused.words == f"prospect {number + 1} came back instead"
    assert [held(sandbox, number + place)["isDeleted"] for place in range(3)] == [True, True, False]
    assert only(side.restore([order(number + 2, email=email)], patience())).error is None
    assert [held(sandbox, number + place)["isDeleted"] for place in range(3)] == [True, True, False]


def test_another_one_that_cannot_be_put_back_is_named(sandbox, side, patience, number):
    configure(sandbox, multiple_prospects_per_email=True)
    email = f"stuck{number}@a.example"
    put(
        sandbox,
        prospect(number, email=email, isDeleted=True),
        prospect(number + 1, email=email, isDeleted=True, lastActivityAt="2026-05-01T00:00:00Z"),
    )
    refused = only(side.restore([order(number, email=email)], patience(calls=1))).error
    assert type(refused) is Stale
    assert refused.words.startswith(f"prospect {number + 1} came back instead and could not be put back: ")


@pytest.mark.parametrize("verb", ["delete", "restore"])
def test_a_lost_answer_about_the_bin_is_unknown(sandbox, side, patience, number, verb):
    put(sandbox, prospect(number, isDeleted=verb == "restore"))
    sandbox.admin.faults({"do": "drop_after", "org": ORG})
    written = only(getattr(side, verb)([order(number, email=f"p{number}@a.example")], patience()))
    assert written.unknown
    assert isinstance(written.error, TryLater)
    assert len(sandbox.calls(ORG)) == 1
    sandbox.admin.clear_faults()
    assert held(sandbox, number)["isDeleted"] == (verb == "delete")


@pytest.mark.parametrize("verb", ["delete", "restore"])
def test_a_lost_lease_ends_work_on_the_bin(sandbox, side, patience, number, verb):
    put(sandbox, *[prospect(number + place, isDeleted=verb == "restore") for place in range(9)])
    orders = [order(number + place, email=f"p{number + place}@a.example") for place in range(9)]
    written = []
    with pytest.raises(LeaseLost):
        written.extend(one for batch in getattr(side, verb)(orders, patience(calls=4)) for one in batch)
    assert len(written) == 4
    assert len(sandbox.calls(ORG)) == 4


# ---- the marks that stand in place of a Salesforce id


@pytest.mark.parametrize("mark", ["[[crm_deleted]]", "[[crm_ignore_prospect]]"])
def test_marks_in_place_of_a_salesforce_id_come_and_go(sandbox, side, patience, number, mark):
    put(sandbox, prospect(number, salesforceId=f"00Q{number:012d}"), prospect(number + 1))
    for one in (number, number + 1):
        assert only(side.write([order(one, salesforceId=mark)], patience())).stored == {"salesforceId": mark}
    person = f"00Q{number:012d}"
    assert only(side.write([order(number + 1, salesforceId=person)], patience())).error is None
    hand(sandbox, number + 1, "update", salesforceId=mark)
    created = only(side.create([new("i", email=f"mark{number}@a.example", salesforceId=mark)], patience()))
    assert created.error is None
    found = side.read([number, number + 1, int(created.id)], ["salesforceId"])
    assert [one.values for one in found.values()] == [{"salesforceId": mark}] * 3
    assert only(side.delete([order(number)], patience())).error is None
    assert side.read([number], ["salesforceId"])[number].values == {"salesforceId": mark}
    with pytest.raises(httpx.HTTPStatusError):
        hand(sandbox, number + 1, "update", salesforceId="[[crm_other]]")
