"""Read both sides of the assembled pairs, gather the evidence their decisions need, and resolve each into a plan.

Two vendor calls a batch: one for the people, one for history, the second only where a decision asks for it; a third
where history looks younger than the people.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prospect_sync.flow.import_holds import open_intents
from prospect_sync.flow.pairing import Assembly, Coupled
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.settle import settle
from prospect_sync.flow.shorten import cut_to_fit
from prospect_sync.flow.turns import chores_of
from prospect_sync.memory import Batch, Cause, Couple, DeskItem, FieldChange, Intent, MirroredProspect, Opening, Outcome
from prospect_sync.model import (
    Evidence,
    Hint,
    HistoryRow,
    Interval,
    Pair,
    Person,
    PersonType,
    Plan,
    Prospect,
    Ref,
    Side,
)
from prospect_sync.policy import history_needed, resolve
from prospect_sync.policy.behaviors import FieldMapping, as_salesforce_says
from prospect_sync.policy.foreign import history_rows, look
from prospect_sync.policy.life import Step, Turn, takes_part, turn
from prospect_sync.policy.scope import outside
from prospect_sync.ports import PersonHistory

_FRESH = timedelta(seconds=2)


@dataclass(slots=True)
class Work:
    """One pair on its way: what was read, what was decided, and what its memory comes to.

    ``loaded``: the couple as the store has it. ``outcomes``: how its open intents ended; to be recorded once the couple,
    which knows what that means, is saved.
    """

    couple: Couple
    mirrored: MirroredProspect
    person: Person
    pair: Pair
    plan: Plan
    loaded: Couple
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class _Looked:
    loaded: Couple
    couple: Couple
    mirrored: MirroredProspect
    person: Person
    unsettled: tuple[Intent, ...]
    outcomes: tuple[Outcome, ...]


def decide(runtime: Runtime, batch: Batch, assembly: Assembly) -> list[Work]:
    """Resolve the assembled pairs; what cannot be decided now is added to the assembly's hints or desk items.

    Raises:
        TryLater, Misconfigured: the people or their history could not be read at all.
    """
    ready = [coupled for coupled in assembly.pairs if not _doubtful(runtime, batch, coupled, assembly)]
    if not ready:
        return []
    asked = runtime.clock.now()
    people = runtime.people(batch.lane).read(
        [coupled.couple.person for coupled in ready], runtime.person_fields(), runtime.mapping.scope
    )
    looked = _look(runtime, batch, assembly, ready, people)
    pairs = [_pair(runtime, entry, (), None) for entry in looked]
    histories = _histories(runtime, batch, looked, pairs)
    moved = _moved_on(runtime, batch, looked, histories)
    works = []
    for entry in looked:
        if entry.person.ref in moved:
            assembly.again.append(Hint(entry.couple.prospect, batch.lane, origin="stale"))
            continue
        work = _work(runtime, entry, histories.get(entry.person.ref))
        if _too_fresh(work, asked):
            due = runtime.clock.now() + _FRESH
            assembly.again.append(Hint(entry.couple.prospect, batch.lane, due, origin="fresh"))
            continue
        works.append(work)
    return works


def _too_fresh(work: Work, asked: datetime) -> bool:
    """Stamps have a second's precision: a record read in the second of its last change may change in it once more.

    A guarded write could not tell, so it waits for that second to pass. Our clock and the vendor's may differ a little.
    """
    stamp = work.person.modified.at
    guarded = any(choice.guarded and choice.winner is Side.ACCOUNT_ENGAGEMENT for choice in work.plan.decisions)
    return guarded and stamp is not None and abs(asked - stamp) < _FRESH


def _moved_on(
    runtime: Runtime, batch: Batch, looked: Sequence[_Looked], histories: Mapping[Ref, PersonHistory]
) -> frozenset[Ref]:
    """Name the persons that changed between our reading them and their history: their values are not the ones we hold.

    A row younger than the record makes us look again; but it proves nothing, for vendors stamp it a moment later.
    """
    stamps = {entry.person.ref: entry.person.modified.at for entry in looked}
    doubtful = [
        ref
        for ref, history in histories.items()
        if (stamp := stamps[ref]) is not None and any(at > stamp for _, at, _ in history.rows or ())
    ]
    if not doubtful:
        return frozenset()
    now = runtime.people(batch.lane).read(doubtful, runtime.person_fields())
    return frozenset(ref for ref in doubtful if ref not in now or now[ref].modified.at != stamps[ref])


def _doubtful(runtime: Runtime, batch: Batch, coupled: Coupled, assembly: Assembly) -> bool:
    """Two answers contradicted each other: the prospect is left alone until the lag has passed and it was read again."""
    until = coupled.prospect.doubtful_until
    if until is None:
        return False
    now = runtime.clock.now()
    due = until if until > now else now + runtime.tuning.whole_lag  # read again, and it said nothing: not at once again
    assembly.again.append(Hint(coupled.couple.prospect, batch.lane, due, origin="doubt"))
    return True


def _look(
    runtime: Runtime, batch: Batch, assembly: Assembly, ready: Sequence[Coupled], people: Mapping[Ref, Person]
) -> list[_Looked]:
    """Find out how what is open ended, and bring each couple's memory up to date with its person."""
    still_open = open_intents(runtime, [coupled.prospect.id for coupled in ready])
    by_couple: dict[tuple[int, Ref], list[Intent]] = defaultdict(list)
    for intent in still_open.intents:
        by_couple[intent.prospect_id, intent.person].append(intent)
    looked: list[_Looked] = []
    paired = _paired_masters(runtime, people)
    for coupled in ready:
        couple = coupled.couple
        person = people.get(couple.person)
        if person is None and coupled.prospect.deleted and couple.ended is None:
            assembly.chores.extend(chores_of(couple, coupled.prospect, Turn("LC-5", Step.END)))
            continue
        if person is None:
            assembly.desk.append(_unseen(couple))
            continue
        if outside(runtime.mapping, _values(coupled.prospect), person) is not None:
            assembly.unpaired |= {
                couple.prospect,
                couple.person,
            }  # it left the scope: both records stay as they are (LC-7)
            continue
        intents = tuple(by_couple.get((coupled.prospect.id, couple.person), ()))
        settlement = settle(runtime, couple, coupled.prospect, person, intents)
        if settlement.wait is not None:
            assembly.again.append(Hint(couple.prospect, batch.lane, settlement.wait, origin="unsettled"))
            continue
        due = turn(couple, coupled.prospect, person, master_is_paired=_master(person) in paired)
        if due is not None and coupled.prospect.id in still_open.held:
            continue  # an import may still write it: looked at again after that
        if due is not None:
            _take_the_turn(runtime, batch, replace(coupled, couple=settlement.couple), due, assembly)
            runtime.ledger.settle(settlement.outcomes)
            continue
        if couple.ended is not None or person.deleted:
            runtime.ledger.settle(settlement.outcomes)
            continue
        unsettled = _changes(intents, Side.SALESFORCE)
        after = look(settlement.couple, person, runtime.mapping.fields, runtime.connector.salesforce_user_id, unsettled)
        looked.append(_Looked(couple, after, coupled.prospect, person, intents, settlement.outcomes))
    return looked


