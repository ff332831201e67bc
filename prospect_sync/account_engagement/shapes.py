"""Turns Account Engagement's JSON into prospects. Knows shapes, asks nothing."""

from collections.abc import Collection, Mapping
from typing import Any

from prospect_sync import wire
from prospect_sync.model import Prospect, Stamp

ALWAYS = ("id", "createdAt", "createdById", "updatedAt", "updatedById", "isDeleted")


def asked_fields(fields: Collection[str]) -> str:
    """Write the ``fields`` parameter: what is wanted and what a prospect is made from."""
    return ",".join(dict.fromkeys((*ALWAYS, *fields)))


def prospect(row: Any, fields: Collection[str]) -> Prospect:
    """Make a prospect of an answer.

    Raises:
        ValueError: it is no object, or lacks its id.
    """
    if not isinstance(row, Mapping):
        raise ValueError("a prospect that is no object")  # noqa: TRY004 - wrong data, not a wrong call
    found = {name: wire.member(row, name) for name in fields}
    return Prospect(
        id=_id(row.get("id")),
        values={name: value for name, value in found.items() if value is not wire.MISSING},
        created=Stamp(wire.instant(row.get("createdAt")), _user(row.get("createdById"))),
        modified=modified(row),
        deleted=row.get("isDeleted") in (True, 1, "true", "1"),
    )


def sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write values the way the API takes them: custom fields have no boolean type, so there a truth is the text of it."""
    return {
        name: str(value).lower() if isinstance(value, bool) and name.endswith("__c") else value
        for name, value in values.items()
    }


def modified(row: Mapping[str, Any]) -> Stamp:
    """Read when and by whom a prospect was last changed.

    Raises:
        ValueError: the instant is none.
    """
    return Stamp(wire.instant(row.get("updatedAt")), _user(row.get("updatedById")))


def _id(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("a prospect without an id")  # noqa: TRY004 - wrong data, not a wrong call
    return int(value)


def _user(value: Any) -> str | None:
    return str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
