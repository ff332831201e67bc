"""Creations of leads and contacts, and what became of each.

With an external id a creation is an upsert, 25 a Composite; without one it goes 200 a Collections call. Nothing is sent
a second time unless the vendor said that the first was not carried out: what was lost is settled by looking.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from prospect_sync.errors import Misconfigured, Rejected, Stale, SyncError, TryLater
from prospect_sync.model import Lane, id18
from prospect_sync.ports import Created, Creation, Deadline
from prospect_sync.salesforce import batches, composite, soql
from prospect_sync.salesforce.composite import Part
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.transport import Answer, Call

_DOTS = frozenset({".", ".."})  # steps of a path, even when percent-encoded


def create(
    gateway: SalesforceGateway, wanted: Sequence[Creation], deadline: Deadline, lane: Lane
) -> Iterator[Sequence[Created]]:
    """Send all creations; see ``PersonSide.create``."""
    spoilt = [Created(one, error=error) for one in wanted if (error := _uncreatable(one)) is not None]
    if spoilt:
        yield spoilt
    unfit = {id(created.creation) for created in spoilt}
    fit = [one for one in wanted if id(one) not in unfit]
    sender = _Sender(gateway, deadline, lane)
    keyed = [one for one in fit if one.external is not None]
    for one in [one for one in keyed if batches.speaks_composite(one.values)]:
        yield sender.singly(one)
    for some in batches.cut([one for one in keyed if not batches.speaks_composite(one.values)], composite.MOST_PARTS):
        yield from sender.upserted(some)
    free = sorted((one for one in fit if one.external is None), key=lambda one: one.kind)
    for some in batches.cut(free, batches.COLLECTION):
        yield from sender.collected(some)


class _Sender:
    """Sends creations of one batch call by call."""

    def __init__(self, gateway: SalesforceGateway, deadline: Deadline, lane: Lane) -> None:
        self._gateway = gateway
        self._deadline = deadline
        self._lane = lane

    def singly(self, one: Creation) -> Sequence[Created]:
        answer = self._ask(Call("PATCH", _path(one), _without_key(one), self._gateway.settings.constant_headers))
        return [_upserted(one, answer.body, answer.error, unknown=answer.lost)]

    def upserted(self, some: Sequence[Creation]) -> Iterator[Sequence[Created]]:
        headers = self._gateway.settings.constant_headers  # a part does not surely inherit the call's
        parts = [Part("PATCH", _path(one), _without_key(one), headers) for one in some]
        try:
            answer, answers = composite.send(self._gateway, parts, lane=self._lane, allow=self._deadline.allow)
        except (TryLater, Misconfigured) as error:
            answer, answers = Answer(error=error), ()
        if answer.error is not None:
            yield from self._all_failed(some, answer)
            return
        yield [
            _upserted(one, part.body, part.error, unknown=part.strange) for one, part in zip(some, answers, strict=True)
        ]

    def collected(self, some: Sequence[Creation]) -> Iterator[Sequence[Created]]:
        records = [{"attributes": {"type": one.kind.value}, **one.values} for one in some]
        answer = self._ask(Call("POST", "composite/sobjects", {"allOrNone": False, "records": records}))
        if answer.error is None and not batches.fits(answer.body, some):
            answer = Answer(error=TryLater("Salesforce's answer to creations has a strange shape", delay=30), lost=True)
        if answer.error is not None:
            yield from self._all_failed(some, answer)
            return
        yield [_created(one, row, batches.row_error(row)) for one, row in zip(some, answer.body, strict=True)]

    def _all_failed(self, some: Sequence[Creation], answer: Answer) -> Iterator[Sequence[Created]]:
        """A call failed as a whole. Where single ones may be to blame, part them from the others; nothing was made yet."""
        error = answer.error
        to_blame, others = batches.parted(some, error, lambda one: one.values) if not answer.lost else (some, ())
        if not others:
            yield [Created(one, error=error, unknown=answer.lost) for one in some]
            return
        send = self.upserted if some[0].external is not None else self.collected
        if isinstance(error, Misconfigured | Rejected) and error.fields:
            yield [Created(one, error=error) for one in to_blame]
        else:
            yield from send(to_blame)
        yield from send(others)

    def _ask(self, call: Call) -> Answer:
        try:
            return self._gateway.ask(call, lane=self._lane, allow=self._deadline.allow)
        except (TryLater, Misconfigured) as error:  # a lost lease is not caught: what comes next must not be sent
            return Answer(error=error)


def _upserted(one: Creation, body: Any, error: SyncError | None, *, unknown: bool) -> Created:
    if error is not None and one.external is not None:
        return Created(one, error=_of_key(error, one.external[0]), unknown=unknown)
    return _created(one, body, error)


def _created(one: Creation, body: Any, error: SyncError | None) -> Created:
    if error is not None:
        return Created(one, error=error)
    found = body.get("id") if isinstance(body, dict) else None
    if isinstance(found, str) and soql.is_id(found):
        return Created(one, id=id18(found))
    words = "Salesforce did not say which record it made"
    return Created(one, error=TryLater(words, delay=30), unknown=True)


def _of_key(error: SyncError, key: str) -> SyncError:
    """Some refusals of an upsert concern the external id that it goes by."""
    if isinstance(error, Rejected) and error.code == "DUPLICATE_EXTERNAL_ID":
        return Rejected(error.words, code=error.code, fields=(key,))
    if isinstance(error, Stale) and error.code in ("NOT_FOUND", ""):  # an upsert makes what is not there
        return Misconfigured(error.words, code=error.code, fields=(key,))
    return error


def _uncreatable(one: Creation) -> Rejected | None:
    if one.external is None:
        return batches.unsendable(one.values)
    key, value = one.external
    if not soql.is_name(key) or "." in key or not value or value in _DOTS:
        return Rejected("the external id cannot be part of an address", code="UNSENDABLE", fields=(key,))
    return batches.unsendable({**one.values, key: value})


def _path(one: Creation) -> str:
    key, value = one.external or ("", "")
    return f"sobjects/{one.kind.value}/{key}/{quote(value, safe='')}"


def _without_key(one: Creation) -> dict[str, Any]:
    """An upsert's body must not name the external id again."""
    key = one.external[0].lower() if one.external else ""
    return {name: value for name, value in one.values.items() if name.lower() != key}
