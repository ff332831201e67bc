"""Prospects of one business unit: what changed, what they hold now, and writing to them, at most five calls at once.

It decides how calls are spread over threads; what to ask and write is the flow's business.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any

from prospect_sync import wire
from prospect_sync.account_engagement import errors, shapes
from prospect_sync.account_engagement.changes import ChangedProspects
from prospect_sync.account_engagement.client import AccountEngagementClient, Answer, Call
from prospect_sync.errors import LeaseLost, Misconfigured, Rejected, Stale, TryLater
from prospect_sync.model import Lane, Prospect, Stamp
from prospect_sync.ports import Deadline, ProspectPage, Write, Written

_AT_ONCE = 5
_BULK_AT_ONCE = 3
_OF_ANSWER = ("id", "updatedAt", "updatedById")


class AccountEngagementProspects:
    """The ``ProspectSide`` port over one client; ``for_lane`` gives the same for other work."""

    def __init__(self, client: AccountEngagementClient, lane: Lane = Lane.LIVE) -> None:
        self._client = client
        self._lane = lane
        self._at_once = _BULK_AT_ONCE if lane is Lane.BULK else _AT_ONCE

    def for_lane(self, lane: Lane) -> "AccountEngagementProspects":
        """Give a view whose calls count for another lane."""
        return AccountEngagementProspects(self._client, lane)

    def changed(self, since: datetime, fields: Collection[str]) -> Iterator[ProspectPage]:
        """See ``ProspectSide.changed``."""
        return ChangedProspects(self._client, fields, self._lane).pages(since)

    def read(self, prospect_ids: Collection[int], fields: Collection[str]) -> Mapping[int, Prospect]:
        """See ``ProspectSide.read``."""
        ids = sorted(set(prospect_ids))
        if len(ids) < 2:
            found = [self._read_one(one, fields) for one in ids]
            return {one.id: one for one in found if one is not None}
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="prospects") as pool:
            asked = [pool.submit(self._read_one, one, fields) for one in ids]
            try:
                return {one.id: one for future in asked if (one := future.result()) is not None}
            finally:
                pool.shutdown(cancel_futures=True)

    def write(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """See ``ProspectSide.write``."""
        waiting = list(reversed(writes))
        lost: LeaseLost | None = None
        under_way: set[Future[Written]] = set()
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="prospects") as pool:
            while under_way or (waiting and lost is None):
                while waiting and lost is None and len(under_way) < self._at_once:
                    under_way.add(pool.submit(self._write_one, waiting.pop(), deadline))
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                lost = lost or next((error for one in done if isinstance(error := one.exception(), LeaseLost)), None)
                if written := [one.result() for one in done if not isinstance(one.exception(), LeaseLost)]:
                    yield written
        if lost is not None:
            raise lost

    def _read_one(self, prospect_id: int, fields: Collection[str]) -> Prospect | None:
        parameters = {"fields": shapes.asked_fields(fields), "deleted": "all"}
        call = Call("GET", f"/{prospect_id}", parameters, fields=fields, repeatable=True)
        answer = self._client.ask(call, lane=self._lane)
        if isinstance(answer.error, Stale):
            return None
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        try:
            return shapes.prospect(answer.body, fields)
        except ValueError as error:
            raise TryLater(f"a prospect in the answer has a strange shape: {error}", delay=60) from error

    def _write_one(self, one: Write, deadline: Deadline) -> Written:
        if fields := wire.unsendable(one.changes):
            words = "the value cannot be written as JSON text"
            return Written(one, error=Rejected(words, code="UNSENDABLE", fields=fields))
        names = tuple(one.changes)
        parameters = {"fields": ",".join(dict.fromkeys((*_OF_ANSWER, *names)))}
        call = Call("PATCH", f"/{one.ref.id}", parameters, one.changes, names)
        try:
            answer = self._client.ask(call, lane=self._lane, allow=deadline.allow)
        except (TryLater, Misconfigured) as error:
            return Written(one, error=error)
        return _written(one, answer)


def _written(one: Write, answer: Answer) -> Written:
    """Read the answer to a write; one that says success but shows nothing readable still is a success."""
    if answer.error is not None:
        return Written(one, error=answer.error, unknown=answer.lost)
    row: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    try:
        stamp = shapes.modified(row)
    except ValueError:
        stamp = Stamp()
    stored = {name: row[name] for name in one.changes if name in row}
    return Written(one, stored=stored or None, modified=stamp)
