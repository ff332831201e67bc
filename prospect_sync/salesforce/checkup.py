"""Looks at one org for ``doctor``: who we are there, what it offers, what time it is, whether a Composite keeps preconditions.

Each question is asked once and by its own call; nothing is written but in the probe, which is asked for by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import requests

from prospect_sync import wire
from prospect_sync.errors import Misconfigured, Stale, TryLater
from prospect_sync.memory import Token
from prospect_sync.model import Lane, PersonType, to_second
from prospect_sync.ports import LoginFacts, ProbeFacts
from prospect_sync.salesforce import composite, errors, soql
from prospect_sync.salesforce.composite import Part
from prospect_sync.salesforce.connection import SalesforceConnection
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.tokens import leave_alone
from prospect_sync.salesforce.transport import Call

_PREFIXES = {"00Q": PersonType.LEAD, "003": PersonType.CONTACT}
_LONG_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SalesforceCheckup:
    """See ``prospect_sync.ports.SalesforceLook``."""

    gateway: SalesforceGateway

    def login(self) -> LoginFacts:
        """See the port."""
        token = self.gateway.token()
        told = self._get(token, "/services/oauth2/userinfo")
        if not isinstance(told, Mapping):
            raise TryLater("Salesforce does not say who we are", delay=30)
        return LoginFacts(str(told.get("user_id") or ""), str(told.get("preferred_username") or ""), token.scopes)

    def versions(self) -> Sequence[str]:
        """See the port."""
        told = self._get(self.gateway.token(), "/services/data/")
        rows = told if isinstance(told, list) else []
        return [str(row["version"]) for row in rows if isinstance(row, Mapping) and "version" in row]

    def clock(self) -> timedelta:
        """See the port."""
        before = self.gateway.now()
        answer = self.gateway.ask(Call("GET", "limits", repeatable=True), lane=Lane.LIVE)
        return answer.asked_at(before) - to_second(before)

    def probe(self, record_id: str, field: str) -> ProbeFacts:
        """See the port."""
        kind = _PREFIXES.get(record_id[:3])
        if kind is None or not soql.is_id(record_id) or not soql.is_name(field):
            raise Misconfigured("the probe needs the id of a lead or contact, and the name of one of its fields")
        query = soql.select(("LastModifiedDate", field), kind.value, soql.among("Id", [record_id]))
        (found,), _ = composite.query_all(self.gateway, [query], lane=Lane.LIVE, deleted=False)
        if found.error is not None:
            raise errors.for_reading(found.error)
        if not found.rows:
            raise Misconfigured(f"there is no {kind.value} {record_id}, or the connector user may not see it")
        row = found.rows[0]
        modified = wire.instant(row.get("LastModifiedDate"))
        if modified is None:
            raise TryLater("Salesforce does not say when the record was modified", delay=30)
        part = _precondition(kind, record_id, {field: wire.member(row, field)}, modified - _LONG_BEFORE)
        answer, parts = composite.send(self.gateway, [part], lane=Lane.LIVE)
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        refused, error = _kept(parts[0].error), parts[0].error
        if error is not None and not refused:
            raise Misconfigured(f"the probe could not write {kind.value}.{field}: {error.words}", code=error.code)
        if refused:
            return ProbeFacts(composite=True, singly=True)
        alone = self.gateway.ask(Call("PATCH", part.path, part.body, part.headers), lane=Lane.LIVE)
        return ProbeFacts(composite=False, singly=_kept(alone.error))

    def _get(self, token: Token, path: str) -> Any:
        """Ask for what lies outside the API's version."""
        settings: SalesforceConnection = self.gateway.settings
        try:
            response = requests.get(
                token.instance_url.rstrip("/") + path,
                headers={"Authorization": f"Bearer {token.access_token}", "Accept": "application/json"},
                timeout=(settings.connect_timeout, settings.timeout),
                verify=settings.ca_file or True,
                allow_redirects=False,
                auth=leave_alone,
            )
            body = wire.decode(response.content)
        except (OSError, ValueError) as error:
            raise TryLater(f"Salesforce does not answer: {type(error).__name__}", delay=15) from error
        if response.status_code != 200:
            raise errors.for_reading(errors.translate(response.status_code, body))
        return body


def _precondition(kind: PersonType, record_id: str, changes: Mapping[str, Any], since: datetime) -> Part:
    headers = {"If-Unmodified-Since": format_datetime(to_second(since), usegmt=True)}
    return Part("PATCH", f"sobjects/{kind.value}/{record_id}", dict(changes), headers)


def _kept(error: object) -> bool:
    return isinstance(error, Stale) and error.code == "PRECONDITION_FAILED"
