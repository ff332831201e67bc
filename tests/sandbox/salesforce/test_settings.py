"""What an administrator sets: rights, rules, triggers, locks, duplicates, assignment, sharing."""

import pytest

from .conftest import lead_id


def test_unreadable_fields_do_not_exist_for_the_user(client, org, lead):
    org.configure({"field_security": {"connector": {"Lead": {"Title": "none"}}}})
    assert "No such column 'Title' on entity 'Lead'" in client.query("SELECT Title FROM Lead")[0]["message"]
    assert client.query("SELECT Id FROM Lead WHERE Title = 'x'")[0]["errorCode"] == "INVALID_FIELD"
    assert client.query("SELECT Lead.Title FROM LeadHistory")[0]["errorCode"] == "INVALID_FIELD"
    assert "Title" not in client.get(f"sobjects/Lead/{lead}").json()
    answer = client.patch(f"sobjects/Lead/{lead}", json={"Title": "x"})
    assert answer.json() == [
        {"message": "No such column 'Title' on sobject of type Lead", "errorCode": "INVALID_FIELD"}
    ]
    definitions = client.rows(
        "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Lead' "
        "AND QualifiedApiName IN ('Title', 'Phone')"
    )
    assert definitions == [{"QualifiedApiName": "Phone"}]
    assert client.act_as("sales").rows("SELECT Title FROM Lead") == [{"Title": "Countess"}]


