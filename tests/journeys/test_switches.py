"""Switching off and on while everything runs: lanes, fields, the mapping file, broken fields, and preconditions."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from prospect_sync.flow.guarding import IGNORED, NOTE
from prospect_sync.stores.sql import SqlMarks, make_engine
from tests.support.stack import MAPPING, ROOT, Stack, make_pair, running_stack, wait_for

pytestmark = pytest.mark.long

FAX = """
[[field]]
prospect = "fax"
lead = "Fax"
contact = "Fax"
behavior = "use_account_engagement"
"""


@pytest.fixture
def stack(tmp_path: Path):
    with running_stack(tmp_path, settings={"SCHEDULE__FIELDS": "60"}) as running:
        yield running


def verb(stack: Stack, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "worker", *arguments],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def marks_of(stack: Stack) -> SqlMarks:
    return SqlMarks(make_engine(stack.database_url))


def started(stack: Stack, *pairs) -> None:
    stack.load(pairs)
    stack.start()
    wait_for("the first look", lambda: sum(e["pairs"] for e in stack.events("batch.synced")) >= len(pairs))


def prospect(stack: Stack, number: int = 1) -> dict:
    return stack.values()[number][0]


def person(stack: Stack, number: int = 1) -> dict:
    return stack.values()[number][1]


def test_a_paused_lane_and_a_paused_field_wait_and_catch_up(stack: Stack) -> None:
    pair = make_pair(1)
    started(stack, pair)
    stack.quiet()
    assert "Paused: live" in verb(stack, "pause", "--lane", "live")
    stack.sales(pair, {"City": "Köln"})
    told = wait_for("a hint that waits", lambda: waiting(stack))
    assert told["lanes"][1]["paused_since"] is not None
    assert prospect(stack)["city"] == "Bonn"
    verb(stack, "pause", "--field", "city")
    assert "Resumed: live" in verb(stack, "resume", "--lane", "live")
    stack.marketing(pair, {"phone": "1"})
    wait_for("the other field", lambda: person(stack)["Phone"] == "1")
    assert prospect(stack)["city"] == "Bonn"
    verb(stack, "resume", "--field", "city")
    wait_for("what the field missed", lambda: prospect(stack)["city"] == "Köln", 30)


def waiting(stack: Stack) -> dict | None:
    told = json.loads(verb(stack, "status", "--json"))
    return told if told["lanes"][1]["waiting"] else None


def test_a_changed_mapping_is_picked_up_and_a_wrong_one_is_told_once(stack: Stack) -> None:
    pairs = [make_pair(number, fax=f"0171 {number}") for number in (1, 2)]
    started(stack, *pairs)
    stack.quiet()
    file = stack.directory / "mapping.toml"
    file.write_text(MAPPING + FAX.replace("use_account_engagement", "use_marketing"))
    (entry,) = wait_for("the refusal", lambda: [one for one in stack.desk() if one.item.code == "MAPPING"])
    assert "use_marketing" in entry.item.words
    stack.sales(pairs[0], {"City": "Köln"})
    wait_for("the last good mapping at work", lambda: prospect(stack)["city"] == "Köln")
    assert len(stack.events("mapping.refused")) == 1

    file.write_text(MAPPING + FAX)
    wait_for("the new field on both", lambda: [person(stack, n)["Fax"] for n in (1, 2)] == ["0171 1", "0171 2"], 60)
    assert [one for one in stack.desk() if one.item.code == "MAPPING"] == []
    version = json.loads(verb(stack, "status", "--json"))["mapping"]
    written = [row.intent.mapping_version for row in stack.rows() if row.intent.changes[0].field == "Fax"]
    assert set(written) == {version}


def test_a_field_taken_from_the_connector_user_goes_on_hold_and_comes_back(stack: Stack) -> None:
    pairs = [make_pair(number, "Contact") for number in (1, 2, 3)]
    started(stack, *pairs)
    stack.quiet()
    stack.admin.configure(salesforce={"field_security": {"connector": {"Contact": {"Department": "read"}}}})
    for pair in pairs:
        stack.marketing(pair, {"department": "Sales", "phone": "7"})
    wait_for("the hold", lambda: [one for one in stack.desk() if one.item.code == "HELD"], 90)
    wait_for("the other field", lambda: {person(stack, n)["Phone"] for n in (1, 2, 3)} == {"7"})
    (field,) = json.loads(verb(stack, "status", "--json"))["fields"]
    assert (field["field"], field["state"]) == ("department", "on hold")
    refused = len([row for row in stack.rows() if row.outcome and row.outcome.settled == "refused"])
    stack.marketing(pairs[0], {"department": "Marketing"})
    stack.quiet()
    assert len([row for row in stack.rows() if row.outcome and row.outcome.settled == "refused"]) == refused

    stack.admin.configure(salesforce={"field_security": {}})
    verb(stack, "resume", "--field", "department")
    expected = ["Marketing", "Sales", "Sales"]
    wait_for("what it missed", lambda: [person(stack, n)["Department"] for n in (1, 2, 3)] == expected, 60)
    assert [one for one in stack.desk() if one.item.code == "HELD"] == []


def test_a_prospect_field_that_does_not_exist_stops_nothing_but_itself(tmp_path: Path) -> None:
    with running_stack(tmp_path, mapping=MAPPING + FAX.replace('"fax"', '"Gone__c"')) as stack:
        pair = make_pair(1, city="Köln")
        stack.load([pair])
        stack.start()
        wait_for("the field that exists", lambda: prospect(stack)["city"] == "Bonn", 60)
        (entry,) = [one for one in stack.desk() if one.item.code == "HELD"]
        assert entry.item.field == "Gone__c"
        stack.admin.load(account_engagement={"custom_fields": [{"name": "Gone__c", "type": "Text"}]})
        stack.marketing(pair, {"Gone__c": "030 7"})
        verb(stack, "resume", "--field", "Gone__c")
        wait_for("the field that came", lambda: person(stack)["Fax"] == "030 7", 60)


def test_where_composites_ignore_preconditions_guarded_writes_go_singly(stack: Stack) -> None:
    pairs = [make_pair(number) for number in range(1, 6)]
    started(stack, *pairs)
    stack.quiet()
    stack.admin.configure(salesforce={"composite_conditional": False})
    marks_of(stack).remember(NOTE, IGNORED)
    stack.admin.clear_calls()
    for pair in pairs:
        stack.marketing(pair, {"jobTitle": "CTO"})
    wait_for("all of them", lambda: {person(stack, n)["Title"] for n in range(1, 6)} == {"CTO"})
    calls = [call for call in stack.admin.calls(org="salesforce", user="connector") if call.get("committed")]
    assert len(calls) == 5
    assert all("/sobjects/Lead/" in call["path"] and call["method"] == "PATCH" for call in calls)


def test_a_cut_text_is_left_alone_afterwards(tmp_path: Path) -> None:
    mapping = MAPPING.replace(
        'contact = "Phone"\nbehavior = "most_recent_field"',
        'contact = "Phone"\ntoo_long = "cut"\nbehavior = "most_recent_field"',
    )
    with running_stack(tmp_path, mapping=mapping) as stack:
        pair = make_pair(1)
        started(stack, pair)
        stack.quiet()
        stack.marketing(pair, {"phone": "+49 171 " + "5" * 60})
        stack.quiet()
        assert person(stack)["Phone"] == "+49 171 " + "5" * 32
        assert [entry.item.field for entry in stack.desk()] == ["phone"]
        assert stack.writes() == 1
