"""The sandbox's back door: load and dump data, edit as a person, move clocks, read the call log, set faults.

Nothing here counts as an API call. It works through the orgs' own methods and knows none of their insides.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from prospect_sync.sandbox.account_engagement import AccountEngagementOrg
from prospect_sync.sandbox.call_log import CallLog
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.faults import Faults
from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.users import Tokens

SALESFORCE, ACCOUNT_ENGAGEMENT = "salesforce", "account_engagement"
_CHUNK = 500


class EventBus(Protocol):
    """What the back door needs of the event bus."""

    def told(self) -> dict[str, Any]: ...
    def order(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]: ...


class SalesforceSide(Protocol):
    """What the back door needs of the Salesforce org."""

    def load(self, data: Mapping[str, Any]) -> None: ...
    def dump(self) -> dict[str, Any]: ...
    def configure(self, settings: Mapping[str, Any]) -> None: ...
    @property
    def events(self) -> "EventBus": ...
    def ui_edit(
        self, user: str, object_name: str, record_id: str | None, changes: Mapping[str, Any], action: str = "update"
    ) -> str: ...


class Admin:
    """Everything under `admin_url`. A request that makes no sense is answered 400 `{"error": sentence}`."""

    def __init__(
        self,
        *,
        salesforce: SalesforceSide,
        account_engagement: AccountEngagementOrg,
        clocks: Mapping[str, OrgClock],
        tokens: Tokens,
        log: CallLog,
        faults: Faults,
    ) -> None:
        self._salesforce = salesforce
        self._account_engagement = account_engagement
        self._clocks = clocks
        self._tokens = tokens
        self._log = log
        self._faults = faults
        self.contract: dict[str, Any] = {}

    def app(self) -> Starlette:
        calls: dict[tuple[str, str], Callable[[Request, Any], Response]] = {
            ("GET", "/"): lambda _request, _body: JSONResponse(self.contract),
            ("POST", "/load"): self._load,
            ("GET", "/dump"): self._dump,
            ("POST", "/edit"): self._edit,
            ("GET", "/clock"): lambda _request, _body: self._times(),
            ("POST", "/clock"): self._clock,
            ("GET", "/calls"): self._calls,
            ("GET", "/calls/summary"): self._summary,
            ("POST", "/calls/clear"): self._clear_calls,
            ("POST", "/latency"): self._latency,
            ("GET", "/faults"): lambda _request, _body: JSONResponse({"rules": self._faults.as_json()}),
            ("POST", "/faults"): self._add_faults,
            ("DELETE", "/faults"): self._clear_faults,
            ("POST", "/configure"): self._configure,
            ("POST", "/tokens/expire"): self._expire,
            ("GET", "/events"): lambda _request, _body: JSONResponse(self._salesforce.events.told()),
            ("POST", "/events/{order}"): self._events,
        }
        return Starlette(
            routes=[Route(path, _endpoint(call), methods=[method]) for (method, path), call in calls.items()]
        )

    def load(self, data: Mapping[str, Any]) -> None:
        """Load both orgs; clocks first, since loaded records without stamps take theirs.

        Raises:
            ValueError: what is wrong with the data, in one sentence.
        """
        unknown = sorted(set(data) - {SALESFORCE, ACCOUNT_ENGAGEMENT, "clock"})
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)}; there are salesforce, account_engagement and clock")
        if data.get("clock"):
            self._move_clocks(data["clock"])
        if data.get(SALESFORCE):
            self._salesforce.load(data[SALESFORCE])
        if data.get(ACCOUNT_ENGAGEMENT):
            self._account_engagement.load(data[ACCOUNT_ENGAGEMENT])

    def _load(self, _request: Request, body: Any) -> Response:
        self.load(_mapping(body))
        return JSONResponse({"loaded": True})

    def _dump(self, request: Request, _body: Any) -> Response:
        names = {name for name in request.query_params.get("objects", "").split(",") if name}
        nulls = request.query_params.get("nulls", "1") != "0"
        # Taken at once, so that both orgs are seen at one moment; sent piece by piece.
        pieces = [piece.encode() for piece in self._dump_pieces(names, nulls=nulls)]
        return StreamingResponse(_stream(pieces), media_type="application/json")

    def _dump_pieces(self, names: set[str], *, nulls: bool) -> Iterator[str]:
        times = {name: clock.now().isoformat() for name, clock in self._clocks.items()}
        yield f'{{"clock": {json.dumps(times)}, "salesforce": '
        if names == {"Prospect"}:
            yield "{}"
        else:
            yield from _pieces(_chosen(self._salesforce.dump(), names))
        settings = json.dumps(self._account_engagement.dump_settings())
        yield f', "account_engagement": {settings[:-1]}, "prospects": '
        chosen = not names or "Prospect" in names
        yield from _array(self._account_engagement.dump_prospects(nulls=nulls) if chosen else ())
        yield "}}"

    def _edit(self, _request: Request, body: Any) -> Response:
        if not isinstance(body, list):
            try:
                return JSONResponse({"id": self._edit_one(_mapping(body))})
            except OrgError as error:
                return JSONResponse(error.body, error.status)
        results: list[dict[str, Any]] = []
        for edit in body:
            try:
                results.append({"id": self._edit_one(_mapping(edit))})
            except OrgError as error:
                results.append({"status": error.status, "body": error.body})
        return JSONResponse({"results": results})

    def _edit_one(self, edit: Mapping[str, Any]) -> str:
        unknown = sorted(set(edit) - {"org", "user", "object", "id", "changes", "action"})
        if unknown:
            raise ValueError(f"edit: unknown {', '.join(unknown)}")
        user, record_id = str(edit.get("user", "")), edit.get("id")
        changes, action = _mapping(edit.get("changes") or {}), str(edit.get("action", "update"))
        if edit.get("org") == ACCOUNT_ENGAGEMENT:
            return self._account_engagement.ui_edit(user, record_id, changes, action)
        if edit.get("org") == SALESFORCE:
            object_name = str(edit.get("object", ""))
            return self._salesforce.ui_edit(user, object_name, record_id, changes, action)
        raise ValueError(f"edit: org is {edit.get('org')!r}, neither salesforce nor account_engagement")

    def _clock(self, _request: Request, body: Any) -> Response:
        self._move_clocks(_mapping(body))
        return self._times()

    def _move_clocks(self, moves: Mapping[str, Any]) -> None:
        if set(moves) & set(self._clocks):
            for name, one in moves.items():
                self._move_clocks({"org": name, **_mapping(one)})
            return
        unknown = sorted(set(moves) - {"org", "set", "step", "skew"})
        if unknown:
            raise ValueError(f"clock: unknown {', '.join(unknown)}; there are org, set, step and skew")
        for clock in self._chosen_clocks(str(moves.get("org", "both"))):
            if "set" in moves:
                clock.set(None if moves["set"] is None else datetime.fromisoformat(moves["set"]))
            if "skew" in moves:
                clock.skew(float(moves["skew"]))
            if "step" in moves:
                clock.step(float(moves["step"]))

    def _chosen_clocks(self, org: str) -> Iterable[OrgClock]:
        return [self._clocks[name] for name in self._orgs(org)]

    def _orgs(self, org: str) -> list[str]:
        if org == "both":
            return list(self._clocks)
        if org not in self._clocks:
            raise ValueError(f"org is {org!r}, none of both, {', '.join(self._clocks)}")
        return [org]

    def _times(self) -> Response:
        return JSONResponse(
            {name: clock.now().isoformat(timespec="milliseconds") for name, clock in self._clocks.items()}
        )

    def _calls(self, request: Request, _body: Any) -> Response:
        given = dict(request.query_params)
        unknown = sorted(set(given) - {"since", "org", "user", "operation", "detail"})
        if unknown:
            raise ValueError(f"calls: unknown {', '.join(unknown)}")
        detail = given.pop("detail", "1") != "0"
        self._account_engagement.catch_up()
        calls = self._log.rows(since=int(given.pop("since", "0")), **given)
        return JSONResponse(
            {"next_index": self._log.next_index, "calls": [call.as_json(detail=detail) for call in calls]}
        )

    def _summary(self, _request: Request, _body: Any) -> Response:
        self._account_engagement.catch_up()
        return JSONResponse(self._log.summary())

    def _clear_calls(self, _request: Request, _body: Any) -> Response:
        self._log.clear()
        return JSONResponse({"next_index": self._log.next_index})

    def _latency(self, _request: Request, body: Any) -> Response:
        settings = _mapping(body)
        for org in self._orgs(str(settings.get("org", "both"))):
            self._faults.set_latency(org, float(settings.get("ms", 0)), float(settings.get("jitter_ms", 0)))
        return JSONResponse({"set": True})

    def _add_faults(self, _request: Request, body: Any) -> Response:
        asked: Mapping[str, Any] = {"rules": body} if isinstance(body, list) else _mapping(body)
        self._faults.add(asked.get("rules", ()), asked.get("seed"))
        return JSONResponse({"rules": self._faults.as_json()})

    def _clear_faults(self, _request: Request, _body: Any) -> Response:
        self._faults.clear()
        return JSONResponse({"rules": []})

    def _configure(self, _request: Request, body: Any) -> Response:
        settings = _mapping(body)
        unknown = sorted(set(settings) - {SALESFORCE, ACCOUNT_ENGAGEMENT})
        if unknown:
            raise ValueError(f"configure: unknown {', '.join(unknown)}")
        self._salesforce.configure(settings.get(SALESFORCE) or {})
        self._account_engagement.configure(settings.get(ACCOUNT_ENGAGEMENT) or {})
        return JSONResponse({"configured": True})

    def _events(self, request: Request, body: Any) -> Response:
        return JSONResponse(self._salesforce.events.order(request.path_params["order"], _mapping(body or {})))

    def _expire(self, _request: Request, body: Any) -> Response:
        user = (body or {}).get("user")
        if user is None:
            self._tokens.expire_all()
        else:
            self._tokens.expire_user(str(user))
        return JSONResponse({"expired": True})


def _endpoint(call: Callable[[Request, Any], Response]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        try:
            return call(request, json.loads(raw) if raw else None)
        except OrgError as error:
            return JSONResponse(error.body, error.status)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return endpoint


def _mapping(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise TypeError("the body must be a JSON object")
    return body


def _chosen(dump: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """A Salesforce dump with the named objects alone."""
    if not names:
        return dict(dump)
    return {
        part: {name: rows for name, rows in content.items() if name in names} if isinstance(content, dict) else content
        for part, content in dump.items()
    }


def _pieces(content: Any) -> Iterator[str]:
    """JSON of a mapping of mappings of long lists, never as one string."""
    if isinstance(content, Mapping):
        for place, (name, part) in enumerate(content.items()):
            yield f"{', ' if place else '{'}{json.dumps(name)}: "
            yield from _pieces(part)
        yield "}" if content else "{}"
    elif isinstance(content, list):
        yield from _array(content)
    else:
        yield json.dumps(content)


def _array(rows: Iterable[Any]) -> Iterator[str]:
    yield "["
    chunk: list[str] = []
    first = True
    for row in rows:
        chunk.append(json.dumps(row))
        if len(chunk) == _CHUNK:
            yield ("" if first else ",") + ",".join(chunk)
            first, chunk = False, []
    if chunk:
        yield ("" if first else ",") + ",".join(chunk)
    yield "]"


async def _stream(pieces: Iterable[bytes]) -> Any:
    for piece in pieces:
        yield piece
