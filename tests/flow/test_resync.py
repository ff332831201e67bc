"""A resync in one process: what it finds, what it costs, and that nothing that happens meanwhile goes wrong."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.flow.drain import drain
from prospect_sync.flow.poll_people import poll_people
from prospect_sync.flow.resync import resync_step, start_resync
from prospect_sync.flow.resync_status import ResyncState, ResyncStatus, resync_status
from prospect_sync.flow.tend import tend
from prospect_sync.memory import ResyncPhase
from prospect_sync.model import Lane, Person, PersonType, Prospect, Ref, Stamp
from prospect_sync.policy.behaviors import Behavior, FieldMapping, FieldType, Mapping
from tests.flow.world import MAPPING, World
from tests.support.pretend_vendors import BORN, MARKETING, SALES

CONSENT = FieldMapping("optedOut", "OptOut", "OptOut", Behavior.USE_SALESFORCE, FieldType.BOOLEAN)


def world_of(pairs: int, mapping: Mapping = MAPPING, page: int = 3) -> World:
    """Pairs in step, in pages of three, and nothing known of them yet."""
    world = World(mapping)
    world.salesforce.page = page
    for number in range(1, pairs + 1):
        world.pair(number)
    return world


def behind_our_back(world: World, number: int, *, days: int = 0, **values: Any) -> None:
    """The prospect holds something else, since so many days after its birth, and no poll looks back so far."""
    stamp = Stamp(BORN + timedelta(days=days), str(MARKETING))
    before = world.engagement.now_holds(number)
    world.engagement.versions[number] = [(BORN, Prospect(number, {**before.values, **values}, stamp, stamp))]


def run(world: World, seconds: float = 1.0) -> ResyncStatus:
    """Let steps and batches take turns until the resync is done."""
    for _ in range(200):
        status = resync_status(world.runtime)
        assert status is not None
        if status.run.ended:
            return status
        resync_step(world.runtime)
        world.work()
        world.clock.advance(seconds)
        tend(world.runtime)
    raise AssertionError("the resync does not end")


def hinted(world: World) -> set[str]:
    return {str(hint.ref) for hint in world.runtime.marks.kept()}


def until(world: World, phase: ResyncPhase) -> None:
    for _ in range(50):
        found = world.runtime.resyncs.newest()
        assert found is not None
        if found.phase is phase:
            return
        resync_step(world.runtime)
        world.clock.advance(1)
    raise AssertionError(f"never {phase}")


# ------------------------------------------------------------------------------------------------ what it finds


def test_pairs_in_step_cost_a_call_a_page_and_their_values_are_remembered():
    world = world_of(7)
    start_resync(world.runtime)
    status = run(world)
    assert (status.run.seen, status.run.in_step, status.run.hinted) == (7, 7, 0)
    assert world.salesforce.calls == ["snapshot"] * 3
    assert world.writes() == 0
    couple = world.runtime.couples.of([Ref.prospect(7)])[Ref.prospect(7)]
    assert couple.person == world.pair_ref(7)
    assert couple.base == {
        "email": "p7@example.org",
        "jobTitle": "CEO",
        "phone": "0171 5",
        "city": "Bonn",
        "source": "Web",
    }
    assert not couple.relinked


def test_what_differs_is_brought_into_step():
    world = world_of(7)
    behind_our_back(world, 2, city="Köln")
    behind_our_back(world, 5, source="Fair")
    start_resync(world.runtime)
    status = run(world)
    assert (status.run.seen, status.run.in_step, status.run.hinted) == (7, 5, 2)
    assert (status.run.applied, status.run.refused, status.remaining, status.desk) == (2, 0, 0, 0)
    assert world.prospect(2)["city"] == "Bonn"
    assert world.person(world.pair_ref(5))["LeadSource"] == "Fair"
    assert status.state is ResyncState.DONE


def test_a_differing_opt_out_does_not_wait_in_the_bulk_lane():
    world = world_of(2, replace(MAPPING, fields=(*MAPPING.fields, CONSENT)))
    world.salesforce.people = {
        ref: replace(person, values={**person.values, "OptOut": True})
        for ref, person in world.salesforce.people.items()
    }
    behind_our_back(world, 1, optedOut=True, city="Köln")
    behind_our_back(world, 2, optedOut=False)
    start_resync(world.runtime)
    until(world, ResyncPhase.DRAINING)
    lanes = world.inbox.lanes()
    assert (lanes[Lane.CONSENT].waiting, lanes[Lane.BULK].waiting) == (1, 1)
    run(world)
    assert world.prospect(2)["optedOut"] is True


def test_a_second_run_finds_everything_in_step_again():
    world = world_of(4)
    behind_our_back(world, 2, city="Köln")
    start_resync(world.runtime)
    run(world)
    writes = world.writes()
    start_resync(world.runtime)
    status = run(world)
    assert (status.run.seen, status.run.in_step, status.run.hinted) == (4, 4, 0)
    assert world.writes() == writes


def test_prospects_and_people_without_a_partner_are_looked_at_where_they_could_find_one():
    world = world_of(1)
    stamp = Stamp(BORN, SALES)
    alone = Ref.person(PersonType.LEAD, "00Q000000000050")
    silent = Ref.person(PersonType.LEAD, "00Q000000000051")
    for ref, values in ((alone, {"Email": "a@example.org"}), (silent, {"Email": None})):
        world.salesforce.add(Person(PersonType.LEAD, ref.id, values, stamp, stamp))
    for number, values in ((60, {"email": "b@example.org"}), (61, {"email": None})):
        world.engagement.add(Prospect(number, {**values, "salesforceId": None}, stamp, stamp))
    start_resync(world.runtime)
    until(world, ResyncPhase.DRAINING)
    assert hinted(world) == {str(alone), "prospect:60"}
    status = resync_status(world.runtime)
    assert status is not None
    assert (status.run.seen, status.run.in_step, status.run.hinted) == (4, 1, 2)


def test_a_prospect_whose_person_is_not_there_is_hinted_and_so_are_deleted_people():
    world = world_of(5)
    world.salesforce.hidden.add(world.pair_ref(2))
    world.salesforce.people[world.pair_ref(4)] = replace(world.salesforce.people[world.pair_ref(4)], deleted=True)
    start_resync(world.runtime)
    until(world, ResyncPhase.DRAINING)
    assert hinted(world) == {"prospect:2", "prospect:4"}


def test_a_column_that_nobody_may_read_does_not_make_every_pair_differ():
    world = world_of(3)
    world.salesforce.people = {
        ref: replace(person, values={key: value for key, value in person.values.items() if key != "Phone"})
        for ref, person in world.salesforce.people.items()
    }
    start_resync(world.runtime)
    assert run(world).run.in_step == 3


def test_the_mirror_is_read_anew_so_that_what_it_missed_is_found():
    world = world_of(3)
    world.poll()
    world.work()
    world.clock.advance(3600)
    world.poll()
    behind_our_back(world, 2, days=1, city="Köln")
    world.cycles(3)
    assert world.prospect(2)["city"] == "Köln"  # nothing tells the poll
    start_resync(world.runtime)
    status = run(world)
    assert (status.run.in_step, status.run.hinted) == (2, 1)
    assert world.prospect(2)["city"] == "Bonn"


# ------------------------------------------------------------------------------------------------ since


def test_since_looks_at_what_changed_on_either_side_since_then():
    world = world_of(9)
    world.poll()
    world.work()
    world.clock.advance(3600)
    since = world.clock.now()
    world.clock.advance(60)
    world.engagement.edit(2, {"city": "Köln"})
    world.salesforce.edit(world.pair_ref(5), {"City": "Ulm"})
    world.engagement.edit(7, {"score": 9})
    world.clock.advance(3600)
    world.salesforce.calls.clear()
    _, new = start_resync(world.runtime, since=since)
    status = run(world)
    assert new
    assert status.run.since == since
    assert (world.prospect(2)["city"], world.prospect(5)["city"]) == ("Bonn", "Ulm")
    # the refresh found prospect 2 by itself, and it was synced before it was compared
    assert (status.run.seen, status.run.in_step, status.run.hinted) == (3, 2, 1)
    assert world.salesforce.calls.count("snapshot") == 1


# ------------------------------------------------------------------------------------------------ one run


def test_a_second_start_joins_the_open_one():
    world = world_of(4)
    first, new = start_resync(world.runtime)
    resync_step(world.runtime)
    again, is_new = start_resync(world.runtime, since=world.clock.now())
    assert (new, is_new) == (True, False)
    assert (again.id, again.since) == (first.id, None)
    run(world)
    third, is_new = start_resync(world.runtime)
    assert is_new
    assert third.id != first.id


def test_two_workers_never_do_one_step_twice():
    world = world_of(7)
    start_resync(world.runtime)
    until(world, ResyncPhase.PEOPLE)
    snapshot = world.salesforce.snapshot

    def meanwhile(*arguments: Any, **named: Any) -> Any:
        assert not resync_step(world.runtime)
        return snapshot(*arguments, **named)

    world.salesforce.snapshot = meanwhile  # type: ignore[method-assign]
    run(world)
    assert world.salesforce.calls.count("snapshot") == 3


def test_it_can_be_stopped_and_goes_on():
    world = world_of(7)
    started, _ = start_resync(world.runtime)
    until(world, ResyncPhase.PEOPLE)
    resync_step(world.runtime)
    world.runtime.resyncs.pause(started.id, paused=True)
    assert not resync_step(world.runtime)
    status = resync_status(world.runtime)
    assert status is not None
    assert (status.state, status.run.seen) == (ResyncState.PAUSED, 3)
    world.runtime.resyncs.pause(started.id, paused=False)
    assert run(world).run.seen == 7
    assert world.salesforce.calls.count("snapshot") == 3


# ------------------------------------------------------------------------------------------------ killed


class Killed(BaseException):
    """The process is gone; nothing gets a chance to tidy up."""


class Fragile:
    """A port whose calls are counted, and which dies before or after the one it is told to die at."""

    def __init__(self, port: Any, step: Callable[[], None]) -> None:
        self._port = port
        self._step = step

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._step()
            answer = found(*arguments, **named)
            self._step()
            return answer

        return call


_FRAGILE = {"inbox", "mirror", "couples", "marks", "resyncs", "desk"}


def killed_at(world: World, moment: int) -> bool:
    """Take the resync's steps until the process dies at that moment; False where it was done before."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count == moment:
            raise Killed

    ports = {field.name: getattr(world.runtime, field.name) for field in fields(world.runtime)}
    fragile = replace(world.runtime, **{name: Fragile(ports[name], step) for name in _FRAGILE})
    try:
        for _ in range(40):
            resync_step(fragile)
            world.clock.advance(1)
    except Killed:
        return True
    return False


