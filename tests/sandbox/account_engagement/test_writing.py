"""Writes by the API: stamps, types, refusals, links, the recycle bin, upsert."""

import pytest

PROSPECTS = "/api/v5/objects/prospects"
STAMPS = "createdAt,createdById,updatedAt,updatedById"


def test_create_answers_where_the_prospect_is_and_stamps_it(unit):
    answer = unit.http.post(PROSPECTS, json={"email": "new@x.example", "firstName": "Nia"})
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["Location"] == f"https://ae.example{PROSPECTS}/14"
    assert unit.read(14, f"email,firstName,optedOut,score,isDeleted,{STAMPS}") == {
        "email": "new@x.example",
        "firstName": "Nia",
        "optedOut": False,
        "score": 0,
        "isDeleted": False,
        "createdAt": "2026-11-20T10:00:00+00:00",
        "createdById": 41,
        "updatedAt": "2026-11-20T10:00:00+00:00",
        "updatedById": 41,
    }


def test_create_answers_the_fields_asked_for(unit):
    answer = unit.http.post(PROSPECTS, params={"fields": "id,Interests__c"}, json={"email": "new@x.example"})
    assert (answer.status_code, answer.json()) == (201, {"id": 14, "Interests__c": None})


def test_patch_changes_what_is_sent_and_stamps(unit):
    answer = unit.patch(11, phone="+49 30 1", isDoNotCall=True)
    assert (answer.status_code, answer.content) == (204, b"")
    assert unit.read(11, f"phone,isDoNotCall,jobTitle,{STAMPS}") == {
        "phone": "+49 30 1",
        "isDoNotCall": True,
        "jobTitle": "CTO",
        "createdAt": "2026-01-01T00:00:00+00:00",
        "createdById": 43,
        "updatedAt": "2026-11-20T10:00:00+00:00",
        "updatedById": 41,
    }


def test_stamps_are_whole_seconds(unit):
    unit.clock.step(1.9)
    unit.patch(11, phone="1")
    assert unit.read(11, "updatedAt") == {"updatedAt": "2026-11-20T10:00:01+00:00"}


def test_patch_answers_200_with_the_fields_asked_for(unit):
    answer = unit.http.patch(f"{PROSPECTS}/11", params={"fields": "id,phone"}, json={"phone": "1"})
    assert (answer.status_code, answer.json()) == (200, {"id": 11, "phone": "1"})


@pytest.mark.parametrize("empty", [None, ""])
def test_null_and_empty_text_clear(unit, empty):
    unit.patch(11, jobTitle=empty)
    assert unit.read(11, "jobTitle") == {"jobTitle": None}


def test_a_patch_that_changes_nothing_stamps_unless_told(unit):
    unit.patch(11, jobTitle="CTO")
    assert unit.read(11, "updatedAt,updatedById") == {"updatedAt": "2026-11-20T10:00:00+00:00", "updatedById": 41}
    unit.org.configure({"noop_patch_stamps": False})
    unit.clock.step(60)
    unit.patch(11, jobTitle="CTO")
    assert unit.read(11, "updatedAt") == {"updatedAt": "2026-11-20T10:00:00+00:00"}


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"employees": 70}, {"employees": "70"}),
        ({"annualRevenue": "1000000.50"}, {"annualRevenue": "1000000.50"}),
        ({"score": "12"}, {"score": 12}),
        ({"Budget__c": "12.5"}, {"Budget__c": 12.5}),
        ({"Budget__c": 12}, {"Budget__c": 12}),
        ({"Renewal__c": "2027-01-31"}, {"Renewal__c": "2027-01-31"}),
        ({"Interests__c": ["Golf", "Golf", "Chess"]}, {"Interests__c": ["Golf", "Chess"]}),
        ({"Interests__c": []}, {"Interests__c": None}),
        ({"optedOut": True}, {"optedOut": True}),
        ({"campaignId": 2}, {"campaignId": 2}),
    ],
)
def test_values_by_kind(unit, changes, shown):
    assert unit.patch(11, **changes).status_code == 204
    assert unit.read(11, ",".join(shown)) == shown


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nonsense": 1}, 180),
        ({"id": 5}, 180),
        ({"updatedAt": "2026-01-01T00:00:00Z"}, 180),
        ({"grade": "A"}, 180),
        ({"isDeleted": True}, 180),
        ({"optedOut": "true"}, 50),
        ({"isDoNotCall": 1}, 50),
        ({"phone": ["1"]}, 51),
        ({"phone": True}, 51),
        ({"Interests__c": "Golf"}, 51),
        ({"score": "many"}, 56),
        ({"score": 1.5}, 56),
        ({"Budget__c": "many"}, 56),
        ({"Budget__c": True}, 56),
        ({"Renewal__c": "31.01.2027"}, 57),
        ({"Renewal__c": 20270131}, 57),
        ({"email": "not an address"}, 4),
        ({"email": None}, 4),
        ({"userId": 99}, 10),
        ({"salesforceOwnerId": "005000000000000AAA"}, 10),
        ({"campaignId": 99}, 38),
        ({"profileId": 99}, 39),
        ({"prospectAccountId": 99}, 61),
        ({"salesforceId": "001000000000001AAA"}, 79),
        ({"userId": 41, "salesforceOwnerId": "0055g00000Sbx01AAB"}, 125),
    ],
)
def test_what_a_patch_refuses_and_leaves_as_it_was(unit, changes, code):
    assert unit.refused("PATCH", f"{PROSPECTS}/11", json={"jobTitle": "changed", **changes}) == (400, code)
    assert unit.read(11, "jobTitle,updatedById") == {"jobTitle": "CTO", "updatedById": 43}


