"""The words of the field as frozen values: prospect, person, pair, and what is known about when they changed.

Values are what the vendors' JSON held (text, bool, int, Decimal, list, None), under the vendors' own field names.
A mapped key that is absent from ``values`` is *unread*; None is *empty*. Instants are aware, in UTC, to the second.
A value that went through a store may come back as its decimal text instead of a Decimal; equality by type does not mind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any


class Side(StrEnum):
    """The two sides of a pair."""

    SALESFORCE = "salesforce"
    ACCOUNT_ENGAGEMENT = "account_engagement"

    @property
    def other(self) -> "Side":
        return Side.ACCOUNT_ENGAGEMENT if self is Side.SALESFORCE else Side.SALESFORCE


class PersonType(StrEnum):
    """The Salesforce objects a prospect can be paired with."""

    LEAD = "Lead"
    CONTACT = "Contact"


class RecordKind(StrEnum):
    """What a reference can name. Hints name prospects, leads and contacts.

    An address is leased, never hinted: two records with one address are one matter.

    An account never waits in the inbox: its contacts do. ``SERVICE`` is no record: the desk's name for a part of the
    product itself, such as one of its sources.
    """

    PROSPECT = "prospect"
    LEAD = "Lead"
    CONTACT = "Contact"
    ACCOUNT = "Account"
    SERVICE = "service"
    ADDRESS = "address"


class Lane(StrEnum):
    """The queues, most urgent first."""

    CONSENT = "consent"
    LIVE = "live"
    BULK = "bulk"


NOTHING: Mapping[str, Any] = MappingProxyType({})


def same_id(left: str | None, right: str | None) -> bool:
    """Tell whether two Salesforce ids name one record: the first 15 characters decide, case-sensitively."""
    return bool(left) and bool(right) and str(left)[:15] == str(right)[:15]


def id18(record_id: str) -> str:
    """Write a 15-character Salesforce id in its 18-character form; anything else is returned as it is."""
    if len(record_id) != 15 or not record_id.isalnum():  # e.g. "[[crm_deleted]]", a mark and no id
        return record_id
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    chunks = (record_id[start : start + 5] for start in (0, 5, 10))
    return record_id + "".join(
        alphabet[sum(1 << place for place, char in enumerate(chunk) if char.isascii() and char.isupper())]
        for chunk in chunks
    )


def to_second(instant: datetime) -> datetime:
    """Cut an aware instant to the second, in UTC.

    Raises:
        ValueError: the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant.isoformat()}")
    return instant.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The name of one record: its kind and id. Salesforce ids have 18 characters. Text form: ``Lead:00Q…``."""

    kind: RecordKind
    id: str

    @property
    def side(self) -> Side:
        return Side.ACCOUNT_ENGAGEMENT if self.kind is RecordKind.PROSPECT else Side.SALESFORCE

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Ref":
        """Read the text form.

        Raises:
            ValueError: no such kind, or no id.
        """
        kind, _, record_id = text.partition(":")
        if not record_id:
            raise ValueError(f"not a record reference: {text!r} (expected e.g. prospect:7 or Lead:00Q…)")
        as_written = kind in (RecordKind.PROSPECT, RecordKind.SERVICE)
        return cls(RecordKind(kind), record_id if as_written else id18(record_id))

    @classmethod
    def prospect(cls, prospect_id: int | str) -> "Ref":
        return cls(RecordKind.PROSPECT, str(prospect_id))

    @classmethod
    def address(cls, address: str) -> "Ref":
        """Name an e-mail address, whatever its case, by a digest: names stand in logs, addresses must not."""
        return cls(RecordKind.ADDRESS, sha256(address.strip().lower().encode("utf-8", "replace")).hexdigest()[:32])

    @classmethod
    def person(cls, person_type: PersonType, record_id: str) -> "Ref":
        return cls(RecordKind(person_type.value), id18(record_id))

    @classmethod
    def account(cls, record_id: str) -> "Ref":
        return cls(RecordKind.ACCOUNT, id18(record_id))

    @classmethod
    def service(cls, part: str) -> "Ref":
        return cls(RecordKind.SERVICE, part)


@dataclass(frozen=True, slots=True)
class Hint:
    """*This record may differ*: never what value it has. ``due`` None means now; ``origin`` is who said so, for the log."""

    ref: Ref
    lane: Lane = Lane.LIVE
    due: datetime | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One sighting of a record by a poll: its name, the vendor's modification stamp, and whether it is deleted."""

    ref: Ref
    stamp: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed stretch of time in which a change happened; a known instant has ``after == until``.

    ``first_seen`` marks a first observation: the value was there when we first looked, so it proves no order.
    """

    after: datetime
    until: datetime
    first_seen: bool = False

    @classmethod
    def at(cls, instant: datetime) -> "Interval":
        return cls(instant, instant)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a record was created or last modified, and by which user id; None where the API did not say."""

    at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Prospect:
    """A prospect as one API answer showed it."""

    id: int
    values: Mapping[str, Any]
    created: Stamp = Stamp()
    modified: Stamp = Stamp()
    deleted: bool = False

    @property
    def ref(self) -> Ref:
        return Ref.prospect(self.id)


