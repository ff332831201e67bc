"""Reading leads and contacts from end to end over the wire: pages by id, both types in one call."""

from datetime import UTC, datetime

import pytest

from prospect_sync.errors import TryLater
from prospect_sync.model import PersonType, id18
from prospect_sync.salesforce.people import SalesforcePeople

ORG = "salesforce"
LEAD, CONTACT = PersonType.LEAD, PersonType.CONTACT
BORN = "2025-01-01T00:00:00Z"
LATER = "2025-06-01T00:00:00Z"
FIELDS = {LEAD: ("Title", "City"), CONTACT: ("Title", "MailingCity")}


def person(prefix, number, **values):
    return {"Id": id18(f"{prefix}{number:012d}"), "LastName": "Adler", "CreatedDate": BORN, **values}


def lead(number, **values):
    return person("00Q", number, Company="Alder Works", **values)


@pytest.fixture(scope="module", autouse=True)
def _records(_process):
    """Ids behind those of all other tests, so that a page can begin with ours."""
    leads = [lead(900_000_000_000 + number, Title=f"T{number}") for number in range(2_001)]
    leads.append(lead(900_000_000_000 + 2_001, Title="CTO", LastModifiedDate=LATER, IsDeleted=True))
    contact = person("003", 900_000_000_000, MailingCity="Ulm", LastModifiedDate=LATER)
    _process.admin.load(salesforce={"records": {"Lead": leads, "Contact": [contact]}})


@pytest.fixture(autouse=True)
def _settings(sandbox):
    yield
    sandbox.admin.configure(salesforce={"field_security": {}})


@pytest.fixture
def people(salesforce):
    return SalesforcePeople(salesforce())


def before(prefix, number=900_000_000_000):
    return id18(f"{prefix}{number - 1:012d}")


def calls(sandbox):
    return [call for call in sandbox.calls(ORG) if "/services/data/" in call["path"]]


def test_pages_of_both_types_in_one_call_go_on_behind_the_last_id(sandbox, people):
    first = people.snapshot({LEAD: before("00Q"), CONTACT: before("003")}, FIELDS)
    assert len(calls(sandbox)) == 1
    assert [len(first[kind].rows) for kind in (LEAD, CONTACT)] == [2_000, 1]
    assert (first[LEAD].more, first[CONTACT].more) == (True, False)
    assert first[LEAD].rows[7].values == {"Title": "T7", "City": None}
    assert first[CONTACT].rows[0].values == {"Title": None, "MailingCity": "Ulm"}
    second = people.snapshot({LEAD: first[LEAD].rows[-1].id}, FIELDS)
    assert list(second) == [LEAD]
    assert [(one.values["Title"], one.deleted) for one in second[LEAD].rows] == [("T2000", False), ("CTO", True)]
    assert not second[LEAD].more


def test_it_begins_at_the_beginning(people):
    page = people.snapshot({CONTACT: ""}, FIELDS)[CONTACT]
    ids = [one.id for one in page.rows]
    assert ids == sorted(ids)
    assert id18("003900000000000") in ids


def test_since_leaves_out_what_did_not_change(people):
    since = datetime(2025, 3, 1, tzinfo=UTC)
    page = people.snapshot({LEAD: before("00Q")}, FIELDS, since=since)[LEAD]
    assert [one.values["Title"] for one in page.rows] == ["CTO"]


def test_a_column_that_may_not_be_read_is_left_out_for_its_type_alone(sandbox, people):
    sandbox.admin.configure(salesforce={"field_security": {"connector": {"Lead": {"City": "none"}}}})
    pages = people.snapshot({LEAD: before("00Q"), CONTACT: before("003")}, FIELDS)
    assert pages[LEAD].rows[0].values == {"Title": "T0"}
    assert pages[CONTACT].rows[0].values == {"Title": None, "MailingCity": "Ulm"}


def test_an_outage_is_told(sandbox, people):
    sandbox.admin.faults({"do": "answer", "org": ORG, "status": 503, "body": "unavailable"})
    with pytest.raises(TryLater):
        people.snapshot({LEAD: ""}, FIELDS)
