"""Creates prospects, sends them to the recycle bin and brings them back, one call each.

A create has no key by which it could be repeated, so it is sent once, and an answer that leaves it open is *unknown*.
To bring back goes by address, and what comes back is looked at.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from prospect_sync import wire
from prospect_sync.account_engagement import shapes
from prospect_sync.account_engagement.client import AccountEngagementClient, Answer, Call
from prospect_sync.account_engagement.reading import read_one
from prospect_sync.errors import Misconfigured, Rejected, Stale, SyncError, TryLater
from prospect_sync.model import Lane, Prospect, Stamp
from prospect_sync.ports import Created, Creation, Deadline, Write, Written

_OF_ANSWER = ("id", "updatedAt", "updatedById")
_EMAIL = "email"
_DOUBTFUL = frozenset({"183", "214"})  # an internal error or a time-out of theirs, whatever the status says
_IN_BIN = "219"
_ID_AT_END = re.compile(r"/([0-9]+)/?$")


class ProspectLife:
    """Single calls in one lane."""

    def __init__(self, client: AccountEngagementClient, lane: Lane) -> None:
        self._client = client
        self._lane = lane

    def create(self, one: Creation, deadline: Deadline) -> Created:
        """Create one prospect."""
        if fields := wire.unsendable(one.values):
            words = "the value cannot be written as JSON text"
            return Created(one, error=Rejected(words, code="UNSENDABLE", fields=fields))
        names = tuple(dict.fromkeys((*one.values, _EMAIL)))  # a missing address is the address' fault
        answer = self._ask(Call("POST", "", _asked(), shapes.sent(one.values), names), deadline)
        if answer.error is not None:
            return Created(one, error=answer.error, unknown=answer.lost or answer.error.code in _DOUBTFUL)
        row = _row(answer)
        prospect_id = _id(row.get("id")) or _id_in(answer.headers.get("location", ""))
        if prospect_id is None:
            words = "Account Engagement did not say which prospect it made"
            return Created(one, error=TryLater(words, delay=30), unknown=True)
        return Created(one, id=prospect_id, modified=_modified(row))

    def delete(self, one: Write, deadline: Deadline) -> Written:
        """Send one prospect to the recycle bin."""
        answer = self._ask(Call("DELETE", f"/{one.ref.id}"), deadline)
        if not isinstance(answer.error, Stale):
            return Written(one, error=answer.error, unknown=answer.lost)
        if answer.error.code == _IN_BIN:
            return Written(one)
        # writes do not lag: a prospect that they cannot find and reads can is in the bin
        return self._looked_at(one, answer.error, applied=lambda _: True)

    def restore(self, one: Write, deadline: Deadline) -> Written:
        """Bring one prospect back."""
        address = one.changes.get(_EMAIL)
        if not isinstance(address, str) or not address or wire.unsendable({_EMAIL: address}):
            return Written(one, error=Rejected("no address to restore by", code="UNSENDABLE", fields=(_EMAIL,)))
        call = Call("POST", "/do/undelete", _asked(_EMAIL), {_EMAIL: address}, (_EMAIL,))
        answer = self._ask(call, deadline)
        row = _row(answer)
        other = _id(row.get("id"))
        if answer.error is None and other in (None, one.ref.id):
            stored = {_EMAIL: row[_EMAIL]} if _EMAIL in row else None
            return Written(one, stored=stored, modified=_modified(row))
        error = answer.error or self._put_back(str(other), deadline)
        if isinstance(error, Stale | Rejected):
            return self._looked_at(one, error, applied=lambda found: not found.deleted)
        return Written(one, error=error, unknown=answer.lost)

    def _put_back(self, other: str, deadline: Deadline) -> Stale:
        """Several in the bin share the address, and another one came: it is not ours to bring back."""
        words = f"prospect {other} came back instead"
        try:
            answer = self._client.ask(Call("DELETE", f"/{other}"), lane=self._lane, allow=deadline.allow)
        except SyncError as error:
            return Stale(f"{words} and could not be put back: {error.words}")
        return Stale(words if answer.error is None else f"{words} and could not be put back: {answer.error.words}")

    def _looked_at(self, one: Write, refusal: SyncError, applied: Callable[[Prospect], bool]) -> Written:
        """A refusal may only mean that the prospect is already where it should be."""
        try:
            found = read_one(self._client, self._lane, one.ref.id, ())
        except (TryLater, Misconfigured) as error:
            return Written(one, error=error)
        return Written(one, error=None if found is not None and applied(found) else refusal)

    def _ask(self, call: Call, deadline: Deadline) -> Answer:
        try:
            return self._client.ask(call, lane=self._lane, allow=deadline.allow)
        except (TryLater, Misconfigured) as error:
            return Answer(error=error)


def _asked(*further: str) -> dict[str, str]:
    return {"fields": ",".join((*_OF_ANSWER, *further))}


def _row(answer: Answer) -> Mapping[str, Any]:
    return answer.body if isinstance(answer.body, dict) else {}


def _id(value: Any) -> str | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if re.fullmatch(r"[0-9]+", text) else None


def _id_in(location: str) -> str | None:
    found = _ID_AT_END.search(location)
    return found.group(1) if found else None


def _modified(row: Mapping[str, Any]) -> Stamp:
    """A success that shows nothing readable still is one."""
    try:
        return shapes.modified(row)
    except ValueError:
        return Stamp()
