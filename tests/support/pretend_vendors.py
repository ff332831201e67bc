"""The two vendors as the flow sees them through its ports, held in memory: stamps, history, lag and refusals included.

No HTTP and no wire format; for those the adapters are tested against the sandbox.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from prospect_sync.errors import Stale, SyncError, TryLater
from prospect_sync.model import Person, PersonType, Prospect, Ref, Stamp, Version, to_second
from prospect_sync.ports import (
    Clock,
    Deadline,
    PersonHistory,
    Position,
    ProspectPage,
    VersionPage,
    Write,
    Written,
)

SALESFORCE_CONNECTOR = "005000000000001AAA"
SALES = "005000000000002AAA"
CONNECTOR = 9
MARKETING = 41
BORN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class PretendSalesforce:
    """Leads and contacts with stamps and history rows; implements PersonSide and FieldHistory."""

    clock: Clock
    people: dict[Ref, Person] = field(default_factory=dict)
    rows: list[tuple[Ref, str, datetime, str]] = field(default_factory=list)
    untracked: set[str] = field(default_factory=set)
    refuse: Callable[[Write], SyncError | None] = lambda _: None
    stored_as: Callable[[str, Any], Any] = lambda _, value: value
    before_write: Callable[[], None] = lambda: None
    lose_answers: bool = False
    calls: list[str] = field(default_factory=list)
    committed: list[Write] = field(default_factory=list)
    hidden: set[Ref] = field(default_factory=set)

    def add(self, person: Person) -> None:
        self.people[person.ref] = person

    def edit(self, ref: Ref, changes: Mapping[str, Any], by: str = SALES) -> None:
        person, now = self.people[ref], to_second(self.clock.now())
        for name, value in changes.items():
            if person.values.get(name) != value and name not in self.untracked:
                self.rows.append((ref, name, now, by))
        self.people[ref] = replace(person, values={**person.values, **changes}, modified=Stamp(now, by))

    def changed(self, positions: Mapping[PersonType, Position]) -> Mapping[PersonType, VersionPage]:
        self.calls.append("changed")
        return {kind: self._page(kind, position) for kind, position in positions.items()}

    def _page(self, kind: PersonType, position: Position) -> VersionPage:
        found = sorted(
            (person.modified.at or BORN, person.id, ref)
            for ref, person in self.people.items()
            if person.type is kind and ref not in self.hidden
        )
        later = [
            Version(ref, at)
            for at, record_id, ref in found
            if (at, record_id) > (position.stamp, position.id) or (not position.id and at == position.stamp)
        ]
        return VersionPage(tuple(later[:2000]), to_second(self.clock.now()), len(later) > 2000)

    def read(self, refs: Collection[Ref], fields: Mapping[PersonType, Collection[str]]) -> Mapping[Ref, Person]:
        self.calls.append("read")
        return {ref: self.people[ref] for ref in refs if ref in self.people and ref not in self.hidden}

    def write(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        guarded = [write for write in writes if write.unmodified_since is not None]
        free = [write for write in writes if write.unmodified_since is None]
        for size, group in ((25, guarded), (200, free)):
            for start in range(0, len(group), size):
                deadline.allow(20.0)
                self.before_write()
                self.calls.append("write")
                yield [self._apply(write) for write in group[start : start + size]]

    def _apply(self, write: Write) -> Written:
        person = self.people[write.ref]
        if write.unmodified_since is not None and (person.modified.at or BORN) > write.unmodified_since:
            return Written(write, Stale("the record was modified", code="412"))
        error = self.refuse(write)
        if error is not None:
            return Written(write, error)
        stored = {name: self.stored_as(name, value) for name, value in write.changes.items()}
        self.edit(write.ref, stored, by=SALESFORCE_CONNECTOR)
        self.committed.append(write)
        if self.lose_answers:
            return Written(write, SyncError("connection dropped"), unknown=True)
        return Written(write)

    def tracked(self) -> Mapping[PersonType, frozenset[str] | None]:
        names = {name for person in self.people.values() for name in person.values} - self.untracked
        return dict.fromkeys(PersonType, frozenset(names))


@dataclass
class PretendHistory:
    """The history port on top of the pretend org's rows."""

    org: PretendSalesforce

    def tracked(self) -> Mapping[PersonType, frozenset[str] | None]:
        return self.org.tracked()

    def read(
        self, wanted: Mapping[Ref, Collection[str]], contact_to_lead: Mapping[str, str]
    ) -> Mapping[Ref, PersonHistory]:
        self.org.calls.append("history")
        return {ref: PersonHistory(self._rows(ref, names)) for ref, names in wanted.items()}

    def _rows(self, ref: Ref, names: Collection[str]) -> tuple[tuple[str, datetime, str], ...]:
        rows = [(name, at, by) for owner, name, at, by in self.org.rows if owner == ref and name in names]
        return tuple(sorted(rows, key=lambda row: row[1], reverse=True))


