"""Follow a topic of change events: each event becomes hints, and a place counts as reached once its hints are safe.

An event says which record, never what value. What an event cannot say (an overflow, a wildcard, a place too old) becomes
a sweep that is asked for in SQL before the stream goes on, so that no death loses it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from prospect_sync.errors import Misconfigured, Stale
from prospect_sync.flow.accept import accept
from prospect_sync.flow.demand_sweep import demand_sweep
from prospect_sync.flow.own_events import only_ours
from prospect_sync.flow.poll_people import hint_contacts_of, known_by_their_prospects, watched
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Cause, DeskItem
from prospect_sync.model import Hint, Lane, PersonType, RecordKind, Ref
from prospect_sync.policy.behaviors import CONSENT_FIELDS
from prospect_sync.ports import ChangeEvent, ChangeEvents, ChangeKind, Delivery

log = structlog.get_logger(__name__)

_OLDEST = "oldest"
_NAMES = frozenset({"Name", "FirstName", "LastName"})
_HEALTH = "events health"
_PEOPLE = {RecordKind.LEAD: PersonType.LEAD, RecordKind.CONTACT: PersonType.CONTACT}


@dataclass
class Stream:
    """One topic as its listener knows it; written by the thread that follows it, read by others.

    ``reached``: the newest place whose hints are in the inbox. ``heard``: when something came last. ``lag``: seconds from
    the newest event's commit to its hints.
    """

    topic: str
    reached: str = ""
    stored: str = ""
    heard: datetime | None = None
    committed: datetime | None = None
    lag: float | None = None
    events: int = 0


def kinds_of(runtime: Runtime, topic: str) -> tuple[RecordKind, ...]:
    """Name the kinds whose events a topic can bring and that matter under this mapping; a channel may bring any."""
    name = topic.rsplit("/", 1)[-1]
    if not name.endswith("ChangeEvent"):
        return watched(runtime)
    return tuple(kind for kind in watched(runtime) if name == f"{kind.value}ChangeEvent")


def resume(runtime: Runtime, topic: str) -> Stream:
    """Give a topic's stream as it was left."""
    place = runtime.marks.note(_place(topic)) or ""
    return Stream(topic, place, place)


def follow(runtime: Runtime, events: ChangeEvents, stream: Stream) -> None:
    """Turn a topic's events into hints until the events are closed, or until their place is lost; then call it again.

    Without a place it follows from now on: what was changed before is the poller's.

    Raises:
        TryLater, Misconfigured: the stream broke; nothing of it is lost. As the inbox and the database do, too.
    """
    oldest = stream.reached == _OLDEST
    try:
        for delivery in events.listen(stream.topic, after="" if oldest else stream.reached, oldest=oldest):
            take(runtime, stream, delivery)
            if not stream.stored:
                save(runtime, stream)  # without a place a restart would follow from then on only
    except Stale as lost:
        _start_over(runtime, stream, lost)


def take(runtime: Runtime, stream: Stream, delivery: Delivery) -> None:
    """Put a delivery's hints into the inbox, ask for the sweeps it calls for, and count its place as reached."""
    mine = kinds_of(runtime, stream.topic)
    events = [event for event in delivery.events if event.kind is None or event.kind in mine]
    for kind, since in _unbounded(events, mine).items():
        demand_sweep(runtime, kind, since)
    _hint_people(runtime, [event for event in events if event.kind in _PEOPLE])
    renamed = [event for event in events if event.kind is RecordKind.ACCOUNT and _may_rename(event)]
    hint_contacts_of(runtime, {record_id for event in renamed for record_id in event.ids})
    stream.reached = delivery.place or stream.reached
    _count(runtime, stream, delivery)


def save(runtime: Runtime, stream: Stream) -> None:
    """Store the place reached. Later than it was reached is safe: the events in between come twice."""
    reached = stream.reached
    if reached != stream.stored:
        runtime.marks.remember(_place(stream.topic), reached)
        stream.stored = reached


def report_trouble(runtime: Runtime, topic: str, wrong: Misconfigured) -> None:
    """Put it on the desk that a topic cannot be followed."""
    item = DeskItem(
        cause=Cause.MISCONFIGURED,
        ref=Ref.service(topic),
        words=wrong.words,
        code=wrong.code,
        remedy="Enable Change Data Capture for the object and let the connector user view all of its records, or set "
        "the source to poll. Until then edits are found by polling; nothing is lost.",
    )
    runtime.desk.report([item])


