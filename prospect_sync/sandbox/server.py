"""The process: both orgs and the admin address, each on its own TLS port of 127.0.0.1, until a signal comes.

Puts the parts together; decides nothing about what an org answers.
"""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Scope

from prospect_sync.sandbox.account_engagement import AccountEngagementOrg
from prospect_sync.sandbox.admin import ACCOUNT_ENGAGEMENT, SALESFORCE, Admin
from prospect_sync.sandbox.call_log import CallLog, Recorded
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.faults import Faults, Faulty
from prospect_sync.sandbox.listeners import (
    HOST,
    PortTakenError,
    TlsServer,
    Transports,
    listen_for_grpc,
    listening,
    tls_server,
)
from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.salesforce import SalesforceOrg
from prospect_sync.sandbox.seed import seeded_pairs
from prospect_sync.sandbox.tls import TlsFiles, make_tls
from prospect_sync.sandbox.users import BUSINESS_UNIT_ID, OAuthClient, OrgUser, Tokens, sandbox_users

_HTTP_PORTS = (SALESFORCE, ACCOUNT_ENGAGEMENT, "admin")  # that of the event bus follows
_GRACE_SECONDS = 0.5


class CannotStartError(Exception):
    """Why the sandbox does not start, in one sentence."""


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What the command line decides. `port` is the first of four; 0 takes any free ones."""

    pairs: int = 100
    seed: int = 0
    data: Path | None = None
    latency_ms: float = 0
    ae_lag_seconds: float = 0
    port: int = 0
    call_log_rows: int = 200_000


class Sandbox:
    """Two orgs with their clocks, users, call log and faults; serves them when told."""

    def __init__(self, options: SandboxOptions, tls: TlsFiles) -> None:
        self._tls = tls
        self.users = sandbox_users()
        self.tokens = Tokens(self.users)
        self.oauth = OAuthClient(
            client_id="3MVG9sandboxConnectedApp",
            client_secret="sandbox-secret",  # noqa: S106 - of a pretend org
            username=self.users[0].username,
            public_key_pem=tls.jwt_public_pem,
        )
        self.clocks = {SALESFORCE: OrgClock(), ACCOUNT_ENGAGEMENT: OrgClock()}
        self.salesforce = SalesforceOrg(self.clocks[SALESFORCE], users=self.users, tokens=self.tokens, oauth=self.oauth)
        self.account_engagement = AccountEngagementOrg(
            self.clocks[ACCOUNT_ENGAGEMENT], users=self.users, tokens=self.tokens
        )
        self.log = CallLog(options.call_log_rows)
        self.account_engagement.journal = self._note_later
        self.faults = Faults(options.seed)
        self.admin = Admin(
            salesforce=self.salesforce,
            account_engagement=self.account_engagement,
            clocks=self.clocks,
            tokens=self.tokens,
            log=self.log,
            faults=self.faults,
        )
        self._fill(options)

    def apps(self, drop: Callable[[Scope], None]) -> dict[str, ASGIApp]:
        """The three ASGI applications by name, complete with log and faults."""
        salesforce = Faulty(self.salesforce.app(), SALESFORCE, self.faults, drop)
        engagement = Faulty(
            self.account_engagement.app(), ACCOUNT_ENGAGEMENT, self.faults, drop, self.account_engagement.limits
        )
        return {
            SALESFORCE: self._recorded(salesforce, SALESFORCE),
            ACCOUNT_ENGAGEMENT: self._recorded(engagement, ACCOUNT_ENGAGEMENT),
            "admin": self.admin.app(),
        }

    def contract(self, ports: Mapping[str, int]) -> dict[str, Any]:
        """The line of JSON that a client starts from."""
        return {
            "salesforce_url": f"https://{HOST}:{ports[SALESFORCE]}",
            "account_engagement_url": f"https://{HOST}:{ports[ACCOUNT_ENGAGEMENT]}",
            "pubsub_address": f"{HOST}:{ports['pubsub']}",
            "ca_file": str(self._tls.ca_file),
            "business_unit_id": BUSINESS_UNIT_ID,
            "admin_url": f"https://{HOST}:{ports['admin']}",
            "users": {user.name: _user_line(user) for user in self.users},
            "client_id": self.oauth.client_id,
            "client_secret": self.oauth.client_secret,
            "jwt_private_key_file": str(self._tls.jwt_key_file),
            "username": self.oauth.username,
        }

    def tell_urls(self, contract: Mapping[str, Any]) -> None:
        self.salesforce.base_url = contract["salesforce_url"]
        self.account_engagement.base_url = contract["account_engagement_url"]
        self.admin.contract = dict(contract)

    def _note_later(self, facts: dict[str, Any]) -> None:
        at = self.clocks[ACCOUNT_ENGAGEMENT].now().isoformat(timespec="milliseconds")
        self.log.note(ACCOUNT_ENGAGEMENT, facts, at)

    def _recorded(self, app: ASGIApp, org: str) -> ASGIApp:
        return Recorded(app, org, self.clocks[org], self.tokens, self.log)

    def _fill(self, options: SandboxOptions) -> None:
        for org in (SALESFORCE, ACCOUNT_ENGAGEMENT):
            self.faults.set_latency(org, options.latency_ms)
        self.account_engagement.configure({"lag_seconds": options.ae_lag_seconds})
        if options.data is not None:
            self.admin.load(_read(options.data))
        for salesforce, engagement in seeded_pairs(
            options.pairs, options.seed, self.clocks[SALESFORCE].now(), self.users
        ):
            self.salesforce.load(salesforce)
            self.account_engagement.load(engagement)


def run(options: SandboxOptions) -> None:
    """Serve until SIGTERM or SIGINT; the first line on standard output says where.

    Raises:
        CannotStartError: a port is taken, or the data cannot be read.
    """
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="prospect-sync-sandbox-"))
        try:
            sockets = stack.enter_context(listening(options.port, _HTTP_PORTS))
            tls = make_tls(Path(directory), OrgClock().now())
            bus_port = options.port and options.port + len(_HTTP_PORTS)
            asyncio.run(_serve(_loaded(options, tls), tls, sockets, bus_port))
        except PortTakenError as error:
            raise CannotStartError(str(error)) from error


def _loaded(options: SandboxOptions, tls: TlsFiles) -> Sandbox:
    try:
        return Sandbox(options, tls)
    except OrgError as error:
        raise CannotStartError(f"The data cannot be loaded: {json.dumps(error.body)}") from error
    except ValueError as error:
        raise CannotStartError(f"The data cannot be loaded: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CannotStartError(f"The data are not in the shape of a dump: {error!r}") from error


async def _serve(sandbox: Sandbox, tls: TlsFiles, sockets: Mapping[str, socket.socket], bus_port: int) -> None:
    bus = sandbox.salesforce.event_server()
    ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
    contract = sandbox.contract(ports | {"pubsub": listen_for_grpc(bus, bus_port, tls)})
    sandbox.tell_urls(contract)
    transports = Transports()
    servers = {name: tls_server(app, tls, transports) for name, app in sandbox.apps(transports.drop).items()}
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, servers)
    await bus.start()
    tasks = [asyncio.create_task(server.serve(sockets=[sockets[name]])) for name, server in servers.items()]
    await asyncio.gather(*(server.ready.wait() for server in servers.values()))
    sys.stdout.write(json.dumps(contract) + "\n")
    sys.stdout.flush()
    await asyncio.gather(*tasks)
    sandbox.salesforce.events.close()
    await bus.stop(_GRACE_SECONDS)


def _stop(servers: Mapping[str, TlsServer]) -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    for server in servers.values():
        server.should_exit = True


def _read(path: Path) -> Mapping[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            data = json.load(file)
    except OSError as error:
        raise CannotStartError(f"The file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CannotStartError(f"The file {path} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise CannotStartError(f"The file {path} does not hold a JSON object.")
    return data


def _user_line(user: OrgUser) -> dict[str, Any]:
    return {
        "salesforce_token": user.salesforce_token,
        "account_engagement_token": user.account_engagement_token,
        "salesforce_user_id": user.salesforce_id,
        "account_engagement_user_id": user.account_engagement_id,
        "username": user.username,
    }
