"""Examine a set-up: ask both orgs, the stores and the mapping, and say of each thing how it is and what to do about it.

Every question is asked on its own, so that one that fails hides no other. Nothing is changed, but by the probe, which a
person asks for by naming a record and a field.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from prospect_sync.errors import Misconfigured, SyncError, TryLater
from prospect_sync.flow.fitting import Misfit, PersonFields, ProspectFields, misfits
from prospect_sync.flow.guarding import IGNORED, KEPT
from prospect_sync.mapping import misgivings
from prospect_sync.model import ConnectorUsers, PersonType, Side, same_id
from prospect_sync.policy.behaviors import Behavior, FieldMapping, FieldType, Mapping
from prospect_sync.policy.field_table import ACCOUNT_NAME
from prospect_sync.ports import (
    AccountEngagementLook,
    DatabaseFacts,
    Descriptions,
    FieldFacts,
    FieldHistory,
    LoginFacts,
    ProbeFacts,
    RedisFacts,
    SalesforceLook,
)

Told = TypeVar("Told")

_SKEW_TOLD, _SKEW_WRONG = timedelta(seconds=5), timedelta(seconds=60)
_RECENT = timedelta(hours=24)
_SCARCE = 0.8
_OLDEST_REDIS = (6, 2)
_NAMES = {Side.SALESFORCE: "Salesforce", Side.ACCOUNT_ENGAGEMENT: "Account Engagement"}


class State(StrEnum):
    """How a thing is; ``unchecked`` is no judgement."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``remedy`` says what to do, empty where nothing is to be done."""

    area: str
    subject: str
    state: State
    words: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """Everything there is to look at, each part reached only when asked.

    ``missing``: settings that are empty and needed. ``may_follow``: whether a topic of change events may be followed; None
    where the poller is the source. ``conditional``: what an earlier probe of Composite's preconditions found, if any;
    ``concluded`` is told what this one found.
    """

    missing: Sequence[str]
    mapping: Mapping
    connector: ConnectorUsers
    api_version: str
    now: datetime
    salesforce: SalesforceLook
    engagement: AccountEngagementLook
    described: Descriptions
    history: FieldHistory
    redis: Callable[[], RedisFacts]
    database: Callable[[], DatabaseFacts]
    spent: Callable[[Side], tuple[int, int | None]]
    may_follow: Callable[[str], bool] | None = None
    topics: Sequence[str] = ()
    conditional: str | None = None
    probe: tuple[str, str] | None = None
    concluded: Callable[[ProbeFacts], None] = lambda _: None


def examine(patient: Patient) -> list[Finding]:
    """Look at everything. Raises nothing that a vendor or a store could cause."""
    findings = [*_settings(patient), *_mapping(patient), *_stores(patient)]
    if patient.missing:
        unasked = "not asked: settings are missing"
        return [*findings, *(Finding(name, "access", State.UNCHECKED, unasked) for name in _NAMES.values())]
    salesforce, skews = [*_login(patient)], dict[Side, timedelta]()
    findings += salesforce
    reached = all(one.state is not State.WRONG or one.subject != "login" for one in salesforce)
    if not reached:
        words = "not asked: the token comes from Salesforce, and there is none"
        return [*findings, Finding("Account Engagement", "access", State.UNCHECKED, words)]
    findings += [*_versions(patient), *_clock(Side.SALESFORCE, patient.salesforce.clock, skews)]
    engagement = [*_clock(Side.ACCOUNT_ENGAGEMENT, patient.engagement.clock, skews)]
    findings += engagement
    entered = Side.ACCOUNT_ENGAGEMENT in skews
    if entered:
        findings += [*_user(patient), *_both_clocks(patient, skews)]
    findings += _fields(patient, entered=entered)
    findings += [*_tracking(patient), *_events(patient)]
    if entered:
        findings += _native(patient)
    return [*findings, *_guarding(patient), *_budgets(patient)]


def gravest(findings: Sequence[Finding]) -> State:
    """Give the worst state among findings; unchecked things do not count."""
    order = (State.WRONG, State.WARNING)
    return next((state for state in order if any(one.state is state for one in findings)), State.OK)


