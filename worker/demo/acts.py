"""The three acts: bring all pairs into step, let users edit, wait that nothing happens. Each ends when only polls are left.

Watches the servers' call log; knows neither how the product works nor how results are shown.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from prospect_sync.errors import ProspectSyncError
from prospect_sync.stores.sql.tables import COUPLES
from worker.demo.calls import ACCOUNT_ENGAGEMENT, POLL, SALESFORCE, CallsFollowed, Seen
from worker.demo.edits import Edited, Planned, make_edits
from worker.demo.stage import Stage

_TICK = 0.25
_QUIET_CYCLES = 2
_IDLE = frozenset({POLL, "token", "settings"})

Tell = Callable[[str, int, int, int], None]
"""What is going on, pairs brought into step, calls, records written."""


class NotQuietError(ProspectSyncError):
    """The sync did not come to rest in the time it was given."""


@dataclass(slots=True)
class Play:
    """One performance; ``tell`` is called a few times a second."""

    stage: Stage
    cycle: float
    tell: Tell
    followed: CallsFollowed = field(init=False)
    last_work: float = field(default=0.0)
    _polls_since: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.followed = CallsFollowed(self.stage.admin)

    def first_sync(self, pairs: int) -> None:
        """Until every pair has been looked at and nothing but polling goes on."""
        self._worked()
        patience = 90 + pairs / 10
        self._until(lambda: self._in_step() >= pairs and self._quiet(), patience, "first sync")

    def edits(self, planned: Sequence[Planned]) -> list[Edited]:
        """Make each edit at its second, then wait until their consequences are through."""
        began, made, place = time.monotonic(), list[Edited](), 0
        while place < len(planned):
            self._look("sales and marketing edit")
            now = time.monotonic() - began
            due = [edit for edit in planned[place:] if edit.second <= now]
            made += make_edits(self.stage.admin, due)
            place += len(due)
            time.sleep(_TICK)
        self._worked()
        self._until(self._quiet, 90, "the sync follows")
        return made

    def quiet_cycles(self, cycles: int) -> int:
        """Wait for so many complete poll cycles of both sides; gives how many there were."""
        polls = {SALESFORCE: 0, ACCOUNT_ENGAGEMENT: 0}
        give_up = time.monotonic() + 60 + 10 * cycles * self.cycle
        while min(polls.values()) < cycles:
            if time.monotonic() > give_up:
                raise NotQuietError(f"There were only {min(polls.values())} poll cycles; is the scheduler alive?")
            for call in self._look("quiet, polls only"):
                polls[call.org] += call.purpose == POLL
            time.sleep(_TICK)
        return min(polls.values())

    def _until(self, reached: Callable[[], bool], patience: float, what: str) -> None:
        give_up = time.monotonic() + patience
        while not reached():
            if time.monotonic() > give_up:
                raise NotQuietError(f"The sync did not come to rest within {patience:.0f} s ({what}).")
            time.sleep(_TICK)
            self._look(what)

    def _look(self, what: str) -> Sequence[Seen]:
        self.stage.children.check()
        new = self.followed.follow()
        self._note(new)
        self.tell(what, self._in_step(), len(self.followed.calls), len(self.followed.committed))
        return new

    def _note(self, calls: Iterable[Seen]) -> None:
        for call in calls:
            if call.purpose in _IDLE:
                self._polls_since[call.org] = self._polls_since.get(call.org, 0) + 1
            else:
                self._worked()

    def _worked(self) -> None:
        self.last_work, self._polls_since = time.monotonic(), {}

    def _quiet(self) -> bool:
        """No record waits or is worked on, and since then some complete cycles have asked both sides and found no work."""
        if self.stage.inbox.oldest() is not None:
            self._polls_since = {}
            return False
        return min(self._polls_since.get(org, 0) for org in (SALESFORCE, ACCOUNT_ENGAGEMENT)) > _QUIET_CYCLES

    def _in_step(self) -> int:
        query = sa.select(sa.func.count()).select_from(COUPLES).where(COUPLES.c.relinked.is_(False))
        with self.stage.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())
