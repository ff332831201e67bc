"""Take one batch from a lane, work on it under its leases, and give it back, whatever happens."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from prospect_sync.errors import LeaseLost, Misconfigured, TryLater
from prospect_sync.flow.pause import is_paused
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.sync_batch import Result, sync_batch
from prospect_sync.memory import Batch, Cause, DeskItem
from prospect_sync.model import Hint, Lane

log = structlog.get_logger(__name__)

_MARGIN = 2.0
_MISCONFIGURED_RETRY = 60.0
_FAR = timedelta(minutes=10)
"""Only the limit of a day sends records away for so long."""


@dataclass(frozen=True, slots=True)
class LeaseDeadline:
    """Checks the lease before each call and renews it while the batch still holds it."""

    runtime: Runtime
    batch: Batch

    def allow(self, seconds: float) -> float:
        """See ``prospect_sync.ports.Deadline``."""
        inbox, lease = self.runtime.inbox, self.runtime.tuning.lease
        remaining = inbox.remaining(self.batch)
        if 0 < remaining < max(seconds + _MARGIN, lease / 2) and inbox.extend(self.batch, lease):
            remaining = lease
        if remaining <= _MARGIN:
            raise LeaseLost("the lease of this batch has run out")
        return min(seconds, remaining - _MARGIN)


def drain(runtime: Runtime, lane: Lane) -> Result | None:
    """Work on one batch of the lane; None when nothing was due, or the lane is paused.

    Never raises the four failures: they become due times.

    An unexpected error is let through with the leases in place: they run out, the records come back with one more
    death on record, and the third death puts a record on the desk.
    """
    if is_paused(runtime.marks, lane):
        return None
    batch = runtime.inbox.take(lane, runtime.tuning.batch_size, runtime.tuning.lease)
    if batch is None:
        return None
    since = runtime.once.mark()
    state = runtime.inbox.lanes().get(lane)
    if state is not None and state.due > 0:
        runtime.waker.wake(lane)  # another worker may join in
    # the token is fetched after the take and used only while the lease stands: a later taker's token is higher
    fence = runtime.fence.next()
    if runtime.inbox.remaining(batch) <= 0:
        return None
    return _work(runtime, batch, fence, since)


def _work(runtime: Runtime, batch: Batch, fence: int, since: float) -> Result:
    began = runtime.clock.now()
    try:
        result = sync_batch(runtime, batch, fence, since, LeaseDeadline(runtime, batch))
    except LeaseLost:
        log.warning("batch.lease_lost", batch=batch.id, records=len(batch.hints))
        result = Result(again=_come_back(runtime, batch, 0.0))
    except TryLater as later:
        log.warning("batch.try_later", batch=batch.id, reason=later.reason, delay=later.delay, code=later.code)
        result = Result(again=_come_back(runtime, batch, later.delay))
    except Misconfigured as wrong:
        log.warning("batch.misconfigured", batch=batch.id, code=wrong.code, words=wrong.words)
        runtime.desk.report([_service_item(batch, wrong)])
        result = Result(again=_come_back(runtime, batch, _MISCONFIGURED_RETRY))
    runtime.inbox.release(batch, result.again)
    _drop_kept(runtime, batch, result)
    if batch.lane is Lane.BULK:
        _tell_the_resync(runtime, result)
    log.info(
        "batch.synced",
        batch=batch.id,
        lane=batch.lane.value,
        records=len(batch.hints),
        pairs=result.pairs,
        unpaired=result.unpaired,
        applied=result.applied,
        refused=result.refused,
        again=len(result.again),
        seconds=round((runtime.clock.now() - began).total_seconds(), 3),
    )
    return result


def _tell_the_resync(runtime: Runtime, result: Result) -> None:
    """An open resync counts what became of its hints, and rests while the day's calls are used up."""
    if result.applied or result.refused:
        runtime.resyncs.tally(result.applied, result.refused)
    far = runtime.clock.now() + _FAR
    dues = [hint.due for hint in result.again if hint.due is not None and hint.due >= far]
    if dues:
        runtime.resyncs.postpone(min(dues), "its writes have to wait: the lane's share of the day's calls is used up")


def _drop_kept(runtime: Runtime, batch: Batch, result: Result) -> None:
    """Kept hints have done their duty, unless their records come again; a partner that comes again stands for all."""
    again = {hint.ref for hint in result.again}
    if again <= batch.refs:
        runtime.marks.drop(batch.refs - again)


def _come_back(runtime: Runtime, batch: Batch, delay: float) -> list[Hint]:
    due = runtime.clock.now() + timedelta(seconds=delay)
    return [Hint(hint.ref, batch.lane, due, origin="again") for hint in batch.hints]


def _service_item(batch: Batch, wrong: Misconfigured) -> DeskItem:
    return DeskItem(
        cause=Cause.MISCONFIGURED,
        ref=batch.hints[0].ref,
        words=wrong.words,
        code=wrong.code,
        remedy="Nothing syncs until this is set right; work goes on by itself afterwards.",
    )
