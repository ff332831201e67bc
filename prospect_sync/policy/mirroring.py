"""What an answer about a prospect proves: when each of its fields changed, and whether somebody else changed it.

Account Engagement keeps no field history, so the product keeps its own from the answers it reads. Answers may lag by up
to a minute and arrive in any order; our own writes move the record's stamp. This module knows nothing of stores or calls.
Source: the evidence rules (docs/rules.md, "When did a side change?").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from prospect_sync.memory import FieldChange, MirroredField, MirroredProspect
from prospect_sync.model import Interval, Prospect, same_id
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.policy.values import equal

_ONE_SECOND = timedelta(seconds=1)

RECORD_FIELDS = MappingProxyType(
    {
        "email": FieldType.EMAIL,
        "salesforceId": FieldType.TEXT,
        "assignedToId": FieldType.TEXT,
        "isDeleted": FieldType.BOOLEAN,
    }
)
"""Mirrored for every prospect, mapped or not: matching and the life of a pair go by them, and our own writes lag alike."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds an answer.

    ``types``: the type of each mapped prospect field. ``connector``: the product's own user id. ``complete``: every change
    up to this instant (vendor's clock) had been read before this answer. ``lag``: how far reads may trail writes.
    ``now``: our clock. ``unsettled``: our own writes to this prospect whose end is not known yet.
    """

    types: Mapping[str, FieldType]
    connector: str
    now: datetime
    lag: timedelta
    complete: datetime | None = None
    unsettled: Sequence[FieldChange] = ()


def observe(known: MirroredProspect | None, answer: Prospect, around: Circumstances) -> MirroredProspect:
    """Merge one answer into what is known; returns ``known`` itself where the answer adds nothing."""
    answer = replace(answer, values={**answer.values, "isDeleted": answer.deleted})
    if known is None or known.modified.at is None or answer.modified.at is None:
        return _first_seen(known, answer, around)
    if answer.modified.at < known.modified.at:  # an older state of a lagging cache
        return known
    if answer.modified.at == known.modified.at and _doubted(known, answer, around):
        return replace(known, doubtful_until=known.doubtful_until or _after_the_lag(around))
    return _merge(known, answer, around)


def wrote(
    known: MirroredProspect,
    stored: Mapping[str, Any],
    stamp: datetime,
    origins: Mapping[str, Interval],
    types: Mapping[str, FieldType],
) -> MirroredProspect:
    """Enter our own applied write: the values as stored, each keeping the time of its origin.

    The stamp is remembered per written field only: it bounds no other field and hides no answer. Where an answer younger
    than the write was read already, what that one showed stands.
    """
    overtaken = known.modified.at is not None and known.modified.at > stamp
    written = {}
    for name, value in stored.items():
        entry, origin = known.fields.get(name), origins.get(name, Interval.at(stamp))
        if entry is None or not overtaken:
            written[name] = MirroredField(value, origin, stamp)
        elif _same(types, name, entry.value, value):
            written[name] = MirroredField(value, origin)
        else:
            written[name] = replace(entry, changed=_since(stamp, entry, known))
    return _named(replace(known, fields={**known.fields, **written}))


def _since(stamp: datetime, entry: MirroredField, known: MirroredProspect) -> Interval:
    """Somebody changed the field after our write of this stamp, and before the newest answer."""
    until = entry.changed.until if entry.changed.until >= stamp else known.modified.at or stamp
    return Interval(max(stamp, min(entry.changed.after, until)), until)


def changed_values(
    before: MirroredProspect | None, after: MirroredProspect, types: Mapping[str, FieldType]
) -> frozenset[str]:
    """Name the mapped fields whose value differs between two states; all of them when there was none before."""
    if before is None:
        return frozenset(after.fields)
    return frozenset(
        name
        for name, entry in after.fields.items()
        if name not in before.fields or not _same(types, name, before.fields[name].value, entry.value)
    )


def _first_seen(known: MirroredProspect | None, answer: Prospect, around: Circumstances) -> MirroredProspect:
    """The first observation proves only that the values are not younger than the record's stamp."""
    after = answer.created.at or answer.modified.at or around.now
    until = answer.modified.at or around.now
    since = Interval(min(after, until), until, first_seen=True)
    fields = {name: MirroredField(value, since) for name, value in answer.values.items() if name in around.types}
    ours = same_user(answer.modified.by, around.connector)
    return _named(
        MirroredProspect(
            id=answer.id,
            fields=fields,
            created=answer.created,
            modified=answer.modified,
            foreign=None if ours or answer.modified.at is None else Interval.at(answer.modified.at),
            version=known.version if known else 0,
        )
    )


def _named(row: MirroredProspect) -> MirroredProspect:
    """Repeat the fields that prospects are looked up by."""
    entries = {name: row.fields[name].value for name in RECORD_FIELDS if name in row.fields}
    email, holds = entries.get("email"), entries.get("salesforceId")
    return replace(
        row,
        deleted=bool(entries.get("isDeleted")),
        email=str(email).strip().lower() if email else None,
        salesforce_id=str(holds) if holds else None,
    )


def _doubted(known: MirroredProspect, answer: Prospect, around: Circumstances) -> bool:
    """Two answers with one stamp and different values: which is newer shows only once the lag has passed."""
    settled = known.doubtful_until is not None and around.now >= known.doubtful_until
    return not settled and any(
        name in known.fields
        and not _predates_our_write(known.fields[name], answer)
        and not _same(around.types, name, known.fields[name].value, value)
        for name, value in answer.values.items()
        if name in around.types
    )


def _merge(known: MirroredProspect, answer: Prospect, around: Circumstances) -> MirroredProspect:
    fields = _still_read(known, answer, around)
    foreign = doubtful = False
    for name, value in answer.values.items():
        if name not in around.types:
            continue
        entry = known.fields.get(name)
        if entry is not None and _predates_our_write(entry, answer):
            continue
        if entry is not None and _same(around.types, name, entry.value, value):
            fields[name] = replace(entry, ours_at=None)
        elif entry is not None and entry.ours_at == answer.modified.at and not _lag_passed(known, around):
            doubtful = True  # somebody else's edit in the very second of our write, or a cache from before it
        else:
            fields[name], by_us = _change(known, entry, name, value, answer, around)
            foreign = foreign or not by_us
    merged = replace(
        known,
        fields=fields,
        modified=answer.modified,
        foreign=_foreign(known, answer, around, unexplained=foreign),
        doubtful_until=(known.doubtful_until or _after_the_lag(around)) if doubtful else _doubt(known, answer, around),
    )
    merged = _named(merged)
    return known if merged == known else merged


def _still_read(known: MirroredProspect, answer: Prospect, around: Circumstances) -> dict[str, MirroredField]:
    """A field that is no longer asked for may have changed unseen: it is forgotten with the first answer it is missing from."""
    if answer.modified.at == known.modified.at:
        return dict(known.fields)
    return {name: entry for name, entry in known.fields.items() if name in around.types}


def _doubt(known: MirroredProspect, answer: Prospect, around: Circumstances) -> datetime | None:
    """A doubt stands, whichever of the two states is shown again, until the lag has passed or a younger answer came."""
    return known.doubtful_until if answer.modified.at == known.modified.at and not _lag_passed(known, around) else None


def _change(
    known: MirroredProspect,
    entry: MirroredField | None,
    name: str,
    value: Any,
    answer: Prospect,
    around: Circumstances,
) -> tuple[MirroredField, bool]:
    """A changed value and whether it is our own write coming back. It changed after everything that still held the old value."""
    stamp = answer.modified.at or around.now
    for ours in around.unsettled:
        if ours.prospect_field == name and _same(around.types, name, ours.after, value):
            return MirroredField(value, ours.origin or Interval.at(stamp)), True
    if entry is None:  # a field that the mapping has only now
        return MirroredField(value, Interval(answer.created.at or stamp, stamp, first_seen=True)), True
    bounds = [known.modified.at, entry.ours_at, around.complete]
    after = max((bound for bound in bounds if bound is not None), default=stamp)
    return MirroredField(value, Interval(min(after, stamp), stamp)), False


def _foreign(known: MirroredProspect, answer: Prospect, around: Circumstances, *, unexplained: bool) -> Interval | None:
    """The last modification by somebody else: told by the stamp, or by a value that no write of ours explains."""
    stamp = answer.modified.at
    if stamp is None or (same_user(answer.modified.by, around.connector) and not unexplained):
        return known.foreign
    if same_user(answer.modified.by, around.connector):  # our write covered somebody's edit of the moment before
        return Interval(min(known.modified.at or stamp, stamp), stamp)
    return Interval.at(stamp)


def same_user(left: object, right: object) -> bool:
    """Tell whether two user ids of Account Engagement (numbers, sometimes as text) or Salesforce name one user."""
    if left is None or right is None:
        return False
    return str(left) == str(right) or (len(str(left)) >= 15 and same_id(str(left), str(right)))


def _predates_our_write(entry: MirroredField, answer: Prospect) -> bool:
    return entry.ours_at is not None and answer.modified.at is not None and answer.modified.at < entry.ours_at


def _lag_passed(known: MirroredProspect, around: Circumstances) -> bool:
    return known.doubtful_until is not None and around.now >= known.doubtful_until


def _after_the_lag(around: Circumstances) -> datetime:
    return around.now + around.lag + _ONE_SECOND


def _same(types: Mapping[str, FieldType], name: str, left: Any, right: Any) -> bool:
    return equal(types.get(name, FieldType.TEXT), left, right)