@pytest.mark.parametrize(
    ("request_parts", "code"),
    [
        ({"content": b""}, 152),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 150),
        ({"content": b"[]", "headers": {"Content-Type": "application/json"}}, 150),
        ({"content": b"a=1", "headers": {"Content-Type": "text/plain"}}, 151),
        ({"json": {"firstName": "Nia"}}, 153),
        ({"json": {"email": "nobody"}}, 4),
        ({"json": {"email": "ADA@x.example"}}, 9),
    ],
)
def test_what_create_refuses(unit, request_parts, code):
    assert unit.refused("POST", **request_parts) == (400, code)


def test_an_address_of_another_prospect(unit):
    assert unit.refused("PATCH", f"{PROSPECTS}/11", json={"email": "ben@x.example"}) == (400, 54)
    assert unit.patch(11, email="ADA@x.example").status_code == 204


def test_several_prospects_with_one_address_where_the_account_allows_it(unit):
    unit.org.configure({"multiple_prospects_per_email": True})
    assert unit.http.post(PROSPECTS, json={"email": "ada@x.example"}).status_code == 201
    assert unit.patch(12, email="ada@x.example").status_code == 204
    assert [row["id"] for row in unit.query(fields="id", email="ada@x.example")["values"]] == [11, 12, 14]


def test_assigning_follows_in_all_three_fields(unit):
    unit.patch(11, salesforceOwnerId="0055g00000Sbx02AAB")
    assert unit.read(11, "userId,assignedToId,salesforceOwnerId,firstAssignedAt,assignedTo.username") == {
        "userId": 42,
        "assignedToId": 42,
        "salesforceOwnerId": "0055g00000Sbx02AAB",
        "firstAssignedAt": "2026-11-20T10:00:00+00:00",
        "assignedTo": {"username": "sales@sandbox.example"},
    }
    unit.patch(11, userId=None)
    assert unit.read(11, "userId,assignedToId,salesforceOwnerId") == {
        "userId": None,
        "assignedToId": None,
        "salesforceOwnerId": None,
    }


def test_linking_follows_in_the_lead_and_contact_columns(unit):
    lead, contact = "00Q000000000001AAA", "003000000000001AAA"
    names = "salesforceId,salesforceLeadId,salesforceContactId"
    unit.patch(11, salesforceId=lead)
    assert list(unit.read(11, names).values()) == [lead, lead, None]
    unit.patch(11, salesforceId=contact)
    assert list(unit.read(11, names).values()) == [contact, lead, contact]
    assert unit.refused("PATCH", f"{PROSPECTS}/12", json={"salesforceId": contact[:15]}) == (400, 81)
    unit.org.configure({"unique_salesforce_id": False})
    assert unit.patch(12, salesforceId=contact).status_code == 204
    unit.patch(11, salesforceId=None)
    assert list(unit.read(11, names).values()) == [None, None, None]
    assert unit.patch(11, salesforceId="[[crm_deleted]]").status_code == 204


def test_delete_and_undelete(unit):
    assert unit.http.delete(f"{PROSPECTS}/11").status_code == 204
    assert unit.refused("DELETE", f"{PROSPECTS}/11") == (404, 109)
    assert unit.refused("PATCH", f"{PROSPECTS}/11", json={"phone": "1"}) == (400, 219)
    deleted = unit.read(11, "isDeleted,updatedAt,updatedById", deleted="true")
    assert deleted == {"isDeleted": True, "updatedAt": "2026-11-20T10:00:00+00:00", "updatedById": 41}
    answer = unit.http.post(f"{PROSPECTS}/do/undelete", json={"email": "ADA@x.example", "fields": ["id"]})
    assert (answer.status_code, answer.json()) == (200, {"id": 11})
    assert unit.read(11, "jobTitle,isDeleted") == {"jobTitle": "CTO", "isDeleted": False}
    assert unit.refused("POST", f"{PROSPECTS}/do/undelete", json={"email": "ada@x.example"}) == (404, 109)
    assert unit.http.post(f"{PROSPECTS}/do/undelete", json={"matchEmail": "cy@x.example"}).status_code == 204


