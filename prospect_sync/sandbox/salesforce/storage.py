"""The records of one org in an in-memory SQLite database: a table per object, a column per field.

Compact (a null costs one byte) and indexed for what clients ask by. Knows no rules; only its callers do.
Used by one thread at a time (the state's lock).
"""

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from prospect_sync.sandbox.salesforce.ids import made_id, made_pattern, serial_of
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType
from prospect_sync.sandbox.salesforce.wire import Stored

Row = dict[str, Any]
_LOOKED_UP = frozenset({"Email", "AccountId", "ConvertedContactId", "MasterRecordId", "Username"})


class Storage:
    """Tables and rows; every statement binds its values."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=1024, check_same_thread=False)
        self.db.execute("PRAGMA temp_store = MEMORY")
        self._serials: dict[str, int] = {}
        self._depth = 0

    def create(self, kind: ObjectType) -> None:
        """Make the object's table and indexes."""
        columns = ", ".join(_column(one) for one in kind.fields if not one.parts)
        self.db.execute(f'CREATE TABLE "{kind.name}" ({columns})')
        if kind.parent_field:
            self._index(kind.name, (kind.parent_field, "Field", "CreatedDate"))
            self._index(kind.name, ("CreatedDate",))
        elif kind.field("SystemModstamp"):
            self._index(kind.name, ("SystemModstamp", "Id"))
        for one in kind.fields:
            if one.name in _LOOKED_UP:
                self._index(kind.name, (one.name,))

    def add_column(self, kind: ObjectType, one: Field) -> None:
        """Give the table a column for a custom field; checkboxes begin unticked on every record."""
        default = " DEFAULT 0" if one.type == "boolean" else ""
        self.db.execute(f'ALTER TABLE "{kind.name}" ADD COLUMN {_column(one)}{default}')
        if one.external_id or one.unique:
            self._index(kind.name, (one.name,))

    def _index(self, table: str, columns: Sequence[str]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        self.db.execute(f'CREATE INDEX "{table}.{"+".join(columns)}" ON "{table}" ({names})')

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; may be nested."""
        name = f"depth{self._depth}"
        self._depth += 1
        self.db.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            self.db.execute(f"ROLLBACK TO {name}")
            raise
        finally:
            self._depth -= 1
            self.db.execute(f"RELEASE {name}")

    def new_id(self, kind: ObjectType) -> str:
        serial = self._serials.get(kind.name, 0) + 1
        self._serials[kind.name] = serial
        return made_id(kind.prefix, serial)

    def remember_ids(self, kind: ObjectType) -> None:
        """Go on behind the highest id of our own making that was loaded."""
        pattern = made_pattern(kind.prefix)
        found = self.db.execute(f'SELECT max(Id) FROM "{kind.name}" WHERE Id GLOB ?', (pattern,)).fetchone()[0]  # noqa: S608 - names come from the schema, never from a request
        if found:
            self._serials[kind.name] = max(serial_of(found), self._serials.get(kind.name, 0))

    def insert(self, kind: ObjectType, row: Mapping[str, Stored]) -> None:
        self.db.execute(_insertion(kind, tuple(row)), tuple(row.values()))

    def insert_many(self, kind: ObjectType, columns: Sequence[str], rows: Iterable[Sequence[Stored]]) -> None:
        """Insert or replace many rows with the same columns."""
        self.db.executemany(_insertion(kind, columns), rows)

    def update(self, kind: ObjectType, ident: str, changes: Mapping[str, Stored]) -> None:
        sets = ", ".join(f'"{name}" = ?' for name in changes)
        self.db.execute(f'UPDATE "{kind.name}" SET {sets} WHERE Id = ?', (*changes.values(), ident))  # noqa: S608 - as above

    def find(self, kind: ObjectType, ident: str) -> Row | None:
        """One record with every column, computed ones included; deleted ones too."""
        return next(iter(self.where(kind, "Id = ?", (ident,))), None)

    def where(self, kind: ObjectType, condition: str, values: Sequence[Any], names: Sequence[str] = ()) -> list[Row]:
        """The records that meet an SQL condition over bound values."""
        columns = tuple(names) or column_names(kind)
        chosen = _listed(columns)
        rows = self.db.execute(f'SELECT {chosen} FROM "{kind.name}" WHERE {condition}', values)  # noqa: S608 - as above
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def exists(self, kind: ObjectType, ident: str) -> bool:
        """Whether a record stands under the id and is not deleted."""
        query = f'SELECT 1 FROM "{kind.name}" WHERE Id = ? AND {alive(kind)}'  # noqa: S608 - as above
        return self.db.execute(query, (ident,)).fetchone() is not None

    def rowids(self, query: str, values: Sequence[Any]) -> "array[int]":
        """The first column of a query, kept compactly."""
        return array("q", (row[0] for row in self.db.execute(query, values)))

    def rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return self.db.execute(query, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self.db.execute(statement, values)


def alive(kind: ObjectType) -> str:
    """An SQL condition for records outside the recycle bin."""
    return "NOT IsDeleted" if kind.field("IsDeleted") else "1"


@lru_cache(maxsize=256)
def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


@lru_cache(maxsize=64)
def column_names(kind: ObjectType) -> tuple[str, ...]:
    """Every field that a row of this object holds or computes."""
    return tuple(one.name for one in kind.fields if not one.parts)


def _column(one: Field) -> str:
    return one.sql_column + (" NOT NULL UNIQUE" if one.name == "Id" else "")


def _insertion(kind: ObjectType, columns: Sequence[str]) -> str:
    names = _listed(tuple(columns))
    places = ", ".join("?" * len(columns))
    return f'INSERT OR REPLACE INTO "{kind.name}" ({names}) VALUES ({places})'  # noqa: S608 - as above
