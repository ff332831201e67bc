"""``python -m worker doctor``: reach everything the settings name, examine it, and show the findings.

It keeps its own token and budget, so that it works where Redis does not, and logs in anew. The database is not migrated.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from prospect_sync.account_engagement.checkup import AccountEngagementCheckup
from prospect_sync.account_engagement.client import AccountEngagementClient
from prospect_sync.errors import Misconfigured, SyncError
from prospect_sync.flow.doctor import Finding, Patient, State, examine, gravest
from prospect_sync.flow.guarding import NOTE, conclude
from prospect_sync.model import ConnectorUsers
from prospect_sync.policy.behaviors import Mapping
from prospect_sync.ports import DatabaseFacts, ProbeFacts, RedisFacts
from prospect_sync.salesforce.checkup import SalesforceCheckup
from prospect_sync.salesforce.events import SalesforceEvents
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.history import SalesforceHistory
from prospect_sync.stores.clock import SystemClock
from prospect_sync.stores.memory import MemoryBudget, MemoryTokens
from prospect_sync.stores.redis import checkup as redis_checkup
from prospect_sync.stores.redis import connect
from prospect_sync.stores.sql import SqlMarks, make_engine
from prospect_sync.stores.sql import checkup as sql_checkup
from settings import Settings
from worker.descriptions import Described
from worker.wiring import (
    account_engagement_connection,
    event_bus_connection,
    prepared_engine,
    salesforce_connection,
)

EXIT = {State.OK: 0, State.WARNING: 1, State.WRONG: 2}
_COLORS = {State.OK: "green", State.WARNING: "yellow", State.WRONG: "bold red", State.UNCHECKED: "dim"}


def run_doctor(settings: Settings, mapping: Mapping, *, as_json: bool, probe: tuple[str, str] | None) -> int:
    """Examine, show, and give the exit code: 0 all well, 1 warnings, 2 something is wrong."""
    clock = SystemClock()
    budget = MemoryBudget(clock)
    gateway = SalesforceGateway(salesforce_connection(settings), MemoryTokens(), budget, clock)
    client = AccountEngagementClient(account_engagement_connection(settings), gateway.token, budget, clock)
    events = SalesforceEvents(event_bus_connection(settings), gateway) if settings.events.source == "events" else None
    stores = _Stores(settings)
    patient = Patient(
        missing=missing(settings),
        mapping=mapping,
        connector=ConnectorUsers(settings.salesforce.user_id, settings.account_engagement.user_id),
        api_version=settings.salesforce.api_version,
        now=clock.now(),
        salesforce=SalesforceCheckup(gateway),
        engagement=AccountEngagementCheckup(client),
        described=Described(gateway, client, clock),
        history=SalesforceHistory(gateway),
        redis=stores.redis,
        database=stores.database,
        spent=budget.spent,
        may_follow=events.may_follow if events else None,
        topics=settings.events.topics,
        conditional=stores.note(NOTE),
        probe=probe,
        concluded=stores.conclude,
    )
    try:
        findings = examine(patient)
    finally:
        if events is not None:
            events.close()
        gateway.close()
        client.close()
        stores.close()
    if as_json:
        _print_json(findings)
    else:
        _print_table(findings)
    return EXIT[gravest(findings)]


def missing(settings: Settings) -> tuple[str, ...]:
    """Name the settings without which nothing can be reached."""
    salesforce, engagement = settings.salesforce, settings.account_engagement
    needed = {
        "redis_url": settings.redis_url.get_secret_value(),
        "salesforce.client_id": salesforce.client_id,
        "salesforce.client_secret": salesforce.client_secret.get_secret_value() or salesforce.private_key_file,
        "salesforce.user_id": salesforce.user_id,
        "account_engagement.business_unit_id": engagement.business_unit_id,
        "account_engagement.user_id": engagement.user_id,
    }
    if salesforce.private_key_file:
        needed["salesforce.username"] = salesforce.username
    return tuple(name for name, value in needed.items() if not value)


class _Stores:
    """Redis and database, reached only when asked; a SQLite file is not made by asking."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: sa.Engine | None = None

    def redis(self) -> RedisFacts:
        try:
            client = connect(self._settings.redis_url.get_secret_value(), timeout=5.0)
        except ValueError as error:
            raise Misconfigured(f"REDIS_URL cannot be used: {error}") from error
        try:
            return redis_checkup.look_at(client)
        finally:
            client.close()

    def database(self) -> DatabaseFacts:
        if not self._there():
            return DatabaseFacts("sqlite", None, sql_checkup.needed())
        return sql_checkup.look_at(self._reached())

    def conclude(self, found: ProbeFacts) -> None:
        """Remember what the probe found, in a database that is brought up to date for it."""
        prepared_engine(self._settings).dispose()
        conclude(SqlMarks(self._reached()), found)

    def note(self, key: str) -> str | None:
        """Give a note; None where there is no database, or none with our tables."""
        try:
            return SqlMarks(self._reached()).note(key) if self._there() else None
        except SyncError:
            return None

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def _there(self) -> bool:
        url = self._settings.database_url.get_secret_value()
        file = url.removeprefix("sqlite:///")
        return file == url or Path(file).exists()

    def _reached(self) -> sa.Engine:
        self._engine = self._engine or make_engine(self._settings.database_url.get_secret_value())
        return self._engine


def _print_json(findings: Sequence[Finding]) -> None:
    rows = [
        {
            "area": one.area,
            "subject": one.subject,
            "state": one.state.value,
            "finding": one.words,
            "remedy": one.remedy or None,
        }
        for one in findings
    ]
    told = {"state": gravest(findings).value, "findings": rows}
    Console(highlight=False, markup=False, soft_wrap=True).print(json.dumps(told, ensure_ascii=False, indent=1))


def _print_table(findings: Sequence[Finding]) -> None:
    table = Table(title="What doctor found", title_justify="left", show_lines=False)
    table.add_column("state")
    table.add_column("what", overflow="fold")
    table.add_column("finding", overflow="fold", ratio=3)
    table.add_column("what to do", overflow="fold", ratio=3)
    for one in findings:
        color = _COLORS[one.state]
        table.add_row(Text(one.state.value, style=color), f"{one.area}: {one.subject}", one.words, one.remedy)
    Console(highlight=False, markup=False).print(table)
