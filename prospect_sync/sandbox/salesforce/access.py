"""Who may see and edit what: field-level security per user, history objects, and records hidden by sharing.

Answers questions only; those who read and write turn a no into the vendor's refusal.
"""

from collections.abc import Mapping
from typing import Any

from prospect_sync.sandbox.salesforce.errors import no_such_field, not_writable
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.users import OrgUser

_CONNECTOR = "connector"


class Access:
    """The rights of every user, as the settings stand."""

    def __init__(self, state: OrgState) -> None:
        self._state = state
        self._readable: dict[tuple[str, ObjectType], Mapping[str, Field]] = {}

    def forget(self) -> None:
        """Ask the settings anew: they have changed."""
        self._readable.clear()

    def find(self, name: str) -> ObjectType | None:
        """An object that clients can use; a history object only while its parent is tracked at all."""
        kind = self._state.schema.find(name)
        if kind is None or kind.name == "Name":
            return None
        if kind.history_of and self._state.settings.tracks(kind.history_of) is False:
            return None
        return kind

    def fields(self, user: OrgUser, kind: ObjectType) -> Mapping[str, Field]:
        """The fields the user may read, by lower-case name."""
        key = (user.name, kind)
        if key not in self._readable:
            hidden = set(self.unreadable(user, kind.name))
            self._readable[key] = {name: one for name, one in kind.by_name.items() if one.name not in hidden}
        return self._readable[key]

    def unreadable(self, user: OrgUser, object_name: str) -> tuple[str, ...]:
        """Names of the fields that the user must not read."""
        return tuple(name for name, level in self._levels(user, object_name).items() if level == "none")

    def editable(self, user: OrgUser, kind: ObjectType, one: Field) -> bool:
        return self._levels(user, kind.name).get(one.name, "edit") == "edit"

    def _levels(self, user: OrgUser, object_name: str) -> Mapping[str, str]:
        return self._state.settings.field_security.get(user.name, {}).get(object_name, {})

    def hidden(self, user: OrgUser) -> frozenset[str]:
        """Ids of existing records that the user cannot see."""
        return self._state.settings.hidden if user.name == _CONNECTOR else frozenset()

    def incoming(
        self, user: OrgUser, kind: ObjectType, values: Mapping[str, Any], *, creating: bool
    ) -> dict[Field, Any]:
        """The fields that a client wants to write, or a refusal that names those it may not."""
        readable = self.fields(user, kind)
        wanted: dict[Field, Any] = {}
        refused = []
        for name, value in values.items():
            if name == "attributes":
                continue
            one = readable.get(name.lower())
            if one is None:
                raise no_such_field(name, kind.name)
            allowed = one.createable if creating else one.updateable
            if not allowed or not self.editable(user, kind, one):
                refused.append(one.name)
            wanted[one] = value
        if refused:
            raise not_writable(refused)
        return wanted
