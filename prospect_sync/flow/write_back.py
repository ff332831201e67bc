"""Carry plans out: intents first, then the calls, then the outcomes; a refused field never holds the record's others back.

Salesforce first (guarded and unguarded apart), then Account Engagement. What failed is sorted into the four words here
once; nothing is retried blindly, and nothing is retried that another mechanism retries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from prospect_sync.errors import LeaseLost, Misconfigured, Rejected, Stale, SyncError, TryLater
from prospect_sync.flow.collect import collect
from prospect_sync.flow.decide import Work
from prospect_sync.flow.holds import doubt
from prospect_sync.flow.jobs import Job, intent_of
from prospect_sync.flow.own_writes import OwnWrite, enter
from prospect_sync.flow.report import Report
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.settle import arrived
from prospect_sync.memory import Batch, Cause, Couple, DeskItem, FieldChange, Outcome, Settled
from prospect_sync.model import Decision, Echo, Hint, Ref, Side
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.policy.values import equal
from prospect_sync.ports import Deadline, Write, Written

_ROUNDS = 4
_GROUP = 20
_MISCONFIGURED_RETRY = 300.0
_STALE_RETRY = 1800.0


def write_back(
    runtime: Runtime, batch: Batch, fence: int, works: Sequence[Work], deadline: Deadline, report: Report
) -> None:
    """Write what the plans say and remember what was applied, in the ledger, the mirror and each work's couple.

    ``report`` is filled as things happen, so that it is true even where the work breaks off.

    Raises:
        LeaseLost: the lease ran out; what was not sent is recorded as unsent.
    """
    jobs = collect(runtime, batch, fence, [job for work in works for job in _jobs(work)], report)
    for _ in range(_ROUNDS):
        if not jobs:
            break
        jobs = _round(runtime, batch, fence, jobs, deadline, report)
    for job in jobs:
        _later(runtime, batch, job, report, runtime.tuning.busy_retry)


def _jobs(work: Work) -> Iterable[Job]:
    decisions = {decision.prospect_field: decision for decision in work.plan.decisions if decision.winner}
    person = tuple(
        _change(decision, decision.person_field, work.person.values, work.plan.person_changes)
        for decision in decisions.values()
        if decision.winner is Side.ACCOUNT_ENGAGEMENT and decision.person_field in work.plan.person_changes
    )
    prospect = tuple(
        _change(decision, decision.prospect_field, work.pair.prospect.values, work.plan.prospect_changes)
        for decision in decisions.values()
        if decision.winner is Side.SALESFORCE and decision.prospect_field in work.plan.prospect_changes
    )
    if person:
        yield Job(work, Side.SALESFORCE, person)
    if prospect:
        yield Job(work, Side.ACCOUNT_ENGAGEMENT, prospect)


def _change(decision: Decision, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> FieldChange:
    return FieldChange(
        prospect_field=decision.prospect_field,
        field=name,
        before=before.get(name),
        after=after[name],
        rule=decision.rule,
        guarded=decision.guarded,
        evidence=decision.evidence,
        origin=decision.origin,
    )


def _round(
    runtime: Runtime, batch: Batch, fence: int, jobs: Sequence[Job], deadline: Deadline, report: Report
) -> list[Job]:
    """Send all jobs, group by group; returns what to try again."""
    groups = list(_groups(jobs))
    retry: list[Job] = []
    for place, group in enumerate(groups):
        try:
            retry.extend(_send(runtime, batch, fence, group, deadline, report))
        except LeaseLost:
            report.unfinished.update(job.work.couple.prospect_id for later in groups[place + 1 :] for job in later)
            raise
    return retry


def _groups(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """Salesforce's writes in one go; Account Engagement's a few at a time, so that each intent is hardly older than its call."""
    people = [job for job in jobs if job.side is Side.SALESFORCE]
    if people:
        yield people
    prospects = [job for job in jobs if job.side is Side.ACCOUNT_ENGAGEMENT]
    for start in range(0, len(prospects), _GROUP):
        yield prospects[start : start + _GROUP]


def _send(
    runtime: Runtime, batch: Batch, fence: int, jobs: Sequence[Job], deadline: Deadline, report: Report
) -> list[Job]:
    """Record the intents, send the calls, record outcomes as they come; returns what to try again."""
    for job in jobs:
        job.intent = intent_of(runtime, batch, fence, job)
    runtime.ledger.intend([job.intent for job in jobs if job.intent])
    open_jobs = {job.intent.id: job for job in jobs if job.intent}
    retry: list[Job] = []
    try:
        for results in _results(runtime, batch, jobs, deadline):
            retry.extend(_record(runtime, batch, fence, open_jobs, results, report))
    except LeaseLost as lost:
        unsent = [_outcome(runtime, intent_id, Settled.UNSENT, lost) for intent_id in open_jobs]
        runtime.ledger.settle(unsent)
        report.unfinished.update(job.work.couple.prospect_id for job in open_jobs.values())
        raise
    return retry


@dataclass(frozen=True, slots=True)
class _Promptly:
    """A deadline that also refuses calls long after their intents: from these it is counted how long a write may be hidden."""

    runtime: Runtime
    deadline: Deadline
    until: datetime

    def allow(self, seconds: float) -> float:
        if self.runtime.clock.now() > self.until:
            raise TryLater("the calls before this one took too long", delay=self.runtime.tuning.busy_retry)
        return self.deadline.allow(seconds)


def _results(runtime: Runtime, batch: Batch, jobs: Sequence[Job], deadline: Deadline) -> Iterable[Sequence[Written]]:
    """Send the calls of one group."""
    people = runtime.people(batch.lane)
    together = [_write(job) for job in jobs if job.side is Side.SALESFORCE and not job.alone]
    if together:
        yield from people.write(together, deadline)
    for job in jobs:
        if job.side is Side.SALESFORCE and job.alone:
            yield from people.write([_write(job)], deadline)
    prospects = [_write(job) for job in jobs if job.side is Side.ACCOUNT_ENGAGEMENT]
    if prospects:
        yield from _gathered(runtime, batch, prospects, deadline)


def _gathered(
    runtime: Runtime, batch: Batch, writes: Sequence[Write], deadline: Deadline
) -> Iterable[Sequence[Written]]:
    """Account Engagement answers one by one; its answers are gathered so that recording them is not the work."""
    until = runtime.clock.now() + timedelta(seconds=runtime.tuning.send_window)
    gathered: list[Written] = []
    try:
        for results in runtime.prospects(batch.lane).write(writes, _Promptly(runtime, deadline, until)):
            gathered.extend(results)
    except LeaseLost:
        yield gathered  # what was answered before the lease was lost is recorded too
        raise
    yield gathered


def _write(job: Job) -> Write:
    intent = job.intent
    if intent is None:
        raise ValueError("a write needs its intent first")
    since = job.work.person.modified.at if job.side is Side.SALESFORCE and job.guarded else None
    return Write(intent.id, intent.written, {change.field: change.after for change in job.changes}, since)


def _record(
    runtime: Runtime,
    batch: Batch,
    fence: int,
    open_jobs: dict[str, Job],
    results: Sequence[Written],
    report: Report,
) -> list[Job]:
    """Record the outcomes of one call (or a few): mirror and couples, then the ledger; sort the failures.

    The ledger comes last: what dies before it leaves an open intent, which is settled by reading, and nothing is forgotten.
    """
    outcomes: list[Outcome] = []
    retry: list[Job] = []
    applied: list[tuple[Job, Written]] = []
    for result in results:
        job = open_jobs.pop(result.write.intent_id)
        if result.error is None:
            applied.append((job, result))
            outcomes.append(_outcome(runtime, result.write.intent_id, Settled.APPLIED, None, result))
        elif result.unknown:
            _unknown(runtime, batch, job, report)
        else:
            settled = Settled.REFUSED if isinstance(result.error, Rejected | Misconfigured) else Settled.UNSENT
            outcomes.append(_outcome(runtime, result.write.intent_id, settled, result.error))
            report.refused += 1
            again = _failed(runtime, batch, job, result.error, report)
            if again is not None:
                retry.append(again)
    _remember(runtime, fence, applied)
    runtime.ledger.settle(outcomes)
    report.applied += len(applied)
    return retry


def _outcome(
    runtime: Runtime, intent_id: str, settled: Settled, error: SyncError | None, result: Written | None = None
) -> Outcome:
    return Outcome(
        intent_id=intent_id,
        at=runtime.clock.now(),
        settled=settled,
        words=error.words if error else "",
        code=error.code if error else "",
        stamp=result.modified.at if result else None,
    )


def _remember(runtime: Runtime, fence: int, applied: Sequence[tuple[Job, Written]]) -> None:
    """Enter applied writes into couples and mirror: what was stored, with its origin's time, and what both now agree on."""
    types = runtime.prospect_types()
    stored: dict[int, OwnWrite] = {}
    for job, result in applied:
        if job.side is Side.SALESFORCE:
            values = job.work.pair.prospect.values
            agreed = {change.prospect_field: values.get(change.prospect_field) for change in job.changes}
            couple = arrived(job.work.couple, job.changes)
            job.work.couple = replace(couple, base={**couple.base, **agreed})
        else:
            job.work.couple = _answered(job, result, types)
            stored[job.work.couple.prospect_id] = _own_write(runtime, job, result)
    enter(runtime, stored)
    works = {job.work.couple.prospect_id: job.work for job, _ in applied}
    if works:
        runtime.couples.save([work.couple for work in works.values()], fence)
    for work in works.values():
        work.loaded = work.couple


