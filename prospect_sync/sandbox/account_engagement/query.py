"""How a query's parameters are read: fields, filters, order, limit, and the tokens that lead from page to page.

Makes SQL conditions out of known field names only; values are always bound.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.fields import RELATIONSHIPS, ProspectField, ProspectFields
from prospect_sync.sandbox.account_engagement.values import Stored, epoch

_TIME_SUFFIXES = {"AfterOrEqualTo": ">=", "BeforeOrEqualTo": "<=", "After": ">", "Before": "<"}
_ID_SUFFIXES = {"GreaterThanOrEqualTo": ">=", "LessThanOrEqualTo": "<=", "GreaterThan": ">", "LessThan": "<"}
_FILTERS = {
    **dict.fromkeys(("createdAt", "updatedAt", "lastActivityAt"), _TIME_SUFFIXES),
    **{name: {**_ID_SUFFIXES, "": "="} for name in ("id", "userId", "assignedToId")},
    "email": {"": "="},
}
_ORDERED = ("id", "createdAt", "updatedAt", "lastActivityAt", "email")
_TOKEN_LIFE = 4 * 3600
_MOST_FILTERED = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """One requested field: a plain one, or a part of a relationship."""

    name: str
    column: ProspectField
    part: str | None = None


@dataclass(frozen=True, slots=True)
class ProspectQuery:
    """What a chain of pages asks for, and where the next page starts."""

    filters: tuple[tuple[str, str, Stored], ...]
    order: tuple[tuple[str, bool], ...]
    limit: int
    deleted: str
    offset: int = 0
    after: tuple[Stored, ...] | None = None
    served: int = 0

    def condition(self) -> tuple[str, list[Stored]]:
        """The SQL condition of the next page."""
        terms, values = ["1"], []
        if self.deleted != "all":
            terms.append(f'"isDeleted" = {int(self.deleted == "true")}')
        for name, sign, value in self.filters:
            terms.append(f'lower("email") {sign} lower(?)' if name == "email" else f'"{name}" {sign} ?')
            values.append(value)
        if self.after is not None:
            term, bound = self._after_last()
            terms.append(term)
            values.extend(bound)
        return " AND ".join(terms), values

    def keys(self) -> list[str]:
        """The expressions a page is ordered by; the id is the last, so that no two rows are equal."""
        return [_key(name) for name, _ in self._full_order()]

    def sql_order(self) -> str:
        return ", ".join(
            f"{place} {'DESC' if down else 'ASC'}" for place, (_, down) in enumerate(self._full_order(), start=1)
        )

    def next_page(self, last: Sequence[Stored], served: int) -> "ProspectQuery":
        return replace(self, after=tuple(last), served=self.served + served, offset=0)

    def _full_order(self) -> tuple[tuple[str, bool], ...]:
        if any(name == "id" for name, _ in self.order):
            return self.order
        return (*self.order, ("id", bool(self.order) and self.order[-1][1]))

    def _after_last(self) -> tuple[str, list[Stored]]:
        order, last = self._full_order(), self.after or ()
        if len({down for _, down in order}) == 1:
            sign = "<" if order[0][1] else ">"
            keys = ", ".join(_key(name) for name, _ in order)
            return f"({keys}) {sign} ({', '.join('?' * len(last))})", list(last)
        choices: list[str] = []
        values: list[Stored] = []
        for place, (name, down) in enumerate(order):
            equal = [f"{_key(other)} = ?" for other, _ in order[:place]]
            choices.append(" AND ".join([*equal, f"{_key(name)} {'<' if down else '>'} ?"]))
            values.extend(last[: place + 1])
        return "(" + " OR ".join(f"({choice})" for choice in choices) + ")", values


class PageTokens:
    """Tokens that carry their query, signed; nothing is kept for them."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(self, query: ProspectQuery, elapsed: float) -> str:
        content = [query.filters, query.order, query.limit, query.deleted, query.after, query.served, elapsed]
        body = json.dumps(content, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(body) + body).decode().rstrip("=")

    def read(self, token: str, elapsed: float) -> ProspectQuery:
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            raise refusal(211) from None
        if not hmac.compare_digest(raw[:12], self._sign(raw[12:])):
            raise refusal(211)
        filters, order, limit, deleted, after, served, issued = json.loads(raw[12:])
        if round(elapsed - issued, 3) > _TOKEN_LIFE:
            raise refusal(210)
        return ProspectQuery(
            filters=tuple((name, sign, value) for name, sign, value in filters),
            order=tuple((name, down) for name, down in order),
            limit=limit,
            deleted=deleted,
            after=None if after is None else tuple(after),
            served=served,
        )

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, body, hashlib.sha256)[:12]


