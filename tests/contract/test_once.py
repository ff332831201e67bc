"""Single flight: what many want is done by one, on memory and on a real Redis."""

import threading
from collections.abc import Callable

import pytest

from prospect_sync.errors import TryLater
from prospect_sync.ports import Once
from prospect_sync.stores.memory import MemoryOnce
from prospect_sync.stores.redis import RedisOnce
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

PATIENCE = 30.0


class Work:
    """Counts its runs; while ``gate`` is closed a run stays under way."""

    def __init__(self, *, gate_open: bool = True) -> None:
        self.runs = 0
        self.begun = threading.Event()
        self.gate = threading.Event()
        if gate_open:
            self.gate.set()

    def __call__(self) -> None:
        self.runs += 1
        self.begun.set()
        assert self.gate.wait(20)


def in_background(call: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def check_it_is_done_here_if_nobody_does(kit: Kit[Once]) -> None:
    work = Work()
    kit.store.share("mirror", kit.store.mark(), work, PATIENCE)
    assert work.runs == 1


def check_a_run_that_started_later_serves_everybody_before(kit: Kit[Once]) -> None:
    work, since = Work(), kit.store.mark()
    kit.store.share("mirror", since, work, PATIENCE)
    kit.other().share("mirror", since, work, PATIENCE)
    assert work.runs == 1


def check_a_run_that_started_earlier_does_not_count(kit: Kit[Once]) -> None:
    work = Work()
    kit.store.share("mirror", kit.store.mark(), work, PATIENCE)
    kit.other().share("mirror", kit.other().mark(), work, PATIENCE)
    assert work.runs == 2


def check_names_are_apart(kit: Kit[Once]) -> None:
    work, since = Work(), kit.store.mark()
    kit.store.share("mirror", since, work, PATIENCE)
    kit.store.share("people", since, work, PATIENCE)
    assert work.runs == 2


def check_who_waits_gets_the_run_under_way(kit: Kit[Once]) -> None:
    work, since = Work(gate_open=False), kit.store.mark()
    other = kit.other()
    runner = in_background(lambda: other.share("mirror", since, work, PATIENCE))
    assert work.begun.wait(20)
    kit.clock.on_sleep = lambda: (work.gate.set(), runner.join())
    kit.store.share("mirror", since, work, PATIENCE)
    assert work.runs == 1


def check_a_run_under_way_that_started_earlier_is_waited_for_and_followed_by_another(kit: Kit[Once]) -> None:
    slow, fresh = Work(gate_open=False), Work()
    other = kit.other()
    since = kit.store.mark()
    runner = in_background(lambda: other.share("mirror", since, slow, PATIENCE))
    assert slow.begun.wait(20)
    kit.clock.on_sleep = lambda: (slow.gate.set(), runner.join())
    kit.store.share("mirror", kit.store.mark(), fresh, PATIENCE)
    assert (slow.runs, fresh.runs, runner.is_alive()) == (1, 1, False)


def check_not_done_in_time_is_try_later(kit: Kit[Once]) -> None:
    work, since = Work(gate_open=False), kit.store.mark()
    other = kit.other()
    runner = in_background(lambda: other.share("mirror", since, work, PATIENCE))
    assert work.begun.wait(20)
    with pytest.raises(TryLater) as raised:
        kit.store.share("mirror", since, work, 1.0)
    work.gate.set()
    runner.join()
    assert (raised.value.reason, work.runs) == ("waiting", 1)


def check_what_work_raises_is_raised_and_the_work_is_still_to_do(kit: Kit[Once]) -> None:
    since, work = kit.store.mark(), Work()

    def fail() -> None:
        raise TryLater("the vendor is away", delay=5)

    with pytest.raises(TryLater, match="the vendor is away"):
        kit.store.share("mirror", since, fail, PATIENCE)
    kit.other().share("mirror", since, work, PATIENCE)
    assert work.runs == 1


def check_a_dead_runner_is_replaced_after_the_patience(kit: Kit[Once]) -> None:
    stuck, work, since = Work(gate_open=False), Work(), kit.store.mark()
    other = kit.other()
    runner = in_background(lambda: other.share("mirror", since, stuck, PATIENCE))
    assert stuck.begun.wait(20)
    kit.age(PATIENCE + 1)
    kit.store.share("mirror", since, work, PATIENCE)
    stuck.gate.set()
    runner.join()
    assert work.runs == 1


def check_a_run_taken_for_dead_sets_nothing_back_when_it_ends(kit: Kit[Once]) -> None:
    stuck, work, since = Work(gate_open=False), Work(), kit.store.mark()
    other = kit.other()
    runner = in_background(lambda: other.share("mirror", since, stuck, PATIENCE))
    assert stuck.begun.wait(20)
    kit.age(PATIENCE + 1)
    after = kit.store.mark()
    kit.store.share("mirror", after, work, PATIENCE)
    stuck.gate.set()
    runner.join()
    kit.store.share("mirror", after, work, PATIENCE)
    assert work.runs == 1


def check_a_run_taken_for_dead_does_not_end_its_successor(kit: Kit[Once]) -> None:
    stuck, second, third = Work(gate_open=False), Work(gate_open=False), Work()
    first_client, second_client = kit.other(), kit.other()
    since = kit.store.mark()
    first_runner = in_background(lambda: first_client.share("mirror", since, stuck, PATIENCE))
    assert stuck.begun.wait(20)
    kit.age(PATIENCE + 1)
    after = kit.store.mark()
    second_runner = in_background(lambda: second_client.share("mirror", after, second, PATIENCE))
    assert second.begun.wait(20)
    stuck.gate.set()
    first_runner.join()
    kit.clock.on_sleep = lambda: (second.gate.set(), second_runner.join())
    kit.store.share("mirror", after, third, PATIENCE)
    second.gate.set()
    second_runner.join()
    assert (second.runs, third.runs) == (1, 0)


CHECKS = checks_in(globals())


@pytest.fixture(params=["memory", "redis"])
def kit(request: pytest.FixtureRequest) -> Kit[Once]:
    if request.param == "memory":
        return memory_kit(MemoryOnce)
    return request.getfixturevalue("redis_kits")(RedisOnce)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_once(check, kit):
    check(kit)


class TwiceOnce(MemoryOnce):
    """Nobody hears that it was done."""

    def _leave(self, name, run, *, done):
        super()._leave(name, run, done=False)


def test_the_suite_rejects_work_that_runs_twice():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(TwiceOnce))
    assert {
        "check_a_run_that_started_later_serves_everybody_before",
        "check_who_waits_gets_the_run_under_way",
    } <= rejected_by
