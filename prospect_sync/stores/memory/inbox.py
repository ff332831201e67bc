"""The inbox as dictionaries under one lock: for tests, and for a service that is one process.

Waiting and in-work records are kept apart; what is offered about a record in work stands aside until its release.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nsmallest
from uuid import uuid4

from prospect_sync.memory import Batch, LaneState
from prospect_sync.model import Hint, Lane, Ref
from prospect_sync.ports import Clock, Inbox
from prospect_sync.stores.hints import merged

_ALONE_FROM = 2
_POISON_FROM = 3


@dataclass(slots=True)
class _Entry:
    """A waiting record; ``hint.due`` is set, ``first``: when it was first offered."""

    hint: Hint
    due: datetime
    first: datetime


@dataclass(slots=True)
class _Lease:
    owner: str
    hint: Hint
    deadline: datetime
    first: datetime | None
    again: _Entry | None = None


@dataclass(slots=True)
class _Holding:
    """What a batch was given, and what it lost to the reaper."""

    held: set[Ref] = field(default_factory=set)
    lost: set[Ref] = field(default_factory=set)


class MemoryInbox(Inbox):
    """See the port. A record that waits again while in work is not counted as waiting."""

    def __init__(self, clock: Clock, *, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._clock = clock
        self._new_id = new_id
        self._identity = new_id()
        self._lock = threading.Lock()
        self._waiting: dict[Ref, _Entry] = {}
        self._work: dict[Ref, _Lease] = {}
        self._deaths: dict[Ref, int] = {}
        self._poisonous: set[Ref] = set()
        self._batches: dict[str, _Holding] = {}

    def offer(self, hints: Sequence[Hint]) -> None:
        with self._lock:
            now = self._clock.now()
            for hint in hints:
                self._offer(_Entry(hint, hint.due or now, now))

    def take(self, lane: Lane, limit: int, lease: float) -> Batch | None:
        with self._lock:
            now = self._clock.now()
            due = (entry for entry in self._waiting.values() if entry.hint.lane is lane and entry.due <= now)
            front = nsmallest(limit, due, key=lambda entry: (entry.due, str(entry.hint.ref)))
            if not front:
                return None
            alone = self._died(front[0].hint.ref) >= _ALONE_FROM
            chosen = front[:1] if alone else [e for e in front if self._died(e.hint.ref) < _ALONE_FROM]
            batch_id = self._new_id()
            for entry in chosen:
                self._lease(batch_id, entry.hint, now + timedelta(seconds=lease))
            deaths = {entry.hint.ref: self._died(entry.hint.ref) for entry in chosen if self._died(entry.hint.ref)}
            return Batch(batch_id, lane, tuple(replace(e.hint, due=e.due) for e in chosen), alone, deaths)

    def claim(self, batch: Batch, refs: Collection[Ref], lease: float) -> frozenset[Ref]:
        with self._lock:
            if self._lost_any(batch):
                return frozenset()
            deadline = self._clock.now() + timedelta(seconds=lease)
            mine = self._batches.get(batch.id, _Holding()).held
            free = {ref for ref in refs if ref not in self._work}
            for ref in free:
                self._lease(batch.id, Hint(ref, batch.lane), deadline)
            return frozenset(free | (mine & set(refs)))

    def extend(self, batch: Batch, lease: float) -> bool:
        with self._lock:
            held = self._standing(batch)
            deadline = self._clock.now() + timedelta(seconds=lease)
            for ref in held:
                self._work[ref].deadline = deadline
            return bool(held)

    def remaining(self, batch: Batch) -> float:
        with self._lock:
            now = self._clock.now()
            return min(((self._work[ref].deadline - now).total_seconds() for ref in self._standing(batch)), default=0.0)

    def release(self, batch: Batch, again: Sequence[Hint] = ()) -> None:
        with self._lock:
            now = self._clock.now()
            holding = self._batches.pop(batch.id, _Holding())
            lost = holding.lost | (batch.refs - holding.held)
            ended = {ref: self._work.pop(ref) for ref in holding.held}
            for ref in holding.lost & self._deaths.keys():  # late and not dead
                self._deaths[ref] -= 1
            for ref, lease in ended.items():
                self._deaths.pop(ref, None)
                if lease.again:
                    self._offer(lease.again)
            for hint in again:
                if hint.ref not in lost:
                    first = ended[hint.ref].first if hint.ref in ended else None
                    self._offer(_Entry(hint, hint.due or now, first or now))

    def reap(self) -> tuple[frozenset[Ref], frozenset[Ref]]:
        with self._lock:
            now = self._clock.now()
            overdue = [ref for ref, lease in self._work.items() if lease.deadline <= now]
            poisonous = frozenset(ref for ref in overdue if self._died(ref) + 1 >= _POISON_FROM)
            for ref in overdue:
                self._end(ref, now, poisonous=ref in poisonous)
            self._poisonous |= poisonous
            return frozenset(overdue) - poisonous, frozenset(self._poisonous)

    def bury(self, refs: Collection[Ref]) -> None:
        with self._lock:
            self._poisonous.difference_update(refs)

    def lanes(self) -> Mapping[Lane, LaneState]:
        with self._lock:
            return {lane: self._state(lane, self._clock.now()) for lane in Lane}

    def oldest(self) -> datetime | None:
        with self._lock:
            leased = (lease.first for lease in self._work.values() if lease.first)
            again = (lease.again.first for lease in self._work.values() if lease.again)
            return min([*(entry.first for entry in self._waiting.values()), *leased, *again], default=None)

    def identity(self) -> str:
        return self._identity

    def _offer(self, new: _Entry) -> None:
        ref = new.hint.ref
        if lease := self._work.get(ref):
            lease.again = _joined(lease.again, new)
        else:
            self._waiting[ref] = _joined(self._waiting.get(ref), new)

    def _lease(self, batch_id: str, hint: Hint, deadline: datetime) -> None:
        waiting = self._waiting.pop(hint.ref, None)
        self._work[hint.ref] = _Lease(
            batch_id, waiting.hint if waiting else hint, deadline, waiting.first if waiting else None
        )
        self._batches.setdefault(batch_id, _Holding()).held.add(hint.ref)

    def _end(self, ref: Ref, now: datetime, *, poisonous: bool) -> None:
        lease = self._work.pop(ref)
        holding = self._batches[lease.owner]
        holding.held.discard(ref)
        holding.lost.add(ref)
        if poisonous:
            self._deaths.pop(ref, None)
            return
        self._deaths[ref] = self._died(ref) + 1
        self._waiting[ref] = _joined(lease.again, _Entry(lease.hint, now, lease.first or now))

    def _died(self, ref: Ref) -> int:
        return self._deaths.get(ref, 0)

    def _standing(self, batch: Batch) -> Iterable[Ref]:
        """Give the batch's records; none when any of them was lost."""
        return () if self._lost_any(batch) else self._batches.get(batch.id, _Holding()).held

    def _lost_any(self, batch: Batch) -> bool:
        holding = self._batches.get(batch.id, _Holding())
        return bool(holding.lost) or not batch.refs <= holding.held

    def _state(self, lane: Lane, now: datetime) -> LaneState:
        dues = [entry.due for entry in self._waiting.values() if entry.hint.lane is lane]
        due = [instant for instant in dues if instant <= now]
        return LaneState(len(dues), len(due), (now - min(due)).total_seconds() if due else 0.0)


def _joined(old: _Entry | None, new: _Entry) -> _Entry:
    if old is None:
        return new
    return _Entry(merged(old.hint, new.hint), min(old.due, new.due), min(old.first, new.first))
