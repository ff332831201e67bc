"""The plain oracle: from a dump of both orgs and the edits made since, what must each pair hold once the sync is quiet?

It is a second reading of the rules, made without the product: standard library only, nothing imported from it, and no
line of it learns how the product came to a value. Read it against the documented rules from top to bottom: values,
then who wins, then what one sync does, then the story of one field. Where the moment of a sync is not visible from
outside, it follows every possible moment and keeps all ends that are right ("either is right"); `open_questions` names
each such case. Out of its sight: merges, conversions, creations, deletions, echoes, EM-2 and people's pins.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from math import inf
from typing import Any

UNCERTAIN = 90
"""Seconds within which a change may or may not have been synced, or its time known only roughly (polls, AE's read lag)."""

AE, SF, NOBODY = "account_engagement", "salesforce", "nobody"
AE_ONLY = {"score", "grade", "campaignId"}  # PR-1
OWNER = {"userId", "salesforceOwnerId"}  # PR-2
CONSENT = {"optedOut", "isDoNotEmail", "isDoNotCall"}
NO_BASE = "(never agreed)"

Dump = Mapping[str, Any]
Edit = Mapping[str, Any]


# --- values: empty is None; equal is ==; what cannot be read equals nothing -------------------------------------------


@dataclass(frozen=True)
class Unreadable:
    """A value that is not of its mapped type: UNREAD, nothing is written."""

    raw: str


def read(raw: Any, kind: str) -> Any:
    """A raw value in the one form in which two equal values are `==`."""
    if (
        raw is None
        or raw == []
        or (isinstance(raw, str) and not raw.strip(" \t\r\n;" if kind == "multiselect" else None))
    ):
        return None
    try:
        return _READERS[kind](raw)
    except (ValueError, KeyError, InvalidOperation, AttributeError, TypeError):
        return Unreadable(repr(raw))


@lru_cache(maxsize=1 << 16)
def second(instant: str) -> int:
    """Seconds since the epoch, fractions cut."""
    return int(datetime.fromisoformat(re.sub(r"\.\d+", "", instant).replace("+0000", "+00:00")).timestamp() // 1)


def _text(raw: Any) -> str:
    return unicodedata.normalize("NFC", str(raw)).replace("\r\n", "\n").strip()


def _number(raw: Any) -> Decimal:
    number = Decimal(str(raw).strip())
    if not number.is_finite():
        raise ValueError(raw)
    return number


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "email": lambda raw: _text(raw).casefold(),
    "number": _number,
    "boolean": lambda raw: {"true": True, "false": False}[str(raw).lower()],
    "date": lambda raw: date.fromisoformat(raw.strip()),
    "datetime": second,
    "multiselect": lambda raw: frozenset(
        _text(c) for c in (raw.split(";") if isinstance(raw, str) else raw) if c.strip()
    ),
}


# --- one field of one pair --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """What the mapping says of one field on this person's type."""

    prospect: str
    person: str
    kind: str
    behavior: str
    tie: str
    without_history: str
    clears: str
    frozen: bool = False  # OO-2, or a contact without account (CO-2): never synced


@dataclass(frozen=True)
class World:
    """What may be the case at one moment: both values, the base, and what can be known of the times of change."""

    ae: Any
    sf: Any
    base: Any
    ae_from: float
    ae_until: float
    sf_at: float | None  # None: not tracked
    first_seen: bool = True
    slack: int = 0  # a change made live is observed up to so many seconds early or late


@dataclass(frozen=True)
class Records:
    """When people last modified either record; None: only the connector did, as far as anyone remembers."""

    ae: float | None
    sf: float | None
    slack: int = 0


@dataclass(frozen=True)
class Settings:
    """The mapping's `[connector]`, as far as it matters here."""

    blank: bool
    many_per_address: bool
    follow_email: bool
    skew: int


class NotPredictedError(Exception):
    """The rules lead out of what this oracle can see."""


# --- who wins ---------------------------------------------------------------------------------------------------------


def true_side(world: World) -> str:
    return AE if world.ae is True else SF


def tied(field: Field, world: World) -> set[str]:
    """TIE; where a clearing takes part the filled value beats it (CL-2)."""
    if world.ae is None or world.sf is None:
        return {SF if world.ae is None else AE}
    return {true_side(world) if field.tie == "restrictive" else field.tie}


def by_record(field: Field, world: World, records: Records, skew: int) -> set[str]:
    """RR-1, TIE."""
    if records.slack and records.ae == records.sf:
        return {AE, SF}  # two live edits within one second have no order
    if records.ae is None or records.sf is None or abs(records.sf - records.ae) <= skew:
        return tied(field, world)
    later = {SF if records.sf > records.ae else AE}
    near = abs(records.sf - records.ae) <= skew + records.slack
    return later | tied(field, world) if near else later


def unknown(field: Field, world: World, records: Records, skew: int) -> set[str]:
    """UNK, by the mapping's `without_history`; a hold stays a hold, and otherwise a filled value beats a clearing."""
    if field.without_history == "hold":
        return {NOBODY}
    if world.ae is None or world.sf is None:
        return tied(field, world)
    if field.without_history == "restrictive":
        return {true_side(world)}
    if field.without_history in (AE, SF):
        return {field.without_history}
    return by_record(field, world, records, skew)


def by_field(field: Field, world: World, records: Records, skew: int) -> set[str]:
    """RF-1: times first, then the base (one-sided change), then TIE or UNK."""
    sf_later = -inf if world.sf_at is None else world.sf_at - world.ae_until
    ae_later = -inf if world.sf_at is None else world.ae_from - world.sf_at
    if sf_later > skew + world.slack:
        return {SF}
    if ae_later > skew + world.slack:
        return {AE}
    if world.slack and world.sf_at == world.ae_until and world.base not in (world.ae, world.sf):
        return {AE, SF}  # two live edits within one second have no order
    perhaps_proved = {SF} if sf_later > skew else {AE} if ae_later > skew else set()
    if world.base != NO_BASE and (world.ae == world.base) != (world.sf == world.base):
        return perhaps_proved | {SF if world.ae == world.base else AE}
    if world.sf_at is None or world.first_seen:
        return perhaps_proved | unknown(field, world, records, skew)
    return perhaps_proved | tied(field, world)


def by_email(field: Field, world: World, settings: Settings) -> set[str]:
    """EM-1 to EM-3, one prospect per address."""
    if world.ae is None or world.sf is None:
        return {SF if world.ae is None else AE}
    if world.base == NO_BASE:
        sf_changed = world.sf_at is not None and world.sf_at - world.ae_until > settings.skew
    else:
        sf_changed = world.ae == world.base
    if not sf_changed:
        return {AE}
    if settings.follow_email:
        return {SF}
    raise NotPredictedError("EM-2: Salesforce's address changed, a new prospect is made")


def winners(field: Field, world: World, records: Records, settings: Settings) -> set[str]:
    """All sides that may rightly win this field now. The values differ and can be read."""
    filled = {SF if world.ae is None else AE} if world.ae is None or world.sf is None else None
    if field.prospect in AE_ONLY:  # PR-1
        return {NOBODY if world.ae is None else AE}
    if field.prospect in OWNER or field.person == "Account.Name":  # PR-2, CO-1
        return {NOBODY if world.sf is None else SF}
    if field.prospect == "email" and not settings.many_per_address:
        return by_email(field, world, settings)
    if field.behavior == "fill_blanks":  # FB-1, FB-2
        return filled or {NOBODY}
    clearing = filled and field.clears == "either" and world.base not in (NO_BASE, None)  # CL-2
    if filled and not clearing:
        blanks = field.clears == "salesforce" or (settings.blank and field.prospect != "email")
        if field.behavior == "use_salesforce" and world.sf is None and blanks:  # SF-3, CL-1
            # the first sync of a newly matched couple never clears; whether this one is new is not seen in a dump
            return {SF} if world.base != NO_BASE else {SF, AE}
        return filled  # AE-2, AE-3, SF-2, SF-4, RF-2, RR-2
    if field.behavior == "use_account_engagement":
        return {AE}
    if field.behavior == "use_salesforce":
        return {SF}
    decide = by_field if field.behavior == "most_recent_field" else by_record
    return decide(field, world, records, settings.skew)


# --- what one sync does, and the story of one field -------------------------------------------------------------------


def sync(field: Field, world: World, records: Records, settings: Settings) -> set[World]:
    """All states that one sync of this field may rightly leave."""
    if field.frozen or Unreadable in (type(world.ae), type(world.sf)):
        return {world}
    if world.ae == world.sf:
        return {replace(world, base=world.ae)}  # SAME
    after = set()
    for side in winners(field, world, records, settings):
        if side == AE:  # our own row in Salesforce's history is not foreign: sf_at stays
            after.add(replace(world, sf=world.ae, base=world.ae))
        elif side == SF:  # what the sync writes keeps its origin's time
            at = (-inf, inf) if world.sf_at is None else (world.sf_at, world.sf_at)
            after.add(
                replace(world, ae=world.sf, base=world.sf, ae_from=at[0], ae_until=at[1], first_seen=False, slack=0)
            )
        else:
            after.add(world)
    return after


@dataclass(frozen=True)
class Change:
    """One live edit by a person, of any field of the pair."""

    at: int
    side: str
    field: str
    value: Any


def edited(field: Field, world: World, change: Change, tracked: bool) -> World:
    """The world after a person's edit; an edit that changes nothing leaves no trace in the field."""
    if change.side == AE and change.field == field.prospect and change.value != world.ae:
        return replace(world, ae=change.value, ae_from=change.at, ae_until=change.at, first_seen=False, slack=UNCERTAIN)
    if change.side == SF and change.field == field.person and change.value != world.sf:
        return replace(world, sf=change.value, sf_at=change.at if tracked else None)
    return world


def modified(records: Records, change: Change) -> Records:
    """The record times after a person's edit of any of its fields."""
    if change.side == AE:
        return replace(records, ae=change.at, slack=UNCERTAIN)
    return replace(records, sf=change.at, slack=UNCERTAIN)


def story(
    field: Field, world: World, records: Records, changes: Sequence[Change], settings: Settings, *, agreed_first: bool
) -> set[World]:
    """All states in which this field may rightly be at the end. Between two edits a sync may or may not have run."""
    tracked = world.sf_at is not None
    worlds = {world}
    previous = None
    for change in changes:
        synced = {after for w in worlds for after in sync(field, w, records, settings)}
        surely = agreed_first if previous is None else change.at - previous > UNCERTAIN
        worlds = {edited(field, w, change, tracked) for w in (synced if surely else worlds | synced)}
        records, previous = modified(records, change), change.at
    return {after for w in worlds for after in sync(field, w, records, settings)}


# --- reading the dump -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldEnd:
    """The ends that are right for one field: (AE's value, Salesforce's value), usually one."""

    person_field: str
    kind: str
    right: frozenset[tuple[Any, Any]]


@dataclass(frozen=True)
class PairEnd:
    """What one pair must hold. `unpredicted` says why nothing is foretold; then there are no fields."""

    person_type: str
    person_id: str
    fields: Mapping[str, FieldEnd]
    unpredicted: str = ""


@dataclass(frozen=True)
class Reading:
    """A dump with its mapping and the connector's user ids."""

    dump: Dump
    mapping: Mapping[str, Any]
    connector: Mapping[str, Any]
    untracked: Collection[tuple[str, str]]

    def fields(self, person_type: str, person: Mapping[str, Any]) -> Iterator[Field]:
        """The mapped fields of this person's type, with the mapping's defaults filled in."""
        for row in self.mapping["field"]:
            name, kind = row["prospect"], row.get("type", "text")
            person_field, frozen = row.get(person_type.lower()), False
            if name == "company" and person_type == "Contact":
                person_field, frozen = "Account.Name", not person.get("AccountId")  # CO-1, CO-2
            if person_field is None:
                continue
            behavior = row.get("behavior", "use_account_engagement")
            without_history = row.get("without_history", "restrictive" if name in CONSENT else "record")
            if name == "optedOut":
                without_history = "restrictive"
                frozen = behavior == "most_recent_field" and (person_type, person_field) in self.untracked  # OO-2
            tie = row.get("tie", "restrictive" if name in CONSENT else SF)
            yield Field(name, person_field, kind, behavior, tie, without_history, row.get("clears", ""), frozen)

    def ae_value(self, field: Field, raw: Any) -> Any:
        """AE's value, under its own name of it where the mapping has a value map."""
        if field.prospect in OWNER:
            return None if raw is None else str(raw)[:15]
        return read(str(raw) if self._map(field) and raw is not None else raw, field.kind)

    def sf_value(self, field: Field, raw: Any) -> Any:
        """Salesforce's value, under AE's name of it where the mapping has a value map or it is a user."""
        if field.prospect in OWNER:
            users = {key[:15]: str(value) for key, value in self.mapping.get("users", {}).items()}
            ae_user = users.get(str(raw)[:15])  # PR-2: a queue or an unmapped user is as good as none
            return str(raw)[:15] if ae_user and field.prospect == "salesforceOwnerId" else ae_user
        names = {read(sf, field.kind): ae for ae, sf in self._map(field).items()}
        value = read(raw, field.kind)
        return read(names[value], field.kind) if value in names else value

    def _map(self, field: Field) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.mapping.get("values", {}).get(field.prospect, {})
        return found

    def raw(self, field: Field, person: Mapping[str, Any]) -> Any:
        """The person's raw value; a contact's company is the name of its account."""
        if field.person != "Account.Name":
            return person.get(field.person)
        return self._account_names.get(str(person.get("AccountId"))[:15])

    @cached_property
    def _account_names(self) -> Mapping[str, Any]:
        return {a["Id"][:15]: a["Name"] for a in self.dump["salesforce"]["records"].get("Account", ())}

    def ours(self, user: Any, side: str) -> bool:
        """Whether this user id (or name) is the connector's."""
        if side == AE:
            return str(user) in (str(self.connector["account_engagement_user_id"]), "connector")
        return str(user)[:15] in (self.connector["salesforce_user_id"][:15], "connector")

    def start(self, field: Field, prospect: Dump, kind: str, person: Dump, rows: Sequence[Dump]) -> World:
        """The world before the first sync: no base, AE first seen in [createdAt, updatedAt]."""
        foreign = [second(r["CreatedDate"]) for r in rows if r["Field"] == field.person]
        created = -inf if self.ours(person["CreatedById"], SF) else second(person["CreatedDate"])
        if field.prospect == "email" and not self.mapping.get("connector", {}).get(
            "multiple_prospects_per_email", False
        ):
            created = -inf  # EM-2 and EM-3 without a base go by a history row alone
        sf_at: float | None = max(foreign, default=created)
        if (kind, field.person) in self.untracked:
            sf_at = None
        ae, sf = self.ae_value(field, prospect.get(field.prospect)), self.sf_value(field, self.raw(field, person))
        return World(ae, sf, NO_BASE, second(prospect["createdAt"]), second(prospect["updatedAt"]), sf_at)

    def records(self, prospect: Dump, person: Dump) -> Records:
        """When people last modified either record, as the stamps tell."""
        ae = None if self.ours(prospect["updatedById"], AE) else second(prospect["updatedAt"])
        sf = None if self.ours(person["LastModifiedById"], SF) else second(person["LastModifiedDate"])
        return Records(ae, sf)


def _people(dump: Dump) -> dict[str, tuple[str, Dump]]:
    records = dump["salesforce"]["records"]
    return {p["Id"][:15]: (kind, p) for kind in ("Lead", "Contact") for p in records.get(kind, ())}


def _prospects(dump: Dump) -> dict[int, Dump]:
    return {int(p["id"]): p for p in dump["account_engagement"]["prospects"]}


def _foreign_rows(reading: Reading) -> dict[str, list[Dump]]:
    rows: dict[str, list[Dump]] = {}
    for kind in ("Lead", "Contact"):
        for row in reading.dump["salesforce"].get("history", {}).get(kind, ()):
            if not reading.ours(row["CreatedById"], SF):
                rows.setdefault(row[f"{kind}Id"][:15], []).append(row)
    return rows


def _edits_by_record(reading: Reading, edits: Iterable[Edit]) -> dict[tuple[str, str], list[Edit]]:
    by_record: dict[tuple[str, str], list[Edit]] = {}
    for edit in edits:
        if not reading.ours(edit["user"], edit["side"]):
            by_record.setdefault((edit["side"], str(edit["record_id"])[:15]), []).append(edit)
    return by_record


def expected(
    before: Dump,
    edits: Iterable[Edit],
    mapping: Mapping[str, Any],
    *,
    connector: Mapping[str, Any],
    untracked: Collection[tuple[str, str]] = (),
    agreed_first: bool = True,
) -> dict[int, PairEnd]:
    """What every linked pair must hold once the sync is quiet, by prospect id.

    Args:
        before: the dump of both orgs taken before the sync started.
        edits: each person's edit since, with side, record_id, field (that side's name), value, at and user. Edits by
            the connector are left out.
        mapping: the mapping file as parsed.
        connector: `salesforce_user_id` and `account_engagement_user_id`, as the sandbox prints them.
        untracked: (object, field) couples without field history.
        agreed_first: whether the first sync was over before the first edit; False: it may have been or not.
    """
    reading = Reading(before, mapping, connector, untracked)
    switches = mapping.get("connector", {})
    settings = Settings(
        blank=switches.get("allow_blank_salesforce", False),
        many_per_address=switches.get("multiple_prospects_per_email", False),
        follow_email=switches.get("follow_salesforce_email", False),
        skew=switches.get("skew_margin", 0),
    )
    people, rows, by_record = _people(before), _foreign_rows(reading), _edits_by_record(reading, edits)
    ends = {}
    for prospect_id, prospect in _prospects(before).items():
        kind, person = people.get(str(prospect.get("salesforceId"))[:15], ("", {}))
        if not person or prospect.get("isDeleted") or person.get("IsDeleted"):
            continue  # not a pair
        mine = by_record.get((AE, str(prospect_id)), []) + by_record.get((SF, person["Id"][:15]), [])
        mine.sort(key=lambda e: datetime.fromisoformat(e["at"]))
        found: dict[str, FieldEnd] = {}
        unpredicted = ""
        for field in reading.fields(kind, person):
            changes = [
                Change(
                    second(e["at"]),
                    e["side"],
                    e["field"],
                    (reading.ae_value if e["side"] == AE else reading.sf_value)(field, e["value"])
                    if e["field"] == (field.prospect if e["side"] == AE else field.person)
                    else None,
                )
                for e in mine
            ]
            world = reading.start(field, prospect, kind, person, rows.get(person["Id"][:15], []))
            try:
                worlds = story(
                    field, world, reading.records(prospect, person), changes, settings, agreed_first=agreed_first
                )
            except NotPredictedError as reason:
                unpredicted = str(reason)
                break
            found[field.prospect] = FieldEnd(field.person, field.kind, frozenset((w.ae, w.sf) for w in worlds))
        ends[prospect_id] = PairEnd(kind, person["Id"], {} if unpredicted else found, unpredicted)
    return ends


def differences(
    before: Dump,
    after: Dump,
    edits: Iterable[Edit],
    mapping: Mapping[str, Any],
    *,
    connector: Mapping[str, Any],
    untracked: Collection[tuple[str, str]] = (),
    agreed_first: bool = True,
) -> list[str]:
    """One sentence for everything in `after` that cannot be right; empty: every pair is as it must be."""
    ends = expected(before, edits, mapping, connector=connector, untracked=untracked, agreed_first=agreed_first)
    reading = Reading(after, mapping, connector, untracked)
    people, prospects = _people(after), _prospects(after)
    wrong = []
    for prospect_id, end in ends.items():
        prospect, (_, person) = prospects.get(prospect_id), people.get(end.person_id[:15], ("", {}))
        name = f"prospect {prospect_id} and {end.person_type} {end.person_id}"
        if end.unpredicted:
            wrong.append(f"{name}: not predicted by this oracle ({end.unpredicted}); keep it out of the data")
        elif not prospect or not person or prospect.get("isDeleted") or person.get("IsDeleted"):
            wrong.append(f"{name}: a record is gone, though nobody deleted it")
        elif str(prospect.get("salesforceId"))[:15] != end.person_id[:15]:
            wrong.append(
                f"{name}: the prospect is linked to {prospect.get('salesforceId')} now, though nobody moved it"
            )
        else:
            wrong += [f"{name}: {what}" for what in _wrong_fields(reading, end, prospect, person)]
    return wrong


def _wrong_fields(reading: Reading, end: PairEnd, prospect: Dump, person: Dump) -> Iterator[str]:
    for field in reading.fields(end.person_type, person):
        foretold = end.fields[field.prospect]
        raw_ae, raw_sf = prospect.get(field.prospect), reading.raw(field, person)
        if (reading.ae_value(field, raw_ae), reading.sf_value(field, raw_sf)) not in foretold.right:
            yield (
                f"{field.prospect}/{field.person} is {raw_ae!r} in Account Engagement and {raw_sf!r} in Salesforce; "
                f"right would be {_shown(foretold)} ({field.behavior})"
            )


def _shown(end: FieldEnd) -> str:
    both = (f"{ae!r} on both sides" if ae == sf else f"{ae!r} and {sf!r}" for ae, sf in end.right)
    return " or ".join(sorted(both))


def open_questions(ends: Mapping[int, PairEnd]) -> list[str]:
    """One sentence for every field where more than one end is right, and which; nothing is let pass in silence."""
    return [
        f"prospect {prospect_id} and {end.person_type} {end.person_id}: {name}: either is right: {_shown(field_end)}"
        for prospect_id, end in ends.items()
        for name, field_end in end.fields.items()
        if len(field_end.right) > 1
    ]
