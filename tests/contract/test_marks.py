"""The marks' promises, in memory, SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta

import pytest

from prospect_sync.memory import Mark
from prospect_sync.model import Hint, Lane, PersonType, Ref, Version
from prospect_sync.ports import Marks
from prospect_sync.stores.memory import MemoryMarks
from prospect_sync.stores.sightings import Sighting
from prospect_sync.stores.sql import SqlMarks
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

T0 = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LONG_AGO = T0 - timedelta(days=1)
LEAD = Ref.person(PersonType.LEAD, "00Q000000000001EAA")
LEAD2 = Ref.person(PersonType.LEAD, "00Q000000000002EAA")
P1 = Ref.prospect(1)
V1 = Version(LEAD, T0)
WELL_AFTER = T0 + 60 * SECOND


def check_a_source_never_set_has_an_empty_mark(kit: Kit[Marks]) -> None:
    assert kit.store.get("Lead") == Mark()


def check_a_mark_is_stored_per_source(kit: Kit[Marks]) -> None:
    first, second = Mark(T0, LONG_AGO, WELL_AFTER), Mark(cursor=T0)
    kit.store.set("Lead", Mark(LONG_AGO))
    kit.store.set("Lead", first)
    kit.store.set("prospect", second)
    assert (kit.other().get("Lead"), kit.other().get("prospect")) == (first, second)


def news(marks: Marks, source: str, versions, read_at, keep_since):
    """What a poll does: ask, hint, and only then remember."""
    found = marks.unseen(source, versions)
    marks.saw(source, versions, read_at, keep_since)
    return found


def check_asking_remembers_nothing(kit: Kit[Marks]) -> None:
    assert kit.store.unseen("Lead", [V1]) == [V1]
    assert kit.store.unseen("Lead", [V1]) == [V1]


def check_a_version_is_news_once(kit: Kit[Marks]) -> None:
    assert news(kit.store, "Lead", [V1], WELL_AFTER, LONG_AGO) == [V1]
    assert news(kit.other(), "Lead", [V1], WELL_AFTER, LONG_AGO) == []


def check_a_new_stamp_is_news(kit: Kit[Marks]) -> None:
    newer = Version(LEAD, T0 + 5 * SECOND)
    news(kit.store, "Lead", [V1], WELL_AFTER, LONG_AGO)
    assert news(kit.store, "Lead", [newer], WELL_AFTER, LONG_AGO) == [newer]
    assert news(kit.store, "Lead", [newer], WELL_AFTER, LONG_AGO) == []


def check_a_sighting_within_the_stamps_own_second_is_not_final(kit: Kit[Marks]) -> None:
    for read_at in (T0, T0 + SECOND, T0 + 1.9 * SECOND, T0 + 2 * SECOND):
        assert news(kit.store, "Lead", [V1], read_at, LONG_AGO) == [V1]
    assert news(kit.store, "Lead", [V1], T0 + 3 * SECOND, LONG_AGO) == []


def check_a_final_sighting_stays_final(kit: Kit[Marks]) -> None:
    news(kit.store, "Lead", [V1], WELL_AFTER, LONG_AGO)
    assert news(kit.store, "Lead", [V1], T0, LONG_AGO) == []
    assert news(kit.store, "Lead", [V1], WELL_AFTER, LONG_AGO) == []


def check_all_versions_of_a_call_are_remembered(kit: Kit[Marks]) -> None:
    versions = [Version(Ref.person(PersonType.LEAD, f"00Q{number:012d}"), T0) for number in range(1_500)]
    assert news(kit.store, "Lead", versions[:700], WELL_AFTER, LONG_AGO) == versions[:700]
    assert news(kit.store, "Lead", versions, WELL_AFTER, LONG_AGO) == versions[700:]
    assert news(kit.store, "Lead", versions, WELL_AFTER, LONG_AGO) == []
    assert news(kit.store, "Lead", [], WELL_AFTER, LONG_AGO) == []


def check_sources_do_not_see_each_others_versions(kit: Kit[Marks]) -> None:
    news(kit.store, "Lead", [V1], WELL_AFTER, LONG_AGO)
    assert news(kit.store, "Contact", [V1], WELL_AFTER, LONG_AGO) == [V1]


def check_old_versions_are_forgotten(kit: Kit[Marks]) -> None:
    younger = Version(LEAD2, T0 + 30 * SECOND)
    news(kit.store, "Lead", [V1, younger], WELL_AFTER, T0 + SECOND)
    assert news(kit.store, "Lead", [V1, younger], WELL_AFTER, LONG_AGO) == [V1]


def check_hints_are_kept_until_dropped(kit: Kit[Marks]) -> None:
    hints = [Hint(LEAD, Lane.BULK, T0, "desk"), Hint(P1, Lane.CONSENT, None, "accept")]
    kit.store.keep(hints)
    assert sorted(kit.other().kept(), key=lambda hint: hint.ref) == hints
    kit.other().drop([LEAD, LEAD2])
    assert list(kit.store.kept()) == [hints[1]]
    kit.store.drop([])
    kit.store.keep([])
    assert list(kit.store.kept()) == [hints[1]]


def check_kept_hints_of_one_record_are_merged(kit: Kit[Marks]) -> None:
    kit.store.keep([Hint(P1, Lane.BULK, T0 + 60 * SECOND, "desk"), Hint(P1, Lane.LIVE, T0 + 90 * SECOND, "resync")])
    kit.store.keep([Hint(P1, Lane.BULK, T0)])
    assert list(kit.store.kept()) == [Hint(P1, Lane.LIVE, T0, "desk")]
    kit.store.keep([Hint(P1, Lane.BULK)])
    assert list(kit.store.kept()) == [Hint(P1, Lane.LIVE, None, "desk")]


def check_a_text_is_remembered(kit: Kit[Marks]) -> None:
    assert kit.store.note("inbox") is None
    kit.store.remember("inbox", "run-1/epoch")
    kit.store.remember("inbox", "run-2/epoch")
    assert (kit.other().note("inbox"), kit.other().note("other")) == ("run-2/epoch", None)


def check_texts_are_found_by_the_beginning_of_their_keys(kit: Kit[Marks]) -> None:
    for key in ("switch/lane/live", "switch/field/a_b", "switch%", "Switch/lane/bulk", "other"):
        kit.store.remember(key, key.upper())
    found = {"lane/live": "SWITCH/LANE/LIVE", "field/a_b": "SWITCH/FIELD/A_B"}
    assert kit.other().notes("switch/") == found
    assert kit.other().notes("switch_") == {}


def check_a_text_is_forgotten(kit: Kit[Marks]) -> None:
    kit.store.remember("a", "1")
    kit.store.remember("ab", "2")
    kit.store.forget("a")
    kit.store.forget("never")
    assert (kit.other().note("a"), kit.other().note("ab")) == (None, "2")


CHECKS = checks_in(globals())


@pytest.fixture
def kit(sql_kits) -> Kit[Marks]:
    return sql_kits(lambda _: MemoryMarks(), lambda engine, _: SqlMarks(engine))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_marks(check, kit):
    check(kit)


class TrustingMarks(MemoryMarks):
    """What was seen with this stamp once is never news again."""

    def saw(self, source, versions, read_at, keep_since):
        super().saw(source, versions, read_at, keep_since)
        seen = self._seen[source]
        self._seen[source] = {ref: Sighting(sighting.stamp, final=True) for ref, sighting in seen.items()}


def test_the_suite_rejects_marks_that_trust_the_stamp_alone():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda _: TrustingMarks()))
    assert rejected_by == {"check_a_sighting_within_the_stamps_own_second_is_not_final"}
