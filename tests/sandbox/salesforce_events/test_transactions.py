"""Which changes share an event or a transaction, and who they say made them."""

import pytest

LEAD, LEAD_2 = "00Q5g0000000001EAA", "00Q5g0000000002EAA"
NAMED = {"Sforce-Call-Options": "client=aesync"}


def headers_of(events):
    return [event["ChangeEventHeader"] for event in events]


def collection(*changes):
    return {"records": [{"attributes": {"type": "Lead"}} | change for change in changes]}


def test_equal_changes_of_one_call_are_one_event(bus):
    body = collection({"Id": LEAD, "Title": "Boss"}, {"Id": LEAD_2, "Title": "Boss"})
    bus.call("PATCH", "composite/sobjects", json=body)
    [header] = headers_of(bus.told())
    assert header["recordIds"] == [LEAD, LEAD_2]
    assert header["changedFields"] == ["0x18000004"]


def test_different_changes_of_one_call_share_the_transaction(bus):
    body = collection({"Id": LEAD, "Title": "Boss"}, {"Id": LEAD_2, "Title": "Chief"})
    bus.call("PATCH", "composite/sobjects", json=body)
    first, second = headers_of(bus.told())
    assert [first["recordIds"], second["recordIds"]] == [[LEAD], [LEAD_2]]
    assert [first["sequenceNumber"], second["sequenceNumber"]] == [1, 2]
    assert first["transactionKey"] == second["transactionKey"]


def test_a_failed_record_and_an_undone_call_tell_nothing(bus):
    bad = {"Id": LEAD_2, "Email": "nonsense"}
    bus.call("PATCH", "composite/sobjects", json=collection({"Id": LEAD, "Title": "Boss"}, bad))
    bus.call("PATCH", "composite/sobjects", json=collection({"Id": LEAD, "Title": "No"}, bad) | {"allOrNone": True})
    bus.call("PATCH", f"sobjects/Lead/{LEAD}", json={"Email": "nonsense"})
    assert [header["recordIds"] for header in headers_of(bus.told())] == [[LEAD]]


def test_a_triggers_change_rides_in_the_writers_event(bus):
    trigger = {"object": "Lead", "field": "Phone", "replace": ["^0", "+49 "]}
    bus.org.configure({"triggers": [trigger]})
    bus.call("PATCH", f"sobjects/Lead/{LEAD}", headers=NAMED, json={"Phone": "0301"})
    [event] = bus.told()
    assert event["Phone"] == "+49 301"
    assert event["ChangeEventHeader"]["changedFields"] == ["0x18000020"]


@pytest.mark.parametrize(("every", "events"), [(False, 2), (True, 1)])
def test_the_parts_of_a_composite(bus, every, events):
    """Each is a transaction of its own, unless all stand or fall together: then a record's changes are one event."""
    url = f"/services/data/v67.0/sobjects/Lead/{LEAD}"
    parts = [
        {"method": "PATCH", "url": url, "referenceId": f"r{place}", "body": body}
        for place, body in enumerate(({"Title": "Boss"}, {"Phone": "9"}))
    ]
    bus.call("POST", "composite", json={"compositeRequest": parts, "allOrNone": every})
    told = bus.told()
    assert len(told) == events
    assert len({header["transactionKey"] for header in headers_of(told)}) == events
    assert told[-1]["Phone"] == "9"
    assert (told[-1]["Title"] == "Boss") is every


def test_the_origin_names_the_client_on_rows(bus):
    bus.call("PATCH", f"sobjects/Lead/{LEAD}", headers=NAMED, json={"Title": "Boss"})
    bus.call("PATCH", f"sobjects/Lead/{LEAD}", json={"Title": "Chief"})
    assert [header["changeOrigin"] for header in headers_of(bus.told())] == [
        "com/salesforce/api/rest/67.0;client=aesync",
        "com/salesforce/api/rest/67.0",
    ]


@pytest.mark.parametrize(("everywhere", "origin"), [(False, ""), (True, ";client=aesync")])
def test_the_origin_in_collections_and_composite(bus, everywhere, origin):
    bus.org.configure({"call_options_everywhere": everywhere})
    bus.call("PATCH", "composite/sobjects", headers=NAMED, json=collection({"Id": LEAD, "Title": "Boss"}))
    part = {
        "method": "PATCH", "url": f"/services/data/v67.0/sobjects/Lead/{LEAD}", "referenceId": "r",
        "body": {"Title": "Chief"}, "httpHeaders": NAMED,
    }  # fmt: skip
    bus.call("POST", "composite", json={"compositeRequest": [part]})
    assert [header["changeOrigin"] for header in headers_of(bus.told())] == [
        f"com/salesforce/api/rest/67.0{origin}"
    ] * 2


def test_sequence_numbers_have_gaps_where_an_object_is_not_captured(bus):
    bus.org.configure({"events": {"capture": {"Account": False}}})
    bus.edit({}, action="convert")
    assert [bus.told(name)[0]["ChangeEventHeader"]["sequenceNumber"] for name in ("Contact", "Lead")] == [1 + 1, 3]
