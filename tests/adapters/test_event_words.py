"""Bitmaps, schemas and payloads of change events, from the documented examples; no connection."""

import json
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from prospect_sync.model import RecordKind
from prospect_sync.ports import ChangeEvent, ChangeKind
from prospect_sync.salesforce.events.bitmaps import api_names, decode
from prospect_sync.salesforce.events.reading import read_event
from prospect_sync.salesforce.events.schemas import EventSchema, Schemas, read_schema

STRINGS = {"type": "array", "items": "string"}
SYMBOLS = [
    "CREATE",
    "UPDATE",
    "DELETE",
    "UNDELETE",
    "GAP_CREATE",
    "GAP_UPDATE",
    "GAP_DELETE",
    "GAP_UNDELETE",
    "GAP_OVERFLOW",
    "SNAPSHOT",
]
HEADER = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": STRINGS},
        {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": SYMBOLS}},
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": STRINGS},
        {"name": "diffFields", "type": STRINGS},
        {"name": "changedFields", "type": STRINGS},
    ],
}


def optional(name: str, kind: Any, doc: str = "Data:Text") -> dict[str, Any]:
    return {"name": name, "type": ["null", kind], "doc": doc, "default": None}


def record(name: str, *fields: str) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [optional(field, "string") for field in fields]}


DOCUMENT = {
    "type": "record",
    "name": "ContactChangeEvent",
    "namespace": "com.sforce.eventbus",
    "fields": [
        {"name": "ChangeEventHeader", "type": HEADER},
        optional("AccountId", "string"),
        optional("IsPersonAccount", "boolean"),
        optional("Name", record("PersonName", "Salutation", "FirstName", "LastName")),
        optional("OtherAddress", record("Address", "Street", "City")),
        optional("MailingAddress", "Address"),
        {"name": "Switch", "type": ["null", "string", record("Switchable_PersonName", "Salutation", "FirstName")]},
        optional("Birthdate", "long", "Data:DateOnly"),
        optional("Description", "string", "Data:StringPlusClob"),
        optional("LastModifiedDate", "long", "Data:DateTime"),
    ],
}
LEAD_ORDER = [
    "ChangeEventHeader",
    "Name",
    "Title",
    "Company",
    "Address",
    "Phone",
    "MobilePhone",
    "Fax",
    "Email",
    "Website",
    "Description",
    "LeadSource",
    "Status",
    "Industry",
    "Rating",
    "AnnualRevenue",
    "NumberOfEmployees",
    "OwnerId",
    "HasOptedOutOfEmail",
    "IsConverted",
    "ConvertedDate",
    "ConvertedAccountId",
    "ConvertedContactId",
    "ConvertedOpportunityId",
    "IsUnreadByOwner",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
]


@pytest.fixture(scope="module")
def schema() -> EventSchema:
    return read_schema(json.dumps(DOCUMENT))


def names(schema: EventSchema, *entries: str) -> set[str]:
    return {name for one in decode(schema, entries) for name in api_names(schema, *one)}


def payload(header: dict[str, Any], **body: Any) -> bytes:
    whole = {
        "entityName": "Contact", "recordIds": ["003AA00000ABCDE2A1"], "changeType": "UPDATE", "changeOrigin": "",
        "transactionKey": "t", "sequenceNumber": 1, "commitTimestamp": 1795428000000, "commitNumber": 1,
        "commitUser": "005AA00000USER1AAA", "nulledFields": [], "diffFields": [], "changedFields": [], **header,
    }  # fmt: skip
    out = BytesIO()
    schemaless_writer(out, parse_schema(DOCUMENT), {"ChangeEventHeader": whole, **body})
    return out.getvalue()


def read(schema: EventSchema, header: dict[str, Any], **body: Any) -> ChangeEvent:
    return read_event(schema, payload(header, **body))


def test_the_documented_conversion_of_a_lead() -> None:
    lead = EventSchema(None, tuple(LEAD_ORDER))
    assert names(lead, "0x08F81000") == {
        "Status", "IsConverted", "ConvertedDate", "ConvertedAccountId", "ConvertedContactId", "ConvertedOpportunityId",
        "LastModifiedDate",
    }  # fmt: skip


def test_bits_count_from_the_lowest_and_case_does_not_matter(schema) -> None:
    assert names(schema, "0x02") == {"AccountId"}
    assert names(schema, "0x0202") == names(schema, "0X202") == {"AccountId", "LastModifiedDate"}
    assert names(schema, "0x0A") == names(schema, "0x0a")


