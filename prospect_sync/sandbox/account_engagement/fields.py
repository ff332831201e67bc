"""What fields a prospect has: the 71 standard ones, the custom ones, and the relationships.

Decides names, kinds and who may write them; knows neither values nor storage.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


def _words(text: str) -> list[str]:
    return text.split()


_EDITABLE = {
    "email": "email",
    **dict.fromkeys(
        _words(
            "addressOne addressTwo annualRevenue city comments company country department employees fax firstName"
            " industry jobTitle lastName notes phone salutation source state territory website yearsInBusiness zip"
        ),
        "text",
    ),
    **dict.fromkeys(_words("isDoNotCall isDoNotEmail isReviewed isStarred optedOut"), "boolean"),
    **dict.fromkeys(_words("campaignId profileId prospectAccountId score userId"), "integer"),
    "salesforceId": "text",
    "salesforceOwnerId": "text",
}
_READ_ONLY = {
    **dict.fromkeys(_words("id assignedToId createdById lifecycleStageId updatedById"), "integer"),
    **dict.fromkeys(
        _words(
            "campaignParameter contentParameter convertedFromObjectName convertedFromObjectType emailBouncedReason"
            " firstReferrerQuery firstReferrerType firstReferrerUrl grade mediumParameter password recentInteraction"
            " salesforceAccountId salesforceCampaignId salesforceContactId salesforceLeadId salesforceUrl"
            " sourceParameter termParameter"
        ),
        "text",
    ),
    **dict.fromkeys(_words("doNotSell isDeleted isEmailHardBounced"), "boolean"),
    **dict.fromkeys(
        _words(
            "convertedAt createdAt emailBouncedAt firstActivityAt firstAssignedAt lastActivityAt salesforceLastSync"
            " updatedAt"
        ),
        "instant",
    ),
}
STAMPS = frozenset({"id", "createdAt", "createdById", "updatedAt", "updatedById", "isDeleted"})
"""What an edit itself sets; no one writes these, not even through the user interface."""

_CUSTOM_KINDS = {
    "Text": "text",
    "Textarea": "text",
    "Dropdown": "text",
    "Radio Button": "text",
    "Hidden": "text",
    "CRM User": "text",
    "Number": "number",
    "Date": "date",
    "Checkbox": "list",
    "Multi-Select": "list",
}
_USER_PARTS = ("id", "email", "username", "salesforceId")
RELATIONSHIPS = {
    "createdBy": ("createdById", _USER_PARTS),
    "updatedBy": ("updatedById", _USER_PARTS),
    "assignedTo": ("assignedToId", _USER_PARTS),
    "campaign": ("campaignId", ("id", "name", "salesforceId")),
}


@dataclass(frozen=True, slots=True)
class ProspectField:
    """One field. `kind` is email, text, integer, number, boolean, instant, date or list."""

    name: str
    kind: str
    writable: bool

    @property
    def queryable(self) -> bool:
        return self.kind != "list"


@dataclass(frozen=True, slots=True)
class CustomField:
    """One row of the custom-fields endpoint."""

    id: int
    name: str
    api_id: str
    type: str
    salesforce_id: str | None
    required: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "fieldId": self.api_id.removesuffix("__c"),
            "apiFieldId": self.api_id,
            "type": self.type,
            "isRequired": self.required,
            "isRecordMultipleResponses": False,
            "isUseValues": _CUSTOM_KINDS[self.type] == "list" or self.type in ("Dropdown", "Radio Button"),
            "salesforceId": self.salesforce_id,
        }


class ProspectFields:
    """All fields of the business unit, by name, in a stable order."""

    def __init__(self) -> None:
        self._by_name = {
            name: ProspectField(name, kind, name in _EDITABLE) for name, kind in (_READ_ONLY | _EDITABLE).items()
        }
        self.custom: dict[str, CustomField] = {}

    def __iter__(self) -> Iterator[ProspectField]:
        return iter(self._by_name.values())

    def get(self, name: str) -> ProspectField | None:
        return self._by_name.get(name)

    def define(self, definition: Mapping[str, Any]) -> ProspectField | None:
        """Add a custom field `{"name": "Interests__c", "type": "Multi-Select", ...}`; None if it is there already."""
        name, kind = str(definition.get("name", "")), str(definition.get("type", "Text"))
        if kind not in _CUSTOM_KINDS:
            raise ValueError(f"custom field {name!r}: {kind!r} is none of {', '.join(_CUSTOM_KINDS)}")
        if not (name.endswith("__c") and name.isidentifier()):
            raise ValueError(f"custom field {name!r}: a name is letters, digits and underscores, and ends in __c")
        if name in self.custom:
            if self.custom[name].type != kind:
                raise ValueError(f"custom field {name!r} exists already as {self.custom[name].type}")
            return None
        self.custom[name] = CustomField(
            id=len(self.custom) + 1,
            name=str(definition.get("label", name.removesuffix("__c"))),
            api_id=name,
            type=kind,
            salesforce_id=definition.get("salesforceId"),
            required=bool(definition.get("isRequired", False)),
        )
        self._by_name[name] = ProspectField(name, _CUSTOM_KINDS[kind], writable=True)
        return self._by_name[name]
