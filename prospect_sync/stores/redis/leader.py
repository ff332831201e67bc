"""Posts held among all processes that share a Redis: a key with an expiry and the holder's id."""

from collections.abc import Callable
from uuid import uuid4

from redis import Redis

from prospect_sync.ports import Leader
from prospect_sync.stores.redis.connection import PREFIX, Scripts


class RedisLeader(Leader):
    """See the port. Raises: TryLater, Misconfigured."""

    def __init__(self, client: Redis, *, prefix: str = PREFIX, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._prefix = prefix
        self._id = new_id()
        self._scripts = Scripts(client, "leader", ("hold", "leave"))

    def hold(self, name: str, seconds: float) -> bool:
        return bool(self._scripts.run("hold", self._keys(name), (self._id, max(1, int(seconds * 1000)))))

    def leave(self, name: str) -> None:
        self._scripts.run("leave", self._keys(name), (self._id,))

    def _keys(self, name: str) -> tuple[str]:
        return (f"{self._prefix}leader:{name}",)