def _answered(job: Job, result: Written, types: Mapping[str, FieldType]) -> Couple:
    """Account Engagement shows at once how it stored a write: as sent, and both sides agree; otherwise, and it is an echo."""
    couple = job.work.couple
    base, echo = dict(couple.base), dict(couple.echo)
    for change in job.changes:
        name = change.prospect_field
        value = (result.stored or {}).get(change.field, change.after)
        if equal(types[name], value, change.after):
            base[name] = value
            echo.pop(name, None)
        else:
            echo[name] = Echo(written=change.after, stored=value)
            base.pop(name, None)
    return replace(couple, base=base, echo=echo)


def _own_write(runtime: Runtime, job: Job, result: Written) -> OwnWrite:
    return OwnWrite(
        values={change.field: (result.stored or {}).get(change.field, change.after) for change in job.changes},
        stamp=result.modified.at or runtime.clock.now(),
        origins={change.field: change.origin for change in job.changes if change.origin is not None},
    )


def _unknown(runtime: Runtime, batch: Batch, job: Job, report: Report) -> None:
    """The answer was lost: the intent stays open until reading tells, which Account Engagement allows only after its lag."""
    wait = 1.0 if job.side is Side.SALESFORCE else runtime.tuning.whole_lag.total_seconds()
    _later(runtime, batch, job, report, wait)


