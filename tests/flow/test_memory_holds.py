"""What must be remembered, and in which order, so that no edit is lost, nothing is written twice and the right value wins."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from prospect_sync.errors import Rejected, Stale, TryLater
from prospect_sync.flow.accept import accept
from prospect_sync.flow.drain import drain
from prospect_sync.flow.poll_people import poll_people
from prospect_sync.flow.tend import tend
from prospect_sync.memory import Cause, Settled
from prospect_sync.model import Hint, Interval, Lane, Ref, Stamp
from prospect_sync.policy.behaviors import Behavior, FieldMapping
from prospect_sync.ports import Write
from tests.flow.test_in_step import in_step
from tests.flow.test_trouble import Killed, refusing, settled
from tests.flow.world import MAPPING, TEN, World
from tests.support.pretend_vendors import SALES


class Failing:
    """A port whose one method fails as told; everything else is the port's own."""

    def __init__(self, port: object, name: str, fail: Callable[[], None]) -> None:
        self._port, self._name, self._fail = port, name, fail

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name != self._name:
            return method

        def failing(*arguments: Any) -> Any:
            self._fail()
            return method(*arguments)

        return failing


def die() -> None:
    raise Killed


def test_what_settling_found_out_is_kept_before_the_intent_is_closed() -> None:
    """A killed worker's write is found applied; then Salesforce fails. Our own write must not pass for sales' edit."""
    world = in_step()
    world.lag_by(60)
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "Head of Marketing"})
    world.at(11, 0, 30)
    world.engagement.edit(1, {"jobTitle": "VP Marketing"})
    world.at(11, 1, 5)  # reads show 11:00:05
    world.poll()
    healthy = world.runtime
    world.runtime = replace(healthy, couples=Failing(healthy.couples, "save", die))
    with pytest.raises(Killed):
        drain(world.runtime, Lane.LIVE)
    assert world.person(world.pair_ref(1))["Title"] == "Head of Marketing"

    outages = [TryLater("503", delay=5)]

    def once() -> None:
        if outages:
            raise outages.pop()

    history = healthy.history(Lane.LIVE)
    world.runtime = replace(healthy, history=lambda _: Failing(history, "read", once))
    world.clock.advance(world.tuning.lease)
    world.cycles(10)
    assert not outages
    assert world.person(world.pair_ref(1))["Title"] == "VP Marketing"
    assert world.prospect(1)["jobTitle"] == "VP Marketing"


@pytest.mark.parametrize("calls", range(21, 30))
def test_a_slow_vendor_and_a_killed_worker_do_not_make_us_write_twice(calls: int) -> None:
    """Calls go out long after the batch began; how long their effect may be hidden counts from each call."""
    world = in_step(30)
    world.lag_by(60)
    world.at(11, 0)
    for number in range(1, 31):
        world.salesforce.edit(world.pair_ref(number), {"City": "Berlin"})

    def slow(_: Write) -> None:
        world.clock.advance(4)
        if len(world.engagement.committed) == calls:
            raise Killed

    world.engagement.refuse = slow
    with pytest.raises(Killed):
        world.cycles(60)
    world.engagement.refuse = lambda _: None
    world.cycles(80)
    assert all(world.prospect(number)["city"] == "Berlin" for number in range(1, 31))
    assert len(world.engagement.committed) == 30
    assert [settled(world, number).count(Settled.APPLIED) for number in range(1, 31)] == [1] * 30


def test_an_edit_after_a_lost_answer_does_not_make_our_write_an_edit_of_its_own() -> None:
    world = in_step()
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Title": "CTO"})
    world.at(11, 0, 5)
    world.engagement.lose_answers = True
    world.cycle(0)
    world.engagement.lose_answers = False
    world.at(11, 0, 30)
    world.engagement.edit(1, {"phone": "030 7"})
    world.at(11, 1)
    world.cycle(0)
    field = world.runtime.mirror.get([1])[1].fields["jobTitle"]
    assert (field.value, field.changed) == ("CTO", Interval.at(TEN.replace(hour=11)))


def test_a_refused_field_does_not_cost_the_other_fields_their_base() -> None:
    """Title has no history; sales changed it, and the prospect was changed later, but not its title."""
    world = World()
    world.pair(1)
    world.engagement.edit(1, {"source": "Event"})
    world.salesforce.untracked.add("Title")
    world.salesforce.refuse = refusing("LeadSource", Rejected("no such choice", fields=["LeadSource"]))
    world.cycles(2)
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Title": "CTO"})
    world.at(11, 1)
    world.engagement.edit(1, {"source": "Fair"})
    world.cycles(2)
    assert world.person(world.pair_ref(1))["Title"] == "CTO"
    assert world.prospect(1)["jobTitle"] == "CTO"


