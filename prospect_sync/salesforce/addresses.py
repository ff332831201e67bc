"""Finds the persons that hold given e-mail addresses.

SOQL compares text without regard to case. Converted leads are left out by the query, deleted records by the resource.
Which of several persons is the right one is not decided here; they only come in a fixed order.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from prospect_sync.errors import Misconfigured
from prospect_sync.model import NOTHING, Person, PersonType
from prospect_sync.salesforce import batches, soql
from prospect_sync.salesforce.selection import Selection

_EMAIL = "Email"
_MOST = 200
_LIVING: Mapping[PersonType, str] = {PersonType.LEAD: " AND IsConverted = false", PersonType.CONTACT: ""}


def people_by_address(
    selection: Selection,
    addresses: Collection[str],
    fields: Mapping[PersonType, Collection[str]],
    scope: Mapping[str, str] = NOTHING,
) -> Mapping[str, tuple[Person, ...]]:
    """See ``PersonSide.by_address``."""
    wanted = sorted({address.lower() for address in addresses if _can_be_held(address)})

    def ask(kind: PersonType, columns: Sequence[str]) -> Iterator[str]:
        if _EMAIL not in columns:  # absence would mean that nobody has the address, and a duplicate would be made
            words = f"the connector user may not read the e-mail address of a {kind}"
            raise Misconfigured(words, code="INVALID_FIELD", fields=(_EMAIL,))
        for some in batches.cut(wanted, _MOST):
            yield soql.select(columns, kind, soql.among(_EMAIL, some) + _LIVING[kind])

    if not wanted:
        return {}
    with_email = {kind: tuple(dict.fromkeys((*fields.get(kind, ()), _EMAIL))) for kind in PersonType}
    found = selection.persons(list(PersonType), with_email, ask, deleted=False, scope=scope)
    return _grouped(found, set(wanted), fields)


def _grouped(
    found: Sequence[Person], wanted: Collection[str], fields: Mapping[PersonType, Collection[str]]
) -> dict[str, tuple[Person, ...]]:
    groups: dict[str, list[Person]] = {}
    for person in sorted(found, key=_order):
        address = str(person.values[_EMAIL]).lower()
        if address in wanted:
            groups.setdefault(address, []).append(_as_asked(person, fields.get(person.type, ())))
    return {address: tuple(group) for address, group in groups.items()}


def _order(person: Person) -> tuple[bool, float, str]:
    at = person.modified.at
    return person.type is not PersonType.CONTACT, -at.timestamp() if at else 0.0, person.id


def _as_asked(person: Person, fields: Collection[str]) -> Person:
    if _EMAIL in fields:
        return person
    return replace(person, values={name: value for name, value in person.values.items() if name != _EMAIL})


def _can_be_held(address: str) -> bool:
    """Control characters and lone surrogates would spoil the query for all the others."""
    return bool(address) and address.isprintable()
