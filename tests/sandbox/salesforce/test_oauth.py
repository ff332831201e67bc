"""The token endpoint and what a token is good for."""

import base64
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.salesforce import SalesforceOrg
from prospect_sync.sandbox.users import OAuthClient, Tokens

from .conftest import CONNECTOR, USERS, Client

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXPIRED = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def client(loop, key):
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    app = OAuthClient("app", "secret", "connector@sandbox.example", pem)
    users = tuple(USERS.values())
    org = SalesforceOrg(OrgClock(), users=users, tokens=Tokens(users), oauth=app, base_url="https://org:1")
    return Client(org.app(), loop)


def token(client, headers=None, **form):
    return client.post("/services/oauth2/token", data=form, headers={"Authorization": ""} | (headers or {}))


def assertion(key, **changes):
    claims = {
        "iss": "app", "sub": "sales@sandbox.example", "aud": "https://login.salesforce.com",
        "exp": f"{time.time() + 180:.0f}",
    }  # fmt: skip
    return jwt.encode({name: value for name, value in (claims | changes).items() if value}, key, algorithm="RS256")


@pytest.mark.parametrize("audience", ["https://login.salesforce.com", "https://test.salesforce.com", "https://org:1"])
def test_jwt_bearer_acts_as_the_subject(client, key, audience):
    answer = token(client, grant_type=JWT_BEARER, assertion=assertion(key, aud=audience))
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}
    assert (body["instance_url"], body["token_type"]) == ("https://org:1", "Bearer")
    header = {"Authorization": f"Bearer {body['access_token']}"}
    assert (
        client.get(body["id"].removeprefix("https://org:1"), headers=header).json()["username"]
        == "sales@sandbox.example"
    )
    assert client.get("/services/oauth2/userinfo", headers=header).json()["organization_id"] == "00D5g000000SboxEAC"


@pytest.mark.parametrize(
    ("claims", "error", "description"),
    [
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@x"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://elsewhere"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1000}, "invalid_grant", "expired authorization code"),
        ({"exp": None}, "invalid_grant", "invalid assertion"),
    ],
)
def test_bad_assertions(client, key, claims, error, description):
    answer = token(client, grant_type=JWT_BEARER, assertion=assertion(key, **claims))
    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


def test_an_assertion_signed_by_someone_else(client):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = token(client, grant_type=JWT_BEARER, assertion=assertion(other))
    assert answer.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def basic(text):
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def test_client_credentials_in_body_or_header_act_as_the_configured_user(client):
    in_body = token(client, grant_type="client_credentials", client_id="app", client_secret="secret").json()
    in_header = token(client, basic("app:secret"), grant_type="client_credentials").json()
    for body in (in_body, in_header):
        assert body["id"] == f"https://org:1/id/00D5g000000SboxEAC/{CONNECTOR}"
        assert client.get("limits", headers={"Authorization": f"Bearer {body['access_token']}"}).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "app", "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "secret"}, "invalid_client_id"),
        ({"grant_type": "password", "username": "connector@sandbox.example", "password": "x", "client_id": "app",
          "client_secret": "secret"}, "unsupported_grant_type"),
        ({}, "unsupported_grant_type"),
    ],
)  # fmt: skip
def test_other_grants_are_refused(client, form, error):
    answer = token(client, **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "", "Basic eA=="])
def test_calls_without_a_valid_token(client, header):
    answer = client.get("limits", headers={"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, EXPIRED)
    assert answer.headers["sforce-limit-info"] == "api-usage=0/100000"


def test_a_revoked_token_is_dead(client):
    issued = token(client, basic("app:secret"), grant_type="client_credentials").json()["access_token"]
    assert client.post("/services/oauth2/revoke", data={"token": issued}).status_code == 200
    assert client.get("limits", headers={"Authorization": f"Bearer {issued}"}).json() == EXPIRED
