"""The life of a pair: found by address, created, moved, deleted, restored, ended. Each under its rule, each once."""

import contextlib
from dataclasses import replace

import pytest

from prospect_sync.memory import Cause
from prospect_sync.model import Person, PersonType, Prospect, RecordKind, Ref, Stamp, to_second
from prospect_sync.policy.behaviors import Behavior, ConnectorRules, FieldMapping
from tests.flow.world import MAPPING, World
from tests.support.pretend_vendors import BORN, MARKETING, SALES

FIELDS = (
    *MAPPING.fields,
    FieldMapping("lastName", "LastName", "LastName", Behavior.USE_SALESFORCE, default="(unknown)"),
    FieldMapping("company", "Company", None, Behavior.USE_SALESFORCE, default="(unknown)"),
)


def world_with(**rules: object) -> World:
    return World(mapping=replace(MAPPING, fields=FIELDS, connector=ConnectorRules(**rules)))  # type: ignore[arg-type]


def synced(count: int = 1, **rules: object) -> World:
    world = world_with(**rules)
    for number in range(1, count + 1):
        world.pair(number)
    world.cycles(2)
    return world


def lead(world: World, number: int, address: str | None, created=BORN, **values: object) -> Ref:
    stamp = Stamp(created, SALES)
    record = {"Email": address, "Title": "CEO", "LastName": "Doe", "Company": "Acme", **values}
    person = Person(PersonType.LEAD, World.pair_ref(number).id, record, stamp, stamp)
    world.salesforce.add(person)
    return person.ref


def prospect(world: World, number: int, address: str, **values: object) -> int:
    stamp = Stamp(to_second(world.clock.now()), str(MARKETING))
    world.engagement.add(Prospect(number, {"email": address, "salesforceId": None, **values}, stamp, stamp))
    return number


def couple_of(world: World, number: int):
    return world.runtime.couples.of([Ref.prospect(number)]).get(Ref.prospect(number))


def rules_of(world: World) -> list[str]:
    """Rules of the pair-level steps that were applied, oldest first."""
    rows = reversed(world.runtime.ledger.rows(newest=1000))
    steps = {"salesforceId", "isDeleted"}
    return [
        row.intent.changes[0].rule
        for row in rows
        if row.outcome and row.outcome.settled == "applied" and steps & {change.field for change in row.intent.changes}
    ]


# ------------------------------------------------------------------------------------------------ matching


def test_ln2_an_unlinked_prospect_finds_its_person_by_address_whatever_the_case() -> None:
    world = world_with()
    ref = lead(world, 1, "Ada@Example.org", Title="CTO")
    prospect(world, 1, "ada@example.ORG", jobTitle="CTO")
    world.cycles(4)
    assert couple_of(world, 1).person == ref
    assert world.prospect(1)["salesforceId"] == ref.id
    assert rules_of(world) == ["LN-2"]
    assert not world.runtime.ledger.open([1])


def test_ln2_contacts_come_before_leads_and_a_choice_is_told() -> None:
    world = world_with()
    lead(world, 1, "ada@example.org")
    stamp = Stamp(BORN, SALES)
    contact = Person(
        PersonType.CONTACT, "003000000000001AAA", {"Email": "ada@example.org", "LastName": "Doe"}, stamp, stamp
    )
    world.salesforce.add(contact)
    prospect(world, 1, "ada@example.org")
    world.cycles(4)
    assert couple_of(world, 1).person == contact.ref
    assert "LN-2" in {entry.item.rule for entry in world.runtime.desk.entries()}


def test_an_unassigned_prospect_without_a_person_waits_and_is_created_once_assigned() -> None:
    world = world_with()
    prospect(world, 1, "ada@example.org", jobTitle="CTO")
    world.cycles(3)
    assert not world.salesforce.people
    world.engagement.edit(1, {"assignedToId": 41})
    world.cycles(5)
    (person,) = world.salesforce.people.values()
    assert (person.type, person.values["Email"], person.values["Title"]) == (PersonType.LEAD, "ada@example.org", "CTO")
    assert (person.values["LastName"], person.values["Company"]) == ("(unknown)", "(unknown)")
    assert couple_of(world, 1).person == person.ref
    assert world.prospect(1)["salesforceId"] == person.id
    before = world.writes()
    world.cycles(5)
    assert world.writes() == before


