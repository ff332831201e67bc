"""What a write does to prospects: checks, stamps, what follows from what; the same for the API and for people.

Knows the store and the fields; knows nothing of HTTP, tokens or limits.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.fields import STAMPS, ProspectFields
from prospect_sync.sandbox.account_engagement.store import ProspectStore
from prospect_sync.sandbox.account_engagement.values import Stored, stored
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.users import OrgUser

_PERSON_COLUMNS = {"00Q": "salesforceLeadId", "003": "salesforceContactId"}
_CRM_MARKS = ("[[crm_deleted]]", "[[crm_ignore_prospect]]")
NEW_PROSPECT: dict[str, Stored] = {
    **dict.fromkeys(
        (
            "isDoNotCall",
            "isDoNotEmail",
            "isReviewed",
            "isStarred",
            "optedOut",
            "isDeleted",
            "isEmailHardBounced",
            "doNotSell",
        ),
        0,
    ),
    "score": 0,
}


@dataclass(slots=True)
class EditRules:
    """What can be switched about edits, and the faults laid on chosen prospects."""

    multiple_prospects_per_email: bool = False
    noop_patch_stamps: bool = True
    unique_salesforce_id: bool = True
    reformats: list[tuple[str, re.Pattern[str], str]] = field(default_factory=list)
    refusals: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Prospect id → (code, how many more times; -1 always)."""
    campaigns: dict[int, dict[str, Any]] = field(default_factory=dict)
    profiles: set[int] = field(default_factory=lambda: {1})
    prospect_accounts: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Committed:
    """What one write really changed; values as stored."""

    prospect_id: int
    action: str
    changes: dict[str, Stored]


