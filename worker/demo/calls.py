"""The sandbox's call log, followed: what the connector asked and wrote, and whether anything but polling goes on.

Counts come from the servers' side alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prospect_sync.sandbox.admin_client import AdminClient

SALESFORCE, ACCOUNT_ENGAGEMENT = "salesforce", "account_engagement"


@dataclass(frozen=True, slots=True)
class Committed:
    """One record as the connector wrote it: only the fields whose value changed. ``at``: about when, by the org's clock."""

    org: str
    record_id: str
    changes: Mapping[str, Any]
    at: datetime
    call: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One API call."""

    index: int
    org: str
    purpose: str
    at: datetime
    status: int


@dataclass(slots=True)
class CallsFollowed:
    """Every call since the beginning, read piece by piece."""

    admin: AdminClient
    calls: list[Seen] = field(default_factory=list)
    committed: list[Committed] = field(default_factory=list)
    _next: int = 0

    def follow(self) -> Sequence[Seen]:
        """Read what is new."""
        rows = self.admin.calls(since=self._next)
        new = [_seen(row) for row in rows]
        if rows:
            self._next = max(int(row["index"]) for row in rows) + 1
        self.calls.extend(new)
        for row in rows:
            if row["user"] == "connector":
                self.committed.extend(_committed(row))
        return new

    @property
    def place(self) -> int:
        """The index that the next call will have at least."""
        return self._next

    def between(self, start: int, end: int | None = None) -> list[Seen]:
        return [call for call in self.calls if call.index >= start and (end is None or call.index < end)]

    def written(self, start: int, end: int | None = None) -> list[Committed]:
        return [one for one in self.committed if one.call >= start and (end is None or one.call < end)]


def counted(calls: Iterable[Seen]) -> dict[str, Counter[str]]:
    """Calls by org and purpose."""
    counts: dict[str, Counter[str]] = {SALESFORCE: Counter(), ACCOUNT_ENGAGEMENT: Counter()}
    for call in calls:
        counts[call.org][call.purpose] += 1
    return counts


POLL = "poll"


def _seen(row: Mapping[str, Any]) -> Seen:
    return Seen(int(row["index"]), row["org"], _purpose(row), datetime.fromisoformat(row["at"]), int(row["status"]))


def _purpose(row: Mapping[str, Any]) -> str:
    operation = str(row["operation"])
    if row["org"] == ACCOUNT_ENGAGEMENT:
        return {"prospects.query": POLL, "prospects.read": "read", "prospects.update": "write"}.get(
            operation, operation
        )
    if operation == "oauth.token":
        return "token"
    parts = " ".join([str(row["path"]), *(str(part.get("url", "")) for part in row["subrequests"])])
    if "PATCH" in (row["method"], *(part.get("method") for part in row["subrequests"])):
        return "write, guarded" if operation == "composite" else "write"
    if "History" in parts:
        return "settings" if "FieldDefinition" in parts else "read history"
    if "SystemModstamp" in parts.partition("WHERE")[2].partition("ORDER")[0]:
        return POLL
    return "read" if "query" in parts else operation


def _committed(row: Mapping[str, Any]) -> Iterable[Committed]:
    at = datetime.fromisoformat(row["at"]) + timedelta(milliseconds=float(row["duration_ms"]))
    entries = [*row["committed"], *(entry for part in row["subrequests"] for entry in part.get("committed", ()))]
    for entry in entries:
        yield Committed(row["org"], str(entry["id"]), entry["changes"], at, int(row["index"]))
