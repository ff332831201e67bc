"""The mirror's promises, in memory, SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from prospect_sync.memory import MirroredField, MirroredProspect
from prospect_sync.model import Interval, Stamp
from prospect_sync.ports import Mirror
from prospect_sync.stores.memory import MemoryMirror
from prospect_sync.stores.sql import SqlMirror
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

T0 = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
T1 = datetime(2026, 1, 5, 10, 3, tzinfo=UTC)
T2 = datetime(2026, 1, 5, 10, 5, 7, 250_000, tzinfo=UTC)
LEAD, CONTACT = "00Q000000000001EAA", "003000000000001AAA"

FULL = MirroredProspect(
    id=7,
    fields={
        "jobTitle": MirroredField("CTO — Zürich", Interval(T0, T1, first_seen=True)),
        "phone": MirroredField(None, Interval.at(T1)),
        "optedOut": MirroredField(value=False, changed=Interval(T0, T1)),
        "score": MirroredField(12, Interval(T0, T1, first_seen=True), ours_at=T2),
        "interests": MirroredField(["a", "b;c"], Interval.at(T2), ours_at=T1),
        "annualRevenue": MirroredField("12.50", Interval(T0, T1)),
    },
    created=Stamp(T0, "41"),
    modified=Stamp(T1, "42"),
    foreign=Interval(T0, T1),
    deleted=True,
    email="Ada@Example.org",
    salesforce_id=LEAD,
    doubtful_until=T2,
    version=0,
)


def prospect(prospect_id: int, **values: object) -> MirroredProspect:
    return replace(MirroredProspect(prospect_id, {"city": MirroredField("Bonn", Interval.at(T0))}), **values)


def check_what_was_put_is_given_back_whole(kit: Kit[Mirror]) -> None:
    assert kit.store.put([FULL]) == frozenset()
    assert kit.other().get([7]) == {7: replace(FULL, version=1)}


def check_get_gives_those_that_are_there(kit: Kit[Mirror]) -> None:
    kit.store.put([prospect(1), prospect(2), prospect(3)])
    assert kit.store.get([2, 3, 4]) == {2: prospect(2, version=1), 3: prospect(3, version=1)}
    assert kit.store.get([]) == {}


def check_more_rows_than_one_statement_carries(kit: Kit[Mirror]) -> None:
    assert kit.store.put([prospect(number) for number in range(2_500)]) == frozenset()
    assert len(kit.store.get(range(3_000))) == 2_500


def check_by_email_lowest_prospect_first(kit: Kit[Mirror]) -> None:
    rows = [
        MirroredProspect(number, {}, email=address)
        for number, address in ((3, "a@x.org"), (1, "a@x.org"), (2, "b@x.org"))
    ]
    kit.store.put(rows)
    found = kit.other().by_email(["a@x.org", "nobody@x.org"])
    assert {address: [row.id for row in held] for address, held in found.items()} == {"a@x.org": [1, 3]}


def check_by_person_lowest_prospect_first(kit: Kit[Mirror]) -> None:
    rows = [prospect(9, salesforce_id=LEAD), prospect(3, salesforce_id=LEAD), prospect(4, salesforce_id=CONTACT)]
    kit.store.put([*rows, prospect(5)])
    found = kit.store.by_person([LEAD, "00Q000000000009EAA"])
    assert {person: [row.id for row in rows] for person, rows in found.items()} == {LEAD: [3, 9]}


def check_a_short_salesforce_id_is_found_by_its_long_form(kit: Kit[Mirror]) -> None:
    kit.store.put([prospect(1, salesforce_id=LEAD[:15])])
    assert [row.id for row in kit.store.by_person([LEAD])[LEAD]] == [1]


def check_each_put_counts_the_version_up(kit: Kit[Mirror]) -> None:
    for version in range(3):
        assert kit.store.put([prospect(1, version=version, email=f"{version}@example.org")]) == frozenset()
    stored = kit.store.get([1])[1]
    assert (stored.version, stored.email) == (3, "2@example.org")


def check_a_row_somebody_wrote_first_is_refused_and_unchanged(kit: Kit[Mirror]) -> None:
    kit.store.put([prospect(1)])
    kit.store.put([prospect(1, version=1, email="theirs@example.org")])
    assert kit.other().put([prospect(1, version=1, email="ours@example.org")]) == {1}
    assert kit.store.get([1])[1] == prospect(1, version=2, email="theirs@example.org")


def check_a_new_row_is_refused_where_one_is(kit: Kit[Mirror]) -> None:
    kit.store.put([prospect(1, email="first@example.org")])
    assert kit.store.put([prospect(1)]) == {1}
    assert kit.store.get([1])[1].email == "first@example.org"


def check_a_changed_row_is_refused_where_there_is_none(kit: Kit[Mirror]) -> None:
    assert kit.store.put([prospect(1, version=3)]) == {1}
    assert kit.store.get([1]) == {}


def check_refused_rows_do_not_hinder_the_others(kit: Kit[Mirror]) -> None:
    kit.store.put([prospect(number) for number in (1, 2, 3)])
    kit.store.put([prospect(2, version=1)])
    rows = [prospect(number, version=1, email="new@example.org") for number in (1, 2, 3)]
    assert kit.store.put([*rows, prospect(4), prospect(5, version=9)]) == {2, 5}
    stored = kit.store.get([1, 2, 3, 4, 5])
    assert {key: row.version for key, row in stored.items()} == {1: 2, 2: 2, 3: 2, 4: 1}


def check_two_rows_for_one_prospect_cannot_both_be_stored(kit: Kit[Mirror]) -> None:
    assert kit.store.put([prospect(1, email="a@example.org"), prospect(1, email="b@example.org")]) == {1}
    assert kit.store.get([1])[1].email == "a@example.org"


def check_no_update_of_many_writers_is_lost(kit: Kit[Mirror]) -> None:
    kit.store.put([replace(prospect(1), fields={"score": MirroredField(0, Interval.at(T0))})])
    mirrors = [kit.other() for _ in range(2)]

    def count_up(mirror: Mirror) -> None:
        for _ in range(20):
            refused = frozenset({1})
            while refused:
                row = mirror.get([1])[1]
                counted = MirroredField(row.fields["score"].value + 1, Interval.at(T1))
                refused = mirror.put([replace(row, fields={"score": counted})])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count_up, mirrors))
    stored = kit.store.get([1])[1]
    assert (stored.fields["score"].value, stored.version) == (40, 41)


def check_holders_of_a_stretch_of_ids(kit: Kit[Mirror]) -> None:
    ids = ["00Q00000000000AEAA", "00Q00000000000ZEAA", "00Q00000000000aEAA", "00Q00000000000zEAA", CONTACT, None]
    kit.store.put([prospect(number, salesforce_id=held) for number, held in enumerate(ids, start=1)])
    kit.store.put([prospect(7, salesforce_id=ids[2], deleted=True), prospect(8, salesforce_id=ids[2])])
    assert sorted(kit.other().holders(ids[0], ids[2])) == [(2, ids[1]), (3, ids[2]), (8, ids[2])]
    assert sorted(kit.store.holders("00Q", "00Q\uffff")) == [
        (1, ids[0]),
        (2, ids[1]),
        (3, ids[2]),
        (4, ids[3]),
        (8, ids[2]),
    ]


def check_loose_prospects_come_by_id(kit: Kit[Mirror]) -> None:
    mark = "[[crm_deleted]]"
    held = {1: None, 2: LEAD, 3: mark, 4: CONTACT, 5: None, 6: None, 7: "00q000000000001EAA"}
    rows = [prospect(number, salesforce_id=person, email=f"p{number}@x.org") for number, person in held.items()]
    kit.store.put([*rows[:4], replace(rows[4], deleted=True), replace(rows[5], email=None), rows[6]])
    assert list(kit.other().loose(0, 10, ("00Q", "003"))) == [1, 3, 7]
    assert list(kit.store.loose(0, 2, ("00Q", "003"))) == [1, 3]
    assert list(kit.store.loose(1, 10, ("00Q",))) == [3, 4, 7]
    assert kit.store.held(("00Q", "003")) == 2
    assert kit.store.held(("003",)) == 1
    assert kit.store.held(()) == 0


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Mirror]:
    return sql_kits(lambda _: MemoryMirror(), lambda engine, _: SqlMirror(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_mirror(check, kit):
    check(kit)


def test_the_whole_row_of_this_suite_leaves_nothing_at_its_default():
    plain = MirroredProspect(7, {})
    same = {f.name for f in fields(FULL) if getattr(FULL, f.name) == getattr(plain, f.name)}
    assert same == {"id", "version"}


def test_a_decimal_may_come_back_as_its_text(sqlite_url, engines):
    mirror = SqlMirror(engines(sqlite_url))
    mirror.put([replace(prospect(1), fields={"score": MirroredField(Decimal("12.50"), Interval.at(T0))})])
    assert mirror.get([1])[1].fields["score"].value == "12.50"


class OverwritingMirror(MemoryMirror):
    """Last writer wins."""

    def put(self, rows):
        known = self.get([row.id for row in rows])
        return super().put([replace(row, version=known[row.id].version if row.id in known else 0) for row in rows])


def test_the_suite_rejects_a_mirror_that_ignores_the_version():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda _: OverwritingMirror()))
    assert "check_a_row_somebody_wrote_first_is_refused_and_unchanged" in rejected_by
