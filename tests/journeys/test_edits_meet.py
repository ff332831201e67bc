"""Stories of edits that meet, through the whole real stack: only the two vendors are pretended, over HTTP and TLS."""

import time
from pathlib import Path

import pytest

from tests.support.stack import Stack, make_pair, running_stack, wait_for

FIRST = "2026-11-23T10:00:00Z"


@pytest.fixture
def stack(tmp_path: Path):
    with running_stack(tmp_path) as running:
        yield running


def in_step(stack: Stack, count: int) -> list:
    pairs = [make_pair(number, "Lead" if number % 2 else "Contact") for number in range(1, count + 1)]
    stack.load(pairs)
    stack.start()
    wait_for("the first look at every pair", lambda: sum(e["pairs"] for e in stack.events("batch.synced")) >= count)
    stack.quiet()
    assert stack.writes() == 0
    return pairs


def test_disjoint_edits_of_the_same_seconds_all_survive_on_both_sides(stack: Stack) -> None:
    pairs = in_step(stack, 100)
    for pair in pairs:
        stack.sales(pair, {"Title": f"Title {pair.number}"})
        stack.marketing(pair, {"phone": f"030 {pair.number}"})
    stack.quiet()
    values = stack.values()
    for pair in pairs:
        prospect, person = values[pair.number]
        assert (prospect["jobTitle"], person["Title"]) == (f"Title {pair.number}",) * 2
        assert (prospect["phone"], person["Phone"]) == (f"030 {pair.number}",) * 2
    assert stack.writes() == 200
    assert not stack.desk()


def test_a_cycle_in_which_nothing_changed_costs_no_call_per_record(stack: Stack) -> None:
    in_step(stack, 50)
    before = {org: stack.calls(org) for org in ("salesforce", "account_engagement")}
    polls = stack.polls()
    wait_for("five polls", lambda: stack.polls() >= polls + 5)
    assert stack.calls("salesforce") - before["salesforce"] <= 8
    assert stack.calls("account_engagement") - before["account_engagement"] <= 8
    assert stack.writes() == 0


def test_an_edit_in_salesforce_between_our_read_and_our_guarded_write_survives(stack: Stack) -> None:
    (pair, *_) = in_step(stack, 2)
    stack.admin.latency(2000, org="salesforce")
    seen = len(histories_of(stack))
    stack.marketing(pair, {"jobTitle": "Marketing's"})
    wait_for("the worker's look at history", lambda: len(histories_of(stack)) > seen, every=0.02)
    time.sleep(1.0)  # into the two seconds for which the guarded write is under way
    stack.sales(pair, {"Title": "Sales' own"})
    stack.admin.latency(0, org="salesforce")
    wait_for("both sides agree", lambda: titles(stack, pair.number) == ("Sales' own", "Sales' own"))
    stack.quiet()
    assert titles(stack, pair.number) == ("Sales' own", "Sales' own")
    assert any(row.outcome and row.outcome.settled == "unsent" for row in stack.rows())


def histories_of(stack: Stack) -> list:
    """Composite calls that read history, finished: what follows them is the write."""
    calls = stack.admin.calls(org="salesforce", user="connector")
    return [
        call for call in calls if any("LeadId IN" in part.get("soql", "") for part in call.get("subrequests") or ())
    ]


def titles(stack: Stack, number: int) -> tuple[str, str]:
    prospect, person = stack.values()[number]
    return prospect["jobTitle"], person["Title"]


def test_a_correction_older_than_our_own_write_is_not_beaten_by_it(tmp_path: Path) -> None:
    """Set at 10:00, written to Salesforce at 10:05, corrected at 10:03 and first seen at 10:06: the correction stands."""
    lagging = {"TUNING__READ_LAG": "120", "TUNING__PROSPECT_OVERLAP": "180"}
    with running_stack(tmp_path, settings=lagging) as stack:
        stack.admin.clock(set="2026-11-23T09:50:00Z")
        (pair, *_) = in_step(stack, 2)
        stack.admin.configure(account_engagement={"lag_seconds": 120})
        stack.admin.clock(set="2026-11-23T10:00:00Z")
        stack.marketing(pair, {"jobTitle": "Head of Marketing"})
        stack.admin.clock(org="account_engagement", set="2026-11-23T10:03:00Z")
        stack.marketing(pair, {"jobTitle": "VP Marketing"})
        stack.admin.clock(org="salesforce", set="2026-11-23T10:05:00Z")
        stack.admin.clock(org="account_engagement", set="2026-11-23T10:04:30Z")  # reads show 10:02:30
        wait_for("the first title in Salesforce", lambda: titles(stack, 1)[1] == "Head of Marketing")
        stack.admin.clock(set="2026-11-23T10:06:00Z")
        wait_for("the correction in Salesforce", lambda: titles(stack, 1) == ("VP Marketing", "VP Marketing"))
        stack.quiet()
        assert titles(stack, 1) == ("VP Marketing", "VP Marketing")
        assert len(stack.committed("account_engagement")) == 0
