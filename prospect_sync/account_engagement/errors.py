"""Account Engagement's numbered refusals, turned into our four failures, by table. The only place that knows the codes.

HTTP statuses are coarse here; the code in the body carries the meaning. An unknown code is *rejected*.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from prospect_sync.errors import Misconfigured, Rejected, Stale, SyncError, TryLater

_LATER: Mapping[int, tuple[float, str]] = {
    66: (2, "limit"),  # five calls at once
    202: (30, "limit"),  # the minute's limit
    122: (900, "limit"),  # the day's: until midnight of the account, wherever that is
    164: (900, "limit"),
    62: (5, "lock"),
    214: (15, "outage"),
    183: (30, "outage"),
    85: (60, "outage"),
    244: (60, "outage"),
}
_REFUSED_TOKEN = frozenset({184, 199})
_GONE = frozenset({3, 16, 92, 109, 132, 192, 219})
_MISSET = frozenset({46, 49, 53, 76, 88, 89, 103, 119, 120, 181, 182, 198, 201, 233, 234, 235})
_PAGING = frozenset({5, 7, 8, 23, 209})
_BAD_PAGE = frozenset({210, 211})
_WRONG_STATE = frozenset({155, 161})
_UNWRITABLE = frozenset({130, 154, 180, 224})
_NAMES_FIELDS = frozenset({50, 51, 52, 56, 57, 153})
_OF_FIELDS: Mapping[int, tuple[str, ...]] = {
    4: ("email",),
    9: ("email",),
    54: ("email",),
    10: ("userId",),
    38: ("campaignId",),
    39: ("profileId",),
    61: ("prospectAccountId",),
    79: ("salesforceId",),
    81: ("salesforceId",),
    125: ("userId", "salesforceOwnerId"),
}
_TAG = re.compile(r"<[^>]*>")


def code_of(body: Any) -> int | None:
    """Give the code of an error body, also of the older shape; None when there is none."""
    attributes = body.get("@attributes") if isinstance(body, Mapping) else None
    code = attributes.get("err_code") if isinstance(attributes, Mapping) else None
    if isinstance(body, Mapping) and code is None:
        code = body.get("code")
    return int(code) if isinstance(code, int | str) and re.fullmatch(r"[0-9]{1,6}", str(code)) else None


def translate(status: int, body: Any, fields: Collection[str] = ()) -> SyncError:
    """Turn a refused call into one of the four failures.

    ``fields``: the names that were sent or asked for; those the message mentions are blamed where the code is about fields.
    """
    code = code_of(body)
    if code is None:
        return _by_status(status, words_of(status, body))
    words, text = words_of(status, body), str(code)
    if code in _LATER:
        delay, reason = _LATER[code]
        return TryLater(words, delay=delay, code=text, reason=reason)
    if code in _GONE or code in _WRONG_STATE:
        return Stale(words, code=text)
    if code in _MISSET or code in _PAGING or code in _BAD_PAGE or code in _REFUSED_TOKEN:
        return Misconfigured(words, code=text)
    named = _mentioned(words, fields) if code in _UNWRITABLE | _NAMES_FIELDS else ()
    if code in _UNWRITABLE and named:
        return Misconfigured(words, code=text, fields=named)
    if status == 429 or status >= 500:
        return _by_status(status, words, text)
    return Rejected(
        words, code=text, fields=named or tuple(name for name in _OF_FIELDS.get(code, ()) if name in fields)
    )


def is_refused_token(status: int, body: Any) -> bool:
    """Tell whether the access token is no longer good."""
    return status == 401 or code_of(body) in _REFUSED_TOKEN


def is_bad_page(error: SyncError) -> bool:
    """Tell whether a page token is too old or not known."""
    return error.code in {str(code) for code in _BAD_PAGE}


def for_reading(error: SyncError) -> SyncError:
    """Read failures are later or misconfigured: nothing was sent that could be rejected."""
    if isinstance(error, TryLater | Misconfigured):
        return error
    return Misconfigured(error.words, code=error.code, fields=error.fields if isinstance(error, Rejected) else ())


def words_of(status: int, body: Any) -> str:
    """Give the vendor's words, or the first of a page that is no error body."""
    if isinstance(body, Mapping):
        return str(body.get("message") or body.get("err") or f"HTTP {status}")
    if isinstance(body, str):
        return " ".join(_TAG.sub(" ", body).split())[:200] or f"HTTP {status}"
    return f"HTTP {status}"


def _mentioned(words: str, fields: Collection[str]) -> tuple[str, ...]:
    said = set(re.findall(r"\w+", words))
    return tuple(name for name in fields if name in said)


def _by_status(status: int, words: str, code: str = "") -> SyncError:
    if status == 429:  # the day's limit may come without its code
        return TryLater(words, delay=900 if "daily" in words.lower() else 30, code=code, reason="limit")
    if status >= 500 or status in (408, 409, 420, 425) or status < 400:
        return TryLater(words, delay=30, code=code)
    if status == 404:
        return Stale(words, code=code)
    if status in (400, 413, 414, 415, 422, 431):
        return Rejected(words, code=code)
    return Misconfigured(words, code=code)
