"""People found by address and created over the wire, against the sandbox; duplicates, refusals and lost answers included."""

from datetime import UTC, datetime

import pytest

from prospect_sync.errors import LeaseLost, Misconfigured, Rejected, Stale, TryLater
from prospect_sync.model import PersonType, RecordKind, Ref, id18
from prospect_sync.ports import Creation
from prospect_sync.salesforce.people import SalesforcePeople

ORG = "salesforce"
LEAD, CONTACT = PersonType.LEAD, PersonType.CONTACT
NAMES = {LEAD: ["LastName"], CONTACT: ["LastName"]}
KEY = "AE_Key__c"


def ident(prefix, number):
    return id18(f"{prefix}{number:012d}")


def lead(number, **values):
    return {"Id": ident("00Q", number), "LastName": "Adler", "Company": "Alder Works", **values}


def contact(number, **values):
    return {"Id": ident("003", number), "LastName": "Brown", **values}


def lead_ref(number):
    return Ref.person(LEAD, ident("00Q", number))


def contact_ref(number):
    return Ref.person(CONTACT, ident("003", number))


def put(sandbox, custom_fields=None, **records):
    sandbox.admin.load(salesforce={"records": records, "custom_fields": custom_fields or {}})


def hand(sandbox, action, ref, **changes):
    return sandbox.admin.edit(ORG, "sales", changes, record_id=ref.id, object_name=ref.kind.value, action=action)


def held(sandbox, kind="Lead", **wanted):
    """The living records with these values."""
    rows = sandbox.admin.dump(kind)[ORG]["records"].get(kind, [])
    return [row for row in rows if not row["IsDeleted"] and all(row[name] == one for name, one in wanted.items())]


def new(intent, kind=RecordKind.LEAD, external=None, **values):
    return Creation(intent, kind, {"LastName": "Adler", **values}, external)


def by_intent(batches):
    return {one.creation.intent_id: one for batch in batches for one in batch}


def api_calls(sandbox):
    return [call for call in sandbox.calls(ORG) if "/services/data/" in call["path"]]


@pytest.fixture(autouse=True)
def _settings(sandbox):
    yield
    sandbox.admin.configure(
        salesforce={
            "duplicate_rules": [],
            "validation_rules": [],
            "field_security": {},
            "assignment_rule_owner": None,
            "locked": {},
            "hidden": {},
        }
    )


@pytest.fixture
def people(salesforce):
    gateway = salesforce()
    gateway.token()
    return SalesforcePeople(gateway)


@pytest.fixture
def key(sandbox):
    put(sandbox, custom_fields={"Lead": [{"name": KEY, "type": "string", "externalId": True}]})
    return KEY


# ---- by address


def test_people_are_found_whatever_the_case(sandbox, people, number):
    put(
        sandbox,
        Lead=[lead(number, Email=f"Anna.{number}@A.Example")],
        Contact=[contact(number, Email=f"BO.{number}@b.example")],
    )
    found = people.by_address(
        [f"anna.{number}@a.example", f"Bo.{number}@B.EXAMPLE", f"c{number}@c.example"], {LEAD: ["Email"], CONTACT: []}
    )
    assert {address: [one.ref for one in persons] for address, persons in found.items()} == {
        f"anna.{number}@a.example": [lead_ref(number)],
        f"bo.{number}@b.example": [contact_ref(number)],
    }
    assert found[f"anna.{number}@a.example"][0].values == {"Email": f"Anna.{number}@A.Example"}
    assert found[f"bo.{number}@b.example"][0].values == {}
    assert len(api_calls(sandbox)) == 1


def test_contacts_come_first_then_the_last_modified_then_the_lowest_id(sandbox, people, number):
    email, early, late = f"many{number}@a.example", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    put(
        sandbox,
        Lead=[
            lead(number, Email=email, LastModifiedDate=early),
            lead(number + 1, Email=email.upper(), LastModifiedDate=late),
            lead(number + 2, Email=email, LastModifiedDate=late),
        ],
        Contact=[contact(number, Email=email, LastModifiedDate=early)],
    )
    found = people.by_address([email], NAMES)[email]
    assert [one.ref for one in found] == [
        contact_ref(number), lead_ref(number + 1), lead_ref(number + 2), lead_ref(number)
    ]  # fmt: skip


