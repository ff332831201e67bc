"""The mirror as a dictionary."""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from prospect_sync.memory import MirroredProspect
from prospect_sync.model import id18
from prospect_sync.ports import Mirror


class MemoryMirror(Mirror):
    """See the port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, MirroredProspect] = {}

    def get(self, prospect_ids: Collection[int]) -> Mapping[int, MirroredProspect]:
        with self._lock:
            return {key: self._rows[key] for key in prospect_ids if key in self._rows}

    def by_person(self, person_ids: Collection[str]) -> Mapping[str, tuple[MirroredProspect, ...]]:
        wanted = frozenset(person_ids)
        found: dict[str, tuple[MirroredProspect, ...]] = {}
        with self._lock:
            for _, row in sorted(self._rows.items()):
                if row.salesforce_id in wanted:
                    found[row.salesforce_id] = (*found.get(row.salesforce_id, ()), row)
        return found

    def by_email(self, addresses: Collection[str]) -> Mapping[str, tuple[MirroredProspect, ...]]:
        wanted = frozenset(addresses)
        found: dict[str, tuple[MirroredProspect, ...]] = {}
        with self._lock:
            for _, row in sorted(self._rows.items()):
                if row.email in wanted:
                    found[row.email] = (*found.get(row.email, ()), row)
        return found

    def put(self, rows: Sequence[MirroredProspect]) -> frozenset[int]:
        refused = set()
        with self._lock:
            for row in rows:
                stored = self._rows.get(row.id)
                if row.version != (stored.version if stored else 0):
                    refused.add(row.id)
                else:
                    person = id18(row.salesforce_id) if row.salesforce_id else None
                    self._rows[row.id] = replace(row, salesforce_id=person, version=row.version + 1)
        return frozenset(refused)
