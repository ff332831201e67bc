"""Comparisons of a field with constants, as SQL with bound values: what each type takes and how it compares.

Text ignores case; a null is a value like another under != and NOT IN; a named day is a span.
"""

from datetime import UTC, date, datetime, time
from typing import Any, Protocol

from prospect_sync.sandbox.salesforce.errors import OrgError
from prospect_sync.sandbox.salesforce.ids import full_id
from prospect_sync.sandbox.salesforce.schema import NUMBER_TYPES, Field
from prospect_sync.sandbox.salesforce.soql.date_literals import Span, named_span
from prospect_sync.sandbox.salesforce.soql.lexer import complaint, pattern, plain
from prospect_sync.sandbox.salesforce.soql.tree import Comparison, Literal
from prospect_sync.sandbox.salesforce.state import OrgState

_EQUALITY = frozenset({"=", "!=", "IN", "NOT IN"})
_OPERATORS = {
    "boolean": frozenset({"=", "!="}),
    "multipicklist": frozenset({"=", "!=", "INCLUDES", "EXCLUDES"}),
    "id": _EQUALITY | {"<", "<=", ">", ">="},
    "reference": _EQUALITY | {"<", "<=", ">", ">="},
}
_ORDERING = _EQUALITY | {"<", "<=", ">", ">="}
_QUOTED = "must be of type {} and should be enclosed in quotes"
_UNQUOTED = "must be of type {} and should not be enclosed in quotes"


class _Column(Protocol):
    @property
    def sql(self) -> str: ...
    @property
    def field(self) -> Field: ...


