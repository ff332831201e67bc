"""What becomes of a change event: hints, sweeps, places; and what never does."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from prospect_sync.errors import Misconfigured, Stale, TryLater
from prospect_sync.flow.demand_sweep import demand_sweep, sweep_demanded
from prospect_sync.flow.listen import (
    Stream,
    follow,
    health,
    kinds_of,
    recovered,
    remember_health,
    report_trouble,
    resume,
    save,
)
from prospect_sync.memory import Cause
from prospect_sync.model import Hint, Lane, PersonType, RecordKind, Ref
from prospect_sync.policy.behaviors import Behavior, FieldMapping, FieldType, Mapping
from prospect_sync.ports import ChangeEvent, ChangeKind, Delivery
from tests.flow.test_in_step import in_step
from tests.flow.world import MAPPING, World
from tests.support.pretend_vendors import SALES, SALESFORCE_CONNECTOR

LEADS = "/data/LeadChangeEvent"
ACCOUNTS = "/data/AccountChangeEvent"
ACCOUNT = "001000000000001AAA"
WITH_CONSENT = replace(
    MAPPING,
    fields=(
        *MAPPING.fields,
        FieldMapping(
            "optedOut", "HasOptedOutOfEmail", "HasOptedOutOfEmail", Behavior.MOST_RECENT_FIELD, FieldType.BOOLEAN
        ),
    ),
)
WITH_COMPANY = replace(
    MAPPING, fields=(*MAPPING.fields, FieldMapping("company", None, "Account.Name", Behavior.USE_SALESFORCE))
)


@dataclass
class PretendBus:
    """A topic's stream as a script: deliveries, or an error in their place. Remembers how it was asked."""

    script: list[Any]
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def listen(self, topic: str, *, after: str = "", oldest: bool = False) -> Iterator[Delivery]:
        self.asked.append((after, oldest))
        for one in self.script:
            if isinstance(one, Exception):
                raise one
            yield one

    def close(self) -> None:
        """See the port."""


def update(*ids: str, by: str = SALES, kind: RecordKind | None = RecordKind.LEAD, **values: Any) -> ChangeEvent:
    return ChangeEvent(kind, ChangeKind.UPDATE, ids, by=by, fields=frozenset(values), values=values)


def delivery(*events: ChangeEvent, place: str = "01") -> Delivery:
    return Delivery(events, place)


def hear(world: World, *script: Any, topic: str = LEADS) -> Stream:
    stream = resume(world.runtime, topic)
    follow(world.runtime, PretendBus(list(script)), stream)
    return stream


def waiting(world: World) -> list[Hint]:
    """Take everything that is due, and give it back."""
    found = []
    for lane in Lane:
        while batch := world.inbox.take(lane, 200, 60):
            found.extend(replace(hint, due=None) for hint in batch.hints)
            world.inbox.release(batch)
    return found


def lead(world: World, number: int) -> str:
    return world.pair_ref(number).id


# ------------------------------------------------------------------------------------------------ hints


@pytest.mark.parametrize("change", ChangeKind)
@pytest.mark.parametrize("gap", [False, True])
def test_every_change_of_a_known_pair_is_a_hint_by_its_prospect(change: ChangeKind, gap: bool) -> None:
    world = in_step(2)
    hear(world, delivery(ChangeEvent(RecordKind.LEAD, change, (lead(world, 2),), by=SALES, gap=gap)))
    assert waiting(world) == [Hint(Ref.prospect(2), Lane.LIVE, origin="event")]


def test_an_unknown_record_is_hinted_by_its_own_name() -> None:
    world = in_step()
    hear(world, delivery(update("00Q000000000777AAA", Title="x")))
    assert waiting(world) == [Hint(Ref.person(PersonType.LEAD, "00Q000000000777AAA"), origin="event")]


def test_a_merged_event_is_one_hint_for_each_of_its_records() -> None:
    world = in_step(3)
    hear(world, delivery(update(*(lead(world, number) for number in (1, 2, 3)), Title="x")))
    assert {hint.ref for hint in waiting(world)} == {Ref.prospect(1), Ref.prospect(2), Ref.prospect(3)}


