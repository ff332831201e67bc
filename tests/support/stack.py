"""The whole product as processes: sandbox over TLS, a real Redis, a real Celery worker and beat, all ended by their ids."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prospect_sync.memory import LedgerRow
from prospect_sync.model import id18
from prospect_sync.sandbox.admin_client import AdminClient
from prospect_sync.stores.sql import SqlDesk, SqlLedger, make_engine
from worker.redis_server import EmbeddedRedis

ROOT = Path(__file__).parents[2]
MAPPING = """
[connector]
skew_margin = 0

[[field]]
prospect = "email"
lead = "Email"
contact = "Email"
type = "email"

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "most_recent_field"

[[field]]
prospect = "phone"
lead = "Phone"
contact = "Phone"
behavior = "most_recent_field"

[[field]]
prospect = "city"
lead = "City"
contact = "MailingCity"
behavior = "use_salesforce"

[[field]]
prospect = "department"
contact = "Department"
behavior = "use_account_engagement"

[[field]]
prospect = "optedOut"
lead = "HasOptedOutOfEmail"
contact = "HasOptedOutOfEmail"
type = "boolean"
behavior = "most_recent_field"
"""
QUICK = {
    "SCHEDULE__PEOPLE": "1",
    "SCHEDULE__PROSPECTS": "1",
    "TUNING__READ_LAG": "0",
    "TUNING__LAG_SLACK": "1",
    "TUNING__PROSPECT_OVERLAP": "10",
    "TUNING__PERSON_OVERLAP": "10",
}
BORN = "2026-01-01T00:00:00.000+0000"
WRITES = ("PATCH", "POST", "DELETE")


def wait_for(what: str, condition: Callable[[], Any], seconds: float = 60.0, every: float = 0.1) -> Any:
    """Wait until the condition holds and give what it gave; fail with words when it never does."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)