# ------------------------------------------------------------------------------------------------ ourselves


def _settings(patient: Patient) -> Iterator[Finding]:
    for name in patient.missing:
        variable = "PROSPECT_SYNC_" + name.upper().replace(".", "__")
        yield Finding("settings", name, State.WRONG, "is empty", f"Set {variable}.")
    if not patient.missing:
        yield Finding("settings", "all", State.OK, "complete")


def _mapping(patient: Patient) -> Iterator[Finding]:
    mapping = patient.mapping
    words = f"{len(mapping.fields)} fields, version {mapping.version}"
    yield Finding("mapping", "file", State.OK, words)
    for found in misgivings(mapping):
        place = f"line {found.line}" if found.line else "file"
        yield Finding("mapping", place, State.WARNING, f"{found.key} {found.message}", "Correct the mapping.")


def _stores(patient: Patient) -> Iterator[Finding]:
    redis = _ask(patient.redis)
    if isinstance(redis, SyncError):
        yield Finding("stores", "Redis", State.WRONG, redis.words, "Start it, or set REDIS_URL.")
    else:
        yield from _redis(redis)
    database = _ask(patient.database)
    if isinstance(database, SyncError):
        yield Finding("stores", "database", State.WRONG, database.words, "Set DATABASE_URL to one that can be reached.")
    elif database.revision == database.needed:
        yield Finding("stores", "database", State.OK, f"{database.kind}, schema {database.revision}")
    else:
        words = f"{database.kind}, schema {database.revision or 'not there yet'}; this version needs {database.needed}"
        yield Finding(
            "stores", "database", State.WARNING, words, "Nothing: the worker brings it up to date when it starts."
        )


def _redis(facts: RedisFacts) -> Iterator[Finding]:
    version = tuple(int(part) for part in facts.version.split(".")[:2] if part.isdigit())
    if version < _OLDEST_REDIS:
        yield Finding("stores", "Redis", State.WRONG, f"version {facts.version}", "Use 6.2 or newer.")
    else:
        yield Finding("stores", "Redis", State.OK, f"version {facts.version}")
    if not facts.appends:
        words = "keeps no append-only file: after a crash both sides are swept again"
        yield Finding("stores", "Redis persistence", State.WARNING, words, "Set `appendonly yes`.")
    if facts.eviction not in {"noeviction", ""}:
        words = f"drops keys when memory is short ({facts.eviction}): hints and leases would vanish"
        yield Finding("stores", "Redis memory", State.WRONG, words, "Set `maxmemory-policy noeviction`.")


# ------------------------------------------------------------------------------------------------ getting in


def _login(patient: Patient) -> Iterator[Finding]:
    told = _ask(patient.salesforce.login)
    if isinstance(told, SyncError):
        remedy = (
            "Try again later."
            if isinstance(told, TryLater)
            else "Check client id, secret or key, and the login address (My Domain for client credentials)."
        )
        yield Finding("Salesforce", "login", State.WRONG, _words(told), remedy)
        return
    yield Finding("Salesforce", "login", State.OK, f"as {told.username or told.user_id}")
    yield from _scopes(told)
    if not same_id(told.user_id, patient.connector.salesforce_user_id):
        words = f"the token is {told.user_id}'s, and the settings name {patient.connector.salesforce_user_id}"
        remedy = "Set salesforce.user_id to the connector user: by it our own writes are told from other people's."
        yield Finding("Salesforce", "connector user", State.WRONG, words, remedy)


def _scopes(told: LoginFacts) -> Iterator[Finding]:
    if told.scopes is None:
        yield Finding("Salesforce", "scopes", State.UNCHECKED, "the login did not say which scopes it gave")
    elif not told.scopes & {"pardot_api", "full"}:
        words = f"pardot_api is not among them: {' '.join(sorted(told.scopes))}"
        yield Finding("Salesforce", "scopes", State.WRONG, words, "Add pardot_api to the External Client App's scopes.")
    else:
        yield Finding("Salesforce", "scopes", State.OK, " ".join(sorted(told.scopes)))


