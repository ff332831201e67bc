"""Find the counterparts of records that have none, by address, and create them where the rules say so (LN-2 to LN-5).

Both records of a would-be pair share one address, and the address is leased before anything is matched or created: two
workers that meet the two of them at once do it one after the other, and the second finds what the first made.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prospect_sync.flow.create import NewPerson, NewProspect
from prospect_sync.flow.report import Report
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.turns import Chore, later, linking
from prospect_sync.memory import Batch, Cause, Couple, DeskItem, MirroredProspect
from prospect_sync.model import Hint, Person, RecordKind, Ref
from prospect_sync.policy.life import best_person, best_prospect, takes_part
from prospect_sync.policy.scope import outside

_SINCE = "prospects are created since"


def note_the_beginning(runtime: Runtime) -> None:
    """LN-4 is not retroactive: remember since when prospects are created for new persons."""
    if runtime.mapping.connector.create_prospects and runtime.marks.note(_SINCE) is None:
        runtime.marks.remember(_SINCE, runtime.clock.now().isoformat())


@dataclass(slots=True)
class Meeting:
    """What came of looking for counterparts: links to make, records to create, and how many records stay alone."""

    links: list[Chore] = field(default_factory=list)
    persons: list[NewPerson] = field(default_factory=list)
    prospects: list[NewProspect] = field(default_factory=list)
    alone: int = 0


def meet(runtime: Runtime, batch: Batch, loose: Mapping[Ref, Couple | None], report: Report) -> Meeting:
    """Match records without a counterpart by their address; ``loose`` names them with the couple that ended, if one did.

    At most two Salesforce calls a batch: one for the persons among them, one for the persons at the prospects' addresses.

    Raises: TryLater, Misconfigured.
    """
    meeting = Meeting()
    prospects = _prospects(runtime, loose)
    persons = _persons(runtime, batch, loose)
    meeting.alone = len(loose) - len(prospects) - len(persons)
    by_address = _leased(runtime, batch, prospects, persons, report)
    prospects = [one for one in prospects if one.email in by_address]
    persons = [one for one in persons if _address(runtime, one) in by_address]
    _match_prospects(runtime, batch, prospects, meeting, report)
    linked = {chore.person for chore in meeting.links}
    _match_persons(runtime, batch, [one for one in persons if one.ref not in linked], loose, meeting, report)
    return meeting


def _prospects(runtime: Runtime, loose: Iterable[Ref]) -> list[MirroredProspect]:
    """Unlinked prospects with an address; one whose pair ended, or that holds an id, is never linked by address."""
    ids = [int(ref.id) for ref in loose if ref.kind is RecordKind.PROSPECT]
    rows = runtime.mirror.get(ids).values()
    return [row for row in rows if _may_be_met(runtime, row) and row.email and not row.salesforce_id]


def _may_be_met(runtime: Runtime, row: MirroredProspect) -> bool:
    """It takes part, and lies within the mapping's scope (LC-7)."""
    values = {name: entry.value for name, entry in row.fields.items()}
    return takes_part(row) and outside(runtime.mapping, values, None) is None


def _persons(runtime: Runtime, batch: Batch, loose: Iterable[Ref]) -> list[Person]:
    refs = [ref for ref in loose if ref.kind in {RecordKind.LEAD, RecordKind.CONTACT}]
    if not refs or not _matches_by_address(runtime):
        return []
    people = runtime.people(batch.lane).read(refs, runtime.person_fields(), runtime.mapping.scope)
    return [
        one
        for one in people.values()
        if one.in_scope and not one.deleted and not one.converted_contact_id and _address(runtime, one)
    ]


def _matches_by_address(runtime: Runtime) -> bool:
    """By address only where an address means one prospect, or the mapping says so (LN-1)."""
    rules = runtime.mapping.connector
    return rules.match_by_email or not rules.multiple_prospects_per_email


def _address(runtime: Runtime, person: Person) -> str:
    """The person's address, lower-cased; empty where there is none or e-mail is not mapped."""
    row = next((row for row in runtime.mapping.fields if row.prospect == "email"), None)
    name = row.person_field(person.type) if row else None
    value = person.values.get(name) if name else None
    return value.strip().lower() if isinstance(value, str) else ""


