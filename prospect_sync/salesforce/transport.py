"""One HTTP exchange through simple_salesforce: what was answered, as a value; nothing is raised for what the vendor says.

The only file that touches simple_salesforce, and of it only ``restful`` with a session id: that way the library neither
logs in, nor refreshes, nor repeats, so its losing headers on a refresh, its endless recursion on a permanent 401 and its
stale base address after a move cannot be reached.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from urllib3.util import Timeout

from prospect_sync import wire
from prospect_sync.errors import Misconfigured, SyncError, TryLater
from prospect_sync.memory import Token
from prospect_sync.salesforce import errors
from prospect_sync.salesforce.connection import SalesforceConnection
from prospect_sync.salesforce.tokens import leave_alone

_POOL = 16


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``path`` below the API version, ``repeatable`` where doing it twice is as good as once."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one call.

    ``error`` None: ``body`` holds the answer (None for an empty one). ``lost``: the request went out, and whether it was
    carried out cannot be told. ``refused``: the token or the address is no longer good; nothing was carried out.
    """

    body: Any = None
    error: SyncError | None = None
    lost: bool = False
    refused: bool = False
    date: str | None = None
    elapsed: timedelta = timedelta()
    usage: tuple[int, int] | None = None

    def asked_at(self, otherwise: datetime) -> datetime:
        """Tell the org's clock when the question arrived."""
        return wire.asked_at(self.date, self.elapsed, otherwise)


class Transport:
    """A client for one token. Belongs to the process that made it."""

    def __init__(self, settings: SalesforceConnection, token: Token) -> None:
        self.token = token
        self.pid = os.getpid()
        self._settings = settings
        self._session = _session(settings)
        self._client = Salesforce(
            session_id=token.access_token,
            instance_url=token.instance_url,
            version=settings.api_version,
            session=self._session,
            parse_float=Decimal,
            object_pairs_hook=dict,
        )

    def close(self) -> None:
        self._session.close()

    def exchange(self, call: Call, seconds: float) -> Answer:
        """Send one request and wait at most ``seconds`` for each part of its answer."""
        seen: list[requests.Response] = []
        settings = self._settings

        def note(response: requests.Response, **_: Any) -> None:
            seen.append(response)

        try:
            body = self._client.restful(
                call.path,
                method=call.method,
                data=None if call.body is None else wire.encode(call.body),
                headers=dict(call.headers),
                timeout=Timeout(total=seconds, connect=min(settings.connect_timeout, seconds)),
                verify=settings.ca_file or True,
                allow_redirects=False,
                hooks={"response": note},
            )
        except SalesforceError as error:
            return _refused(error, seen)
        except (requests.RequestException, ValueError, TypeError, RecursionError) as error:
            return _unreadable(error, seen) if seen else _unanswered(error)
        return Answer(body=body, **_facts(seen))


def _session(settings: SalesforceConnection) -> requests.Session:
    session = requests.Session()
    session.auth = leave_alone
    session.headers.update(settings.constant_headers)
    session.mount("https://", _TimedAdapter(settings.timeout))
    return session


class _TimedAdapter(HTTPAdapter):
    """Sends nothing without a time-out, whoever forgets to give one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        super().__init__(pool_maxsize=_POOL)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        options["timeout"] = options.get("timeout") or self._seconds
        return super().send(request, **options)


def _refused(error: SalesforceError, seen: list[requests.Response]) -> Answer:
    facts = _facts(seen)
    status = int(error.status)
    moved = status in (301, 302, 303, 307, 308)
    failure = errors.translate(status, error.content, facts["usage"])
    failure.__cause__ = error
    return Answer(error=failure, lost=status >= 500, refused=status == 401 or moved, **facts)


def _unreadable(error: Exception, seen: list[requests.Response]) -> Answer:
    """It answered, but not in JSON, or not to the end: a proxy's page, a broken connection."""
    failure = TryLater(f"Salesforce's answer cannot be read: {type(error).__name__}", delay=30)
    failure.__cause__ = error
    return Answer(error=failure, lost=True, **_facts(seen))


def _unanswered(error: Exception) -> Answer:
    failure: SyncError
    if _never_left(error):
        failure = TryLater(f"Salesforce cannot be reached: {type(error).__name__}", delay=15)
    else:
        failure = TryLater(f"Salesforce did not answer: {type(error).__name__}", delay=30)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        failure = Misconfigured("Salesforce's certificate is not one we trust", code="certificate")
    failure.__cause__ = error
    return Answer(error=failure, lost=not _never_left(error))


def _never_left(error: Exception) -> bool:
    """Tell whether the request surely did not reach the vendor: there was no connection to send it on."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    if isinstance(error, requests.exceptions.SSLError):  # any other one may have come when the request was out
        return "CERTIFICATE_VERIFY_FAILED" in str(error)
    if isinstance(error, requests.RequestException):
        return "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
    return True


def _facts(seen: list[requests.Response]) -> dict[str, Any]:
    if not seen:
        return {"usage": None}
    response = seen[-1]
    limit = Salesforce.parse_api_usage(response.headers.get("Sforce-Limit-Info", ""))
    counted = limit.get("api-usage")
    return {
        "date": response.headers.get("Date"),
        "elapsed": response.elapsed,
        "usage": (counted.used, counted.total) if counted else None,
    }
