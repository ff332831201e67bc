"""A clock that stands still until somebody moves it; waiting moves it."""

import threading
from datetime import UTC, datetime, timedelta

from prospect_sync.ports import Clock

_START = datetime(2026, 1, 5, 12, tzinfo=UTC)


class HandClock(Clock):
    """Starts at a given instant (default: a Monday noon in 2026)."""

    def __init__(self, start: datetime = _START) -> None:
        if start.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on by some seconds."""
        with self._lock:
            self._now += timedelta(seconds=max(0.0, seconds))
