"""The resync's tasks: one step each. Beat starts a step every second, and a step that has a follower sends it at once."""

import structlog
from celery import shared_task

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.flow.resync import resync_step, start_resync
from prospect_sync.model import Lane
from tasks.base import SyncTask

log = structlog.get_logger(__name__)

_EXPIRES = 10.0


@shared_task(name="resync.step", base=SyncTask, bind=True)
def step(self: SyncTask) -> None:
    """Do one step of the open resync; most often there is none."""
    try:
        with self.bulk_place() as free:
            more = free and resync_step(self.runtime)
    except (TryLater, Misconfigured) as failure:
        log.warning("resync.failed", code=failure.code, words=failure.words)
    else:
        if more:
            self.apply_async(queue=Lane.BULK.value, expires=_EXPIRES)


@shared_task(name="resync.start", base=SyncTask, bind=True)
def start(self: SyncTask) -> None:
    """Start the scheduled resync of everything, or join the one that is open."""
    try:
        start_resync(self.runtime)
    except (TryLater, Misconfigured) as failure:
        log.warning("resync.failed", code=failure.code, words=failure.words)