def test_a_person_that_salesforce_refuses_stands_on_the_desk() -> None:
    world = World()
    world.salesforce.required[RecordKind.LEAD] = ("LastName", "Company")
    prospect(world, 1, "ada@example.org", assignedToId=41)
    world.cycles(3)
    assert not world.salesforce.people
    causes = {(entry.item.cause, entry.item.rule) for entry in world.runtime.desk.entries()}
    assert causes == {(Cause.REJECTED, "LN-3")}


def test_ln4_a_new_person_with_an_address_gets_a_prospect_and_an_old_one_does_not() -> None:
    world = world_with(create_prospects=True)
    lead(world, 1, "old@example.org")
    world.cycles(2)
    ref = lead(world, 2, "new@example.org", created=world.clock.now(), Title="CTO", Phone="0171 5")
    world.cycles(4)
    assert list(world.engagement.versions) == [world.engagement.holders("new@example.org")[0]]
    number = world.engagement.holders("new@example.org")[0]
    assert world.prospect(number)["jobTitle"] == "CTO"
    assert world.prospect(number)["salesforceId"] == ref.id
    assert couple_of(world, number).person == ref
    before = world.writes()
    world.cycles(5)
    assert world.writes() == before


def test_a_person_without_an_address_waits_until_there_is_one() -> None:
    world = world_with(create_prospects=True)
    world.cycle()
    lead(world, 9, "first@example.org", created=world.clock.now())
    world.cycles(2)
    ref = lead(world, 1, None, created=world.clock.now())
    world.cycles(3)
    assert len(world.engagement.versions) == 1
    world.salesforce.edit(ref, {"Email": "ada@example.org"})
    world.cycles(4)
    assert len(world.engagement.holders("ada@example.org")) == 1


def test_a_lost_answer_to_a_create_creates_nothing_twice() -> None:
    """LN-5."""
    world = world_with(create_prospects=True)
    lead(world, 9, "first@example.org")
    world.cycle()
    world.lag_by(40)
    world.engagement.lose_answers = True
    lead(world, 1, "ada@example.org", created=world.clock.now())
    world.cycles(2)
    world.engagement.lose_answers = False
    world.cycles(40)
    assert len(world.engagement.holders("ada@example.org")) == 1
    assert couple_of(world, world.engagement.holders("ada@example.org")[0]) is not None
    assert not world.runtime.ledger.open([0])


def test_two_records_of_one_unlinked_couple_met_at_once_are_linked_and_nothing_is_created() -> None:
    world = world_with(create_prospects=True)
    lead(world, 9, "first@example.org")
    world.cycle()
    ref = lead(world, 1, "ada@example.org", created=world.clock.now())
    prospect(world, 1, "ada@example.org", assignedToId=41)
    world.cycles(5)
    assert len(world.engagement.holders("ada@example.org")) == 1
    assert couple_of(world, 1).person == ref
    assert (
        len([person for person in world.salesforce.people.values() if person.values["Email"] == "ada@example.org"]) == 1
    )


# ------------------------------------------------------------------------------------------------ addresses


def test_em2_a_changed_address_in_salesforce_makes_a_new_prospect_and_the_old_one_stops() -> None:
    world = synced()
    ref = world.pair_ref(1)
    world.at(11, 0)
    world.salesforce.edit(ref, {"Email": "moved@example.org", "Title": "CTO"})
    world.cycles(5)
    (number,) = world.engagement.holders("moved@example.org")
    assert number != 1
    assert couple_of(world, number).person == ref
    assert world.prospect(number)["jobTitle"] == "CTO"
    assert (world.prospect(1)["email"], world.prospect(1)["salesforceId"]) == ("p1@example.org", None)
    assert couple_of(world, 1).ended == "EM-2"
    before = world.writes()
    world.engagement.edit(1, {"jobTitle": "nobody's", "assignedToId": 41})
    world.cycles(5)
    assert world.writes() == before
    assert world.person(ref)["Title"] == "CTO"


def test_em3_with_follow_salesforce_email_the_prospects_address_follows() -> None:
    world = synced(follow_salesforce_email=True)
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Email": "moved@example.org"})
    world.cycles(3)
    assert world.prospect(1)["email"] == "moved@example.org"
    assert list(world.engagement.versions) == [1]


def test_em3_an_address_that_another_prospect_has_changes_nothing_and_stands_on_the_desk() -> None:
    world = synced(2, follow_salesforce_email=True)
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Email": "p2@example.org"})
    world.cycles(3)
    assert world.prospect(1)["email"] == "p1@example.org"
    assert Cause.REJECTED in {entry.item.cause for entry in world.runtime.desk.entries()}


