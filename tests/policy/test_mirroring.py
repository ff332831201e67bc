"""What one answer about a prospect proves, and what our own writes leave behind: the evidence rules, sentence by sentence."""

from datetime import UTC, datetime, timedelta
from typing import Any

from prospect_sync.memory import MirroredField, MirroredProspect
from prospect_sync.model import Interval, Prospect, Stamp
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.policy.mirroring import Circumstances, observe, wrote

TEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BORN = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = {"jobTitle": FieldType.TEXT, "phone": FieldType.TEXT, "interests": FieldType.MULTISELECT}


def at(second: int) -> datetime:
    return TEN + timedelta(seconds=second)


def around(now: int, *, complete: int | None = None) -> Circumstances:
    done = None if complete is None else at(complete)
    return Circumstances(TYPES, "9", at(now), timedelta(seconds=60), done)


def answer(second: int, by: str = "41", **values: Any) -> Prospect:
    return Prospect(7, values, Stamp(BORN, "41"), Stamp(at(second), by))


def known(second: int, **values: Any) -> MirroredProspect:
    found = observe(None, answer(second, **values), around(second))
    assert found.fields["jobTitle"].changed == Interval(BORN, at(second), first_seen=True)
    return found


def test_a_change_lies_between_the_newest_answer_with_the_old_value_and_the_new_one() -> None:
    after = observe(known(0, jobTitle="a"), answer(30, jobTitle="b"), around(40))
    assert after.fields["jobTitle"] == MirroredField("b", Interval(at(0), at(30)))


def test_complete_polls_bound_a_change_too() -> None:
    after = observe(known(0, jobTitle="a"), answer(30, jobTitle="b"), around(40, complete=20))
    assert after.fields["jobTitle"].changed == Interval(at(20), at(30))


def test_only_a_strictly_older_answer_is_ignored() -> None:
    before = known(10, jobTitle="a")
    assert observe(before, answer(9, jobTitle="b"), around(20)) is before
    assert observe(before, answer(10, jobTitle="b"), around(20)).doubtful_until == at(81)


def test_a_doubt_stands_until_the_lag_has_passed_whatever_is_said_meanwhile() -> None:
    doubted = observe(known(10, jobTitle="a"), answer(10, jobTitle="b"), around(20))
    still = observe(doubted, answer(10, jobTitle="a"), around(30))
    assert still.doubtful_until == at(81)
    settled = observe(still, answer(10, jobTitle="b"), around(81))
    assert (settled.doubtful_until, settled.fields["jobTitle"].value) == (None, "b")


def test_a_younger_answer_ends_a_doubt() -> None:
    doubted = observe(known(10, jobTitle="a"), answer(10, jobTitle="b"), around(20))
    after = observe(doubted, answer(15, jobTitle="c"), around(21))
    assert (after.doubtful_until, after.fields["jobTitle"].value) == (None, "c")


def test_what_we_wrote_keeps_its_origins_time_and_bounds_no_other_field() -> None:
    origin = Interval.at(at(-100))
    ours = wrote(known(0, jobTitle="a", phone="1"), {"jobTitle": "b"}, at(10), {"jobTitle": origin}, TYPES)
    assert ours.fields["jobTitle"] == MirroredField("b", origin, at(10))
    after = observe(ours, answer(20, jobTitle="b", phone="2"), around(30))
    assert after.fields["jobTitle"] == MirroredField("b", origin)
    assert after.fields["phone"].changed == Interval(at(0), at(20))


def test_a_change_after_our_write_is_later_than_it() -> None:
    ours = wrote(known(0, jobTitle="a"), {"jobTitle": "b"}, at(5), {"jobTitle": Interval.at(at(0))}, TYPES)
    after = observe(ours, answer(30, jobTitle="c"), around(60))
    assert after.fields["jobTitle"].changed == Interval(at(5), at(30))


def test_an_answer_from_before_our_write_says_nothing_about_its_field() -> None:
    ours = wrote(known(0, jobTitle="a", phone="1"), {"jobTitle": "b"}, at(10), {}, TYPES)
    after = observe(ours, answer(5, jobTitle="a", phone="2"), around(20))
    assert after.fields["jobTitle"].value == "b"
    assert after.fields["phone"].value == "2"


def test_our_write_is_not_entered_over_an_answer_younger_than_it() -> None:
    """Its answer was on its way to us while a poll already read what somebody made of the field afterwards."""
    read = observe(known(0, jobTitle="a"), answer(12, jobTitle="c"), around(13))
    after = wrote(read, {"jobTitle": "b"}, at(10), {"jobTitle": Interval.at(at(-100))}, TYPES)
    assert after.fields["jobTitle"].value == "c"
    assert after.fields["jobTitle"].changed == Interval(at(10), at(12))


def test_a_younger_answer_with_our_value_gets_the_origins_time() -> None:
    read = observe(known(0, jobTitle="a"), answer(12, by="41", jobTitle="b", phone="2"), around(13))
    after = wrote(read, {"jobTitle": "b"}, at(10), {"jobTitle": Interval.at(at(-100))}, TYPES)
    assert after.fields["jobTitle"] == MirroredField("b", Interval.at(at(-100)))


def test_a_field_that_is_mapped_no_more_is_forgotten() -> None:
    before = known(0, jobTitle="a", phone="1")
    less = Circumstances({"jobTitle": FieldType.TEXT}, "9", at(20), timedelta(seconds=60))
    assert set(observe(before, answer(10, jobTitle="a"), less).fields) == {"jobTitle"}


def test_somebody_elses_change_under_our_stamp_is_a_foreign_modification() -> None:
    after = observe(known(0, jobTitle="a", phone="1"), answer(20, by="9", jobTitle="a", phone="2"), around(30))
    assert after.foreign == Interval(at(0), at(20))
    ours = observe(known(0, jobTitle="a"), answer(20, by="9", jobTitle="a"), around(30))
    assert ours.foreign == Interval.at(at(0))
