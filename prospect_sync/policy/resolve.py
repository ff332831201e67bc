"""The resolver: a pair and a mapping in, every decision and the writes they come to out. Pure and total.

For each field the first rule that applies decides: UNREAD, SAME, OO-2, CO, EM, PR, ECHO, CL, the behavior. This file keeps
that order and builds the plan; what each rule says is in ``proprietary`` and ``contest``.
"""

from collections.abc import Mapping as MappingOf
from types import MappingProxyType
from typing import Any

from prospect_sync.model import Action, Decision, Pair, Plan, Problem, Side
from prospect_sync.policy import contest as ordinary
from prospect_sync.policy import evidence as times
from prospect_sync.policy import proprietary
from prospect_sync.policy.behaviors import Behavior, Mapping
from prospect_sync.policy.contest import Contest, Verdict
from prospect_sync.policy.field_table import FieldTable, Kind, Row, field_table
from prospect_sync.policy.values import NOT_READ, Reading, Unread, convert, read, read_prospect

_PROPRIETARY = MappingProxyType(
    {
        Kind.ACCOUNT_NAME: proprietary.account_name,
        Kind.EMAIL: proprietary.email,
        Kind.ONE_WAY: proprietary.one_way,
        Kind.ASSIGNED_USER: proprietary.assigned_user,
    }
)


def resolve(pair: Pair, mapping: Mapping) -> Plan:
    """Decide every mapped field of a pair.

    Shape: one decision per mapped field that exists on the person's type, in the mapping's order; ``company`` on a contact
        has one only if the contact has an account. The changes hold what is to be written, by field name, already in the
        written side's form; None empties a field. EM-2 is its plan's only decision.

    Raises: nothing, whatever the values are.

    Source: sync behavior article, "How Sync Behavior Works"; which rule comes from where stands in ``RULES``.
    """
    table = field_table(mapping, pair.person.type)
    ours, theirs = pair.prospect.values, pair.person.values
    decisions: list[Decision] = []
    prospect_changes: dict[str, Any] = {}
    person_changes: dict[str, Any] = {}
    problems: list[Problem] = []
    for row in table.rows:
        left = ours.get(row.prospect, NOT_READ)
        # Nearly every field of nearly every pair: both sides hold the very same plain value.
        if left.__class__ in row.plain:
            right = theirs.get(row.person_field, NOT_READ)
            if left.__class__ is right.__class__ and left == right:
                decisions.append(row.same)
                continue
        if row.kind is Kind.ACCOUNT_NAME and pair.person.has_account is False:
            continue
        here, there = _readings(row, table, pair)
        # Both sides say the same, or both are empty (SAME).
        if here == there and here.__class__ is not Unread:
            decisions.append(row.same)
            continue
        contest = Contest(row, table, pair, account_engagement=here, salesforce=there)
        verdict = _decide(contest)
        if verdict.rule == "EM-2":
            return _new_prospect(contest, verdict)
        if verdict.winner is not None:
            change = _change(contest, verdict.winner)
            if isinstance(change, Unread):
                verdict = Verdict("UNREAD", None, evidence={"decided_by": change.reason}, problem=change.reason)
            elif verdict.winner is Side.SALESFORCE:
                prospect_changes[row.prospect] = change
            else:
                person_changes[row.person_field] = change
        if verdict.problem is not None:
            problems.append(
                Problem(verdict.rule, row.prospect, f"{row.prospect} / {row.person_field}: {verdict.problem}")
            )
        decisions.append(_decision(contest, verdict))
    return Plan(tuple(decisions), prospect_changes, person_changes, (), tuple(problems))


def history_needed(pair: Pair, mapping: Mapping) -> frozenset[str]:
    """Name the person's fields whose history could change what ``resolve`` decides about this pair now.

    Only fields under most-recent-field that really differ with both sides filled (a deliberate clearing counts as filled),
    Opted Out under it, and an address without a base. Most pairs need none.
    """
    table = field_table(mapping, pair.person.type)
    needed: set[str] = set()
    for row in table.rows:
        if row.kind is not Kind.EMAIL and (
            row.kind is not Kind.ORDINARY or row.behavior is not Behavior.MOST_RECENT_FIELD
        ):
            continue
        here, there = _readings(row, table, pair)
        if here == there or isinstance(here, Unread) or isinstance(there, Unread):
            continue
        contest = Contest(row, table, pair, account_engagement=here, salesforce=there)
        if row.kind is Kind.EMAIL:
            if proprietary.email_needs_history(contest):
                needed.add(row.person_field)
            elif proprietary.email(contest).rule == "EM-2":
                return frozenset()
        elif _tracked(contest) and (row.opted_out or (not _is_echo(contest) and ordinary.needs_history(contest))):
            needed.add(row.person_field)
    return frozenset(needed)


def _readings(row: Row, table: FieldTable, pair: Pair) -> tuple[Reading, Reading]:
    """Read AE's and Salesforce's side of one field so that they can be compared."""
    ours = pair.prospect.values.get(row.prospect, NOT_READ)
    if row.kind is Kind.ACCOUNT_NAME:
        return _read_ours(row, ours), proprietary.read_account_name(row, pair)
    theirs = pair.person.values.get(row.person_field, NOT_READ)
    if row.kind is Kind.ASSIGNED_USER:
        return (
            ours if ours is NOT_READ else proprietary.read_assigned_user(row, ours),
            theirs if theirs is NOT_READ else proprietary.read_owner(row, theirs, table.users),
        )
    return _read_ours(row, ours), theirs if theirs is NOT_READ else read(row.type, theirs)


