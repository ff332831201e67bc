"""The server-side call log: one row for every HTTP request an org got, whatever became of it, and for what it did later.

The only source of call counts. Rows are kept compactly and up to a bound; the summary counts all since the last
clearing. Handlers add facts through `request.state.log`.
"""

import json
import time
import zlib
from collections import Counter, deque
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.users import Tokens

_MOST_ERROR_BODY = 65_536


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it was answered; `status` is 0 where the connection was dropped."""

    index: int
    org: str
    at: str
    started: float
    duration_ms: float
    method: str
    path: str
    operation: str
    user: str | None
    status: int
    error: str | int | None
    fault: str | None
    records: int
    committed: int
    detail: bytes

    def as_json(self, *, detail: bool) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in self.__slots__ if name != "detail"}
        if detail:
            row |= json.loads(zlib.decompress(self.detail)) if self.detail else {}
            row.setdefault("subrequests", [])
            row["committed"] = row.get("committed") or []
        return row


class CallLog:
    """Calls in the order in which they were answered."""

    def __init__(self, most_rows: int = 200_000) -> None:
        self._rows: deque[Call] = deque(maxlen=most_rows)
        self._next = 0
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._errors: Counter[tuple[str, str]] = Counter()
        self._committed: Counter[str] = Counter()
        self._in_flight: Counter[str] = Counter()
        self._most_in_flight: Counter[str] = Counter()

    def began(self, org: str) -> None:
        self._in_flight[org] += 1
        self._most_in_flight[org] = max(self._most_in_flight[org], self._in_flight[org])

    def ended(self, org: str) -> None:
        self._in_flight[org] -= 1

    def add(self, org: str, facts: MutableMapping[str, Any], **known: Any) -> None:
        """Keep one call; `committed` and `subrequests` are the parts of it that can be large."""
        call = self._keep(org, facts, **known)
        self._counts[org, call.operation, call.status] += 1
        if call.error is not None:
            self._errors[org, str(call.error)] += 1

    def _keep(self, org: str, facts: MutableMapping[str, Any], **known: Any) -> Call:
        large = {name: facts[name] for name in ("committed", "subrequests") if facts.get(name)}
        call = Call(
            index=self._next,
            org=org,
            operation=str(facts.get("operation", "")),
            user=facts.get("user"),
            fault=facts.get("fault"),
            records=int(facts.get("records", 0)),
            committed=len(facts.get("committed") or ()),
            detail=zlib.compress(json.dumps(large, default=str).encode(), 1) if large else b"",
            **known,
        )
        self._next += 1
        self._rows.append(call)
        self._committed[org] += call.committed
        return call

    def note(self, org: str, facts: MutableMapping[str, Any], at: str) -> None:
        """Keep what an org did later by itself, on a call's behalf: a row of method "LATER", never counted as a call."""
        path = str(facts.get("path", ""))
        self._keep(
            org, facts, at=at, started=round(time.monotonic(), 4), duration_ms=0.0, method="LATER", path=path,
            status=200, error=None,
        )  # fmt: skip

    def rows(
        self, *, since: int = 0, org: str | None = None, user: str | None = None, operation: str | None = None
    ) -> Iterator[Call]:
        """Kept calls with an index of at least `since`."""
        return (
            call
            for call in self._rows
            if call.index >= since
            and org in (None, call.org)
            and user in (None, call.user)
            and operation in (None, call.operation)
        )

    @property
    def next_index(self) -> int:
        return self._next

    def summary(self) -> dict[str, Any]:
        """Counts of all calls since the last clearing, also of those no longer kept."""
        orgs: dict[str, Any] = {}
        for (org, operation, status), count in sorted(self._counts.items()):
            entry = orgs.setdefault(org, {"calls": 0, "operations": {}, "errors": {}})
            entry["calls"] += count
            entry["operations"].setdefault(operation, {})[str(status)] = count
        for (org, error), count in sorted(self._errors.items()):
            orgs[org]["errors"][error] = count
        for org, entry in orgs.items():
            entry["records_committed"] = self._committed[org]
            entry["most_in_flight"] = self._most_in_flight[org]
        return {"next_index": self._next, "kept": len(self._rows), "orgs": orgs}

    def clear(self) -> None:
        """Forget rows and counts; indexes go on."""
        self._rows.clear()
        for counter in (self._counts, self._errors, self._committed):
            counter.clear()
        self._most_in_flight = Counter(self._in_flight)


class Recorded:
    """Writes every request of one org into the log, and dates every answer by the org's clock."""

    def __init__(self, app: ASGIApp, org: str, clock: OrgClock, tokens: Tokens, log: CallLog) -> None:
        self._app = app
        self._org = org
        self._clock = clock
        self._tokens = tokens
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(self._org, self._clock, self._log, scope, send, self._facts(scope))
        self._log.began(self._org)
        try:
            await self._app(scope, receive, exchange.send)
        finally:
            exchange.record()

    def _facts(self, scope: Scope) -> dict[str, Any]:
        headers = dict(scope["headers"])
        _, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        user = self._tokens.user_of(token.strip())
        facts: dict[str, Any] = {"user": user.name if user else None}
        scope.setdefault("state", {})["log"] = facts
        return facts


class _Exchange:
    """One request and its answer while they last."""

    def __init__(
        self, org: str, clock: OrgClock, log: CallLog, scope: Scope, send: Send, facts: dict[str, Any]
    ) -> None:
        self._org = org
        self._clock = clock
        self._log = log
        self._scope = scope
        self._send = send
        self._facts = facts
        self._at = clock.now()
        self._started = time.monotonic()
        self._status = 0
        self._error_body = b""
        self._recorded = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"date"]
            headers.append((b"date", format_datetime(self._clock.now(), usegmt=True).encode()))
            message = {**message, "headers": headers}
        elif message["type"] == "http.response.body":
            if self._status >= 400 and len(self._error_body) < _MOST_ERROR_BODY:
                self._error_body += message.get("body", b"")
            if not message.get("more_body", False):
                # Recorded before the last byte leaves: who has the answer finds it in the log.
                self.record()
        await self._send(message)

    def record(self) -> None:
        if self._recorded:
            return
        self._recorded = True
        self._log.ended(self._org)
        query = self._scope.get("query_string", b"").decode("latin-1")
        self._log.add(
            self._org,
            self._facts,
            at=self._at.isoformat(timespec="milliseconds"),
            started=round(self._started, 4),
            duration_ms=round((time.monotonic() - self._started) * 1000, 2),
            method=self._scope["method"],
            path=self._scope["path"] + (f"?{query}" if query else ""),
            status=self._status,
            error=_vendor_code(self._error_body),
        )


def _vendor_code(body: bytes) -> str | int | None:
    try:
        content = json.loads(body)
    except ValueError:
        return None
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return None
    code = first.get("code", first.get("errorCode", first.get("error")))
    return code if isinstance(code, str | int) else None
