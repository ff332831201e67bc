"""What Salesforce says of the fields of leads and contacts, in the mapping's words: types, lengths, who may write.

Missing permissions show as missing fields. Which fields matter is not decided here.
"""

from collections.abc import Mapping
from typing import Any

from prospect_sync.errors import TryLater
from prospect_sync.model import Lane, PersonType
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.ports import FieldFacts
from prospect_sync.salesforce import errors
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.transport import Call

_TEXTS = frozenset({"string", "textarea", "phone", "url", "picklist", "combobox", "encryptedstring"})
_AS_TEXT = frozenset({FieldType.NUMBER, FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME})
_FITS: Mapping[str, frozenset[FieldType]] = {
    **dict.fromkeys(_TEXTS, frozenset({FieldType.TEXT, FieldType.EMAIL})),
    "email": frozenset({FieldType.EMAIL, FieldType.TEXT}),
    "boolean": frozenset({FieldType.BOOLEAN}),
    **dict.fromkeys(("int", "long", "double", "currency", "percent"), frozenset({FieldType.NUMBER})),
    "date": frozenset({FieldType.DATE}),
    "datetime": frozenset({FieldType.DATETIME}),
    "multipicklist": frozenset({FieldType.MULTISELECT}),
    **dict.fromkeys(("id", "reference"), frozenset({FieldType.TEXT})),
}
_BENDS: Mapping[str, frozenset[FieldType]] = {
    **dict.fromkeys(_TEXTS, _AS_TEXT),
    **dict.fromkeys(("int", "long", "double", "currency", "percent", "date", "datetime"), frozenset({FieldType.TEXT})),
}


def describe(gateway: SalesforceGateway, lane: Lane) -> Mapping[PersonType, Mapping[str, FieldFacts]]:
    """See ``Descriptions.people``."""
    return {kind: _of(gateway, kind, lane) for kind in PersonType}


def _of(gateway: SalesforceGateway, kind: PersonType, lane: Lane) -> dict[str, FieldFacts]:
    answer = gateway.ask(Call("GET", f"sobjects/{kind.value}/describe", repeatable=True), lane=lane)
    if answer.error is not None:
        raise errors.for_reading(answer.error)
    rows = answer.body.get("fields") if isinstance(answer.body, dict) else None
    if not isinstance(rows, list):
        raise TryLater(f"Salesforce's description of {kind.value} has a strange shape", delay=30)
    facts = [_facts(row) for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]
    return {one.name.lower(): one for one in facts}


def _facts(row: Mapping[str, Any]) -> FieldFacts:
    kind, length = str(row.get("type")), row.get("length")
    is_text = kind in _TEXTS or kind == "email"
    return FieldFacts(
        name=str(row["name"]),
        kind=kind,
        fits=_FITS.get(kind, frozenset()),
        bends=_BENDS.get(kind, frozenset()),
        writable=row.get("updateable") is True,
        length=int(length) if is_text and isinstance(length, int) and length > 0 else None,
    )
