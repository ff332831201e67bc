"""Single records: what create, read, update, upsert and delete answer, in the vendor's words."""

import pytest

from .conftest import NOW, SALES, lead_id


def test_create_answers_the_new_id_and_stamps_the_record(client):
    answer = client.post("sobjects/Lead", json={"LastName": "Byron", "Company": "Engines", "Title": "  Countess "})
    assert answer.status_code == 201
    assert answer.json() == {"id": "00Q8d0000000001EAA", "success": True, "errors": []}
    assert answer.headers["location"] == "/services/data/v67.0/sobjects/Lead/00Q8d0000000001EAA"
    assert client.rows("SELECT Title, Status, CreatedDate, CreatedBy.Name, HasOptedOutOfEmail FROM Lead") == [
        {
            "Title": "Countess",
            "Status": "Open - Not Contacted",
            "CreatedDate": NOW,
            "CreatedBy": {
                "attributes": {"type": "User", "url": "/services/data/v67.0/sobjects/User/0055g00000Sbx01AAB"},
                "Name": "Connector",
            },
            "HasOptedOutOfEmail": False,
        }
    ]


def test_read_gives_the_fields_asked_for_and_the_id(client, lead):
    answer = client.get(f"sobjects/Lead/{lead[:15]}?fields=title,Name")
    assert answer.json() == {
        "attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{lead}"},
        "Title": "Countess",
        "Name": "Ada Byron",
        "Id": lead,
    }


def test_addresses_are_compound_on_read_and_written_by_part(client, lead):
    assert client.patch(f"sobjects/Lead/{lead}", json={"City": "Bonn", "PostalCode": "53111"}).status_code == 204
    assert client.get(f"sobjects/Lead/{lead}?fields=Address").json()["Address"] == {
        "city": "Bonn", "country": None, "geocodeAccuracy": None, "latitude": None, "longitude": None,
        "postalCode": "53111", "state": None, "street": None,
    }  # fmt: skip


def test_update_stamps_the_record_even_where_nothing_changes(client, clock, lead):
    clock.step(60)
    answer = client.patch(f"sobjects/Lead/{lead}", json={"Title": "Countess"})
    assert (answer.status_code, answer.content) == (204, b"")
    row = client.rows("SELECT LastModifiedDate, LastModifiedById, SystemModstamp, CreatedById FROM Lead")[0]
    assert row == {
        "LastModifiedDate": "2026-11-23T10:01:00.000+0000",
        "LastModifiedById": "0055g00000Sbx01AAB",
        "SystemModstamp": "2026-11-23T10:01:00.000+0000",
        "CreatedById": SALES,
    }


def test_an_empty_text_is_stored_as_null(client, lead):
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "", "Email": "   "})
    assert client.rows("SELECT Title, Email FROM Lead") == [{"Title": None, "Email": None}]


def test_delete_leaves_the_record_to_query_all(client, lead):
    assert client.delete(f"sobjects/Lead/{lead}").status_code == 204
    assert client.rows("SELECT Id FROM Lead") == []
    assert client.rows("SELECT Id, IsDeleted FROM Lead", "queryAll") == [{"Id": lead, "IsDeleted": True}]


