"""Every store in the memory of one process: for tests, for trying out, and for showing what the real ones must do."""

from prospect_sync.stores.memory.budget import MemoryBudget
from prospect_sync.stores.memory.couples import MemoryCouples
from prospect_sync.stores.memory.desk import MemoryDesk
from prospect_sync.stores.memory.fence import MemoryFence
from prospect_sync.stores.memory.hand_clock import HandClock
from prospect_sync.stores.memory.imports import MemoryImports
from prospect_sync.stores.memory.inbox import MemoryInbox
from prospect_sync.stores.memory.leader import MemoryLeader
from prospect_sync.stores.memory.ledger import MemoryLedger
from prospect_sync.stores.memory.marks import MemoryMarks
from prospect_sync.stores.memory.mirror import MemoryMirror
from prospect_sync.stores.memory.once import MemoryOnce
from prospect_sync.stores.memory.resyncs import MemoryResyncs
from prospect_sync.stores.memory.tokens import MemoryTokens

__all__ = [
    "HandClock",
    "MemoryBudget",
    "MemoryCouples",
    "MemoryDesk",
    "MemoryFence",
    "MemoryImports",
    "MemoryInbox",
    "MemoryLeader",
    "MemoryLedger",
    "MemoryMarks",
    "MemoryMirror",
    "MemoryOnce",
    "MemoryResyncs",
    "MemoryTokens",
]
