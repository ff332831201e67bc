"""Take hints from anyone into the inbox and wake the lanes they wait in."""

from collections.abc import Iterable

from prospect_sync.flow.runtime import Runtime
from prospect_sync.model import Hint


def accept(runtime: Runtime, hints: Iterable[Hint], *, keep: bool = False) -> int:
    """Put hints into the inbox; returns how many there were.

    ``keep``: no sweep can find these again (a person's retry, a third party's call), so they are stored first.
    """
    taken = tuple(hints)
    if not taken:
        return 0
    if keep:
        runtime.marks.keep(taken)
    runtime.inbox.offer(taken)
    for lane in sorted({hint.lane for hint in taken}):
        runtime.waker.wake(lane)
    return len(taken)
