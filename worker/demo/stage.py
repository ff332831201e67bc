"""The whole product on one machine for as long as a demo lasts: two pretend orgs, Redis, a worker, the scheduler.

Everything it makes lies in one directory; the settings go to the processes as environment variables.
"""

import contextlib
import json
import os
import select
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

from prospect_sync.sandbox.admin_client import AdminClient
from prospect_sync.stores.redis import RedisInbox, connect
from prospect_sync.stores.sql import make_engine, upgrade
from worker.demo.fields import TRACKED
from worker.demo.processes import ChildEndedError, Children
from worker.redis_server import EmbeddedRedis, NoRedisError

MAPPING = Path(__file__).resolve().parents[2] / "samples" / "demo_mapping.toml"
_START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Pace:
    """The demo's times, in seconds but for ``latency_ms``.

    ``people``, ``prospects``: how often each side is polled. ``lag``: how far Account Engagement's reads trail its writes.
    """

    people: float = 2.0
    prospects: float = 1.0
    latency_ms: float = 20.0
    lag: float = 0.5
    overlap: float = 5.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Handles on what runs."""

    directory: Path
    contract: Mapping[str, Any]
    admin: AdminClient
    engine: sa.Engine
    inbox: RedisInbox
    children: Children
    environment: Mapping[str, str]

    def open_curtain(self) -> None:
        """Start the worker and the scheduler: from here on the orgs are synced."""
        self.children.start("worker", ["-m", "worker", "run"], self.environment)
        self.children.start("beat", ["-m", "worker", "beat"], self.environment)


@contextlib.contextmanager
def set_stage(data: Mapping[str, Any], pace: Pace, *, keep: bool) -> Iterator[Stage]:
    """Load the orgs and make everything ready but the worker; all of it ends, and is removed, with the block.

    Raises:
        NoRedisError: no Redis can be had here.
        ChildEndedError: a process did not start.
    """
    with contextlib.ExitStack() as stack:
        directory = _directory(stack, keep=keep)
        redis_url, prefix = _redis(stack, directory)
        children = stack.enter_context(Children(directory))
        contract = _sandbox(children, directory, data, pace)
        admin = stack.enter_context(AdminClient(contract["admin_url"], contract["ca_file"]))
        admin.configure(
            salesforce={"history_tracking": TRACKED, "daily_limit": 10_000_000},
            account_engagement={"daily_limit": 10_000_000},
        )
        database = f"sqlite:///{directory / 'demo.db'}"
        engine = make_engine(database)
        stack.callback(engine.dispose)
        upgrade(engine)
        environment = _environment(contract, pace, directory, database, redis_url, prefix)
        inbox = RedisInbox(connect(redis_url), prefix=f"{{{prefix}}}:")
        yield Stage(directory, contract, admin, engine, inbox, children, environment)


def _directory(stack: contextlib.ExitStack, *, keep: bool) -> Path:
    if keep:
        return Path(tempfile.mkdtemp(prefix="prospect-sync-demo-"))
    return Path(
        stack.enter_context(tempfile.TemporaryDirectory(prefix="prospect-sync-demo-", ignore_cleanup_errors=True))
    )


def _redis(stack: contextlib.ExitStack, directory: Path) -> tuple[str, str]:
    """A Redis of our own; where none can be started, the one that REDIS_URL names, under keys of our own."""
    try:
        return stack.enter_context(EmbeddedRedis(directory / "redis")).url, "demo"
    except NoRedisError:
        given = os.environ.get("REDIS_URL", "")
        if not given:
            raise
        return given, directory.name


def _sandbox(children: Children, directory: Path, data: Mapping[str, Any], pace: Pace) -> dict[str, Any]:
    file = directory / "orgs.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    arguments = ["-m", "prospect_sync.sandbox", "--data", str(file)]
    arguments += ["--latency-ms", str(pace.latency_ms), "--ae-lag-seconds", str(pace.lag)]
    return dict(json.loads(_first_line(children, children.start_talking("sandbox", arguments))))


def _first_line(children: Children, output: IO[bytes]) -> bytes:
    ready, _, _ = select.select([output], [], [], _START_SECONDS)
    line = output.readline() if ready else b""
    if not line:
        children.check()
        raise ChildEndedError("The sandbox did not start in time.")
    return line


def _environment(
    contract: Mapping[str, Any], pace: Pace, directory: Path, database: str, redis_url: str, prefix: str
) -> dict[str, str]:
    connector = contract["users"]["connector"]
    settings = {
        "REDIS_URL": redis_url,
        "KEY_PREFIX": prefix,
        "DATABASE_URL": database,
        "MAPPING_FILE": MAPPING,
        "DATA_DIR": directory,
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "info",
        "CONCURRENCY": 2,
        "SALESFORCE__LOGIN_URL": contract["salesforce_url"],
        "SALESFORCE__CLIENT_ID": contract["client_id"],
        "SALESFORCE__CLIENT_SECRET": contract["client_secret"],
        "SALESFORCE__USER_ID": connector["salesforce_user_id"],
        "SALESFORCE__CA_FILE": contract["ca_file"],
        "ACCOUNT_ENGAGEMENT__BASE_URL": contract["account_engagement_url"],
        "ACCOUNT_ENGAGEMENT__BUSINESS_UNIT_ID": contract["business_unit_id"],
        "ACCOUNT_ENGAGEMENT__USER_ID": connector["account_engagement_user_id"],
        "ACCOUNT_ENGAGEMENT__CA_FILE": contract["ca_file"],
        "BUDGET__ACCOUNT_ENGAGEMENT_DAILY": 10_000_000,
        "BUDGET__SALESFORCE_DAILY": 10_000_000,
        "SCHEDULE__PEOPLE": pace.people,
        "SCHEDULE__PROSPECTS": pace.prospects,
        "TUNING__READ_LAG": pace.lag,
        "TUNING__LAG_SLACK": 0.5,
        "TUNING__PROSPECT_OVERLAP": pace.overlap,
        "TUNING__PERSON_OVERLAP": pace.overlap,
    }
    return {f"PROSPECT_SYNC_{name}": str(value) for name, value in settings.items()}
