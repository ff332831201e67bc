"""What goes wrong and what becomes of it: refusals, locks, lost answers, dead workers, lost leases, a forgetful inbox."""

from dataclasses import replace
from datetime import timedelta

import pytest

from prospect_sync.errors import Misconfigured, Rejected, SyncError, TryLater
from prospect_sync.flow.drain import drain
from prospect_sync.flow.tend import tend
from prospect_sync.memory import Cause, Settled
from prospect_sync.model import Lane
from prospect_sync.ports import Write, Written
from tests.flow.test_in_step import in_step
from tests.flow.world import World


def refusing(field: str, error: SyncError):
    return lambda write: error if field in write.changes else None


def settled(world: World, number: int = 1) -> list[Settled]:
    return [row.outcome.settled for row in world.runtime.ledger.rows(prospect_id=number) if row.outcome]


def test_a_refused_field_does_not_hold_the_others_back() -> None:
    world = in_step()
    world.salesforce.refuse = refusing(
        "Phone", Rejected("ten digits", code="FIELD_CUSTOM_VALIDATION", fields=["Phone"])
    )
    world.at(11, 0)
    world.engagement.edit(1, {"phone": "x", "jobTitle": "CTO"})
    world.cycle()
    assert world.person(world.pair_ref(1))["Title"] == "CTO"
    assert world.person(world.pair_ref(1))["Phone"] == "0171 5"
    (entry,) = world.runtime.desk.entries()
    assert (entry.item.cause, entry.item.field, entry.item.words) == (Cause.REJECTED, "Phone", "ten digits")
    assert settled(world) == [Settled.APPLIED, Settled.REFUSED]


def test_the_desk_entry_goes_away_when_the_next_sync_succeeds() -> None:
    world = in_step()
    world.salesforce.refuse = refusing("Phone", Rejected("ten digits", fields=["Phone"]))
    world.at(11, 0)
    world.engagement.edit(1, {"phone": "x"})
    world.cycle()
    assert world.runtime.desk.entries()
    world.salesforce.refuse = lambda _: None
    world.at(11, 5)
    world.engagement.edit(1, {"phone": "030 7"})
    world.cycles(2)
    assert world.person(world.pair_ref(1))["Phone"] == "030 7"
    assert not world.runtime.desk.entries()


def test_a_field_that_may_not_be_written_is_misconfigured_and_the_rest_goes_on() -> None:
    world = in_step()
    world.salesforce.refuse = refusing(
        "Phone", Misconfigured("no access", code="INVALID_FIELD_FOR_INSERT_UPDATE", fields=["Phone"])
    )
    world.at(11, 0)
    world.engagement.edit(1, {"phone": "x", "jobTitle": "CTO"})
    world.cycle()
    assert world.person(world.pair_ref(1))["Title"] == "CTO"
    assert [entry.item.cause for entry in world.runtime.desk.entries()] == [Cause.MISCONFIGURED]


def test_one_bad_record_does_not_stop_the_batch() -> None:
    world = in_step(20)
    bad = world.pair_ref(7)
    world.salesforce.refuse = lambda write: Rejected("no", code="X") if write.ref == bad else None
    world.at(11, 0)
    for number in range(1, 21):
        world.engagement.edit(number, {"jobTitle": "CTO"})
    world.cycle()
    assert sum(world.person(world.pair_ref(number))["Title"] == "CTO" for number in range(1, 21)) == 19
    (entry,) = world.runtime.desk.entries()
    assert entry.refs == (bad,)


def test_a_locked_row_is_tried_alone_and_then_later() -> None:
    world = in_step(3)
    tries: list[Write] = []

    def locked_twice(write: Write) -> SyncError | None:
        if write.ref != world.pair_ref(2):
            return None
        tries.append(write)
        return (
            TryLater("unable to lock row", delay=5, code="UNABLE_TO_LOCK_ROW", reason="lock")
            if len(tries) < 3
            else None
        )

    world.salesforce.refuse = locked_twice
    world.at(11, 0)
    for number in range(1, 4):
        world.engagement.edit(number, {"jobTitle": "CTO"})
    world.cycle()
    assert len(tries) == 2
    assert world.person(world.pair_ref(3))["Title"] == "CTO"
    world.cycle(6)
    assert world.person(world.pair_ref(2))["Title"] == "CTO"
    assert not world.runtime.desk.entries()


