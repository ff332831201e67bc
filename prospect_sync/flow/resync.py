"""Compare all pairs, step by step, and hint those that are not in step. A resync never writes and never decides.

Each step is short: it is claimed, its hints are safe in SQL and the inbox, and only then its checkpoint moves. Killed
anywhere, the next step does the last one again, which costs a call and changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import uuid4

import structlog

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.flow.accept import accept
from prospect_sync.flow.compare import Tally, compare_people, hint
from prospect_sync.flow.poll_people import watched
from prospect_sync.flow.refresh_mirror import SOURCE, absorb, refresh_mirror
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Cause, DeskItem, ResyncPhase, ResyncRun
from prospect_sync.model import Lane, Person, PersonType, RecordKind, Ref

log = structlog.get_logger(__name__)

ORIGIN = "resync"
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_EVER = datetime(9000, 1, 1, tzinfo=UTC)
_OURS = frozenset({ORIGIN, "import"})
_HIGHEST = "\uffff"
_PREFIXES = MappingProxyType({PersonType.LEAD: "00Q", PersonType.CONTACT: "003"})
_AT_ONCE = 2_000
_PAGES = 5
_LONG = frozenset({ResyncPhase.REFRESH, ResyncPhase.PROSPECTS})
_MISCONFIGURED_RETRY = 60.0
_SHORTEST_WAIT = 1.0
_SERVICE = Ref.service(ORIGIN)


def start_resync(runtime: Runtime, *, since: datetime | None = None, lane: Lane = Lane.BULK) -> tuple[ResyncRun, bool]:
    """Start a resync of everything, or of what changed since then; returns it and whether it is new.

    Where one is open already, that one is joined, whatever it covers.
    """
    first_load = runtime.marks.get(SOURCE).complete is None
    # the first load of the mirror reads every prospect anyway
    positions = {SOURCE: None} if first_load and since is None else {}
    wanted = ResyncRun(uuid4().hex[:12], runtime.clock.now(), lane, since, positions=positions)
    run = runtime.resyncs.start(wanted)
    new = run.id == wanted.id
    log.info("resync.started" if new else "resync.joined", run=run.id, since=since and since.isoformat())
    return run, new


def resync_step(runtime: Runtime) -> bool:
    """Do one step of the open resync; returns whether the next one can follow at once.

    Never raises TryLater or Misconfigured for its own calls: they become the run's waiting time.

    Raises:
        TryLater: a store cannot be reached.
    """
    run = runtime.resyncs.newest()
    if run is None or run.ended is not None or _too_much_waits(runtime, run):
        return False
    now = runtime.clock.now()
    tuning = runtime.tuning
    patience = tuning.refresh_patience if run.phase in _LONG else tuning.resync_claim
    claimed = runtime.resyncs.claim(run.id, now, now + timedelta(seconds=patience))
    if claimed is None:
        return False
    after = _waited(claimed, now)
    try:
        after = _STEPS[claimed.phase](runtime, after)
    except TryLater as later:
        after = _later(runtime, after, later.words, max(later.delay, _SHORTEST_WAIT))
    except Misconfigured as wrong:
        item = DeskItem(
            Cause.MISCONFIGURED, _SERVICE, wrong.words, code=wrong.code, remedy="The resync goes on by itself."
        )
        runtime.desk.report([item])
        after = _later(runtime, after, wrong.words, _MISCONFIGURED_RETRY)
    stored = runtime.resyncs.advance(replace(after, updated=runtime.clock.now()))
    moved = after.phase is not claimed.phase or after.positions != claimed.positions
    if moved:
        log.info("resync.step", run=run.id, phase=after.phase.value, seen=after.seen, hinted=after.hinted)
    return stored and moved and after.ended is None


def _too_much_waits(runtime: Runtime, run: ResyncRun) -> bool:
    """Hints wait in memory: no more are made while many wait."""
    if run.phase is ResyncPhase.DRAINING:
        return False
    return runtime.inbox.lanes()[run.lane].waiting >= runtime.tuning.resync_backlog


def _waited(run: ResyncRun, now: datetime) -> ResyncRun:
    if run.wait_until is None:
        return run
    return replace(run, waited=run.waited + (now - (run.updated or now)).total_seconds(), wait_until=None, words="")


def _later(runtime: Runtime, run: ResyncRun, words: str, delay: float) -> ResyncRun:
    until = runtime.clock.now() + timedelta(seconds=delay)
    log.warning("resync.later", run=run.id, words=words, until=until.isoformat())
    return replace(run, wait_until=until, words=words)


# ---------------------------------------------------------------------------------------------------- the steps


def _refresh(runtime: Runtime, run: ResyncRun) -> ResyncRun:
    refresh_mirror(runtime, lane=run.lane, since=runtime.once.mark())
    return replace(run, phase=ResyncPhase.PROSPECTS, total=0 if run.since else runtime.mirror.held(_prefixes(runtime)))


def _read_prospects(runtime: Runtime, run: ResyncRun) -> ResyncRun:
    """Read prospects anew, so that the mirror holds what they hold even where it missed something.

    Of everything they are only read here: comparing goes through the people. Of what changed, each one's person is read.
    """
    position = run.positions.get(SOURCE, (run.since or _BEGINNING).isoformat())
    if position is None:
        return replace(run, phase=ResyncPhase.PEOPLE)
    side, start = runtime.prospects(run.lane), datetime.fromisoformat(position)
    known = runtime.marks.get(SOURCE).complete
    for pages, page in enumerate(side.changed(start, runtime.queryable()), start=1):
        absorb(runtime, side, page.rows, complete=known, query=True, hint_since=run.started)
        if run.since is not None:
            run = _counted(runtime, run, _prospects(runtime, run, [row.id for row in page.rows]))
        reached = page.rows[-1].modified.at if page.rows else None
        if page.last:
            return _at(run, SOURCE, None, ResyncPhase.PEOPLE)
        if pages >= _PAGES and reached is not None and reached > start:
            return _at(run, SOURCE, reached.isoformat())
    return _at(run, SOURCE, None, ResyncPhase.PEOPLE)


def _prospects(runtime: Runtime, run: ResyncRun, prospect_ids: list[int]) -> Tally:
    """Compare these prospects with their people; those without one that can be seen are hinted."""
    mirrored = runtime.mirror.get(prospect_ids)
    couples = runtime.couples.of([Ref.prospect(key) for key in mirrored])
    people: dict[Ref, int] = {}
    alone: list[int] = []
    for key, row in mirrored.items():
        couple = couples.get(Ref.prospect(key))
        if couple is not None and couple.ended is None:
            people[couple.person] = key
        elif not row.deleted and (kind := _kind_of(row.salesforce_id)) is not None:
            people[Ref.person(kind, str(row.salesforce_id))] = key
        elif not row.deleted and row.email:
            alone.append(key)
    found = runtime.people(run.lane).read(list(people), runtime.person_fields())
    tally = compare_people(runtime, list(found.values()), run.lane)
    alone += [key for ref, key in people.items() if ref not in found]
    return tally + Tally(len(alone), hints=tuple(hint(Ref.prospect(key), run.lane) for key in alone))


def _compare(runtime: Runtime, run: ResyncRun) -> ResyncRun:
    """Compare the next page of leads and of contacts with the mirror."""
    after = {kind: position for kind in _kinds(runtime) if (position := run.positions.get(kind.value, "")) is not None}
    pages = runtime.people(run.lane).snapshot(after, runtime.person_fields(), since=run.since) if after else {}
    people = [person for page in pages.values() for person in page.rows]
    tally = compare_people(runtime, people, run.lane)
    positions: dict[str, str | None] = dict(run.positions)
    for kind, page in pages.items():
        last = page.rows[-1].id if page.rows and page.more else None
        if run.since is None:
            tally += _strays(runtime, run, after[kind] or _PREFIXES[kind], last or _PREFIXES[kind] + _HIGHEST, people)
        positions[kind.value] = last
    run = replace(_counted(runtime, run, tally), positions=positions)
    if any(positions.get(kind.value, "") is not None for kind in _kinds(runtime)):
        return run
    return replace(run, phase=ResyncPhase.LOOSE if run.since is None else ResyncPhase.DRAINING)


def _strays(runtime: Runtime, run: ResyncRun, after: str, until: str, people: Sequence[Person]) -> Tally:
    """Prospects that name a person of this stretch which is not there: deleted for good, or out of the user's sight."""
    there = {person.id for person in people}
    stray = [key for key, person_id in runtime.mirror.holders(after, until) if person_id not in there]
    return Tally(len(stray), hints=tuple(hint(Ref.prospect(key), run.lane) for key in stray))


