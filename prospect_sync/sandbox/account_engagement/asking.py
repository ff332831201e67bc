"""What every endpoint reads out of a request, and the vendor's refusals where it cannot."""

import json
import re
from typing import Any

from starlette.requests import Request

from prospect_sync.sandbox.account_engagement.errors import refusal


def note(request: Request, **facts: Any) -> None:
    if hasattr(request.state, "log"):
        request.state.log.update(facts)


def parameters_of(request: Request, known: set[str] | None = None) -> dict[str, str]:
    parameters = dict(request.query_params)
    unknown = set(parameters) - known if known is not None else ()
    if unknown:
        raise refusal(51, ", ".join(sorted(unknown)))
    return parameters


def id_in_path(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise refusal(16, text)
    return int(text)


def json_object(request: Request, body: bytes, known: set[str] | None = None) -> dict[str, Any]:
    if not body:
        raise refusal(152)
    if "json" not in request.headers.get("content-type", ""):
        raise refusal(151)
    try:
        content = json.loads(body)
    except ValueError:
        raise refusal(150) from None
    if not isinstance(content, dict):
        raise refusal(150)
    unknown = set(content) - known if known is not None else ()
    if unknown:
        raise refusal(154, ", ".join(sorted(unknown)))
    return content
