"""Bulk writes by import: what goes that way, what happens to a pair meanwhile, and what a death costs: nothing."""

from collections import Counter
from dataclasses import replace

import pytest

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.flow.accept import accept
from prospect_sync.flow.import_holds import in_open_import
from prospect_sync.flow.imports import SERVICE, advance
from prospect_sync.flow.runtime import ImportRoad, Tuning
from prospect_sync.memory import Cause, ImportStep, Settled
from prospect_sync.model import Hint, Lane, Ref
from prospect_sync.policy.behaviors import Behavior, ConnectorRules, FieldMapping, FieldType, Mapping
from prospect_sync.ports import ImportColumn, RefusedLine
from prospect_sync.stores.memory import MemoryImports
from tests.flow.world import MAPPING, World
from tests.support.pretend_imports import PretendImports

TUNING = Tuning(
    read_lag=0.0, lag_slack=1.0, prospect_overlap=30.0, import_from=3, import_wait=20.0, import_poll=5.0, import_most=50
)
OPT_OUT = FieldMapping(
    "optedOut", "HasOptedOutOfEmail", "HasOptedOutOfEmail", Behavior.USE_SALESFORCE, FieldType.BOOLEAN
)
WITH_CONSENT = replace(MAPPING, fields=(*MAPPING.fields, OPT_OUT))


class Story:
    """A world with a road for imports, in which everything is in step."""

    def __init__(self, pairs: int = 5, mapping: Mapping = MAPPING, **both: object) -> None:
        self.world = World(mapping=mapping, tuning=TUNING)
        self.side = PretendImports(self.world.engagement)
        self.store = MemoryImports()
        self.world.runtime = replace(self.world.runtime, imports=ImportRoad(self.store, self.side))
        self.refs = [self.world.pair(number, **both)[1] for number in range(1, pairs + 1)]
        self.world.cycles(3)
        self.world.engagement.calls.clear()
        self.before = self.world.writes()

    def opted_in(self) -> None:
        """Nobody has opted out, on either side."""
        for number, ref in enumerate(self.refs, start=1):
            self.world.salesforce.edit(ref, {"HasOptedOutOfEmail": False})
            self.world.engagement.edit(number, {"optedOut": False})
        self.world.cycles(3)
        self.world.engagement.calls.clear()

    def sales(self, **changes: object) -> None:
        """Edit every person without anybody noticing."""
        for ref in self.refs:
            self.world.salesforce.edit(ref, changes)
        self.unnoticed()

    def unnoticed(self) -> None:
        """The poll sees the edits, and its hints are lost: what a resync is for."""
        self.world.clock.advance(3)
        self.world.poll()
        for lane in Lane:
            while (batch := self.world.inbox.take(lane, 200, 60.0)) is not None:
                self.world.inbox.release(batch)

    def resync(self, lane: Lane = Lane.BULK) -> None:
        accept(self.world.runtime, [Hint(Ref.prospect(number), lane) for number in range(1, len(self.refs) + 1)])
        self.world.work()

    def beat(self, seconds: float = 2.0, times: int = 1) -> None:
        for _ in range(times):
            self.world.clock.advance(seconds)
            advance(self.world.runtime)
            self.side.progress()
            self.world.cycle(0)

    def under_way(self) -> None:
        """Let the import begin and stop before it ends."""
        self.beat(8, times=1)
        assert self.side.made[-1].runs == 1

    def prospects(self, name: str) -> list[object]:
        return [self.world.prospect(number).get(name) for number in range(1, len(self.refs) + 1)]

    def people(self, name: str) -> list[object]:
        return [self.world.person(ref).get(name) for ref in self.refs]

    def patches(self) -> int:
        return self.world.engagement.calls.count("write")

    def outcomes(self) -> Counter[str]:
        return Counter(
            row.outcome.settled.value if row.outcome else "open" for row in self.world.runtime.ledger.rows(newest=1_000)
        )

    def jobs(self) -> list[ImportStep]:
        return [job.step for job in self.store.due(self.world.clock.now().replace(year=2100))]


