"""The bus of the sandbox process, with the admin address."""

import json
import queue
import socket
from pathlib import Path

import grpc
import httpx
import pytest

from prospect_sync.eventbus import pubsub_api_pb2 as messages
from prospect_sync.eventbus import pubsub_api_pb2_grpc as stubs
from prospect_sync.sandbox.admin_client import AdminClient

TOPIC = "/data/LeadChangeEvent"


@pytest.fixture
def listening(sandbox):
    """Stub, credentials, and a fresh stream of leads that has surely begun."""
    credentials = grpc.ssl_channel_credentials(Path(sandbox.contract["ca_file"]).read_bytes())
    metadata = (
        ("accesstoken", sandbox.contract["users"]["connector"]["salesforce_token"]),
        ("instanceurl", sandbox.contract["salesforce_url"]),
        ("tenantid", "00D5g000000SboxEAC"),
    )
    requests = queue.Queue()
    requests.put(messages.FetchRequest(topic_name=TOPIC, num_requested=100))
    sandbox.admin.configure(salesforce={"events": {"keepalive_seconds": 0.01}})
    with grpc.secure_channel(sandbox.contract["pubsub_address"], credentials) as channel:
        call = stubs.PubSubStub(channel).Subscribe(iter(requests.get, None), metadata=metadata, timeout=20)
        assert list(next(call).events) == []
        sandbox.admin.configure(salesforce={"events": {}})
        yield call
        requests.put(None)
    sandbox.admin.configure(salesforce={"events": {}})


def events_of(call, number):
    found = []
    while len(found) < number:
        found += next(call).events
    return found


def test_an_edit_arrives_and_is_counted(sandbox, listening):
    before = sandbox.admin.events()
    lead = sandbox.admin.dump("Lead")["salesforce"]["records"]["Lead"][0]["Id"]
    sandbox.admin.edit("salesforce", "sales", {"Title": "Boss"}, record_id=lead, object_name="Lead")
    sandbox.admin.gap_event(lead)
    sandbox.admin.overflow_event("Lead")
    events = events_of(listening, 3)
    assert [lead.encode() in event.event.payload for event in events] == [True, True, False]
    after = sandbox.admin.events()
    assert after["logged"] - before["logged"] == 3
    assert after["delivered"]["Lead"]["connector"] - before["delivered"].get("Lead", {}).get("connector", 0) == 3
    assert sandbox.admin.calls() == []


def test_streams_end_on_demand(sandbox, listening):
    sandbox.admin.drop_streams()
    with pytest.raises(grpc.RpcError) as ended:
        list(listening)
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


def test_the_process_ends_cleanly_with_a_stream_open(launch):
    process = launch("--pairs", "1")
    contract = json.loads(process.stdout.readline())
    credentials = grpc.ssl_channel_credentials(Path(contract["ca_file"]).read_bytes())
    metadata = (
        ("accesstoken", contract["users"]["connector"]["salesforce_token"]),
        ("instanceurl", contract["salesforce_url"]),
        ("tenantid", "00D5g000000SboxEAC"),
    )
    requests = queue.Queue()
    requests.put(messages.FetchRequest(topic_name=TOPIC, num_requested=100))
    with AdminClient(contract["admin_url"], contract["ca_file"]) as admin:
        admin.configure(salesforce={"events": {"keepalive_seconds": 0.01}})
    with grpc.secure_channel(contract["pubsub_address"], credentials) as channel:
        call = stubs.PubSubStub(channel).Subscribe(iter(requests.get, None), metadata=metadata, timeout=20)
        next(call)
        process.terminate()
        out, errors = process.communicate(timeout=20)
        with pytest.raises(grpc.RpcError) as ended:
            list(call)
        requests.put(None)
    assert (process.returncode, out, errors) == (0, "", "")
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_taken_port_of_the_bus_is_one_sentence_and_exit_2(launch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = launch("--pairs", "1", "--port", str(port - 3))
        out, errors = process.communicate(timeout=20)
    assert (process.returncode, out, errors.count("\n")) == (2, "", 1)
    assert "cannot be used: " in errors


def test_an_order_that_makes_no_sense_is_refused(sandbox):
    with pytest.raises(httpx.HTTPStatusError) as refused:
        sandbox.admin.overflow_event("Opportunity")
    assert refused.value.response.json() == {
        "error": "ValueError: there are no events of 'Opportunity'; there are of Lead, Contact, Account"
    }
    with pytest.raises(httpx.HTTPStatusError):
        sandbox.admin.expire_events("yesterday")