def recovered(runtime: Runtime, topic: str) -> None:
    """Take a topic's trouble off the desk: it is followed."""
    runtime.desk.clear([Ref.service(topic)])


def remember_health(runtime: Runtime, streams: Iterable[Stream]) -> None:
    """Note for others how far the streams have come; ``health`` reads it."""
    now = runtime.clock.now()
    told = {
        stream.topic: {
            "heard": stream.heard.isoformat() if stream.heard else None,
            "committed": stream.committed.isoformat() if stream.committed else None,
            "lag_seconds": stream.lag,
            "events": stream.events,
        }
        for stream in streams
    }
    runtime.marks.remember(_HEALTH, json.dumps({"at": now.isoformat(), "topics": told}))


def health(runtime: Runtime) -> Mapping[str, Any] | None:
    """Give what the listener noted last: ``at``, and per topic ``heard``, ``committed``, ``lag_seconds``, ``events``."""
    text = runtime.marks.note(_HEALTH)
    return dict(json.loads(text)) if text else None


def _start_over(runtime: Runtime, stream: Stream, lost: Stale) -> None:
    """The place is too old: take the oldest events still kept, and sweep for what they no longer show."""
    kinds = kinds_of(runtime, stream.topic)
    log.error("events.replay_lost", topic=stream.topic, code=lost.code)
    for kind in kinds:
        demand_sweep(runtime, kind)
    item = DeskItem(
        cause=Cause.UNREAD,
        ref=Ref.service(f"{stream.topic} events lost"),
        words="Salesforce no longer keeps the change events that followed the last one we had",
        code=lost.code,
        remedy="Everything changed since the last complete look is looked at again; nothing to do. "
        "Events are kept for 72 hours: find out why the listener stood still for so long.",
    )
    runtime.desk.report([item])
    runtime.marks.remember(_place(stream.topic), _OLDEST)
    stream.reached = stream.stored = _OLDEST


def _hint_people(runtime: Runtime, events: Sequence[ChangeEvent]) -> None:
    """A record our own writes alone have changed is left out."""
    people = sorted({Ref(event.kind, record_id) for event in events if event.kind for record_id in event.ids})
    if not people:
        return
    couples = runtime.couples.of(people)
    names = dict(zip(people, known_by_their_prospects(runtime, people), strict=True))
    hints = [
        Hint(names[Ref(event.kind, record_id)], _lane(runtime, event), origin="event")
        for event in events
        if event.kind and not only_ours(runtime, event, couples)
        for record_id in event.ids
    ]
    accept(runtime, hints)


def _lane(runtime: Runtime, event: ChangeEvent) -> Lane:
    person_type = _PEOPLE[event.kind] if event.kind else PersonType.LEAD
    fields = {row.person_field(person_type) for row in runtime.mapping.fields if row.prospect in CONSENT_FIELDS}
    return Lane.CONSENT if event.fields & fields else Lane.LIVE


def _may_rename(event: ChangeEvent) -> bool:
    """A new account has no contacts yet; of a changed one only the name matters, where the event says what changed."""
    if event.change is ChangeKind.UPDATE and not event.gap:
        return bool(event.fields & _NAMES)
    return event.change is not ChangeKind.CREATE


def _unbounded(events: Iterable[ChangeEvent], mine: Sequence[RecordKind]) -> dict[RecordKind, datetime | None]:
    """Which kinds need a sweep, and since when at the latest."""
    found: dict[RecordKind, datetime | None] = {}
    for event in events:
        if event.unbounded:
            for kind in (event.kind,) if event.kind else mine:
                known = [instant for instant in (found.get(kind), event.at) if instant is not None]
                found[kind] = min(known, default=None)
    return found


def _count(runtime: Runtime, stream: Stream, delivery: Delivery) -> None:
    now = stream.heard = runtime.clock.now()
    stream.events += len(delivery.events)
    commits = [event.at for event in delivery.events if event.at is not None]
    if commits:
        stream.committed = max(commits)
        stream.lag = round((now - stream.committed).total_seconds(), 3)
    if delivery.events:
        log.debug("events.taken", topic=stream.topic, events=len(delivery.events), lag=stream.lag)


def _place(topic: str) -> str:
    return f"events place {topic}"
