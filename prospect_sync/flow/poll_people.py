"""Find changed leads and contacts by their modification stamp and hint them: one position each, one API call a page.

Where a contact's company is its account's name, changed accounts are looked for by the same call; their contacts are
hinted, because a renamed account moves no contact's stamp.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from prospect_sync.flow.accept import accept
from prospect_sync.flow.covering import covered_before
from prospect_sync.flow.runtime import Runtime
from prospect_sync.flow.sweep import BEGINNING, identify, low_mark, offered_up_to
from prospect_sync.memory import Mark
from prospect_sync.model import Hint, Lane, PersonType, RecordKind, Ref
from prospect_sync.ports import Position, VersionPage


def watched(runtime: Runtime) -> tuple[RecordKind, ...]:
    """Name the kinds whose changes matter under this mapping, leads and contacts first."""
    fields = runtime.person_fields()
    kinds = [RecordKind(kind.value) for kind in PersonType if fields[kind]]
    by_account = any(row.prospect == "company" and row.contact for row in runtime.mapping.fields)
    return (*kinds, RecordKind.ACCOUNT) if by_account else tuple(kinds)


def poll_people(
    runtime: Runtime,
    *,
    lane: Lane = Lane.LIVE,
    low: datetime | None = None,
    kinds: Collection[RecordKind] = tuple(RecordKind),
) -> int:
    """Read the versions of all records changed since the marks less the overlap, hint the news; returns how many.

    Hints are in the inbox before a mark moves. ``low``: hints may have been lost; look back to here and hint everything.
    ``kinds``: look at these only.

    Raises:
        TryLater, Misconfigured: as the person side does; TryLater also while a forgetful inbox waits for its sweep.
    """
    identity = runtime.inbox.identity() if low else identify(runtime)
    overlap = timedelta(seconds=runtime.tuning.person_overlap)
    marks = {kind: _mark(runtime, kind) for kind in watched(runtime) if kind in kinds}
    lows = {kind: low_mark(runtime, kind.value, mark.low, sweeping=low is not None) for kind, mark in marks.items()}
    starts = {kind: low or mark.cursor for kind, mark in marks.items()}
    first = covered_before(runtime) if None in starts.values() else None
    positions = {kind: Position(start - overlap if start else first or BEGINNING) for kind, start in starts.items()}
    found = 0
    while positions:
        pages = runtime.people(lane).changed(positions)
        for kind, page in pages.items():
            found += _take(runtime, kind, page, lane, hint_all=low is not None)
            marks[kind] = _moved(marks[kind], page, lows[kind].at)
        if runtime.inbox.identity() != identity:
            return found  # it forgot meanwhile: the marks stay, and the sweep looks back from them
        for kind in pages:
            runtime.marks.set(kind.value, marks[kind])
            if not pages[kind].more and lows[kind].renew and (cursor := marks[kind].cursor):
                offered_up_to(runtime, kind.value, cursor)
        positions = {
            kind: Position(page.rows[-1].stamp, page.rows[-1].ref.id) for kind, page in pages.items() if page.more
        }
    return found


def _mark(runtime: Runtime, kind: RecordKind) -> Mark:
    """Accounts are looked at from now on: the first look at all contacts sees what they are called."""
    mark = runtime.marks.get(kind.value)
    return Mark(cursor=runtime.clock.now()) if kind is RecordKind.ACCOUNT and mark.cursor is None else mark


def _take(runtime: Runtime, kind: RecordKind, page: VersionPage, lane: Lane, *, hint_all: bool) -> int:
    """Hint the page's news, and only then remember having seen it: a crash between the two costs a second look."""
    if not page.rows:
        return 0
    news = page.rows if hint_all else runtime.marks.unseen(kind.value, page.rows)
    found = _hint(runtime, kind, [row.ref for row in news], lane)
    keep_since = page.rows[-1].stamp - timedelta(
        seconds=2 * runtime.tuning.person_overlap
    )  # no poll looks back further
    runtime.marks.saw(kind.value, page.rows, page.read_at, keep_since)
    return found


def _hint(runtime: Runtime, kind: RecordKind, refs: Sequence[Ref], lane: Lane) -> int:
    if kind is RecordKind.ACCOUNT:
        return hint_contacts_of(runtime, [ref.id for ref in refs], lane)
    named = known_by_their_prospects(runtime, refs)
    return accept(runtime, [Hint(ref, lane, origin=kind.value) for ref in named])


def hint_contacts_of(runtime: Runtime, account_ids: Collection[str], lane: Lane = Lane.LIVE) -> int:
    """Hint the contacts of these accounts that belong to a known pair; returns how many.

    Raises:
        TryLater, Misconfigured: as the person side does.
    """
    if not account_ids:
        return 0
    named = known_by_their_prospects(runtime, sorted(runtime.people(lane).of_accounts(account_ids)))
    known = [ref for ref in named if ref.kind is RecordKind.PROSPECT]
    return accept(runtime, [Hint(ref, lane, origin="Account") for ref in known])


def known_by_their_prospects(runtime: Runtime, people: Sequence[Ref]) -> list[Ref]:
    """Name each known pair by its prospect, so that the hints of its two records are one, and one worker's."""
    couples = runtime.couples.of(people)
    loose = [ref for ref in people if ref not in couples]
    holders = runtime.mirror.by_person([ref.id for ref in loose])
    living = {ref: [holder.id for holder in holders.get(ref.id, ()) if not holder.deleted] for ref in loose}
    names = {ref: couple.prospect for ref, couple in couples.items() if couple.ended is None}
    names |= {ref: Ref.prospect(found[0]) for ref, found in living.items() if found}
    return [names.get(ref, ref) for ref in people]


def _moved(mark: Mark, page: VersionPage, low: datetime) -> Mark:
    """The cursor follows the stamps; without rows it stands, and the overlap is counted from it."""
    cursor = page.rows[-1].stamp if page.rows else mark.cursor
    cursor = max(filter(None, (cursor, mark.cursor)), default=None)
    return replace(mark, cursor=cursor, low=low, complete=mark.complete if page.more else page.read_at)
