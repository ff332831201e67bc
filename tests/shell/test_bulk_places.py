"""Bulk work never occupies every process of a worker."""

import pytest

from prospect_sync.stores.memory import HandClock, MemoryLeader
from prospect_sync.stores.memory.leader import Posts
from worker.bulk_places import BulkPlaces


@pytest.fixture
def process():
    """Makes the places as another process of the same worker, or of another one, sees them."""
    clock, posts = HandClock(), Posts()

    def make(processes: int, worker: str = "here:1") -> BulkPlaces:
        places = BulkPlaces.among(MemoryLeader(clock, posts), processes, 60)
        return BulkPlaces(places.leader, places.places, places.seconds, worker)

    make.clock = clock
    return make


@pytest.mark.parametrize(("processes", "places"), [(1, 1), (2, 1), (3, 2), (8, 7)])
def test_one_process_stays_free_for_more_urgent_work(process, processes, places):
    holding = [process(processes).hold() for _ in range(processes)]
    assert [one.__enter__() for one in holding] == [number < places for number in range(processes)]


def test_a_place_left_is_free(process):
    with process(2).hold() as first:
        assert first
    with process(2).hold() as second:
        assert second


def test_a_place_is_left_whatever_happens(process):
    with pytest.raises(RuntimeError), process(2).hold():
        raise RuntimeError("the batch failed")
    with process(2).hold() as free:
        assert free


def test_a_dead_holders_place_falls_free_by_itself(process):
    process(2).hold().__enter__()
    process.clock.advance(61)
    with process(2).hold() as free:
        assert free


def test_workers_do_not_take_each_others_places(process):
    with process(2, "here:1").hold(), process(2, "here:2").hold() as free:
        assert free
