"""Trying again and again, with short random pauses, for as long as somebody has patience.

What is tried, and what it means that it never worked, is the caller's.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from prospect_sync.ports import Clock

T = TypeVar("T")
Jitter = Callable[[], float]
"""Gives a number in [0, 1)."""

_LONGEST_PAUSE = 0.1


def until(attempt: Callable[[], T | None], clock: Clock, patience: float, jitter: Jitter = random.random) -> T | None:
    """Give the first answer of ``attempt`` that is not None; None when there is none within ``patience`` seconds."""
    end = clock.now() + timedelta(seconds=patience)
    while (answer := attempt()) is None:
        if clock.now() >= end:
            return None
        clock.sleep(_LONGEST_PAUSE * (0.1 + 0.9 * jitter()))
    return answer
