"""Wakes lanes by Celery messages. A message says only "look": losing one costs a second, and a late one finds nothing."""

from dataclasses import dataclass

from celery import Celery

from prospect_sync.model import Lane

_EXPIRES = 10.0


@dataclass(frozen=True, slots=True)
class CeleryWaker:
    """See ``prospect_sync.ports.Waker``."""

    app: Celery

    def wake(self, lane: Lane) -> None:
        """Send one drain message to the lane's queue."""
        self.app.send_task("sync.drain", args=[lane.value], queue=lane.value, expires=_EXPIRES)
