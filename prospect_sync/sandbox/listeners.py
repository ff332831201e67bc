"""Sockets, TLS servers and open connections: what uvicorn has to be told to serve several orgs in one process."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from prospect_sync.sandbox.tls import TlsFiles

HOST = "127.0.0.1"


class PortTakenError(Exception):
    """A port that cannot be listened on; the text is a sentence."""


class Transports:
    """Every open connection by its two addresses, so that a fault can cut it."""

    def __init__(self) -> None:
        self._open: dict[tuple[Any, Any], H11Protocol] = {}

    def opened(self, connection: H11Protocol) -> None:
        self._open[connection.client, connection.server] = connection

    def closed(self, connection: H11Protocol) -> None:
        self._open.pop((connection.client, connection.server), None)

    def drop(self, scope: Scope) -> None:
        """Cut the connection of a request; the loop closes it once the request's handling has returned."""
        connection = self._open.get((scope["client"], scope["server"]))
        if connection is None:
            raise ConnectionResetError("dropped by a fault")
        if connection.cycle is not None:
            # Told now, the server does not answer in our place.
            connection.cycle.disconnected = True
        connection.transport.abort()


class TlsServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process, which has several servers."""
        yield


def tls_server(app: ASGIApp, tls: TlsFiles, transports: Transports) -> TlsServer:
    class Connection(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            transports.opened(self)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.closed(self)
            super().connection_lost(exc)

    return TlsServer(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=1,
            ssl_certfile=tls.certificate_file,
            ssl_keyfile=tls.key_file,
            ssl_version=ssl.PROTOCOL_TLS_SERVER,
        )
    )


def listen_for_grpc(server: Any, port: int, tls: TlsFiles) -> int:
    """Give a gRPC server its TLS port, any free one for 0; answers which. It takes no socket that is bound already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Tried first without gRPC, which would write lines of its own to standard error.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(probe, port)
    pair = (tls.key_file.read_bytes(), tls.certificate_file.read_bytes())
    try:
        return int(server.add_secure_port(f"{HOST}:{port}", grpc.ssl_server_credentials([pair])))
    except RuntimeError as error:
        raise PortTakenError(f"Port {port} cannot be used: {error}.") from error


@contextlib.contextmanager
def listening(first_port: int, names: Sequence[str]) -> Iterator[dict[str, socket.socket]]:
    """Sockets bound to consecutive ports, or to any free ones."""
    with contextlib.ExitStack() as stack:
        sockets = {}
        for place, name in enumerate(names):
            # The protocol is named because asyncio turns off Nagle's delay (40 ms an answer) only where it is.
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = first_port + place if first_port else 0
            _bind(sock, port)
            sock.listen(1024)
            sockets[name] = sock
        yield sockets


def _bind(sock: socket.socket, port: int) -> None:
    try:
        sock.bind((HOST, port))
    except (OSError, OverflowError) as error:
        raise PortTakenError(f"Port {port} cannot be used: {error}.") from error
