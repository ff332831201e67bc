"""What is known of the prospects' fields: the standard ones by a table, the custom ones by the business unit's own list."""

from collections.abc import Mapping
from typing import Any

from prospect_sync.account_engagement import errors
from prospect_sync.account_engagement.client import AccountEngagementClient, Call
from prospect_sync.account_engagement.reading import content
from prospect_sync.mapping.prospect_fields import CUSTOM, STANDARD, is_writable
from prospect_sync.model import Lane
from prospect_sync.ports import FieldFacts

_CUSTOM_FIELDS = "/api/v5/objects/custom-fields"
_ASKED = "id,fieldId,apiFieldId,type,isRecordMultipleResponses"


def describe(client: AccountEngagementClient, lane: Lane) -> Mapping[str, FieldFacts]:
    """See ``Descriptions.prospects``."""
    standard = {
        name: FieldFacts(name, " or ".join(sorted(one.value for one in fits)), fits, writable=is_writable(name))
        for name, fits in STANDARD.items()
    }
    return {**standard, **{one.name: one for one in _custom(client, lane)}}


def _custom(client: AccountEngagementClient, lane: Lane) -> list[FieldFacts]:
    found: list[FieldFacts] = []
    parameters: Mapping[str, str] = {"fields": _ASKED, "limit": "1000"}
    while True:
        answer = client.ask(Call("GET", parameters=parameters, root=_CUSTOM_FIELDS, repeatable=True), lane=lane)
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        rows, token = content(answer.body)
        found.extend(_facts(row) for row in rows if isinstance(row, Mapping))
        if token is None:
            return found
        parameters = {"fields": _ASKED, "nextPageToken": token}


def _facts(row: Mapping[str, Any]) -> FieldFacts:
    kind = str(row.get("type"))
    name = str(row.get("apiFieldId") or f"{row.get('fieldId')}__c")
    # every answer to a form is kept, so a query cannot show the field, and what is written is one answer more
    fits = frozenset() if row.get("isRecordMultipleResponses") is True else CUSTOM.get(kind, frozenset())
    return FieldFacts(name, kind if fits else f"{kind}, with multiple responses" if kind in CUSTOM else kind, fits)
