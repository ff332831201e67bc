"""The one way to Account Engagement: token, permit, time-out, refresh after a refusal, short repeats, usage.

It decides when a call may be sent again: any call after a refused token, since that was not carried out; repeatable
ones for a moment's trouble. Where tokens come from it is told.
"""

import os
import re
import ssl
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential, wait_random

from prospect_sync import wire
from prospect_sync.account_engagement import errors
from prospect_sync.account_engagement.connection import AccountEngagementConnection
from prospect_sync.errors import Misconfigured, SyncError, TryLater
from prospect_sync.memory import Token
from prospect_sync.model import Lane, Side
from prospect_sync.ports import Budget, Clock

Allow = Callable[[float], float]
TokenSource = Callable[[Token | None], Token]

_PROSPECTS = "/api/v5/objects/prospects"
_ATTEMPTS = 3
_SHORT_LIMIT = 10.0
_SHORT_OUTAGE = 30.0
_AT_ONCE = 5
_KEPT_ALIVE = 3.0  # seconds; a server that closes an idle connection must not take a write with it
_USAGE = re.compile(r"([0-9]+)\s*/\s*([0-9]+)")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``path`` below ``root``, ``fields`` the names it speaks of.

    ``body`` is sent as JSON; ``content`` as it is, under ``content_type``. ``text``: the answer is text, not JSON.
    """

    method: str
    path: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    fields: Collection[str] = ()
    repeatable: bool = False
    root: str = _PROSPECTS
    content: bytes | None = None
    content_type: str = "application/json"
    text: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one call.

    ``error`` None: ``body`` holds the answer (None for an empty one). ``lost``: the request went out, and whether it was
    carried out cannot be told. ``refused``: the token is no longer good; nothing was carried out.
    """

    body: Any = None
    error: SyncError | None = None
    lost: bool = False
    refused: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    elapsed: timedelta = timedelta()

    def asked_at(self, otherwise: datetime) -> datetime:
        """Tell the business unit's clock when the question arrived."""
        return wire.asked_at(self.headers.get("date"), self.elapsed, otherwise)

    @property
    def warning(self) -> str:
        """The code of a ``Pardot-Warning``; empty when there is none."""
        return self.headers.get("pardot-warning", "").partition(";")[0].strip()


class AccountEngagementClient:
    """One business unit; may be used by several threads. Nothing is contacted before the first call, so after any fork."""

    def __init__(
        self, settings: AccountEngagementConnection, token_source: TokenSource, budget: Budget, clock: Clock
    ) -> None:
        self.settings = settings
        self._token_source = token_source
        self._budget = budget
        self._clock = clock
        self._lock = threading.Lock()
        self._http: tuple[int, httpx.Client] | None = None
        self._token: Token | None = None

    def now(self) -> datetime:
        """Tell our own clock's instant."""
        return self._clock.now()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            if self._http is not None and self._http[0] == os.getpid():
                self._http[1].close()
            self._http = None

    def ask(self, call: Call, *, lane: Lane, allow: Allow | None = None) -> Answer:
        """Make one call and give its answer as a value; vendor failures stand in ``Answer.error``.

        ``allow`` is asked before every request how long it may take.

        Raises:
            TryLater: no permit, or no token now.
            Misconfigured: the login, or a fresh token, is refused.
            LeaseLost: ``allow`` says so; the call was not carried out.
        """
        repeating = Retrying(
            stop=stop_after_attempt(_ATTEMPTS if call.repeatable else 1),
            wait=wait_exponential(multiplier=0.25, max=4) + wait_random(0, 0.25),
            retry=retry_if_result(_passes_by),
            sleep=self._clock.sleep,
            retry_error_callback=_last_answer,
        )
        return repeating(self._authorised, call, lane, allow or _unlimited)

    def _authorised(self, call: Call, lane: Lane, allow: Allow) -> Answer:
        """Ask for another token when ours is refused; a second one in case the first was long known to others."""
        token = self._token or self._token_source(None)
        for _ in range(_ATTEMPTS):
            self._token = token
            answer = self._send(token, call, lane, allow)
            if not answer.refused:
                return answer
            refused, token = token, self._token_source(token)
            if token == refused:
                break
        words = answer.error.words if answer.error else ""
        raise Misconfigured(f"Account Engagement refuses a fresh token: {words}", code="184") from answer.error

    def _send(self, token: Token, call: Call, lane: Lane, allow: Allow) -> Answer:
        with self._budget.permit(Side.ACCOUNT_ENGAGEMENT, lane):
            answer = self._exchange(token, call, allow(self.settings.timeout))
        if usage := _USAGE.search(answer.headers.get("x-api-usage", "")):
            with suppress(TryLater, Misconfigured):  # the call was made: its answer must not be lost for a count
                self._budget.usage(Side.ACCOUNT_ENGAGEMENT, int(usage[1]), int(usage[2]))
        return answer

    def _exchange(self, token: Token, call: Call, seconds: float) -> Answer:
        try:
            response = self._client().request(
                call.method,
                self.settings.base_url.rstrip("/") + call.root + call.path + "?" + urlencode(call.parameters),
                headers={**self._headers(token), "Content-Type": call.content_type},
                content=call.content if call.body is None else wire.encode(call.body),
                timeout=_timeout(seconds, self.settings.connect_timeout),
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _unanswered(error)
        return _answered(response, call)

    def _headers(self, token: Token) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token.access_token}",
            "Pardot-Business-Unit-Id": self.settings.business_unit_id,
            "X-Return-Api-Usage": "1",
            "Accept": "application/json, text/csv",
        }

    def _client(self) -> httpx.Client:
        """Connections belong to one process; one that was forked makes its own."""
        with self._lock:
            if self._http is None or self._http[0] != os.getpid():
                limits = httpx.Limits(max_connections=_AT_ONCE, keepalive_expiry=_KEPT_ALIVE)
                context = ssl.create_default_context(cafile=self.settings.ca_file)
                self._http = (os.getpid(), httpx.Client(verify=context, limits=limits))
            return self._http[1]


