"""What every use case is handed: the ports, the mapping and the tuning, as plain values. It decides nothing."""

from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import timedelta

from prospect_sync.model import ConnectorUsers, Lane, PersonType
from prospect_sync.policy.behaviors import FieldMapping, FieldType, Mapping
from prospect_sync.policy.mirroring import RECORD_FIELDS
from prospect_sync.ports import (
    Clock,
    Couples,
    Descriptions,
    Desk,
    Fence,
    FieldHistory,
    Imports,
    Inbox,
    Ledger,
    Marks,
    Mirror,
    Once,
    PersonSide,
    ProspectImports,
    ProspectSide,
    Resyncs,
    Waker,
)

PROSPECT_SYSTEM_FIELDS = tuple(name for name in RECORD_FIELDS if name != "isDeleted")
"""Read with every prospect, mapped or not; whether it is deleted every answer says."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times in seconds unless said.

    ``read_lag``: how far Account Engagement's reads may trail its writes. ``lag_slack``: added wherever the lag is waited out.
    ``prospect_overlap``/``person_overlap``: how far each poll looks back behind its mark; the first must exceed the lag.
    ``send_window``: how long after its intent a write to Account Engagement may still be sent.
    ``lease``: how long a batch holds its records without a sign of life. ``refresh_patience``/``sweep_patience``: after that
    time whoever refreshes the mirror, or sweeps, is taken for dead; the first must not exceed the lease.
    ``stale_tries``: how often in a row a pair may change under our hands before a person is told.
    ``fields_every``: how often both sides' descriptions of their fields are looked at.
    ``resync_backlog``: a resync hints no more while so many records wait.
    ``resync_claim``: how long one of its steps may take before somebody else does it again.
    ``import_from``: so many writes that may go by import make one; ``import_wait``: how long they wait for each other;
    ``import_most``: the most rows of one import; ``import_poll``: the first pause before asking how it stands.
    ``import_claim``: how long one of its steps may take before somebody else does it again.
    """

    batch_size: int = 200
    lease: float = 60.0
    read_lag: float = 60.0
    lag_slack: float = 3.0
    send_window: float = 10.0
    prospect_overlap: float = 90.0
    person_overlap: float = 120.0
    busy_retry: float = 0.5
    refresh_patience: float = 60.0
    sweep_patience: float = 120.0
    stale_tries: int = 6
    call_timeout: float = 25.0
    fields_every: float = 600.0
    resync_backlog: int = 10_000
    resync_claim: float = 60.0
    import_from: int = 500
    import_wait: float = 60.0
    import_most: int = 20_000
    import_poll: float = 30.0
    import_claim: float = 120.0

    @property
    def under_way(self) -> timedelta:
        """How long after its intent a Salesforce write may still be committed, though its caller gave up waiting."""
        return timedelta(seconds=self.call_timeout + self.lag_slack)

    @property
    def whole_lag(self) -> timedelta:
        """The wait after which no read can miss an earlier write."""
        return timedelta(seconds=self.read_lag + self.lag_slack)


@dataclass(frozen=True, slots=True)
class ImportRoad:
    """What writing by import needs: its memory, and the vendor's side of it."""

    store: Imports
    side: ProspectImports


@dataclass(frozen=True, slots=True)
class Runtime:
    """All ports of one process. The vendors' sides know the lane whose budget their calls come from.

    ``tracked``: which fields have history tracking, per object; None where history cannot be read.
    ``imports``: None where everything is written singly.
    ``described``: None where there is nobody to ask; then no field goes on hold and nothing is cut.
    """

    clock: Clock
    people: Callable[[Lane], PersonSide]
    history: Callable[[Lane], FieldHistory]
    prospects: Callable[[Lane], ProspectSide]
    inbox: Inbox
    once: Once
    fence: Fence
    mirror: Mirror
    couples: Couples
    ledger: Ledger
    desk: Desk
    marks: Marks
    resyncs: Resyncs
    waker: Waker
    mapping: Mapping
    connector: ConnectorUsers
    tracked: Callable[[], MappingOf[PersonType, frozenset[str] | None]]
    tuning: Tuning = Tuning()
    described: Descriptions | None = None
    imports: ImportRoad | None = None

    def prospect_types(self) -> dict[str, FieldType]:
        """The type of each mirrored prospect field."""
        return {**RECORD_FIELDS, **{row.prospect: row.type for row in self._asked()}}

    def person_fields(self) -> dict[PersonType, tuple[str, ...]]:
        """The mapped fields of each person type, by their Salesforce names."""
        return {
            kind: tuple(dict.fromkeys(name for row in self.mapping.fields if (name := row.person_field(kind))))
            for kind in PersonType
        }

    def queryable(self) -> tuple[str, ...]:
        """Prospect fields that a query may ask for."""
        names = [row.prospect for row in self._asked() if row.type is not FieldType.MULTISELECT]
        return tuple(dict.fromkeys([*names, *PROSPECT_SYSTEM_FIELDS]))

    def every_prospect_field(self) -> tuple[str, ...]:
        """All prospect fields the product reads, multi-selects included: these only a single read returns."""
        return tuple(dict.fromkeys([*(row.prospect for row in self._asked()), *PROSPECT_SYSTEM_FIELDS]))

    def reads_singly(self) -> bool:
        """Tell whether some mapped field cannot be queried, so that changed prospects must be read one by one."""
        return any(row.type is FieldType.MULTISELECT for row in self._asked())

    def _asked(self) -> list[FieldMapping]:
        """The mapped fields that prospects are asked for: not those that Account Engagement no longer has."""
        return [row for row in self.mapping.fields if row.prospect not in self.mapping.gone]
