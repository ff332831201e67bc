"""The event bus of one org: what was committed goes in, subscribers read from it, an administrator makes it misbehave.

Knows topics, schemas and counts; nothing of gRPC.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.event_settings import EventSettings
from prospect_sync.sandbox.salesforce.events.feed import CHANGE_CODES, Feed, Told, unpacked
from prospect_sync.sandbox.salesforce.events.log import EventLog, Scan
from prospect_sync.sandbox.salesforce.events.payload import avro_payload, event_id
from prospect_sync.sandbox.salesforce.events.schema import EventSchema
from prospect_sync.sandbox.salesforce.ids import full_id
from prospect_sync.sandbox.salesforce.records import Change
from prospect_sync.sandbox.salesforce.schema import ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.users import OrgUser

CAPTURED = ("Lead", "Contact", "Account")
_CODES = {name: code for code, name in enumerate(CAPTURED, start=1)}
_OVERFLOWN = "000000000000000AAA"
_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Delivered:
    """One event as it goes out."""

    id: str
    schema_id: str
    payload: bytes
    replay_id: bytes


class ChangeEvents:
    """Change data capture of one org."""

    def __init__(self, state: OrgState, access: Access) -> None:
        self._state = state
        self._access = access
        self._feed = Feed(self._schema)
        self._log = EventLog(state.now)
        self._schemas: list[EventSchema] = []
        self._current: dict[str, tuple[ObjectType, int]] = {}
        self._chance = Random(0)
        self._delivered: Counter[tuple[str, str]] = Counter()
        self._by_hour: Counter[int] = Counter()
        self._listeners: dict[object, Callable[[], None]] = {}
        self._drops: list[tuple[str, str]] = []
        self._closed = False

    @property
    def settings(self) -> EventSettings:
        return self._state.settings.events

    @property
    def down(self) -> bool:
        """Whether nobody is served."""
        return self._closed or self.settings.down

    def close(self) -> None:
        """End every stream and take no more: the process is about to end."""
        self._closed = True
        self._wake()

    # -- what was committed

    def committed(self, changes: Sequence[Change]) -> None:
        """Note what one call or edit wrote, now that nothing takes it back."""
        if changes:
            self._keep(self._feed.told(changes))

    def gap(self, ids: Iterable[str], change: str) -> None:
        """Say only that records changed, as the vendor does where it cannot say how."""
        for ident in ids:
            full = full_id(str(ident)) or str(ident)
            kind = self._state.schema.by_prefix(full)
            if kind is None or kind.name not in CAPTURED or not change.startswith("GAP_") or change not in CHANGE_CODES:
                raise ValueError(f"no {change} event can tell of {ident}")
            self._without_body(kind.name, full, change)

    def overflow(self, object_name: str) -> None:
        """Say that a transaction changed more records of an object than can be told."""
        if object_name not in CAPTURED:
            raise ValueError(f"there are no events of {object_name!r}; there are of {', '.join(CAPTURED)}")
        self._without_body(object_name, _OVERFLOWN, "GAP_OVERFLOW")

    def _without_body(self, object_name: str, ident: str, change: str) -> None:
        self._schema(object_name)
        number, author = self._feed.next_transaction(), "0055g00000Sbx04AAB"
        self._keep([Told(object_name, ident, CHANGE_CODES[change], "", number, 1, self._state.now(), author)])

    def _keep(self, events: Sequence[Told]) -> None:
        settings, kept = self.settings, False
        for told in events:
            if not settings.captures(told.object):
                continue
            late = settings.latency_ms + (self._chance.uniform(0, settings.jitter_ms) if settings.jitter_ms else 0)
            body = told.packed(self._current[told.object][1])
            self._log.append(_CODES[told.object], body, told.at, time.monotonic() + late / 1000)
            kept = True
        if kept:
            self._wake()

    # -- schemas and topics

    def topic_object(self, topic: str) -> str | None:
        """The object whose changes a topic tells, if there is such a topic now."""
        name = topic.removeprefix("/data/").removesuffix("ChangeEvent")
        known = name in CAPTURED and topic == f"/data/{name}ChangeEvent"
        return name if known and self.settings.captures(name) else None

    def current_schema(self, object_name: str) -> EventSchema:
        with self._state.lock:
            schema = self._schema(object_name)
        if schema is None:
            raise LookupError(object_name)
        return schema

    def schema(self, schema_id: str) -> EventSchema | None:
        """Any schema there ever was."""
        return next((schema for schema in self._schemas if schema.id == schema_id), None)

    def _schema(self, object_name: str) -> EventSchema | None:
        if object_name not in _CODES:
            return None
        kind = self._state.schema.get(object_name)
        known = self._current.get(object_name)
        if known is None or known[0] is not kind:
            self._schemas.append(EventSchema(kind))
            known = self._current[object_name] = (kind, len(self._schemas) - 1)
        return self._schemas[known[1]]

    # -- what subscribers read

    def position(self, *, earliest: bool) -> int:
        with self._state.lock:
            return self._log.start if earliest else self._log.end

    def position_after(self, replay_id: bytes) -> int | None:
        with self._state.lock:
            return self._log.after(replay_id)

    def replay_id(self, position: int) -> bytes:
        with self._state.lock:
            return self._log.replay_id(position)

    def scan(self, position: int, object_name: str, most: int) -> Scan:
        with self._state.lock:
            return self._log.scan(position, _CODES[object_name], most, time.monotonic())

    def delivery(self, scan: Scan, object_name: str, user: OrgUser) -> list[Delivered]:
        """The events of a scan for a subscriber, counted as delivered."""
        hidden = frozenset(self._access.unreadable(user, object_name))
        events = []
        for entry in scan.entries:
            number, told = unpacked(object_name, entry.body)
            schema = self._schemas[number]
            events.append(Delivered(event_id(told), schema.id, avro_payload(schema, told, hidden), entry.replay_id))
        return events

    def count(self, object_name: str, user: OrgUser, events: int) -> None:
        self._delivered[object_name, user.name] += events
        self._by_hour[self._state.now() // _HOUR] += events

    @property
    def used_up(self) -> bool:
        """Whether the org has had all deliveries of its last 24 hours."""
        most = self.settings.daily_limit
        if most is None:
            return False
        oldest = self._state.now() // _HOUR - 24
        return sum(count for hour, count in self._by_hour.items() if hour > oldest) >= most

    # -- subscribers

    def listen(self, key: object, wake: Callable[[], None]) -> None:
        """Have `wake` called whenever there may be something new; from any thread."""
        self._listeners[key] = wake

    def forget(self, key: object) -> None:
        self._listeners.pop(key, None)

    @property
    def drops(self) -> int:
        """How often all streams were dropped."""
        return len(self._drops)

    @property
    def last_drop(self) -> tuple[str, str]:
        """The status and the error code that streams end with."""
        return self._drops[-1]

    # -- the administrator

    def settings_changed(self) -> None:
        self._chance = Random(self.settings.seed)
        self._wake()

    def order(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the admin address asks; answers how the bus stands then."""
        with self._state.lock:
            match what:
                case "gap":
                    self.gap(body["ids"], str(body.get("type", "GAP_UPDATE")))
                case "overflow":
                    self.overflow(str(body["object"]))
                case "expire":
                    self._log.cut(int(datetime.fromisoformat(body["before"]).timestamp()))
                case "drop":
                    self._drops.append((str(body.get("status", "UNAVAILABLE")), str(body.get("error_code", ""))))
                    self._wake()
                case _:
                    raise ValueError(f"events: {what!r} is none of gap, overflow, expire and drop")
            return self.told()

    def told(self) -> dict[str, Any]:
        """Counts for whoever measures; `delivered` since the start, duplicates included."""
        with self._state.lock:
            delivered: dict[str, dict[str, int]] = {}
            for (name, user), count in sorted(self._delivered.items()):
                delivered.setdefault(name, {})[user] = count
            return {
                "logged": self._log.made,
                "kept": self._log.kept,
                "delivered": delivered,
                "streams": sorted(str(key) for key in self._listeners),
            }

    def _wake(self) -> None:
        for wake in list(self._listeners.values()):
            wake()