def test_a_prospect_cannot_come_back_while_another_has_its_address(unit):
    unit.patch(12, email="cy@x.example")
    assert unit.refused("POST", f"{PROSPECTS}/do/undelete", json={"matchEmail": "cy@x.example"}) == (400, 54)


def test_adding_a_deleted_address_again_brings_its_prospect_back(unit):
    answer = unit.http.post(
        PROSPECTS, params={"fields": "id,firstName,isDeleted"}, json={"email": "cy@x.example", "firstName": "Cy"}
    )
    assert (answer.status_code, answer.json()) == (201, {"id": 13, "firstName": "Cy", "isDeleted": False})


def test_with_several_prospects_per_address_adding_makes_a_new_one(unit):
    unit.org.configure({"multiple_prospects_per_email": True})
    answer = unit.http.post(PROSPECTS, params={"fields": "id"}, json={"email": "cy@x.example"})
    assert answer.json() == {"id": 14}


def test_upsert_updates_the_prospect_with_the_latest_activity(unit):
    unit.org.configure({"multiple_prospects_per_email": True})
    unit.org.load(
        {
            "prospects": [
                {"id": 21, "email": "d@x.example", "lastActivityAt": "2026-05-01T00:00:00Z"},
                {"id": 22, "email": "d@x.example", "lastActivityAt": "2026-04-01T00:00:00Z"},
            ]
        }
    )
    body = {"matchEmail": "D@x.example", "prospect": {"firstName": "Di"}, "fields": ["id", "firstName"]}
    answer = unit.http.post(f"{PROSPECTS}/do/upsertLatestByEmail", json=body)
    assert (answer.status_code, answer.json()) == (201, {"id": 21, "firstName": "Di"})


def test_upsert_creates_where_no_prospect_has_the_address(unit):
    body = {"matchEmail": "e@x.example", "prospect": {"firstName": "Eva"}}
    answer = unit.http.post(f"{PROSPECTS}/do/upsertLatestByEmail", json=body)
    assert (answer.status_code, answer.headers["Location"]) == (201, f"https://ae.example{PROSPECTS}/14")
    assert unit.read(14, "email,firstName") == {"email": "e@x.example", "firstName": "Eva"}


def test_upsert_looks_into_the_recycle_bin_only_when_told(unit):
    unit.org.configure({"multiple_prospects_per_email": True})
    body = {"matchEmail": "cy@x.example", "prospect": {"firstName": "Cy"}, "fields": ["id"]}
    second = {**body, "secondaryDeletedSearch": True}
    assert unit.http.post(f"{PROSPECTS}/do/upsertLatestByEmail", json=second).json() == {"id": 13}
    unit.http.delete(f"{PROSPECTS}/13")
    assert unit.http.post(f"{PROSPECTS}/do/upsertLatestByEmail", json=body).json() == {"id": 14}


@pytest.mark.parametrize(
    ("body", "code"),
    [({"prospect": {}}, 153), ({"matchEmail": "a@x.example"}, 153), ({"matchEmail": "a@x.example", "a": 1}, 154)],
)
def test_what_upsert_refuses(unit, body, code):
    assert unit.refused("POST", f"{PROSPECTS}/do/upsertLatestByEmail", json=body) == (400, code)


def test_a_prospect_can_be_made_to_fail_a_number_of_times(unit):
    unit.org.configure({"refusals": {"11": {"code": 85, "times": 2}, "12": {"code": 62, "times": -1}}})
    for _ in range(2):
        assert unit.refused("PATCH", f"{PROSPECTS}/11", json={"phone": "1"}) == (400, 85)
    assert unit.patch(11, phone="1").status_code == 204
    for _ in range(3):
        assert unit.refused("PATCH", f"{PROSPECTS}/12", json={"phone": "1"}) == (400, 62)


def test_a_field_can_be_made_to_store_text_its_own_way(unit):
    unit.org.configure({"reformats": [{"field": "phone", "replace": ["[^0-9+]", ""]}]})
    unit.patch(11, phone="+49 (30) 1-2")
    assert unit.read(11, "phone") == {"phone": "+493012"}
