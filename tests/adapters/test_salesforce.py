"""Leads and contacts over the wire, against the sandbox: reading, writing, history, and the library's known traps."""

import os
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from prospect_sync.account_engagement.prospects import AccountEngagementProspects
from prospect_sync.errors import LeaseLost, Misconfigured, Rejected, Stale, TryLater
from prospect_sync.memory import Token
from prospect_sync.model import PersonType, Ref, Side, Stamp, id18
from prospect_sync.ports import PersonHistory, Position, Write
from prospect_sync.salesforce.history import SalesforceHistory
from prospect_sync.salesforce.people import SalesforcePeople
from prospect_sync.stores.memory import MemoryTokens

ORG = "salesforce"
LEAD, CONTACT = PersonType.LEAD, PersonType.CONTACT
SALES = "0055g00000Sbx02"
BORN = "2025-01-01T00:00:00Z"


def ident(prefix, number):
    return id18(f"{prefix}{number:012d}")


def lead(number, **values):
    return {"Id": ident("00Q", number), "LastName": "Adler", "Company": "Alder Works", "CreatedDate": BORN, **values}


def contact(number, **values):
    return {"Id": ident("003", number), "LastName": "Brown", "CreatedDate": BORN, **values}


def lead_ref(number):
    return Ref.person(LEAD, ident("00Q", number))


def contact_ref(number):
    return Ref.person(CONTACT, ident("003", number))


def put(sandbox, history=None, custom_fields=None, **records):
    data = {"records": records, "history": history or {}, "custom_fields": custom_fields or {}}
    sandbox.admin.load(salesforce=data)


def write(ref, since=None, **changes):
    return Write(f"intent-{ref}", ref, changes, since)


def by_ref(batches):
    return {one.write.ref: one for batch in batches for one in batch}


def api_calls(sandbox):
    return [call for call in sandbox.calls(ORG) if "/services/data/" in call["path"]]


def logins(sandbox):
    return [call for call in sandbox.calls(ORG) if "/services/oauth2/token" in call["path"]]


@pytest.fixture(autouse=True)
def _settings(sandbox):
    yield
    sandbox.admin.configure(
        salesforce={
            "locked": {},
            "validation_rules": [],
            "triggers": [],
            "field_security": {},
            "history_tracking": {},
            "daily_limit": 100_000,
            "api_used": 0,
            "assignment_rule_owner": None,
            "lock_fails_batch": False,
        }
    )


@pytest.fixture
def people(salesforce):
    return SalesforcePeople(salesforce())


@pytest.fixture
def history(salesforce):
    return SalesforceHistory(salesforce())


# ---- reading


def test_people_are_read_with_all_that_is_known_of_them(sandbox, people, number):
    put(
        sandbox,
        Account=[{"Id": ident("001", number), "Name": "Birch Labs"}],
        Lead=[
            lead(
                number,
                Title="CTO",
                AnnualRevenue=1250000,
                CreatedById=SALES,
                LastModifiedDate="2026-02-03T04:05:06Z",
                LastModifiedById=SALES,
            )
        ],
        Contact=[contact(number, AccountId=ident("001", number), Title="CEO"), contact(number + 1, IsDeleted=True)],
    )
    refs = [lead_ref(number), contact_ref(number), contact_ref(number + 1), lead_ref(number + 7), Ref.prospect(5)]
    found = people.read(refs, {LEAD: ["Title", "AnnualRevenue", "Phone"], CONTACT: ["Title"]})
    assert set(found) == set(refs[:3])
    one = found[lead_ref(number)]
    assert one.values == {"Title": "CTO", "AnnualRevenue": Decimal(1250000), "Phone": None}
    assert one.created == Stamp(datetime(2025, 1, 1, tzinfo=UTC), id18(SALES))
    assert one.modified == Stamp(datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), id18(SALES))
    assert (one.deleted, one.master_id, one.converted_contact_id) == (False, None, None)
    with_account, without = found[contact_ref(number)], found[contact_ref(number + 1)]
    assert (with_account.has_account, with_account.account_name) == (True, "Birch Labs")
    assert (without.has_account, without.account_name, without.deleted) == (False, None, True)
    assert len(api_calls(sandbox)) == 1


def test_two_thousand_people_cost_one_call(sandbox, people, number):
    put(
        sandbox,
        Lead=[lead(number + place) for place in range(1_200)],
        Contact=[contact(number + place) for place in range(800)],
    )
    refs = [lead_ref(number + place) for place in range(1_200)] + [contact_ref(number + place) for place in range(800)]
    found = people.read(refs, {LEAD: ["LastName"], CONTACT: ["LastName"]})
    assert set(found) == set(refs)
    assert len(api_calls(sandbox)) == 1


