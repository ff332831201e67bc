"""The parts of one business unit, as its API and its admin side share them."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from prospect_sync.sandbox.account_engagement.edits import Committed, EditRules, ProspectEdits
from prospect_sync.sandbox.account_engagement.exports import Exports
from prospect_sync.sandbox.account_engagement.fields import ProspectFields
from prospect_sync.sandbox.account_engagement.imports import Imports
from prospect_sync.sandbox.account_engagement.limits import CallLimits
from prospect_sync.sandbox.account_engagement.query import PageTokens
from prospect_sync.sandbox.account_engagement.store import ProspectStore
from prospect_sync.sandbox.account_engagement.values import shown
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.users import OrgUser, Tokens


class BusinessUnit:
    """Fields, prospects, users and limits of one business unit."""

    def __init__(
        self, clock: OrgClock, *, users: Sequence[OrgUser], tokens: Tokens, business_unit_id: str, base_url: str
    ) -> None:
        self.clock = clock
        self.users = {user.name: user for user in users}
        self.tokens = tokens
        self.id = business_unit_id
        self.base_url = base_url
        self.fields = ProspectFields()
        self.store = ProspectStore([field.name for field in self.fields], clock.elapsed)
        self.rules = EditRules()
        self.edits = ProspectEdits(self.store, self.fields, clock, users, self.rules)
        self.limits = CallLimits(clock)
        self.page_tokens = PageTokens(secrets.token_bytes(16))
        self.chain_cap = 100_000
        self.imports = Imports(self.store, self.fields, self.edits, clock, self.limits)
        self.exports = Exports(self.store, self.fields, clock, self.limits)
        self.journal: Callable[[dict[str, Any]], None] = _forget

    @property
    def zone(self) -> tzinfo:
        """The account's time zone: of shown instants, and of the day that the daily limit counts."""
        return self.limits.zone

    def catch_up(self) -> None:
        """Let imports and exports do what is due by now; what imports wrote goes to the journal."""
        for one, written in self.imports.catch_up():
            self.journal(
                {
                    "user": one.user.name,
                    "operation": "import.apply",
                    "path": f"/api/v5/imports/{one.id}",
                    "records": len(written),
                    "committed": [self.described(committed) for committed in written],
                }
            )
        self.exports.catch_up()

    def define(self, definition: Mapping[str, Any]) -> None:
        """Add a custom field, unless it is there already."""
        field = self.fields.define(definition)
        if field is not None:
            self.store.add_column(field.name)

    def described(self, committed: Committed) -> dict[str, Any]:
        """One committed write as the call log keeps it."""
        changes = {}
        for name, value in committed.changes.items():
            field = self.fields.get(name)
            changes[name] = value if field is None else shown(field, value, self.zone)
        return {
            "object": "Prospect",
            "id": str(committed.prospect_id),
            "action": committed.action,
            "fields": list(changes),
            "changes": changes,
        }


def _forget(_facts: dict[str, Any]) -> None:
    """Nobody keeps a log."""
