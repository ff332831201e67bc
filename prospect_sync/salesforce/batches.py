"""What updates and creations of people have in common: cutting them into calls, and whom a refused call blames.

Nothing is sent here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from prospect_sync import wire
from prospect_sync.errors import Misconfigured, Rejected, SyncError
from prospect_sync.salesforce import errors

T = TypeVar("T")

COLLECTION = 200
_REFERENCE = "@{"  # Composite replaces @{…} in bodies by other parts' answers, whoever typed it


def cut(some: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Cut into stretches of at most so many."""
    for start in range(0, len(some), most):
        yield some[start : start + most]


def parted(
    some: Sequence[T], error: SyncError | None, names_of: Callable[[T], Collection[str]]
) -> tuple[Sequence[T], Sequence[T]]:
    """Divide what a call refused as a whole into those to blame and others: by the fields the error names, else by halves."""
    if len(some) < 2 or not isinstance(error, Misconfigured | Rejected):
        return some, ()
    if error.fields:
        blamed = [one for one in some if set(error.fields) & set(names_of(one))]
        return (blamed, [one for one in some if one not in blamed]) if blamed else (some, ())
    if isinstance(error, Misconfigured):
        return some, ()
    return some[: len(some) // 2], some[len(some) // 2 :]


def unsendable(values: Mapping[str, Any]) -> Rejected | None:
    """Say why these values cannot be written at all; they would spoil the call they share with others."""
    fields = wire.unsendable(values)
    if not fields:
        return None
    return Rejected("the value cannot be written as JSON text", code="UNSENDABLE", fields=fields)


def speaks_composite(values: Mapping[str, Any]) -> bool:
    """Tell whether Composite would take a value for a reference."""
    return any(isinstance(value, str) and _REFERENCE in value for value in values.values())


def fits(body: Any, some: Sequence[T]) -> bool:
    """Tell whether this is a collection's answer, one row for each."""
    return isinstance(body, list) and len(body) == len(some) and all(isinstance(row, dict) for row in body)


def row_error(row: Mapping[str, Any]) -> SyncError | None:
    """Give the failure of one row of a collection; None where it succeeded."""
    return None if row.get("success") is True else errors.translate_row(row.get("errors"))
