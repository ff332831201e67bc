"""Who may call, what is not there, and the limits."""

import pytest

PROSPECTS = "/api/v5/objects/prospects"
FIELDS = {"fields": "id"}


def test_a_bad_token_is_refused_with_http_401(unit):
    assert unit.refused("GET", params=FIELDS, headers={"Authorization": "Bearer nonsense"}) == (401, 184)
    answer = unit.http.get(PROSPECTS, params=FIELDS, headers={"Authorization": "Bearer nonsense"})
    assert answer.json() == {"code": 184, "message": "access_token is invalid, unknown, or malformed"}


def test_a_token_that_was_ended_is_bad(unit):
    unit.tokens.expire_user("connector")
    assert unit.refused("GET", params=FIELDS) == (401, 184)


def test_a_salesforce_token_is_good_here_too(unit):
    token = unit.tokens.issue(unit.users["sales"])
    answer = unit.http.get(PROSPECTS, params=FIELDS, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("business_unit", "code"), [("0Uv5g0000008OIA", 182), ("nonsense", 182), ("0Uv5g0000008OIBCA2", 201)]
)
def test_a_wrong_business_unit_is_told_from_a_malformed_one(unit, business_unit, code):
    assert unit.refused("GET", params=FIELDS, headers={"Pardot-Business-Unit-Id": business_unit}) == (400, code)


def test_a_missing_business_unit_header(unit):
    del unit.http.headers["Pardot-Business-Unit-Id"]
    assert unit.refused("GET", params=FIELDS) == (400, 181)


@pytest.mark.parametrize(
    "path", ["/api/v5/objects/lists", "/api/v5/objects/prospects/11/do/addTag", "/api/v4/prospects", "/"]
)
def test_what_is_not_built_is_refused(unit, path):
    assert unit.refused("GET", path, params=FIELDS) == (404, 198)


def test_a_method_a_call_does_not_have(unit):
    assert unit.refused("PUT", f"{PROSPECTS}/11", json={}) == (405, 60)
    assert unit.refused("PATCH", PROSPECTS, json={}) == (405, 60)


def test_an_id_that_is_none(unit):
    assert unit.refused("GET", f"{PROSPECTS}/abc", params=FIELDS) == (400, 16)


def test_usage_is_told_when_asked_for(unit):
    assert "x-api-usage" not in unit.http.get(PROSPECTS, params=FIELDS).headers
    answer = unit.http.get(PROSPECTS, params=FIELDS, headers={"X-Return-Api-Usage": "1"})
    assert answer.headers["x-api-usage"] == "2/100000"


def test_the_daily_limit_lasts_until_midnight_of_the_account(unit):
    unit.org.configure({"daily_limit": 2, "timezone": "-05:00"})
    for _ in range(2):
        assert unit.http.get(PROSPECTS, params=FIELDS).status_code == 200
    assert unit.refused("GET", params=FIELDS) == (429, 122)
    unit.clock.step(18.9 * 3600)  # 10:00 UTC is 05:00 there
    assert unit.refused("GET", params=FIELDS) == (429, 122)
    unit.clock.step(0.2 * 3600)
    assert unit.http.get(PROSPECTS, params=FIELDS).status_code == 200


def test_the_status_of_the_daily_limit_can_be_chosen(unit):
    unit.org.configure({"daily_limit": 0, "rate_limit_status": 400})
    assert unit.refused("GET", params=FIELDS) == (400, 122)


def test_custom_fields_users_and_campaigns_can_be_read(unit):
    answer = unit.http.get("/api/v5/objects/custom-fields", params={"fields": "id,apiFieldId,type"})
    assert answer.json() == {
        "nextPageToken": None,
        "nextPageUrl": None,
        "values": [
            {"id": 1, "apiFieldId": "Interests__c", "type": "Multi-Select"},
            {"id": 2, "apiFieldId": "Budget__c", "type": "Number"},
            {"id": 3, "apiFieldId": "Renewal__c", "type": "Date"},
            {"id": 4, "apiFieldId": "Tier__c", "type": "Dropdown"},
        ],
    }
    answer = unit.http.get("/api/v5/objects/custom-fields/2", params={"fields": "fieldId"})
    assert answer.json() == {"fieldId": "Budget"}
    answer = unit.http.get("/api/v5/objects/users/41", params={"fields": "id,username"})
    assert answer.json() == {"id": 41, "username": "connector@sandbox.example"}
    answer = unit.http.get("/api/v5/objects/campaigns", params={"fields": "name"})
    assert [row["name"] for row in answer.json()["values"]] == ["Website", "Fair"]


@pytest.mark.parametrize(
    ("path", "parameters", "refusal"),
    [
        ("users", {}, (400, 13)),
        ("users", {"fields": "password"}, (400, 180)),
        ("users/99", {"fields": "id"}, (404, 109)),
        ("users", {"fields": "id", "orderBy": "email"}, (400, 51)),
        ("users", {"fields": "id", "limit": "1"}, (400, 23)),
    ],
)
def test_what_the_small_objects_refuse(unit, path, parameters, refusal):
    assert unit.refused("GET", f"/api/v5/objects/{path}", params=parameters) == refusal
