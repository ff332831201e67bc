"""Runs queries for persons, all types in one call, and does without the columns this user may not read.

Which persons are wanted is said by whoever asks: here only columns are added to the questions.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.model import NOTHING, Lane, Person, PersonType
from prospect_sync.salesforce import composite, errors, persons, soql
from prospect_sync.salesforce.columns import Columns
from prospect_sync.salesforce.composite import Rows
from prospect_sync.salesforce.gateway import SalesforceGateway

Ask = Callable[[PersonType, Sequence[str]], Iterable[str]]

_ROUNDS = 4
_LEAST = ("Id", "Email")


class Selection:
    """Reads persons in one lane."""

    def __init__(self, gateway: SalesforceGateway, lane: Lane, columns: Columns) -> None:
        self._gateway = gateway
        self._lane = lane
        self._columns = columns

    def persons(
        self,
        types: Sequence[PersonType],
        fields: Mapping[PersonType, Collection[str]],
        ask: Ask,
        *,
        deleted: bool = True,
        scope: Mapping[str, str] = NOTHING,
    ) -> list[Person]:
        """Ask for all types at once; a type that was refused for a column is asked again without it.

        ``ask`` writes the queries for one type with these columns; each ends with its condition. ``scope``: the objects'
        filters; each rides along as a second query of the same call.

        Raises:
            TryLater
            Misconfigured: also where Salesforce refuses a filter; without it records would sync that were to be left alone.
        """
        open_types = list(types)
        found: list[Person] = []
        for _ in range(_ROUNDS):
            if not open_types:
                return found
            open_types = self._round(open_types, fields, ask, found, deleted=deleted, scope=scope)
        raise TryLater("Salesforce refuses one column after the other", delay=60, code="INVALID_FIELD")

    def _round(
        self,
        types: Sequence[PersonType],
        fields: Mapping[PersonType, Collection[str]],
        ask: Ask,
        found: list[Person],
        *,
        deleted: bool,
        scope: Mapping[str, str],
    ) -> list[PersonType]:
        """Ask once; returns the types that must be asked again."""
        columns = {kind: self._readable(kind, fields.get(kind, ())) for kind in types}
        queries = [(kind, query) for kind in types for query in ask(kind, columns[kind])]
        filters = [query for kind in types for query in _within(ask, kind, columns[kind], scope.get(kind.value))]
        answers, _ = composite.query_all(
            self._gateway, [*(query for _, query in queries), *filters], lane=self._lane, deleted=deleted
        )
        within = {persons.id_of(row) for answer in answers[len(queries) :] for row in _filtered(answer)}
        again: list[PersonType] = []
        read: list[Person] = []
        for (kind, _), answer in zip(queries, answers[: len(queries)], strict=True):
            if errors.is_unreadable(answer.error) and answer.error is not None:
                if kind not in again:
                    self._columns.learn(kind, columns[kind], answer.error, self._lane)
                    again.append(kind)
                continue
            read.extend(shaped(persons.person, kind, row, fields.get(kind, ())) for row in rows_of(answer))
        found.extend(
            replace(one, in_scope=one.id in within) if scope.get(one.type.value) else one
            for one in read
            if one.type not in again
        )
        return again

    def _readable(self, kind: PersonType, fields: Collection[str]) -> tuple[str, ...]:
        return self._columns.readable(kind, persons.columns_of(kind, [name for name in fields if soql.is_name(name)]))


def _within(ask: Ask, kind: PersonType, columns: Sequence[str], condition: str | None) -> Iterator[str]:
    """Ask which of the same records the object's filter includes; the mapping's check made sure that it is a condition."""
    if condition:
        for query in ask(kind, [name for name in columns if name in _LEAST]):
            yield f"{query} AND ({condition})"


def _filtered(answer: Rows) -> tuple[Mapping[str, Any], ...]:
    if answer.error is not None and not isinstance(answer.error, TryLater):
        words = f"Salesforce refuses the filter in the mapping's [scope]: {answer.error.words}"
        raise Misconfigured(words, code=answer.error.code)
    return rows_of(answer)


def rows_of(answer: Rows) -> tuple[Mapping[str, Any], ...]:
    """Give a query's rows.

    Raises: TryLater, Misconfigured: it failed.
    """
    if answer.error is not None:
        raise errors.for_reading(answer.error)
    return answer.rows


def shaped(make: Callable[..., Any], *arguments: Any) -> Any:
    """Make something of a row.

    Raises:
        TryLater: the row has a strange shape.
    """
    try:
        return make(*arguments)
    except ValueError as error:
        raise TryLater(f"a row of Salesforce's answer has a strange shape: {error}", delay=60) from error