def test_merged_and_converted_people_say_where_they_went(sandbox, people, number):
    put(sandbox, Lead=[lead(number), lead(number + 1), lead(number + 2)])
    winner, loser, converted = (ident("00Q", number + place) for place in range(3))
    sandbox.admin.edit(ORG, "sales", {"losers": [loser]}, record_id=winner, object_name="Lead", action="merge")
    new = sandbox.admin.edit(ORG, "sales", {}, record_id=converted, object_name="Lead", action="convert")
    found = people.read([lead_ref(number + 1), lead_ref(number + 2)], {LEAD: ["LastName"]})
    assert (found[lead_ref(number + 1)].deleted, found[lead_ref(number + 1)].master_id) == (True, winner)
    assert found[lead_ref(number + 2)].converted_contact_id == new


def test_an_unreadable_field_is_unread_and_the_others_go_on(sandbox, people, number, clock):
    put(sandbox, Lead=[lead(number, Title="CTO", HasOptedOutOfEmail=True)], Contact=[contact(number, Title="CEO")])
    sandbox.admin.configure(salesforce={"field_security": {"connector": {"Lead": {"HasOptedOutOfEmail": "none"}}}})
    wanted = {LEAD: ["Title", "HasOptedOutOfEmail"], CONTACT: ["Title", "HasOptedOutOfEmail"]}
    found = people.read([lead_ref(number), contact_ref(number)], wanted)
    assert found[lead_ref(number)].values == {"Title": "CTO"}
    assert found[contact_ref(number)].values == {"Title": "CEO", "HasOptedOutOfEmail": False}
    assert len(api_calls(sandbox)) == 3
    people.read([lead_ref(number)], wanted)
    assert len(api_calls(sandbox)) == 4

    sandbox.admin.configure(salesforce={"field_security": {}})
    clock.advance(601)
    found = people.read([lead_ref(number)], wanted)
    assert found[lead_ref(number)].values == {"Title": "CTO", "HasOptedOutOfEmail": True}


def test_fields_that_do_not_exist_and_names_that_are_none_are_unread(sandbox, people, number):
    put(sandbox, Lead=[lead(number, Title="CTO")])
    found = people.read([lead_ref(number)], {LEAD: ["Title", "Nowhere__c", "Id FROM User --"]})
    assert found[lead_ref(number)].values == {"Title": "CTO"}


def test_an_id_that_is_none_is_simply_not_there(sandbox, people):
    assert people.read([Ref(lead_ref(1).kind, "x' OR Id != '"), Ref(lead_ref(1).kind, "")], {LEAD: ["Title"]}) == {}
    assert api_calls(sandbox) == []


# ---- changes


def test_changes_come_in_pages_that_survive_equal_stamps(sandbox, people, number):
    """4,100 leads and 10 contacts share one second; the lead pages go on by id."""
    at = "2041-01-01T00:00:00Z"
    put(
        sandbox,
        Lead=[lead(number + place, SystemModstamp=at) for place in range(4_100)],
        Contact=[contact(number + place, SystemModstamp=at, IsDeleted=place == 0) for place in range(10)],
    )
    positions = {LEAD: Position(datetime(2041, 1, 1, tzinfo=UTC)), CONTACT: Position(datetime(2041, 1, 1, tzinfo=UTC))}
    seen, more = [], True
    while more:
        pages = people.changed(positions)
        seen += pages[LEAD].rows
        more = pages[LEAD].more
        positions[LEAD] = Position(seen[-1].stamp, seen[-1].ref.id)
    assert [one.ref for one in seen] == [lead_ref(number + place) for place in range(4_100)]
    assert len(api_calls(sandbox)) == 3
    contacts = pages[CONTACT]
    assert [one.deleted for one in contacts.rows] == [True] + [False] * 9
    assert not contacts.more


def test_changes_carry_the_orgs_clock(sandbox, people):
    sandbox.admin.clock(ORG, set="2042-06-01T10:00:00+00:00")
    page = people.changed({CONTACT: Position(datetime(2042, 1, 1, tzinfo=UTC))})[CONTACT]
    assert (page.rows, page.more) == ((), False)
    assert datetime(2042, 6, 1, 9, 59, 58, tzinfo=UTC) <= page.read_at <= datetime(2042, 6, 1, 10, tzinfo=UTC)


# ---- writing


