"""Call permits and daily counters of one process."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prospect_sync.model import Lane, Side
from prospect_sync.ports import Budget, Clock
from prospect_sync.stores.budget_rules import DAY, BudgetRules, day_used_up, no_permit
from prospect_sync.stores.waiting import Jitter, until


@dataclass(slots=True)
class _Day:
    number: int = 0
    used: int = 0
    limit: int | None = None


@dataclass(slots=True, eq=False)
class _Permit:
    lane: Lane
    expires: datetime


@dataclass(slots=True)
class _Account:
    day: _Day = field(default_factory=_Day)
    permits: list[_Permit] = field(default_factory=list)


class MemoryBudget(Budget):
    """See the port."""

    def __init__(self, clock: Clock, rules: BudgetRules | None = None, *, jitter: Jitter = random.random) -> None:
        self._clock = clock
        self._rules = rules or BudgetRules()
        self._jitter = jitter
        self._lock = threading.Lock()
        self._accounts = {side: _Account(_Day(limit=self._rules.limits.get(side))) for side in Side}

    @contextmanager
    def permit(self, side: Side, lane: Lane) -> Iterator[None]:
        permit = until(lambda: self._grant(side, lane), self._clock, self._rules.patience, self._jitter)
        if permit is None:
            raise no_permit(lane)
        try:
            yield
        finally:
            with self._lock:
                account = self._accounts[side]
                account.permits = [held for held in account.permits if held is not permit]

    def usage(self, side: Side, used: int, limit: int) -> None:
        with self._lock:
            day = self._today(side)
            day.used, day.limit = used, limit

    def spent(self, side: Side) -> tuple[int, int | None]:
        with self._lock:
            day = self._today(side)
            return day.used, day.limit

    def _grant(self, side: Side, lane: Lane) -> _Permit | None:
        with self._lock:
            now = self._clock.now()
            account, day = self._accounts[side], self._today(side)
            if day.limit is not None and day.used >= self._rules.ceiling(day.limit, lane):
                raise day_used_up(side, lane, DAY - self._wall_seconds(now) % DAY)
            account.permits = [held for held in account.permits if held.expires > now]
            if side is Side.ACCOUNT_ENGAGEMENT and self._busy(account.permits, lane):
                return None
            day.used += 1
            permit = _Permit(lane, now + timedelta(seconds=self._rules.permit_seconds))
            account.permits.append(permit)
            return permit

    def _busy(self, held: list[_Permit], lane: Lane) -> bool:
        bulk = sum(permit.lane is Lane.BULK for permit in held)
        return len(held) >= self._rules.permits or (lane is Lane.BULK and bulk >= self._rules.bulk_permits)

    def _today(self, side: Side) -> _Day:
        day = self._accounts[side].day
        number = self._wall_seconds(self._clock.now()) // DAY
        if day.number != number:
            day.number, day.used = number, 0
        return day

    def _wall_seconds(self, now: datetime) -> int:
        return int(now.timestamp()) + self._rules.offset(now)
