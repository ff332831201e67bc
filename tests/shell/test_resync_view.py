"""What ``python -m worker resync`` shows: lines for a file, JSON for a program, words for every state."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from prospect_sync.errors import TryLater
from prospect_sync.flow.resync import resync_step, start_resync
from prospect_sync.flow.resync_status import resync_status
from prospect_sync.model import Lane
from tests.flow.world import World
from worker.resync import pause_resync, run_resync


class Working(World):
    """A world whose workers work while somebody looks."""

    def look(self, seconds: float) -> None:
        self.clock.advance(seconds)
        resync_step(self.runtime)
        self.work()


@pytest.fixture
def world(monkeypatch) -> Working:
    made = Working()
    for number in range(1, 8):
        made.pair(number)
    third = made.engagement.now_holds(3)
    made.engagement.add(replace(third, values={**third.values, "city": "Köln"}))
    monkeypatch.setattr("worker.resync.time.sleep", made.look)
    return made


def show(world: World, **options) -> int:
    return run_resync(world.runtime, **{"since": None, "lane": Lane.BULK, "as_json": False, "detach": False, **options})


def test_lines_say_what_is_done_and_how_it_ended(world, capsys):
    assert show(world) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if "[info" not in line]
    assert told[0].endswith("started")
    assert told[1] == "bringing the mirror up to date: 0, 0 in step, 0 to look at, 0/s"
    assert told[2] == "reading prospects: 0 of about 7, 0 in step, 0 to look at, 0/s"
    assert told[3] == "comparing: 0 of about 7, 0 in step, 0 to look at, 0/s"
    assert told[-1].split(": ", 1)[1] == (
        "7 records seen, 6 in step, 0 without a partner, 1 looked at again; of the writes 1 were applied and 0 refused; "
        "0 records stand on the desk"
    )


def test_json_is_one_object_a_line_and_the_last_is_how_it_ended(world, capsys):
    assert show(world, as_json=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert lines[0]["note"].endswith("started")
    end = lines[-1]
    assert {name: end[name] for name in ("covers", "lane", "state", "seen", "in_step", "hinted", "remaining")} == {
        "covers": "all",
        "lane": "bulk",
        "state": "done",
        "seen": 7,
        "in_step": 6,
        "hinted": 1,
        "remaining": 0,
    }


def test_who_comes_second_is_told_what_was_joined(world, capsys):
    run, _ = start_resync(world.runtime)
    assert show(world, since=world.clock.now(), detach=True) == 0
    assert f"joined resync {run.id}, which was open already and covers everything" in capsys.readouterr().out
    assert resync_status(world.runtime).run.seen == 0


def test_whoever_leaves_is_told_that_it_goes_on(world, capsys, monkeypatch):
    def leave(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("worker.resync.time.sleep", leave)
    assert show(world) == 130
    assert "It goes on without this program" in capsys.readouterr().out
    assert resync_status(world.runtime).run.ended is None


def test_waiting_says_until_when_and_why(world, capsys):
    start_resync(world.runtime)
    later = TryLater("the bulk lane's share of today's calls is used up", delay=3600, reason="limit")
    world.runtime.resyncs.postpone(world.clock.now() + timedelta(seconds=later.delay), later.words)
    show(world, detach=True)
    told = capsys.readouterr().out
    assert "waiting until 2026-11-23 11:00:00 UTC (the bulk lane's share of today's calls is used up)" in told


def test_where_nobody_works_it_says_so(world, capsys, monkeypatch):
    start_resync(world.runtime)
    times = iter(range(0, 10_000, 31))
    monkeypatch.setattr("worker.resync.time.monotonic", lambda: float(next(times)))
    looks = iter(range(8))

    def sleep(_):
        if next(looks) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr("worker.resync.time.sleep", sleep)
    show(world)
    assert capsys.readouterr().out.count("are a worker and beat running?") == 1


def test_it_is_stopped_and_goes_on_by_command(world):
    assert pause_resync(world.runtime, paused=True) == "No resync is open."
    run, _ = start_resync(world.runtime)
    assert pause_resync(world.runtime, paused=True) == f"resync {run.id} stops after its present step"
    assert not resync_step(world.runtime)
    assert pause_resync(world.runtime, paused=False) == f"resync {run.id} goes on"
    assert resync_step(world.runtime)
    assert replace(run, version=1).id == run.id