def test_read_only_fields_refuse_the_whole_record_and_are_named(client, org, lead):
    org.configure({"field_security": {"connector": {"Lead": {"Title": "read", "Phone": "read"}}}})
    answer = client.patch(f"sobjects/Lead/{lead}", json={"Title": "x", "Company": "New", "phone": "1"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert answer.json()[0]["fields"] == ["Title", "Phone"]
    assert client.rows("SELECT Title, Company FROM Lead") == [{"Title": "Countess", "Company": "Engines"}]


def test_validation_rules(client, org, lead):
    rule = {"object": "Lead", "field": "Phone", "pattern": r"^\d{10}$", "message": "Phone must have ten digits"}
    org.configure({"validation_rules": [rule]})
    assert client.patch(f"sobjects/Lead/{lead}", json={"Phone": "12"}).json() == [
        {
            "message": "Phone must have ten digits",
            "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "fields": ["Phone"],
        }
    ]
    assert client.patch(f"sobjects/Lead/{lead}", json={"Phone": "0123456789"}).status_code == 204


def test_a_trigger_reformats_in_the_name_of_the_writer(client, org, lead):
    org.configure({"triggers": [{"object": "Lead", "field": "Phone", "replace": ["^0", "+49 "]}]})
    client.patch(f"sobjects/Lead/{lead}", json={"Phone": "0171"})
    assert client.rows("SELECT Phone FROM Lead") == [{"Phone": "+49 171"}]
    assert client.rows("SELECT Field, NewValue, CreatedBy.Name FROM LeadHistory")[0]["NewValue"] == "+49 171"
    assert client.log["committed"] == []
    client.patch(f"sobjects/Lead/{lead}", json={"Phone": "0171"})
    assert client.log["committed"][0]["changes"] == {}


@pytest.mark.parametrize(("times", "statuses"), [(2, [400, 400, 204]), (-1, [400, 400, 400])])
def test_locked_records(client, org, lead, times, statuses):
    org.configure({"locked": {lead: times}})
    assert [client.patch(f"sobjects/Lead/{lead}", json={"Title": "x"}).status_code for _ in range(3)] == statuses


def test_a_locked_account_locks_its_contacts(client, org):
    account = client.post("sobjects/Account", json={"Name": "A"}).json()["id"]
    contact = client.post("sobjects/Contact", json={"LastName": "B", "AccountId": account}).json()["id"]
    org.configure({"locked": {account: 1}})
    assert client.patch(f"sobjects/Contact/{contact}", json={"Title": "x"}).json() == [
        {
            "message": f"unable to obtain exclusive access to this record or 1 records: {account}",
            "errorCode": "UNABLE_TO_LOCK_ROW",
            "fields": [],
        }
    ]


SAVE = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true"}


@pytest.mark.parametrize(
    ("action", "headers", "status"), [("alert", {}, 400), ("alert", SAVE, 201), ("block", SAVE, 400)]
)
def test_duplicate_rules(client, org, lead, action, headers, status):
    rule = {"object": "Lead", "name": "Lead_Rule", "fields": ["Email"], "action": action, "matching_rule": "Match_v1",
            "message": "Use one of these records?"}  # fmt: skip
    org.configure({"duplicate_rules": [rule]})
    body = {"LastName": "B", "Company": "C", "Email": "ADA@engines.example"}
    assert client.post("sobjects/Lead", json=body, headers=headers).status_code == status


def test_the_duplicate_error_keeps_the_misspelt_key(client, org, lead):
    rule = {"object": "Lead", "name": "Lead_Rule", "matching_rule": "Match_v1", "message": "Use one of these records?"}
    org.configure({"duplicate_rules": [rule | {"action": "alert"}]})
    body = {"LastName": "B", "Company": "C", "Email": "ada@engines.example"}
    record = {"attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{lead}"}, "Id": lead}
    assert client.post("sobjects/Lead", json=body).json() == [
        {
            "message": "Use one of these records?",
            "errorCode": "DUPLICATES_DETECTED",
            "duplicateResut": {
                "allowSave": True,
                "duplicateRule": "Lead_Rule",
                "duplicateRuleEntityType": "Lead",
                "errorMessage": "Use one of these records?",
                "matchResults": [
                    {
                        "entityType": "Lead",
                        "errors": [],
                        "matchEngine": "FuzzyMatchEngine",
                        "matchRecords": [
                            {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}
                        ],
                        "rule": "Match_v1",
                        "size": 1,
                        "success": True,
                    }
                ],
            },
        }
    ]


@pytest.mark.parametrize(
    ("header", "owner"),
    [({}, "Marketing"), ({"Sforce-Auto-Assign": "TRUE"}, "Marketing"), ({"Sforce-Auto-Assign": "false"}, "Connector")],
)
def test_assignment_rules_run_unless_the_header_says_no(client, org, header, owner):
    org.configure({"assignment_rule_owner": "0055g00000Sbx03AAB"})
    client.post("sobjects/Lead", json={"LastName": "B", "Company": "C"}, headers=header)
    assert client.rows("SELECT Owner.Name FROM Lead")[0]["Owner"]["Name"] == owner


def test_hidden_records_are_absent_for_the_connector_only(client, org, lead):
    org.ui_edit("sales", "Lead", lead, {"Title": "CTO"})
    org.configure({"hidden": [lead[:15]]})
    assert client.get(f"sobjects/Lead/{lead}").status_code == 404
    assert client.patch(f"sobjects/Lead/{lead}", json={}).status_code == 404
    assert client.rows("SELECT Id FROM Lead") == client.rows("SELECT Id FROM LeadHistory") == []
    assert client.post("composite/sobjects/Lead", json={"ids": [lead], "fields": ["Id"]}).json() == [None]
    window = "start=2026-11-22T00:00:00Z&end=2026-11-24T00:00:00Z"
    assert client.get(f"sobjects/Lead/updated/?{window}").json()["ids"] == []
    body = {"records": [{"attributes": {"type": "Lead"}, "id": lead, "Title": "x"}]}
    answer = client.patch("composite/sobjects", json=body).json()[0]
    assert answer["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"
    assert client.act_as("sales").rows("SELECT Title FROM Lead") == [{"Title": "CTO"}]


@pytest.mark.parametrize(
    "settings",
    [
        {"locks": {}},
        {"locked": {"x": 1}},
        {"field_security": {"connector": {"Lead": {"Title": "write"}}}},
        {"duplicate_rules": [{"object": "Lead", "action": "warn"}]},
    ],
)
def test_settings_that_make_no_sense_are_errors(org, settings):
    with pytest.raises(ValueError, match=r"unknown settings|not a record id|not none, read or edit|block or alert"):
        org.configure(settings)


def test_settings_stay_until_replaced(client, org, lead):
    org.configure({"hidden": [lead_id(9)]})
    org.configure({"daily_limit": 7})
    org.configure({"hidden": [lead]})
    assert client.rows("SELECT Id FROM Lead") == []
    assert client.get("limits").headers["sforce-limit-info"] == "api-usage=2/7"