def _values(prospect: MirroredProspect) -> dict[str, Any]:
    return {name: entry.value for name, entry in prospect.fields.items()}


def _master(person: Person) -> Ref | None:
    return Ref.person(person.type, person.master_id) if person.master_id else None


def _paired_masters(runtime: Runtime, people: Mapping[Ref, Person]) -> set[Ref]:
    """Winners of merges that have a prospect: by couple, or by the id a free prospect holds."""
    masters = {master for person in people.values() if (master := _master(person)) is not None}
    if not masters:
        return set()
    couples = runtime.couples.of(masters)
    holders = runtime.mirror.by_person([master.id for master in masters])
    living = {ref for ref, couple in couples.items() if ref in masters and couple.ended is None}
    return living | {master for master in masters if any(takes_part(row) for row in holders.get(master.id, ()))}


def _take_the_turn(runtime: Runtime, batch: Batch, coupled: Coupled, due: Turn, assembly: Assembly) -> None:
    """What becomes of the pair as a whole comes first; its fields are decided in the next round."""
    if due.target is not None and due.target not in runtime.inbox.claim(batch, [due.target], runtime.tuning.lease):
        later = runtime.clock.now() + timedelta(seconds=runtime.tuning.busy_retry)
        assembly.again.append(Hint(coupled.couple.prospect, batch.lane, later, origin="busy"))
        return
    assembly.chores.extend(chores_of(coupled.couple, coupled.prospect, due))


def _unseen(couple: Couple) -> DeskItem:
    """A record that cannot be seen is unread, never taken for deleted (LC-1)."""
    return DeskItem(
        cause=Cause.UNREAD,
        ref=couple.person,
        side=Side.SALESFORCE,
        rule="UNREAD",
        words="the connector user cannot see this record",
        remedy="Check sharing and permissions of the connector user, or whether the record was deleted for good.",
    )