def troubled(*, loaded: bool) -> World:
    """Eight pairs of which two differ, and a prospect without a person; ``loaded``: the mirror knows an older state."""
    world = world_of(8)
    stamp = Stamp(BORN, str(MARKETING))
    world.engagement.add(Prospect(60, {"email": "b@example.org", "salesforceId": None}, stamp, stamp))
    if loaded:
        start_resync(world.runtime)
        run(world)
        world.clock.advance(3600)
        world.poll()
        world.salesforce.calls.clear()
    behind_our_back(world, 2, days=1, city="Köln")
    behind_our_back(world, 7, days=1, city="Ulm")
    return world


@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "new"])
def test_killed_between_any_two_steps_it_goes_on_at_its_checkpoint(loaded):
    undisturbed = troubled(loaded=loaded)
    start_resync(undisturbed.runtime)
    run(undisturbed)
    calls = undisturbed.salesforce.calls.count("snapshot")
    kills = 0
    for moment in range(1, 500):
        world = troubled(loaded=loaded)
        start_resync(world.runtime)
        if not killed_at(world, moment):
            break
        kills += 1
        world.clock.advance(world.runtime.tuning.refresh_patience)
        status = run(world)
        assert world.salesforce.calls.count("snapshot") <= calls + 1, moment
        assert (world.prospect(2)["city"], world.prospect(7)["city"]) == ("Bonn", "Bonn"), moment
        assert (status.run.seen, status.run.in_step, status.run.hinted) == (9, 6, 3), moment
        assert hinted(world) == set()
        assert world.writes() == 2, moment
    assert kills > 60


