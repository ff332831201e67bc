"""The two vendors as the flow sees them through its ports, held in memory: stamps, history, lag and refusals included.

No HTTP and no wire format; for those the adapters are tested against the sandbox.
"""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from prospect_sync.errors import Rejected, Stale, SyncError, TryLater
from prospect_sync.model import (
    NOTHING,
    Person,
    PersonType,
    Prospect,
    RecordKind,
    Ref,
    Stamp,
    Version,
    id18,
    same_id,
    to_second,
)
from prospect_sync.ports import (
    Clock,
    Created,
    Creation,
    Deadline,
    PersonHistory,
    PersonPage,
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
_TO_CONTACT = {name: f"Mailing{name}" for name in ("Street", "City", "State", "PostalCode", "Country")}


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
    page: int = 2000
    lose_answers: bool = False
    calls: list[str] = field(default_factory=list)
    committed: list[Write] = field(default_factory=list)
    hidden: set[Ref] = field(default_factory=set)
    accounts: dict[str, datetime] = field(default_factory=dict)
    employers: dict[Ref, str] = field(default_factory=dict)
    required: dict[RecordKind, Collection[str]] = field(default_factory=dict)
    refuse_creation: Callable[[Creation], SyncError | None] = lambda _: None
    created: list[Creation] = field(default_factory=list)
    out_of_scope: set[Ref] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(900_001))

    def add(self, person: Person) -> None:
        self.people[person.ref] = person

    def convert(self, ref: Ref, contact: Ref | None = None, by: str = SALES) -> Ref:
        """Turn a lead into a contact, a new one unless it is given; stamps both, and writes no history of fields."""
        lead, stamp = self.people[ref], self._stamp(by)
        contact = contact or Ref.person(PersonType.CONTACT, self._new_id(PersonType.CONTACT))
        if contact not in self.people:
            values = {_TO_CONTACT.get(name, name): value for name, value in lead.values.items() if name != "Company"}
            company = lead.values.get("Company")
            self.add(
                Person(PersonType.CONTACT, contact.id, values, stamp, stamp, has_account=True, account_name=company)
            )
        self.people[contact] = replace(self.people[contact], modified=stamp)
        self.people[ref] = replace(lead, converted_contact_id=contact.id, modified=stamp)
        return contact

    def merge(self, winner: Ref, *losers: Ref, changes: Mapping[str, Any] = NOTHING, by: str = SALES) -> None:
        """Keep the winner, with ``changes``; the losers are deleted and point at it."""
        for loser in losers:
            self.delete(loser, by)
            self.people[loser] = replace(self.people[loser], master_id=winner.id)
        self.edit(winner, changes, by)

    def delete(self, ref: Ref, by: str = SALES) -> None:
        """Put a record into the recycle bin."""
        self.people[ref] = replace(self.people[ref], deleted=True, modified=self._stamp(by))

    def undelete(self, ref: Ref, by: str = SALES) -> None:
        """Take a record out of the recycle bin; what was merged away is a record of its own again."""
        self.people[ref] = replace(self.people[ref], deleted=False, master_id=None, modified=self._stamp(by))

    def erase(self, ref: Ref) -> None:
        """Remove a record for ever: no answer shows it any more."""
        del self.people[ref]

    def holders(self, address: str) -> list[Ref]:
        """Name everybody alive with this address, hidden ones too."""
        return [ref for ref, person in self.people.items() if _alive(person) and _has_email(person, address)]

    def _stamp(self, by: str) -> Stamp:
        return Stamp(to_second(self.clock.now()), by)

    def _new_id(self, kind: PersonType) -> str:
        return id18(f"{'00Q' if kind is PersonType.LEAD else '003'}{next(self.numbers):012d}")

    def edit(self, ref: Ref, changes: Mapping[str, Any], by: str = SALES) -> None:
        person, now = self.people[ref], to_second(self.clock.now())
        for name, value in changes.items():
            if person.values.get(name) != value and name not in self.untracked:
                self.rows.append((ref, name, now, by))
        self.people[ref] = replace(person, values={**person.values, **changes}, modified=Stamp(now, by))

    def changed(self, positions: Mapping[RecordKind, Position]) -> Mapping[RecordKind, VersionPage]:
        self.calls.append("changed")
        return {kind: self._page(kind, position) for kind, position in positions.items()}

    def of_accounts(self, account_ids: Collection[str]) -> Collection[Ref]:
        self.calls.append("of_accounts")
        return [
            ref for ref, person in self.people.items() if self.employers.get(ref) in account_ids and not person.deleted
        ]

    def rename(self, account_id: str, name: str) -> None:
        """Rename an account: its contacts' stamps stand still."""
        self.accounts[account_id] = to_second(self.clock.now())
        for ref in self.employers:
            if self.employers[ref] == account_id:
                self.people[ref] = replace(self.people[ref], account_name=name)

    def _page(self, kind: RecordKind, position: Position) -> VersionPage:
        if kind is RecordKind.ACCOUNT:
            found = sorted((at, record_id, Ref.account(record_id), False) for record_id, at in self.accounts.items())
        else:
            found = sorted(
                (person.modified.at or BORN, person.id, ref, person.deleted)
                for ref, person in self.people.items()
                if person.type.value == kind.value and ref not in self.hidden
            )
        later = [
            Version(ref, at, deleted)
            for at, record_id, ref, deleted in found
            if (at, record_id) > (position.stamp, position.id) or (not position.id and at == position.stamp)
        ]
        return VersionPage(tuple(later[:2000]), to_second(self.clock.now()), len(later) > 2000)

    def read(
        self,
        refs: Collection[Ref],
        fields: Mapping[PersonType, Collection[str]],
        scope: Mapping[str, str] = NOTHING,
    ) -> Mapping[Ref, Person]:
        self.calls.append("read")
        return {ref: self._seen(ref) for ref in refs if ref in self.people and ref not in self.hidden}

    def by_address(
        self,
        addresses: Collection[str],
        fields: Mapping[PersonType, Collection[str]],
        scope: Mapping[str, str] = NOTHING,
    ) -> Mapping[str, tuple[Person, ...]]:
        self.calls.append("by_address")
        found = {
            address: sorted((self._seen(ref) for ref in self.holders(address) if ref not in self.hidden), key=_order)
            for address in {address.lower() for address in addresses}
        }
        return {address: tuple(persons) for address, persons in found.items() if persons}

    def _seen(self, ref: Ref) -> Person:
        return replace(self.people[ref], in_scope=ref not in self.out_of_scope)

    def snapshot(
        self,
        after: Mapping[PersonType, str],
        fields: Mapping[PersonType, Collection[str]],
        *,
        since: datetime | None = None,
    ) -> Mapping[PersonType, PersonPage]:
        self.calls.append("snapshot")
        return {kind: self._snapshot_page(kind, position, since) for kind, position in after.items()}

    def _snapshot_page(self, kind: PersonType, after: str, since: datetime | None) -> PersonPage:
        found = sorted(
            (
                person
                for ref, person in self.people.items()
                if person.type is kind
                and person.id > after
                and ref not in self.hidden
                and (since is None or (person.modified.at or BORN) >= since)
            ),
            key=lambda person: person.id,
        )
        return PersonPage(tuple(found[: self.page]), len(found) > self.page)

    def write(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        guarded = [write for write in writes if write.unmodified_since is not None]
        free = [write for write in writes if write.unmodified_since is None]
        for size, group in ((25, guarded), (200, free)):
            for start in range(0, len(group), size):
                deadline.allow(20.0)
                self.before_write()
                self.calls.append("write")
                yield [self._apply(write) for write in group[start : start + size]]

    def create(self, creations: Sequence[Creation], deadline: Deadline) -> Iterator[Sequence[Created]]:
        keyed = [creation for creation in creations if creation.external is not None]
        free = [creation for creation in creations if creation.external is None]
        for size, group in ((25, keyed), (200, free)):
            for start in range(0, len(group), size):
                deadline.allow(20.0)
                self.before_write()
                self.calls.append("create")
                yield [self._make(creation) for creation in group[start : start + size]]

    def _make(self, creation: Creation) -> Created:
        error = self._creation_error(creation)
        if error is not None:
            return Created(creation, error=error)
        kind = PersonType(creation.kind.value)
        values, ref = dict(creation.values), None
        if creation.external is not None:
            key, value = creation.external
            values[key] = value
            living = [ref for ref, person in self.people.items() if person.type is kind and not person.deleted]
            ref = next((ref for ref in living if self.people[ref].values.get(key) == value), None)
        stored = {name: self.stored_as(name, value) for name, value in values.items()}
        if ref is None:
            stamp = self._stamp(SALESFORCE_CONNECTOR)
            has_account = False if kind is PersonType.CONTACT else None
            person = Person(kind, self._new_id(kind), stored, stamp, stamp, has_account=has_account)
            ref = person.ref
            self.add(person)
        else:
            self.edit(ref, stored, by=SALESFORCE_CONNECTOR)
        self.created.append(creation)
        if self.lose_answers:
            return Created(creation, error=SyncError("connection dropped"), unknown=True)
        return Created(creation, id=ref.id)

    def _creation_error(self, creation: Creation) -> SyncError | None:
        needed = self.required.get(creation.kind, ())
        missing = [name for name in needed if creation.values.get(name) in (None, "")]
        if missing:
            return Rejected("required fields are missing", code="REQUIRED_FIELD_MISSING", fields=missing)
        return self.refuse_creation(creation)

    def _apply(self, write: Write) -> Written:
        person = self.people.get(write.ref)
        if person is None or write.ref in self.hidden:
            return Written(write, Stale("the record does not exist", code="NOT_FOUND"))
        if person.deleted:
            return Written(write, Stale("the record is deleted", code="ENTITY_IS_DELETED"))
        if person.converted_contact_id is not None:
            return Written(write, Stale("the lead is converted", code="CANNOT_UPDATE_CONVERTED_LEAD"))
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
        return {ref: self._history(ref, names, contact_to_lead) for ref, names in wanted.items()}

    def _history(self, ref: Ref, names: Collection[str], contact_to_lead: Mapping[str, str]) -> PersonHistory:
        """A contact has its lead's rows, too, under its own names."""
        rows = self._rows(ref, names)
        lead = next((one for one in self.org.people.values() if same_id(one.converted_contact_id, ref.id)), None)
        if lead is None:
            return PersonHistory(rows)
        own_names = {contact_to_lead[name]: name for name in names if name in contact_to_lead}
        before = [(own_names[name], at, by) for name, at, by in self._rows(lead.ref, own_names)]
        return PersonHistory(tuple(sorted((*rows, *before), key=lambda row: row[1], reverse=True)), lead.created)

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
    several: bool = False
    refuse_creation: Callable[[Creation], SyncError | None] = lambda _: None
    created: list[Creation] = field(default_factory=list)
    recycled: list[Write] = field(default_factory=list)
    restored: list[Write] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(900_001))

    def add(self, prospect: Prospect) -> None:
        self.versions[prospect.id] = [(BORN, prospect)]

    def now_holds(self, prospect_id: int) -> Prospect:
        return self.versions[prospect_id][-1][1]

    def edit(self, prospect_id: int, changes: Mapping[str, Any], by: int = MARKETING) -> None:
        self._store(prospect_id, by, changes, deleted=self.now_holds(prospect_id).deleted)

    def recycle(self, prospect_id: int, by: int = MARKETING) -> None:
        """Send a prospect to the recycle bin by hand."""
        self._store(prospect_id, by, {}, deleted=True)

    def bring_back(self, prospect_id: int, by: int = MARKETING) -> None:
        """Take a prospect out of the recycle bin by hand."""
        self._store(prospect_id, by, {}, deleted=False)

    def erase(self, prospect_id: int) -> None:
        """Remove a prospect for ever: no answer shows it any more."""
        del self.versions[prospect_id]

    def holders(self, address: str, *, deleted: bool = False) -> list[int]:
        """Name the prospects that have this address now, whatever reads still show; the last modified last."""
        rows = [row for key in self.versions if (row := self.now_holds(key)).deleted is deleted]
        found = [row for row in rows if str(row.values.get("email") or "").lower() == address.lower()]
        return [row.id for row in sorted(found, key=lambda row: (row.modified.at or BORN, row.id))]

    def _store(self, prospect_id: int, by: int, changes: Mapping[str, Any], *, deleted: bool) -> None:
        prospect, now = self.now_holds(prospect_id), self.clock.now()
        values, stamp = {**prospect.values, **changes}, Stamp(to_second(now), str(by))
        self.versions[prospect_id].append((now, replace(prospect, values=values, modified=stamp, deleted=deleted)))

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

    def find(self, addresses: Collection[str], fields: Collection[str]) -> Mapping[str, tuple[Prospect, ...]]:
        found: dict[str, tuple[Prospect, ...]] = {}
        for address in {address.lower() for address in addresses}:
            self.calls.append("find")
            seen = [row for key in self.versions if (row := self._visible(key)) is not None]
            held = [row for row in seen if str(row.values.get("email") or "").lower() == address]
            ordered = sorted(held, key=lambda row: (row.deleted, BORN - (row.modified.at or BORN), row.id))
            if ordered:
                found[address] = tuple(self._shown(row, fields) for row in ordered)
        return found

    def create(self, creations: Sequence[Creation], deadline: Deadline) -> Iterator[Sequence[Created]]:
        for creation in creations:
            deadline.allow(20.0)
            self.calls.append("create")
            yield [self._make(creation)]

    def delete(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        for write in writes:
            deadline.allow(20.0)
            self.calls.append("delete")
            yield [self._recycle(write)]

    def restore(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        for write in writes:
            deadline.allow(20.0)
            self.calls.append("restore")
            yield [self._restore(write)]

    def _make(self, creation: Creation) -> Created:
        error = self.refuse_creation(creation) or self._taken(creation.values, None, code="9")
        if error is not None:
            return Created(creation, error=error)
        stored = {name: self.stored_as(name, value) for name, value in creation.values.items()}
        in_bin = [] if self.several else self.holders(str(stored["email"]), deleted=True)
        if in_bin:  # where an address is unique, adding it again brings its prospect back
            prospect_id = in_bin[-1]
            self._store(prospect_id, CONNECTOR, stored, deleted=False)
        else:
            prospect_id, now = next(self.numbers), self.clock.now()
            stamp = Stamp(to_second(now), str(CONNECTOR))
            self.versions[prospect_id] = [(now, Prospect(prospect_id, stored, stamp, stamp))]
        self.created.append(creation)
        if self.lose_answers:
            return Created(creation, error=SyncError("connection dropped"), unknown=True)
        return Created(creation, id=str(prospect_id), modified=self.now_holds(prospect_id).modified)

    def _recycle(self, write: Write) -> Written:
        prospect_id = int(write.ref.id)
        error = self.refuse(write) or (None if prospect_id in self.versions else _gone())
        if error is not None:
            return Written(write, error)
        if not self.now_holds(prospect_id).deleted:
            self.recycle(prospect_id, by=CONNECTOR)
        self.recycled.append(write)
        return self._answered(write, Written(write))

    def _restore(self, write: Write) -> Written:
        prospect_id, address = int(write.ref.id), str(write.changes.get("email") or "")
        error = self.refuse(write) or (None if prospect_id in self.versions else _gone())
        if error is not None:
            return Written(write, error)
        if self.now_holds(prospect_id).deleted:
            living, in_bin = self.holders(address), self.holders(address, deleted=True)
            if living and not self.several:
                return Written(write, Rejected("another prospect has the address", code="54", fields=("email",)))
            if not in_bin:
                return Written(write, _gone())
            if in_bin[-1] != prospect_id:
                return Written(write, Stale(f"prospect {in_bin[-1]} came back instead"))
            self.bring_back(prospect_id, by=CONNECTOR)
        self.restored.append(write)
        found = self.now_holds(prospect_id)
        return self._answered(
            write, Written(write, stored={"email": found.values.get("email")}, modified=found.modified)
        )

    def _answered(self, write: Write, written: Written) -> Written:
        return Written(write, SyncError("connection dropped"), unknown=True) if self.lose_answers else written

    def _taken(self, values: Mapping[str, Any], prospect_id: int | None, code: str) -> SyncError | None:
        """An address may be unique, and a person always has one prospect at most."""
        address, person = values.get("email"), values.get("salesforceId")
        if prospect_id is None and not address:
            return Rejected("a required property is missing: email", code="153", fields=("email",))
        if address and not self.several and set(self.holders(str(address))) - {prospect_id}:
            return Rejected("another prospect has the address", code=code, fields=("email",))
        living = [row for key in self.versions if key != prospect_id and not (row := self.now_holds(key)).deleted]
        if any(not str(person).startswith("[[") and same_id(row.values.get("salesforceId"), person) for row in living):
            return Rejected("another prospect has the person", code="81", fields=("salesforceId",))
        return None

    def _apply(self, write: Write) -> Written:
        prospect_id = int(write.ref.id)
        error = self.refuse(write) or (None if prospect_id in self.versions else _gone())
        if error is None and self.now_holds(prospect_id).deleted:
            error = Stale("the prospect is deleted", code="219")
        error = error or self._taken(write.changes, prospect_id, code="54")
        if error is not None:
            return Written(write, error)
        stored = {name: self.stored_as(name, value) for name, value in write.changes.items()}
        self.edit(prospect_id, stored, by=CONNECTOR)
        self.committed.append(write)
        if self.lose_answers:
            return Written(write, SyncError("connection dropped"), unknown=True)
        return Written(write, stored=stored, modified=self.now_holds(prospect_id).modified)


def _gone() -> Stale:
    return Stale("there is no such prospect", code="109")


def _alive(person: Person) -> bool:
    return not person.deleted and person.converted_contact_id is None


def _has_email(person: Person, address: str) -> bool:
    return str(person.values.get("Email") or "").lower() == address.lower()


def _order(person: Person) -> tuple[bool, timedelta, str]:
    return person.type is not PersonType.CONTACT, BORN - (person.modified.at or BORN), person.id
