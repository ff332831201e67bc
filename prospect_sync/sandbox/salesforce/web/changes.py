"""Get Updated and Get Deleted: which records changed in a window, by SystemModstamp, to the minute.

The vendor ignores the seconds of both bounds; the next call starts where `latestDateCovered` ends.
"""

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import record_limit, refusal
from prospect_sync.sandbox.salesforce.schema import ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.web.exchange import Answer, Call
from prospect_sync.sandbox.salesforce.wire import instant_seconds, instant_text

_DAY = 86_400
_UPDATED_DAYS, _DELETED_DAYS = 30, 15
_MOST_IDS = 600_000


class Changes:
    """The `updated` and `deleted` resources."""

    def __init__(self, state: OrgState, access: Access) -> None:
        self._state = state
        self._access = access

    def updated(self, call: Call, kind: ObjectType) -> Answer:
        call.log["operation"] = "updated"
        start, end = self._window(call, kind, _UPDATED_DAYS)
        idents = [ident for ident, _ in self._found(call, kind, start, end, deleted=False)]
        if len(idents) > _MOST_IDS:
            raise record_limit(_MOST_IDS)
        return Answer(200, {"ids": idents, "latestDateCovered": instant_text(self._covered(end))})

    def deleted(self, call: Call, kind: ObjectType) -> Answer:
        call.log["operation"] = "deleted"
        start, end = self._window(call, kind, _DELETED_DAYS)
        records = [
            {"deletedDate": instant_text(stamp), "id": ident}
            for ident, stamp in self._found(call, kind, start, end, deleted=True)
        ]
        earliest = (self._state.now() - _DELETED_DAYS * _DAY) // 60 * 60
        body = {
            "deletedRecords": records,
            "earliestDateAvailable": instant_text(earliest),
            "latestDateCovered": instant_text(self._covered(end)),
        }
        return Answer(200, body)

    def _found(self, call: Call, kind: ObjectType, start: int, end: int, *, deleted: bool) -> list[tuple[str, int]]:
        state = "" if deleted else "NOT "
        condition = f"SystemModstamp >= ? AND SystemModstamp < ? AND {state}IsDeleted ORDER BY SystemModstamp, Id"
        rows = self._state.storage.where(kind, condition, (start, end), ("Id", "SystemModstamp"))
        hidden = self._access.hidden(call.user)
        return [(row["Id"], row["SystemModstamp"]) for row in rows if row["Id"] not in hidden]

    def _covered(self, end: int) -> int:
        return min(end, self._state.now() // 60 * 60)

    def _window(self, call: Call, kind: ObjectType, days: int) -> tuple[int, int]:
        if not (kind.field("SystemModstamp") and kind.field("IsDeleted")):
            raise refusal("INVALID_TYPE", f"sObject type '{kind.name}' is not replicateable")
        bounds = []
        for name in ("start", "end"):
            text = call.params.get(name, "").replace(" ", "+")
            seconds = instant_seconds(text)
            if seconds is None:
                raise refusal("MALFORMED_QUERY", f"{name}: a date and time with an offset is required, not '{text}'")
            bounds.append(seconds // 60 * 60)
        start, end = bounds
        if end - start < 60:
            raise refusal("INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
        if start < self._state.now() - days * _DAY:
            raise refusal("INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
        return start, end
