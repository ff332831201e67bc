"""The header's bitmaps: ``0x…`` counts top-level fields from the lowest bit, ``4-0x…`` the parts of field 4.

A part's path becomes its API name: ``MailingAddress`` and ``City`` are ``MailingCity``, ``Name`` and ``LastName`` are
``LastName``.
"""

from collections.abc import Iterator, Sequence

from prospect_sync.salesforce.events.schemas import EventSchema

_COMPOUND = "Address"


def decode(schema: EventSchema, entries: Sequence[str]) -> tuple[tuple[int, int | None], ...]:
    """Name the fields of a bitmap by position: (field, None), or (field, part). Bits beyond the schema are ignored.

    Raises:
        ValueError: an entry is no bitmap.
    """
    found: list[tuple[int, int | None]] = []
    for entry in entries:
        parent, dash, digits = entry.rpartition("-")
        if not digits.startswith(("0x", "0X")):
            raise ValueError(f"not a bitmap: {entry!r}")
        bits = int(digits, 16)
        if not dash:
            found.extend((place, None) for place in _set_bits(bits, len(schema.names)))
        elif (place := int(parent)) in schema.parts:
            found.extend((place, part) for part in _set_bits(bits, len(schema.parts[place])))
    return tuple(found)


def api_names(schema: EventSchema, place: int, part: int | None) -> tuple[str, ...]:
    """Give the API names of one decoded position; a compound as a whole stands for itself and all its parts."""
    parent = schema.names[place]
    parts = schema.parts.get(place, ())
    if part is not None:
        return (_api_name(parent, parts[part]),)
    return (parent, *(_api_name(parent, name) for name in parts))


def _api_name(parent: str, part: str) -> str:
    return parent.removesuffix(_COMPOUND) + part if parent.endswith(_COMPOUND) else part


def _set_bits(bits: int, count: int) -> Iterator[int]:
    return (place for place in range(count) if bits >> place & 1)
