"""A mapping compiled for one person type: one row per mapped field that exists there, everything settled in advance.

Which kind a field is follows from the prospect's API name, never from the file. Nothing here looks at a value.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum, auto
from types import MappingProxyType
from typing import Any

from prospect_sync.model import Decision, PersonType
from prospect_sync.policy.behaviors import (
    ASSIGNED_USER_FIELDS,
    ONE_WAY_TO_SALESFORCE,
    Behavior,
    Clears,
    FieldMapping,
    FieldType,
    Mapping,
    Tie,
    WithoutHistory,
)
from prospect_sync.policy.values import ValueMap

ACCOUNT_NAME = "Account.Name"


class Kind(Enum):
    """Which family of rules decides a field."""

    ORDINARY = auto()
    EMAIL = auto()
    ACCOUNT_NAME = auto()
    ONE_WAY = auto()
    ASSIGNED_USER = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One mapped field on one person type. ``plain``: value classes for which identical values need no closer look."""

    prospect: str
    person_field: str
    kind: Kind
    type: FieldType
    behavior: Behavior
    tie: Tie
    without_history: WithoutHistory
    clears: Clears | None
    opted_out: bool
    values: ValueMap | None
    plain: frozenset[Any]
    same: Decision


@dataclass(frozen=True, slots=True)
class FieldTable:
    """All rows of one person type in the mapping's order, and the connector's settings as the rules need them."""

    rows: tuple[Row, ...]
    margin: timedelta
    blank_salesforce: bool
    follow_salesforce_email: bool
    guards_every_salesforce_write: bool
    users: MappingOf[str, str]


def field_table(mapping: Mapping, person_type: PersonType) -> FieldTable:
    """Give the compiled table; it is made once per mapping and person type, and kept with the mapping."""
    table = mapping.tables.get(person_type)
    if table is None:
        table = mapping.tables[person_type] = _compile(mapping, person_type)
    return table


def _compile(mapping: Mapping, person_type: PersonType) -> FieldTable:
    rules = mapping.connector
    rows = (_row(mapping, entry, person_type) for entry in mapping.fields if entry.prospect not in mapping.idle)
    return FieldTable(
        rows=tuple(row for row in rows if row is not None),
        margin=_margin(rules.skew_margin),
        blank_salesforce=rules.allow_blank_salesforce,
        follow_salesforce_email=rules.follow_salesforce_email,
        guards_every_salesforce_write=any(
            entry.behavior is Behavior.MOST_RECENT_RECORD and entry.person_field(person_type)
            for entry in mapping.fields
        ),
        users=MappingProxyType({theirs[:15]: ours for theirs, ours in mapping.users.items()}),
    )


def _row(mapping: Mapping, entry: FieldMapping, person_type: PersonType) -> Row | None:
    kind = _kind(mapping, entry, person_type)
    person_field = entry.person_field(person_type) or (ACCOUNT_NAME if kind is Kind.ACCOUNT_NAME else None)
    if person_field is None:
        return None
    entries = mapping.values.get(entry.prospect)
    values = ValueMap.of(entries) if entries else None
    field_type = _type(entry)
    opted_out = entry.prospect == "optedOut"
    default = Behavior.USE_ACCOUNT_ENGAGEMENT if opted_out else Behavior.USE_SALESFORCE
    return Row(
        prospect=entry.prospect,
        person_field=person_field,
        kind=kind,
        type=field_type,
        behavior=entry.behavior or default,
        tie=entry.tie,
        without_history=entry.without_history,
        clears=None if _never_emptied(entry, person_field, person_type) else entry.clears,
        opted_out=opted_out,
        values=values,
        plain=_plain(kind, field_type, values),
        same=Decision(entry.prospect, person_field, "SAME", None, evidence=MappingProxyType({"decided_by": "equal"})),
    )


def _kind(mapping: Mapping, entry: FieldMapping, person_type: PersonType) -> Kind:
    if entry.prospect == "email" and not mapping.connector.multiple_prospects_per_email:
        return Kind.EMAIL
    if entry.prospect == "company" and person_type is PersonType.CONTACT:
        return Kind.ACCOUNT_NAME
    if entry.prospect in ONE_WAY_TO_SALESFORCE:
        return Kind.ONE_WAY
    return Kind.ASSIGNED_USER if entry.prospect in ASSIGNED_USER_FIELDS else Kind.ORDINARY


def _type(entry: FieldMapping) -> FieldType:
    if entry.prospect == "optedOut":
        return FieldType.BOOLEAN
    if entry.prospect == "email":
        return FieldType.EMAIL
    return entry.type


def _never_emptied(entry: FieldMapping, person_field: str, person_type: PersonType) -> bool:
    """Name what no clearing may empty: the prospect's address, a person's last name, a lead's company."""
    required = person_field == "LastName" or (person_field == "Company" and person_type is PersonType.LEAD)
    return entry.prospect == "email" or (required and entry.clears is Clears.EITHER)


def _plain(kind: Kind, field_type: FieldType, values: ValueMap | None) -> frozenset[Any]:
    if kind in {Kind.ACCOUNT_NAME, Kind.ASSIGNED_USER}:
        return frozenset()
    if values is not None:
        return frozenset({type(None)})
    match field_type:
        case FieldType.TEXT | FieldType.EMAIL:
            return frozenset({type(None), str})
        case FieldType.BOOLEAN:
            return frozenset({type(None), bool})
        case _:
            return frozenset({type(None)})


def _margin(seconds: Decimal) -> timedelta:
    return timedelta(microseconds=int(min(max(seconds, Decimal(0)), Decimal(10**9)) * 10**6))
