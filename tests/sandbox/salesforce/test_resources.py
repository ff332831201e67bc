"""Versions, limits, describe, and the Updated and Deleted lists."""

import pytest

from .conftest import lead_id

OBJECT_KEYS = [
    "actionOverrides",
    "activateable",
    "associateEntityType",
    "associateParentEntity",
    "childRelationships",
    "compactLayoutable",
    "createable",
    "custom",
    "customSetting",
    "deepCloneable",
    "defaultImplementation",
    "deletable",
    "deprecatedAndHidden",
    "extendedBy",
    "extendsInterfaces",
    "feedEnabled",
    "fields",
    "hasSubtypes",
    "implementedBy",
    "implementsInterfaces",
    "isInterface",
    "isSubtype",
    "keyPrefix",
    "label",
    "labelPlural",
    "layoutable",
    "listviewable",
    "lookupLayoutable",
    "mergeable",
    "mruEnabled",
    "name",
    "namedLayoutInfos",
    "networkScopeFieldName",
    "queryable",
    "recordTypeInfos",
    "replicateable",
    "retrieveable",
    "searchLayoutable",
    "searchable",
    "sobjectDescribeOption",
    "supportedScopes",
    "triggerable",
    "undeletable",
    "updateable",
    "urls",
]
FIELD_KEYS = [
    "aggregatable",
    "aiPredictionField",
    "autoNumber",
    "byteLength",
    "calculated",
    "calculatedFormula",
    "cascadeDelete",
    "caseSensitive",
    "compoundFieldName",
    "controllerName",
    "createable",
    "custom",
    "defaultValue",
    "defaultValueFormula",
    "defaultedOnCreate",
    "dependentPicklist",
    "deprecatedAndHidden",
    "digits",
    "displayLocationInDecimal",
    "encrypted",
    "externalId",
    "extraTypeInfo",
    "filterable",
    "filteredLookupInfo",
    "formulaTreatNullNumberAsZero",
    "groupable",
    "highScaleNumber",
    "htmlFormatted",
    "idLookup",
    "inlineHelpText",
    "label",
    "length",
    "mask",
    "maskType",
    "name",
    "nameField",
    "namePointing",
    "nillable",
    "permissionable",
    "picklistValues",
    "polymorphicForeignKey",
    "precision",
    "queryByDistance",
    "referenceTargetField",
    "referenceTo",
    "relationshipName",
    "relationshipOrder",
    "restrictedDelete",
    "restrictedPicklist",
    "scale",
    "searchPrefilterable",
    "soapType",
    "sortable",
    "type",
    "unique",
    "updateable",
    "writeRequiresMasterRead",
]


def test_versions(client):
    versions = client.get("/services/data", headers={"Authorization": ""}).json()
    assert versions[0] == {"label": "Summer '14", "url": "/services/data/v31.0", "version": "31.0"}
    assert versions[28] == {"label": "Winter '24", "url": "/services/data/v59.0", "version": "59.0"}
    assert versions[-1] == {"label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0"}


def test_resources_of_a_version(client):
    assert client.get("/services/data/v59.0/").json()["sobjects"] == "/services/data/v59.0/sobjects"


