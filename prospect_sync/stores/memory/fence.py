"""Fencing tokens of one process."""

import itertools

from prospect_sync.ports import Fence


class MemoryFence(Fence):
    """See the port; its numbers do not outlive the process, and neither does what they fence."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def next(self) -> int:
        return next(self._numbers)