def test_a_lost_answer_is_settled_by_reading_and_never_written_twice() -> None:
    world = in_step()
    world.salesforce.lose_answers = True
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    world.cycle()
    assert len(world.runtime.ledger.open([1])) == 1
    world.salesforce.lose_answers = False
    world.cycles(3)
    assert len(world.salesforce.committed) == 1
    assert settled(world) == [Settled.APPLIED]


def test_a_salesforce_write_that_timed_out_and_is_committed_later_is_not_sent_twice() -> None:
    world = in_step()
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    late: list[Write] = []

    apply = world.salesforce._apply

    def no_answer(write: Write):
        if late:
            return apply(write)
        late.append(write)
        return Written(write, TryLater("no answer", delay=30), unknown=True)

    world.salesforce._apply = no_answer  # the vendor's own doing, at its edge
    world.cycles(4)
    assert len(late) == 1
    assert not world.salesforce.committed
    apply(late[0])
    world.cycles(20)
    assert len(world.salesforce.committed) == 1
    assert settled(world) == [Settled.APPLIED]


def test_a_lost_answer_of_account_engagement_waits_out_the_lag() -> None:
    world = in_step()
    world.lag_by(40)
    world.engagement.lose_answers = True
    world.at(11, 0)
    world.salesforce.edit(world.pair_ref(1), {"City": "Berlin"})
    world.cycle()
    assert len(world.engagement.committed) == 1
    world.engagement.lose_answers = False
    world.cycles(10)  # 20 s: the mirror still shows the old value, and nothing is written
    assert len(world.engagement.committed) == 1
    assert len(world.runtime.ledger.open([1])) == 1
    world.cycles(20)
    assert len(world.engagement.committed) == 1
    assert settled(world) == [Settled.APPLIED]


class Killed(BaseException):
    """The worker is gone: nothing after this line runs."""


@pytest.mark.parametrize("after", range(1, 9))
def test_a_worker_killed_between_any_two_writes_leaves_nothing_wrong(after: int) -> None:
    world = in_step(8)
    world.at(11, 0)
    for number in range(1, 9):
        if number % 2:
            world.engagement.edit(number, {"jobTitle": f"CTO {number}"})
        else:
            world.salesforce.edit(world.pair_ref(number), {"Title": f"CTO {number}"})
    world.clock.advance(2)
    world.poll()
    healthy = world.runtime
    kill_after(world, after)
    with pytest.raises(Killed):
        drain(world.runtime, Lane.LIVE)
    world.runtime = healthy
    world.salesforce.refuse = world.engagement.refuse = lambda _: None
    world.cycles(2)
    world.clock.advance(world.tuning.lease)
    world.cycles(5)
    for number in range(1, 9):
        assert world.person(world.pair_ref(number))["Title"] == f"CTO {number}"
        assert world.prospect(number)["jobTitle"] == f"CTO {number}"
    applied = [settled(world, number).count(Settled.APPLIED) for number in range(1, 9)]
    assert sum(applied) == world.writes() == 8
    assert not world.runtime.ledger.open(range(1, 9))


def kill_after(world: World, count: int) -> None:
    left = [count]

    def maybe(_: Write) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    def die_at_the_end(_: Write) -> None:
        maybe(_)

    world.salesforce.refuse = die_at_the_end
    world.engagement.refuse = die_at_the_end
    if count == 8:  # all are committed; it dies before the couples are saved

        class Dying:
            def __getattr__(self, name: str):
                return getattr(couples, name)

            def save(self, *_: object) -> None:
                raise Killed

        couples = world.runtime.couples
        world.runtime = replace(world.runtime, couples=Dying())


