"""Looks at one business unit for ``doctor``: whether we get in, what time it is there, who else seems to sync it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from prospect_sync import wire
from prospect_sync.account_engagement import errors
from prospect_sync.account_engagement.client import AccountEngagementClient, Answer, Call
from prospect_sync.account_engagement.reading import content
from prospect_sync.errors import Misconfigured, Rejected
from prospect_sync.model import Lane, to_second

_USERS = "/api/v5/objects/users"
_NEWEST = {"orderBy": "updatedAt DESC", "limit": "200"}


@dataclass(frozen=True, slots=True)
class AccountEngagementCheckup:
    """See ``prospect_sync.ports.AccountEngagementLook``."""

    client: AccountEngagementClient

    def clock(self) -> timedelta:
        """See the port."""
        before = self.client.now()
        answer = self._ask({"fields": "id", "limit": "1"})
        return answer.asked_at(before) - to_second(before)

    def unreadable(self, fields: Collection[str]) -> dict[str, str]:
        """See the port."""
        refused: dict[str, str] = {}
        left = list(fields)
        while left:
            call = Call("GET", parameters={"fields": ",".join(["id", *left]), "limit": "1"}, fields=left)
            answer = self.client.ask(call, lane=Lane.LIVE)
            error = answer.error
            if error is None:
                return refused
            named = error.fields if isinstance(error, Misconfigured | Rejected) else ()
            if not named:
                raise errors.for_reading(error)
            refused.update(dict.fromkeys(named, error.words))
            left = [name for name in left if name not in named]
        return refused

    def salesforce_user(self, user_id: int | str) -> str | None:
        """See the port."""
        call = Call("GET", f"/{user_id}", {"fields": "id,salesforceId"}, root=_USERS, repeatable=True)
        answer = self.client.ask(call, lane=Lane.LIVE)
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        found = answer.body.get("salesforceId") if isinstance(answer.body, dict) else None
        return found if isinstance(found, str) else None

    def native_syncs(self) -> tuple[datetime, ...]:
        """See the port."""
        rows, _ = content(self._ask({"fields": "id,salesforceLastSync", **_NEWEST}).body)
        try:
            found = [wire.instant(row.get("salesforceLastSync")) for row in rows if isinstance(row, dict)]
        except ValueError:
            return ()
        return tuple(sorted(at for at in found if at is not None))

    def _ask(self, parameters: dict[str, str]) -> Answer:
        answer = self.client.ask(Call("GET", parameters=parameters, repeatable=True), lane=Lane.LIVE)
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        return answer