def _versions(patient: Patient) -> Iterator[Finding]:
    told = _ask(patient.salesforce.versions)
    if isinstance(told, SyncError):
        yield Finding("Salesforce", "API version", State.UNCHECKED, _words(told))
    elif patient.api_version in told:
        yield Finding("Salesforce", "API version", State.OK, patient.api_version)
    else:
        newest = max(told, key=_number, default="none")
        words = f"{patient.api_version} is not spoken there; the newest is {newest}"
        yield Finding("Salesforce", "API version", State.WRONG, words, f"Set salesforce.api_version to {newest}.")


def _clock(side: Side, ask: Callable[[], timedelta], skews: dict[Side, timedelta]) -> Iterator[Finding]:
    name = _NAMES[side]
    told = _ask(ask)
    if isinstance(told, SyncError):
        remedy = (
            "Check the business unit's id, the address (pi.demo.pardot.com for sandboxes), the scope pardot_api, and "
            "that the connector user is a user of the business unit."
            if side is Side.ACCOUNT_ENGAGEMENT and isinstance(told, Misconfigured)
            else "Try again later."
        )
        subject = "access" if side is Side.ACCOUNT_ENGAGEMENT else "clock"
        yield Finding(name, subject, State.WRONG, _words(told), remedy)
        return
    skews[side] = told
    if side is Side.ACCOUNT_ENGAGEMENT:
        yield Finding(name, "access", State.OK, "the business unit answers")
    ahead = f"{abs(told.total_seconds()):.0f} s {'behind' if told < timedelta() else 'ahead of'} ours"
    state = State.OK if abs(told) <= _SKEW_TOLD else State.WARNING if abs(told) <= _SKEW_WRONG else State.WRONG
    remedy = "" if state is State.OK else "Keep this machine's clock by NTP; logins and leases rest on it."
    yield Finding(name, "clock", state, ahead, remedy)


def _both_clocks(patient: Patient, skews: dict[Side, timedelta]) -> Iterator[Finding]:
    """What the later change is, is told by two clocks: they may differ by no more than the mapping allows for."""
    if len(skews) < len(Side) or not _contests(patient.mapping):
        return
    apart = abs(skews[Side.SALESFORCE] - skews[Side.ACCOUNT_ENGAGEMENT]).total_seconds()
    margin = float(patient.mapping.connector.skew_margin)
    if apart > max(margin, 2.0):
        words = f"they differ by about {apart:.0f} s, and skew_margin is {margin:g} s"
        yield Finding("mapping", "both clocks", State.WARNING, words, f"Set skew_margin to {apart + 1:.0f}.")


def _user(patient: Patient) -> Iterator[Finding]:
    ours = patient.connector
    told = _ask(lambda: patient.engagement.salesforce_user(ours.account_engagement_user_id))
    name = _NAMES[Side.ACCOUNT_ENGAGEMENT]
    if isinstance(told, SyncError):
        words = f"user {ours.account_engagement_user_id} cannot be read: {_words(told)}"
        remedy = "Set account_engagement.user_id to the connector user's id there, and let it read users."
        yield Finding(name, "connector user", State.WARNING, words, remedy)
    elif told is not None and not same_id(told, ours.salesforce_user_id):
        words = f"user {ours.account_engagement_user_id} belongs to {told}, not to {ours.salesforce_user_id}"
        remedy = "Set account_engagement.user_id to the connector user's id: by it our own writes are recognised."
        yield Finding(name, "connector user", State.WRONG, words, remedy)
    else:
        yield Finding(name, "connector user", State.OK, f"user {ours.account_engagement_user_id}")


# ------------------------------------------------------------------------------------------------ fields