def test_the_inbox_may_forget_everything_in_between():
    world = troubled(loaded=False)
    start_resync(world.runtime)
    until(world, ResyncPhase.DRAINING)
    world.another_inbox()
    tend(world.runtime)
    run(world)
    assert (world.prospect(2)["city"], world.prospect(7)["city"]) == ("Bonn", "Bonn")


# ------------------------------------------------------------------------------------------------ live edits


@pytest.mark.parametrize("when", ["before the hints", "after the hints"])
def test_a_live_edit_is_never_overwritten_by_what_a_page_showed(when):
    world = world_of(7)
    world.poll()
    world.work()
    world.clock.advance(3600)
    world.poll()
    behind_our_back(world, 2, phone="0171 6")
    behind_our_back(world, 5, phone="0171 6")
    start_resync(world.runtime)
    if when == "after the hints":
        until(world, ResyncPhase.DRAINING)
    else:
        until(world, ResyncPhase.PEOPLE)
        resync_step(world.runtime)
        resync_step(world.runtime)
    world.engagement.edit(2, {"phone": "0171 7", "source": "Fair"})
    world.salesforce.edit(world.pair_ref(5), {"Phone": "0171 8"})
    world.salesforce.edit(world.pair_ref(6), {"Phone": "0171 9"})
    world.clock.advance(2)
    run(world)
    world.cycles(3)
    assert world.prospect(2)["phone"] == world.person(world.pair_ref(2))["Phone"] == "0171 7"
    assert world.person(world.pair_ref(2))["LeadSource"] == "Fair"
    assert world.prospect(5)["phone"] == world.person(world.pair_ref(5))["Phone"] == "0171 8"
    assert world.prospect(6)["phone"] == world.person(world.pair_ref(6))["Phone"] == "0171 9"


