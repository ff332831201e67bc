"""An org's clock: freezing, moving, skewing; and the watch that never goes back."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from prospect_sync.sandbox.clock import OrgClock

NOON = datetime(2026, 11, 20, 12, 0, 0, 123_456, tzinfo=UTC)


def machine() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def test_it_runs_with_the_machine_in_whole_milliseconds():
    now = OrgClock().now()
    assert abs(now - machine()) < timedelta(seconds=5)
    assert now.microsecond % 1000 == 0


def test_frozen_it_stands_and_can_be_stepped():
    clock = OrgClock()
    clock.set(NOON)
    assert clock.now() == clock.now() == datetime(2026, 11, 20, 12, 0, 0, 123_000, tzinfo=UTC)
    clock.step(-0.5)
    assert clock.now() == datetime(2026, 11, 20, 11, 59, 59, 623_000, tzinfo=UTC)


def test_an_instant_needs_an_offset():
    with pytest.raises(ValueError, match="offset"):
        OrgClock().set(NOON.replace(tzinfo=None))


def test_skew_is_a_distance_from_the_machine_and_steps_add_to_it():
    clock = OrgClock()
    clock.skew(3600)
    clock.skew(-3600)
    clock.step(60)
    assert abs(clock.now() - machine() - timedelta(seconds=-3540)) < timedelta(seconds=5)
    clock.set(None)
    assert abs(clock.now() - machine() - timedelta(seconds=-3600)) < timedelta(seconds=5)


def test_the_watch_counts_forward_moves_alone():
    clock = OrgClock()
    clock.set(NOON)
    start = clock.elapsed()
    clock.step(10)
    clock.step(-100)
    clock.set(NOON - timedelta(days=1))
    assert clock.elapsed() == round(start + 10, 3)
    clock.set(NOON)
    assert clock.elapsed() == round(start + 10 + 86_400, 3)
