"""A whole product in one process: the flow over memory stores, a hand-moved clock, and the pretend vendors."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from prospect_sync.flow.drain import drain
from prospect_sync.flow.poll_people import poll_people
from prospect_sync.flow.refresh_mirror import poll_prospects
from prospect_sync.flow.runtime import Runtime, Tuning
from prospect_sync.flow.tend import tend
from prospect_sync.model import ConnectorUsers, Lane, Person, PersonType, Prospect, Ref, Stamp
from prospect_sync.policy.behaviors import Behavior, ConnectorRules, FieldMapping, FieldType, Mapping
from prospect_sync.stores.memory import (
    HandClock,
    MemoryCouples,
    MemoryDesk,
    MemoryFence,
    MemoryInbox,
    MemoryLedger,
    MemoryMarks,
    MemoryMirror,
    MemoryOnce,
    MemoryResyncs,
)
from tests.support.pretend_vendors import (
    BORN,
    CONNECTOR,
    MARKETING,
    SALES,
    SALESFORCE_CONNECTOR,
    PretendAccountEngagement,
    PretendHistory,
    PretendSalesforce,
)

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

MAPPING = Mapping(
    connector=ConnectorRules(),
    fields=(
        FieldMapping("email", "Email", "Email", None, FieldType.EMAIL),
        FieldMapping("jobTitle", "Title", "Title", Behavior.MOST_RECENT_FIELD),
        FieldMapping("phone", "Phone", "Phone", Behavior.MOST_RECENT_FIELD),
        FieldMapping("city", "City", "MailingCity", Behavior.USE_SALESFORCE),
        FieldMapping("source", "LeadSource", "LeadSource", Behavior.USE_ACCOUNT_ENGAGEMENT),
    ),
    version="test",
)


class SilentWaker:
    """Nobody is asleep here."""

    def wake(self, lane: Lane) -> None:
        """See the port."""


@dataclass
class World:
    """Both orgs, the stores, and the verbs a story needs."""

    mapping: Mapping = MAPPING
    lag: float = 0.0
    tuning: Tuning = field(default_factory=lambda: Tuning(read_lag=0.0, lag_slack=1.0, prospect_overlap=30.0))

    def __post_init__(self) -> None:
        self.clock = HandClock(TEN)
        self.salesforce = PretendSalesforce(self.clock)
        self.engagement = PretendAccountEngagement(self.clock, lag=self.lag)
        self.inbox = MemoryInbox(self.clock)
        self.runtime = Runtime(
            clock=self.clock,
            people=lambda _: self.salesforce,
            history=lambda _: PretendHistory(self.salesforce),
            prospects=lambda _: self.engagement,
            inbox=self.inbox,
            once=MemoryOnce(self.clock),
            fence=MemoryFence(),
            mirror=MemoryMirror(),
            couples=MemoryCouples(),
            ledger=MemoryLedger(),
            desk=MemoryDesk(self.clock),
            marks=MemoryMarks(),
            resyncs=MemoryResyncs(),
            waker=SilentWaker(),
            mapping=self.mapping,
            connector=ConnectorUsers(SALESFORCE_CONNECTOR, CONNECTOR),
            tracked=self.salesforce.tracked,
            tuning=self.tuning,
        )

    def pair(self, number: int, **both: Any) -> tuple[int, Ref]:
        """Make a lead and a prospect that hold the same values: jobTitle, phone, city, source."""
        ref = self.pair_ref(number)
        values = {"jobTitle": "CEO", "phone": "0171 5", "city": "Bonn", "source": "Web", **both}
        email = f"p{number}@example.org"
        names = {"jobTitle": "Title", "phone": "Phone", "city": "City", "source": "LeadSource"}
        person = {names[name]: value for name, value in values.items()}
        born = Stamp(BORN, SALES)
        self.salesforce.add(Person(PersonType.LEAD, ref.id, {"Email": email, **person}, born, born))
        prospect = {"email": email, "salesforceId": ref.id, **values}
        stamp = Stamp(BORN, str(MARKETING))
        self.engagement.add(Prospect(number, prospect, stamp, stamp))
        return number, ref

    @staticmethod
    def pair_ref(number: int) -> Ref:
        return Ref.person(PersonType.LEAD, f"00Q{number:012d}")

    def at(self, hour: int, minute: int, second: int = 0) -> None:
        """Move the clock forward to this time of day."""
        target = TEN.replace(hour=hour, minute=minute, second=second)
        self.clock.advance((target - self.clock.now()).total_seconds())

    def poll(self) -> None:
        """Run both pollers."""
        poll_prospects(self.runtime)
        poll_people(self.runtime)

    def work(self) -> None:
        """Drain everything that is due."""
        while any(drain(self.runtime, lane) for lane in Lane):
            pass

    def cycle(self, seconds: float = 2.0) -> None:
        """One beat: time passes, polls run, the queue is tended and drained."""
        self.clock.advance(seconds)
        tend(self.runtime)
        self.poll()
        self.work()

    def cycles(self, count: int, seconds: float = 2.0) -> None:
        for _ in range(count):
            self.cycle(seconds)

    def person(self, ref: Ref) -> dict[str, Any]:
        return dict(self.salesforce.people[ref].values)

    def prospect(self, number: int) -> dict[str, Any]:
        return dict(self.engagement.now_holds(number).values)

    def writes(self) -> int:
        return len(self.salesforce.committed) + len(self.engagement.committed)

    def lag_by(self, seconds: float) -> None:
        """From now on reads trail writes by this, and the product knows."""
        self.engagement.lag = seconds
        tuning = replace(self.tuning, read_lag=seconds, prospect_overlap=seconds + 20)
        self.runtime = replace(self.runtime, tuning=tuning)

    def hide_from_now_on(self, ref: Ref) -> None:
        self.salesforce.hidden.add(ref)

    def another_inbox(self) -> None:
        """The inbox forgets everything, as after FLUSHALL."""
        self.inbox = MemoryInbox(self.clock)
        self.runtime = replace(self.runtime, inbox=self.inbox)
