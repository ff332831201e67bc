"""The mapping as values: which fields belong together, and which sync behavior decides between them.

The mapping *file* and its checks are in ``prospect_sync.mapping``; here is only what the resolver needs to know.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from prospect_sync.model import NOTHING, PersonType


class Behavior(StrEnum):
    """The four documented sync behaviors, and our own ``fill_blanks``."""

    USE_ACCOUNT_ENGAGEMENT = "use_account_engagement"
    USE_SALESFORCE = "use_salesforce"
    MOST_RECENT_FIELD = "most_recent_field"
    MOST_RECENT_RECORD = "most_recent_record"
    FILL_BLANKS = "fill_blanks"


class FieldType(StrEnum):
    """How a mapped value is compared and converted."""

    TEXT = "text"
    EMAIL = "email"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    MULTISELECT = "multiselect"


class Tie(StrEnum):
    """Who wins where the times prove no order."""

    SALESFORCE = "salesforce"
    ACCOUNT_ENGAGEMENT = "account_engagement"
    RESTRICTIVE = "restrictive"


class WithoutHistory(StrEnum):
    """What decides a most-recent-field contest when one side has no field time."""

    RECORD = "record"
    RESTRICTIVE = "restrictive"
    SALESFORCE = "salesforce"
    ACCOUNT_ENGAGEMENT = "account_engagement"
    HOLD = "hold"


class TooLong(StrEnum):
    """What becomes of a text that is longer than Salesforce's field."""

    REFUSE = "refuse"
    CUT = "cut"


class Clears(StrEnum):
    """Which side may clear a value on purpose."""

    SALESFORCE = "salesforce"
    EITHER = "either"


CONSENT_FIELDS = frozenset({"optedOut", "isDoNotEmail", "isDoNotCall"})
ONE_WAY_TO_SALESFORCE = frozenset({"score", "grade", "campaignId"})
ASSIGNED_USER_FIELDS = frozenset({"userId", "salesforceOwnerId", "assignedToId"})


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One ``[[field]]`` of the mapping, defaults filled in.

    ``behavior`` is None where the field's rule leaves none to set (proprietary fields). ``default`` is the value for
    required fields when a person is created. ``line`` is where it stands in the file, for messages.
    """

    prospect: str
    lead: str | None = None
    contact: str | None = None
    behavior: Behavior | None = None
    type: FieldType = FieldType.TEXT
    tie: Tie = Tie.SALESFORCE
    without_history: WithoutHistory = WithoutHistory.RECORD
    clears: Clears | None = None
    default: object = None
    line: int | None = None
    too_long: TooLong = TooLong.REFUSE

    def person_field(self, person_type: PersonType) -> str | None:
        """Name this field on a lead or on a contact; None where it is not mapped there."""
        return self.lead if person_type is PersonType.LEAD else self.contact


@dataclass(frozen=True, slots=True)
class ConnectorRules:
    """The ``[connector]`` table. ``skew_margin`` is in seconds."""

    allow_blank_salesforce: bool = False
    multiple_prospects_per_email: bool = False
    follow_salesforce_email: bool = False
    match_by_email: bool = True
    create_prospects: bool = False
    create_as: PersonType = PersonType.LEAD
    external_id: str | None = None
    skew_margin: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A validated mapping. ``version`` changes with the file's meaning and stands in every recorded decision.

    ``scope``: the filter of each Salesforce object, as SOQL; ``prospect_scope``: that of prospects, read by ``policy.scope``.
    ``idle``: prospect fields that are read, but neither decided nor written now, because they are paused or on hold.
    ``gone``: those of them that are not read either, because Account Engagement no longer has them.
    """

    connector: ConnectorRules = ConnectorRules()
    users: MappingOf[str, str] = field(default_factory=lambda: NOTHING)
    scope: MappingOf[str, str] = field(default_factory=lambda: NOTHING)
    values: MappingOf[str, MappingOf[str, str]] = field(default_factory=lambda: NOTHING)
    fields: tuple[FieldMapping, ...] = ()
    version: str = ""
    prospect_scope: Any = None
    idle: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    tables: dict[PersonType, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Where the resolver keeps what it has compiled from this mapping, once per person type; no part of its meaning."""


def as_salesforce_says(mapping: Mapping) -> Mapping:
    """The same mapping with every ordinary field as ``use_salesforce`` and the blank switch off, for one sync (LC-3)."""
    fields = tuple(
        row if row.behavior is None else replace(row, behavior=Behavior.USE_SALESFORCE, clears=None)
        for row in mapping.fields
    )
    return replace(mapping, fields=fields, connector=replace(mapping.connector, allow_blank_salesforce=False))
