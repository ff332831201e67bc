"""Which columns of Lead and Contact this user may read, found out only when a query was refused for one.

Field-level security shows as a missing field, and one such column fails a whole query. What was found out is believed
for a while only, so that a permission given later takes effect by itself.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from prospect_sync.errors import Misconfigured, SyncError, TryLater
from prospect_sync.model import Lane, PersonType
from prospect_sync.salesforce import errors
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.transport import Call

_BELIEVED = timedelta(minutes=10)


class Columns:
    """Columns found unreadable, per type; shared by all lanes of one process."""

    def __init__(self, gateway: SalesforceGateway) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._unreadable: dict[PersonType, tuple[datetime, frozenset[str]]] = {}

    def readable(self, person_type: PersonType, wanted: Iterable[str]) -> tuple[str, ...]:
        """Leave out the columns that were lately found unreadable."""
        unreadable = self._known(person_type)
        return tuple(column for column in dict.fromkeys(wanted) if column not in unreadable)

    def learn(self, person_type: PersonType, asked: Iterable[str], refusal: SyncError, lane: Lane) -> None:
        """Find out which of the columns asked for made the query fail.

        Raises:
            TryLater, Misconfigured: the description cannot be read, or explains nothing.
        """
        asked = tuple(asked)
        visible = self._describe(person_type, lane)
        hidden = {column for column in asked if column.split(".")[0].lower() not in visible}
        if not hidden:  # the column is visible but not for this query: believe the error's own words
            named = _named(refusal)
            hidden = {column for column in asked if named & {column, *column.split(".")}}
        if not hidden:
            raise Misconfigured(refusal.words, code=refusal.code)
        with self._lock:
            self._unreadable[person_type] = (self._gateway.now(), self._known(person_type) | hidden)

    def _known(self, person_type: PersonType) -> frozenset[str]:
        since, unreadable = self._unreadable.get(person_type, (None, frozenset[str]()))
        return unreadable if since is not None and self._gateway.now() - since < _BELIEVED else frozenset()

    def _describe(self, person_type: PersonType, lane: Lane) -> set[str]:
        """Names of all visible fields and relationships, in lower case, as SOQL does not mind."""
        answer = self._gateway.ask(Call("GET", f"sobjects/{person_type}/describe", repeatable=True), lane=lane)
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        fields = answer.body.get("fields") if isinstance(answer.body, dict) else None
        if not isinstance(fields, list):
            raise TryLater(f"Salesforce's description of {person_type} has a strange shape", delay=30)
        return {name.lower() for field in fields if isinstance(field, dict) for name in _names(field)}


def _names(field: Mapping[str, Any]) -> list[str]:
    return [name for key in ("name", "relationshipName") if isinstance(name := field.get(key), str)]


def _named(refusal: SyncError) -> set[str]:
    return set(refusal.fields) if isinstance(refusal, Misconfigured) else set()
