"""The couples' promises, in memory, SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from threading import Barrier

import pytest

from prospect_sync.memory import Couple, Opening
from prospect_sync.model import Echo, Interval, PersonType, Ref
from prospect_sync.ports import Couples
from prospect_sync.stores.memory import MemoryCouples
from prospect_sync.stores.sql import SqlCouples
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

T0 = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
T1 = datetime(2026, 1, 5, 10, 3, tzinfo=UTC)
LEAD = Ref.person(PersonType.LEAD, "00Q000000000001EAA")
LEAD2 = Ref.person(PersonType.LEAD, "00Q000000000002EAA")
CONTACT = Ref.person(PersonType.CONTACT, "003000000000001AAA")
P7, P8 = Ref.prospect(7), Ref.prospect(8)

FULL = Couple(
    prospect_id=7,
    person=LEAD,
    base={"jobTitle": "CTO", "optedOut": False, "score": 12, "interests": ["a", "b"], "phone": None},
    echo={"phone": Echo("0171 5", "+49 171 5"), "zip": Echo("  ", None)},
    seen={"jobTitle": "CEO"},
    written={"city": "Köln"},
    unconfirmed=frozenset({"city"}),
    person_foreign=Interval(T0, T1),
    person_read=T1,
    relinked=False,
    opening=Opening.ADOPT,
    ended="unlinked in Salesforce",
)


def check_what_was_saved_is_given_back_whole(kit: Kit[Couples]) -> None:
    living = replace(FULL, ended=None)
    assert kit.store.save([living, replace(FULL, prospect_id=8, person=CONTACT)], 1) == frozenset()
    assert kit.other().of([P7, CONTACT]) == {P7: living, CONTACT: replace(FULL, prospect_id=8, person=CONTACT)}


def check_a_couple_is_found_by_both_its_records(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD), Couple(8, CONTACT)], 1)
    assert kit.store.of([P7, LEAD, CONTACT, LEAD2]) == {
        P7: Couple(7, LEAD),
        LEAD: Couple(7, LEAD),
        CONTACT: Couple(8, CONTACT),
    }
    assert kit.store.of([]) == {}


def check_more_couples_than_one_statement_carries(kit: Kit[Couples]) -> None:
    couples = [Couple(number, Ref.person(PersonType.LEAD, f"00Q{number:012d}")) for number in range(2_200)]
    assert kit.store.save(couples, 1) == frozenset()
    assert len(kit.store.of([couple.person for couple in couples])) == 2_200


def check_an_ended_couple_shows_only_without_a_living_one(kit: Kit[Couples]) -> None:
    ended = Couple(7, LEAD, ended="converted")
    kit.store.save([ended], 5)
    assert kit.store.of([P7, LEAD]) == {P7: ended, LEAD: ended}
    kit.store.save([Couple(7, CONTACT)], 1)
    assert kit.store.of([P7, LEAD]) == {P7: Couple(7, CONTACT), LEAD: ended}


def check_of_several_ended_the_last_written_shows(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD2, ended="merged")], 1)
    kit.store.save([Couple(7, LEAD, ended="converted")], 2)
    assert kit.store.of([P7])[P7].person == LEAD


def check_an_earlier_batch_may_not_overwrite_a_later_one(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD, base={"city": "later"})], 5)
    assert kit.other().save([Couple(7, LEAD, base={"city": "earlier"}), Couple(8, CONTACT)], 4) == {P7}
    assert kit.store.of([P7, P8]) == {P7: Couple(7, LEAD, base={"city": "later"}), P8: Couple(8, CONTACT)}


def check_the_same_and_later_batches_may_overwrite(kit: Kit[Couples]) -> None:
    for fence, city in ((5, "a"), (5, "b"), (6, "c")):
        assert kit.store.save([Couple(7, LEAD, base={"city": city})], fence) == frozenset()
        assert kit.store.of([P7])[P7].base == {"city": city}


def check_an_earlier_batch_may_not_end_what_a_later_one_wrote(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD)], 5)
    assert kit.store.save([Couple(7, LEAD, ended="gone"), Couple(7, CONTACT)], 4) == {P7}
    assert kit.store.of([P7, CONTACT]) == {P7: Couple(7, LEAD)}


def check_a_prospect_lives_in_one_couple_only(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD)], 1)
    assert kit.other().save([Couple(7, CONTACT), Couple(8, LEAD2)], 2) == {P7}
    assert kit.store.of([P7, CONTACT, P8]) == {P7: Couple(7, LEAD), P8: Couple(8, LEAD2)}


def check_a_person_lives_in_one_couple_only(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD)], 1)
    assert kit.other().save([Couple(8, LEAD)], 2) == {P8}
    assert kit.store.of([LEAD, P8]) == {LEAD: Couple(7, LEAD)}


def check_an_ended_couple_does_not_live_again_beside_another(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD, ended="converted")], 1)
    kit.store.save([Couple(7, CONTACT)], 2)
    assert kit.store.save([Couple(7, LEAD)], 3) == {P7}
    assert kit.store.of([LEAD]) == {LEAD: Couple(7, LEAD, ended="converted")}


def check_one_call_may_move_a_prospect_to_another_person(kit: Kit[Couples]) -> None:
    kit.store.save([Couple(7, LEAD), Couple(8, CONTACT)], 1)
    moved = [Couple(7, CONTACT), Couple(8, LEAD), Couple(7, LEAD, ended="swapped"), Couple(8, CONTACT, ended="swapped")]
    assert kit.store.save(moved, 2) == frozenset()
    assert kit.store.of([P7, LEAD]) == {P7: Couple(7, CONTACT), LEAD: Couple(8, LEAD)}


def check_of_two_rivals_in_one_call_the_first_is_stored(kit: Kit[Couples]) -> None:
    assert kit.store.save([Couple(7, LEAD), Couple(8, LEAD)], 1) == {P8}
    assert kit.store.of([LEAD, P8]) == {LEAD: Couple(7, LEAD)}


def check_of_two_rivals_at_once_one_is_refused(kit: Kit[Couples]) -> None:
    rivals = [kit.other() for _ in range(4)]
    for number in range(5):
        person = Ref.person(PersonType.LEAD, f"00Q{number:012d}")
        start = Barrier(4)

        def pair(place: int, person: Ref = person, start: Barrier = start, number: int = number) -> int:
            start.wait(20)
            return len(rivals[place].save([Couple(100 * number + place, person)], place))

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(pair, range(4))) == 3


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Couples]:
    return sql_kits(lambda _: MemoryCouples(), lambda engine, _: SqlCouples(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_couples(check, kit):
    check(kit)


def test_the_whole_couple_of_this_suite_leaves_nothing_at_its_default():
    plain = Couple(7, LEAD)
    same = {f.name for f in fields(FULL) if getattr(FULL, f.name) == getattr(plain, f.name)}
    assert same == {"prospect_id", "person"}


class UnfencedCouples(MemoryCouples):
    """Whoever comes last wins, however old the batch."""

    def _written_later(self, key, fence):
        return False


def test_the_suite_rejects_couples_that_ignore_the_fence():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda _: UnfencedCouples()))
    assert {
        "check_an_earlier_batch_may_not_overwrite_a_later_one",
        "check_an_earlier_batch_may_not_end_what_a_later_one_wrote",
    } <= rejected_by