def test_a_cleared_address_of_a_person_comes_back_from_the_prospect() -> None:
    world = synced()
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Email": None})
    world.cycles(3)
    assert world.person(world.pair_ref(1))["Email"] == "p1@example.org"


# ------------------------------------------------------------------------------------------------ life and death


def test_lc1_a_deleted_person_takes_its_prospect_to_the_bin_and_brings_it_back() -> None:
    world = synced()
    ref = world.pair_ref(1)
    world.at(11, 0)
    world.salesforce.delete(ref)
    world.cycles(3)
    assert world.engagement.now_holds(1).deleted
    assert couple_of(world, 1).ended == "LC-1"
    world.cycles(3)
    world.salesforce.undelete(ref)
    world.cycles(4)
    assert not world.engagement.now_holds(1).deleted
    assert couple_of(world, 1).ended is None
    world.salesforce.edit(ref, {"Title": "CTO"})
    world.cycles(3)
    assert world.prospect(1)["jobTitle"] == "CTO"
    assert rules_of(world) == ["LC-1", "LC-1"]


def test_lc1_holds_while_reads_lag() -> None:
    world = synced()
    ref = world.pair_ref(1)
    world.lag_by(40)
    world.at(11, 0)
    world.salesforce.delete(ref)
    world.cycles(2)
    world.salesforce.undelete(ref)
    world.cycles(60)
    assert not world.engagement.now_holds(1).deleted
    assert couple_of(world, 1).ended is None


def test_lc2_of_two_merged_persons_with_prospects_the_losers_goes_marked() -> None:
    world = synced(2)
    world.at(11, 0)
    world.salesforce.merge(world.pair_ref(1), world.pair_ref(2))
    world.cycles(4)
    assert world.engagement.now_holds(2).deleted
    assert world.prospect(2)["salesforceId"] == "[[crm_deleted]]"
    assert couple_of(world, 2).ended == "LC-2"
    assert couple_of(world, 1).ended is None
    assert not world.engagement.now_holds(1).deleted


def test_lc3_the_losers_prospect_goes_over_to_a_winner_without_one_and_takes_its_values() -> None:
    world = synced()
    winner = lead(world, 7, "p1@example.org", Title="Winner", Phone=None, City="Kiel", LeadSource="Other")
    world.at(11, 0)
    world.engagement.edit(1, {"source": "Marketing's"})
    world.clock.advance(1)
    world.salesforce.merge(winner, world.pair_ref(1))
    world.cycles(5)
    assert couple_of(world, 1).person == winner
    assert world.prospect(1)["salesforceId"] == winner.id
    assert (world.prospect(1)["jobTitle"], world.prospect(1)["city"]) == ("Winner", "Kiel")
    assert world.prospect(1)["source"] == "Other"
    assert world.person(winner)["Phone"] == "0171 5"


def test_lc4_a_converted_leads_prospect_goes_on_with_the_contact_and_keeps_its_times() -> None:
    world = synced()
    ref = world.pair_ref(1)
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    world.cycles(2)
    before = world.runtime.mirror.get([1])[1].fields["jobTitle"].changed
    contact = world.salesforce.convert(ref)
    world.cycles(4)
    assert couple_of(world, 1).person == contact
    assert world.prospect(1)["salesforceId"] == contact.id
    assert world.runtime.mirror.get([1])[1].fields["jobTitle"].changed == before
    world.at(11, 30)
    world.salesforce.edit(contact, {"Title": "CIO"})
    world.cycles(3)
    assert world.prospect(1)["jobTitle"] == "CIO"
    assert rules_of(world) == ["LC-4"]


def test_a_conversion_while_an_update_is_queued_loses_nothing() -> None:
    world = synced()
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    world.clock.advance(2)
    world.poll()
    contact = world.salesforce.convert(world.pair_ref(1))
    world.cycles(5)
    assert world.person(contact)["Title"] == "CTO"


def test_lc5_a_deleted_prospect_leaves_salesforce_alone_and_nothing_is_created_again() -> None:
    world = synced(create_prospects=True)
    ref = world.pair_ref(1)
    world.at(11, 0)
    world.engagement.recycle(1)
    world.cycles(3)
    assert couple_of(world, 1).ended == "LC-5"
    before = world.writes()
    world.salesforce.edit(ref, {"Title": "CTO"})
    world.cycles(4)
    assert world.writes() == before
    assert list(world.engagement.versions) == [1]
    world.engagement.bring_back(1)
    world.cycles(4)
    assert couple_of(world, 1).ended is None
    world.salesforce.edit(ref, {"Title": "CIO"})
    world.cycles(3)
    assert world.prospect(1)["jobTitle"] == "CIO"


