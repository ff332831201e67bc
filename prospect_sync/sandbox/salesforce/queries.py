"""Answers SOQL: runs the compiled statement, cuts the answer into pages and keeps the place behind a locator.

A locator holds a snapshot of which rows were found; their values are read when the page is.
"""

import json
import sqlite3
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import refusal
from prospect_sync.sandbox.salesforce.ids import made_id
from prospect_sync.sandbox.salesforce.soql.compiler import Compiled, Compiler
from prospect_sync.sandbox.salesforce.soql.parser import parse
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.users import OrgUser

MOST_CHARACTERS = 100_000
LARGEST_PAGE, SMALLEST_PAGE = 2_000, 200
_LOCATOR_SECONDS = 2 * 86_400
_MOST_LOCATORS = 200


@dataclass(frozen=True, slots=True)
class _Locator:
    user: str
    compiled: Compiled
    rowids: "array[int]"
    resource: str
    page: int
    expires_at: int


class Queries:
    """The query resources of one org."""

    def __init__(self, state: OrgState, access: Access) -> None:
        self._state = state
        self._access = access
        self._locators: OrderedDict[str, _Locator] = OrderedDict()
        self._made = 0
        state.storage.db.create_function("fold", 1, _fold, deterministic=True)

    def answer(
        self,
        user: OrgUser,
        text: str,
        root: str,
        *,
        resource: str = "query",
        page: int = LARGEST_PAGE,
        only: frozenset[str] | None = None,
    ) -> dict[str, Any]:
        """The first page of a query's answer; `root` is the version's path, for addresses in the answer.

        `only` names the objects that may be asked, where that is not all of them.
        """
        if len(text) > MOST_CHARACTERS:
            raise refusal("MALFORMED_QUERY", "SOQL statements cannot be longer than 100000 characters.")
        everything = resource.lower() == "queryall"
        compiler = Compiler(text, self._state, self._access, user, everything=everything, only=only)
        try:
            compiled = compiler.compile(parse(text))
            if compiled.counts_rows:
                return self._count(compiled)
            if compiled.root is None:
                return self._aggregate(compiled)
            return self._first_page(user, compiled, root, resource, page)
        except (RecursionError, sqlite3.OperationalError) as error:
            if isinstance(error, sqlite3.OperationalError) and "too" not in str(error):
                raise
            words = "Query is either selecting too many fields or the filter conditions are too complicated."
            raise refusal("QUERY_TOO_COMPLICATED", words) from error

    def more(self, user: OrgUser, locator: str, root: str) -> dict[str, Any]:
        """A later page, by what stands behind `query/` in `nextRecordsUrl`."""
        name, _, start = locator.rpartition("-")
        found = self._locators.get(name)
        if found is None or found.user != user.name or not start.isdigit() or found.expires_at < self._state.now():
            raise refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        if int(start) >= len(found.rowids):
            raise refusal("INVALID_QUERY_LOCATOR", "invalid query locator")
        self._locators.move_to_end(name)
        return self._page(found, name, int(start), root)

    def _count(self, compiled: Compiled) -> dict[str, Any]:
        query = f"SELECT count(*) FROM (SELECT 1 {compiled.source} WHERE {compiled.condition}{compiled.bounds})"  # noqa: S608 - names come from the schema, values are bound
        total = self._state.storage.rows(query, compiled.values)[0][0]
        return {"totalSize": total, "done": True, "records": []}

    def _aggregate(self, compiled: Compiled) -> dict[str, Any]:
        rows = self._state.storage.rows(compiled.statement, compiled.values)
        if len(rows) > LARGEST_PAGE:
            words = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
            raise refusal("EXCEEDED_ID_LIMIT", words)
        records = []
        for row in rows:
            record: dict[str, Any] = {"attributes": {"type": "AggregateResult"}}
            for (key, write), value in zip(compiled.aggregates, row, strict=True):
                record[key] = write(value) if write and value is not None else value
            records.append(record)
        return {"totalSize": len(records), "done": True, "records": records}

    def _first_page(self, user: OrgUser, compiled: Compiled, root: str, resource: str, page: int) -> dict[str, Any]:
        storage = self._state.storage
        if (compiled.limit is not None and compiled.limit <= page) or compiled.kind.virtual:
            rows = storage.rows(compiled.statement, compiled.values)
            return {"totalSize": len(rows), "done": True, "records": _records(compiled, rows, root)}
        rowids = storage.rowids(compiled.ids_statement, compiled.values)
        locator = _Locator(user.name, compiled, rowids, resource, page, self._state.now() + _LOCATOR_SECONDS)
        self._made += 1
        name = made_id("01g", self._made)
        if len(rowids) > page:
            self._locators[name] = locator
            while len(self._locators) > _MOST_LOCATORS:
                self._locators.popitem(last=False)
        return self._page(locator, name, 0, root)

    def _page(self, locator: _Locator, name: str, start: int, root: str) -> dict[str, Any]:
        wanted = locator.rowids[start : start + locator.page]
        compiled = locator.compiled
        rows = self._state.storage.rows(compiled.rows_statement, (json.dumps(wanted.tolist()),))
        by_number = {row[-1]: row for row in rows}
        found = [by_number[number] for number in wanted if number in by_number]
        end = start + len(wanted)
        answer: dict[str, Any] = {"totalSize": len(locator.rowids), "done": end >= len(locator.rowids)}
        if not answer["done"]:
            answer["nextRecordsUrl"] = f"{root}/{locator.resource}/{name}-{end}"
        answer["records"] = _records(compiled, found, root)
        return answer


def _records(compiled: Compiled, rows: list[tuple[Any, ...]], root: str) -> list[dict[str, Any]]:
    node = compiled.root
    if node is None:
        return []
    return [record for row in rows if (record := node.record(row, root)) is not None]


def _fold(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
