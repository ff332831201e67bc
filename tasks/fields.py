"""The task that keeps the mapped fields in order. What was not possible now is left to the next beat."""

import structlog
from celery import shared_task

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.flow.tend_fields import tend_fields
from tasks.base import SyncTask

log = structlog.get_logger(__name__)


@shared_task(name="fields.tend", base=SyncTask, bind=True)
def tend_mapped_fields(self: SyncTask) -> None:
    """Look for drift, mirror new fields, catch up on what was switched off."""
    try:
        tend_fields(self.runtime)
    except (TryLater, Misconfigured) as failure:
        log.warning("fields.later", code=failure.code, words=failure.words)
