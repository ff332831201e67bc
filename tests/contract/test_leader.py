"""One of many: a post is held by one candidate at a time, on memory and on a real Redis."""

import pytest

from prospect_sync.ports import Leader
from prospect_sync.stores.memory import MemoryLeader
from prospect_sync.stores.memory.leader import Posts
from prospect_sync.stores.redis import RedisLeader
from tests.contract.kit import Kit, StepClock, checks_in, rejecting


def check_the_first_gets_it_and_keeps_it(kit: Kit[Leader]) -> None:
    other = kit.other()
    assert kit.store.hold("listen", 30)
    assert not other.hold("listen", 30)
    assert kit.store.hold("listen", 30)


def check_posts_are_apart(kit: Kit[Leader]) -> None:
    assert kit.store.hold("listen", 30)
    assert kit.other().hold("resync", 30)


def check_a_dead_holder_is_followed_when_its_time_is_over(kit: Kit[Leader]) -> None:
    other = kit.other()
    kit.store.hold("listen", 30)
    kit.age(31)
    assert other.hold("listen", 30)
    assert not kit.store.hold("listen", 30)


def check_keeping_it_counts_from_now(kit: Kit[Leader]) -> None:
    other = kit.other()
    kit.store.hold("listen", 30)
    kit.age(20)
    kit.store.hold("listen", 30)
    kit.age(20)
    assert not other.hold("listen", 30)


def check_who_leaves_is_followed_at_once(kit: Kit[Leader]) -> None:
    other = kit.other()
    kit.store.hold("listen", 30)
    kit.store.leave("listen")
    assert other.hold("listen", 30)


def check_only_the_holder_can_leave(kit: Kit[Leader]) -> None:
    other = kit.other()
    other.leave("listen")
    kit.store.hold("listen", 30)
    other.leave("listen")
    assert not other.hold("listen", 30)


CHECKS = checks_in(globals())


def in_memory(make: type[MemoryLeader] = MemoryLeader) -> Kit[Leader]:
    clock, posts = StepClock(), Posts()
    return Kit(make(clock, posts), lambda: make(clock, posts), clock, clock.advance, clock.now)


@pytest.fixture(params=["memory", "redis"])
def kit(request: pytest.FixtureRequest) -> Kit[Leader]:
    if request.param == "memory":
        return in_memory()
    return request.getfixturevalue("redis_kits")(lambda client, _: RedisLeader(client))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_leader(check, kit):
    check(kit)


class ForEver(MemoryLeader):
    """Once held, always held."""

    def hold(self, name, seconds):
        return super().hold(name, 10**9)


def test_the_suite_rejects_a_post_that_never_falls_free():
    rejected_by = rejecting(CHECKS, lambda: in_memory(ForEver))
    assert rejected_by == {"check_a_dead_holder_is_followed_when_its_time_is_over"}
