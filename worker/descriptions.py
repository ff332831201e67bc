"""Both orgs' descriptions of their fields, joined; lengths are kept for some minutes, for every batch may want them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prospect_sync.account_engagement import describe as prospects_described
from prospect_sync.account_engagement.client import AccountEngagementClient
from prospect_sync.model import Lane, PersonType
from prospect_sync.ports import Clock, FieldFacts
from prospect_sync.salesforce import describe as people_described
from prospect_sync.salesforce.gateway import SalesforceGateway

_KEPT = timedelta(minutes=10)


@dataclass(slots=True)
class Described:
    """See ``prospect_sync.ports.Descriptions``."""

    gateway: SalesforceGateway
    client: AccountEngagementClient
    clock: Clock
    _lengths: dict[PersonType, dict[str, int]] = field(default_factory=dict)
    _since: datetime | None = None

    def people(self) -> Mapping[PersonType, Mapping[str, FieldFacts]]:
        """See the port."""
        found = people_described.describe(self.gateway, Lane.LIVE)
        self._lengths = {
            kind: {name: facts.length for name, facts in fields.items() if facts.length is not None}
            for kind, fields in found.items()
        }
        self._since = self.clock.now()
        return found

    def prospects(self) -> Mapping[str, FieldFacts]:
        """See the port."""
        return prospects_described.describe(self.client, Lane.LIVE)

    def lengths(self) -> Mapping[PersonType, Mapping[str, int]]:
        """See the port."""
        if self._since is None or self.clock.now() - self._since > _KEPT:
            self.people()
        return self._lengths
