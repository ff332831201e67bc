"""The promises about resyncs and their checkpoints, in memory, SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prospect_sync.memory import ResyncPhase, ResyncRun
from prospect_sync.model import Lane
from prospect_sync.ports import Resyncs
from prospect_sync.stores.memory import MemoryResyncs
from prospect_sync.stores.sql import SqlResyncs
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

T0 = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = ResyncRun("first", T0)
FULL = ResyncRun(
    id="full",
    started=T0,
    lane=Lane.LIVE,
    since=T0 - MINUTE,
    phase=ResyncPhase.PEOPLE,
    positions={"Lead": "00Q000000000001EAA", "Contact": None, "prospects": "2026-01-05T10:00:00+00:00"},
    total=300_000,
    seen=70,
    in_step=60,
    hinted=7,
    updated=T0 + MINUTE,
    waited=12.5,
    wait_until=T0 + 2 * MINUTE,
    words="the day's calls are used up",
)


def started(kit: Kit[Resyncs], run: ResyncRun = RUN) -> ResyncRun:
    """A run with its first step claimed."""
    kit.store.start(run)
    claimed = kit.store.claim(run.id, T0, T0 + MINUTE)
    assert claimed is not None
    return claimed


def check_there_is_none_at_first(kit: Kit[Resyncs]) -> None:
    assert kit.store.newest() is None
    assert kit.store.claim("first", T0, T0 + MINUTE) is None
    kit.store.tally(1, 1)
    kit.store.postpone(T0, "nobody waits")
    assert kit.store.newest() is None


def check_a_run_is_given_back_whole(kit: Kit[Resyncs]) -> None:
    assert kit.store.start(FULL) == FULL
    assert kit.other().newest() == FULL


def check_a_second_start_gives_the_open_one(kit: Kit[Resyncs]) -> None:
    kit.store.start(RUN)
    assert kit.other().start(ResyncRun("second", T0 + MINUTE)) == RUN
    assert kit.store.newest() == RUN


def check_an_ended_one_makes_way(kit: Kit[Resyncs]) -> None:
    run = started(kit)
    ended = replace(run, ended=T0 + MINUTE, phase=ResyncPhase.DONE)
    assert kit.store.advance(ended)
    assert kit.other().newest() == ended
    assert kit.store.claim(RUN.id, T0 + 5 * MINUTE, T0 + 6 * MINUTE) is None
    second = ResyncRun("second", T0 + MINUTE)
    assert kit.store.start(second) == second
    assert kit.store.newest() == second


def check_a_step_is_taken_by_one(kit: Kit[Resyncs]) -> None:
    run = started(kit)
    assert run == replace(RUN, version=1)
    assert kit.other().claim(RUN.id, T0 + MINUTE - timedelta(seconds=1), T0 + 2 * MINUTE) is None
    assert kit.other().claim("another", T0 + 2 * MINUTE, T0 + 3 * MINUTE) is None


def check_a_dead_one_is_followed(kit: Kit[Resyncs]) -> None:
    started(kit)
    assert kit.other().claim(RUN.id, T0 + MINUTE, T0 + 2 * MINUTE) == replace(RUN, version=2)


def check_a_stored_step_frees_the_next(kit: Kit[Resyncs]) -> None:
    run = started(kit)
    moved = replace(run, seen=7, positions={"Lead": "00Q000000000007EAA"})
    assert kit.store.advance(moved)
    assert kit.other().newest() == moved
    assert kit.other().claim(RUN.id, T0, T0 + MINUTE) == replace(moved, version=2)


def check_who_was_followed_stores_nothing(kit: Kit[Resyncs]) -> None:
    run = started(kit)
    follower = kit.other().claim(RUN.id, T0 + MINUTE, T0 + 2 * MINUTE)
    assert not kit.store.advance(replace(run, seen=7))
    assert kit.store.newest() == follower


def check_a_step_is_stored_once(kit: Kit[Resyncs]) -> None:
    run = started(kit)
    assert kit.store.advance(replace(run, seen=7))
    assert not kit.other().advance(replace(run, seen=8))
    last = kit.store.claim(RUN.id, T0, T0 + MINUTE)
    assert kit.store.advance(replace(last, ended=T0, phase=ResyncPhase.DONE))
    assert not kit.other().advance(replace(last, seen=9))


def check_a_paused_one_takes_no_step(kit: Kit[Resyncs]) -> None:
    run = started(kit)
    kit.other().pause(RUN.id, paused=True)
    assert kit.store.advance(replace(run, seen=7))
    assert kit.store.newest() == replace(run, seen=7, paused=True)
    assert kit.store.claim(RUN.id, T0, T0 + MINUTE) is None
    kit.store.pause(RUN.id, paused=False)
    assert kit.store.claim(RUN.id, T0, T0 + MINUTE) is not None


def check_a_waiting_one_takes_no_step_before_its_time(kit: Kit[Resyncs]) -> None:
    kit.store.start(RUN)
    kit.other().postpone(T0 + MINUTE, "used up")
    assert kit.store.newest() == replace(RUN, wait_until=T0 + MINUTE, words="used up")
    assert kit.store.claim(RUN.id, T0 + MINUTE - timedelta(seconds=1), T0 + 2 * MINUTE) is None
    assert kit.store.claim(RUN.id, T0 + MINUTE, T0 + 2 * MINUTE) is not None


def check_the_longer_wait_stays(kit: Kit[Resyncs]) -> None:
    kit.store.start(RUN)
    kit.store.postpone(T0 + 5 * MINUTE, "until later")
    kit.other().postpone(T0 + MINUTE, "until earlier")
    assert kit.store.newest() == replace(RUN, wait_until=T0 + 5 * MINUTE, words="until later")


def check_writes_are_counted_beside_the_steps(kit: Kit[Resyncs]) -> None:
    run = started(kit)
    kit.other().tally(3, 1)
    kit.store.tally(2, 0)
    assert kit.store.advance(replace(run, seen=7))
    assert kit.store.newest() == replace(run, seen=7, applied=5, refused=1)


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Resyncs]:
    return sql_kits(lambda _: MemoryResyncs(), lambda engine, _: SqlResyncs(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_resyncs(check, kit):
    check(kit)


class Trusting(MemoryResyncs):
    """Whoever comes with a step stores it, also one that somebody else has done again meanwhile."""

    def advance(self, run):
        return super().advance(replace(run, version=self.newest().version))


class Wholesale(MemoryResyncs):
    """A stored step overwrites what others stored beside it."""

    def advance(self, run):
        stored = super().advance(run)
        if stored:
            self._runs[-1] = run
        return stored


def test_the_suite_rejects_checkpoints_that_go_back():
    assert rejecting(CHECKS, lambda: memory_kit(lambda _: Trusting())) == {"check_who_was_followed_stores_nothing"}


def test_the_suite_rejects_steps_that_overwrite_what_others_counted():
    assert rejecting(CHECKS, lambda: memory_kit(lambda _: Wholesale())) == {
        "check_a_paused_one_takes_no_step",
        "check_writes_are_counted_beside_the_steps",
    }
