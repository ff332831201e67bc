"""The ledger's promises, in memory, SQLite and PostgreSQL."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from prospect_sync.memory import FieldChange, Intent, LedgerRow, Outcome, Settled
from prospect_sync.model import Interval, PersonType, Ref, Side
from prospect_sync.ports import Ledger
from prospect_sync.stores.memory import MemoryLedger
from prospect_sync.stores.sql import SqlLedger
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

T0 = datetime(2026, 1, 5, 10, 0, 0, 123_456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEAD = Ref.person(PersonType.LEAD, "00Q000000000001EAA")
CONTACT = Ref.person(PersonType.CONTACT, "003000000000001AAA")
SF, AE = Side.SALESFORCE, Side.ACCOUNT_ENGAGEMENT

FULL_CHANGE = FieldChange(
    prospect_field="jobTitle",
    field="Title",
    before=None,
    after="CTO — Zürich",
    rule="RF-1",
    guarded=True,
    evidence={"history": [["Title", "2026-01-05T10:00:00Z"]], "base": None},
    origin=Interval(T0, T0 + MINUTE, first_seen=True),
)


def intent(intent_id: str, prospect_id: int = 7, person: Ref = LEAD, side: Side = SF, **values: object) -> Intent:
    changes = tuple(FieldChange(name, name, "old", value, "SF-1") for name, value in values.items())
    return Intent(intent_id, T0, "batch-1", 3, prospect_id, person, side, changes, "map-1")


def settled(intent_id: str, how: Settled = Settled.APPLIED) -> Outcome:
    return Outcome(intent_id, T0 + MINUTE, how, "done", "200", T0 + 2 * MINUTE)


def check_rows_give_intents_and_outcomes_back_whole(kit: Kit[Ledger]) -> None:
    full = replace(intent("a"), changes=(FULL_CHANGE, FieldChange("zip", "PostalCode", "1", ["2", 3], "AE-1")))
    kit.store.intend([full])
    assert kit.other().rows() == [LedgerRow(full, None)]
    kit.store.settle([settled("a", Settled.REFUSED)])
    assert kit.other().rows() == [LedgerRow(full, settled("a", Settled.REFUSED))]


def check_intents_are_recorded_all_or_none(kit: Kit[Ledger]) -> None:
    kit.store.intend([intent("a")])
    with pytest.raises(ValueError, match="used before"):
        kit.store.intend([intent("b"), intent("a")])
    kit.store.intend([])
    assert [row.intent.id for row in kit.store.rows()] == ["a"]
    assert [row.id for row in kit.store.open([7])] == ["a"]


def check_the_first_outcome_of_an_intent_stays(kit: Kit[Ledger]) -> None:
    kit.store.intend([intent("a")])
    kit.store.settle([settled("a")])
    kit.other().settle([settled("a", Settled.UNSENT)])
    assert kit.store.rows()[0].outcome == settled("a")


def check_the_first_of_two_outcomes_in_one_call_stays(kit: Kit[Ledger]) -> None:
    kit.store.intend([intent("a")])
    kit.store.settle([settled("a", Settled.REFUSED), settled("a")])
    assert kit.store.rows()[0].outcome == settled("a", Settled.REFUSED)


def check_open_gives_what_has_no_outcome_oldest_first(kit: Kit[Ledger]) -> None:
    later = replace(intent("later"), at=T0 + MINUTE)
    kit.store.intend([later, intent("b"), intent("a"), intent("done"), intent("other", prospect_id=8)])
    kit.store.settle([settled("done", Settled.UNSENT)])
    assert kit.store.open([7, 9]) == [intent("b"), intent("a"), later]
    assert kit.store.open([]) == []


def check_rows_are_newest_first_and_limited(kit: Kit[Ledger]) -> None:
    kit.store.intend([intent(f"i{number}", prospect_id=number % 2) for number in range(6)])
    assert [row.intent.id for row in kit.store.rows(newest=3)] == ["i5", "i4", "i3"]
    assert [row.intent.id for row in kit.store.rows(prospect_id=0)] == ["i4", "i2", "i0"]
    assert kit.store.rows(prospect_id=9) == []


def check_unsettled_gives_the_older_ones_oldest_first(kit: Kit[Ledger]) -> None:
    times = {"new": T0 + 5 * MINUTE, "middle": T0 + MINUTE, "old": T0, "settled": T0}
    kit.store.intend([replace(intent(key), at=at) for key, at in times.items()])
    kit.store.settle([settled("settled")])
    assert [row.id for row in kit.store.unsettled(T0 + 5 * MINUTE)] == ["old", "middle"]
    assert kit.store.unsettled(T0) == []


def check_unsettled_gives_a_thousand_at_most(kit: Kit[Ledger]) -> None:
    kit.store.intend([intent(f"i{number}") for number in range(1_100)])
    assert len(kit.store.unsettled(T0 + MINUTE)) == 1_000


def check_settling_many_at_once(kit: Kit[Ledger]) -> None:
    kit.store.intend([intent(f"i{number}") for number in range(1_100)])
    kit.store.settle([settled(f"i{number}") for number in range(1_100)])
    kit.store.settle([])
    assert kit.store.open([7]) == []


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Ledger]:
    return sql_kits(lambda _: MemoryLedger(), lambda engine, _: SqlLedger(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_ledger(check, kit):
    check(kit)


def test_the_whole_change_of_this_suite_leaves_nothing_at_its_default():
    plain = FieldChange("", "", None, None, "")
    same = {f.name for f in fields(FULL_CHANGE) if getattr(FULL_CHANGE, f.name) == getattr(plain, f.name)}
    assert same == {"before"}


class ForgivingLedger(MemoryLedger):
    """A second outcome replaces the first."""

    def settle(self, outcomes):
        super().settle(outcomes)
        self._outcomes.update({outcome.intent_id: outcome for outcome in outcomes})


def test_the_suite_rejects_a_ledger_whose_second_outcome_wins():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda _: ForgivingLedger()))
    assert {
        "check_the_first_outcome_of_an_intent_stays",
        "check_the_first_of_two_outcomes_in_one_call_stays",
    } <= rejected_by
