"""What the flow needs from the world, as Protocols.

A docstring here is a contract; the contract suites test it sentence by sentence. Every method may raise the four
failures of ``prospect_sync.errors`` where it says so. Times are aware UTC datetimes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from prospect_sync.errors import SyncError
from prospect_sync.memory import (
    Batch,
    Couple,
    DeskEntry,
    DeskItem,
    ImportJob,
    ImportPool,
    ImportRow,
    Intent,
    LaneState,
    LedgerRow,
    Mark,
    MirroredProspect,
    Outcome,
    ResyncRun,
    Token,
)
from prospect_sync.model import NOTHING, Hint, Lane, Person, PersonType, Prospect, RecordKind, Ref, Side, Stamp, Version
from prospect_sync.policy.behaviors import FieldType


class Clock(Protocol):
    """The only source of the present instant, and the only way to wait."""

    def now(self) -> datetime:
        """Tell the present instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; a hand-moved clock moves on instead."""
        ...


class Deadline(Protocol):
    """How long a batch may still write. Adapters ask before each call."""

    def allow(self, seconds: float) -> float:
        """Give the time-out for one call: at most ``seconds``, and always less than what remains of the lease.

        Raises:
            LeaseLost: the lease is gone, or too little remains for a call.
        """
        ...


# ---------------------------------------------------------------------------------------------------- the vendors


@dataclass(frozen=True, slots=True)
class Position:
    """A keyset position in a vendor's changes: strictly after (``stamp``, ``id``); ``id`` "" includes the stamp itself."""

    stamp: datetime
    id: str = ""


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A page of changed records, ascending by (stamp, id). ``more``: the page was full. ``read_at``: the vendor's clock."""

    rows: tuple[Version, ...]
    read_at: datetime
    more: bool


