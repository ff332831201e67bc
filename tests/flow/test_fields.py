"""Lanes and fields that are off, fields on hold, fields that are new, and texts that are too long."""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace

import pytest

from prospect_sync.errors import Misconfigured
from prospect_sync.flow import holds, pause
from prospect_sync.flow.drain import drain
from prospect_sync.flow.fitting import misfits
from prospect_sync.flow.tend_fields import tend_fields
from prospect_sync.model import Lane, PersonType, Ref
from prospect_sync.policy.behaviors import Behavior, FieldMapping, FieldType, TooLong
from prospect_sync.ports import FieldFacts
from tests.flow.world import MAPPING, World

TEXT = frozenset({FieldType.TEXT, FieldType.EMAIL})


@dataclass
class Told:
    """Both orgs' descriptions, as a story wants them; every text of a lead holds 128 characters."""

    lacking: set[str] = field(default_factory=set)
    read_only: set[str] = field(default_factory=set)
    kinds: dict[str, tuple[str, frozenset[FieldType]]] = field(default_factory=dict)
    asked: int = 0
    long: int = 128

    def people(self) -> MappingOf[PersonType, MappingOf[str, FieldFacts]]:
        self.asked += 1
        names = ("Email", "Title", "Phone", "City", "MailingCity", "LeadSource", "Fax")
        return {kind: self._facts(names) for kind in PersonType}

    def prospects(self) -> MappingOf[str, FieldFacts]:
        return {one.name: one for one in self._facts(("email", "jobTitle", "phone", "city", "source", "fax")).values()}

    def lengths(self) -> MappingOf[PersonType, MappingOf[str, int]]:
        return {kind: dict.fromkeys(("title", "phone"), self.long) for kind in PersonType}

    def _facts(self, names: tuple[str, ...]) -> dict[str, FieldFacts]:
        facts = {}
        for name in names:
            if name not in self.lacking:
                kind, fits = self.kinds.get(name, ("string", TEXT))
                key = name.lower() if name[0].isupper() else name
                facts[key] = FieldFacts(name, kind, fits, writable=name not in self.read_only, length=self.long)
        return facts


def in_force(world: World) -> None:
    """What the worker does once a second."""
    mapping = holds.in_force(MAPPING, pause.switches(world.runtime.marks))
    world.runtime = replace(world.runtime, mapping=mapping)


def world_with(told: Told) -> World:
    world = World()
    world.runtime = replace(world.runtime, described=told)
    return world


def beat(world: World, count: int = 1, seconds: float = 4.0) -> None:
    for _ in range(count):
        in_force(world)
        tend_fields(world.runtime)
        in_force(world)
        world.cycle(seconds)


# ------------------------------------------------------------------------------------------------ pauses


def test_a_paused_lane_is_not_drained_and_forgets_nothing() -> None:
    world = World()
    number, ref = world.pair(1)
    world.cycles(3)
    pause.pause_lane(world.runtime.marks, Lane.LIVE, world.clock.now())
    world.salesforce.edit(ref, {"City": "Köln"})
    world.cycles(5)
    assert world.prospect(number)["city"] == "Bonn"
    assert world.runtime.inbox.lanes()[Lane.LIVE].waiting == 1
    assert drain(world.runtime, Lane.LIVE) is None
    assert pause.resume_lane(world.runtime.marks, Lane.LIVE) is True
    world.cycles(2)
    assert world.prospect(number)["city"] == "Köln"


def test_the_other_lanes_go_on() -> None:
    world = World()
    number, ref = world.pair(1)
    world.cycles(3)
    pause.pause_lane(world.runtime.marks, Lane.BULK, world.clock.now())
    world.salesforce.edit(ref, {"City": "Köln"})
    world.cycles(2)
    assert world.prospect(number)["city"] == "Köln"


def test_a_paused_field_is_not_decided_and_what_changed_is_looked_at_afterwards() -> None:
    world = World()
    number, ref = world.pair(1)
    beat(world, 3)
    pause.pause_field(world.runtime.marks, "city", world.clock.now())
    world.salesforce.edit(ref, {"City": "Köln", "Title": "CTO"})
    beat(world, 5)
    assert (world.prospect(number)["city"], world.prospect(number)["jobTitle"]) == ("Bonn", "CTO")
    pause.resume_field(world.runtime.marks, "city", world.clock.now())
    beat(world, 3)
    assert world.prospect(number)["city"] == "Köln"
    assert pause.missed(world.runtime.marks) is None
    writes = world.writes()
    beat(world, 3)
    assert world.writes() == writes


