"""When fields of leads and contacts were changed, by the history objects; never what they were changed to.

It knows that a contact's history begins with the lead it was converted from, and that name and address are tracked as
one field each. Which row counts is decided elsewhere.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prospect_sync import wire
from prospect_sync.errors import TryLater
from prospect_sync.model import Lane, PersonType, RecordKind, Ref, Stamp, id18
from prospect_sync.ports import PersonHistory
from prospect_sync.salesforce import composite, errors, soql
from prospect_sync.salesforce.composite import Rows
from prospect_sync.salesforce.gateway import SalesforceGateway

_TOGETHER = 400
_NAME = ("FirstName", "LastName", "MiddleName", "Salutation", "Suffix")
_ADDRESS = ("Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")
_COMPOUND: Mapping[str, str] = {
    **dict.fromkeys(_NAME, "Name"),
    **dict.fromkeys(_ADDRESS, "Address"),
    **{kind + part: kind + "Address" for kind in ("Mailing", "Other") for part in _ADDRESS},
}
"""A row of the compound field may be the change of any of its parts."""

_Row = tuple[str, datetime, str]


class SalesforceHistory:
    """The ``FieldHistory`` port over one gateway; ``for_lane`` gives the same for other work."""

    def __init__(self, gateway: SalesforceGateway, lane: Lane = Lane.LIVE) -> None:
        self._gateway = gateway
        self._lane = lane

    def for_lane(self, lane: Lane) -> "SalesforceHistory":
        """Give a view whose calls count for another lane."""
        return SalesforceHistory(self._gateway, lane)

    def tracked(self) -> Mapping[PersonType, frozenset[str] | None]:
        """See ``FieldHistory.tracked``. One call."""
        queries = []
        for kind in PersonType:
            columns = ("QualifiedApiName", "IsFieldHistoryTracked")
            where = f"EntityDefinition.QualifiedApiName = {soql.text(kind)}"
            queries += [soql.select(columns, "FieldDefinition", where), soql.first(("Id",), f"{kind}History")]
        found, _ = composite.query_all(self._gateway, queries, lane=self._lane, deleted=False)
        return {kind: _tracked(found[2 * place], found[2 * place + 1]) for place, kind in enumerate(PersonType)}

    def read(
        self, wanted: Mapping[Ref, Collection[str]], contact_to_lead: Mapping[str, str]
    ) -> Mapping[Ref, PersonHistory]:
        """See ``FieldHistory.read``."""
        found = {ref: PersonHistory(rows=() if soql.is_id(ref.id) else None) for ref in wanted}
        askable = sorted(ref for ref, fields in wanted.items() if fields and soql.is_id(ref.id))
        for start in range(0, len(askable), _TOGETHER):
            some = {ref: wanted[ref] for ref in askable[start : start + _TOGETHER]}
            found.update(self._read_some(some, contact_to_lead))
        return found

    def _read_some(
        self, wanted: Mapping[Ref, Collection[str]], contact_to_lead: Mapping[str, str]
    ) -> dict[Ref, PersonHistory]:
        leads = {ref: tuple(fields) for ref, fields in wanted.items() if ref.kind is RecordKind.LEAD}
        contacts = {ref: tuple(fields) for ref, fields in wanted.items() if ref.kind is RecordKind.CONTACT}
        asked = dict(_questions(leads, contacts, contact_to_lead))
        answers, _ = composite.query_all(self._gateway, list(asked.values()), lane=self._lane)
        told = dict(zip(asked, (_usable(answer) for answer in answers), strict=True))
        try:
            return {
                **_of_leads(leads, told.get("leads")),
                **_of_contacts(contacts, told, contact_to_lead),
            }
        except ValueError as error:
            raise TryLater(f"a history row has a strange shape: {error}", delay=60) from error


def _questions(
    leads: Mapping[Ref, Collection[str]],
    contacts: Mapping[Ref, Collection[str]],
    contact_to_lead: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """The queries by name: histories of leads and of contacts, the leads that became contacts, and their history."""
    if leads:
        yield "leads", _history("Lead", "LeadId", _ids(leads), _names(leads.values()))
    if not contacts:
        return
    yield "contacts", _history("Contact", "ContactId", _ids(contacts), _names(contacts.values()))
    of_contacts = soql.among("ConvertedContactId", _ids(contacts))
    yield "converted", soql.select(("ConvertedContactId", "CreatedDate", "CreatedById"), "Lead", of_contacts)
    if former := _names([[contact_to_lead[name] for name in _flat(contacts.values()) if name in contact_to_lead]]):
        yield "former", _history("Lead", "Lead.ConvertedContactId", _ids(contacts), former)


def _history(kind: str, key: str, ids: Iterable[str], names: Collection[str]) -> str:
    where = f"{soql.among(key, ids)} AND {soql.among('Field', names)}"
    return soql.select((key, "Field", "CreatedDate", "CreatedById"), f"{kind}History", where, order=_NEWEST_FIRST)


_NEWEST_FIRST = "CreatedDate DESC, Id DESC"


def _usable(answer: Rows) -> tuple[Mapping[str, Any], ...] | None:
    """The rows; None where this user has no such object."""
    if errors.is_missing_object(answer.error) or errors.is_unreadable(answer.error):
        return None
    if answer.error is not None:
        raise errors.for_reading(answer.error)
    return answer.rows


def _of_leads(
    leads: Mapping[Ref, Collection[str]], rows: tuple[Mapping[str, Any], ...] | None
) -> dict[Ref, PersonHistory]:
    if rows is None:
        return {ref: PersonHistory(rows=None) for ref in leads}
    by_id = _grouped(rows, "LeadId")
    return {ref: PersonHistory(tuple(_matching(by_id.get(ref.id, ()), {f: f for f in leads[ref]}))) for ref in leads}


def _of_contacts(
    contacts: Mapping[Ref, Collection[str]],
    told: Mapping[str, tuple[Mapping[str, Any], ...] | None],
    contact_to_lead: Mapping[str, str],
) -> dict[Ref, PersonHistory]:
    """A contact's own rows and those of the lead it was; where either cannot be read, nothing is known of its history."""
    own, converted = told.get("contacts"), told.get("converted") or ()
    former = told.get("former", ())
    own_by_id = _grouped(own or (), "ContactId")
    former_by_id = _grouped(former or (), "Lead.ConvertedContactId")
    births = _births(converted)
    found = {}
    for ref, fields in contacts.items():
        born = births.get(ref.id)
        if own is None or (former is None and born is not None):
            found[ref] = PersonHistory(rows=None, converted_from=born)
            continue
        as_lead = {name: contact_to_lead[name] for name in fields if name in contact_to_lead}
        rows = [
            *_matching(own_by_id.get(ref.id, ()), {name: name for name in fields}),
            *_matching(former_by_id.get(ref.id, ()), as_lead),
        ]
        found[ref] = PersonHistory(tuple(sorted(rows, key=lambda row: row[1], reverse=True)), converted_from=born)
    return found


