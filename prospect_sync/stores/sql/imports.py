"""Import jobs, and the rows that wait for one or are in one: two tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from prospect_sync.memory import ImportJob, ImportPool, ImportRow, ImportStep
from prospect_sync.ports import Imports
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.statements import among, chunks, upsert
from prospect_sync.stores.sql.tables import IMPORT_JOBS, IMPORT_ROWS

_WAITING = IMPORT_ROWS.c.job.is_(None)


class SqlImports(Imports):
    """See the port. Raises: TryLater, Misconfigured."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)

    def add(self, rows: Sequence[ImportRow]) -> frozenset[str]:
        # sorted, so that two workers lock the same rows in the same order
        wanted = [
            _row(replace(row, job=None, free_since=None)) for row in sorted(rows, key=lambda row: row.prospect_id)
        ]
        is_over = IMPORT_ROWS.c.free_since.is_not(None)
        with self._database.writing() as connection:
            stored = upsert(connection, IMPORT_ROWS, wanted, is_over, returning=[IMPORT_ROWS.c.intent_id])
        return frozenset(row.intent_id for row in rows) - {row.intent_id for row in stored}

    def withdraw(self, prospect_ids: Collection[int]) -> frozenset[str]:
        taken: set[str] = set()
        with self._database.writing() as connection:
            for chunk in chunks(sorted(set(prospect_ids))):
                gone = sa.delete(IMPORT_ROWS).where(_WAITING, IMPORT_ROWS.c.prospect_id.in_(chunk))
                taken.update(connection.execute(gone.returning(IMPORT_ROWS.c.intent_id)).scalars())
        return frozenset(taken)

    def of(self, prospect_ids: Collection[int]) -> Mapping[int, ImportRow]:
        with self._database.reading() as connection:
            found = list(among(connection, sa.select(IMPORT_ROWS), IMPORT_ROWS.c.prospect_id, set(prospect_ids)))
        return {row.prospect_id: _import_row(row) for row in found}

    def pools(self) -> Sequence[ImportPool]:
        group, at = IMPORT_ROWS.c.group, IMPORT_ROWS.c.at
        count, oldest, newest = (
            sa.func.count().label("rows"),
            sa.func.min(at).label("oldest"),
            sa.func.max(at).label("newest"),
        )
        query = sa.select(group, count, oldest, newest).where(_WAITING).group_by(group).order_by(group)
        with self._database.reading() as connection:
            return [ImportPool(*row) for row in connection.execute(query)]

    def form(self, job: ImportJob, group: str, most: int) -> ImportJob | None:
        oldest = IMPORT_ROWS.c.at, IMPORT_ROWS.c.prospect_id
        query = sa.select(IMPORT_ROWS.c.prospect_id).where(_WAITING, IMPORT_ROWS.c.group == group)
        with self._database.writing() as connection:
            ids = connection.execute(query.order_by(*oldest).limit(most).with_for_update()).scalars().all()
            if not ids:
                return None
            for chunk in chunks(ids):
                taken = sa.update(IMPORT_ROWS).where(_WAITING, IMPORT_ROWS.c.prospect_id.in_(chunk))
                connection.execute(taken.values(job=job.id))
            formed = replace(job, rows=len(ids), version=1)
            connection.execute(sa.insert(IMPORT_JOBS).values(_job_row(formed)))
            return formed

    def due(self, now: datetime) -> Sequence[ImportJob]:
        query = sa.select(IMPORT_JOBS).where(IMPORT_JOBS.c.step != ImportStep.OVER.value, IMPORT_JOBS.c.due <= now)
        with self._database.reading() as connection:
            return [_job(row) for row in connection.execute(query.order_by(IMPORT_JOBS.c.due, IMPORT_JOBS.c.id))]

    def save(self, job: ImportJob) -> ImportJob | None:
        with self._database.writing() as connection:
            return _save(connection, job)

    def rows(self, job_id: str, after: int = 0, most: int = 1_000) -> Sequence[ImportRow]:
        query = sa.select(IMPORT_ROWS).where(IMPORT_ROWS.c.job == job_id, IMPORT_ROWS.c.prospect_id > after)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(IMPORT_ROWS.c.prospect_id).limit(most))
            return [_import_row(row) for row in found]

    def end(self, job: ImportJob, at: datetime) -> bool:
        with self._database.writing() as connection:
            if _save(connection, replace(job, step=ImportStep.OVER)) is None:
                return False
            connection.execute(sa.update(IMPORT_ROWS).where(IMPORT_ROWS.c.job == job.id).values(free_since=at))
            return True

    def forget(self, before: datetime) -> None:
        needed = sa.exists().where(IMPORT_ROWS.c.job == IMPORT_JOBS.c.id)
        is_over = IMPORT_JOBS.c.step == ImportStep.OVER.value
        with self._database.writing() as connection:
            connection.execute(sa.delete(IMPORT_ROWS).where(IMPORT_ROWS.c.free_since < before))
            connection.execute(sa.delete(IMPORT_JOBS).where(is_over, ~needed))


def _save(connection: sa.Connection, job: ImportJob) -> ImportJob | None:
    saved = replace(job, version=job.version + 1)
    stored = sa.update(IMPORT_JOBS).where(IMPORT_JOBS.c.id == job.id, IMPORT_JOBS.c.version == job.version)
    changed = connection.execute(stored.values(_job_row(saved)))
    return saved if changed.rowcount else None


def _row(row: ImportRow) -> dict[str, Any]:
    names = ("prospect_id", "intent_id", "group", "at", "job", "free_since")
    return {name: getattr(row, name) for name in names}


def _import_row(row: sa.Row[Any]) -> ImportRow:
    return ImportRow(row.prospect_id, row.intent_id, row.group, row.at, row.job, row.free_since)


def _job_row(job: ImportJob) -> dict[str, Any]:
    names = ("id", "formed", "due", "vendor_id", "tries", "rows", "version")
    return {**{name: getattr(job, name) for name in names}, "step": job.step.value}


def _job(row: sa.Row[Any]) -> ImportJob:
    step = ImportStep(row.step)
    return ImportJob(row.id, row.formed, step, row.due, row.vendor_id, row.tries, row.rows, row.version)
