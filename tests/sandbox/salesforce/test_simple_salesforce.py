"""The unmodified client library against the sandbox's process, over TLS."""

import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests
from simple_salesforce import Salesforce, format_soql
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

FIELD = {"name": "Client_Test__c", "type": "string", "externalId": True}


@pytest.fixture
def sf(sandbox):
    sandbox.admin.load(salesforce={"custom_fields": {"Lead": [FIELD]}})
    session = requests.Session()
    session.verify = sandbox.contract["ca_file"]
    session.trust_env = False
    token = sandbox.contract["users"]["connector"]["salesforce_token"]
    with session:
        yield Salesforce(
            session_id=token, instance_url=sandbox.contract["salesforce_url"], version="67.0", session=session
        )


def test_one_record_from_create_to_delete(sf):
    ident = sf.Lead.create({"LastName": "Müller", "Company": "Engines & Söhne", "Email": "m@engines.example"})["id"]
    assert sf.Lead.update(ident, {"Title": "CTO"}) == 204
    row = sf.Lead.get(ident)
    assert (row["LastName"], row["Title"], row["Company"]) == ("Müller", "CTO", "Engines & Söhne")
    found = sf.query(format_soql("SELECT Id FROM Lead WHERE LastName = {} AND Id = {}", "müller", ident))
    assert found["records"][0]["Id"] == ident
    assert sf.Lead.delete(ident) == 204
    with pytest.raises(SalesforceResourceNotFound) as caught:
        sf.Lead.get(ident)
    assert caught.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"
    rows = sf.query_all_iter(f"SELECT IsDeleted FROM Lead WHERE Id = '{ident}'", include_deleted=True)
    assert [row["IsDeleted"] for row in rows] == [True]


def test_upsert_by_external_id(sf):
    assert sf.Lead.upsert("Client_Test__c/a 1", {"LastName": "A", "Company": "C"}) == 201
    assert sf.Lead.upsert("Client_Test__c/a 1", {"Title": "CTO"}) == 200
    sf.Lead.create({"LastName": "B", "Company": "C", "Client_Test__c": "a 1"})
    with pytest.raises(SalesforceMoreThanOneRecord):
        sf.Lead.upsert("Client_Test__c/a 1", {"Title": "CTO"})


def test_paging(sf, sandbox):
    rows = [{"LastName": f"P{n}", "Company": "Paged", "Client_Test__c": f"p{n}"} for n in range(4_100)]
    sandbox.admin.load(salesforce={"records": {"Lead": rows}})
    names = [
        row["LastName"] for row in sf.query_all_iter("SELECT LastName FROM Lead WHERE Company = 'Paged' ORDER BY Id")
    ]
    assert names == [f"P{n}" for n in range(4_100)]
    assert len(sf.query_all("SELECT Id FROM Lead WHERE Company = 'Paged'")["records"]) == 4_100


def test_updated_and_deleted(sf):
    ident = sf.Contact.create({"LastName": "Changed"})["id"]
    gone = sf.Contact.create({"LastName": "Gone"})["id"]
    sf.Contact.delete(gone)
    end = datetime.now(UTC) + timedelta(minutes=2)  # noqa: TID251 - the running org's clock is the machine's
    start = end - timedelta(hours=1)
    assert ident in sf.Contact.updated(start, end)["ids"]
    assert gone in [one["id"] for one in sf.Contact.deleted(start, end)["deletedRecords"]]


def test_describe_limits_and_restful(sf):
    assert "HasOptedOutOfEmail" in [one["name"] for one in sf.Lead.describe()["fields"]]
    assert "LeadHistory" in [one["name"] for one in sf.describe()["sobjects"]]
    assert sf.Lead.metadata()["objectDescribe"]["name"] == "Lead"
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
    assert sf.api_usage["api-usage"].total == 100_000
    ident = sf.Lead.create({"LastName": "R", "Company": "C"})["id"]
    body = {"records": [{"attributes": {"type": "Lead"}, "id": ident, "Title": "CTO"}]}
    assert sf.restful("composite/sobjects", method="PATCH", json=body) == [{"id": ident, "success": True, "errors": []}]
    found = sf.toolingexecute(
        "query/?q=SELECT+IsFieldHistoryTracked+FROM+FieldDefinition+WHERE+EntityDefinition.QualifiedApiName='Lead'"
        "+AND+QualifiedApiName='Title'"
    )
    assert found["records"][0]["IsFieldHistoryTracked"] is True


def test_errors_arrive_as_the_library_knows_them(sf, sandbox):
    ident = sf.Lead.create({"LastName": "E", "Company": "C"})["id"]
    with pytest.raises(SalesforceMalformedRequest) as caught:
        sf.Lead.update(ident, {"Email": "x"})
    assert caught.value.content[0]["fields"] == ["Email"]
    with pytest.raises(SalesforceGeneralError) as general:
        sf.Lead.update(ident, {}, headers={"If-Unmodified-Since": "Mon, 23 Nov 2020 10:00:00 GMT"})
    assert general.value.status == 412
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Nope'"):
        sf.query("SELECT Nope FROM Lead")
    sf.headers["Authorization"] = "Bearer nonsense"
    with pytest.raises(SalesforceExpiredSession):
        sf.query("SELECT Id FROM Lead")


def test_numbers_can_be_read_exactly(sandbox):
    with requests.Session() as session:
        session.verify, session.trust_env = sandbox.contract["ca_file"], False
        token = sandbox.contract["users"]["connector"]["salesforce_token"]
        url = sandbox.contract["salesforce_url"]
        sf = Salesforce(session_id=token, instance_url=url, version="67.0", session=session, parse_float=Decimal)
        ident = sf.Lead.create({"LastName": "N", "Company": "C", "AnnualRevenue": 1234567.25})["id"]
        revenue = sf.query(f"SELECT AnnualRevenue FROM Lead WHERE Id = '{ident}'")["records"][0]["AnnualRevenue"]
        assert revenue == Decimal("1234567.25")


def test_long_queries_get_through(sf):
    ids = ",".join("'00Q5g0000000001EAA'" for _ in range(500))
    assert sf.query(f"SELECT Id FROM Lead WHERE Id IN ({ids})")["done"] is True


def test_every_call_is_in_the_log(sf, sandbox):
    sandbox.admin.clear_calls()
    ident = sf.Lead.create({"LastName": "L", "Company": "C"})["id"]
    sf.query("SELECT Id FROM Lead LIMIT 1")
    calls = [(one["operation"], one["status"], one["committed"]) for one in sandbox.admin.calls()]
    assert [(name, status) for name, status, _ in calls] == [("row.create", 201), ("query", 200)]
    assert (calls[0][2][0]["id"], calls[0][2][0]["action"]) == (ident, "create")


def test_nothing_is_warned_about(sf):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sf.query("SELECT COUNT() FROM Lead")
