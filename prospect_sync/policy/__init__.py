"""The policy core: which side's value wins for each field of a pair, and why. Pure: values in, values out.

It knows neither how records are read nor how they are written, and has no clock.
"""

from prospect_sync.policy.behaviors import (
    CONSENT_FIELDS,
    Behavior,
    Clears,
    ConnectorRules,
    FieldMapping,
    FieldType,
    Mapping,
    Tie,
    TooLong,
    WithoutHistory,
)
from prospect_sync.policy.resolve import history_needed, resolve
from prospect_sync.policy.rules import RULES, Rule
from prospect_sync.policy.values import convert, equal, is_empty

__all__ = [
    "CONSENT_FIELDS",
    "RULES",
    "Behavior",
    "Clears",
    "ConnectorRules",
    "FieldMapping",
    "FieldType",
    "Mapping",
    "Rule",
    "Tie",
    "TooLong",
    "WithoutHistory",
    "convert",
    "equal",
    "history_needed",
    "is_empty",
    "resolve",
]