def test_lc6_a_prospect_marked_off_is_left_alone() -> None:
    """LC-6."""
    world = synced()
    world.at(11, 0)
    world.engagement.edit(1, {"salesforceId": "[[crm_ignore_prospect]]", "jobTitle": "CTO"})
    world.cycles(3)
    world.salesforce.edit(world.pair_ref(1), {"Phone": "030 1"})
    world.cycles(3)
    assert world.writes() == 0


def test_a_record_that_is_hidden_is_never_taken_for_deleted() -> None:
    world = synced()
    world.at(11, 0)
    world.hide_from_now_on(world.pair_ref(1))
    world.engagement.edit(1, {"jobTitle": "CTO"})
    world.cycles(5)
    assert not world.engagement.now_holds(1).deleted
    assert couple_of(world, 1).ended is None


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("survives", range(4))
@pytest.mark.parametrize("event", ["delete", "convert", "address"])
def test_a_worker_killed_in_the_middle_of_a_step_is_followed_by_one_that_finishes_it(event: str, survives: int) -> None:
    """Killed at the first, second, … of: intent, call, couples, outcome."""
    world = synced(create_prospects=True)
    ref = world.pair_ref(1)
    world.at(11, 0)
    if event == "delete":
        world.salesforce.delete(ref)
    elif event == "convert":
        contact = world.salesforce.convert(ref)
    else:
        world.salesforce.edit(ref, {"Email": "moved@example.org"})
    healthy = world.runtime
    left = [survives]

    def dying(method):
        def call(*args: object, **options: object):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return method(*args, **options)

        return call

    class Mortal:
        def __init__(self, store: object, *names: str) -> None:
            self.store, self.names = store, names

        def __getattr__(self, name: str):
            method = getattr(self.store, name)
            return dying(method) if name in self.names else method

    world.runtime = replace(
        healthy, ledger=Mortal(healthy.ledger, "intend", "settle"), couples=Mortal(healthy.couples, "save")
    )
    with contextlib.suppress(Killed):
        world.cycles(2)
    world.runtime = healthy
    world.clock.advance(world.tuning.lease + 1)
    world.cycles(8)
    if event == "delete":
        assert world.engagement.now_holds(1).deleted
        assert couple_of(world, 1).ended == "LC-1"
    elif event == "convert":
        assert couple_of(world, 1).person == contact
    else:
        (number,) = world.engagement.holders("moved@example.org")
        assert couple_of(world, number).person == ref
        assert couple_of(world, 1).ended == "EM-2"
    assert not world.runtime.ledger.open([0, 1, 2])


# ------------------------------------------------------------------------------------------------ scope


def test_lc7_a_record_outside_the_scope_is_neither_matched_created_nor_written() -> None:
    """LC-7: and one that leaves it stops syncing, its prospect left as it is."""
    world = World(
        mapping=replace(
            MAPPING, fields=FIELDS, scope={"Lead": "City = 'Bonn'"}, connector=ConnectorRules(create_prospects=True)
        )
    )
    world.pair(1)
    world.cycles(2)
    leaving = world.pair_ref(1)
    foreign = lead(world, 2, "foreign@example.org", created=world.clock.now())
    world.salesforce.out_of_scope |= {foreign}
    world.cycles(4)
    assert not world.engagement.holders("foreign@example.org")
    prospect(world, 5, "foreign@example.org")
    world.cycles(4)
    assert couple_of(world, 5) is None
    world.salesforce.out_of_scope |= {leaving}
    world.at(11, 0)
    world.salesforce.edit(leaving, {"Title": "CTO"})
    world.engagement.edit(1, {"phone": "030 1"})
    world.cycles(3)
    world.salesforce.delete(leaving)
    world.cycles(3)
    assert world.writes() == 0
    assert not world.engagement.now_holds(1).deleted
    world.salesforce.undelete(leaving)
    world.salesforce.out_of_scope.clear()
    world.salesforce.edit(leaving, {"Title": "CIO"})
    world.cycles(3)
    assert world.prospect(1)["jobTitle"] == "CIO"
