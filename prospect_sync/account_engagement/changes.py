"""Reads every prospect changed since an instant, however many there are.

Pages are chained by the vendor's tokens. A chain that ends early (its limit of 100,000 records, a token that is no longer
taken) is begun again at the last instant seen. Equal instants come in no promised order, so an instant that fills a
whole chain is read by ids instead, without tokens.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from prospect_sync.account_engagement import errors, shapes
from prospect_sync.account_engagement.client import AccountEngagementClient, Answer, Call
from prospect_sync.account_engagement.reading import content
from prospect_sync.errors import TryLater
from prospect_sync.model import Lane, Prospect, to_second
from prospect_sync.ports import ProspectPage

_PAGE = 1_000
_CHAIN_ENDED = "203"


@dataclass(frozen=True, slots=True)
class _Page:
    rows: tuple[Prospect, ...]
    read_at: datetime
    token: str | None
    cut: bool = False


class ChangedProspects:
    """One reading of the changes since an instant."""

    def __init__(self, client: AccountEngagementClient, fields: Collection[str], lane: Lane) -> None:
        self._client = client
        self._fields = tuple(fields)
        self._lane = lane
        self._newest: datetime | None = None
        self._at_newest: set[int] = set()

    def pages(self, since: datetime) -> Iterator[ProspectPage]:
        """Give the pages; each prospect is in one of them, unless it changes meanwhile."""
        self._newest = start = to_second(since)
        while True:
            for page in self._chain(start):
                if page.cut and not page.rows:
                    continue
                last = not page.cut and page.token is None
                yield ProspectPage(self._fresh(page.rows), page.read_at, last=last)
                if last:
                    return
            if self._newest > start:
                start = self._newest
                continue
            for page in self._by_id(start):
                yield ProspectPage(self._fresh(page.rows), page.read_at, last=False)
            self._newest = start = start + timedelta(seconds=1)
            self._at_newest = set()

    def _chain(self, start: datetime) -> Iterator[_Page]:
        """Follow one chain of tokens to its end; its last page says whether it was cut."""
        page = self._ask({"updatedAtAfterOrEqualTo": _instant(start), "orderBy": "updatedAt", **_EVERY})
        yield page
        while page.token is not None:
            page = self._ask({"nextPageToken": page.token})
            yield page

    def _by_id(self, second: datetime) -> Iterator[_Page]:
        """Read all prospects of one second in the order of their ids."""
        after = 0
        while True:
            bounds = {"updatedAtAfterOrEqualTo": _instant(second), "updatedAtBeforeOrEqualTo": _instant(second)}
            page = self._ask({**bounds, "idGreaterThan": str(after), "orderBy": "id", **_EVERY})
            yield page
            if len(page.rows) < _PAGE:
                return
            after = max(row.id for row in page.rows)

    def _ask(self, parameters: Mapping[str, str]) -> _Page:
        asked = {"fields": shapes.asked_fields(self._fields), **parameters}
        call = Call("GET", parameters=asked, fields=self._fields, repeatable=True)
        answer = self._client.ask(call, lane=self._lane)
        if answer.error is not None:
            if "nextPageToken" in parameters and errors.is_bad_page(answer.error):
                return _Page((), self._client.now(), None, cut=True)
            raise errors.for_reading(answer.error)
        return self._page(answer)

    def _page(self, answer: Answer) -> _Page:
        rows, token = content(answer.body)
        try:
            prospects = tuple(shapes.prospect(row, self._fields) for row in rows)
        except ValueError as error:
            raise TryLater(f"a prospect in the answer has a strange shape: {error}", delay=60) from error
        cut = answer.warning == _CHAIN_ENDED or (token is None and len(rows) >= _PAGE)
        return _Page(prospects, answer.asked_at(self._client.now()), None if cut else token, cut)

    def _fresh(self, rows: tuple[Prospect, ...]) -> tuple[Prospect, ...]:
        """Leave out what a page before this one already gave, and note how far we are."""
        fresh = []
        for row in rows:
            at = row.modified.at
            if at is not None and self._newest is not None and at > self._newest:
                self._newest, self._at_newest = at, set()
            if at == self._newest:
                if row.id in self._at_newest:
                    continue
                self._at_newest.add(row.id)
            fresh.append(row)
        return tuple(fresh)


_EVERY = {"deleted": "all", "limit": str(_PAGE)}


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).replace(microsecond=0).isoformat()
