"""How two hints for one record become one: the more urgent lane, the earlier due time, the first origin.

Redis does the same in Lua (``inbox.lua``); the contract suite holds both to it.
"""

from datetime import datetime

from prospect_sync.model import Hint, Lane

_URGENCY = {lane: place for place, lane in enumerate(Lane)}


def more_urgent(left: Lane, right: Lane) -> Lane:
    """Give the more urgent of two lanes."""
    return min(left, right, key=_URGENCY.__getitem__)


def merged(old: Hint, new: Hint) -> Hint:
    """Merge a later hint into an earlier one for the same record."""
    return Hint(old.ref, more_urgent(old.lane, new.lane), _earlier(old.due, new.due), old.origin or new.origin)


def _earlier(left: datetime | None, right: datetime | None) -> datetime | None:
    return None if left is None or right is None else min(left, right)
