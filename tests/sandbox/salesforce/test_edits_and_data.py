"""Edits by hand, merges and conversion; loading and dumping; compactness."""

import time

import pytest

from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.salesforce import OrgError, SalesforceOrg

from .conftest import SALES, USERS, Client, lead_id


def test_an_edit_by_hand_stamps_and_tells_but_costs_no_call(client, org, clock, lead):
    clock.step(60)
    assert org.ui_edit("sales", "Lead", lead, {"Title": "CTO"}) == lead
    row = client.rows("SELECT LastModifiedDate, LastModifiedBy.Name FROM Lead")[0]
    assert (row["LastModifiedDate"], row["LastModifiedBy"]["Name"]) == ("2026-11-23T10:01:00.000+0000", "Sales")
    assert client.rows("SELECT Field, CreatedById FROM LeadHistory") == [{"Field": "Title", "CreatedById": SALES}]
    assert client.get("limits").headers["sforce-limit-info"] == "api-usage=3/100000"


def test_edits_are_checked_like_any_save(org, lead):
    with pytest.raises(OrgError) as caught:
        org.ui_edit("sales", "Lead", lead, {"Email": "x"})
    assert (caught.value.status, caught.value.body[0]["errorCode"]) == (400, "INVALID_EMAIL_ADDRESS")


def test_create_delete_undelete(client, org, clock):
    ident = org.ui_edit("marketing", "Contact", None, {"LastName": "B", "Title": "CTO"}, "create")
    org.ui_edit("sales", "Contact", ident, {"Title": "CEO"})
    org.ui_edit("sales", "Contact", ident, {}, "delete")
    assert client.rows("SELECT Id FROM ContactHistory") == []
    assert len(client.rows("SELECT Id FROM ContactHistory", "queryAll")) == 2
    clock.step(60)
    assert org.ui_edit("sales", "Contact", ident, {}, "undelete") == ident
    assert client.rows("SELECT Title, SystemModstamp FROM Contact") == [
        {"Title": "CEO", "SystemModstamp": "2026-11-23T10:01:00.000+0000"}
    ]
    assert len(client.rows("SELECT Id FROM ContactHistory")) == 2
    with pytest.raises(OrgError):
        org.ui_edit("sales", "Contact", ident, {}, "undelete")


