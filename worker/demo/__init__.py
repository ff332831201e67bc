"""The demo: the whole product on two pretend orgs, watched from outside and judged by an independent oracle."""

import json
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from prospect_sync.errors import ProspectSyncError
from prospect_sync.memory import LedgerRow
from prospect_sync.sandbox.users import sandbox_users
from prospect_sync.stores.clock import SystemClock
from prospect_sync.stores.sql import SqlDesk, SqlLedger
from worker.demo import explain, figures, judge, report
from worker.demo.acts import Play
from worker.demo.edits import linked_pairs, write_script
from worker.demo.figures import Figures
from worker.demo.pairs import make_orgs
from worker.demo.people import SAMPLE, read_pairs
from worker.demo.progress import Progress
from worker.demo.stage import Pace, Stage, set_stage

_QUIET_CYCLES = 5
_WHOLE_LEDGER = 10_000_000


def run_demo(
    pairs: int = 1000, seed: int = 1, *, seconds: float = 12, json_file: Path | None = None, keep: bool = False
) -> int:
    """Run the demo and print its report; gives the exit code: 0 when every pair is as it must be, 1 when one is not.

    ``seconds``: how long the users edit. ``json_file``: where to write the figures. ``keep``: leave the data behind.
    """
    console = Console()
    previous = signal.signal(signal.SIGTERM, _interrupted)
    try:
        found, explained = _perform(console, pairs, seed, seconds, keep=keep)
    except KeyboardInterrupt:
        console.print("Interrupted; everything that was started is ended.")
        return 130
    except ProspectSyncError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    finally:
        signal.signal(signal.SIGTERM, previous)
    report.show(console, found, explained)
    if json_file is not None:
        json_file.write_text(json.dumps({**found.as_json(), "explained": explained}, indent=2) + "\n", encoding="utf-8")
    return 1 if found.problems else 0


def _interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def _perform(console: Console, pairs: int, seed: int, seconds: float, *, keep: bool) -> tuple[Figures, list[str]]:
    pace, clock, began = Pace(), SystemClock(), time.monotonic()
    orgs = make_orgs(read_pairs(SAMPLE, pairs, seed), seed, _midnight(clock.now()), sandbox_users())
    found = Figures(pairs=pairs, seed=seed, settings=asdict(pace))
    with Progress(console, pairs) as progress, set_stage(orgs.as_json(), pace, keep=keep) as stage:
        if keep:
            console.print(f"Everything is kept in {stage.directory}")
        play = Play(stage, max(pace.people, pace.prospects), progress.tell)
        _acts(play, found, seconds, seed)
        ledger = SqlLedger(stage.engine).rows(newest=_WHOLE_LEDGER)
        _from_memory(found, play, ledger, stage, clock)
        explained = explain.three(ledger)
    found.seconds = round(time.monotonic() - began, 1)
    return found, explained


def _acts(play: Play, found: Figures, seconds: float, seed: int) -> None:
    stage, followed = play.stage, play.followed
    connector = stage.contract["users"]["connector"]
    before = stage.admin.dump()
    started = time.monotonic()
    stage.open_curtain()
    play.first_sync(found.pairs)
    first, first_done = followed.place, play.last_work
    agreed = stage.admin.dump()
    found.wrong_after_first = judge.wrong_by_oracle(before, agreed, (), connector)
    script = write_script(linked_pairs(agreed), seconds, seed)
    began = time.monotonic()
    edits = play.edits(script.edits)
    live, live_done = followed.place, play.last_work
    calm = time.monotonic()
    found.quiet_cycles = play.quiet_cycles(_QUIET_CYCLES)
    after = stage.admin.dump()
    found.wrong_at_end = judge.wrong_by_oracle(before, after, edits, connector)
    found.lost_edits = judge.lost_edits(after, script)
    found.edits = len(edits)
    found.first = figures.span(first_done - started, followed.between(0, first), followed.written(0, first))
    found.live = figures.span(live_done - began, followed.between(first, live), followed.written(first, live))
    found.quiet = figures.span(time.monotonic() - calm, followed.between(live), followed.written(live))
    found.latency = figures.latencies(edits, followed.written(first, live))


def _from_memory(found: Figures, play: Play, ledger: Sequence[LedgerRow], stage: Stage, clock: SystemClock) -> None:
    """What the product itself remembers, held against what the servers saw."""
    followed, quiet = play.followed, found.quiet
    written_in_quiet = sum(quiet.records_written.values()) if quiet else 0
    found.needless = figures.needless_writes(followed.committed, written_in_quiet, ledger)
    found.rules = figures.rules_of(ledger)
    found.ledger = figures.endings(ledger)
    found.desk = figures.desk_lines(SqlDesk(stage.engine, clock).entries())


def _midnight(now: datetime) -> datetime:
    """The pasts of the pairs end a day before the demo."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
