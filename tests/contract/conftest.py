"""Kits for the contract suites: on memory, on a real Redis, on real SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import sqlalchemy as sa
from redis import Redis

from prospect_sync.stores.redis import connect
from prospect_sync.stores.sql import make_engine
from tests.contract.kit import Kit, StepClock, memory_kit, redis_kit


@pytest.fixture
def redis_kits(redis_client: "Redis", redis_server: Any) -> Iterator[Callable[[Any], Kit[Any]]]:
    """Makes kits on the test's Redis."""
    with ExitStack() as stack:
        another = lambda: stack.enter_context(closing(connect(redis_server.url)))  # noqa: E731 - a thunk
        yield lambda make: redis_kit(redis_client, make, another)


@pytest.fixture
def engines() -> Iterator[Callable[[str], sa.Engine]]:
    """Makes engines that are disposed of after the test."""
    with ExitStack() as stack:

        def engine(url: str) -> sa.Engine:
            made = make_engine(url)
            stack.callback(made.dispose)
            return made

        yield engine


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def sql_kits(request: pytest.FixtureRequest, engines: Callable[[str], sa.Engine]) -> Callable[[Any, Any], Kit[Any]]:
    """Makes kits in memory and on both databases, from a memory class and an SQL class."""
    if request.param == "memory":
        return lambda in_memory, _: memory_kit(in_memory)
    url = request.getfixturevalue(f"{request.param}_url")

    def kit(_: Any, in_sql: Callable[[sa.Engine, StepClock], Any]) -> Kit[Any]:
        clock = StepClock()
        return Kit(in_sql(engines(url), clock), lambda: in_sql(engines(url), clock), clock, clock.advance, clock.now)

    return kit
