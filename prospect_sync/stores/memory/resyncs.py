"""Resyncs as a list, the newest last."""

import threading
from dataclasses import replace
from datetime import datetime

from prospect_sync.memory import ResyncRun
from prospect_sync.ports import Resyncs


class MemoryResyncs(Resyncs):
    """See the port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: list[ResyncRun] = []
        self._claimed_until: datetime | None = None

    def start(self, run: ResyncRun) -> ResyncRun:
        with self._lock:
            found = self._open()
            if found is None:
                self._runs.append(run)
                self._claimed_until = None
            return found or run

    def newest(self) -> ResyncRun | None:
        with self._lock:
            return self._runs[-1] if self._runs else None

    def claim(self, run_id: str, now: datetime, until: datetime) -> ResyncRun | None:
        with self._lock:
            run = self._open()
            held = self._claimed_until is not None and self._claimed_until > now
            if run is None or run.id != run_id or run.paused or held or (run.wait_until and run.wait_until > now):
                return None
            self._claimed_until = until
            self._runs[-1] = replace(run, version=run.version + 1)
            return self._runs[-1]

    def advance(self, run: ResyncRun) -> bool:
        with self._lock:
            stored = self._open()
            claimed = self._claimed_until is not None
            if stored is None or not claimed or (stored.id, stored.version) != (run.id, run.version):
                return False
            self._claimed_until = None
            self._runs[-1] = replace(run, paused=stored.paused, applied=stored.applied, refused=stored.refused)
            return True

    def pause(self, run_id: str, *, paused: bool) -> None:
        with self._lock:
            self._runs = [replace(run, paused=paused) if run.id == run_id else run for run in self._runs]

    def postpone(self, until: datetime, words: str) -> None:
        with self._lock:
            run = self._open()
            if run is not None and (run.wait_until is None or run.wait_until <= until):
                self._runs[-1] = replace(run, wait_until=until, words=words)

    def tally(self, applied: int, refused: int) -> None:
        with self._lock:
            run = self._open()
            if run is not None:
                self._runs[-1] = replace(run, applied=run.applied + applied, refused=run.refused + refused)

    def _open(self) -> ResyncRun | None:
        return self._runs[-1] if self._runs and self._runs[-1].ended is None else None
