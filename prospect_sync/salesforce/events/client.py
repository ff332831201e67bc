"""The event bus as a port: one channel, a stream for each topic, the token renewed once when it is refused.

Cheap to make: nothing is contacted before the first ``listen``, and a process that forks makes it after that.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc

from prospect_sync.errors import Misconfigured, Stale, TryLater
from prospect_sync.eventbus import pubsub_api_pb2 as messages
from prospect_sync.eventbus.pubsub_api_pb2_grpc import PubSubStub
from prospect_sync.memory import Token
from prospect_sync.model import Lane
from prospect_sync.ports import ChangeEvent, ChangeEvents, Delivery
from prospect_sync.salesforce import errors
from prospect_sync.salesforce.events.reading import UNREADABLE, read_event
from prospect_sync.salesforce.events.schemas import Schemas
from prospect_sync.salesforce.events.trouble import is_refused, is_unknown, translate
from prospect_sync.salesforce.events.window import Silence, Window
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.transport import Call

_LARGEST_ANSWER = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EventBusConnection:
    """Where the event bus is and how patient to be, in seconds.

    ``silence``: the vendor gives a sign of life every 270 s. ``ping``: how often the connection itself is tried.
    ``window``: events asked for at a time, at most 100.
    """

    address: str = "api.pubsub.salesforce.com:7443"
    ca_file: str | None = None
    silence: float = 330.0
    ping: float = 60.0
    call_timeout: float = 30.0
    window: int = 100


class SalesforceEvents(ChangeEvents):
    """See the port. A place is the replay id in hexadecimal."""

    def __init__(self, connection: EventBusConnection, gateway: SalesforceGateway) -> None:
        self._connection = connection
        self._gateway = gateway
        self._schemas = Schemas()
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._tenant = ""
        self._calls: set[Any] = set()
        self._closed = threading.Event()

    def listen(self, topic: str, *, after: str = "", oldest: bool = False) -> Iterator[Delivery]:
        """See ``ChangeEvents.listen``."""
        first = _first(topic, after, oldest=oldest)
        refused: Token | None = None
        while not self._closed.is_set():
            token = self._gateway.token(refused)
            try:
                for delivery in self._stream(first, token):
                    refused = None
                    first = _first(topic, delivery.place)
                    yield delivery
            except grpc.RpcError as error:
                if self._closed.is_set():
                    return
                if not is_refused(error):
                    raise translate(error) from error
                if refused is not None:
                    raise Misconfigured("the event bus refuses a fresh token", code=translate(error).code) from error
                refused = token
                continue
            if not self._closed.is_set():
                raise TryLater("the event bus ended the stream", delay=1.0)

    def may_follow(self, topic: str) -> bool:
        """Tell whether this user may follow a topic, without following it.

        Raises:
            TryLater: the event bus does not answer.
            Misconfigured: there is no such topic, or we are not let in.
        """
        try:
            told = self._stub().GetTopic(
                messages.TopicRequest(topic_name=topic),
                metadata=self._metadata(self._gateway.token(None)),
                timeout=self._connection.call_timeout,
            )
        except grpc.RpcError as error:
            raise translate(error) from error
        return bool(told.can_subscribe)

    def close(self) -> None:
        """See ``ChangeEvents.close``."""
        with self._lock:
            self._closed.set()
            calls, channel = list(self._calls), self._channel
        for call in calls:
            call.cancel()
        if channel is not None:
            channel.close()

    def _stream(self, first: messages.FetchRequest, token: Token) -> Iterator[Delivery]:
        metadata = self._metadata(token)
        stub = self._stub()
        request = messages.FetchRequest()
        request.CopyFrom(first)
        window = Window(request, self._connection.window)
        with self._under_way(stub.Subscribe(window.requests(), metadata=metadata), window) as call:
            silence = Silence(call, self._connection.silence)
            try:
                for answer in silence.answers():
                    events = tuple(self._read(one.event, stub, metadata) for one in answer.events)
                    place = answer.events[-1].replay_id if answer.events else answer.latest_replay_id
                    yield Delivery(events, place.hex())
                    window.dealt_with(len(events))
            except grpc.RpcError as error:
                if silence.broken and not self._closed.is_set():
                    raise TryLater("the event bus is silent", delay=1.0) from error
                raise

    def _read(self, event: messages.ProducerEvent, stub: PubSubStub, metadata: Any) -> ChangeEvent:
        """Read one event; one that cannot be read stands for anything, so that its stream goes on."""

        def fetch(schema_id: str) -> str:
            wanted = messages.SchemaRequest(schema_id=schema_id)
            try:
                answer = stub.GetSchema(wanted, metadata=metadata, timeout=self._connection.call_timeout)
            except grpc.RpcError as error:
                if is_unknown(error):
                    raise ValueError(f"there is no schema {schema_id}") from error
                raise
            return str(answer.schema_json)

        try:
            return read_event(self._schemas.get(event.schema_id, fetch), event.payload)
        except ValueError:
            return UNREADABLE

    @contextmanager
    def _under_way(self, call: Any, window: Window) -> Iterator[Any]:
        with self._lock:
            self._calls.add(call)
            closed = self._closed.is_set()
        if closed:
            call.cancel()
        try:
            yield call
        finally:
            window.close()
            call.cancel()
            with self._lock:
                self._calls.discard(call)

    def _stub(self) -> PubSubStub:
        with self._lock:
            if self._closed.is_set():
                raise TryLater("the event bus client is closed", delay=1.0)
            if self._channel is None:
                self._channel = _channel(self._connection)
            return PubSubStub(self._channel)  # type: ignore[no-untyped-call]  # generated

    def _metadata(self, token: Token) -> tuple[tuple[str, str], ...]:
        if not self._tenant:
            self._tenant = self._org_id()
        return (
            ("accesstoken", token.access_token),
            ("instanceurl", token.instance_url),
            ("tenantid", self._tenant),
        )

    def _org_id(self) -> str:
        soql = quote("SELECT Id FROM Organization", safe="")
        answer = self._gateway.ask(Call("GET", f"query?q={soql}", repeatable=True), lane=Lane.LIVE)
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        try:
            return str(answer.body["records"][0]["Id"])
        except (TypeError, KeyError, IndexError) as error:
            raise TryLater("Salesforce did not say which org this is", delay=30) from error


def _first(topic: str, after: str, *, oldest: bool = False) -> messages.FetchRequest:
    """The first request of a stream.

    Raises:
        Stale: the place is none of ours.
    """
    if not after:
        preset = messages.ReplayPreset.EARLIEST if oldest else messages.ReplayPreset.LATEST
        return messages.FetchRequest(topic_name=topic, replay_preset=preset)
    try:
        place = bytes.fromhex(after)
    except ValueError as error:
        raise Stale("the stored place in the event stream cannot be read", code="place") from error
    return messages.FetchRequest(topic_name=topic, replay_preset=messages.ReplayPreset.CUSTOM, replay_id=place)


def _channel(connection: EventBusConnection) -> grpc.Channel:
    try:
        roots = Path(connection.ca_file).read_bytes() if connection.ca_file else None
    except OSError as error:
        raise Misconfigured(f"the certificate file cannot be read: {error}", code="ca_file") from error
    options = [
        ("grpc.max_receive_message_length", _LARGEST_ANSWER),
        ("grpc.keepalive_time_ms", int(connection.ping * 1000)),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.max_reconnect_backoff_ms", 5_000),
    ]
    return grpc.secure_channel(connection.address, grpc.ssl_channel_credentials(roots), options)
