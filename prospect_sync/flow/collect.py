"""Decide which writes of a batch wait for an import instead of going singly, and which do not go at all now.

An import overwrites whatever it finds, minutes later. So only values go that way which win whatever is there (SF-1, SF-3,
SF-4, CL-1, CO-1, PR-2) or which fill what was empty (AE-2, FB-1: written only where it still is). One record, one way: a
write with anything else in it goes singly, whole.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from prospect_sync.flow.import_holds import settle_unsent, switched_off
from prospect_sync.flow.jobs import Job, intent_of
from prospect_sync.flow.report import Report
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Batch, FieldChange, ImportRow
from prospect_sync.model import Hint, Lane, Side
from prospect_sync.policy.behaviors import CONSENT_FIELDS, FieldType

WINS_WHATEVER_IS_THERE = frozenset({"SF-1", "SF-3", "SF-4", "CL-1", "CO-1", "PR-2"})
FILLS_WHAT_IS_EMPTY = frozenset({"AE-2", "FB-1"})
_ERASES = frozenset({"SF-3", "CL-1"})
SINGLY_AFTER_AN_IMPORT = timedelta(minutes=10)
"""What an import did not bring about, or could not be made for, is written singly when it is met again."""


def collect(runtime: Runtime, batch: Batch, fence: int, jobs: Sequence[Job], report: Report) -> list[Job]:
    """Give the jobs that are to be written now. Those of a bulk batch that may wait for an import are recorded as waiting.

    A pair that an import may still write gets its consent written and nothing else; it is looked at again after the import.
    """
    road = runtime.imports
    if road is None or not jobs:
        return list(jobs)
    rows = road.store.of({job.work.couple.prospect_id for job in jobs})
    may_wait = batch.lane is Lane.BULK and not switched_off(runtime)
    now: list[Job] = []
    waiting: list[Job] = []
    for job in jobs:
        row = rows.get(job.work.couple.prospect_id)
        if row is not None and row.held:
            report.unfinished.add(row.prospect_id)
            consent = tuple(change for change in job.changes if change.prospect_field in CONSENT_FIELDS)
            if consent:
                now.append(replace(job, changes=consent))
        elif may_wait and job.side is Side.ACCOUNT_ENGAGEMENT and _fits(runtime, job) and not _singly(runtime, row):
            waiting.append(job)
        else:
            now.append(job)
    if waiting:
        _wait(runtime, batch, fence, waiting, report)
    return now


def _wait(runtime: Runtime, batch: Batch, fence: int, jobs: Sequence[Job], report: Report) -> None:
    assert runtime.imports is not None  # noqa: S101 - asked by the only caller
    intents = [intent_of(runtime, batch, fence, job) for job in jobs]
    runtime.ledger.intend(intents)
    at = runtime.clock.now()
    rows = [ImportRow(intent.prospect_id, intent.id, _group(intent.changes), at) for intent in intents]
    refused = runtime.imports.store.add(rows)
    if refused:  # somebody let them wait whose lease had run out
        settle_unsent(runtime, refused, "the prospect waits for an import already")
    report.unfinished.update(row.prospect_id for row in rows)
    due = at + timedelta(seconds=runtime.tuning.busy_retry)
    report.again.extend(
        Hint(job.work.couple.prospect, batch.lane, due, origin="again")
        for job, intent in zip(jobs, intents, strict=True)
        if intent.id in refused
    )


def _group(changes: Sequence[FieldChange]) -> str:
    """Rows share an import only where they empty the same fields, so that no blank cell erases by accident."""
    return ",".join(sorted(change.field for change in changes if change.after is None))


def _singly(runtime: Runtime, row: ImportRow | None) -> bool:
    if row is None or row.free_since is None:
        return False
    return runtime.clock.now() - row.free_since < SINGLY_AFTER_AN_IMPORT


def _fits(runtime: Runtime, job: Job) -> bool:
    types = runtime.prospect_types()
    return all(_may_go(change, types.get(change.prospect_field, FieldType.TEXT)) for change in job.changes)


def _may_go(change: FieldChange, kind: FieldType) -> bool:
    name = change.prospect_field
    if name in CONSENT_FIELDS or name == "email" or kind is FieldType.MULTISELECT:
        return False
    if change.rule in FILLS_WHAT_IS_EMPTY:
        return name != "company" and _fills_a_cell(change.after)  # CO-1 overwrites in the same column
    if change.after is None:
        return change.rule in _ERASES
    return change.rule in WINS_WHATEVER_IS_THERE and _fills_a_cell(change.after)


def _fills_a_cell(value: Any) -> bool:
    """Text with white space at its ends, or that UTF-8 cannot say, would not arrive as it is."""
    if value is None or isinstance(value, list | tuple | set | dict):
        return False
    return not isinstance(value, str) or (bool(value) and value == value.strip() and _is_sayable(value))


def _is_sayable(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
