"""Single-flight work among all processes that share a Redis."""

import random
from collections.abc import Callable
from uuid import uuid4

from redis import Redis

from prospect_sync.errors import TryLater
from prospect_sync.ports import Clock, Once
from prospect_sync.stores.redis.connection import PREFIX, Scripts, translated
from prospect_sync.stores.waiting import Jitter, until

_MICROSECONDS = 1_000_000
_REMEMBERED = 86_400


class RedisOnce(Once):
    """See the port. The clock is for waiting only; what is compared is Redis' time."""

    def __init__(
        self,
        client: Redis,
        clock: Clock,
        *,
        prefix: str = PREFIX,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        jitter: Jitter = random.random,
    ) -> None:
        self._client = client
        self._clock = clock
        self._prefix = prefix
        self._new_id = new_id
        self._jitter = jitter
        self._scripts = Scripts(client, "once", ("enter", "leave"))

    def mark(self) -> float:
        with translated():
            seconds, microseconds = self._client.time()
        return float(seconds + microseconds / _MICROSECONDS)

    def share(self, name: str, since: float, work: Callable[[], None], patience: float) -> None:
        keys = (f"{self._prefix}once:{name}:done", f"{self._prefix}once:{name}:run")
        run = self._new_id()
        wanted = (round(since * _MICROSECONDS), run, max(1, int(patience * 1000)))

        def enter() -> str | None:
            answer: str = self._scripts.run("enter", keys, wanted)
            return None if answer == "wait" else answer

        started = until(enter, self._clock, patience, self._jitter)
        if started is None:
            raise TryLater(f"{name} was not done in time", delay=1.0, reason="waiting")
        if started == "done":
            return
        done = False
        try:
            work()
            done = True
        finally:
            self._scripts.run("leave", keys, (run, started if done else "", _REMEMBERED))
