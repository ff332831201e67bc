"""Whether a record may be saved as it would then be: the platform's own checks and the org's rules.

Looks at the whole record after the change, and refuses in the vendor's words.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from prospect_sync.sandbox.salesforce.errors import OrgError, invalid_cross_reference, refusal, together
from prospect_sync.sandbox.salesforce.schema import NUMBER_TYPES, TEXT_TYPES, Field, ObjectType
from prospect_sync.sandbox.salesforce.settings import DuplicateRule
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import Row
from prospect_sync.sandbox.salesforce.wire import shown

_ADDRESS = re.compile(r"[^@\s,;<>()\[\]\"]+@[^@\s,;<>()\[\]\"]+\.[^@\s.,;<>()\[\]\"]{2,}")
_MOST_CHOICES = 100


class Validation:
    """The checks of one org."""

    def __init__(self, state: OrgState) -> None:
        self._state = state

    def rewrite(self, kind: ObjectType, after: Row) -> set[str]:
        """Let the before-save triggers reformat the record; says which fields they touched."""
        touched = set()
        for trigger in self._state.settings.triggers:
            value = after.get(trigger.field) if trigger.object == kind.name else None
            if not isinstance(value, str):
                continue
            rewritten = trigger.pattern.sub(trigger.replacement, value)
            if rewritten != value:
                after[trigger.field] = rewritten or None
                touched.add(trigger.field)
        return touched

    def check(self, kind: ObjectType, after: Row, names: set[str]) -> None:
        """Refuse the save, naming everything that is wrong; `names` are the fields that the save sets."""
        written = [one for one in kind.fields if one.name in names]
        missing = [one.name for one in written if _must_be_filled(one) and after.get(one.name) is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise refusal("REQUIRED_FIELD_MISSING", message, fields=missing)
        problems = [problem for one in written for problem in self._wrong_value(kind, one, after)]
        problems += self._broken_rules(kind, after)
        if problems:
            raise together(problems)

    def check_duplicates(self, kind: ObjectType, after: Row, names: set[str], *, allowed: bool, details: bool) -> None:
        """Refuse what a duplicate rule finds; saving anyway helps only where the rule merely alerts."""
        for rule in self._state.settings.duplicate_rules:
            if rule.object != kind.name or not names & set(rule.fields) or (allowed and rule.action == "alert"):
                continue
            found = self._alike(kind, after, rule)
            if found:
                raise _duplicates(kind, rule, found, details=details)

    def _wrong_value(self, kind: ObjectType, one: Field, after: Row) -> Iterator[OrgError]:
        value = after.get(one.name)
        if value is None:
            return
        if one.type in TEXT_TYPES and one.length and len(value) > one.length:
            message = f"{one.label or one.name}: data value too large: {value} (max length={one.length})"
            yield refusal("STRING_TOO_LONG", message, fields=[one.name])
        elif one.type in _CHECKS:
            yield from _CHECKS[one.type](one, value)
        elif one.type in NUMBER_TYPES and abs(value) >= 10 ** (one.precision - one.scale):
            message = f"{one.label or one.name}: value outside of valid range on numeric field: {value}"
            yield refusal("NUMBER_OUTSIDE_VALID_RANGE", message, fields=[one.name])
        elif one.type == "reference":
            yield from self._wrong_target(one, value)
        if one.unique:
            yield from self._taken(kind, one, value, after["Id"])

    def _wrong_target(self, one: Field, ident: str) -> Iterator[OrgError]:
        targets = [kind for kind in map(self._state.schema.find, one.target) if kind is not None]
        right_kind = [kind for kind in targets if kind.prefix == ident[:3]]
        if targets and not right_kind:
            message = f"{one.label or one.name}: id value of incorrect type: {ident}"
            yield refusal("FIELD_INTEGRITY_EXCEPTION", message, fields=[one.name])
        elif not any(self._state.storage.exists(kind, ident) for kind in right_kind):
            yield invalid_cross_reference(fields=[one.name])

    def _taken(self, kind: ObjectType, one: Field, value: Any, ident: str) -> Iterator[OrgError]:
        condition = f'"{one.name}" = ? AND Id <> ? AND NOT IsDeleted'
        for other in self._state.storage.where(kind, condition, (value, ident), ("Id",)):
            message = f"duplicate value found: {one.name} duplicates value on record with id: {other['Id']}"
            yield refusal("DUPLICATE_VALUE", message, fields=[])

    def _broken_rules(self, kind: ObjectType, after: Row) -> list[OrgError]:
        return [
            refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields=[rule.field])
            for rule in self._state.settings.validation_rules
            if rule.object == kind.name
            and after.get(rule.field) is not None
            and not rule.pattern.search(str(after[rule.field]))
        ]

    def _alike(self, kind: ObjectType, after: Row, rule: DuplicateRule) -> list[Row]:
        values = [after.get(name) for name in rule.fields]
        if any(value is None for value in values):
            return []
        condition = " AND ".join(f'"{name}" = ?' for name in rule.fields)
        condition += " AND Id <> ? AND NOT IsDeleted LIMIT 10"
        return self._state.storage.where(kind, condition, (*values, after["Id"]), ("Id", *rule.fields))


def _must_be_filled(one: Field) -> bool:
    return one.createable and not one.nillable and one.type != "boolean"


def _not_an_address(one: Field, value: str) -> Iterator[OrgError]:
    if not _ADDRESS.fullmatch(value):
        message = f"{one.label or one.name}: invalid email address: {value}"
        yield refusal("INVALID_EMAIL_ADDRESS", message, fields=[one.name])


def _not_a_choice(one: Field, value: str) -> Iterator[OrgError]:
    chosen = value.split(";") if one.type == "multipicklist" else [value]
    if len(chosen) > _MOST_CHOICES:
        message = f"{one.label or one.name}: too many values"
        yield refusal("TOO_MANY_ENUM_VALUE", message, fields=[one.name])
    wrong = [choice for choice in chosen if choice not in one.values]
    if one.restricted and wrong:
        message = f"{one.label or one.name}: bad value for restricted picklist field: {wrong[0]}"
        yield refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[one.name])


_CHECKS: dict[str, Callable[[Field, Any], Iterator[OrgError]]] = {
    "email": _not_an_address,
    "picklist": _not_a_choice,
    "multipicklist": _not_a_choice,
}


def _duplicates(kind: ObjectType, rule: DuplicateRule, found: list[Row], *, details: bool) -> OrgError:
    matches = []
    for row in found:
        record: Row = {
            "attributes": {"type": kind.name, "url": f"/services/data/v67.0/sobjects/{kind.name}/{row['Id']}"}
        }
        record["Id"] = row["Id"]
        if details:
            record |= {name: _wire(kind, name, row[name]) for name in rule.fields}
        entry = {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}
        matches.append(entry)
    # The wrapper key is misspelt in the bodies that real orgs send.
    return refusal(
        "DUPLICATES_DETECTED",
        rule.message,
        duplicateResut={
            "allowSave": rule.action == "alert",
            "duplicateRule": rule.name,
            "duplicateRuleEntityType": kind.name,
            "errorMessage": rule.message,
            "matchResults": [
                {
                    "entityType": kind.name,
                    "errors": [],
                    "matchEngine": "FuzzyMatchEngine",
                    "matchRecords": matches,
                    "rule": rule.matching_rule,
                    "size": len(matches),
                    "success": True,
                }
            ],
        },
    )


def _wire(kind: ObjectType, name: str, value: Any) -> Any:
    one = kind.field(name)
    write = shown(one) if one else None
    return write(value) if write else value
