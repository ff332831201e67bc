"""Bring one batch of records into step: mirror, pairs, people and history, plans, writes, memory. The order is the argument."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from prospect_sync.flow.create import (
    NewProspect,
    create_persons,
    create_prospects,
    settle_found_persons,
    settle_found_prospects,
)
from prospect_sync.flow.decide import Work, decide
from prospect_sync.flow.meet import meet
from prospect_sync.flow.pairing import Assembly, assemble
from prospect_sync.flow.refresh_mirror import read_again, refresh_mirror
from prospect_sync.flow.report import Report
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.settle import settle_what_is_over
from prospect_sync.flow.turns import carry_out
from prospect_sync.flow.write_back import refs_of, write_back
from prospect_sync.memory import Batch, Cause, DeskItem
from prospect_sync.model import Hint, Problem, RecordKind, Side
from prospect_sync.ports import Deadline


@dataclass(slots=True)
class Result:
    """What a batch came to, in numbers and hints. ``rules`` counts decisions that write, by rule id."""

    pairs: int = 0
    unpaired: int = 0
    applied: int = 0
    refused: int = 0
    again: list[Hint] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)


def sync_batch(runtime: Runtime, batch: Batch, fence: int, since: float, deadline: Deadline) -> Result:
    """Sync the pairs that a batch's records belong to.

    ``since``: a reading of ``Once.mark`` made after the batch was taken; the mirror used is at least that fresh.

    Raises:
        TryLater, Misconfigured: nothing could be read; the whole batch is to come back.
        LeaseLost: the lease ran out; what was written is on record.
    """
    refresh_mirror(runtime, lane=batch.lane, since=since)
    _settle_doubts(runtime, batch)
    assembly = assemble(runtime, batch)
    settle_found_prospects(runtime, assembly.met)
    assembly.again.extend(settle_what_is_over(runtime, batch, assembly.over))
    _read_whole(runtime, batch, assembly)
    works = decide(runtime, batch, assembly)
    _settle(runtime, fence, works)
    report = Report()
    meeting = meet(runtime, batch, assembly.loose, report)
    changed = [one for work in works if (one := new_address(work)) is not None]
    try:
        carry_out(runtime, batch, fence, [*assembly.chores, *meeting.links], deadline, report)
        settle_found_persons(runtime, [chore.prospect.id for chore in meeting.links])
        create_persons(runtime, batch, fence, meeting.persons, deadline, report)
        create_prospects(runtime, batch, fence, [*meeting.prospects, *changed], deadline, report)
        write_back(runtime, batch, fence, works, deadline, report)
    finally:
        _remember(runtime, fence, works, report)
    _tell_the_desk(runtime, works, assembly, report)
    return Result(
        pairs=len(works),
        unpaired=len(assembly.unpaired & batch.refs) + meeting.alone,
        applied=report.applied,
        refused=report.refused,
        again=[*assembly.again, *report.again],
        rules=Counter(decision.rule for work in works for decision in work.plan.decisions if decision.winner),
    )


def new_address(work: Work) -> NewProspect | None:
    """EM-2: the person's address changed, so a new prospect is made for it, and the old one stops."""
    action = next((action for action in work.plan.actions if action.action == "create_prospect"), None)
    if action is None:
        return None
    address = str(action.details["email"]).strip().lower()
    return NewProspect(work.person, address, action.rule, ended=work.couple, old=work.mirrored)


def _settle_doubts(runtime: Runtime, batch: Batch) -> None:
    """Read those prospects again whose answers contradicted each other, once the lag has passed."""
    ids = [int(ref.id) for ref in batch.refs if ref.kind is RecordKind.PROSPECT]
    now = runtime.clock.now()
    doubtful = [
        row.id
        for row in runtime.mirror.get(ids).values()
        if row.doubtful_until is not None and row.doubtful_until <= now
    ]
    read_again(runtime, doubtful, batch.lane)


def _read_whole(runtime: Runtime, batch: Batch, assembly: Assembly) -> None:
    """Read those prospects of which the mirror lacks a field, because the mapping has it only since they changed last."""
    mapped = {row.prospect for row in runtime.mapping.fields}
    lacking = [pair.prospect.id for pair in assembly.pairs if not mapped <= pair.prospect.fields.keys()]
    if not lacking:
        return
    read_again(runtime, lacking, batch.lane)
    whole = runtime.mirror.get(lacking)
    assembly.pairs = [replace(pair, prospect=whole.get(pair.prospect.id, pair.prospect)) for pair in assembly.pairs]


def _settle(runtime: Runtime, fence: int, works: Sequence[Work]) -> None:
    """Close intents that were open. The couples come first: a closed intent no longer tells that a value is our own."""
    found = [work for work in works if work.outcomes]
    if not found:
        return
    refused = runtime.couples.save([work.couple for work in found], fence)
    kept = [work for work in found if work.couple.prospect not in refused]
    runtime.ledger.settle([outcome for work in kept for outcome in work.outcomes])
    for work in kept:
        work.loaded = work.couple


def _remember(runtime: Runtime, fence: int, works: Sequence[Work], report: Report) -> None:
    """Save what each couple agreed on, even where write-back broke off: what was applied was applied."""
    changed = []
    for work in works:
        couple = work.couple
        if couple.prospect_id not in report.unfinished:
            couple = replace(couple, relinked=False)
        if couple != work.loaded:
            changed.append(couple)
    if changed:
        runtime.couples.save(changed, fence)


def _tell_the_desk(runtime: Runtime, works: Sequence[Work], assembly: Assembly, report: Report) -> None:
    """Put up what a person should see; entries of pairs that have nothing to report any more go away."""
    items = [*assembly.desk, *report.desk]
    for work in works:
        items.extend(_problem(work, problem) for problem in work.plan.problems)
    runtime.desk.clear(refs_of(works) | assembly.unpaired, keep=items)
    runtime.desk.report(items)


def _problem(work: Work, problem: Problem) -> DeskItem:
    causes = {"UNREAD": Cause.UNREAD, "OO-2": Cause.MISCONFIGURED, "ECHO": Cause.ECHO, "EM-1": Cause.NOTICE}
    return DeskItem(
        cause=causes.get(problem.rule, Cause.CONFLICT),
        ref=work.couple.person,
        side=Side.SALESFORCE,
        field=problem.prospect_field or "",
        rule=problem.rule,
        words=problem.message,
    )