def test_converted_leads_and_deleted_records_are_never_found(sandbox, people, number):
    email = f"gone{number}@a.example"
    put(sandbox, Lead=[lead(number + place, Email=email) for place in range(3)], Contact=[contact(number, Email=email)])
    became = hand(sandbox, "convert", lead_ref(number))
    hand(sandbox, "delete", lead_ref(number + 1))
    hand(sandbox, "delete", contact_ref(number))
    found = people.by_address([email], NAMES)[email]
    assert [one.ref for one in found] == [Ref.person(CONTACT, became), lead_ref(number + 2)]


STRANGE = ["o'neil{}@a.example", 'x"y{}@a.example', "per%cent_{}@a.example", "plus+{}@a.example", "jörg{}@a.example"]


def test_strange_addresses_are_only_text(sandbox, people, number):
    addresses = [one.format(number) for one in STRANGE]
    put(sandbox, Lead=[lead(number + place, Email=one.upper()) for place, one in enumerate(addresses)])
    unaskable = ["", "a\n@b.example", "\ud800@b.example", "x' OR Email != '", "back\\slash@b.example", "no address"]
    found = people.by_address([*addresses, *unaskable], NAMES)
    assert {address: [one.ref for one in persons] for address, persons in found.items()} == {
        address: [lead_ref(number + place)] for place, address in enumerate(addresses)
    }


def test_nothing_to_ask_costs_no_call(sandbox, people):
    assert people.by_address(["", "\x00"], NAMES) == {}
    assert api_calls(sandbox) == []


def test_more_rows_than_a_page_and_more_addresses_than_a_query(sandbox, people, number):
    shared, single = f"shared{number}@a.example", [f"p{place}.{number}@a.example" for place in range(500)]
    put(
        sandbox,
        Lead=[lead(number + place, Email=shared) for place in range(2_100)],
        Contact=[contact(number + place, Email=one) for place, one in enumerate(single)],
    )
    found = people.by_address([shared], NAMES)
    assert {one.ref for one in found[shared]} == {lead_ref(number + place) for place in range(2_100)}
    assert len(api_calls(sandbox)) == 2
    sandbox.admin.clear_calls()
    found = people.by_address(single, NAMES)
    assert {address: persons[0].ref for address, persons in found.items()} == {
        one: contact_ref(number + place) for place, one in enumerate(single)
    }
    assert len(api_calls(sandbox)) == 2
    sandbox.admin.clear_calls()
    people.by_address(single[:200], NAMES)
    assert len(api_calls(sandbox)) == 1


def test_a_field_that_is_unreadable_does_not_hinder_and_an_unreadable_address_is_no_absence(sandbox, people, number):
    put(sandbox, Lead=[lead(number, Email=f"a{number}@a.example")])
    sandbox.admin.configure(salesforce={"field_security": {"connector": {"Lead": {"Rating": "none"}}}})
    fields = {LEAD: ["LastName", "Rating"], CONTACT: []}
    (one,) = people.by_address([f"a{number}@a.example"], fields)[f"a{number}@a.example"]
    assert one.values == {"LastName": "Adler"}
    sandbox.admin.configure(salesforce={"field_security": {"connector": {"Contact": {"Email": "none"}}}})
    with pytest.raises(Misconfigured) as caught:
        people.by_address([f"a{number}@a.example"], NAMES)
    assert caught.value.fields == ("Email",)


# ---- creating


