"""Couples as a dictionary, with the fencing token each was last written under."""

import threading
from collections.abc import Collection, Mapping, Sequence

from prospect_sync.memory import Couple
from prospect_sync.model import Ref
from prospect_sync.ports import Couples

_Key = tuple[int, Ref]


class MemoryCouples(Couples):
    """See the port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[_Key, tuple[int, Couple]] = {}
        self._keys: dict[Ref, set[_Key]] = {}
        self._living: dict[Ref, _Key] = {}

    def of(self, refs: Collection[Ref]) -> Mapping[Ref, Couple]:
        with self._lock:
            return {ref: self._best(ref) for ref in refs if ref in self._keys}

    def save(self, couples: Sequence[Couple], fence: int) -> frozenset[Ref]:
        refused = set()
        with self._lock:
            # ended ones first: a prospect may leave one couple and enter another in the same call
            for couple in sorted(couples, key=lambda couple: couple.ended is None):
                key = (couple.prospect_id, couple.person)
                if self._written_later(key, fence) or self._lives_elsewhere(couple, key):
                    refused.add(couple.prospect)
                else:
                    self._store(key, couple, fence)
        return frozenset(refused)

    def _best(self, ref: Ref) -> Couple:
        """Give the living couple, or else the one that was written last."""
        rows = (self._rows[key] for key in self._keys[ref])
        return max(rows, key=lambda row: (row[1].ended is None, row[0], row[1].prospect_id, str(row[1].person)))[1]

    def _written_later(self, key: _Key, fence: int) -> bool:
        return key in self._rows and self._rows[key][0] > fence

    def _lives_elsewhere(self, couple: Couple, key: _Key) -> bool:
        if couple.ended is not None:
            return False
        return any(self._living.get(ref, key) != key for ref in (couple.prospect, couple.person))

    def _store(self, key: _Key, couple: Couple, fence: int) -> None:
        self._rows[key] = (fence, couple)
        for ref in (couple.prospect, couple.person):
            self._keys.setdefault(ref, set()).add(key)
            if couple.ended is None:
                self._living[ref] = key
            elif self._living.get(ref) == key:
                del self._living[ref]
