"""Reads one ``[[field]]`` of a mapping file, fills in its defaults, and refuses what this field does not allow."""

from collections.abc import Mapping as MappingOf
from datetime import date, datetime, time
from typing import Any

from prospect_sync.mapping.report import Choice, Place, Report, shown
from prospect_sync.policy import (
    CONSENT_FIELDS,
    Behavior,
    Clears,
    ConnectorRules,
    FieldMapping,
    FieldType,
    Tie,
    TooLong,
    WithoutHistory,
)
from prospect_sync.policy.behaviors import ASSIGNED_USER_FIELDS, ONE_WAY_TO_SALESFORCE
from prospect_sync.policy.field_table import ACCOUNT_NAME
from prospect_sync.policy.values import Unread, read

_FIELD_KEYS = (
    "prospect",
    "lead",
    "contact",
    "behavior",
    "type",
    "tie",
    "without_history",
    "clears",
    "default",
    "too_long",
)


class FieldReader:
    """One ``[[field]]``: its values, and what this field does not allow."""

    def __init__(self, report: Report, entry: MappingOf[str, Any], index: int, connector: ConnectorRules) -> None:
        self.report = report
        self.entry = entry
        self.path: tuple[Place, ...] = ("field", index)
        self.connector = connector

    def field(self) -> FieldMapping | None:
        self.report.known_keys(self.entry, _FIELD_KEYS, *self.path)
        prospect = self._prospect()
        lead, contact = self._person_field("lead", prospect), self._person_field("contact", prospect)
        field_type, behavior = self._type(prospect), self._behavior(prospect)
        boolean = field_type is FieldType.BOOLEAN
        consent = prospect in CONSENT_FIELDS and boolean
        tie = self._choice("tie", Tie)
        without_history = self._choice("without_history", WithoutHistory)
        clears = self._choice("clears", Clears)
        self._check_restrictive(tie, without_history, field_type)
        if clears is not None and prospect is not None:
            self._check_clears(clears, prospect, behavior, lead, contact)
        if prospect is None:
            return None
        return FieldMapping(
            prospect=prospect,
            lead=lead,
            contact=contact,
            behavior=behavior,
            type=field_type or FieldType.TEXT,
            tie=tie or (Tie.RESTRICTIVE if consent else Tie.SALESFORCE),
            without_history=without_history or (WithoutHistory.RESTRICTIVE if consent else WithoutHistory.RECORD),
            clears=clears,
            default=self._default(field_type),
            line=self.report.lines.line(*self.path),
            too_long=self._too_long(field_type),
        )

    def _problem(self, message: str, key: str | None = None) -> None:
        self.report.add(message, *self.path, *([key] if key else []))

    def _prospect(self) -> str | None:
        if "prospect" not in self.entry:
            self._problem("names no prospect field", "prospect")
            return None
        return self.report.api_name(self.entry["prospect"], *self.path, "prospect")

    def _person_field(self, key: str, prospect: str | None) -> str | None:
        if key not in self.entry:
            if key == "contact" and "lead" not in self.entry:
                self._problem("names neither a lead nor a contact field")
            return None
        value = self.entry[key]
        if value == ACCOUNT_NAME and key == "contact" and prospect == "company":
            return ACCOUNT_NAME
        if isinstance(value, str) and "." in value:
            self._problem(f"{value} belongs to another record and cannot be mapped", key)
            return None
        return self.report.api_name(value, *self.path, key)

    def _choice(self, key: str, kind: type[Choice]) -> Choice | None:
        return self.report.choice(self.entry[key], kind, *self.path, key) if key in self.entry else None

    def _type(self, prospect: str | None) -> FieldType | None:
        natural = FieldType.TEXT
        if prospect == "email":
            natural = FieldType.EMAIL
        elif prospect in CONSENT_FIELDS:
            natural = FieldType.BOOLEAN
        if "type" not in self.entry:
            return natural
        chosen = self._choice("type", FieldType)
        if prospect == "email" and chosen in {FieldType.TEXT, FieldType.EMAIL}:
            return FieldType.EMAIL
        if prospect in {"email", "optedOut"} and chosen is not None and chosen is not natural:
            self._problem(f"{prospect} is always of type {natural.value}", "type")
        return chosen

    def _behavior(self, prospect: str | None) -> Behavior | None:
        behavior = self._choice("behavior", Behavior)
        given = "behavior" in self.entry
        if prospect in ONE_WAY_TO_SALESFORCE and given:
            self._problem(
                f"{prospect} goes from Account Engagement to Salesforce only; leave the behavior out (PR-1)", "behavior"
            )
        elif prospect in ASSIGNED_USER_FIELDS and given:
            self._problem(f"{prospect} follows the owner in Salesforce; leave the behavior out (PR-2)", "behavior")
        elif prospect == "email" and given and not self.connector.multiple_prospects_per_email:
            self._problem(
                "with one prospect per address, email has no behavior to choose; leave it out (EM-1)", "behavior"
            )
        elif prospect == "optedOut":
            if behavior is Behavior.MOST_RECENT_RECORD:
                self._problem(
                    "most_recent_record is not available for optedOut; use most_recent_field (OO-1)", "behavior"
                )
            return behavior or Behavior.USE_ACCOUNT_ENGAGEMENT
        elif not given and prospect is not None and not self._has_its_own_rules(prospect):
            self._problem("names no behavior", "behavior")
        return behavior

    def _has_its_own_rules(self, prospect: str) -> bool:
        if prospect == "email":
            return not self.connector.multiple_prospects_per_email
        return prospect in ONE_WAY_TO_SALESFORCE | ASSIGNED_USER_FIELDS

    def _check_restrictive(
        self, tie: Tie | None, without_history: WithoutHistory | None, field_type: FieldType | None
    ) -> None:
        if field_type is FieldType.BOOLEAN or field_type is None:
            return
        for key, chosen in (("tie", tie), ("without_history", without_history)):
            if chosen is not None and chosen.value == "restrictive":
                self._problem(f"restrictive is for boolean fields; this one is of type {field_type.value}", key)

    def _check_clears(
        self, clears: Clears, prospect: str, behavior: Behavior | None, lead: str | None, contact: str | None
    ) -> None:
        if prospect == "email":
            self._problem("a prospect's email is never emptied", "clears")
        elif self._has_its_own_rules(prospect):
            self._problem(f"{prospect} has no behavior that a clearing could take part in", "clears")
        elif behavior is Behavior.FILL_BLANKS:
            self._problem("cannot be combined with fill_blanks", "clears")
        elif clears is Clears.SALESFORCE and behavior not in {Behavior.USE_SALESFORCE, None}:
            self._problem('clears = "salesforce" is for use_salesforce only (CL-1)', "clears")
        elif clears is Clears.EITHER and "lastname" in {str(lead).lower(), str(contact).lower()}:
            self._problem("a person's LastName is never emptied", "clears")
        elif clears is Clears.EITHER and str(lead).lower() == "company":
            self._problem("a lead's Company is never emptied", "clears")

    def _too_long(self, field_type: FieldType | None) -> TooLong:
        chosen = self._choice("too_long", TooLong) or TooLong.REFUSE
        if chosen is TooLong.CUT and field_type not in {FieldType.TEXT, None}:
            self._problem("only a text can be cut", "too_long")
        return chosen

    def _default(self, field_type: FieldType | None) -> object:
        value = self.entry.get("default")
        if isinstance(value, datetime | date | time):
            value = value.isoformat()
        reading = read(field_type or FieldType.TEXT, value)
        if isinstance(reading, Unread):
            self._problem(f"{shown(value)} {reading.reason}", "default")
        return value
