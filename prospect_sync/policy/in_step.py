"""Compare pairs as both sides were last seen, and say which of them deserve a look. It reads nothing and writes nothing.

It only has to be right about pairs that are in step: every other answer is a hint, and whoever takes the hint reads both
sides again and decides. So a page read minutes ago can never overwrite a live edit.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

from prospect_sync.memory import Couple, MirroredProspect
from prospect_sync.model import ConnectorUsers, Decision, Evidence, Pair, Person, Plan, Prospect
from prospect_sync.policy.behaviors import CONSENT_FIELDS, Mapping
from prospect_sync.policy.foreign import look
from prospect_sync.policy.resolve import resolve

_STILL = frozenset({"SAME", "ECHO", "FB-2", "PR-1", "PR-2", "CO-1"})
"""Rules that, without a winner, leave a field as it is and would do so again: their evidence is all here."""


class Finding(Enum):
    """What became of a comparison. APART: no pair, and nothing that could make one."""

    IN_STEP = auto()
    DIFFERS = auto()
    CONSENT = auto()
    APART = auto()


def compare(
    mapping: Mapping,
    connector: ConnectorUsers,
    person: Person,
    holders: Sequence[MirroredProspect],
    couple: Couple | None,
) -> Finding:
    """Compare a person with its prospect.

    ``holders``: the prospect of the living couple if there is one, else the living prospects that hold the person's id.
    """
    gone = person.deleted or person.converted_contact_id is not None
    if not holders:
        return Finding.APART if gone or not _could_be_matched(mapping, person) else Finding.DIFFERS
    prospect = holders[0]
    if gone or len(holders) > 1 or prospect.deleted or prospect.doubtful_until is not None:
        return Finding.DIFFERS
    if couple is not None and couple.relinked:
        return Finding.DIFFERS
    plan = _plan(mapping, connector, person, prospect, couple)
    moving = [decision for decision in plan.decisions if not _stays(decision, person)]
    if not moving and not plan.actions:
        return Finding.IN_STEP
    consent = any(decision.prospect_field in CONSENT_FIELDS for decision in moving)
    return Finding.CONSENT if consent else Finding.DIFFERS


def agreed(mapping: Mapping, connector: ConnectorUsers, person: Person, prospect: MirroredProspect) -> Couple:
    """Make the couple of a pair that was found in step before any sync of it: both hold the same, and that is its base."""
    couple = Couple(prospect.id, person.ref)
    plan = _plan(mapping, connector, person, prospect, couple)
    same = {decision.prospect_field for decision in plan.decisions if decision.rule == "SAME"}
    base = {name: entry.value for name, entry in prospect.fields.items() if name in same}
    couple = replace(couple, base=base, relinked=False)
    return look(couple, person, mapping.fields, connector.salesforce_user_id, ())


def _could_be_matched(mapping: Mapping, person: Person) -> bool:
    rules = mapping.connector
    address = next((row.person_field(person.type) for row in mapping.fields if row.prospect == "email"), None)
    return (rules.match_by_email or rules.create_prospects) and bool(person.values.get(address or ""))


def _stays(decision: Decision, person: Person) -> bool:
    """A column that this user may not read at all stays unread however often one looks."""
    if decision.winner is not None:
        return False
    hidden = decision.rule == "UNREAD" and decision.person_field not in person.values
    return decision.rule in _STILL or (hidden and decision.person_field != "Account.Name")


def _plan(
    mapping: Mapping, connector: ConnectorUsers, person: Person, prospect: MirroredProspect, couple: Couple | None
) -> Plan:
    evidence = Evidence(
        history=(),
        prospect_times={name: field.changed for name, field in prospect.fields.items()},
        base=couple.base if couple else {},
        echo=couple.echo if couple else {},
        person_foreign=couple.person_foreign if couple else None,
        prospect_foreign=prospect.foreign,
        relinked=couple is None,
    )
    seen = Prospect(
        prospect.id,
        {name: field.value for name, field in prospect.fields.items()},
        created=prospect.created,
        modified=prospect.modified,
    )
    return resolve(Pair(seen, person, evidence, connector), mapping)
