"""Both orgs in one process, by clients that were written for the real services."""

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

PROSPECTS = "/api/v5/objects/prospects"


@pytest.fixture
def salesforce(sandbox):
    with requests.Session() as session:
        session.verify = sandbox.contract["ca_file"]
        session.trust_env = False
        yield Salesforce(
            session_id=sandbox.contract["users"]["connector"]["salesforce_token"],
            instance_url=sandbox.contract["salesforce_url"],
            version="67.0",
            session=session,
        )


def test_simple_salesforce_reads_writes_and_is_refused(sandbox, salesforce):
    [lead] = salesforce.query("SELECT Id FROM Lead WHERE Email LIKE 'person10@%'")["records"]
    assert salesforce.Lead.update(lead["Id"], {"Title": "Boss"}) == 204
    assert salesforce.Lead.get(lead["Id"])["Title"] == "Boss"
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Nope'"):
        salesforce.Lead.update(lead["Id"], {"Nope": "x"})
    rows = [(row["operation"], row["user"], row["error"]) for row in sandbox.admin.calls(org="salesforce")]
    assert len(rows) == 4
    assert {user for _, user, _ in rows} == {"connector"}
    assert rows[-1][2] == "INVALID_FIELD"


def test_a_persons_edit_leaves_history_but_no_call(sandbox, salesforce):
    [lead] = salesforce.query("SELECT Id FROM Lead WHERE Email LIKE 'person11@%'")["records"]
    sandbox.admin.clear_calls()
    sandbox.admin.edit("salesforce", "sales", {"Title": "Chief"}, record_id=lead["Id"], object_name="Lead")
    assert sandbox.admin.calls() == []
    history = salesforce.query(
        f"SELECT Field, NewValue, CreatedById FROM LeadHistory WHERE LeadId = '{lead['Id']}' AND Field = 'Title'"
    )["records"]
    assert (history[-1]["NewValue"], history[-1]["CreatedById"]) == ("Chief", "0055g00000Sbx02AAB")


def test_a_token_from_the_token_endpoint_opens_both_orgs(sandbox):
    with sandbox.salesforce() as http:
        answer = http.post(
            "/services/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": sandbox.contract["client_id"],
                "client_secret": sandbox.contract["client_secret"],
            },
        )
    token = answer.json()["access_token"]
    with sandbox.engagement() as http:
        http.headers["Authorization"] = f"Bearer {token}"
        assert http.get(f"{PROSPECTS}/3", params={"fields": "id"}).json() == {"id": 3}


def test_every_prospects_person_is_in_the_dump_of_both(sandbox):
    dump = sandbox.admin.dump("Prospect", "Lead", "Contact")
    records = dump["salesforce"]["records"]
    assert set(records) == {"Lead", "Contact"}
    people = {person["Id"] for kind in records.values() for person in kind}
    seeded = [row for row in dump["account_engagement"]["prospects"] if row["id"] <= 30]
    assert len(seeded) == 30
    assert {row["salesforceId"] for row in seeded} <= people


def test_each_answer_is_dated_by_its_own_org(sandbox):
    sandbox.admin.clock("salesforce", set="2026-01-01T00:00:00+00:00")
    sandbox.admin.clock("account_engagement", set="2026-02-01T00:00:00+00:00")
    with sandbox.salesforce() as http:
        assert http.get("/services/data/").headers["Date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    with sandbox.engagement() as http:
        answer = http.get(PROSPECTS, params={"fields": "id"})
        assert answer.headers["Date"] == "Sun, 01 Feb 2026 00:00:00 GMT"
