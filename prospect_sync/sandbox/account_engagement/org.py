"""The pretend business unit as a whole: its fields, prospects, users, campaigns and settings.

Data go in and out by `load` and `dump`; people edit by `ui_edit`; programs come through `app`.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timezone, tzinfo
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.applications import Starlette

from prospect_sync.sandbox.account_engagement.api import ProspectApi
from prospect_sync.sandbox.account_engagement.edits import NEW_PROSPECT, Committed
from prospect_sync.sandbox.account_engagement.limits import CallLimits
from prospect_sync.sandbox.account_engagement.unit import BusinessUnit
from prospect_sync.sandbox.account_engagement.values import Shower, Stored, stored
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.users import BUSINESS_UNIT_ID, OrgUser, Tokens


class AccountEngagementOrg:
    """One business unit with its prospects in memory.

    Load and dump share one shape: `{"custom_fields": [{"name": "Interests__c", "type": "Multi-Select"}],
    "campaigns": [{"id": 1, "name": "..."}], "prospects": [{"id": 1, "email": "...", ...}]}`. Loaded prospects may
    carry every field, stamps included; absent ones take a new prospect's values. Instants are ISO 8601 with an offset.
    """

    def __init__(
        self,
        clock: OrgClock,
        *,
        users: Sequence[OrgUser],
        tokens: Tokens | None = None,
        business_unit_id: str = BUSINESS_UNIT_ID,
        base_url: str = "",
    ) -> None:
        self._unit = BusinessUnit(
            clock,
            users=users,
            tokens=tokens or Tokens(users),
            business_unit_id=business_unit_id,
            base_url=base_url,
        )
        self._lag_varies = False
        self._lag_seed = 0

    @property
    def base_url(self) -> str:
        return self._unit.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self._unit.base_url = url

    @property
    def limits(self) -> CallLimits:
        return self._unit.limits

    @property
    def journal(self) -> Callable[[dict[str, Any]], None]:
        """Who is told what the org does by itself, such as writing an import's rows."""
        return self._unit.journal

    @journal.setter
    def journal(self, told: Callable[[dict[str, Any]], None]) -> None:
        self._unit.journal = told

    def catch_up(self) -> None:
        """Let imports and exports do what is due by now."""
        self._unit.catch_up()

    def app(self) -> Starlette:
        """The ASGI application that speaks the v5 wire format."""
        return ProspectApi(self._unit).app()

    def load(self, data: Mapping[str, Any]) -> None:
        """Add (or, by id, replace) what the data hold; it is visible at once and costs no API call.

        Raises:
            ValueError: an unknown key, field or kind of value; nothing of the prospects is loaded then.
        """
        _only(data, {"custom_fields", "campaigns", "profiles", "prospect_accounts", "prospects"}, "load")
        self.catch_up()
        for definition in data.get("custom_fields", ()):
            self._unit.define(definition)
        for campaign in data.get("campaigns", ()):
            self._unit.rules.campaigns[int(campaign["id"])] = dict(campaign)
        self._unit.rules.profiles.update(int(one) for one in data.get("profiles", ()))
        self._unit.rules.prospect_accounts.update(int(one) for one in data.get("prospect_accounts", ()))
        now = int(self._unit.clock.now().timestamp())
        rows = [self._loaded(prospect, now) for prospect in data.get("prospects", ())]
        self._unit.store.load(rows)

    def dump(self) -> dict[str, Any]:
        """Everything, in the shape of `load`; every field is present, the empty ones as null."""
        return {**self.dump_settings(), "prospects": list(self.dump_prospects())}

    def dump_settings(self) -> dict[str, Any]:
        return {
            "custom_fields": [
                {"name": one.api_id, "label": one.name, "type": one.type, "salesforceId": one.salesforce_id}
                for one in self._unit.fields.custom.values()
            ],
            "campaigns": list(self._unit.rules.campaigns.values()),
        }

    def dump_prospects(self, *, nulls: bool = True) -> Iterator[dict[str, Any]]:
        """The newest state of every prospect, the deleted ones too, by id."""
        self.catch_up()
        known = [self._unit.fields.get(name) for name in self._unit.store.columns]
        shower = Shower([field for field in known if field is not None], self._unit.zone)
        for row in self._unit.store.all_rows():
            prospect = shower.show(row)
            yield prospect if nulls else {name: value for name, value in prospect.items() if value is not None}

    def ui_edit(
        self, user: str, record_id: str | int | None, changes: Mapping[str, Any], action: str = "update"
    ) -> str:
        """Edit as a person would: no API call, but checks and stamps like any edit; answers the prospect's id.

        Raises:
            OrgError: as the API would refuse.
            ValueError: no such user or action.
        """
        self.catch_up()
        actor = self._unit.users.get(user)
        if actor is None:
            raise ValueError(f"no user {user!r}; there are {', '.join(self._unit.users)}")
        if action == "create":
            return str(self._unit.edits.create(actor, changes, by_person=True).prospect_id)
        prospect_id = int(record_id or 0)
        do: dict[str, Callable[[], Committed]] = {
            "update": lambda: self._unit.edits.update(actor, prospect_id, changes, by_person=True),
            "delete": lambda: self._unit.edits.delete(actor, prospect_id),
            "undelete": lambda: self._unit.edits.undelete(actor, prospect_id),
        }
        if action not in do:
            raise ValueError(f"no action {action!r}; there are create, {', '.join(do)}")
        return str(do[action]().prospect_id)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Change how the business unit behaves; an unknown name is answered with the list of all.

        Raises:
            ValueError: an unknown setting or an impossible value.
        """
        setters: dict[str, Callable[[Any], None]] = {
            "lag_seconds": lambda value: self._set_lag(seconds=float(value)),
            "lag_varies": lambda value: self._set_lag(varies=bool(value)),
            "lag_seed": lambda value: self._set_lag(seed=int(value)),
            "multiple_prospects_per_email": lambda value: setattr(
                self._unit.rules, "multiple_prospects_per_email", bool(value)
            ),
            "noop_patch_stamps": lambda value: setattr(self._unit.rules, "noop_patch_stamps", bool(value)),
            "unique_salesforce_id": lambda value: setattr(self._unit.rules, "unique_salesforce_id", bool(value)),
            "chain_cap": lambda value: setattr(self._unit, "chain_cap", int(value)),
            "daily_limit": lambda value: setattr(self.limits, "daily", int(value)),
            "calls_used": lambda value: self.limits.set_used(int(value)),
            "concurrent_limit": lambda value: setattr(self.limits, "concurrent", int(value)),
            "rate_limit_status": lambda value: setattr(self.limits, "status", int(value)),
            "timezone": lambda value: setattr(self.limits, "zone", _zone(value)),
            "custom_fields": self._define_all,
            "import_wait_seconds": lambda value: setattr(self._unit.imports.rules, "wait_seconds", float(value)),
            "import_rows_per_second": lambda value: setattr(self._unit.imports.rules, "rows_per_second", float(value)),
            "import_batch_bytes": lambda value: setattr(self._unit.imports.rules, "most_batch_bytes", int(value)),
            "import_batches_a_day": lambda value: setattr(self._unit.imports.rules, "most_batches_a_day", int(value)),
            "failing_imports": lambda value: setattr(self._unit.imports.rules, "failing", int(value)),
            "export_seconds": lambda value: setattr(self._unit.exports.rules, "seconds", float(value)),
            "refusals": self._set_refusals,
            "reformats": self._set_reformats,
        }
        _only(settings, set(setters), "configure")
        for name, value in settings.items():
            setters[name](value)

    def _loaded(self, prospect: Mapping[str, Any], now: int) -> dict[str, Stored]:
        row: dict[str, Stored] = {**NEW_PROSPECT, "createdAt": now}
        for name, value in prospect.items():
            field = self._unit.fields.get(name)
            if field is None:
                raise ValueError(f"prospect {prospect.get('id', '?')}: there is no field {name!r}")
            row[name] = stored(field, value)
        creator = self._unit.users["admin"].account_engagement_id if "admin" in self._unit.users else None
        row.setdefault("createdById", creator)
        row.setdefault("updatedAt", row["createdAt"])
        row.setdefault("updatedById", row["createdById"])
        campaign = row.get("campaignId")
        if campaign is not None:
            self._unit.rules.campaigns.setdefault(int(campaign), {"id": int(campaign), "name": f"Campaign {campaign}"})
        return row

    def _set_lag(self, *, seconds: float | None = None, varies: bool | None = None, seed: int | None = None) -> None:
        self._lag_varies = self._lag_varies if varies is None else varies
        self._lag_seed = self._lag_seed if seed is None else seed
        lag = self._unit.store.lag if seconds is None else seconds
        if lag < 0:
            raise ValueError("lag_seconds cannot be negative")
        self._unit.store.set_lag(lag, Random(self._lag_seed) if self._lag_varies else None)

    def _define_all(self, definitions: Sequence[Mapping[str, Any]]) -> None:
        for definition in definitions:
            self._unit.define(definition)

    def _set_refusals(self, chosen: Mapping[str, Mapping[str, int]]) -> None:
        self._unit.rules.refusals = {
            int(one): (int(rule.get("code", 85)), int(rule.get("times", 1))) for one, rule in chosen.items()
        }

    def _set_reformats(self, rules: Sequence[Mapping[str, Any]]) -> None:
        self._unit.rules.reformats = [
            (str(rule["field"]), re.compile(str(rule["replace"][0])), str(rule["replace"][1])) for rule in rules
        ]


def _zone(name: str) -> tzinfo:
    if re.fullmatch(r"[+-][0-9]{2}:[0-9]{2}", name):
        offset = datetime.fromisoformat(f"2000-01-01T00:00:00{name}").utcoffset()
        return UTC if offset is None else timezone(offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"no time zone {name!r}; name one such as +01:00 or Europe/Berlin") from None


def _only(data: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(data) - known)
    if unknown:
        raise ValueError(
            f"account_engagement {where}: unknown {', '.join(unknown)}; there are {', '.join(sorted(known))}"
        )
