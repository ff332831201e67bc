"""What the product remembers between two looks at a pair: frozen values that the stores keep and the flow fills.

Nothing here decides anything. Keys of mappings are prospect field names; values follow ``prospect_sync.model``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as defaulted
from datetime import datetime
from enum import StrEnum
from typing import Any

from prospect_sync.model import NOTHING, Echo, Hint, Interval, Lane, Ref, Side, Stamp


@dataclass(frozen=True, slots=True)
class MirroredField:
    """A prospect field as last known, and when it changed to that.

    ``ours_at``: the stamp (``updatedAt``) our own write of this value gave; answers older than that say nothing
    about the field. None where the value was read, not written.
    """

    value: Any
    changed: Interval
    ours_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MirroredProspect:
    """A prospect as last known.

    ``modified`` is the stamp of the newest answer *read* (never of our own writes). ``foreign``: the last modification
    by somebody else, None while none is remembered. ``doubtful_until``: an answer with an equal stamp and other values
    was seen; until this instant the prospect is not written to, then it is read again. ``version`` counts writes to this row.
    """

    id: int
    fields: Mapping[str, MirroredField]
    created: Stamp = Stamp()
    modified: Stamp = Stamp()
    foreign: Interval | None = None
    deleted: bool = False
    email: str | None = None
    salesforce_id: str | None = None
    doubtful_until: datetime | None = None
    version: int = 0


class Opening(StrEnum):
    """How the first sync of a new couple is decided.

    FRESH: by the rules, from first observations. CARRY: the prospect's field times are kept (a converted lead, LC-4).
    ADOPT: every ordinary field as ``use_salesforce``, blank switch off (a merge's winner takes the prospect over, LC-3).
    """

    FRESH = "fresh"
    CARRY = "carry"
    ADOPT = "adopt"


@dataclass(frozen=True, slots=True)
class Couple:
    """A linked (prospect, person) couple and what it agreed on.

    ``base``: values on which both sides agreed. ``echo``: what we wrote and how it was stored. ``seen``: person values of
    our last look, only where they differ from the base. ``person_foreign``: the person's last foreign modification.
    ``written``: prospect fields whose present *person* value is our last write, with the value written.
    ``unconfirmed``: those of them that we have not seen since we wrote them.
    ``relinked``: no sync of this couple has been completed yet; ``opening`` says how that one is decided.
    ``ended``: why it no longer syncs (a rule id); None while it does.
    """

    prospect_id: int
    person: Ref
    base: Mapping[str, Any] = defaulted(default_factory=lambda: NOTHING)
    echo: Mapping[str, Echo] = defaulted(default_factory=lambda: NOTHING)
    seen: Mapping[str, Any] = defaulted(default_factory=lambda: NOTHING)
    written: Mapping[str, Any] = defaulted(default_factory=lambda: NOTHING)
    unconfirmed: frozenset[str] = frozenset()
    person_foreign: Interval | None = None
    person_read: datetime | None = None
    relinked: bool = True
    opening: Opening = Opening.FRESH
    ended: str | None = None

    @property
    def prospect(self) -> Ref:
        return Ref.prospect(self.prospect_id)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an intended write: before and after on the written side, and what it rests on.

    ``field`` is the written side's own field name. ``origin``: when the value came about on the side it comes from.
    """

    prospect_field: str
    field: str
    before: Any
    after: Any
    rule: str
    guarded: bool = False
    evidence: Mapping[str, Any] = defaulted(default_factory=lambda: NOTHING)
    origin: Interval | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """One record write, recorded before its call. ``id`` is unique; ``fence`` is the batch's fencing token."""

    id: str
    at: datetime
    batch: str
    fence: int
    prospect_id: int
    person: Ref
    side: Side
    changes: tuple[FieldChange, ...]
    mapping_version: str = ""

    @property
    def written(self) -> Ref:
        """The record that this intent writes to."""
        return self.person if self.side is Side.SALESFORCE else Ref.prospect(self.prospect_id)


class Settled(StrEnum):
    """How an intent ended.

    APPLIED: the vendor has it. REFUSED: the vendor said no. UNSENT: the call never reached the vendor, or never
    happened. SUPERSEDED: nobody can tell any more, because the field holds a third value.
    """

    APPLIED = "applied"
    REFUSED = "refused"
    UNSENT = "unsent"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one intent, recorded once. ``words`` are the vendor's; ``stamp`` the modification stamp the write gave."""

    intent_id: str
    at: datetime
    settled: Settled
    words: str = ""
    code: str = ""
    stamp: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """An intent with its outcome; ``outcome`` None while it is open."""

    intent: Intent
    outcome: Outcome | None


class Cause(StrEnum):
    """Why something stands on the desk. A NOTICE tells what was done; it stands until a person has seen it."""

    REJECTED = "rejected"
    MISCONFIGURED = "misconfigured"
    UNREAD = "unread"
    ECHO = "echo"
    CONFLICT = "conflict"
    AMBIGUOUS = "ambiguous"
    HELD = "held"
    POISON = "poison"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class DeskItem:
    """One thing a person should see about one record. Items that share (cause, side, code, field, words) are one entry."""

    cause: Cause
    ref: Ref
    words: str
    side: Side | None = None
    code: str = ""
    field: str = ""
    rule: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class DeskEntry:
    """All records with one cause: how many, since when, how often reported, and when last."""

    id: int
    item: DeskItem
    refs: tuple[Ref, ...]
    since: datetime
    last: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a source was read. ``cursor``: hints up to here are in the inbox. ``low``: everything before was worked on.

    ``complete``: the vendor's clock when the last complete poll began. Instants are the vendor's.
    """

    cursor: datetime | None = None
    low: datetime | None = None
    complete: datetime | None = None


class ResyncPhase(StrEnum):
    """What the next step of a resync does.

    REFRESH: brings the mirror up to date. PROSPECTS: reads prospects anew. PEOPLE: compares leads and contacts with the
    mirror. LOOSE: looks for prospects without a person. DRAINING: waits until what it hinted is worked on.
    """

    REFRESH = "refresh"
    PROSPECTS = "prospects"
    PEOPLE = "people"
    LOOSE = "loose"
    DRAINING = "draining"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ResyncRun:
    """A resync and how far it is.

    ``since`` None: everything. ``positions``: per source the last id or instant dealt with, None where the source is at its
    end. ``total``: about how many records will be looked at, 0 where nobody can say. ``seen`` = ``in_step`` + ``hinted`` +
    records without a partner. ``applied``/``refused``: what became of writes meanwhile, in its lane. ``wait_until``: nothing
    happens before, for the reason in ``words``; ``waited`` seconds were spent so. ``version`` counts claims.
    """

    id: str
    started: datetime
    lane: Lane = Lane.BULK
    since: datetime | None = None
    phase: ResyncPhase = ResyncPhase.REFRESH
    positions: Mapping[str, str | None] = defaulted(default_factory=lambda: NOTHING)
    total: int = 0
    seen: int = 0
    in_step: int = 0
    hinted: int = 0
    updated: datetime | None = None
    waited: float = 0.0
    ended: datetime | None = None
    wait_until: datetime | None = None
    words: str = ""
    paused: bool = False
    applied: int = 0
    refused: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Records taken from one lane and leased together.

    ``id`` names the lease's owner. ``deaths``: batches that died with the record.
    """

    id: str
    lane: Lane
    hints: tuple[Hint, ...]
    alone: bool = False
    deaths: Mapping[Ref, int] = defaulted(default_factory=dict)

    @property
    def refs(self) -> frozenset[Ref]:
        return frozenset(hint.ref for hint in self.hints)


@dataclass(frozen=True, slots=True)
class LaneState:
    """What stands in one lane: records waiting, those due now, and the age in seconds of the oldest due one."""

    waiting: int
    due: int
    oldest_due: float


@dataclass(frozen=True, slots=True)
class Token:
    """An OAuth access token, the instance it belongs to, and its scopes where the login said them and nobody forgot."""

    access_token: str = defaulted(repr=False)
    instance_url: str
    scopes: frozenset[str] | None = defaulted(default=None, compare=False)


class ImportStep(StrEnum):
    """How far an import job is.

    FORMED: its rows are fixed, and nothing that could run exists at the vendor. SUBMITTING: everything is uploaded to the
    import ``vendor_id``; whether it was told to run cannot be told. RUNNING: it was. LAGGING: it ended; reads may not show
    it yet. DISSOLVING: it will not be, its rows are written singly. OVER: its pairs are free again.
    """

    FORMED = "formed"
    SUBMITTING = "submitting"
    RUNNING = "running"
    LAGGING = "lagging"
    DISSOLVING = "dissolving"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class ImportJob:
    """Many writes to prospects that go by one import. ``due``: when to look at it next; ``tries``: how often it was asked.

    ``version`` counts writes to this row: who saves an older one comes too late.
    """

    id: str
    formed: datetime
    step: ImportStep
    due: datetime
    vendor_id: str | None = None
    tries: int = 0
    rows: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One prospect's write on its way through an import. The values stand in the ledger, under ``intent_id``.

    ``group``: rows of different groups never share an import. ``job`` None: it waits for one. ``free_since``: the job is
    over, and when it ended; None before.
    """

    prospect_id: int
    intent_id: str
    group: str
    at: datetime
    job: str | None = None
    free_since: datetime | None = None

    @property
    def held(self) -> bool:
        """In an import that may still write."""
        return self.job is not None and self.free_since is None

    @property
    def waiting(self) -> bool:
        return self.job is None


@dataclass(frozen=True, slots=True)
class ImportPool:
    """The waiting rows of one group: how many, and when the first and the last of them came."""

    group: str
    rows: int
    oldest: datetime
    newest: datetime
