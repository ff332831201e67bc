"""What the demo measured, as plain numbers: from the servers' call log, the edits, the ledger and the desk.

Decides what counts as needless and as latency; knows nothing of how it is shown.
"""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from prospect_sync.memory import DeskEntry, LedgerRow, Settled
from worker.demo.calls import ACCOUNT_ENGAGEMENT, SALESFORCE, Committed, Seen, counted
from worker.demo.edits import Edited


@dataclass(frozen=True, slots=True)
class Span:
    """One part of the demo: calls by org and purpose, records and fields written, seconds."""

    seconds: float
    calls: Mapping[str, Mapping[str, int]]
    records_written: Mapping[str, int]
    fields_written: int

    def total(self, org: str) -> int:
        return sum(self.calls[org].values())


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from an edit to the other side, in one direction. ``missing``: edits that never arrived."""

    edits: int
    p50: float | None
    p95: float | None
    most: float | None
    missing: int


@dataclass(slots=True)
class Figures:
    """Everything the report says."""

    pairs: int
    seed: int
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    wrong_after_first: list[str] = field(default_factory=list)
    wrong_at_end: list[str] = field(default_factory=list)
    lost_edits: list[str] = field(default_factory=list)
    edits: int = 0
    first: Span | None = None
    live: Span | None = None
    quiet: Span | None = None
    quiet_cycles: int = 0
    latency: dict[str, Latency] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    needless: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, int] = field(default_factory=dict)
    desk: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pairs_wrong(self) -> int:
        """Pairs that either judge finds wrong, at either time."""
        return len({pair_of(line) for line in (*self.wrong_after_first, *self.wrong_at_end, *self.lost_edits)})

    @property
    def problems(self) -> list[str]:
        """Everything that makes the demo fail, in sentences."""
        found = [*self.wrong_after_first, *self.wrong_at_end, *self.lost_edits]
        found += [f"{count} {what}" for what, count in self.needless.items() if count]
        found += [
            f"{count} ledger rows are {state}" for state, count in self.ledger.items() if state == "open" and count
        ]
        return found

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "pairs_wrong": self.pairs_wrong, "problems": self.problems}


def pair_of(line: str) -> str:
    """The prospect that a judge's sentence speaks of."""
    return line.partition(" and ")[0]


def span(seconds: float, calls: Sequence[Seen], written: Sequence[Committed]) -> Span:
    records = Counter(one.org for one in written)
    return Span(
        seconds=round(seconds, 1),
        calls={org: dict(counts) for org, counts in counted(calls).items()},
        records_written={SALESFORCE: records[SALESFORCE], ACCOUNT_ENGAGEMENT: records[ACCOUNT_ENGAGEMENT]},
        fields_written=sum(len(one.changes) for one in written),
    )


def latencies(edits: Iterable[Edited], written: Iterable[Committed]) -> dict[str, Latency]:
    """By direction: from the edit's commit to our write of its value on the other side.

    Edits that must not last are left out.
    """
    arrivals: dict[tuple[str, str], list[Committed]] = defaultdict(list)
    for one in written:
        arrivals[one.org, one.record_id[:15]].append(one)
    taken: dict[str, list[float | None]] = {
        "salesforce to account_engagement": [],
        "account_engagement to salesforce": [],
    }
    for edit in edits:
        if edit.planned.lasts:
            there = _other(edit.planned.org)
            taken[f"{edit.planned.org} to {there}"].append(_seconds(edit, arrivals[there, _partner(edit)[:15]]))
    return {direction: _latency(seconds) for direction, seconds in taken.items()}


def _other(org: str) -> str:
    return ACCOUNT_ENGAGEMENT if org == SALESFORCE else SALESFORCE


def _partner(edit: Edited) -> str:
    pair = edit.planned.pair
    return str(pair.prospect_id) if edit.planned.org == SALESFORCE else pair.person_id


def _seconds(edit: Edited, arrivals: Sequence[Committed]) -> float | None:
    name, value = edit.planned.other_field, edit.planned.arriving
    for one in arrivals:
        if one.at >= edit.at and name in one.changes and one.changes[name] == value:
            return (one.at - edit.at).total_seconds()
    return None


def _latency(seconds: Sequence[float | None]) -> Latency:
    known = sorted(second for second in seconds if second is not None)
    missing = len(seconds) - len(known)
    if len(known) < 2:
        only = known[0] if known else None
        return Latency(len(seconds), only, only, only, missing)
    cuts = statistics.quantiles(known, n=20, method="inclusive")
    return Latency(len(seconds), round(cuts[9], 2), round(cuts[18], 2), round(known[-1], 2), missing)


def needless_writes(written: Sequence[Committed], written_in_quiet: int, ledger: Sequence[LedgerRow]) -> dict[str, int]:
    """Writes that changed nothing, as the servers saw it; and whether ledger and servers tell the same."""
    changed = Counter((one.org, one.record_id[:15], name) for one in written for name in one.changes)
    told: Counter[tuple[str, str, str]] = Counter()
    for row in ledger:
        if row.outcome is not None and row.outcome.settled is Settled.APPLIED:
            ref = row.intent.written
            told.update((row.intent.side.value, ref.id[:15], change.field) for change in row.intent.changes)
    applied = sum(row.outcome is not None and row.outcome.settled is Settled.APPLIED for row in ledger)
    return {
        "writes that changed no field": sum(not one.changes for one in written),
        "fields written that held the value already": (told - changed).total(),
        "writes while nothing changed": written_in_quiet,
        "written fields without an applied ledger row": (changed - told).total(),
        "applied ledger rows more or fewer than records written": abs(applied - len(written)),
    }


def rules_of(ledger: Iterable[LedgerRow]) -> dict[str, int]:
    """Applied changes by rule."""
    return dict(
        Counter(
            change.rule
            for row in ledger
            if row.outcome is not None and row.outcome.settled is Settled.APPLIED
            for change in row.intent.changes
        ).most_common()
    )


def endings(ledger: Iterable[LedgerRow]) -> dict[str, int]:
    return dict(Counter("open" if row.outcome is None else row.outcome.settled.value for row in ledger))


def desk_lines(entries: Iterable[DeskEntry]) -> list[dict[str, Any]]:
    return [
        {
            "cause": entry.item.cause.value,
            "rule": entry.item.rule,
            "field": entry.item.field,
            "words": entry.item.words,
            "records": len(entry.refs),
        }
        for entry in entries
    ]