def test_a_field_refused_on_the_first_sync_is_not_blanked_on_the_second() -> None:
    rules = replace(MAPPING.connector, allow_blank_salesforce=True)
    world = World(mapping=replace(MAPPING, connector=rules))
    world.pair(1)
    world.salesforce.people[world.pair_ref(1)].values["City"] = None  # type: ignore[index]
    world.salesforce.refuse = refusing("City", Rejected("no such city", fields=["City"]))
    world.cycles(2)
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Title": "CTO"})
    world.cycles(2)
    assert world.prospect(1)["city"] == "Bonn"
    assert world.prospect(1)["jobTitle"] == "CTO"


def test_two_prospects_that_hold_one_salesforce_id_do_not_both_write_to_it() -> None:
    world = in_step()
    ref = world.pair_ref(1)
    stamp = Stamp(TEN.replace(month=1), "41")
    world.engagement.add(
        replace(world.engagement.now_holds(1), id=2, created=stamp, modified=stamp),
    )
    world.at(11, 0)
    world.engagement.edit(2, {"source": "The other's"})
    world.cycles(3)
    assert world.person(ref)["LeadSource"] == "Web"
    assert world.writes() == 0
    assert [entry.item.cause for entry in world.runtime.desk.entries()] == [Cause.AMBIGUOUS]


def test_a_prospect_that_was_given_another_salesforce_id_leaves_its_former_person_alone() -> None:
    world = in_step(2)
    world.at(11, 0)
    world.engagement.edit(1, {"salesforceId": None})
    world.cycle()
    world.at(11, 5)
    world.engagement.edit(1, {"source": "Fair"})
    world.salesforce.edit(world.pair_ref(1), {"City": "Berlin"})
    world.cycles(2)
    assert world.writes() == 0


def test_a_newly_mapped_field_is_read_when_its_pair_is_looked_at() -> None:
    world = in_step()
    fax = FieldMapping("fax", "Fax", "Fax", Behavior.USE_SALESFORCE)
    world.engagement.edit(1, {"fax": "old"})
    world.cycles(2)
    world.at(10, 30)
    world.cycles(2)
    world.runtime = replace(world.runtime, mapping=replace(MAPPING, fields=(*MAPPING.fields, fax)))
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Fax": "030 99"})
    world.cycles(2)
    assert world.prospect(1)["fax"] == "030 99"


def test_a_field_that_is_mapped_again_is_not_decided_by_what_it_held_before() -> None:
    world = in_step()
    without = tuple(row for row in MAPPING.fields if row.prospect != "source")
    world.runtime = replace(world.runtime, mapping=replace(MAPPING, fields=without))
    world.at(11, 0)
    world.engagement.edit(1, {"source": "Fair"})
    world.cycles(2)
    world.at(11, 3)
    world.cycles(2)
    world.runtime = replace(world.runtime, mapping=MAPPING)
    world.at(11, 5)
    world.salesforce.edit(world.pair_ref(1), {"LeadSource": "Phone"})
    world.cycles(2)
    assert world.person(world.pair_ref(1))["LeadSource"] == "Fair"


def test_a_record_that_is_always_stale_costs_little_and_stands_on_the_desk() -> None:
    world = in_step()
    world.engagement.refuse = lambda _: Stale("no such prospect", code="3")
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"City": "Berlin"})
    world.engagement.calls.clear()
    world.cycles(1800)
    assert world.engagement.calls.count("write") <= 10
    assert [entry.item.cause for entry in world.runtime.desk.entries()] == [Cause.CONFLICT]
    world.engagement.refuse = lambda _: None
    world.cycles(1800)
    assert world.prospect(1)["city"] == "Berlin"


def test_a_doubt_about_a_prospect_that_vanished_is_no_endless_loop() -> None:
    world = in_step()
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "first"})
    world.poll()
    world.engagement.edit(1, {"jobTitle": "second"})
    world.poll()
    world.engagement.versions.clear()
    world.engagement.calls.clear()
    for _ in range(30):
        world.clock.advance(1)
        for _ in range(10):
            drain(world.runtime, Lane.LIVE)
    assert world.engagement.calls.count("read") <= 30


def test_an_edit_in_the_second_of_our_reading_is_not_overwritten() -> None:
    """Times have a second's precision: what we read in the second of the last change may change once more unseen."""
    world = in_step()
    ref = world.pair_ref(1)
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "Marketing's"})
    world.at(11, 0, 5)
    world.salesforce.edit(ref, {"Phone": "030 1"})
    world.clock.advance(0.3)
    done: list[bool] = []

    def sales_again() -> None:
        if not done:
            done.append(True)
            world.salesforce.edit(ref, {"Title": "Sales' own"}, by=SALES)

    world.salesforce.before_write = sales_again
    world.cycle(0)
    if not done:
        sales_again()
    world.cycles(4)
    assert world.person(ref)["Title"] == "Sales' own"
    assert world.prospect(1)["jobTitle"] == "Sales' own"