@dataclass
class PretendAccountEngagement:
    """Prospects with stamps, and reads that trail writes by ``lag`` seconds; implements ProspectSide."""

    clock: Clock
    lag: float = 0.0
    versions: dict[int, list[tuple[datetime, Prospect]]] = field(default_factory=dict)
    unqueryable: frozenset[str] = frozenset()
    refuse: Callable[[Write], SyncError | None] = lambda _: None
    stored_as: Callable[[str, Any], Any] = lambda _, value: value
    lose_answers: bool = False
    calls: list[str] = field(default_factory=list)
    committed: list[Write] = field(default_factory=list)

    def add(self, prospect: Prospect) -> None:
        self.versions[prospect.id] = [(BORN, prospect)]

    def now_holds(self, prospect_id: int) -> Prospect:
        return self.versions[prospect_id][-1][1]

    def edit(self, prospect_id: int, changes: Mapping[str, Any], by: int = MARKETING) -> None:
        prospect, now = self.now_holds(prospect_id), self.clock.now()
        after = replace(prospect, values={**prospect.values, **changes}, modified=Stamp(to_second(now), str(by)))
        self.versions[prospect_id].append((now, after))

    def _visible(self, prospect_id: int) -> Prospect | None:
        horizon = self.clock.now() - timedelta(seconds=self.lag)
        seen = [prospect for at, prospect in self.versions.get(prospect_id, ()) if at <= horizon]
        return seen[-1] if seen else None

    def changed(self, since: datetime, fields: Collection[str]) -> Iterator[ProspectPage]:
        self.calls.append("changed")
        visible = [prospect for key in self.versions if (prospect := self._visible(key)) is not None]
        rows = sorted(
            (row for row in visible if (row.modified.at or BORN) >= since), key=lambda row: row.modified.at or BORN
        )
        yield ProspectPage(tuple(self._shown(row, fields) for row in rows), to_second(self.clock.now()), last=True)

    def _shown(self, row: Prospect, fields: Collection[str]) -> Prospect:
        return replace(row, values={name: row.values[name] for name in fields if name in row.values})

    def read(self, prospect_ids: Collection[int], fields: Collection[str]) -> Mapping[int, Prospect]:
        self.calls.extend("read" for _ in prospect_ids)
        found = {key: self._visible(key) for key in prospect_ids}
        return {key: row for key, row in found.items() if row is not None}

    def write(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        for write in writes:
            try:
                deadline.allow(20.0)
            except TryLater as error:
                yield [Written(write, error)]
                continue
            self.calls.append("write")
            yield [self._apply(write)]

    def _apply(self, write: Write) -> Written:
        error = self.refuse(write)
        if error is not None:
            return Written(write, error)
        prospect_id = int(write.ref.id)
        stored = {name: self.stored_as(name, value) for name, value in write.changes.items()}
        self.edit(prospect_id, stored, by=CONNECTOR)
        self.committed.append(write)
        if self.lose_answers:
            return Written(write, SyncError("connection dropped"), unknown=True)
        return Written(write, stored=stored, modified=self.now_holds(prospect_id).modified)