def _unlimited(seconds: float) -> float:
    return seconds


def _timeout(seconds: float, connect: float) -> httpx.Timeout:
    """Cut a call's time so that its steps together stay within it."""
    part = seconds / 6
    return httpx.Timeout(connect=min(connect, part), pool=part, write=part, read=seconds / 2)


def _answered(response: httpx.Response, call: Call) -> Answer:
    status = response.status_code
    facts = Answer(headers=response.headers, elapsed=response.elapsed)
    if call.text and 200 <= status < 300:
        return replace(facts, body=response.content.decode("utf-8-sig", errors="replace"))
    try:
        body = wire.decode(response.content) if response.content else None
    except ValueError as error:
        return _unreadable(response, error, facts)
    if 200 <= status < 300:
        return replace(facts, body=body)
    refused = errors.is_refused_token(status, body)
    return replace(facts, error=errors.translate(status, body, call.fields), lost=status >= 500, refused=refused)


def _unreadable(response: httpx.Response, cause: ValueError, facts: Answer) -> Answer:
    """It answered, but not in JSON: a proxy's page, or half an answer."""
    status = response.status_code
    failure = errors.translate(status, response.text)
    if status < 400:
        failure = TryLater("Account Engagement's answer cannot be read", delay=30)
    failure.__cause__ = cause
    return replace(facts, error=failure, lost=status < 400 or status >= 500, refused=status == 401)


def _unanswered(error: httpx.HTTPError | httpx.InvalidURL) -> Answer:
    failure: SyncError
    never_left = isinstance(
        error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.UnsupportedProtocol
    )
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        failure = Misconfigured("Account Engagement's address cannot be used", code="base_url")
    elif "CERTIFICATE_VERIFY_FAILED" in str(error):
        failure = Misconfigured("Account Engagement's certificate is not one we trust", code="certificate")
    elif never_left:
        failure = TryLater(f"Account Engagement cannot be reached: {type(error).__name__}", delay=15)
    else:
        failure = TryLater(f"Account Engagement did not answer: {type(error).__name__}", delay=30)
    failure.__cause__ = error
    return Answer(error=failure, lost=not never_left and not isinstance(error, httpx.InvalidURL))


def _passes_by(answer: Answer) -> bool:
    """Worth a second try within seconds: outages and collisions, and limits that say they are short."""
    error = answer.error
    if not isinstance(error, TryLater):
        return False
    return error.delay <= (_SHORT_LIMIT if error.reason == "limit" else _SHORT_OUTAGE)


def _last_answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None  # noqa: S101 - tenacity calls this after an attempt
    answer: Answer = state.outcome.result()
    return answer
