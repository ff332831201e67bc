"""Prospects of one business unit: what changed, what they hold now, and writing to them, at most five calls at once.

It decides how calls are spread over threads; what to ask and write is the flow's business.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from prospect_sync import wire
from prospect_sync.account_engagement import reading, shapes
from prospect_sync.account_engagement.changes import ChangedProspects
from prospect_sync.account_engagement.client import AccountEngagementClient, Answer, Call
from prospect_sync.account_engagement.life import ProspectLife
from prospect_sync.account_engagement.spreading import gather, spread
from prospect_sync.errors import Misconfigured, Rejected, TryLater
from prospect_sync.model import Lane, Prospect, Stamp
from prospect_sync.ports import Created, Creation, Deadline, ProspectPage, Write, Written

_AT_ONCE = 5
_BULK_AT_ONCE = 3
_OF_ANSWER = ("id", "updatedAt", "updatedById")


class AccountEngagementProspects:
    """The ``ProspectSide`` port over one client; ``for_lane`` gives the same for other work."""

    def __init__(self, client: AccountEngagementClient, lane: Lane = Lane.LIVE) -> None:
        self._client = client
        self._lane = lane
        self._life = ProspectLife(client, lane)
        self._at_once = _BULK_AT_ONCE if lane is Lane.BULK else _AT_ONCE

    def for_lane(self, lane: Lane) -> "AccountEngagementProspects":
        """Give a view whose calls count for another lane."""
        return AccountEngagementProspects(self._client, lane)

    def changed(self, since: datetime, fields: Collection[str]) -> Iterator[ProspectPage]:
        """See ``ProspectSide.changed``."""
        return ChangedProspects(self._client, fields, self._lane).pages(since)

    def read(self, prospect_ids: Collection[int], fields: Collection[str]) -> Mapping[int, Prospect]:
        """See ``ProspectSide.read``."""
        found = gather(self._at_once, sorted(set(prospect_ids)), lambda one: self._read_one(one, fields))
        return {one.id: one for one in found if one is not None}

    def write(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """See ``ProspectSide.write``."""
        return spread(self._at_once, writes, lambda one: self._write_one(one, deadline))

    def find(self, addresses: Collection[str], fields: Collection[str]) -> Mapping[str, tuple[Prospect, ...]]:
        """See ``ProspectSide.find``. Fields that cannot be queried must not be asked for."""
        wanted = sorted({address.lower() for address in addresses})
        found = gather(self._at_once, wanted, lambda one: reading.find(self._client, self._lane, one, fields))
        return {address: holders for address, holders in zip(wanted, found, strict=True) if holders}

    def create(self, creations: Sequence[Creation], deadline: Deadline) -> Iterator[Sequence[Created]]:
        """See ``ProspectSide.create``."""
        return spread(self._at_once, creations, lambda one: self._life.create(one, deadline))

    def delete(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """See ``ProspectSide.delete``."""
        return spread(self._at_once, writes, lambda one: self._life.delete(one, deadline))

    def restore(self, writes: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """See ``ProspectSide.restore``."""
        return spread(self._at_once, writes, lambda one: self._life.restore(one, deadline))

    def _read_one(self, prospect_id: int, fields: Collection[str]) -> Prospect | None:
        return reading.read_one(self._client, self._lane, prospect_id, fields)

    def _write_one(self, one: Write, deadline: Deadline) -> Written:
        if fields := wire.unsendable(one.changes):
            words = "the value cannot be written as JSON text"
            return Written(one, error=Rejected(words, code="UNSENDABLE", fields=fields))
        names = tuple(one.changes)
        parameters = {"fields": ",".join(dict.fromkeys((*_OF_ANSWER, *names)))}
        call = Call("PATCH", f"/{one.ref.id}", parameters, shapes.sent(one.changes), names)
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