def _loose(runtime: Runtime, run: ResyncRun) -> ResyncRun:
    """Prospects with an address and no person may find one, or get one made."""
    after = int(run.positions.get(ORIGIN) or 0)
    ids = runtime.mirror.loose(after, _AT_ONCE, tuple(_PREFIXES.values()))
    if not ids:
        return replace(run, phase=ResyncPhase.DRAINING)
    tally = Tally(len(ids), hints=tuple(hint(Ref.prospect(key), run.lane) for key in ids))
    return _at(_counted(runtime, run, tally), ORIGIN, str(ids[-1]))


def _drained(runtime: Runtime, run: ResyncRun) -> ResyncRun:
    if remaining(runtime, run):
        return run
    log.info("resync.done", run=run.id, seen=run.seen, in_step=run.in_step, hinted=run.hinted)
    runtime.desk.clear([_SERVICE])
    return replace(run, phase=ResyncPhase.DONE, ended=runtime.clock.now())


_STEPS: Mapping[ResyncPhase, Callable[[Runtime, ResyncRun], ResyncRun]] = MappingProxyType(
    {
        ResyncPhase.REFRESH: _refresh,
        ResyncPhase.PROSPECTS: _read_prospects,
        ResyncPhase.PEOPLE: _compare,
        ResyncPhase.LOOSE: _loose,
        ResyncPhase.DRAINING: _drained,
    }
)