@dataclass
class Stack:
    """Everything that runs, and what a story does with it."""

    directory: Path
    sandbox: Mapping[str, Any]
    admin: AdminClient
    redis_url: str
    settings: dict[str, str]
    worker: subprocess.Popen[bytes] | None = None
    beat: subprocess.Popen[bytes] | None = None
    logs: list[Path] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.directory}/sync.db"

    def environment(self) -> dict[str, str]:
        users = self.sandbox["users"]["connector"]
        ours = {
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": self.database_url,
            "DATA_DIR": str(self.directory),
            "MAPPING_FILE": str(self.directory / "mapping.toml"),
            "LOG_FORMAT": "json",
            "SALESFORCE__LOGIN_URL": self.sandbox["salesforce_url"],
            "SALESFORCE__CLIENT_ID": self.sandbox["client_id"],
            "SALESFORCE__CLIENT_SECRET": self.sandbox["client_secret"],
            "SALESFORCE__CA_FILE": self.sandbox["ca_file"],
            "SALESFORCE__USER_ID": users["salesforce_user_id"],
            "ACCOUNT_ENGAGEMENT__BASE_URL": self.sandbox["account_engagement_url"],
            "ACCOUNT_ENGAGEMENT__BUSINESS_UNIT_ID": self.sandbox["business_unit_id"],
            "ACCOUNT_ENGAGEMENT__USER_ID": str(users["account_engagement_user_id"]),
            "ACCOUNT_ENGAGEMENT__CA_FILE": self.sandbox["ca_file"],
            **self.settings,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PROSPECT_SYNC_")}
        return {**kept, **{f"PROSPECT_SYNC_{name}": value for name, value in ours.items()}}

    def start(self) -> None:
        self.worker = self._spawn("run")
        self.beat = self._spawn("beat")

    def _spawn(self, *verb: str) -> subprocess.Popen[bytes]:
        log = self.directory / f"{verb[0]}-{len(self.logs)}.log"
        self.logs.append(log)
        with log.open("wb") as sink:
            return subprocess.Popen(
                [sys.executable, "-m", "worker", *verb],
                cwd=ROOT,
                env=self.environment(),
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill_worker(self) -> None:
        """Kill -9 the worker with all its children; nothing gets a chance to tidy up."""
        assert self.worker is not None
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()

    def start_worker(self) -> None:
        self.worker = self._spawn("run")

    def stop(self) -> None:
        for process in (self.beat, self.worker):
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    # ------------------------------------------------------------------------------------------ the orgs

    def load(self, pairs: Sequence["MadePair"]) -> None:
        leads = [pair.person for pair in pairs if pair.kind == "Lead"]
        contacts = [pair.person for pair in pairs if pair.kind == "Contact"]
        self.admin.load(
            salesforce={"records": {"Lead": leads, "Contact": contacts}},
            account_engagement={"prospects": [pair.prospect for pair in pairs]},
        )

    def sales(self, pair: "MadePair", changes: Mapping[str, Any]) -> None:
        self.admin.edit("salesforce", "sales", changes, record_id=pair.person_id, object_name=pair.kind)

    def marketing(self, pair: "MadePair", changes: Mapping[str, Any]) -> None:
        self.admin.edit("account_engagement", "marketing", changes, record_id=pair.number)

    def values(self) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
        """(prospect, person) of every pair, as the orgs hold them now."""
        dump = self.admin.dump()
        records = dump["salesforce"]["records"]
        people = {row["Id"]: row for kind in ("Lead", "Contact") for row in records.get(kind, ())}
        prospects = dump["account_engagement"]["prospects"]
        return {row["id"]: (row, people[row["salesforceId"]]) for row in prospects}

    def committed(self, org: str) -> list[dict[str, Any]]:
        """Every record the connector really wrote, in order, from the server's log."""
        calls = self.admin.calls(org=org, user="connector")
        return [record for call in calls for record in call.get("committed") or ()]

    def writes(self) -> int:
        return len(self.committed("salesforce")) + len(self.committed("account_engagement"))

    def calls(self, org: str) -> int:
        calls = self.admin.calls(org=org, user="connector", detail=False)
        return sum(1 for call in calls if call["method"] != "LATER")

    def quiet(self, cycles: int = 3, seconds: float = 60.0) -> None:
        """Wait until so many polls of both sides went by without a write and without open work."""

        def polled() -> bool:
            before, count = self.writes(), self.polls()
            wait_for("a few more polls", lambda: self.polls() >= count + 2 * cycles, seconds)
            return self.writes() == before and not self.open_intents()

        wait_for("quiet", polled, seconds)

    def polls(self) -> int:
        calls = self.admin.calls(org="account_engagement", user="connector", detail=False)
        return sum(1 for call in calls if call["method"] == "GET" and "updatedAtAfterOrEqualTo" in call["path"])

    # ------------------------------------------------------------------------------------------ the memory

    @contextlib.contextmanager
    def ledger(self) -> Iterator[SqlLedger]:
        engine = make_engine(self.database_url)
        try:
            yield SqlLedger(engine)
        finally:
            engine.dispose()

    def rows(self, newest: int = 100_000) -> Sequence[LedgerRow]:
        with self.ledger() as ledger:
            return ledger.rows(newest=newest)

    def open_intents(self) -> int:
        with self.ledger() as ledger:
            return len(ledger.unsettled(datetime(2100, 1, 1, tzinfo=UTC)))

    def desk(self) -> Sequence[Any]:
        from prospect_sync.stores.clock import SystemClock

        engine = make_engine(self.database_url)
        try:
            return SqlDesk(engine, SystemClock()).entries()
        finally:
            engine.dispose()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log events of a name, from all processes."""
        found = []
        for log in self.logs:
            for line in log.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    if isinstance(event, dict) and event.get("event") == name:
                        found.append(event)
        return found


@dataclass(frozen=True)
class MadePair:
    """A pair whose two sides hold the same."""

    number: int
    kind: str
    person: Mapping[str, Any]
    prospect: Mapping[str, Any]

    @property
    def person_id(self) -> str:
        return str(self.person["Id"])


def make_pair(number: int, kind: str = "Lead", **prospect: Any) -> MadePair:
    """Make a pair in step; ``prospect`` overrides what the prospect holds."""
    prefix, city = ("00Q", "City") if kind == "Lead" else ("003", "MailingCity")
    person_id = id18(f"{prefix}5g{number:010d}")
    address = f"person{number}@example.org"
    person = {
        "Id": person_id,
        "FirstName": "Ada",
        "LastName": f"Number {number}",
        "Email": address,
        "Title": "CEO",
        "Phone": "0171 5",
        city: "Bonn",
        "HasOptedOutOfEmail": False,
        "CreatedDate": BORN,
        "LastModifiedDate": BORN,
    }
    if kind == "Lead":
        person["Company"] = "Alder Works"
    same = {
        "id": number,
        "email": address,
        "salesforceId": person_id,
        "firstName": "Ada",
        "lastName": f"Number {number}",
        "jobTitle": "CEO",
        "phone": "0171 5",
        "city": "Bonn",
        "optedOut": False,
        "createdAt": "2026-01-01T00:00:00+00:00",
        "updatedAt": "2026-01-01T00:00:00+00:00",
    }
    return MadePair(number, kind, person, {**same, **prospect})


@contextlib.contextmanager
def running_stack(
    directory: Path,
    *,
    mapping: str = MAPPING,
    settings: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
) -> Iterator[Stack]:
    """Start sandbox and Redis; the story starts the worker when its data are in place. Ends everything it started."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "mapping.toml").write_text(mapping)
    (directory / "redis").mkdir(exist_ok=True)
    with contextlib.ExitStack() as ending:
        redis = ending.enter_context(EmbeddedRedis(directory / "redis"))
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "prospect_sync.sandbox", "--pairs", "0", "--seed", "1", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=ending.enter_context((directory / "sandbox.log").open("wb")),
            start_new_session=True,
        )
        ending.callback(_end, sandbox)
        assert sandbox.stdout is not None
        contract = json.loads(sandbox.stdout.readline())
        admin = ending.enter_context(AdminClient(contract["admin_url"], contract["ca_file"]))
        stack = Stack(directory, contract, admin, redis.url, {**QUICK, **(settings or {})})
        ending.callback(stack.stop)
        yield stack


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
