"""Access tokens shared by all workers through Redis.

A cached token is a secret at rest: whoever reads this Redis (or its append-only file) can act as the connector user
until the token expires. Keep it as private as the credentials themselves.
"""

import json
import random
from collections.abc import Callable
from uuid import uuid4

from redis import Redis

from prospect_sync.errors import TryLater
from prospect_sync.memory import Token
from prospect_sync.ports import Clock, Tokens
from prospect_sync.stores.redis.connection import PREFIX, Scripts, translated
from prospect_sync.stores.waiting import Jitter, until


class RedisTokens(Tokens):
    """See the port. ``lifetime``: seconds a token is kept; ``patience``: seconds until a fetcher counts as dead."""

    def __init__(
        self,
        client: Redis,
        clock: Clock,
        *,
        prefix: str = PREFIX,
        lifetime: int = 3_600,
        patience: float = 60.0,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        jitter: Jitter = random.random,
    ) -> None:
        self._client = client
        self._clock = clock
        self._prefix = prefix
        self._lifetime = lifetime
        self._patience = patience
        self._new_id = new_id
        self._jitter = jitter
        self._scripts = Scripts(client, "tokens", ("unlock",))

    def get(self, name: str, refused: Token | None, fetch: Callable[[], Token]) -> Token:
        def attempt() -> Token | None:
            return self._cached(name, refused) or self._fetch_alone(name, refused, fetch)

        token = until(attempt, self._clock, self._patience, self._jitter)
        if token is None:
            raise TryLater(f"somebody else fetches the {name} token for too long", delay=5.0, reason="waiting")
        return token

    def forget(self, name: str) -> None:
        with translated():
            self._client.delete(self._key(name))

    def _cached(self, name: str, refused: Token | None) -> Token | None:
        with translated():
            text = self._client.get(self._key(name))
        token = Token(**json.loads(text)) if text else None
        return None if token == refused else token

    def _fetch_alone(self, name: str, refused: Token | None, fetch: Callable[[], Token]) -> Token | None:
        """Fetch under the lock; None while somebody else holds it."""
        lock, mine = f"{self._key(name)}:lock", self._new_id()
        with translated():
            if not self._client.set(lock, mine, nx=True, px=int(self._patience * 1000)):
                return None
        try:
            return self._cached(name, refused) or self._fetch(name, fetch)
        finally:
            self._scripts.run("unlock", (lock,), (mine,))

    def _fetch(self, name: str, fetch: Callable[[], Token]) -> Token:
        token = fetch()
        text = json.dumps({"access_token": token.access_token, "instance_url": token.instance_url})
        with translated():
            self._client.set(self._key(name), text, ex=self._lifetime)
        return token

    def _key(self, name: str) -> str:
        return f"{self._prefix}token:{name}"
