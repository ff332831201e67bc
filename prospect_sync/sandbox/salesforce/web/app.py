"""HTTP around the org: who calls, what the call costs, and the vendor's answer with its headers.

Every handler runs to its end without yielding, so one request is one transaction.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from prospect_sync.sandbox.salesforce.errors import OrgError, not_found, session_expired
from prospect_sync.sandbox.salesforce.ids import ORG_ID
from prospect_sync.sandbox.salesforce.records import Change, Records
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.usage import Usage
from prospect_sync.sandbox.salesforce.web.api import Api, versions
from prospect_sync.sandbox.salesforce.web.exchange import Answer, Call, located, parameters
from prospect_sync.sandbox.salesforce.web.oauth import TokenEndpoint, identity
from prospect_sync.sandbox.users import OrgUser, Tokens

_MOST_URI_BYTES = 16_384
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")


class Door:
    """Turns requests into calls and answers into responses."""

    def __init__(
        self,
        state: OrgState,
        records: Records,
        api: Api,
        usage: Usage,
        oauth: TokenEndpoint,
        tokens: Tokens,
        base_url: Callable[[], str],
        committed: Callable[[Sequence[Change]], None],
    ) -> None:
        self._state = state
        self._records = records
        self._api = api
        self._usage = usage
        self._oauth = oauth
        self._tokens = tokens
        self._base_url = base_url
        self._committed = committed

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._respond(), methods=list(_METHODS))])

    def _respond(self) -> Callable[[Request], Awaitable[Response]]:
        async def respond(request: Request) -> Response:
            body = await request.body()
            path = _raw_path(request)
            query = request.scope["query_string"].decode("latin-1")
            headers = {name.lower(): value for name, value in request.headers.items()}
            log = _log_of(request)
            try:
                _check_size(path, query, headers)
                with self._state.lock:
                    answer = self._answer(request.method, path, query, headers, body, log)
            except OrgError as error:
                answer = Answer.refused(error)
            return _response(answer, self._usage.header if path.startswith("/services/data") else {})

        return respond

    def _answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, log: dict[str, Any]
    ) -> Answer:
        if path == "/services/oauth2/token" and method == "POST":
            log["operation"] = "oauth.token"
            return self._oauth.token(body, headers, self._base_url())
        if path == "/services/oauth2/revoke" and method == "POST":
            return self._oauth.revoke(body, parameters(query))
        if path.rstrip("/") == "/services/data" and method == "GET":
            return Answer(200, versions())
        if path.startswith("/services/data/"):
            return self._versioned(method, path, query, headers, body, log)
        if path == "/services/oauth2/userinfo" or path.startswith(f"/id/{ORG_ID}/"):
            return Answer(200, identity(self._caller(headers, log), self._base_url()))
        raise not_found()

    def _versioned(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, log: dict[str, Any]
    ) -> Answer:
        version, parts = located(path)
        user = self._caller(headers, log)
        self._usage.count()
        params = parameters(query)
        call = Call(params.get("_HttpMethod", method).upper(), version, parts, params, headers, body, user, log)
        self._records.committed.clear()
        try:
            with self._state.storage.transaction():
                answer = self._api.answer(call)
        except OrgError:
            self._records.rolled_back(0)
            raise
        else:
            self._committed(self._records.committed)
            return answer
        finally:
            log["committed"] = [change.told() for change in self._records.committed]

    def _caller(self, headers: Mapping[str, str], log: dict[str, Any]) -> OrgUser:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        user = self._tokens.user_of(token.strip()) if scheme.lower() in {"bearer", "oauth"} else None
        if user is None:
            raise session_expired()
        log["user"] = user.name
        return user


def _check_size(path: str, query: str, headers: Mapping[str, str]) -> None:
    uri = len(path) + len(query) + 1
    if uri > _MOST_URI_BYTES:
        raise OrgError(414, "URI Too Long")
    if uri + sum(len(name) + len(value) + 4 for name, value in headers.items()) > _MOST_URI_BYTES:
        raise OrgError(431, "Request Header Fields Too Large")


def _raw_path(request: Request) -> str:
    """The path before decoding: a slash inside an external id must not divide it."""
    raw: bytes | None = request.scope.get("raw_path")
    return quote(request.url.path) if raw is None else raw.partition(b"?")[0].decode("latin-1")


def _log_of(request: Request) -> dict[str, Any]:
    """The log entry that the server's middleware began, or one that nobody reads."""
    log = getattr(request.state, "log", None)
    if isinstance(log, dict):
        return log
    found: dict[str, Any] = {}
    request.state.log = found
    return found


def _response(answer: Answer, headers: Mapping[str, str]) -> Response:
    sent = dict(headers) | dict(answer.headers)
    if answer.body is None:
        return Response(status_code=answer.status, headers=sent)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, sent, "text/html")
    content = json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, answer.status, sent, "application/json;charset=UTF-8")
