"""Find out which pairs a batch of records belongs to, lease both records of each, and load what is remembered of them.

Matching here is by the Salesforce id that the prospect holds (LN-1).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Batch, Cause, Couple, DeskItem, MirroredProspect
from prospect_sync.model import Hint, PersonType, RecordKind, Ref

_PERSON_PREFIXES = {"00Q": PersonType.LEAD, "003": PersonType.CONTACT}


@dataclass(frozen=True, slots=True)
class Coupled:
    """A couple in work, with its prospect as the mirror has it."""

    couple: Couple
    prospect: MirroredProspect


@dataclass(slots=True)
class Assembly:
    """What a batch comes to: pairs to work on, hints to offer again, items for the desk, and the records without a partner."""

    pairs: list[Coupled] = field(default_factory=list)
    again: list[Hint] = field(default_factory=list)
    desk: list[DeskItem] = field(default_factory=list)
    unpaired: set[Ref] = field(default_factory=set)


def assemble(runtime: Runtime, batch: Batch) -> Assembly:
    """Pair and lease the records of a batch; the mirror must be fresh.

    A pair whose partner is being worked on elsewhere is offered again a moment later.
    """
    assembly = Assembly()
    partners = _partners(runtime, batch, assembly)
    wanted = sorted({ref for couple in partners for ref in couple})
    got = runtime.inbox.claim(batch, wanted, runtime.tuning.lease) if wanted else frozenset()
    leased = [couple for couple in partners if got.issuperset(couple)]
    busy = [couple for couple in partners if not got.issuperset(couple)]
    assembly.again.extend(_again(runtime, batch, busy, got))
    _load(runtime, leased, assembly)
    return assembly


def _partners(runtime: Runtime, batch: Batch, assembly: Assembly) -> list[tuple[Ref, Ref]]:
    """(prospect, person) of each record that has a partner, each couple once, each record in one couple only."""
    known = runtime.couples.of(batch.refs)
    couples = {(couple.prospect, couple.person) for couple in known.values() if couple.ended is None}
    loose = _persons(runtime, [ref for ref in batch.refs if ref not in known])
    persons = {person for person in loose.values() if person is not None}
    taken = {ref: couple.prospect for ref, couple in runtime.couples.of(persons).items() if couple.ended is None}
    holders = runtime.mirror.by_person([person.id for person in persons])
    for ref, person in loose.items():
        candidates = _living(holders.get(person.id, ())) if person else ()
        if person is None or not candidates:
            assembly.unpaired.add(ref)
            continue
        if len(candidates) > 1:
            assembly.desk.append(_ambiguous(ref, candidates))
        chosen = taken.get(person, candidates[0])
        if ref in (chosen, person):
            couples.add((chosen, person))
        else:  # another prospect syncs with this person: two would write against each other
            assembly.unpaired.add(ref)
    return sorted(couples)


def _persons(runtime: Runtime, refs: Sequence[Ref]) -> dict[Ref, Ref | None]:
    """The person each record may be paired with: for a person itself, for a prospect the one whose id it holds."""
    mirrored = runtime.mirror.get([int(ref.id) for ref in refs if ref.kind is RecordKind.PROSPECT])
    return {ref: _person_of(mirrored.get(int(ref.id))) if ref.kind is RecordKind.PROSPECT else ref for ref in refs}


def _person_of(prospect: MirroredProspect | None) -> Ref | None:
    """LN-1: the person whose Salesforce id the prospect holds; marks such as ``[[crm_deleted]]`` are no ids."""
    if prospect is None or prospect.deleted or not prospect.salesforce_id:
        return None
    person_type = _PERSON_PREFIXES.get(prospect.salesforce_id[:3])
    return None if person_type is None else Ref.person(person_type, prospect.salesforce_id)


def _living(holders: Sequence[MirroredProspect]) -> tuple[Ref, ...]:
    return tuple(Ref.prospect(holder.id) for holder in holders if not holder.deleted)


def _ambiguous(ref: Ref, candidates: Sequence[Ref]) -> DeskItem:
    return DeskItem(
        cause=Cause.AMBIGUOUS,
        ref=ref,
        rule="LN-1",
        words=f"{len(candidates)} prospects hold this Salesforce id; only one of them syncs",
        remedy="Clear the Salesforce id of the prospects that do not belong to this person, or merge them.",
    )


def _left(prospect: Ref) -> DeskItem:
    return DeskItem(
        cause=Cause.CONFLICT,
        ref=prospect,
        rule="LN-1",
        words="the prospect no longer holds the Salesforce id of the person it was synced with; the two are left alone",
        remedy="Give the prospect its Salesforce id back, or end the pair.",
    )


def _again(runtime: Runtime, batch: Batch, busy: Sequence[tuple[Ref, Ref]], got: Collection[Ref]) -> list[Hint]:
    """Records whose partner is in other hands wait a moment; the other batch's release will not wake them."""
    due = runtime.clock.now() + timedelta(seconds=runtime.tuning.busy_retry)
    return [Hint(ref, batch.lane, due, origin="busy") for couple in busy for ref in couple if ref in got]


def _load(runtime: Runtime, leased: Sequence[tuple[Ref, Ref]], assembly: Assembly) -> None:
    """Read couples and mirror *after* leasing, so that what another batch just wrote is seen."""
    prospects = runtime.mirror.get([int(prospect.id) for prospect, _ in leased])
    known: Mapping[Ref, Couple] = runtime.couples.of([prospect for prospect, _ in leased])
    for prospect, person in leased:
        mirrored = prospects.get(int(prospect.id))
        if mirrored is None or mirrored.deleted:
            assembly.unpaired |= {prospect, person}
            continue
        if _person_of(mirrored) != person:
            assembly.unpaired |= {prospect, person}
            assembly.desk.append(_left(prospect))
            continue
        couple = known.get(prospect)
        if couple is None or couple.person != person or couple.ended is not None:
            couple = Couple(prospect_id=int(prospect.id), person=person)
        assembly.pairs.append(Coupled(couple, mirrored))
