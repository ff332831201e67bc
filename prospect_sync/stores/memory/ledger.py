"""The ledger as a list that only grows."""

import threading
from collections.abc import Collection, Sequence
from datetime import datetime

from prospect_sync.memory import Intent, LedgerRow, Outcome
from prospect_sync.ports import Ledger

_MOST_UNSETTLED = 1_000


class MemoryLedger(Ledger):
    """See the port.

    Raises:
        ValueError: from ``intend``, when an intent's id was used before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._intents: dict[str, Intent] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._unsettled: dict[str, Intent] = {}

    def intend(self, intents: Sequence[Intent]) -> None:
        with self._lock:
            new = {intent.id: intent for intent in intents}
            if len(new) < len(intents) or not new.keys().isdisjoint(self._intents):
                raise ValueError("an intent's id was used before")
            self._intents.update(new)
            self._unsettled.update(new)

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            for outcome in outcomes:
                self._outcomes.setdefault(outcome.intent_id, outcome)
                self._unsettled.pop(outcome.intent_id, None)

    def open(self, prospect_ids: Collection[int]) -> Sequence[Intent]:
        return [intent for intent in self._open() if intent.prospect_id in prospect_ids]

    def rows(self, *, prospect_id: int | None = None, newest: int = 100) -> Sequence[LedgerRow]:
        with self._lock:
            chosen = [i for i in self._intents.values() if prospect_id is None or i.prospect_id == prospect_id]
            return [LedgerRow(intent, self._outcomes.get(intent.id)) for intent in reversed(chosen)][:newest]

    def unsettled(self, before: datetime) -> Sequence[Intent]:
        return [intent for intent in self._open() if intent.at < before][:_MOST_UNSETTLED]

    def _open(self) -> list[Intent]:
        with self._lock:
            return sorted(self._unsettled.values(), key=lambda intent: intent.at)
