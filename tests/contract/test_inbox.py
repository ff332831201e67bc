"""The inbox's promises, on memory and on a real Redis."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from prospect_sync.memory import Batch, LaneState
from prospect_sync.model import Hint, Lane, PersonType, Ref
from prospect_sync.ports import Inbox
from prospect_sync.stores.memory import MemoryInbox
from prospect_sync.stores.redis import RedisInbox
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

P1, P2, P3 = Ref.prospect(1), Ref.prospect(2), Ref.prospect(3)
LEAD = Ref.person(PersonType.LEAD, "00Q000000000001EAA")
LEASE = 60.0
SECOND = timedelta(seconds=1)


def take(inbox: Inbox, lane: Lane = Lane.LIVE, limit: int = 200) -> Batch:
    batch = inbox.take(lane, limit, LEASE)
    assert batch is not None
    return batch


def offered(kit: Kit[Inbox], *refs: Ref, lane: Lane = Lane.LIVE) -> Inbox:
    kit.store.offer([Hint(ref, lane) for ref in refs])
    return kit.store


def die(kit: Kit[Inbox], lane: Lane = Lane.LIVE, limit: int = 200) -> tuple[frozenset[Ref], frozenset[Ref]]:
    """A batch is taken, and its worker dies."""
    take(kit.store, lane, limit)
    kit.age(LEASE + 1)
    return kit.store.reap()


def check_ten_hints_for_one_record_are_one_entry(kit: Kit[Inbox]) -> None:
    kit.store.offer([Hint(P1, origin="poll")] * 9)
    kit.store.offer([Hint(P1, origin="event")])
    assert kit.store.lanes()[Lane.LIVE].waiting == 1
    batch = take(kit.store)
    assert [(hint.ref, hint.lane, hint.origin) for hint in batch.hints] == [(P1, Lane.LIVE, "poll")]
    assert (batch.lane, batch.alone, batch.deaths, batch.refs) == (Lane.LIVE, False, {}, {P1})


def check_a_record_waits_in_the_more_urgent_lane_only(kit: Kit[Inbox]) -> None:
    kit.store.offer([Hint(P1, Lane.BULK), Hint(P1, Lane.CONSENT), Hint(P2, Lane.LIVE), Hint(P2, Lane.BULK)])
    assert [state.waiting for state in kit.store.lanes().values()] == [1, 1, 0]
    assert take(kit.store, Lane.CONSENT).refs == {P1}
    assert take(kit.store, Lane.LIVE).refs == {P2}


def check_the_earliest_due_time_counts(kit: Kit[Inbox]) -> None:
    later = kit.now() + 600 * SECOND
    kit.store.offer([Hint(P1, due=later), Hint(P1), Hint(P2), Hint(P2, due=later), Hint(P3, due=later)])
    assert take(kit.store).refs == {P1, P2}


def check_a_due_time_holds_a_record_back_until_then(kit: Kit[Inbox]) -> None:
    kit.store.offer([Hint(P1, due=kit.now() + 30 * SECOND)])
    assert kit.store.take(Lane.LIVE, 200, LEASE) is None
    kit.age(31)
    assert take(kit.store).refs == {P1}


def check_a_record_in_work_is_taken_again_only_after_its_release(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.offer([Hint(P1, Lane.CONSENT, origin="event")])
    assert [kit.store.take(lane, 200, LEASE) for lane in Lane] == [None, None, None]
    kit.store.release(batch)
    again = take(kit.store, Lane.CONSENT)
    assert [(hint.ref, hint.origin) for hint in again.hints] == [(P1, "event")]


def check_hints_during_work_are_merged_too(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.offer([Hint(P1, Lane.BULK, kit.now() + 600 * SECOND), Hint(P1, Lane.LIVE), Hint(P1, Lane.BULK)])
    kit.store.release(batch)
    assert take(kit.store, Lane.LIVE).refs == {P1}


def check_take_gives_none_when_nothing_waits(kit: Kit[Inbox]) -> None:
    assert offered(kit, P1).take(Lane.BULK, 200, LEASE) is None


def check_most_overdue_first_and_no_more_than_the_limit(kit: Kit[Inbox]) -> None:
    now = kit.now()
    kit.store.offer([Hint(P1, due=now - 5 * SECOND), Hint(P2, due=now - 9 * SECOND), Hint(P3, due=now - 7 * SECOND)])
    assert [hint.ref for hint in take(kit.store, limit=2).hints] == [P2, P3]
    assert [hint.ref for hint in take(kit.store, limit=2).hints] == [P1]


def check_a_taken_record_belongs_to_nobody_else(kit: Kit[Inbox]) -> None:
    first = take(offered(kit, P1, P2), limit=1)
    second = take(kit.other(), limit=200)
    assert (first.refs | second.refs, first.refs & second.refs, first.id == second.id) == ({P1, P2}, set(), False)


def check_many_takers_never_share_a_record(kit: Kit[Inbox]) -> None:
    kit.store.offer([Hint(Ref.prospect(number)) for number in range(400)])
    inboxes = [kit.other() for _ in range(4)]

    def drain(inbox: Inbox) -> list[Ref]:
        taken: list[Ref] = []
        while batch := inbox.take(Lane.LIVE, 7, LEASE):
            taken += batch.refs
        return taken

    with ThreadPoolExecutor(4) as pool:
        everything = [ref for taken in pool.map(drain, inboxes) for ref in taken]
    assert len(everything) == 400
    assert set(everything) == {Ref.prospect(number) for number in range(400)}


def check_a_record_that_died_twice_is_taken_alone(kit: Kit[Inbox]) -> None:
    offered(kit, P1)
    assert [die(kit), die(kit)] == [({P1}, set()), ({P1}, set())]
    offered(kit, P2, P3)
    kit.age(1)
    batch = take(kit.store)
    assert (batch.refs, batch.alone, batch.deaths) == ({P1}, True, {P1: 2})
    assert take(kit.store).refs == {P2, P3}


def check_others_do_not_take_such_a_record_along(kit: Kit[Inbox]) -> None:
    offered(kit, P1)
    die(kit)
    die(kit)
    kit.store.offer([Hint(P2, due=kit.now() - 600 * SECOND)])
    first, second = take(kit.store), take(kit.store)
    assert (first.refs, first.alone) == ({P2}, False)
    assert (second.refs, second.alone) == ({P1}, True)


def check_one_death_is_told_but_does_not_isolate(kit: Kit[Inbox]) -> None:
    offered(kit, P1, P2)
    die(kit, limit=1)
    batch = take(kit.store)
    assert (batch.refs, batch.alone, batch.deaths) == ({P1, P2}, False, {P1: 1})


def check_claim_leases_a_record_nobody_waits_for(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    assert kit.store.claim(batch, [LEAD], LEASE) == {LEAD}
    offered(kit, LEAD)
    assert kit.store.take(Lane.LIVE, 200, LEASE) is None
    kit.store.release(batch)
    assert take(kit.store).refs == {LEAD}


def check_claim_merges_a_waiting_record_into_the_batch(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.offer([Hint(LEAD, Lane.BULK)])
    assert kit.store.claim(batch, [LEAD], LEASE) == {LEAD}
    assert kit.store.take(Lane.BULK, 200, LEASE) is None
    kit.store.release(batch)
    assert kit.store.oldest() is None


def check_claim_counts_what_the_batch_already_holds(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.claim(batch, [LEAD], LEASE)
    assert kit.store.claim(batch, [P1, LEAD, P2], LEASE) == {P1, LEAD, P2}


def check_claim_leaves_alone_what_is_in_work_elsewhere(kit: Kit[Inbox]) -> None:
    offered(kit, P1, P2)
    mine, theirs = take(kit.store, limit=1), take(kit.other(), limit=1)
    assert kit.store.claim(mine, [P1, P2], LEASE) == mine.refs
    kit.store.release(mine)
    assert kit.other().extend(theirs, LEASE)
    assert kit.store.take(Lane.LIVE, 200, LEASE) is None


def check_a_batch_that_lost_a_record_claims_nothing(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.age(LEASE + 1)
    kit.store.reap()
    assert kit.store.claim(batch, [P2], LEASE) == frozenset()


def check_a_batch_begun_by_claiming_holds_what_it_got(kit: Kit[Inbox]) -> None:
    batch = Batch("by-hand", Lane.LIVE, ())
    assert not kit.store.extend(batch, LEASE)
    assert kit.store.claim(batch, [P1], LEASE) == {P1}
    assert kit.store.extend(batch, LEASE)


def check_extend_leases_everything_anew_from_now(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.claim(batch, [LEAD], LEASE)
    kit.age(50)
    assert kit.store.extend(batch, LEASE)
    kit.age(50)
    assert kit.store.reap() == (frozenset(), frozenset())
    assert 8 < kit.store.remaining(batch) <= 10


def check_extend_changes_nothing_when_a_record_was_lost(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1, P2))
    kit.age(30)
    kit.store.claim(batch, [LEAD], LEASE)
    kit.age(31)
    assert kit.store.reap()[0] == {P1, P2}
    assert kit.store.extend(batch, LEASE) is False
    kit.age(30)
    assert kit.store.reap()[0] == {LEAD}


def check_remaining_tells_the_seconds_of_the_shortest_lease(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.claim(batch, [LEAD], 2 * LEASE)
    assert 58 < kit.store.remaining(batch) <= 60
    kit.age(20)
    assert 38 < kit.other().remaining(batch) <= 40


def check_nothing_remains_once_the_lease_ended(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.age(LEASE + 1)
    assert kit.store.remaining(batch) <= 0
    kit.store.release(batch)
    assert kit.store.remaining(batch) <= 0


def check_nothing_remains_once_a_record_was_lost(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.age(30)
    kit.store.claim(batch, [LEAD], LEASE)
    kit.age(31)
    kit.store.reap()
    assert kit.store.remaining(batch) <= 0


def check_losing_a_claimed_record_is_a_loss_too(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.claim(batch, [LEAD], LEASE / 2)
    kit.age(LEASE / 2 + 1)
    assert kit.store.reap() == ({LEAD}, frozenset())
    assert (kit.store.extend(batch, LEASE), kit.store.remaining(batch)) == (False, 0.0)
    kit.store.release(batch, [Hint(LEAD, Lane.CONSENT), Hint(P1, Lane.CONSENT)])
    assert take(kit.store, Lane.CONSENT).refs == {P1}
    assert take(kit.store, Lane.LIVE).refs == {LEAD}


def check_release_ends_the_leases(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.store.release(batch)
    kit.age(LEASE + 1)
    assert kit.store.reap() == (frozenset(), frozenset())
    assert take(offered(kit, P1)).refs == {P1}


def check_release_forgets_deaths(kit: Kit[Inbox]) -> None:
    offered(kit, P1)
    die(kit)
    die(kit)
    kit.store.release(take(kit.store), [Hint(P1)])
    batch = take(kit.store)
    assert (batch.alone, batch.deaths) == (False, {})


def check_release_offers_again(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1, P2))
    kit.store.release(batch, [Hint(P1, Lane.BULK, kit.now() + 30 * SECOND), Hint(LEAD, Lane.CONSENT)])
    assert take(kit.store, Lane.CONSENT).refs == {LEAD}
    assert kit.store.take(Lane.BULK, 200, LEASE) is None
    kit.age(31)
    assert take(kit.store, Lane.BULK).refs == {P1}


def check_release_leaves_lost_records_alone(kit: Kit[Inbox]) -> None:
    frozen = take(offered(kit, P1))
    kit.age(LEASE + 1)
    kit.store.reap()
    new = take(kit.other())
    kit.store.release(frozen, [Hint(P1, Lane.CONSENT)])
    assert kit.other().extend(new, LEASE)
    assert (new.refs, new.deaths) == ({P1}, {P1: 1})
    kit.other().release(new)
    assert kit.store.oldest() is None


def check_a_worker_that_was_late_has_not_died(kit: Kit[Inbox]) -> None:
    offered(kit, P1)
    for _ in range(4):
        late = take(kit.store)
        kit.age(LEASE + 1)
        assert kit.store.reap() == ({P1}, frozenset())
        kit.store.release(late, [Hint(P1)])
    assert take(kit.store).deaths == {}


def check_reap_leaves_running_leases(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.age(LEASE - 5)
    assert kit.store.reap() == (frozenset(), frozenset())
    assert kit.store.extend(batch, LEASE)


def check_reap_returns_to_the_old_lane_due_now(kit: Kit[Inbox]) -> None:
    offered(kit, P1, lane=Lane.BULK)
    assert die(kit, Lane.BULK) == ({P1}, frozenset())
    assert kit.store.reap() == (frozenset(), frozenset())
    batch = take(kit.store, Lane.BULK)
    assert (batch.refs, batch.deaths) == ({P1}, {P1: 1})


def check_reap_keeps_what_was_offered_meanwhile(kit: Kit[Inbox]) -> None:
    take(offered(kit, P1, lane=Lane.BULK), Lane.BULK)
    kit.store.offer([Hint(P1, Lane.CONSENT, kit.now() + 600 * SECOND)])
    kit.age(LEASE + 1)
    kit.store.reap()
    assert take(kit.store, Lane.CONSENT).refs == {P1}


def check_a_third_death_is_poisonous(kit: Kit[Inbox]) -> None:
    offered(kit, P1)
    die(kit)
    die(kit)
    assert die(kit) == (frozenset(), {P1})
    assert kit.store.oldest() is None
    assert [state.waiting for state in kit.store.lanes().values()] == [0, 0, 0]
    assert take(offered(kit, P1)).deaths == {}


def check_a_poisonous_record_is_named_until_it_is_buried(kit: Kit[Inbox]) -> None:
    offered(kit, P1)
    die(kit)
    die(kit)
    die(kit)
    assert kit.store.reap() == (frozenset(), {P1})
    kit.store.bury([P1])
    assert kit.store.reap() == (frozenset(), frozenset())


def check_lanes_tell_waiting_due_and_age(kit: Kit[Inbox]) -> None:
    now = kit.now()
    kit.store.offer(
        [Hint(P1, due=now - 90 * SECOND), Hint(P2, due=now - 30 * SECOND), Hint(P3, due=now + 600 * SECOND)]
    )
    lanes = kit.store.lanes()
    assert (lanes[Lane.LIVE].waiting, lanes[Lane.LIVE].due) == (3, 2)
    assert 90 <= lanes[Lane.LIVE].oldest_due < 95
    assert lanes[Lane.CONSENT] == lanes[Lane.BULK] == LaneState(0, 0, 0.0)


def check_oldest_tells_when_the_longest_waiting_was_first_offered(kit: Kit[Inbox]) -> None:
    assert kit.store.oldest() is None
    begin = kit.now()
    kit.store.offer([Hint(P1, Lane.BULK, begin + 600 * SECOND)])
    kit.age(100)
    offered(kit, P1, P2)
    oldest = kit.store.oldest()
    assert oldest is not None
    assert 98 * SECOND < kit.now() - oldest < 105 * SECOND


def check_oldest_counts_records_in_work(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.age(40)
    offered(kit, P2)
    oldest = kit.store.oldest()
    assert oldest is not None
    assert 38 * SECOND < kit.now() - oldest < 45 * SECOND
    kit.store.release(batch)
    younger = kit.store.oldest()
    assert younger is not None
    assert kit.now() - younger < 5 * SECOND


def check_offering_again_on_release_does_not_make_younger(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.age(40)
    kit.store.release(batch, [Hint(P1)])
    oldest = kit.store.oldest()
    assert oldest is not None
    assert 38 * SECOND < kit.now() - oldest < 45 * SECOND


def check_a_hint_during_work_counts_from_its_own_time(kit: Kit[Inbox]) -> None:
    batch = take(offered(kit, P1))
    kit.age(40)
    offered(kit, P1)
    kit.store.release(batch)
    oldest = kit.store.oldest()
    assert oldest is not None
    assert kit.now() - oldest < 5 * SECOND


def check_identity_stays_while_nothing_is_forgotten(kit: Kit[Inbox]) -> None:
    identity = kit.store.identity()
    die_quietly = take(offered(kit, P1))
    kit.store.release(die_quietly)
    assert kit.other().identity() == identity != ""


CHECKS = checks_in(globals())


@pytest.fixture(params=["memory", "redis"])
def kit(request: pytest.FixtureRequest) -> Kit[Inbox]:
    if request.param == "memory":
        return memory_kit(MemoryInbox)
    return request.getfixturevalue("redis_kits")(lambda client, _: RedisInbox(client))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_inbox(check, kit):
    check(kit)


def test_identity_changes_when_redis_is_emptied(redis_client):
    inbox = RedisInbox(redis_client)
    before = inbox.identity()
    redis_client.flushall()
    after = inbox.identity()
    assert after != before
    assert after.split("/")[0] == before.split("/")[0]


def test_identity_changes_when_another_memory_inbox_takes_over():
    assert memory_kit(MemoryInbox).store.identity() != memory_kit(MemoryInbox).store.identity()


def test_an_offer_larger_than_a_step_arrives_whole(redis_client):
    inbox = RedisInbox(redis_client)
    inbox.offer([Hint(Ref.prospect(number), Lane.BULK) for number in range(4_500)])
    assert inbox.lanes()[Lane.BULK].waiting == 4_500


class ForgetfulInbox(MemoryInbox):
    """Overdue leases end, and the record is gone."""

    def _end(self, ref, now, *, poisonous):
        super()._end(ref, now, poisonous=poisonous)
        self._waiting.pop(ref, None)


class OwnerlessInbox(MemoryInbox):
    """Whoever asks may extend and release."""

    def extend(self, batch, lease):
        for ref in batch.refs & self._work.keys():
            self._work[ref].deadline = self._clock.now() + timedelta(seconds=lease)
        return True

    def release(self, batch, again=()):
        for ref in batch.refs & self._work.keys():
            super().release(replace(batch, id=self._work[ref].owner), again)


def test_the_suite_rejects_an_inbox_that_forgets_on_reap():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(ForgetfulInbox))
    assert "check_reap_returns_to_the_old_lane_due_now" in rejected_by


def test_the_suite_rejects_a_lease_that_ignores_its_owner():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(OwnerlessInbox))
    assert {
        "check_release_leaves_lost_records_alone",
        "check_extend_changes_nothing_when_a_record_was_lost",
    } <= rejected_by
