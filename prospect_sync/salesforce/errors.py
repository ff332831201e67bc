"""Salesforce's words for failure, turned into our four, by table. The only place that knows the codes.

Bodies come as a list, a bare object, an OAuth object, rows of a collection (``statusCode`` instead of ``errorCode``), or as a
page of HTML. An unknown code is *rejected*: a person looks, nothing is retried for ever.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prospect_sync.errors import Misconfigured, Rejected, Stale, SyncError, TryLater

_LOCK = "UNABLE_TO_LOCK_ROW"
_LIMIT = "REQUEST_LIMIT_EXCEEDED"

_LATER: Mapping[str, tuple[float, str]] = {
    _LOCK: (2, "lock"),
    "QUERY_TIMEOUT": (60, "outage"),
    "REQUEST_RUNNING_TOO_LONG": (60, "outage"),
    "SERVER_UNAVAILABLE": (30, "outage"),
    "TOO_MANY_APEX_REQUESTS": (10, "limit"),
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": (900, "outage"),
    "TERRITORY_REALIGN_IN_PROGRESS": (900, "outage"),
    "UNKNOWN_EXCEPTION": (30, "outage"),
    "INVALID_SESSION_ID": (5, "outage"),
    "INVALID_QUERY_LOCATOR": (5, "outage"),
    # the record is innocent: another one of its transaction failed
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": (2, "lock"),
    "PROCESSING_HALTED": (2, "lock"),
}
_MOVED = frozenset({"CANNOT_UPDATE_CONVERTED_LEAD", "ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})
_UNWRITABLE = frozenset({"INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD"})
_CLOSED = frozenset(
    {
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "INVALID_TYPE",
        "UNSUPPORTED_API_VERSION",
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        "ORGANIZATION_NOT_ACTIVE",
    }
)
_NAMED_FIELDS = re.compile(r"Unable to create/update fields: ([\w., ]+?)(?:\. |\.$|$)")
_NO_COLUMN = re.compile(r"[Nn]o such column '([\w.]+)'")
_NO_RELATION = re.compile(r"Didn't understand relationship '(\w+)'")
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Fault:
    """One error as the vendor words it."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


def faults(content: Any) -> tuple[Fault, ...]:
    """Read an error body of any shape; text and strange shapes give no fault."""
    entries = content if isinstance(content, list) else [content]
    return tuple(_fault(entry) for entry in entries if isinstance(entry, Mapping))


def words_of(content: Any) -> str:
    """Give the first words of a body that is no error list, e.g. a page of HTML."""
    return " ".join(_TAG.sub(" ", content).split())[:200] if isinstance(content, str) else ""


def translate(status: int, content: Any, usage: tuple[int, int] | None = None) -> SyncError:
    """Turn a refused call, or a refused part of a Composite, into one of the four failures.

    ``usage``: calls used and allowed today, as the answer said: it tells a spent day from a busy moment.
    """
    if status == 412:
        return Stale("the record was changed after we had read it", code="PRECONDITION_FAILED")
    if status == 300:  # the body is a list of addresses
        return Rejected("several records have this external id", code="DUPLICATE_EXTERNAL_ID")
    found = faults(content)
    if not found:
        return _by_status(status, "", words_of(content))
    return _gravest([_one(fault, status, usage) for fault in found])


def translate_row(errors: Any) -> SyncError:
    """Turn the errors of one row of a collection into one of the four failures."""
    found = faults(errors)
    if not found:
        return Rejected("refused without a reason")
    return _gravest([_one(fault, 400, None) for fault in found])


def is_unreadable(error: SyncError | None) -> bool:
    """Tell whether a query failed for a column that this user cannot see."""
    return isinstance(error, Misconfigured | Rejected) and error.code == "INVALID_FIELD"


def is_missing_object(error: SyncError | None) -> bool:
    """Tell whether a query failed because this user has no such object."""
    return isinstance(error, Misconfigured) and error.code == "INVALID_TYPE"


def for_reading(error: SyncError) -> SyncError:
    """Read failures are later or misconfigured: a query holds no person's values that could be rejected."""
    if isinstance(error, TryLater | Misconfigured):
        return error
    return Misconfigured(error.words, code=error.code)


def _fault(entry: Mapping[str, Any]) -> Fault:
    code = entry.get("errorCode") or entry.get("statusCode") or entry.get("error") or ""
    message = str(entry.get("message") or entry.get("error_description") or "")
    fields = entry.get("fields")
    named = tuple(str(name) for name in fields) if isinstance(fields, list) else ()
    return Fault(str(code), message, named or _fields_in(message))


def _fields_in(message: str) -> tuple[str, ...]:
    if listed := _NAMED_FIELDS.search(message):
        return tuple(name.strip() for name in listed.group(1).split(",") if name.strip())
    if column := _NO_COLUMN.search(message) or _NO_RELATION.search(message):
        return (column.group(1),)
    return ()


def _one(fault: Fault, status: int, usage: tuple[int, int] | None) -> SyncError:
    code, words = fault.code, fault.message
    if code == _LIMIT:
        return _limit(words, usage)
    if code in _LATER:
        delay, reason = _LATER[code]
        return TryLater(words, delay=delay, code=code, reason=reason)
    if _LOCK in words:  # a trigger or flow met the lock and reports it as its own failure
        return TryLater(words, delay=_LATER[_LOCK][0], code=_LOCK, reason="lock")
    if code in _MOVED and not fault.fields:  # with a field named it is that field's value that leads nowhere
        return Stale(words, code=code)
    if code in _UNWRITABLE and fault.fields:
        return Misconfigured(words, code=code, fields=fault.fields)
    if code in _CLOSED:
        return Misconfigured(words, code=code)
    if status in (400, 404) and code:
        return Rejected(words, code=code, fields=fault.fields)
    return _by_status(status, code, words)


def _limit(words: str, usage: tuple[int, int] | None) -> TryLater:
    """One code for two things: the day's calls are used up (minutes), or too many long calls at once (seconds)."""
    spent = "TotalRequests" in words or (usage is not None and usage[0] >= usage[1])
    busy = "Concurrent" in words and not spent
    return TryLater(words, delay=5 if busy else 900 if spent else 60, code=_LIMIT, reason="limit")


def _by_status(status: int, code: str, words: str) -> SyncError:
    words = words or f"HTTP {status}"
    if status == 429:
        return TryLater(words, delay=60, code=code, reason="limit")
    if status >= 500 or status in (408, 409, 420, 425) or status < 300:
        return TryLater(words, delay=30, code=code)
    if status == 404:
        return Stale(words, code=code)
    if status in (400, 413, 414, 415, 422, 431):
        return Rejected(words, code=code)
    return Misconfigured(words, code=code)


def _gravest(errors: Sequence[SyncError]) -> SyncError:
    """Make one failure of several: what passes by itself first, then what concerns the record, then its fields together."""
    for kind in (Stale, TryLater):
        if of_kind := [error for error in errors if isinstance(error, kind)]:
            return max(of_kind, key=lambda error: getattr(error, "delay", 0.0))
    if whole := [error for error in errors if not _fields(error)]:
        return whole[0]
    first = next((error for error in errors if isinstance(error, Rejected)), errors[0])
    if len(errors) == 1:
        return first
    words, fields = "; ".join(error.words for error in errors), _union(_fields(error) for error in errors)
    kind_of_all = Rejected if isinstance(first, Rejected) else Misconfigured
    return kind_of_all(words, code=first.code, fields=fields)


def _fields(error: SyncError) -> tuple[str, ...]:
    return error.fields if isinstance(error, Rejected | Misconfigured) else ()


def _union(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in names for name in group))
