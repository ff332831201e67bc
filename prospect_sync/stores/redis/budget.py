"""Call permits and daily counters shared by all workers through Redis, on Redis' own clock."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from redis import Redis

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.model import Lane, Side
from prospect_sync.ports import Budget, Clock
from prospect_sync.stores.budget_rules import BudgetRules, day_used_up, no_permit
from prospect_sync.stores.redis.connection import PREFIX, Scripts
from prospect_sync.stores.waiting import Jitter, until


class RedisBudget(Budget):
    """See the port. The clock is for waiting, and for whether the vendor's zone has summer time."""

    def __init__(
        self,
        client: Redis,
        clock: Clock,
        rules: BudgetRules | None = None,
        *,
        prefix: str = PREFIX,
        new_id: Callable[[], str] = lambda: uuid4().hex,
        jitter: Jitter = random.random,
    ) -> None:
        self._clock = clock
        self._rules = rules or BudgetRules()
        self._keys = (f"{prefix}budget:",)
        self._scripts = Scripts(client, "budget", ("grant", "give_back", "usage", "spent"))
        self._new_id = new_id
        self._jitter = jitter

    @contextmanager
    def permit(self, side: Side, lane: Lane) -> Iterator[None]:
        permit = self._new_id()
        granted = until(lambda: self._grant(side, lane, permit), self._clock, self._rules.patience, self._jitter)
        if granted is None:
            raise no_permit(lane)
        try:
            yield
        finally:
            with suppress(
                TryLater, Misconfigured
            ):  # it expires by itself; what the call brought must not be lost for it
                self._scripts.run("give_back", self._keys, (side.value, permit))

    def usage(self, side: Side, used: int, limit: int) -> None:
        self._scripts.run("usage", self._keys, (side.value, self._offset(), used, limit))

    def spent(self, side: Side) -> tuple[int, int | None]:
        used, limit = self._scripts.run("spent", self._keys, (side.value, self._offset()))
        return int(used), self._rules.limits.get(side) if limit is None else int(limit)

    def _grant(self, side: Side, lane: Lane, permit: str) -> bool | None:
        rules = self._rules
        answer = self._scripts.run(
            "grant",
            self._keys,
            (
                side.value,
                self._offset(),
                permit,
                rules.shares[lane],
                rules.limits.get(side, ""),
                int(rules.permit_seconds * 1000),
                int(side is Side.ACCOUNT_ENGAGEMENT),
                rules.permits,
                int(lane is Lane.BULK),
                rules.bulk_permits,
            ),
        )
        if answer not in {"granted", "busy"}:
            raise day_used_up(side, lane, float(answer))
        return True if answer == "granted" else None

    def _offset(self) -> int:
        return self._rules.offset(self._clock.now())
