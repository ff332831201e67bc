"""What the JSON of both vendors has in common: instants, exact numbers, paths into objects, and values with no JSON form.

It knows no vendor's fields, addresses or errors. Numbers with a fraction are Decimals both ways, so that no amount of
money passes through a float.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

from prospect_sync.model import to_second

MISSING: Final = object()


def encode(value: Any) -> bytes:
    """Write a value as JSON in UTF-8.

    Raises:
        ValueError: it holds something with no JSON form: a lone surrogate, NaN, an unknown type.
    """
    try:
        return _text(value).encode()
    except TypeError as error:
        raise ValueError(str(error)) from error


def unsendable(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the fields whose values have no JSON form, so that they can be left out before one of them spoils a batch."""
    return tuple(name for name, value in changes.items() if not _has_form(value))


def decode(content: bytes | str) -> Any:
    """Read JSON, fractions as Decimal.

    Raises:
        ValueError: it is no JSON, or nested without end.
    """
    try:
        return json.loads(content, parse_float=Decimal)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def exact_instant(value: Any) -> datetime:
    """Read a vendor's instant (``Z``, ``+0000`` or ``-05:00``) as aware UTC, with its fraction.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        raise ValueError(f"an instant is text, not {type(value).__name__}")  # noqa: TRY004 - wrong data, not a wrong call
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(f"an instant without a time zone: {value}")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"an instant out of range: {value}") from error


def instant(value: Any) -> datetime | None:
    """Read a vendor's instant to the second; None for null.

    Raises:
        ValueError: it is neither.
    """
    return None if value is None else to_second(exact_instant(value))


def asked_at(date_header: str | None, elapsed: timedelta, otherwise: datetime) -> datetime:
    """Tell the vendor's clock when a question arrived, rather a second too early than a moment too late.

    The header is written when the answer is ready; what was committed while the vendor worked may be missing from it.
    """
    try:
        answered = parsedate_to_datetime(date_header or "")
    except ValueError:
        return to_second(otherwise)
    return to_second(answered.replace(tzinfo=answered.tzinfo or UTC) - elapsed)


def member(row: Mapping[str, Any], path: str) -> Any:
    """Follow a dotted path into nested objects: MISSING where a key is absent, None where an object on the way is null."""
    found: Any = row
    for key in path.split("."):
        if found is None:
            return None
        if not isinstance(found, Mapping) or key not in found:
            return MISSING
        found = found[key]
    return found


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(str(key))}:{_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, date):  # a datetime is one, too
        return json.dumps(value.isoformat())
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"no JSON number: {value}")
    return format(value, "f") if abs(value.adjusted()) < 40 else str(value)


def _has_form(value: Any) -> bool:
    try:
        encode(value)
    except ValueError:
        return False
    return True
