"""Statement forms that both databases know but SQLAlchemy spells per dialect, and lists cut to what a statement carries."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
_LONGEST_LIST = 1_000


def chunks(values: Collection[T], size: int = _LONGEST_LIST) -> Iterator[Sequence[T]]:
    """Cut values into lists that fit one statement."""
    everything = list(values)
    for start in range(0, len(everything), size):
        yield everything[start : start + size]


def among(
    connection: sa.Connection, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Collection[Any]
) -> Iterator[sa.Row[Any]]:
    """Run a query for the rows whose column is among the values."""
    for chunk in chunks(values):
        yield from connection.execute(query.where(column.in_(chunk)))


def insert_unless_there(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that are not there yet; leave the others as they are."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    where: sa.ColumnElement[bool] | None = None,
    *,
    returning: Sequence[sa.Column[Any]] = (),
) -> Sequence[sa.Row[Any]]:
    """Insert rows, or overwrite those there are; ``where`` sees the stored row and, by ``excluded``, the new one.

    Gives ``returning`` of the rows that were stored.
    """
    if not rows:
        return []
    insert = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    new = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    statement = insert.on_conflict_do_update(index_elements=keys, set_=new, where=where)
    if not returning:
        connection.execute(statement, list(rows))
        return []
    return connection.execute(statement.returning(*returning), list(rows)).all()


def excluded(connection: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Name the new row's column in an upsert's condition."""
    value: sa.ColumnElement[Any] = _insert(connection, column.table).excluded[column.name]
    return value


def by_code_point(connection: sa.Connection, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Compare and order a text column by code point on both databases, whatever the locale."""
    return sa.collate(column, "BINARY" if connection.dialect.name == "sqlite" else "C")


def _insert(connection: sa.Connection, table: Any) -> Any:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
