"""Everything on one machine: Redis where none is given, worker, scheduler and, with events, the listener; all end together."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

from settings import Settings
from worker.redis_server import redis_at

_GRACE = 90.0


def run_everything(settings: Settings) -> int:
    """Run until interrupted or until one part ends; returns an exit code."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    given = settings.redis_url.get_secret_value()
    with redis_at(given, settings.data_dir / "redis") as url, _children(url, _verbs(settings)) as children:
        while not stop.wait(0.5):
            if any(child.poll() is not None for child in children):
                return 1
    return 0


def _verbs(settings: Settings) -> tuple[str, ...]:
    return ("run", "beat", "listen") if settings.events.source == "events" else ("run", "beat")


@contextlib.contextmanager
def _children(redis_url: str, verbs: tuple[str, ...]) -> Iterator[list[subprocess.Popen[bytes]]]:
    environment = {**os.environ, "PROSPECT_SYNC_REDIS_URL": redis_url}
    children = [
        subprocess.Popen([sys.executable, "-m", "worker", verb], env=environment)  # noqa: S603 - ourselves
        for verb in verbs
    ]
    try:
        yield children
    finally:
        for child in children:
            child.send_signal(signal.SIGTERM)
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE)
