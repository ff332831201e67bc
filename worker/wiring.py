"""Settings → adapters → runtime: the one composition of the service. Called once per process, after any fork."""

from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from celery import Celery

from prospect_sync.account_engagement.client import AccountEngagementClient
from prospect_sync.account_engagement.connection import AccountEngagementConnection
from prospect_sync.account_engagement.imports import AccountEngagementImports
from prospect_sync.account_engagement.prospects import AccountEngagementProspects
from prospect_sync.flow.guarding import goes_singly
from prospect_sync.flow.runtime import ImportRoad, Runtime, Tuning
from prospect_sync.mapping import DEFAULT_MAPPING, load_mapping
from prospect_sync.model import ConnectorUsers, Lane, PersonType, Side
from prospect_sync.policy.behaviors import Mapping
from prospect_sync.ports import Clock, FieldHistory
from prospect_sync.salesforce.connection import SalesforceConnection
from prospect_sync.salesforce.events import EventBusConnection, SalesforceEvents
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.history import SalesforceHistory
from prospect_sync.salesforce.people import SalesforcePeople
from prospect_sync.stores.budget_rules import BudgetRules
from prospect_sync.stores.clock import SystemClock
from prospect_sync.stores.redis import RedisBudget, RedisInbox, RedisLeader, RedisOnce, RedisTokens, connect
from prospect_sync.stores.sql import (
    SqlCouples,
    SqlDesk,
    SqlFence,
    SqlImports,
    SqlLedger,
    SqlMarks,
    SqlMirror,
    SqlResyncs,
    make_engine,
    upgrade,
)
from settings import Settings
from worker.descriptions import Described
from worker.live_mapping import first_mapping
from worker.waker import CeleryWaker

_TRACKING_SECONDS = 600
_OTHER_PERMIT_SECONDS = 60.0


def build_runtime(settings: Settings, app: Celery) -> Runtime:
    """Build everything a task needs; connections are made at first use.

    Raises:
        MappingError: the mapping file does not validate.
    """
    clock = SystemClock()
    redis = connect(settings.redis_url.get_secret_value())
    prefix = f"{{{settings.key_prefix}}}:"
    engine = prepared_engine(settings)
    tokens = RedisTokens(redis, clock, prefix=prefix)
    budget = RedisBudget(redis, clock, _rules(settings), prefix=prefix)
    gateway = SalesforceGateway(salesforce_connection(settings), tokens, budget, clock)
    marks = SqlMarks(engine)
    people = SalesforcePeople(gateway, guarded_singly=lambda: goes_singly(marks))
    histories = {lane: SalesforceHistory(gateway, lane) for lane in Lane}
    client = AccountEngagementClient(account_engagement_connection(settings), gateway.token, budget, clock)
    prospects = AccountEngagementProspects(client)
    return Runtime(
        clock=clock,
        people=cache(people.for_lane),
        history=histories.__getitem__,
        prospects=cache(prospects.for_lane),
        inbox=RedisInbox(redis, prefix=prefix),
        once=RedisOnce(redis, clock, prefix=prefix),
        fence=SqlFence(engine),
        mirror=SqlMirror(engine),
        couples=SqlCouples(engine),
        ledger=SqlLedger(engine),
        desk=SqlDesk(engine, clock),
        marks=marks,
        resyncs=SqlResyncs(engine),
        waker=CeleryWaker(app),
        mapping=first_mapping(settings.mapping_file or DEFAULT_MAPPING, marks),
        connector=ConnectorUsers(settings.salesforce.user_id, settings.account_engagement.user_id),
        tracked=_Tracking(histories[Lane.LIVE], clock),
        tuning=_tuning(settings),
        imports=ImportRoad(SqlImports(engine), AccountEngagementImports(client)),
        described=Described(gateway, client, clock),
    )


def build_events(settings: Settings) -> SalesforceEvents:
    """Build a client of the event bus; once closed it stays closed."""
    clock = SystemClock()
    redis = connect(settings.redis_url.get_secret_value())
    prefix = f"{{{settings.key_prefix}}}:"
    gateway = SalesforceGateway(
        salesforce_connection(settings),
        RedisTokens(redis, clock, prefix=prefix),
        RedisBudget(redis, clock, _rules(settings), prefix=prefix),
        clock,
    )
    return SalesforceEvents(event_bus_connection(settings), gateway)