def _read_ours(row: Row, value: Any) -> Reading:
    return value if value is NOT_READ else read_prospect(row.type, value, row.values)


def _decide(contest: Contest) -> Verdict:
    """Find the first rule that applies to two sides that are not the same."""
    # A side was not read, or what it holds cannot be read as its type (UNREAD).
    unread = _unread(contest)
    if unread is not None:
        return unread
    row = contest.row
    # An opt-out is to follow the later change, and there is no history to tell which that is (OO-2).
    if row.opted_out and row.behavior is Behavior.MOST_RECENT_FIELD and not _tracked_and_readable(contest):
        return _opted_out_without_history()
    # A field with rules of its own (CO-1, EM-1 to EM-3, PR-1, PR-2).
    decide = _PROPRIETARY.get(row.kind)
    if decide is not None:
        return decide(contest)
    # One side stored our last write in its own way, and nothing happened since (ECHO).
    if _is_echo(contest):
        words = "the other side stores what is written there differently; left alone until either changes"
        return Verdict("ECHO", None, evidence={"decided_by": "echo of our last write"}, problem=words)
    # Everything else is up to the field's behavior (AE, SF, RF, RR, TIE, UNK, FB, CL).
    return ordinary.by_behavior(contest)


def _unread(contest: Contest) -> Verdict | None:
    sides = ((Side.SALESFORCE, contest.salesforce), (Side.ACCOUNT_ENGAGEMENT, contest.account_engagement))
    if not any(isinstance(reading, Unread) for _, reading in sides):
        return None
    reasons = {side.value: reading.reason for side, reading in sides if isinstance(reading, Unread)}
    words = "; ".join(f"{_SIDE_NAMES[side]}'s value {reason}" for side, reason in reasons.items())
    return Verdict("UNREAD", None, evidence={"unread": reasons}, problem=words)


_SIDE_NAMES = MappingProxyType({"salesforce": "Salesforce", "account_engagement": "Account Engagement"})


def _opted_out_without_history() -> Verdict:
    words = "not synced: it needs field history tracking on this field, readable for the connector user"
    return Verdict("OO-2", None, evidence={"decided_by": "field history not available"}, problem=words)


def _tracked_and_readable(contest: Contest) -> bool:
    return times.history_is_available(contest.pair, contest.row.person_field)


def _tracked(contest: Contest) -> bool:
    """Tell whether it makes sense to ask for rows: not where the field is known to be untracked."""
    since: MappingOf[str, Any] = contest.pair.evidence.history_since
    return since.get(contest.row.person_field, NOT_READ) is not None


def _is_echo(contest: Contest) -> bool:
    echo = contest.pair.evidence.echo.get(contest.row.prospect)
    if echo is None:
        return False
    written, stored = contest.remembered(echo.written), contest.remembered(echo.stored)
    here, there = contest.account_engagement, contest.salesforce
    return (here == written and there == stored) or (there == written and here == stored)


def _winning_value(contest: Contest, winner: Side) -> Any:
    if winner is Side.ACCOUNT_ENGAGEMENT:
        return contest.pair.prospect.values.get(contest.row.prospect)
    if contest.row.kind is Kind.ACCOUNT_NAME:
        return contest.pair.person.account_name
    return contest.pair.person.values.get(contest.row.person_field)


def _change(contest: Contest, winner: Side) -> Any:
    """Convert the winning value to the other side's form; Unread where it cannot be said there."""
    row, value = contest.row, _winning_value(contest, winner)
    if row.kind is Kind.ASSIGNED_USER:
        return proprietary.assigned_user_value(row, value, contest.table.users)
    change = convert(row.type, value, winner.other, row.values)
    # AE would read this value map the other way round: what was written would not come back as the same.
    if row.values is not None and winner is Side.SALESFORCE and _read_ours(row, change) != contest.salesforce:
        return Unread("Salesforce's value means something else in Account Engagement, by the mapping's values")
    return change


def _decision(contest: Contest, verdict: Verdict) -> Decision:
    row, winner = contest.row, verdict.winner
    if winner is None:
        return Decision(row.prospect, row.person_field, verdict.rule, None, evidence=verdict.evidence)
    return Decision(
        prospect_field=row.prospect,
        person_field=row.person_field,
        rule=verdict.rule,
        winner=winner,
        value=_winning_value(contest, winner),
        # Any write of ours would hide a foreign modification of the moment before from a most-recent-record field.
        guarded=verdict.guarded or (winner is Side.ACCOUNT_ENGAGEMENT and contest.table.guards_every_salesforce_write),
        evidence=verdict.evidence,
        origin=verdict.origin or times.origin(contest.pair, winner, row.prospect),
    )


def _new_prospect(contest: Contest, verdict: Verdict) -> Plan:
    """Salesforce's address changed: the pair ends here, and everything else is decided for the new pair (EM-2)."""
    address = _winning_value(contest, Side.SALESFORCE)
    return Plan((_decision(contest, verdict),), actions=(Action("EM-2", "create_prospect", {"email": address}),))