def test_a_consent_change_takes_the_consent_lane() -> None:
    world = World(WITH_CONSENT)
    hear(
        world,
        delivery(
            update("00Q000000000001AAA", HasOptedOutOfEmail=True),
            update("00Q000000000002AAA", Title="x", HasOptedOutOfEmail=True),
            update("00Q000000000003AAA", Title="x"),
        ),
    )
    assert {hint.ref.id: hint.lane for hint in waiting(world)} == {
        "00Q000000000001AAA": Lane.CONSENT,
        "00Q000000000002AAA": Lane.CONSENT,
        "00Q000000000003AAA": Lane.LIVE,
    }


def test_an_event_of_an_object_that_is_not_mapped_is_passed_over() -> None:
    world = in_step()
    other = ChangeEvent(None, ChangeKind.UPDATE, ("006000000000001AAA",), fields=frozenset({"Amount"}))
    assert hear(world, delivery(other), topic="/data/Sync__chn").reached == "01"
    assert waiting(world) == []


def test_which_kinds_a_topic_brings() -> None:
    runtime = World(WITH_COMPANY).runtime
    everything = (RecordKind.LEAD, RecordKind.CONTACT, RecordKind.ACCOUNT)
    assert kinds_of(runtime, LEADS) == (RecordKind.LEAD,)
    assert kinds_of(runtime, "/data/ChangeEvents") == everything
    assert kinds_of(runtime, "/data/Sync__chn") == everything
    assert kinds_of(World().runtime, ACCOUNTS) == ()
    assert kinds_of(World(Mapping()).runtime, LEADS) == ()


# ------------------------------------------------------------------------------------------------ places


def test_a_place_counts_only_once_its_hints_are_in() -> None:
    world = in_step()
    inbox = world.inbox

    class Away:
        def __getattr__(self, name: str) -> Any:
            return getattr(inbox, name)

        def offer(self, hints: Sequence[Hint]) -> None:
            raise TryLater("Redis does not answer", delay=5)

    world.runtime = replace(world.runtime, inbox=Away())
    stream = Stream(LEADS, "0a", "0a")
    with pytest.raises(TryLater):
        follow(world.runtime, PretendBus([delivery(update(lead(world, 1), Title="x"), place="0b")]), stream)
    save(world.runtime, stream)
    assert resume(world.runtime, LEADS).reached == ""
    assert stream.reached == "0a"


def test_the_stream_goes_on_from_its_place_and_from_now_on_without_one() -> None:
    world = in_step()
    stream, bus = resume(world.runtime, LEADS), PretendBus([delivery(place="0a"), delivery(place="0b")])
    follow(world.runtime, bus, stream)
    assert resume(world.runtime, LEADS).reached == "0a"  # the first one is stored at once
    save(world.runtime, stream)
    follow(world.runtime, bus, resume(world.runtime, LEADS))
    assert bus.asked == [("", False), ("0b", False)]


def test_a_sign_of_life_moves_the_place() -> None:
    world = in_step()
    stream = hear(world, delivery(place="0c"))
    assert (stream.reached, stream.events, stream.lag) == ("0c", 0, None)
    assert stream.heard == world.clock.now()


def test_a_broken_stream_is_the_callers_to_try_again() -> None:
    world = in_step()
    with pytest.raises(TryLater):
        hear(world, delivery(update(lead(world, 1), Title="x")), TryLater("gone", delay=1))
    assert waiting(world)


# ------------------------------------------------------------------------------------------------ sweeps


def test_a_lost_place_means_the_oldest_event_and_a_sweep_and_is_shown() -> None:
    world = in_step(3)
    world.salesforce.edit(world.pair_ref(2), {"Title": "no event told"})
    stream = Stream(LEADS, "0a", "0a")
    follow(world.runtime, PretendBus([Stale("expired", code="corrupted")]), stream)
    (entry,) = world.runtime.desk.entries()
    assert (entry.item.cause, entry.refs) == (Cause.UNREAD, (Ref.service(f"{LEADS} events lost"),))
    again = PretendBus([delivery(place="0b")])
    follow(world.runtime, again, resume(world.runtime, LEADS))
    assert again.asked == [("", True)]
    assert sweep_demanded(world.runtime) > 0
    world.work()
    assert world.prospect(2)["jobTitle"] == "no event told"
    assert sweep_demanded(world.runtime) == 0