def remaining(runtime: Runtime, run: ResyncRun) -> int:
    """Count the records this resync hinted that are neither worked on yet nor stand on the desk; imports are waited for."""
    carried = _in_imports(runtime)
    waiting = runtime.inbox.lanes()[run.lane].waiting
    if waiting > _AT_ONCE:
        return waiting + carried
    open_refs = {one.ref for one in runtime.marks.kept() if one.origin in _OURS}
    if open_refs:
        open_refs -= {ref for entry in runtime.desk.entries() for ref in entry.refs}
    return len(open_refs) + carried


def _in_imports(runtime: Runtime) -> int:
    if runtime.imports is None:
        return 0
    store = runtime.imports.store
    return sum(pool.rows for pool in store.pools()) + sum(job.rows for job in store.due(_EVER))


def _counted(runtime: Runtime, run: ResyncRun, tally: Tally) -> ResyncRun:
    """Bring the hints into safety, then count."""
    accept(runtime, tally.hints, keep=True)
    return replace(
        run, seen=run.seen + tally.seen, in_step=run.in_step + tally.in_step, hinted=run.hinted + len(tally.hints)
    )


def _at(run: ResyncRun, source: str, position: str | None, phase: ResyncPhase | None = None) -> ResyncRun:
    return replace(run, positions={**run.positions, source: position}, phase=phase or run.phase)


def _kinds(runtime: Runtime) -> list[PersonType]:
    return [PersonType(kind.value) for kind in watched(runtime) if kind is not RecordKind.ACCOUNT]


def _prefixes(runtime: Runtime) -> tuple[str, ...]:
    return tuple(_PREFIXES[kind] for kind in _kinds(runtime))


def _kind_of(salesforce_id: str | None) -> PersonType | None:
    return next((kind for kind, prefix in _PREFIXES.items() if (salesforce_id or "").startswith(prefix)), None)
