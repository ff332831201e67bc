"""What a Redis says of itself, for ``doctor``."""

from redis import Redis

from prospect_sync.ports import RedisFacts
from prospect_sync.stores.redis.connection import translated


def look_at(client: Redis) -> RedisFacts:
    """Ask the server.

    Raises: TryLater, Misconfigured.
    """
    with translated():
        told = client.info()
    return RedisFacts(
        version=str(told.get("redis_version", "")),
        appends=str(told.get("aof_enabled", "0")) == "1",
        eviction=str(told.get("maxmemory_policy", "")),
    )
