"""What a person sees: edits on either side arrive on the other, the right one wins, and then nothing more is written."""

from dataclasses import replace
from datetime import UTC, datetime

from prospect_sync.memory import Settled
from prospect_sync.model import ConnectorUsers, Interval
from prospect_sync.policy.behaviors import Behavior, FieldMapping, FieldType
from tests.flow.world import MAPPING, World
from tests.support.pretend_vendors import CONNECTOR, SALESFORCE_CONNECTOR


def in_step(count: int = 1) -> World:
    world = World()
    for number in range(1, count + 1):
        world.pair(number)
    world.cycles(2)
    assert world.writes() == 0
    return world


def test_pairs_that_agree_are_left_alone_and_cost_one_read() -> None:
    world = in_step(50)
    assert world.salesforce.calls.count("read") == 1
    assert world.salesforce.calls.count("history") == 0


def test_a_cycle_without_a_change_reads_no_record() -> None:
    world = in_step(50)
    world.salesforce.calls.clear()
    world.engagement.calls.clear()
    world.cycles(5)
    assert set(world.salesforce.calls) == {"changed"}
    assert set(world.engagement.calls) == {"changed"}


def test_an_edit_in_salesforce_arrives_in_account_engagement() -> None:
    world = in_step()
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Title": "CTO"})
    world.cycle()
    assert world.prospect(1)["jobTitle"] == "CTO"


def test_an_edit_in_account_engagement_arrives_in_salesforce_guarded() -> None:
    world = in_step()
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    world.cycle()
    assert world.person(world.pair_ref(1))["Title"] == "CTO"
    assert world.salesforce.committed[0].unmodified_since is not None


def test_own_writes_come_back_and_cause_no_write() -> None:
    world = in_step(10)
    world.at(11, 0)
    for number in range(1, 11):
        world.engagement.edit(number, {"jobTitle": f"CTO {number}"})
        world.salesforce.edit(world.pair_ref(number), {"Phone": f"030 {number}"})
    world.cycles(2)
    written = world.writes()
    assert written == 20
    world.cycles(5)
    assert world.writes() == written


def test_disjoint_edits_of_the_same_seconds_both_survive() -> None:
    world = in_step(100)
    world.at(11, 0)
    for number in range(1, 101):
        world.salesforce.edit(world.pair_ref(number), {"Title": f"T{number}"})
        world.engagement.edit(number, {"phone": f"P{number}"})
    world.cycles(3)
    for number in range(1, 101):
        assert world.person(world.pair_ref(number))["Title"] == f"T{number}"
        assert world.prospect(number)["jobTitle"] == f"T{number}"
        assert world.person(world.pair_ref(number))["Phone"] == f"P{number}"
        assert world.prospect(number)["phone"] == f"P{number}"


def test_a_correction_made_before_our_own_write_is_not_beaten_by_it() -> None:
    """Set at 10:00, synced at 10:05, corrected at 10:03 and seen at 10:06: the correction stands."""
    world = in_step()
    world.lag_by(120)
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "Head of Marketing"})
    world.at(11, 3)
    world.engagement.edit(1, {"jobTitle": "VP Marketing"})
    world.at(11, 4)  # the poll shows the state of 11:02
    world.cycle()
    assert world.person(world.pair_ref(1))["Title"] == "Head of Marketing"
    world.at(11, 6)
    world.cycle()
    assert world.person(world.pair_ref(1))["Title"] == "VP Marketing"
    assert world.prospect(1)["jobTitle"] == "VP Marketing"


def test_a_correction_in_account_engagement_after_our_write_to_it_is_later_not_tied() -> None:
    world = in_step()
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Title": "CTO"})
    world.at(11, 0, 5)
    world.cycle(0)
    assert world.prospect(1)["jobTitle"] == "CTO"
    world.at(11, 0, 30)
    world.engagement.edit(1, {"jobTitle": "CIO"})
    world.at(11, 1)
    world.cycle(0)
    assert world.person(world.pair_ref(1))["Title"] == "CIO"
    intent = world.runtime.ledger.rows(prospect_id=1)[0].intent
    interval = intent.changes[0].origin
    assert interval == Interval(
        datetime(2026, 11, 23, 11, 0, 5, tzinfo=UTC), datetime(2026, 11, 23, 11, 0, 30, tzinfo=UTC)
    )


def test_what_the_sync_wrote_keeps_the_time_of_its_origin() -> None:
    world = in_step()
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"Title": "CTO"})
    world.at(11, 5)
    world.cycle(0)
    world.at(11, 10)
    world.cycle(0)
    mirrored = world.runtime.mirror.get([1])[1]
    assert mirrored.fields["jobTitle"].changed == Interval.at(datetime(2026, 11, 23, 11, 0, tzinfo=UTC))