def test_a_lost_lease_stops_the_writing_and_the_pair_comes_back() -> None:
    world = in_step(60)
    world.at(11, 0)
    for number in range(1, 61):
        world.engagement.edit(number, {"jobTitle": "CTO"})
    frozen = []

    def freeze() -> None:
        if not frozen:
            frozen.append(True)
            world.clock.advance(world.tuning.lease + 1)
            world.inbox.reap()

    world.salesforce.before_write = freeze
    world.cycle()
    world.cycles(3)
    assert all(world.person(world.pair_ref(number))["Title"] == "CTO" for number in range(1, 61))
    assert not world.runtime.ledger.open(range(1, 61))


def test_a_vendor_that_is_down_costs_time_and_nothing_else() -> None:
    world = in_step()
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO"})
    read, down = world.salesforce.read, [True]

    def sometimes(*args: object):
        if down[0]:
            raise TryLater("503", delay=10, code="503")
        return read(*args)

    world.salesforce.read = sometimes
    world.cycle()
    down[0] = False
    world.cycle(2)
    assert world.person(world.pair_ref(1))["Title"] == "CEO"
    world.cycle(10)
    assert world.person(world.pair_ref(1))["Title"] == "CTO"


def test_an_inbox_that_forgot_is_swept_from_the_low_mark() -> None:
    world = in_step(5)
    world.at(11, 0)
    world.engagement.edit(2, {"jobTitle": "CTO"})
    world.salesforce.edit(world.pair_ref(4), {"Phone": "030 9"})
    world.clock.advance(2)
    world.poll()
    world.another_inbox()
    world.cycles(2)
    assert world.person(world.pair_ref(2))["Title"] == "CTO"
    assert world.prospect(4)["phone"] == "030 9"


def test_polls_leave_the_marks_alone_while_the_inbox_has_forgotten() -> None:
    world = in_step()
    before = world.runtime.marks.get("prospects")
    world.another_inbox()
    world.clock.advance(60)
    with pytest.raises(TryLater):
        world.poll()
    assert world.runtime.marks.get("prospects") == before


def test_a_record_that_cannot_be_seen_is_unread_and_nothing_is_written() -> None:
    world = in_step()
    world.hide_from_now_on(world.pair_ref(1))
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "CTO", "city": None})
    world.cycle()
    assert world.writes() == 0
    (entry,) = world.runtime.desk.entries()
    assert entry.item.rule == "UNREAD"


def test_a_record_that_takes_three_batches_down_goes_to_the_desk_and_the_others_are_synced() -> None:
    world = in_step(5)
    world.at(11, 0)
    for number in range(1, 6):
        world.engagement.edit(number, {"jobTitle": "CTO"})

    def poison(write: Write) -> None:
        if write.ref == world.pair_ref(3):
            raise Killed

    world.salesforce.refuse = poison
    for _ in range(6):
        try:
            world.cycle()
        except Killed:
            world.clock.advance(world.tuning.lease + 1)
            tend(world.runtime)
    assert [world.person(world.pair_ref(number))["Title"] for number in (1, 2, 4, 5)] == ["CTO"] * 4
    assert [entry.item.cause for entry in world.runtime.desk.entries()] == [Cause.POISON]


def test_two_answers_with_one_stamp_and_different_values_hold_the_pair_until_the_lag_has_passed() -> None:
    world = in_step()
    world.at(11, 0)
    world.engagement.edit(1, {"jobTitle": "first"})
    world.poll()
    world.engagement.edit(1, {"jobTitle": "second"})
    world.poll()
    doubtful = world.runtime.mirror.get([1])[1].doubtful_until
    assert doubtful is not None
    assert doubtful > world.clock.now()
    world.work()
    assert world.writes() == 0
    world.clock.advance(timedelta(seconds=3).total_seconds())
    world.cycles(2)
    assert world.person(world.pair_ref(1))["Title"] == "second"
