"""Exports of prospects: what is asked for, and the files it comes to once the org's clock has run far enough.

One at a time: the next one waits. What is exported is what reads show when its turn is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.fields import ProspectFields
from prospect_sync.sandbox.account_engagement.import_files import as_csv
from prospect_sync.sandbox.account_engagement.limits import CallLimits
from prospect_sync.sandbox.account_engagement.query import read_fields
from prospect_sync.sandbox.account_engagement.store import ProspectStore
from prospect_sync.sandbox.account_engagement.values import epoch, shown
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.users import OrgUser

_MOST_FIELDS = 150
_NOT_EXPORTED = ("grade", "notes")
_LEAST_BYTES, _MOST_BYTES = 10_000_000, 200_000_000
_YEAR, _WEEK = 366 * 86_400, 7 * 86_400.0
_PROCEDURE = "filter_by_updated_at"
_ARGUMENTS = ("updatedAfter", "updatedBefore", "deleted")


@dataclass(slots=True)
class ExportRules:
    """How long an export takes."""

    seconds: float = 1.0


@dataclass(slots=True)
class Export:
    """One export and how far it is."""

    id: int
    user: OrgUser
    name: str | None
    fields: tuple[str, ...]
    condition: tuple[str, list[Any]]
    most_bytes: int
    mark: bool
    procedure: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    status: str = "Waiting"
    begins: float | None = None
    ended: float | None = None
    files: list[str] = field(default_factory=list)


class Exports:
    """All exports of a business unit."""

    def __init__(self, store: ProspectStore, fields: ProspectFields, clock: OrgClock, limits: CallLimits) -> None:
        self._store = store
        self._fields = fields
        self._clock = clock
        self._limits = limits
        self._exports: dict[int, Export] = {}
        self.rules = ExportRules()

    def create(self, user: OrgUser, body: Mapping[str, Any]) -> Export:
        """Make an export; it begins when the one before it has ended."""
        size = body.get("maxFileSizeBytes", _MOST_BYTES)
        if not isinstance(size, int) or size < _LEAST_BYTES:
            raise refusal(231)
        if size > _MOST_BYTES:
            raise refusal(232)
        now = self._clock.now()
        made = Export(
            id=len(self._exports) + 1,
            user=user,
            name=body.get("name"),
            fields=self._wanted(body.get("fields")),
            condition=self._condition(body.get("procedure")),
            most_bytes=size,
            mark=bool(body.get("includeByteOrderMark", False)),
            procedure=dict(body["procedure"]),
            created_at=now,
            updated_at=now,
        )
        self._exports[made.id] = made
        self.catch_up()
        return made

    def get(self, export_id: int) -> Export:
        found = self._exports.get(export_id)
        if found is None:
            raise refusal(109)
        return found

    def all(self) -> list[Export]:
        return list(self._exports.values())

    def is_expired(self, one: Export) -> bool:
        return one.ended is not None and self._clock.elapsed() > one.ended + _WEEK

    def result(self, one: Export, number: int) -> str:
        """One file of a complete export."""
        if one.status != "Complete" or self.is_expired(one) or not 1 <= number <= len(one.files):
            raise refusal(109)
        return one.files[number - 1]

    def cancel(self, one: Export) -> None:
        if one.ended is not None:
            raise refusal(161, one.status)
        one.status, one.ended, one.updated_at = "Canceled", self._clock.elapsed(), self._clock.now()

    def catch_up(self) -> None:
        """Do what is due by now."""
        free_since = 0.0
        for one in self._exports.values():
            if one.ended is None:
                one.begins = one.begins if one.begins is not None else max(free_since, self._clock.elapsed())
                one.status = "Processing"
                if self._clock.elapsed() < one.begins + self.rules.seconds:
                    return
                one.files = self._files(one)
                one.status, one.updated_at = "Complete", self._clock.now()
                one.ended = one.begins + self.rules.seconds
            free_since = one.ended

    def _wanted(self, names: Any) -> tuple[str, ...]:
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise refusal(153, "fields")
        if len(names) > _MOST_FIELDS:
            raise refusal(178, f"more than {_MOST_FIELDS} fields")
        for name in names:
            if name in _NOT_EXPORTED:
                raise refusal(224, name)
        wanted = read_fields({"fields": ",".join(names)}, self._fields, query=False)
        if any(one.part is not None for one in wanted):
            raise refusal(180, "relationships are not built")
        return tuple(one.name for one in wanted)

    def _condition(self, procedure: Any) -> tuple[str, list[Any]]:
        if not isinstance(procedure, Mapping) or procedure.get("name") != _PROCEDURE:
            raise refusal(174)
        given = procedure.get("arguments") or {}
        if not isinstance(given, Mapping) or set(given) - set(_ARGUMENTS):
            raise refusal(175)
        if "updatedAfter" not in given:
            raise refusal(176, "updatedAfter")
        try:
            after = epoch(given["updatedAfter"], "updatedAfter")
            until = epoch(given["updatedBefore"], "updatedBefore") if "updatedBefore" in given else self._now()
        except OrgError:
            raise refusal(177) from None
        deleted = str(given.get("deleted", "false")).lower()
        if until - after > _YEAR or until < after or deleted not in ("all", "true", "false"):
            raise refusal(177)
        words, values = '"updatedAt" >= ? AND "updatedAt" <= ?', [after, until]
        if deleted != "all":
            words, values = words + ' AND "isDeleted" = ?', [*values, int(deleted == "true")]
        return words, values

    def _files(self, one: Export) -> list[str]:
        condition, values = one.condition
        known = [field for name in one.fields if (field := self._fields.get(name)) is not None]
        rows = self._store.select([f'"{name}"' for name in one.fields], condition, values, "1", -1)
        texts = [
            tuple(_text(shown(field, value, self._limits.zone)) for field, value in zip(known, row, strict=True))
            for row in rows
        ]
        per_file = max(1, len(texts) * one.most_bytes // max(1, len(as_csv(one.fields, texts).encode())))
        starts = range(0, len(texts), per_file) if texts else range(1)
        return [as_csv(one.fields, texts[start : start + per_file], mark=one.mark) for start in starts]

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ";".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
