"""One org's clock: the only place of the sandbox that reads time.

An org may be frozen, moved and skewed against the machine, as real servers are against ours. What is
stamped on records is `now()`; what has to expire (tokens, read lag) is measured by `elapsed()`, which a
clock set backwards does not take back.
"""

import time
from datetime import UTC, datetime, timedelta


class OrgClock:
    """A clock that runs with the machine's until it is told otherwise."""

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._moved = 0.0
        self._skew = 0.0
        self._passed = 0.0
        self._running_since: float | None = time.monotonic()

    def now(self) -> datetime:
        """Tell the org's time: aware UTC, whole milliseconds."""
        if self._frozen is not None:
            return self._frozen
        return _instant(time.time() + self._moved + self._skew)

    def elapsed(self) -> float:
        """Tell how many seconds, to the millisecond, have passed in the org; steps count, it never goes back."""
        running = 0.0 if self._running_since is None else time.monotonic() - self._running_since
        return round(self._passed + running, 3)

    def set(self, instant: datetime | None) -> None:
        """Freeze the clock at an aware instant; None lets it run with the machine's time again."""
        if instant is not None and instant.tzinfo is None:
            raise ValueError("an org's clock takes an instant with an offset")
        before = self.now()
        self._stop_watch()
        if instant is None:
            self._frozen, self._moved = None, 0.0
            self._running_since = time.monotonic()
        else:
            self._frozen = _whole_milliseconds(instant.astimezone(UTC))
        self._passed += max(0.0, (self.now() - before).total_seconds())

    def step(self, seconds: float) -> None:
        """Move on (or back, with a negative number), frozen or running."""
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)
        else:
            self._moved += seconds
        self._passed += max(0.0, seconds)

    def skew(self, seconds: float) -> None:
        """Run at a constant distance from the machine's time; replaces an earlier distance."""
        self._skew = seconds

    def _stop_watch(self) -> None:
        self._passed, self._running_since = self.elapsed(), None


def _instant(seconds: float) -> datetime:
    return _whole_milliseconds(datetime.fromtimestamp(seconds, UTC))


def _whole_milliseconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