@pytest.mark.parametrize(
    "event",
    [
        ChangeEvent(RecordKind.LEAD, ChangeKind.UPDATE, gap=True, unbounded=True),
        ChangeEvent(None, ChangeKind.UPDATE, unbounded=True),
    ],
    ids=["overflow", "unreadable"],
)
def test_what_no_event_can_say_is_swept_in_the_bulk_lane(event: ChangeEvent) -> None:
    world = in_step(3)
    world.salesforce.edit(world.pair_ref(2), {"Title": "one of too many"})
    stream = hear(world, delivery(event), delivery(update(lead(world, 3), Title="x"), place="02"))
    assert stream.reached == "02"  # the stream did not wait
    sweep_demanded(world.runtime)
    lanes = world.inbox.lanes()
    assert (lanes[Lane.LIVE].waiting, lanes[Lane.BULK].waiting) == (1, 2)
    world.work()
    assert world.prospect(2)["jobTitle"] == "one of too many"


def test_an_overflow_older_than_the_low_mark_is_swept_from_its_own_time() -> None:
    world = in_step(1)
    world.salesforce.edit(world.pair_ref(1), {"Title": "long ago"})
    committed = world.clock.now()
    world.clock.advance(3600)
    world.poll()
    waiting(world)
    world.clock.advance(3600)
    world.poll()
    event = ChangeEvent(RecordKind.LEAD, ChangeKind.UPDATE, at=committed, unbounded=True)
    hear(world, delivery(event))
    assert sweep_demanded(world.runtime) == 1


def test_a_sweep_that_failed_is_still_to_do() -> None:
    world = in_step(2)
    changed = world.salesforce.changed
    demand_sweep(world.runtime, RecordKind.LEAD)

    def down(*_: Any) -> Any:
        raise TryLater("503", delay=5)

    world.salesforce.changed = down  # type: ignore[method-assign]
    with pytest.raises(TryLater):
        sweep_demanded(world.runtime)
    world.salesforce.changed = changed  # type: ignore[method-assign]
    assert sweep_demanded(world.runtime) > 0


def test_what_is_asked_for_during_a_sweep_is_not_taken_for_done() -> None:
    world = in_step(2)
    changed = world.salesforce.changed
    demand_sweep(world.runtime, RecordKind.LEAD)

    def meanwhile(positions: Any) -> Any:
        world.salesforce.changed = changed  # type: ignore[method-assign]
        demand_sweep(world.runtime, RecordKind.LEAD)
        return changed(positions)

    world.salesforce.changed = meanwhile  # type: ignore[method-assign]
    assert sweep_demanded(world.runtime) == 2
    assert sweep_demanded(world.runtime) == 2
    assert sweep_demanded(world.runtime) == 0


def test_a_kind_that_was_never_polled_needs_no_sweep() -> None:
    world = World()
    demand_sweep(world.runtime, RecordKind.LEAD)
    assert sweep_demanded(world.runtime) == 0


# ------------------------------------------------------------------------------------------------ our own writes


def written(world: World) -> ChangeEvent:
    """Have the product write a title to the lead of pair 1; gives the event that tells of it."""
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    world.cycle()
    assert [dict(write.changes) for write in world.salesforce.committed] == [{"Title": "CTO"}]
    waiting(world)
    event = update(lead(world, 1), by=SALESFORCE_CONNECTOR, Title="CTO")
    stamped = event.fields | {"LastModifiedDate", "LastModifiedById"}
    return replace(event, at=world.clock.now(), fields=stamped)


def hinted(world: World, event: ChangeEvent) -> bool:
    world.inbox = type(world.inbox)(world.clock)
    world.runtime = replace(world.runtime, inbox=world.inbox)
    hear(world, delivery(event))
    return bool(waiting(world))


def test_an_event_that_says_only_what_we_wrote_is_no_hint() -> None:
    world = in_step()
    assert not hinted(world, written(world))


def test_whatever_else_it_says_or_leaves_open_makes_it_a_hint() -> None:
    world = in_step()
    ours = written(world)
    assert hinted(world, replace(ours, by=SALES))
    assert hinted(world, replace(ours, gap=True))
    assert hinted(world, replace(ours, change=ChangeKind.UNDELETE))
    assert hinted(world, replace(ours, fields=frozenset()))
    assert hinted(world, replace(ours, fields=ours.fields | {"Phone"}))
    assert hinted(world, replace(ours, fields=ours.fields | {"Rating__c"}))
    assert hinted(world, replace(ours, values={"Title": "CTO (set by a trigger)"}))
    assert hinted(world, replace(ours, values={"Title": None}))
    assert hinted(world, replace(ours, values={}))
    assert hinted(world, replace(ours, at=None))
    assert hinted(world, replace(ours, at=world.clock.now() + timedelta(seconds=30)))
    assert hinted(world, replace(ours, at=world.clock.now() - timedelta(seconds=30)))
    assert hinted(world, replace(ours, ids=(*ours.ids, "00Q000000000777AAA")))
    assert not hinted(world, ours)