def test_pausing_twice_is_once() -> None:
    marks, now = World().runtime.marks, World().clock.now()
    assert [pause.pause_field(marks, "city", now) for _ in range(2)] == [True, False]
    assert [pause.resume_field(marks, "city", now) for _ in range(2)] == [True, False]
    assert [pause.resume_lane(marks, Lane.BULK), pause.pause_lane(marks, Lane.BULK, now)] == [False, True]


# ------------------------------------------------------------------------------------------------ holds


def refuse_title(world: World) -> None:
    """The field was taken from the connector user."""

    def refuse(write):
        if "Title" in write.changes:
            return Misconfigured("no rights on Title", code="INVALID_FIELD_FOR_INSERT_UPDATE", fields=("Title",))
        return None

    world.salesforce.refuse = refuse


def test_a_field_that_can_no_longer_be_written_is_held_once_and_lifted_by_itself() -> None:
    told = Told()
    world = world_with(told)
    pairs = [world.pair(number) for number in range(1, 6)]
    beat(world, 3)
    refuse_title(world)
    told.read_only.add("Title")
    for number, _ in pairs:
        world.engagement.edit(number, {"jobTitle": "CTO", "source": "Fair"})
    beat(world, 20)
    assert [one.field for one in holds.held(world.runtime)] == ["jobTitle"]
    on_desk = [entry.item for entry in world.runtime.desk.entries() if entry.item.code == "HELD"]
    assert [(item.field, item.side) for item in on_desk] == [("jobTitle", "salesforce")]
    assert "may not edit Lead.Title" in on_desk[0].words
    assert all(world.person(ref)["LeadSource"] == "Fair" for _, ref in pairs)
    refused = len([row for row in world.runtime.ledger.rows(newest=1000) if row.outcome.settled == "refused"])
    world.engagement.edit(1, {"jobTitle": "CIO", "phone": "1"})
    beat(world, 3)
    assert world.person(pairs[0][1])["Phone"] == "1"
    again = len([row for row in world.runtime.ledger.rows(newest=1000) if row.outcome.settled == "refused"])
    assert again == refused

    told.read_only.clear()
    world.salesforce.refuse = lambda _: None
    beat(world, 160)
    assert holds.held(world.runtime) == ()
    assert [entry for entry in world.runtime.desk.entries() if entry.item.code == "HELD"] == []
    assert [world.person(ref)["Title"] for _, ref in pairs] == ["CIO", "CTO", "CTO", "CTO", "CTO"]


def test_one_odd_record_holds_nothing() -> None:
    told = Told()
    world = world_with(told)
    number, _ = world.pair(1)
    beat(world, 3)
    refuse_title(world)
    world.engagement.edit(number, {"jobTitle": "CTO"})
    beat(world, 20)
    assert holds.held(world.runtime) == ()
    assert [entry.item.field for entry in world.runtime.desk.entries()] == ["Title"]


def test_the_descriptions_are_asked_rarely() -> None:
    told = Told()
    world = world_with(told)
    world.pair(1)
    beat(world, 100)
    assert told.asked == 1


def test_a_prospect_field_that_is_gone_is_not_asked_for_and_the_others_sync() -> None:
    told = Told()
    world = world_with(told)
    number, ref = world.pair(1)
    beat(world, 3)
    holds.hold(world.runtime, holds.Hold("source", world.clock.now(), "gone", "Map another.", Ref.prospect(1).side))
    in_force(world)
    assert "source" not in world.runtime.queryable()
    assert "source" not in world.runtime.every_prospect_field()
    assert "jobTitle" in world.runtime.queryable()
    world.salesforce.edit(ref, {"City": "Köln"})
    beat(world, 2)
    assert world.prospect(number)["city"] == "Köln"


def test_a_field_that_comes_back_is_read_anew_before_it_is_decided() -> None:
    told = Told(lacking={"source"})
    world = world_with(told)
    number, ref = world.pair(1)
    told.lacking.clear()
    beat(world, 3)
    told.lacking.add("source")
    world.clock.advance(700)
    beat(world, 2)
    assert [one.field for one in holds.held(world.runtime)] == ["source"]
    world.engagement.edit(number, {"source": "Fair"})
    beat(world, 3)
    assert world.person(ref)["LeadSource"] == "Web"
    told.lacking.clear()
    world.clock.advance(700)
    beat(world, 8)
    assert world.person(ref)["LeadSource"] == "Fair"