def test_people_without_a_key_are_created_two_hundred_a_call(sandbox, people, patience, number):
    wanted = [
        new(f"i{place}", RecordKind.CONTACT if place % 2 else RecordKind.LEAD, Email=f"n{place}.{number}@a.example",
            **({} if place % 2 else {"Company": "Alder Works"}))
        for place in range(230)
    ]  # fmt: skip
    batches = list(people.create(wanted, patience()))
    assert [len(batch) for batch in batches] == [200, 30]
    created = by_intent(batches)
    assert all((one.error, one.unknown, len(one.id)) == (None, False, 18) for one in created.values())
    assert len(api_calls(sandbox)) == 2
    found = people.by_address([one.values["Email"] for one in wanted], NAMES)
    assert {one.values["Email"]: created[one.intent_id].id for one in wanted} == {
        address: persons[0].id for address, persons in found.items()
    }


def test_refusals_are_of_single_creations_and_name_fields(sandbox, people, patience, number):
    sandbox.admin.configure(
        salesforce={
            "validation_rules": [{"object": "Lead", "field": "Phone", "pattern": "^[0-9]+$", "message": "digits only"}],
            "field_security": {"connector": {"Lead": {"Rating": "read"}}},
        }
    )
    company = {"Company": "Alder Works"}
    created = by_intent(
        people.create(
            [
                new("good", Email=f"good{number}@a.example", **company),
                new("bare", Email=f"bare{number}@a.example"),
                new("phone", Phone="bad", **company),
                new("email", Email="nonsense", **company),
                new("rating", Rating="Hot", **company),
                new("stranger", Foo__c="x", **company),
                new("surrogate", Title="\ud800", **company),
                Creation("nameless", RecordKind.CONTACT, {"Email": f"x{number}@a.example"}),
            ],
            patience(),
        )
    )
    assert created["good"].error is None
    assert {name: (type(one.error), one.error.fields) for name, one in created.items() if name != "good"} == {
        "bare": (Rejected, ("Company",)),
        "phone": (Rejected, ("Phone",)),
        "email": (Rejected, ("Email",)),
        "rating": (Misconfigured, ("Rating",)),
        "stranger": (Misconfigured, ("Foo__c",)),
        "surrogate": (Rejected, ("Title",)),
        "nameless": (Rejected, ("LastName",)),
    }
    assert created["bare"].error.code == "REQUIRED_FIELD_MISSING"
    assert not any(one.unknown for one in created.values())
    assert [one.id for name, one in created.items() if name != "good"] == [None] * 7


@pytest.mark.parametrize("keyed", [False, True])
def test_a_duplicate_that_a_rule_blocks_is_rejected(sandbox, people, patience, number, key, keyed):
    email = f"twice{number}@a.example"
    put(sandbox, Lead=[lead(number, Email=email)])
    sandbox.admin.configure(
        salesforce={"duplicate_rules": [{"object": "Lead", "action": "block", "message": "again?"}]}
    )
    external = (key, f"k{number}") if keyed else None
    (created,) = by_intent(people.create([new("i", Email=email, Company="x", external=external)], patience())).values()
    assert isinstance(created.error, Rejected)
    assert (created.error.code, created.error.words, created.id) == ("DUPLICATES_DETECTED", "again?", None)
    assert not created.unknown
    assert len(held(sandbox, Email=email)) == 1


@pytest.mark.parametrize("keyed", [False, True])
def test_no_assignment_rule_runs_and_an_alert_does_not_hinder(sandbox, people, patience, number, key, keyed):
    email = f"alert{number}@a.example"
    put(sandbox, Lead=[lead(number, Email=email)])
    sandbox.admin.configure(
        salesforce={
            "duplicate_rules": [{"object": "Lead", "action": "alert"}],
            "assignment_rule_owner": sandbox.contract_user("marketing"),
        }
    )
    owner = sandbox.contract_user("sales")
    external = (key, f"a{number}") if keyed else None
    wanted = new("i", Email=email, Company="x", OwnerId=owner, external=external)
    (created,) = by_intent(people.create([wanted], patience())).values()
    assert created.error is None
    (row,) = [row for row in held(sandbox, Email=email) if row["Id"] == created.id]
    assert row["OwnerId"] == owner


