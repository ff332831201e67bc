"""What becomes of a pair as a whole when one of its records is deleted, restored, merged or converted. Pure.

Each answer is a ``Turn``: a rule id and what is to be done. Whose field values win is none of this file's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from prospect_sync.memory import Couple, MirroredProspect, Opening
from prospect_sync.model import Person, PersonType, Ref

IGNORED = "[["
"""Salesforce ids that begin so are the native connector's marks: deleted from the CRM, or not to sync with it (LC-6)."""


class Step(StrEnum):
    """What is done about a pair as a whole."""

    END = "end"
    DELETE_PROSPECT = "delete_prospect"
    RESTORE_PROSPECT = "restore_prospect"
    MOVE = "move_to_other_person"


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing to be done about a pair, and by which rule. ``target``: the person it moves to."""

    rule: str
    step: Step
    target: Ref | None = None
    opening: Opening = Opening.FRESH


def turn(couple: Couple, prospect: MirroredProspect, person: Person, *, master_is_paired: bool) -> Turn | None:
    """Say what happened to the pair; None: nothing did, its fields are decided as usual.

    ``person``: as just read; a record that cannot be seen never comes here, for absence proves nothing (LC-1).
    ``master_is_paired``: the merge's winner has a prospect of its own.
    """
    if couple.ended == "LC-1":
        # It was deleted in Salesforce, and so its prospect; now it is back.
        return None if person.deleted else Turn("LC-1", Step.RESTORE_PROSPECT)
    if person.deleted and person.master_id:
        # Merged into another record; that one has a prospect already, so this one goes.
        if master_is_paired:
            return Turn("LC-2", Step.DELETE_PROSPECT)
        # Merged into a record without a prospect: it takes this one over, and its values come down once.
        master = Ref.person(person.type, person.master_id)
        return Turn("LC-3", Step.MOVE, master, Opening.ADOPT)
    if person.deleted:
        # Deleted in Salesforce, as the recycle bin there proves.
        return Turn("LC-1", Step.DELETE_PROSPECT)
    if prospect.deleted:
        # Marketing put the prospect into the recycle bin: Salesforce keeps its record, the pair is over.
        return Turn("LC-5", Step.END)
    if person.converted_contact_id:
        # The lead became a contact: the same prospect goes on with it.
        contact = Ref.person(PersonType.CONTACT, person.converted_contact_id)
        return Turn("LC-4", Step.MOVE, contact, Opening.CARRY)
    return None


def takes_part(prospect: MirroredProspect) -> bool:
    """Tell whether a prospect may be paired at all: not while it lies in the recycle bin or is marked off (LC-6)."""
    return not prospect.deleted and not (prospect.salesforce_id or "").startswith(IGNORED)


def best_person(candidates: Sequence[Person]) -> Person | None:
    """Choose the person for an unlinked prospect: contacts before leads, then the last modified, then the lowest id (LN-2)."""
    contacts = [person for person in candidates if person.type is PersonType.CONTACT]
    return min(contacts or candidates, key=_person_rank, default=None)


def best_prospect(candidates: Sequence[MirroredProspect]) -> MirroredProspect | None:
    """Choose the prospect for an unlinked person: the last modified, then the lowest id (LN-2)."""
    return min(candidates, key=_prospect_rank, default=None)


def _person_rank(person: Person) -> tuple[float, str]:
    return (-person.modified.at.timestamp() if person.modified.at else 0.0, person.id)


def _prospect_rank(prospect: MirroredProspect) -> tuple[float, int]:
    return (-prospect.modified.at.timestamp() if prospect.modified.at else 0.0, prospect.id)
