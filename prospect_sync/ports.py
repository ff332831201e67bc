"""What the flow needs from the world, as Protocols.

A docstring here is a contract; the contract suites test it sentence by sentence. Every method may raise the four
failures of ``prospect_sync.errors`` where it says so. Times are aware UTC datetimes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from prospect_sync.errors import SyncError
from prospect_sync.memory import (
    Batch,
    Couple,
    DeskEntry,
    DeskItem,
    Intent,
    LaneState,
    LedgerRow,
    Mark,
    MirroredProspect,
    Outcome,
    Token,
)
from prospect_sync.model import Hint, Lane, Person, PersonType, Prospect, Ref, Side, Stamp, Version


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
    """A page of changed persons, ascending by (stamp, id). ``more``: the page was full. ``read_at``: the vendor's clock."""

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


class PersonSide(Protocol):
    """Leads and contacts. Field names are Salesforce API names."""

    def changed(self, positions: Mapping[PersonType, Position]) -> Mapping[PersonType, VersionPage]:
        """Read the next page of changes of each type, deleted records included, ordered by (SystemModstamp, Id).

        One API call for all types.

        Raises: TryLater, Misconfigured.
        Source: REST API, queryAll; Composite.
        """
        ...

    def read(self, refs: Collection[Ref], fields: Mapping[PersonType, Collection[str]]) -> Mapping[Ref, Person]:
        """Read persons, deleted ones included; a record that cannot be seen is absent from the answer.

        One API call for up to 2,000 refs of both types together. A mapped field the connector user may not read is absent
        from ``values`` (unread) and does not hinder the others. ``account_name`` is read for contacts.

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

    def last_writes(
        self, couples: Collection[tuple[int, Ref]], side: Side
    ) -> Mapping[tuple[int, Ref], Mapping[str, Any]]:
        """Give, per couple, the value we last wrote (applied) into each prospect field's counterpart on that side."""
        ...

    def rows(self, *, prospect_id: int | None = None, newest: int = 100) -> Sequence[LedgerRow]:
        """Give ledger rows, newest first."""
        ...

    def unsettled(self, before: datetime) -> Sequence[Intent]:
        """Give the intents older than ``before`` without an outcome, oldest first (at most 1,000)."""
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


class Waker(Protocol):
    """Tells the workers that a lane has something due. Losing a call costs a second, never a record."""

    def wake(self, lane: Lane) -> None:
        """Ask for a drain of this lane."""
        ...
