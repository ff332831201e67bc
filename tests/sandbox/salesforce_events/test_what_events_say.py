"""Header, bitmaps and payload of each kind of change; every bitmap is written by hand from the order of the fields."""

import hashlib

import pytest

LEAD, LEAD_2, CONTACT, CONTACT_2 = (
    "00Q5g0000000001EAA",
    "00Q5g0000000002EAA",
    "0035g0000000001AAA",
    "0035g0000000002AAA",
)
ACCOUNT, SALES, NOW_MS = "0015g0000000001AAA", "0055g00000Sbx02AAB", 1795428000000


def filled(event):
    return {name: value for name, value in event.items() if value is not None and name != "ChangeEventHeader"}


def test_an_edit_by_hand(bus):
    bus.edit({"Title": "Countess", "HasOptedOutOfEmail": True})
    [event] = bus.told()
    header = event["ChangeEventHeader"]
    assert len(header.pop("transactionKey")) == 36
    assert header.pop("commitNumber") > 0
    assert header == {
        "entityName": "Lead",
        "recordIds": [LEAD],
        "changeType": "UPDATE",
        "changeOrigin": "com/salesforce/api/rest/67.0;client=SfdcInternalAPI/",
        "sequenceNumber": 1,
        "commitTimestamp": NOW_MS,
        "commitUser": SALES,
        "nulledFields": [],
        "diffFields": [],
        "changedFields": ["0x08040004"],
    }
    assert filled(event) == {"Title": "Countess", "HasOptedOutOfEmail": True, "LastModifiedDate": NOW_MS}
    assert len(event) == 42


@pytest.mark.parametrize(
    ("ident", "changes", "changed", "nulled"),
    [
        (LEAD, {"FirstName": "Augusta"}, ["0x08000000", "1-0x02"], []),
        (LEAD, {"FirstName": None}, ["0x08000000", "1-0x02"], ["1-0x02"]),
        (LEAD, {"City": "Paris", "PostalCode": "75"}, ["0x08000000", "4-0x0A"], []),
        (LEAD, {"City": None}, ["0x08000000", "4-0x02"], ["4-0x02"]),
        (LEAD, {"Street": None, "City": None}, ["0x08000010"], ["0x10"]),
        (LEAD, {"Phone": None, "Title": "Boss", "LastName": "King"}, ["0x08000024", "1-0x04"], ["0x20"]),
        (LEAD, {"Phone": "1"}, ["0x08000000"], []),
        (LEAD, {"DoNotCall": True}, ["0x28000000"], []),
        (CONTACT, {"MailingCity": "Paris", "OtherCity": "Rome"}, ["0x04000000", "4-0x02", "5-0x02"], []),
        (CONTACT, {"AccountId": None}, ["0x04000002"], ["0x02"]),
        (ACCOUNT, {"Name": "Analytical Engines"}, ["0x400002"], []),
    ],
)
def test_bitmaps(bus, ident, changes, changed, nulled):
    bus.edit(changes, ident)
    name = {"00Q": "Lead", "003": "Contact", "001": "Account"}[ident[:3]]
    [event] = bus.told(name)
    assert event["ChangeEventHeader"]["changedFields"] == changed
    assert event["ChangeEventHeader"]["nulledFields"] == nulled


def test_another_modifier_is_a_change_too(bus):
    bus.edit({"Title": "Countess"}, user="marketing")
    [event] = bus.told()
    assert event["ChangeEventHeader"]["changedFields"] == ["0x18000004"]
    assert event["LastModifiedById"] == "0055g00000Sbx03AAB"


def test_the_documented_conversion(bus):
    opportunity = "0065g0000000001AAA"
    changes = {"account_id": ACCOUNT, "contact_id": CONTACT, "opportunity_id": opportunity}
    bus.edit(changes, action="convert")
    [event] = bus.told()
    assert event["ChangeEventHeader"]["changedFields"] == ["0x08F81000"]
    assert filled(event) == {
        "Status": "Closed - Converted",
        "IsConverted": True,
        "ConvertedDate": 1795392000000,
        "ConvertedAccountId": ACCOUNT,
        "ConvertedContactId": CONTACT,
        "ConvertedOpportunityId": opportunity,
        "LastModifiedDate": NOW_MS,
    }
    assert bus.told("Contact") == []


def test_a_conversion_that_creates_is_one_transaction(bus):
    contact = bus.edit({}, action="convert")
    headers = [bus.told(name)[0]["ChangeEventHeader"] for name in ("Account", "Contact", "Lead")]
    assert len({header["transactionKey"] for header in headers}) == 1
    assert [(header["sequenceNumber"], header["changeType"]) for header in headers] == [
        (1, "CREATE"),
        (2, "CREATE"),
        (3, "UPDATE"),
    ]
    assert headers[1]["recordIds"] == [contact]
    assert headers[2]["changedFields"] == ["0x08781000"]


