"""Flow control, replay, keepalives, and what goes wrong on demand, over a real channel."""

import time
from datetime import UTC, datetime

import grpc
import pytest

from prospect_sync.eventbus import pubsub_api_pb2 as messages

LEAD, LEAD_2, CONTACT = "00Q5g0000000001EAA", "00Q5g0000000002EAA", "0035g0000000001AAA"
CODE = "sfdc.platform.eventbus.grpc."
CORRUPTED = (grpc.StatusCode.INVALID_ARGUMENT, CODE + "subscription.fetch.replayid.corrupted")


def phones(bus, events):
    return [bus.decoded(event)["Phone"] for event in events]


def edit_phones(bus, *numbers):
    for number in numbers:
        bus.edit({"Phone": str(number)})


def subscribed(bus, **more):
    """A stream whose first request the server has surely read: it has sent a keepalive."""
    bus.org.configure({"events": {"keepalive_seconds": 0.01}})
    stream = bus.subscribe(**more)
    first = stream.next()
    bus.org.configure({"events": {}})
    return stream, first


def test_requests_add_up_and_what_is_owed_is_told(bus):
    edit_phones(bus, *range(10, 20))
    stream = bus.earliest(events=3)
    first = stream.next()
    assert (phones(bus, first.events), first.pending_num_requested) == (["10", "11", "12"], 0)
    stream.ask(2)
    stream.ask(4)
    assert phones(bus, stream.take(6)) == ["13", "14", "15", "16", "17", "18"]


def test_no_more_than_a_hundred_are_ever_owed(bus):
    stream, first = subscribed(bus, events=90)
    assert first.pending_num_requested == 90
    stream.ask(90)
    bus.org.configure({"events": {"keepalive_seconds": 0.01}})
    while (response := stream.next()).pending_num_requested == 90:
        pass
    assert response.pending_num_requested == 100


def test_nothing_is_sent_unasked(bus):
    edit_phones(bus, 10, 11)
    stream = bus.earliest(events=1)
    assert phones(bus, stream.next().events) == ["10"]
    bus.org.configure({"events": {"keepalive_seconds": 0.01}})
    assert [len(stream.next().events) for _ in range(3)] == [0, 0, 0]
    stream.ask(1)
    assert phones(bus, stream.take(1)) == ["11"]


def test_a_keepalive_is_empty_and_says_how_far_the_stream_has_come(bus):
    edit_phones(bus, 10)
    stream, keepalive = subscribed(bus)
    assert (list(keepalive.events), keepalive.pending_num_requested) == ([], 100)
    edit_phones(bus, 11)
    resumed = bus.subscribe(replay_preset=messages.CUSTOM, replay_id=keepalive.latest_replay_id)
    assert phones(bus, resumed.next().events) == ["11"]
    assert phones(bus, stream.take(1)) == ["11"]


def test_a_keepalives_id_does_not_pass_what_is_still_owed(bus):
    edit_phones(bus, 10, 11)
    stream = bus.earliest(events=1)
    bus.org.configure({"events": {"keepalive_seconds": 0.01}})
    one, keepalive = stream.next(), stream.next()
    assert (len(one.events), len(keepalive.events)) == (1, 0)
    assert keepalive.latest_replay_id == one.latest_replay_id == one.events[0].replay_id


def test_a_quiet_bus_gives_fresh_replay_ids(bus):
    stream, first = subscribed(bus)
    bus.clock.step(71 * 3600)
    bus.org.configure({"events": {"keepalive_seconds": 0.01}})
    while (later := stream.next().latest_replay_id) == first.latest_replay_id:
        pass
    bus.org.configure({"events": {}})
    bus.clock.step(3601)
    edit_phones(bus, 10)
    assert phones(bus, bus.subscribe(replay_preset=messages.CUSTOM, replay_id=later).next().events) == ["10"]
    assert bus.subscribe(replay_preset=messages.CUSTOM, replay_id=first.latest_replay_id).error() == CORRUPTED


