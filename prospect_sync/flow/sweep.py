"""Notice that the inbox lost its memory (flushed, failed over, started from an old snapshot), and find its hints again.

The marks in SQL speak of one inbox, known by its identity. Polls must not move the marks of an inbox that forgot, or what
it forgot would never be looked for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prospect_sync.errors import TryLater
from prospect_sync.flow.runtime import Runtime

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before all changes."""
_IDENTITY = "inbox identity"
_SKEW = timedelta(seconds=60)
"""How far our clock and the inbox's may differ."""


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


@dataclass(frozen=True, slots=True)
class LowMark:
    """Up to which of a source's instants everything was worked on. ``renew``: it moved; note anew what is offered."""

    at: datetime
    renew: bool


def low_mark(runtime: Runtime, source: str, low: datetime | None, *, sweeping: bool) -> LowMark:
    """Move a source's low mark to the cursor noted last, if the hints offered up to then have all been worked on.

    Ask before a poll offers hints. Where nothing was ever worked on, the mark stands at the beginning of all changes.
    """
    note = runtime.marks.note(_offered(source))
    if note is None or sweeping:
        return LowMark(low or BEGINNING, renew=True)
    cursor, offered = (datetime.fromisoformat(text) for text in note.split())
    oldest = runtime.inbox.oldest()
    if oldest is None or oldest > offered + _SKEW:
        return LowMark(cursor, renew=True)
    return LowMark(low or BEGINNING, renew=False)


def offered_up_to(runtime: Runtime, source: str, cursor: datetime) -> None:
    """Note that by now the hints of all changes up to the cursor are in the inbox."""
    runtime.marks.remember(_offered(source), f"{cursor.isoformat()} {runtime.clock.now().isoformat()}")


def _offered(source: str) -> str:
    return f"{source} offered"
