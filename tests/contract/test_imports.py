"""The promises of the store of imports, in memory, SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from prospect_sync.memory import ImportJob, ImportPool, ImportRow, ImportStep
from prospect_sync.ports import Imports
from prospect_sync.stores.memory import MemoryImports
from prospect_sync.stores.sql import SqlImports
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

T0 = datetime(2026, 1, 5, 10, 0, 0, 250_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FULL = ImportJob("full", T0, ImportStep.RUNNING, T0 + MINUTE, vendor_id="77", tries=3, rows=2, version=1)


def row(prospect_id: int, group: str = "", minutes: int = 0) -> ImportRow:
    return ImportRow(prospect_id, f"intent-{prospect_id}-{minutes}", group, T0 + minutes * MINUTE)


def job(name: str = "job", due: datetime = T0) -> ImportJob:
    return ImportJob(name, T0, ImportStep.FORMED, due)


def formed(kit: Kit[Imports], *rows: ImportRow, name: str = "job") -> ImportJob:
    kit.store.add(rows)
    made = kit.store.form(job(name), rows[0].group, 1_000)
    assert made is not None
    return made


def check_a_row_that_waits_is_given_back_whole(kit: Kit[Imports]) -> None:
    assert kit.store.add([row(2, "city", 3), row(1)]) == frozenset()
    assert kit.other().of([1, 2, 3]) == {1: row(1), 2: row(2, "city", 3)}
    assert kit.store.of([1])[1].waiting
    assert not kit.store.of([1])[1].held


def check_a_prospect_that_waits_is_refused_a_second_row(kit: Kit[Imports]) -> None:
    kit.store.add([row(1)])
    assert kit.other().add([row(1, minutes=5), row(2)]) == {"intent-1-5"}
    assert kit.store.of([1, 2]) == {1: row(1), 2: row(2)}


def check_a_prospect_in_a_job_is_refused_until_the_job_is_over(kit: Kit[Imports]) -> None:
    made = formed(kit, row(1))
    assert kit.store.of([1])[1].held
    assert kit.store.add([row(1, minutes=5)]) == {"intent-1-5"}
    assert kit.store.end(made, T0 + MINUTE)
    assert kit.store.of([1])[1] == replace(row(1), job="job", free_since=T0 + MINUTE)
    assert not kit.store.of([1])[1].held
    assert kit.store.add([row(1, minutes=5)]) == frozenset()
    assert kit.store.of([1])[1] == row(1, minutes=5)


def check_withdraw_takes_what_waits_and_leaves_what_is_in_a_job(kit: Kit[Imports]) -> None:
    formed(kit, row(1))
    kit.store.add([row(2), row(3)])
    assert kit.store.withdraw([1, 2, 9]) == {"intent-2-0"}
    assert sorted(kit.other().of([1, 2, 3])) == [1, 3]
    assert kit.store.withdraw([]) == frozenset()


def check_pools_count_what_waits_by_group(kit: Kit[Imports]) -> None:
    assert kit.store.pools() == []
    formed(kit, row(1), name="under way")
    kit.store.add([row(2, minutes=4), row(3, minutes=2), row(4, "city", 1)])
    assert kit.other().pools() == [
        ImportPool("", 2, T0 + 2 * MINUTE, T0 + 4 * MINUTE),
        ImportPool("city", 1, T0 + MINUTE, T0 + MINUTE),
    ]


def check_form_takes_the_oldest_of_one_group(kit: Kit[Imports]) -> None:
    kit.store.add([row(1, minutes=3), row(2, minutes=1), row(3, minutes=2), row(4, "city")])
    made = kit.store.form(job(), "", 2)
    assert made == replace(job(), rows=2, version=1)
    assert [one.prospect_id for one in kit.other().rows("job")] == [2, 3]
    assert kit.store.of([1])[1].waiting
    assert kit.store.of([4])[4].waiting


def check_form_without_rows_stores_nothing(kit: Kit[Imports]) -> None:
    kit.store.add([row(1, "city")])
    assert kit.store.form(job(), "", 10) is None
    assert kit.store.due(T0 + MINUTE) == []


def check_a_job_is_given_back_whole(kit: Kit[Imports]) -> None:
    made = formed(kit, row(1), row(2), name="full")
    assert kit.store.save(replace(FULL, version=made.version)) == replace(FULL, version=2)
    assert kit.other().due(T0 + MINUTE) == [replace(FULL, version=2)]


def check_due_gives_what_is_due_and_not_over_the_longest_first(kit: Kit[Imports]) -> None:
    later = formed(kit, row(1), name="later")
    first = formed(kit, row(2), name="first")
    over = formed(kit, row(3), name="over")
    saved = kit.store.save(replace(later, due=T0 + MINUTE))
    kit.store.end(over, T0)
    assert kit.store.due(T0) == [first]
    assert kit.store.due(T0 + MINUTE) == [first, saved]


def check_who_saves_an_older_state_comes_too_late(kit: Kit[Imports]) -> None:
    made = formed(kit, row(1))
    newer = kit.store.save(replace(made, tries=1))
    assert kit.other().save(replace(made, tries=9)) is None
    assert not kit.other().end(made, T0)
    assert kit.store.due(T0) == [newer]
    assert kit.store.of([1])[1].held


def check_an_unknown_job_is_not_saved(kit: Kit[Imports]) -> None:
    assert kit.store.save(replace(job(), version=1)) is None


def check_rows_come_in_the_order_of_their_prospects_by_pages(kit: Kit[Imports]) -> None:
    kit.store.add([row(number) for number in range(2_500, 0, -1)])
    made = kit.store.form(job(), "", 5_000)
    assert made is not None
    assert made.rows == 2_500
    assert [one.prospect_id for one in kit.store.rows("job", after=1_998, most=3)] == [1_999, 2_000, 2_001]
    assert len(kit.store.rows("job")) == 1_000
    assert kit.store.rows("job", after=2_500) == []


def check_forget_deletes_what_has_been_free_for_long(kit: Kit[Imports]) -> None:
    old, young = formed(kit, row(1), name="old"), formed(kit, row(2), name="young")
    held = formed(kit, row(3), name="held")
    kit.store.add([row(4)])
    kit.store.end(old, T0)
    kit.store.end(young, T0 + 2 * MINUTE)
    kit.store.forget(T0 + MINUTE)
    assert sorted(kit.other().of([1, 2, 3, 4])) == [2, 3, 4]
    assert kit.store.due(T0) == [held]


def check_of_many_who_form_one_gets_each_row(kit: Kit[Imports]) -> None:
    kit.store.add([row(number) for number in range(100)])
    stores = [kit.other() for _ in range(4)]

    def form(number: int) -> int:
        made = stores[number].form(job(f"job-{number}"), "", 30)
        return made.rows if made else 0

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(form, range(4)))
    rows = [one for number in range(4) for one in kit.store.rows(f"job-{number}", after=-1)]
    assert sum(counts) == len(rows) == len({one.prospect_id for one in rows})


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Imports]:
    return sql_kits(lambda _: MemoryImports(), lambda engine, _: SqlImports(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_imports(check, kit):
    check(kit)


def test_the_whole_job_of_this_suite_leaves_nothing_at_its_default():
    plain = job()
    same = {f.name for f in fields(FULL) if getattr(FULL, f.name) == getattr(plain, f.name)}
    assert same == {"formed"}


class ForgetfulImports(MemoryImports):
    """Lets a prospect enter a second import while it is in one."""

    def add(self, rows):
        for one in rows:
            self._rows.pop(one.prospect_id, None)
        return super().add(rows)


def test_the_suite_rejects_a_store_that_takes_a_held_prospect_twice():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda _: ForgetfulImports()))
    assert "check_a_prospect_in_a_job_is_refused_until_the_job_is_over" in rejected_by
