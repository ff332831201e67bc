"""The one task class: it hands each task the runtime of its worker process."""

from contextlib import AbstractContextManager
from typing import Any, cast

from celery import Task

from prospect_sync.flow.runtime import Runtime


class SyncTask(Task):  # type: ignore[misc]
    """A task with a runtime. The worker's app builds it once per process, after the fork."""

    abstract = True
    ignore_result = True
    acks_late = True
    reject_on_worker_lost = True

    @property
    def runtime(self) -> Runtime:
        return cast("Runtime", cast("Any", self.app).runtime())

    def bulk_place(self) -> AbstractContextManager[bool]:
        """Hold one of the places for bulk work; False where the others of this worker hold them all."""
        return cast("AbstractContextManager[bool]", cast("Any", self.app).bulk_places().hold())