def test_calls_are_counted_over_24_hours(client, org, clock):
    org.configure({"daily_limit": 3})
    used = [client.get("limits").headers["sforce-limit-info"] for _ in range(3)]
    assert used == ["api-usage=1/3", "api-usage=2/3", "api-usage=3/3"]
    refused = client.get("limits")
    assert (refused.status_code, refused.json()) == (
        403, [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
    )  # fmt: skip
    clock.step(24 * 3600)
    assert client.get("limits").json()["DailyApiRequests"] == {"Max": 3, "Remaining": 2}


def test_usage_can_be_set(client, org):
    org.configure({"api_used": 99_998})
    assert client.get("limits").json()["DailyApiRequests"] == {"Max": 100_000, "Remaining": 1}


@pytest.mark.parametrize("name", ["Lead", "Contact", "Account", "LeadHistory", "User"])
def test_describe_has_every_key(client, name):
    found = client.get(f"sobjects/{name}/describe").json()
    assert sorted(found) == sorted(OBJECT_KEYS)
    assert [one["name"] for one in found["fields"] if sorted(one) != sorted(FIELD_KEYS)] == []


def test_describe_of_a_lead(client):
    found = client.get("sobjects/lead/describe").json()
    fields = {one["name"]: one for one in found["fields"]}
    assert (found["name"], found["keyPrefix"], found["createable"]) == ("Lead", "00Q", True)
    assert len(fields) == 46
    assert {one["childSObject"] for one in found["childRelationships"]} >= {"LeadHistory"}
    expected = {
        "Company": ("string", 255, False, True), "Title": ("string", 128, True, True), "Id": ("id", 18, False, False),
        "Name": ("string", 121, False, False), "HasOptedOutOfEmail": ("boolean", 0, False, True),
        "OwnerId": ("reference", 18, False, True), "Description": ("textarea", 32000, True, True),
        "IsConverted": ("boolean", 0, False, False), "EmailBouncedDate": ("datetime", 0, True, True),
    }  # fmt: skip
    keys = ("type", "length", "nillable", "updateable")
    assert {name: tuple(fields[name][key] for key in keys) for name in expected} == expected
    assert fields["EmailBouncedDate"]["createable"] is False
    assert (fields["OwnerId"]["referenceTo"], fields["OwnerId"]["relationshipName"]) == (["Group", "User"], "Owner")
    assert fields["LeadSource"]["picklistValues"][0] == {
        "active": True, "defaultValue": False, "label": "Web", "validFor": None, "value": "Web",
    }  # fmt: skip
    assert fields["Street"]["compoundFieldName"] == "Address"


def test_describe_shows_what_the_user_may(client, org):
    org.configure({"field_security": {"connector": {"Lead": {"HasOptedOutOfEmail": "none", "Phone": "read"}}}})
    fields = {one["name"]: one["updateable"] for one in client.get("sobjects/Lead/describe").json()["fields"]}
    assert ("HasOptedOutOfEmail" in fields, fields["Phone"], fields["Fax"]) == (False, False, True)


def test_describe_global_and_basics(client):
    found = {one["name"]: one for one in client.get("sobjects/").json()["sobjects"]}
    assert found.keys() >= {
        "Lead",
        "Contact",
        "Account",
        "User",
        "Group",
        "Organization",
        "LeadHistory",
        "ContactHistory",
    }
    assert found["Lead"]["urls"]["describe"] == "/services/data/v67.0/sobjects/Lead/describe"
    assert client.get("sobjects/Contact/").json()["objectDescribe"]["keyPrefix"] == "003"


def test_describe_answers_304_until_the_schema_changes(client, org, clock):
    header = {"If-Modified-Since": "Mon, 23 Nov 2026 11:00:00 GMT"}
    assert client.get("sobjects/Lead/describe", headers=header).status_code == 304
    clock.step(7200)
    org.load({"custom_fields": {"Lead": [{"name": "New__c", "type": "string"}]}})
    assert client.get("sobjects/Lead/describe", headers=header).status_code == 200


@pytest.fixture
def changed(org, client):
    stamps = {
        1: "2026-11-23T08:59:59Z",
        2: "2026-11-23T09:00:00Z",
        3: "2026-11-23T09:59:30Z",
        4: "2026-11-23T09:30:00Z",
    }
    rows = [
        {"Id": lead_id(n), "LastName": "L", "Company": "C", "CreatedDate": "2026-11-01T00:00:00Z",
         "LastModifiedDate": at, "IsDeleted": n == 4}
        for n, at in stamps.items()
    ]  # fmt: skip
    org.load({"records": {"Lead": rows}})


def window(client, what, start, end):
    return client.get(f"sobjects/Lead/{what}/", params={"start": start, "end": end})


def test_updated_counts_whole_minutes(client, changed):
    answer = window(client, "updated", "2026-11-23T09:00:45+00:00", "2026-11-23T09:59:59Z")
    assert answer.json() == {"ids": [lead_id(2)], "latestDateCovered": "2026-11-23T09:59:00.000+0000"}
    answer = window(client, "updated", "2026-11-23T08:00:00Z", "2026-11-23T12:00:00Z")
    assert answer.json() == {
        "ids": [lead_id(1), lead_id(2), lead_id(3)],
        "latestDateCovered": "2026-11-23T10:00:00.000+0000",
    }


def test_deleted(client, changed):
    answer = window(client, "deleted", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")
    assert answer.json() == {
        "deletedRecords": [{"deletedDate": "2026-11-23T09:30:00.000+0000", "id": lead_id(4)}],
        "earliestDateAvailable": "2026-11-08T10:00:00.000+0000",
        "latestDateCovered": "2026-11-23T10:00:00.000+0000",
    }


@pytest.mark.parametrize(
    ("what", "start", "end", "code"),
    [
        ("updated", "2026-11-23T09:00:00Z", "2026-11-23T09:00:59Z", "INVALID_REPLICATION_DATE"),
        ("updated", "2026-10-24T09:59:00Z", "2026-11-23T09:00:00Z", "INVALID_REPLICATION_DATE"),
        ("deleted", "2026-11-08T09:59:00Z", "2026-11-23T09:00:00Z", "INVALID_REPLICATION_DATE"),
        ("updated", "2026-11-23", "2026-11-23T09:00:00Z", "MALFORMED_QUERY"),
    ],
)
def test_windows_that_are_refused(client, what, start, end, code):
    assert window(client, what, start, end).json()[0]["errorCode"] == code