def test_unguarded_writes_go_two_hundred_a_call_types_mixed(sandbox, people, patience, number):
    put(
        sandbox,
        Lead=[lead(number + place) for place in range(150)],
        Contact=[contact(number + place) for place in range(100)],
    )
    refs = [lead_ref(number + place) for place in range(150)] + [contact_ref(number + place) for place in range(100)]
    refs = refs[::2] + refs[1::2]
    batches = list(people.write([write(ref, Title="CTO", Phone=None) for ref in refs], patience()))
    assert [len(batch) for batch in batches] == [200, 50]
    written = by_ref(batches)
    assert set(written) == set(refs)
    assert all((one.error, one.stored, one.unknown) == (None, None, False) for one in written.values())
    assert len(api_calls(sandbox)) == 2
    found = people.read(refs, {LEAD: ["Title"], CONTACT: ["Title"]})
    assert {person.values["Title"] for person in found.values()} == {"CTO"}


def test_guarded_writes_go_twenty_five_a_call(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number + place, LastModifiedDate="2026-01-01T00:00:00Z") for place in range(30)])
    since = datetime(2026, 1, 1, tzinfo=UTC)
    writes = [write(lead_ref(number + place), since, Title="CTO") for place in range(30)]
    batches = list(people.write(writes, patience()))
    assert [len(batch) for batch in batches] == [25, 5]
    assert [one.error for batch in batches for one in batch] == [None] * 30
    assert len(api_calls(sandbox)) == 2


def test_an_edit_between_read_and_guarded_write_survives(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number), lead(number + 1)])
    ref = lead_ref(number)
    seen = people.read([ref], {LEAD: ["Title"]})[ref].modified.at
    sandbox.admin.edit(ORG, "sales", {"Title": "by hand"}, record_id=ref.id, object_name="Lead")
    written = by_ref(
        people.write([write(ref, seen, Title="ours"), write(lead_ref(number + 1), seen, Title="ours")], patience())
    )
    assert type(written[ref].error) is Stale
    assert not written[ref].unknown
    assert written[lead_ref(number + 1)].error is None
    assert people.read([ref], {LEAD: ["Title"]})[ref].values == {"Title": "by hand"}


def test_numbers_arrive_exactly(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number)])
    written = by_ref(people.write([write(lead_ref(number), AnnualRevenue=Decimal(123456789012345))], patience()))
    assert written[lead_ref(number)].error is None
    assert people.read([lead_ref(number)], {LEAD: ["AnnualRevenue"]})[lead_ref(number)].values == {
        "AnnualRevenue": Decimal(123456789012345)
    }


@pytest.mark.parametrize("since", [None, datetime(2030, 1, 1, tzinfo=UTC)])
def test_refusals_are_of_single_people(sandbox, people, patience, number, since):
    put(
        sandbox,
        Lead=[lead(number + place) for place in range(7)],
        Contact=[contact(number)],
    )
    sandbox.admin.edit(ORG, "sales", {}, record_id=ident("00Q", number + 1), object_name="Lead", action="delete")
    sandbox.admin.edit(ORG, "sales", {}, record_id=ident("00Q", number + 2), object_name="Lead", action="convert")
    sandbox.admin.configure(
        salesforce={
            "locked": {ident("00Q", number + 3): 1},
            "validation_rules": [
                {"object": "Lead", "field": "Phone", "pattern": "^[0-9]+$", "message": "Phone must be digits"}
            ],
            "field_security": {"connector": {"Lead": {"Rating": "read"}}},
        }
    )
    writes = [
        write(lead_ref(number), since, Title="ok"),
        write(lead_ref(number + 1), since, Title="deleted"),
        write(lead_ref(number + 2), since, Title="converted"),
        write(lead_ref(number + 3), since, Title="locked"),
        write(lead_ref(number + 4), since, Title="ok", Phone="bad"),
        write(lead_ref(number + 5), since, Title="ok", Rating="Hot"),
        write(lead_ref(number + 6), since, Title="\ud800"),
        write(lead_ref(number + 9), since, Title="nobody"),
        write(contact_ref(number), since, Title="ok"),
    ]
    found = by_ref(people.write(writes, patience()))
    assert found[lead_ref(number)].error is None
    assert found[contact_ref(number)].error is None
    assert type(found[lead_ref(number + 1)].error) is Stale
    assert type(found[lead_ref(number + 2)].error) is Stale
    assert type(found[lead_ref(number + 9)].error) is Stale
    locked = found[lead_ref(number + 3)].error
    assert isinstance(locked, TryLater)
    assert locked.reason == "lock"
    refused = found[lead_ref(number + 4)].error
    assert isinstance(refused, Rejected)
    assert (refused.fields, refused.words) == (("Phone",), "Phone must be digits")
    unwritable = found[lead_ref(number + 5)].error
    assert isinstance(unwritable, Misconfigured)
    assert unwritable.fields == ("Rating",)
    unsendable = found[lead_ref(number + 6)].error
    assert isinstance(unsendable, Rejected)
    assert unsendable.fields == ("Title",)
    assert not any(one.unknown for one in found.values())


