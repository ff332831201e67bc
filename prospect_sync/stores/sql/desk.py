"""The desk as one row per cause and one per record in it."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from prospect_sync.memory import Cause, DeskEntry, DeskItem
from prospect_sync.model import Ref, Side
from prospect_sync.ports import Clock, Desk
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.statements import among, chunks, insert_unless_there
from prospect_sync.stores.sql.tables import DESK_ENTRIES, DESK_RECORDS

_MOST_REFS = 1_000


class SqlDesk(Desk):
    """See the port. ``times`` counts reported items; an entry's item names its lowest record.

    Raises: TryLater, Misconfigured.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._database = Database(engine)
        self._clock = clock

    def report(self, items: Sequence[DeskItem]) -> None:
        if not items:
            return
        times = Counter(map(_key, items))
        first = {_key(item): item for item in reversed(items)}
        now = self._clock.now()
        entries = [
            _entry_row(first[key], key) | {"since": now, "last": now, "times": times[key]} for key in sorted(first)
        ]
        with self._database.writing() as connection:
            ids = {row.key: row.id for row in connection.execute(_counted(connection), entries)}
            records = {(ids[_key(item)], str(item.ref)) for item in items}
            rows = [{"entry_id": entry_id, "ref": ref} for entry_id, ref in sorted(records)]
            insert_unless_there(connection, DESK_RECORDS, rows)

    def clear(self, refs: Collection[Ref], *, keep: Sequence[DeskItem] = ()) -> None:
        kept = {(_key(item), str(item.ref)) for item in keep}
        query = sa.select(DESK_RECORDS, DESK_ENTRIES.c.key).join(DESK_ENTRIES)
        query = query.where(DESK_ENTRIES.c.cause != Cause.NOTICE.value)
        with self._database.writing() as connection:
            rows = list(among(connection, query, DESK_RECORDS.c.ref, [str(ref) for ref in refs]))
            gone = [(row.entry_id, row.ref) for row in rows if (row.key, row.ref) not in kept]
            for entry_id in sorted({entry_id for entry_id, _ in gone}):
                _take_off(connection, entry_id, [ref for other, ref in gone if other == entry_id])

    def entries(self) -> Sequence[DeskEntry]:
        count = sa.func.count().label("records")
        counts = sa.select(DESK_RECORDS.c.entry_id, count).group_by(DESK_RECORDS.c.entry_id).subquery()
        longest_first = (counts.c.records.desc(), DESK_ENTRIES.c.since, DESK_ENTRIES.c.id)
        query = sa.select(DESK_ENTRIES).join(counts, counts.c.entry_id == DESK_ENTRIES.c.id).order_by(*longest_first)
        with self._database.reading() as connection:
            return [_entry(row, _refs(connection, row.id)) for row in connection.execute(query).all()]


def _counted(connection: sa.Connection) -> Any:
    """Begin entries, or count up those there are; gives key and id of each."""
    insert: Any = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(DESK_ENTRIES)
    again = {"last": insert.excluded.last, "times": DESK_ENTRIES.c.times + insert.excluded.times}
    conflict = insert.on_conflict_do_update(index_elements=["key"], set_=again)
    return conflict.returning(DESK_ENTRIES.c.key, DESK_ENTRIES.c.id)


def _take_off(connection: sa.Connection, entry_id: int, refs: Sequence[str]) -> None:
    # the entry is locked first, so that nobody adds a record to it while we find it empty
    connection.execute(sa.select(DESK_ENTRIES.c.id).where(DESK_ENTRIES.c.id == entry_id).with_for_update())
    of_entry = DESK_RECORDS.c.entry_id == entry_id
    for chunk in chunks(refs):
        connection.execute(sa.delete(DESK_RECORDS).where(of_entry, DESK_RECORDS.c.ref.in_(chunk)))
    is_empty = ~sa.exists().where(of_entry)
    connection.execute(sa.delete(DESK_ENTRIES).where(DESK_ENTRIES.c.id == entry_id, is_empty))


def _refs(connection: sa.Connection, entry_id: int) -> list[str]:
    # byte order on both databases, whatever the locale
    in_order = sa.collate(DESK_RECORDS.c.ref, "BINARY" if connection.dialect.name == "sqlite" else "C")
    query = sa.select(DESK_RECORDS.c.ref).where(DESK_RECORDS.c.entry_id == entry_id)
    return list(connection.execute(query.order_by(in_order).limit(_MOST_REFS)).scalars())


def _key(item: DeskItem) -> str:
    parts = json.dumps([item.cause, item.side, item.code, item.field, item.words])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _entry_row(item: DeskItem, key: str) -> dict[str, Any]:
    return {
        "key": key,
        "cause": item.cause.value,
        "side": item.side.value if item.side else None,
        "code": item.code,
        "field": item.field,
        "words": item.words,
        "rule": item.rule,
        "remedy": item.remedy,
    }


def _entry(row: sa.Row[Any], texts: Sequence[str]) -> DeskEntry:
    refs = tuple(map(Ref.parse, texts))
    item = DeskItem(
        cause=Cause(row.cause),
        ref=refs[0],
        words=row.words,
        side=Side(row.side) if row.side else None,
        code=row.code,
        field=row.field,
        rule=row.rule,
        remedy=row.remedy,
    )
    return DeskEntry(row.id, item, refs, row.since, row.last, row.times)
