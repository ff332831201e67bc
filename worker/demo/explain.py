"""Puts ledger rows into sentences, and picks three that show different things."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from prospect_sync.memory import FieldChange, LedgerRow, Settled
from prospect_sync.model import Side
from prospect_sync.policy.rules import RULES

_NAMES = {Side.SALESFORCE: "Salesforce", Side.ACCOUNT_ENGAGEMENT: "Account Engagement"}
_SOURCES = {
    "history row": "says its field history",
    "record created": "when the record was made; its history has no later change",
    "created by connector": "it came from Account Engagement when the record was made",
}
Entry = tuple[LedgerRow, FieldChange]


def three(ledger: Sequence[LedgerRow]) -> list[str]:
    """Explain three applied changes of different kinds; fewer where there are no more."""
    entries = [
        (row, change)
        for row in ledger
        if row.outcome is not None and row.outcome.settled is Settled.APPLIED
        for change in row.intent.changes
    ]
    wanted: tuple[Callable[[Entry], bool], ...] = (
        lambda entry: _contest(entry) and entry[0].intent.side is Side.ACCOUNT_ENGAGEMENT,
        lambda entry: _contest(entry) and entry[0].intent.side is Side.SALESFORCE,
        lambda entry: entry[1].rule == "CO-1",
        lambda entry: entry[1].rule == "AE-1",
        lambda _: True,
    )
    chosen: list[Entry] = []
    for wish in wanted:
        found = next((entry for entry in entries if wish(entry) and entry not in chosen), None)
        if found is not None and len(chosen) < 3:
            chosen.append(found)
    return [sentence(row, change) for row, change in chosen]


def _contest(entry: Entry) -> bool:
    change = entry[1]
    return change.rule == "RF-1" and change.evidence.get("salesforce_time") is not None and change.before is not None


def sentence(row: LedgerRow, change: FieldChange) -> str:
    """Say in words what was written where, by which rule, and on what evidence."""
    intent = row.intent
    loser, winner = _NAMES[intent.side], _NAMES[intent.side.other]
    when = row.outcome.at if row.outcome else intent.at
    had = "was empty" if change.before in (None, "", []) else f"said {_shown(change.before)}"
    rule = RULES[change.rule]
    return (
        f"Prospect {intent.prospect_id} and {intent.person.kind.value} {intent.person.id}, field {change.prospect_field}: "
        f"{winner} said {_shown(change.after)}, {loser} {had}. {_times(change.evidence)}"
        f"Rule {rule.id}: {rule.says} So {winner}'s value was written to {loser} "
        f"at {when:%H:%M:%S} UTC{_guard(intent.side, change)}."
    )


def _guard(written: Side, change: FieldChange) -> str:
    """Account Engagement takes no precondition; a side that loses anyway needs none."""
    if not change.guarded or written is Side.ACCOUNT_ENGAGEMENT:
        return ""
    return ", on the condition that nobody had edited the record since it was read"


def _times(evidence: Mapping[str, Any]) -> str:
    words = []
    if (at := evidence.get("salesforce_time")) is not None:
        source = _SOURCES.get(str(evidence.get("salesforce_source")), str(evidence.get("salesforce_source")))
        words.append(f"Salesforce's value dates from {_instant(at)} ({source}).")
    elif evidence.get("salesforce_source") == "created by connector":
        words.append("Salesforce's value came from Account Engagement when the record was made.")
    if (interval := evidence.get("account_engagement_interval")) is not None:
        seen = (
            "this is as much as a first look can tell" if evidence.get("first_seen") else "as the mirror saw it change"
        )
        words.append(f"Account Engagement's was set {_stretch(interval)} ({seen}).")
    if (account_engagement := evidence.get("account_engagement_record_time")) is not None:
        salesforce = evidence.get("salesforce_record_time")
        words.append(
            f"Last modified by others: Salesforce {_instant(salesforce)}, Account Engagement {_instant(account_engagement)}."
        )
    return "".join(f"{sentence} " for sentence in words)


def _stretch(interval: Sequence[str]) -> str:
    after, until = interval
    return f"at {_instant(until)}" if after == until else f"between {_instant(after)} and {_instant(until)}"


def _instant(value: Any) -> str:
    if isinstance(value, list | tuple):
        return _stretch(value)
    return "unknown" if value is None else f"{datetime.fromisoformat(str(value)):%d %b %Y %H:%M:%S}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " + ".join(map(str, value)) or "nothing"
    return "nothing" if value in (None, "") else f"“{value}”"


def lines_of(rules: Mapping[str, int]) -> Iterable[tuple[str, int, str]]:
    """Rules with their counts and sentences."""
    return ((rule, count, RULES[rule].says) for rule, count in rules.items())
