"""Marks, polled versions, kept hints and notes as dictionaries."""

import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from prospect_sync.memory import Mark
from prospect_sync.model import Hint, Ref, Version
from prospect_sync.ports import Marks
from prospect_sync.stores.hints import merged
from prospect_sync.stores.sightings import Sighting, is_news, sighted


class MemoryMarks(Marks):
    """See the port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks: dict[str, Mark] = {}
        self._seen: dict[str, dict[Ref, Sighting]] = {}
        self._kept: dict[Ref, Hint] = {}
        self._notes: dict[str, str] = {}

    def get(self, source: str) -> Mark:
        return self._marks.get(source, Mark())

    def set(self, source: str, mark: Mark) -> None:
        self._marks[source] = mark

    def unseen(self, source: str, versions: Sequence[Version]) -> Sequence[Version]:
        with self._lock:
            seen = self._seen.get(source, {})
            return [version for version in versions if is_news(seen.get(version.ref), version)]

    def saw(self, source: str, versions: Sequence[Version], read_at: datetime, keep_since: datetime) -> None:
        with self._lock:
            seen = self._seen.setdefault(source, {})
            for version in versions:
                seen[version.ref] = sighted(seen.get(version.ref), version, read_at)
            self._seen[source] = {ref: sighting for ref, sighting in seen.items() if sighting.stamp >= keep_since}

    def keep(self, hints: Sequence[Hint]) -> None:
        with self._lock:
            for hint in hints:
                old = self._kept.get(hint.ref)
                self._kept[hint.ref] = merged(old, hint) if old else hint

    def kept(self) -> Sequence[Hint]:
        with self._lock:
            return list(self._kept.values())

    def drop(self, refs: Collection[Ref]) -> None:
        with self._lock:
            for ref in refs:
                self._kept.pop(ref, None)

    def note(self, key: str) -> str | None:
        return self._notes.get(key)

    def remember(self, key: str, text: str) -> None:
        with self._lock:
            self._notes[key] = text

    def notes(self, prefix: str) -> Mapping[str, str]:
        with self._lock:
            return {key.removeprefix(prefix): text for key, text in self._notes.items() if key.startswith(prefix)}

    def forget(self, key: str) -> None:
        with self._lock:
            self._notes.pop(key, None)
