"""`python -m worker doctor` against both orgs as they may be found: every sentence it says has been seen once."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from prospect_sync.flow.guarding import NOTE
from prospect_sync.stores.sql import SqlMarks, make_engine, upgrade
from tests.support.stack import MAPPING, ROOT, Stack, make_pair, running_stack

PAIR = make_pair(1)
MORE = """
[[field]]
prospect = "Likes__c"
lead = "Likes__c"
behavior = "use_salesforce"
type = "multiselect"

[[field]]
prospect = "notThere"
lead = "Fax"
behavior = "use_salesforce"
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with running_stack(tmp_path_factory.mktemp("doctor")) as running:
        running.load([PAIR])
        yield running


@pytest.fixture(autouse=True)
def _as_it_was(stack: Stack):
    settings = dict(stack.settings)
    yield
    stack.settings.clear()
    stack.settings.update(settings)
    stack.admin.clear_faults()
    stack.admin.clock(set=None, skew=0)
    stack.admin.configure(
        salesforce={
            "field_security": {},
            "history_tracking": {},
            "composite_conditional": True,
            "daily_limit": 100_000,
        },
        account_engagement={"calls_used": 0, "daily_limit": 100_000},
    )
    (stack.directory / "mapping.toml").write_text(MAPPING)


def doctor(stack: Stack, *options: str) -> tuple[int, dict[tuple[str, str], dict]]:
    """The exit code, and the findings by (area, subject)."""
    ended = subprocess.run(
        [sys.executable, "-m", "worker", "doctor", "--json", *options],
        cwd=ROOT,
        env=stack.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    told = json.loads(ended.stdout)
    found: dict[tuple[str, str], dict] = {}
    worst = {"wrong": 0, "warning": 1, "ok": 2, "unchecked": 3}
    for row in told["findings"]:
        key = (row["area"], row["subject"])
        if key not in found or worst[row["state"]] < worst[found[key]["state"]]:
            found[key] = row
        assert bool(row["remedy"]) or row["state"] in {"ok", "unchecked"} or row["area"] == "guarded writes", row
    assert told["state"] == {0: "ok", 1: "warning", 2: "wrong"}[ended.returncode], ended.stderr
    return ended.returncode, found


def states(found: dict, *states: str) -> set:
    return {key for key, row in found.items() if row["state"] in states}


def database(stack: Stack):
    engine = make_engine(stack.database_url)
    upgrade(engine)
    return engine


def fax(stack: Stack) -> str | None:
    leads = stack.admin.dump("Lead")["salesforce"]["records"]["Lead"]
    return next(row["Fax"] for row in leads if row["Id"] == PAIR.person_id)


def test_a_good_set_up_is_well(stack: Stack) -> None:
    database(stack).dispose()
    code, found = doctor(stack)
    assert code == 0, states(found, "wrong", "warning")
    assert {area for area, _ in found} >= {
        "settings",
        "mapping",
        "stores",
        "Salesforce",
        "Account Engagement",
        "fields",
    }
    assert found["Salesforce", "scopes"]["finding"] == "api pardot_api refresh_token"
    assert found["fields", "jobTitle"]["finding"] == "text: Lead.Title (128), Contact.Title (128)"
    assert found["history", "optedOut"]["state"] == "ok"


def test_a_field_it_may_not_see_or_edit_and_a_history_that_is_missing(stack: Stack) -> None:
    stack.admin.configure(
        salesforce={
            "field_security": {"connector": {"Lead": {"HasOptedOutOfEmail": "none", "Title": "read"}}},
            "history_tracking": {"Contact": ["Title"]},
        }
    )
    code, found = doctor(stack)
    assert code == 2
    assert "may not read it" in found["fields", "optedOut"]["finding"]
    assert "may not edit Lead.Title" in found["fields", "jobTitle"]["finding"]
    assert found["history", "optedOut"]["state"] == "wrong"
    assert found["history", "optedOut"]["finding"].startswith("OO-2")
    assert "Contact.Phone" in found["history", "phone"]["finding"]
    assert found["history", "phone"]["state"] == "warning"


def test_types_and_names_that_do_not_fit(stack: Stack) -> None:
    stack.admin.load(
        salesforce={"custom_fields": {"Lead": [{"name": "Likes__c", "type": "string"}]}},
        account_engagement={"custom_fields": [{"name": "Likes__c", "type": "Text"}]},
    )
    (stack.directory / "mapping.toml").write_text(MAPPING + MORE)
    code, found = doctor(stack)
    assert code == 2
    assert "is of type" in found["fields", "Likes__c"]["finding"]
    assert found["fields", "notThere"]["finding"] == "Account Engagement has no such prospect field"
    assert any(area == "mapping" and row["state"] == "warning" for (area, _), row in found.items())


def test_credentials_unit_and_users_that_are_wrong(stack: Stack) -> None:
    stack.settings["SALESFORCE__CLIENT_SECRET"] = "wrong"
    code, found = doctor(stack)
    assert (code, found["Salesforce", "login"]["state"]) == (2, "wrong")
    assert found["Account Engagement", "access"]["state"] == "unchecked"

    stack.settings["SALESFORCE__CLIENT_SECRET"] = stack.sandbox["client_secret"]
    stack.settings["ACCOUNT_ENGAGEMENT__BUSINESS_UNIT_ID"] = "0Uv000000000000ZZZ"
    stack.settings["SALESFORCE__USER_ID"] = stack.sandbox["users"]["sales"]["salesforce_user_id"]
    stack.settings["SALESFORCE__API_VERSION"] = "66.5"
    code, found = doctor(stack)
    assert code == 2
    assert "business unit" in found["Account Engagement", "access"]["remedy"]
    assert "connector user" in found["Salesforce", "connector user"]["remedy"]
    assert found["Salesforce", "API version"]["remedy"] == "Set salesforce.api_version to 67.0."


def test_settings_that_are_missing_are_named_and_nothing_is_asked(stack: Stack) -> None:
    stack.settings["SALESFORCE__CLIENT_ID"] = ""
    stack.settings["ACCOUNT_ENGAGEMENT__USER_ID"] = "0"
    code, found = doctor(stack)
    assert code == 2
    assert found["settings", "salesforce.client_id"]["remedy"] == "Set PROSPECT_SYNC_SALESFORCE__CLIENT_ID."
    assert ("settings", "account_engagement.user_id") in found
    assert found["Salesforce", "access"]["state"] == "unchecked"


def test_clocks_budget_and_the_native_connector(stack: Stack) -> None:
    synced = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")  # noqa: TID251 - the sandbox's data
    stack.admin.load(
        account_engagement={
            "prospects": [{**PAIR.prospect, "id": 7, "salesforceId": None, "salesforceLastSync": synced}]
        }
    )
    stack.admin.clock(org="account_engagement", skew=20)
    stack.admin.configure(account_engagement={"daily_limit": 100, "calls_used": 85})
    code, found = doctor(stack)
    assert code == 1, states(found, "wrong")
    assert states(found, "warning") >= {
        ("Account Engagement", "clock"),
        ("mapping", "both clocks"),
        ("native connector", "activity"),
        ("Account Engagement", "calls today"),
    }
    assert "looks as if" in found["native connector", "activity"]["finding"]


def test_a_composite_that_ignores_preconditions_is_found_out_and_remembered(stack: Stack) -> None:
    probe = ("--probe-conditional-writes", PAIR.person_id, "Fax")
    before = fax(stack)
    _, found = doctor(stack, *probe)
    assert found["guarded writes", "If-Unmodified-Since in a Composite"]["state"] == "ok"
    stack.admin.configure(salesforce={"composite_conditional": False})
    code, found = doctor(stack, *probe)
    assert code == 1
    assert "go singly" in found["guarded writes", "If-Unmodified-Since in a Composite"]["finding"]
    engine = database(stack)
    try:
        assert SqlMarks(engine).note(NOTE) == "ignored"
        SqlMarks(engine).forget(NOTE)
    finally:
        engine.dispose()
    assert fax(stack) == before
    code, found = doctor(stack, "--probe-conditional-writes", "0015g0000000001AAA", "Fax")
    assert found["guarded writes", "If-Unmodified-Since in a Composite"]["state"] == "warning"


def test_change_events_are_asked_for_where_they_are_the_source(stack: Stack) -> None:
    stack.settings["EVENTS__SOURCE"] = "events"
    stack.settings["EVENTS__ADDRESS"] = stack.sandbox["pubsub_address"]
    stack.settings["EVENTS__TOPICS"] = '["/data/LeadChangeEvent", "/data/NoSuch__chn"]'
    code, found = doctor(stack)
    assert found["change events", "/data/LeadChangeEvent"]["state"] == "ok"
    assert found["change events", "/data/NoSuch__chn"]["state"] == "wrong"
    assert code == 2


def test_stores_that_are_away(stack: Stack, tmp_path: Path) -> None:
    stack.settings["REDIS_URL"] = "redis://127.0.0.1:1/0"
    stack.settings["DATABASE_URL"] = f"sqlite:///{tmp_path}/none.db"
    code, found = doctor(stack)
    assert code == 2
    assert found["stores", "Redis"]["state"] == "wrong"
    assert found["stores", "database"]["state"] == "warning"
    assert not (tmp_path / "none.db").exists()
    assert found["Salesforce", "login"]["state"] == "ok"
