"""Composite: 25 calls in one, headers of their own, references, and all or nothing."""

import pytest

from .conftest import lead_id

ROOT = "/services/data/v67.0"


def update(name, ident, body, **headers):
    part = {"method": "PATCH", "referenceId": name, "url": f"{ROOT}/sobjects/Lead/{ident}", "body": body}
    return part | ({"httpHeaders": headers} if headers else {})


def send(client, *parts, **more):
    return client.post("composite", json={"compositeRequest": list(parts), **more})


@pytest.fixture
def leads(org):
    rows = [
        {"Id": lead_id(n), "LastName": f"L{n}", "Company": "C", "CreatedDate": "2026-11-23T09:00:00Z"}
        for n in (1, 2, 3)
    ]
    org.load({"records": {"Lead": rows}})


OLD = {"If-Unmodified-Since": "Mon, 23 Nov 2026 08:59:59 GMT"}
NEW = {"if-unmodified-since": "Mon, 23 Nov 2026 09:00:00 GMT"}


def test_guarded_writes_fail_by_themselves(client, leads):
    answer = send(
        client,
        update("one", lead_id(1), {"Title": "A"}, **NEW),
        update("two", lead_id(2), {"Title": "A"}, **OLD),
        update("three", lead_id(3), {"Email": "x"}),
    )
    assert answer.status_code == 200
    assert answer.headers["sforce-limit-info"] == "api-usage=1/100000"
    parts = answer.json()["compositeResponse"]
    assert parts[0] == {"body": None, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": "one"}
    assert (parts[1]["httpStatusCode"], parts[1]["body"][0]["errorCode"]) == (412, "PRECONDITION_FAILED")
    assert parts[2] == {
        "body": [
            {"message": "Email: invalid email address: x", "errorCode": "INVALID_EMAIL_ADDRESS", "fields": ["Email"]}
        ],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": "three",
    }
    assert client.rows("SELECT Title FROM Lead ORDER BY Id") == [{"Title": "A"}, {"Title": None}, {"Title": None}]


def test_conditions_can_be_switched_off(client, org, leads):
    org.configure({"composite_conditional": False})
    assert (
        send(client, update("a", lead_id(1), {"Title": "A"}, **OLD)).json()["compositeResponse"][0]["httpStatusCode"]
        == 204
    )


def test_the_log_has_a_line_for_each_part(client, leads):
    send(client, update("one", lead_id(1), {"Title": "A"}, **NEW), update("two", lead_id(2), {"Title": "A"}, **OLD))
    assert client.log["operation"] == "composite"
    assert client.log["subrequests"] == [
        {"operation": "row.update", "method": "PATCH", "url": f"{ROOT}/sobjects/Lead/{lead_id(1)}", "status": 204},
        {"operation": "row.update", "method": "PATCH", "url": f"{ROOT}/sobjects/Lead/{lead_id(2)}", "status": 412},
    ]
    assert [one["id"] for one in client.log["committed"]] == [lead_id(1)]


def test_reads_of_both_kinds(client, leads):
    answer = send(
        client,
        {"method": "POST", "referenceId": "read", "url": f"{ROOT}/composite/sobjects/Lead",
         "body": {"ids": [lead_id(1)], "fields": ["LastName"]}},
        {"method": "GET", "referenceId": "find", "url": f"{ROOT}/query?q=SELECT+LastName+FROM+Lead+WHERE+LastName='L2'"},
        {"method": "GET", "referenceId": "same", "url": f"{ROOT}/queryAll/?q=SELECT%20COUNT()%20FROM%20Lead"},
    ).json()["compositeResponse"]  # fmt: skip
    assert answer[0]["body"][0]["LastName"] == "L1"
    assert answer[1]["body"]["records"][0]["LastName"] == "L2"
    assert answer[2]["body"] == {"totalSize": 3, "done": True, "records": []}


def test_later_parts_refer_to_earlier_answers(client):
    answer = send(
        client,
        {"method": "POST", "referenceId": "account", "url": f"{ROOT}/sobjects/Account", "body": {"Name": "Engines"}},
        {"method": "POST", "referenceId": "person", "url": f"{ROOT}/sobjects/Contact",
         "body": {"LastName": "B", "AccountId": "@{account.id}"}},
        {"method": "GET", "referenceId": "list", "url": f"{ROOT}/query?q=SELECT Id FROM Contact WHERE Id='@{{person.id}}'"},
        {"method": "PATCH", "referenceId": "set", "url": f"{ROOT}/sobjects/Contact/@{{list.records[0].Id}}",
         "body": {"Title": "CTO"}},
        {"method": "GET", "referenceId": "bad", "url": f"{ROOT}/sobjects/Contact/@{{nobody.id}}"},
    ).json()["compositeResponse"]  # fmt: skip
    assert [part["httpStatusCode"] for part in answer] == [201, 201, 200, 204, 400]
    assert answer[0]["httpHeaders"] == {"Location": f"{ROOT}/sobjects/Account/0018d0000000001AAA"}
    assert answer[4]["body"] == [
        {
            "message": "Invalid reference specified. No value for nobody.id found in nobody.",
            "errorCode": "PROCESSING_HALTED",
        }
    ]
    row = client.rows("SELECT Title, Account.Name FROM Contact")[0]
    assert (row["Title"], row["Account"]["Name"]) == ("CTO", "Engines")


def test_all_or_none(client, leads):
    answer = send(
        client,
        update("one", lead_id(1), {"Title": "A"}),
        update("two", lead_id(2), {"Email": "x"}),
        update("three", lead_id(3), {"Title": "A"}),
        allOrNone=True,
    ).json()["compositeResponse"]
    halted = "The transaction was rolled back since another operation in the same transaction failed."
    assert [(part["httpStatusCode"], part["body"][0]["errorCode"]) for part in answer] == [
        (400, "PROCESSING_HALTED"),
        (400, "INVALID_EMAIL_ADDRESS"),
        (400, "PROCESSING_HALTED"),
    ]
    assert answer[0]["body"][0]["message"] == halted
    assert client.rows("SELECT Id FROM Lead WHERE Title != null") == []
    assert client.log["committed"] == []


def get(name, path="limits"):
    return {"method": "GET", "referenceId": name, "url": f"{ROOT}/{path}"}


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([update(f"r{n}", lead_id(1), {}) for n in range(26)], "LIMIT_EXCEEDED"),
        ([get(f"r{n}", "query?q=SELECT+Id+FROM+Lead") for n in range(6)], "LIMIT_EXCEEDED"),
        ([get(f"r{n}", "composite/sobjects/Lead") for n in range(3)] + [get(f"q{n}", "queryAll") for n in range(3)],
         "LIMIT_EXCEEDED"),
        ([update("same", lead_id(1), {}), update("same", lead_id(2), {})], "DUPLICATE_VALUE"),
        ([update("a", lead_id(1), {}, Authorization="Bearer x")], "INVALID_HEADER_VALUE"),
        ([{"method": "GET", "url": "x"}], "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
    ],
)  # fmt: skip
def test_requests_refused_as_a_whole(client, leads, parts, code):
    answer = send(client, *parts)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


@pytest.mark.parametrize("path", ["composite", "composite/batch", "limits", "jobs/query", "composite/graph"])
def test_parts_that_are_not_allowed(client, path):
    part = send(client, get("x", path)).json()["compositeResponse"][0]
    assert (part["httpStatusCode"], part["body"][0]["errorCode"]) == (404, "NOT_FOUND")


def test_headers_of_the_whole_do_not_reach_the_parts(client, org, leads):
    org.configure({"assignment_rule_owner": "0055g00000Sbx03AAB"})
    plain, exempt = update("a", lead_id(1), {}), update("b", lead_id(2), {}, **{"Sforce-Auto-Assign": "FALSE"})
    client.post("composite", json={"compositeRequest": [plain, exempt]}, headers={"Sforce-Auto-Assign": "FALSE"})
    owners = client.rows("SELECT OwnerId FROM Lead ORDER BY Id LIMIT 2")
    assert owners == [{"OwnerId": "0055g00000Sbx03AAB"}, {"OwnerId": "0055g00000Sbx04AAB"}]
