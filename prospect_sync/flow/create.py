"""Create prospects and persons so that nothing is ever created twice (LN-3, LN-4, LN-5, EM-2).

An intent comes first. Where its answer is lost, nothing is created for that address until Account Engagement's reads have
caught up and a look-up by address, deleted ones included, has been made; Salesforce shows a new record at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from prospect_sync.errors import LeaseLost, Rejected, SyncError
from prospect_sync.flow.report import Report
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.shorten import cut_to_fit
from prospect_sync.flow.turns import Chore, carry_out, failed, later, linking
from prospect_sync.memory import (
    Batch,
    Cause,
    Couple,
    DeskItem,
    FieldChange,
    Intent,
    MirroredField,
    MirroredProspect,
    Outcome,
    Settled,
)
from prospect_sync.model import (
    Evidence,
    Hint,
    Interval,
    Pair,
    Person,
    PersonType,
    Plan,
    Prospect,
    RecordKind,
    Ref,
    Side,
    Stamp,
)
from prospect_sync.policy import resolve
from prospect_sync.policy.life import takes_part
from prospect_sync.ports import Created, Creation, Deadline

NOBODY = "new"
"""Id of a person that is to be created; the prospect to be created has the id 0."""
_DUPLICATE_ADDRESS = frozenset({"9", "54"})


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be created for a prospect (LN-3)."""

    prospect: MirroredProspect


@dataclass(frozen=True, slots=True)
class NewProspect:
    """A prospect to be created for a person (LN-4), or for a person whose address changed (EM-2: ``ended`` is over then)."""

    person: Person
    address: str
    rule: str
    ended: Couple | None = None
    old: MirroredProspect | None = None


def create_persons(
    runtime: Runtime, batch: Batch, fence: int, wanted: Sequence[NewPerson], deadline: Deadline, report: Report
) -> None:
    """Create the persons and link their prospects to them."""
    if not wanted:
        return
    wanted = _not_under_way(runtime, batch, wanted, report)
    if not wanted:
        return
    plans = {uuid4().hex: (one, _person_plan(runtime, one)) for one in wanted}
    runtime.ledger.intend([_person_intent(runtime, batch, fence, key, *plan) for key, plan in plans.items()])
    kind = runtime.mapping.connector.create_as
    external = runtime.mapping.connector.external_id
    creations = [
        Creation(key, RecordKind(kind.value), values, (external, str(one.prospect.id)) if external else None)
        for key, (one, values) in plans.items()
    ]
    links: list[Chore] = []
    waiting = dict(plans)
    try:
        for results in runtime.people(batch.lane).create(creations, deadline):
            for result in results:
                one, values = waiting.pop(result.creation.intent_id)
                chore = _person_made(runtime, batch, one, values, result, report)
                links.extend([chore] if chore else [])
    except LeaseLost as lost:
        _unsent(runtime, waiting, lost)
        raise
    carry_out(runtime, batch, fence, links, deadline, report)


def create_prospects(
    runtime: Runtime, batch: Batch, fence: int, wanted: Sequence[NewProspect], deadline: Deadline, report: Report
) -> None:
    """Create the prospects, each linked to its person from its first moment; what exists by now is linked instead."""
    ready = [one for one in wanted if _may_be_created(runtime, batch, fence, one, deadline, report)]
    if not ready:
        return
    plans = {uuid4().hex: (one, _prospect_plan(runtime, one)) for one in ready}
    runtime.ledger.intend([_prospect_intent(runtime, batch, fence, key, *plan) for key, plan in plans.items()])
    plans = _let_go(runtime, batch, fence, plans, deadline, report)
    if not plans:
        return
    creations = [
        Creation(
            key, RecordKind.PROSPECT, {**plan.prospect_changes, "email": one.address, "salesforceId": one.person.id}
        )
        for key, (one, plan) in plans.items()
    ]
    waiting = dict(plans)
    try:
        for results in runtime.prospects(batch.lane).create(creations, deadline):
            for result in results:
                one, plan = waiting.pop(result.creation.intent_id)
                _prospect_made(runtime, batch, fence, one, plan, result, report)
    except LeaseLost as lost:
        _unsent(runtime, waiting, lost)
        raise


# ------------------------------------------------------------------------------------------------------- persons


