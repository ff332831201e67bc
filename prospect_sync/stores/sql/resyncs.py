"""Resyncs as one row each; a unique index sees to it that one is open at most, a counted version that a step is stored once."""

from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from prospect_sync.memory import ResyncPhase, ResyncRun
from prospect_sync.model import Lane
from prospect_sync.ports import Resyncs
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.statements import insert_unless_there
from prospect_sync.stores.sql.tables import RESYNCS

_IS_OPEN = RESYNCS.c.open.is_not(None)
_KEPT = frozenset({"id", "started", "paused", "applied", "refused", "version"})
_NAMES = tuple(field.name for field in fields(ResyncRun))


class SqlResyncs(Resyncs):
    """See the port. Raises: TryLater, Misconfigured."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)

    def start(self, run: ResyncRun) -> ResyncRun:
        row = {**_row(run), "open": 1}
        with self._database.writing() as connection:
            insert_unless_there(connection, RESYNCS, [row])
            return _run(connection.execute(sa.select(RESYNCS).where(_IS_OPEN)).one())

    def newest(self) -> ResyncRun | None:
        latest = sa.select(RESYNCS).order_by(RESYNCS.c.open.is_(None), RESYNCS.c.started.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(latest).one_or_none()
        return _run(row) if row else None

    def claim(self, run_id: str, now: datetime, until: datetime) -> ResyncRun | None:
        free = (
            RESYNCS.c.id == run_id,
            _IS_OPEN,
            RESYNCS.c.paused.is_(False),
            _is_over(RESYNCS.c.wait_until, now),
            _is_over(RESYNCS.c.claimed_until, now),
        )
        changes = {"version": RESYNCS.c.version + 1, "claimed_until": until}
        with self._database.writing() as connection:
            row = connection.execute(sa.update(RESYNCS).where(*free).values(changes).returning(RESYNCS)).one_or_none()
        return _run(row) if row else None

    def advance(self, run: ResyncRun) -> bool:
        changes = {name: value for name, value in _row(run).items() if name not in _KEPT}
        changes |= {"claimed_until": None, "open": None if run.ended else 1}
        ours = (RESYNCS.c.id == run.id, RESYNCS.c.version == run.version, RESYNCS.c.claimed_until.is_not(None))
        with self._database.writing() as connection:
            stored = connection.execute(sa.update(RESYNCS).where(*ours).values(changes).returning(RESYNCS.c.id))
            return stored.one_or_none() is not None

    def pause(self, run_id: str, *, paused: bool) -> None:
        self._update(sa.update(RESYNCS).where(RESYNCS.c.id == run_id).values(paused=paused))

    def postpone(self, until: datetime, words: str) -> None:
        shorter = _is_over(RESYNCS.c.wait_until, until)
        self._update(sa.update(RESYNCS).where(_IS_OPEN, shorter).values(wait_until=until, words=words))

    def tally(self, applied: int, refused: int) -> None:
        more = {"applied": RESYNCS.c.applied + applied, "refused": RESYNCS.c.refused + refused}
        self._update(sa.update(RESYNCS).where(_IS_OPEN).values(more))

    def _update(self, statement: sa.Update) -> None:
        with self._database.writing() as connection:
            connection.execute(statement)


def _is_over(column: sa.Column[Any], now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(column.is_(None), column <= now)


def _row(run: ResyncRun) -> dict[str, Any]:
    row = {name: getattr(run, name) for name in _NAMES}
    return {**row, "lane": run.lane.value, "phase": run.phase.value, "positions": dict(run.positions)}


def _run(row: sa.Row[Any]) -> ResyncRun:
    stored = {name: getattr(row, name) for name in _NAMES}
    return ResyncRun(**{**stored, "lane": Lane(row.lane), "phase": ResyncPhase(row.phase)})