def test_many_writes_that_win_whatever_is_there_go_by_one_import():
    story = Story()
    story.sales(City="Köln")
    story.resync()
    assert story.patches() == 0
    assert story.outcomes() == {"open": 5}
    story.beat(times=40)
    assert story.prospects("city") == ["Köln"] * 5
    assert story.patches() == 0
    assert Counter(story.side.calls) == {"start": 1, "add": 1, "run": 1, "status": story.side.calls.count("status")}
    assert story.side.made[0].columns == {"city": ImportColumn(overwrite=True, erase=False)}
    assert story.outcomes() == {"applied": 5}
    assert story.jobs() == []
    couples = story.world.runtime.couples.of([Ref.prospect(1)])
    assert couples[Ref.prospect(1)].base["city"] == "Köln"
    assert story.world.runtime.marks.kept() == []
    assert story.world.writes() == story.before


def test_too_few_are_written_singly_after_a_while():
    story = Story(pairs=2)
    story.sales(City="Köln")
    story.resync()
    assert story.patches() == 0
    story.beat(times=40)
    assert (story.prospects("city"), story.patches(), story.side.calls) == (["Köln"] * 2, 2, [])
    assert story.outcomes() == {"unsent": 2, "applied": 2}


def test_live_edits_never_wait():
    story = Story()
    story.sales(City="Köln")
    story.resync(Lane.LIVE)
    assert (story.prospects("city"), story.patches()) == (["Köln"] * 5, 5)


@pytest.mark.parametrize("change", [{"Title": "CTO"}, {"HasOptedOutOfEmail": True}, {"City": " Köln"}])
def test_what_is_contested_by_time_and_consent_and_text_with_outer_space_go_singly_and_at_once(change):
    story = Story(mapping=WITH_CONSENT)
    story.opted_in()
    story.sales(**change)
    story.resync()
    assert story.patches() == 5
    assert story.side.calls == []


def test_a_write_with_anything_else_in_it_goes_singly_and_whole():
    story = Story()
    story.sales(City="Köln", Title="CTO")
    story.resync()
    assert (story.prospects("city"), story.prospects("jobTitle")) == (["Köln"] * 5, ["CTO"] * 5)
    assert story.patches() == 5


def test_what_waits_is_taken_back_by_a_live_edit_and_decided_anew():
    story = Story()
    story.sales(City="Köln")
    story.resync()
    story.world.salesforce.edit(story.refs[0], {"City": "Ulm"})
    story.world.cycle()
    assert story.world.prospect(1)["city"] == "Ulm"
    assert story.patches() == 1
    story.beat(times=40)
    assert story.prospects("city") == ["Ulm", *["Köln"] * 4]
    assert [line.prospect_id for line in story.side.made[0].lines] == [2, 3, 4, 5]
    assert story.outcomes() == {"unsent": 1, "applied": 5}


def test_a_pair_in_an_open_import_takes_hints_and_is_looked_at_again_after_it():
    story = Story()
    story.sales(City="Köln")
    story.resync()
    story.under_way()
    assert in_open_import(story.world.runtime, range(10)) == {1, 2, 3, 4, 5}
    story.world.salesforce.edit(story.refs[0], {"City": "Ulm"})
    story.world.engagement.edit(2, {"source": "Fair"})
    story.beat(times=3)
    assert (story.patches(), story.people("LeadSource")) == (0, ["Web"] * 5)
    story.beat(times=40)
    assert story.prospects("city") == ["Ulm", *["Köln"] * 4]
    assert story.people("LeadSource") == ["Web", "Fair", "Web", "Web", "Web"]
    assert story.patches() == 1
    assert in_open_import(story.world.runtime, range(10)) == frozenset()


