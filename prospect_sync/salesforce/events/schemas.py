"""An event's Avro schema: how to read its payload, and what its fields and their parts are called, by position.

Schemas are per org and change with it; each event names its own, so they are kept by their id.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastavro import parse_schema

from prospect_sync import wire

_INSTANTS = ("Data:DateOnly", "Data:DateTime", "CreatedDate:DateTime", "Data:TimeOnly")


@dataclass(frozen=True, slots=True)
class EventSchema:
    """``names``: of the top-level fields. ``parts``: by position, the fields of those that are records.

    ``instants``: positions of fields whose numbers are milliseconds.
    """

    parsed: Any
    names: tuple[str, ...]
    parts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    instants: frozenset[int] = frozenset()


def read_schema(text: str) -> EventSchema:
    """Read a schema document.

    Raises:
        ValueError: it is none.
    """
    try:
        document = wire.decode(text)
        fields = document["fields"]
        records: dict[str, Mapping[str, Any]] = {}
        _collect(document, document.get("namespace", ""), records)
        parts = {
            place: tuple(part["name"] for part in record["fields"])
            for place, one in enumerate(fields)
            if (record := _record_in(one["type"], records)) is not None
        }
        return EventSchema(
            parsed=parse_schema(document),
            names=tuple(one["name"] for one in fields),
            parts=parts,
            instants=frozenset(
                place for place, one in enumerate(fields) if str(one.get("doc", "")).startswith(_INSTANTS)
            ),
        )
    except Exception as error:  # whatever a document of another shape makes of the lines above
        raise ValueError(f"not a schema of change events: {type(error).__name__}") from error


class Schemas:
    """Schemas by id, each fetched once. Shared by all streams of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, EventSchema] = {}

    def get(self, schema_id: str, fetch: Callable[[str], str]) -> EventSchema:
        """Give a schema.

        Raises:
            ValueError: what was fetched is none. Whatever ``fetch`` raises.
        """
        with self._lock:
            if schema_id not in self._known:
                self._known[schema_id] = read_schema(fetch(schema_id))
            return self._known[schema_id]


def _collect(avro: Any, namespace: str, records: dict[str, Mapping[str, Any]]) -> None:
    """Find every named record: a second use of one is by its name only."""
    if isinstance(avro, list):
        for branch in avro:
            _collect(branch, namespace, records)
    elif isinstance(avro, Mapping):
        inner = avro.get("namespace", namespace)
        if avro.get("type") == "record":
            records[avro["name"]] = records[f"{inner}.{avro['name']}"] = avro
            for one in avro["fields"]:
                _collect(one["type"], inner, records)
        elif avro.get("type") in ("array", "map"):
            _collect(avro.get("items", avro.get("values")), inner, records)


def _record_in(avro: Any, records: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Unwrap a union, ``[null, record]`` or ``[null, string, record]``, and give the record in it."""
    branches = avro if isinstance(avro, list) else [avro]
    for branch in branches:
        if isinstance(branch, Mapping) and branch.get("type") == "record":
            return branch
        if isinstance(branch, str) and branch in records:
            return records[branch]
    return None
