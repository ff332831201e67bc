"""Accounts as the poll and the listener see them: which changed, in the same call, and who works there."""

from datetime import UTC, datetime

import pytest

from prospect_sync.model import PersonType, RecordKind, Ref
from prospect_sync.ports import Position
from prospect_sync.salesforce.people import SalesforcePeople

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def people(salesforce) -> SalesforcePeople:
    return SalesforcePeople(salesforce())


def account_of(sandbox, number: int, employees: int) -> tuple[str, list[Ref]]:
    account = Ref.account(f"0015g{number:010d}").id
    contacts = [Ref.person(PersonType.CONTACT, f"0035g{number + place:010d}") for place in range(employees)]
    rows = [{"Id": ref.id, "LastName": "x", "AccountId": account} for ref in contacts]
    sandbox.admin.load(salesforce={"records": {"Account": [{"Id": account, "Name": "Alder Works"}]}})
    sandbox.admin.load(salesforce={"records": {"Contact": rows}})
    return account, contacts


def test_who_works_there(sandbox, people, number) -> None:
    account, contacts = account_of(sandbox, number, 3)
    account_of(sandbox, number + 100, 1)
    sandbox.admin.edit("salesforce", "sales", {}, record_id=contacts[0].id, object_name="Contact", action="delete")
    assert sorted(people.of_accounts([account])) == contacts[1:]
    assert list(people.of_accounts([])) == []
    assert list(people.of_accounts(["no id'"])) == []


def test_many_employees_are_read_page_by_page(sandbox, people, number) -> None:
    account, contacts = account_of(sandbox, number, 2_100)
    sandbox.admin.clear_calls()
    assert sorted(people.of_accounts([account])) == contacts
    assert len(sandbox.calls("salesforce")) <= 3


def test_renamed_accounts_come_with_the_same_call(sandbox, people, number) -> None:
    account, _ = account_of(sandbox, number, 1)
    sandbox.admin.edit("salesforce", "sales", {"Name": "Birch Works"}, record_id=account, object_name="Account")
    people.of_accounts([account])  # it has logged in
    sandbox.admin.clear_calls()
    kinds = (RecordKind.LEAD, RecordKind.CONTACT, RecordKind.ACCOUNT)
    pages = people.changed({kind: Position(LONG_AGO) for kind in kinds})
    assert Ref.account(account) in [row.ref for row in pages[RecordKind.ACCOUNT].rows]
    assert len(sandbox.calls("salesforce")) == 1
