"""One business unit in this process, its clock frozen, three prospects in it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from prospect_sync.sandbox.account_engagement import AccountEngagementOrg
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.users import BUSINESS_UNIT_ID, OrgUser, Tokens, sandbox_users

PROSPECTS = "/api/v5/objects/prospects"


class InProcess(httpx.BaseTransport):
    """Runs each request to its end in a loop of its own."""

    def __init__(self, app) -> None:
        self._asgi = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._asgi.handle_async_request(request)
        content = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


@dataclass
class Unit:
    org: AccountEngagementOrg
    clock: OrgClock
    users: dict[str, OrgUser]
    tokens: Tokens
    http: httpx.Client

    def query(self, **parameters: Any) -> dict[str, Any]:
        answer = self.http.get(PROSPECTS, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str = PROSPECTS, **request: Any) -> tuple[int, int]:
        """Status and code of a refusal."""
        answer = self.http.request(method, path, **request)
        body = answer.json()
        assert set(body) == {"code", "message"}
        assert body["message"]
        return answer.status_code, body["code"]

    def patch(self, prospect_id: int, **changes: Any) -> httpx.Response:
        return self.http.patch(f"{PROSPECTS}/{prospect_id}", json=changes)

    def read(self, prospect_id: int, fields: str, **parameters: str) -> dict[str, Any]:
        answer = self.http.get(f"{PROSPECTS}/{prospect_id}", params={"fields": fields, **parameters})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def unit() -> Iterator[Unit]:
    users = sandbox_users()
    tokens = Tokens(users)
    clock = OrgClock()
    clock.set(datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC))
    org = AccountEngagementOrg(clock, users=users, tokens=tokens, base_url="https://ae.example")
    org.load(
        {
            "custom_fields": [
                {"name": "Interests__c", "type": "Multi-Select"},
                {"name": "Budget__c", "type": "Number"},
                {"name": "Renewal__c", "type": "Date"},
                {"name": "Tier__c", "type": "Dropdown"},
            ],
            "campaigns": [{"id": 1, "name": "Website"}, {"id": 2, "name": "Fair"}],
            "prospects": [
                {
                    "id": 11,
                    "email": "ada@x.example",
                    "firstName": "Ada",
                    "jobTitle": "CTO",
                    "employees": "50",
                    "campaignId": 1,
                    "Interests__c": ["Sailing", "Chess"],
                    "createdAt": "2026-01-01T00:00:00Z",
                    "updatedAt": "2026-03-01T09:00:00+01:00",
                    "createdById": 43,
                    "updatedById": 43,
                },
                {
                    "id": 12,
                    "email": "Ben@X.example",
                    "createdAt": "2026-01-02T00:00:00Z",
                    "updatedAt": "2026-02-01T00:00:00Z",
                },
                {"id": 13, "email": "cy@x.example", "createdAt": "2026-01-03T00:00:00Z", "isDeleted": True},
            ],
        }
    )
    headers = {
        "Authorization": f"Bearer {users[0].account_engagement_token}",
        "Pardot-Business-Unit-Id": BUSINESS_UNIT_ID,
    }
    with httpx.Client(transport=InProcess(org.app()), base_url="https://ae.example", headers=headers) as http:
        yield Unit(org, clock, {user.name: user for user in users}, tokens, http)
