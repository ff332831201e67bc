"""Latency and faults between the wire and an org: answers replaced, connections dropped, before or after the commit.

Chosen by filter, count and a seeded chance; knows nothing of what the requests mean.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prospect_sync.sandbox.org_error import OrgError

_ACTIONS = ("answer", "answer_after", "drop", "drop_after", "delay", "stall")


class Gate(Protocol):
    """A limit on calls at the same time: `enter` raises OrgError when there are too many."""

    def enter(self) -> None: ...
    def leave(self) -> None: ...


@dataclass(slots=True)
class FaultRule:
    """What happens to the requests it matches. `fired` counts them.

    `do`: answer (without the handler), answer_after (handler runs, its answer is replaced), drop and drop_after
    (the connection is closed), delay (then goes on), stall (no answer until the caller leaves).
    """

    do: str
    org: str | None = None
    method: str | None = None
    path: str | None = None
    user: str | None = None
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    ms: float = 0
    jitter_ms: float = 0
    probability: float = 1.0
    count: int | None = None
    skip: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        if self.do not in _ACTIONS:
            raise ValueError(f"fault: do is {self.do!r}, none of {', '.join(_ACTIONS)}")
        re.compile(self.path or "")

    def matches(self, org: str, method: str, path: str, user: str | None) -> bool:
        return (
            self.org in (None, org)
            and self.method in (None, method)
            and self.user in (None, user)
            and (self.path is None or re.search(self.path, path) is not None)
        )

    def fires(self, chance: Random) -> bool:
        if self.count is not None and self.fired >= self.count:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.probability < 1 and chance.random() >= self.probability:
            return False
        self.fired += 1
        return True


class Faults:
    """All rules and latencies of the sandbox, and the chance they are thrown by."""

    def __init__(self, seed: int = 0) -> None:
        self._rules: list[FaultRule] = []
        self._chance = Random(seed)
        self._latency: dict[str, tuple[float, float]] = {}

    def add(self, rules: Sequence[Mapping[str, Any]], seed: int | None = None) -> None:
        """Add rules, all or none; a seed starts the chance anew.

        Raises:
            ValueError: an unknown key or action.
        """
        try:
            made = [FaultRule(**rule) for rule in rules]
        except (TypeError, re.error) as error:
            raise ValueError(f"fault: {error}") from None
        if seed is not None:
            self._chance = Random(seed)
        self._rules.extend(made)

    def clear(self) -> None:
        self._rules.clear()

    def as_json(self) -> list[dict[str, Any]]:
        return [{name: getattr(rule, name) for name in rule.__slots__} for rule in self._rules]

    def set_latency(self, org: str, ms: float, jitter_ms: float = 0) -> None:
        """Delay every answer of an org by `ms`, and by up to `jitter_ms` more."""
        if ms < 0 or jitter_ms < 0:
            raise ValueError("latency cannot be negative")
        self._latency[org] = (ms, jitter_ms)

    def for_request(self, org: str, method: str, path: str, user: str | None) -> tuple[float, FaultRule | None]:
        """How many seconds to wait, and which rule to apply then."""
        wait = self._jittered(*self._latency.get(org, (0, 0)))
        for rule in self._rules:
            if not rule.matches(org, method, path, user) or not rule.fires(self._chance):
                continue
            if rule.do != "delay":
                return wait + self._jittered(rule.ms, rule.jitter_ms), rule
            wait += self._jittered(rule.ms, rule.jitter_ms)
        return wait, None

    def _jittered(self, ms: float, jitter_ms: float) -> float:
        return (ms + (self._chance.uniform(0, jitter_ms) if jitter_ms else 0)) / 1000


class Faulty:
    """Wraps one org's app: gate, latency, fault, handler, fault."""

    def __init__(
        self, app: ASGIApp, org: str, faults: Faults, drop: Callable[[Scope], None], gate: Gate | None = None
    ) -> None:
        self._app = app
        self._org = org
        self._faults = faults
        self._drop = drop
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._gate is None:
            await self._pass(scope, receive, send)
            return
        try:
            self._gate.enter()
        except OrgError as error:
            await JSONResponse(error.body, error.status, error.headers)(scope, receive, send)
            return
        place = _Place(self._gate, send)
        try:
            await self._pass(scope, receive, place.send)
        finally:
            place.leave()

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        facts = scope.get("state", {}).get("log", {})
        path = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        wait, rule = self._faults.for_request(self._org, scope["method"], path, facts.get("user"))
        if wait > 0:
            await asyncio.sleep(wait)
        if rule is None:
            await self._app(scope, receive, send)
            return
        facts["fault"] = rule.do
        if rule.do == "stall":
            await _until_caller_leaves(receive)
            return
        if rule.do.endswith("_after"):
            await self._app(scope, receive, _swallow)
        if rule.do.startswith("answer"):
            await _replacement(rule)(scope, receive, send)
            return
        self._drop(scope)


class _Place:
    """One call's place at the gate; given back before the last byte leaves, so that the caller can use it at once."""

    def __init__(self, gate: Gate, send: Send) -> None:
        self._gate: Gate | None = gate
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.leave()
        await self._send(message)

    def leave(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.leave()


def _replacement(rule: FaultRule) -> Response:
    if isinstance(rule.body, str):
        return Response(rule.body, rule.status, {"content-type": "text/html", **rule.headers})
    return Response(json.dumps(rule.body), rule.status, {"content-type": "application/json", **rule.headers})


async def _swallow(_message: Message) -> None:
    return


async def _until_caller_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