def test_a_triggers_further_change_reaches_the_other_side() -> None:
    world = in_step()
    ours = written(world)
    world.salesforce.edit(world.pair_ref(1), {"Phone": "set by a trigger"}, by=SALESFORCE_CONNECTOR)
    event = replace(ours, fields=ours.fields | {"Phone"}, values={**ours.values, "Phone": "set by a trigger"})
    hear(world, delivery(event))
    world.clock.advance(2)
    world.work()
    assert world.prospect(1)["phone"] == "set by a trigger"


# ------------------------------------------------------------------------------------------------ accounts


def employed() -> World:
    world = World(WITH_COMPANY)
    ref = Ref.person(PersonType.CONTACT, "003000000000001AAA")
    world.pair(1)
    person = world.salesforce.people.pop(world.pair_ref(1))
    person = replace(
        person, type=PersonType.CONTACT, id=ref.id, has_account=True, account_name="Alder Works",
        values={**person.values, "MailingCity": "Bonn", "Account.Name": "Alder Works"},
    )  # fmt: skip
    world.salesforce.add(person)
    world.salesforce.employers[ref] = ACCOUNT
    now = world.engagement.now_holds(1)
    world.engagement.add(replace(now, values={**now.values, "salesforceId": ref.id, "company": "Alder Works"}))
    world.cycles(3)
    assert world.writes() == 0
    return world


@pytest.mark.parametrize("by_event", [True, False])
def test_a_renamed_account_reaches_its_contacts_prospects(by_event: bool) -> None:
    world = employed()
    world.clock.advance(600)
    world.salesforce.rename(ACCOUNT, "Birch Works")
    if by_event:
        hear(world, delivery(update(ACCOUNT, kind=RecordKind.ACCOUNT, Name="Birch Works")), topic=ACCOUNTS)
        world.work()
    else:
        world.cycle()
    assert world.prospect(1)["company"] == "Birch Works"


def test_an_account_whose_name_stayed_costs_nothing() -> None:
    world = employed()
    before = list(world.salesforce.calls)
    hear(
        world,
        delivery(
            update(ACCOUNT, kind=RecordKind.ACCOUNT, Phone="1"),
            ChangeEvent(RecordKind.ACCOUNT, ChangeKind.CREATE, (ACCOUNT,)),
        ),
        topic=ACCOUNTS,
    )
    assert world.salesforce.calls == before
    assert waiting(world) == []


def test_contacts_that_belong_to_no_pair_are_not_hinted_for_their_account() -> None:
    world = employed()
    stranger = Ref.person(PersonType.CONTACT, "003000000000002AAA")
    known = world.salesforce.people[Ref.person(PersonType.CONTACT, "003000000000001AAA")]
    world.salesforce.add(replace(known, id=stranger.id))
    world.salesforce.employers[stranger] = ACCOUNT
    hear(world, delivery(update(ACCOUNT, kind=RecordKind.ACCOUNT, Name="x")), topic=ACCOUNTS)
    assert [hint.ref for hint in waiting(world)] == [Ref.prospect(1)]


# ------------------------------------------------------------------------------------------------ what others see


def test_a_topic_that_cannot_be_followed_stands_on_the_desk_until_it_can() -> None:
    world = in_step()
    report_trouble(world.runtime, LEADS, Misconfigured("no such topic", code="topic.not.found"))
    report_trouble(world.runtime, LEADS, Misconfigured("no such topic", code="topic.not.found"))
    (entry,) = world.runtime.desk.entries()
    assert (entry.item.cause, entry.refs, entry.times) == (Cause.MISCONFIGURED, (Ref.service(LEADS),), 2)
    recovered(world.runtime, LEADS)
    assert not world.runtime.desk.entries()


def test_the_health_tells_how_far_each_topic_has_come() -> None:
    world = in_step()
    assert health(world.runtime) is None
    event = replace(update(lead(world, 1), Title="x"), at=world.clock.now() - timedelta(seconds=2))
    stream = hear(world, delivery(event))
    remember_health(world.runtime, [stream])
    told = json.loads(json.dumps(health(world.runtime)))
    assert told["topics"][LEADS]["lag_seconds"] == 2.0
    assert told["topics"][LEADS]["events"] == 1
    assert told["at"] == world.clock.now().isoformat()
