"""What every part of the org shares: its objects, its records, its clock and its settings."""

from dataclasses import dataclass, field
from threading import RLock

from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.salesforce.schema import Schema
from prospect_sync.sandbox.salesforce.settings import Settings
from prospect_sync.sandbox.salesforce.storage import Storage


@dataclass(slots=True)
class OrgState:
    """One org's state; `settings` is replaced as a whole."""

    schema: Schema
    storage: Storage
    clock: OrgClock
    settings: Settings = field(default_factory=Settings)
    described_at: int = 0
    """When objects, fields or settings last changed."""
    lock: RLock = field(default_factory=RLock)
    """Held for every call and edit: a test may edit by hand while the server's thread answers."""

    def now(self) -> int:
        """The org's time in whole seconds, as stamps are."""
        return int(self.clock.now().timestamp() // 1)
