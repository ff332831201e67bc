"""What the contract suites are run with: a store, a second client of the same data, and a way to let time pass."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import pytest
from redis import Redis

from prospect_sync.stores.memory import HandClock

S = TypeVar("S")


class StepClock(HandClock):
    """A hand-moved clock that lets something happen whenever somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.on_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.on_sleep()
        super().sleep(seconds)


@dataclass
class Kit(Generic[S]):
    """``other`` opens the same data as another process would. ``age``: seconds pass. ``now``: the store's own clock."""

    store: S
    other: Callable[[], S]
    clock: StepClock
    age: Callable[[float], None]
    now: Callable[[], datetime]


def memory_kit(make: Callable[[StepClock], S]) -> Kit[S]:
    """A kit around one object in memory, which is also every other client's."""
    clock = StepClock()
    store = make(clock)
    return Kit(store, lambda: store, clock, clock.advance, clock.now)


def redis_kit(client: "Redis", make: Callable[["Redis", StepClock], S], connect: Callable[[], "Redis"]) -> Kit[S]:
    """A kit around a real Redis; time passes there by making everything stored older."""
    clock = StepClock()

    def now() -> datetime:
        seconds, microseconds = client.time()
        return datetime.fromtimestamp(seconds + microseconds / 1_000_000, UTC)

    def make_other() -> S:
        return make(connect(), clock)

    return Kit(make(client, clock), make_other, clock, lambda seconds: age_redis(client, int(seconds * 1000)), now)


def age_redis(client: "Redis", milliseconds: int) -> None:
    """Make every stored due time, deadline and expiry earlier."""
    for key in client.keys("*"):
        kind = client.type(key)
        if kind == "zset":
            client.zadd(
                key, {member: score - milliseconds for member, score in client.zrange(key, 0, -1, withscores=True)}
            )
        elif key.endswith(":again"):
            for ref, entry in client.hgetall(key).items():
                lane, due, since, origin = entry.split(" ", 3)
                client.hset(key, ref, f"{lane} {int(due) - milliseconds} {int(since) - milliseconds} {origin}")
        left = client.pttl(key)
        if left >= 0:
            client.pexpire(key, max(0, left - milliseconds))


def checks_in(namespace: Mapping[str, Any]) -> list[Callable[[Any], None]]:
    """The suite: every ``check_…`` of a module, in its order."""
    return [check for name, check in namespace.items() if name.startswith("check_")]


def rejecting(checks: Iterable[Callable[[Any], None]], make_kit: Callable[[], Any]) -> set[str]:
    """Run a suite on a knowingly wrong store and tell which checks reject it."""
    return {check.__name__ for check in checks if _rejects(check, make_kit())}


def _rejects(check: Callable[[Any], None], kit: Any) -> bool:
    try:
        check(kit)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever goes wrong is a rejection
        return True
    return False