def test_latest_earliest_and_after(bus):
    edit_phones(bus, 10, 11)
    latest, _ = subscribed(bus)
    bus.edit({"Title": "Ms"}, CONTACT)
    edit_phones(bus, 12)
    assert phones(bus, latest.take(1)) == ["12"]
    events = bus.earliest().take(3)
    assert phones(bus, events) == ["10", "11", "12"]
    resumed = bus.subscribe(replay_preset=messages.CUSTOM, replay_id=events[0].replay_id)
    assert phones(bus, resumed.take(2)) == ["11", "12"]
    ids = [int.from_bytes(event.replay_id, "big") for event in events]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize(
    "damage", [lambda _: b"nonsense", lambda ident: ident[:-1] + b"\x01", lambda ident: ident + b"\x00"]
)
def test_a_replay_id_that_was_never_given_out(bus, damage):
    edit_phones(bus, 10)
    [event] = bus.earliest().take(1)
    stream = bus.subscribe(replay_preset=messages.CUSTOM, replay_id=damage(event.replay_id))
    assert stream.error() == CORRUPTED


def test_custom_without_an_id(bus):
    stream = bus.subscribe(replay_preset=messages.CUSTOM)
    assert stream.error() == (
        grpc.StatusCode.INVALID_ARGUMENT,
        CODE + "subscription.fetch.replayid.validation.failed",
    )


def test_events_are_kept_for_72_hours(bus):
    edit_phones(bus, 10)
    [old] = bus.earliest().take(1)
    bus.clock.step(72 * 3600)
    edit_phones(bus, 11)
    assert phones(bus, bus.earliest().take(2)) == ["10", "11"]
    bus.clock.step(1)
    assert phones(bus, bus.earliest().take(1)) == ["11"]
    assert bus.subscribe(replay_preset=messages.CUSTOM, replay_id=old.replay_id).error() == CORRUPTED


def test_events_expire_on_demand(bus):
    edit_phones(bus, 10)
    bus.clock.step(60)
    edit_phones(bus, 11)
    old, kept = bus.earliest().take(2)
    bus.org.events.order("expire", {"before": "2026-11-23T10:01:00+00:00"})
    assert bus.subscribe(replay_preset=messages.CUSTOM, replay_id=old.replay_id).error() == CORRUPTED
    edit_phones(bus, 12)
    resumed = bus.subscribe(replay_preset=messages.CUSTOM, replay_id=kept.replay_id)
    assert phones(bus, resumed.take(1)) == ["12"]
    assert phones(bus, bus.earliest().take(2)) == ["11", "12"]


def test_a_stream_keeps_to_its_topic(bus):
    stream, _ = subscribed(bus)
    stream.ask(1, topic_name="/data/LeadChangeEvent")
    stream.ask(1, topic_name="/data/ContactChangeEvent")
    assert stream.error() == (grpc.StatusCode.INVALID_ARGUMENT, CODE + "subscription.fetch.topic.mismatch")


@pytest.mark.parametrize("number", [0, -1])
def test_a_request_for_nothing(bus, number):
    code = CODE + "subscription.fetch.requested.events.invalid"
    assert bus.subscribe(events=number).error() == (grpc.StatusCode.INVALID_ARGUMENT, code)


def test_an_unknown_topic_and_one_that_is_not_captured(bus):
    missing = (grpc.StatusCode.NOT_FOUND, CODE + "topic.not.found")
    assert bus.subscribe("Opportunity").error() == missing
    bus.org.configure({"events": {"capture": {"Lead": False}}})
    edit_phones(bus, 10)
    assert bus.subscribe("Lead").error() == missing
    with pytest.raises(grpc.RpcError) as refused:
        bus.stub.GetTopic(messages.TopicRequest(topic_name="/data/LeadChangeEvent"), metadata=bus.metadata)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert "Ensure the topic name is correct and that the topic exists. rpcId: " in refused.value.details()
    bus.org.configure({"events": {}})
    assert bus.told() == []


def test_a_client_that_ends_its_requests_ends_the_stream(bus):
    stream, _ = subscribed(bus)
    stream.requests.put(None)
    assert stream.error() == (grpc.StatusCode.OK, None)
    assert bus.org.events.told()["streams"] == []


def test_a_client_that_asks_for_nothing_more_loses_its_stream(bus):
    edit_phones(bus, 10)
    bus.org.configure({"events": {"starved_seconds": 0.05}})
    stream = bus.earliest(events=1)
    assert len(stream.next().events) == 1
    assert stream.error() == (grpc.StatusCode.OK, None)


