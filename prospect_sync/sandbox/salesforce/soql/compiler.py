"""From syntax to one SQL statement with bound values, for one user's rights.

Decides what a query means: joins for paths, filters by type, who sees which rows. Whatever it cannot answer
rightly it refuses in the vendor's words.
"""

from dataclasses import dataclass, field
from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import OrgError, refusal
from prospect_sync.sandbox.salesforce.history import shown_value
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType
from prospect_sync.sandbox.salesforce.soql.filters import Filters
from prospect_sync.sandbox.salesforce.soql.lexer import complaint
from prospect_sync.sandbox.salesforce.soql.output import AnyValue, Compound, Leaf, Node
from prospect_sync.sandbox.salesforce.soql.tree import (
    Aggregate,
    Both,
    Comparison,
    Condition,
    FieldSet,
    Not,
    Path,
    Query,
    Selected,
    SemiJoin,
)
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.wire import shown
from prospect_sync.sandbox.users import OrgUser

_MOST_OFFSET = 2_000
_MOST_FIELDS_ROWS = 200
_MOST_LEVELS = 5
_DAY = 86_400
_HISTORY_DAYS, _ALL_HISTORY_DAYS = 548, 730
_REIFIED = frozenset({"entitydefinition.qualifiedapiname", "entitydefinitionid", "durableid"})
_AGGREGATE_SQL = {
    "COUNT": "count({})", "COUNT_DISTINCT": "count(DISTINCT {})", "MAX": "max({})", "MIN": "min({})",
    "SUM": "sum({})", "AVG": "avg({})",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the queried record or of a related one, as SQL names it."""

    sql: str
    field: Field
    kind: ObjectType
    alias: str


@dataclass(slots=True)
class Compiled:
    """A statement in pieces, so that pages can be fetched by row later."""

    kind: ObjectType
    columns: list[str]
    source: str
    condition: str
    values: list[Any]
    tail: str
    """GROUP BY and ORDER BY."""
    bounds: str
    """LIMIT and OFFSET."""
    root: Node | None
    """How a row becomes a record; None for aggregates."""
    aggregates: list[tuple[str, Any]] = field(default_factory=list)
    """Of an aggregate query: key and writer of each column."""
    counts_rows: bool = False
    limit: int | None = None
    living: bool = False
    """Whether later pages leave out what was deleted since."""

    @property
    def statement(self) -> str:
        return f"SELECT {', '.join(self.columns)} {self.source} WHERE {self.condition}{self.tail}{self.bounds}"

    @property
    def ids_statement(self) -> str:
        return f"SELECT t0.rowid {self.source} WHERE {self.condition}{self.tail}{self.bounds}"

    @property
    def rows_statement(self) -> str:
        """The same columns for rows named by number."""
        living = ' AND t0."IsDeleted" = 0' if self.living else ""
        wanted = "t0.rowid IN (SELECT value FROM json_each(?))"
        return f"SELECT {', '.join(self.columns)}, t0.rowid {self.source} WHERE {wanted}{living}"


class Compiler:
    """Compiles one query for one user."""

    def __init__(
        self,
        text: str,
        state: OrgState,
        access: Access,
        user: OrgUser,
        *,
        everything: bool,
        level: str = "t",
        only: frozenset[str] | None = None,
    ) -> None:
        self._only = only
        self._text = text
        self._state = state
        self._access = access
        self._user = user
        self._everything = everything
        self._level = level
        self._columns: dict[str, int] = {}
        self._joins: list[str] = []
        self._joined: dict[tuple[str, ...], tuple[str, ObjectType]] = {}
        self._filters = Filters(text, state)
        self._kind: ObjectType = self._state.schema.all()[0]

    def compile(self, query: Query) -> Compiled:
        kind = self._access.find(query.object_name)
        if kind is None or (self._only is not None and kind.name not in self._only):
            raise self._no_such_type(query)
        self._kind = kind
        self._joined[()] = (f"{self._level}0", kind)
        self._check_bounds(query)
        grouped = bool(query.group_by) or any(isinstance(one, Aggregate) for one in query.fields)
        root, aggregates = None, []
        if grouped:
            aggregates = self._aggregates(query)
        elif not query.counts_rows:
            root = self._output(query)
        condition = self._where(query)
        tail = self._tail(query, grouped=grouped)
        source = f'FROM "{kind.name}" AS {self._level}0' + "".join(self._joins)
        return Compiled(
            kind, list(self._columns), source, condition, self._filters.values, tail, _bounds(query), root,
            aggregates, query.counts_rows, query.limit, not self._everything and kind.field("IsDeleted") is not None,
        )  # fmt: skip

    # --- the columns of the answer

    def _output(self, query: Query) -> Node:
        root = self._node((), self._kind)
        for one in query.fields:
            if isinstance(one, FieldSet):
                for each in self._field_set(one, query):
                    self._leaf(root, self._column(Path((each.name,), one.at)))
            elif isinstance(one, Selected) and one.alias is None:
                self._select(root, one.path)
            elif isinstance(one, Selected):
                raise complaint(
                    "MALFORMED_QUERY", self._text, one.path.at, "only aggregate expressions use field aliasing"
                )
        return root

    def _select(self, root: Node, path: Path) -> None:
        node = root
        steps = self._steps(path)
        for depth in range(1, len(steps)):
            prefix = steps[:depth]
            _, kind = self._join(prefix, path)
            key = self._relationship(prefix, path).relationship or ""
            entry = node.entries.setdefault(key, self._node(prefix, kind))
            if not isinstance(entry, Node):
                raise self._duplicate(path)
            node = entry
        column = self._column(path)
        if column.field.name in node.entries:
            raise self._duplicate(path)
        self._leaf(node, column)

    def _leaf(self, node: Node, column: Column) -> None:
        one = column.field
        if one.parts:
            node.entries[one.name] = Compound({key: self._add(f'{column.alias}."{name}"') for key, name in one.parts})
        elif one.type == "anyType":
            kind_of_value = self._add(f'{column.alias}."DataType"')
            node.entries[one.name] = AnyValue(self._add(column.sql), kind_of_value, shown_value)
        else:
            node.entries[one.name] = Leaf(self._add(column.sql), shown(one))

    def _node(self, prefix: tuple[str, ...], kind: ObjectType) -> Node:
        alias, _ = self._joined[prefix]
        url_type = self._add(f'{alias}."Kind"') if kind.name == "Name" else None
        return Node(kind.name, self._add(f'{alias}."{_ident(kind)}"'), url_type)

    def _add(self, sql: str) -> int:
        return self._columns.setdefault(sql, len(self._columns))

    def _field_set(self, one: FieldSet, query: Query) -> list[Field]:
        if one.which != "STANDARD" and (query.limit is None or query.limit > _MOST_FIELDS_ROWS):
            words = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_FIELDS_ROWS}"
            raise complaint("MALFORMED_QUERY", self._text, one.at, words)
        readable = self._access.fields(self._user, self._kind).values()
        return [each for each in readable if one.which == "ALL" or each.custom == (one.which == "CUSTOM")]

    def _aggregates(self, query: Query) -> list[tuple[str, Any]]:
        grouped = {path.text.lower() for path in query.group_by}
        written: list[tuple[str, Any]] = []
        unnamed = 0
        for one in query.fields:
            if isinstance(one, Aggregate):
                key = one.alias or f"expr{unnamed}"
                unnamed += one.alias is None
                self._columns[f"{self._aggregate(one)} AS a{len(written)}"] = len(written)
                written.append((key, self._aggregate_writer(one)))
            elif isinstance(one, Selected) and one.path.text.lower() in grouped:
                column = self._column(one.path)
                self._columns[f"{column.sql} AS a{len(written)}"] = len(written)
                written.append((one.alias or column.field.name, shown(column.field)))
            else:
                at = one.path.at if isinstance(one, Selected) else one.at
                name = one.path.text if isinstance(one, Selected) else "FIELDS"
                raise complaint("MALFORMED_QUERY", self._text, at, f"Field must be grouped or aggregated: {name}")
        return written

    def _aggregate(self, one: Aggregate) -> str:
        column = self._column(one.path)
        numeric = column.field.type in {"int", "double", "currency", "percent"}
        if column.field.parts or not column.field.filterable or (one.function in {"SUM", "AVG"} and not numeric):
            words = f"field {one.path.text} does not support aggregate operator {one.function}"
            raise complaint("MALFORMED_QUERY", self._text, one.at, words)
        return _AGGREGATE_SQL[one.function].format(column.sql)

    def _aggregate_writer(self, one: Aggregate) -> Any:
        return shown(self._column(one.path).field) if one.function in {"MAX", "MIN"} else None

    # --- paths

    def _steps(self, path: Path) -> tuple[str, ...]:
        """The path in lower case, without the object's own name in front."""
        parts = tuple(part.lower() for part in path.parts)
        if len(parts) > 1 and parts[0] == self._kind.name.lower() and not self._leads_on(self._kind, parts[0]):
            parts = parts[1:]
        if len(parts) > _MOST_LEVELS + 1:
            words = f"Cannot traverse more than {_MOST_LEVELS} levels of relationships"
            raise complaint("MALFORMED_QUERY", self._text, path.at, words)
        return parts

    def _column(self, path: Path) -> Column:
        steps = self._steps(path)
        alias, kind = self._join(steps[:-1], path)
        one = self._access.fields(self._user, kind).get(steps[-1])
        if one is None:
            raise self._no_such_column(path, path.parts[-1], kind)
        return Column(f'{alias}."{one.name}"', one, kind, alias)

    def _join(self, prefix: tuple[str, ...], path: Path) -> tuple[str, ObjectType]:
        if prefix in self._joined:
            return self._joined[prefix]
        before, _ = self._join(prefix[:-1], path)
        lookup = self._relationship(prefix, path)
        target = self._state.schema.find(lookup.target[0] if len(lookup.target) == 1 else "Name")
        if target is None:
            raise self._no_relationship(path, prefix[-1])
        alias = f"{self._level}{len(self._joined)}"
        self._joins.append(
            f' LEFT JOIN "{target.name}" AS {alias} ON {alias}."{_ident(target)}" = {before}."{lookup.name}"'
        )
        self._joined[prefix] = (alias, target)
        return alias, target

    def _relationship(self, prefix: tuple[str, ...], path: Path) -> Field:
        _, kind = self._join(prefix[:-1], path)
        lookup = self._leads_on(kind, prefix[-1])
        if lookup is None:
            raise self._no_relationship(path, prefix[-1])
        return lookup

    def _leads_on(self, kind: ObjectType, name: str) -> Field | None:
        readable = self._access.fields(self._user, kind).values()
        return next((one for one in readable if one.relationship and one.relationship.lower() == name), None)

    # --- which rows

    def _where(self, query: Query) -> str:
        if self._kind.name == "FieldDefinition" and not _names_entity(query.where):
            words = "FieldDefinition: a filter on a reified column is required [EntityDefinitionId,DurableId]"
            raise refusal("MALFORMED_QUERY", words)
        conditions = [self._condition(query.where)] if query.where else []
        return " AND ".join((*conditions, *self._rights())) or "1"

    def _condition(self, condition: Condition) -> str:
        if isinstance(condition, Comparison):
            return self._filters.comparison(condition, self._column(condition.path))
        if isinstance(condition, SemiJoin):
            return self._semi_join(condition)
        if isinstance(condition, Not):
            return f"NOT coalesce({self._condition(condition.condition)}, 0)"
        word = " AND " if isinstance(condition, Both) else " OR "
        return "(" + word.join(self._condition(one) for one in condition.conditions) + ")"

    def _semi_join(self, condition: SemiJoin) -> str:
        outer = self._column(condition.path)
        query = condition.query
        chosen = query.fields[0] if len(query.fields) == 1 else None
        if self._level != "t" or not isinstance(chosen, Selected) or query.group_by or query.order_by:
            raise complaint("MALFORMED_QUERY", self._text, condition.path.at, "this semi join is not supported")
        inner = Compiler(
            self._text, self._state, self._access, self._user, everything=self._everything, level="s"
        )  # fmt: skip
        inner._filters.values = self._filters.values
        compiled = inner.compile(query)
        column = inner._column(chosen.path)
        if {outer.field.type, column.field.type} - {"id", "reference"} or query.limit is not None:
            words = "The left and right operands of a semi join must be ids"
            raise complaint("MALFORMED_QUERY", self._text, condition.path.at, words)
        inside = f"SELECT {column.sql} {compiled.source} WHERE {compiled.condition}"
        if condition.negated:
            return f"({outer.sql} IS NULL OR {outer.sql} NOT IN ({inside} AND {column.sql} IS NOT NULL))"
        return f"{outer.sql} IN ({inside})"

    def _rights(self) -> list[str]:
        """Conditions that nobody wrote: the recycle bin, sharing, field-level security, retention of history."""
        alias, kind = f"{self._level}0", self._kind
        conditions = []
        if kind.field("IsDeleted") and not self._everything:
            conditions.append(f'{alias}."IsDeleted" = 0')
        hidden = self._access.hidden(self._user)
        if hidden and not kind.virtual:
            shared = kind.parent_field or "Id"
            conditions.append(f'{alias}."{shared}" NOT IN ({self._filters.bound(*sorted(hidden))})')
        if kind.history_of:
            unreadable = self._access.unreadable(self._user, kind.history_of)
            if unreadable:
                conditions.append(f'{alias}."Field" NOT IN ({self._filters.bound(*unreadable)})')
            days = _ALL_HISTORY_DAYS if self._everything else _HISTORY_DAYS
            conditions.append(f'{alias}."CreatedDate" >= {self._state.now() - days * _DAY}')
        if kind.name == "FieldDefinition":
            conditions += [
                f'NOT ({alias}."EntityDefinitionId" = {self._filters.bound(of)}'
                f' AND {alias}."QualifiedApiName" IN ({self._filters.bound(*names)}))'
                for of in ("Lead", "Contact", "Account")
                if (names := self._access.unreadable(self._user, of))
            ]
        return conditions

    # --- order and bounds

    def _tail(self, query: Query, *, grouped: bool) -> str:
        group = ", ".join(self._grouped(path) for path in query.group_by)
        order = ", ".join(
            _ordered(self._aggregate(one.by), one.descending, one.nulls_last, nillable=True)
            if isinstance(one.by, Aggregate)
            else self._order(one.by, one.descending, one.nulls_last, query, grouped=grouped)
            for one in query.order_by
        )
        return (f" GROUP BY {group}" if group else "") + (f" ORDER BY {order}" if order else "")

    def _grouped(self, path: Path) -> str:
        column = self._column(path)
        if not column.field.groupable:
            words = f"field '{path.text}' can not be grouped in a query call"
            raise complaint("MALFORMED_QUERY", self._text, path.at, words)
        return column.sql

    def _order(self, path: Path, descending: bool, nulls_last: bool, query: Query, *, grouped: bool) -> str:
        if grouped and path.text.lower() not in {one.text.lower() for one in query.group_by}:
            words = f"Ordered field must be grouped or aggregated: {path.text}"
            raise complaint("MALFORMED_QUERY", self._text, path.at, words)
        column = self._column(path)
        if not column.field.sortable:
            words = f"field '{path.text}' can not be sorted in a query call"
            raise complaint("MALFORMED_QUERY", self._text, path.at, words)
        nillable = column.field.nillable or column.alias != f"{self._level}0"
        return _ordered(column.sql, descending, nulls_last, nillable=nillable)

    def _check_bounds(self, query: Query) -> None:
        if query.offset is not None and query.offset > _MOST_OFFSET:
            raise refusal("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MOST_OFFSET}")
        if query.viewed and self._kind.history_of:
            raise refusal("MALFORMED_QUERY", "FOR VIEW and FOR REFERENCE clauses are not allowed on history objects")
        if query.counts_rows and (query.group_by or query.order_by):
            raise refusal("MALFORMED_QUERY", "Grouped or ordered query must not use COUNT()")

    # --- refusals

    def _no_such_type(self, query: Query) -> OrgError:
        words = (
            f"sObject type '{query.object_name}' is not supported. If you are attempting to use a custom object, be "
            "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names."
        )
        return complaint("INVALID_TYPE", self._text, query.object_at, words)

    def _no_such_column(self, path: Path, name: str, kind: ObjectType) -> OrgError:
        words = (
            f"No such column '{name}' on entity '{kind.name}'. If you are attempting to use a custom field, be sure "
            "to append the '__c' after the custom field name. Please reference your WSDL or the describe call for "
            "the appropriate names."
        )
        return complaint("INVALID_FIELD", self._text, path.at, words)

    def _no_relationship(self, path: Path, name: str) -> OrgError:
        words = (
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom "
            "relationship, be sure to append the '__r' after the custom relationship name. Please reference your "
            "WSDL or the describe call for the appropriate names."
        )
        return complaint("INVALID_FIELD", self._text, path.at, words)

    def _duplicate(self, path: Path) -> OrgError:
        return complaint("INVALID_FIELD", self._text, path.at, f"duplicate field selected: {path.text}")


def _ident(kind: ObjectType) -> str:
    return "Id" if kind.field("Id") else "DurableId"


def _ordered(sql: str, descending: bool, nulls_last: bool, *, nillable: bool) -> str:
    """Nulls come first in either direction unless the query says otherwise."""
    direction = " DESC" if descending else ""
    if not nillable or descending == nulls_last:
        return sql + direction
    return f"{sql}{direction} NULLS {'LAST' if nulls_last else 'FIRST'}"


def _bounds(query: Query) -> str:
    if query.limit is None and query.offset is None:
        return ""
    limit = -1 if query.limit is None else query.limit
    return f" LIMIT {limit}" + (f" OFFSET {query.offset}" if query.offset else "")


def _names_entity(where: Condition | None) -> bool:
    """Whether a condition that every row must meet names the entity or the field."""
    if isinstance(where, Both):
        return any(_names_entity(one) for one in where.conditions)
    return (
        isinstance(where, Comparison)
        and where.operator in {"=", "IN"}
        and where.path.text.lower() in _REIFIED
        and all(value.kind == "string" for value in where.values)
    )
