"""A Salesforce org with a frozen clock whose event bus is served over TLS by a thread, and a client written by hand."""

import asyncio
import io
import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import fastavro
import grpc
import httpx
import pytest

from prospect_sync.eventbus import pubsub_api_pb2 as messages
from prospect_sync.eventbus import pubsub_api_pb2_grpc as stubs
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.listeners import HOST, listen_for_grpc
from prospect_sync.sandbox.salesforce import SalesforceOrg
from prospect_sync.sandbox.tls import TlsFiles, make_tls
from prospect_sync.sandbox.users import Tokens, id18, sandbox_users

USERS = {user.name: user for user in sandbox_users()}
CONNECTOR, SALES = "0055g00000Sbx01AAB", "0055g00000Sbx02AAB"
ORG_ID, URL = "00D5g000000SboxEAC", "https://org.example"
TOPIC = "/data/{}ChangeEvent"
NOW_MS = 1795428000000  # 2026-11-23T10:00:00Z
DEADLINE = 20


def record_id(prefix: str, number: int) -> str:
    return id18(f"{prefix}5g00000{number:05d}")


LEAD, LEAD_2, CONTACT, CONTACT_2 = (record_id("00Q", 1), record_id("00Q", 2), record_id("003", 1), record_id("003", 2))
ACCOUNT = record_id("001", 1)


@dataclass
class Stream:
    """A subscription; its requests are sent one by one."""

    call: Any
    requests: "queue.Queue[Any]"

    def ask(self, events: int, **more: Any) -> None:
        self.requests.put(messages.FetchRequest(num_requested=events, **more))

    def next(self) -> Any:
        """The next response; the call's own deadline ends a wait for nothing."""
        return next(self.call)

    def take(self, events: int) -> list[Any]:
        """So many events, in as many responses as it takes."""
        found: list[Any] = []
        while len(found) < events:
            found += self.next().events
        return found

    def error(self) -> tuple[Any, str | None]:
        """What the call ends with: its status, and the vendor's code."""
        try:
            for _response in self.call:
                pass
        except grpc.RpcError:
            pass
        return self.call.code(), dict(self.call.trailing_metadata()).get("error-code")

    def end(self) -> None:
        self.requests.put(None)
        self.call.cancel()


@dataclass
class Bus:
    """The org and its bus, seen by one user."""

    org: SalesforceOrg
    clock: OrgClock
    stub: Any
    metadata: tuple[tuple[str, str], ...]
    streams: list[Stream] = field(default_factory=list)
    schemas: dict[str, Any] = field(default_factory=dict)

    def subscribe(self, name: str = "Lead", events: int = 100, **more: Any) -> Stream:
        first = messages.FetchRequest(topic_name=TOPIC.format(name), num_requested=events, **more)
        requests: queue.Queue[Any] = queue.Queue()
        requests.put(first)
        call = self.stub.Subscribe(iter(requests.get, None), metadata=self.metadata, timeout=DEADLINE)
        self.streams.append(Stream(call, requests))
        return self.streams[-1]

    def earliest(self, name: str = "Lead", events: int = 100) -> Stream:
        return self.subscribe(name, events, replay_preset=messages.EARLIEST)

    def told(self, name: str = "Lead") -> list[dict[str, Any]]:
        """Every event of an object since the start, decoded; read like a newcomer."""
        logged = self.org.events.told()["kept"]
        if not logged:
            return []
        self.org.configure({"events": {"keepalive_seconds": 0.01}})
        stream = self.earliest(name)
        found: list[Any] = []
        while response := stream.next().events:
            found += response
            stream.ask(len(response))
        stream.end()
        self.org.configure({"events": {}})
        return [self.decoded(one) for one in found]

    def decoded(self, event: Any) -> dict[str, Any]:
        schema_id = event.event.schema_id
        if schema_id not in self.schemas:
            answer = self.stub.GetSchema(messages.SchemaRequest(schema_id=schema_id), metadata=self.metadata)
            assert answer.schema_id == schema_id
            self.schemas[schema_id] = fastavro.parse_schema(json.loads(answer.schema_json))
        rest = io.BytesIO(event.event.payload)
        found = fastavro.schemaless_reader(rest, self.schemas[schema_id])
        assert rest.read() == b""
        return found

    def edit(self, changes: dict[str, Any], ident: str = LEAD, *, user: str = "sales", action: str = "update") -> str:
        names = {"00Q": "Lead", "003": "Contact", "001": "Account"}
        return self.org.ui_edit(user, names[ident[:3]], ident, changes, action)

    def call(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """One API call as the connector."""
        sent = {"Authorization": f"Bearer {USERS['connector'].salesforce_token}"} | (headers or {})

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.org.app())
            async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
                return await http.request(method, f"/services/data/v67.0/{path}", headers=sent, **more)

        return asyncio.run(send())


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    return make_tls(tmp_path_factory.mktemp("tls"), OrgClock().now())


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own, as a server's does."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="event bus")
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE)
    loop.close()


def _within(loop: asyncio.AbstractEventLoop, steps: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(steps, loop).result(DEADLINE)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(USERS.values())


@pytest.fixture
def bus(tls: TlsFiles, loop: asyncio.AbstractEventLoop, tokens: Tokens) -> Iterator[Bus]:
    clock = OrgClock()
    clock.set(datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC))
    org = SalesforceOrg(clock, users=tuple(USERS.values()), tokens=tokens, base_url=URL)
    org.load({"records": _records()})

    async def start() -> tuple[Any, int]:
        server = org.event_server()
        port = listen_for_grpc(server, 0, tls)
        await server.start()
        return server, port

    server, port = _within(loop, start())
    credentials = grpc.ssl_channel_credentials(tls.ca_file.read_bytes())
    with grpc.secure_channel(f"{HOST}:{port}", credentials) as channel:
        token = USERS["connector"].salesforce_token
        metadata = (("accesstoken", token), ("instanceurl", URL), ("tenantid", ORG_ID))
        made = Bus(org, clock, stubs.PubSubStub(channel), metadata)
        yield made
        for stream in made.streams:
            stream.end()
    _within(loop, server.stop(0))


def _records() -> dict[str, list[dict[str, Any]]]:
    born = {"CreatedById": SALES, "OwnerId": SALES, "CreatedDate": "2026-11-23T09:00:00Z"}
    return {
        "Account": [born | {"Id": ACCOUNT, "Name": "Engines"}],
        "Lead": [
            born | {"Id": LEAD, "FirstName": "Ada", "LastName": "Byron", "Company": "Engines", "Street": "1 Mill Lane",
                    "City": "London", "Phone": "1"},
            born | {"Id": LEAD_2, "LastName": "Hopper", "Company": "Navy", "Phone": "2"},
        ],
        "Contact": [
            born | {"Id": CONTACT, "LastName": "Curie", "AccountId": ACCOUNT},
            born | {"Id": CONTACT_2, "LastName": "Meitner"},
        ],
    }  # fmt: skip