def test_a_lock_that_fails_the_whole_batch_is_a_lock_for_each(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number), lead(number + 1)])
    sandbox.admin.configure(salesforce={"locked": {ident("00Q", number): 1}, "lock_fails_batch": True})
    found = by_ref(people.write([write(lead_ref(number + place), Title="x") for place in range(2)], patience()))
    assert [(type(one.error), one.error.reason) for one in found.values()] == [(TryLater, "lock")] * 2


LOST = [
    {"do": "drop_after"},
    {"do": "answer_after", "status": 500, "body": "<html>oops</html>"},
    {"do": "answer_after", "status": 503, "body": [{"errorCode": "SERVER_UNAVAILABLE", "message": "later"}]},
    {"do": "answer_after", "status": 200, "body": "<html>proxy</html>"},
    {"do": "answer_after", "status": 200, "body": []},
    {"do": "answer_after", "status": 200, "body": {"strange": 1}},
    {"do": "answer_after", "status": 200, "body": None},
    {"do": "answer_after", "status": 200, "body": [5]},
]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("since", [None, datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_lost_answer_is_unknown_and_never_sent_again(sandbox, people, patience, number, fault, since):
    put(sandbox, Lead=[lead(number)])
    ref = lead_ref(number)
    people.read([ref], {LEAD: ["Title"]})
    sandbox.admin.clear_calls()
    sandbox.admin.faults({**fault, "org": ORG, "path": "/composite"})
    (written,) = by_ref(people.write([write(ref, since, Title="lost")], patience())).values()
    assert written.unknown
    assert isinstance(written.error, TryLater)
    assert len(api_calls(sandbox)) == 1
    sandbox.admin.clear_faults()
    assert people.read([ref], {LEAD: ["Title"]})[ref].values == {"Title": "lost"}


def test_a_call_refused_as_a_whole_for_one_field_is_sent_again_without_its_bearers(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number + place) for place in range(4)])
    refusal = [{"errorCode": "INVALID_FIELD", "message": "No such column 'Foo__c' on sobject of type Lead"}]
    sandbox.admin.faults(
        {"do": "answer", "org": ORG, "path": "composite/sobjects", "status": 400, "body": refusal, "count": 1}
    )
    writes = [write(lead_ref(number + place), Title="x") for place in range(3)]
    writes.append(write(lead_ref(number + 3), Title="x", Foo__c="y"))
    found = by_ref(people.write(writes, patience()))
    assert [found[lead_ref(number + place)].error for place in range(3)] == [None] * 3
    blamed = found[lead_ref(number + 3)].error
    assert isinstance(blamed, Misconfigured)
    assert blamed.fields == ("Foo__c",)


def test_a_call_refused_as_a_whole_without_a_reason_is_halved(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number + place) for place in range(4)])
    refusal = [{"errorCode": "JSON_PARSER_ERROR", "message": "unexpected"}]
    sandbox.admin.faults(
        {"do": "answer", "org": ORG, "path": "composite/sobjects", "status": 400, "body": refusal, "count": 2}
    )
    found = by_ref(people.write([write(lead_ref(number + place), Title="x") for place in range(4)], patience()))
    assert len(found) == 4
    assert sum(one.error is None for one in found.values()) >= 2


def test_a_lost_lease_ends_writing_between_two_calls(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number + place) for place in range(60)])
    since = datetime(2030, 1, 1, tzinfo=UTC)
    batches = people.write(
        [write(lead_ref(number + place), since, Title="x") for place in range(60)], patience(calls=2)
    )
    written = []
    with pytest.raises(LeaseLost):
        written.extend(one for batch in batches for one in batch)
    assert len(written) == 50
    assert len(api_calls(sandbox)) == 2


def test_each_calls_time_out_is_what_the_deadline_allows(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number)])
    deadline = patience()
    list(people.write([write(lead_ref(number), Title="x")], deadline))
    assert deadline.asked == [30.0]


def test_a_silent_server_is_given_up(sandbox, salesforce, number):
    gateway = salesforce(timeout=0.2)
    gateway.token()
    sandbox.admin.faults({"do": "stall", "org": ORG, "path": "/services/data"})
    with pytest.raises(TryLater):
        SalesforcePeople(gateway).read([lead_ref(number)], {LEAD: ["Title"]})
    assert len(api_calls(sandbox)) <= 3


