"""Salesforce's refusals as bodies were recorded, and the failure each becomes; and how queries are written."""

from datetime import UTC, datetime

import pytest
import requests

from prospect_sync.errors import Misconfigured, Rejected, Stale, TryLater
from prospect_sync.salesforce import soql
from prospect_sync.salesforce.errors import for_reading, is_unreadable, translate, translate_row
from prospect_sync.salesforce.transport import _unanswered


def body(code, message="words", **more):
    return [{"errorCode": code, "message": message, **more}]


@pytest.mark.parametrize(
    ("status", "code", "delay", "reason"),
    [
        (400, "UNABLE_TO_LOCK_ROW", 2, "lock"),
        (400, "QUERY_TIMEOUT", 60, "outage"),
        (400, "REQUEST_RUNNING_TOO_LONG", 60, "outage"),
        (503, "SERVER_UNAVAILABLE", 30, "outage"),
        (400, "TOO_MANY_APEX_REQUESTS", 10, "limit"),
        (400, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", 900, "outage"),
        (400, "TERRITORY_REALIGN_IN_PROGRESS", 900, "outage"),
        (500, "UNKNOWN_EXCEPTION", 30, "outage"),
        (401, "INVALID_SESSION_ID", 5, "outage"),
        (500, "SOMETHING_NEW", 30, "outage"),
    ],
)
def test_what_passes_says_when_to_come_back(status, code, delay, reason):
    error = translate(status, body(code))
    assert isinstance(error, TryLater)
    assert (error.delay, error.reason, error.code, error.words) == (delay, reason, code, "words")


@pytest.mark.parametrize(
    ("message", "usage", "delay"),
    [
        ("TotalRequests Limit exceeded.", None, 900),
        ("ConcurrentPerOrgLongTxn Limit exceeded.", (10, 100_000), 5),
        ("ConcurrentRequests (Concurrent API Requests) Limit exceeded.", None, 5),
        ("Request limit exceeded", (15_000, 15_000), 900),
        ("Request limit exceeded", None, 60),
    ],
)
def test_a_spent_day_is_told_from_a_busy_moment(message, usage, delay):
    error = translate(403, body("REQUEST_LIMIT_EXCEEDED", message), usage)
    assert isinstance(error, TryLater)
    assert (error.delay, error.reason) == (delay, "limit")


def test_a_lock_met_by_a_trigger_is_a_lock():
    words = "TrgContact: execution of AfterUpdate caused by: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access: []"
    error = translate(400, body("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", words))
    assert isinstance(error, TryLater)
    assert (error.code, error.reason) == ("UNABLE_TO_LOCK_ROW", "lock")
    assert isinstance(translate(400, body("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "TrgContact: no")), Rejected)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "CANNOT_UPDATE_CONVERTED_LEAD"),
        (404, "ENTITY_IS_DELETED"),
        (404, "NOT_FOUND"),
        (400, "INVALID_CROSS_REFERENCE_KEY"),
        (404, ""),
        (412, "PRECONDITION_FAILED"),
    ],
)
def test_a_record_that_moved_is_stale(status, code):
    assert type(translate(status, body(code))) is Stale


def test_a_guarded_write_that_came_too_late_is_stale_whatever_the_body():
    assert type(translate(412, None)) is Stale
    assert type(translate(412, "<html>")) is Stale


def test_a_reference_in_a_field_that_leads_nowhere_is_that_fields_fault():
    error = translate(400, body("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=["OwnerId"]))
    assert isinstance(error, Rejected)
    assert error.fields == ("OwnerId",)


@pytest.mark.parametrize(
    "code",
    [
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        "FIELD_INTEGRITY_EXCEPTION",
        "REQUIRED_FIELD_MISSING",
        "STRING_TOO_LONG",
        "INVALID_EMAIL_ADDRESS",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "TOO_MANY_ENUM_VALUE",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET",
        "DUPLICATE_VALUE",
        "DUPLICATE_EXTERNAL_ID",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "ENTITY_IS_LOCKED",
        "RECORD_IN_USE_BY_WORKFLOW",
        "TRANSFER_REQUIRES_READ",
        "INACTIVE_OWNER_OR_USER",
        "UNAVAILABLE_RECORDTYPE_EXCEPTION",
        "LIMIT_EXCEEDED",
        "STORAGE_LIMIT_EXCEEDED",
        "MALFORMED_ID",
        "A_CODE_OF_TOMORROW",
    ],
)
def test_refused_values_are_rejected_with_their_fields(code):
    error = translate(400, body(code, "Phone must have ten digits", fields=["Phone"]))
    assert isinstance(error, Rejected)
    assert (error.code, error.words, error.fields) == (code, "Phone must have ten digits", ("Phone",))
    assert isinstance(translate_row([{"statusCode": code, "message": "no", "fields": []}]), Rejected)


def test_duplicates_are_rejected_whatever_else_the_body_holds():
    entry = {
        "errorCode": "DUPLICATES_DETECTED",
        "message": "Use one of these records?",
        "duplicateResut": {"allowSave": True, "duplicateRule": "Lead_Rule", "matchResults": [{"matchRecords": []}]},
    }
    error = translate(400, [entry])
    assert (type(error), error.code, error.words) == (Rejected, "DUPLICATES_DETECTED", "Use one of these records?")


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({"errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE", "message": "no", "fields": ["Rating"]}, ("Rating",)),
        (
            {
                "errorCode": "INVALID_FIELD_FOR_INSERT_UPDATE",
                "message": "Unable to create/update fields: Rating, Score__c. Please check the security settings.",
            },
            ("Rating", "Score__c"),
        ),
        ({"errorCode": "INVALID_FIELD", "message": "No such column 'Foo__c' on sobject of type Lead"}, ("Foo__c",)),
        (
            {
                "errorCode": "INVALID_FIELD",
                "message": "\nSELECT Id,Foo FROM Lead\n          ^\nERROR at Row:1:Column:11\nNo such column 'Foo' on "
                "entity 'Lead'. If you are attempting to use a custom field, be sure to append the '__c'.",
            },
            ("Foo",),
        ),
        (
            {"errorCode": "INVALID_FIELD", "message": "Didn't understand relationship 'Account' in field path."},
            ("Account",),
        ),
    ],
)
def test_fields_that_cannot_be_read_or_written_are_misconfigured_alone(entry, fields):
    error = translate(400, [entry])
    assert isinstance(error, Misconfigured)
    assert error.fields == fields


def test_a_nameless_field_never_stops_the_connection():
    assert isinstance(translate(400, body("INVALID_FIELD_FOR_INSERT_UPDATE", "no")), Rejected)


def test_several_errors_of_one_record_are_one_failure():
    both = [
        {"statusCode": "STRING_TOO_LONG", "message": "too long", "fields": ["Title"]},
        {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "bad address", "fields": ["Email"]},
    ]
    error = translate_row(both)
    assert isinstance(error, Rejected)
    assert (error.fields, error.words) == (("Title", "Email"), "too long; bad address")
    locked = translate_row([*both, {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "locked", "fields": []}])
    assert isinstance(locked, TryLater)
    whole = translate_row([*both, {"statusCode": "REQUIRED_FIELD_MISSING", "message": "missing", "fields": []}])
    assert isinstance(whole, Rejected)
    assert whole.fields == ()


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (503, "<html><body>Down for maintenance</body></html>", TryLater),
        (502, "", TryLater),
        (420, "", TryLater),
        (409, [], TryLater),
        (429, {}, TryLater),
        (403, body("API_DISABLED_FOR_ORG"), Misconfigured),
        (403, body("SOMETHING"), Misconfigured),
        (410, body("UNSUPPORTED_API_VERSION"), Misconfigured),
        (400, body("INVALID_TYPE"), Misconfigured),
        (400, "<html>", Rejected),
        (414, "", Rejected),
        (400, {"error": "invalid_grant", "error_description": "expired"}, Rejected),
        (400, [5, None, [], "x"], Rejected),
        (400, [{"errorCode": 7, "message": None, "fields": "Phone"}], Rejected),
    ],
)
def test_bodies_of_every_shape(status, content, kind):
    assert type(translate(status, content)) is kind


