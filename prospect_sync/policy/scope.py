"""The filter of one object in ``[scope]``: a safe part of SOQL's WHERE, read, checked, and judged for prospects.

Salesforce judges its own records by the text as it stands; this file only makes sure that the text is a condition and
nothing else. Prospects are judged here, on mirrored values, the way SOQL would: text without regard to case, and an
empty field equals null and nothing else.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from prospect_sync.model import Person
from prospect_sync.policy.behaviors import FieldType, Mapping
from prospect_sync.policy.values import EMPTY, Reading, Unread, read

PROSPECT = "Prospect"
_DEEPEST = 30
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*')
    |(?P<instant>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))
    |(?P<day>\d{4}-\d\d-\d\d)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*(?::\d+)?)
    |(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))""",
    re.VERBOSE | re.ASCII,
)
_SIGNS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_ORDERED = frozenset({"<", "<=", ">", ">="})
_LISTS = frozenset({"IN", "INCLUDES", "EXCLUDES"})
_WORDS = (
    "AND OR NOT IN LIKE INCLUDES EXCLUDES NULL TRUE FALSE SELECT FROM WHERE WITH GROUP ORDER BY HAVING LIMIT OFFSET FOR"
    " UPDATE USING TYPEOF ALL ROWS"
)
_RESERVED = frozenset(_WORDS.split())
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class ScopeError(ValueError):
    """The text is no condition that may stand in ``[scope]``; the words say why and where."""


@dataclass(frozen=True, slots=True)
class Literal:
    """One value of a condition; ``kind`` is text, number, truth, null, day, instant, or word (a date literal of SOQL)."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one value, or against several. ``sign`` is upper case, ``NOT IN`` included."""

    field: str
    sign: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by one word: AND, OR, or NOT (one condition)."""

    word: str
    parts: tuple["Condition", ...]


Condition = Comparison | Group


def parse(text: str) -> Condition:
    """Read a condition.

    Raises:
        ScopeError: it is none, or holds what has no place here: a query, an order, a limit, a function.
    """
    reader = _Reader(text)
    condition = reader.condition(0)
    reader.end()
    return condition


def fields_of(condition: Condition) -> Iterator[str]:
    """Name the fields a condition speaks of."""
    if isinstance(condition, Comparison):
        yield condition.field
        return
    for part in condition.parts:
        yield from fields_of(part)


def misfits(condition: Condition, types: MappingOf[str, FieldType]) -> Iterator[str]:
    """Say what keeps a condition from being judged on mirrored prospects of these types."""
    if isinstance(condition, Group):
        for part in condition.parts:
            yield from misfits(part, types)
        return
    kind = types.get(condition.field)
    if kind is None:
        yield f"{condition.field} is not mapped, so it is not known of every prospect"
        return
    if condition.sign in {"INCLUDES", "EXCLUDES"} and kind is not FieldType.MULTISELECT:
        yield f"{condition.sign} is for multi-selects, and {condition.field} is of type {kind.value}"
    for one in condition.values:
        if one.kind == "word":
            yield f"{one.value} is Salesforce's own date literal; write a date for prospects"
        elif isinstance(_meant(kind, one), Unread):
            yield f"{condition.field} is of type {kind.value}, and {one.value} is not"


def judge(condition: Condition, types: MappingOf[str, FieldType], values: MappingOf[str, Any]) -> bool | None:
    """Tell whether a prospect's values meet a condition; None where a field it rests on was not read."""
    if isinstance(condition, Comparison):
        return _compare(condition, types.get(condition.field, FieldType.TEXT), values)
    found = [judge(part, types, values) for part in condition.parts]
    if condition.word == "NOT":
        return None if found[0] is None else not found[0]
    deciding = condition.word == "OR"
    if any(one is deciding for one in found):
        return deciding
    return None if any(one is None for one in found) else not deciding


def outside(mapping: Mapping, prospect: MappingOf[str, Any] | None, person: Person | None) -> str | None:
    """Name the object whose filter keeps this pair, or this single record, from syncing (LC-7); None: it may sync.

    A prospect of which a field of the filter was not read is outside for now: nothing is written on a guess.
    """
    if person is not None and not person.in_scope:
        return person.type.value
    condition = mapping.prospect_scope
    if prospect is None or condition is None:
        return None
    types = {row.prospect: row.type for row in mapping.fields}
    return None if judge(condition, types, prospect) else PROSPECT


