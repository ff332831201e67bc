"""The syntax of a query as values; positions are offsets in its text, for the vendor's error messages."""

from dataclasses import dataclass

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps of a related record: `Account.Owner.Name`."""

    parts: tuple[str, ...]
    at: int

    @property
    def text(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`COUNT(x)`, `MAX(x)` or `MIN(x)` with its name in the answer."""

    function: str
    path: Path
    alias: str | None
    at: int


@dataclass(frozen=True, slots=True)
class FieldSet:
    """`FIELDS(ALL)`, `FIELDS(STANDARD)` or `FIELDS(CUSTOM)`."""

    which: str
    at: int


@dataclass(frozen=True, slots=True)
class Selected:
    """A field in the list, with the alias that an aggregate query may give it."""

    path: Path
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant as written: kind is string, number, date, datetime, boolean, null or named (TODAY, ...)."""

    kind: str
    value: Scalar
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator literal(s)`; IN, NOT IN, INCLUDES and EXCLUDES have several."""

    path: Path
    operator: str
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """`path IN (SELECT ...)` or `NOT IN`."""

    path: Path
    negated: bool
    query: "Query"


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Both:
    """Conditions joined by AND."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions joined by OR."""

    conditions: tuple["Condition", ...]


Condition = Comparison | SemiJoin | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Order:
    by: Path | Aggregate
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; `fields` is empty for `SELECT COUNT()`."""

    fields: tuple[Selected | Aggregate | FieldSet, ...]
    object_name: str
    object_at: int
    where: Condition | None = None
    group_by: tuple[Path, ...] = ()
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    viewed: bool = False
    """FOR VIEW or FOR REFERENCE was asked."""
    counts_rows: bool = False
