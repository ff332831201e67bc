"""Exports on the wire: what can be asked for, when it is ready, and how it looks."""

import csv
import io
from typing import Any

import pytest

from tests.sandbox.account_engagement.conftest import Unit

EXPORTS = "/api/v5/exports"
SINCE = {"updatedAfter": "2026-01-01T00:00:00Z", "deleted": "all"}


def asked(**body: Any) -> dict[str, Any]:
    procedure = {"name": "filter_by_updated_at", "arguments": body.pop("arguments", SINCE)}
    return {"fields": ["id", "email"], "procedure": procedure, **body}


def make(unit: Unit, **body: Any) -> int:
    answer = unit.http.post(EXPORTS, json=asked(**body))
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def look(unit: Unit, export_id: int) -> dict[str, Any]:
    return unit.http.get(f"{EXPORTS}/{export_id}", params={"fields": "status,resultRefs,isExpired"}).json()


def rows(unit: Unit, export_id: int, number: int = 1) -> list[dict[str, str]]:
    answer = unit.http.get(f"{EXPORTS}/{export_id}/results/{number}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_an_export_is_ready_when_its_time_has_passed(unit):
    export_id = make(unit)
    assert look(unit, export_id) == {"status": "Processing", "resultRefs": [], "isExpired": False}
    unit.clock.step(5)
    done = look(unit, export_id)
    assert done["status"] == "Complete"
    assert done["resultRefs"] == [f"https://ae.example{EXPORTS}/{export_id}/results/1"]
    assert [row["email"] for row in rows(unit, export_id)] == ["ada@x.example", "Ben@X.example", "cy@x.example"]


def test_lists_and_times_can_be_exported(unit):
    export_id = make(unit, fields=["id", "Interests__c", "updatedAt", "optedOut", "city"])
    unit.clock.step(5)
    assert rows(unit, export_id)[0] == {
        "id": "11",
        "Interests__c": "Sailing;Chess",
        "updatedAt": "2026-03-01T08:00:00+00:00",
        "optedOut": "false",
        "city": "",
    }


def test_the_bounds_and_the_deleted_ones(unit):
    arguments = {"updatedAfter": "2026-01-15T00:00:00Z", "updatedBefore": "2026-02-15T00:00:00Z"}
    export_id = make(unit, arguments=arguments)
    unit.clock.step(5)
    assert [row["id"] for row in rows(unit, export_id)] == ["12"]


def test_one_at_a_time(unit):
    unit.org.configure({"export_seconds": 10})
    first, second = make(unit), make(unit)
    unit.clock.step(11)
    assert look(unit, first)["status"] == "Complete"
    assert look(unit, second)["status"] == "Processing"
    unit.clock.step(10)
    assert look(unit, second)["status"] == "Complete"


def test_a_cancelled_one_and_an_expired_one(unit):
    export_id = make(unit)
    assert unit.http.patch(f"{EXPORTS}/{export_id}", json={"status": "Canceled"}).json()["status"] == "Canceled"
    done = make(unit)
    unit.clock.step(5)
    look(unit, done)
    unit.clock.step(8 * 86_400)
    assert look(unit, done)["isExpired"]
    assert unit.refused("GET", f"{EXPORTS}/{done}/results/1") == (404, 109)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (asked(fields=[]), 153),
        (asked(fields=["grade"]), 224),
        (asked(fields=["town"]), 180),
        (asked(fields=["id"] * 151), 178),
        (asked(maxFileSizeBytes=9_999_999), 231),
        (asked(maxFileSizeBytes=200_000_001), 232),
        ({"fields": ["id"], "procedure": {"name": "all"}}, 174),
        (asked(arguments={**SINCE, "updated_after": "x"}), 175),
        (asked(arguments={"deleted": "all"}), 176),
        (asked(arguments={"updatedAfter": "yesterday"}), 177),
        (asked(arguments={"updatedAfter": "2024-01-01T00:00:00Z"}), 177),
        (asked(arguments={**SINCE, "deleted": "some"}), 177),
    ],
)
def test_an_export_that_cannot_be(unit, body, code):
    assert unit.refused("POST", EXPORTS, json=body) == (400, code)