def _births(leads: Iterable[Mapping[str, Any]]) -> dict[str, Stamp]:
    """Creation of the lead per contact; of several leads that became one contact, the earliest."""
    births: dict[str, Stamp] = {}
    for row in sorted(leads, key=lambda row: wire.exact_instant(row.get("CreatedDate")), reverse=True):
        births[id18(str(row.get("ConvertedContactId")))] = Stamp(
            wire.instant(row.get("CreatedDate")), str(row.get("CreatedById") or "") or None
        )
    return births


def _matching(rows: Iterable[_Row], names: Mapping[str, str]) -> Iterator[_Row]:
    """Rows of the wanted fields under the wanted names; ``names``: wanted name → name in the history object."""
    wanted: dict[str, list[str]] = {}
    for name, recorded in names.items():
        for one in _recorded_as(recorded):
            wanted.setdefault(one, []).append(name)
    for field, at, by in rows:
        for name in wanted.get(field, ()):
            yield name, at, by


def _grouped(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, list[_Row]]:
    grouped: dict[str, list[_Row]] = {}
    for row in rows:
        at, owner = wire.instant(row.get("CreatedDate")), wire.member(row, key)
        if at is None or not isinstance(owner, str):
            raise ValueError("no date or no record")
        grouped.setdefault(id18(owner), []).append((str(row.get("Field")), at, str(row.get("CreatedById") or "")))
    return grouped


def _tracked(definitions: Rows, probe: Rows) -> frozenset[str] | None:
    if _usable(probe) is None:
        return None
    rows = _usable(definitions) or ()
    on = {str(row.get("QualifiedApiName")) for row in rows if row.get("IsFieldHistoryTracked") is True}
    return frozenset(on | {part for part, whole in _COMPOUND.items() if whole in on})


def _names(groups: Iterable[Collection[str]]) -> list[str]:
    return sorted({one for name in _flat(groups) if soql.is_name(name) for one in _recorded_as(name)})


def _recorded_as(name: str) -> tuple[str, ...]:
    return (name, _COMPOUND[name]) if name in _COMPOUND else (name,)


def _flat(groups: Iterable[Collection[str]]) -> Iterator[str]:
    return (name for group in groups for name in group)


def _ids(refs: Iterable[Ref]) -> list[str]:
    return sorted(ref.id for ref in refs)
