"""Saving records: create, update, delete, undelete, as one user, with stamps, history and every check.

The only way a record changes, whether through the API or by hand in the pretend user interface. Each call
either saves everything it says or raises and saves nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import (
    entity_is_deleted,
    insufficient_access,
    locked,
    malformed_id,
    not_found,
    refusal,
)
from prospect_sync.sandbox.salesforce.history import History
from prospect_sync.sandbox.salesforce.ids import full_id
from prospect_sync.sandbox.salesforce.schema import ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import Row
from prospect_sync.sandbox.salesforce.validation import Validation
from prospect_sync.sandbox.salesforce.wire import shown, stored
from prospect_sync.sandbox.users import OrgUser


@dataclass(frozen=True, slots=True)
class Writer:
    """Who saves, and what the request asked for."""

    user: OrgUser
    auto_assign: bool = False
    allow_duplicates: bool = False
    duplicate_details: bool = False
    origin: str = ""
    """Which API or client saves, as change events tell it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record that was really written, as the call log and change events tell it."""

    object: str
    id: str
    action: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """New values as on the wire, only of fields that differ from before."""
    before: Row = field(default_factory=dict)
    after: Row = field(default_factory=dict)
    """Stored values around the save, those of the stamps not yet in it; empty where there is nothing to tell."""
    user_id: str = ""
    origin: str = ""
    at: int = 0
    transaction: int = 0
    """Counts within the call: parts of a Composite are transactions of their own."""
    stamped: bool = True

    def told(self) -> dict[str, Any]:
        return {
            "object": self.object, "id": self.id, "action": self.action,
            "fields": list(self.changes), "changes": dict(self.changes),
        }  # fmt: skip


class Records:
    """The records of an org, seen from whoever edits them."""

    def __init__(self, state: OrgState, access: Access) -> None:
        self._state = state
        self._storage = state.storage
        self._access = access
        self.history = History(state)
        self._validation = Validation(state)
        self.committed: list[Change] = []
        """What was written since the list was last emptied; taken back where a transaction rolls back."""
        self.transaction = 0
        """Which transaction of the present call the next changes belong to."""

    def create(self, writer: Writer, kind: ObjectType, values: Mapping[str, Any]) -> str:
        """Save a new record and return its id."""
        if not kind.writable:
            raise insufficient_access()
        wanted = self._access.incoming(writer.user, kind, values, creating=True)
        after = self._blank(kind, writer)
        after |= {one.name: stored(one, value) for one, value in wanted.items()}
        self._assign(writer, kind, after)
        after["Id"] = self._storage.new_id(kind)
        self._check(writer, kind, after, set(after))
        at = self._state.now()
        after |= _stamps(writer.user, at) | {"CreatedDate": at, "CreatedById": writer.user.salesforce_id}
        with self._storage.transaction():
            self._storage.insert(kind, after)
            self.history.happened(kind, after["Id"], "created", writer.user.salesforce_id, at)
        given = {one.name for one in kind.fields if one.updateable and after.get(one.name) is not None}
        self._commit(writer, kind, {}, after, "create", given, at)
        return str(after["Id"])

    def update(
        self,
        writer: Writer,
        kind: ObjectType,
        ident: str,
        values: Mapping[str, Any],
        unmodified_since: int | None = None,
    ) -> None:
        """Save changes; equal values leave no history but stamp the record all the same."""
        if not kind.writable:
            raise insufficient_access()
        before = self.living(writer.user, kind, ident)
        if unmodified_since is not None and before["LastModifiedDate"] > unmodified_since:
            message = "The record was modified after the time given in If-Unmodified-Since"
            raise refusal("PRECONDITION_FAILED", message, status=412)
        wanted = self._access.incoming(writer.user, kind, values, creating=False)
        after = before | {one.name: stored(one, value) for one, value in wanted.items()}
        self._lock(before)
        if before.get("IsConverted"):
            raise refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields=[])
        self._assign(writer, kind, after)
        names = {one.name for one in wanted} | {"OwnerId"}
        names |= self._check(writer, kind, after, names)
        self.overwrite(writer, kind, before, after, names)

    def overwrite(self, writer: Writer, kind: ObjectType, before: Row, after: Row, names: set[str]) -> None:
        """Write a checked change with its stamps and history."""
        at, user = self._state.now(), writer.user
        changed = {name: after[name] for name in after if name in names and after[name] != before.get(name)}
        with self._storage.transaction():
            self._storage.update(kind, before["Id"], changed | _stamps(user, at))
            self.history.changed(kind, before, after, changed, user.salesforce_id, at)
        self._commit(writer, kind, before, after, "update", changed, at)

    def follow(self, writer: Writer, kind: ObjectType, ident: str, changes: Row) -> None:
        """Write what follows from another record's fate: no checks, no stamps, no history."""
        before = self._storage.find(kind, ident) or {}
        self._storage.update(kind, ident, changes)
        told = Change(
            kind.name, ident, "update", changes, before, before | changes, writer.user.salesforce_id, writer.origin,
            self._state.now(), self.transaction, stamped=False,
        )  # fmt: skip
        self.committed.append(told)

    def delete(self, writer: Writer, kind: ObjectType, ident: str) -> None:
        """Put a record into the recycle bin, its history with it."""
        self._bin(writer, kind, self.living(writer.user, kind, ident), deleted=True)

    def undelete(self, writer: Writer, kind: ObjectType, ident: str) -> None:
        """Take a record out of the recycle bin."""
        row = self._storage.find(kind, _checked(kind, ident))
        if row is None or not row["IsDeleted"]:
            raise refusal("UNDELETE_FAILED", "entity is not in the recycle bin", fields=[])
        self._bin(writer, kind, row, deleted=False)

    def _bin(self, writer: Writer, kind: ObjectType, row: Row, *, deleted: bool) -> None:
        if not kind.writable:
            raise insufficient_access()
        self._lock(row)
        at = self._state.now()
        with self._storage.transaction():
            self._storage.update(kind, row["Id"], {"IsDeleted": int(deleted)} | _stamps(writer.user, at))
            history = self._state.schema.find(kind.history_name)
            if history is not None:
                update = f'UPDATE "{history.name}" SET IsDeleted = ? WHERE "{history.parent_field}" = ?'  # noqa: S608 - names come from the schema
                self._storage.run(update, (int(deleted), row["Id"]))
        action = "delete" if deleted else "undelete"
        self._commit(writer, kind, row, row, action, (), at)

    def living(self, user: OrgUser, kind: ObjectType, ident: str) -> Row:
        """A record that the user can see, or the refusal that tells what became of it."""
        row = self._storage.find(kind, _checked(kind, ident))
        if row is None or row["Id"] in self._access.hidden(user):
            raise not_found()
        if row.get("IsDeleted"):
            raise entity_is_deleted()
        return row

    def rolled_back(self, mark: int) -> None:
        """Forget what was noted as committed since `mark`, because its transaction was undone."""
        del self.committed[mark:]

    def _blank(self, kind: ObjectType, writer: Writer) -> Row:
        row: Row = {}
        for one in kind.fields:
            if one.stored and one.default is not None:
                row[one.name] = writer.user.salesforce_id if one.default == "owner" else one.default
            elif one.stored and one.createable and not one.nillable:
                row[one.name] = None
        return {name: int(value) if isinstance(value, bool) else value for name, value in row.items()}

    def _assign(self, writer: Writer, kind: ObjectType, after: Row) -> None:
        owner = self._state.settings.assignment_rule_owner
        if writer.auto_assign and owner and kind.name == "Lead":
            after["OwnerId"] = owner

    def _check(self, writer: Writer, kind: ObjectType, after: Row, names: set[str]) -> set[str]:
        names = names | self._validation.rewrite(kind, after)
        self._validation.check(kind, after, names)
        self._validation.check_duplicates(
            kind, after, names, allowed=writer.allow_duplicates, details=writer.duplicate_details
        )
        return names

    def _lock(self, row: Row) -> None:
        """Fail where a test holds the record's lock, or that of its account."""
        held = self._state.settings.locked
        for ident in (row["Id"], row.get("AccountId")):
            left = held.get(ident, 0) if ident else 0
            if ident and left:
                held[ident] = left - 1 if left > 0 else left
                raise locked(ident)

    def _commit(
        self, writer: Writer, kind: ObjectType, before: Row, after: Row, action: str, names: Iterable[str], at: int
    ) -> None:
        values = {}
        for name in names:
            one = kind.by_name[name.lower()]
            write = shown(one)
            values[name] = write(after[name]) if write else after[name]
        self.committed.append(
            Change(
                kind.name, after["Id"], action, values, before, after, writer.user.salesforce_id, writer.origin, at,
                self.transaction,
            )
        )  # fmt: skip


def _checked(kind: ObjectType, ident: str) -> str:
    full = full_id(ident)
    if full is None:
        raise malformed_id(ident)
    if not full.startswith(kind.prefix):
        raise not_found()
    return full


def _stamps(user: OrgUser, at: int) -> Row:
    return {"LastModifiedDate": at, "LastModifiedById": user.salesforce_id, "SystemModstamp": at}
