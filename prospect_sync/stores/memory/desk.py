"""The desk as a dictionary of entries by cause."""

import itertools
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from prospect_sync.memory import Cause, DeskEntry, DeskItem
from prospect_sync.model import Ref, Side
from prospect_sync.ports import Clock, Desk

_MOST_REFS = 1_000
_Key = tuple[Cause, Side | None, str, str, str]


@dataclass(slots=True)
class _Entry:
    id: int
    item: DeskItem
    since: datetime
    last: datetime
    times: int = 0
    refs: set[Ref] = field(default_factory=set)


class MemoryDesk(Desk):
    """See the port. ``times`` counts reported items; an entry's item names its lowest record."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._entries: dict[_Key, _Entry] = {}

    def report(self, items: Sequence[DeskItem]) -> None:
        with self._lock:
            now = self._clock.now()
            for item in items:
                entry = self._entries.setdefault(_key(item), _Entry(next(self._ids), item, now, now))
                entry.refs.add(item.ref)
                entry.last = now
                entry.times += 1

    def clear(self, refs: Collection[Ref], *, keep: Sequence[DeskItem] = ()) -> None:
        kept = {(_key(item), item.ref) for item in keep}
        with self._lock:
            for key, entry in list(self._entries.items()):
                if entry.item.cause is Cause.NOTICE:
                    continue
                entry.refs -= {ref for ref in refs if (key, ref) not in kept}
                if not entry.refs:
                    del self._entries[key]

    def entries(self) -> Sequence[DeskEntry]:
        with self._lock:
            longest_first = sorted(self._entries.values(), key=lambda entry: (-len(entry.refs), entry.since, entry.id))
            return [_shown(entry) for entry in longest_first]


def _key(item: DeskItem) -> _Key:
    return (item.cause, item.side, item.code, item.field, item.words)


def _shown(entry: _Entry) -> DeskEntry:
    refs = tuple(sorted(entry.refs, key=str)[:_MOST_REFS])
    return DeskEntry(entry.id, replace(entry.item, ref=refs[0]), refs, entry.since, entry.last, entry.times)