NOT_FOUND = [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answer"),
    [
        ("GET", "sobjects/Lead/00Q5g0000099999EAA", None, 404, NOT_FOUND),
        ("GET", "sobjects/Opportunity/006000000000001AAA", None, 404, NOT_FOUND),
        ("GET", "sobjects/Lead/0035g0000000001", None, 404, NOT_FOUND),
        ("PATCH", "sobjects/Lead/00Q5g0000000001ZZZ", {}, 400,
         [{"message": "malformed id 00Q5g0000000001ZZZ", "errorCode": "MALFORMED_ID", "fields": []}]),
        ("PATCH", "sobjects/Lead/nonsense", {}, 404,
         [{"message": "Provided external ID field does not exist or is not accessible: nonsense",
           "errorCode": "NOT_FOUND"}]),
        ("POST", "sobjects/Lead", {"LastName": "X"}, 400,
         [{"message": "Required fields are missing: [Company]", "errorCode": "REQUIRED_FIELD_MISSING",
           "fields": ["Company"]}]),
        ("PATCH", "sobjects/Lead/{lead}", {"LastName": None}, 400,
         [{"message": "Required fields are missing: [LastName]", "errorCode": "REQUIRED_FIELD_MISSING",
           "fields": ["LastName"]}]),
        ("PATCH", "sobjects/Lead/{lead}", {"PostalCode": "123456789012345678901"}, 400,
         [{"message": "PostalCode: data value too large: 123456789012345678901 (max length=20)",
           "errorCode": "STRING_TOO_LONG", "fields": ["PostalCode"]}]),
        ("PATCH", "sobjects/Lead/{lead}", {"Email": "ada"}, 400,
         [{"message": "Email: invalid email address: ada", "errorCode": "INVALID_EMAIL_ADDRESS",
           "fields": ["Email"]}]),
        ("PATCH", "sobjects/Lead/{lead}", {"HasOptedOutOfEmail": None}, 400,
         [{"message": "HasOptedOutOfEmail: value not of required type: ",
           "errorCode": "INVALID_TYPE_ON_FIELD_IN_RECORD", "fields": ["HasOptedOutOfEmail"]}]),
        ("PATCH", "sobjects/Lead/{lead}", {"HasOptedOutOfEmail": "maybe"}, 400,
         [{"message": "Cannot deserialize instance of boolean from VALUE_STRING value maybe or request may be missing "
           "a required field at [field HasOptedOutOfEmail]", "errorCode": "JSON_PARSER_ERROR"}]),
        ("PATCH", "sobjects/Lead/{lead}", {"NumberOfEmployees": 123456789}, 400,
         [{"message": "NumberOfEmployees: value outside of valid range on numeric field: 123456789",
           "errorCode": "NUMBER_OUTSIDE_VALID_RANGE", "fields": ["NumberOfEmployees"]}]),
        ("PATCH", "sobjects/Lead/{lead}", {"Nickname__c": "A"}, 400,
         [{"message": "No such column 'Nickname__c' on sobject of type Lead", "errorCode": "INVALID_FIELD"}]),
        ("PATCH", "sobjects/Lead/{lead}", {"Id": "00Q5g0000000001EAA"}, 400,
         [{"message": "The Id field should not be specified in the sobject data.", "errorCode": "INVALID_FIELD"}]),
        ("PATCH", "sobjects/Lead/{lead}", {"Name": "A B", "IsConverted": True}, 400,
         [{"message": "Unable to create/update fields: Name, IsConverted. Please check the security settings of this "
           "field and verify that it is read/write for your profile or permission set.",
           "errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "fields": ["Name", "IsConverted"]}]),
        ("PATCH", "sobjects/Lead/{lead}", {"OwnerId": "0055g00000Sbx99AAB"}, 400,
         [{"message": "invalid cross reference id", "errorCode": "INVALID_CROSS_REFERENCE_KEY",
           "fields": ["OwnerId"]}]),
        ("PUT", "sobjects/Lead/{lead}", {}, 405,
         [{"message": "HTTP Method 'PUT' not allowed. Allowed are GET,PATCH,DELETE",
           "errorCode": "METHOD_NOT_ALLOWED"}]),
        ("POST", "jobs/ingest", {}, 404, NOT_FOUND),
        ("POST", "composite/batch", {}, 404, NOT_FOUND),
        ("GET", "/services/data/v30.0/limits", None, 410,
         [{"message": "REST API version 30.0 has been retired", "errorCode": "UNSUPPORTED_API_VERSION"}]),
        ("GET", "/services/data/v68.0/limits", None, 404, NOT_FOUND),
        ("GET", "/services/Soap/u/60.0", None, 404, NOT_FOUND),
    ],
)  # fmt: skip
def test_refusals(client, lead, method, path, body, status, answer):
    found = client.request(method, path.replace("{lead}", lead), json=body)
    assert (found.status_code, found.json()) == (status, answer)
    assert client.rows("SELECT Title, LastModifiedDate FROM Lead") == [
        {"Title": "Countess", "LastModifiedDate": "2026-11-23T09:00:00.000+0000"}
    ]


def test_a_body_that_is_not_json(client, lead):
    answer = client.patch(f"sobjects/Lead/{lead}", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_two_faults_of_one_record_come_together(client, lead):
    answer = client.patch(f"sobjects/Lead/{lead}", json={"Email": "x", "PostalCode": "1" * 21})
    assert [(one["errorCode"], one["fields"]) for one in answer.json()] == [
        ("STRING_TOO_LONG", ["PostalCode"]),
        ("INVALID_EMAIL_ADDRESS", ["Email"]),
    ]


def test_a_deleted_record_is_said_to_be_deleted(client, lead):
    client.delete(f"sobjects/Lead/{lead}")
    answer = client.patch(f"sobjects/Lead/{lead}", json={"Title": "x"})
    assert answer.status_code == 404
    assert answer.json() == [{"message": "entity is deleted", "errorCode": "ENTITY_IS_DELETED", "fields": []}]


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Mon, 23 Nov 2026 09:00:00 GMT", 204),
        ("Mon, 23 Nov 2026 08:59:59 GMT", 412),
        ("Mon, 23 Nov 2026 10:00:00 GMT", 204),
        ("2026-11-23T09:00:00Z", 400),
    ],
)
def test_if_unmodified_since_compares_whole_seconds_with_the_last_change(client, lead, since, status):
    answer = client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO"}, headers={"If-Unmodified-Since": since})
    assert answer.status_code == status
    assert client.rows("SELECT Title FROM Lead") == [{"Title": "CTO" if status == 204 else "Countess"}]


def test_a_failed_precondition_says_so(client, lead):
    answer = client.patch(
        f"sobjects/Lead/{lead}", json={}, headers={"If-Unmodified-Since": "Mon, 23 Nov 2020 09:00:00 GMT"}
    )
    assert answer.json()[0]["errorCode"] == "PRECONDITION_FAILED"


def test_if_modified_since_answers_304(client, lead):
    header = {"If-Modified-Since": "Mon, 23 Nov 2026 09:00:00 GMT"}
    assert client.get(f"sobjects/Lead/{lead}", headers=header).status_code == 304
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO"})
    assert client.get(f"sobjects/Lead/{lead}", headers=header).status_code == 200


def test_entity_tags_work_on_accounts_alone(client, clock, lead):
    ident = client.post("sobjects/Account", json={"Name": "Engines"}).json()["id"]
    tag = client.get(f"sobjects/Account/{ident}").headers["etag"]
    clock.step(1)
    assert client.patch(f"sobjects/Account/{ident}", json={"Phone": "1"}, headers={"If-Match": tag}).status_code == 204
    assert client.patch(f"sobjects/Account/{ident}", json={"Phone": "2"}, headers={"If-Match": tag}).status_code == 412
    assert "etag" not in client.get(f"sobjects/Lead/{lead}").headers


@pytest.fixture
def external(org):
    org.load({"custom_fields": {"Lead": [{"name": "AE_Id__c", "type": "string", "externalId": True}]}})


def test_upsert_by_external_id_creates_then_updates(client, external):
    created = client.patch("sobjects/Lead/AE_Id__c/a%2F7", json={"LastName": "Byron", "Company": "Engines"})
    assert (created.status_code, created.json()) == (
        201, {"id": "00Q8d0000000001EAA", "success": True, "errors": [], "created": True},
    )  # fmt: skip
    updated = client.patch("sobjects/Lead/AE_Id__c/a%2F7", json={"Title": "Countess"})
    assert (updated.status_code, updated.json()) == (
        200, {"id": "00Q8d0000000001EAA", "success": True, "errors": [], "created": False},
    )  # fmt: skip
    assert client.get("sobjects/Lead/AE_Id__c/a%2F7?fields=Title").json()["Title"] == "Countess"
    assert client.delete("sobjects/Lead/AE_Id__c/a%2F7").status_code == 204
    assert client.get("sobjects/Lead/AE_Id__c/a%2F7").json() == NOT_FOUND


def test_an_ambiguous_external_id_lists_the_records(client, org, external):
    rows = [{"Id": lead_id(n), "LastName": "B", "Company": "C", "AE_Id__c": "7"} for n in (1, 2)]
    org.load({"records": {"Lead": rows}})
    answer = client.patch("sobjects/Lead/AE_Id__c/7", json={"Title": "x"})
    assert (answer.status_code, answer.json()) == (
        300, [f"/services/data/v67.0/sobjects/Lead/{lead_id(1)}", f"/services/data/v67.0/sobjects/Lead/{lead_id(2)}"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "body", "code"), [("Title", {}, "NOT_FOUND"), ("AE_Id__c", {"AE_Id__c": "7"}, "INVALID_FIELD")]
)
def test_upsert_refusals(client, external, field, body, code):
    assert client.patch(f"sobjects/Lead/{field}/7", json=body).json()[0]["errorCode"] == code


def test_a_unique_field_refuses_a_second_record(client, org):
    org.load({"custom_fields": {"Lead": [{"name": "Key__c", "type": "string", "unique": True, "externalId": True}]}})
    first = client.patch("sobjects/Lead/Key__c/k", json={"LastName": "A", "Company": "C"}).json()["id"]
    answer = client.post("sobjects/Lead", json={"LastName": "B", "Company": "C", "Key__c": "K"})
    assert answer.json() == [
        {
            "message": f"duplicate value found: Key__c duplicates value on record with id: {first}",
            "errorCode": "DUPLICATE_VALUE",
            "fields": [],
        }
    ]


def test_custom_fields_of_every_type_travel_unchanged(client, org):
    values = {
        "Text__c": "t", "Area__c": "a\nb", "Mail__c": "a@b.de", "Tel__c": "1", "Web__c": "b.de", "Yes__c": True,
        "Whole__c": 7, "Real__c": 1.5, "Money__c": 2.25, "Part__c": 50.0, "Day__c": "2026-11-23",
        "At__c": "2026-11-23T09:30:15.000+0000", "Pick__c": "x", "Many__c": "b;a", "Ref__c": SALES,
    }  # fmt: skip
    types = [
        "string", "textarea", "email", "phone", "url", "boolean", "int", "double", "currency", "percent", "date",
        "datetime", "picklist", "multipicklist", "reference",
    ]  # fmt: skip
    specs = [{"name": name, "type": kind} for name, kind in zip(values, types, strict=True)]
    specs[0]["length"] = 10
    specs[-2] |= {"picklist": ["b", "a", "c"]}
    specs[-1] |= {"referenceTo": "User"}
    org.load({"custom_fields": {"Contact": specs}})
    sent = values | {"Many__c": "a; b;a", "At__c": "2026-11-23T10:30:15.987+01:00"}
    ident = client.post("sobjects/Contact", json={"LastName": "B", **sent}).json()["id"]
    names = ",".join(values)
    found = client.get(f"sobjects/Contact/{ident}?fields={names}").json()
    assert {name: found[name] for name in values} == values


def test_picklists_are_checked_where_they_are_restricted(client, org, lead):
    org.load({"custom_fields": {"Lead": [
        {"name": "Tier__c", "type": "picklist", "picklist": ["Gold"], "restricted": True},
        {"name": "Topics__c", "type": "multipicklist", "picklist": ["A", "B"], "restricted": True},
    ]}})  # fmt: skip
    assert client.patch(f"sobjects/Lead/{lead}", json={"LeadSource": "Anything"}).status_code == 204
    for name, value, wrong in (("Tier__c", "gold", "gold"), ("Topics__c", "A;X", "X")):
        label = name.removesuffix("__c")
        assert client.patch(f"sobjects/Lead/{lead}", json={name: value}).json() == [
            {
                "message": f"{label}: bad value for restricted picklist field: {wrong}",
                "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "fields": [name],
            }
        ]


def test_the_log_tells_what_was_written(client, lead):
    client.patch(f"sobjects/Lead/{lead}", json={"Title": "CTO", "Company": "Engines"})
    assert client.log == {
        "user": "connector",
        "operation": "row.update",
        "committed": [
            {"object": "Lead", "id": lead, "action": "update", "fields": ["Title"], "changes": {"Title": "CTO"}}
        ],
    }
    client.patch(f"sobjects/Lead/{lead}", json={"Email": "x"})
    assert client.log["committed"] == []


def test_a_post_may_stand_for_a_patch(client, lead):
    assert client.post(f"sobjects/Lead/{lead}?_HttpMethod=PATCH", json={"Title": "CTO"}).status_code == 204
    assert client.rows("SELECT Title FROM Lead") == [{"Title": "CTO"}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"NumberOfEmployees": 1e400}', "JSON_PARSER_ERROR"),
        (b'{"NumberOfEmployees": NaN}', "JSON_PARSER_ERROR"),
        (b'{"AnnualRevenue": 1e300}', "JSON_PARSER_ERROR"),
        (b'{"AnnualRevenue": 1e18}', "NUMBER_OUTSIDE_VALID_RANGE"),
        (b'{"NumberOfEmployees": 1.5}', "JSON_PARSER_ERROR"),
        (b'{"Title": "\\ud800"}', "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET"),
        (b'{"Title": {"a": 1}}', "JSON_PARSER_ERROR"),
        (b'{"Title": ["a"]}', "JSON_PARSER_ERROR"),
        (b'{"Title": 5}', "JSON_PARSER_ERROR"),
        (b'{"OwnerId": {"Name": "x"}}', "INVALID_FIELD"),
        (b'{"OwnerId": "x"}', "MALFORMED_ID"),
        (b'{"OwnerId": "0015g0000000001AAA"}', "FIELD_INTEGRITY_EXCEPTION"),
        (b'{"EmailBouncedDate": "2026-11-23"}', "JSON_PARSER_ERROR"),
        (b'{"EmailBouncedDate": "2026-13-23T00:00:00Z"}', "JSON_PARSER_ERROR"),
        (b"[]", "JSON_PARSER_ERROR"),
        (b"", "JSON_PARSER_ERROR"),
        (b"\xff", "JSON_PARSER_ERROR"),
    ],
)
def test_bodies_that_do_not_fit(client, lead, body, code):
    answer = client.patch(f"sobjects/Lead/{lead}", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
