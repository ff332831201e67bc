"""The stores that forget quickly and are shared by all workers: inbox, single flight, API budget, access tokens."""

from prospect_sync.stores.redis.budget import RedisBudget
from prospect_sync.stores.redis.connection import PREFIX, connect
from prospect_sync.stores.redis.inbox import RedisInbox
from prospect_sync.stores.redis.leader import RedisLeader
from prospect_sync.stores.redis.once import RedisOnce
from prospect_sync.stores.redis.tokens import RedisTokens

__all__ = ["PREFIX", "RedisBudget", "RedisInbox", "RedisLeader", "RedisOnce", "RedisTokens", "connect"]
