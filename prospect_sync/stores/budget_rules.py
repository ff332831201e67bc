"""The figures of the API budget: permits, each lane's share of a day, and when the vendor's day begins.

Counting is the stores' part; what the vendors allow is told to them by ``usage``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from math import floor

from prospect_sync.errors import TryLater
from prospect_sync.model import Lane, Side

DAY = 86_400


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """How much of what each lane may have.

    ``shares``: the part of the day's limit at which a lane stops. ``limits``: a side's limit until the vendor names one.
    ``permit_seconds``: when a permit of a dead worker comes free; longer than any HTTP time-out.
    ``patience``: seconds to wait for a permit. ``zone``: where the vendor's midnight is.
    """

    permits: int = 5
    bulk_permits: int = 3
    permit_seconds: float = 180.0
    patience: float = 10.0
    shares: Mapping[Lane, float] = field(default_factory=lambda: {Lane.CONSENT: 1.0, Lane.LIVE: 0.95, Lane.BULK: 0.7})
    limits: Mapping[Side, int] = field(default_factory=dict)
    zone: tzinfo = UTC

    def offset(self, now: datetime) -> int:
        """Tell how many seconds the vendor's wall clock is ahead of UTC."""
        shift = now.astimezone(self.zone).utcoffset()
        return int(shift.total_seconds()) if shift else 0

    def ceiling(self, limit: int, lane: Lane) -> int:
        """Tell after how many calls of the day a lane stops."""
        return floor(limit * self.shares[lane] + 1e-9)


def no_permit(lane: Lane) -> TryLater:
    """Say that all permits were held for as long as we could wait."""
    return TryLater(f"no call permit came free for the {lane} lane", delay=1.0, reason="limit")


def day_used_up(side: Side, lane: Lane, seconds: float) -> TryLater:
    """Say that the lane's share of the day is used up, and when the next day begins."""
    return TryLater(f"the {lane} lane's share of today's {side} calls is used up", delay=seconds, reason="limit")
