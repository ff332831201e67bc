"""Values on the wire and values in the storage, and the way between them, by field type.

Stored: text, whole seconds since 1970 for instants, 0/1 for checkboxes, plain numbers; empty is null. Says
which JSON a field takes, and not whether the value is allowed there (`validation`).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from prospect_sync.sandbox.salesforce.errors import malformed_id, refusal, unreadable_json
from prospect_sync.sandbox.salesforce.ids import full_id
from prospect_sync.sandbox.salesforce.schema import Field

_TOO_LARGE = 2**63
"""For the storage; which numbers a field takes is checked when the record is saved."""
Stored = str | int | float | None

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_JSON_KINDS = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}
_JSON_KINDS |= {dict: "START_OBJECT", list: "START_ARRAY"}
_WIRE_NAMES = {"textarea": "string", "email": "string", "phone": "string", "url": "string"}
_WIRE_NAMES |= {"picklist": "string", "multipicklist": "string", "datetime": "datetime", "reference": "reference"}


def stored(field: Field, value: Any) -> Stored:
    """Turn what a client sent for a field into what is kept, or refuse it in the vendor's words."""
    if value is None:
        if field.type == "boolean":
            raise wrong_type(field, "")
        return None
    return _READERS.get(field.type, _text)(field, value)


def shown(field: Field) -> Callable[[Any], Any] | None:
    """How a kept value goes to the wire; None where it goes as it is."""
    return _WRITERS.get(field.type)


def wrong_type(field: Field, value: object) -> Exception:
    message = f"{field.label or field.name}: value not of required type: {value}"
    return refusal("INVALID_TYPE_ON_FIELD_IN_RECORD", message, fields=[field.name])


@lru_cache(maxsize=65_536)
def instant_text(seconds: int) -> str:
    """An instant as REST answers it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def instant_seconds(text: str) -> int | None:
    """Whole seconds of an instant with an offset, fractions cut; None where the text is none."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() // 1)
    except ValueError:
        return None


def is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _unreadable(field: Field, value: Any) -> Exception:
    kind = _JSON_KINDS.get(type(value), "VALUE_STRING")
    text = "{" if isinstance(value, dict) else "[" if isinstance(value, list) else value
    name = _WIRE_NAMES.get(field.type, field.type)
    return unreadable_json(
        f"Cannot deserialize instance of {name} from {kind} value {text} or request may be missing a required "
        f"field at [field {field.name}]"
    )


def _text(field: Field, value: Any) -> Stored:
    if not isinstance(value, str):
        raise _unreadable(field, value)
    if any("\ud800" <= char <= "\udfff" for char in value):
        message = f"{field.label or field.name}: text data outside supported charset"
        raise refusal("TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET", message, fields=[field.name])
    return value.strip() or None


def _multi(field: Field, value: Any) -> Stored:
    """Chosen values come back in the order of their definition, each once."""
    text = _text(field, value)
    if text is None:
        return None
    chosen = list(dict.fromkeys(part.strip() for part in str(text).split(";") if part.strip()))
    places = {name: place for place, name in enumerate(field.values)}
    chosen.sort(key=lambda name: places.get(name, len(places)))
    return ";".join(chosen) or None


def _boolean(field: Field, value: Any) -> Stored:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return int(value.lower() == "true")
    raise _unreadable(field, value)


def _number(field: Field, value: Any) -> Stored:
    if isinstance(value, str):
        value = _parsed_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _TOO_LARGE:
        raise _unreadable(field, value)
    if field.type == "int":
        if value != int(value):
            raise _unreadable(field, value)
        return int(value)
    return float(value)


def _parsed_number(text: str) -> Any:
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        return text
    return float(text) if set(text) & set(".eE") else int(text)


def _date(field: Field, value: Any) -> Stored:
    if value == "":
        return None
    if isinstance(value, str) and is_date(value):
        return value
    if isinstance(value, str) and (seconds := instant_seconds(value)) is not None:
        return instant_text(seconds)[:10]
    raise _unreadable(field, value)


def _datetime(field: Field, value: Any) -> Stored:
    if value == "":
        return None
    seconds = instant_seconds(value) if isinstance(value, str) else None
    if seconds is None:
        raise _unreadable(field, value)
    return seconds


def _reference(field: Field, value: Any) -> Stored:
    if value == "":
        return None
    if isinstance(value, dict):
        message = f"The value provided for foreign key reference {field.relationship} is not a nested SObject"
        raise refusal("INVALID_FIELD", message)
    ident = full_id(value) if isinstance(value, str) else None
    if ident is None:
        raise malformed_id(value)
    return ident


_READERS: dict[str, Callable[[Field, Any], Stored]] = {
    "boolean": _boolean,
    "int": _number,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
    "id": _reference,
    "multipicklist": _multi,
    "anyType": lambda _, value: int(value) if isinstance(value, bool) else value,
}

_WRITERS: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "datetime": lambda seconds: None if seconds is None else instant_text(seconds),
}