def event_bus_connection(settings: Settings) -> EventBusConnection:
    """Say where the event bus is and how patient to be."""
    given = settings.events
    ca_file = given.ca_file or settings.salesforce.ca_file
    return EventBusConnection(
        address=given.address,
        ca_file=str(ca_file) if ca_file else None,
        silence=given.silence,
        ping=given.ping,
    )


def build_leader(settings: Settings) -> RedisLeader:
    """Build the store that tells who of several equal processes is the one."""
    return RedisLeader(connect(settings.redis_url.get_secret_value()), prefix=f"{{{settings.key_prefix}}}:")


def prepared_engine(settings: Settings) -> sa.Engine:
    """Make the engine, with the schema brought up to date."""
    url = settings.database_url.get_secret_value()
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = make_engine(url)
    upgrade(engine)
    return engine


def mapping_of(settings: Settings) -> Mapping:
    """Load the mapping file, or the default mapping.

    Raises:
        MappingError: it does not validate; all problems at once.
    """
    return load_mapping(settings.mapping_file or DEFAULT_MAPPING)


class _Tracking:
    """Which fields have history tracking, asked again every ten minutes."""

    def __init__(self, history: FieldHistory, clock: Clock) -> None:
        self._history = history
        self._clock = clock
        self._known: dict[PersonType, frozenset[str] | None] = {}
        self._asked = 0.0

    def __call__(self) -> dict[PersonType, frozenset[str] | None]:
        now = self._clock.now().timestamp()
        if not self._known or now - self._asked > _TRACKING_SECONDS:
            self._known = dict(self._history.tracked())
            self._asked = now
        return self._known


def _rules(settings: Settings) -> BudgetRules:
    slowest = max(settings.salesforce.timeout, settings.account_engagement.timeout)
    return BudgetRules(
        permit_seconds=slowest + _OTHER_PERMIT_SECONDS,
        shares={Lane.CONSENT: 1.0, Lane.LIVE: settings.budget.live_share, Lane.BULK: settings.budget.bulk_share},
        limits={
            Side.ACCOUNT_ENGAGEMENT: settings.budget.account_engagement_daily,
            Side.SALESFORCE: settings.budget.salesforce_daily,
        },
        zone=ZoneInfo(settings.account_engagement.timezone),
    )


def salesforce_connection(settings: Settings) -> SalesforceConnection:
    """Say how to reach the org, and as whom."""
    given = settings.salesforce
    return SalesforceConnection(
        login_url=given.login_url,
        client_id=given.client_id,
        client_secret=given.client_secret.get_secret_value(),
        username=given.username,
        private_key=given.private_key_file.read_text() if given.private_key_file else "",
        api_version=given.api_version,
        ca_file=str(given.ca_file) if given.ca_file else None,
        timeout=given.timeout,
    )


def account_engagement_connection(settings: Settings) -> AccountEngagementConnection:
    """Say how to reach the business unit."""
    given = settings.account_engagement
    return AccountEngagementConnection(
        base_url=given.base_url,
        business_unit_id=given.business_unit_id,
        ca_file=str(given.ca_file) if given.ca_file else None,
        timeout=given.timeout,
    )


def _tuning(settings: Settings) -> Tuning:
    given = settings.tuning
    return Tuning(
        batch_size=given.batch_size,
        lease=given.lease,
        refresh_patience=given.lease,
        read_lag=given.read_lag,
        lag_slack=given.lag_slack,
        prospect_overlap=given.prospect_overlap,
        person_overlap=given.person_overlap,
        stale_tries=given.stale_tries,
        import_from=given.import_from,
        import_wait=given.import_wait,
        import_most=given.import_most,
        import_poll=given.import_poll,
        import_claim=given.import_claim,
        fields_every=settings.schedule.fields,
        resync_backlog=given.resync_backlog,
        call_timeout=max(settings.salesforce.timeout, settings.account_engagement.timeout),
    )