def test_text_that_looks_like_a_composite_reference_arrives_as_it_is(sandbox, people, patience, number):
    put(sandbox, Lead=[lead(number), lead(number + 1)])
    since = datetime(2030, 1, 1, tzinfo=UTC)
    writes = [write(lead_ref(number), since, Title="@{r0.id}"), write(lead_ref(number + 1), since, Title="plain")]
    found = by_ref(people.write(writes, patience()))
    assert [one.error for one in found.values()] == [None, None]
    read = people.read([lead_ref(number)], {LEAD: ["Title"]})
    assert read[lead_ref(number)].values == {"Title": "@{r0.id}"}


@pytest.mark.parametrize("since", [None, datetime(2030, 1, 1, tzinfo=UTC)])
def test_no_assignment_rule_runs(sandbox, people, patience, number, since):
    owner = id18(SALES)
    put(sandbox, Lead=[lead(number, OwnerId=owner), lead(number + 1, OwnerId=owner)])
    sandbox.admin.configure(salesforce={"assignment_rule_owner": sandbox.contract_user("marketing")})
    writes = [write(lead_ref(number), since, Title="x"), write(lead_ref(number + 1), since, Title="@{x}")]
    assert [one.error for one in by_ref(people.write(writes, patience())).values()] == [None, None]
    found = people.read([lead_ref(number), lead_ref(number + 1)], {LEAD: ["OwnerId"]})
    assert {person.values["OwnerId"] for person in found.values()} == {owner}


# ---- tokens, and the traps of the library


class Given(MemoryTokens):
    """Tokens of which the first is already in the cache."""

    def __init__(self, first):
        super().__init__()
        self.get("salesforce", None, lambda: first)


def expired(url):
    return Token("00D5g000000Sbox!expired", url)


def test_login_by_jwt(sandbox, salesforce, jwt_key, number):
    put(sandbox, Lead=[lead(number)])
    now = datetime.fromisoformat(sandbox.admin.clock()["salesforce"])
    gateway = salesforce(client_secret="", private_key=jwt_key, username=sandbox.contract["username"])
    gateway._clock.advance((now - gateway.now()).total_seconds())
    assert SalesforcePeople(gateway).read([lead_ref(number)], {LEAD: ["LastName"]})


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"private_key": "no key", "username": "connector@sandbox.example"}, "private_key"),
        ({"login_url": "not an address"}, "login_url"),
        ({"ca_file": None}, "login_url"),
    ],
)
def test_a_refused_login_is_misconfigured(salesforce, settings, code):
    with pytest.raises(Misconfigured) as caught:
        salesforce(**settings).token()
    assert caught.value.code == code


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "drop"},
        {"do": "answer", "status": 503, "body": "<html>"},
        {"do": "answer", "status": 200, "body": "<html>"},
        {"do": "answer", "status": 200, "body": {}},
        {"do": "answer", "status": 400, "body": {"error": "unknown_error", "error_description": "retry your request"}},
        {"do": "answer", "status": 400, "body": {"error": "invalid_grant", "error_description": "login rate exceeded"}},
    ],
)
def test_a_login_that_is_down_comes_later(sandbox, salesforce, fault):
    sandbox.admin.faults({**fault, "org": ORG, "path": "/services/oauth2/token"})
    with pytest.raises(TryLater):
        salesforce().token()


def test_a_refused_token_is_renewed_once_and_no_header_is_lost(sandbox, salesforce, patience, number):
    """The library's own refresh would send the second PATCH without If-Unmodified-Since and overwrite the edit."""
    put(sandbox, Lead=[lead(number, Title="@", LastModifiedDate="2026-01-01T00:00:00Z")])
    ref = lead_ref(number)
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    sandbox.admin.edit(ORG, "sales", {"Title": "by hand"}, record_id=ref.id, object_name="Lead")
    people = SalesforcePeople(salesforce(Given(expired(sandbox.contract["salesforce_url"]))))
    (written,) = by_ref(people.write([write(ref, seen, Title="@{ours}")], patience())).values()
    assert type(written.error) is Stale
    assert [(call["method"], call["status"]) for call in api_calls(sandbox)] == [("PATCH", 401), ("PATCH", 412)]
    assert len(logins(sandbox)) == 1
    assert people.read([ref], {LEAD: ["Title"]})[ref].values == {"Title": "by hand"}


