"""Turns rows of Lead and Contact queries into persons and versions. Knows shapes, asks nothing."""

from collections.abc import Collection, Mapping
from typing import Any

from prospect_sync import wire
from prospect_sync.model import Person, PersonType, RecordKind, Ref, Stamp, Version, id18

_ALWAYS = (
    "Id",
    "IsDeleted",
    "MasterRecordId",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
)
_OF_TYPE: Mapping[PersonType, tuple[str, ...]] = {
    PersonType.LEAD: ("IsConverted", "ConvertedContactId"),
    PersonType.CONTACT: ("AccountId", "Account.Name"),
}


def columns_of(person_type: PersonType, fields: Collection[str]) -> tuple[str, ...]:
    """Name every column a person of this type is made from."""
    return tuple(dict.fromkeys((*_ALWAYS, *_OF_TYPE[person_type], *fields)))


def person(person_type: PersonType, row: Mapping[str, Any], fields: Collection[str]) -> Person:
    """Make a person of a row.

    Raises:
        ValueError: the row lacks its id or has a wrong stamp.
    """
    found = {name: wire.member(row, name) for name in fields}
    account_name = wire.member(row, "Account.Name")
    return Person(
        type=person_type,
        id=_id(row),
        values={name: value for name, value in found.items() if value is not wire.MISSING},
        created=Stamp(wire.instant(row.get("CreatedDate")), _text(row.get("CreatedById"))),
        modified=Stamp(wire.instant(row.get("LastModifiedDate")), _text(row.get("LastModifiedById"))),
        has_account=row["AccountId"] is not None if "AccountId" in row else None,
        account_name=account_name if isinstance(account_name, str) else None,
        deleted=row.get("IsDeleted") is True,
        master_id=_reference(row.get("MasterRecordId")),
        converted_contact_id=_reference(row.get("ConvertedContactId")),
    )


def version(kind: RecordKind, row: Mapping[str, Any]) -> Version:
    """Make a version of a row; its stamp keeps the fraction, because paging compares it.

    Raises:
        ValueError: the row lacks its id or stamp.
    """
    stamp = wire.exact_instant(row.get("SystemModstamp"))
    return Version(Ref(kind, _id(row)), stamp, row.get("IsDeleted") is True)


def contact_ref(row: Mapping[str, Any]) -> Ref:
    """Name the contact of a row.

    Raises:
        ValueError: the row lacks its id.
    """
    return Ref.person(PersonType.CONTACT, _id(row))


def id_of(row: Mapping[str, Any]) -> str:
    """Give a row's id, of 18 characters; empty where it has none."""
    return _reference(row.get("Id")) or ""


def _id(row: Mapping[str, Any]) -> str:
    found = _reference(row.get("Id"))
    if found is None:
        raise ValueError("a row without an id")
    return found


def _reference(value: Any) -> str | None:
    return id18(value) if isinstance(value, str) and value else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
