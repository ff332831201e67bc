"""The tasks. Each is a few lines; a failure that means "later" is left to the next beat, the queue holds the due times."""

import structlog
from celery import shared_task

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.flow.drain import drain
from prospect_sync.flow.imports import advance
from prospect_sync.flow.poll_people import poll_people
from prospect_sync.flow.refresh_mirror import refresh_mirror
from prospect_sync.flow.tend import tend
from prospect_sync.model import Lane
from tasks.base import SyncTask

log = structlog.get_logger(__name__)


@shared_task(name="sync.drain", base=SyncTask, bind=True)
def drain_lane(self: SyncTask, lane: str) -> None:
    """Work on one batch of a lane; bulk work only where one of its places is free."""
    try:
        if lane == Lane.BULK:
            with self.bulk_place() as free:
                done = drain(self.runtime, Lane.BULK) if free else None
            if done is not None:
                self.runtime.waker.wake(Lane.BULK)  # whoever came meanwhile found no place
        else:
            drain(self.runtime, Lane(lane))
    except TryLater as later:
        log.warning("drain.later", lane=lane, reason=later.reason, words=later.words)


@shared_task(name="sync.tend", base=SyncTask, bind=True)
def tend_queues(self: SyncTask) -> None:
    """Reap, wake, and sweep where the inbox forgot."""
    try:
        tend(self.runtime)
    except (TryLater, Misconfigured) as failure:
        log.warning("tend.later", code=failure.code, words=failure.words)


@shared_task(name="sync.imports", base=SyncTask, bind=True)
def advance_imports(self: SyncTask) -> None:
    """Take a step with each import that is due."""
    try:
        advance(self.runtime)
    except (TryLater, Misconfigured) as failure:
        log.warning("imports.later", code=failure.code, words=failure.words)


@shared_task(name="poll.people", base=SyncTask, bind=True)
def poll_salesforce(self: SyncTask) -> None:
    """Hint changed leads and contacts."""
    try:
        found = poll_people(self.runtime)
    except (TryLater, Misconfigured) as failure:
        log.warning("poll.later", source="people", code=failure.code, words=failure.words)
    else:
        log.debug("poll.done", source="people", found=found)


@shared_task(name="poll.prospects", base=SyncTask, bind=True)
def poll_account_engagement(self: SyncTask) -> None:
    """Bring the mirror up to date and hint changed prospects."""
    runtime = self.runtime
    try:
        refresh_mirror(runtime, since=runtime.once.mark())
    except (TryLater, Misconfigured) as failure:
        log.warning("poll.later", source="prospects", code=failure.code, words=failure.words)
