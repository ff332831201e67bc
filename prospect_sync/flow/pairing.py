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
    """What a batch comes to: pairs to work on, hints to offer again, items for the desk, and how many records have no partner."""

    pairs: list[Coupled] = field(default_factory=list)
    again: list[Hint] = field(default_factory=list)
    desk: list[DeskItem] = field(default_factory=list)
    unpaired: int = 0


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
    """(prospect, person) of each record that has a partner, each couple once."""
    known = runtime.couples.of(batch.refs)
    loose = [ref for ref in batch.refs if ref not in known]
    couples = {(couple.prospect, couple.person) for couple in known.values() if couple.ended is None}
    mirrored = runtime.mirror.get([int(ref.id) for ref in loose if ref.kind is RecordKind.PROSPECT])
    holders = runtime.mirror.by_person([ref.id for ref in loose if ref.kind is not RecordKind.PROSPECT])
    for ref in loose:
        person = _person_of(mirrored.get(int(ref.id))) if ref.kind is RecordKind.PROSPECT else ref
        candidates = (ref,) if ref.kind is RecordKind.PROSPECT else _living(holders.get(ref.id, ()))
        if person is None or not candidates:
            assembly.unpaired += 1
            continue
        if len(candidates) > 1:
            assembly.desk.append(_ambiguous(ref, candidates))
        couples.add((candidates[0], person))
    return sorted(couples)


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
        words=f"{len(candidates)} prospects hold this Salesforce id; the lowest id is used",
        remedy="Clear the Salesforce id of the prospects that do not belong to this person, or merge them.",
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
            assembly.unpaired += 1
            continue
        couple = known.get(prospect)
        if couple is None or couple.person != person or couple.ended is not None:
            couple = Couple(prospect_id=int(prospect.id), person=person)
        assembly.pairs.append(Coupled(couple, mirrored))
