"""What gRPC and the event bus say when a call fails, turned into our four failures. The only place that knows the codes.

The status says the kind of trouble; the trailer ``error-code`` tells an expired place from any other wrong argument.
"""

from typing import Any

import grpc

from prospect_sync.errors import Misconfigured, Stale, SyncError, TryLater

_CODE = "error-code"
_LOST_PLACES = ("fetch.replayid.corrupted", "fetch.replayid.validation.failed")
_LIMIT = "subscription.limit.exceeded"
_LIMIT_DELAY = 300.0
_OUTAGE_DELAY = 1.0
_WRONG = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.FAILED_PRECONDITION,
    }
)
_NOT_TRUSTED = ("CERTIFICATE_VERIFY_FAILED", "Hostname Verification")


def is_refused(error: grpc.RpcError) -> bool:
    """Tell whether the access token is no longer good."""
    return _status(error) is grpc.StatusCode.UNAUTHENTICATED


def is_unknown(error: grpc.RpcError) -> bool:
    """Tell whether what was asked for does not exist, whoever asks and however often."""
    return _status(error) in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)


def translate(error: grpc.RpcError) -> SyncError:
    """Give one of the four failures; an unknown status is *try later*."""
    status, code, words = _status(error), _trailer(error), _details(error)
    code = code or (status.name if status else "")
    if code.endswith(_LOST_PLACES):
        return Stale(words, code=code)
    if code.endswith(_LIMIT) or status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return TryLater(words, delay=_LIMIT_DELAY, code=code, reason="limit")
    if any(word in words for word in _NOT_TRUSTED):
        return Misconfigured("the event bus' certificate is not one we trust", code="certificate")
    if status in _WRONG or is_refused(error):
        return Misconfigured(words, code=code)
    return TryLater(words, delay=_OUTAGE_DELAY, code=code)


def _status(error: grpc.RpcError) -> grpc.StatusCode | None:
    code = getattr(error, "code", None)
    return code() if callable(code) else None


def _details(error: grpc.RpcError) -> str:
    details = getattr(error, "details", None)
    return str(details() or "") if callable(details) else type(error).__name__


def _trailer(error: grpc.RpcError) -> str:
    trailing = getattr(error, "trailing_metadata", None)
    pairs: Any = trailing() if callable(trailing) else None
    return next((str(value) for key, value in pairs or () if key == _CODE), "")