def test_merge_deletes_the_loser_and_points_at_the_winner(client, org):
    org.load({"records": {"Lead": [{"Id": lead_id(n), "LastName": f"L{n}", "Company": "C"} for n in (1, 2)]}})
    org.ui_edit("sales", "Lead", lead_id(1), {"losers": [lead_id(2)], "Title": "CTO"}, "merge")
    assert client.rows("SELECT Id, Title, IsDeleted, MasterRecordId FROM Lead ORDER BY Id", "queryAll") == [
        {"Id": lead_id(1), "Title": "CTO", "IsDeleted": False, "MasterRecordId": None},
        {"Id": lead_id(2), "Title": None, "IsDeleted": True, "MasterRecordId": lead_id(1)},
    ]
    assert client.patch(f"sobjects/Lead/{lead_id(2)}", json={}).json()[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_failed_merge_changes_nothing(client, org):
    org.load({"records": {"Lead": [{"Id": lead_id(n), "LastName": f"L{n}", "Company": "C"} for n in (1, 2)]}})
    with pytest.raises(OrgError):
        org.ui_edit("sales", "Lead", lead_id(1), {"losers": [lead_id(2)], "Email": "x"}, "merge")
    assert client.rows("SELECT COUNT(Id) n FROM Lead") == [{"n": 2}]


def test_conversion_makes_account_and_contact_and_closes_the_lead(client, org, lead):
    org.load({"custom_fields": {name: [{"name": "Tier__c", "type": "string"}] for name in ("Lead", "Contact")}})
    org.ui_edit("sales", "Lead", lead, {"HasOptedOutOfEmail": True, "City": "Bonn", "Tier__c": "Gold"})
    contact = org.ui_edit("sales", "Lead", lead, {}, "convert")
    row = client.rows("SELECT Name, Email, HasOptedOutOfEmail, MailingCity, Tier__c, Account.Name FROM Contact")[0]
    assert row.pop("Account")["Name"] == "Engines"
    assert row == {
        "Name": "Ada Byron", "Email": "ada@engines.example", "HasOptedOutOfEmail": True, "MailingCity": "Bonn",
        "Tier__c": "Gold",
    }  # fmt: skip
    assert client.rows("SELECT IsConverted, Status, ConvertedDate, ConvertedContactId FROM Lead") == [
        {
            "IsConverted": True,
            "Status": "Closed - Converted",
            "ConvertedDate": "2026-11-23",
            "ConvertedContactId": contact,
        }
    ]
    assert {row["Field"] for row in client.rows("SELECT Field FROM ContactHistory")} == {
        "created",
        "contactCreatedFromLead",
    }
    answer = client.patch(f"sobjects/Lead/{lead}", json={"Title": "x"})
    assert (answer.status_code, answer.json()) == (
        400,
        [{"message": "cannot reference converted lead", "errorCode": "CANNOT_UPDATE_CONVERTED_LEAD", "fields": []}],
    )


def test_what_is_dumped_can_be_loaded(client, org, lead, loop):
    org.load({"custom_fields": {"Lead": [
        {"name": "Topics__c", "type": "multipicklist", "picklist": ["A", "B"]},
        {"name": "At__c", "type": "datetime"},
    ]}})  # fmt: skip
    org.ui_edit("sales", "Lead", lead, {"HasOptedOutOfEmail": True, "Topics__c": "A", "At__c": "2026-01-01T00:00:00Z"})
    org.ui_edit("sales", "Lead", None, {"LastName": "B", "Company": "C"}, "create")
    dump = org.dump()
    (ada, _) = dump["records"]["Lead"]
    assert (ada["Id"], ada["CreatedDate"], ada["HasOptedOutOfEmail"], ada["Title"], ada["Phone"], ada["At__c"]) == (
        lead, "2026-11-23T09:00:00Z", True, "Countess", None, "2026-01-01T00:00:00Z",
    )  # fmt: skip
    told = {(row["Field"], row["NewValue"], row["CreatedDate"]) for row in dump["history"]["Lead"]}
    assert ("HasOptedOutOfEmail", True, "2026-11-23T10:00:00Z") in told
    again = SalesforceOrg(OrgClock(), users=tuple(USERS.values()))
    again.load(dump)
    assert again.dump() == dump
    new = again.ui_edit("sales", "Lead", None, {"LastName": "D", "Company": "C"}, "create")
    assert new == "00Q8d0000000002EAA"


@pytest.mark.parametrize(
    "data",
    [
        {"leads": []},
        {"records": {"Lead": [{"LastName": "A", "Nope": 1}]}},
        {"records": {"LeadHistory": []}},
        {"custom_fields": {"Lead": [{"name": "X", "type": "string"}]}},
        {"custom_fields": {"Lead": [{"name": "X__c", "type": "blob"}]}},
    ],
)
def test_data_that_make_no_sense_are_errors(org, client, data):
    with pytest.raises(ValueError, match=r"load takes|has no field|cannot be loaded|ends in __c|unknown type"):
        org.load(data)
    assert client.rows("SELECT Id FROM Lead") == []


def test_fifty_thousand_leads_are_loaded_and_worked_on_quickly(org, client: Client):
    rows = (
        {"Id": lead_id(n), "LastName": f"L{n}", "Company": "C", "Email": f"p{n}@x.example", "Title": "CTO"}
        for n in range(50_000)
    )
    started = time.perf_counter()
    org.load({"records": {"Lead": rows}})
    records = [{"attributes": {"type": "Lead"}, "id": lead_id(n), "Title": "CEO", "Phone": "1"} for n in range(200)]
    answer = client.patch("composite/sobjects", json={"records": records})
    assert sum(one["success"] for one in answer.json()) == 200
    found = client.query("SELECT Id FROM Lead WHERE Email = 'P49999@X.example'")
    assert found["records"][0]["Id"] == lead_id(49_999)
    assert time.perf_counter() - started < 20