def _person_plan(runtime: Runtime, one: NewPerson) -> dict[str, Any]:
    """The values of a new person: what the rules let flow to an empty one, defaults for what stays empty, the owner."""
    kind = runtime.mapping.connector.create_as
    names = runtime.person_fields()[kind]
    values = {name: entry.value for name, entry in one.prospect.fields.items()}
    empty = Person(kind, "", dict.fromkeys(names), has_account=False)
    prospect = Prospect(one.prospect.id, values, one.prospect.created, one.prospect.modified)
    plan = _resolve(runtime, prospect, empty)
    defaults = {
        name: row.default
        for row in runtime.mapping.fields
        if row.default is not None and (name := row.person_field(kind)) and plan.person_changes.get(name) in (None, "")
    }
    filled = {name: value for name, value in plan.person_changes.items() if value is not None}
    return {**filled, **defaults, **_owner(runtime, values)}


def _owner(runtime: Runtime, values: Mapping[str, Any]) -> dict[str, str]:
    """The assigned user's Salesforce user becomes the owner, where the mapping knows that user."""
    assigned = str(values.get("assignedToId") or "")
    owner = next((sales for sales, user in runtime.mapping.users.items() if user == assigned), None)
    return {"OwnerId": owner} if owner else {}


def _person_intent(
    runtime: Runtime, batch: Batch, fence: int, key: str, one: NewPerson, values: Mapping[str, Any]
) -> Intent:
    person = Ref(RecordKind(runtime.mapping.connector.create_as.value), NOBODY)
    changes = _changes(_prospect_names(runtime), values, "LN-3")
    return _intent(runtime, batch, fence, key, one.prospect.id, person, Side.SALESFORCE, changes)


def _prospect_names(runtime: Runtime) -> dict[str, str]:
    kind = runtime.mapping.connector.create_as
    return {name: row.prospect for row in runtime.mapping.fields if (name := row.person_field(kind))}


def _not_under_way(runtime: Runtime, batch: Batch, wanted: Sequence[NewPerson], report: Report) -> Sequence[NewPerson]:
    """Leave out those of which an earlier creation may yet be committed; a person made by then is found by its address."""
    lost = [
        intent
        for intent in runtime.ledger.open([one.prospect.id for one in wanted])
        if intent.person.id == NOBODY and intent.side is Side.SALESFORCE
    ]
    now, under_way = runtime.clock.now(), runtime.tuning.under_way
    waiting = {intent.prospect_id: intent.at + under_way - now for intent in lost if intent.at + under_way > now}
    for prospect_id, wait in waiting.items():
        later(runtime, batch, prospect_id, report, wait.total_seconds())
    over = [intent for intent in lost if intent.prospect_id not in waiting]
    if over:
        runtime.ledger.settle([_outcome(runtime, intent.id, Settled.UNSENT) for intent in over])
    return [one for one in wanted if one.prospect.id not in waiting]


def settle_found_persons(runtime: Runtime, prospect_ids: Sequence[int]) -> None:
    """Prospects that found their person by address: what a dead worker meant to create did arrive."""
    found = [intent for intent in runtime.ledger.open(prospect_ids) if intent.person.id == NOBODY]
    if found:
        runtime.ledger.settle([_outcome(runtime, intent.id, Settled.APPLIED) for intent in found])


def _person_made(
    runtime: Runtime, batch: Batch, one: NewPerson, values: Mapping[str, Any], result: Created, report: Report
) -> Chore | None:
    prospect = Ref.prospect(one.prospect.id)
    if result.unknown:
        later(runtime, batch, one.prospect.id, report, 1.0)
        return None
    if result.id is None:
        _not_made(runtime, batch, prospect, "LN-3", result, report)
        return None
    runtime.ledger.settle([_outcome(runtime, result.creation.intent_id, Settled.APPLIED)])
    report.applied += 1
    person = Ref.person(PersonType(runtime.mapping.connector.create_as.value), result.id)
    names = _prospect_names(runtime)
    written = {names[name]: value for name, value in values.items() if name in names}
    chore = linking("LN-3", one.prospect, person)
    couple = replace(chore.then[-1], written=written, unconfirmed=frozenset(written))
    return replace(chore, then=(couple,))


# ------------------------------------------------------------------------------------------------------- prospects


def settle_found_prospects(runtime: Runtime, persons: Sequence[Ref]) -> None:
    """Persons that found their prospect: what a dead worker meant to create did arrive."""
    if not persons:
        return
    found = [intent for intent in runtime.ledger.open([0]) if intent.person in set(persons)]
    if found:
        runtime.ledger.settle([_outcome(runtime, intent.id, Settled.APPLIED) for intent in found])


