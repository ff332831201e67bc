"""Fetches access tokens by OAuth: JWT bearer or client credentials. A password is never sent.

It decides nothing about when to fetch; caching and locking belong to the ``Tokens`` port.
"""

from datetime import timedelta
from typing import Any

import jwt
import requests

from prospect_sync import wire
from prospect_sync.errors import Misconfigured, SyncError, TryLater
from prospect_sync.memory import Token
from prospect_sync.ports import Clock
from prospect_sync.salesforce.connection import SalesforceConnection

_TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - an address, no secret
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_LIFE = timedelta(minutes=3)
_PASSES_BY = frozenset({"unknown_error", "temporarily_unavailable", "server_error", "slow_down"})


class Login:
    """One org's token endpoint."""

    def __init__(self, settings: SalesforceConnection, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def fetch(self) -> Token:
        """Log in and give a new token.

        Raises:
            TryLater: the endpoint did not answer, or too many logins.
            Misconfigured: it refused us.
        """
        settings = self._settings
        try:
            response = requests.post(
                settings.login_url.rstrip("/") + _TOKEN_PATH,
                data=self._form(),
                timeout=(settings.connect_timeout, settings.login_timeout),
                verify=settings.ca_file or True,
                allow_redirects=False,
                auth=leave_alone,
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, OSError) as error:
            raise _unreachable(error) from error
        return _token(response)

    def _form(self) -> dict[str, str]:
        settings = self._settings
        if not settings.private_key:
            return {
                "grant_type": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
            }
        claims = {
            "iss": settings.client_id,
            "sub": settings.username,
            "aud": settings.audience or settings.login_url.rstrip("/"),
            "exp": self._clock.now() + _JWT_LIFE,
        }
        try:
            return {"grant_type": _JWT_GRANT, "assertion": jwt.encode(claims, settings.private_key, algorithm="RS256")}
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise Misconfigured(
                "the private key for the Salesforce login cannot be used", code="private_key"
            ) from error


def leave_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authorise nothing: without it requests would let a netrc file replace our Authorization header."""
    return request


def _unreachable(error: Exception) -> SyncError:
    """Tell a wrong address or certificate from a network that is down."""
    if isinstance(error, ValueError) or "CERTIFICATE_VERIFY_FAILED" in str(error) or "CA certificate" in str(error):
        return Misconfigured(f"the Salesforce login address cannot be used: {type(error).__name__}", code="login_url")
    return TryLater(f"Salesforce's login does not answer: {type(error).__name__}", delay=15)


def _token(response: requests.Response) -> Token:
    body = _body(response)
    if response.status_code != 200:
        raise _refusal(response.status_code, body)
    access_token, instance_url = body.get("access_token"), body.get("instance_url")
    if not isinstance(access_token, str) or not isinstance(instance_url, str) or not access_token or not instance_url:
        raise TryLater("Salesforce's login answered without a token", delay=15)
    scopes = body.get("scope")
    return Token(access_token, instance_url, frozenset(scopes.split()) if isinstance(scopes, str) else None)


def _body(response: requests.Response) -> dict[str, Any]:
    try:
        body = wire.decode(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(status: int, body: dict[str, Any]) -> SyncError:
    code, words = str(body.get("error", "")), str(body.get("error_description", "")) or f"HTTP {status}"
    if "rate exceeded" in words.lower() or status == 429:
        return TryLater(words, delay=300, code=code, reason="limit")
    if status >= 500 or code in _PASSES_BY or not code:
        return TryLater(words, delay=15, code=code)
    return Misconfigured(f"Salesforce refuses the login: {words}", code=code)
