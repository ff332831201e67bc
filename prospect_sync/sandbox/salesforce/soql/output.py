"""From rows of SQL to records of JSON: which column becomes which key, nested as the query's paths are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Write = Callable[[Any], Any] | None


@dataclass(slots=True)
class Leaf:
    """A field: its column and how its value is written."""

    column: int
    write: Write


@dataclass(slots=True)
class Compound:
    """An address: its parts' columns by key; null when no part is filled."""

    parts: dict[str, int]


@dataclass(slots=True)
class AnyValue:
    """A history value, whose meaning another column tells."""

    column: int
    type_column: int
    write: Callable[[Any, Any], Any]


@dataclass(slots=True)
class Node:
    """A record of the answer and, by key, what it holds."""

    type: str
    ident: int
    url_type: int | None = None
    """Where the record's kind is only known from the row: the column that tells it."""
    entries: "dict[str, Leaf | Compound | AnyValue | Node]" = field(default_factory=dict)

    def record(self, row: Sequence[Any], prefix: str) -> dict[str, Any] | None:
        """The record that a row holds; None where a lookup leads nowhere."""
        ident = row[self.ident]
        if ident is None:
            return None
        kind = self.type if self.url_type is None else row[self.url_type]
        found: dict[str, Any] = {"attributes": {"type": self.type, "url": f"{prefix}/sobjects/{kind}/{ident}"}}
        for key, entry in self.entries.items():
            if type(entry) is Leaf:
                found[key] = entry.write(row[entry.column]) if entry.write else row[entry.column]
            elif type(entry) is Node:
                found[key] = entry.record(row, prefix)
            elif type(entry) is Compound:
                found[key] = address(entry.parts, row)
            elif type(entry) is AnyValue:
                found[key] = entry.write(row[entry.type_column], row[entry.column])
        return found


def address(parts: dict[str, int], row: Sequence[Any]) -> dict[str, Any] | None:
    """A compound address as the wire has it."""
    values = {key: row[column] for key, column in parts.items()}
    if not any(values.values()):
        return None
    return dict(sorted((values | {"geocodeAccuracy": None, "latitude": None, "longitude": None}).items()))
