"""What an administrator has set in the org: tracking, rights, rules, limits, and the faults of records.

Every key of `configure` is checked here, so that a misspelt one is an error and not a setting without effect.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from prospect_sync.sandbox.salesforce.event_settings import EventSettings
from prospect_sync.sandbox.salesforce.ids import full_id

Tracking = bool | frozenset[str]


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """A save is refused where the field is filled and does not match."""

    object: str
    field: str
    pattern: re.Pattern[str]
    message: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A before-save trigger that rewrites a field, in the transaction and the name of the writer."""

    object: str
    field: str
    pattern: re.Pattern[str]
    replacement: str


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Records alike in all `fields` are duplicates; `action` is block or alert."""

    object: str
    name: str
    fields: tuple[str, ...]
    action: str
    matching_rule: str
    message: str


@dataclass(slots=True)
class Settings:
    """The org's settings as they are now."""

    history_tracking: Mapping[str, Tracking] = field(default_factory=dict)
    """By object: True tracks every field that can be, a set only these, False hides the history object."""
    field_security: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """User, object, field: none, read or edit. What is not named may be edited."""
    locked: dict[str, int] = field(default_factory=dict)
    """Record id: how many more attempts fail; -1 for all of them."""
    lock_fails_batch: bool = False
    daily_limit: int = 100_000
    validation_rules: tuple[ValidationRule, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    duplicate_rules: tuple[DuplicateRule, ...] = ()
    composite_conditional: bool = True
    """Whether a Composite subrequest's `If-Unmodified-Since` is honoured; switched off it is ignored."""
    call_options_everywhere: bool = False
    """Whether `Sforce-Call-Options` also reaches change events where it is not documented: Collections and Composite."""
    events: EventSettings = field(default_factory=EventSettings)
    assignment_rule_owner: str | None = None
    """Who owns a lead after an active assignment rule ran; None where there is no rule."""
    hidden: frozenset[str] = frozenset()
    """Records that sharing keeps from the connector user."""

    def changed(self, settings: Mapping[str, Any]) -> Self:
        """These settings with the given keys replaced; raises ValueError with every key it does not know."""
        unknown = sorted(settings.keys() - _PARSERS.keys())
        if unknown:
            raise ValueError(f"unknown settings {unknown}; known are {sorted(_PARSERS)}")
        kept = {one.name: getattr(self, one.name) for one in fields(self)}
        return type(self)(**(kept | {name: _PARSERS[name](value) for name, value in settings.items()}))

    def tracks(self, object_name: str) -> Tracking:
        return self.history_tracking.get(object_name, True)


def _tracking(value: Mapping[str, Any]) -> Mapping[str, Tracking]:
    return {name: what if isinstance(what, bool) else frozenset(what) for name, what in value.items()}


def _security(value: Mapping[str, Any]) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    for user, objects in value.items():
        for name, levels in objects.items():
            wrong = {level for level in levels.values() if level not in {"none", "read", "edit"}}
            if wrong:
                raise ValueError(f"field_security of {user} on {name}: {sorted(wrong)} is not none, read or edit")
    return value


def _ids(value: Any) -> frozenset[str]:
    return frozenset(_id(one) for one in value)


def _id(value: Any) -> str:
    ident = full_id(str(value))
    if ident is None:
        raise ValueError(f"not a record id: {value!r}")
    return ident


def _rule(value: Mapping[str, Any]) -> ValidationRule:
    return ValidationRule(value["object"], value["field"], re.compile(value["pattern"]), value["message"])


def _trigger(value: Mapping[str, Any]) -> Trigger:
    pattern, replacement = value["replace"]
    return Trigger(value["object"], value["field"], re.compile(pattern), replacement)


def _duplicate_rule(value: Mapping[str, Any]) -> DuplicateRule:
    action = value.get("action", "block")
    if action not in {"block", "alert"}:
        raise ValueError(f"a duplicate rule's action is block or alert, not {action!r}")
    return DuplicateRule(
        object=value["object"],
        name=value.get("name", f"Standard_{value['object']}_Duplicate_Rule"),
        fields=tuple(value.get("fields", ("Email",))),
        action=action,
        matching_rule=value.get("matching_rule", f"Standard_{value['object']}_Match_Rule_v1_0"),
        message=value.get("message", "You're creating a duplicate record. We recommend you use an existing record."),
    )


def _each(parse: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    return lambda values: tuple(parse(value) for value in values)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "history_tracking": _tracking,
    "field_security": _security,
    "locked": lambda value: {_id(ident): int(times) for ident, times in value.items()},
    "lock_fails_batch": bool,
    "daily_limit": int,
    "validation_rules": _each(_rule),
    "triggers": _each(_trigger),
    "duplicate_rules": _each(_duplicate_rule),
    "composite_conditional": bool,
    "call_options_everywhere": bool,
    "events": EventSettings.parsed,
    "assignment_rule_owner": lambda value: None if value is None else _id(value),
    "hidden": _ids,
}