@pytest.mark.parametrize(
    "body",
    [
        [{"errorCode": "INVALID_SESSION_ID", "message": "This session is not valid for use with the REST API"}],
        {"message": "no list"},
        "<html>unauthorized</html>",
        [],
        None,
        [{}],
    ],
)
def test_a_permanent_refusal_of_tokens_ends_after_one_login(sandbox, salesforce, patience, number, body):
    """The library's own refresh would recurse until the stack ends, or stumble over a body that is no list."""
    sandbox.admin.faults({"do": "answer", "org": ORG, "path": "/services/data", "status": 401, "body": body})
    people = SalesforcePeople(salesforce(Given(expired(sandbox.contract["salesforce_url"]))))
    with pytest.raises(Misconfigured, match="fresh token"):
        people.read([lead_ref(number)], {LEAD: ["Title"]})
    assert len(api_calls(sandbox)) == 2
    assert len(logins(sandbox)) == 1
    (written,) = by_ref(people.write([write(lead_ref(number), Title="x")], patience())).values()
    assert isinstance(written.error, Misconfigured)
    assert not written.unknown
    assert len(logins(sandbox)) == 2


def test_a_moved_instance_is_followed_everywhere(sandbox, salesforce, number):
    """The library would keep its first address for queries. Here the old instance is a server that refuses in its own way."""
    put(sandbox, Lead=[lead(number)])
    old = sandbox.contract["account_engagement_url"]
    people = SalesforcePeople(salesforce(Given(expired(old))))
    for _ in range(3):
        assert people.read([lead_ref(number)], {LEAD: ["Title"]})
    assert len(sandbox.calls("account_engagement")) == 1
    assert len(api_calls(sandbox)) == 3


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_answered_by_a_new_login(sandbox, salesforce, number, status):
    put(sandbox, Lead=[lead(number)])
    elsewhere = {"location": "https://127.0.0.1:9/services/data"}
    sandbox.admin.faults(
        {"do": "answer", "org": ORG, "path": "/services/data", "status": status, "headers": elsewhere, "count": 1}
    )
    people = SalesforcePeople(salesforce(Given(sandbox.token("connector"))))
    assert people.read([lead_ref(number)], {LEAD: ["Title"]})
    assert len(logins(sandbox)) == 1


def test_eight_threads_that_meet_one_expired_token_log_in_once(sandbox, salesforce, number):
    """The library would log in eight times."""
    put(sandbox, Lead=[lead(number)])
    people = SalesforcePeople(salesforce(Given(expired(sandbox.contract["salesforce_url"]))))
    together, found = threading.Barrier(8), []

    def read():
        together.wait(10)
        found.append(people.read([lead_ref(number)], {LEAD: ["Title"]}))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [len(one) for one in found] == [1] * 8
    assert len(logins(sandbox)) == 1


def test_what_another_worker_fetched_long_ago_gets_its_chance_and_a_login_follows(sandbox, salesforce, number):
    put(sandbox, Lead=[lead(number)])
    tokens = Given(expired(sandbox.contract["salesforce_url"]))
    gateway = salesforce(tokens)
    gateway._use(expired(sandbox.contract["salesforce_url"]))
    tokens.forget("salesforce")
    tokens.get("salesforce", None, lambda: Token("00D5g000000Sbox!also expired", sandbox.contract["salesforce_url"]))
    assert SalesforcePeople(gateway).read([lead_ref(number)], {LEAD: ["Title"]})
    assert [call["status"] for call in api_calls(sandbox)] == [401, 401, 200]
    assert len(logins(sandbox)) == 1


def test_the_token_serves_account_engagement_too(sandbox, salesforce, engagement):
    gateway = salesforce()
    client = engagement()
    client._token_source = gateway.token
    client._token = None
    assert AccountEngagementProspects(client).read([999_999_999], ["email"]) == {}
    assert len(logins(sandbox)) == 1


def test_a_forked_worker_makes_its_own_connections(sandbox, people, number):
    put(sandbox, Lead=[lead(number)])
    read = lambda: len(people.read([lead_ref(number)], {LEAD: ["Title"]}))  # noqa: E731 - the same work, twice
    assert read() == 1
    before = people._gateway._transport
    child = os.fork()
    if child == 0:
        good = read() == 1 and people._gateway._transport is not before
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert read() == 1
    assert people._gateway._transport is before
    assert len(logins(sandbox)) == 1


# ---- limits and trouble


def test_usage_is_told_to_the_budget(sandbox, people, number, budget):
    sandbox.admin.configure(salesforce={"daily_limit": 15_000, "api_used": 99})
    people.read([lead_ref(number)], {LEAD: ["Title"]})
    assert budget.spent(Side.SALESFORCE) == (100, 15_000)


