"""sObject Collections: a result per record in order, partial success, and the limits of a call."""

import pytest

from .conftest import SALES, lead_id


def rows(*changes, kind="Lead"):
    return [{"attributes": {"type": kind}, **change} for change in changes]


@pytest.fixture
def leads(org):
    org.load({"records": {"Lead": [{"Id": lead_id(n), "LastName": f"L{n}", "Company": "C"} for n in range(1, 6)]}})


def test_good_records_are_saved_and_bad_ones_answered(client, leads):
    body = {"allOrNone": False, "records": rows(
        {"id": lead_id(1), "Title": "CTO"},
        {"id": lead_id(2)[:15], "Email": "x"},
        {"Id": lead_id(99), "Title": "CTO"},
        {"id": "short", "Title": "CTO"},
        {"id": lead_id(1), "Title": "again"},
        {"Title": "nobody"},
        {"id": lead_id(3), "Nope__c": 1},
        {"id": lead_id(4), "LastName": "Z"},
    )}  # fmt: skip
    answer = client.patch("composite/sobjects", json=body)
    assert answer.status_code == 200
    assert answer.json() == [
        {"id": lead_id(1), "success": True, "errors": []},
        {"id": lead_id(2), "success": False, "errors": [
            {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address: x", "fields": ["Email"]}]},
        {"id": lead_id(99), "success": False, "errors": [
            {"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": f"invalid cross reference id {lead_id(99)}",
             "fields": []}]},
        {"success": False, "errors": [
            {"statusCode": "MALFORMED_ID", "message": "malformed id short", "fields": []}]},
        {"id": lead_id(1), "success": False, "errors": [
            {"statusCode": "DUPLICATE_VALUE", "message": f"duplicate id specified: {lead_id(1)}", "fields": []}]},
        {"success": False, "errors": [
            {"statusCode": "MISSING_ARGUMENT", "message": "Id not specified in an update call", "fields": []}]},
        {"id": lead_id(3), "success": False, "errors": [
            {"statusCode": "INVALID_FIELD", "message": "No such column 'Nope__c' on sobject of type Lead",
             "fields": []}]},
        {"id": lead_id(4), "success": True, "errors": []},
    ]  # fmt: skip
    assert client.rows("SELECT LastName, Title FROM Lead ORDER BY Id LIMIT 4") == [
        {"LastName": "L1", "Title": "CTO"},
        {"LastName": "L2", "Title": None},
        {"LastName": "L3", "Title": None},
        {"LastName": "Z", "Title": None},
    ]


def test_all_or_none_saves_nothing(client, leads):
    body = {"allOrNone": True, "records": rows({"id": lead_id(1), "Title": "CTO"}, {"id": lead_id(2), "Email": "x"})}
    answer = client.patch("composite/sobjects", json=body).json()
    assert [(one["success"], one["errors"][0]["statusCode"]) for one in answer] == [
        (False, "ALL_OR_NONE_OPERATION_ROLLED_BACK"),
        (False, "INVALID_EMAIL_ADDRESS"),
    ]
    assert client.rows(f"SELECT Title FROM Lead WHERE Id = '{lead_id(1)}'") == [{"Title": None}]
    assert client.rows("SELECT Id FROM LeadHistory") == []
    assert client.log["committed"] == []


def test_deleted_records_inside_a_batch(client, leads):
    assert client.delete(f"composite/sobjects?ids={lead_id(1)},{lead_id(77)}").json() == [
        {"id": lead_id(1), "success": True, "errors": []},
        {"id": lead_id(77), "success": False, "errors": [
            {"statusCode": "INVALID_CROSS_REFERENCE_KEY", "message": f"invalid cross reference id {lead_id(77)}",
             "fields": []}]},
    ]  # fmt: skip
    answer = client.patch("composite/sobjects", json={"records": rows({"id": lead_id(1), "Title": "x"})}).json()
    assert answer[0]["errors"] == [{"statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": []}]


def test_create(client):
    body = {"records": rows({"LastName": "A", "Company": "C"}, {"LastName": "B"})}
    answer = client.post("composite/sobjects", json=body).json()
    assert answer[0] == {"id": "00Q8d0000000001EAA", "success": True, "errors": []}
    assert answer[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert "id" not in answer[1]


def test_upsert(client, org):
    org.load({"custom_fields": {"Lead": [{"name": "Key__c", "type": "int", "externalId": True}]}})
    body = {
        "records": rows({"Key__c": 7, "LastName": "A", "Company": "C"}, {"Key__c": 8, "Title": "x"}, {"Title": "x"})
    }
    first = client.patch("composite/sobjects/Lead/Key__c", json=body).json()
    assert [(one["success"], one.get("created")) for one in first] == [(True, True), (False, None), (False, None)]
    again = client.patch("composite/sobjects/Lead/Key__c", json={"records": body["records"][:1]}).json()
    assert again == [{"id": first[0]["id"], "success": True, "errors": [], "created": False}]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_retrieve_keeps_the_order_and_says_null_for_what_is_missing(client, leads, method):
    client.delete(f"sobjects/Lead/{lead_id(4)}")
    ids = [lead_id(3)[:15], lead_id(99), lead_id(4), lead_id(1)]
    if method == "POST":
        answer = client.post("composite/sobjects/Lead", json={"ids": ids, "fields": ["LastName", "address"]})
    else:
        answer = client.get(f"composite/sobjects/Lead?ids={','.join(ids)}&fields=LastName,address")
    assert answer.json() == [
        {"attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{lead_id(3)}"},
         "LastName": "L3", "Address": None, "Id": lead_id(3)},
        None,
        None,
        {"attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{lead_id(1)}"},
         "LastName": "L1", "Address": None, "Id": lead_id(1)},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ids": ["x"], "fields": ["Id"]}, "MALFORMED_ID"),
        ({"ids": [lead_id(1)], "fields": ["Account.Name"]}, "INVALID_FIELD"),
        ({"ids": [lead_id(1)] * 2001, "fields": ["Id"]}, "EXCEEDED_ID_LIMIT"),
        ({"ids": "x", "fields": ["Id"]}, "JSON_PARSER_ERROR"),
        ({"ids": [lead_id(1)], "fields": []}, "REQUIRED_FIELD_MISSING"),
    ],
)
def test_retrieve_refusals(client, body, code):
    answer = client.post("composite/sobjects/Lead", json=body)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_at_most_200_records_and_10_chunks(client, leads):
    many = {"records": rows(*({"id": lead_id(1), "Title": "x"} for _ in range(201)))}
    answer = client.patch("composite/sobjects", json=many)
    assert (answer.status_code, answer.json()) == (
        400,
        [{"message": "record limit reached. cannot submit more than 200 records into this call",
          "errorCode": "EXCEEDED_ID_LIMIT"}],
    )  # fmt: skip
    mixed = [row for n in range(6) for row in (*rows({"id": lead_id(n)}), *rows({"id": "x"}, kind="Contact"))]
    assert client.patch("composite/sobjects", json={"records": mixed}).json()[0]["errorCode"] == "LIMIT_EXCEEDED"
    assert client.rows("SELECT Title FROM Lead WHERE Title != null") == []


def test_conditional_headers_mean_nothing_here(client, leads):
    header = {"If-Unmodified-Since": "Mon, 23 Nov 2020 10:00:00 GMT"}
    body = {"records": rows({"id": lead_id(1), "Title": "CTO"})}
    assert client.patch("composite/sobjects", json=body, headers=header).json()[0]["success"] is True


def test_a_locked_record_fails_alone_or_with_its_batch(client, org, leads):
    body = {"records": rows({"id": lead_id(1), "Title": "A"}, {"id": lead_id(2), "Title": "A"})}
    locked = {
        "statusCode": "UNABLE_TO_LOCK_ROW",
        "message": f"unable to obtain exclusive access to this record or 1 records: {lead_id(2)}",
        "fields": [],
    }
    org.configure({"locked": {lead_id(2): 1}})
    answer = client.patch("composite/sobjects", json=body).json()
    assert answer[0]["success"] is True
    assert answer[1] == {"id": lead_id(2), "success": False, "errors": [locked]}
    org.configure({"locked": {lead_id(2): 1}, "lock_fails_batch": True})
    body["records"][0]["Title"] = "B"
    answer = client.patch("composite/sobjects", json=body).json()
    assert [one["errors"] for one in answer] == [[locked], [locked]]
    assert client.patch("composite/sobjects", json=body).json()[1]["success"] is True
    assert client.rows("SELECT Title FROM Lead WHERE Title != null ORDER BY Id") == [{"Title": "B"}, {"Title": "A"}]


def test_the_log_names_every_record_written(client, leads):
    client.patch(
        "composite/sobjects", json={"records": rows({"id": lead_id(1), "Title": "A"}, {"id": lead_id(2), "Email": "x"})}
    )
    assert client.log == {
        "user": "connector",
        "operation": "collections.update",
        "records": 2,
        "committed": [
            {"object": "Lead", "id": lead_id(1), "action": "update", "fields": ["Title"], "changes": {"Title": "A"}}
        ],
    }


def test_the_acting_user_is_stamped(client, leads):
    client.act_as("sales").patch("composite/sobjects", json={"records": rows({"id": lead_id(1), "Title": "A"})})
    assert client.rows(f"SELECT LastModifiedById FROM Lead WHERE Id = '{lead_id(1)}'") == [{"LastModifiedById": SALES}]
