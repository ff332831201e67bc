"""Carry waiting writes through imports: a state in SQL, moved on by short steps that anybody may take; no step waits.

Whoever takes a step first moves the job's due time, so that others leave it alone, and stores the outcome only where nobody
else did meanwhile. What a death between two steps leaves at the vendor is harmless: an import does nothing before it is told
to run, it is told so only once its id is stored here, and one that was never told expires. So a job whose upload was cut
short is simply begun anew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from uuid import uuid4

import structlog

from prospect_sync.errors import Misconfigured, Rejected, Stale, TryLater
from prospect_sync.flow.accept import accept
from prospect_sync.flow.collect import FILLS_WHAT_IS_EMPTY, SINGLY_AFTER_AN_IMPORT
from prospect_sync.flow.import_holds import settle_unsent, switch_off, switched_off
from prospect_sync.flow.runtime import ImportRoad, Runtime
from prospect_sync.memory import (
    Cause,
    DeskItem,
    ImportJob,
    ImportPool,
    ImportRow,
    ImportStep,
    Intent,
    Outcome,
    Settled,
)
from prospect_sync.model import Hint, Lane, Ref, Side
from prospect_sync.ports import ImportColumn, ImportLine, ImportState, RefusedLine

log = structlog.get_logger(__name__)

SERVICE = Ref.service("imports")
_LATEST_START = timedelta(minutes=10)
_SLOWEST = 20
_LEAST_PAUSE = 5.0
_OFF_FOR = 3_600.0
_AFTER_THE_END = 5.0
_PAGE = 1_000


def advance(runtime: Runtime) -> int:
    """Form imports of what waits long enough, and take one step with each job that is due; returns how many steps.

    Call it every few seconds, from as many processes as you like.

    Raises:
        TryLater, Misconfigured: the database cannot be reached, or is not ours.
    """
    road = runtime.imports
    if road is None:
        return 0
    for pool in road.store.pools():
        _form(runtime, road, pool)
    jobs = road.store.due(runtime.clock.now())
    for job in jobs:
        _step(runtime, road, job)
    return len(jobs)


def _form(runtime: Runtime, road: ImportRoad, pool: ImportPool) -> None:
    """Enough rows make an import; too few, when no more come, are written singly."""
    now, tuning = runtime.clock.now(), runtime.tuning
    wait = timedelta(seconds=tuning.import_wait)
    old, quiet = now - pool.oldest >= wait, now - pool.newest >= wait / 4
    if pool.rows >= tuning.import_from:
        step = ImportStep.FORMED if old or quiet or pool.rows >= tuning.import_most else None
    else:
        step = ImportStep.DISSOLVING if old and (quiet or now - pool.oldest >= wait * 5) else None
    if step is None:
        return
    job = road.store.form(ImportJob(uuid4().hex, now, step, now), pool.group, tuning.import_most)
    if job is not None:
        log.info("import.formed", job=job.id, rows=job.rows, step=step.value)


def _step(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    claimed = road.store.save(replace(job, due=runtime.clock.now() + timedelta(seconds=runtime.tuning.import_claim)))
    if claimed is None:
        return
    try:
        _STEPS[job.step](runtime, road, claimed)
    except TryLater as later:
        log.warning("import.later", job=job.id, step=job.step.value, code=later.code, words=later.words)
        _save(runtime, road, claimed, pause=max(later.delay, _LEAST_PAUSE))
    except (Rejected, Misconfigured, Stale) as wrong:
        log.warning("import.refused", job=job.id, step=job.step.value, code=wrong.code, words=wrong.words)
        _give_up(runtime, road, claimed, wrong)


def _save(
    runtime: Runtime, road: ImportRoad, job: ImportJob, *, step: ImportStep | None = None, pause: float = 0.0
) -> ImportJob | None:
    due = runtime.clock.now() + timedelta(seconds=pause)
    return road.store.save(replace(job, step=step or job.step, due=due))


def _formed(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    """Make the import at the vendor and upload everything; only then may it be told to run."""
    if runtime.clock.now() - job.formed > _LATEST_START or switched_off(runtime):
        _save(runtime, road, job, step=ImportStep.DISSOLVING)  # what was decided is too old to be written unseen
        return
    columns = _columns(runtime, road, job)
    if not columns:
        _save(runtime, road, job, step=ImportStep.DISSOLVING)
        return
    vendor_id = road.side.start(columns)
    calls = road.side.add(vendor_id, tuple(columns), _lines(runtime, road, job))
    log.info("import.uploaded", job=job.id, vendor=vendor_id, rows=job.rows, calls=calls)
    uploaded = _save(runtime, road, replace(job, vendor_id=vendor_id), step=ImportStep.SUBMITTING)
    if uploaded is not None:
        _run(runtime, road, uploaded)


def _submitting(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    """Somebody died, or heard no answer, when it was told to run: the vendor knows."""
    if road.side.status(_vendor(job)).state is ImportState.OPEN:
        _run(runtime, road, job)
    else:
        _save(runtime, road, job, step=ImportStep.RUNNING)


def _run(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    road.side.run(_vendor(job))
    log.info("import.running", job=job.id, vendor=job.vendor_id)
    _save(runtime, road, replace(job, tries=0), step=ImportStep.RUNNING, pause=runtime.tuning.import_poll)


def _running(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    status = road.side.status(_vendor(job))
    if status.state in (ImportState.OPEN, ImportState.RUNNING):
        tries = job.tries + 1
        pause = runtime.tuning.import_poll * min(ceil(tries * tries / 5 + 1), _SLOWEST)
        _save(runtime, road, replace(job, tries=tries), pause=pause)
        return
    if status.state is ImportState.FAILED:
        runtime.desk.report([_failed_item()])
    elif status.refused:
        _refuse(runtime, road, job)
    runtime.resyncs.tally(status.updated, status.refused)
    log.info(
        "import.ended",
        job=job.id,
        vendor=job.vendor_id,
        state=status.state.value,
        updated=status.updated,
        refused=status.refused,
    )
    _save(runtime, road, job, step=ImportStep.LAGGING, pause=runtime.tuning.whole_lag.total_seconds())


def _lagging(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    """Reads show everything now: the pairs are looked at again, and their writes settled by what they hold."""
    _set_free(runtime, road, job)


def _dissolving(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    for rows in _pages(road, job):
        settle_unsent(runtime, [row.intent_id for row in rows], "not worth an import: to be written singly")
    _set_free(runtime, road, job)


def _set_free(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    """Hints first, due once the job is over; if we die in between, they are given again."""
    now = runtime.clock.now()
    for rows in _pages(road, job):
        due = now + timedelta(seconds=_AFTER_THE_END)
        hints = [Hint(Ref.prospect(row.prospect_id), Lane.BULK, due, origin="import") for row in rows]
        accept(runtime, hints, keep=True)
    if road.store.end(job, now):
        road.store.forget(now - 2 * SINGLY_AFTER_AN_IMPORT)
        log.info("import.over", job=job.id, rows=job.rows)


_STEPS: dict[ImportStep, Callable[[Runtime, ImportRoad, ImportJob], None]] = {
    ImportStep.FORMED: _formed,
    ImportStep.SUBMITTING: _submitting,
    ImportStep.RUNNING: _running,
    ImportStep.LAGGING: _lagging,
    ImportStep.DISSOLVING: _dissolving,
}


def _give_up(runtime: Runtime, road: ImportRoad, job: ImportJob, wrong: Rejected | Misconfigured | Stale) -> None:
    """Before it ran: its rows are written singly. Afterwards nobody can tell what it did: reading will."""
    if job.step is ImportStep.FORMED:
        switch_off(runtime, _OFF_FOR)
        runtime.desk.report([_refused_item(wrong)])
        _save(runtime, road, job, step=ImportStep.DISSOLVING)
    else:
        runtime.desk.report([_failed_item(wrong)])
        _save(runtime, road, job, step=ImportStep.LAGGING, pause=runtime.tuning.whole_lag.total_seconds())


def _columns(runtime: Runtime, road: ImportRoad, job: ImportJob) -> dict[str, ImportColumn]:
    """The fields of all rows, each with what a cell and a blank cell do there. Rows of one job empty the same fields."""
    columns: dict[str, ImportColumn] = {}
    for intent in _intents(runtime, road, job):
        for change in intent.changes:
            columns.setdefault(
                change.field,
                ImportColumn(overwrite=change.rule not in FILLS_WHAT_IS_EMPTY, erase=change.after is None),
            )
    return dict(sorted(columns.items()))


def _lines(runtime: Runtime, road: ImportRoad, job: ImportJob) -> Iterator[ImportLine]:
    for intent in _intents(runtime, road, job):
        yield ImportLine(intent.prospect_id, {change.field: change.after for change in intent.changes})


def _intents(runtime: Runtime, road: ImportRoad, job: ImportJob) -> Iterator[Intent]:
    for rows in _pages(road, job):
        ours = {row.intent_id for row in rows}
        found = runtime.ledger.open([row.prospect_id for row in rows])
        yield from (intent for intent in found if intent.id in ours)


def _pages(road: ImportRoad, job: ImportJob) -> Iterator[Sequence[ImportRow]]:
    after = -1
    while rows := road.store.rows(job.id, after, _PAGE):
        yield rows
        after = rows[-1].prospect_id


def _refuse(runtime: Runtime, road: ImportRoad, job: ImportJob) -> None:
    """Rows that the vendor refused: on record, and on the desk in its words."""
    now = runtime.clock.now()
    refused = list(road.side.refused(_vendor(job)))
    rows = road.store.of({line.prospect_id for line in refused})
    ours = [line for line in refused if line.prospect_id in rows and rows[line.prospect_id].job == job.id]
    runtime.desk.report([item for line in ours for item in _line_items(line)])
    runtime.ledger.settle([_outcome(rows[line.prospect_id].intent_id, line, now) for line in ours])


def _outcome(intent_id: str, line: RefusedLine, now: datetime) -> Outcome:
    return Outcome(intent_id, now, Settled.REFUSED, words=line.words, code=line.code)


def _line_items(line: RefusedLine) -> list[DeskItem]:
    ref = Ref.prospect(line.prospect_id)
    return [
        DeskItem(Cause.REJECTED, ref, line.words, side=Side.ACCOUNT_ENGAGEMENT, code=line.code, field=name)
        for name in line.fields or ("",)
    ]


def _refused_item(wrong: Rejected | Misconfigured | Stale) -> DeskItem:
    return DeskItem(
        cause=Cause.MISCONFIGURED,
        ref=SERVICE,
        side=Side.ACCOUNT_ENGAGEMENT,
        words=f"Account Engagement does not take our imports: {wrong.words}",
        code=wrong.code,
        remedy="For an hour everything is written singly, which costs more calls; then an import is tried again.",
    )


def _failed_item(wrong: Stale | Rejected | Misconfigured | None = None) -> DeskItem:
    return DeskItem(
        cause=Cause.REJECTED,
        ref=SERVICE,
        side=Side.ACCOUNT_ENGAGEMENT,
        words="an import of ours failed or cannot be found; what it wrote is found out by reading",
        code=wrong.code if wrong else "",
        remedy="Nothing to do: what is missing is written singly.",
    )


def _vendor(job: ImportJob) -> str:
    if job.vendor_id is None:
        raise Stale("an import without an id")
    return job.vendor_id