def _changes(intents: Sequence[Intent], side: Side) -> tuple[FieldChange, ...]:
    return tuple(change for intent in intents if intent.side is side for change in intent.changes)


def _histories(
    runtime: Runtime, batch: Batch, looked: Sequence[_Looked], pairs: Sequence[Pair]
) -> Mapping[Ref, PersonHistory]:
    wanted = {}
    for entry, pair in zip(looked, pairs, strict=True):
        needed = history_needed(pair, runtime.mapping)
        if needed:
            wanted[entry.person.ref] = needed
    if not wanted:
        return {}
    return runtime.history(batch.lane).read(wanted, _contact_to_lead(runtime.mapping.fields))


def _contact_to_lead(fields: Sequence[FieldMapping]) -> dict[str, str]:
    return {row.contact: row.lead for row in fields if row.contact and row.lead}


def _work(runtime: Runtime, entry: _Looked, history: PersonHistory | None) -> Work:
    rows: tuple[HistoryRow, ...] | None = ()
    if history is not None:
        rows = None
        if history.rows is not None:
            rows = history_rows(
                history.rows,
                entry.couple,
                entry.person,
                runtime.mapping.fields,
                runtime.connector.salesforce_user_id,
                _changes(entry.unsettled, Side.SALESFORCE),
            )
    pair = _pair(runtime, entry, rows, history)
    adopting = entry.couple.relinked and entry.couple.opening is Opening.ADOPT
    plan = resolve(pair, as_salesforce_says(runtime.mapping) if adopting else runtime.mapping)
    plan = cut_to_fit(runtime, pair.person.type, plan)
    couple = _agreed(entry.couple, pair, plan)
    return Work(couple, entry.mirrored, pair.person, pair, plan, entry.loaded, entry.outcomes)


def _agreed(couple: Couple, pair: Pair, plan: Plan) -> Couple:
    """Where both sides hold the same, that is the base, and an earlier echo is over."""
    same = [decision.prospect_field for decision in plan.decisions if decision.rule == "SAME"]
    values = pair.prospect.values
    return replace(
        couple,
        base={**couple.base, **{name: values.get(name) for name in same}},
        echo={name: entry for name, entry in couple.echo.items() if name not in same},
    )


def _pair(runtime: Runtime, entry: _Looked, rows: tuple[HistoryRow, ...] | None, history: PersonHistory | None) -> Pair:
    mirrored, couple, person = entry.mirrored, entry.couple, entry.person
    agreed = {*couple.base, *couple.echo}
    if history is not None and history.converted_from is not None:
        person = replace(person, converted_from=history.converted_from)
    return Pair(
        prospect=Prospect(
            id=mirrored.id,
            values={name: field.value for name, field in mirrored.fields.items()},
            created=mirrored.created,
            modified=mirrored.modified,
        ),
        person=person,
        evidence=Evidence(
            history=rows,
            history_since=_untracked(runtime, person.type),
            prospect_times=_field_times(couple, mirrored),
            base=couple.base,
            echo=couple.echo,
            person_foreign=couple.person_foreign,
            prospect_foreign=mirrored.foreign,
            relinked=couple.relinked and not agreed,
            unsynced=frozenset(mirrored.fields) - agreed if couple.relinked else frozenset(),
        ),
        connector=runtime.connector,
    )


def _field_times(couple: Couple, mirrored: MirroredProspect) -> dict[str, Interval]:
    """Field times belong to one couple: a new one begins with first observations, unless it is a converted lead's (LC-4)."""
    if couple.relinked and couple.opening is not Opening.CARRY:
        return {}
    return {name: field.changed for name, field in mirrored.fields.items()}


def _untracked(runtime: Runtime, person_type: PersonType) -> dict[str, datetime | None]:
    """Fields without history tracking on this object; for Opted Out, on either object (OO-2)."""
    tracked = runtime.tracked()
    absent: dict[str, datetime | None] = {}
    for row in runtime.mapping.fields:
        field = row.person_field(person_type)
        if field is None:
            continue
        kinds = [kind for kind in PersonType if row.person_field(kind)] if row.prospect == "optedOut" else [person_type]
        if any(row.person_field(kind) not in (tracked.get(kind) or ()) for kind in kinds):
            absent[field] = None
    return absent
