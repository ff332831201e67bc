"""Imports on the wire: how they are made, filled, started and watched, and what they do to prospects."""

import csv
import io
from typing import Any

import httpx
import pytest

from tests.sandbox.account_engagement.conftest import Unit

IMPORTS = "/api/v5/imports"
PLAIN = {"object": "Prospect", "operation": "Upsert"}


def make(unit: Unit, **body: Any) -> int:
    answer = unit.http.post(IMPORTS, json={**PLAIN, **body})
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "Open"
    return int(answer.json()["id"])


def upload(unit: Unit, import_id: int, text: str | bytes, part: str = "files") -> httpx.Response:
    content = text if isinstance(text, bytes) else text.encode()
    return unit.http.post(f"{IMPORTS}/{import_id}/batches", files={part: ("batch.csv", content, "text/csv")})


def ready(unit: Unit, import_id: int) -> httpx.Response:
    return unit.http.patch(f"{IMPORTS}/{import_id}", json={"status": "Ready"})


def run(unit: Unit, text: str, **body: Any) -> dict[str, Any]:
    """Import one file and let it end."""
    import_id = make(unit, **body)
    assert upload(unit, import_id, text).status_code == 204
    assert ready(unit, import_id).json() == {"id": import_id, "status": "Waiting"}
    unit.clock.step(60)
    return look(unit, import_id)


def look(unit: Unit, import_id: int) -> dict[str, Any]:
    fields = "id,status,createdCount,updatedCount,errorCount,errorRef,isExpired"
    answer = unit.http.get(f"{IMPORTS}/{import_id}", params={"fields": fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def errors(unit: Unit, import_id: int) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(unit.http.get(f"{IMPORTS}/{import_id}/errors").text)))