def _may_be_created(
    runtime: Runtime, batch: Batch, fence: int, one: NewProspect, deadline: Deadline, report: Report
) -> bool:
    """Nothing is created for an address that somebody holds, or whose last creation was lost in the answer (LN-5)."""
    existing = [row for row in runtime.mirror.by_email([one.address]).get(one.address, ()) if takes_part(row)]
    if existing:
        _link_existing(runtime, batch, fence, one, existing, deadline, report)
        return False
    lost = [intent for intent in runtime.ledger.open([0]) if _address_of(intent) == one.address]
    if not lost:
        return True
    wait = max(intent.at for intent in lost) + runtime.tuning.whole_lag - runtime.clock.now()
    if wait > timedelta(0):
        _again(runtime, batch, one, report, wait.total_seconds())
        return False
    found = runtime.prospects(batch.lane).find([one.address], runtime.every_prospect_field()).get(one.address, ())
    settled = Settled.APPLIED if found else Settled.UNSENT
    runtime.ledger.settle([_outcome(runtime, intent.id, settled) for intent in lost])
    if found:  # the next poll mirrors it, and the person finds it by its address
        _again(runtime, batch, one, report, runtime.tuning.busy_retry)
    return not found


def _link_existing(
    runtime: Runtime,
    batch: Batch,
    fence: int,
    one: NewProspect,
    existing: Sequence[MirroredProspect],
    deadline: Deadline,
    report: Report,
) -> None:
    """The address has a prospect: it is linked if it is free (EM-2); if not, a person has to choose."""
    couples = runtime.couples.of([Ref.prospect(row.id) for row in existing])
    free = [
        row
        for row in existing
        if Ref.prospect(row.id) not in couples and (not row.salesforce_id or row.salesforce_id == one.person.id)
    ]
    if not free or one.old is None or one.ended is None:
        words = "the new address already belongs to a prospect of another pair"
        remedy = "Merge the two prospects, or correct one of the addresses."
        report.desk.append(DeskItem(Cause.CONFLICT, one.person.ref, words, rule=one.rule, remedy=remedy))
        return
    freed = Chore(one.rule, one.old, one.person.ref, (), "salesforceId", None)
    ended = replace(one.ended, ended=one.rule)
    link = linking(one.rule, free[0], one.person.ref)
    carry_out(runtime, batch, fence, [freed], deadline, report)
    carry_out(runtime, batch, fence, [replace(link, then=(ended, *link.then))], deadline, report)
    settle_found_prospects(runtime, [one.person.ref])


def _prospect_plan(runtime: Runtime, one: NewProspect) -> Plan:
    """What the rules let flow to an empty prospect."""
    empty = Prospect(0, dict.fromkeys(row.prospect for row in runtime.mapping.fields))
    return _resolve(runtime, empty, one.person)


def _prospect_intent(runtime: Runtime, batch: Batch, fence: int, key: str, one: NewProspect, plan: Plan) -> Intent:
    values = {**plan.prospect_changes, "email": one.address, "salesforceId": one.person.id}
    changes = _changes({name: name for name in values}, values, one.rule)
    return _intent(runtime, batch, fence, key, 0, one.person.ref, Side.ACCOUNT_ENGAGEMENT, changes)


def _address_of(intent: Intent) -> str:
    return next((str(change.after).lower() for change in intent.changes if change.field == "email"), "")


def _prospect_made(
    runtime: Runtime, batch: Batch, fence: int, one: NewProspect, plan: Plan, result: Created, report: Report
) -> None:
    if result.unknown:
        _again(runtime, batch, one, report, runtime.tuning.whole_lag.total_seconds())
        return
    if result.id is None and isinstance(result.error, Rejected) and result.error.code in _DUPLICATE_ADDRESS:
        # somebody made it a moment ago, and our reads do not show it yet
        runtime.ledger.settle([_outcome(runtime, result.creation.intent_id, Settled.REFUSED, result.error)])
        _again(runtime, batch, one, report, runtime.tuning.whole_lag.total_seconds())
        return
    if result.id is None:
        _not_made(runtime, batch, one.person.ref, one.rule, result, report)
        return
    prospect_id = int(result.id)
    runtime.mirror.put([_mirrored(runtime, prospect_id, plan, result)])
    couple = Couple(prospect_id, one.person.ref)
    ended = (replace(one.ended, ended=one.rule),) if one.ended is not None else ()
    runtime.couples.save([*ended, couple], fence)
    runtime.ledger.settle([_outcome(runtime, result.creation.intent_id, Settled.APPLIED)])
    report.applied += 1
    later(runtime, batch, prospect_id, report, 0.0)


