"""Reads leads and contacts from end to end in the order of their ids, values and all, a page of both types in one call.

Ids stand still while stamps move: whoever pages by them meets every record once, however much is edited meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from prospect_sync.errors import TryLater
from prospect_sync.model import Lane, PersonType
from prospect_sync.ports import PersonPage
from prospect_sync.salesforce import composite, errors, persons, soql
from prospect_sync.salesforce.columns import Columns
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.selection import rows_of, shaped

_PAGE = 2_000
_ROUNDS = 4


def snapshot(
    gateway: SalesforceGateway,
    lane: Lane,
    columns: Columns,
    after: Mapping[PersonType, str],
    fields: Mapping[PersonType, Collection[str]],
    since: datetime | None,
) -> Mapping[PersonType, PersonPage]:
    """See ``PersonSide.snapshot``. A type that was refused for a column is asked again without it."""
    pages: dict[PersonType, PersonPage] = {}
    for _ in range(_ROUNDS):
        kinds = [kind for kind in after if kind not in pages]
        if not kinds:
            return pages
        asked = {kind: _columns(columns, kind, fields.get(kind, ())) for kind in kinds}
        queries = [_next(kind, asked[kind], after[kind], since) for kind in kinds]
        answers, _ = composite.query_all(gateway, queries, lane=lane, follow=False)
        for kind, answer in zip(kinds, answers, strict=True):
            if answer.error is not None and errors.is_unreadable(answer.error):
                columns.learn(kind, asked[kind], answer.error, lane)
                continue
            rows = tuple(shaped(persons.person, kind, row, fields.get(kind, ())) for row in rows_of(answer))
            pages[kind] = PersonPage(rows, more=len(rows) >= _PAGE or not answer.done)
    raise TryLater("Salesforce refuses one column after the other", delay=60, code="INVALID_FIELD")


def _columns(columns: Columns, kind: PersonType, fields: Collection[str]) -> tuple[str, ...]:
    return columns.readable(kind, persons.columns_of(kind, [name for name in fields if soql.is_name(name)]))


def _next(kind: PersonType, columns: Sequence[str], after: str, since: datetime | None) -> str:
    conditions = [f"Id > {soql.text(after)}"] if after else []
    if since is not None:
        conditions.append(f"SystemModstamp >= {soql.instant(since)}")
    return soql.select(columns, kind, " AND ".join(conditions), order="Id", limit=_PAGE)
