"""Recursive descent over SOQL. What the sandbox does not know is refused as an unexpected token, never skipped.

Like the vendor, it wants parentheses where AND meets OR and where NOT stands inside a longer condition.
"""

from collections.abc import Callable
from typing import TypeVar

from prospect_sync.sandbox.salesforce.soql.lexer import Token, complaint, tokens, unescaped, unexpected
from prospect_sync.sandbox.salesforce.soql.tree import (
    Aggregate,
    Both,
    Comparison,
    Condition,
    Either,
    FieldSet,
    Literal,
    Not,
    Order,
    Path,
    Query,
    Selected,
    SemiJoin,
)

_T = TypeVar("_T")
_RESERVED = frozenset({"ALL", "AND", "ASC", "DESC", "FOR", "FROM", "GROUP", "HAVING", "LIMIT", "NULLS", "OFFSET"})
_RESERVED |= {"OR", "ORDER", "USING", "WHERE", "WITH"}
_AGGREGATES = frozenset({"COUNT", "MAX", "MIN", "COUNT_DISTINCT", "SUM", "AVG"})
_COMPARE = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_MOST_STRING = 4_000
_MOST_ROWS = 2**31
_MOST_DIGITS = 18


def parse(text: str) -> Query:
    """The query's syntax, or MALFORMED_QUERY."""
    reader = _Reader(text)
    query = reader.query()
    if reader.now.kind != "end":
        raise unexpected(text, reader.now)
    return query


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._place = 0

    @property
    def now(self) -> Token:
        return self._tokens[self._place]

    @property
    def _ahead(self) -> Token:
        return self._tokens[min(self._place + 1, len(self._tokens) - 1)]

    def _next(self) -> Token:
        token = self.now
        if token.kind != "end":
            self._place += 1
        return token

    def _take(self, *words: str) -> Token | None:
        """Step over the words if exactly they come next."""
        ahead = self._tokens[self._place : self._place + len(words)]
        if [token.word for token in ahead] != list(words):
            return None
        self._place += len(words)
        return ahead[0]

    def _need(self, *words: str) -> Token:
        token = self._take(*words)
        if token is None:
            raise unexpected(self._text, self.now)
        return token

    def query(self) -> Query:
        self._need("SELECT")
        counts = bool(self._take("COUNT", "(", ")"))
        fields = () if counts else self._list(self._selected)
        self._need("FROM")
        name = self._name()
        where = self._condition() if self._take("WHERE") else None
        group_by = self._list(self._path) if self._take("GROUP", "BY") else ()
        order_by = self._list(self._order) if self._take("ORDER", "BY") else ()
        limit = self._number() if self._take("LIMIT") else None
        offset = self._number() if self._take("OFFSET") else None
        viewed = bool(self._take("FOR", "VIEW") or self._take("FOR", "REFERENCE"))
        return Query(fields, name.text, name.at, where, group_by, order_by, limit, offset, viewed, counts_rows=counts)

    def _list(self, one: Callable[[], _T]) -> tuple[_T, ...]:
        found = [one()]
        while self._take(","):
            found.append(one())
        return tuple(found)

    def _name(self) -> Token:
        token = self._next()
        if token.kind != "name" or token.word in _RESERVED:
            raise unexpected(self._text, token)
        return token

    def _path(self) -> Path:
        token = self._name()
        return Path(tuple(token.text.split(".")), token.at)

    def _number(self) -> int:
        token = self._next()
        if token.kind != "number" or not token.text.isdigit():
            raise unexpected(self._text, token)
        return min(int(token.text), _MOST_ROWS)

    def _selected(self) -> Selected | Aggregate | FieldSet:
        if self._ahead.text == "(":
            function = self._name()
            if function.word == "FIELDS":
                return self._field_set(function)
            return self._aggregate(function)
        path = self._path()
        return Selected(path, self._alias())

    def _field_set(self, function: Token) -> FieldSet:
        self._need("(")
        which = self._next()
        if which.word not in {"ALL", "STANDARD", "CUSTOM"}:
            raise unexpected(self._text, which)
        self._need(")")
        return FieldSet(which.word, function.at)

    def _aggregate(self, function: Token) -> Aggregate:
        if function.word not in _AGGREGATES:
            raise unexpected(self._text, self.now)
        self._need("(")
        path = self._path()
        self._need(")")
        return Aggregate(function.word, path, self._alias(), function.at)

    def _alias(self) -> str | None:
        token = self.now
        if token.kind != "name" or token.word in _RESERVED or "." in token.text:
            return None
        return self._next().text

    def _order(self) -> Order:
        computed = self._ahead.text == "("
        by = self._aggregate(self._name()) if computed else self._path()
        descending = bool(self._take("DESC"))
        if not descending:
            self._take("ASC")
        nulls_last = bool(self._take("NULLS", "LAST"))
        if not nulls_last:
            self._take("NULLS", "FIRST")
        return Order(by, descending, nulls_last)

    def _condition(self) -> Condition:
        if self._take("NOT"):
            return Not(self._term())
        first = self._term()
        for word, joined in (("AND", Both), ("OR", Either)):
            terms = [first]
            while self._take(word):
                terms.append(self._term())
            if len(terms) > 1:
                if self.now.word in {"AND", "OR"}:
                    raise unexpected(self._text, self.now)
                return joined(tuple(terms))
        return first

    def _term(self) -> Condition:
        if self._take("("):
            inner = self._condition()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        if self.now.word == "NOT":
            raise unexpected(self._text, self.now)
        path = self._path()
        token = self._next()
        operator = token.word
        if operator in _COMPARE:
            return Comparison(path, "!=" if operator == "<>" else operator, (self._literal(),))
        if operator == "LIKE":
            return Comparison(path, operator, (self._literal(),))
        if operator in {"INCLUDES", "EXCLUDES"}:
            return Comparison(path, operator, self._literals())
        if operator == "NOT":
            self._need("IN")
            return self._membership(path, negated=True)
        if operator == "IN":
            return self._membership(path, negated=False)
        raise unexpected(self._text, token)

    def _membership(self, path: Path, *, negated: bool) -> Condition:
        if self.now.text == "(" and self._ahead.word == "SELECT":
            self._need("(")
            query = self.query()
            self._need(")")
            return SemiJoin(path, negated, query)
        return Comparison(path, "NOT IN" if negated else "IN", self._literals())

    def _literals(self) -> tuple[Literal, ...]:
        self._need("(")
        found = self._list(self._literal)
        self._need(")")
        return found

    def _literal(self) -> Literal:
        token = self._next()
        if token.kind == "string":
            return self._string(token)
        if token.kind == "number":
            whole = not set(token.text) & set(".eE") and len(token.text) <= _MOST_DIGITS
            number = int(token.text) if whole else float(token.text)
            return Literal("number", number, token.at)
        if token.kind in {"date", "datetime"}:
            return Literal(token.kind, token.text, token.at)
        if token.word in {"TRUE", "FALSE"}:
            return Literal("boolean", token.word == "TRUE", token.at)
        if token.word == "NULL":
            return Literal("null", None, token.at)
        if token.kind in {"name", "named"} and "." not in token.text:
            return Literal("named", token.text.upper(), token.at)
        raise unexpected(self._text, token)

    def _string(self, token: Token) -> Literal:
        value = unescaped(self._text, token.at, token.text)
        if len(value) > _MOST_STRING:
            raise complaint("MALFORMED_QUERY", self._text, token.at, "string literal too long")
        return Literal("string", value, token.at)
