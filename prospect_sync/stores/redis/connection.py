"""The way to Redis: a client with time-outs, the Lua scripts by name, and Redis' failures as ours.

Whatever hinders Redis from answering is TryLater; being shut out is Misconfigured. Clients are made after a fork.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,  # noqa: A004 - Redis' own, told apart by the imports above
    NoPermissionError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004 - Redis' own
)
from redis.retry import Retry

from prospect_sync.errors import Misconfigured, TryLater

PREFIX = "{prospect-sync}:"
_OUTAGE_DELAY = 5.0
_PASSING = ("LOADING", "OOM", "READONLY", "MISCONF", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS")


def connect(url: str, *, timeout: float = 10.0) -> Redis:
    """Make a client as the stores want it. It does not retry: that is the queue's part.

    Raises:
        ValueError: the address is none.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn Redis' failures into ours."""
    try:
        yield
    except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
        raise Misconfigured(f"Redis does not let us in: {error}") from error
    except (ConnectionError, TimeoutError) as error:
        raise TryLater(f"Redis does not answer: {error}", delay=_OUTAGE_DELAY) from error
    except ResponseError as error:
        if any(word in str(error) for word in _PASSING):
            raise TryLater(f"Redis cannot work now: {error}", delay=_OUTAGE_DELAY) from error
        raise
    except RedisError as error:
        raise TryLater(f"Redis failed: {error}", delay=_OUTAGE_DELAY) from error


class Scripts:
    """The Lua files of one store: ``<store>_<name>.lua``, each with ``<store>.lua`` in front where there is one."""

    def __init__(self, client: Redis, store: str, names: Sequence[str]) -> None:
        if not client.get_encoder().decode_responses:
            raise ValueError("the stores need a Redis client with decode_responses=True; see connect()")
        folder = files("prospect_sync.stores.redis") / "lua"
        words = folder / f"{store}.lua"
        shared = words.read_text("utf-8") if words.is_file() else ""
        self._scripts = {
            name: client.register_script(shared + (folder / f"{store}_{name}.lua").read_text("utf-8")) for name in names
        }

    def run(self, name: str, keys: Sequence[str], arguments: Sequence[str | float] = ()) -> Any:
        """Run a script in one atomic step.

        Raises: TryLater, Misconfigured.
        """
        with translated():
            return self._scripts[name](keys=list(keys), args=list(arguments))