def test_parts_of_compounds_have_api_names(schema) -> None:
    assert names(schema, "3-0x06") == {"FirstName", "LastName"}
    assert names(schema, "4-0x02") == {"OtherCity"}
    assert names(schema, "5-0x03") == {"MailingStreet", "MailingCity"}  # its type is named, not written out
    assert names(schema, "6-0x02") == {"FirstName"}  # a union of three


def test_a_compound_as_a_whole_stands_for_its_parts(schema) -> None:
    assert names(schema, "0x20") == {"MailingAddress", "MailingStreet", "MailingCity"}


def test_bits_beyond_the_schema_and_parts_of_plain_fields_are_ignored(schema) -> None:
    assert names(schema, "0xFFFF0002") == {"AccountId"}
    assert names(schema, "5-0xFC") == set()
    assert names(schema, "1-0x01") == set()
    assert names(schema, "99-0x01") == set()
    assert names(schema) == set()


@pytest.mark.parametrize("entry", ["", "08", "0xZZ", "a-0x01", "3-"])
def test_what_is_no_bitmap_is_refused(schema, entry: str) -> None:
    with pytest.raises(ValueError):
        decode(schema, [entry])


def test_changed_nulled_and_shortened_values(schema) -> None:
    event = read(
        schema,
        {"changedFields": ["0x0382", "5-0x02"], "nulledFields": ["0x02"], "diffFields": ["0x0100"]},
        AccountId=None, MailingAddress={"City": "Rome"}, Birthdate=0, Description="@@ -1 +1 @@",
        LastModifiedDate=1795428000000, Name={"LastName": "unchanged"},
    )  # fmt: skip
    assert event.fields == {"AccountId", "Birthdate", "Description", "LastModifiedDate", "MailingCity"}
    assert dict(event.values) == {"AccountId": None, "MailingCity": "Rome"}
    assert event.at is not None
    assert event.at.isoformat() == "2026-11-23T10:00:00+00:00"
    assert (event.kind, event.change, event.by) == (RecordKind.CONTACT, ChangeKind.UPDATE, "005AA00000USER1AAA")


def test_a_null_that_was_not_nulled_shows_nothing(schema) -> None:
    assert "IsPersonAccount" not in read(schema, {"changedFields": ["0x04"]}).values


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"changeType": "GAP_DELETE"}, (ChangeKind.DELETE, 1, True, False)),
        ({"changeType": "GAP_OVERFLOW", "recordIds": ["000000000000000AAA"]}, (ChangeKind.UPDATE, 0, True, True)),
        ({"changeType": "GAP_UPDATE", "recordIds": ["003*"]}, (ChangeKind.UPDATE, 0, True, True)),
        ({"recordIds": ["003AA00000ABCDE2A1", "003*"]}, (ChangeKind.UPDATE, 1, False, True)),
        ({"recordIds": []}, (ChangeKind.UPDATE, 0, False, True)),
        ({"recordIds": ["003AA00000ABCDE", "003AA00000ABCDF2A1"]}, (ChangeKind.UPDATE, 2, False, False)),
        ({"changeType": "SNAPSHOT"}, (ChangeKind.UPDATE, 1, True, False)),
        ({"changedFields": ["no bitmap"]}, (ChangeKind.UPDATE, 1, True, False)),
    ],
)
def test_which_records_an_event_names_and_what_it_leaves_open(schema, header, expected) -> None:
    event = read(schema, header)
    assert (event.change, len(event.ids), event.gap, event.unbounded) == expected
    assert all(len(record_id) == 18 for record_id in event.ids)


def test_an_event_of_another_object_is_of_no_kind(schema) -> None:
    assert read(schema, {"entityName": "Order"}).kind is None


@pytest.mark.parametrize("content", [b"", b"\x02", b"\xff" * 40])
def test_bytes_that_do_not_fit_are_refused(schema, content: bytes) -> None:
    with pytest.raises(ValueError):
        read_event(schema, content)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type": "record"}', '{"fields": [{"name": "x"}]}'])
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_schema(text)


def test_a_schema_is_fetched_once() -> None:
    asked: list[str] = []
    schemas = Schemas()

    def fetch(schema_id: str) -> str:
        asked.append(schema_id)
        return json.dumps(DOCUMENT)

    assert schemas.get("one", fetch) is schemas.get("one", fetch)
    schemas.get("two", fetch)
    assert asked == ["one", "two"]
