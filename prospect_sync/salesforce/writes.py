"""Writes to leads and contacts, and what became of each.

Guarded writes go 25 a Composite, each with its own ``If-Unmodified-Since``; the others 200 a Collections call. A write is
never sent a second time unless the vendor said that the first was not carried out: what was lost is settled by reading.
"""

from collections.abc import Iterator, Mapping, Sequence
from email.utils import format_datetime
from typing import Any

from prospect_sync import wire
from prospect_sync.errors import Misconfigured, Rejected, SyncError, TryLater
from prospect_sync.model import Lane, to_second
from prospect_sync.ports import Deadline, Write, Written
from prospect_sync.salesforce import composite, errors
from prospect_sync.salesforce.composite import Part
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.transport import Answer, Call

_COLLECTION = 200
_REFERENCE = "@{"  # Composite replaces @{…} in bodies by other parts' answers, whoever typed it


def write(
    gateway: SalesforceGateway, wanted: Sequence[Write], deadline: Deadline, lane: Lane
) -> Iterator[Sequence[Written]]:
    """Send all writes; see ``PersonSide.write``."""
    spoilt = [Written(one, error=error) for one in wanted if (error := _unsendable(one)) is not None]
    if spoilt:
        yield spoilt
    unfit = {id(written.write) for written in spoilt}
    fit = [one for one in wanted if id(one) not in unfit]
    sender = _Sender(gateway, deadline, lane)
    guarded = [one for one in fit if one.unmodified_since is not None]
    for one in [one for one in guarded if _speaks_composite(one)]:
        yield from sender.singly(one)
    for some in _cut([one for one in guarded if not _speaks_composite(one)], composite.MOST_PARTS):
        yield from sender.guarded(some)
    free = sorted((one for one in fit if one.unmodified_since is None), key=lambda one: one.ref.kind)
    for some in _cut(free, _COLLECTION):
        yield from sender.collected(some)


class _Sender:
    """Sends writes of one batch call by call."""

    def __init__(self, gateway: SalesforceGateway, deadline: Deadline, lane: Lane) -> None:
        self._gateway = gateway
        self._deadline = deadline
        self._lane = lane

    def singly(self, one: Write) -> Iterator[Sequence[Written]]:
        answer = self._ask(Call("PATCH", _path(one), dict(one.changes), self._headers(one)))
        yield [Written(one, error=answer.error, unknown=answer.lost)]

    def guarded(self, some: Sequence[Write]) -> Iterator[Sequence[Written]]:
        parts = [Part("PATCH", _path(one), dict(one.changes), self._headers(one)) for one in some]
        try:
            answer, answers = composite.send(self._gateway, parts, lane=self._lane, allow=self._deadline.allow)
        except (TryLater, Misconfigured) as error:
            answer, answers = Answer(error=error), ()
        if answer.error is not None:
            yield from self._all_failed(some, answer)
            return
        yield [Written(one, error=part.error, unknown=part.strange) for one, part in zip(some, answers, strict=True)]

    def collected(self, some: Sequence[Write]) -> Iterator[Sequence[Written]]:
        records = [{"attributes": {"type": one.ref.kind.value}, "id": one.ref.id, **one.changes} for one in some]
        answer = self._ask(Call("PATCH", "composite/sobjects", {"allOrNone": False, "records": records}))
        if answer.error is None and not _fits(answer.body, some):
            answer = Answer(error=TryLater("Salesforce's answer to writes has a strange shape", delay=30), lost=True)
        if answer.error is not None:
            yield from self._all_failed(some, answer)
            return
        yield [Written(one, error=_row_error(row)) for one, row in zip(some, answer.body, strict=True)]

    def _all_failed(self, some: Sequence[Write], answer: Answer) -> Iterator[Sequence[Written]]:
        """A call failed as a whole. Where single writes may be to blame, part them from the others; nothing was written yet."""
        error = answer.error
        to_blame, others = _parted(some, error) if not answer.lost else (some, ())
        if not others:
            yield [Written(one, error=error, unknown=answer.lost) for one in some]
            return
        send = self.guarded if some[0].unmodified_since is not None else self.collected
        if isinstance(error, Misconfigured | Rejected) and error.fields:
            yield [Written(one, error=error) for one in to_blame]
        else:
            yield from send(to_blame)
        yield from send(others)

    def _ask(self, call: Call) -> Answer:
        try:
            return self._gateway.ask(call, lane=self._lane, allow=self._deadline.allow)
        except (TryLater, Misconfigured) as error:  # a lost lease is not caught: what comes next must not be sent
            return Answer(error=error)

    def _headers(self, one: Write) -> dict[str, str]:
        """A part of a Composite does not surely inherit the call's headers."""
        headers = self._gateway.settings.constant_headers
        if one.unmodified_since is not None:
            headers["If-Unmodified-Since"] = format_datetime(to_second(one.unmodified_since), usegmt=True)
        return headers


def _parted(some: Sequence[Write], error: SyncError | None) -> tuple[Sequence[Write], Sequence[Write]]:
    """Divide writes into those to blame and others: by the fields the error names, else by halves."""
    if len(some) < 2 or not isinstance(error, Misconfigured | Rejected):
        return some, ()
    if error.fields:
        blamed = [one for one in some if set(error.fields) & set(one.changes)]
        return (blamed, [one for one in some if one not in blamed]) if blamed else (some, ())
    if isinstance(error, Misconfigured):
        return some, ()
    return some[: len(some) // 2], some[len(some) // 2 :]


def _unsendable(one: Write) -> Rejected | None:
    fields = wire.unsendable(one.changes)
    if not fields:
        return None
    return Rejected("the value cannot be written as JSON text", code="UNSENDABLE", fields=fields)


def _speaks_composite(one: Write) -> bool:
    return any(isinstance(value, str) and _REFERENCE in value for value in one.changes.values())


def _path(one: Write) -> str:
    return f"sobjects/{one.ref.kind.value}/{one.ref.id}"


def _fits(body: Any, some: Sequence[Write]) -> bool:
    return isinstance(body, list) and len(body) == len(some) and all(isinstance(row, dict) for row in body)


def _row_error(row: Mapping[str, Any]) -> SyncError | None:
    return None if row.get("success") is True else errors.translate_row(row.get("errors"))


def _cut(some: Sequence[Write], most: int) -> Iterator[Sequence[Write]]:
    for start in range(0, len(some), most):
        yield some[start : start + most]
