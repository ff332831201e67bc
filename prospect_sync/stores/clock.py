"""The machine's own clock: the one place where the present is asked of the system.

It decides nothing; whatever needs the time takes a Clock.
"""

import time
from datetime import UTC, datetime

from prospect_sync.ports import Clock


class SystemClock(Clock):
    """Tells the system's time and really waits."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the Clock that everything else asks

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))
