"""Make the mirror of prospects as fresh as reading every prospect would be: one delta query, merged row by row.

Hints for changed prospects go out *before* the mirror learns of the change: a crash between the two costs a
needless look, the other order would lose an edit.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from prospect_sync.errors import Misconfigured
from prospect_sync.flow.accept import accept
from prospect_sync.flow.covering import covered_before
from prospect_sync.flow.holds import doubt
from prospect_sync.flow.import_holds import in_open_import
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.sweep import BEGINNING, identify, low_mark, offered_up_to
from prospect_sync.memory import FieldChange, Mark, MirroredProspect
from prospect_sync.model import Hint, Lane, Prospect, Ref, Side
from prospect_sync.policy.behaviors import CONSENT_FIELDS
from prospect_sync.policy.mirroring import Circumstances, changed_values, observe
from prospect_sync.policy.values import equal
from prospect_sync.ports import ProspectSide

log = structlog.get_logger(__name__)

SOURCE = "prospects"
_MERGE_TRIES = 5


def refresh_mirror(runtime: Runtime, *, lane: Lane = Lane.LIVE, since: float) -> None:
    """Return once a refresh that started at or after ``since`` (a reading of ``Once.mark``) is complete.

    Raises:
        TryLater, Misconfigured: as the prospect side does.
    """
    runtime.once.share("mirror", since, lambda: _poll(runtime, lane), runtime.tuning.refresh_patience)


def _poll(runtime: Runtime, lane: Lane) -> None:
    try:
        poll_prospects(runtime, lane=lane)
    except Misconfigured as wrong:
        doubt(runtime, wrong.fields)  # one field that is gone there keeps all others from being read
        raise


def poll_prospects(runtime: Runtime, *, lane: Lane = Lane.LIVE, low: datetime | None = None) -> int:
    """Read everything that changed since the mark less the overlap; returns how many prospects turned out changed.

    ``low``: the inbox forgot its hints; look back to here and hint every prospect found, changed or not.

    Raises:
        TryLater, Misconfigured: as the prospect side does; TryLater also while a forgetful inbox waits for its sweep.
    """
    identity = runtime.inbox.identity() if low else identify(runtime)
    mark = runtime.marks.get(SOURCE)
    start = low or mark.complete or mark.cursor
    since = start - timedelta(seconds=runtime.tuning.prospect_overlap) if start else BEGINNING
    before, done = runtime.clock.now(), low_mark(runtime, SOURCE, mark.low, sweeping=low is not None)
    side = runtime.prospects(lane)
    hint_since = covered_before(runtime) if mark.complete is None and low is None else None
    found, began = 0, None
    for page in side.changed(since, runtime.queryable()):
        began = began or page.read_at
        found += len(
            absorb(
                runtime,
                side,
                page.rows,
                complete=mark.complete,
                hint_all=low is not None,
                query=True,
                hint_since=hint_since,
            )
        )
        if page.rows and mark.complete is None and page.rows[-1].modified.at:
            # the first load: a restart goes on from here
            runtime.marks.set(SOURCE, replace(mark, cursor=page.rows[-1].modified.at, low=done.at))
    began = began or before
    if runtime.inbox.identity() != identity:
        return found  # it forgot meanwhile: the mark stays, and the sweep looks back from it
    runtime.marks.set(SOURCE, Mark(cursor=began, complete=began, low=done.at))
    if done.renew:
        offered_up_to(runtime, SOURCE, began)
    return found


def absorb(
    runtime: Runtime,
    side: ProspectSide,
    rows: Sequence[Prospect],
    *,
    complete: datetime | None,
    hint_all: bool = False,
    query: bool = False,
    hint_since: datetime | None = None,
) -> frozenset[int]:
    """Merge answers into the mirror and hint the prospects whose mapped values changed; returns their ids.

    ``query``: the answers come from a query, which cannot show every field; where it shows news, the prospect is read whole.
    ``hint_since``: what was modified before needs no hint, because a resync compares it.
    """
    known = runtime.mirror.get([row.id for row in rows])
    if query and runtime.reads_singly():
        rows = _completed(runtime, side, rows, known)
    unsettled = _unsettled(runtime, rows, known)
    held = in_open_import(runtime, list(unsettled)) if unsettled else frozenset()
    changed: set[int] = set()
    pending = {row.id: row for row in rows}
    for _ in range(_MERGE_TRIES):
        merged = {
            row.id: observe(known.get(row.id), row, _around(runtime, complete, unsettled.get(row.id, ())))
            for row in pending.values()
        }
        news = [(known.get(key), after) for key, after in merged.items() if known.get(key) is not after]
        fresh = [after for before, after in news if _worth_a_look(runtime, before, after)]
        changed.update(after.id for after in fresh)
        told = [
            after
            for after in fresh
            if (hint_since is None or (after.modified.at or hint_since) >= hint_since)
            and not (after.id in held and _only_ours(runtime, known.get(after.id), after, unsettled[after.id]))
        ]
        accept(runtime, [_hint(runtime, known.get(after.id), after) for after in told])
        refused = runtime.mirror.put([after for _, after in news])
        pending = {key: row for key, row in pending.items() if key in refused}
        if not pending:
            break
        known = runtime.mirror.get(list(pending))
    if hint_all:
        accept(runtime, [Hint(row.ref, Lane.LIVE, origin="sweep") for row in rows])
    return frozenset(changed)


def read_again(runtime: Runtime, prospect_ids: Collection[int], lane: Lane) -> None:
    """Read prospects singly and merge what they show, e.g. once a doubt about their state can be settled."""
    if not prospect_ids:
        return
    side = runtime.prospects(lane)
    answers = side.read(prospect_ids, runtime.every_prospect_field())
    absorb(runtime, side, tuple(answers.values()), complete=runtime.marks.get(SOURCE).complete)


def _completed(
    runtime: Runtime, side: ProspectSide, rows: Sequence[Prospect], known: Mapping[int, MirroredProspect]
) -> Sequence[Prospect]:
    """Replace those rows that show news by whole prospects; a query cannot show multi-selects."""
    news = [row.id for row in rows if row.id not in known or known[row.id].modified != row.modified]
    whole = side.read(news, runtime.every_prospect_field()) if news else {}
    return [whole.get(row.id, row) for row in rows]


def _unsettled(
    runtime: Runtime, rows: Sequence[Prospect], known: Mapping[int, MirroredProspect]
) -> Mapping[int, Sequence[FieldChange]]:
    """Our own writes whose end is not known; an answer may show them under the name of somebody who came later."""
    moved = [row.id for row in rows if row.id in known and row.modified != known[row.id].modified]
    changes: dict[int, list[FieldChange]] = defaultdict(list)
    for intent in runtime.ledger.open(moved) if moved else ():
        if intent.side is Side.ACCOUNT_ENGAGEMENT:
            changes[intent.prospect_id].extend(intent.changes)
    return changes


def _around(runtime: Runtime, complete: datetime | None, unsettled: Sequence[FieldChange]) -> Circumstances:
    lag = timedelta(seconds=runtime.tuning.read_lag)
    return Circumstances(
        types=runtime.prospect_types(),
        connector=str(runtime.connector.account_engagement_user_id),
        now=runtime.clock.now(),
        lag=lag,
        complete=complete - lag if complete else None,
        unsettled=unsettled,
    )


def _worth_a_look(runtime: Runtime, before: MirroredProspect | None, after: MirroredProspect) -> bool:
    """A moved stamp alone is none: our own writes, scoring and activities move stamps all day."""
    if before is None:
        return True
    doubt = after.doubtful_until is not None and before.doubtful_until is None
    return doubt or bool(changed_values(before, after, runtime.prospect_types()))


def _only_ours(
    runtime: Runtime, before: MirroredProspect | None, after: MirroredProspect, unsettled: Sequence[FieldChange]
) -> bool:
    """Nothing but an import's values coming back: it hints its prospects when it is over."""
    if before is None or after.doubtful_until is not None:
        return False
    types = runtime.prospect_types()
    explained = {
        change.prospect_field
        for change in unsettled
        if change.prospect_field in after.fields
        and equal(types[change.prospect_field], after.fields[change.prospect_field].value, change.after)
    }
    return changed_values(before, after, types) <= explained


def _hint(runtime: Runtime, before: MirroredProspect | None, after: MirroredProspect) -> Hint:
    changed = changed_values(before, after, runtime.prospect_types()) if before else frozenset()
    lane = Lane.CONSENT if changed & CONSENT_FIELDS else Lane.LIVE
    return Hint(Ref.prospect(after.id), lane, due=after.doubtful_until, origin=SOURCE)
