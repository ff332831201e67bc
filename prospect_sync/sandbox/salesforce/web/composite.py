"""Composite: up to 25 calls in one, each with its own headers, later ones with references to earlier answers.

Counts as one API call. A subrequest inherits nothing but who calls: its `Sforce-` and conditional headers are
its own.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from prospect_sync.sandbox.salesforce.errors import OrgError, not_found, refusal, unreadable_json
from prospect_sync.sandbox.salesforce.records import Records
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.web.exchange import Answer, Call, located, parameters

_MOST_PARTS, _MOST_HEAVY = 25, 5
_HEAVY = frozenset({"query", "queryall"})
_NAME = re.compile(r"[A-Za-z0-9_]{1,}")
_REFERENCE = re.compile(r"@\{([^{}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_INHERITED = frozenset({"accept", "authorization", "content-type"})


class Composite:
    """The `composite` resource; `dispatch` answers a single call."""

    def __init__(self, state: OrgState, records: Records, dispatch: Callable[[Call], Answer]) -> None:
        self._state = state
        self._records = records
        self._dispatch = dispatch

    def answer(self, call: Call) -> Answer:
        body = call.document()
        parts = _parts(body)
        call.log.update(operation="composite", subrequests=[])
        every = body.get("allOrNone") is True
        mark = len(self._records.committed)
        results: list[dict[str, Any]] = []
        try:
            with self._state.storage.transaction():
                self._run(call, parts, results, every=every)
        except _Undone:
            self._records.rolled_back(mark)
            results = _undone(parts, results)
        for part, result, entry in zip(parts, results, call.log["subrequests"], strict=False):
            entry |= {"method": part["method"], "url": part["url"], "status": result["httpStatusCode"]}
        return Answer(200, {"compositeResponse": results})

    def _run(self, call: Call, parts: list[dict[str, Any]], results: list[dict[str, Any]], *, every: bool) -> None:
        answered: dict[str, Any] = {}
        for part in parts:
            log: dict[str, Any] = {}
            if not every:
                self._records.transaction += 1
            answer = self._one(call, part, answered, log)
            call.log["subrequests"].append(log)
            results.append(_result(part["referenceId"], answer))
            if answer.status < 400:
                answered[part["referenceId"]] = answer.body
            if every and _failed(answer):
                raise _Undone

    def _one(self, call: Call, part: Mapping[str, Any], answered: Mapping[str, Any], log: dict[str, Any]) -> Answer:
        try:
            url = str(_filled(part["url"], answered))
            body = _filled(part.get("body"), answered)
            return self._dispatch(self._subcall(call, part, url, body, log))
        except OrgError as error:
            return Answer.refused(error)

    def _subcall(self, call: Call, part: Mapping[str, Any], url: str, body: Any, log: dict[str, Any]) -> Call:
        path, _, query = url.partition("?")
        if not path.startswith("/services/data/"):
            raise not_found()
        version, segments = located(path)
        if segments[:1] == ("composite",) and segments[:2] != ("composite", "sobjects"):
            raise not_found()
        if segments[:1] not in {("sobjects",), ("composite",), ("query",), ("queryAll",), ("tooling",)}:
            raise not_found()
        headers = {str(name).lower(): str(value) for name, value in (part.get("httpHeaders") or {}).items()}
        if not self._state.settings.composite_conditional:
            headers.pop("if-unmodified-since", None)
        if not self._state.settings.call_options_everywhere:
            headers.pop("sforce-call-options", None)
        elif "sforce-call-options" in call.headers:
            headers.setdefault("sforce-call-options", call.headers["sforce-call-options"])
        content = b"" if body is None else json.dumps(body).encode()
        return Call(
            part["method"].upper(), version, segments, parameters(query), headers, content, call.user, log
        )  # fmt: skip


class _Undone(Exception):  # noqa: N818 - a signal inside this module, not an error
    """The whole composite has to be undone."""


def _parts(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The subrequests, checked for what makes the whole request fail."""
    parts = body.get("compositeRequest")
    if not isinstance(parts, list) or not parts:
        raise unreadable_json("compositeRequest must be a list of subrequests")
    if len(parts) > _MOST_PARTS:
        raise refusal("LIMIT_EXCEEDED", f"The request can\u2019t contain more than {_MOST_PARTS} operations.")
    for part in parts:
        _check_part(part)
    names = [part["referenceId"] for part in parts]
    if len(set(names)) < len(names):
        raise refusal("DUPLICATE_VALUE", "Duplicate referenceId in compositeRequest")
    if sum(map(_is_heavy, parts)) > _MOST_HEAVY:
        message = f"The request can\u2019t contain more than {_MOST_HEAVY} query or sObject Collections operations."
        raise refusal("LIMIT_EXCEEDED", message)
    return parts


def _check_part(part: Any) -> None:
    if not isinstance(part, dict) or not all(
        isinstance(part.get(key), str) for key in ("method", "url", "referenceId")
    ):
        raise unreadable_json("A subrequest needs method, url and referenceId")
    if not _NAME.fullmatch(part["referenceId"]):
        raise refusal("INVALID_REFERENCE_ID", f"Invalid reference id {part['referenceId']}")
    headers = part.get("httpHeaders")
    if headers is not None and not isinstance(headers, dict):
        raise unreadable_json("httpHeaders must be an object")
    forbidden = [name for name in headers or {} if name.lower() in _INHERITED]
    if forbidden:
        raise refusal("INVALID_HEADER_VALUE", f"Subrequests inherit these headers: {', '.join(forbidden)}")


def _is_heavy(part: Mapping[str, Any]) -> bool:
    segments = part["url"].partition("?")[0].lower().strip("/").split("/")[3:]
    return bool(set(segments[:1]) & _HEAVY) or segments[:2] == ["composite", "sobjects"]


def _filled(value: Any, answered: Mapping[str, Any]) -> Any:
    """A value with its references to earlier answers replaced, inside objects and lists too."""
    if isinstance(value, dict):
        return {name: _filled(one, answered) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, answered) for one in value]
    if not isinstance(value, str) or "@{" not in value:
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _referred(whole.group(1), answered)
    return _REFERENCE.sub(lambda match: str(_referred(match.group(1), answered)), value)


def _referred(path: str, answered: Mapping[str, Any]) -> Any:
    found: Any = answered
    for name, place in _STEP.findall(path):
        try:
            found = found[int(place)] if place else found[name]
        except (KeyError, IndexError, TypeError) as error:
            message = f"Invalid reference specified. No value for {path} found in {path.partition('.')[0]}."
            raise refusal("PROCESSING_HALTED", message) from error
    return found


def _failed(answer: Answer) -> bool:
    """Whether an answer undoes an all-or-none request; a failed record inside a collection does too."""
    rows = answer.body if isinstance(answer.body, list) else []
    return answer.status >= 300 or any(isinstance(row, dict) and row.get("success") is False for row in rows)


def _result(name: str, answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": name,
    }


def _undone(parts: list[dict[str, Any]], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answer of an all-or-none request that failed: the culprit's own error, the others halted."""
    message = "The transaction was rolled back since another operation in the same transaction failed."
    halted = refusal("PROCESSING_HALTED", message)
    culprit = results[-1]
    return [
        culprit
        if part["referenceId"] == culprit["referenceId"]
        else _result(part["referenceId"], Answer.refused(halted))
        for part in parts
    ]
