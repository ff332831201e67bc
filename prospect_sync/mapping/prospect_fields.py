"""Account Engagement's standard prospect fields by type, and who may write them: the API has no description of them.

Source: API v5, Prospects (fields and their types; the read-only table). Custom fields (``…__c``) are described by the API.
"""

from collections.abc import Iterator

from prospect_sync.errors import MappingProblem
from prospect_sync.policy import FieldType, Mapping
from prospect_sync.policy.behaviors import Behavior

_TEXTS = (
    "addressOne addressTwo annualRevenue city comments company country department employees fax firstName industry jobTitle"
    " lastName notes phone salutation source state territory website yearsInBusiness zip salesforceId salesforceOwnerId"
    " campaignParameter contentParameter convertedFromObjectName convertedFromObjectType emailBouncedReason"
    " firstReferrerQuery firstReferrerType firstReferrerUrl grade mediumParameter recentInteraction salesforceAccountId"
    " salesforceCampaignId salesforceContactId salesforceLeadId salesforceUrl sourceParameter termParameter"
)
_NUMBERS = (
    "campaignId profileId prospectAccountId score userId id assignedToId createdById lifecycleStageId updatedById"
)
_TRUTHS = "isDoNotCall isDoNotEmail isReviewed isStarred optedOut doNotSell isDeleted isEmailHardBounced"
_INSTANTS = (
    "convertedAt createdAt emailBouncedAt firstActivityAt firstAssignedAt lastActivityAt salesforceLastSync updatedAt"
)
_UNWRITABLE = (
    "id assignedToId campaignParameter contentParameter convertedAt convertedFromObjectName convertedFromObjectType"
    " createdAt createdById doNotSell emailBouncedAt emailBouncedReason firstActivityAt firstAssignedAt firstReferrerQuery"
    " firstReferrerType firstReferrerUrl grade isDeleted isEmailHardBounced lastActivityAt lifecycleStageId"
    " mediumParameter password recentInteraction salesforceAccountId salesforceCampaignId salesforceContactId"
    " salesforceLastSync salesforceLeadId salesforceUrl sourceParameter termParameter updatedAt updatedById"
)
_READ_ONLY = frozenset(_UNWRITABLE.split())
_SINGLE = frozenset(FieldType) - {FieldType.MULTISELECT}

STANDARD: dict[str, frozenset[FieldType]] = {
    **dict.fromkeys(_TEXTS.split(), _SINGLE),
    **dict.fromkeys(_NUMBERS.split(), frozenset({FieldType.NUMBER, FieldType.TEXT})),
    **dict.fromkeys(_TRUTHS.split(), frozenset({FieldType.BOOLEAN})),
    **dict.fromkeys(_INSTANTS.split(), frozenset({FieldType.DATETIME})),
    "email": frozenset({FieldType.EMAIL}),
}
"""The mapping types that fit each standard field. A text may hold any single value, written as text."""

CUSTOM: dict[str, frozenset[FieldType]] = {
    **dict.fromkeys(("Text", "Textarea", "Dropdown", "Radio Button", "Hidden", "CRM User"), _SINGLE),
    "Number": frozenset({FieldType.NUMBER, FieldType.TEXT}),
    "Date": frozenset({FieldType.DATE}),
    "Checkbox": frozenset({FieldType.MULTISELECT}),
    "Multi-Select": frozenset({FieldType.MULTISELECT}),
}
"""The mapping types that fit each type of custom field. A "Checkbox" holds several values there."""


def is_writable(prospect_field: str) -> bool:
    """Tell whether the API lets this standard field be written; custom fields always."""
    return prospect_field not in _READ_ONLY


def misgivings(mapping: Mapping) -> Iterator[MappingProblem]:
    """Say what is allowed and will hardly do what was meant: types that do not fit, read-only fields, names nobody has."""
    for row in mapping.fields:
        fitting = STANDARD.get(row.prospect)
        if fitting is None and not row.prospect.endswith("__c"):
            yield MappingProblem(
                row.line, row.prospect, "is no standard prospect field; names of custom fields end in __c"
            )
        elif fitting is not None and row.type not in fitting:
            words = " or ".join(sorted(one.value for one in fitting))
            yield MappingProblem(
                row.line, row.prospect, f"is mapped as {row.type.value}, but the field's type is {words}"
            )
        if row.prospect == "assignedToId":
            yield MappingProblem(row.line, row.prospect, "cannot be written; map userId or salesforceOwnerId instead")
        elif not is_writable(row.prospect) and row.behavior not in {None, Behavior.USE_ACCOUNT_ENGAGEMENT}:
            yield MappingProblem(
                row.line, row.prospect, "cannot be written in Account Engagement; use_account_engagement fits it"
            )
