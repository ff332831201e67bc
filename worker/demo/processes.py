"""The demo's child processes: started with a log file each, watched, and ended by their ids whatever happens.

Knows nothing of what they do.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from prospect_sync.errors import ProspectSyncError
from worker.redis_server import LAUNCHER

_ROOT = Path(__file__).resolve().parents[2]
_GRACE = 20.0
_LAST_LINES = 15


class ChildEndedError(ProspectSyncError):
    """A process that the demo needs has ended; the text has the end of its log."""


class Children:
    """A context manager: what it started ends with it, the youngest first."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start ``python …``; what it says goes to its log."""
        with self.log(name).open("ab") as log:
            self._launch(name, arguments, environment, log, log)

    def start_talking(self, name: str, arguments: Sequence[str]) -> IO[bytes]:
        """Start ``python …`` and give its standard output; what it complains of goes to its log."""
        with self.log(name).open("ab") as log:
            process = self._launch(name, arguments, {}, subprocess.PIPE, log)
        if process.stdout is None:
            raise ChildEndedError(f"The {name} cannot be heard.")
        return process.stdout

    def _launch(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], output: Any, errors: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        """In a group of its own, so that Ctrl-C reaches only us; without whatever service this machine is set up for."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PROSPECT_SYNC_")}
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-S", "-c", LAUNCHER, sys.executable, *arguments],
            cwd=_ROOT,
            env={**inherited, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        self._running.append((name, process))
        return process

    def log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def check(self) -> None:
        """Raise ChildEndedError when one has ended."""
        for name, process in self._running:
            if process.poll() is not None:
                raise ChildEndedError(
                    f"The {name} ended with code {process.returncode}. Its log ends so:\n{self._end(name)}"
                )

    def _end(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:])

    def stop(self) -> None:
        """End them one after the other: asked first, killed with their group when they do not listen."""
        while self._running:
            _, process = self._running.pop()
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(_GRACE)
            if process.stdout:
                process.stdout.close()