def _fields(patient: Patient, *, entered: bool) -> Iterator[Finding]:
    people = _ask(patient.described.people)
    if isinstance(people, SyncError):
        yield Finding("fields", "Lead, Contact", State.WRONG, _words(people), "Give the connector user access to both.")
        people = {}
    prospects = _ask(patient.described.prospects) if entered else None
    if isinstance(prospects, SyncError):
        remedy = "Let the connector user read custom fields."
        yield Finding("fields", "custom fields", State.WARNING, _words(prospects), remedy)
        prospects = None
    found: dict[str, list[Misfit]] = {}
    for misfit in misfits(patient.mapping, people, prospects or _assumed(patient.mapping)):
        found.setdefault(misfit.prospect_field, []).append(misfit)
    refused = _refused(patient, prospects) if prospects else {}
    if isinstance(refused, SyncError):
        yield Finding("fields", "prospects", State.WRONG, _words(refused), "Let the connector user read prospects.")
        refused = {}
    for row in patient.mapping.fields:
        wrong = found.get(row.prospect, [])
        for misfit in wrong:
            state = State.WRONG if misfit.grave else State.WARNING
            yield Finding("fields", row.prospect, state, misfit.words, misfit.remedy)
        if row.prospect in refused and not wrong:
            remedy = "Correct the name in the mapping, or let the connector user see the field."
            yield Finding("fields", row.prospect, State.WRONG, refused[row.prospect], remedy)
        elif not wrong:
            yield Finding("fields", row.prospect, State.OK, _fit(row, people))


def _assumed(mapping: Mapping) -> ProspectFields:
    """Where the custom fields could not be read, they are taken as mapped."""
    return {row.prospect: FieldFacts(row.prospect, row.type.value, frozenset(FieldType)) for row in mapping.fields}


def _refused(patient: Patient, prospects: ProspectFields) -> MappingOf[str, str] | SyncError:
    wanted = [
        row.prospect
        for row in patient.mapping.fields
        if row.type is not FieldType.MULTISELECT and row.prospect in prospects
    ]
    return _ask(lambda: patient.engagement.unreadable(wanted))


def _fit(row: FieldMapping, people: PersonFields) -> str:
    sides = []
    for kind in PersonType:
        name = row.person_field(kind)
        facts = people.get(kind, {}).get((name or "").lower())
        if name is not None:
            size = f" ({facts.length})" if facts is not None and facts.length else ""
            sides.append(f"{kind.value}.{name}{size}" if name != ACCOUNT_NAME else name)
    return f"{row.type.value}: {', '.join(sides)}"


def _contests(mapping: Mapping) -> bool:
    return any(row.behavior in {Behavior.MOST_RECENT_FIELD, Behavior.MOST_RECENT_RECORD} for row in mapping.fields)


def _tracking(patient: Patient) -> Iterator[Finding]:
    rows = [row for row in patient.mapping.fields if row.behavior is Behavior.MOST_RECENT_FIELD]
    if not rows:
        return
    tracked = _ask(patient.history.tracked)
    if isinstance(tracked, SyncError):
        yield Finding("history", "tracking", State.WARNING, _words(tracked), "Let the connector user read history.")
        return
    for row in rows:
        names = {kind: name for kind in PersonType if (name := row.person_field(kind))}
        lacking = [f"{kind.value}.{name}" for kind, name in names.items() if name not in (tracked.get(kind) or ())]
        if row.prospect == "optedOut":
            yield _opted_out(lacking, names)
        elif lacking:
            words = (
                f"no readable history of {', '.join(lacking)}: without_history = {row.without_history.value} decides"
            )
            remedy = "Switch on field history tracking there, and give the connector user Read on the field."
            yield Finding("history", row.prospect, State.WARNING, words, remedy)
        else:
            yield Finding("history", row.prospect, State.OK, "tracked and readable")


def _opted_out(lacking: Sequence[str], names: dict[PersonType, str]) -> Finding:
    """OO-2: a later opt-out can only be told by history, and on both objects."""
    unmapped = [kind.value for kind in PersonType if kind not in names]
    if not lacking and not unmapped:
        return Finding("history", "optedOut", State.OK, "OO-2: tracked and readable on Lead and Contact")
    parts = [f"no readable history of {', '.join(lacking)}"] if lacking else []
    parts += [f"not mapped on {', '.join(unmapped)}"] if unmapped else []
    words = f"OO-2: Opted Out is not synced by most_recent_field: {'; '.join(parts)}"
    remedy = (
        "Switch on field history tracking for the opt-out field on Lead and on Contact, and give the connector user Read "
        'on both; or set the behavior to "use_account_engagement".'
    )
    return Finding("history", "optedOut", State.WRONG, words, remedy)


