"""The back door: data, edits, clocks, the call log."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

PROSPECTS = "/api/v5/objects/prospects"


def engagement_prospects(sandbox) -> dict[int, dict]:
    dump = sandbox.admin.dump("Prospect")
    return {prospect["id"]: prospect for prospect in dump["account_engagement"]["prospects"]}


def refused(call, *arguments, **named) -> tuple[int, dict]:
    with pytest.raises(httpx.HTTPStatusError) as refusal:
        call(*arguments, **named)
    return refusal.value.response.status_code, refusal.value.response.json()


def test_its_root_is_the_contract(sandbox):
    with sandbox.engagement() as http:
        assert http.get(sandbox.contract["admin_url"]).json() == sandbox.contract


def test_a_dump_of_chosen_objects_holds_no_others(sandbox):
    dump = sandbox.admin.dump("Prospect")
    assert dump["salesforce"] == {}
    assert len(dump["account_engagement"]["prospects"]) >= 30
    assert sandbox.admin.dump("Lead")["account_engagement"]["prospects"] == []


def test_edits_are_made_as_a_person_and_are_no_calls(sandbox):
    assert sandbox.admin.edit("account_engagement", "marketing", {"phone": "007"}, record_id=2) == "2"
    prospect = engagement_prospects(sandbox)[2]
    assert (prospect["phone"], prospect["updatedById"]) == ("007", 43)
    assert sandbox.admin.calls() == []


def test_a_refused_edit_has_the_vendors_body(sandbox):
    status, body = refused(sandbox.admin.edit, "account_engagement", "sales", {"email": "no"}, record_id=2)
    assert (status, body) == (400, {"code": 4, "message": "Invalid prospect email address"})


def test_many_edits_in_one_call(sandbox):
    edit = {"org": "account_engagement", "user": "sales"}
    results = sandbox.admin.edits(
        [{**edit, "id": 3, "changes": {"phone": "1"}}, {**edit, "id": 999_999, "changes": {"phone": "1"}}]
    )
    assert results == [
        {"id": "3"},
        {"status": 404, "body": {"code": 109, "message": "The requested record was not found."}},
    ]


def test_data_can_be_added(sandbox):
    sandbox.admin.load(account_engagement={"prospects": [{"id": 700, "email": "added@x.example"}]})
    assert engagement_prospects(sandbox)[700]["email"] == "added@x.example"


def test_each_clock_is_moved_by_itself(sandbox):
    times = sandbox.admin.clock("account_engagement", set="2026-01-01T00:00:00+00:00")
    assert times["account_engagement"] == "2026-01-01T00:00:00.000+00:00"
    assert not times["salesforce"].startswith("2026-01-01T00:00:00.0")
    times = sandbox.admin.clock(set="2026-02-01T00:00:00+00:00", step=1.5)
    assert set(times.values()) == {"2026-02-01T00:00:01.500+00:00"}


@pytest.mark.parametrize(
    ("call", "arguments", "words"),
    [
        ("clock", ("mars",), "org is 'mars'"),
        ("clock", ("both", {"sett": "x"}), "unknown sett"),
        ("faults", ({"do": "explode"},), "do is 'explode'"),
        ("faults", ({"do": "drop", "paht": "x"},), "paht"),
        ("faults", ({"do": "drop", "path": "("},), "unterminated"),
        ("edits", ([{"org": "pardot"}],), "org is 'pardot'"),
        ("latency", (-1,), "negative"),
    ],
)
def test_a_request_that_makes_no_sense_is_answered_in_a_sentence(sandbox, call, arguments, words):
    named = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], dict) else {}
    status, body = refused(getattr(sandbox.admin, call), arguments[0], **named)
    assert status == 400
    assert words in body["error"]


def test_the_log_has_every_request_with_what_it_committed(sandbox):
    with sandbox.engagement() as http:
        http.get(PROSPECTS, params={"fields": "id", "limit": 2})
        http.patch(f"{PROSPECTS}/4", json={"phone": "4", "city": "Rome"})
        http.patch(f"{PROSPECTS}/4", json={"email": "no"})
        http.get("/api/v5/objects/lists")
    with sandbox.engagement("sales") as http:
        http.get(f"{PROSPECTS}/4", params={"fields": "id"})
    rows = sandbox.admin.calls()
    assert [(row["method"], row["operation"], row["user"], row["status"], row["error"]) for row in rows] == [
        ("GET", "prospects.query", "connector", 200, None),
        ("PATCH", "prospects.update", "connector", 204, None),
        ("PATCH", "prospects.update", "connector", 400, 4),
        ("GET", "", "connector", 404, 198),
        ("GET", "prospects.read", "sales", 200, None),
    ]
    assert rows[0]["path"] == f"{PROSPECTS}?fields=id&limit=2"
    assert rows[0]["records"] == 2
    assert rows[1]["committed"] == [
        {
            "object": "Prospect",
            "id": "4",
            "action": "update",
            "fields": ["phone", "city"],
            "changes": {"phone": "4", "city": "Rome"},
        }
    ]
    assert rows[2]["committed"] == []
    assert [row["operation"] for row in sandbox.admin.calls(since=rows[3]["index"], user="sales")] == ["prospects.read"]
    assert sandbox.admin.calls(org="salesforce") == []


def test_the_summary_counts_all(sandbox):
    with sandbox.engagement() as http:
        for _ in range(3):
            http.get(f"{PROSPECTS}/4", params={"fields": "id"})
        http.get(f"{PROSPECTS}/888888", params={"fields": "id"})
        http.patch(f"{PROSPECTS}/4", json={"phone": "4"})
    assert sandbox.admin.calls_summary()["orgs"] == {
        "account_engagement": {
            "calls": 5,
            "operations": {"prospects.read": {"200": 3, "404": 1}, "prospects.update": {"204": 1}},
            "errors": {"109": 1},
            "records_committed": 1,
            "most_in_flight": 1,
        }
    }


def test_a_sixth_call_at_the_same_time_is_refused(sandbox):
    sandbox.admin.latency(300, org="account_engagement")

    def read(_number: int) -> tuple[int, int | None]:
        with sandbox.engagement() as http:
            answer = http.get(f"{PROSPECTS}/4", params={"fields": "id"})
        return answer.status_code, answer.json().get("code")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(read, range(8)))
    assert sorted(answers, key=str) == [(200, None)] * 5 + [(429, 66)] * 3
    assert sandbox.admin.calls_summary()["orgs"]["account_engagement"]["errors"] == {"66": 3}


def test_five_places_can_be_used_without_a_pause(sandbox):
    def work(_number: int) -> set[int]:
        with sandbox.engagement() as http:
            return {http.get(f"{PROSPECTS}/4", params={"fields": "id"}).status_code for _ in range(20)}

    with ThreadPoolExecutor(5) as threads:
        assert set().union(*threads.map(work, range(5))) == {200}


def test_ended_tokens_are_refused_and_those_of_others_are_not(sandbox):
    sandbox.admin.expire_tokens("admin")
    with sandbox.engagement("admin") as http:
        assert http.get(f"{PROSPECTS}/4", params={"fields": "id"}).status_code == 401
    with sandbox.engagement("sales") as http:
        assert http.get(f"{PROSPECTS}/4", params={"fields": "id"}).status_code == 200
