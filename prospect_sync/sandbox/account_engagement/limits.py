"""The business unit's limits: how many calls at once, how many a day; a day begins at midnight in its time zone."""

from datetime import UTC, date, tzinfo

from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.clock import OrgClock


class CallLimits:
    """Counts calls; refuses those beyond a limit with codes 66 and 122."""

    def __init__(self, clock: OrgClock) -> None:
        self._clock = clock
        self.concurrent = 5
        self.daily = 100_000
        self.status = 429
        self.zone: tzinfo = UTC
        self.in_flight = 0
        self.most_in_flight = 0
        self.used = 0
        self._day: date | None = None

    def enter(self) -> None:
        """Take one of the concurrent places for as long as a call lasts."""
        if self.in_flight >= self.concurrent:
            raise refusal(66, status=self.status)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def leave(self) -> None:
        self.in_flight -= 1

    def spend(self) -> None:
        """Count one call of today."""
        self._turn_day()
        if self.used >= self.daily:
            raise refusal(122, status=self.status)
        self.used += 1

    def set_used(self, calls: int) -> None:
        """Pretend that so many calls were made today."""
        self._turn_day()
        self.used = calls

    def usage(self) -> str:
        return f"{self.used}/{self.daily}"

    def _turn_day(self) -> None:
        today = self._clock.now().astimezone(self.zone).date()
        if today != self._day:
            self._day, self.used = today, 0
