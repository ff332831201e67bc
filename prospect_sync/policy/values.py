"""What a value *is*, whatever either side's wire format makes of it: empty, equal, and how it is written to the other side.

A raw value is read into a *reading*: a comparable plain value, ``EMPTY``, or ``Unread`` with the reason. Two raw values are
equal when their readings are. This file knows types only: no field, no rule, no record.
"""

import unicodedata
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

from prospect_sync.model import NOTHING, Side
from prospect_sync.policy.behaviors import FieldType


class Empty(Enum):
    """Null, no text, white space only, or no selection."""

    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Unread:
    """Neither filled nor empty: missing from what was read, or not readable as its type. ``reason`` is for people."""

    reason: str


EMPTY: Final = Empty.EMPTY
NOT_READ: Final = Unread("was not read")

Reading = str | bool | Decimal | date | datetime | frozenset[str] | Empty | Unread

# Beyond any number either side can hold; it keeps "1e999999999" from being written out as a billion digits.
_MOST_DIGITS = 400
_NUMERALS = frozenset("0123456789+-.eE")
_NO_NUMBER: Final = Unread("cannot be read as a number")
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class ValueMap:
    """The mapping's value map of one field: what an AE value is called in Salesforce, and back.

    A value without an entry passes unchanged. Where two AE values share one Salesforce value, the first one stands for it.
    """

    to_salesforce: MappingOf[str, str] = field(default_factory=lambda: NOTHING)
    to_account_engagement: MappingOf[str, str] = field(default_factory=lambda: NOTHING)

    @classmethod
    def of(cls, entries: MappingOf[str, str]) -> "ValueMap":
        forward = {_plain(ours): theirs for ours, theirs in entries.items()}
        back: dict[str, str] = {}
        for ours, theirs in entries.items():
            back.setdefault(_plain(theirs), ours)
        return cls(forward, back)


def is_empty(field_type: FieldType, value: Any) -> bool:
    """Tell whether a value counts as empty; ``false`` and ``0`` never do, nor does a value that cannot be read."""
    return read(field_type, value) is EMPTY


def equal(field_type: FieldType, left: Any, right: Any) -> bool:
    """Tell whether two values are the same thing for this type; a value that cannot be read equals nothing."""
    reading = read(field_type, left)
    return not isinstance(reading, Unread) and reading == read(field_type, right)


def convert(field_type: FieldType, value: Any, to: Side, values: ValueMap | None = None) -> Any:
    """Write a value the way the side ``to`` wants it.

    Shape: empty becomes None. Numbers are an int or Decimal for Salesforce and plain decimal text for AE; multi-selects are
    ``;``-joined text for Salesforce and a list for AE; dates and instants ISO text; text stays exactly as it was read.
        A value that cannot be read is returned unchanged: a plan never writes one.
    """
    if values is not None:
        value = _renamed(
            field_type, value, values.to_salesforce if to is Side.SALESFORCE else values.to_account_engagement
        )
    reading = read(field_type, value)
    if reading is EMPTY:
        return None
    match field_type:
        case FieldType.NUMBER if isinstance(reading, Decimal):
            return _json_number(reading) if to is Side.SALESFORCE else _plain_number(reading)
        case FieldType.MULTISELECT if isinstance(reading, frozenset):
            chosen = _selection(value)
            return ";".join(chosen) if to is Side.SALESFORCE else chosen
        case FieldType.BOOLEAN if isinstance(reading, bool):
            return reading
        case FieldType.DATETIME if isinstance(reading, datetime):
            return iso(reading)
        case FieldType.DATE if isinstance(reading, date):
            return reading.isoformat()
        case _:
            return value


def read(field_type: FieldType, value: Any) -> Reading:
    """Read a raw value as its mapped type. Never raises."""
    if value is None:
        return EMPTY
    if isinstance(value, str) and not value.strip():
        return EMPTY
    return _READERS[field_type](value)


def read_prospect(field_type: FieldType, value: Any, values: ValueMap | None) -> Reading:
    """Read an AE value in Salesforce's words, so that it can be compared with Salesforce's."""
    if values is None:
        return read(field_type, value)
    return read(field_type, _renamed(field_type, value, values.to_salesforce))


def instant(text: str) -> datetime | None:
    """Read an ISO 8601 instant with its zone, cut to the second, in UTC; None where it is not one."""
    if len(text) < 11 or text[10] not in "Tt ":
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def iso(moment: datetime) -> str:
    """Write an instant as ISO 8601 in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def _text(value: Any) -> Reading:
    match value:
        case str():
            return _plain(value)
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            number = _number(value)
            return _plain_number(number) if isinstance(number, Decimal) else Unread("cannot be read as text")
        case _:
            return Unread("cannot be read as text")


def _email(value: Any) -> Reading:
    # lower(), not casefold(): strasse@ and straße@ are two mailboxes
    return _plain(value).lower() if isinstance(value, str) else Unread("cannot be read as an e-mail address")


def _number(value: Any) -> Reading:
    unreadable = _NO_NUMBER
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return unreadable
    try:
        if isinstance(value, str):
            text = value.strip()
            number = Decimal(text) if _NUMERALS.issuperset(text) else Decimal("NaN")
        else:
            number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, ValueError):
        return unreadable
    if not number.is_finite():
        return unreadable
    if not number:
        return Decimal(0)
    return number if abs(number.adjusted()) <= _MOST_DIGITS else unreadable


def _boolean(value: Any) -> Reading:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        value = read(FieldType.TEXT, value)
    truth = _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None
    return Unread("cannot be read as true or false") if truth is None else truth


def _date(value: Any) -> Reading:
    text = value.strip() if isinstance(value, str) else ""
    try:
        if len(text) == 10 and text[4] == text[7] == "-":
            return date.fromisoformat(text)
    except ValueError:
        pass
    return Unread("cannot be read as a date (YYYY-MM-DD)")


def _datetime(value: Any) -> Reading:
    moment = instant(value.strip()) if isinstance(value, str) else None
    return Unread("cannot be read as a date and time with its zone") if moment is None else moment


def _multiselect(value: Any) -> Reading:
    if not isinstance(value, str | list | tuple):
        return Unread("cannot be read as a selection")
    if not isinstance(value, str):
        if not all(isinstance(item, str) for item in value):
            return Unread("cannot be read as a selection")
        if any(";" in item for item in value):
            return Unread("holds a choice with a semicolon, which Salesforce would read as two")
    chosen = frozenset(_plain(item) for item in _selection(value))
    return chosen or EMPTY


_READERS = {
    FieldType.TEXT: _text,
    FieldType.EMAIL: _email,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.MULTISELECT: _multiselect,
}


def _plain(text: str) -> str:
    text = text.strip()
    return text.replace("\r\n", "\n") if text.isascii() else unicodedata.normalize("NFC", text.replace("\r\n", "\n"))


def _selection(value: Any) -> list[str]:
    """List the choices once each, in their order."""
    items = value.split(";") if isinstance(value, str) else value
    return list(dict.fromkeys(item.strip() for item in items if item.strip()))


def _plain_number(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _json_number(number: Decimal) -> int | Decimal:
    text = _plain_number(number)
    return Decimal(text) if "." in text else int(text)


def _renamed(field_type: FieldType, value: Any, names: MappingOf[str, str]) -> Any:
    if field_type is FieldType.MULTISELECT:
        if isinstance(_multiselect(value) if value is not None else EMPTY, Unread | Empty):
            return value
        return [names.get(_plain(item), item) for item in _selection(value)]
    name = read(FieldType.TEXT, value)
    return names.get(name, value) if isinstance(name, str) else value
