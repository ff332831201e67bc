"""Live progress: one line that renews itself on a terminal, a line every few seconds elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

_EVERY = 3.0


class Progress:
    """A context manager; ``tell`` says how far things are."""

    def __init__(self, console: Console, pairs: int) -> None:
        self._console = console
        self._pairs = pairs
        self._last_line = self._last_rate = 0.0
        self._written = 0
        self._rate = 0.0
        self._began = time.monotonic()
        self._bar = Bar(
            TextColumn("[bold]{task.description:<26}"), BarColumn(28), TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._bar.add_task("starting", total=pairs, words="")

    def __enter__(self) -> Self:
        self._bar.start()
        if not self._console.is_terminal:
            self._console.print(
                f"Starting two pretend orgs with {self._pairs:,} pairs, Redis, a worker and the scheduler."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, what: str, in_step: int, calls: int, written: int) -> None:
        """Show what is going on, pairs brought into step, calls and records written so far."""
        now = time.monotonic()
        if now - self._last_rate >= 1:
            self._rate = (written - self._written) / (now - self._last_rate) if self._last_rate else 0.0
            self._last_rate, self._written = now, written
        words = f"{in_step:,} pairs in step, {calls:,} API calls, {written:,} records written, {self._rate:,.0f}/s"
        self._bar.update(self._task, description=what, completed=in_step, words=words)
        if not self._console.is_terminal and now - self._last_line >= _EVERY:
            self._last_line = now
            self._console.print(f"{now - self._began:5.0f} s  {what}: {words}", highlight=False, soft_wrap=True)