def test_a_creation_tells_all_but_unticked_checkboxes(bus):
    ident = bus.org.ui_edit(
        "sales", "Lead", None, {"LastName": "Noether", "Company": "Rings", "City": "Erlangen"}, "create"
    )
    [event] = bus.told()
    header = event["ChangeEventHeader"]
    assert (header["changeType"], header["recordIds"]) == ("CREATE", [ident])
    assert (header["changedFields"], header["nulledFields"]) == ([], [])
    assert event["Name"] == {"Salutation": None, "FirstName": None, "LastName": "Noether"}
    assert event["Address"] == {
        "Street": None, "City": "Erlangen", "State": None, "PostalCode": None, "Country": None, "StateCode": None,
        "CountryCode": None, "Latitude": None, "Longitude": None, "GeocodeAccuracy": None,
    }  # fmt: skip
    assert filled(event).keys() == {
        "Name", "Company", "Address", "Status", "OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate",
        "LastModifiedById",
    }  # fmt: skip
    assert event["CreatedDate"] == NOW_MS


def test_delete_and_undelete(bus):
    bus.edit({}, action="delete")
    bus.edit({}, action="undelete")
    deleted, back = bus.told()
    assert deleted["ChangeEventHeader"]["changeType"] == "DELETE"
    assert filled(deleted) == {}
    assert back["ChangeEventHeader"]["changeType"] == "UNDELETE"
    assert (back["Name"]["FirstName"], back["Phone"], back["LastModifiedDate"]) == ("Ada", "1", NOW_MS)


def test_a_merge_deletes_and_updates_in_one_transaction(bus):
    bus.edit({"losers": [LEAD_2], "Title": "Both"}, action="merge")
    lost, kept = (event["ChangeEventHeader"] for event in bus.told())
    assert (lost["changeType"], lost["recordIds"]) == ("DELETE", [LEAD_2])
    assert (kept["changeType"], kept["recordIds"], kept["changedFields"]) == ("UPDATE", [LEAD], ["0x08000004"])
    assert lost["transactionKey"] == kept["transactionKey"]


def test_contacts_of_a_merged_account_follow(bus):
    winner = bus.org.ui_edit("sales", "Account", None, {"Name": "Winner"}, "create")
    bus.edit({"losers": [ACCOUNT]}, winner, action="merge")
    [event] = bus.told("Contact")
    assert event["ChangeEventHeader"]["changedFields"] == ["0x02"]
    assert filled(event) == {"AccountId": winner}


def test_a_long_text_comes_as_a_difference(bus):
    old = "a line\n" * 200
    bus.edit({"Description": old})
    bus.edit({"Description": old + "one more"})
    first, second = bus.told()
    assert (first["ChangeEventHeader"]["diffFields"], first["Description"]) == ([], old.strip())
    assert second["ChangeEventHeader"]["diffFields"] == ["0x0400"]
    assert second["ChangeEventHeader"]["changedFields"] == ["0x08000400"]
    assert "+one more" in second["Description"].splitlines()
    assert hashlib.sha256(old.strip().encode()).hexdigest() in second["Description"]


def test_fields_kept_from_the_subscriber_are_in_no_part_of_the_event(bus):
    bus.org.configure({"field_security": {"connector": {"Lead": {"Phone": "none", "City": "none"}}}})
    bus.edit({"Phone": "3", "City": "Paris", "Title": "Countess"})
    [event] = bus.told()
    assert event["ChangeEventHeader"]["changedFields"] == ["0x08000004"]
    assert filled(event).keys() == {"Title", "LastModifiedDate"}


def test_dates_numbers_and_choices(bus):
    fields = [
        {"name": "Born__c", "type": "date"},
        {"name": "Seen__c", "type": "datetime"},
        {"name": "Size__c", "type": "double", "precision": 10, "scale": 2},
        {"name": "Wants__c", "type": "multipicklist", "picklist": ["a", "b"]},
    ]
    bus.org.load({"custom_fields": {"Lead": fields}})
    bus.edit({"Born__c": "1970-01-02", "Seen__c": "1970-01-01T00:00:01Z", "Size__c": 2, "Wants__c": "b;a",
              "NumberOfEmployees": 7, "AnnualRevenue": 5})  # fmt: skip
    [event] = bus.told()
    assert event["Born__c"] == 86_400_000
    assert event["Seen__c"] == 1000
    assert (event["Size__c"], event["Wants__c"], event["NumberOfEmployees"], event["AnnualRevenue"]) == (
        2.0,
        "a;b",
        7,
        5.0,
    )
    assert event["ChangeEventHeader"]["changedFields"] == ["0x3C0008018000"]
