"""Reads single prospects by id, and those that have an e-mail address. Shows deleted ones, too."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from prospect_sync.account_engagement import errors, shapes
from prospect_sync.account_engagement.client import AccountEngagementClient, Call
from prospect_sync.errors import Misconfigured, Rejected, Stale, TryLater
from prospect_sync.model import Lane, Prospect

_EMAIL = "email"
_BAD_ADDRESS = "4"
_PAGE = "1000"


def read_one(
    client: AccountEngagementClient, lane: Lane, prospect_id: int | str, fields: Collection[str]
) -> Prospect | None:
    """Read one prospect; None when there is none.

    Raises: TryLater, Misconfigured.
    """
    parameters = {"fields": shapes.asked_fields(fields), "deleted": "all"}
    answer = client.ask(Call("GET", f"/{prospect_id}", parameters, fields=fields, repeatable=True), lane=lane)
    if isinstance(answer.error, Stale):
        return None
    if answer.error is not None:
        raise errors.for_reading(answer.error)
    return _prospect(answer.body, fields)


def find(client: AccountEngagementClient, lane: Lane, address: str, fields: Collection[str]) -> tuple[Prospect, ...]:
    """Find the prospects with an address, living ones first, then the last modified, then by id.

    Raises: TryLater, Misconfigured.
    """
    if not _can_be_held(address):
        return ()
    with_email = tuple(dict.fromkeys((*fields, _EMAIL)))
    found = [one for rows in _pages(client, lane, address, with_email) for one in _of(address, rows, with_email)]
    return tuple(_as_asked(one, fields) for one in sorted(found, key=_order))


def content(body: Any) -> tuple[list[Any], str | None]:
    """Give the rows of a query's answer, and the token of the next page.

    Raises:
        TryLater: it has another shape.
    """
    rows = body.get("values") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise TryLater("Account Engagement's query answer has a strange shape", delay=30)
    token = body.get("nextPageToken")
    return rows, token if isinstance(token, str) and token else None


def _pages(client: AccountEngagementClient, lane: Lane, address: str, fields: Collection[str]) -> Iterator[list[Any]]:
    asked = {"fields": shapes.asked_fields(fields)}
    further: Mapping[str, str] = {_EMAIL: address, "deleted": "all", "limit": _PAGE}
    while True:
        call = Call("GET", parameters={**asked, **further}, fields=fields, repeatable=True)
        answer = client.ask(call, lane=lane)
        if isinstance(answer.error, Rejected) and answer.error.code == _BAD_ADDRESS:
            return
        if answer.error is not None:
            raise errors.for_reading(answer.error)
        rows, token = content(answer.body)
        yield rows
        if token is None:
            return
        further = {"nextPageToken": token}


def _of(address: str, rows: list[Any], fields: Collection[str]) -> list[Prospect]:
    """Keep those that really have the address: a filter that is not known may be ignored, and then all would seem to."""
    found = [one for row in rows if _has(address, one := _prospect(row, fields))]
    if rows and not found:
        words = "Account Engagement does not filter prospects by e-mail address"
        raise Misconfigured(words, code="email_filter")
    return found


def _prospect(row: Any, fields: Collection[str]) -> Prospect:
    try:
        return shapes.prospect(row, fields)
    except ValueError as error:
        raise TryLater(f"a prospect in the answer has a strange shape: {error}", delay=60) from error


def _has(address: str, prospect: Prospect) -> bool:
    email = prospect.values.get(_EMAIL)
    return isinstance(email, str) and email.lower() == address.lower()


def _as_asked(prospect: Prospect, fields: Collection[str]) -> Prospect:
    if _EMAIL in fields:
        return prospect
    return replace(prospect, values={name: value for name, value in prospect.values.items() if name != _EMAIL})


def _order(prospect: Prospect) -> tuple[bool, float, int]:
    at = prospect.modified.at
    return prospect.deleted, -at.timestamp() if at else 0.0, prospect.id


def _can_be_held(address: str) -> bool:
    """Nobody can have such an address, and to ask for it may be refused."""
    return "@" in address and address.isprintable() and not any(sign.isspace() for sign in address)
