"""Figures from logs and ledger, their sentences, and the printed report."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from prospect_sync.memory import FieldChange, Intent, LedgerRow, Outcome, Settled
from prospect_sync.model import PersonType, Ref, Side
from worker.demo import figures, report
from worker.demo.calls import ACCOUNT_ENGAGEMENT, SALESFORCE, Committed, Seen, _purpose
from worker.demo.edits import Edited, LinkedPair, Planned
from worker.demo.explain import sentence, three
from worker.demo.figures import Figures, latencies, needless_writes, span

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEAD_ID = "00Q5g0000000007EAA"
LEAD = LinkedPair(7, LEAD_ID, "Lead", {}, {})


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def ledger_row(side=Side.SALESFORCE, settled=Settled.APPLIED, **change):
    given = {"prospect_field": "jobTitle", "field": "Title", "before": "Buyer", "after": "Owner", "rule": "RF-1"}
    intent = Intent(
        "i1", NOON, "b", 1, 7, Ref.person(PersonType.LEAD, LEAD_ID), side, (FieldChange(**(given | change)),)
    )
    return LedgerRow(intent, None if settled is None else Outcome("i1", after(1), settled))


def row(
    org=SALESFORCE, operation="composite", method="POST", path="/services/data/v67.0/composite", urls=(), part="GET"
):
    parts = [{"method": part, "url": url, "status": 200} for url in urls]
    return {"org": org, "operation": operation, "method": method, "path": path, "subrequests": parts}


def test_calls_are_named_by_their_purpose():
    query = "/services/data/v67.0/queryAll?q="
    poll = f"{query}SELECT+Id,SystemModstamp+FROM+Lead+WHERE+SystemModstamp+>=+2026+ORDER+BY+SystemModstamp"
    read = f"{query}SELECT+Id,SystemModstamp,Title+FROM+Lead+WHERE+Id+IN+('00Q')"
    assert _purpose(row(urls=[poll])) == "poll"
    assert _purpose(row(urls=[read])) == "read"
    assert _purpose(row(urls=[f"{query}SELECT+Field+FROM+LeadHistory+WHERE+LeadId+IN+('00Q')"])) == "read history"
    assert (
        _purpose(row(urls=[f"{query}SELECT+Id+FROM+FieldDefinition", f"{query}SELECT+Id+FROM+LeadHistory"]))
        == "settings"
    )
    assert _purpose(row(urls=["/services/data/v67.0/sobjects/Lead/00Q"], part="PATCH")) == "write, guarded"
    assert _purpose(row(operation="collections.update", method="PATCH")) == "write"
    assert _purpose(row(operation="oauth.token")) == "token"
    assert _purpose(row(ACCOUNT_ENGAGEMENT, "prospects.query", "GET")) == "poll"
    assert _purpose(row(ACCOUNT_ENGAGEMENT, "prospects.update", "PATCH")) == "write"


def test_latency_runs_from_the_edit_to_our_write_of_its_value():
    edits = [
        Edited(Planned(0, SALESFORCE, LEAD, "jobTitle", "Owner"), NOON),
        Edited(Planned(0, ACCOUNT_ENGAGEMENT, LEAD, "phone", "1"), NOON),
        Edited(Planned(0, ACCOUNT_ENGAGEMENT, LEAD, "city", "Yass", lasts=False), NOON),
    ]
    written = [
        Committed(ACCOUNT_ENGAGEMENT, "7", {"jobTitle": "Owner"}, after(-5), 1),
        Committed(ACCOUNT_ENGAGEMENT, "7", {"jobTitle": "Buyer"}, after(1), 2),
        Committed(ACCOUNT_ENGAGEMENT, "7", {"jobTitle": "Owner"}, after(2), 3),
    ]
    found = latencies(edits, written)
    there = found["salesforce to account_engagement"]
    back = found["account_engagement to salesforce"]
    assert (there.edits, there.p50, there.missing) == (1, 2.0, 0)
    assert (back.edits, back.p50, back.missing) == (1, None, 1)


def test_median_and_95th_percentile():
    edits = [Edited(Planned(0, SALESFORCE, LEAD, "jobTitle", f"T{n}"), NOON) for n in range(101)]
    written = [Committed(ACCOUNT_ENGAGEMENT, "7", {"jobTitle": f"T{n}"}, after(n / 10), n) for n in range(101)]
    found = latencies(edits, written)["salesforce to account_engagement"]
    assert (found.p50, found.p95, found.most) == (5.0, 9.5, 10.0)


def test_a_write_that_the_server_did_not_need_is_counted():
    one = Committed(SALESFORCE, LEAD_ID, {"Title": "Owner"}, NOON, 1)
    assert set(needless_writes([one], 0, [ledger_row()]).values()) == {0}
    idle = Committed(SALESFORCE, LEAD_ID, {}, NOON, 1)
    assert needless_writes([idle], 0, [ledger_row()]) == {
        "writes that changed no field": 1,
        "fields written that held the value already": 1,
        "writes while nothing changed": 0,
        "written fields without an applied ledger row": 0,
        "applied ledger rows more or fewer than records written": 0,
    }


def test_a_write_that_the_ledger_does_not_know_is_counted():
    one = Committed(SALESFORCE, LEAD_ID, {"Title": "Owner"}, NOON, 1)
    found = needless_writes([one], 2, [ledger_row(settled=Settled.UNSENT)])
    assert found["written fields without an applied ledger row"] == 1
    assert found["applied ledger rows more or fewer than records written"] == 1
    assert found["writes while nothing changed"] == 2


def test_a_contest_is_explained_with_its_times():
    evidence = {
        "salesforce_time": "2026-03-01T10:00:01Z",
        "salesforce_source": "history row",
        "account_engagement_interval": ["2026-03-01T10:00:04Z", "2026-03-01T10:00:06Z"],
        "account_engagement_source": "observed change",
        "first_seen": False,
    }
    found = ledger_row(evidence=evidence, guarded=True)
    assert sentence(found, found.intent.changes[0]) == (
        "Prospect 7 and Lead 00Q5g0000000007EAA, field jobTitle: Account Engagement said “Owner”, Salesforce said “Buyer”. "
        "Salesforce's value dates from 01 Mar 2026 10:00:01 (says its field history). "
        "Account Engagement's was set between 01 Mar 2026 10:00:04 and 01 Mar 2026 10:00:06 (as the mirror saw it change). "
        "Rule RF-1: The field was changed later on the winning side. "
        "So Account Engagement's value was written to Salesforce at 12:00:01 UTC, "
        "on the condition that nobody had edited the record since it was read."
    )


def test_a_fill_is_explained_without_times():
    found = ledger_row(Side.ACCOUNT_ENGAGEMENT, field="jobTitle", before=None, rule="SF-4", guarded=True)
    assert sentence(found, found.intent.changes[0]) == (
        "Prospect 7 and Lead 00Q5g0000000007EAA, field jobTitle: Salesforce said “Owner”, Account Engagement was empty. "
        "Rule SF-4: Salesforce's value fills the empty prospect field. "
        "So Salesforce's value was written to Account Engagement at 12:00:01 UTC."
    )


def test_three_different_decisions_are_chosen_and_none_that_was_not_applied():
    rows = [ledger_row(rule="AE-1"), ledger_row(rule="CO-1"), ledger_row(rule="SF-1"), ledger_row(rule="PR-1")]
    rules = [words.partition("Rule ")[2].partition(":")[0] for words in three(rows)]
    assert rules == ["CO-1", "AE-1", "SF-1"]
    assert three([ledger_row(settled=Settled.REFUSED), ledger_row(settled=None)]) == []


def made(**more):
    calls = [Seen(1, SALESFORCE, "poll", NOON, 200), Seen(2, ACCOUNT_ENGAGEMENT, "write", NOON, 200)]
    part = span(12.34, calls, [Committed(ACCOUNT_ENGAGEMENT, "7", {"jobTitle": "Owner"}, NOON, 2)])
    settings = {"people": 2.0, "prospects": 1.0, "latency_ms": 20.0, "lag": 0.5}
    return Figures(pairs=10, seed=1, settings=settings, first=part, live=part, quiet=span(5, [], []), **more)


def printed(found):
    output = io.StringIO()
    report.show(Console(file=output, width=200), found, ["A sentence."])
    return output.getvalue()


def test_the_report_says_that_all_is_well():
    found = made(edits=3, rules={"RF-1": 2}, needless={"writes that changed no field": 0}, ledger={"applied": 1})
    text = printed(found)
    assert found.problems == []
    assert "Everything is in step" in text
    assert "10 of 10 pairs are in step" in text
    assert "The field was changed later on the winning side." in text
    assert "1. A sentence." in text
    assert "Salesforce: poll" in text


def test_the_report_names_each_wrong_pair_and_fails():
    wrong = [
        "prospect 3 and Lead 00Q: city is [bold] wrong",
        "prospect 3 and Lead 00Q: zip is wrong",
        "prospect 4 and Lead 00Q: x",
    ]
    found = made(wrong_at_end=wrong, needless={"writes while nothing changed": 2}, ledger={"open": 1, "applied": 3})
    text = printed(found)
    assert found.pairs_wrong == 2
    assert found.problems == [*wrong, "2 writes while nothing changed", "1 ledger rows are open"]
    assert "Something is wrong" in text
    assert "8 of 10 pairs" in text
    assert "city is [bold] wrong" in text


def test_figures_can_be_written_as_json():
    found = made(latency={"a": figures.Latency(1, 1.0, 1.0, 1.0, 0)}).as_json()
    assert found["first"]["calls"] == {"salesforce": {"poll": 1}, "account_engagement": {"write": 1}}
    assert found["latency"]["a"]["p95"] == 1.0
    assert found["problems"] == []