def _later(runtime: Runtime, batch: Batch, job: Job, report: Report, delay: float) -> None:
    report.unfinished.add(job.work.couple.prospect_id)
    due = runtime.clock.now() + timedelta(seconds=delay)
    report.again.append(Hint(job.work.couple.prospect, batch.lane, due, origin="again"))


def _failed(runtime: Runtime, batch: Batch, job: Job, error: SyncError, report: Report) -> Job | None:
    """Sort one failed write; returns the job to try once more in this batch, if any."""
    match error:
        case Stale():
            _stale(runtime, batch, job, error, report)
        case TryLater() if error.reason == "lock" and not job.alone:
            return replace(job, alone=True)
        case TryLater():
            _later(runtime, batch, job, report, error.delay)
        case Rejected() | Misconfigured():
            report.desk.extend(_refusals(job, error))
            return _without(runtime, batch, job, error, report)
    return None


def _stale(runtime: Runtime, batch: Batch, job: Job, error: Stale, report: Report) -> None:
    """The record changed under our hands: read again and decide again, soon for some times, then seldom."""
    tries = runtime.tuning.stale_tries
    rows = runtime.ledger.rows(prospect_id=job.work.couple.prospect_id, newest=2 * tries)
    before = [row.outcome for row in rows if row.outcome is not None and row.intent.side is job.side]
    same = [(outcome.settled, outcome.code) == (Settled.UNSENT, error.code) for outcome in before]
    in_a_row = next((n for n, stale in enumerate(same) if not stale), len(same))
    if in_a_row < tries - 1:
        _later(runtime, batch, job, report, 0.2 * 2**in_a_row)
        return
    report.desk.append(
        DeskItem(
            cause=Cause.CONFLICT,
            ref=job.work.couple.person,
            side=job.side,
            words="the record keeps changing while it is being synced, or is gone",
            remedy="Look for an automation that edits this record all the time, and whether the record is still there.",
        )
    )
    _later(runtime, batch, job, report, _STALE_RETRY)


def _refusals(job: Job, error: Rejected | Misconfigured) -> list[DeskItem]:
    ref = job.work.couple.person if job.side is Side.SALESFORCE else job.work.couple.prospect
    cause = Cause.MISCONFIGURED if isinstance(error, Misconfigured) else Cause.REJECTED
    rules = {change.field: change.rule for change in job.changes}
    return [
        DeskItem(cause, ref, error.words, side=job.side, code=error.code, field=name, rule=rules.get(name, ""))
        for name in _blamed(job, error) or ("",)
    ]


def _blamed(job: Job, error: Rejected | Misconfigured) -> tuple[str, ...]:
    """The fields of this write that the error names, in the vendor's own spelling, whatever its case."""
    named = {name.lower() for name in error.fields}
    return tuple(change.field for change in job.changes if change.field.lower() in named)


def _without(runtime: Runtime, batch: Batch, job: Job, error: Rejected | Misconfigured, report: Report) -> Job | None:
    """A refused field never holds back the others: the rest is written without it."""
    blamed = set(_blamed(job, error))
    rest = tuple(change for change in job.changes if change.field not in blamed)
    if isinstance(error, Misconfigured):
        doubt(runtime, [change.prospect_field for change in job.changes if change.field in blamed])
    report.unfinished.add(job.work.couple.prospect_id)
    if blamed and rest:
        return replace(job, changes=rest)
    if isinstance(error, Misconfigured) and not blamed:
        _later(runtime, batch, job, report, _MISCONFIGURED_RETRY)
    return None


def refs_of(works: Iterable[Work]) -> set[Ref]:
    """Both records of each work."""
    return {ref for work in works for ref in (work.couple.prospect, work.couple.person)}