def test_consent_does_not_wait_for_an_open_import():
    story = Story(mapping=WITH_CONSENT)
    story.opted_in()
    story.sales(City="Köln")
    story.resync()
    story.under_way()
    story.world.salesforce.edit(story.refs[0], {"HasOptedOutOfEmail": True, "City": "Ulm"})
    story.world.cycle()
    assert (story.world.prospect(1)["optedOut"], story.world.prospect(1)["city"]) == (True, "Bonn")
    story.beat(times=40)
    assert story.prospects("city") == ["Ulm", *["Köln"] * 4]
    assert story.prospects("optedOut") == [True, *[False] * 4]


def test_what_the_import_refuses_stands_on_the_desk_in_the_vendors_words():
    story = Story()
    words = RefusedLine(2, "Input needs to be smaller: city", "52", ("city",))
    story.side.refuse = lambda line: words if line.prospect_id == 2 else None
    story.sales(City="Köln")
    story.resync()
    for _ in range(30):
        story.beat()
        if story.world.runtime.desk.entries():
            break
    (entry,) = story.world.runtime.desk.entries()
    assert (entry.item.cause, entry.item.words, entry.item.field) == (Cause.REJECTED, words.words, "city")
    assert entry.refs == (Ref.prospect(2),)
    refused = [row for row in story.world.runtime.ledger.rows() if row.outcome and row.outcome.code == "52"]
    assert [(row.intent.prospect_id, row.outcome.settled) for row in refused if row.outcome] == [(2, Settled.REFUSED)]
    story.beat(times=20)
    assert story.prospects("city") == ["Köln"] * 5, "it is tried singly afterwards"
    assert story.patches() == 1
    assert story.world.runtime.desk.entries() == []


def test_nothing_is_erased_but_what_a_plan_empties():
    rules = ConnectorRules(allow_blank_salesforce=True)
    fields = (*MAPPING.fields, FieldMapping("zip", "PostalCode", "MailingPostalCode", Behavior.USE_SALESFORCE))
    story = Story(pairs=6, mapping=replace(MAPPING, connector=rules, fields=fields))
    world = story.world
    for number, ref in enumerate(story.refs, start=1):
        world.engagement.edit(number, {"zip": "1"})
        world.salesforce.edit(ref, {"PostalCode": "1"})
    world.cycles(3)
    for ref in story.refs[:3]:
        world.salesforce.edit(ref, {"City": None, "PostalCode": "2"})
    for ref in story.refs[3:5]:
        world.salesforce.edit(ref, {"City": "Köln"})
    world.salesforce.edit(story.refs[5], {"PostalCode": "3"})
    story.unnoticed()
    story.resync()
    story.beat(times=40)
    assert story.prospects("city") == [None, None, None, "Köln", "Köln", "Bonn"]
    assert story.prospects("zip") == ["2", "2", "2", "1", "1", "3"]
    erase, plain = ImportColumn(erase=True), ImportColumn()
    assert sorted((one.columns for one in story.side.made), key=str) == sorted(
        [{"city": erase, "zip": plain}, {"city": plain, "zip": plain}], key=str
    )


def test_what_was_empty_is_filled_only_where_it_still_is():
    story = Story(source=None)
    story.sales(LeadSource="Web")
    story.resync()
    story.under_way()
    story.world.engagement.edit(1, {"source": "Fair"})
    story.beat(times=40)
    assert story.side.made[0].columns == {"source": ImportColumn(overwrite=False)}
    assert story.prospects("source") == ["Fair", *["Web"] * 4]
    assert story.people("LeadSource") == ["Fair", *["Web"] * 4]


def test_a_vendor_that_takes_no_imports_gets_everything_singly_and_the_desk_says_so():
    story = Story()
    story.side.trouble = lambda name: Misconfigured("no such endpoint", code="198") if name == "start" else None
    story.sales(City="Köln")
    story.resync()
    story.beat(times=40)
    assert (story.prospects("city"), story.patches()) == (["Köln"] * 5, 5)
    (entry,) = story.world.runtime.desk.entries()
    assert (entry.refs, entry.item.cause) == ((SERVICE,), Cause.MISCONFIGURED)
    story.sales(City="Ulm")
    story.resync()
    assert (story.prospects("city"), story.side.calls) == (["Ulm"] * 5, ["start"])


