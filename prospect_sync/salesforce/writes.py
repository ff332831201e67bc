"""Writes to leads and contacts, and what became of each.

Guarded writes go 25 a Composite, each with its own ``If-Unmodified-Since``, or singly where the org's Composite is known to
ignore that header; the others 200 a Collections call. A write is never sent a second time unless the vendor said that the
first was not carried out: what was lost is settled by reading.
"""

from collections.abc import Iterator, Sequence
from email.utils import format_datetime

from prospect_sync.errors import Misconfigured, Rejected, TryLater
from prospect_sync.model import Lane, to_second
from prospect_sync.ports import Deadline, Write, Written
from prospect_sync.salesforce import batches, composite
from prospect_sync.salesforce.composite import Part
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.transport import Answer, Call


def write(
    gateway: SalesforceGateway, wanted: Sequence[Write], deadline: Deadline, lane: Lane, *, guarded_singly: bool = False
) -> Iterator[Sequence[Written]]:
    """Send all writes; see ``PersonSide.write``.

    ``guarded_singly``: this org's Composite ignores ``If-Unmodified-Since``, so guarded writes go one a call.
    """
    spoilt = [Written(one, error=error) for one in wanted if (error := batches.unsendable(one.changes)) is not None]
    if spoilt:
        yield spoilt
    unfit = {id(written.write) for written in spoilt}
    fit = [one for one in wanted if id(one) not in unfit]
    sender = _Sender(gateway, deadline, lane)
    guarded = [one for one in fit if one.unmodified_since is not None]
    alone = [one for one in guarded if guarded_singly or batches.speaks_composite(one.changes)]
    for one in alone:
        yield from sender.singly(one)
    apart = {id(one) for one in alone}
    for some in batches.cut([one for one in guarded if id(one) not in apart], composite.MOST_PARTS):
        yield from sender.guarded(some)
    free = sorted((one for one in fit if one.unmodified_since is None), key=lambda one: one.ref.kind)
    for some in batches.cut(free, batches.COLLECTION):
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
        if answer.error is None and not batches.fits(answer.body, some):
            answer = Answer(error=TryLater("Salesforce's answer to writes has a strange shape", delay=30), lost=True)
        if answer.error is not None:
            yield from self._all_failed(some, answer)
            return
        yield [Written(one, error=batches.row_error(row)) for one, row in zip(some, answer.body, strict=True)]

    def _all_failed(self, some: Sequence[Write], answer: Answer) -> Iterator[Sequence[Written]]:
        """A call failed as a whole. Where single writes may be to blame, part them from the others; nothing was written yet."""
        error = answer.error
        to_blame, others = batches.parted(some, error, lambda one: one.changes) if not answer.lost else (some, ())
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


def _path(one: Write) -> str:
    return f"sobjects/{one.ref.kind.value}/{one.ref.id}"
