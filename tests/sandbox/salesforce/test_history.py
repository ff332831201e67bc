"""Field history: which rows a save leaves, who sees them, and how tracking is told."""

import pytest

from .conftest import CONNECTOR, SALES, lead_id

ALL_ROWS = "SELECT Field, OldValue, NewValue, DataType, CreatedDate, CreatedById FROM LeadHistory ORDER BY Id"


def test_one_row_for_each_field_that_changed(client, clock, lead):
    clock.step(5.7)
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO", "Company": "Engines", "HasOptedOutOfEmail": True})
    at = {"CreatedDate": "2026-11-23T10:00:05.000+0000", "CreatedById": CONNECTOR}
    rows = client.rows(ALL_ROWS)
    assert sorted(rows, key=lambda row: row["Field"]) == [
        {"Field": "HasOptedOutOfEmail", "OldValue": False, "NewValue": True, "DataType": "Boolean", **at},
        {"Field": "Title", "OldValue": "Countess", "NewValue": "CTO", "DataType": "Text", **at},
    ]


def test_row_ids_and_parent(client, lead):
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO"})
    row = client.rows("SELECT Id, LeadId, Lead.CreatedDate, Lead.Name, IsDeleted FROM LeadHistory")[0]
    assert row["Id"].startswith("017")
    assert (row["LeadId"], row["IsDeleted"]) == (lead, False)
    assert (row["Lead"]["CreatedDate"], row["Lead"]["Name"]) == ("2026-11-23T09:00:00.000+0000", "Ada Byron")


def test_a_new_record_has_one_row_without_values(client):
    client.post("sobjects/Contact", json={"LastName": "B", "Title": "CTO"})
    assert client.rows("SELECT Field, OldValue, NewValue FROM ContactHistory") == [
        {"Field": "created", "OldValue": None, "NewValue": None}
    ]


def test_long_and_multiple_values_are_told_without_values(client, org, lead):
    org.load({"custom_fields": {"Lead": [{"name": "Topics__c", "type": "multipicklist", "picklist": ["A", "B"]}]}})
    client.patch(f"sobjects/Lead/{lead}", json={"Description": "long", "Topics__c": "A;B"})
    rows = client.rows("SELECT Field, OldValue, NewValue FROM LeadHistory ORDER BY Field")
    assert rows == [
        {"Field": "Description", "OldValue": None, "NewValue": None},
        {"Field": "Topics__c", "OldValue": None, "NewValue": None},
    ]


def test_a_lookup_leaves_names_and_ids(client, lead):
    client.patch(f"sobjects/Lead/{lead}", json={"OwnerId": CONNECTOR})
    assert client.rows("SELECT Field, OldValue, NewValue FROM LeadHistory ORDER BY Id") == [
        {"Field": "Owner", "OldValue": "Sales", "NewValue": "Connector"},
        {"Field": "Owner", "OldValue": SALES, "NewValue": CONNECTOR},
    ]


@pytest.mark.parametrize("column", ["OldValue", "NewValue"])
def test_values_can_be_sorted_but_not_filtered(client, lead, column):
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO"})
    answer = client.query(f"SELECT Id FROM LeadHistory WHERE {column} = 'CTO'")
    assert answer[0]["errorCode"] == "INVALID_FIELD"
    assert f"field '{column}' can not be filtered in a query call" in answer[0]["message"]
    assert len(client.rows(f"SELECT Id FROM LeadHistory ORDER BY {column}")) == 1


