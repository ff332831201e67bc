"""A real Celery worker on a real Redis: which lane it looks into first, how it stops, what a redelivery does."""

import os
import signal
from pathlib import Path

import pytest

from prospect_sync.model import Hint, Lane, Ref
from prospect_sync.stores.redis import RedisInbox, connect
from settings import Settings
from tests.support.stack import Stack, make_pair, running_stack, wait_for
from worker.app import create_app

PREFIX = "{prospect-sync}:"


@pytest.fixture
def stack(tmp_path: Path):
    with running_stack(tmp_path) as running:
        yield running


def inbox_of(stack: Stack) -> RedisInbox:
    return RedisInbox(connect(stack.redis_url), prefix=PREFIX)


def celery_of(stack: Stack):
    return create_app(Settings(redis_url=stack.redis_url))


def test_a_free_process_looks_into_the_consent_lane_first(stack: Stack) -> None:
    inbox_of(stack).offer([Hint(Ref.prospect(number), lane) for number, lane in enumerate(Lane, start=1)])
    celery = celery_of(stack)
    for lane in (Lane.BULK, Lane.LIVE, Lane.CONSENT):
        celery.send_task("sync.drain", args=[lane.value], queue=lane.value)
    stack.settings["CONCURRENCY"] = "1"
    stack.start_worker()
    events = wait_for("three batches", lambda: len(found := stack.events("batch.synced")) >= 3 and found)
    assert [event["lane"] for event in events] == ["consent", "live", "bulk"]


def test_a_worker_that_is_asked_to_stop_finishes_its_batch(stack: Stack) -> None:
    pairs = [make_pair(number, city="Köln") for number in range(1, 61)]
    stack.load(pairs)
    stack.admin.latency(150)
    stack.start()
    wait_for("writes under way", lambda: len(stack.committed("account_engagement")) >= 5, every=0.05)
    worker = stack.worker
    assert worker is not None
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(60) == 0
    assert stack.open_intents() == 0
    assert len(stack.committed("account_engagement")) == len(
        [row for row in stack.rows() if row.outcome and row.outcome.settled == "applied"]
    )
    assert inbox_of(stack).reap() == (frozenset(), frozenset())


def test_a_message_delivered_twice_does_nothing_twice(stack: Stack) -> None:
    stack.load([make_pair(1, city="Köln")])
    stack.start()
    wait_for("the write", lambda: stack.writes() == 1)
    celery = celery_of(stack)
    for _ in range(20):
        celery.send_task("sync.drain", args=["live"], queue="live")
    stack.quiet()
    assert stack.writes() == 1


def test_a_message_nobody_understands_is_left_aside_and_work_goes_on(stack: Stack) -> None:
    stack.load([make_pair(1, city="Köln")])
    celery = celery_of(stack)
    celery.send_task("sync.forgotten", args=["live"], queue="live")
    celery.send_task("sync.drain", args=["no such lane"], queue="live")
    stack.start()
    wait_for("the write", lambda: stack.writes() == 1)


def test_log_lines_carry_ids_and_no_ones_data(stack: Stack) -> None:
    stack.load([make_pair(1, city="Köln")])
    stack.start()
    wait_for("the write", lambda: stack.writes() == 1)
    wait_for("a line about it", lambda: any(event["applied"] for event in stack.events("batch.synced")))
    (event, *_) = [event for event in stack.events("batch.synced") if event["applied"]]
    assert {"batch", "task", "task_id", "lane", "pairs"} <= set(event)
    lines = "".join(log.read_text() for log in stack.logs)
    assert "Köln" not in lines
    assert "person1@example.org" not in lines
    assert stack.sandbox["client_secret"] not in lines


def test_up_brings_its_own_redis_syncs_and_leaves_nothing_running(stack: Stack) -> None:
    stack.load([make_pair(1, city="Köln")])
    stack.redis_url = ""
    stack.settings["DATA_DIR"] = str(stack.directory / "own")
    everything = stack._spawn("up")
    stack.worker = everything
    wait_for("the write", lambda: stack.writes() == 1)
    members = group_of(everything.pid)
    assert len(members) >= 4  # itself, worker, beat, Redis
    everything.send_signal(signal.SIGTERM)
    assert everything.wait(60) == 0
    wait_for("everything ended", lambda: not [pid for pid in members if alive(pid)])


def group_of(pid: int) -> list[int]:
    """Ids of a process and all its descendants."""
    found = [pid]
    for one in found:
        children = Path(f"/proc/{one}/task/{one}/children")
        found.extend(int(child) for child in children.read_text().split() if int(child) not in found)
    return found


def alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