class Filters:
    """Turns comparisons into SQL and gathers their values in order."""

    def __init__(self, text: str, state: OrgState) -> None:
        self._text = text
        self._state = state
        self.values: list[Any] = []

    def bound(self, *values: Any) -> str:
        """Placeholders for values."""
        self.values.extend(values)
        return ", ".join("?" * len(values))

    def comparison(self, condition: Comparison, column: _Column) -> str:
        one, operator, path = column.field, condition.operator, condition.path
        if not one.filterable:
            words = f"field '{path.text}' can not be filtered in a query call"
            raise complaint("INVALID_FIELD", self._text, path.at, words)
        if operator not in _allowed(one):
            words = f"invalid operator on {one.type} field"
            raise complaint("INVALID_QUERY_FILTER_OPERATOR", self._text, path.at, words)
        if operator in {"INCLUDES", "EXCLUDES"}:
            return self._choices(column, operator, condition.values)
        if operator in {"IN", "NOT IN"}:
            return self._membership(column, operator, condition.values)
        return self._single(column, operator, condition.values[0])

    def _single(self, column: _Column, operator: str, literal: Literal) -> str:
        if literal.kind == "named":
            return self._span(column, operator, self._named(column.field, literal))
        if operator == "LIKE":
            return self._like(column, self._string(column.field, literal))
        value = self._value(column.field, literal)
        if value is None:
            if operator not in {"=", "!="}:
                words = "invalid operator with null"
                raise complaint("INVALID_QUERY_FILTER_OPERATOR", self._text, literal.at, words)
            return f"{column.sql} IS {'' if operator == '=' else 'NOT '}NULL"
        sql, value = _folded(column, value)
        if operator == "!=":
            return f"{sql} IS NOT {self.bound(value)}"
        return f"{sql} {operator} {self.bound(value)}"

    def _membership(self, column: _Column, operator: str, literals: tuple[Literal, ...]) -> str:
        found = [self._value(column.field, literal) for literal in literals]
        values = [value for value in found if value is not None]
        plain_text = all(not isinstance(value, str) or value.isascii() for value in values)
        sql = column.sql
        if column.field.foldable and not plain_text:
            sql, values = f"fold({sql})", [str(value).lower() for value in values]
        listed = f"({self.bound(*values)})"
        if operator == "IN":
            return f"({sql} IN {listed} OR {sql} IS NULL)" if None in found else f"{sql} IN {listed}"
        if None in found:
            return f"({sql} IS NOT NULL AND {sql} NOT IN {listed})"
        return f"({sql} IS NULL OR {sql} NOT IN {listed})"

    def _like(self, column: _Column, value: str) -> str:
        wanted = pattern(value)
        sql = column.sql
        if not wanted.isascii():
            sql, wanted = f"fold({sql})", wanted.lower()
        return f"{sql} LIKE {self.bound(wanted)} ESCAPE '\\'"

    def _choices(self, column: _Column, operator: str, literals: tuple[Literal, ...]) -> str:
        either = []
        for literal in literals:
            wanted = [part.strip().lower() for part in self._string(column.field, literal).split(";")]
            both = [f"instr(fold(';' || {column.sql} || ';'), {self.bound(f';{part};')}) > 0" for part in wanted]
            either.append("(" + " AND ".join(both) + ")")
        found = f"coalesce({' OR '.join(either)}, 0)"
        return found if operator == "INCLUDES" else f"NOT {found}"

    def _span(self, column: _Column, operator: str, span: Span) -> str:
        start, end = (_midnight(day) if column.field.type == "datetime" else day.isoformat() for day in span)
        sql = column.sql
        match operator:
            case "=":
                return f"({sql} >= {self.bound(start)} AND {sql} < {self.bound(end)})"
            case "!=":
                return f"({sql} IS NULL OR {sql} < {self.bound(start)} OR {sql} >= {self.bound(end)})"
            case "<" | ">=":
                return f"{sql} {operator} {self.bound(start)}"
            case _:
                return f"{sql} {'>=' if operator == '>' else '<'} {self.bound(end)}"

    def _named(self, one: Field, literal: Literal) -> Span:
        today = self._state.clock.now().date()
        try:
            span = named_span(str(literal.value), today) if one.type in {"date", "datetime"} else None
        except (OverflowError, ValueError):
            span = None
        if span is None:
            words = f"unexpected token: '{literal.value}'"
            raise complaint("MALFORMED_QUERY", self._text, literal.at, words)
        return span

    def _string(self, one: Field, literal: Literal) -> str:
        if literal.kind != "string":
            raise self._wrong_kind(one, literal, _QUOTED, "string")
        return str(literal.value)

    def _value(self, one: Field, literal: Literal) -> Any:
        """The constant as it is stored; None for null and, in text, for nothing."""
        if literal.kind == "null":
            return None
        if one.type in {"id", "reference"}:
            return self._ident(self._string(one, literal), literal)
        if one.type == "boolean":
            if literal.kind != "boolean":
                raise self._wrong_kind(one, literal, _UNQUOTED, "boolean")
            return int(bool(literal.value))
        if one.type in NUMBER_TYPES:
            if literal.kind != "number":
                raise self._wrong_kind(one, literal, _UNQUOTED, one.type)
            return literal.value
        if one.type in {"date", "datetime"}:
            return self._day_or_instant(one, literal)
        return plain(self._string(one, literal)) or None

    def _ident(self, text: str, literal: Literal) -> str:
        ident = full_id(text)
        if ident is None:
            raise complaint("INVALID_QUERY_FILTER_OPERATOR", self._text, literal.at, f"invalid ID field: {text}")
        return ident

    def _day_or_instant(self, one: Field, literal: Literal) -> Any:
        wanted = "dateTime" if one.type == "datetime" else "date"
        if literal.kind != one.type:
            raise self._wrong_kind(one, literal, _UNQUOTED, wanted)
        try:
            if one.type == "date":
                return date.fromisoformat(str(literal.value)).isoformat()
            seconds = datetime.fromisoformat(str(literal.value)).timestamp()
        except ValueError as error:
            words = f"line {literal.at}: invalid {wanted}: {literal.value}"
            raise complaint("MALFORMED_QUERY", self._text, literal.at, words) from error
        return int(seconds) if seconds == int(seconds) else seconds

    def _wrong_kind(self, one: Field, literal: Literal, words: str, kind: str) -> OrgError:
        message = f"value of filter criterion for field '{one.name}' {words.format(kind)}"
        return complaint("INVALID_FIELD", self._text, literal.at, message)


def _allowed(one: Field) -> frozenset[str]:
    like = frozenset({"LIKE"}) if one.foldable else frozenset[str]()
    return _OPERATORS.get(one.type, _ORDERING | like)


def _folded(column: _Column, value: Any) -> tuple[str, Any]:
    """Column and value ready to compare: the storage itself ignores case in plain letters only."""
    if column.field.foldable and isinstance(value, str) and not value.isascii():
        return f"fold({column.sql})", value.lower()
    return column.sql, value


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