def refused(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["code"]


def test_rows_are_written_by_the_clock_and_stamped_like_edits(unit):
    unit.org.configure({"import_wait_seconds": 10, "import_rows_per_second": 1})
    import_id = make(unit)
    upload(unit, import_id, "matchId,city\n11,Bonn\n12,Köln\n")
    ready(unit, import_id)
    unit.clock.step(9)
    assert look(unit, import_id)["status"] == "Waiting"
    unit.clock.step(2)
    assert look(unit, import_id)["status"] == "Processing"
    assert unit.read(11, "city,updatedAt,updatedById") == {
        "city": "Bonn",
        "updatedAt": "2026-11-20T10:00:11+00:00",
        "updatedById": unit.users["connector"].account_engagement_id,
    }
    assert unit.read(12, "city") == {"city": None}
    unit.clock.step(1)
    assert unit.read(12, "city") == {"city": "Köln"}
    done = look(unit, import_id)
    assert (done["status"], done["updatedCount"], done["errorCount"]) == ("Complete", 2, 0)


def test_reads_lag_behind_an_import_too(unit):
    unit.org.configure({"lag_seconds": 30, "import_wait_seconds": 0})
    import_id = make(unit)
    upload(unit, import_id, "matchId,city\n11,Bonn\n")
    ready(unit, import_id)
    unit.clock.step(5)
    assert look(unit, import_id)["status"] == "Complete"
    assert unit.read(11, "city") == {"city": None}
    unit.clock.step(30)
    assert unit.read(11, "city") == {"city": "Bonn"}


@pytest.mark.parametrize(
    ("options", "cell", "then"),
    [
        ({}, "Boss", "Boss"),
        ({"overwrite": False}, "Boss", "CTO"),
        ({}, "", None),
        ({}, "  ", None),
        ({"nullOverwrite": False}, "  ", "CTO"),
        ({"overwrite": False, "nullOverwrite": True}, "", None),
    ],
)
def test_what_a_cell_does_to_a_filled_value(unit, options, cell, then):
    assert run(unit, f"matchId,jobTitle\n11,{cell}\n", fields={"jobTitle": options})["updatedCount"] == 1
    assert unit.read(11, "jobTitle") == {"jobTitle": then}


def test_values_of_every_kind(unit):
    text = "matchId,optedOut,score,Budget__c,Renewal__c,Interests__c\n11,true,7,12.5,2027-01-31,Chess;Rowing\n"
    assert run(unit, text)["errorCount"] == 0
    assert unit.read(11, "optedOut,score,Budget__c,Renewal__c,Interests__c") == {
        "optedOut": True,
        "score": 7,
        "Budget__c": 12.5,
        "Renewal__c": "2027-01-31",
        "Interests__c": ["Chess", "Rowing"],
    }


def test_matching_by_address_and_by_salesforce_id(unit):
    unit.patch(12, salesforceId="00Q000000000001")
    assert run(unit, "matchEmail,city\nADA@x.example,Bonn\n")["updatedCount"] == 1
    assert run(unit, "matchSalesforceId,city\n00Q000000000001EAA,Köln\n")["updatedCount"] == 1
    assert (unit.read(11, "city"), unit.read(12, "city")) == ({"city": "Bonn"}, {"city": "Köln"})


def test_what_is_refused_stands_in_the_error_file_with_its_row(unit):
    done = run(unit, 'matchId,score,city\n11,many,"a, b"\n13,1,x\n99,1,x\n12,5,Ulm\n')
    assert (done["status"], done["updatedCount"], done["errorCount"]) == ("Complete", 1, 3)
    assert done["errorRef"] == f"https://ae.example{IMPORTS}/{done['id']}/errors"
    rows = errors(unit, done["id"])
    assert [(row["errorCode"], row["matchId"], row["city"]) for row in rows] == [
        ("56", "11", "a, b"),
        ("219", "13", "x"),
        ("109", "99", "x"),
    ]
    assert all(row["errorMessage"] for row in rows)
    assert unit.read(12, "score") == {"score": 5}


def test_deleted_and_unknown_prospects_come_back_or_come_to_be_only_when_told(unit):
    assert run(unit, "matchId,city\n13,Bonn\n", restoreDeleted=True)["updatedCount"] == 1
    assert unit.read(13, "city,isDeleted") == {"city": "Bonn", "isDeleted": False}
    done = run(unit, "matchId,email\n77,new@x.example\n", createOnNoMatch=True)
    assert (done["createdCount"], done["updatedCount"]) == (1, 0)
    assert len(unit.query(fields="id", email="new@x.example")["values"]) == 1
    assert run(unit, "matchId,email\n,other@x.example\n")["createdCount"] == 1


def test_a_blank_cell_never_unassigns(unit):
    unit.patch(11, userId=unit.users["sales"].account_engagement_id)
    run(unit, "matchId,userId\n11,\n")
    assert unit.read(11, "userId") == {"userId": unit.users["sales"].account_engagement_id}


def test_a_failed_import_has_written_half_of_its_rows(unit):
    unit.org.configure({"failing_imports": 1})
    assert run(unit, "matchId,city\n11,Bonn\n12,Bonn\n")["status"] == "Failed"
    assert (unit.read(11, "city"), unit.read(12, "city")) == ({"city": "Bonn"}, {"city": None})
    assert run(unit, "matchId,city\n12,Bonn\n")["status"] == "Complete"


def test_a_cancelled_import_writes_no_more(unit):
    unit.org.configure({"import_wait_seconds": 0, "import_rows_per_second": 1})
    import_id = make(unit)
    upload(unit, import_id, "matchId,city\n11,Bonn\n12,Bonn\n")
    ready(unit, import_id)
    unit.clock.step(1)
    assert unit.http.patch(f"{IMPORTS}/{import_id}", json={"status": "Canceled"}).json()["status"] == "Canceled"
    unit.clock.step(10)
    assert (unit.read(11, "city"), unit.read(12, "city")) == ({"city": "Bonn"}, {"city": None})
    assert refused(unit.http.patch(f"{IMPORTS}/{import_id}", json={"status": "Canceled"})) == (400, 161)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"operation": "Upsert"}, 153),
        ({**PLAIN, "object": "List"}, 166),
        ({**PLAIN, "operation": "Delete"}, 166),
        ({**PLAIN, "fields": ["city"]}, 165),
        ({**PLAIN, "fields": {"city": {"overwrite": "yes"}}}, 165),
        ({**PLAIN, "fields": {"city": {"nulls": True}}}, 165),
        ({**PLAIN, "fields": {"town": {}}}, 130),
        ({**PLAIN, "fields": {"grade": {}}}, 180),
        ({**PLAIN, "restoreDeleted": 1}, 50),
        ({**PLAIN, "name": "mine"}, 154),
    ],
)
def test_an_import_that_cannot_be(unit, body, code):
    assert unit.refused("POST", IMPORTS, json=body) == (400, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 204),
        ("matchId,city\n", 159),
        ("matchId,city\n11\n", 159),
        ("matchId,city,city\n11,a,b\n", 159),
        (b"matchId,city\n11,\xff\n", 159),
        ("city\nBonn\n", 166),
        ("matchId,matchEmail,city\n11,a@b.example,Bonn\n", 166),
        ("matchId,town\n11,Bonn\n", 130),
        ("matchId,createdAt\n11,2026-01-01T00:00:00Z\n", 180),
    ],
)
def test_a_batch_that_cannot_be(unit, text, code):
    assert refused(upload(unit, make(unit), text)) == (400, code)