def test_what_fits_and_what_does_not() -> None:
    told = Told(lacking={"Phone"}, read_only={"City"}, kinds={"Title": ("reference", frozenset())})
    found = {(one.prospect_field, one.name): one.grave for one in misfits(MAPPING, told.people(), told.prospects())}
    assert found == {
        ("phone", "Lead.Phone"): True,
        ("phone", "Contact.Phone"): True,
        ("jobTitle", "Lead.Title"): True,
        ("jobTitle", "Contact.Title"): True,
        ("city", "Lead.City"): False,
    }


# ------------------------------------------------------------------------------------------------ new fields


def test_a_field_that_is_newly_mapped_is_read_of_every_prospect() -> None:
    world = World()
    pairs = [world.pair(number) for number in (1, 2)]
    for number, ref in pairs:
        world.salesforce.people[ref] = replace(
            world.salesforce.people[ref], values={**world.salesforce.people[ref].values, "Fax": "1"}
        )
        held = world.engagement.versions[number][0]
        world.engagement.versions[number][0] = (
            held[0],
            replace(held[1], values={**held[1].values, "fax": str(number)}),
        )
    beat(world, 3)
    wider = replace(
        MAPPING,
        fields=(*MAPPING.fields, FieldMapping("fax", "Fax", None, Behavior.USE_ACCOUNT_ENGAGEMENT)),
        version="wider",
    )
    for _ in range(6):
        world.runtime = replace(world.runtime, mapping=wider)
        tend_fields(world.runtime)
        world.cycle(4.0)
    assert [world.person(ref)["Fax"] for _, ref in pairs] == ["1", "2"]
    reads = world.engagement.calls.count("changed")
    tend_fields(world.runtime)
    assert world.engagement.calls.count("changed") == reads


# ------------------------------------------------------------------------------------------------ cutting


def cutting() -> World:
    fields = tuple(
        replace(row, too_long=TooLong.CUT, behavior=Behavior.USE_ACCOUNT_ENGAGEMENT)
        if row.prospect == "jobTitle"
        else row
        for row in MAPPING.fields
    )
    world = World(mapping=replace(MAPPING, fields=fields))
    world.runtime = replace(world.runtime, described=Told(long=10))
    return world


def test_an_over_long_text_is_cut_told_and_left_alone() -> None:
    world = cutting()
    number, ref = world.pair(1)
    world.cycles(3)
    world.engagement.edit(number, {"jobTitle": "Chief Officer of Everything"})
    world.cycles(3)
    assert world.person(ref)["Title"] == "Chief Offi"
    assert world.prospect(number)["jobTitle"] == "Chief Officer of Everything"
    writes = world.writes()
    world.salesforce.edit(ref, {"City": "Köln"})
    world.cycles(4)
    assert world.writes() == writes + 1
    told = [entry.item for entry in world.runtime.desk.entries() if entry.item.field == "jobTitle"]
    assert len(told) == 1
    (row,) = [row for row in world.runtime.ledger.rows() if row.intent.side == "salesforce"]
    (change,) = row.intent.changes
    assert change.after == "Chief Offi"
    assert change.evidence["cut"] == {"to": 10, "whole": "Chief Officer of Everything"}


def test_after_a_cut_either_side_may_change_again() -> None:
    world = cutting()
    number, ref = world.pair(1)
    world.cycles(3)
    world.engagement.edit(number, {"jobTitle": "Chief Officer of Everything"})
    world.cycles(3)
    world.engagement.edit(number, {"jobTitle": "CTO"})
    world.cycles(3)
    assert world.person(ref)["Title"] == "CTO"


@pytest.mark.parametrize(
    ("text", "expected"), [("😀😀😀😀😀😀", "😀😀😀😀😀"), ("123456789 1", "123456789"), ("1234567890", "1234567890")]
)
def test_nothing_is_cut_in_the_middle_of_a_character(text: str, expected: str) -> None:
    world = cutting()
    number, ref = world.pair(1)
    world.cycles(3)
    world.engagement.edit(number, {"jobTitle": text})
    world.cycles(3)
    assert world.person(ref)["Title"] == expected
