"""The pretend Salesforce org as the sandbox uses it: load and dump, edits by hand, settings, and its web API."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.applications import Starlette

from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import OrgError, refusal
from prospect_sync.sandbox.salesforce.events import ChangeEvents, serve_events
from prospect_sync.sandbox.salesforce.lifecycle import Lifecycle
from prospect_sync.sandbox.salesforce.loading import Loading
from prospect_sync.sandbox.salesforce.metadata import Metadata
from prospect_sync.sandbox.salesforce.records import Change, Records, Writer
from prospect_sync.sandbox.salesforce.schema import Schema
from prospect_sync.sandbox.salesforce.standard_objects import standard_objects
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import Storage
from prospect_sync.sandbox.salesforce.usage import Usage
from prospect_sync.sandbox.salesforce.web.api import Api
from prospect_sync.sandbox.salesforce.web.app import Door
from prospect_sync.sandbox.salesforce.web.oauth import TokenEndpoint
from prospect_sync.sandbox.users import OAuthClient, OrgUser, Tokens

_BY_HAND = "com/salesforce/api/rest/67.0;client=SfdcInternalAPI/"
"""How the user interface names itself in change events."""


class SalesforceOrg:
    """One org in memory."""

    def __init__(
        self,
        clock: OrgClock,
        *,
        users: Sequence[OrgUser],
        tokens: Tokens | None = None,
        oauth: OAuthClient | None = None,
        base_url: str = "",
    ) -> None:
        self.base_url = base_url
        self._users = {user.name: user for user in users}
        self._tokens = tokens or Tokens(users)
        self._state = OrgState(Schema(standard_objects()), Storage(), clock)
        self._access = Access(self._state)
        self._records = Records(self._state, self._access)
        self._lifecycle = Lifecycle(self._state, self._records)
        self._loading = Loading(self._state, self._records)
        self._metadata = Metadata(self._state)
        self._usage = Usage(self._state)
        self.events = ChangeEvents(self._state, self._access)
        by_username = {user.username: user for user in users}
        self._oauth = TokenEndpoint(oauth, by_username, self._tokens, clock)
        self._api = Api(self._state, self._access, self._records, self._usage)
        self._loading.create_tables(users)
        self._changed()

    def app(self) -> Starlette:
        """The web API in the vendor's wire format."""
        door = Door(
            self._state, self._records, self._api, self._usage, self._oauth, self._tokens, lambda: self.base_url,
            self.events.committed,
        )  # fmt: skip
        return door.app()

    def load(self, data: Mapping[str, Any]) -> None:
        """Add custom fields, records and history rows as they are, without checks of what users may save."""
        with self._state.lock:
            self._loading.load(data)
            self._changed()

    def dump(self) -> dict[str, Any]:
        """Everything that `load` takes, deleted records included."""
        with self._state.lock:
            return self._loading.dump()

    def ui_edit(
        self,
        user: str,
        object_name: str,
        record_id: str | None,
        changes: Mapping[str, Any],
        action: str = "update",
    ) -> str:
        """Save as a person in the user interface: no API call, but checks, stamps and history like any save.

        `action` is create, update, delete, undelete, merge (`changes` has `losers`) or convert; returns the
        record's id, for convert the contact's. Raises OrgError with the body that the API would answer.
        """
        with self._state.lock:
            self._records.committed.clear()
            with self._state.storage.transaction():
                writer = Writer(self._users[user], origin=_BY_HAND)
                ident = self._edit(writer, object_name, record_id or "", changes, action)
            self.events.committed(self._records.committed)
            return ident

    def event_server(self) -> Any:
        """The Pub/Sub API as a gRPC server of the running event loop."""
        return serve_events(self.events, self._tokens, lambda: self.base_url)

    def committed(self) -> list[Change]:
        """What the last call or edit wrote."""
        return list(self._records.committed)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Replace the given settings; `api_used` sets the calls of the last 24 hours."""
        given = dict(settings)
        used = given.pop("api_used", None)
        with self._state.lock:
            self._state.settings = self._state.settings.changed(given)
            if used is not None:
                self._usage.set(int(used))
            self._changed()
            if "events" in given:
                self.events.settings_changed()

    def _edit(self, writer: Writer, object_name: str, record_id: str, changes: Mapping[str, Any], action: str) -> str:
        kind = self._access.find(object_name)
        if kind is None or kind.virtual:
            raise refusal("INVALID_TYPE", f"sObject type '{object_name}' is not supported.")
        match action:
            case "create":
                return self._records.create(writer, kind, changes)
            case "update":
                self._records.update(writer, kind, record_id, changes)
            case "delete":
                self._records.delete(writer, kind, record_id)
            case "undelete":
                self._records.undelete(writer, kind, record_id)
            case "merge":
                return self._lifecycle.merge(writer, kind, record_id, changes)
            case "convert" if kind.name == "Lead":
                return self._lifecycle.convert(writer, record_id, changes)
            case _:
                raise ValueError(f"{object_name} knows no action {action!r}")
        return record_id

    def _changed(self) -> None:
        self._access.forget()
        self._metadata.refresh()
        self._state.described_at = self._state.now()


__all__ = ["OrgError", "SalesforceOrg"]
