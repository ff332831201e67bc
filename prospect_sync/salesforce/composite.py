"""The Composite resource: up to 25 requests, at most 5 of them queries, in one call.

It packs requests and unpacks their answers by position; errors of single parts stand in the parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from prospect_sync.errors import SyncError, TryLater
from prospect_sync.model import Lane
from prospect_sync.salesforce import errors
from prospect_sync.salesforce.gateway import Allow, SalesforceGateway
from prospect_sync.salesforce.transport import Answer, Call

MOST_PARTS = 25
MOST_QUERIES = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One request within a Composite; ``path`` below the API version."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """What became of one part; ``error`` None: it was carried out. ``strange``: that cannot be told."""

    body: Any = None
    error: SyncError | None = None
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of one query, or why there are none. ``done`` False: the query has more."""

    rows: tuple[Mapping[str, Any], ...] = ()
    error: SyncError | None = None
    done: bool = True


def send(
    gateway: SalesforceGateway,
    parts: Sequence[Part],
    *,
    lane: Lane,
    repeatable: bool = False,
    allow: Allow | None = None,
) -> tuple[Answer, tuple[PartAnswer, ...]]:
    """Send at most 25 parts in one call. Where the call as a whole failed, there are no part answers."""
    body = {"allOrNone": False, "compositeRequest": [_pack(gateway, place, part) for place, part in enumerate(parts)]}
    answer = gateway.ask(Call("POST", "composite", body, repeatable=repeatable), lane=lane, allow=allow)
    if answer.error is not None:
        return answer, ()
    found = answer.body.get("compositeResponse") if isinstance(answer.body, dict) else None
    if not isinstance(found, list) or len(found) != len(parts):
        strange = TryLater("Salesforce's Composite answer has a strange shape", delay=30)
        return replace(answer, error=strange, lost=True), ()
    return answer, tuple(_unpack(one) for one in found)


def query_all(
    gateway: SalesforceGateway, queries: Sequence[str], *, lane: Lane, follow: bool = True, deleted: bool = True
) -> tuple[tuple[Rows, ...], datetime]:
    """Run queries, five a call, and give their rows and the org's clock.

    ``follow`` False: only the first page of each. ``deleted`` False: living records only.

    Raises:
        TryLater, Misconfigured: a call as a whole failed. What single queries failed with stands in their ``Rows``.
    """
    found: list[Rows] = []
    asked_at: list[datetime] = []
    for start in range(0, len(queries), MOST_QUERIES):
        resource = "queryAll" if deleted else "query"
        parts = [Part("GET", f"{resource}?q=" + quote(soql, safe="")) for soql in queries[start : start + MOST_QUERIES]]
        answer, answers = send(gateway, parts, lane=lane, repeatable=True)
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        asked_at.append(answer.asked_at(gateway.now()))
        found.extend(_rows(gateway, one, lane, follow=follow) for one in answers)
    return tuple(found), min(asked_at, default=gateway.now())


def _pack(gateway: SalesforceGateway, place: int, part: Part) -> dict[str, Any]:
    packed: dict[str, Any] = {
        "method": part.method,
        "url": gateway.settings.data_path + part.path,
        "referenceId": f"r{place}",
    }
    if part.headers:
        packed["httpHeaders"] = dict(part.headers)
    if part.body is not None:
        packed["body"] = part.body
    return packed


def _unpack(one: Any) -> PartAnswer:
    status = one.get("httpStatusCode") if isinstance(one, dict) else None
    if not isinstance(status, int):
        return PartAnswer(error=TryLater("a part of Salesforce's answer has no status", delay=30), strange=True)
    if 200 <= status < 300:
        return PartAnswer(body=one.get("body"))
    return PartAnswer(error=errors.translate(status, one.get("body")), strange=status >= 500)


def _rows(gateway: SalesforceGateway, first: PartAnswer, lane: Lane, *, follow: bool) -> Rows:
    """Follow a query from page to page; the further pages cost a call each."""
    if first.error is not None:
        return Rows(error=first.error)
    rows: list[Mapping[str, Any]] = []
    page = first.body
    while True:
        if not _is_page(page):
            return Rows(error=TryLater("Salesforce's query answer has a strange shape", delay=30))
        rows.extend(page["records"])
        further = page.get("nextRecordsUrl")
        if not isinstance(further, str) or not follow:
            return Rows(tuple(rows), done=not further)
        answer = gateway.ask(Call("GET", _below(further), repeatable=True), lane=lane)
        if answer.error is not None:
            return Rows(error=answer.error)
        page = answer.body


def _is_page(page: Any) -> bool:
    records = page.get("records") if isinstance(page, dict) else None
    return isinstance(records, list) and all(isinstance(row, dict) for row in records)


def _below(url: str) -> str:
    """Cut a query locator's address to what lies below the API version."""
    return "query/" + url.rstrip("/").rsplit("/", 1)[-1]