def test_a_key_makes_creating_twice_harmless(sandbox, people, patience, number, key):
    wanted = [new(f"i{place}", external=(key, f"{number}-{place}"), Company="x") for place in range(30)]
    batches = list(people.create(wanted, patience()))
    assert [len(batch) for batch in batches] == [25, 5]
    first = by_intent(batches)
    assert all(one.error is None for one in first.values())
    assert len({one.id for one in first.values()}) == 30
    again = by_intent(people.create(wanted, patience()))
    assert {name: one.id for name, one in again.items()} == {name: one.id for name, one in first.items()}
    assert len(api_calls(sandbox)) == 4
    assert len(held(sandbox, **{key: f"{number}-7"})) == 1


KEYS = ["plain", "sl/ash", "per cent%41", "@{r0.id}", "Ext:1", "ünï", "que?ry&x=1", "do.t", "#hash", "15'"]


def test_keys_of_any_shape_arrive_as_they_are(sandbox, people, patience, number, key):
    wanted = [new(f"i{place}", external=(key, f"{number}{one}"), Company="x") for place, one in enumerate(KEYS)]
    wanted.append(new("reference", external=(key, f"{number}/@{{x}}"), Company="@{r0.id}", Title="@{"))
    wanted.append(new("repeated", external=(key, f"{number}r"), Company="x", **{key.lower(): "other"}))
    created = by_intent(people.create(wanted, patience()))
    assert {name: one.error for name, one in created.items()} == dict.fromkeys(created)
    rows = {row["Id"]: row for row in held(sandbox)}
    assert {name: rows[one.id][key] for name, one in created.items()} == {
        one.intent_id: one.external[1] for one in wanted
    }
    assert rows[created["reference"].id]["Company"] == "@{r0.id}"


def test_keys_that_cannot_be_sent_are_rejected_alone(sandbox, people, patience, number, key):
    bad = {"empty": (key, ""), "dots": (key, ".."), "name": ("a/b", "x"), "surrogate": (key, "\ud800")}
    wanted = [new(name, external=external, Company="x") for name, external in bad.items()]
    created = by_intent(people.create([*wanted, new("good", external=(key, f"g{number}"), Company="x")], patience()))
    assert created.pop("good").error is None
    assert {name: (type(one.error), one.error.fields) for name, one in created.items()} == {
        name: (Rejected, (external[0],)) for name, external in bad.items()
    }


def test_an_ambiguous_key_and_a_key_that_is_none(sandbox, people, patience, number, key):
    put(sandbox, Lead=[lead(number, **{key: f"two{number}"}), lead(number + 1, **{key: f"two{number}"})])
    put(sandbox, Lead=[lead(number + 2, **{key: f"old{number}"})])
    hand(sandbox, "convert", lead_ref(number + 2))
    wanted = [
        new("two", external=(key, f"two{number}"), Company="x"),
        new("two, singly", external=(key, f"two{number}"), Company="@{x}"),
        new("none", external=("Title", "x"), Company="x"),
        new("converted", external=(key, f"old{number}"), Company="x"),
    ]
    created = by_intent(people.create(wanted, patience()))
    for name in ("two", "two, singly"):
        error = created[name].error
        assert (type(error), error.code, error.fields) == (Rejected, "DUPLICATE_EXTERNAL_ID", (key,))
    assert (type(created["none"].error), created["none"].error.fields) == (Misconfigured, ("Title",))
    assert type(created["converted"].error) is Stale
    assert not any(one.unknown for one in created.values())


def test_a_locked_record_is_a_lock(sandbox, people, patience, number, key):
    put(sandbox, Lead=[lead(number, **{key: f"l{number}"})])
    sandbox.admin.configure(salesforce={"locked": {ident("00Q", number): 1}})
    (created,) = by_intent(people.create([new("i", external=(key, f"l{number}"), Company="x")], patience())).values()
    assert isinstance(created.error, TryLater)
    assert (created.error.reason, created.unknown) == ("lock", False)


