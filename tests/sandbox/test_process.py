"""The command: one line of JSON, real TLS, a clean end, clear refusals."""

import json
import signal
import socket
import ssl
from pathlib import Path

import httpx
import pytest

PROSPECTS = "/api/v5/objects/prospects"


def test_the_line_says_all_that_a_client_needs(sandbox):
    assert set(sandbox.contract) == {
        "salesforce_url",
        "account_engagement_url",
        "pubsub_address",
        "ca_file",
        "business_unit_id",
        "admin_url",
        "users",
        "client_id",
        "client_secret",
        "jwt_private_key_file",
        "username",
    }
    assert sandbox.contract["business_unit_id"] == "0Uv5g0000008OIACA2"
    assert set(sandbox.contract["users"]) == {"connector", "sales", "marketing", "admin"}
    for user in sandbox.contract["users"].values():
        assert {"salesforce_token", "account_engagement_token"} < set(user)
    connector = sandbox.contract["users"]["connector"]
    assert connector["salesforce_user_id"] == "0055g00000Sbx01AAB"
    assert connector["account_engagement_user_id"] == 41


def test_tokens_work_at_once_over_tls(sandbox):
    with sandbox.engagement("marketing") as http:
        answer = http.patch(f"{PROSPECTS}/1", params={"fields": "updatedById"}, json={"phone": "1"})
    assert answer.json() == {"updatedById": 43}


def test_the_certificate_is_of_the_throw_away_authority(sandbox):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(sandbox.contract["account_engagement_url"], trust_env=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_leaves_nothing(launch, number):
    process = launch("--pairs", "1")
    contract = json.loads(process.stdout.readline())
    context = ssl.create_default_context(cafile=contract["ca_file"])
    with httpx.Client(verify=context, trust_env=False) as http:
        assert http.get(contract["admin_url"] + "/clock").status_code == 200
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out, errors) == (0, "", "")
    assert not Path(contract["ca_file"]).exists()


def test_a_taken_port_is_one_sentence_and_exit_2(launch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = launch("--port", str(port))
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert errors.startswith(f"Port {port} cannot be used: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "does not hold a JSON object"),
        ('{"pardot": {}}', "unknown pardot"),
        ('{"account_engagement": {"prospects": [{"id": 1, "nonsense": 1}]}}', "there is no field 'nonsense'"),
        ('{"account_engagement": {"prospects": [{"id": 1, "email": "no"}]}}', "Invalid prospect email address"),
    ],
)
def test_a_bad_file_is_one_sentence_and_exit_2(launch, tmp_path, content, words):
    path = tmp_path / "data.json"
    if content is not None:
        path.write_text(content)
    process = launch("--data", str(path))
    out, errors = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert words in errors
    assert errors.count("\n") == 1


def test_a_file_is_loaded_with_its_clock_and_no_pairs_are_made_up(launch, tmp_path):
    path = tmp_path / "data.json"
    data = {
        "clock": {"account_engagement": {"set": "2026-01-02T03:04:05Z"}},
        "account_engagement": {"prospects": [{"id": 5, "email": "a@x.example"}]},
    }
    path.write_text(json.dumps(data))
    process = launch("--data", str(path), "--ae-lag-seconds", "30")
    contract = json.loads(process.stdout.readline())
    token = contract["users"]["connector"]["account_engagement_token"]
    headers = {"Authorization": f"Bearer {token}", "Pardot-Business-Unit-Id": contract["business_unit_id"]}
    context = ssl.create_default_context(cafile=contract["ca_file"])
    with httpx.Client(
        base_url=contract["account_engagement_url"], headers=headers, verify=context, trust_env=False
    ) as http:
        assert http.patch(f"{PROSPECTS}/5", json={"phone": "1"}).status_code == 204
        answer = http.get(PROSPECTS, params={"fields": "id,createdAt,phone"})
    assert answer.json()["values"] == [{"id": 5, "createdAt": "2026-01-02T03:04:05+00:00", "phone": None}]
    assert answer.headers["Date"] == "Fri, 02 Jan 2026 03:04:05 GMT"
