"""The objects' filters ride along with the reading of persons, judged by Salesforce, in the same call."""

import pytest

from prospect_sync.errors import Misconfigured
from prospect_sync.model import Lane, PersonType, Ref, id18
from prospect_sync.salesforce.describe import describe
from prospect_sync.salesforce.people import SalesforcePeople

FIELDS = {PersonType.LEAD: ("City",), PersonType.CONTACT: ("MailingCity",)}


def load(sandbox, number):
    leads = [
        {
            "Id": id18(f"00Q5g{number + n:010d}"),
            "LastName": "A",
            "Company": "B",
            "Email": f"a{number + n}@x.org",
            "City": city,
        }
        for n, city in enumerate(("Bonn", "Berlin", None))
    ]
    contact = {"Id": id18(f"0035g{number:010d}"), "LastName": "A", "MailingCity": "Berlin", "Email": f"c{number}@x.org"}
    sandbox.admin.load(salesforce={"records": {"Lead": leads, "Contact": [contact]}})
    refs = [Ref.person(PersonType.LEAD, lead["Id"]) for lead in leads]
    return [*refs, Ref.person(PersonType.CONTACT, contact["Id"])]


def test_each_person_says_whether_it_is_in_scope_and_it_costs_no_call(sandbox, salesforce, number):
    refs = load(sandbox, number)
    people = SalesforcePeople(salesforce())
    people.read(refs, FIELDS)
    sandbox.admin.clear_calls()
    found = people.read(refs, FIELDS, {"Lead": "City != 'Berlin'"})
    assert [found[ref].in_scope for ref in refs] == [True, False, True, True]
    assert len(sandbox.calls("salesforce")) == 1


def test_those_found_by_address_say_so_too(sandbox, salesforce, number):
    load(sandbox, number)
    found = SalesforcePeople(salesforce()).by_address(
        [f"a{number}@x.org", f"a{number + 1}@x.org"], FIELDS, {"Lead": "City = 'Bonn' OR City = null"}
    )
    assert {address: people[0].in_scope for address, people in found.items()} == {
        f"a{number}@x.org": True,
        f"a{number + 1}@x.org": False,
    }


def test_a_filter_that_salesforce_refuses_lets_nobody_through(sandbox, salesforce, number):
    refs = load(sandbox, number)
    with pytest.raises(Misconfigured, match="scope"):
        SalesforcePeople(salesforce()).read(refs, FIELDS, {"Lead": "NoSuchField__c = 1"})


def test_fields_are_described_in_the_mappings_words(sandbox, salesforce):
    told = describe(salesforce(), Lane.LIVE)
    title, opt_out = told[PersonType.LEAD]["title"], told[PersonType.CONTACT]["hasoptedoutofemail"]
    assert (title.name, title.length, title.writable) == ("Title", 128, True)
    assert {one.value for one in title.fits} == {"text", "email"}
    assert (opt_out.kind, {one.value for one in opt_out.fits}, opt_out.length) == ("boolean", {"boolean"}, None)
    assert told[PersonType.LEAD]["id"].writable is False
