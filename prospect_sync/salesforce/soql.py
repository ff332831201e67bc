"""Builds SOQL text. Ids and names are checked against their alphabet and literals are quoted, so no data becomes syntax."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime

LONGEST = 100_000
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\Z")
_NAME = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)*\Z", re.ASCII)
_QUOTED_ID = len("'00QAA0000000001AAA',")


def is_id(text: str) -> bool:
    """Tell whether this can be a record's id; one malformed id would fail a whole query."""
    return bool(_ID.match(text))


def is_name(text: str) -> bool:
    """Tell whether this can be a field's name, dots for relationships included."""
    return bool(_NAME.match(text))


def text(value: str) -> str:
    """Quote a text literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def instant(value: datetime) -> str:
    """Write an instant literal, with milliseconds only where it has some."""
    utc = value.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S") + (f".{utc.microsecond // 1000:03d}" if utc.microsecond else "") + "Z"


def among(column: str, values: Iterable[str]) -> str:
    """Write ``column IN (…)``; there must be at least one value."""
    return f"{column} IN ({','.join(text(value) for value in values)})"


def select(columns: Collection[str], source: str, where: str, *, order: str = "", limit: int = 0) -> str:
    """Write a query; without a condition it is for all records."""
    tail = (f" ORDER BY {order}" if order else "") + (f" LIMIT {limit}" if limit else "")
    condition = f" WHERE {where}" if where else ""
    return f"SELECT {','.join(columns)} FROM {source}{condition}{tail}"  # noqa: S608 - quoted and checked above


def first(columns: Collection[str], source: str) -> str:
    """Write a query for any one row."""
    return f"SELECT {','.join(columns)} FROM {source} LIMIT 1"  # noqa: S608 - names only


def id_chunks(ids: Collection[str], rest: int) -> Iterator[list[str]]:
    """Cut ids so that a query with ``rest`` other characters stays below the longest allowed, and below 2,000 rows."""
    most = max(1, min(2_000, (LONGEST - rest - 1) // _QUOTED_ID))
    ordered = sorted(ids)
    for start in range(0, len(ordered), most):
        yield ordered[start : start + most]