def test_a_budget_that_fails_after_the_call_does_not_make_a_committed_write_look_unsent(
    sandbox, people, number, patience, budget, monkeypatch
):
    put(sandbox, Lead=[lead(number)])

    def away(*_: object) -> None:
        raise TryLater("Redis does not answer", delay=5)

    monkeypatch.setattr(budget, "usage", away)
    written = [
        one for some in people.write([Write("i", lead_ref(number), {"Title": "CTO"})], patience()) for one in some
    ]
    assert [one.error for one in written] == [None]
    assert people.read([lead_ref(number)], {LEAD: ["Title"]})[lead_ref(number)].values == {"Title": "CTO"}


def test_the_days_limit_parks_for_minutes(sandbox, people, number):
    sandbox.admin.configure(salesforce={"daily_limit": 100, "api_used": 100})
    with pytest.raises(TryLater) as caught:
        people.read([lead_ref(number)], {LEAD: ["Title"]})
    assert (caught.value.reason, caught.value.delay) == ("limit", 900)
    assert len(api_calls(sandbox)) == 1


def test_reads_are_repeated_for_a_moments_trouble(sandbox, people, number, clock):
    put(sandbox, Lead=[lead(number)])
    busy = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentPerOrgLongTxn Limit exceeded."}]
    sandbox.admin.faults(
        {"do": "drop", "org": ORG, "path": "/services/data", "count": 1},
        {"do": "answer", "org": ORG, "path": "/services/data", "status": 403, "body": busy, "count": 1},
    )
    before = clock.now()
    assert people.read([lead_ref(number)], {LEAD: ["Title"]})
    assert timedelta(seconds=0.5) <= clock.now() - before < timedelta(seconds=5)


@pytest.mark.parametrize(
    "body",
    [
        {"compositeResponse": 5},
        {"compositeResponse": []},
        {"compositeResponse": [5]},
        {"compositeResponse": [{"httpStatusCode": 200, "body": None}]},
        {"compositeResponse": [{"httpStatusCode": 200, "body": {"records": [5]}}]},
        {"compositeResponse": [{"httpStatusCode": 200, "body": {"records": [{"Id": None}]}}]},
        {"compositeResponse": [{"httpStatusCode": 200, "body": {"records": [{"Id": "00Q", "CreatedDate": 5}]}}]},
        {"compositeResponse": [{"httpStatusCode": "x"}]},
        [5],
        5,
        "<html>",
    ],
)
def test_strange_answers_come_later_and_never_as_a_traceback(sandbox, people, history, number, body):
    people.read([], {})
    sandbox.admin.faults({"do": "answer", "org": ORG, "path": "/services/data", "status": 200, "body": body})
    with pytest.raises(TryLater):
        people.read([lead_ref(number)], {LEAD: ["Title"]})
    with pytest.raises(TryLater):
        people.changed({LEAD: Position(datetime(2026, 1, 1, tzinfo=UTC))})


def test_a_foreign_certificate_is_misconfigured(sandbox, salesforce, number):
    people = SalesforcePeople(salesforce(Given(sandbox.token("connector")), ca_file=None))
    with pytest.raises(Misconfigured, match="certificate"):
        people.read([lead_ref(number)], {LEAD: ["Title"]})


def test_an_address_nobody_listens_on_is_not_a_lost_answer(salesforce, patience, number):
    people = SalesforcePeople(salesforce(Given(Token("x", "https://127.0.0.1:9"))))
    (written,) = by_ref(people.write([write(lead_ref(number), Title="x")], patience())).values()
    assert isinstance(written.error, TryLater)
    assert not written.unknown


# ---- history


def row(kind, number, field, at, by=SALES):
    return {
        f"{kind}Id": ident("00Q" if kind == "Lead" else "003", number),
        "Field": field,
        "CreatedDate": at,
        "CreatedById": by,
    }


def instant(text):
    return datetime.fromisoformat(text)


def test_history_of_leads_and_contacts_in_one_call(sandbox, history, number):
    put(
        sandbox,
        Lead=[lead(number), lead(number + 1)],
        Contact=[contact(number)],
        history={
            "Lead": [
                row("Lead", number, "Title", "2026-01-01T00:00:00Z"),
                row("Lead", number, "Title", "2026-01-03T00:00:00Z"),
                row("Lead", number, "Phone", "2026-01-02T00:00:00Z"),
            ],
            "Contact": [row("Contact", number, "Phone", "2026-01-04T00:00:00Z")],
        },
    )
    wanted = {lead_ref(number): ["Title"], lead_ref(number + 1): ["Title"], contact_ref(number): ["Title", "Phone"]}
    assert history.read(wanted, {"Title": "Title"}) == {
        lead_ref(number): PersonHistory(
            rows=(
                ("Title", instant("2026-01-03T00:00:00Z"), id18(SALES)),
                ("Title", instant("2026-01-01T00:00:00Z"), id18(SALES)),
            )
        ),
        lead_ref(number + 1): PersonHistory(rows=()),
        contact_ref(number): PersonHistory(rows=(("Phone", instant("2026-01-04T00:00:00Z"), id18(SALES)),)),
    }
    assert len(api_calls(sandbox)) == 1


