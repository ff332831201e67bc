"""Fencing tokens only rise: in memory, SQLite and PostgreSQL."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from prospect_sync.ports import Fence
from prospect_sync.stores.memory import MemoryFence
from prospect_sync.stores.sql import SqlFence
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting


def check_every_number_is_greater_than_the_one_before(kit: Kit[Fence]) -> None:
    numbers = [kit.store.next() for _ in range(20)]
    assert all(left < right for left, right in itertools.pairwise(numbers))


def check_other_clients_go_on_from_there(kit: Kit[Fence]) -> None:
    first = kit.store.next()
    second = kit.other().next()
    assert first < second < kit.store.next()


def check_many_clients_never_get_the_same(kit: Kit[Fence]) -> None:
    fences = [kit.other() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        numbers = [n for got in pool.map(lambda fence: [fence.next() for _ in range(25)], fences) for n in got]
    assert len(set(numbers)) == 100


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Fence]:
    return sql_kits(lambda _: MemoryFence(), lambda engine, _: SqlFence(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_fence(check, kit):
    check(kit)


class StutteringFence(MemoryFence):
    """Gives each number twice."""

    def next(self) -> int:
        return super().next() // 2


def test_the_suite_rejects_a_fence_that_repeats():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda _: StutteringFence()))
    assert "check_every_number_is_greater_than_the_one_before" in rejected_by
