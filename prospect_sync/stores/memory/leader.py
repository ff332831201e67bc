"""Posts held by the objects that share a dictionary, as processes share a Redis."""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prospect_sync.ports import Clock, Leader


@dataclass
class Posts:
    """Who holds which post, and until when."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    held: dict[str, tuple["MemoryLeader", datetime]] = field(default_factory=dict)


class MemoryLeader(Leader):
    """See the port. Candidates are objects that share ``posts``."""

    def __init__(self, clock: Clock, posts: Posts | None = None) -> None:
        self._clock = clock
        self._posts = posts or Posts()

    def hold(self, name: str, seconds: float) -> bool:
        now = self._clock.now()
        with self._posts.lock:
            holder, until = self._posts.held.get(name, (self, now))
            if holder is not self and until > now:
                return False
            self._posts.held[name] = (self, now + timedelta(seconds=seconds))
            return True

    def leave(self, name: str) -> None:
        with self._posts.lock:
            if name in self._posts.held and self._posts.held[name][0] is self:
                del self._posts.held[name]
