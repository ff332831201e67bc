"""The one way to Salesforce: token, permit, time-out, refresh after a refusal, short repeats, usage.

It decides when a call may be sent again: any call after a refused token, since that was not carried out; repeatable
ones for a moment's trouble. What a call means is its caller's business.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential, wait_random

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.memory import Token
from prospect_sync.model import Lane, Side
from prospect_sync.ports import Budget, Clock, Tokens
from prospect_sync.salesforce.connection import SalesforceConnection
from prospect_sync.salesforce.tokens import Login
from prospect_sync.salesforce.transport import Answer, Call, Transport

Allow = Callable[[float], float]

_TOKEN_NAME = "salesforce"  # noqa: S105 - the name of the cache entry
_ATTEMPTS = 3
_SHORT_LIMIT = 10.0
_SHORT_OUTAGE = 30.0


class SalesforceGateway:
    """One org. Cheap to make: nothing is contacted before the first call, which therefore comes after any fork."""

    def __init__(self, settings: SalesforceConnection, tokens: Tokens, budget: Budget, clock: Clock) -> None:
        self.settings = settings
        self._tokens = tokens
        self._budget = budget
        self._clock = clock
        self._login = Login(settings, clock)
        self._lock = threading.Lock()
        self._transport: Transport | None = None

    def token(self, refused: Token | None = None) -> Token:
        """Give the access token all workers share, a new one where it is the ``refused`` one.

        Raises: TryLater, Misconfigured.
        """
        return self._tokens.get(_TOKEN_NAME, refused, self._login.fetch)

    def now(self) -> datetime:
        """Tell our own clock's instant."""
        return self._clock.now()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            if self._transport is not None and self._transport.pid == os.getpid():
                self._transport.close()
            self._transport = None

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
        """Renew the token once when it is refused, and send the same call, headers and all, again.

        Another worker may have renewed it first, long ago: then what it fetched gets its one chance, too.
        """
        transport, fetched = self._current()
        for _ in range(_ATTEMPTS):
            answer = self._send(transport, call, lane, allow)
            if not answer.refused:
                return answer
            if fetched:
                break
            transport, fetched = self._renewed(transport)
        words = answer.error.words if answer.error else ""
        raise Misconfigured(f"Salesforce refuses a fresh token: {words}", code="INVALID_SESSION_ID") from answer.error

    def _send(self, transport: Transport, call: Call, lane: Lane, allow: Allow) -> Answer:
        with self._budget.permit(Side.SALESFORCE, lane):
            answer = transport.exchange(call, allow(self.settings.timeout))
        if answer.usage is not None:
            with suppress(TryLater, Misconfigured):  # the call was made: its answer must not be lost for a count
                self._budget.usage(Side.SALESFORCE, *answer.usage)
        return answer

    def _current(self) -> tuple[Transport, bool]:
        transport = self._transport
        if transport is not None and transport.pid == os.getpid():
            return transport, False
        token, fetched = self._obtain(None)
        return self._use(token), fetched

    def _renewed(self, refused: Transport) -> tuple[Transport, bool]:
        token, fetched = self._obtain(refused.token)
        return self._use(token), fetched

    def _obtain(self, refused: Token | None) -> tuple[Token, bool]:
        """Give a token and whether it was fetched just now, by us."""
        fetches: list[Token] = []

        def fetch() -> Token:
            fetches.append(self._login.fetch())
            return fetches[-1]

        token = self._tokens.get(_TOKEN_NAME, refused, fetch)
        return token, bool(fetches) or token == refused

    def _use(self, token: Token) -> Transport:
        """A new token means a new client: its instance may have moved, and the library keeps its first address."""
        with self._lock:
            current = self._transport
            if current is None or current.token != token or current.pid != os.getpid():
                current = self._transport = Transport(self.settings, token)
            return current


def _unlimited(seconds: float) -> float:
    return seconds


def _passes_by(answer: Answer) -> bool:
    """Worth a second try within seconds: outages and locks, and limits that say they are short."""
    error = answer.error
    if not isinstance(error, TryLater):
        return False
    return error.delay <= (_SHORT_LIMIT if error.reason == "limit" else _SHORT_OUTAGE)


def _last_answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None  # noqa: S101 - tenacity calls this after an attempt
    answer: Answer = state.outcome.result()
    return answer