def test_a_salesforce_edit_between_our_read_and_our_guarded_write_survives() -> None:
    world = in_step()
    ref = world.pair_ref(1)
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    world.at(11, 0, 10)
    done = []

    def sales_is_faster() -> None:
        if not done:
            done.append(True)
            world.clock.advance(2)
            world.salesforce.edit(ref, {"Title": "Chief of everything"})

    world.salesforce.before_write = sales_is_faster
    world.cycles(4)
    assert world.person(ref)["Title"] == "Chief of everything"
    assert world.prospect(1)["jobTitle"] == "Chief of everything"
    settled = [row.outcome.settled for row in world.runtime.ledger.rows(prospect_id=1) if row.outcome]
    assert Settled.UNSENT in settled


def test_a_trigger_that_reformats_is_left_alone_and_named_once() -> None:
    world = World(
        mapping=replace(
            MAPPING,
            fields=(*MAPPING.fields, FieldMapping("fax", "Fax", "Fax", Behavior.USE_ACCOUNT_ENGAGEMENT)),
        )
    )
    _, ref = world.pair(1)
    world.salesforce.stored_as = lambda name, value: f"+49 {value}" if name == "Fax" and value else value
    world.salesforce.edit(ref, {"Fax": None})
    world.engagement.edit(1, {"fax": "171 5"})
    world.cycles(8)
    assert world.person(ref)["Fax"] == "+49 171 5"
    assert world.prospect(1)["fax"] == "171 5"
    assert len(world.salesforce.committed) == 1
    echoes = [entry for entry in world.runtime.desk.entries() if entry.item.rule == "ECHO"]
    assert len(echoes) == 1


def test_a_prospect_that_stores_our_write_differently_is_not_written_for_ever() -> None:
    world = in_step()
    world.engagement.stored_as = lambda name, value: value.upper() if name == "city" else value
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"City": "Berlin"})
    world.cycles(8)
    assert len(world.engagement.committed) == 1
    assert world.person(world.pair_ref(1))["City"] == "Berlin"


def test_a_multi_select_is_read_singly_and_only_where_the_prospect_changed() -> None:
    fields = (
        *MAPPING.fields,
        FieldMapping("interests__c", "Interests__c", None, Behavior.USE_SALESFORCE, FieldType.MULTISELECT),
    )
    world = World(mapping=replace(MAPPING, fields=fields))
    for number in range(1, 6):
        _, ref = world.pair(number)
        world.salesforce.edit(ref, {"Interests__c": "A;B"})
        world.engagement.edit(number, {"interests__c": ["B", "A"]})
    world.cycles(2)
    assert world.writes() == 0
    world.engagement.calls.clear()
    world.at(11, 0)
    world.engagement.edit(3, {"interests__c": ["A"]})
    world.cycle()
    assert world.prospect(3)["interests__c"] == ["A", "B"]
    assert world.engagement.calls.count("read") == 1


def test_the_connector_users_are_who_the_runtime_says() -> None:
    world = in_step()
    assert world.runtime.connector == ConnectorUsers(SALESFORCE_CONNECTOR, CONNECTOR)


def test_a_batch_costs_no_more_calls_than_its_writes_ask_for() -> None:
    """At most ceil(guarded / 25) + ceil(unguarded / 200) + 4 Salesforce calls; here 150 are guarded and 50 are not."""
    world = in_step(200)
    world.at(11, 0)
    for number in range(1, 201):
        world.engagement.edit(number, {"jobTitle": "CTO"} if number <= 150 else {"source": "Other"})
    world.clock.advance(2)
    world.poll()
    world.salesforce.calls.clear()
    world.work()
    guarded = [write for write in world.salesforce.committed if write.unmodified_since is not None]
    assert (len(guarded), len(world.salesforce.committed)) == (150, 200)
    assert len(world.salesforce.calls) <= 6 + 1 + 4


def test_a_prospect_belongs_to_the_person_whose_id_it_holds() -> None:
    """LN-1: by the id, and not by the address, which is another person's here."""
    world = World()
    world.salesforce.untracked.add("Email")
    _, ref = world.pair(1)
    _, other = world.pair(2)
    world.engagement.edit(2, {"salesforceId": None, "email": None})
    world.salesforce.edit(ref, {"Email": "somebody@example.org"})
    world.salesforce.edit(other, {"Email": "p1@example.org"})
    world.cycles(3)
    couple = world.runtime.couples.of([ref])[ref]
    assert couple.prospect_id == 1
    assert world.runtime.couples.of([other]) == {}


def test_an_address_replaced_without_proof_stays_on_the_desk_with_both_addresses() -> None:
    world = World()
    world.pair(1)
    world.engagement.edit(1, {"email": "new@example.org"})
    world.cycles(5)
    assert world.person(world.pair_ref(1))["Email"] == "new@example.org"
    (entry,) = world.runtime.desk.entries()
    assert entry.item.rule == "EM-1"
    assert "new@example.org" in entry.item.words
    assert "p1@example.org" in entry.item.words
