"""``python -m worker resync``: start a resync or join the open one, and show how it goes on until it is done.

The work is the workers'; leaving this program changes nothing.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from prospect_sync.flow.resync import start_resync
from prospect_sync.flow.resync_status import ResyncState, ResyncStatus, resync_status
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import ResyncPhase
from prospect_sync.model import Lane

_LOOK = 1.0
_LINE_EVERY = 10.0
_NOBODY = 30.0
_PHASES = {
    ResyncPhase.REFRESH: "bringing the mirror up to date",
    ResyncPhase.PROSPECTS: "reading prospects",
    ResyncPhase.PEOPLE: "comparing",
    ResyncPhase.LOOSE: "looking for prospects without a person",
    ResyncPhase.DRAINING: "working on what differs",
    ResyncPhase.DONE: "done",
}


class View(Protocol):
    """Where the course of a resync is shown."""

    def note(self, words: str) -> None:
        """Say something."""
        ...

    def show(self, status: ResyncStatus) -> None:
        """Show how it stands now."""
        ...

    def end(self, status: ResyncStatus) -> None:
        """Show how it ended."""
        ...


def run_resync(runtime: Runtime, *, since: datetime | None, lane: Lane, as_json: bool, detach: bool) -> int:
    """Start or join, and follow until it is done; returns an exit code."""
    run, new = start_resync(runtime, since=since, lane=lane)
    with _view(as_json=as_json) as view:
        view.note(f"resync {run.id} started" if new else _joined(run.id, run.since, since))
        if detach:
            status = resync_status(runtime)
            if status is not None:
                view.show(status)
            return 0
        try:
            return _follow(runtime, view)
        except KeyboardInterrupt:
            view.note("It goes on without this program; `python -m worker resync` joins it again.")
            return 130


def pause_resync(runtime: Runtime, *, paused: bool) -> str:
    """Stop the open resync after its present step, or let it go on; says what was done."""
    run = runtime.resyncs.newest()
    if run is None or run.ended is not None:
        return "No resync is open."
    runtime.resyncs.pause(run.id, paused=paused)
    return f"resync {run.id} {'stops after its present step' if paused else 'goes on'}"


def _joined(run_id: str, covers: datetime | None, asked: datetime | None) -> str:
    words = f"joined resync {run_id}, which was open already"
    if covers == asked:
        return words
    return f"{words} and covers {'everything' if covers is None else f'what changed since {covers.isoformat()}'}"


def _follow(runtime: Runtime, view: View) -> int:
    moved, last = time.monotonic(), None
    told = False
    while True:
        status = resync_status(runtime)
        if status is None:
            return 1
        if status.run.ended is not None:
            view.end(status)
            return 0
        view.show(status)
        now = time.monotonic()
        mark = (status.run.version, status.remaining, status.state)
        if mark != last or status.state is not ResyncState.RUNNING:
            moved, last, told = now, mark, False
        elif now - moved > _NOBODY and not told:
            view.note(f"Nothing has moved for {_NOBODY:.0f} s: are a worker and beat running?")
            told = True
        time.sleep(_LOOK)


@contextmanager
def _view(*, as_json: bool) -> Iterator[View]:
    console = Console()
    if as_json:
        yield _JsonLines()
    elif console.is_terminal:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            auto_refresh=False,
        ) as progress:
            yield _Bar(progress)
    else:
        yield _Lines(console)


class _Bar:
    """A progress bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("resync", total=None, figures="")

    def note(self, words: str) -> None:
        self._progress.console.print(words, markup=False)

    def show(self, status: ResyncStatus) -> None:
        run = status.run
        drains = run.phase is ResyncPhase.DRAINING
        total, done = (run.hinted, run.hinted - status.remaining) if drains else (max(run.total, run.seen), run.seen)
        self._progress.update(
            self._task, total=total or None, completed=done, description=_doing(status), figures=_figures(status)
        )
        self._progress.refresh()

    def end(self, status: ResyncStatus) -> None:
        self._progress.update(self._task, total=1, completed=1, description="done", figures="")
        self._progress.refresh()
        self.note(_summary(status))


class _Lines:
    """A line now and then, and one whenever something else is being done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: tuple[str, float] | None = None

    def note(self, words: str) -> None:
        self._console.print(words, markup=False, soft_wrap=True)

    def show(self, status: ResyncStatus) -> None:
        doing, now = _doing(status), time.monotonic()
        if self._last is None or self._last[0] != doing or now - self._last[1] >= _LINE_EVERY:
            self._last = (doing, now)
            self.note(f"{doing}: {_figures(status)}")

    def end(self, status: ResyncStatus) -> None:
        self.note(_summary(status))


class _JsonLines:
    """A JSON object a line: a note, or a status; the last line is how it ended."""

    def __init__(self) -> None:
        self._last: tuple[str, float] | None = None

    def note(self, words: str) -> None:
        _write({"note": words})

    def show(self, status: ResyncStatus) -> None:
        doing, now = _doing(status), time.monotonic()
        if self._last is None or self._last[0] != doing or now - self._last[1] >= _LINE_EVERY:
            self._last = (doing, now)
            _write(status.as_json())

    def end(self, status: ResyncStatus) -> None:
        _write(status.as_json())


def _write(entry: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(entry) + "\n")
    sys.stdout.flush()


def _doing(status: ResyncStatus) -> str:
    if status.state is ResyncState.PAUSED:
        return "paused"
    if status.state is ResyncState.WAITING and status.run.wait_until is not None:
        return f"waiting until {status.run.wait_until:%Y-%m-%d %H:%M:%S} UTC ({status.run.words})"
    return _PHASES[status.run.phase]


def _figures(status: ResyncStatus) -> str:
    run = status.run
    left = "" if status.left is None else f", about {timedelta(seconds=round(status.left))} left"
    if run.phase is ResyncPhase.DRAINING:
        return f"{status.remaining:,} of {run.hinted:,} remaining{left}"
    of = f" of about {run.total:,}" if run.total >= run.seen and run.total else ""
    return f"{run.seen:,}{of}, {run.in_step:,} in step, {run.hinted:,} to look at, {status.rate:,.0f}/s{left}"


def _summary(status: ResyncStatus) -> str:
    run = status.run
    alone = run.seen - run.in_step - run.hinted
    took = timedelta(seconds=round(((run.ended or run.started) - run.started).total_seconds()))
    return (
        f"resync {run.id} is done after {took}: {run.seen:,} records seen, {run.in_step:,} in step, "
        f"{alone:,} without a partner, {run.hinted:,} looked at again; of the writes {run.applied:,} were applied and "
        f"{run.refused:,} refused; {status.desk:,} records stand on the desk"
    )
