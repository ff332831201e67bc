"""What every use case is handed: the ports, the mapping and the tuning, as plain values. It decides nothing."""

from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import timedelta

from prospect_sync.model import ConnectorUsers, Lane, PersonType
from prospect_sync.policy.behaviors import FieldType, Mapping
from prospect_sync.ports import (
    Clock,
    Couples,
    Desk,
    Fence,
    FieldHistory,
    Inbox,
    Ledger,
    Marks,
    Mirror,
    Once,
    PersonSide,
    ProspectSide,
    Waker,
)

PROSPECT_SYSTEM_FIELDS = ("email", "salesforceId")
"""Read with every prospect, mapped or not: matching needs them."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Times in seconds unless said.

    ``read_lag``: how far Account Engagement's reads may trail its writes. ``lag_slack``: added wherever the lag is waited out.
    ``prospect_overlap``/``person_overlap``: how far each poll looks back behind its mark; the first must exceed the lag.
    ``send_window``: how long after its intent a write to Account Engagement may still be sent.
    ``lease``: how long a batch holds its records without a sign of life. ``refresh_patience``/``sweep_patience``: after that
    time whoever refreshes the mirror, or sweeps, is taken for dead; the first must not exceed the lease.
    ``stale_tries``: how often in a row a pair may change under our hands before a person is told.
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

    @property
    def whole_lag(self) -> timedelta:
        """The wait after which no read can miss an earlier write."""
        return timedelta(seconds=self.read_lag + self.lag_slack)


@dataclass(frozen=True, slots=True)
class Runtime:
    """All ports of one process. The vendors' sides know the lane whose budget their calls come from.

    ``tracked``: which fields have history tracking, per object; None where history cannot be read.
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
    waker: Waker
    mapping: Mapping
    connector: ConnectorUsers
    tracked: Callable[[], MappingOf[PersonType, frozenset[str] | None]]
    tuning: Tuning = Tuning()

    def prospect_types(self) -> dict[str, FieldType]:
        """The type of each mapped prospect field."""
        return {row.prospect: row.type for row in self.mapping.fields}

    def person_fields(self) -> dict[PersonType, tuple[str, ...]]:
        """The mapped fields of each person type, by their Salesforce names."""
        return {
            kind: tuple(dict.fromkeys(name for row in self.mapping.fields if (name := row.person_field(kind))))
            for kind in PersonType
        }

    def queryable(self) -> tuple[str, ...]:
        """Prospect fields that a query may ask for."""
        names = [row.prospect for row in self.mapping.fields if row.type is not FieldType.MULTISELECT]
        return tuple(dict.fromkeys([*names, *PROSPECT_SYSTEM_FIELDS]))

    def every_prospect_field(self) -> tuple[str, ...]:
        """All prospect fields the product reads, multi-selects included: these only a single read returns."""
        return tuple(dict.fromkeys([*(row.prospect for row in self.mapping.fields), *PROSPECT_SYSTEM_FIELDS]))

    def reads_singly(self) -> bool:
        """Tell whether some mapped field cannot be queried, so that changed prospects must be read one by one."""
        return any(row.type is FieldType.MULTISELECT for row in self.mapping.fields)