def test_only_named_fields_are_tracked_where_a_list_is_set(org, client, lead):
    org.configure({"history_tracking": {"Lead": ["Title"]}})
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO", "Phone": "1"})
    assert client.rows("SELECT Field FROM LeadHistory") == [{"Field": "Title"}]
    where = "WHERE EntityDefinition.QualifiedApiName = 'Lead' AND QualifiedApiName IN ('Title', 'Phone', 'Id')"
    for resource in ("query", "tooling/query"):
        rows = client.rows(
            f"SELECT QualifiedApiName, DataType, IsFieldHistoryTracked FROM FieldDefinition {where}", resource
        )
        assert sorted(rows, key=lambda row: row["QualifiedApiName"]) == [
            {"QualifiedApiName": "Id", "DataType": "Lookup()", "IsFieldHistoryTracked": False},
            {"QualifiedApiName": "Phone", "DataType": "Phone", "IsFieldHistoryTracked": False},
            {"QualifiedApiName": "Title", "DataType": "Text(128)", "IsFieldHistoryTracked": True},
        ]


def test_field_definitions_want_their_entity_named(client):
    answer = client.query("SELECT QualifiedApiName FROM FieldDefinition WHERE QualifiedApiName = 'Title'")
    assert answer == [
        {
            "message": "FieldDefinition: a filter on a reified column is required [EntityDefinitionId,DurableId]",
            "errorCode": "MALFORMED_QUERY",
        }
    ]


def test_untracked_objects_have_no_history_object(org, client, lead):
    org.configure({"history_tracking": {"Lead": False}})
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO"})
    assert client.query("SELECT Id FROM LeadHistory")[0]["errorCode"] == "INVALID_TYPE"
    names = [one["name"] for one in client.get("sobjects").json()["sobjects"]]
    assert ("LeadHistory" in names, "ContactHistory" in names) == (False, True)
    org.configure({"history_tracking": {}})
    assert client.rows("SELECT Id FROM LeadHistory") == []


def test_rows_follow_field_level_security_of_the_reader(org, client, lead):
    org.ui_edit("sales", "Lead", lead, {"HasOptedOutOfEmail": True, "Title": "CTO"})
    org.configure({"field_security": {"connector": {"Lead": {"HasOptedOutOfEmail": "none"}}}})
    assert client.rows("SELECT Field FROM LeadHistory") == [{"Field": "Title"}]
    assert len(client.act_as("sales").rows("SELECT Field FROM LeadHistory")) == 2


def test_old_rows_need_query_all_and_vanish_after_two_years(org, client, lead):
    ages = {"2026-06-01T00:00:00Z": 1, "2025-03-01T00:00:00Z": 2, "2024-01-01T00:00:00Z": 3}
    rows = [{"LeadId": lead, "Field": "Title", "NewValue": str(n), "CreatedDate": at} for at, n in ages.items()]
    org.load({"history": {"Lead": rows}})
    assert [row["NewValue"] for row in client.rows("SELECT NewValue FROM LeadHistory")] == ["1"]
    both = client.rows("SELECT NewValue FROM LeadHistory ORDER BY CreatedDate DESC", "queryAll")
    assert [row["NewValue"] for row in both] == ["1", "2"]


def test_viewing_is_refused_on_history(client):
    assert client.query("SELECT Id FROM LeadHistory FOR VIEW")[0]["errorCode"] == "MALFORMED_QUERY"
    assert client.query("SELECT Id FROM Lead FOR VIEW")["records"] == []


def test_the_newest_row_per_record_and_field_comes_first(org, client, clock, lead):
    for second, title in enumerate(("A", "B", "C")):
        clock.step(1)
        org.ui_edit("sales", "Lead", lead, {"Title": title, "Phone": str(second)})
    rows = client.rows(
        f"SELECT LeadId, Field, CreatedDate, NewValue FROM LeadHistory WHERE LeadId IN ('{lead[:15]}', '{lead_id(2)}') "
        "AND Field IN ('Title', 'Phone') ORDER BY LeadId, Field, CreatedDate DESC, Id DESC"
    )
    assert [(row["Field"], row["NewValue"]) for row in rows] == [
        ("Phone", "2"), ("Phone", "1"), ("Phone", "0"), ("Title", "C"), ("Title", "B"), ("Title", "A"),
    ]  # fmt: skip