# ------------------------------------------------------------------------------------------------ the rest


def _events(patient: Patient) -> Iterator[Finding]:
    if patient.may_follow is None:
        yield Finding("change events", "source", State.OK, "the poller is the source; change events are not used")
        return
    may_follow = patient.may_follow
    for topic in patient.topics:
        told = _ask(lambda topic=topic: may_follow(topic))  # type: ignore[misc]  # bound now, called now
        if told is True:
            yield Finding("change events", topic, State.OK, "may be followed")
            continue
        words = _words(told) if isinstance(told, SyncError) else "may not be followed by the connector user"
        optional = "Account" in topic
        remedy = (
            "Select the object in Setup > Change Data Capture, and give the connector user View All Records on it; "
            'or set events.source to "poll".'
        )
        yield Finding("change events", topic, State.WARNING if optional else State.WRONG, words, remedy)


def _native(patient: Patient) -> Iterator[Finding]:
    told = _ask(patient.engagement.native_syncs)
    if isinstance(told, SyncError):
        yield Finding("native connector", "activity", State.UNCHECKED, _words(told))
        return
    recent = [at for at in told if patient.now - at <= _RECENT]
    if not recent:
        yield Finding("native connector", "activity", State.OK, "no sign of it in the last 24 hours")
        return
    words = (
        f"looks as if the native connector is running on this business unit: it synced {len(recent)} of the 200 prospects "
        f"changed last within 24 hours, the last one at {recent[-1].isoformat()}"
    )
    yield Finding(
        "native connector", "activity", State.WARNING, words, "Pause it: two syncs on one unit fight each other."
    )


def _guarding(patient: Patient) -> Iterator[Finding]:
    subject = "If-Unmodified-Since in a Composite"
    if patient.probe is None:
        told = {KEPT: "kept, as probed before: 25 guarded writes a call", IGNORED: _SINGLY}
        words = told.get(patient.conditional or "", "not probed; taken as kept. Ask with --probe-conditional-writes")
        state = {KEPT: State.OK, IGNORED: State.WARNING}.get(patient.conditional or "", State.UNCHECKED)
        yield Finding("guarded writes", subject, state, words)
        return
    probe = patient.probe
    found = _ask(lambda: patient.salesforce.probe(*probe))
    if isinstance(found, SyncError):
        yield Finding(
            "guarded writes", subject, State.WARNING, _words(found), "Name a lead or contact, and a text field."
        )
    else:
        patient.concluded(found)
        yield _probed(subject, found)


_SINGLY = "ignored by this org: guarded writes go singly, one call each"


def _probed(subject: str, found: ProbeFacts) -> Finding:
    if found.composite:
        return Finding("guarded writes", subject, State.OK, "kept: 25 guarded writes a call")
    if found.singly:
        return Finding("guarded writes", subject, State.WARNING, _SINGLY, "Nothing; it costs more calls.")
    words = "ignored, in a Composite and in a call of its own: a newer value may be overwritten"
    remedy = "Ask Salesforce; until then use behaviors that do not go by time."
    return Finding("guarded writes", subject, State.WRONG, words, remedy)


def _budgets(patient: Patient) -> Iterator[Finding]:
    for side, name in _NAMES.items():
        used, limit = patient.spent(side)
        if limit is None:
            yield Finding(name, "calls today", State.UNCHECKED, f"{used} used; the limit is not known yet")
            continue
        share = used / limit if limit else 1.0
        state = State.WRONG if share >= 1 else State.WARNING if share >= _SCARCE else State.OK
        remedy = "" if state is State.OK else "Poll less often, or raise the limit; bulk work waits for the next day."
        yield Finding(name, "calls today", state, f"{used:,} of {limit:,} used", remedy)


def _ask(question: Callable[[], Told]) -> Told | SyncError:
    try:
        return question()
    except SyncError as error:
        return error


def _words(error: SyncError) -> str:
    return f"{error.words} ({error.code})" if error.code else error.words


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