class ProspectEdits:
    """Creates, updates, deletes and restores prospects on behalf of a user."""

    def __init__(
        self,
        store: ProspectStore,
        fields: ProspectFields,
        clock: OrgClock,
        users: Collection[OrgUser],
        rules: EditRules,
    ) -> None:
        self._store = store
        self._fields = fields
        self._clock = clock
        self._rules = rules
        self._user_ids = {user.account_engagement_id: user.salesforce_id for user in users}

    def create(self, user: OrgUser, body: Mapping[str, Any], *, by_person: bool = False) -> Committed:
        changes = self._changes(body, by_person=by_person)
        if changes.get("email") is None:
            raise refusal(153, "email")
        self._check_links(None, changes)
        if not self._rules.multiple_prospects_per_email:
            if self.with_email(str(changes["email"]), deleted=False):
                raise refusal(9)
            if in_bin := self.with_email(str(changes["email"]), deleted=True):
                # Where an address may exist only once, adding it again brings its prospect back.
                return self._write(user, self._existing(in_bin[-1]), {**changes, "isDeleted": 0}, "undelete")
        now, owner = self._now(), user.account_engagement_id
        stamps = {"createdAt": now, "updatedAt": now, "createdById": owner, "updatedById": owner}
        row = {**NEW_PROSPECT, **changes, **self._follow({}, changes), **stamps}
        return Committed(self._store.insert(row), "create", changes)

    def update(self, user: OrgUser, prospect_id: int, body: Mapping[str, Any], *, by_person: bool = False) -> Committed:
        before = self._existing(prospect_id)
        if before["isDeleted"]:
            raise refusal(219)
        changes = self._changes(body, by_person=by_person)
        if "email" in changes:
            if changes["email"] is None:
                raise refusal(4)
            others = set(self.with_email(str(changes["email"]), deleted=False)) - {prospect_id}
            if others and not self._rules.multiple_prospects_per_email:
                raise refusal(54)
        self._check_links(prospect_id, changes)
        return self._write(user, before, changes, "update")

    def delete(self, user: OrgUser, prospect_id: int) -> Committed:
        before = self._existing(prospect_id)
        if before["isDeleted"]:
            raise refusal(109)
        return self._write(user, before, {"isDeleted": 1}, "delete")

    def undelete(self, user: OrgUser, prospect_id: int) -> Committed:
        before = self._existing(prospect_id)
        if not before["isDeleted"]:
            raise refusal(109)
        if not self._rules.multiple_prospects_per_email and self.with_email(str(before["email"]), deleted=False):
            raise refusal(54)
        return self._write(user, before, {"isDeleted": 0}, "undelete")

    def with_email(self, email: str, *, deleted: bool) -> list[int]:
        """Ids of the prospects that have this address, the one with the latest activity last."""
        return self._store.ids_with(
            'lower("email") = lower(?) AND "isDeleted" = ?',
            (email, int(deleted)),
            'coalesce("lastActivityAt", -1), "updatedAt", id',
        )

    def _write(self, user: OrgUser, before: Mapping[str, Stored], changes: dict[str, Stored], action: str) -> Committed:
        prospect_id = int(before["id"] or 0)
        self._refuse_if_told(prospect_id)
        new = {**changes, **self._follow(before, changes)}
        new = {name: value for name, value in new.items() if before[name] != value}
        if new or self._rules.noop_patch_stamps:
            stamps: dict[str, Stored] = {"updatedAt": self._now(), "updatedById": user.account_engagement_id}
            self._store.update(before, {**new, **stamps})
        return Committed(prospect_id, action, new)

    def _existing(self, prospect_id: int) -> dict[str, Stored]:
        row = self._store.newest(prospect_id)
        if row is None:
            raise refusal(109)
        return row

    def _changes(self, body: Mapping[str, Any], *, by_person: bool) -> dict[str, Stored]:
        """Check names and values; people may also change what only AE's own automation sets, such as the grade."""
        if body.get("userId") not in (None, "") and body.get("salesforceOwnerId") not in (None, ""):
            raise refusal(125)
        changes = {}
        for name, value in body.items():
            known = self._fields.get(name)
            if known is None or name in STAMPS or not (known.writable or by_person):
                raise refusal(180, name)
            changes[name] = self._reformatted(name, stored(known, value))
        self._check_references(changes)
        return changes

    def _reformatted(self, name: str, value: Stored) -> Stored:
        for field_name, pattern, replacement in self._rules.reformats:
            if field_name == name and isinstance(value, str):
                value = pattern.sub(replacement, value) or None
        return value

    def _check_references(self, changes: Mapping[str, Stored]) -> None:
        references: tuple[tuple[str, Collection[Stored], int], ...] = (
            ("userId", self._user_ids.keys(), 10),
            ("salesforceOwnerId", [*self._user_ids.values(), *(one[:15] for one in self._user_ids.values())], 10),
            ("campaignId", self._rules.campaigns.keys(), 38),
            ("profileId", self._rules.profiles, 39),
            ("prospectAccountId", self._rules.prospect_accounts, 61),
        )
        for name, known, code in references:
            if changes.get(name) is not None and changes[name] not in known:
                raise refusal(code, str(changes[name]))

    def _check_links(self, prospect_id: int | None, changes: Mapping[str, Stored]) -> None:
        person = changes.get("salesforceId")
        if person is None or person in _CRM_MARKS:
            return
        if not re.fullmatch(r"(00Q|003)[A-Za-z0-9]{12}(?:[A-Z0-5]{3})?", str(person)):
            raise refusal(79, str(person))
        holders = self._store.ids_with(
            'substr("salesforceId", 1, 15) = ? AND "isDeleted" = 0 AND "salesforceId" IS NOT NULL',
            (str(person)[:15],),
        )
        if self._rules.unique_salesforce_id and set(holders) - {prospect_id}:
            raise refusal(81)

    def _follow(self, before: Mapping[str, Stored], changes: Mapping[str, Stored]) -> dict[str, Stored]:
        """What changes by itself with what was written: link columns and assignment."""
        follow: dict[str, Stored] = {}
        if "salesforceId" in changes:
            person = changes["salesforceId"]
            column = _PERSON_COLUMNS.get(str(person)[:3])
            if person is None:
                follow.update(dict.fromkeys(_PERSON_COLUMNS.values()))
            elif column is not None:
                follow[column] = person
        assigned = self._assigned(changes)
        if assigned is not None:
            user_id, salesforce_id = assigned
            follow |= {"userId": user_id, "assignedToId": user_id, "salesforceOwnerId": salesforce_id}
            if user_id is not None and before.get("firstAssignedAt") is None:
                follow["firstAssignedAt"] = self._now()
        return follow

    def _assigned(self, changes: Mapping[str, Stored]) -> tuple[Stored, Stored] | None:
        if changes.get("userId") is not None:
            user_id = int(changes["userId"] or 0)
            return user_id, self._user_ids[user_id]
        if changes.get("salesforceOwnerId") is not None:
            owner = str(changes["salesforceOwnerId"])[:15]
            return next((key, value) for key, value in self._user_ids.items() if value[:15] == owner)
        return (None, None) if changes.keys() & {"userId", "salesforceOwnerId"} else None

    def _refuse_if_told(self, prospect_id: int) -> None:
        code, times = self._rules.refusals.get(prospect_id, (0, 0))
        if times == 0:
            return
        if times > 0:
            self._rules.refusals[prospect_id] = (code, times - 1)
        raise refusal(code)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
