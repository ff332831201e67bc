"""Import jobs and their rows as two dictionaries."""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from prospect_sync.memory import ImportJob, ImportPool, ImportRow, ImportStep
from prospect_sync.ports import Imports


class MemoryImports(Imports):
    """See the port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, ImportJob] = {}
        self._rows: dict[int, ImportRow] = {}

    def add(self, rows: Sequence[ImportRow]) -> frozenset[str]:
        refused = set()
        with self._lock:
            for row in rows:
                old = self._rows.get(row.prospect_id)
                if old is not None and old.free_since is None:
                    refused.add(row.intent_id)
                else:
                    self._rows[row.prospect_id] = replace(row, job=None, free_since=None)
        return frozenset(refused)

    def withdraw(self, prospect_ids: Collection[int]) -> frozenset[str]:
        with self._lock:
            taken = [row for key in set(prospect_ids) if (row := self._rows.get(key)) is not None and row.waiting]
            for row in taken:
                del self._rows[row.prospect_id]
        return frozenset(row.intent_id for row in taken)

    def of(self, prospect_ids: Collection[int]) -> Mapping[int, ImportRow]:
        with self._lock:
            return {key: self._rows[key] for key in prospect_ids if key in self._rows}

    def pools(self) -> Sequence[ImportPool]:
        times: dict[str, list[datetime]] = defaultdict(list)
        with self._lock:
            for row in self._rows.values():
                if row.waiting:
                    times[row.group].append(row.at)
        return [ImportPool(group, len(found), min(found), max(found)) for group, found in sorted(times.items())]

    def form(self, job: ImportJob, group: str, most: int) -> ImportJob | None:
        with self._lock:
            waiting = [row for row in self._rows.values() if row.waiting and row.group == group]
            chosen = sorted(waiting, key=lambda row: (row.at, row.prospect_id))[:most]
            if not chosen:
                return None
            for row in chosen:
                self._rows[row.prospect_id] = replace(row, job=job.id)
            self._jobs[job.id] = replace(job, rows=len(chosen), version=1)
            return self._jobs[job.id]

    def due(self, now: datetime) -> Sequence[ImportJob]:
        with self._lock:
            found = [job for job in self._jobs.values() if job.step is not ImportStep.OVER and job.due <= now]
        return sorted(found, key=lambda job: (job.due, job.id))

    def save(self, job: ImportJob) -> ImportJob | None:
        with self._lock:
            return self._save(job)

    def rows(self, job_id: str, after: int = 0, most: int = 1_000) -> Sequence[ImportRow]:
        with self._lock:
            found = [row for row in self._rows.values() if row.job == job_id and row.prospect_id > after]
        return sorted(found, key=lambda row: row.prospect_id)[:most]

    def end(self, job: ImportJob, at: datetime) -> bool:
        with self._lock:
            if self._save(replace(job, step=ImportStep.OVER)) is None:
                return False
            for key, row in self._rows.items():
                if row.job == job.id:
                    self._rows[key] = replace(row, free_since=at)
            return True

    def forget(self, before: datetime) -> None:
        with self._lock:
            self._rows = {
                key: row for key, row in self._rows.items() if row.free_since is None or row.free_since >= before
            }
            needed = {row.job for row in self._rows.values()}
            self._jobs = {
                key: job for key, job in self._jobs.items() if job.step is not ImportStep.OVER or key in needed
            }

    def _save(self, job: ImportJob) -> ImportJob | None:
        stored = self._jobs.get(job.id)
        if stored is None or stored.version != job.version:
            return None
        self._jobs[job.id] = replace(job, version=job.version + 1)
        return self._jobs[job.id]
