"""The settings as pydantic models: each attribute says its unit, its default and what follows from it."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SalesforceSettings(_Section):
    """How to reach the Salesforce org, and as whom."""

    login_url: str = "https://login.salesforce.com"
    """Where tokens are asked for: My Domain's address, or login/test.salesforce.com with a JWT."""

    client_id: str = ""
    """Consumer key of the External Client App."""

    client_secret: SecretStr = SecretStr("")
    """Consumer secret, for the client credentials flow; leave it out when a private key is given."""

    username: str = ""
    """The connector user's name, for the JWT bearer flow."""

    private_key_file: Path | None = None
    """PEM file of the key whose certificate the app knows, for the JWT bearer flow."""

    user_id: str = ""
    """Id of the connector user (005…): writes by this user are the product's own."""

    api_version: str = "67.0"
    """REST API version."""

    ca_file: Path | None = None
    """Certificate authorities to trust instead of the system's; the sandbox needs its own."""

    timeout: float = Field(default=25.0, gt=0, le=50)
    """Seconds a call may take; always less than the lease."""


class AccountEngagementSettings(_Section):
    """How to reach the business unit. The access token is the Salesforce one."""

    base_url: str = "https://pi.pardot.com"
    """``https://pi.demo.pardot.com`` for developer orgs and sandboxes."""

    business_unit_id: str = ""
    """The business unit's id (0Uv…, 18 characters)."""

    user_id: int = 0
    """Account Engagement's id of the connector user: writes by this user are the product's own."""

    ca_file: Path | None = None
    """Certificate authorities to trust instead of the system's."""

    timeout: float = Field(default=25.0, gt=0, le=50)
    """Seconds a call may take; always less than the lease."""

    timezone: str = "UTC"
    """The account's time zone: its day, and so the daily call limit, ends at midnight there."""


class BudgetSettings(_Section):
    """Daily calls of both sides, and what share of them each lane may use up."""

    account_engagement_daily: int = Field(default=25_000, gt=0)
    """Calls a day; corrected by what the vendor says. Growth 25,000, Plus 50,000, Advanced and Premium 100,000."""

    salesforce_daily: int = Field(default=100_000, gt=0)
    """Calls in 24 hours; corrected by what the vendor says."""

    bulk_share: float = Field(default=0.7, gt=0, le=1)
    """Bulk work stops when this share of the day's calls is used."""

    live_share: float = Field(default=0.95, gt=0, le=1)
    """Live edits stop here; consent changes may use the rest."""


class EventSettings(_Section):
    """How edits in Salesforce are heard of. Change events need Change Data Capture for each object, and
    View All Records on it for the connector user.
    """

    source: Literal["events", "poll"] = "poll"
    """``events``: ``python -m worker listen`` follows change events, within a second. ``poll``: the poller alone."""

    topics: tuple[str, ...] = ("/data/LeadChangeEvent", "/data/ContactChangeEvent", "/data/AccountChangeEvent")
    """What is followed; a custom channel (``/data/Name__chn``) may replace them. Accounts matter only where a contact's
    company is mapped; without them renames are found by the sweep."""

    address: str = "api.pubsub.salesforce.com:7443"
    """Host and port of the Pub/Sub API."""

    ca_file: Path | None = None
    """Certificate authorities to trust there. None: the same as for the Salesforce org."""

    sweep: float = Field(default=300.0, gt=0)
    """Seconds between the polls that run beside the listener and find what no event told. One Salesforce call each."""

    silence: float = Field(default=330.0, gt=0)
    """Seconds without any sign of life after which a stream is opened anew (documented: one at least every 270)."""

    ping: float = Field(default=60.0, ge=10)
    """Seconds between tries of the connection itself, so that a dead one is noticed before the silence is."""

    retry: float = Field(default=60.0, gt=0)
    """Longest wait, in seconds, before a broken stream is tried again; the first wait is one second."""


class ScheduleSettings(_Section):
    """How often what is done, in seconds."""

    people: float = Field(default=10.0, gt=0)
    """Poll of changed leads and contacts, where the source is ``poll`` or the listener is cut off. One Salesforce call
    each: 10 s are 8,640 a day."""

    prospects: float = Field(default=10.0, gt=0)
    """Poll of changed prospects. One Account Engagement call each: 10 s are 8,640 a day."""

    imports: float = Field(default=5.0, gt=0)
    """Steps of imports that are under way; costs a call only where one is to be asked how it stands."""

    tend: float = Field(default=1.0, gt=0)
    """Reaping of dead workers' leases and waking of lanes; costs no API call."""

    fields: float = Field(default=600.0, ge=60)
    """How often both sides' descriptions of the mapped fields are looked at for drift: two Salesforce calls and one Account
    Engagement call each. A write that is refused as if a field were set up wrongly has them looked at within half a minute."""

    resync: float = Field(default=0, ge=0)
    """Resync of everything, e.g. 604,800 for once a week; 0: only when asked for. One Salesforce call for every 2,000
    leads and 2,000 contacts, one Account Engagement call for every 1,000 prospects, and what differs comes on top."""


