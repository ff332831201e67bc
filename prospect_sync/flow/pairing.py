"""Find out which pairs a batch of records belongs to, lease both records of each, and load what is remembered of them.

Here a prospect finds its person by the Salesforce id it holds (LN-1); records that find nobody so are handed on as loose.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.turns import Chore
from prospect_sync.memory import Batch, Cause, Couple, DeskItem, MirroredProspect
from prospect_sync.model import Hint, PersonType, RecordKind, Ref, same_id
from prospect_sync.policy.life import IGNORED, takes_part

_PERSON_PREFIXES = {"00Q": PersonType.LEAD, "003": PersonType.CONTACT}
_BACK_FROM_THE_BIN = "LC-5"
_DELETED_IN_SALESFORCE = "LC-1"


@dataclass(frozen=True, slots=True)
class Coupled:
    """A couple in work, with its prospect as the mirror has it."""

    couple: Couple
    prospect: MirroredProspect


@dataclass(slots=True)
class Assembly:
    """What a batch comes to.

    ``pairs`` to work on, ``met`` the persons whose prospect was found just now; ``loose`` records without a counterpart,
    with the couple that ended, if one did; ``chores`` that are due already; ``again`` hints to offer, ``desk`` items, and
    the records that have nothing to sync with; ``over`` are prospects whose pair is over.
    """

    pairs: list[Coupled] = field(default_factory=list)
    met: list[Ref] = field(default_factory=list)
    loose: dict[Ref, Couple | None] = field(default_factory=dict)
    chores: list[Chore] = field(default_factory=list)
    again: list[Hint] = field(default_factory=list)
    desk: list[DeskItem] = field(default_factory=list)
    unpaired: set[Ref] = field(default_factory=set)
    over: list[int] = field(default_factory=list)


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
    """(prospect, person) of each record that has a partner, each couple once; the others are loose or stay alone."""
    known = runtime.couples.of(batch.refs)
    mirrored = runtime.mirror.get([int(ref.id) for ref in batch.refs if ref.kind is RecordKind.PROSPECT])
    couples = {(couple.prospect, couple.person) for ref, couple in known.items() if _goes_on(ref, couple, mirrored)}
    outside = {
        ref: _person_of(mirrored.get(int(ref.id))) if ref.kind is RecordKind.PROSPECT else ref
        for ref in batch.refs
        if _has_no_pair(ref, known.get(ref), mirrored)
    }
    assembly.over = [
        int(ref.id)
        for ref, couple in known.items()
        if ref.kind is RecordKind.PROSPECT and not _goes_on(ref, couple, mirrored)
    ]
    holders = runtime.mirror.by_person([person.id for person in outside.values() if person is not None])
    for ref, person in outside.items():
        candidates = _free(runtime, holders.get(person.id, ())) if person is not None else ()
        if person is None or not candidates:
            assembly.loose[ref] = known.get(ref)
            continue
        if len(candidates) > 1:
            assembly.desk.append(_ambiguous(ref, candidates))
        couples.add((candidates[0], person))
    return sorted(couples)


def _has_no_pair(ref: Ref, couple: Couple | None, mirrored: Mapping[int, MirroredProspect]) -> bool:
    """Never paired; or a person whose pair is over. A prospect whose pair is over stays alone (EM-2, LC-2)."""
    if couple is None:
        return True
    return couple.ended is not None and ref.kind is not RecordKind.PROSPECT and not _goes_on(ref, couple, mirrored)


def _goes_on(ref: Ref, couple: Couple, mirrored: Mapping[int, MirroredProspect]) -> bool:
    """A living couple; one whose person may be back from the recycle bin (LC-1); one whose prospect is (LC-5)."""
    if couple.ended is None:
        return True
    if couple.ended == _DELETED_IN_SALESFORCE:
        return ref.kind is not RecordKind.PROSPECT
    row = mirrored.get(int(ref.id)) if ref.kind is RecordKind.PROSPECT else None
    return couple.ended == _BACK_FROM_THE_BIN and row is not None and takes_part(row)


def _person_of(prospect: MirroredProspect | None) -> Ref | None:
    """LN-1: the person whose Salesforce id the prospect holds; the native connector's marks are no ids."""
    if prospect is None or not takes_part(prospect) or not prospect.salesforce_id:
        return None
    person_type = _PERSON_PREFIXES.get(prospect.salesforce_id[:3])
    return None if person_type is None else Ref.person(person_type, prospect.salesforce_id)


def _free(runtime: Runtime, holders: Sequence[MirroredProspect]) -> tuple[Ref, ...]:
    """Those that may be paired and are in no couple, not even one that ended."""
    refs = [Ref.prospect(holder.id) for holder in holders if takes_part(holder)]
    taken = runtime.couples.of(refs) if refs else {}
    return tuple(ref for ref in refs if ref not in taken)


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
    known: Mapping[Ref, Couple] = runtime.couples.of([ref for couple in leased for ref in couple])
    for prospect, person in leased:
        mirrored = prospects.get(int(prospect.id))
        couple = _couple(prospect, person, known)
        if mirrored is None or (mirrored.salesforce_id or "").startswith(IGNORED):
            assembly.unpaired |= {prospect, person}  # gone for good, or marked "do not sync" (LC-6)
        elif couple is None:
            assembly.unpaired |= {prospect}
            assembly.desk.append(_taken(prospect, person, known))
        elif _has_left(runtime, mirrored, person):
            assembly.unpaired |= {prospect, person}
            assembly.desk.append(_left(prospect))
        elif couple.ended == _BACK_FROM_THE_BIN:
            assembly.pairs.append(Coupled(replace(couple, ended=None, relinked=True, base={}, echo={}), mirrored))
        else:
            assembly.pairs.append(Coupled(couple, mirrored))
            if prospect not in known:
                assembly.met.append(person)


def _has_left(runtime: Runtime, mirrored: MirroredProspect, person: Ref) -> bool:
    """The prospect holds another person's id, or none; unless that is a step of ours which a dead worker left unfinished."""
    if mirrored.deleted or (mirrored.salesforce_id and same_id(mirrored.salesforce_id, person.id)):
        return False
    unfinished = runtime.ledger.open([0, mirrored.id])
    making = any(intent.prospect_id == 0 and intent.person == person for intent in unfinished)
    moving = any(
        change.field == "salesforceId" for intent in unfinished if intent.prospect_id for change in intent.changes
    )
    return not (making or moving)


def _couple(prospect: Ref, person: Ref, known: Mapping[Ref, Couple]) -> Couple | None:
    """The couple of these two; a new one where neither lives in another; None where one does."""
    for couple in (known.get(prospect), known.get(person)):
        if couple is None or (couple.prospect, couple.person) == (prospect, person):
            continue
        if couple.ended is None:
            return None
    found = known.get(prospect)
    if found is not None and found.person == person:
        return found
    return Couple(prospect_id=int(prospect.id), person=person)


def _taken(prospect: Ref, person: Ref, known: Mapping[Ref, Couple]) -> DeskItem:
    living = known.get(person)
    other = f"prospect {living.prospect_id}" if living is not None else "another record"
    return DeskItem(
        cause=Cause.AMBIGUOUS,
        ref=prospect,
        rule="LN-1",
        words=f"the Salesforce record it holds the id of is already paired with {other}",
        remedy="Clear one prospect's Salesforce id, or merge the two.",
    )
