"""What a look at a person proves: which of its values are our own writes coming back, and which are somebody else's.

Salesforce tells who modified the *record* last, not the field; our own write covers the edit of the moment before, and a
flow or trigger may change fields in our transaction, under our name. Nothing here knows stores or calls.
Source: the evidence rules (docs/rules.md, "When did a side change?").
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from prospect_sync.memory import Couple, FieldChange
from prospect_sync.model import Echo, HistoryRow, Interval, Person, same_id
from prospect_sync.policy.behaviors import FieldMapping
from prospect_sync.policy.values import equal


def look(
    couple: Couple, person: Person, fields: Sequence[FieldMapping], connector: str, unsettled: Sequence[FieldChange]
) -> Couple:
    """Bring a couple's memory up to date with its person as just read.

    ``unsettled``: our own writes to this person whose end is not known.
    """
    ours = same_id(person.modified.by, connector)
    echo, written, base = dict(couple.echo), dict(couple.written), dict(couple.base)
    unconfirmed, seen = set(couple.unconfirmed), {}
    unexplained = False
    for row in fields:
        field = row.person_field(person.type)
        name = row.prospect
        if field is None or field not in person.values:
            continue
        value = person.values[field]
        if name in unconfirmed:
            unconfirmed.discard(name)
            if not equal(row.type, value, written[name]) and ours:
                # the trigger or flow of our own transaction stored it in its own way
                echo[name] = Echo(written=written[name], stored=value)
                base.pop(name, None)
        if not _explained(row, value, written, echo, unsettled):
            unexplained = unexplained or _moved(row, value, couple)
            written.pop(name, None)
        if name not in base or not equal(row.type, value, base[name]):
            seen[name] = value
    return replace(
        couple,
        base=base,
        echo={name: entry for name, entry in echo.items() if _standing(fields, person, name, entry)},
        seen=seen,
        written=written,
        unconfirmed=frozenset(unconfirmed),
        person_foreign=_foreign(couple, person, ours=ours, unexplained=unexplained),
        person_read=person.modified.at,
    )


def history_rows(
    rows: Sequence[tuple[str, datetime, str]],
    couple: Couple,
    person: Person,
    fields: Sequence[FieldMapping],
    connector: str,
    unsettled: Sequence[FieldChange],
) -> tuple[HistoryRow, ...]:
    """Say of each history row whether it is ours.

    A row by the connector user is ours only where the present value is what we last wrote or its echo; otherwise a flow
    in our transaction changed the field, and the row counts as somebody else's.
    """
    explained = {
        field
        for row in fields
        if (field := row.person_field(person.type)) is not None
        and field in person.values
        and _explained(row, person.values[field], couple.written, couple.echo, unsettled)
    }
    return tuple(HistoryRow(field, at, same_id(by, connector) and field in explained) for field, at, by in rows)


def _explained(
    row: FieldMapping,
    value: Any,
    written: Mapping[str, Any],
    echo: Mapping[str, Echo],
    unsettled: Sequence[FieldChange],
) -> bool:
    """The value is what we last wrote, how it was stored, or what an unsettled write of ours would have written."""
    name = row.prospect
    if name in written and equal(row.type, value, written[name]):
        return True
    if name in written and name in echo and equal(row.type, value, echo[name].stored):
        return True
    return any(change.prospect_field == name and equal(row.type, value, change.after) for change in unsettled)


def _moved(row: FieldMapping, value: Any, couple: Couple) -> bool:
    """The value differs from our last look; without an earlier look nothing can be said."""
    name = row.prospect
    if name in couple.seen:
        return not equal(row.type, value, couple.seen[name])
    return name in couple.base and not equal(row.type, value, couple.base[name])


def _standing(fields: Sequence[FieldMapping], person: Person, name: str, entry: Echo) -> bool:
    """An echo is over once the person's value is neither what was stored nor what was written."""
    row = next((row for row in fields if row.prospect == name), None)
    field = row.person_field(person.type) if row else None
    if row is None or field is None or field not in person.values:
        return row is not None
    value = person.values[field]
    return equal(row.type, value, entry.stored) or equal(row.type, value, entry.written)


def _foreign(couple: Couple, person: Person, *, ours: bool, unexplained: bool) -> Interval | None:
    stamp = person.modified.at
    if stamp is None or (ours and not unexplained):
        return couple.person_foreign
    if ours:
        return Interval(min(couple.person_read or stamp, stamp), stamp)
    return Interval.at(stamp)
