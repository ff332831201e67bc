"""The mirror as one row per prospect."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from prospect_sync.memory import MirroredProspect
from prospect_sync.model import Stamp, id18
from prospect_sync.ports import Mirror
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.packing import (
    FieldNames,
    numbers_of_fields,
    pack_fields,
    pack_interval,
    unpack_fields,
    unpack_interval,
)
from prospect_sync.stores.sql.statements import among, by_code_point, excluded, upsert
from prospect_sync.stores.sql.tables import MIRROR


class SqlMirror(Mirror):
    """See the port. Raises: TryLater, Misconfigured."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)
        self._names = FieldNames(self._database)

    def get(self, prospect_ids: Collection[int]) -> Mapping[int, MirroredProspect]:
        return {row.id: row for row in self._read(MIRROR.c.prospect_id, prospect_ids)}

    def by_person(self, person_ids: Collection[str]) -> Mapping[str, tuple[MirroredProspect, ...]]:
        found: dict[str, tuple[MirroredProspect, ...]] = {}
        for row in sorted(self._read(MIRROR.c.salesforce_id, person_ids), key=lambda row: row.id):
            person = str(row.salesforce_id)
            found[person] = (*found.get(person, ()), row)
        return found

    def by_email(self, addresses: Collection[str]) -> Mapping[str, tuple[MirroredProspect, ...]]:
        found: dict[str, tuple[MirroredProspect, ...]] = {}
        for row in sorted(self._read(MIRROR.c.email, addresses), key=lambda row: row.id):
            found[str(row.email)] = (*found.get(str(row.email), ()), row)
        return found

    def holders(self, after: str, until: str) -> Sequence[tuple[int, str]]:
        columns = sa.select(MIRROR.c.prospect_id, MIRROR.c.salesforce_id).where(MIRROR.c.deleted.is_(False))
        with self._database.reading() as connection:
            person = by_code_point(connection, MIRROR.c.salesforce_id)
            rows = connection.execute(columns.where(person > after, person <= until)).all()
        return [(row.prospect_id, row.salesforce_id) for row in rows]

    def loose(self, after: int, limit: int, prefixes: Collection[str]) -> Sequence[int]:
        person = MIRROR.c.salesforce_id
        query = (
            sa.select(MIRROR.c.prospect_id)
            .where(MIRROR.c.prospect_id > after, MIRROR.c.deleted.is_(False), MIRROR.c.email.is_not(None))
            .where(sa.or_(person.is_(None), sa.not_(_begins(person, prefixes))))
            .order_by(MIRROR.c.prospect_id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def held(self, prefixes: Collection[str]) -> int:
        query = sa.select(sa.func.count()).where(MIRROR.c.deleted.is_(False), _begins(MIRROR.c.salesforce_id, prefixes))
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def put(self, rows: Sequence[MirroredProspect]) -> frozenset[int]:
        numbers = self._names.numbers({name for row in rows for name in row.fields})
        times = Counter(row.id for row in rows)
        # the last shall be first: of several rows for one prospect the dictionary keeps the first given
        wanted = {row.id: row for row in reversed(rows)}
        with self._database.writing() as connection:
            updated = {row.id for row in wanted.values() if row.version}
            there = set(_existing(connection, updated))
            sent = [_row(wanted[key], numbers) for key in sorted(wanted) if key in there or key not in updated]
            unchanged = MIRROR.c.version == excluded(connection, MIRROR.c.version) - 1
            stored = {key for (key,) in upsert(connection, MIRROR, sent, unchanged, returning=[MIRROR.c.prospect_id])}
        return frozenset(key for key in wanted if key not in stored or times[key] > 1)

    def _read(self, column: sa.ColumnElement[Any], values: Collection[Any]) -> list[MirroredProspect]:
        with self._database.reading() as connection:
            rows = list(among(connection, sa.select(MIRROR), column, values))
            names = self._names.names(connection, {number for row in rows for number in numbers_of_fields(row.fields)})
            return [_mirrored(row, names) for row in rows]


def _begins(person: sa.ColumnElement[Any], prefixes: Collection[str]) -> sa.ColumnElement[bool]:
    """Compare the first characters themselves: LIKE does not mind case on SQLite."""
    return sa.or_(sa.false(), *(sa.func.substr(person, 1, len(prefix)) == prefix for prefix in sorted(prefixes)))


def _existing(connection: sa.Connection, prospect_ids: Collection[int]) -> list[int]:
    query = sa.select(MIRROR.c.prospect_id)
    return [row.prospect_id for row in among(connection, query, MIRROR.c.prospect_id, prospect_ids)]


def _row(row: MirroredProspect, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "prospect_id": row.id,
        "version": row.version + 1,
        "deleted": row.deleted,
        "created_at": row.created.at,
        "created_by": row.created.by,
        "modified_at": row.modified.at,
        "modified_by": row.modified.by,
        "foreign_change": pack_interval(row.foreign) if row.foreign else None,
        "doubtful_until": row.doubtful_until,
        "email": row.email,
        "salesforce_id": id18(row.salesforce_id) if row.salesforce_id else None,
        "fields": pack_fields(row.fields, numbers),
    }


def _mirrored(row: sa.Row[Any], names: Mapping[int, str]) -> MirroredProspect:
    return MirroredProspect(
        id=row.prospect_id,
        fields=unpack_fields(row.fields, names),
        created=Stamp(row.created_at, row.created_by),
        modified=Stamp(row.modified_at, row.modified_by),
        foreign=unpack_interval(row.foreign_change) if row.foreign_change else None,
        deleted=row.deleted,
        email=row.email,
        salesforce_id=row.salesforce_id,
        doubtful_until=row.doubtful_until,
        version=row.version,
    )