class TuningSettings(_Section):
    """Times in seconds; the defaults fit the real services."""

    batch_size: int = Field(default=200, ge=1, le=200)
    """Records a worker takes at once; one Salesforce call carries 200."""

    lease: float = Field(default=60.0, ge=2)
    """How long a batch holds its records without a sign of life; a killed worker costs this much."""

    read_lag: float = Field(default=60.0, ge=0)
    """How far Account Engagement's reads may trail its writes (documented: 60)."""

    lag_slack: float = Field(default=3.0, ge=0)
    """Added wherever the lag is waited out."""

    prospect_overlap: float = Field(default=90.0, ge=0)
    """How far each prospect poll looks back; must exceed the lag."""

    person_overlap: float = Field(default=120.0, ge=0)
    """How far each lead and contact poll looks back: a long transaction commits after its stamp."""

    resync_backlog: int = Field(default=10_000, ge=1)
    """A resync hints no more records while so many wait in its lane; it bounds the memory that Redis needs."""

    stale_tries: int = Field(default=6, ge=1)
    """How often in a row a pair may change while it is being written before a person is told."""

    import_from: int = Field(default=500, ge=1)
    """So many waiting writes that may go by import make one; fewer are written singly."""

    import_wait: float = Field(default=60.0, gt=0)
    """How long such writes wait for each other."""

    import_most: int = Field(default=20_000, ge=1, le=100_000)
    """The most rows of one import."""

    import_poll: float = Field(default=30.0, gt=0)
    """The first pause before an import is asked how it stands; the pauses grow."""

    import_claim: float = Field(default=120.0, gt=0)
    """How long a step of an import may take, uploading included, before another worker does it again."""


class Settings(BaseSettings):
    """Everything the service can be told."""

    model_config = SettingsConfigDict(
        env_prefix="PROSPECT_SYNC_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        secrets_dir="/run/secrets" if Path("/run/secrets").is_dir() else None,
        nested_model_default_partial_update=True,
    )

    redis_url: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("PROSPECT_SYNC_REDIS_URL", "REDIS_URL", "redis_url")
    )
    """Redis for queues, inbox, leases and budget. Empty: ``python -m worker up`` brings its own."""

    database_url: SecretStr = Field(
        default=SecretStr("sqlite:///var/prospect-sync.db"),
        validation_alias=AliasChoices("PROSPECT_SYNC_DATABASE_URL", "DATABASE_URL", "database_url"),
    )
    """SQLite by default; ``postgresql+psycopg://…`` for more than one machine."""

    mapping_file: Path | None = None
    """The mapping (TOML). None: the default mapping that ships with the library."""

    data_dir: Path = Path("var")
    """Where the embedded Redis and the default database keep their files."""

    key_prefix: str = "prospect-sync"
    """Prefix of all keys in Redis."""

    log_format: Literal["console", "json"] = "console"
    """``json`` for machines, one event a line."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe level that is written."""

    concurrency: int = Field(default=2, ge=1)
    """Worker processes."""

    salesforce: SalesforceSettings = SalesforceSettings()
    account_engagement: AccountEngagementSettings = AccountEngagementSettings()
    budget: BudgetSettings = BudgetSettings()
    events: EventSettings = EventSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    tuning: TuningSettings = TuningSettings()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Open addresses would give secrets away, and times that contradict each other lose edits; all are refused together."""
        problems = [
            f"{name} has to begin with https://: tokens and people's data travel there"
            for name, address in (
                ("salesforce.login_url", self.salesforce.login_url),
                ("account_engagement.base_url", self.account_engagement.base_url),
            )
            if not address.lower().startswith("https://")
        ]
        longest = max(self.salesforce.timeout, self.account_engagement.timeout)
        if longest >= self.tuning.lease:
            problems.append(f"a call may take {longest} s, which is not less than the lease ({self.tuning.lease} s)")
        if self.tuning.prospect_overlap <= self.tuning.read_lag:
            problems.append(
                f"tuning.prospect_overlap ({self.tuning.prospect_overlap} s) must exceed "
                f"tuning.read_lag ({self.tuning.read_lag} s), or late-visible edits are missed"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self


def load_settings() -> Settings:
    """Read the environment, and the file that ``PROSPECT_SYNC_ENV_FILE`` names.

    Raises:
        pydantic.ValidationError: everything that is wrong, at once.
    """
    return Settings(_env_file=os.environ.get("PROSPECT_SYNC_ENV_FILE"))