def test_what_a_batch_saved_is_not_overwritten_by_what_a_page_agreed_on():
    world = world_of(2)
    start_resync(world.runtime)
    until(world, ResyncPhase.PEOPLE)
    snapshot = world.salesforce.snapshot

    def meanwhile(*arguments: Any, **named: Any) -> Any:
        page = snapshot(*arguments, **named)
        world.salesforce.edit(world.pair_ref(1), {"City": "Ulm"})
        world.clock.advance(1)
        poll_people(world.runtime)
        drain(world.runtime, Lane.LIVE)
        return page

    world.salesforce.snapshot = meanwhile  # type: ignore[method-assign]
    resync_step(world.runtime)
    assert world.prospect(1)["city"] == "Ulm"
    couple = world.runtime.couples.of([Ref.prospect(1)])[Ref.prospect(1)]
    assert couple.base["city"] == "Ulm"


# ------------------------------------------------------------------------------------------------ first loads


def test_first_loads_leave_to_an_open_resync_what_it_compares_anyway():
    world = world_of(5)
    start_resync(world.runtime)
    world.clock.advance(5)
    world.engagement.edit(3, {"jobTitle": "CTO"})
    world.salesforce.edit(world.pair_ref(4), {"Phone": "0171 9"})
    world.poll()
    assert world.inbox.lanes()[Lane.LIVE].waiting == 2
    status = run(world)
    assert status.run.seen == 5
    world.cycles(2)
    assert world.person(world.pair_ref(3))["Title"] == "CTO"
    assert world.prospect(4)["phone"] == "0171 9"


