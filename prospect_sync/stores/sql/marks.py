"""Marks, polled versions, kept hints and notes: four small tables."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from prospect_sync.memory import Mark
from prospect_sync.model import Hint, Lane, Ref, Version
from prospect_sync.ports import Marks
from prospect_sync.stores.hints import merged
from prospect_sync.stores.sightings import Sighting, is_news, sighted
from prospect_sync.stores.sql.engine import Database
from prospect_sync.stores.sql.statements import among, chunks, upsert
from prospect_sync.stores.sql.tables import KEPT_HINTS, MARKS, NOTES, POLLED


class SqlMarks(Marks):
    """See the port. Raises: TryLater, Misconfigured."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)

    def get(self, source: str) -> Mark:
        with self._database.reading() as connection:
            row = connection.execute(sa.select(MARKS).where(MARKS.c.source == source)).one_or_none()
        return Mark(row.cursor, row.low, row.complete) if row else Mark()

    def set(self, source: str, mark: Mark) -> None:
        row = {"source": source, "cursor": mark.cursor, "low": mark.low, "complete": mark.complete}
        with self._database.writing() as connection:
            upsert(connection, MARKS, [row])

    def unseen(self, source: str, versions: Sequence[Version]) -> Sequence[Version]:
        with self._database.reading() as connection:
            seen = _seen(connection, source, versions)
        return [version for version in versions if is_news(seen.get(str(version.ref)), version)]

    def saw(self, source: str, versions: Sequence[Version], read_at: datetime, keep_since: datetime) -> None:
        with self._database.writing() as connection:
            seen = _seen(connection, source, versions)
            now_seen: dict[str, Sighting] = {}
            for version in versions:
                ref = str(version.ref)
                now_seen[ref] = sighted(now_seen.get(ref) or seen.get(ref), version, read_at)
            changed = {ref: sighting for ref, sighting in now_seen.items() if sighting != seen.get(ref)}
            upsert(connection, POLLED, [_sighting_row(source, *item) for item in sorted(changed.items())])
            connection.execute(sa.delete(POLLED).where(POLLED.c.source == source, POLLED.c.stamp < keep_since))

    def keep(self, hints: Sequence[Hint]) -> None:
        with self._database.writing() as connection:
            refs = {str(hint.ref) for hint in hints}
            kept = {hint.ref: hint for hint in _hints(among(connection, sa.select(KEPT_HINTS), KEPT_HINTS.c.ref, refs))}
            for hint in hints:
                kept[hint.ref] = merged(kept[hint.ref], hint) if hint.ref in kept else hint
            upsert(connection, KEPT_HINTS, [_hint_row(kept[ref]) for ref in sorted(kept, key=str)])

    def kept(self) -> Sequence[Hint]:
        with self._database.reading() as connection:
            return _hints(connection.execute(sa.select(KEPT_HINTS).order_by(KEPT_HINTS.c.ref)))

    def drop(self, refs: Collection[Ref]) -> None:
        with self._database.writing() as connection:
            for chunk in chunks([str(ref) for ref in refs]):
                connection.execute(sa.delete(KEPT_HINTS).where(KEPT_HINTS.c.ref.in_(chunk)))

    def note(self, key: str) -> str | None:
        with self._database.reading() as connection:
            return connection.execute(sa.select(NOTES.c.text).where(NOTES.c.key == key)).scalar_one_or_none()

    def remember(self, key: str, text: str) -> None:
        with self._database.writing() as connection:
            upsert(connection, NOTES, [{"key": key, "text": text}])

    def notes(self, prefix: str) -> Mapping[str, str]:
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(NOTES).where(NOTES.c.key.startswith(prefix, autoescape=True))).all()
        return {row.key.removeprefix(prefix): row.text for row in rows if row.key.startswith(prefix)}

    def forget(self, key: str) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.delete(NOTES).where(NOTES.c.key == key))


def _seen(connection: sa.Connection, source: str, versions: Sequence[Version]) -> dict[str, Sighting]:
    query = sa.select(POLLED).where(POLLED.c.source == source)
    rows = among(connection, query, POLLED.c.ref, {str(version.ref) for version in versions})
    return {row.ref: Sighting(row.stamp, row.final) for row in rows}


def _sighting_row(source: str, ref: str, sighting: Sighting) -> dict[str, Any]:
    return {"source": source, "ref": ref, "stamp": sighting.stamp, "final": sighting.final}


def _hint_row(hint: Hint) -> dict[str, Any]:
    return {"ref": str(hint.ref), "lane": hint.lane.value, "due": hint.due, "origin": hint.origin}


def _hints(rows: Iterable[sa.Row[Any]]) -> list[Hint]:
    return [Hint(Ref.parse(row.ref), Lane(row.lane), row.due, row.origin) for row in rows]
