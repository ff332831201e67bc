"""Keep the queue healthy, a second at a time: end dead workers' leases, wake lanes, and sweep when the inbox forgot."""

import structlog

from prospect_sync.flow.accept import accept
from prospect_sync.flow.meet import note_the_beginning
from prospect_sync.flow.poll_people import poll_people, watched
from prospect_sync.flow.refresh_mirror import SOURCE, poll_prospects
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.sweep import acknowledge, forgot
from prospect_sync.memory import Cause, DeskItem
from prospect_sync.model import Ref

log = structlog.get_logger(__name__)


def tend(runtime: Runtime) -> None:
    """Sweep if the inbox forgot, reap overdue leases, put poisonous records on the desk, wake lanes with something due.

    Raises:
        TryLater: the inbox cannot be reached.
    """
    note_the_beginning(runtime)
    if forgot(runtime):
        runtime.once.share("sweep", runtime.once.mark(), lambda: recover(runtime), runtime.tuning.sweep_patience)
    returned, poisonous = runtime.inbox.reap()
    if returned:
        log.warning("lease.expired", records=len(returned))
    if poisonous:
        runtime.desk.report([_poison(ref) for ref in poisonous])
        runtime.inbox.bury(poisonous)
        log.error("record.poisonous", refs=sorted(str(ref) for ref in poisonous))
    for lane, state in sorted(runtime.inbox.lanes().items()):
        if state.due:
            runtime.waker.wake(lane)


def _poison(ref: Ref) -> DeskItem:
    return DeskItem(
        cause=Cause.POISON,
        ref=ref,
        words="three batches in a row died while working on this record",
        remedy="Look into the worker's log for the error, then retry the record.",
    )


def recover(runtime: Runtime) -> None:
    """The inbox lost its memory: hint everything since the low marks, and what no source would bring again.

    Safe to repeat; the new identity is noted only when all hints are in.
    """
    identity = runtime.inbox.identity()
    log.warning("inbox.forgot", identity=identity)
    accept(runtime, runtime.marks.kept())
    found = 0
    lows = [mark.low for kind in watched(runtime) if (mark := runtime.marks.get(kind.value)).low is not None]
    if lows:
        found += poll_people(runtime, low=min(low for low in lows if low is not None))
    low = runtime.marks.get(SOURCE).low
    if low is not None:
        found += poll_prospects(runtime, low=low)
    acknowledge(runtime, identity)
    log.info("inbox.swept", found=found)
