"""Carry out what becomes of pairs as a whole: intents first, then Account Engagement's call, then memory, then the outcome.

Every step may be repeated: deleting what is deleted, restoring what is there and linking what is linked change nothing, so
a worker that dies between any two lines is followed by one that does it again. Salesforce is never written to here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from prospect_sync.errors import LeaseLost, Misconfigured, Rejected, SyncError, TryLater
from prospect_sync.flow.own_writes import OwnWrite, enter
from prospect_sync.flow.report import Report
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import (
    Batch,
    Cause,
    Couple,
    DeskItem,
    FieldChange,
    Intent,
    MirroredProspect,
    Opening,
    Outcome,
    Settled,
)
from prospect_sync.model import Hint, Ref, Side
from prospect_sync.policy.life import Step, Turn
from prospect_sync.ports import Deadline, ProspectSide, Write, Written

_MISCONFIGURED_RETRY = 300.0
DELETED_MARK = "[[crm_deleted]]"


@dataclass(frozen=True, slots=True)
class Chore:
    """One pair-level step that is due: what is written to the prospect (nothing where ``field`` is empty), and what is then so.

    ``then``: couples to be saved once it is done, ended ones among them.
    """

    rule: str
    prospect: MirroredProspect
    person: Ref
    then: tuple[Couple, ...]
    field: str = ""
    value: Any = None
    look_again: bool = False


def chores_of(couple: Couple, prospect: MirroredProspect, turn: Turn) -> list[Chore]:
    """Spell out a turn; a prospect that leaves because of a merge is marked first, as natively (LC-2)."""
    ended = replace(couple, ended=turn.rule)
    person = couple.person
    match turn.step:
        case Step.END:
            return [Chore(turn.rule, prospect, person, (ended,))]
        case Step.DELETE_PROSPECT if turn.rule == "LC-2":
            return [
                Chore(turn.rule, prospect, person, (), "salesforceId", DELETED_MARK),
                Chore(turn.rule, prospect, person, (ended,), "isDeleted", value=True),
            ]
        case Step.DELETE_PROSPECT:
            return [Chore(turn.rule, prospect, person, (ended,), "isDeleted", value=True)]
        case Step.RESTORE_PROSPECT:
            living = replace(couple, ended=None, relinked=True, base={}, echo={}, seen={})
            return [Chore(turn.rule, prospect, person, (living,), "isDeleted", value=False, look_again=True)]
        case Step.MOVE if turn.target is not None:
            return [linking(turn.rule, prospect, turn.target, ended, turn.opening)]
    raise ValueError(f"no chore for {turn}")


def linking(
    rule: str, prospect: MirroredProspect, person: Ref, ended: Couple | None = None, opening: Opening = Opening.FRESH
) -> Chore:
    """Link a prospect to a person, both in memory and by the id that the prospect holds."""
    # what we last wrote into the lead stands in the contact now: it is still told from others' values by it
    written = ended.written if ended is not None and opening is Opening.CARRY else {}
    couple = Couple(prospect.id, person, written=written, opening=opening)
    then = (couple,) if ended is None else (ended, couple)
    return Chore(rule, prospect, person, then, "salesforceId", person.id, look_again=True)


def carry_out(
    runtime: Runtime, batch: Batch, fence: int, chores: Sequence[Chore], deadline: Deadline, report: Report
) -> None:
    """Do the chores, those of one prospect in their order.

    Raises:
        LeaseLost: the lease ran out; what was not sent is recorded as unsent.
    """
    rounds: dict[int, list[Chore]] = defaultdict(list)
    for chore in chores:
        rounds[chore.prospect.id].append(chore)
    while rounds:
        firsts = [waiting.pop(0) for waiting in rounds.values()]
        failed = _round(runtime, batch, fence, firsts, deadline, report)
        rounds = {key: waiting for key, waiting in rounds.items() if waiting and key not in failed}


def _round(
    runtime: Runtime, batch: Batch, fence: int, chores: Sequence[Chore], deadline: Deadline, report: Report
) -> set[int]:
    """One chore per prospect; returns the prospects whose chore did not succeed."""
    for chore in chores:
        if not chore.field:
            _done(runtime, batch, fence, chore, report)
    calls = {_new_id(): chore for chore in chores if chore.field}
    if not calls:
        return set()
    runtime.ledger.intend([_intent(runtime, batch, fence, key, chore) for key, chore in calls.items()])
    failed: set[int] = set()
    side = runtime.prospects(batch.lane)
    waiting = dict(calls)
    try:
        for results in _send(side, calls, deadline):
            for result in results:
                chore = waiting.pop(result.write.intent_id)
                if not _settle(runtime, batch, fence, chore, result, report):
                    failed.add(chore.prospect.id)
    except LeaseLost as lost:
        runtime.ledger.settle([_outcome(runtime, key, Settled.UNSENT, lost) for key in waiting])
        raise
    return failed


def _send(side: ProspectSide, calls: dict[str, Chore], deadline: Deadline) -> Iterator[Sequence[Written]]:
    kinds: tuple[tuple[Callable[..., Iterator[Sequence[Written]]], Callable[[Chore], bool]], ...] = (
        (side.write, lambda chore: chore.field != "isDeleted"),
        (side.delete, lambda chore: chore.field == "isDeleted" and chore.value is True),
        (side.restore, lambda chore: chore.field == "isDeleted" and chore.value is False),
    )
    for call, belongs in kinds:
        writes = [_write(key, chore) for key, chore in calls.items() if belongs(chore)]
        if writes:
            yield from call(writes, deadline)


def _write(intent_id: str, chore: Chore) -> Write:
    changes = {chore.field: chore.value}
    if chore.field == "isDeleted":
        changes = {} if chore.value else {"email": chore.prospect.email}
    return Write(intent_id, Ref.prospect(chore.prospect.id), changes)


def _intent(runtime: Runtime, batch: Batch, fence: int, key: str, chore: Chore) -> Intent:
    before = chore.prospect.fields[chore.field].value if chore.field in chore.prospect.fields else None
    change = FieldChange(chore.field, chore.field, before, chore.value, chore.rule)
    return Intent(
        id=key,
        at=runtime.clock.now(),
        batch=batch.id,
        fence=fence,
        prospect_id=chore.prospect.id,
        person=chore.person,
        side=Side.ACCOUNT_ENGAGEMENT,
        changes=(change,),
        mapping_version=runtime.mapping.version,
    )


def _settle(runtime: Runtime, batch: Batch, fence: int, chore: Chore, result: Written, report: Report) -> bool:
    """Remember a done chore, sort a failed one; tells whether it was done."""
    key = result.write.intent_id
    if result.unknown:
        later(runtime, batch, chore.prospect.id, report, runtime.tuning.whole_lag.total_seconds())
        return False
    if result.error is not None:
        refused = isinstance(result.error, Rejected | Misconfigured)
        runtime.ledger.settle([_outcome(runtime, key, Settled.REFUSED if refused else Settled.UNSENT, result.error)])
        report.refused += 1
        failed(runtime, batch, Ref.prospect(chore.prospect.id), chore.rule, result.error, report)
        return False
    stamp = result.modified.at or runtime.clock.now()
    enter(runtime, {chore.prospect.id: OwnWrite({chore.field: chore.value}, stamp)})
    _done(runtime, batch, fence, chore, report)
    runtime.ledger.settle([replace(_outcome(runtime, key, Settled.APPLIED, None), stamp=result.modified.at)])
    report.applied += 1
    return True


def _done(runtime: Runtime, batch: Batch, fence: int, chore: Chore, report: Report) -> None:
    refused = runtime.couples.save(chore.then, fence) if chore.then else frozenset()
    if refused:
        words = "its counterpart already belongs to another pair"
        item = DeskItem(
            Cause.AMBIGUOUS,
            Ref.prospect(chore.prospect.id),
            words,
            rule=chore.rule,
            remedy="Merge the two, or clear one link.",
        )
        report.desk.append(item)
    elif chore.look_again:
        later(runtime, batch, chore.prospect.id, report, 0.0)


def later(runtime: Runtime, batch: Batch, prospect_id: int, report: Report, delay: float) -> None:
    """Offer a pair again after ``delay`` seconds."""
    report.unfinished.add(prospect_id)
    due = runtime.clock.now() + timedelta(seconds=delay)
    report.again.append(Hint(Ref.prospect(prospect_id), batch.lane, due, origin="again"))


def failed(runtime: Runtime, batch: Batch, ref: Ref, rule: str, error: SyncError, report: Report) -> None:
    """Sort one failure that concerns a record as a whole."""
    due = runtime.clock.now()
    match error:
        case TryLater():
            report.again.append(Hint(ref, batch.lane, due + timedelta(seconds=error.delay), origin="again"))
        case Rejected() | Misconfigured():
            cause = Cause.MISCONFIGURED if isinstance(error, Misconfigured) else Cause.REJECTED
            named = error.fields or ("",)
            report.desk.extend(
                DeskItem(cause, ref, error.words, side=Side.ACCOUNT_ENGAGEMENT, code=error.code, field=name, rule=rule)
                for name in named
            )
            if isinstance(error, Misconfigured):
                again = due + timedelta(seconds=_MISCONFIGURED_RETRY)
                report.again.append(Hint(ref, batch.lane, again, origin="again"))
        case _:
            report.again.append(Hint(ref, batch.lane, due + timedelta(seconds=1), origin="again"))


def _outcome(runtime: Runtime, key: str, settled: Settled, error: SyncError | None) -> Outcome:
    words, code = (error.words, error.code) if error else ("", "")
    return Outcome(key, runtime.clock.now(), settled, words, code)


def _new_id() -> str:
    return uuid4().hex


def refs(chores: Iterable[Chore]) -> set[Ref]:
    """Both records of each chore."""
    return {ref for chore in chores for ref in (Ref.prospect(chore.prospect.id), chore.person)}
