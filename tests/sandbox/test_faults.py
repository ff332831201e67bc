"""Faults over real connections: before the handler, and after the commit."""

import httpx
import pytest

PROSPECTS = "/api/v5/objects/prospects"


def phone_of(sandbox, prospect_id: int) -> str:
    rows = sandbox.admin.dump("Prospect")["account_engagement"]["prospects"]
    return next(row["phone"] for row in rows if row["id"] == prospect_id)


def patch(sandbox, prospect_id: int, phone: str) -> httpx.Response:
    with sandbox.engagement() as http:
        return http.patch(f"{PROSPECTS}/{prospect_id}", json={"phone": phone})


def test_an_answer_in_the_handlers_place(sandbox):
    patch(sandbox, 8, "before")
    sandbox.admin.faults(
        {"do": "answer", "method": "PATCH", "status": 503, "body": "<html>busy</html>", "headers": {"Retry-After": "7"}}
    )
    answer = patch(sandbox, 8, "after")
    assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (503, "<html>busy</html>", "7")
    assert phone_of(sandbox, 8) == "before"
    assert [(row["status"], row["fault"], row["committed"]) for row in sandbox.admin.calls()[1:]] == [
        (503, "answer", [])
    ]


@pytest.mark.parametrize(("do", "phone"), [("drop", "before"), ("drop_after", "after")])
def test_a_dropped_connection_before_and_after_the_commit(sandbox, do, phone):
    patch(sandbox, 8, "before")
    sandbox.admin.faults({"do": do, "method": "PATCH", "count": 1})
    with pytest.raises(httpx.TransportError):
        patch(sandbox, 8, "after")
    assert phone_of(sandbox, 8) == phone
    row = sandbox.admin.calls()[-1]
    assert (row["status"], row["fault"]) == (0, do)
    assert [change["changes"] for change in row["committed"]] == ([{"phone": "after"}] if phone == "after" else [])
    assert patch(sandbox, 8, "again").status_code == 204


def test_an_answer_lost_after_the_commit(sandbox):
    sandbox.admin.faults({"do": "answer_after", "method": "PATCH", "count": 1, "body": {"code": 183, "message": "no"}})
    answer = patch(sandbox, 9, "kept")
    assert (answer.status_code, answer.json()) == (500, {"code": 183, "message": "no"})
    assert phone_of(sandbox, 9) == "kept"


def test_rules_choose_by_path_user_org_and_turn(sandbox):
    sandbox.admin.faults(
        {"do": "answer", "path": "/prospects/8$", "user": "connector", "skip": 1, "count": 1, "status": 599},
        {"do": "answer", "org": "salesforce", "status": 598},
    )
    assert [patch(sandbox, 8, "1").status_code for _ in range(3)] == [204, 599, 204]
    assert patch(sandbox, 9, "1").status_code == 204
    with sandbox.salesforce() as http:
        assert http.get("/services/data").status_code == 598


def test_chance_is_the_same_for_the_same_seed(sandbox):
    def statuses() -> list[int]:
        sandbox.admin.clear_faults()
        sandbox.admin.faults({"do": "answer", "status": 500, "probability": 0.5}, seed=5)
        return [patch(sandbox, 8, "1").status_code for _ in range(20)]

    first = statuses()
    assert set(first) == {204, 500}
    assert statuses() == first


def test_a_stalled_call_ends_when_the_caller_leaves(sandbox):
    sandbox.admin.faults({"do": "stall", "count": 1})
    with sandbox.engagement() as http, pytest.raises(httpx.ReadTimeout):
        http.patch(f"{PROSPECTS}/8", json={"phone": "never"}, timeout=0.2)
    assert patch(sandbox, 8, "1").status_code == 204
    assert phone_of(sandbox, 8) == "1"


def test_latency_is_added_and_logged(sandbox):
    sandbox.admin.faults({"do": "delay", "ms": 30, "jitter_ms": 10, "count": 1})
    sandbox.admin.latency(50)
    patch(sandbox, 8, "1")
    patch(sandbox, 8, "1")
    slow, less = [row["duration_ms"] for row in sandbox.admin.calls()]
    assert slow >= 80
    assert less >= 50