@dataclass(frozen=True, slots=True)
class Person:
    """A lead or contact as one API answer showed it.

    ``has_account`` None: ``AccountId`` was not read. ``account_name`` None with an account: not read.
    ``converted_from``: creation stamp of the lead this contact was converted from. ``in_scope``: the object's filter
    includes the record (LC-7); true where there is no filter, and where nobody asked.
    """

    type: PersonType
    id: str
    values: Mapping[str, Any]
    created: Stamp = Stamp()
    modified: Stamp = Stamp()
    has_account: bool | None = None
    account_name: str | None = None
    converted_from: Stamp | None = None
    deleted: bool = False
    master_id: str | None = None
    converted_contact_id: str | None = None
    in_scope: bool = True

    @property
    def ref(self) -> Ref:
        return Ref.person(self.type, self.id)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One field-history row of a person: the field's name *on this person's type*, when, and whether it was our own write."""

    field: str
    at: datetime
    ours: bool


@dataclass(frozen=True, slots=True)
class Echo:
    """What we last wrote into a field, and how the other side stored it in answer to that."""

    written: Any
    stored: Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything beside the present values that a decision may rest on. Keys are prospect field names, unless said.

    ``history``: the person's rows, newest or not, in any order; None = not available (untracked, unreadable).
    ``history_since``: by *person* field: since when it is tracked; None = untracked; absent = since creation.
    ``prospect_times``: when each prospect field changed; absent = first seen, [created, updated].
    ``person_foreign``/``prospect_foreign``: the last foreign modification that is remembered.
    ``relinked``: this is the couple's first sync. ``unsynced``: fields that its first sync has not brought into step yet;
    there an empty side does not clear. ``pins``: a person's choice of side on the desk.
    """

    history: tuple[HistoryRow, ...] | None = None
    history_since: Mapping[str, datetime | None] = field(default_factory=lambda: NOTHING)
    prospect_times: Mapping[str, Interval] = field(default_factory=lambda: NOTHING)
    base: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    echo: Mapping[str, Echo] = field(default_factory=lambda: NOTHING)
    person_foreign: Interval | None = None
    prospect_foreign: Interval | None = None
    relinked: bool = False
    unsynced: frozenset[str] = frozenset()
    pins: Mapping[str, Side] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class ConnectorUsers:
    """The user ids under which the product itself writes."""

    salesforce_user_id: str
    account_engagement_user_id: int | str


@dataclass(frozen=True, slots=True)
class Pair:
    """One prospect, one person, and what is known about when each changed: the whole input of a decision."""

    prospect: Prospect
    person: Person
    evidence: Evidence
    connector: ConnectorUsers


@dataclass(frozen=True, slots=True)
class Decision:
    """What one rule says about one mapped field.

    ``winner`` None: nothing is written. ``value`` is the winner's value as read. ``guarded``: a newer value on the written
    side could have changed this decision. ``evidence`` is JSON-ready. ``origin``: when the winning value came about.
    """

    prospect_field: str
    person_field: str
    rule: str
    winner: Side | None
    value: Any = None
    guarded: bool = False
    evidence: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    origin: Interval | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A step that concerns the pair as a whole, e.g. EM-2 ``create_prospect``; ``details`` is JSON-ready."""

    rule: str
    action: str
    details: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something a person should know, in words; ``prospect_field`` None when it concerns the whole pair."""

    rule: str
    prospect_field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions about one pair, in the mapping's order, and the writes they come to.

    The changes hold values converted to the written side's types, under that side's field names.
    """

    decisions: tuple[Decision, ...]
    prospect_changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    person_changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    actions: tuple[Action, ...] = ()
    problems: tuple[Problem, ...] = ()
