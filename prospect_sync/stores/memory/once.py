"""Single-flight work among the threads of one process.

Readings of ``mark`` are a counter and not a time, so that a clock that stands still keeps before and after apart.
"""

import itertools
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prospect_sync.errors import TryLater
from prospect_sync.ports import Clock, Once
from prospect_sync.stores.waiting import Jitter, until


@dataclass(frozen=True, slots=True)
class _Run:
    started: int
    expires: datetime


_DONE = _Run(0, datetime.max.replace(tzinfo=UTC))
"""Stands for: somebody did it already."""


class MemoryOnce(Once):
    """See the port."""

    def __init__(self, clock: Clock, *, jitter: Jitter = random.random) -> None:
        self._clock = clock
        self._jitter = jitter
        self._ticks = itertools.count(1)
        self._lock = threading.Lock()
        self._running: dict[str, _Run] = {}
        self._done: dict[str, int] = {}

    def mark(self) -> float:
        return float(next(self._ticks))

    def share(self, name: str, since: float, work: Callable[[], None], patience: float) -> None:
        entered = until(lambda: self._enter(name, since, patience), self._clock, patience, self._jitter)
        if entered is None:
            raise TryLater(f"{name} was not done in time", delay=1.0, reason="waiting")
        if entered is _DONE:
            return
        done = False
        try:
            work()
            done = True
        finally:
            self._leave(name, entered, done=done)

    def _enter(self, name: str, since: float, patience: float) -> _Run | None:
        """Give ``_DONE`` when it was done, our run when we are to do it, None while somebody else is at it."""
        with self._lock:
            if self._done.get(name, 0) >= since:
                return _DONE
            now = self._clock.now()
            running = self._running.get(name)
            if running and running.expires > now:
                return None
            mine = _Run(next(self._ticks), now + timedelta(seconds=patience))
            self._running[name] = mine
            return mine

    def _leave(self, name: str, run: _Run, *, done: bool) -> None:
        with self._lock:
            if self._running.get(name) is run:
                del self._running[name]
            if done:
                self._done[name] = max(self._done.get(name, 0), run.started)