def read_query(parameters: Mapping[str, str], tokens: PageTokens, elapsed: float) -> ProspectQuery:
    """Read everything but `fields`; a page token may be accompanied by `fields` alone."""
    given = {name: value for name, value in parameters.items() if name != "fields"}
    if "nextPageToken" in given:
        if len(given) > 1:
            raise refusal(51, "only fields may accompany nextPageToken")
        return tokens.read(given["nextPageToken"], elapsed)
    limit, offset = _limit(given.pop("limit", "200")), _offset(given.pop("offset", "0"))
    deleted, order = read_deleted(given.pop("deleted", "false")), _order(given.pop("orderBy", ""))
    return ProspectQuery(_filters(given), order, limit, deleted, offset)


def read_fields(parameters: Mapping[str, str], known: ProspectFields, *, query: bool) -> tuple[Wanted, ...]:
    """Read the required `fields`; lists are not to be had by a query."""
    names = [name.strip() for name in parameters.get("fields", "").split(",") if name.strip()]
    if not names:
        raise refusal(13, "fields")
    wanted = tuple(_wanted(name, known) for name in dict.fromkeys(names))
    for one in wanted:
        if query and not one.column.queryable:
            raise refusal(224, one.name)
    return wanted


def read_deleted(value: str) -> str:
    if value.lower() not in ("all", "true", "false"):
        raise refusal(51, "deleted")
    return value.lower()


def _wanted(name: str, known: ProspectFields) -> Wanted:
    relationship, dot, part = name.partition(".")
    if dot:
        column, parts = RELATIONSHIPS.get(relationship, ("", ()))
        found = known.get(column)
        if found is None or part not in parts:
            raise refusal(180, name)
        return Wanted(relationship, found, part)
    field = known.get(name)
    if field is None:
        raise refusal(180, name)
    return Wanted(name, field)


def _filters(given: Mapping[str, str]) -> tuple[tuple[str, str, Stored], ...]:
    filters = tuple(_filter(name, value) for name, value in given.items())
    if len({name for name, _, _ in filters}) > _MOST_FILTERED:
        raise refusal(209)
    for name in _FILTERS:
        lower = [_number(value) for field, sign, value in filters if field == name and sign.startswith(">")]
        upper = [_number(value) for field, sign, value in filters if field == name and sign.startswith("<")]
        if name.endswith("At") and lower and upper and max(lower) > min(upper):
            raise refusal(8, name)
    return filters


def _filter(parameter: str, value: str) -> tuple[str, str, Stored]:
    for name, suffixes in _FILTERS.items():
        suffix = parameter.removeprefix(name)
        if parameter.startswith(name) and suffix in suffixes:
            return name, suffixes[suffix], _filter_value(name, parameter, value)
    raise refusal(51, parameter)


def _filter_value(name: str, parameter: str, value: str) -> Stored:
    if name.endswith("At"):
        return epoch(value, parameter)
    if name == "email":
        return value
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise refusal(16, parameter)
    return int(value)


def _order(text: str) -> tuple[tuple[str, bool], ...]:
    order = []
    for term in filter(None, (part.strip() for part in text.split(","))):
        name, _, direction = term.partition(" ")
        if name not in _ORDERED or direction.strip().upper() not in ("", "ASC", "DESC"):
            raise refusal(51, f"orderBy {term}")
        order.append((name, direction.strip().upper() == "DESC"))
    return tuple(order)


def _limit(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= 1000:
        raise refusal(23)
    return int(text)


def _offset(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > 2000:
        raise refusal(52, "offset")
    return int(text)


def _key(name: str) -> str:
    match name:
        case "id" | "createdAt" | "updatedAt":
            return f'"{name}"'
        case "email":
            return "lower(coalesce(\"email\", ''))"
        case _:
            # Null sorts first; paging needs something to compare.
            return f'coalesce("{name}", -1)'


def _number(value: Any) -> int:
    return int(value)
