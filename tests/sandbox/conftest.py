"""The sandbox as a process, one for all tests of a run, and the parts of it in this process."""

import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from prospect_sync.sandbox.admin_client import AdminClient


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox process: its contract, its admin client, and clients that act as a user."""

    contract: dict[str, Any]
    process: subprocess.Popen[str]
    admin: AdminClient

    def engagement(self, user: str = "connector") -> httpx.Client:
        token = self.contract["users"][user]["account_engagement_token"]
        return self._client(
            self.contract["account_engagement_url"],
            {"Authorization": f"Bearer {token}", "Pardot-Business-Unit-Id": self.contract["business_unit_id"]},
        )

    def salesforce(self, user: str = "connector") -> httpx.Client:
        token = self.contract["users"][user]["salesforce_token"]
        return self._client(self.contract["salesforce_url"], {"Authorization": f"Bearer {token}"})

    def _client(self, url: str, headers: dict[str, str]) -> httpx.Client:
        context = ssl.create_default_context(cafile=self.contract["ca_file"])
        return httpx.Client(base_url=url, verify=context, headers=headers, trust_env=False)


def _start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "prospect_sync.sandbox", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _stop(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """End it as a service manager would; answers exit code and what it still wrote."""
    process.terminate()
    out, errors = process.communicate(timeout=20)
    return process.returncode, out, errors


@pytest.fixture
def launch() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts further sandboxes; those a test leaves running are ended after it."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        started.append(_start(*options))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            _stop(process)


@pytest.fixture(scope="session")
def _sandbox_process() -> Iterator[RunningSandbox]:
    process = _start("--pairs", "30", "--seed", "7")
    try:
        assert process.stdout is not None
        contract = json.loads(process.stdout.readline())
        with AdminClient(contract["admin_url"], contract["ca_file"]) as admin:
            yield RunningSandbox(contract, process, admin)
    finally:
        _stop(process)


@pytest.fixture
def sandbox(_sandbox_process: RunningSandbox) -> Iterator[RunningSandbox]:
    """The process, with a clean log; faults, latency and clocks are put back afterwards."""
    admin = _sandbox_process.admin
    admin.clear_calls()
    yield _sandbox_process
    admin.clear_faults()
    admin.latency(0)
    admin.clock(set=None, skew=0)
    admin.configure(account_engagement={"lag_seconds": 0, "concurrent_limit": 5})
