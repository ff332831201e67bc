"""Single reads: what only they return, deleted records, conditional reads; and reads that lag."""

import pytest

PROSPECTS = "/api/v5/objects/prospects"


def test_a_read_returns_lists_which_a_query_does_not(unit):
    assert unit.read(11, "id,Interests__c,Budget__c,campaign.id") == {
        "id": 11,
        "Interests__c": ["Sailing", "Chess"],
        "Budget__c": None,
        "campaign": {"id": 1},
    }


def test_all_71_standard_fields_can_be_read(unit):
    names = [field["name"] for field in [{"name": name} for name in unit.org.dump()["prospects"][0]]]
    standard = [name for name in names if not name.endswith("__c")]
    assert len(standard) == 71
    assert set(unit.read(11, ",".join(standard))) == set(standard)


def test_a_missing_prospect(unit):
    answer = unit.http.get(f"{PROSPECTS}/99", params={"fields": "id"})
    assert answer.status_code == 404
    assert answer.json() == {"code": 109, "message": "The requested record was not found."}


def test_fields_are_required(unit):
    assert unit.refused("GET", f"{PROSPECTS}/11") == (400, 13)


def test_an_unknown_parameter_is_refused(unit):
    assert unit.refused("GET", f"{PROSPECTS}/11", params={"fields": "id", "format": "xml"}) == (400, 51)


def test_a_deleted_prospect_is_found_when_asked_for(unit):
    assert unit.refused("GET", f"{PROSPECTS}/13", params={"fields": "id"}) == (404, 109)
    answer = unit.http.get(f"{PROSPECTS}/13", params={"fields": "id,isDeleted", "deleted": "all"})
    assert answer.json() == {"id": 13, "isDeleted": True}
    assert answer.headers["Pardot-Warning"] == "201;Record In Recycle Bin"
    assert unit.refused("GET", f"{PROSPECTS}/11", params={"fields": "id", "deleted": "true"}) == (404, 109)


@pytest.mark.parametrize(
    ("since", "status"), [("Sun, 01 Mar 2026 08:00:00 GMT", 304), ("Sun, 01 Mar 2026 07:59:59 GMT", 200)]
)
def test_a_conditional_read(unit, since, status):
    answer = unit.http.get(f"{PROSPECTS}/11", params={"fields": "id"}, headers={"If-Modified-Since": since})
    assert answer.status_code == status


def test_reads_lag_writes_and_the_write_itself_does_not(unit):
    unit.org.configure({"lag_seconds": 60})
    unit.clock.step(1)
    answer = unit.http.patch(f"{PROSPECTS}/11", params={"fields": "jobTitle,updatedAt"}, json={"jobTitle": "CEO"})
    assert answer.json() == {"jobTitle": "CEO", "updatedAt": "2026-11-20T10:00:01+00:00"}
    unit.clock.step(59)
    assert unit.read(11, "jobTitle") == {"jobTitle": "CTO"}
    assert unit.query(fields="id", updatedAtAfter="2026-11-01T00:00:00Z")["values"] == []
    assert unit.query(fields="id,jobTitle", orderBy="updatedAt DESC")["values"][0] == {"id": 11, "jobTitle": "CTO"}
    unit.clock.step(1)
    assert unit.read(11, "jobTitle") == {"jobTitle": "CEO"}
    assert unit.query(fields="id", updatedAtAfter="2026-11-01T00:00:00Z")["values"] == [{"id": 11}]


def test_each_of_two_writes_becomes_visible_in_its_turn(unit):
    unit.org.configure({"lag_seconds": 60})
    unit.patch(11, jobTitle="one")
    unit.clock.step(30)
    unit.patch(11, jobTitle="two")
    seen = []
    for seconds in (29, 1, 29, 1):
        unit.clock.step(seconds)
        seen.append(unit.read(11, "jobTitle")["jobTitle"])
    assert seen == ["CTO", "one", "one", "two"]


def test_a_new_prospect_is_invisible_at_first_and_its_email_taken_at_once(unit):
    unit.org.configure({"lag_seconds": 10})
    created = unit.http.post(PROSPECTS, params={"fields": "id"}, json={"email": "new@x.example"})
    assert created.status_code == 201
    number = created.json()["id"]
    assert unit.refused("GET", f"{PROSPECTS}/{number}", params={"fields": "id"}) == (404, 109)
    assert unit.query(fields="id", email="new@x.example")["values"] == []
    assert unit.refused("POST", json={"email": "new@x.example"}) == (400, 9)
    unit.clock.step(10)
    assert unit.query(fields="id", email="new@x.example")["values"] == [{"id": number}]


def test_a_deletion_lags_too(unit):
    unit.org.configure({"lag_seconds": 10})
    unit.http.delete(f"{PROSPECTS}/11")
    assert unit.read(11, "id") == {"id": 11}
    unit.clock.step(10)
    assert unit.refused("GET", f"{PROSPECTS}/11", params={"fields": "id"}) == (404, 109)


def test_a_field_defined_during_the_lag_is_null_in_the_older_state(unit):
    unit.org.configure({"lag_seconds": 10})
    unit.patch(11, jobTitle="new")
    unit.org.configure({"custom_fields": [{"name": "Colour__c", "type": "Text"}]})
    unit.patch(11, Colour__c="red")
    assert unit.read(11, "jobTitle,Colour__c") == {"jobTitle": "CTO", "Colour__c": None}
    unit.clock.step(10)
    assert unit.read(11, "jobTitle,Colour__c") == {"jobTitle": "new", "Colour__c": "red"}


def test_ending_the_lag_shows_everything(unit):
    unit.org.configure({"lag_seconds": 60})
    unit.patch(11, jobTitle="new")
    unit.org.configure({"lag_seconds": 0})
    assert unit.read(11, "jobTitle") == {"jobTitle": "new"}


def test_a_varying_lag_shows_a_later_stamp_before_an_earlier_one(unit):
    unit.org.load({"prospects": [{"id": number, "email": f"p{number}@y.example"} for number in range(100, 120)]})
    unit.org.configure({"lag_seconds": 60, "lag_varies": True, "lag_seed": 3})
    for number in range(100, 120):
        unit.clock.step(1)
        unit.patch(number, jobTitle="new")
    unit.clock.step(20)
    visible = unit.query(fields="id", updatedAtAfter="2026-11-20T10:00:00Z")["values"]
    last_visible = visible[-1]["id"]
    assert 0 < len(visible) < last_visible - 100 + 1
    unit.clock.step(60)
    assert len(unit.query(fields="id", updatedAtAfter="2026-11-20T10:00:00Z")["values"]) == 20
