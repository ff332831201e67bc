"""The sandbox as a process, one for each file of this folder, and the adapters connected to it over TLS."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from prospect_sync.account_engagement.client import AccountEngagementClient
from prospect_sync.account_engagement.connection import AccountEngagementConnection
from prospect_sync.errors import LeaseLost
from prospect_sync.memory import Token
from prospect_sync.salesforce.connection import SalesforceConnection
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.sandbox.admin_client import AdminClient
from prospect_sync.stores.memory import HandClock, MemoryBudget, MemoryTokens


@dataclass(frozen=True)
class RunningSandbox:
    contract: dict[str, Any]
    admin: AdminClient

    def token(self, user: str) -> Token:
        return Token(self.contract["users"][user]["account_engagement_token"], self.contract["salesforce_url"])

    def contract_user(self, name: str) -> str:
        """A user's Salesforce id."""
        found = self.admin.dump("User")["salesforce"]["records"]["User"]
        return next(str(user["Id"]) for user in found if user["Alias"] == name[:8])

    def calls(self, org: str) -> list[dict[str, Any]]:
        return self.admin.calls(org=org)


@dataclass
class Patience:
    """A deadline that allows so many calls, and then has lost the lease."""

    calls: int = 10**6
    asked: list[float] = field(default_factory=list)

    def allow(self, seconds: float) -> float:
        self.asked.append(seconds)
        if len(self.asked) > self.calls:
            raise LeaseLost("the lease ran out")
        return min(seconds, 20.0)


@pytest.fixture(scope="module")
def _process() -> Iterator[RunningSandbox]:
    process = subprocess.Popen(
        [sys.executable, "-m", "prospect_sync.sandbox", "--pairs", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        contract = json.loads(process.stdout.readline())
        with AdminClient(contract["admin_url"], contract["ca_file"]) as admin:
            yield RunningSandbox(contract, admin)
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def sandbox(_process: RunningSandbox) -> Iterator[RunningSandbox]:
    """The process with a clean log; faults, latency, clocks and limits are put back afterwards."""
    admin = _process.admin
    admin.clear_calls()
    yield _process
    admin.clear_faults()
    admin.latency(0)
    admin.clock(set=None, skew=0)
    admin.configure(
        account_engagement={"lag_seconds": 0, "concurrent_limit": 5, "daily_limit": 100_000, "calls_used": 0,
                            "chain_cap": 100_000, "reformats": [], "refusals": {}},
    )  # fmt: skip


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def budget(clock: HandClock) -> MemoryBudget:
    return MemoryBudget(clock)


@pytest.fixture
def patience() -> type[Patience]:
    return Patience


_numbers = itertools.count(1)


@pytest.fixture
def number() -> int:
    """A number no other test has, to build ids from."""
    return next(_numbers) * 10_000


@pytest.fixture
def engagement(
    sandbox: RunningSandbox, budget: MemoryBudget, clock: HandClock
) -> Iterator[Callable[..., AccountEngagementClient]]:
    """Makes a client; ``tokens`` are given one after the other, the last one for ever."""

    def make(*tokens: Token, base_url: str = "", **settings: Any) -> AccountEngagementClient:
        given = list(tokens) or [sandbox.token("connector")]

        def source(refused: Token | None) -> Token:
            while refused in given[:-1]:
                given.pop(0)
            return given[0]

        contract = sandbox.contract
        connection = AccountEngagementConnection(
            base_url or contract["account_engagement_url"],
            settings.pop("business_unit_id", contract["business_unit_id"]),
            ca_file=settings.pop("ca_file", contract["ca_file"]),
            **settings,
        )
        made.append(AccountEngagementClient(connection, source, budget, clock))
        return made[-1]

    made: list[AccountEngagementClient] = []
    yield make
    for one in made:
        one.close()


@pytest.fixture
def salesforce(
    sandbox: RunningSandbox, budget: MemoryBudget, clock: HandClock
) -> Iterator[Callable[..., SalesforceGateway]]:
    """Makes a gateway that logs in by client credentials, unless told otherwise."""

    def make(tokens: MemoryTokens | None = None, **settings: Any) -> SalesforceGateway:
        contract = sandbox.contract
        chosen = {
            "login_url": contract["salesforce_url"],
            "client_id": contract["client_id"],
            "client_secret": contract["client_secret"],
            "ca_file": contract["ca_file"],
            **settings,
        }
        made.append(SalesforceGateway(SalesforceConnection(**chosen), tokens or MemoryTokens(), budget, clock))
        return made[-1]

    made: list[SalesforceGateway] = []
    yield make
    for one in made:
        one.close()


@pytest.fixture
def jwt_key(sandbox: RunningSandbox) -> str:
    return Path(sandbox.contract["jwt_private_key_file"]).read_text()
