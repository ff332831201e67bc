"""One subscription: what its client still asks for, how far it has come, and the next response.

Flow control as the vendor has it: requests add up, and no more than 100 events are ever owed. Knows nothing of gRPC's
calls; whoever holds the call asks here and waits.
"""

import itertools
from collections.abc import Iterator
from random import Random
from time import monotonic

from prospect_sync.eventbus.pubsub_api_pb2 import (
    ConsumerEvent,
    FetchRequest,
    FetchResponse,
    ProducerEvent,
    ReplayPreset,
)
from prospect_sync.sandbox.salesforce.events import refusals
from prospect_sync.sandbox.salesforce.events.bus import ChangeEvents, Delivered
from prospect_sync.sandbox.salesforce.ids import ORG_ID
from prospect_sync.sandbox.users import OrgUser

MOST_OWED = 100
_LARGEST_RESPONSE = 1_000_000
_serials = itertools.count(1)


class Subscription:
    """A stream from its first request on."""

    def __init__(self, bus: ChangeEvents, user: OrgUser, first: FetchRequest) -> None:
        name = bus.topic_object(first.topic_name)
        if not first.topic_name:
            raise refusals.topic_empty()
        if name is None:
            raise refusals.topic_not_found(ORG_ID, first.topic_name)
        self.key = f"{first.topic_name} {user.name} {next(_serials)}"
        self._bus = bus
        self._user = user
        self._topic = first.topic_name
        self._object = name
        self._position = _start(bus, first)
        self._owed = 0
        self._chance = Random(bus.settings.seed)
        self._again: list[Delivered] = []
        """To be delivered a second time."""
        self._sent_at = self._fed_at = monotonic()
        self._drops = bus.drops
        self.asked(first)

    def asked(self, request: FetchRequest) -> None:
        """Take another request of the stream."""
        if request.topic_name and request.topic_name != self._topic:
            raise refusals.topic_changed()
        if request.num_requested <= 0:
            raise refusals.nothing_requested()
        self._owed = min(MOST_OWED, self._owed + request.num_requested)
        self._fed_at = monotonic()

    def check(self) -> None:
        """End a stream that may not go on."""
        if self._bus.down:
            raise refusals.unavailable()
        if self._bus.drops != self._drops:
            raise refusals.dropped(*self._bus.last_drop)

    def next(self) -> tuple[FetchResponse | None, float]:
        """The next response; without one, how many seconds to wait at most before asking again."""
        due = None
        if self._owed:
            events, due = self._events()
            if events:
                if self._bus.used_up:
                    raise refusals.deliveries_used_up()
                return self._response(events), 0.0
        now = monotonic()
        silence = self._bus.settings.keepalive_seconds - (now - self._sent_at)
        if silence <= 0:
            return self._response([]), 0.0
        return None, min(silence, self._patience(now), silence if due is None else max(due - now, 0.001))

    @property
    def starved(self) -> bool:
        """Whether the client has asked for nothing for so long that the server closes the stream."""
        return not self._owed and self._patience(monotonic()) <= 0

    def _patience(self, now: float) -> float:
        most = self._bus.settings.starved_seconds
        return most if self._owed else max(0.0, most - (now - max(self._fed_at, self._sent_at)))

    def _events(self) -> tuple[list[Delivered], float | None]:
        again, self._again = self._again[: self._owed], self._again[self._owed :]
        scan = self._bus.scan(self._position, self._object, self._owed - len(again))
        fresh = self._bus.delivery(scan, self._object, self._user)
        fitting = _fitting(fresh)
        if fitting < len(fresh):
            behind = self._bus.position_after(fresh[fitting - 1].replay_id)
            self._position = scan.position if behind is None else behind
        else:
            self._position = scan.position
        fresh = fresh[:fitting]
        settings = self._bus.settings
        if settings.duplicates:
            self._again += [event for event in fresh if self._chance.random() < settings.duplicates]
        events = again + fresh
        if settings.reorders and self._chance.random() < settings.reorders:
            self._chance.shuffle(events)
        return events, scan.due

    def _response(self, events: list[Delivered]) -> FetchResponse:
        self._sent_at = monotonic()
        self._owed -= len(events)
        if events:
            self._bus.count(self._object, self._user, len(events))
        return FetchResponse(
            events=list(_consumed(events)),
            latest_replay_id=self._bus.replay_id(self._position),
            rpc_id=self.key.rpartition(" ")[2],
            pending_num_requested=self._owed,
        )


def _start(bus: ChangeEvents, first: FetchRequest) -> int:
    if first.replay_preset == ReplayPreset.CUSTOM:
        if not first.replay_id:
            raise refusals.replay_id_missing()
        position = bus.position_after(first.replay_id)
        if position is None:
            raise refusals.replay_id_corrupted()
        return position
    return bus.position(earliest=first.replay_preset == ReplayPreset.EARLIEST)


def _fitting(events: list[Delivered]) -> int:
    """How many of the events one response takes; always one."""
    size = 0
    for place, event in enumerate(events):
        size += len(event.payload)
        if size > _LARGEST_RESPONSE and place:
            return place
    return len(events)


def _consumed(events: list[Delivered]) -> Iterator[ConsumerEvent]:
    for event in events:
        yield ConsumerEvent(
            event=ProducerEvent(id=event.id, schema_id=event.schema_id, payload=event.payload),
            replay_id=event.replay_id,
        )