def test_a_page_of_html_becomes_its_first_words():
    assert translate(503, "<html><h1>Down</h1>\n<p>Back soon</p></html>").words == "Down Back soon"


def test_queries_are_never_rejected():
    assert isinstance(for_reading(translate(400, body("MALFORMED_QUERY"))), Misconfigured)
    assert is_unreadable(translate(400, body("INVALID_FIELD", "No such column 'Foo' on entity 'Lead'.")))
    assert is_unreadable(translate(400, body("INVALID_FIELD", "in words we do not know")))


def test_literals_cannot_break_out():
    assert soql.text("O'Neil\\ \n") == "'O\\'Neil\\\\ \\n'"
    assert soql.among("Id", ["a'", "b"]) == "Id IN ('a\\'','b')"


@pytest.mark.parametrize("name", ["Id", "Rating__c", "Account.Name", "ns__Field__c"])
def test_names(name):
    assert soql.is_name(name)


@pytest.mark.parametrize("name", ["", "Id, (SELECT Id FROM User)", "a b", "1a", "Näme", "a.", "a\n"])
def test_what_is_no_name(name):
    assert not soql.is_name(name)


def test_ids():
    assert soql.is_id("00QAA0000000001")
    assert soql.is_id("00QAA0000000001AAA")
    assert not any(map(soql.is_id, ["", "00Q", "00QAA0000000001'", "00QAA0000000001AA", "00QAA0000000001\n"]))


def test_instants_have_milliseconds_only_where_there_are_some():
    assert soql.instant(datetime(2026, 11, 23, 10, tzinfo=UTC)) == "2026-11-23T10:00:00Z"
    assert soql.instant(datetime(2026, 11, 23, 10, 0, 0, 250_000, tzinfo=UTC)) == "2026-11-23T10:00:00.250Z"


def test_queries_stay_below_the_longest_allowed():
    ids = [f"00Q{place:012d}AAA" for place in range(2_000)]
    chunks = list(soql.id_chunks(ids, 70_000))
    assert [one for chunk in chunks for one in chunk] == ids
    assert all(len(soql.among("Id", chunk)) + 70_000 < 100_000 + len("Id IN ()") for chunk in chunks)
    assert len(list(soql.id_chunks(ids, 1_000))) == 1


@pytest.mark.parametrize(
    ("words", "lost"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", False),
        ("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac", True),
        ("EOF occurred in violation of protocol (_ssl.c:2427)", True),
    ],
)
def test_a_tls_connection_that_breaks_later_may_have_carried_the_request(words, lost):
    assert _unanswered(requests.exceptions.SSLError(words)).lost is lost
