"""An event as its subscriber gets it: Avro, with every field of the schema, unchanged ones null.

Fields that the subscriber may not read are null and in no bitmap.
"""

import hashlib
import io
from collections.abc import Collection
from typing import Any

from fastavro import schemaless_writer

from prospect_sync.sandbox.salesforce.events.feed import CHANGE_CODES, Told
from prospect_sync.sandbox.salesforce.events.schema import CHANGE_TYPES, EventSchema, Slot, avro_value, bitmaps

_UPDATE = CHANGE_CODES["UPDATE"]
_FIRST_COMMIT = 1_100_000_000_000


def avro_payload(schema: EventSchema, told: Told, hidden: Collection[str] = ()) -> bytes:
    """Encode one event; `hidden` are the names of stored fields that are kept from the subscriber."""
    entries = [
        (place, schema.slots[place], value)
        for place, value in zip(told.slots, told.values, strict=True)
        if not (hidden and _is_hidden(schema.slots[place], hidden))
    ]
    record: dict[str, Any] = {"ChangeEventHeader": _header(schema, told, entries)}
    for place, slot, value in entries:
        shown = value if place in told.diffs else avro_value(slot, value)
        if slot.part_name is None:
            record[slot.name] = shown
        else:
            record.setdefault(slot.name, {})[slot.part_name] = shown
    out = io.BytesIO()
    schemaless_writer(out, schema.parsed, record)
    return out.getvalue()


def event_id(told: Told) -> str:
    """The same each time an event is delivered."""
    return _guid(f"{told.object} {told.transaction} {told.sequence}")


def _header(schema: EventSchema, told: Told, entries: list[tuple[int, Slot, Any]]) -> dict[str, Any]:
    updated = told.change == _UPDATE
    return {
        "entityName": schema.object,
        "recordIds": told.ids.split(","),
        "changeType": CHANGE_TYPES[told.change],
        "changeOrigin": told.origin,
        "transactionKey": _guid(f"transaction {told.transaction}"),
        "sequenceNumber": told.sequence,
        "commitTimestamp": told.at * 1000,
        "commitNumber": _FIRST_COMMIT + told.transaction * 7,
        "commitUser": told.user_id,
        "nulledFields": bitmaps(slot for _, slot, value in entries if value is None) if updated else [],
        "diffFields": bitmaps(slot for place, slot, _ in entries if place in told.diffs),
        "changedFields": bitmaps(slot for _, slot, _ in entries) if updated else [],
    }


def _is_hidden(slot: Slot, hidden: Collection[str]) -> bool:
    return slot.field.name in hidden if slot.field else any(part in hidden for part in slot.parts)


def _guid(text: str) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"
