"""The Avro schema of one object's change events as its fields are now, and the bitmaps over it.

A schema's id is a digest of its text. A *slot* names one thing that can change: a plain field, a part of a compound, or
a compound as a whole. Knows no events.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from fastavro import parse_schema

from prospect_sync.sandbox.salesforce.events.field_order import ADDRESS, FIELD_ORDER, PERSON_NAME
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType

NAMESPACE = "com.sforce.eventbus"
CHANGE_TYPES = (
    "CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE",
    "GAP_OVERFLOW", "SNAPSHOT",
)  # fmt: skip
_STRINGS = {"type": "array", "items": "string"}
_HEADER = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": _STRINGS},
        {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": list(CHANGE_TYPES)}},
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": _STRINGS},
        {"name": "diffFields", "type": _STRINGS},
        {"name": "changedFields", "type": _STRINGS},
    ],
}
_AVRO = {"boolean": "boolean", "int": "int", "double": "double", "currency": "double", "percent": "double"}
_AVRO |= {"date": "long", "datetime": "long"}
_TAGS = {
    "string": "Data:Text", "textarea": "Data:StringPlusClob", "email": "Data:Email", "phone": "Data:Phone",
    "url": "Data:Url", "boolean": "Data:Boolean", "int": "Data:Integer", "double": "Data:Double",
    "currency": "Data:Currency", "percent": "Data:Percent", "date": "Data:DateOnly", "datetime": "Data:DateTime",
    "picklist": "Data:DynamicEnum", "multipicklist": "Data:MultiEnum", "reference": "ForeignKey:EntityId",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that can change. `field` is the stored field, None for a compound and for what the org lacks."""

    name: str
    top: int
    part: int | None = None
    part_name: str | None = None
    field: Field | None = None
    parts: tuple[str, ...] = ()
    """Of a compound: the stored fields that are its parts."""


class EventSchema:
    """One version of one object's event schema."""

    def __init__(self, kind: ObjectType) -> None:
        self.object = kind.name
        self.slots = tuple(_slots(kind))
        self.slot_of = {slot.field.name: place for place, slot in enumerate(self.slots) if slot.field}
        self.compound_of = {name: place for place, slot in enumerate(self.slots) for name in slot.parts}
        self.json = json.dumps(_document(kind), separators=(",", ":"))
        digest = hashlib.sha256(self.json.encode()).digest()[:16]
        self.id = base64.urlsafe_b64encode(digest).decode().rstrip("=")

    @cached_property
    def parsed(self) -> Any:
        """As fastavro writes with it."""
        return parse_schema(json.loads(self.json))


def bitmaps(slots: Iterable[Slot]) -> list[str]:
    """Fields as the header tells them: the top level first, then each compound's parts under its position."""
    top, nested = 0, dict[int, int]()
    for slot in slots:
        if slot.part is None:
            top |= 1 << slot.top
        else:
            nested[slot.top] = nested.get(slot.top, 0) | 1 << slot.part
    return [_hex(top)] * bool(top) + [f"{place}-{_hex(bits)}" for place, bits in sorted(nested.items())]


def avro_value(slot: Slot, value: Any) -> Any:
    """A stored value as the payload carries it."""
    if value is None or slot.field is None:
        return None
    convert = _CONVERTED.get(slot.field.type)
    return convert(value) if convert else value


def _hex(bits: int) -> str:
    """Whole bytes, no more than the highest bit needs."""
    return f"0x{bits:0{(bits.bit_length() + 7) // 8 * 2}X}"


def _date(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


_CONVERTED: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "datetime": lambda seconds: seconds * 1000,
    "date": _date,
    "double": float,
    "currency": float,
    "percent": float,
}


def _members(kind: ObjectType) -> list[tuple[str, str, Field | None]]:
    """Name, type and stored field of every member of the record behind the header."""
    members: list[tuple[str, str, Field | None]] = []
    for entry in FIELD_ORDER[kind.name]:
        name, _, absent = entry.partition(":")
        one = kind.field(name)
        if absent or one is None:
            members.append((name, absent or "string", None))
        elif one.parts:
            members.append((name, "address", one))
        elif name == "Name" and one.formula:
            members.append((name, "person", one))
        else:
            members.append((name, one.type, one))
    members += [(one.name, one.type, one) for one in kind.fields if one.custom]
    return members


def _slots(kind: ObjectType) -> Iterator[Slot]:
    for top, (name, what, one) in enumerate(_members(kind), start=1):
        if what == "person":
            yield Slot(name, top, parts=PERSON_NAME)
            yield from (Slot(name, top, place, part, kind.field(part)) for place, part in enumerate(PERSON_NAME))
        elif what == "address":
            held = [field for _, field in one.parts] if one else []
            yield Slot(name, top, parts=tuple(held))
            yield from (
                Slot(name, top, place, part, kind.field(field))
                for place, ((part, _), field) in enumerate(zip(ADDRESS, held, strict=False))
            )
        else:
            yield Slot(name, top, field=one)


def _document(kind: ObjectType) -> dict[str, Any]:
    fields: list[dict[str, Any]] = [{"name": "ChangeEventHeader", "type": _HEADER, "doc": "Data:ComplexValueType"}]
    address_known = False
    for place, (name, what, one) in enumerate(_members(kind)):
        if what == "address":
            avro: Any = ["null", "Address" if address_known else _record("Address", ADDRESS)]
            address_known, tag = True, "Data:Address"
        elif what == "person":
            avro, tag = ["null", _record("PersonName", [(part, "string") for part in PERSON_NAME])], "Data:PersonName"
        elif kind.name == "Account" and name == "Name":
            switched = _record("Switchable_PersonName", [(part, "string") for part in PERSON_NAME])
            avro, tag = ["null", "string", switched], "Data:Switchable_PersonName"
        else:
            avro, tag = ["null", _AVRO.get(what, "string")], _tag(name, what, one, place)
        fields.append({"name": name, "type": avro, "doc": tag, "default": None})
    return {"type": "record", "name": f"{kind.name}ChangeEvent", "namespace": NAMESPACE, "fields": fields}


def _record(name: str, members: Iterable[tuple[str, str]]) -> dict[str, Any]:
    fields = [{"name": part, "type": ["null", avro], "default": None} for part, avro in members]
    return {"type": "record", "name": name, "fields": fields}


def _tag(name: str, what: str, one: Field | None, place: int) -> str:
    if name == "CreatedDate":
        return "CreatedDate:DateTime"
    tag = _TAGS.get(what, "Data:Text")
    return f"{tag}:00N8d00000{place:05d}" if one is not None and one.custom else tag