def test_the_part_has_a_name_and_holds_one_file(unit):
    import_id = make(unit)
    place = f"{IMPORTS}/{import_id}/batches"
    two = [("files", ("a.csv", b"matchId,city\n11,a\n")), ("files", ("b.csv", b"matchId,city\n11,b\n"))]
    assert refused(upload(unit, import_id, "matchId,city\n11,a\n", part="importFile")) == (400, 158)
    assert refused(unit.http.post(place, files={"files": (None, "matchId")})) == (400, 162)
    assert refused(unit.http.post(place, files=two)) == (400, 163)
    assert refused(unit.http.post(place, json={})) == (400, 151)


def test_limits_of_batches(unit):
    unit.org.configure({"import_batch_bytes": 30, "import_batches_a_day": 11})
    import_id = make(unit)
    assert refused(upload(unit, import_id, "matchId,city\n11,a long way to Tipperary\n")) == (400, 204)
    for _ in range(10):
        assert upload(unit, import_id, "matchId,city\n11,a\n").status_code == 204
    assert refused(upload(unit, import_id, "matchId,city\n11,a\n")) == (400, 160)
    another = make(unit)
    assert upload(unit, another, "matchId,city\n11,a\n").status_code == 204
    assert refused(upload(unit, another, "matchId,city\n11,a\n")) == (429, 164)
    unit.clock.step(86_400 / 2)
    unit.clock.step(86_400 / 4)
    assert upload(unit, another, "matchId,city\n11,a\n").status_code == 204


def test_batches_have_the_same_columns(unit):
    import_id = make(unit)
    upload(unit, import_id, "matchId,city\n11,a\n")
    assert refused(upload(unit, import_id, "matchId,zip\n11,a\n")) == (400, 159)


def test_what_each_state_allows(unit):
    import_id = make(unit)
    assert refused(ready(unit, import_id)) == (400, 156)
    assert refused(unit.http.get(f"{IMPORTS}/{import_id}/errors")) == (400, 161)
    upload(unit, import_id, "matchId,city\n11,a\n")
    ready(unit, import_id)
    assert refused(ready(unit, import_id)) == (400, 155)
    assert refused(upload(unit, import_id, "matchId,city\n11,a\n")) == (400, 155)
    assert unit.refused("PATCH", f"{IMPORTS}/{import_id}", json={"status": "Open"}) == (400, 161)
    assert unit.refused("GET", f"{IMPORTS}/99", params={"fields": "id"}) == (404, 109)
    assert unit.refused("GET", f"{IMPORTS}/{import_id}") == (400, 13)
    assert unit.refused("GET", f"{IMPORTS}/{import_id}", params={"fields": "size"}) == (400, 180)
    assert unit.refused("DELETE", f"{IMPORTS}/{import_id}") == (405, 60)


def test_what_is_not_submitted_expires_after_a_day_and_what_is_over_after_a_week(unit):
    left, done = make(unit), run(unit, "matchId,city\n11,a\n")["id"]
    upload(unit, left, "matchId,city\n11,b\n")
    unit.clock.step(25 * 3_600)
    assert look(unit, left)["isExpired"]
    assert refused(ready(unit, left)) == (400, 155)
    assert not look(unit, done)["isExpired"]
    unit.clock.step(7 * 86_400)
    assert look(unit, done)["isExpired"]
    assert refused(unit.http.get(f"{IMPORTS}/{done}/errors")) == (400, 161)


def test_the_list_of_imports(unit):
    first, second = make(unit), make(unit)
    answer = unit.http.get(IMPORTS, params={"fields": "id,status,createdById", "orderBy": "id DESC"}).json()
    ours = unit.users["connector"].account_engagement_id
    assert answer["values"] == [{"id": one, "status": "Open", "createdById": ours} for one in (second, first)]


def test_what_imports_write_is_told(unit):
    told: list[dict[str, Any]] = []
    unit.org.journal = told.append
    run(unit, "matchId,city,jobTitle\n11,Bonn,CTO\n99,x,x\n")
    assert [(entry["operation"], entry["user"], entry["committed"]) for entry in told] == [
        (
            "import.apply",
            "connector",
            [{"object": "Prospect", "id": "11", "action": "update", "fields": ["city"], "changes": {"city": "Bonn"}}],
        )
    ]
