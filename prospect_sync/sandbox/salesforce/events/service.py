"""The Pub/Sub API over gRPC in the sandbox's event loop: credentials, calls, and one task that reads each stream.

Every refusal ends its call with the vendor's status and trailers. What is not built answers UNIMPLEMENTED.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from prospect_sync.eventbus import pubsub_api_pb2 as messages
from prospect_sync.eventbus import pubsub_api_pb2_grpc as stubs
from prospect_sync.sandbox.salesforce.events import refusals
from prospect_sync.sandbox.salesforce.events.bus import ChangeEvents
from prospect_sync.sandbox.salesforce.events.refusals import Refused
from prospect_sync.sandbox.salesforce.events.stream import Subscription
from prospect_sync.sandbox.salesforce.ids import ORG_ID
from prospect_sync.sandbox.users import OrgUser, Tokens


class PubSub(stubs.PubSubServicer):
    """The service of one org; `instance_url` is where its web API is."""

    def __init__(self, bus: ChangeEvents, tokens: Tokens, instance_url: Callable[[], str]) -> None:
        self._bus = bus
        self._tokens = tokens
        self._instance_url = instance_url

    async def Subscribe(self, requests: Any, context: Any) -> AsyncIterator[messages.FetchResponse]:  # noqa: N802 - the contract's name
        try:
            self._caller(context)
            first = await anext(aiter(requests), None)
            if first is None:
                return
            async for response in self._stream(first, requests, context):
                yield response
        except Refused as refused:
            await _refuse(context, refused)

    async def GetTopic(self, request: messages.TopicRequest, context: Any) -> messages.TopicInfo:  # noqa: N802 - as above
        try:
            self._caller(context)
            if not request.topic_name:
                raise refusals.topic_empty()
            name = self._bus.topic_object(request.topic_name)
            if name is None:
                raise refusals.topic_not_found(ORG_ID, request.topic_name)
        except Refused as refused:
            await _refuse(context, refused)
            raise
        return messages.TopicInfo(
            topic_name=request.topic_name,
            tenant_guid=f"core/sandbox/{ORG_ID}",
            can_publish=False,
            can_subscribe=True,
            schema_id=self._bus.current_schema(name).id,
            rpc_id=str(uuid.uuid4()),
        )

    async def GetSchema(self, request: messages.SchemaRequest, context: Any) -> messages.SchemaInfo:  # noqa: N802 - as above
        try:
            self._caller(context)
            if not request.schema_id:
                raise refusals.schema_empty()
            schema = self._bus.schema(request.schema_id)
            if schema is None:
                raise refusals.schema_not_found(request.schema_id)
        except Refused as refused:
            await _refuse(context, refused)
            raise
        return messages.SchemaInfo(schema_json=schema.json, schema_id=schema.id, rpc_id=str(uuid.uuid4()))

    async def Publish(self, _request: Any, context: Any) -> messages.PublishResponse:  # noqa: N802 - as above
        await _refuse(context, refusals.unsupported("Publish"))
        return messages.PublishResponse()

    async def PublishStream(self, _requests: Any, context: Any) -> None:  # noqa: N802 - as above
        await _refuse(context, refusals.unsupported("PublishStream"))

    async def ManagedSubscribe(self, _requests: Any, context: Any) -> None:  # noqa: N802 - as above
        await _refuse(context, refusals.unsupported("ManagedSubscribe"))

    async def _stream(
        self, first: messages.FetchRequest, requests: Any, context: Any
    ) -> AsyncIterator[messages.FetchResponse]:
        stream = Subscription(self._bus, self._caller(context), first)
        call = _Call(stream, requests)
        self._bus.listen(stream.key, call.wake)
        try:
            while True:
                call.woken.clear()
                self._caller(context)
                stream.check()
                call.check()
                if call.ended or stream.starved:
                    return
                response, patience = stream.next()
                if response is None:
                    await call.wait(patience)
                else:
                    yield response
        finally:
            self._bus.forget(stream.key)
            call.close()

    def _caller(self, context: Any) -> OrgUser:
        if self._bus.down:
            raise refusals.unavailable()
        given = {str(name): value for name, value in context.invocation_metadata() or ()}
        for name in ("accesstoken", "instanceurl", "tenantid"):
            if not given.get(name):
                raise refusals.no_credentials(name)
        user = self._tokens.user_of(str(given["accesstoken"]))
        at_home = str(given["instanceurl"]).rstrip("/") == self._instance_url()
        if user is None or not at_home or given["tenantid"] != ORG_ID:
            raise refusals.not_authenticated()
        return user


class _Call:
    """The client's half of a stream: its further requests, read as they come."""

    def __init__(self, stream: Subscription, requests: Any) -> None:
        self.woken = asyncio.Event()
        self.ended = False
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._refused: Refused | None = None
        self._reader = asyncio.create_task(self._read(requests))

    def wake(self) -> None:
        """From any thread."""
        if not self.woken.is_set():
            self._loop.call_soon_threadsafe(self.woken.set)

    def check(self) -> None:
        if self._refused is not None:
            raise self._refused

    async def wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.woken.wait(), seconds)
        except TimeoutError:
            return

    def close(self) -> None:
        self._reader.cancel()

    async def _read(self, requests: Any) -> None:
        try:
            async for request in requests:
                self._stream.asked(request)
                self.woken.set()
        except Refused as refused:
            self._refused = refused
        finally:
            self.ended = True
            self.woken.set()


async def _refuse(context: Any, refused: Refused) -> None:
    await context.abort(refused.status, refused.words, refused.trailers)


def serve_events(bus: ChangeEvents, tokens: Tokens, instance_url: Callable[[], str]) -> Any:
    """A gRPC server of the event loop that runs; ports are the caller's affair."""
    # A port that somebody has is refused, not shared.
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 4 << 20)))
    stubs.add_PubSubServicer_to_server(PubSub(bus, tokens, instance_url), server)  # type: ignore[no-untyped-call]
    return server
