"""How a resync stands, as a value for terminals, desk and console. It only reads."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from prospect_sync.flow.resync import remaining
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import ResyncPhase, ResyncRun


class ResyncState(StrEnum):
    """What a resync is doing. WAITING: for the run's ``wait_until``, because of its ``words``."""

    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ResyncStatus:
    """A resync in figures.

    ``remaining``: hinted records not worked on yet. ``desk``: records that came to stand on the desk since it began, or
    stood there and were reported again. ``rate``: records compared a second, waiting not counted.
    ``left``: estimated seconds until all is compared or, then, worked on; None where nothing can be said.
    """

    run: ResyncRun
    state: ResyncState
    remaining: int
    desk: int
    rate: float
    left: float | None

    def as_json(self) -> dict[str, Any]:
        """Give the status in JSON's own types; instants as ISO text."""
        run = self.run
        return {
            "id": run.id,
            "covers": "all" if run.since is None else f"since {run.since.isoformat()}",
            "lane": run.lane.value,
            "state": self.state.value,
            "phase": run.phase.value,
            "words": run.words,
            "waits_until": _iso(run.wait_until),
            "total": run.total,
            "seen": run.seen,
            "in_step": run.in_step,
            "hinted": run.hinted,
            "remaining": self.remaining,
            "applied": run.applied,
            "refused": run.refused,
            "on_the_desk": self.desk,
            "per_second": round(self.rate, 1),
            "seconds_left": None if self.left is None else round(self.left),
            "started": _iso(run.started),
            "updated": _iso(run.updated),
            "ended": _iso(run.ended),
        }


def resync_status(runtime: Runtime) -> ResyncStatus | None:
    """Tell how the open resync stands, or else the last one; None where there never was one.

    Raises:
        TryLater: a store cannot be reached.
    """
    run = runtime.resyncs.newest()
    if run is None:
        return None
    now = runtime.clock.now()
    left_to_do = 0 if run.ended else remaining(runtime, run)
    spent = max(((run.ended or run.updated or now) - run.started).total_seconds() - run.waited, 0.001)
    rate = run.seen / spent
    desk = sum(len(entry.refs) for entry in runtime.desk.entries() if entry.last >= run.started)
    return ResyncStatus(run, _state(run, now), left_to_do, desk, rate, _left(run, left_to_do, spent))


def _state(run: ResyncRun, now: datetime) -> ResyncState:
    if run.ended is not None:
        return ResyncState.DONE
    if run.paused:
        return ResyncState.PAUSED
    return ResyncState.WAITING if run.wait_until is not None and run.wait_until > now else ResyncState.RUNNING


def _left(run: ResyncRun, left_to_do: int, spent: float) -> float | None:
    if run.ended is not None:
        return 0.0
    if run.phase is ResyncPhase.DRAINING:
        done = run.hinted - left_to_do
        return left_to_do * spent / done if done > 0 else None
    if not run.seen or run.total <= run.seen:
        return None
    return (run.total - run.seen) * spent / run.seen


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
