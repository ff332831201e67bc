"""Compare people as just read with the mirror: who is in step, who is hinted, and what pairs in step agree on.

No call to a vendor. What pairs in step agree on is remembered only where nothing is remembered yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Couple, MirroredProspect
from prospect_sync.model import Hint, Lane, Person, Ref
from prospect_sync.policy.in_step import Finding, agreed, compare

_OLDEST_FENCE = 0
"""Older than every batch's token: a couple that a batch has saved is never overwritten by a comparison."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a step came to: records looked at, those in step, and the hints for the others."""

    seen: int = 0
    in_step: int = 0
    hints: tuple[Hint, ...] = ()

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.seen + other.seen, self.in_step + other.in_step, self.hints + other.hints)


def hint(ref: Ref, lane: Lane) -> Hint:
    """Hint one record."""
    return Hint(ref, lane, origin="resync")


def compare_people(runtime: Runtime, people: Sequence[Person], lane: Lane) -> Tally:
    """Compare people with their prospects in the mirror; the pair's hint bears the prospect's name, so that it is one hint.

    A differing consent field goes into its own lane: nobody's opt-out waits for a resync.
    """
    couples = {
        ref: couple
        for ref, couple in runtime.couples.of([person.ref for person in people]).items()
        if couple.ended is None
    }
    coupled = runtime.mirror.get({couple.prospect_id for couple in couples.values()})
    holders = runtime.mirror.by_person([person.id for person in people if person.ref not in couples])
    in_step, hints, fresh = 0, [], []
    for person in people:
        couple = couples.get(person.ref)
        found = _prospects_of(couple, coupled, holders.get(person.id, ()))
        finding = compare(runtime.mapping, runtime.connector, person, found, couple)
        if finding is Finding.IN_STEP:
            in_step += 1
            if couple is None:
                fresh.append(agreed(runtime.mapping, runtime.connector, person, found[0]))
        elif finding is not Finding.APART:
            named = Ref.prospect(found[0].id) if found else person.ref
            hints.append(hint(named, Lane.CONSENT if finding is Finding.CONSENT else lane))
    if fresh:
        runtime.couples.save(fresh, _OLDEST_FENCE)
    return Tally(len(people), in_step, tuple(hints))


def _prospects_of(
    couple: Couple | None,
    coupled: Mapping[int, MirroredProspect],
    holders: Sequence[MirroredProspect],
) -> Sequence[MirroredProspect]:
    if couple is not None:
        prospect = coupled.get(couple.prospect_id)
        return (prospect,) if prospect else ()
    return tuple(holder for holder in holders if not holder.deleted)
