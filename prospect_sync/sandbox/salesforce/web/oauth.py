"""The token endpoint: JWT bearer and client credentials. Every other grant is refused, passwords above all.

An assertion's expiry is measured in the machine's time, as its maker's clock is; an org whose clock was moved
would otherwise lock everybody out.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import jwt
from jwt.types import Options

from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.salesforce.ids import ORG_ID
from prospect_sync.sandbox.salesforce.web.exchange import Answer
from prospect_sync.sandbox.users import OAuthClient, OrgUser, Tokens

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_UNCHECKED: Options = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
_SCOPE = "api pardot_api refresh_token"


class TokenEndpoint:
    """Issues tokens for the one connected app."""

    def __init__(
        self, client: OAuthClient | None, users: Mapping[str, OrgUser], tokens: Tokens, clock: OrgClock
    ) -> None:
        self._client = client
        self._users = users
        self._tokens = tokens
        self._clock = clock

    def token(self, body: bytes, headers: Mapping[str, str], base_url: str) -> Answer:
        """Answer `POST /services/oauth2/token`."""
        form = dict(parse_qsl(body.decode("utf-8", "replace")))
        grant = form.get("grant_type")
        try:
            if grant == _JWT_BEARER:
                user = self._by_assertion(form.get("assertion", ""), base_url)
            elif grant == "client_credentials":
                user = self._by_secret(form, headers)
            else:
                raise _error("unsupported_grant_type", "grant type not supported")
        except OrgError as error:
            return Answer.refused(error)
        return Answer(200, self._granted(user, base_url), {"Cache-Control": "no-store"})

    def revoke(self, body: bytes, params: Mapping[str, str]) -> Answer:
        token = (dict(parse_qsl(body.decode("utf-8", "replace"))) | dict(params)).get("token", "")
        if self._tokens.user_of(token) is None:
            return Answer(
                400, {"error": "unsupported_token_type", "error_description": "this token type is not supported"}
            )
        self._tokens.revoke(token)
        return Answer(200)

    def _by_assertion(self, assertion: str, base_url: str) -> OrgUser:
        claims = self._claims(assertion)
        if self._client is None or claims.get("iss") != self._client.client_id:
            raise _error("invalid_client_id", "client identifier invalid")
        if claims.get("aud") not in {*_AUDIENCES, base_url}:
            raise _error("invalid_grant", "audience is invalid")
        try:
            expired = float(claims["exp"]) <= time.time()
        except (KeyError, TypeError, ValueError) as error:
            raise _error("invalid_grant", "invalid assertion") from error
        if expired:
            raise _error("invalid_grant", "expired authorization code")
        user = self._users.get(str(claims.get("sub")))
        if user is None:
            raise _error("invalid_grant", "user hasn't approved this consumer")
        return user

    def _claims(self, assertion: str) -> dict[str, Any]:
        key = self._client.public_key_pem if self._client else b""
        try:
            return dict(jwt.decode(assertion, key, algorithms=["RS256"], options=_UNCHECKED))
        except (jwt.PyJWTError, ValueError) as error:
            raise _error("invalid_grant", "invalid assertion") from error

    def _by_secret(self, form: Mapping[str, str], headers: Mapping[str, str]) -> OrgUser:
        name, secret = _credentials(form, headers)
        client = self._client
        if client is None or name != client.client_id:
            raise _error("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), client.client_secret.encode()):
            raise _error("invalid_client", "invalid client credentials")
        user = self._users.get(client.username)
        if user is None:
            raise _error("invalid_grant", "no client credentials user enabled")
        return user

    def _granted(self, user: OrgUser, base_url: str) -> dict[str, Any]:
        ident = f"{base_url}/id/{ORG_ID}/{user.salesforce_id}"
        issued = str(int(self._clock.now().timestamp() * 1000))
        secret = self._client.client_secret.encode() if self._client else b""
        signature = base64.b64encode(hmac.new(secret, f"{ident}{issued}".encode(), hashlib.sha256).digest()).decode()
        return {
            "access_token": self._tokens.issue(user),
            "signature": signature,
            "scope": _SCOPE,
            "instance_url": base_url,
            "id": ident,
            "token_type": "Bearer",
            "issued_at": issued,
        }


def identity(user: OrgUser, base_url: str) -> dict[str, Any]:
    """What the identity address and `userinfo` tell of a user."""
    ident = f"{base_url}/id/{ORG_ID}/{user.salesforce_id}"
    return {
        "id": ident,
        "sub": ident,
        "asserted_user": True,
        "user_id": user.salesforce_id,
        "organization_id": ORG_ID,
        "username": user.username,
        "preferred_username": user.username,
        "display_name": user.name.capitalize(),
        "name": user.name.capitalize(),
        "email": user.username,
        "active": True,
        "user_type": "STANDARD",
        "urls": {
            "rest": f"{base_url}/services/data/v{{version}}/",
            "sobjects": f"{base_url}/services/data/v{{version}}/sobjects/",
            "query": f"{base_url}/services/data/v{{version}}/query/",
        },
    }


def _credentials(form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret, from the body or from a Basic header."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _error("invalid_client", "invalid client credentials") from error
    return name, secret


def _error(code: str, description: str) -> OrgError:
    return OrgError(400, {"error": code, "error_description": description})
