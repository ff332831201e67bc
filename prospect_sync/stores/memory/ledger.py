"""The ledger as a list that only grows."""

import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from prospect_sync.memory import Intent, LedgerRow, Outcome, Settled
from prospect_sync.model import Ref, Side
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

    def last_writes(
        self, couples: Collection[tuple[int, Ref]], side: Side
    ) -> Mapping[tuple[int, Ref], Mapping[str, Any]]:
        written: dict[tuple[int, Ref], dict[str, Any]] = {couple: {} for couple in couples}
        with self._lock:
            for intent in self._intents.values():
                couple = (intent.prospect_id, intent.person)
                if couple in written and intent.side is side and self._applied(intent.id):
                    written[couple].update({change.prospect_field: change.after for change in intent.changes})
        return {couple: values for couple, values in written.items() if values}

    def rows(self, *, prospect_id: int | None = None, newest: int = 100) -> Sequence[LedgerRow]:
        with self._lock:
            chosen = [i for i in self._intents.values() if prospect_id is None or i.prospect_id == prospect_id]
            return [LedgerRow(intent, self._outcomes.get(intent.id)) for intent in reversed(chosen)][:newest]

    def unsettled(self, before: datetime) -> Sequence[Intent]:
        return [intent for intent in self._open() if intent.at < before][:_MOST_UNSETTLED]

    def _open(self) -> list[Intent]:
        with self._lock:
            return sorted(self._unsettled.values(), key=lambda intent: intent.at)

    def _applied(self, intent_id: str) -> bool:
        outcome = self._outcomes.get(intent_id)
        return outcome is not None and outcome.settled is Settled.APPLIED
