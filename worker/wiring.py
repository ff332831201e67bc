"""Settings → adapters → runtime: the one composition of the service. Called once per process, after any fork."""

from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from celery import Celery

from prospect_sync.account_engagement.client import AccountEngagementClient
from prospect_sync.account_engagement.connection import AccountEngagementConnection
from prospect_sync.account_engagement.prospects import AccountEngagementProspects
from prospect_sync.flow.runtime import Runtime, Tuning
from prospect_sync.mapping import DEFAULT_MAPPING, load_mapping
from prospect_sync.model import ConnectorUsers, Lane, PersonType, Side
from prospect_sync.policy.behaviors import Mapping
from prospect_sync.ports import Clock, FieldHistory
from prospect_sync.salesforce.connection import SalesforceConnection
from prospect_sync.salesforce.gateway import SalesforceGateway
from prospect_sync.salesforce.history import SalesforceHistory
from prospect_sync.salesforce.people import SalesforcePeople
from prospect_sync.stores.budget_rules import BudgetRules
from prospect_sync.stores.clock import SystemClock
from prospect_sync.stores.redis import RedisBudget, RedisInbox, RedisOnce, RedisTokens, connect
from prospect_sync.stores.sql import (
    SqlCouples,
    SqlDesk,
    SqlFence,
    SqlLedger,
    SqlMarks,
    SqlMirror,
    make_engine,
    upgrade,
)
from settings import Settings
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
    gateway = SalesforceGateway(_salesforce(settings), tokens, budget, clock)
    people = SalesforcePeople(gateway)
    histories = {lane: SalesforceHistory(gateway, lane) for lane in Lane}
    client = AccountEngagementClient(_account_engagement(settings), gateway.token, budget, clock)
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
        marks=SqlMarks(engine),
        waker=CeleryWaker(app),
        mapping=mapping_of(settings),
        connector=ConnectorUsers(settings.salesforce.user_id, settings.account_engagement.user_id),
        tracked=_Tracking(histories[Lane.LIVE], clock),
        tuning=_tuning(settings),
    )


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


def _salesforce(settings: Settings) -> SalesforceConnection:
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


def _account_engagement(settings: Settings) -> AccountEngagementConnection:
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
        call_timeout=max(settings.salesforce.timeout, settings.account_engagement.timeout),
    )
