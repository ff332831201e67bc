"""Turns an event's payload into a ``ChangeEvent``. Knows shapes, asks nothing.

An event whose header can be read but whose bitmaps cannot is a gap: it says that something changed, and not what.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader

from prospect_sync.model import RecordKind, id18
from prospect_sync.ports import ChangeEvent, ChangeKind
from prospect_sync.salesforce.events.bitmaps import api_names, decode
from prospect_sync.salesforce.events.schemas import EventSchema

_HEADER = "ChangeEventHeader"
_OVERFLOW = "GAP_OVERFLOW"
_ID = re.compile(r"(?!000)[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z")
_KINDS = {kind.value: kind for kind in (RecordKind.LEAD, RecordKind.CONTACT, RecordKind.ACCOUNT)}
_CHANGES = {kind.value.upper(): kind for kind in ChangeKind}
UNREADABLE = ChangeEvent(None, ChangeKind.UPDATE, unbounded=True)
"""Stands for an event that cannot be read at all: anything may have changed."""


def read_event(schema: EventSchema, payload: bytes) -> ChangeEvent:
    """Read one event.

    Raises:
        ValueError: the payload does not fit the schema, or it is no change event.
    """
    try:
        record = schemaless_reader(BytesIO(payload), schema.parsed, None)
        return _event(schema, record)
    except Exception as error:  # whatever bytes of another shape make fastavro raise
        raise ValueError(f"not a change event of this schema: {type(error).__name__}") from error


def _event(schema: EventSchema, record: Any) -> ChangeEvent:
    header = record[_HEADER]
    word = str(header["changeType"])
    named = [str(record_id) for record_id in header["recordIds"]]
    ids = tuple(id18(record_id) for record_id in named if _ID.match(record_id))
    fields, values, readable = _fields(schema, record, header)
    return ChangeEvent(
        kind=_KINDS.get(str(header["entityName"])),
        change=_CHANGES.get(word.removeprefix("GAP_"), ChangeKind.UPDATE),
        ids=ids,
        at=datetime.fromtimestamp(header["commitTimestamp"] / 1000, UTC),
        by=str(header["commitUser"]),
        fields=fields,
        values=values,
        gap=not readable or word not in _CHANGES,
        unbounded=word == _OVERFLOW or len(ids) < len(named) or not named,
    )


def _fields(
    schema: EventSchema, record: Mapping[str, Any], header: Mapping[str, Any]
) -> tuple[frozenset[str], dict[str, Any], bool]:
    """Give the changed fields, the values of those that show one beyond doubt, and whether the bitmaps made sense."""
    try:
        changed = decode(schema, _texts(header["changedFields"]))
        nulled = set(decode(schema, _texts(header["nulledFields"])))
        shortened = set(decode(schema, _texts(header["diffFields"])))
    except ValueError:
        return frozenset(), {}, False
    names, values = set[str](), dict[str, Any]()
    for place, part in changed:
        name, *others = api_names(schema, place, part)
        names.update((name, *others))
        if (place, part) in nulled:
            values.update(dict.fromkeys((name, *others)))
        elif (place, part) not in shortened and place not in schema.instants:
            shown = _shown(schema, record, place, part)
            if isinstance(shown, str | bool | int | float):
                values[name] = shown
    return frozenset(names), values, True


def _shown(schema: EventSchema, record: Mapping[str, Any], place: int, part: int | None) -> Any:
    value = record.get(schema.names[place])
    if part is None:
        return value
    return value.get(schema.parts[place][part]) if isinstance(value, Mapping) else None


def _texts(entries: Any) -> Sequence[str]:
    return [str(entry) for entry in entries or ()]