def _leased(
    runtime: Runtime, batch: Batch, prospects: Sequence[MirroredProspect], persons: Sequence[Person], report: Report
) -> set[str]:
    """Lease the addresses; records whose address is in other hands wait a moment."""
    holders: dict[str, list[Ref]] = defaultdict(list)
    for prospect in prospects:
        holders[prospect.email or ""].append(Ref.prospect(prospect.id))
    for person in persons:
        holders[_address(runtime, person)].append(person.ref)
    names = {Ref.address(address): address for address in holders}
    got = runtime.inbox.claim(batch, sorted(names), runtime.tuning.lease) if names else frozenset()
    due = runtime.clock.now() + timedelta(seconds=runtime.tuning.busy_retry)
    for name, address in names.items():
        if name not in got:
            report.again.extend(Hint(ref, batch.lane, due, origin="busy") for ref in holders[address])
    return {names[name] for name in got if name in names}


def _match_prospects(
    runtime: Runtime, batch: Batch, prospects: Sequence[MirroredProspect], meeting: Meeting, report: Report
) -> None:
    if not prospects:
        return
    found: Mapping[str, tuple[Person, ...]] = {}
    if _matches_by_address(runtime):
        addresses = {one.email for one in prospects if one.email}
        found = runtime.people(batch.lane).by_address(addresses, runtime.person_fields(), runtime.mapping.scope)
    taken = runtime.couples.of([person.ref for held in found.values() for person in held])
    for prospect in prospects:
        held = found.get(prospect.email or "", ())
        held = tuple(person for person in held if person.in_scope)
        free = [person for person in held if (couple := taken.get(person.ref)) is None or couple.ended is not None]
        person = best_person(free)
        if person is not None:
            _link(runtime, batch, prospect, person.ref, len(free), meeting, report)
        elif held or not _assigned(prospect):
            meeting.alone += 1  # all of that address have prospects; or it waits until it is assigned (LN-3)
        else:
            meeting.persons.append(NewPerson(prospect))


def _match_persons(
    runtime: Runtime,
    batch: Batch,
    persons: Sequence[Person],
    loose: Mapping[Ref, Couple | None],
    meeting: Meeting,
    report: Report,
) -> None:
    found = runtime.mirror.by_email({_address(runtime, one) for one in persons}) if persons else {}
    living = [row for held in found.values() for row in held if _may_be_met(runtime, row)]
    taken = runtime.couples.of([Ref.prospect(row.id) for row in living])
    for person in persons:
        address = _address(runtime, person)
        held = [row for row in found.get(address, ()) if _may_be_met(runtime, row)]
        free = [row for row in held if Ref.prospect(row.id) not in taken and not row.salesforce_id]
        prospect = best_prospect(free)
        if prospect is not None:
            _link(runtime, batch, prospect, person.ref, len(free), meeting, report)
        elif held or loose.get(person.ref) is not None or not _creates_for(runtime, person):
            meeting.alone += 1  # its address has a prospect, its own prospect was deleted (LC-5), or none is to be made
        else:
            meeting.prospects.append(NewProspect(person, address, "LN-4"))


def _link(
    runtime: Runtime,
    batch: Batch,
    prospect: MirroredProspect,
    person: Ref,
    candidates: int,
    meeting: Meeting,
    report: Report,
) -> None:
    """Lease both and link them; where there was a choice, a person is told (LN-2)."""
    refs = {Ref.prospect(prospect.id), person}
    if any(chore.prospect.id == prospect.id or chore.person == person for chore in meeting.links):
        return
    if not runtime.inbox.claim(batch, sorted(refs), runtime.tuning.lease).issuperset(refs):
        later(runtime, batch, prospect.id, report, runtime.tuning.busy_retry)
        return
    if candidates > 1:
        words = "several records share this address; the contact, or else the one last modified, was linked"
        remedy = "Merge the duplicates, or link the right one by its Salesforce id."
        report.desk.append(DeskItem(Cause.NOTICE, person, words, rule="LN-2", remedy=remedy))
    meeting.links.append(linking("LN-2", prospect, person))


def _assigned(prospect: MirroredProspect) -> bool:
    entry = prospect.fields.get("assignedToId")
    return entry is not None and entry.value not in (None, "")


def _creates_for(runtime: Runtime, person: Person) -> bool:
    """LN-4: only for persons created since the setting is on."""
    if not runtime.mapping.connector.create_prospects:
        return False
    since = runtime.marks.note(_SINCE)
    if since is None or person.created.at is None:
        return False
    return person.created.at >= datetime.fromisoformat(since).replace(microsecond=0)
