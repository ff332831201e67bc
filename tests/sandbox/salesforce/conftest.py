"""A Salesforce org in this process with a frozen clock, and a client that calls its app without a socket."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.salesforce import SalesforceOrg
from prospect_sync.sandbox.users import Tokens, id18, sandbox_users

USERS = {user.name: user for user in sandbox_users()}
ROOT = "/services/data/v67.0"
NOW = "2026-11-23T10:00:00.000+0000"
CONNECTOR = "0055g00000Sbx01AAB"
SALES = "0055g00000Sbx02AAB"


def lead_id(number: int) -> str:
    return id18(f"00Q5g00000{number:05d}")


class Client:
    """Calls the org as one user; paths are relative to the version unless they begin with a slash."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop, user: str = "connector") -> None:
        self.app = app
        self._loop = loop
        self.log: dict[str, Any] = {}
        self._headers = {"Authorization": f"Bearer {USERS[user].salesforce_token}"}

    def act_as(self, user: str) -> "Client":
        return Client(self.app, self._loop, user)

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async def logged(scope: Any, receive: Any, send: Any) -> None:
                self.log = {}
                scope.setdefault("state", {})["log"] = self.log
                await self.app(scope, receive, send)

            async with httpx.AsyncClient(transport=httpx.ASGITransport(logged), base_url="https://org") as client:
                url = path if path.startswith("/") else f"{ROOT}/{path}"
                return await client.request(method, url, headers=self._headers | (headers or {}), **more)

        return self._loop.run_until_complete(send())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)

    def query(self, text: str, **more: Any) -> Any:
        return self.get("query", params={"q": text}, **more).json()

    def rows(self, text: str, resource: str = "query") -> list[dict[str, Any]]:
        """The records of a query without their attributes."""
        answer = self.get(resource, params={"q": text})
        assert answer.status_code == 200, answer.text
        return [{key: value for key, value in row.items() if key != "attributes"} for row in answer.json()["records"]]


@dataclass
class Org:
    """The org, its clock, and the connector's client."""

    org: SalesforceOrg
    clock: OrgClock
    client: Client


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def made(loop: asyncio.AbstractEventLoop) -> Org:
    clock = OrgClock()
    clock.set(datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC))
    org = SalesforceOrg(clock, users=tuple(USERS.values()), tokens=Tokens(USERS.values()), base_url="https://org")
    return Org(org, clock, Client(org.app(), loop))


@pytest.fixture
def org(made: Org) -> SalesforceOrg:
    return made.org


@pytest.fixture
def clock(made: Org) -> OrgClock:
    return made.clock


@pytest.fixture
def client(made: Org) -> Client:
    return made.client


@pytest.fixture
def lead(org: SalesforceOrg) -> str:
    """One lead, made by sales an hour ago."""
    org.load(
        {
            "records": {
                "Lead": [
                    {
                        "Id": lead_id(1), "FirstName": "Ada", "LastName": "Byron", "Company": "Engines", "Title": "Countess",
                        "Email": "ada@engines.example", "OwnerId": SALES, "CreatedById": SALES,
                        "CreatedDate": "2026-11-23T09:00:00Z",
                    }
                ]
            }
        }
    )  # fmt: skip
    return lead_id(1)
