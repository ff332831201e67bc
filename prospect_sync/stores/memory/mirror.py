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

    def holders(self, after: str, until: str) -> Sequence[tuple[int, str]]:
        with self._lock:
            found = [
                (row.id, row.salesforce_id) for row in self._rows.values() if row.salesforce_id and not row.deleted
            ]
        return [(key, person) for key, person in found if after < person <= until]

    def loose(self, after: int, limit: int, prefixes: Collection[str]) -> Sequence[int]:
        with self._lock:
            found = [
                key
                for key, row in self._rows.items()
                if key > after and row.email and not row.deleted and not _begins(row.salesforce_id, prefixes)
            ]
        return sorted(found)[:limit]

    def held(self, prefixes: Collection[str]) -> int:
        with self._lock:
            return sum(1 for row in self._rows.values() if not row.deleted and _begins(row.salesforce_id, prefixes))

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


def _begins(salesforce_id: str | None, prefixes: Collection[str]) -> bool:
    return salesforce_id is not None and salesforce_id.startswith(tuple(prefixes))