def test_without_a_resync_first_loads_hint_everything():
    world = world_of(5)
    world.poll()
    assert world.inbox.lanes()[Lane.LIVE].waiting == 5


# ------------------------------------------------------------------------------------------------ waiting


def failing_once(world: World, error: Exception) -> None:
    snapshot = world.salesforce.snapshot

    def fail(*_: Any, **__: Any) -> Any:
        world.salesforce.snapshot = snapshot  # type: ignore[method-assign]
        raise error

    world.salesforce.snapshot = fail  # type: ignore[method-assign]


def test_at_the_end_of_the_days_calls_it_waits_says_so_and_goes_on():
    world = world_of(7)
    start_resync(world.runtime)
    until(world, ResyncPhase.PEOPLE)
    resync_step(world.runtime)
    failing_once(world, TryLater("the bulk lane's share is used up", delay=7200, reason="limit"))
    assert not resync_step(world.runtime)
    status = resync_status(world.runtime)
    assert status is not None
    assert (status.state, status.run.words) == (ResyncState.WAITING, "the bulk lane's share is used up")
    assert status.run.wait_until == world.clock.now() + timedelta(seconds=7200)
    assert not resync_step(world.runtime)
    world.clock.advance(7200)
    status = run(world)
    assert (status.run.seen, status.run.waited) == (7, 7200)


def test_it_waits_too_when_its_batches_meet_the_limit():
    world = world_of(7)
    behind_our_back(world, 2, city="Köln")
    start_resync(world.runtime)
    until(world, ResyncPhase.DRAINING)
    world.engagement.refuse = lambda _: TryLater("used up", delay=7200, reason="limit")
    world.work()
    status = resync_status(world.runtime)
    assert status is not None
    assert (status.state, status.remaining) == (ResyncState.WAITING, 1)
    world.engagement.refuse = lambda _: None
    world.clock.advance(7200)
    run(world)
    assert world.prospect(2)["city"] == "Bonn"


def test_what_is_set_up_wrongly_stands_on_the_desk_until_it_goes_on():
    world = world_of(7)
    start_resync(world.runtime)
    until(world, ResyncPhase.PEOPLE)
    failing_once(world, Misconfigured("no access to leads", code="INVALID_TYPE"))
    resync_step(world.runtime)
    assert [entry.refs for entry in world.runtime.desk.entries()] == [(Ref.service("resync"),)]
    world.clock.advance(60)
    assert run(world).run.seen == 7
    assert world.runtime.desk.entries() == []


def test_it_makes_no_more_hints_while_many_wait():
    world = world_of(12)
    world.runtime = replace(world.runtime, tuning=replace(world.tuning, resync_backlog=3))
    for number in range(1, 13):
        behind_our_back(world, number, city="Köln")
    start_resync(world.runtime)
    until_stuck = [resync_step(world.runtime) for _ in range(10)]
    assert until_stuck[-1] is False
    assert world.inbox.lanes()[Lane.BULK].waiting == 3
    world.work()
    resync_step(world.runtime)
    assert world.inbox.lanes()[Lane.BULK].waiting == 3
    assert run(world).run.hinted == 12


def test_a_refused_pair_does_not_keep_it_open():
    world = world_of(3)
    behind_our_back(world, 2, city="Köln")
    world.engagement.refuse = lambda _: Misconfigured("no such field", code="CODE_10", fields=("city",))
    start_resync(world.runtime)
    status = run(world)
    assert (status.run.hinted, status.run.refused, status.desk) == (1, 1, 1)