def test_a_converted_leads_history_counts_for_the_contact_under_its_names(sandbox, history, number):
    put(
        sandbox,
        Lead=[lead(number, CreatedById=SALES)],
        history={"Lead": [row("Lead", number, "City", "2026-01-01T00:00:00Z")]},
    )
    new = sandbox.admin.edit(ORG, "sales", {}, record_id=ident("00Q", number), object_name="Lead", action="convert")
    ref = Ref.person(CONTACT, new)
    found = history.read({ref: ["MailingCity", "Title"]}, {"MailingCity": "City", "Title": "Title"})[ref]
    assert found.rows == (("MailingCity", instant("2026-01-01T00:00:00Z"), id18(SALES)),)
    assert found.converted_from == Stamp(instant(BORN), id18(SALES))


def test_a_row_of_a_compound_field_counts_for_its_parts(sandbox, history, number):
    put(
        sandbox,
        Contact=[contact(number)],
        history={"Contact": [row("Contact", number, "Name", "2026-01-01T00:00:00Z")]},
    )
    found = history.read({contact_ref(number): ["FirstName", "Title"]}, {})[contact_ref(number)]
    assert found.rows == (("FirstName", instant("2026-01-01T00:00:00Z"), id18(SALES)),)


def test_without_tracking_of_an_object_its_history_is_unknown(sandbox, history, number):
    put(sandbox, Lead=[lead(number)], Contact=[contact(number)])
    sandbox.admin.configure(salesforce={"history_tracking": {"Lead": False, "Contact": ["Title"]}})
    wanted = {lead_ref(number): ["Title"], contact_ref(number): ["Title"]}
    found = history.read(wanted, {"Title": "Title"})
    assert found == {lead_ref(number): PersonHistory(rows=None), contact_ref(number): PersonHistory(rows=())}
    assert history.tracked() == {LEAD: None, CONTACT: frozenset({"Title"})}


def test_a_converted_contact_whose_lead_history_is_closed_is_unknown(sandbox, history, number):
    put(sandbox, Lead=[lead(number)])
    new = sandbox.admin.edit(ORG, "sales", {}, record_id=ident("00Q", number), object_name="Lead", action="convert")
    sandbox.admin.configure(salesforce={"history_tracking": {"Lead": False}})
    ref = Ref.person(CONTACT, new)
    found = history.read({ref: ["Title"]}, {"Title": "Title"})[ref]
    assert found.rows is None
    assert found.converted_from is not None


def test_tracked_fields_cost_one_call(sandbox, history):
    sandbox.admin.configure(salesforce={"history_tracking": {"Lead": ["Title", "Email"], "Contact": []}})
    sandbox.admin.clear_calls()
    assert history.tracked() == {LEAD: {"Title", "Email"}, CONTACT: frozenset()}
    assert len(api_calls(sandbox)) == 1


def test_tracking_of_a_compound_field_is_tracking_of_its_parts(sandbox, history):
    on = {"httpStatusCode": 200, "body": {"records": [{"QualifiedApiName": "Name", "IsFieldHistoryTracked": True}]}}
    nothing = {"httpStatusCode": 200, "body": {"records": []}}
    body = {"compositeResponse": [on, nothing, nothing, nothing]}
    sandbox.admin.faults({"do": "answer", "org": ORG, "path": "/composite", "status": 200, "body": body})
    tracked = {"Name", "FirstName", "LastName", "MiddleName", "Salutation", "Suffix"}
    assert history.tracked() == {LEAD: tracked, CONTACT: frozenset()}


def test_more_rows_than_a_page(sandbox, history, number):
    at = [(instant("2026-01-01T00:00:00Z") + timedelta(seconds=place)).isoformat() for place in range(2_500)]
    put(sandbox, Lead=[lead(number)], history={"Lead": [row("Lead", number, "Title", one) for one in at]})
    rows = history.read({lead_ref(number): ["Title"]}, {})[lead_ref(number)].rows
    assert len(rows) == 2_500
    assert rows[0][1] == instant("2026-01-01T00:41:39Z")
    assert len(api_calls(sandbox)) == 2