def test_a_failed_import_is_found_out_by_reading_and_the_rest_written_singly():
    story = Story(pairs=6)
    story.side.fails = True
    story.sales(City="Köln")
    story.resync()
    story.beat(times=40)
    assert (story.prospects("city"), story.patches()) == (["Köln"] * 6, 3)
    assert story.outcomes() == {"applied": 6, "unsent": 3}
    assert [entry.refs for entry in story.world.runtime.desk.entries()] == [(SERVICE,)]


def test_a_limit_delays_and_nothing_more():
    story = Story()
    troubles = [TryLater("66", delay=2, code="66", reason="limit")] * 3
    story.side.trouble = lambda _: troubles.pop() if troubles else None
    story.sales(City="Köln")
    story.resync()
    story.beat(times=60)
    assert (story.prospects("city"), story.patches()) == (["Köln"] * 5, 0)
    assert [one.runs for one in story.side.made if one.runs] == [1]


def test_what_is_decided_is_not_written_much_later():
    story = Story()
    story.side.trouble = lambda _: TryLater("used up", delay=900, code="122", reason="limit")
    story.sales(City="Köln")
    story.resync()
    story.beat(5, times=4)
    story.side.trouble = lambda _: None
    for ref in story.refs:
        story.world.salesforce.edit(ref, {"City": "Bonn"})
    story.beat(300, times=8)
    assert story.prospects("city") == ["Bonn"] * 5
    assert not any(one.runs for one in story.side.made)


def test_what_an_import_stores_in_another_form_is_not_imported_for_ever():
    story = Story()
    plain_edit = story.world.engagement.edit
    story.world.engagement.edit = lambda key, changes, by=41: plain_edit(
        key, {name: value.upper() if name == "city" else value for name, value in changes.items()}, by
    )
    story.world.engagement.stored_as = lambda name, value: value.upper() if name == "city" else value
    story.sales(City="Köln")
    story.resync()
    story.beat(times=60)
    assert story.prospects("city") == ["KÖLN"] * 5
    assert len(story.side.made) == 1
    writes = story.world.writes()
    story.resync()
    story.beat(times=60)
    assert (len(story.side.made), story.world.writes()) == (1, writes)


class Killed(BaseException):
    """The process is gone."""


class Dying:
    """Stands before a port and dies at its nth call, before it or after it was carried out."""

    def __init__(self, inner: object, at: list[int], *, after: bool) -> None:
        self._inner, self._at, self._after = inner, at, after

    def __getattr__(self, name: str) -> object:
        call = getattr(self._inner, name)

        def dying(*arguments: object, **named: object) -> object:
            self._at[0] -= 1
            if self._at[0] == 0 and not self._after:
                raise Killed
            answer = call(*arguments, **named)
            if self._at[0] == 0:
                raise Killed
            return answer

        return dying


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 41))
def test_a_death_at_any_call_costs_time_and_nothing_else(at, after):
    story = Story()
    story.side.refuse = lambda line: RefusedLine(3, "no", "52") if line.prospect_id == 3 else None
    story.sales(City="Köln")
    story.resync()
    whole, left = story.world.runtime, [at]
    road = ImportRoad(Dying(story.store, left, after=after), Dying(story.side, left, after=after))
    parts = {name: Dying(getattr(whole, name), left, after=after) for name in ("ledger", "desk", "marks", "inbox")}
    for _ in range(40):
        story.world.runtime = whole
        story.world.clock.advance(4)
        try:
            advance(replace(whole, imports=road, **parts))
        except Killed:
            story.world.clock.advance(130)
        story.side.progress()
        story.world.cycle(0)
    assert story.prospects("city") == ["Köln"] * 5
    assert all(one.runs <= 1 for one in story.side.made)
    assert sum(one.runs for one in story.side.made) == 1
    assert story.outcomes() == {"applied": 5, "refused": 1}
    assert story.patches() == 1, "the refused one, singly"
    assert story.jobs() == []
