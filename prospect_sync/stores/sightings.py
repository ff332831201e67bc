"""When a version that a poll shows is news.

A stamp counts whole seconds. A version read while its own second could still bring a second edit may be read again
with the same stamp and other values; only from one second later on is a sighting final.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from prospect_sync.model import Version, to_second

_SETTLES_AFTER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Sighting:
    """The stamp a record was last seen with; ``final``: at least once after its second and one more had passed."""

    stamp: datetime
    final: bool


def is_news(seen: Sighting | None, version: Version) -> bool:
    """Tell whether a version brings anything beyond what was seen."""
    return seen is None or seen.stamp != version.stamp or not seen.final


def sighted(seen: Sighting | None, version: Version, read_at: datetime) -> Sighting:
    """Give what to remember after seeing a version at ``read_at`` on the vendor's clock."""
    final = read_at >= to_second(version.stamp) + _SETTLES_AFTER
    known = seen is not None and seen.stamp == version.stamp and seen.final
    return Sighting(version.stamp, final or known)
