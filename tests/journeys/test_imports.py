"""Three thousand pairs that differ in Salesforce's own field go by import, through two killed workers."""

import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from prospect_sync.model import Hint, Lane, Ref
from prospect_sync.stores.redis import RedisInbox, connect
from tests.support.stack import ROOT, Stack, make_pair, running_stack, wait_for

pytestmark = pytest.mark.long

PAIRS = 3_000
ORG = "account_engagement"
SETTINGS = {
    "SCHEDULE__IMPORTS": "1",
    "TUNING__IMPORT_WAIT": "12",
    "TUNING__IMPORT_POLL": "2",
    "TUNING__IMPORT_CLAIM": "8",
    "TUNING__LEASE": "15",
    "SALESFORCE__TIMEOUT": "10",
    "ACCOUNT_ENGAGEMENT__TIMEOUT": "10",
}
REFUSED = (7, 1_234)
EDITED = 77


@pytest.mark.timeout(420)
def test_a_resync_writes_by_import_and_survives_two_deaths(tmp_path: Path) -> None:
    with running_stack(tmp_path, settings=SETTINGS) as stack:
        stack.load([make_pair(number, city="Köln") for number in range(1, PAIRS + 1)])
        stack.admin.configure(
            account_engagement={
                "import_wait_seconds": 2,
                "import_rows_per_second": 400,
                "refusals": {str(number): {"code": 52, "times": -1} for number in REFUSED},
            }
        )
        stack.admin.faults({"org": ORG, "do": "delay", "path": "/batches", "ms": 3_000})
        resync(stack)
        stack.start()
        wait_for("the first load", lambda: stack.polls() >= 2)
        hint(stack)
        wait_for("an upload under way", lambda: operations(stack)["imports.create"], every=0.02)
        stack.kill_worker()
        assert stack.committed(ORG) == [], "nothing was told to run yet"
        stack.start_worker()
        wait_for("rows being written", lambda: len(stack.committed(ORG)) > 300, every=0.02)
        stack.kill_worker()
        stack.start_worker()
        edit(stack)
        # a death in the middle of a refresh of the mirror is noticed by the others after two minutes only
        wait_for("every pair as it should be", lambda: apart(stack) == set(REFUSED), 240)
        wait_for("no open intent", lambda: stack.open_intents() == 0, 60)
        wait_for("the refused ones on the desk", lambda: refused_on_the_desk(stack) == set(REFUSED), 60)
        stack.quiet()

        told = operations(stack)
        writing = sum(
            count for name, count in told.items() if name == "prospects.update" or name.startswith("imports.")
        )
        assert writing <= 0.006 * PAIRS, told
        written = Counter(record["id"] for record in stack.committed(ORG))
        assert len(written) == PAIRS - len(REFUSED)
        assert set(written) - {record for record, times in written.items() if times == 1} <= {str(EDITED)}
        ended = Counter(row.outcome.settled.value for row in stack.rows() if row.outcome)
        assert ended["applied"] == sum(written.values())


def resync(stack: Stack) -> None:
    """Ask for a resync of everything, before anything runs: so the first loads hint nothing themselves."""
    command = [sys.executable, "-m", "worker", "resync", "--all", "--detach"]
    subprocess.run(command, cwd=ROOT, env=stack.environment(), check=True, capture_output=True, timeout=60)


def hint(stack: Stack) -> None:
    """Hint every pair in the bulk lane."""
    with closing(connect(stack.redis_url)) as redis:
        inbox = RedisInbox(redis, prefix="{prospect-sync}:")
        inbox.offer([Hint(Ref.prospect(number), Lane.BULK) for number in range(1, PAIRS + 1)])


def edit(stack: Stack) -> None:
    """Sales edit a pair that is in the open import."""
    stack.sales(make_pair(EDITED), {"City": "Ulm"})


def operations(stack: Stack) -> Counter:
    calls = stack.admin.calls(org=ORG, user="connector", detail=False)
    return Counter(call["operation"] for call in calls if call["method"] != "LATER")


def apart(stack: Stack) -> set[int]:
    return {number for number, (prospect, person) in stack.values().items() if prospect["city"] != person["City"]}


def refused_on_the_desk(stack: Stack) -> set[int]:
    return {int(ref.id) for entry in stack.desk() if entry.item.code == "52" for ref in entry.refs}
