"""Leads and contacts of one org: what changed, what they hold now, and writing to them.

It decides how few calls carry a question; what to ask and write is the flow's business.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

import structlog

from prospect_sync.errors import TryLater
from prospect_sync.model import NOTHING, Lane, Person, PersonType, RecordKind, Ref, Side
from prospect_sync.ports import Created, Creation, Deadline, PersonPage, Position, VersionPage, Write, Written
from prospect_sync.salesforce import composite, creating, errors, persons, soql, writes
from prospect_sync.salesforce.addresses import people_by_address
from prospect_sync.salesforce.columns import Columns
from prospect_sync.salesforce.composite import Rows
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.selection import Selection, rows_of, shaped
from prospect_sync.salesforce.snapshot import snapshot

log = structlog.get_logger(__name__)

_PAGE = 2_000


class SalesforcePeople:
    """The ``PersonSide`` port over one gateway; ``for_lane`` gives the same for other work."""

    def __init__(
        self,
        gateway: SalesforceGateway,
        lane: Lane = Lane.LIVE,
        columns: Columns | None = None,
        guarded_singly: Callable[[], bool] = lambda: False,
    ) -> None:
        """``guarded_singly``: asked before guarded writes whether this org's Composite ignores their precondition."""
        self._gateway = gateway
        self._lane = lane
        self._columns = columns or Columns(gateway)
        self._guarded_singly = guarded_singly
        self._selection = Selection(gateway, lane, self._columns)

    def for_lane(self, lane: Lane) -> "SalesforcePeople":
        """Give a view whose calls count for another lane."""
        return SalesforcePeople(self._gateway, lane, self._columns, self._guarded_singly)

    def changed(self, positions: Mapping[RecordKind, Position]) -> Mapping[RecordKind, VersionPage]:
        """See ``PersonSide.changed``."""
        queries = [_changes_after(kind, position) for kind, position in positions.items()]
        found, read_at = composite.query_all(self._gateway, queries, lane=self._lane, follow=False)
        pages = {}
        for kind, answer in zip(positions, found, strict=True):
            if kind == RecordKind.ACCOUNT and _closed(answer):
                continue
            rows = tuple(shaped(persons.version, RecordKind(kind), row) for row in rows_of(answer))
            pages[kind] = VersionPage(rows, read_at, more=len(rows) >= _PAGE or not answer.done)
        return pages

    def of_accounts(self, account_ids: Collection[str]) -> Collection[Ref]:
        """See ``PersonSide.of_accounts``."""
        wanted = [record_id for record_id in account_ids if soql.is_id(record_id)]
        rest = len(soql.select(("Id",), PersonType.CONTACT, soql.among("AccountId", [])))
        queries = [
            soql.select(("Id",), PersonType.CONTACT, soql.among("AccountId", chunk))
            for chunk in soql.id_chunks(wanted, rest)
        ]
        found, _ = composite.query_all(self._gateway, queries, lane=self._lane, deleted=False)
        return [shaped(persons.contact_ref, row) for answer in found for row in rows_of(answer)]

    def read(
        self,
        refs: Collection[Ref],
        fields: Mapping[PersonType, Collection[str]],
        scope: Mapping[str, str] = NOTHING,
    ) -> Mapping[Ref, Person]:
        """See ``PersonSide.read``."""
        wanted = sorted({ref for ref in refs if ref.side is Side.SALESFORCE and soql.is_id(ref.id)})
        found: dict[Ref, Person] = {}
        for start in range(0, len(wanted), _PAGE):
            found.update(self._read_some(wanted[start : start + _PAGE], fields, scope))
        return found

    def snapshot(
        self,
        after: Mapping[PersonType, str],
        fields: Mapping[PersonType, Collection[str]],
        *,
        since: datetime | None = None,
    ) -> Mapping[PersonType, PersonPage]:
        """See ``PersonSide.snapshot``."""
        return snapshot(self._gateway, self._lane, self._columns, after, fields, since)

    def write(self, wanted: Sequence[Write], deadline: Deadline) -> Iterator[Sequence[Written]]:
        """See ``PersonSide.write``."""
        singly = any(one.unmodified_since is not None for one in wanted) and self._guarded_singly()
        return writes.write(self._gateway, wanted, deadline, self._lane, guarded_singly=singly)

    def by_address(
        self,
        addresses: Collection[str],
        fields: Mapping[PersonType, Collection[str]],
        scope: Mapping[str, str] = NOTHING,
    ) -> Mapping[str, tuple[Person, ...]]:
        """See ``PersonSide.by_address``."""
        return people_by_address(self._selection, addresses, fields, scope)

    def create(self, wanted: Sequence[Creation], deadline: Deadline) -> Iterator[Sequence[Created]]:
        """See ``PersonSide.create``."""
        return creating.create(self._gateway, wanted, deadline, self._lane)

    def _read_some(
        self, refs: Sequence[Ref], fields: Mapping[PersonType, Collection[str]], scope: Mapping[str, str]
    ) -> dict[Ref, Person]:
        ids = {kind: [ref.id for ref in refs if ref.kind.value == kind.value] for kind in PersonType}

        def ask(kind: PersonType, columns: Sequence[str]) -> Iterator[str]:
            return _by_id(kind, columns, ids[kind])

        found = self._selection.persons([kind for kind in PersonType if ids[kind]], fields, ask, scope=scope)
        return {one.ref: one for one in found}


def _changes_after(kind: RecordKind, position: Position) -> str:
    stamp = soql.instant(position.stamp)
    where = (
        f"SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > {soql.text(position.id)})"
        if position.id
        else f"SystemModstamp >= {stamp}"
    )
    columns = ("Id", "SystemModstamp", "IsDeleted")
    return soql.select(columns, kind, where, order="SystemModstamp, Id", limit=_PAGE)


def _by_id(person_type: PersonType, columns: Sequence[str], ids: Collection[str]) -> Iterator[str]:
    rest = len(soql.select(columns, person_type, soql.among("Id", [])))
    for chunk in soql.id_chunks(ids, rest):
        yield soql.select(columns, person_type, soql.among("Id", chunk))


def _closed(answer: Rows) -> bool:
    """Tell whether this user may not read the object at all; the others go on without it."""
    if answer.error is None or isinstance(errors.for_reading(answer.error), TryLater):
        return False
    log.info("accounts.unreadable", code=answer.error.code, words=answer.error.words)
    return True
