"""Two thousand pairs compared by the whole stack, with the worker killed in the middle and people who go on editing."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.stack import ROOT, Stack, make_pair, running_stack, wait_for

pytestmark = pytest.mark.long

PAIRS = 2_000
DIFFERING = range(20, PAIRS + 1, 20)
BY_SALES, BY_MARKETING, OPTED_OUT = 33, 40, 55
SETTINGS = {
    "TUNING__READ_LAG": "2",
    "TUNING__LEASE": "15",
    "SALESFORCE__TIMEOUT": "10",
    "ACCOUNT_ENGAGEMENT__TIMEOUT": "10",
}


@pytest.mark.timeout(420)
def test_a_resync_survives_its_worker_and_overwrites_no_edit(tmp_path: Path) -> None:
    with running_stack(tmp_path, settings=SETTINGS) as stack:
        pairs = {number: made(number) for number in range(1, PAIRS + 1)}
        stack.load(list(pairs.values()))
        first = resync(stack)
        joined = wait_for("its first line", lambda: lines(first))[0]
        assert joined["note"].endswith("started")
        stack.admin.latency(40)
        stack.start()
        wait_for("writes under way", lambda: len(stack.committed("account_engagement")) >= 10, every=0.02)
        stack.kill_worker()
        assert stack.writes() < len(DIFFERING), "it was killed too late to show anything"
        stack.sales(pairs[BY_SALES], {"Title": "CTO"})
        stack.marketing(pairs[BY_MARKETING], {"phone": "040 7"})
        stack.marketing(pairs[OPTED_OUT], {"optedOut": True})
        os.kill(first.pid, signal.SIGINT)
        assert first.wait(20) == 130
        second = resync(stack)
        stack.start_worker()
        assert second.wait(300) == 0, lines(second)[-3:]

        told = lines(second)
        assert told[0]["note"].startswith("joined resync")
        end = told[-1]
        assert (end["state"], end["id"]) == ("done", joined["note"].split()[1])
        assert end["seen"] == PAIRS
        assert end["hinted"] >= len(DIFFERING)
        assert end["in_step"] + end["hinted"] == PAIRS
        assert (end["remaining"], end["refused"], end["on_the_desk"]) == (0, 0, 0)

        wait_for("no open intent", lambda: stack.open_intents() == 0, 60)
        stack.quiet()
        values = stack.values()
        apart = {number for number, both in values.items() if not same(*both)}
        assert apart == set()
        assert values[BY_SALES][0]["jobTitle"] == "CTO"
        assert values[BY_MARKETING][1]["Phone"] == "040 7"
        assert values[OPTED_OUT][1]["HasOptedOutOfEmail"] is True
        written = Counter(str(record["id"]) for record in stack.committed("account_engagement"))
        assert max(written.values()) == 1
        assert snapshots(stack) <= 3, "one page of each type, once more after the death at most"


def made(number: int):
    """Every twentieth differs in its phone, and nobody knows since when."""
    kind = "Contact" if number % 2 else "Lead"
    return make_pair(number, kind, **({"phone": "030 1"} if number in DIFFERING else {}))


def resync(stack: Stack) -> subprocess.Popen[bytes]:
    """The command as a person starts it."""
    log = stack.directory / f"resync-{len(list(stack.directory.glob('resync-*')))}.jsonl"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker", "resync", "--json"], cwd=ROOT, env=stack.environment(), stdout=sink
        )
    process.log = log  # type: ignore[attr-defined]
    return process


def lines(process: subprocess.Popen[bytes]) -> list[dict]:
    return [json.loads(line) for line in process.log.read_text().splitlines()]  # type: ignore[attr-defined]


def same(prospect: dict, person: dict) -> bool:
    city = person["City"] if "Company" in person else person["MailingCity"]
    return (prospect["jobTitle"], prospect["phone"], prospect["city"], prospect["optedOut"]) == (
        person["Title"],
        person["Phone"],
        city,
        person["HasOptedOutOfEmail"],
    )


def snapshots(stack: Stack) -> int:
    calls = stack.admin.calls(org="salesforce", user="connector")
    return sum(1 for call in calls if "ORDER BY Id" in json.dumps(call).replace("%20", " "))
