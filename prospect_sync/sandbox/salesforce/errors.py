"""The vendor's refusals, by name: code, status and words of each in one place.

Says nothing of when they are due; those who decide raise them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from prospect_sync.sandbox.org_error import OrgError

__all__ = ["OrgError"]


def refusal(
    code: str, message: str, *, status: int = 400, fields: Sequence[str] | None = None, **more: Any
) -> OrgError:
    """One error in the list form that most resources answer with; `fields` only where a record is at fault."""
    body: dict[str, Any] = {"message": message, "errorCode": code}
    if fields is not None:
        body["fields"] = list(fields)
    body.update(more)
    return OrgError(status, [body])


def together(problems: Sequence[OrgError]) -> OrgError:
    """Several faults of one record as one answer."""
    return OrgError(problems[0].status, [entry for problem in problems for entry in problem.body])


def not_found() -> OrgError:
    return refusal("NOT_FOUND", "The requested resource does not exist", status=404)


def session_expired() -> OrgError:
    return refusal("INVALID_SESSION_ID", "Session expired or invalid", status=401)


def no_such_external_id(text: str) -> OrgError:
    message = f"Provided external ID field does not exist or is not accessible: {text}"
    return refusal("NOT_FOUND", message, status=404)


def malformed_id(text: object) -> OrgError:
    return refusal("MALFORMED_ID", f"malformed id {text}", fields=[])


def entity_is_deleted() -> OrgError:
    return refusal("ENTITY_IS_DELETED", "entity is deleted", status=404, fields=[])


def invalid_cross_reference(ident: str = "", fields: Sequence[str] = ()) -> OrgError:
    words = f"invalid cross reference id {ident}".strip()
    return refusal("INVALID_CROSS_REFERENCE_KEY", words, fields=fields)


def no_such_field(name: str, object_name: str) -> OrgError:
    return refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}")


def not_writable(names: Iterable[str]) -> OrgError:
    fields = list(names)
    message = (
        f"Unable to create/update fields: {', '.join(fields)}. Please check the security settings of this field "
        "and verify that it is read/write for your profile or permission set."
    )
    return refusal("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=fields)


def unreadable_json(message: str) -> OrgError:
    return refusal("JSON_PARSER_ERROR", message)


def locked(ident: str) -> OrgError:
    message = f"unable to obtain exclusive access to this record or 1 records: {ident}"
    return refusal("UNABLE_TO_LOCK_ROW", message, fields=[])


def record_limit(most: int) -> OrgError:
    message = f"record limit reached. cannot submit more than {most} records into this call"
    return refusal("EXCEEDED_ID_LIMIT", message)


def insufficient_access() -> OrgError:
    return refusal("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", fields=[])