def _mirrored(runtime: Runtime, prospect_id: int, plan: Plan, result: Created) -> MirroredProspect:
    """The new prospect as we know it: its values came from Salesforce and keep the times they have there."""
    at = result.modified.at or runtime.clock.now()
    us = str(runtime.connector.account_engagement_user_id)
    origins = {decision.prospect_field: decision.origin for decision in plan.decisions if decision.origin}
    values = {
        **dict.fromkeys(row.prospect for row in runtime.mapping.fields),
        **result.creation.values,
        "isDeleted": False,
    }
    fields = {
        name: MirroredField(value, origins.get(name, Interval.at(at)), at)
        for name, value in values.items()
        if name in runtime.prospect_types()
    }
    stamp = Stamp(at, us)
    email, person = str(result.creation.values["email"]), str(result.creation.values["salesforceId"])
    return MirroredProspect(prospect_id, fields, created=stamp, modified=stamp, email=email, salesforce_id=person)


def _let_go(
    runtime: Runtime,
    batch: Batch,
    fence: int,
    plans: dict[str, tuple[NewProspect, Plan]],
    deadline: Deadline,
    report: Report,
) -> dict[str, tuple[NewProspect, Plan]]:
    """One Salesforce id belongs to one prospect: the old one lets go first (EM-2). Gives the plans for which it did.

    The intents to create stand by now: they tell why a prospect of a living pair holds no id.
    """
    olds = {key: one.old for key, (one, _) in plans.items() if one.old is not None and one.old.salesforce_id}
    if not olds:
        return plans
    chores = [
        Chore(plans[key][0].rule, old, plans[key][0].person.ref, (), "salesforceId", None) for key, old in olds.items()
    ]
    carry_out(runtime, batch, fence, chores, deadline, report)
    now = runtime.mirror.get([old.id for old in olds.values()])
    stuck = {key for key, old in olds.items() if old.id in now and now[old.id].salesforce_id}
    if stuck:
        runtime.ledger.settle([_outcome(runtime, key, Settled.UNSENT) for key in stuck])
    return {key: plan for key, plan in plans.items() if key not in stuck}


# ------------------------------------------------------------------------------------------------------- both


def _resolve(runtime: Runtime, prospect: Prospect, person: Person) -> Plan:
    pair = Pair(prospect, person, Evidence(history=(), relinked=True), runtime.connector)
    return cut_to_fit(runtime, person.type, resolve(pair, runtime.mapping))


def _changes(names: Mapping[str, str], values: Mapping[str, Any], rule: str) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(names.get(name, name), name, None, value, rule) for name, value in values.items())


def _intent(
    runtime: Runtime,
    batch: Batch,
    fence: int,
    key: str,
    prospect_id: int,
    person: Ref,
    side: Side,
    changes: tuple[FieldChange, ...],
) -> Intent:
    now = runtime.clock.now()
    return Intent(key, now, batch.id, fence, prospect_id, person, side, changes, runtime.mapping.version)


def _outcome(runtime: Runtime, key: str, settled: Settled, error: SyncError | None = None) -> Outcome:
    words, code = (error.words, error.code) if error else ("", "")
    return Outcome(key, runtime.clock.now(), settled, words, code)


def _unsent(runtime: Runtime, waiting: Mapping[str, object], lost: LeaseLost) -> None:
    runtime.ledger.settle([_outcome(runtime, key, Settled.UNSENT, lost) for key in waiting])


def _not_made(runtime: Runtime, batch: Batch, ref: Ref, rule: str, result: Created, report: Report) -> None:
    error = result.error
    settled = Settled.REFUSED if isinstance(error, Rejected) else Settled.UNSENT
    runtime.ledger.settle([_outcome(runtime, result.creation.intent_id, settled, error)])
    report.refused += 1
    if error is not None:
        failed(runtime, batch, ref, rule, error, report)


def _again(runtime: Runtime, batch: Batch, one: NewProspect, report: Report, delay: float) -> None:
    due = runtime.clock.now() + timedelta(seconds=delay)
    report.again.append(Hint(one.person.ref, batch.lane, due, origin="again"))