class _Reader:
    """Reads a condition from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def condition(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise ScopeError("the parentheses are nested too deeply")
        parts, joining = [self._part(depth)], ""
        while (word := self._peek_word()) in {"AND", "OR"}:
            if joining and word != joining:
                raise ScopeError("AND and OR side by side need parentheses")
            joining = word
            self._at += 1
            parts.append(self._part(depth))
        return Group(joining, tuple(parts)) if joining else parts[0]

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise ScopeError(f"nothing may follow the condition, but {self._tokens[self._at][1]!r} does")

    def _part(self, depth: int) -> Condition:
        if self._peek_word() == "NOT":
            self._at += 1
            return Group("NOT", (self._part(depth + 1),)) if depth <= _DEEPEST else self.condition(depth + 1)
        if self._peek() == "(":
            self._at += 1
            inner = self.condition(depth + 1)
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        kind, field = self._next("a field's name")
        if kind != "word" or field.upper() in _RESERVED or ":" in field:
            raise ScopeError(f"a field's name is expected, not {field!r}")
        if self._peek() == "(":
            raise ScopeError(f"functions such as {field}() have no place here")
        _, sign = self._next(f"a comparison after {field}")
        sign = sign.upper()
        if sign == "NOT" and self._peek_word() == "IN":
            self._at += 1
            return Comparison(field, "NOT IN", self._list())
        if sign in _LISTS:
            return Comparison(field, sign, self._list())
        if sign not in _SIGNS | {"LIKE"}:
            raise ScopeError(f"a comparison is expected after {field}, not {sign!r}")
        value = self._value()
        if sign == "LIKE" and value.kind != "text":
            raise ScopeError("LIKE takes a text in single quotes")
        if sign in _ORDERED and value.kind in {"null", "truth"}:
            raise ScopeError(f"{value.value} has no order for {sign}")
        return Comparison(field, "!=" if sign == "<>" else sign, (value,))

    def _list(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._value()]
        while self._peek() == ",":
            self._at += 1
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _value(self) -> Literal:
        kind, token = self._next("a value")
        match kind:
            case "text":
                return Literal("text", _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), token[1:-1]))
            case "number":
                return Literal("number", Decimal(token))
            case "day" | "instant":
                return Literal(kind, token)
            case "word" if token.upper() in {"TRUE", "FALSE"}:
                return Literal("truth", token.upper() == "TRUE")
            case "word" if token.upper() == "NULL":
                return Literal("null", None)
            case "word" if token.upper() not in _RESERVED and "." not in token:
                return Literal("word", token)
        raise ScopeError(f"a value is expected, not {token!r}")

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _peek_word(self) -> str:
        return self._tokens[self._at][1].upper() if self._at < len(self._tokens) else ""

    def _next(self, expected: str) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ScopeError(f"{expected} is missing at the end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, sign: str) -> None:
        _, token = self._next(f"a {sign}")
        if token != sign:
            raise ScopeError(f"a {sign} is expected, not {token!r}")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            raise ScopeError(f"cannot be read from {text[place : place + 20].strip()!r} on")
        place = found.end()
        yield str(found.lastgroup), found[str(found.lastgroup)]


def _compare(one: Comparison, kind: FieldType, values: MappingOf[str, Any]) -> bool | None:
    if one.field not in values:
        return None
    left = read(kind, values[one.field])
    if isinstance(left, Unread):
        return None
    rights = [_meant(kind, value) for value in one.values]
    match one.sign:
        case "=" | "IN":
            return any(_alike(left, right) for right in rights)
        case "!=" | "NOT IN":
            return not any(_alike(left, right) for right in rights)
        case "LIKE":
            return isinstance(left, str) and bool(_pattern(str(one.values[0].value)).fullmatch(left))
        case "INCLUDES" | "EXCLUDES":
            return _includes(left, one.values) is (one.sign == "INCLUDES")
        case _:
            return _ordered(left, one.sign, rights[0])


def _meant(kind: FieldType, value: Literal) -> Reading:
    """Read a literal as the field's type; several choices of a multi-select are written with semicolons."""
    if value.kind == "number" and kind in {FieldType.NUMBER, FieldType.TEXT}:
        return read(kind, value.value)
    if value.kind == "truth" and kind is not FieldType.BOOLEAN:
        return Unread("is true or false")
    return read(kind, value.value)


def _alike(left: Reading, right: Reading) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    if isinstance(left, frozenset) and isinstance(right, frozenset):
        return {choice.casefold() for choice in left} == {choice.casefold() for choice in right}
    return left == right


def _ordered(left: Reading, sign: str, right: Reading) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return _by_sign(sign, _order(left.casefold(), right.casefold()))
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return _by_sign(sign, _order(left, right))
    if isinstance(left, datetime) and isinstance(right, datetime):
        return _by_sign(sign, _order(left, right))
    if isinstance(left, date) and isinstance(right, date) and not isinstance(left, datetime):
        return _by_sign(sign, _order(left, right))
    return False


def _order(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def _by_sign(sign: str, order: int) -> bool:
    return order == 0 if sign in {"<=", ">="} and order == 0 else (order < 0 if "<" in sign else order > 0)


def _includes(left: Reading, values: tuple[Literal, ...]) -> bool:
    """Tell whether any of the wanted combinations is chosen; ``'a;b'`` means both."""
    if left is EMPTY or not isinstance(left, frozenset):
        return False
    chosen = {choice.casefold() for choice in left}
    wanted = ({part.strip().casefold() for part in str(value.value).split(";")} for value in values)
    return any(combination <= chosen for combination in wanted)


def _pattern(like: str) -> re.Pattern[str]:
    signs = {"%": ".*", "_": "."}
    return re.compile("".join(signs.get(char, re.escape(char)) for char in like), re.IGNORECASE | re.DOTALL)
