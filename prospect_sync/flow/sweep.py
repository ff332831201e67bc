"""Notice that the inbox lost its memory (flushed, failed over, started from an old snapshot), and find its hints again.

The marks in SQL speak of one inbox, known by its identity. Polls must not move the marks of an inbox that forgot, or what
it forgot would never be looked for.
"""

from prospect_sync.errors import TryLater
from prospect_sync.flow.runtime import Runtime

_IDENTITY = "inbox identity"


def identify(runtime: Runtime) -> str:
    """Give the inbox's identity, if it is the one that the marks speak of; the first one ever seen is noted.

    Raises:
        TryLater: it is another one; a sweep has to come first.
    """
    identity = runtime.inbox.identity()
    noted = runtime.marks.note(_IDENTITY)
    if noted is None:
        runtime.marks.remember(_IDENTITY, identity)
    elif noted != identity:
        raise TryLater("the inbox lost its memory; a sweep comes first", delay=1.0, reason="waiting")
    return identity


def forgot(runtime: Runtime) -> bool:
    """Tell whether the inbox is another one than the marks speak of."""
    return runtime.marks.note(_IDENTITY) not in (None, runtime.inbox.identity())


def acknowledge(runtime: Runtime, identity: str) -> None:
    """Let the marks speak of this inbox from now on: everything it forgot is in it again."""
    runtime.marks.remember(_IDENTITY, identity)
