"""What being on the way through an import means for a pair: its open write is not settled, and it is not written to otherwise.

A write that only waits for an import is taken back as soon as anybody looks at its pair: what is decided then is newer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Intent, Outcome, Settled

_OFF = "imports off until"


@dataclass(frozen=True, slots=True)
class Open:
    """Intents that can be settled by reading, and the prospects that an import may still write."""

    intents: Sequence[Intent]
    held: frozenset[int] = frozenset()


def in_open_import(runtime: Runtime, prospect_ids: Collection[int]) -> frozenset[int]:
    """Name the prospects that an import may still write: they take hints and are read again after it."""
    if runtime.imports is None:
        return frozenset()
    return frozenset(key for key, row in runtime.imports.store.of(prospect_ids).items() if row.held)


def open_intents(runtime: Runtime, prospect_ids: Collection[int]) -> Open:
    """Give what is open about these prospects, whose leases we hold; writes that wait for an import are taken back first."""
    if runtime.imports is None:
        return Open(runtime.ledger.open(prospect_ids))
    rows = runtime.imports.store.of(prospect_ids)
    waiting = [key for key, row in rows.items() if row.waiting]
    taken = runtime.imports.store.withdraw(waiting) if waiting else frozenset()
    if taken:
        settle_unsent(runtime, taken, "taken back from an import that had not begun: decided anew")
    held = {row.intent_id: key for key, row in rows.items() if row.held or (row.waiting and row.intent_id not in taken)}
    intents = [intent for intent in runtime.ledger.open(prospect_ids) if intent.id not in held]
    return Open(intents, frozenset(held.values()))


def settle_unsent(runtime: Runtime, intent_ids: Collection[str], words: str) -> None:
    """Record that these writes never left."""
    now = runtime.clock.now()
    runtime.ledger.settle([Outcome(one, now, Settled.UNSENT, words=words, code="import") for one in sorted(intent_ids)])


def switch_off(runtime: Runtime, seconds: float) -> datetime:
    """Send everything singly for a while."""
    until = runtime.clock.now() + timedelta(seconds=seconds)
    runtime.marks.remember(_OFF, until.isoformat())
    return until


def switched_off(runtime: Runtime) -> bool:
    """Tell whether imports were switched off, because the vendor would not take one."""
    until = runtime.marks.note(_OFF)
    return bool(until) and datetime.fromisoformat(str(until)) > runtime.clock.now()
