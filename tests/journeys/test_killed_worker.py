"""A worker killed with -9 in the middle of its writing: with the production time-outs, all is right within 90 seconds."""

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.stack import make_pair, running_stack, wait_for

PRODUCTION = {
    "TUNING__READ_LAG": "60",
    "TUNING__LAG_SLACK": "3",
    "TUNING__PROSPECT_OVERLAP": "90",
    "TUNING__PERSON_OVERLAP": "120",
}
PAIRS = 200


@pytest.mark.timeout(300)
def test_a_killed_worker_costs_one_lease_and_nothing_else(tmp_path: Path) -> None:
    with running_stack(tmp_path, settings=PRODUCTION) as stack:
        pairs = [make_pair(number, city="Köln", phone="030 1") for number in range(1, PAIRS + 1)]
        stack.load(pairs)
        stack.admin.latency(100)
        stack.start()
        wait_for("writes under way", lambda: len(stack.committed("account_engagement")) >= 10, every=0.02)
        stack.kill_worker()
        killed = time.monotonic()
        before = stack.writes()
        assert before < 2 * PAIRS, "it was killed too late to show anything"
        stack.admin.latency(0)
        stack.start_worker()
        wait_for("every pair as it should be", lambda: all(right(*both) for both in stack.values().values()), 90)
        wait_for("no open intent", lambda: stack.open_intents() == 0, 90)
        assert time.monotonic() - killed <= 90
        stack.quiet()
        applied = Counter(
            row.intent.written for row in stack.rows() if row.outcome and row.outcome.settled == "applied"
        )
        committed = Counter({**count(stack.committed("salesforce")), **count(stack.committed("account_engagement"))})
        assert {ref.id: times for ref, times in applied.items()} == dict(committed)
        assert set(committed.values()) == {1}
        assert len(stack.values()) == PAIRS


def right(prospect: dict, person: dict) -> bool:
    """The filled phone of a first meeting: no history, so the record that changed later; the city is Salesforce's."""
    return prospect["city"] == person["City"] == "Bonn" and prospect["phone"] == person["Phone"]


def count(records: list[dict]) -> Counter:
    return Counter(str(record["id"]) for record in records)
