"""The desk's promises, in memory, SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from prospect_sync.memory import Cause, DeskItem
from prospect_sync.model import PersonType, Ref, Side
from prospect_sync.ports import Desk
from prospect_sync.stores.memory import MemoryDesk
from prospect_sync.stores.sql import SqlDesk
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

P1, P2, P3 = Ref.prospect(1), Ref.prospect(2), Ref.prospect(3)
LEAD = Ref.person(PersonType.LEAD, "00Q000000000001EAA")
BAD_ZIP = DeskItem(
    cause=Cause.REJECTED,
    ref=P1,
    words="zip must have five digits",
    side=Side.SALESFORCE,
    code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
    field="PostalCode",
    rule="AE-1",
    remedy="Correct the value, then retry the record.",
)
CONFLICT = DeskItem(Cause.CONFLICT, P1, "two values, no order")


def at(item: DeskItem, *refs: Ref) -> list[DeskItem]:
    return [replace(item, ref=ref) for ref in refs]


def shown(desk: Desk) -> dict[str, set[Ref]]:
    return {entry.item.words: set(entry.refs) for entry in desk.entries()}


def check_an_item_is_shown_whole(kit: Kit[Desk]) -> None:
    now = kit.clock.now()
    kit.store.report([BAD_ZIP])
    (entry,) = kit.other().entries()
    assert entry.item == BAD_ZIP
    assert (entry.refs, entry.since, entry.last, entry.times) == ((P1,), now, now, 1)


def check_records_with_one_cause_are_one_entry(kit: Kit[Desk]) -> None:
    kit.store.report(at(BAD_ZIP, P1, P3))
    kit.other().report(at(BAD_ZIP, P2, LEAD))
    (entry,) = kit.store.entries()
    assert (set(entry.refs), entry.times) == ({P1, P2, P3, LEAD}, 4)


def check_cause_side_code_field_and_words_tell_entries_apart(kit: Kit[Desk]) -> None:
    others = [
        replace(BAD_ZIP, cause=Cause.ECHO),
        replace(BAD_ZIP, side=Side.ACCOUNT_ENGAGEMENT),
        replace(BAD_ZIP, side=None),
        replace(BAD_ZIP, code="OTHER"),
        replace(BAD_ZIP, field="Phone"),
        replace(BAD_ZIP, words="other words"),
    ]
    kit.store.report([BAD_ZIP, *others, replace(BAD_ZIP, rule="SF-1"), replace(BAD_ZIP, remedy="none")])
    assert len(kit.store.entries()) == 7


def check_a_record_reported_again_stands_once_however_often(kit: Kit[Desk]) -> None:
    begin = kit.clock.now()
    kit.store.report([BAD_ZIP])
    kit.clock.advance(60)
    kit.store.report([BAD_ZIP])
    kit.clock.advance(60)
    kit.other().report([BAD_ZIP])
    (entry,) = kit.store.entries()
    assert (entry.refs, entry.times) == ((P1,), 3)
    assert (entry.since, entry.last) == (begin, begin + timedelta(seconds=120))


def check_clear_takes_records_off_all_entries(kit: Kit[Desk]) -> None:
    kit.store.report([*at(BAD_ZIP, P1, P2), *at(CONFLICT, P1, P3)])
    kit.other().clear([P1])
    assert shown(kit.store) == {BAD_ZIP.words: {P2}, CONFLICT.words: {P3}}


def check_an_entry_without_records_goes_away(kit: Kit[Desk]) -> None:
    kit.store.report([*at(BAD_ZIP, P1, P2), CONFLICT])
    kit.store.clear([P1, P2, LEAD])
    assert kit.store.entries() == []
    kit.store.report([BAD_ZIP])
    assert kit.store.entries()[0].times == 1


def check_clear_keeps_the_kept_items(kit: Kit[Desk]) -> None:
    kit.store.report([*at(BAD_ZIP, P1, P2), *at(CONFLICT, P1, P2)])
    kit.store.clear([P1, P2], keep=[BAD_ZIP, replace(CONFLICT, ref=P3)])
    assert shown(kit.store) == {BAD_ZIP.words: {P1}}


def check_a_notice_stands_until_a_person_has_seen_it(kit: Kit[Desk]) -> None:
    notice = replace(CONFLICT, cause=Cause.NOTICE)
    kit.store.report([notice, BAD_ZIP])
    kit.store.clear([P1])
    assert shown(kit.other()) == {notice.words: {P1}}


def check_nothing_to_do_changes_nothing(kit: Kit[Desk]) -> None:
    kit.store.report([BAD_ZIP])
    kit.store.report([])
    kit.store.clear([])
    assert shown(kit.store) == {BAD_ZIP.words: {P1}}


def check_the_longest_entry_comes_first(kit: Kit[Desk]) -> None:
    kit.store.report([CONFLICT])
    kit.clock.advance(1)
    kit.store.report([*at(BAD_ZIP, P1, P2, P3), replace(CONFLICT, words="younger")])
    assert [entry.item.words for entry in kit.store.entries()] == [BAD_ZIP.words, CONFLICT.words, "younger"]


def check_an_entry_shows_a_thousand_records_at_most(kit: Kit[Desk]) -> None:
    kit.store.report(at(BAD_ZIP, *(Ref.prospect(number) for number in range(1_200))))
    (entry,) = kit.store.entries()
    assert (len(entry.refs), entry.refs[:3]) == (1_000, (Ref.prospect(0), P1, Ref.prospect(10)))
    assert entry.times == 1_200


def check_reporting_and_clearing_at_once_loses_no_record(kit: Kit[Desk]) -> None:
    desks = [kit.other(), kit.other()]
    kit.store.report([BAD_ZIP])

    def flicker(place: int) -> None:
        ref = Ref.prospect(100 + place)
        for _ in range(25):
            desks[place].report(at(BAD_ZIP, ref))
            assert ref in desks[place].entries()[0].refs
            desks[place].clear([ref, P1])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(flicker, range(2)))
    assert kit.store.entries() == []


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Desk]:
    return sql_kits(MemoryDesk, SqlDesk)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_desk(check, kit):
    check(kit)


class CountingDesk(MemoryDesk):
    """A record stands there once per retry."""

    def entries(self):
        return [replace(entry, refs=entry.refs * entry.times) for entry in super().entries()]


def test_the_suite_rejects_a_desk_that_counts_per_retry():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(CountingDesk))
    assert "check_a_record_reported_again_stands_once_however_often" in rejected_by
