"""The small objects beside prospects, readable only: custom fields, users and campaigns."""

from collections.abc import Mapping, Sequence
from typing import Any

from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.unit import BusinessUnit
from prospect_sync.sandbox.account_engagement.values import Stored
from prospect_sync.sandbox.users import OrgUser

_USER = ("id", "email", "firstName", "lastName", "username", "salesforceId", "isDeleted")
OBJECTS = {
    "custom-fields": (
        "id",
        "name",
        "fieldId",
        "apiFieldId",
        "type",
        "isRequired",
        "isRecordMultipleResponses",
        "isUseValues",
        "salesforceId",
    ),
    "users": _USER,
    "campaigns": ("id", "name", "salesforceId", "isDeleted"),
}


def rows(unit: BusinessUnit, name: str) -> list[dict[str, Any]]:
    """All records of one object, with every field it has."""
    match name:
        case "custom-fields":
            return [field.as_json() for field in unit.fields.custom.values()]
        case "users":
            return [_user(user) for user in unit.users.values()]
        case _:
            return [_campaign(campaign) for campaign in unit.rules.campaigns.values()]


def answer(
    name: str, records: Sequence[Mapping[str, Any]], parameters: Mapping[str, str], record_id: int | None
) -> dict[str, Any]:
    """The body for a read (with an id) or a query; there is never a second page."""
    fields = [field.strip() for field in parameters.get("fields", "").split(",") if field.strip()]
    if not fields:
        raise refusal(13, "fields")
    unknown = [field for field in fields if field not in OBJECTS[name]]
    if unknown:
        raise refusal(180, ", ".join(unknown))
    if record_id is not None:
        found = next((record for record in records if record["id"] == record_id), None)
        if found is None:
            raise refusal(109)
        return {field: found[field] for field in fields}
    if parameters.get("orderBy", "id").split()[0] != "id":
        raise refusal(51, "orderBy")
    limit = parameters.get("limit", "1000")
    if not limit.isdigit() or not 1 <= int(limit) <= 1000 or int(limit) < len(records):
        raise refusal(23)
    values = [{field: record[field] for field in fields} for record in sorted(records, key=lambda one: int(one["id"]))]
    return {"nextPageToken": None, "nextPageUrl": None, "values": values}


def part(unit: BusinessUnit, relationship: str, key: Stored, name: str) -> Any:
    """One part of a related record; the id is known even where the record is not."""
    if name == "id":
        return key
    if relationship == "campaign":
        return unit.rules.campaigns.get(int(key or 0), {}).get(name)
    return next((_user(user)[name] for user in unit.users.values() if user.account_engagement_id == key), None)


def _user(user: OrgUser) -> dict[str, Any]:
    return {
        "id": user.account_engagement_id,
        "email": user.username,
        "firstName": user.name.capitalize(),
        "lastName": "Sandbox",
        "username": user.username,
        "salesforceId": user.salesforce_id,
        "isDeleted": False,
    }


def _campaign(campaign: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": campaign["id"],
        "name": campaign.get("name"),
        "salesforceId": campaign.get("salesforceId"),
        "isDeleted": False,
    }
