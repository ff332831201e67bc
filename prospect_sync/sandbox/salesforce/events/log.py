"""Every event of the org in the order of its commits: a few hundred bytes each, kept for 72 hours of the org's clock.

Replay ids are made here: opaque, rising, with gaps. Does not look into what it keeps.
"""

import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

RETENTION = 72 * 3_600
_TIP_AGE = 3_600
_COMPACTED_AFTER = 4_096
_WIDEST_GAP = 20
_REPLAY = struct.Struct(">QH")
MARK = 0
"""The topic of entries that carry no event: they only give a quiet bus a fresh replay id."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it is read."""

    number: int
    body: bytes

    @property
    def replay_id(self) -> bytes:
        return _REPLAY.pack(self.number, 0)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a reader gets: entries, where to go on, and when the next one is due if it is not yet."""

    entries: list[Entry]
    position: int
    due: float | None = None


class EventLog:
    """Positions count all entries ever made; a reader's position is that of the entry it reads next."""

    def __init__(self, now: Callable[[], int], seed: int = 0) -> None:
        self._now = now
        self._gaps = Random(seed)
        self._numbers, self._times, self._due = array("q"), array("q"), array("d")
        self._topics = array("b")
        self._bodies: list[bytes] = []
        self._gone = 0
        """Entries no longer in the arrays."""
        self._first = 0
        """Index of the oldest entry that is still kept."""
        self._made = 0
        self._floor = self._last_number = 400_000 + self._gaps.randrange(100_000)

    @property
    def end(self) -> int:
        return self._gone + len(self._numbers)

    @property
    def start(self) -> int:
        """The position of the oldest entry."""
        self.cut(self._now() - RETENTION)
        return self._gone + self._first

    @property
    def made(self) -> int:
        """How many events there were."""
        return self._made

    @property
    def kept(self) -> int:
        return sum(1 for topic in self._topics[self.start - self._gone :] if topic != MARK)

    def append(self, topic: int, body: bytes, at: int, due: float) -> None:
        """Add an entry of an instant; readers get it once `due` (of the monotonic clock) has come, in order."""
        self._last_number += 1 + self._gaps.randrange(_WIDEST_GAP)
        self._numbers.append(self._last_number)
        self._times.append(at)
        self._due.append(max(due, self._due[-1]) if self._due else due)
        self._topics.append(topic)
        self._bodies.append(body)
        self._made += topic != MARK
        if not len(self._numbers) % _COMPACTED_AFTER:
            self.cut(self._now() - RETENTION)

    def cut(self, before: int) -> None:
        """Forget what was committed before an instant, from the oldest on."""
        times, first = self._times, self._first
        while first < len(times) and times[first] < before:
            self._bodies[first] = b""
            first += 1
        self._first = first
        if first >= _COMPACTED_AFTER:
            for column in (self._numbers, self._times, self._due, self._topics, self._bodies):
                del column[:first]
            self._gone, self._first = self._gone + first, 0

    def scan(self, position: int, topic: int, most: int, clock: float) -> Scan:
        """Up to `most` entries of a topic that are due, from a position on."""
        index = max(position, self.start) - self._gone
        found: list[Entry] = []
        due = None
        while index < len(self._numbers) and len(found) < most:
            if self._due[index] > clock:
                due = self._due[index]
                break
            if self._topics[index] == topic:
                found.append(Entry(self._numbers[index], self._bodies[index]))
            index += 1
        return Scan(found, self._gone + index, due)

    def after(self, replay_id: bytes) -> int | None:
        """The position behind the entry with a replay id; None for one that was never given out or has expired."""
        if len(replay_id) != _REPLAY.size:
            return None
        number, rest = _REPLAY.unpack(replay_id)
        start = self.start - self._gone
        if number == self._floor and rest == 0 and self.start == 0:
            return 0
        index = bisect_left(self._numbers, number, start) if number <= self._last_number else len(self._numbers)
        known = index < len(self._numbers) and self._numbers[index] == number and rest == 0
        return self._gone + index + 1 if known else None

    def replay_id(self, position: int) -> bytes:
        """From where a reader at a position may resume; at the end of a log that slept, a fresh one."""
        if position >= self.end:
            return self._tip()
        index = max(position, self.start) - self._gone - 1
        if index < self._first:
            # Nothing kept lies before. Once entries were lost this id has expired: who resumes from it learns of that.
            return _REPLAY.pack(self._floor, 0)
        return _REPLAY.pack(self._numbers[index], 0)

    def _tip(self) -> bytes:
        if self.start == self.end or self._times[-1] < self._now() - _TIP_AGE:
            self.append(MARK, b"", self._now(), 0.0)
        return _REPLAY.pack(self._numbers[-1], 0)
