"""From what a transaction wrote to the events that tell it: one for each record, equal ones of one second merged.

Keeps the values as stored, packed small; Avro is for whoever delivers. Runs for every committed change, so it is short
of calls and copies.
"""

import difflib
import hashlib
import marshal
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from prospect_sync.sandbox.salesforce.events.schema import CHANGE_TYPES, EventSchema
from prospect_sync.sandbox.salesforce.records import Change
from prospect_sync.sandbox.salesforce.storage import Row

CHANGE_CODES = {name: place for place, name in enumerate(CHANGE_TYPES)}
_LONGEST_WHOLE_TEXT = 1_000
_AS_A_WHOLE = frozenset({"create", "undelete"})


@dataclass(frozen=True, slots=True)
class Told:
    """One event before it is encoded; `transaction` counts those of the org."""

    object: str
    ids: str
    """Joined by commas."""
    change: int
    origin: str
    transaction: int
    sequence: int
    at: int
    user_id: str
    slots: tuple[int, ...] = ()
    values: tuple[Any, ...] = ()
    diffs: tuple[int, ...] = ()

    def packed(self, schema: int) -> bytes:
        facts = (
            schema, self.ids, self.change, self.origin, self.transaction, self.sequence, self.at, self.user_id,
            array("H", self.slots).tobytes(), self.values, self.diffs,
        )  # fmt: skip
        return marshal.dumps(facts)


def unpacked(object_name: str, body: bytes) -> tuple[int, Told]:
    """The number of the schema, and the event."""
    schema, ids, change, origin, transaction, sequence, at, user_id, slots, values, diffs = marshal.loads(body)  # noqa: S302 - bytes of our own making
    places = array("H")
    places.frombytes(slots)
    told = Told(object_name, ids, change, origin, transaction, sequence, at, user_id, tuple(places), values, diffs)
    return schema, told


class Feed:
    """Turns changes into events; `schema_of` gives an object's schema, None where it has no events."""

    def __init__(self, schema_of: Callable[[str], EventSchema | None]) -> None:
        self._schema_of = schema_of
        self._transactions = 0

    def next_transaction(self) -> int:
        self._transactions += 1
        return self._transactions

    def told(self, changes: Sequence[Change]) -> list[Told]:
        """The events of what one call or edit wrote, in the order of the first change of each."""
        numbers: dict[int, list[int]] = {}
        """By the call's own count of its transactions: the org's count, and the events so far."""
        groups: dict[tuple[Any, ...], list[str]] = {}
        for run in _runs(changes):
            schema = self._schema_of(run[0].object)
            if schema is not None:
                groups.setdefault(_content(schema, run), []).append(run[0].id)
        events = []
        for (transaction, name, code, *content), ids in groups.items():
            number = numbers.get(transaction)
            if number is None:
                number = numbers[transaction] = [self.next_transaction(), 0]
            number[1] += 1
            at, user_id, origin, slots, values, diffs = content
            events.append(
                Told(name, ",".join(ids), code, origin, number[0], number[1], at, user_id, slots, values, diffs)
            )
        return events


def _runs(changes: Sequence[Change]) -> Iterable[list[Change]]:
    """The changes of each record within one transaction."""
    if len(changes) == 1:
        return (list(changes),)
    runs: dict[tuple[int, str], list[Change]] = {}
    for change in changes:
        runs.setdefault((change.transaction, change.id), []).append(change)
    return runs.values()


def _content(schema: EventSchema, run: list[Change]) -> tuple[Any, ...]:
    """All that makes an event but the record: records alike in it share one event."""
    first, last = run[0], run[-1]
    diffs: tuple[int, ...] = ()
    if first.action == "delete":
        slots: list[int] = []
        row: Row = {}
    elif first.action in _AS_A_WHOLE:
        row = _final(run)
        # A new record's unticked checkboxes come as null, as the vendor's own example has them.
        slots = [place for name, place in schema.slot_of.items() if row.get(name) not in (None, 0)]
    else:
        row = _final(run)
        slots = _changed(schema, run, row)
        diffs = _shortened(schema, slots, first.before, row)
    values = tuple(row.get(field.name) if (field := schema.slots[place].field) else None for place in slots)
    return (
        first.transaction, schema.object, CHANGE_CODES[first.action.upper()], last.at, last.user_id, last.origin,
        tuple(slots), values, diffs,
    )  # fmt: skip


def _final(run: list[Change]) -> Row:
    row: Row = {}
    for change in run:
        row |= change.after
        if change.stamped:
            row |= {"LastModifiedDate": change.at, "LastModifiedById": change.user_id}
    return row


def _changed(schema: EventSchema, run: list[Change], row: Row) -> list[int]:
    """The slots of an update; a compound all of whose parts are empty now stands for them."""
    slots = set()
    for change in run:
        for name in change.changes:
            place = schema.slot_of.get(name)
            if place is None:
                continue
            whole = schema.compound_of.get(name)
            emptied = whole is not None and all(row.get(part) is None for part in schema.slots[whole].parts)
            slots.add(whole if whole is not None and emptied else place)
        if change.stamped:
            slots.add(schema.slot_of["LastModifiedDate"])
            if change.user_id != change.before.get("LastModifiedById"):
                slots.add(schema.slot_of["LastModifiedById"])
    return sorted(slots)


def _shortened(schema: EventSchema, slots: list[int], before: Row, row: Row) -> tuple[int, ...]:
    """Put a difference in the place of each long text that replaces another; says which ones."""
    found = []
    for place in slots:
        field = schema.slots[place].field
        if field is None or field.length <= _LONGEST_WHOLE_TEXT:
            continue
        old, new = before.get(field.name), row.get(field.name)
        if isinstance(old, str) and isinstance(new, str) and len(new) > _LONGEST_WHOLE_TEXT:
            row[field.name] = _difference(old, new)
            found.append(place)
    return tuple(found)


def _difference(old: str, new: str) -> str:
    """A unified diff under the digest of the old text; the vendor's exact lay-out is not documented."""
    digest = hashlib.sha256(old.encode()).hexdigest()
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), digest, "", lineterm="")
    return "\n".join(lines)
