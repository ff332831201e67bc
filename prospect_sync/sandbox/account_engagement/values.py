"""How a field's value travels: from JSON to what is stored, and back.

Instants are stored as whole seconds, booleans as 0 and 1, lists as JSON text. A value that does not fit its
field's kind is refused with the vendor's code.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.fields import ProspectField

Stored = str | int | float | None

_EMAIL = re.compile(r"[^@\s,;<>()\[\]\"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
_MOST_INTEGER = 2**63 - 1


def stored(field: ProspectField, value: Any) -> Stored:
    """Turn one JSON value into what is stored; null, empty text and an empty list clear the field."""
    if value is None or value in ("", []):
        return None
    match field.kind:
        case "boolean":
            return _boolean(field, value)
        case "integer":
            return _integer(field, value)
        case "number":
            return _number(field, value)
        case "instant":
            return epoch(value, field.name)
        case "date":
            return _date(field, value)
        case "list":
            return _list(field, value)
        case "email":
            return _email(value)
        case _:
            return _text(field, value)


def shown(field: ProspectField, value: Stored, zone: tzinfo) -> Any:
    """Turn what is stored into the JSON value the API answers."""
    if value is None:
        return None
    match field.kind:
        case "boolean":
            return bool(value)
        case "instant":
            return iso(int(value), zone)
        case "list":
            return json.loads(str(value))
        case _:
            return value


class Shower:
    """Turns stored rows of the same fields into JSON objects, many at a time."""

    def __init__(self, fields: Sequence[ProspectField], zone: tzinfo) -> None:
        self._names = [field.name for field in fields]
        self._converted = [field for field in fields if field.kind in ("boolean", "instant", "list")]
        self._zone = zone

    def show(self, row: Sequence[Stored]) -> dict[str, Any]:
        answer: dict[str, Any] = dict(zip(self._names, row, strict=True))
        for field in self._converted:
            if answer[field.name] is not None:
                answer[field.name] = shown(field, answer[field.name], self._zone)
        return answer


def iso(seconds: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(seconds, zone).isoformat()


def epoch(value: Any, name: str) -> int:
    """Read an ISO 8601 instant, which must carry an offset, as whole seconds."""
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise refusal(7, name) from None
    if instant.tzinfo is None:
        raise refusal(7, f"{name} carries no offset")
    return int(instant.astimezone(UTC).timestamp())


def _boolean(field: ProspectField, value: Any) -> int:
    if not isinstance(value, bool):
        raise refusal(50, field.name)
    return int(value)


def _integer(field: ProspectField, value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]+", str(value)) or abs(int(value)) > _MOST_INTEGER:
        raise refusal(56, field.name)
    return int(value)


def _number(field: ProspectField, value: Any) -> int | float:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise refusal(56, field.name) from None
    if isinstance(value, bool | list | dict) or not number.is_finite():
        raise refusal(56, field.name)
    whole = number == number.to_integral_value() and abs(number) <= _MOST_INTEGER
    return int(number) if whole else float(number)


def _date(field: ProspectField, value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise refusal(57, field.name) from None


def _list(field: ProspectField, value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise refusal(51, field.name)
    return json.dumps(list(dict.fromkeys(value)))


def _email(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 254 or not _EMAIL.fullmatch(value):
        raise refusal(4)
    return value


def _text(field: ProspectField, value: Any) -> str:
    if isinstance(value, bool | list | dict):
        raise refusal(51, field.name)
    return str(value)