@dataclass(frozen=True, slots=True)
class ProspectPage:
    """A page of changed prospects, ascending by ``updatedAt``. ``read_at``: the vendor's clock when it was asked for."""

    rows: tuple[Prospect, ...]
    read_at: datetime
    last: bool


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A page of persons with their values, ascending by id, deleted ones included. ``more``: there are further ones."""

    rows: tuple[Person, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class PersonHistory:
    """What history says about one person. ``rows``: (field on this person's type, when, by whom), newest first per field.

    ``None``: the object's history cannot be read at all. ``converted_from``: creation stamp of the converted lead, if any;
    that lead's rows are among ``rows`` under the contact's field names.
    """

    rows: tuple[tuple[str, datetime, str], ...] | None
    converted_from: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Changes to one record. ``unmodified_since`` makes it guarded: refused as Stale when the record changed after it."""

    intent_id: str
    ref: Ref
    changes: Mapping[str, Any]
    unmodified_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one write.

    ``error`` None: applied. ``stored``: the written fields as the answer shows them, None where the answer shows nothing.
    ``modified``: the stamp the answer shows. ``unknown``: the answer was lost, the write may or may not have been committed.
    """

    write: Write
    error: SyncError | None = None
    stored: Mapping[str, Any] | None = None
    modified: Stamp = Stamp()
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Creation:
    """A record to be created. ``external``: (external id field, value) by which the create is an upsert, where there is one."""

    intent_id: str
    kind: RecordKind
    values: Mapping[str, Any]
    external: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """What became of one creation.

    ``id``: the new record's id (18 characters in Salesforce, digits in Account Engagement), None where there is none.
    ``unknown``: the answer was lost, the record may or may not exist. ``modified``: the stamp the answer shows.
    """

    creation: Creation
    id: str | None = None
    error: SyncError | None = None
    modified: Stamp = Stamp()
    unknown: bool = False


class PersonSide(Protocol):
    """Leads and contacts. Field names are Salesforce API names."""

    def changed(self, positions: Mapping[RecordKind, Position]) -> Mapping[RecordKind, VersionPage]:
        """Read the next page of changes of each kind, deleted records included, ordered by (SystemModstamp, Id).

        One API call for all kinds: leads, contacts, accounts. Accounts are absent from the answer where the connector
        user cannot read them.

        Raises: TryLater, Misconfigured.
        Source: REST API, queryAll; Composite.
        """
        ...

    def of_accounts(self, account_ids: Collection[str]) -> Collection[Ref]:
        """Name the living contacts of these accounts.

        One API call for up to 20,000 accounts, and one more for every 2,000 contacts.

        Raises: TryLater, Misconfigured.
        """
        ...

    def read(
        self,
        refs: Collection[Ref],
        fields: Mapping[PersonType, Collection[str]],
        scope: Mapping[str, str] = NOTHING,
    ) -> Mapping[Ref, Person]:
        """Read persons, deleted ones included; a record that cannot be seen is absent from the answer.

        ``scope``: a filter by object, in SOQL (LC-7). It is judged by Salesforce in the same call and shows as ``in_scope``;
        one that Salesforce refuses is Misconfigured, for nothing may sync that was to be left alone.

        One API call for up to 2,000 refs of both types together. A mapped field the connector user may not read is absent
        from ``values`` (unread) and does not hinder the others. ``account_name`` is read for contacts.

        Raises: TryLater, Misconfigured.
        """
        ...

    def snapshot(
        self,
        after: Mapping[PersonType, str],
        fields: Mapping[PersonType, Collection[str]],
        *,
        since: datetime | None = None,
    ) -> Mapping[PersonType, PersonPage]:
        """Read the persons with the next ids ("" begins), values and all; with ``since`` only those changed since then.

        One API call for both types, up to 2,000 persons of each. Ids do not move, so whoever goes on behind the last id sees
        every person once, whatever is edited meanwhile. What cannot be read is absent, as in ``read``.

        Raises: TryLater, Misconfigured.
        """
        ...

    def write(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """Write changes and yield the results call by call, so that each call's outcome can be recorded before the next.

        Guarded writes go 25 a call, the others 200 a call. Every write appears in exactly one yielded result. Nothing is
        raised for single records; a failure of a whole call is the result of each of its writes.

        Raises:
            LeaseLost: the lease ran out between two calls; writes not yet yielded were not sent.
        """
        ...

    def by_address(
        self,
        addresses: Collection[str],
        fields: Mapping[PersonType, Collection[str]],
        scope: Mapping[str, str] = NOTHING,
    ) -> Mapping[str, tuple[Person, ...]]:
        """Find the persons that hold these e-mail addresses, whatever the case; converted leads and deleted records never.

        Shape: keys are the lower-cased addresses that somebody holds; persons as ``read`` gives them, contacts first, then the
        last modified first, then by id. One API call for up to 200 addresses.

        Raises: TryLater, Misconfigured.
        Source: rule LN-2.
        """
        ...

    def create(self, creations: Sequence[Creation], deadline: Deadline) -> Iterator[Sequence[Created]]:
        """Create persons and yield the results call by call: upserts by external id where given, 25 a call, else 200 a call.

        Nothing is sent twice: a lost answer is ``unknown``. An upsert that finds a record gives that record's id. Nothing is
        raised for single records.

        Raises:
            LeaseLost: the lease ran out between two calls; creations not yet yielded were not sent.
        """
        ...


class FieldHistory(Protocol):
    """When fields of persons were changed; never what they were changed to."""

    def tracked(self) -> Mapping[PersonType, frozenset[str] | None]:
        """Tell which fields have history tracking now, per object; None: history of that object cannot be read at all."""
        ...

    def read(
        self, wanted: Mapping[Ref, Collection[str]], contact_to_lead: Mapping[str, str]
    ) -> Mapping[Ref, PersonHistory]:
        """Read the history rows of the wanted fields; the result has exactly the wanted refs.

        One API call for up to 200 persons of both types. ``contact_to_lead`` names, per contact field, the lead field whose
        rows count for it after a conversion.

        Raises: TryLater, Misconfigured.
        Source: Object Reference, StandardObjectNameHistory.
        """
        ...


class ProspectSide(Protocol):
    """Prospects. Field names are Account Engagement API v5 names."""

    def changed(self, since: datetime, fields: Collection[str]) -> Iterator[ProspectPage]:
        """Read every prospect with ``updatedAt`` ≥ ``since``, deleted ones included, page by page (1,000 a call).

        Goes on past the 100,000-record limit of one chain. Fields that cannot be queried must not be asked for. The last page
        has ``last`` set; there is always at least one page.

        Raises: TryLater, Misconfigured.
        Source: API v5, Query; Pagination.
        """
        ...

    def read(self, prospect_ids: Collection[int], fields: Collection[str]) -> Mapping[int, Prospect]:
        """Read prospects one by one (one call each), deleted ones included; those that do not exist are absent.

        Raises: TryLater, Misconfigured.
        """
        ...

    def write(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """Write changes, one call each, at most five under way, and yield results as they come; see ``PersonSide.write``.

        ``stored`` and ``modified`` are taken from the answer. There are no guarded writes on this side: ``unmodified_since``
        is ignored.
        """
        ...

    def find(self, addresses: Collection[str], fields: Collection[str]) -> Mapping[str, tuple[Prospect, ...]]:
        """Find prospects by e-mail address, deleted ones included, one call each; keys are the lower-cased addresses found.

        Living ones first, then the last modified first, then by id. Reads lag: a prospect created a moment ago may be missing.

        Raises: TryLater, Misconfigured.
        """
        ...

    def create(self, creations: Sequence[Creation], deadline: Deadline) -> Iterator[Sequence[Created]]:
        """Create prospects, one call each, at most five under way; see ``PersonSide.create``. ``external`` is ignored."""
        ...

    def delete(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """Send prospects to the recycle bin, one call each; one that lies there already counts as applied."""
        ...

    def restore(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """Bring prospects back from the recycle bin, one call each; ``changes["email"]`` is the address to restore by.

        A prospect that is not deleted counts as applied. Stale where another prospect came back instead.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """What an import does in one field: ``overwrite`` a filled value; erase it where the row has none (``erase``)."""

    overwrite: bool = True
    erase: bool = False


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One prospect's values in an import, by prospect field; None where nothing stands in the cell."""

    prospect_id: int
    values: Mapping[str, Any]


class ImportState(StrEnum):
    """How an import stands with the vendor."""

    OPEN = "open"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """What the vendor says of an import: how many rows it wrote and how many it refused, so far."""

    state: ImportState
    updated: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """One row that an import refused, in the vendor's words; ``fields`` are those it blames, as far as it names any."""

    prospect_id: int
    words: str
    code: str = ""
    fields: tuple[str, ...] = ()


class ProspectImports(Protocol):
    """Updates of many prospects by file. Prospects that do not exist are refused, never created; deleted ones stay deleted.

    Every method raises TryLater and Misconfigured as all calls do; Stale where there is no such import (any more), or it is
    in a state that does not allow this; Rejected where the vendor does not take what was sent. None is repeated blindly.
    Source: API v5, Import; limits and null handling from the older Import API.
    """

    def start(self, columns: Mapping[str, ImportColumn]) -> str:
        """Make an empty import and give its id. It does nothing before ``run``, and expires by itself. One call."""
        ...

    def add(self, import_id: str, fields: Sequence[str], lines: Iterable[ImportLine]) -> int:
        """Upload lines and tell how many calls it took: one for every 9 MB, in ten calls at most."""
        ...

    def run(self, import_id: str) -> None:
        """Tell the import to begin. One call."""
        ...

    def status(self, import_id: str) -> ImportStatus:
        """Ask how it stands. One call."""
        ...

    def refused(self, import_id: str) -> Iterator[RefusedLine]:
        """Read the rows that a complete import refused. One call."""
        ...


class ChangeKind(StrEnum):
    """What happened to the records of a change event."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNDELETE = "undelete"


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One change event. Field names are API names (``MailingCity``, not ``MailingAddress.City``).

    ``kind`` None: not one of ours, or it cannot be told. ``at``: when it was committed, to the second as a rule; None where
    that cannot be told. ``by``: the user's id. ``fields``: those that an update changed, all of them.
    ``values``: of changed fields, None where emptied; a changed field is absent where the event does not show its value
    beyond doubt. ``gap``: it says that something changed, and not what. ``unbounded``: it stands for more records than
    ``ids`` names; which ones, only looking at all changes since then can tell.
    """

    kind: RecordKind | None
    change: ChangeKind
    ids: tuple[str, ...] = ()
    at: datetime | None = None
    by: str = ""
    fields: frozenset[str] = frozenset()
    values: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    gap: bool = False
    unbounded: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one answer of a stream brought, oldest first; without events it is a sign of life.

    ``place``: where to go on once these events are safe, an opaque text.
    """

    events: tuple[ChangeEvent, ...]
    place: str


class ChangeEvents(Protocol):
    """The org's change events. Each may come twice, and none is left out between two places of a stream."""

    def listen(self, topic: str, *, after: str = "", oldest: bool = False) -> Iterator[Delivery]:
        """Follow one topic: after a place, or from the oldest event still kept, or (neither given) from now on.

        Asking for the next delivery says that the last one is dealt with. At most 100 events are under way. A refused token
        is renewed once. Ends only after ``close``, which any thread may call.

        Raises:
            Stale: the place is too old or not one; what happened between it and the oldest event kept is lost.
            TryLater: the stream broke, or was silent for longer than it may be.
            Misconfigured: there is no such topic, or it may not be read.
        Source: Pub/Sub API, Subscribe; Change Data Capture Developer Guide.
        """
        ...

    def close(self) -> None:
        """End all streams."""
        ...


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What a vendor says of one field.

    ``kind``: the vendor's own word for its type. ``fits``: mapping types that suit it. ``bends``: those that work, with care.
    ``length``: of texts, in characters; None where it has none, or where the vendor does not say.
    """

    name: str
    kind: str
    fits: frozenset[FieldType]
    bends: frozenset[FieldType] = frozenset()
    writable: bool = True
    length: int | None = None


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """Whom Salesforce takes us for; ``scopes`` None where the login did not say."""

    user_id: str
    username: str
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """Whether ``If-Unmodified-Since`` is kept: by a part of a Composite, and by a call of its own."""

    composite: bool
    singly: bool


@dataclass(frozen=True, slots=True)
class RedisFacts:
    """What Redis says of itself. ``eviction``: what it drops when memory is short."""

    version: str
    appends: bool
    eviction: str


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The schema's revision, and the one this version needs; ``revision`` None: no tables yet."""

    kind: str
    revision: str | None
    needed: str


class SalesforceLook(Protocol):
    """What ``doctor`` asks one org. Every method raises TryLater or Misconfigured."""

    def login(self) -> LoginFacts:
        """Log in and ask who we are."""
        ...

    def versions(self) -> Sequence[str]:
        """Name the API versions the org speaks, such as ``67.0``."""
        ...

    def clock(self) -> timedelta:
        """Tell how far the org's clock is ahead of ours, to a second or two."""
        ...

    def probe(self, record_id: str, field: str) -> ProbeFacts:
        """Write a field's own value to one lead or contact under a precondition that cannot hold, and see whether it is kept."""
        ...


class AccountEngagementLook(Protocol):
    """What ``doctor`` asks one business unit. Every method raises TryLater or Misconfigured."""

    def clock(self) -> timedelta:
        """Tell how far the business unit's clock is ahead of ours, to a second or two."""
        ...

    def unreadable(self, fields: Collection[str]) -> Mapping[str, str]:
        """Ask for one prospect with these fields; gives the refused ones with the vendor's words."""
        ...

    def salesforce_user(self, user_id: int | str) -> str | None:
        """Give the Salesforce id of a user there; None where it has none."""
        ...

    def native_syncs(self) -> Sequence[datetime]:
        """Tell when the native connector last synced each of the 200 prospects changed last, oldest first."""
        ...


class Descriptions(Protocol):
    """What the two orgs say of their fields."""

    def people(self) -> Mapping[PersonType, Mapping[str, FieldFacts]]:
        """Describe leads and contacts as the connector user sees them now, by lower-cased field name. Two calls.

        Raises: TryLater, Misconfigured.
        Source: REST API, sObject Describe.
        """
        ...

    def prospects(self) -> Mapping[str, FieldFacts]:
        """Describe prospects: the standard fields, which never change, and the custom ones. One call.

        Raises: TryLater, Misconfigured.
        Source: API v5, Custom Fields.
        """
        ...

    def lengths(self) -> Mapping[PersonType, Mapping[str, int]]:
        """Give the lengths of text fields by lower-cased name, as described some minutes ago at most.

        Raises: TryLater, Misconfigured.
        """
        ...


# ---------------------------------------------------------------------------------------------------- Redis' part


class Inbox(Protocol):
    """Hints merged per record, and the leases of those being worked on. Every method is one atomic step.

    A record waits in at most one lane: the more urgent of those it was offered to, with the earliest due time.
    A record in work may wait again (it changed meanwhile): it is then taken only after its release.
    Time is the inbox's own (Redis' clock); due times given by callers are absolute.
    """

    def offer(self, hints: Sequence[Hint]) -> None:
        """Put hints in. Ten hints for one record are one entry."""
        ...

    def take(self, lane: Lane, limit: int, lease: float) -> Batch | None:
        """Take up to ``limit`` due records that nobody works on and lease them for ``lease`` seconds; None when there are none.

        A record that died with two batches is taken alone. Most overdue first.
        """
        ...

    def claim(self, batch: Batch, refs: Collection[Ref], lease: float) -> frozenset[Ref]:
        """Lease further records for the batch and say which it got; a waiting claimed record is merged into the batch.

        Records the batch already holds count as got. Those in work elsewhere are not got and stay as they are.
        """
        ...

    def extend(self, batch: Batch, lease: float) -> bool:
        """Lease all of the batch's records anew from now. False, and nothing changed, when any of them was lost."""
        ...

    def remaining(self, batch: Batch) -> float:
        """Seconds until the batch's lease ends; 0 or less when it ended or any record was lost."""
        ...

    def release(self, batch: Batch, again: Sequence[Hint] = ()) -> None:
        """End the batch's leases that it still holds, forget their deaths, and offer ``again``.

        Lost records are left alone, but for the death that was counted when they were lost: their worker lives.
        """
        ...

    def reap(self) -> tuple[frozenset[Ref], frozenset[Ref]]:
        """End overdue leases. Returns (returned to waiting, poisonous).

        A returned record waits in its old lane, due now, with one more death. A record on its third death is
        poisonous: it leaves waiting and leases, and is named by every call until it is buried.
        """
        ...

    def bury(self, refs: Collection[Ref]) -> None:
        """Stop naming these poisonous records: they stand on the desk now."""
        ...

    def lanes(self) -> Mapping[Lane, LaneState]:
        """Tell the state of every lane."""
        ...

    def oldest(self) -> datetime | None:
        """When the longest-waiting record, waiting or in work, was first offered; None when there is none."""
        ...

    def identity(self) -> str:
        """A text that changes when the inbox lost its memory: FLUSHALL, another server, a start from an old snapshot.

        Call it before and after: equal texts mean that nothing was forgotten in between.
        """
        ...


class Once(Protocol):
    """Work that many want and one should do."""

    def mark(self) -> float:
        """A reading of the clock that ``share`` compares with."""
        ...

    def share(self, name: str, since: float, work: Callable[[], None], patience: float) -> None:
        """Return once ``work`` was done by anyone in a run that *started* at or after ``since``; do it here if nobody does.

        A runner that dies is replaced after ``patience`` seconds.

        Raises:
            TryLater: it was not done within ``patience`` seconds. Whatever ``work`` raises, where it ran here.
        """
        ...


class Leader(Protocol):
    """Who, among processes that are all willing, does what only one should do. Two may do it for a moment: a convenience."""

    def hold(self, name: str, seconds: float) -> bool:
        """Take the post, or keep it, for so many seconds from now. False: somebody else has it."""
        ...

    def leave(self, name: str) -> None:
        """Give the post up at once, if it is ours."""
        ...


class Budget(Protocol):
    """The API budgets, shared by all workers."""

    def permit(self, side: Side, lane: Lane) -> AbstractContextManager[None]:
        """Hold one of the side's call permits and count one call of its day.

        Account Engagement has five permits in all, of which ``bulk`` may hold three; Salesforce's are not counted.
        A permit expires by itself (later than any HTTP time-out), so a dead worker's is not lost.

        Raises:
            TryLater: no permit came free in time, or the lane's share of the day is used up.
        """
        ...

    def usage(self, side: Side, used: int, limit: int) -> None:
        """Correct the count of the day from what the vendor says."""
        ...

    def spent(self, side: Side) -> tuple[int, int | None]:
        """Calls used today and the day's limit (None: not known yet)."""
        ...


class Tokens(Protocol):
    """Access tokens shared by all workers."""

    def get(self, name: str, refused: Token | None, fetch: Callable[[], Token]) -> Token:
        """Give the cached token; fetch one under a lock when there is none or the cached one *is* the ``refused`` one.

        Whoever waits for the lock gets what the first fetched. Raises what ``fetch`` raises.
        """
        ...

    def forget(self, name: str) -> None:
        """Drop the cached token."""
        ...


# ---------------------------------------------------------------------------------------------------- SQL's part


class Fence(Protocol):
    """Fencing tokens: numbers that only rise."""

    def next(self) -> int:
        """Give a number greater than every one given before, across processes and restarts."""
        ...


class Mirror(Protocol):
    """Prospects as last known."""

    def get(self, prospect_ids: Collection[int]) -> Mapping[int, MirroredProspect]:
        """Give the mirrored prospects among these ids."""
        ...

    def by_person(self, person_ids: Collection[str]) -> Mapping[str, tuple[MirroredProspect, ...]]:
        """Give the prospects that hold these Salesforce ids (18 characters), by id, lowest prospect id first."""
        ...

    def by_email(self, addresses: Collection[str]) -> Mapping[str, tuple[MirroredProspect, ...]]:
        """Give the prospects with these lower-cased addresses, by address, lowest prospect id first."""
        ...

    def holders(self, after: str, until: str) -> Sequence[tuple[int, str]]:
        """Name (prospect id, Salesforce id) of each living prospect whose Salesforce id is in (after, until], by code point."""
        ...

    def loose(self, after: int, limit: int, prefixes: Collection[str]) -> Sequence[int]:
        """Give the next ids (greater than ``after``) of living prospects that have an address, and no Salesforce id that
        begins with one of the prefixes.
        """
        ...

    def held(self, prefixes: Collection[str]) -> int:
        """Count the living prospects whose Salesforce id begins with one of the prefixes."""
        ...

    def put(self, rows: Sequence[MirroredProspect]) -> frozenset[int]:
        """Store rows whose ``version`` is still the stored one (0: not stored yet), each with its version counted up.

        One transaction, one conditional statement a row. Returns the ids that were refused because somebody else wrote
        first: read them again and merge again.
        """
        ...


class Couples(Protocol):
    """Who is paired with whom, and what they agreed on."""

    def of(self, refs: Collection[Ref]) -> Mapping[Ref, Couple]:
        """Give the couple each of these records belongs to, ended ones included only where the record has no living one."""
        ...

    def save(self, couples: Sequence[Couple], fence: int) -> frozenset[Ref]:
        """Store couples; returns the prospects whose rows were refused, because a batch with a later token wrote them
        or the prospect or person already lives in another couple.
        """
        ...


class Ledger(Protocol):
    """What we meant to write, and what became of it. Append-only."""

    def intend(self, intents: Sequence[Intent]) -> None:
        """Record intents, all or none, before their calls."""
        ...

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Record outcomes. The first outcome of an intent stays; a second one is ignored."""
        ...

    def open(self, prospect_ids: Collection[int]) -> Sequence[Intent]:
        """Give the intents about these prospects that have no outcome, oldest first."""
        ...

    def rows(self, *, prospect_id: int | None = None, newest: int = 100) -> Sequence[LedgerRow]:
        """Give ledger rows, newest first."""
        ...

    def unsettled(self, before: datetime) -> Sequence[Intent]:
        """Give the intents older than ``before`` without an outcome, oldest first (at most 1,000)."""
        ...


class Imports(Protocol):
    """Writes that go by import: those that wait for one, and the jobs that are under way. Each method is one transaction.

    A prospect has one row at most.
    """

    def add(self, rows: Sequence[ImportRow]) -> frozenset[str]:
        """Let rows wait for an import; a prospect's row of a job that is over makes room.

        Returns the intents that were refused, because the prospect waits or is held already.
        """
        ...

    def withdraw(self, prospect_ids: Collection[int]) -> frozenset[str]:
        """Take waiting rows of these prospects back and give their intents; rows in a job are left alone."""
        ...

    def of(self, prospect_ids: Collection[int]) -> Mapping[int, ImportRow]:
        """Give these prospects' rows."""
        ...

    def pools(self) -> Sequence[ImportPool]:
        """Tell what waits, by group."""
        ...

    def form(self, job: ImportJob, group: str, most: int) -> ImportJob | None:
        """Store a new job and put up to ``most`` waiting rows of the group into it, the oldest first.

        Returns it with ``rows`` counted and its version; None, and nothing stored, where no row waits.
        """
        ...

    def due(self, now: datetime) -> Sequence[ImportJob]:
        """Give the jobs that are not over and due, the longest due first."""
        ...

    def save(self, job: ImportJob) -> ImportJob | None:
        """Store a job whose ``version`` is still the stored one, counted up; None where somebody else wrote first."""
        ...

    def rows(self, job_id: str, after: int = 0, most: int = 1_000) -> Sequence[ImportRow]:
        """Give a job's rows with prospect ids above ``after``, ascending."""
        ...

    def end(self, job: ImportJob, at: datetime) -> bool:
        """Store a job as over, and its rows as free since then. False, and nothing changed, where somebody else wrote first."""
        ...

    def forget(self, before: datetime) -> None:
        """Delete jobs that are over, with their rows, where these are free since an earlier instant."""
        ...


class Desk(Protocol):
    """What a person should look at."""

    def report(self, items: Sequence[DeskItem]) -> None:
        """Put items up: one entry per (cause, side, code, field, words), one row per record in it, however often reported."""
        ...

    def clear(self, refs: Collection[Ref], *, keep: Sequence[DeskItem] = ()) -> None:
        """Take these records off all entries except notices and those of the kept items.

        An entry without records goes away.
        """
        ...

    def entries(self) -> Sequence[DeskEntry]:
        """Give all entries, the longest first; at most 1,000 refs each."""
        ...


class Marks(Protocol):
    """How far each source was read, and hints that no source will bring again."""

    def get(self, source: str) -> Mark:
        """Give the mark of a source; an empty one when it was never set."""
        ...

    def set(self, source: str, mark: Mark) -> None:
        """Store the mark of a source."""
        ...

    def unseen(self, source: str, versions: Sequence[Version]) -> Sequence[Version]:
        """Give the versions that are news, and remember nothing.

        News: not seen before with this stamp, or seen only while the stamp's own second (and one more) had not passed
        on the vendor's clock, so that a second edit in the same second is not missed.
        """
        ...

    def saw(self, source: str, versions: Sequence[Version], read_at: datetime, keep_since: datetime) -> None:
        """Remember versions read at ``read_at`` (vendor's clock): call it once their hints are in the inbox.

        Versions with stamps before ``keep_since`` are forgotten.
        """
        ...

    def keep(self, hints: Sequence[Hint]) -> None:
        """Store hints that no sweep can find again."""
        ...

    def kept(self) -> Sequence[Hint]:
        """Give the stored hints."""
        ...

    def drop(self, refs: Collection[Ref]) -> None:
        """Forget stored hints of these records."""
        ...

    def note(self, key: str) -> str | None:
        """Give a remembered text (e.g. the inbox's identity)."""
        ...

    def remember(self, key: str, text: str) -> None:
        """Remember a text."""
        ...

    def notes(self, prefix: str) -> Mapping[str, str]:
        """Give the remembered texts whose keys begin so, by the rest of their keys."""
        ...

    def forget(self, key: str) -> None:
        """Forget a remembered text."""
        ...


class Resyncs(Protocol):
    """Resyncs, of which at most one is open (not ended). A step is claimed, and stored as a whole when it is done."""

    def start(self, run: ResyncRun) -> ResyncRun:
        """Store a new run, or give the open one where there is one."""
        ...

    def newest(self) -> ResyncRun | None:
        """Give the open run, or else the one that was started last."""
        ...

    def claim(self, run_id: str, now: datetime, until: datetime) -> ResyncRun | None:
        """Take the next step of a run, with its ``version`` counted up; whoever dies with it is followed at ``until``.

        None: the run is ended or paused, has to wait, or somebody else has the step.
        """
        ...

    def advance(self, run: ResyncRun) -> bool:
        """Store a claimed run and give the claim up. False, and nothing stored: that claim is stored, or followed by another.

        ``paused``, ``applied`` and ``refused`` stay as they are stored. ``ended`` closes the run.
        """
        ...

    def pause(self, run_id: str, *, paused: bool) -> None:
        """Stop a run after its present step, or let it go on."""
        ...

    def postpone(self, until: datetime, words: str) -> None:
        """Make the open run wait, unless it waits longer already."""
        ...

    def tally(self, applied: int, refused: int) -> None:
        """Add to the open run what became of writes."""
        ...


class Waker(Protocol):
    """Tells the workers that a lane has something due. Losing a call costs a second, never a record."""

    def wake(self, lane: Lane) -> None:
        """Ask for a drain of this lane."""
        ...
