"""The fields that have rules of their own: e-mail, a contact's company, score, grade, campaign, and the assigned user.

Their behavior cannot be set, so none is asked for here. E-mail is here only where an address has one prospect.
"""

from collections.abc import Mapping as MappingOf
from typing import Any

from prospect_sync.model import Pair, Side
from prospect_sync.policy import evidence as times
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.policy.contest import Contest, Shape, Verdict
from prospect_sync.policy.field_table import Row
from prospect_sync.policy.values import EMPTY, NOT_READ, Reading, Unread, read

SALESFORCE_OWNER = "salesforceOwnerId"


def email(contest: Contest) -> Verdict:
    """Decide the address where there is one prospect per address (EM-1, EM-2, EM-3)."""
    base = contest.base
    # Only one side has an address: the other gets it, and the prospect's is never emptied (EM-1).
    if contest.shape is not Shape.BOTH:
        filled = Side.SALESFORCE if contest.shape is Shape.SALESFORCE_ONLY else Side.ACCOUNT_ENGAGEMENT
        return Verdict("EM-1", filled, guarded=base is None, evidence={"decided_by": "the only address"})
    if base is not None:
        # Salesforce's address is the one that changed (EM-2, EM-3).
        if contest.only_changed_side() is Side.SALESFORCE:
            return _new_address(contest, {"decided_by": "base"})
        # The prospect's address changed, or both did: the prospect's is used (EM-1).
        return Verdict("EM-1", Side.ACCOUNT_ENGAGEMENT, evidence={"decided_by": "base"})
    return _email_without_base(contest)


def _email_without_base(contest: Contest) -> Verdict:
    pair, row, margin = contest.pair, contest.row, contest.table.margin
    changed = times.newest_foreign_row(pair, row.person_field)
    prospect = times.account_engagement_field_time(pair, row.prospect)
    seen = times.When(changed, "history row" if changed else "no foreign history row", known=changed is not None)
    evidence = times.field_evidence(seen, prospect, margin)
    # Somebody changed the person's address after everything AE's could have seen: Salesforce's is the new one.
    if times.later_side(seen, prospect, margin) is Side.SALESFORCE:
        return _new_address(contest, {**evidence, "decided_by": "field time"}, seen)
    # Nothing tells whose address is the new one: the prospect's is used, and a person hears of it.
    ours, theirs = pair.prospect.values.get(row.prospect), pair.person.values.get(row.person_field)
    words = f"the addresses differ and nothing tells which one is new: the prospect's {ours} replaces {theirs}"
    return Verdict(
        "EM-1", Side.ACCOUNT_ENGAGEMENT, guarded=True, evidence={**evidence, "decided_by": "EM-1"}, problem=words
    )


def _new_address(contest: Contest, evidence: dict[str, Any], seen: times.When | None = None) -> Verdict:
    rule = "EM-3" if contest.table.follow_salesforce_email else "EM-2"
    return Verdict(rule, Side.SALESFORCE, evidence=evidence, origin=seen.interval if seen else None)


def email_needs_history(contest: Contest) -> bool:
    """Tell whether rows of the person's e-mail field could say whose address is the new one."""
    return contest.shape is Shape.BOTH and contest.base is None


def account_name(contest: Contest) -> Verdict:
    """The contact has an account: AE takes the account's name and never gives its own (CO-1)."""
    if contest.salesforce is EMPTY:
        return Verdict("CO-1", None, evidence={"decided_by": "the account has no name"})
    return Verdict("CO-1", Side.SALESFORCE, evidence={"decided_by": "account name"})


def one_way(contest: Contest) -> Verdict:
    """Score, grade and campaign belong to AE and go to Salesforce only (PR-1)."""
    if contest.account_engagement is EMPTY:
        return Verdict("PR-1", None, evidence={"decided_by": "Account Engagement has no value"})
    return Verdict("PR-1", Side.ACCOUNT_ENGAGEMENT, evidence={"decided_by": "Account Engagement to Salesforce only"})


def assigned_user(contest: Contest) -> Verdict:
    """The owner in Salesforce becomes the assigned user in AE, where the mapping knows that user (PR-2)."""
    owner = _id(contest.pair.person.values.get(contest.row.person_field))
    # Nobody to assign to: no owner, a queue, or a user without a counterpart.
    if not isinstance(owner, str) or owner[:15] not in contest.table.users:
        return Verdict("PR-2", None, evidence={"decided_by": "the owner is a queue or a user that is not mapped"})
    return Verdict("PR-2", Side.SALESFORCE, evidence={"decided_by": "Salesforce to Account Engagement only"})


def read_account_name(row: Row, pair: Pair) -> Reading:
    """Read the company of a contact; where no name came with the contact it is not read."""
    return NOT_READ if pair.person.account_name is None else read(row.type, pair.person.account_name)


def read_assigned_user(row: Row, value: Any) -> Reading:
    """Read AE's assigned user: its own user id, or a Salesforce user id by its first 15 characters."""
    reading = _id(value)
    return reading[:15] if row.prospect == SALESFORCE_OWNER and isinstance(reading, str) else reading


def read_owner(row: Row, value: Any, users: MappingOf[str, str]) -> Reading:
    """Read Salesforce's owner in the words of AE's field."""
    reading = _id(value)
    if not isinstance(reading, str):
        return reading
    return reading[:15] if row.prospect == SALESFORCE_OWNER else users.get(reading[:15], reading[:15])


def assigned_user_value(row: Row, owner: Any, users: MappingOf[str, str]) -> Any:
    """Write the owner into AE's field: AE user ids are numbers, ``salesforceOwnerId`` takes the owner's id itself."""
    if row.prospect == SALESFORCE_OWNER:
        return owner
    user = users[str(owner).strip()[:15]]
    return int(user) if user.isascii() and user.isdigit() and len(user) < 20 else user


def _id(value: Any) -> Reading:
    return Unread("cannot be read as an id") if isinstance(value, bool) else read(FieldType.TEXT, value)