LOST = [
    {"do": "drop_after"},
    {"do": "answer_after", "status": 500, "body": "<html>oops</html>"},
    {"do": "answer_after", "status": 503, "body": [{"errorCode": "SERVER_UNAVAILABLE", "message": "later"}]},
    {"do": "answer_after", "status": 200, "body": "<html>proxy</html>"},
    {"do": "answer_after", "status": 200, "body": []},
    {"do": "answer_after", "status": 200, "body": {"strange": 1}},
    {"do": "answer_after", "status": 200, "body": None},
    {"do": "answer_after", "status": 200, "body": [{"success": True}]},
]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("keyed", [False, True])
def test_a_lost_answer_is_unknown_and_never_sent_again(sandbox, people, patience, number, key, fault, keyed):
    email = f"lost{number}@a.example"
    sandbox.admin.faults({**fault, "org": ORG, "path": "/composite"})
    external = (key, f"lost{number}") if keyed else None
    (created,) = by_intent(people.create([new("i", Email=email, Company="x", external=external)], patience())).values()
    assert (created.unknown, created.id) == (True, None)
    assert isinstance(created.error, TryLater)
    assert len(api_calls(sandbox)) == 1
    sandbox.admin.clear_faults()
    assert len(people.by_address([email], NAMES)[email]) == 1


def test_a_call_that_a_limit_refused_is_known(salesforce, sandbox, patience, number):
    gateway = salesforce()
    gateway.token()
    sandbox.admin.faults({"do": "answer", "org": ORG, "path": "/composite", "status": 403, "count": 1,
                          "body": [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]})  # fmt: skip
    (created,) = by_intent(SalesforcePeople(gateway).create([new("i", Company="x")], patience())).values()
    assert isinstance(created.error, TryLater)
    assert (created.error.reason, created.unknown) == ("limit", False)


@pytest.mark.parametrize("keyed", [False, True])
def test_a_call_refused_as_a_whole_for_one_field_is_sent_again_without_its_bearers(
    sandbox, people, patience, number, key, keyed
):
    refusal = [{"errorCode": "INVALID_FIELD", "message": "No such column 'Foo__c' on sobject of type Lead"}]
    sandbox.admin.faults({"do": "answer", "org": ORG, "path": "/composite", "status": 400, "body": refusal, "count": 1})
    wanted = [
        new(f"i{place}", external=(key, f"w{number}{place}") if keyed else None, Company="x") for place in range(3)
    ]
    blamed = new("blamed", external=(key, f"w{number}") if keyed else None, Company="x", Foo__c="y")
    created = by_intent(people.create([*wanted, blamed], patience()))
    assert [created[one.intent_id].error for one in wanted] == [None] * 3
    assert isinstance(created["blamed"].error, Misconfigured)
    assert created["blamed"].error.fields == ("Foo__c",)


def test_a_lost_lease_ends_creating_between_two_calls(sandbox, people, patience, number, key):
    wanted = [new(f"i{place}", external=(key, f"lease{number}-{place}"), Company="x") for place in range(60)]
    batches, created = people.create(wanted, patience(calls=2)), []
    with pytest.raises(LeaseLost):
        created.extend(one for batch in batches for one in batch)
    assert len(created) == 50
    assert len(api_calls(sandbox)) == 2


def test_what_was_created_is_stamped_by_the_org(sandbox, people, patience, number):
    sandbox.admin.clock(ORG, set="2043-01-01T10:00:00+00:00")
    email = f"new{number}@a.example"
    (created,) = by_intent(people.create([new("i", Email=email, Company="x")], patience())).values()
    (person,) = people.by_address([email], NAMES)[email]
    assert person.ref == Ref.person(LEAD, created.id)
    assert person.created.at == datetime(2043, 1, 1, 10, tzinfo=UTC)
    assert person.created.by == sandbox.contract_user("connector")
