"""Does the mapping fit the two orgs as they describe their fields? Pure: descriptions in, misfits out.

Grave misfits make every write of a field fail, or its values mean something else: such a field is put on hold. The others
are for a person to know.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prospect_sync.model import PersonType, Side
from prospect_sync.policy.behaviors import (
    ASSIGNED_USER_FIELDS,
    ONE_WAY_TO_SALESFORCE,
    Behavior,
    FieldMapping,
    TooLong,
)
from prospect_sync.policy.behaviors import Mapping as FieldMappings
from prospect_sync.policy.field_table import ACCOUNT_NAME
from prospect_sync.ports import FieldFacts

PersonFields = Mapping[PersonType, Mapping[str, FieldFacts]]
ProspectFields = Mapping[str, FieldFacts]


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that does not fit; ``name`` is what the field is called where the misfit is, e.g. ``Lead.Title``."""

    prospect_field: str
    side: Side
    name: str
    words: str
    remedy: str
    grave: bool = True


def misfits(mapping: FieldMappings, people: PersonFields, prospects: ProspectFields) -> Iterator[Misfit]:
    """Give everything that does not fit, in the mapping's order."""
    for row in mapping.fields:
        yield from _prospect_misfits(row, prospects)
        for kind in PersonType:
            name = row.person_field(kind)
            if name is not None and name != ACCOUNT_NAME and kind in people:
                yield from _person_misfits(row, kind, name, people[kind])


def _prospect_misfits(row: FieldMapping, described: ProspectFields) -> Iterator[Misfit]:
    name, side = row.prospect, Side.ACCOUNT_ENGAGEMENT
    facts = described.get(name)
    if facts is None:
        remedy = "Correct the name in the mapping, or create the field in Account Engagement."
        yield Misfit(name, side, name, "Account Engagement has no such prospect field", remedy)
        return
    yield from _type_misfits(row, facts, side, name)
    written = row.behavior not in {None, Behavior.USE_ACCOUNT_ENGAGEMENT} or name in ASSIGNED_USER_FIELDS
    if not facts.writable and written:
        remedy = 'Set its behavior to "use_account_engagement", or map a field that can be written.'
        yield Misfit(name, side, name, "cannot be written in Account Engagement", remedy, grave=False)


def _person_misfits(
    row: FieldMapping, kind: PersonType, name: str, described: Mapping[str, FieldFacts]
) -> Iterator[Misfit]:
    side, full = Side.SALESFORCE, f"{kind.value}.{name}"
    facts = described.get(name.lower())
    if facts is None:
        words = f"{full} does not exist, or the connector user may not read it"
        yield Misfit(row.prospect, side, full, words, "Give the connector user Read on it, or correct the mapping.")
        return
    yield from _type_misfits(row, facts, side, full)
    if facts.writable or row.prospect in ASSIGNED_USER_FIELDS:
        return
    # a formula may feed a prospect field: then only the rare fill of an empty one is refused
    grave = row.behavior is not Behavior.USE_SALESFORCE or row.prospect in ONE_WAY_TO_SALESFORCE
    remedy = (
        "Give the connector user Edit on it."
        if grave
        else "Nothing, if Salesforce computes it; otherwise give the connector user Edit on it."
    )
    yield Misfit(row.prospect, side, full, f"the connector user may not edit {full}", remedy, grave=grave)


def _type_misfits(row: FieldMapping, facts: FieldFacts, side: Side, name: str) -> Iterator[Misfit]:
    if row.type in facts.fits:
        if row.too_long is TooLong.CUT and side is Side.SALESFORCE and facts.length is None:
            words = f"{name} tells no length, so nothing is cut for it"
            yield Misfit(row.prospect, side, name, words, "Leave too_long out.", grave=False)
        return
    words = f"{name} is of type {facts.kind}, and the mapping says {row.type.value}"
    best = " or ".join(sorted(one.value for one in facts.fits)) or "nothing that could be mapped"
    yield Misfit(row.prospect, side, name, words, f"The type that fits is {best}.", grave=row.type not in facts.bends)
