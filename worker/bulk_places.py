"""How many processes of one worker do bulk work at once: all but one, so that an opt-out never waits for a resync's batch."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from prospect_sync.ports import Leader


def _this_worker() -> str:
    """Name the parent of the pool's processes: a worker started anew does not wait for its dead predecessor's places."""
    return f"{socket.gethostname()}:{os.getppid()}"


@dataclass(frozen=True, slots=True)
class BulkPlaces:
    """The places of one worker. A place falls free by itself after ``seconds``, should its holder die."""

    leader: Leader
    places: int
    seconds: float
    worker: str = field(default_factory=_this_worker)

    @classmethod
    def among(cls, leader: Leader, processes: int, seconds: float) -> "BulkPlaces":
        """Make the places of a worker with so many processes."""
        return cls(leader, max(1, processes - 1), seconds)

    @contextmanager
    def hold(self) -> Iterator[bool]:
        """Hold a place meanwhile; False where there is none.

        Raises:
            TryLater: Redis cannot be reached.
        """
        names = (f"bulk:{self.worker}:{number}" for number in range(self.places))
        held = next((name for name in names if self.leader.hold(name, self.seconds)), None)
        try:
            yield held is not None
        finally:
            if held is not None:
                self.leader.leave(held)
