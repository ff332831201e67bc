"""Sweeps that somebody asked for and that must happen, whatever dies in between: asked for in SQL, done, ticked off.

Who asks counts up; who sweeps notes the count he has served. So nothing asked for during a sweep is taken for done.
"""

from datetime import datetime

import structlog

from prospect_sync.flow.poll_people import poll_people, watched
from prospect_sync.flow.runtime import Runtime
from prospect_sync.model import Lane, RecordKind

log = structlog.get_logger(__name__)


def demand_sweep(runtime: Runtime, kind: RecordKind, since: datetime | None = None) -> None:
    """Ask that everything of this kind changed since its low mark, and since ``since``, is hinted again.

    A kind that was never polled needs none: its first poll looks at everything.
    """
    starts = [instant for instant in (runtime.marks.get(kind.value).low, since) if instant is not None]
    number, pending = _demanded(runtime, kind)
    if pending is not None and number != _served(runtime, kind):
        starts.append(pending)
    if runtime.marks.get(kind.value).low is not None:
        runtime.marks.remember(_key("demanded", kind), f"{number + 1} {min(starts).isoformat()}")
        log.warning("events.sweep_demanded", kind=kind.value, since=min(starts).isoformat())


def sweep_demanded(runtime: Runtime) -> int:
    """Do the sweeps that were asked for; returns how many records were hinted.

    They go into the bulk lane: live edits come by themselves meanwhile.

    Raises:
        TryLater, Misconfigured: a sweep is not complete and still to do.
    """
    found = 0
    for kind in watched(runtime):
        number, since = _demanded(runtime, kind)
        if since is None or number == _served(runtime, kind):
            continue
        identity = runtime.inbox.identity()
        hinted = poll_people(runtime, lane=Lane.BULK, low=since, kinds=(kind,))
        if runtime.inbox.identity() == identity:
            runtime.marks.remember(_key("served", kind), str(number))
            log.info("events.swept", kind=kind.value, hinted=hinted)
        found += hinted
    return found


def _demanded(runtime: Runtime, kind: RecordKind) -> tuple[int, datetime | None]:
    number, _, since = (runtime.marks.note(_key("demanded", kind)) or "").partition(" ")
    return (int(number), datetime.fromisoformat(since)) if since else (0, None)


def _served(runtime: Runtime, kind: RecordKind) -> int:
    return int(runtime.marks.note(_key("served", kind)) or 0)


def _key(what: str, kind: RecordKind) -> str:
    return f"sweep {what} {kind.value}"
