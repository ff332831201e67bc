"""How mirrored and agreed values are written in little room: numbers for field names, one list per row, shared times.

A million prospects have some twenty fields each, and most fields of a prospect share one interval.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from prospect_sync.memory import Couple, MirroredField, Opening
from prospect_sync.model import NOTHING, Echo, Interval
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.statements import among, insert_unless_there
from prospect_sync.stores.sql.tables import FIELD_NAMES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = 7
_Time = tuple[Interval, datetime | None]


class FieldNames:
    """The numbers that stand for field names; a name once numbered keeps its number."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def numbers(self, names: Iterable[str]) -> Mapping[str, int]:
        """Give numbers to all these names. Opens a transaction where a name is new: call it before your own."""
        new = set(names) - self._numbers.keys()
        if new:
            with self._database.writing() as connection:
                insert_unless_there(connection, FIELD_NAMES, [{"name": name} for name in sorted(new)])
                self._learn(among(connection, sa.select(FIELD_NAMES), FIELD_NAMES.c.name, new))
        return self._numbers

    def names(self, connection: sa.Connection, numbers: Iterable[int]) -> Mapping[int, str]:
        """Give the names behind all these numbers."""
        new = set(numbers) - self._names.keys()
        self._learn(among(connection, sa.select(FIELD_NAMES), FIELD_NAMES.c.number, new))
        return self._names

    def _learn(self, rows: Iterable[sa.Row[Any]]) -> None:
        for row in rows:
            self._names[row.number] = row.name
            self._numbers[row.name] = row.number


def pack_fields(fields: Mapping[str, MirroredField], numbers: Mapping[str, int]) -> list[Any]:
    """Write mirrored fields as [times, number, value, place of its time, number, …]."""
    times: dict[_Time, int] = {}
    flat: list[Any] = []
    for name, known in fields.items():
        place = times.setdefault((known.changed, known.ours_at), len(times))
        flat += (numbers[name], known.value, place)
    return [[_pack_time(*time) for time in times], *flat]


def unpack_fields(packed: Sequence[Any], names: Mapping[int, str]) -> dict[str, MirroredField]:
    """Read mirrored fields."""
    times = [_unpack_time(time) for time in packed[0]]
    fields = {}
    for start in range(1, len(packed), 3):
        number, value, place = packed[start : start + 3]
        changed, ours_at = times[place]
        fields[names[number]] = MirroredField(value, changed, ours_at)
    return fields


def numbers_of_fields(packed: Sequence[Any]) -> Sequence[int]:
    """Tell which field numbers a mirrored row uses."""
    return packed[1::3]


def pack_couple(couple: Couple, numbers: Mapping[str, int]) -> list[Any]:
    """Write what a couple agreed on; empty parts at the end are left out."""
    parts: list[Any] = [
        _pack_values(couple.base, numbers),
        [part for name, echo in couple.echo.items() for part in (numbers[name], echo.written, echo.stored)],
        _pack_values(couple.seen, numbers),
        _pack_values(couple.written, numbers),
        [numbers[name] for name in sorted(couple.unconfirmed)],
        pack_interval(couple.person_foreign) if couple.person_foreign else [],
        "" if couple.opening is Opening.FRESH else couple.opening.value,
    ]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def names_in(couple: Couple) -> set[str]:
    """Tell which field names a couple uses."""
    return {*couple.base, *couple.echo, *couple.seen, *couple.written, *couple.unconfirmed}


def numbers_in_couple(packed: Sequence[Any]) -> set[int]:
    """Tell which field numbers a couple's row uses."""
    base, echo, seen, written, unconfirmed, *_ = _parts(packed)
    return {*base[::2], *echo[::3], *seen[::2], *written[::2], *unconfirmed}


def unpack_couple(packed: Sequence[Any], names: Mapping[int, str]) -> dict[str, Any]:
    """Read what a couple agreed on, as keyword arguments of ``Couple``."""
    base, echo, seen, written, unconfirmed, foreign, opening = _parts(packed)
    triples = (echo[start : start + 3] for start in range(0, len(echo), 3))
    return {
        "base": _unpack_values(base, names),
        "echo": {names[number]: Echo(ours, theirs) for number, ours, theirs in triples} or NOTHING,
        "seen": _unpack_values(seen, names),
        "written": _unpack_values(written, names),
        "unconfirmed": frozenset(names[number] for number in unconfirmed),
        "person_foreign": unpack_interval(foreign) if foreign else None,
        "opening": Opening(opening) if opening else Opening.FRESH,
    }


def pack_interval(interval: Interval) -> list[float]:
    """Write an interval as [at], [after, until] or [after, until, 1]; seconds since 1970."""
    if interval.first_seen:
        return [_seconds(interval.after), _seconds(interval.until), 1]
    if interval.after == interval.until:
        return [_seconds(interval.after)]
    return [_seconds(interval.after), _seconds(interval.until)]


def unpack_interval(packed: Sequence[float]) -> Interval:
    """Read an interval."""
    return Interval(_instant(packed[0]), _instant(packed[1 if len(packed) > 1 else 0]), len(packed) > 2)


def _parts(packed: Sequence[Any]) -> Sequence[Any]:
    return [*packed, *([] for _ in range(_PARTS - len(packed)))]


def _pack_values(values: Mapping[str, Any], numbers: Mapping[str, int]) -> list[Any]:
    return [part for name, value in values.items() for part in (numbers[name], value)]


def _unpack_values(flat: Sequence[Any], names: Mapping[int, str]) -> Mapping[str, Any]:
    return {names[number]: value for number, value in zip(flat[::2], flat[1::2], strict=True)} or NOTHING


def _pack_time(changed: Interval, ours_at: datetime | None) -> list[Any]:
    packed = pack_interval(changed)
    return packed if ours_at is None else [packed, _seconds(ours_at)]


def _unpack_time(packed: Sequence[Any]) -> _Time:
    if isinstance(packed[0], list):
        return unpack_interval(packed[0]), _instant(packed[1])
    return unpack_interval(packed), None


def _seconds(instant: datetime) -> float:
    since = instant - _EPOCH
    return since.total_seconds() if since.microseconds else since.days * 86_400 + since.seconds


def _instant(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)