def test_streams_are_dropped_on_demand(bus):
    stream, _ = subscribed(bus)
    bus.org.events.order("drop", {})
    assert stream.error() == (grpc.StatusCode.UNAVAILABLE, None)
    stream, _ = subscribed(bus)
    bus.org.events.order("drop", {"status": "INTERNAL", "error_code": CODE + "subscription.internal.error"})
    assert stream.error() == (grpc.StatusCode.INTERNAL, CODE + "subscription.internal.error")


def test_a_bus_that_is_down(bus):
    stream, _ = subscribed(bus)
    bus.org.configure({"events": {"down": True}})
    down = (grpc.StatusCode.UNAVAILABLE, CODE + "service.unavailable")
    assert stream.error() == down
    assert bus.subscribe().error() == down


def test_gap_and_overflow(bus):
    bus.org.events.order("gap", {"ids": [LEAD, LEAD_2]})
    bus.org.events.order("gap", {"ids": [LEAD[:15]], "type": "GAP_DELETE"})
    bus.org.events.order("overflow", {"object": "Lead"})
    told = bus.told()
    assert [(one["ChangeEventHeader"]["changeType"], one["ChangeEventHeader"]["recordIds"]) for one in told] == [
        ("GAP_UPDATE", [LEAD]),
        ("GAP_UPDATE", [LEAD_2]),
        ("GAP_DELETE", [LEAD]),
        ("GAP_OVERFLOW", ["000000000000000AAA"]),
    ]
    assert {value for one in told for name, value in one.items() if name != "ChangeEventHeader"} == {None}
    with pytest.raises(ValueError, match="no UPDATE event"):
        bus.org.events.order("gap", {"ids": [LEAD], "type": "UPDATE"})


def test_the_daily_limit_ends_streams(bus):
    bus.org.configure({"events": {"daily_limit": 2}})
    edit_phones(bus, 10, 11, 12)
    stream = bus.earliest(events=2)
    assert len(stream.take(2)) == 2
    stream.ask(1)
    code = CODE + "subscription.limit.exceeded"
    assert stream.error() == (grpc.StatusCode.RESOURCE_EXHAUSTED, code)
    bus.clock.step(25 * 3600)
    assert len(bus.earliest(events=2).take(2)) == 2


def test_duplicates_and_shuffled_responses(bus):
    bus.org.configure({"events": {"duplicates": 1, "reorders": 1, "seed": 3}})
    edit_phones(bus, *range(10, 20))
    stream = bus.earliest(events=100)
    found = phones(bus, stream.take(20))
    assert sorted(found) == sorted([*map(str, range(10, 20))] * 2)
    assert found[:10] != sorted(found[:10])
    assert bus.org.events.told()["delivered"] == {"Lead": {"connector": 20}}


def test_events_can_be_late(bus):
    stream, _ = subscribed(bus)
    bus.org.configure({"events": {"latency_ms": 300}})
    began = time.monotonic()
    edit_phones(bus, 10)
    assert phones(bus, stream.take(1)) == ["10"]
    assert time.monotonic() - began >= 0.3


def test_a_large_response_is_split(bus):
    bus.org.load({"custom_fields": {"Lead": [{"name": "Long__c", "type": "textarea", "length": 131072}]}})
    for number in range(12):
        bus.edit({"Long__c": None})
        bus.edit({"Long__c": "abcdefghijkl"[number] * 130_000})
    stream = bus.earliest()
    sizes, found = [], 0
    while found < 24:
        response = stream.next()
        sizes.append(response.ByteSize())
        found += len(response.events)
    assert found == 24
    assert max(sizes) < 1_200_000


def test_counts(bus):
    edit_phones(bus, 10, 11)
    bus.edit({"Title": "Ms"}, CONTACT)
    bus.earliest().take(2)
    told = bus.org.events.told()
    assert (told["logged"], told["kept"], told["delivered"]) == (3, 3, {"Lead": {"connector": 2}})
    assert [name.split()[:2] for name in told["streams"]] == [["/data/LeadChangeEvent", "connector"]]


def test_a_clock_set_back_loses_nothing(bus):
    edit_phones(bus, 10)
    bus.clock.set(datetime(2026, 11, 20, tzinfo=UTC))
    edit_phones(bus, 11)
    assert phones(bus, bus.earliest().take(2)) == ["10", "11"]