def test_a_history_row_younger_than_the_record_is_no_endless_loop() -> None:
    """A row may bear the second after the record's: then the pair is read once more, and decided."""
    world = in_step()
    ref = world.pair_ref(1)
    world.at(11, 0)
    world.salesforce.edit(ref, {"Title": "CTO"})
    *rest, (owner, name, at, by) = world.salesforce.rows
    world.salesforce.rows = [*rest, (owner, name, at.replace(second=1), by)]
    world.salesforce.calls.clear()
    world.at(11, 0, 5)
    for _ in range(5):
        world.clock.advance(2)
        world.poll()
        for _ in range(5):
            drain(world.runtime, Lane.LIVE)
    assert world.prospect(1)["jobTitle"] == "CTO"
    assert world.salesforce.calls.count("history") <= 3


def test_hints_that_no_sweep_finds_are_kept_until_their_records_were_worked_on() -> None:
    world = in_step()
    read = world.salesforce.read

    def down(*_: object) -> None:
        raise TryLater("503", delay=10)

    world.salesforce.read = down  # type: ignore[method-assign]
    accept(world.runtime, [Hint(Ref.prospect(1))], keep=True)
    world.work()
    assert [hint.ref for hint in world.runtime.marks.kept()] == [Ref.prospect(1)]
    world.salesforce.read = read  # type: ignore[method-assign]
    world.cycles(6)
    assert not world.runtime.marks.kept()


def test_a_write_found_applied_is_what_both_sides_agreed_on() -> None:
    """No history: only the base tells that marketing, and not sales, changed the title after our write."""
    world = in_step()
    world.salesforce.untracked.add("Title")
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "Head of Marketing"})
    world.clock.advance(2)
    world.poll()
    healthy = world.runtime
    world.runtime = replace(healthy, couples=Failing(healthy.couples, "save", die))
    with pytest.raises(Killed):
        drain(world.runtime, Lane.LIVE)
    world.runtime = healthy
    world.at(11, 0, 30)
    world.engagement.edit(1, {"jobTitle": "VP Marketing"})
    world.at(11, 0, 40)
    world.salesforce.edit(world.pair_ref(1), {"Phone": "030 9"})
    world.clock.advance(world.tuning.lease)
    world.cycles(5)
    assert world.person(world.pair_ref(1))["Title"] == "VP Marketing"
    assert world.prospect(1)["jobTitle"] == "VP Marketing"


def test_a_first_load_that_the_inbox_forgot_is_swept_whole() -> None:
    world = World()
    for number in range(1, 6):
        _, ref = world.pair(number)
        world.salesforce.people[ref] = replace(
            world.salesforce.people[ref], values={**world.salesforce.people[ref].values, "City": "Berlin"}
        )
    world.salesforce.edit(world.pair_ref(5), {"Phone": "030 1"})
    world.poll()
    world.another_inbox()
    world.cycles(3)
    assert [world.prospect(number)["city"] for number in range(1, 6)] == ["Berlin"] * 5


def test_the_low_marks_follow_once_everything_was_worked_on() -> None:
    world = in_step(3)
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"City": "Berlin"})
    world.engagement.edit(2, {"source": "Fair"})
    world.cycles(3)
    world.at(11, 10)
    world.cycles(3)
    now = world.clock.now()
    for source, past in (("prospects", 10), ("Lead", 660)):
        low = world.runtime.marks.get(source).low
        assert low is not None
        assert (now - low).total_seconds() <= past


def test_a_vendor_that_hangs_longer_than_a_lease_does_not_make_records_poisonous() -> None:
    """The worker was slow and not dead: its records are innocent, and come again until the vendor answers."""
    world = in_step()
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"City": "Berlin"})
    world.clock.advance(2)
    world.poll()
    read = world.salesforce.read

    def hangs(*_: object) -> None:
        world.clock.advance(76)
        tend(world.runtime)  # another worker's
        raise TryLater("no answer", delay=30)

    world.salesforce.read = hangs  # type: ignore[method-assign]
    for _ in range(6):
        drain(world.runtime, Lane.LIVE)
        world.clock.advance(31)
    assert not world.runtime.desk.entries()
    world.salesforce.read = read  # type: ignore[method-assign]
    world.cycles(3)
    assert world.prospect(1)["city"] == "Berlin"


def test_a_worker_that_dies_while_it_refreshes_the_mirror_costs_no_more_than_a_lease() -> None:
    world = in_step()
    once, tuning = world.runtime.once, world.tuning
    entered = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        let_go = threading.Event()

        def dead() -> None:
            entered.set()
            let_go.wait(10)

        world.at(11, 0)
        pool.submit(once.share, "mirror", once.mark(), dead, tuning.refresh_patience)
        assert entered.wait(10)
        world.salesforce.edit(world.pair_ref(1), {"City": "Berlin"})
        poll_people(world.runtime)
        while world.prospect(1)["city"] != "Berlin":
            world.clock.advance(1)
            tend(world.runtime)
            drain(world.runtime, Lane.LIVE)
        let_go.set()
    assert (world.clock.now() - TEN.replace(hour=11)).total_seconds() <= tuning.lease + 5
