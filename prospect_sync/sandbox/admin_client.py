"""A thin client of the sandbox's admin address, for tests and the demo."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx


class AdminClient:
    """Speaks to `admin_url`; a refusal raises httpx.HTTPStatusError, whose response has the reason."""

    def __init__(self, admin_url: str, ca_file: str, timeout: float = 60.0) -> None:
        import ssl

        self._http = httpx.Client(
            base_url=admin_url, verify=ssl.create_default_context(cafile=ca_file), timeout=timeout, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def load(
        self,
        *,
        salesforce: Mapping[str, Any] | None = None,
        account_engagement: Mapping[str, Any] | None = None,
        clock: Mapping[str, Any] | None = None,
    ) -> None:
        """Add data to the orgs, in the shape of `--data`."""
        data = {"salesforce": salesforce, "account_engagement": account_engagement, "clock": clock}
        self._post("/load", {name: part for name, part in data.items() if part is not None})

    def dump(self, *objects: str) -> dict[str, Any]:
        """Both orgs as they are now; with names such as Lead and Prospect, those objects alone."""
        return dict(self._get("/dump", {"objects": ",".join(objects)} if objects else {}))

    def edit(
        self,
        org: str,
        user: str,
        changes: Mapping[str, Any],
        *,
        record_id: str | int | None = None,
        object_name: str = "Prospect",
        action: str = "update",
    ) -> str:
        """One edit as a person makes it; answers the record's id."""
        edit = {
            "org": org, "user": user, "object": object_name, "id": record_id, "changes": changes, "action": action,
        }  # fmt: skip
        return str(self._post("/edit", edit)["id"])

    def edits(self, edits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Many edits in one call; each answer is `{"id": ...}` or `{"status": ..., "body": ...}`."""
        return list(self._post("/edit", list(edits))["results"])

    def clock(self, org: str = "both", **moves: Any) -> dict[str, str]:
        """Move clocks by `set` (an ISO instant or None), `step` or `skew` (seconds); answers the times."""
        return dict(self._post("/clock", {"org": org, **moves}))

    def calls(self, *, since: int = 0, detail: bool = True, **filters: str) -> list[dict[str, Any]]:
        """Rows of the call log; filters are org, user and operation."""
        answer = self._get("/calls", {"since": since, "detail": int(detail), **filters})
        return list(answer["calls"])

    def calls_summary(self) -> dict[str, Any]:
        return dict(self._get("/calls/summary", {}))

    def clear_calls(self) -> None:
        self._post("/calls/clear", {})

    def latency(self, ms: float, *, jitter_ms: float = 0, org: str = "both") -> None:
        self._post("/latency", {"org": org, "ms": ms, "jitter_ms": jitter_ms})

    def faults(self, *rules: Mapping[str, Any], seed: int | None = None) -> None:
        """Add fault rules; see `FaultRule` for their keys."""
        self._post("/faults", {"rules": list(rules), "seed": seed})

    def clear_faults(self) -> None:
        self._http.delete("/faults").raise_for_status()

    def configure(
        self, *, salesforce: Mapping[str, Any] | None = None, account_engagement: Mapping[str, Any] | None = None
    ) -> None:
        self._post("/configure", {"salesforce": salesforce or {}, "account_engagement": account_engagement or {}})

    def events(self) -> dict[str, Any]:
        """Counts of the event bus: logged, kept, delivered by object and user; and the open streams."""
        return dict(self._get("/events", {}))

    def gap_event(self, *ids: str, change: str = "GAP_UPDATE") -> None:
        """Tell of records only that they changed."""
        self._post("/events/gap", {"ids": list(ids), "type": change})

    def overflow_event(self, object_name: str) -> None:
        self._post("/events/overflow", {"object": object_name})

    def expire_events(self, before: str) -> None:
        """Forget every event, and every replay id, from before an ISO instant."""
        self._post("/events/expire", {"before": before})

    def drop_streams(self, status: str = "UNAVAILABLE", error_code: str = "") -> None:
        """End every open stream now, with a gRPC status and, if given, the vendor's code in the trailer."""
        self._post("/events/drop", {"status": status, "error_code": error_code})

    def expire_tokens(self, user: str | None = None) -> None:
        self._post("/tokens/expire", {"user": user})

    def _get(self, path: str, parameters: Mapping[str, Any]) -> Any:
        return self._http.get(path, params=dict(parameters)).raise_for_status().json()

    def _post(self, path: str, body: Any) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()
