"""The API budget's promises, on memory and on a real Redis."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta, timezone
from threading import Barrier

import pytest

from prospect_sync.errors import TryLater
from prospect_sync.model import Lane, Side
from prospect_sync.ports import Budget
from prospect_sync.stores.budget_rules import BudgetRules
from prospect_sync.stores.memory import MemoryBudget
from prospect_sync.stores.redis import RedisBudget
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

AE, SF = Side.ACCOUNT_ENGAGEMENT, Side.SALESFORCE
EAST = timezone(timedelta(hours=5, minutes=30))
RULES = BudgetRules(patience=2.0, permit_seconds=180.0, limits={SF: 1_000}, zone=EAST)


def call(budget: Budget, side: Side = AE, lane: Lane = Lane.LIVE) -> None:
    with budget.permit(side, lane):
        pass


def refusal(budget: Budget, side: Side, lane: Lane) -> TryLater:
    with pytest.raises(TryLater) as raised:
        call(budget, side, lane)
    assert raised.value.reason == "limit"
    return raised.value


def check_account_engagement_has_five_permits_in_all(kit: Kit[Budget]) -> None:
    with ExitStack() as held:
        for lane in (Lane.LIVE, Lane.LIVE, Lane.CONSENT, Lane.BULK, Lane.BULK):
            held.enter_context(kit.store.permit(AE, lane))
        assert 0 < refusal(kit.other(), AE, Lane.CONSENT).delay < 60
    call(kit.other(), AE, Lane.CONSENT)


def check_bulk_may_hold_three(kit: Kit[Budget]) -> None:
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(kit.store.permit(AE, Lane.BULK))
        refusal(kit.other(), AE, Lane.BULK)
        for _ in range(2):
            held.enter_context(kit.other().permit(AE, Lane.LIVE))


def check_salesforce_permits_are_not_counted(kit: Kit[Budget]) -> None:
    with ExitStack() as held:
        for _ in range(12):
            held.enter_context(kit.store.permit(SF, Lane.BULK))
        assert kit.store.spent(SF) == (12, 1_000)


def check_a_permit_is_given_back_when_the_call_fails(kit: Kit[Budget]) -> None:
    for _ in range(6):
        with pytest.raises(ZeroDivisionError), kit.store.permit(AE, Lane.LIVE):
            raise ZeroDivisionError
    assert kit.store.spent(AE) == (6, None)


def check_who_waits_gets_the_permit_that_comes_free(kit: Kit[Budget]) -> None:
    with ExitStack() as four:
        for _ in range(4):
            four.enter_context(kit.store.permit(AE, Lane.LIVE))
        with ExitStack() as fifth:
            fifth.enter_context(kit.other().permit(AE, Lane.LIVE))
            kit.clock.on_sleep = fifth.close
            call(kit.store)
    assert kit.store.spent(AE) == (6, None)


def check_a_dead_workers_permits_expire(kit: Kit[Budget]) -> None:
    dead = kit.other()
    permits = [dead.permit(AE, Lane.BULK) for _ in range(3)]
    for permit in permits:
        permit.__enter__()
    kit.age(170)
    refusal(kit.store, AE, Lane.BULK)
    kit.age(11)
    call(kit.store, AE, Lane.BULK)


def check_a_refused_permit_counts_no_call(kit: Kit[Budget]) -> None:
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(kit.store.permit(AE, Lane.BULK))
        refusal(kit.store, AE, Lane.BULK)
    assert kit.other().spent(AE) == (3, None)


def check_calls_of_a_day_are_counted_per_side(kit: Kit[Budget]) -> None:
    for _ in range(3):
        call(kit.store, AE, Lane.LIVE)
    call(kit.other(), SF, Lane.BULK)
    assert (kit.store.spent(AE), kit.store.spent(SF)) == ((3, None), (1, 1_000))


def check_the_vendor_corrects_the_count(kit: Kit[Budget]) -> None:
    call(kit.store)
    kit.store.usage(AE, 40, 25_000)
    assert kit.other().spent(AE) == (40, 25_000)
    kit.store.usage(AE, 30, 20_000)
    call(kit.other())
    assert kit.store.spent(AE) == (31, 20_000)


def check_each_lane_stops_at_its_share_of_the_day(kit: Kit[Budget]) -> None:
    kit.store.usage(AE, 69, 100)
    call(kit.store, AE, Lane.BULK)
    refusal(kit.store, AE, Lane.BULK)
    kit.store.usage(AE, 94, 100)
    call(kit.store, AE, Lane.LIVE)
    refusal(kit.other(), AE, Lane.LIVE)
    kit.store.usage(AE, 99, 100)
    call(kit.store, AE, Lane.CONSENT)
    refusal(kit.store, AE, Lane.CONSENT)
    assert kit.store.spent(AE) == (100, 100)


def check_the_configured_limit_holds_until_the_vendor_names_one(kit: Kit[Budget]) -> None:
    kit.store.usage(SF, 700, 1_000)
    refusal(kit.store, SF, Lane.BULK)
    kit.store.usage(SF, 700, 5_000)
    call(kit.store, SF, Lane.BULK)


def check_a_used_up_day_says_when_the_next_begins(kit: Kit[Budget]) -> None:
    kit.store.usage(AE, 100, 100)
    wall = kit.now().astimezone(EAST)
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert abs(refusal(kit.store, AE, Lane.LIVE).delay - (midnight - wall).total_seconds()) < 5


def check_many_callers_together_hold_five(kit: Kit[Budget]) -> None:
    everybody_tried = Barrier(8)
    budgets = [kit.other() for _ in range(8)]

    def hold(budget: Budget) -> bool:
        try:
            with budget.permit(AE, Lane.LIVE):
                everybody_tried.wait(20)
                return True
        except TryLater:
            everybody_tried.wait(20)
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(hold, budgets)) == 5


CHECKS = checks_in(globals())


@pytest.fixture(params=["memory", "redis"])
def kit(request: pytest.FixtureRequest) -> Kit[Budget]:
    if request.param == "memory":
        return memory_kit(lambda clock: MemoryBudget(clock, RULES))
    return request.getfixturevalue("redis_kits")(lambda client, clock: RedisBudget(client, clock, RULES))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_budget(check, kit):
    check(kit)


def next_day_in_memory(request: pytest.FixtureRequest) -> tuple[Budget, Callable[[], None]]:
    kit = memory_kit(lambda clock: MemoryBudget(clock, RULES))
    return kit.store, lambda: kit.clock.advance(86_400)


def next_day_in_redis(request: pytest.FixtureRequest) -> tuple[Budget, Callable[[], None]]:
    client = request.getfixturevalue("redis_client")
    kit = request.getfixturevalue("redis_kits")(lambda other, clock: RedisBudget(other, clock, RULES))
    return kit.store, lambda: client.hincrby(f"{{prospect-sync}}:budget:day:{AE.value}", "day", -1)


@pytest.mark.parametrize("make", [next_day_in_memory, next_day_in_redis])
def test_a_new_day_begins_at_zero_with_the_limit_known(make, request):
    budget, turn = make(request)
    budget.usage(AE, 100, 100)
    turn()
    assert budget.spent(AE) == (0, 100)
    call(budget, AE, Lane.BULK)
    assert budget.spent(AE) == (1, 100)


def test_the_suite_rejects_a_budget_with_six_permits():
    six = BudgetRules(permits=6, patience=2.0, limits={SF: 1_000}, zone=EAST)
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda clock: MemoryBudget(clock, six)))
    assert {"check_account_engagement_has_five_permits_in_all", "check_many_callers_together_hold_five"} <= rejected_by
