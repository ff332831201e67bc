"""Opted Out, e-mail, company, score and the assigned user: fields that the prospect's API name gives rules of their own."""

from datetime import datetime

import pytest

from prospect_sync.model import (
    Action,
    ConnectorUsers,
    Evidence,
    HistoryRow,
    Interval,
    Pair,
    Person,
    PersonType,
    Prospect,
    Side,
    Stamp,
)
from prospect_sync.policy import (
    Behavior,
    ConnectorRules,
    FieldMapping,
    FieldType,
    Mapping,
    Tie,
    history_needed,
    resolve,
)

AE, SF = Side.ACCOUNT_ENGAGEMENT, Side.SALESFORCE
LEAD, CONTACT = PersonType.LEAD, PersonType.CONTACT
SINGLE, FOLLOW = ConnectorRules(), ConnectorRules(follow_salesforce_email=True)
SEVERAL = ConnectorRules(multiple_prospects_per_email=True)
NO = {}


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{clock}+00:00")


def pair(prospect, person, *, kind=LEAD, has_account=None, account_name=None, rows=None, **evidence):
    """A pair whose AE record lived from 07:00 to 11:00; ``rows`` are (field, clock, ours)."""
    history = None if rows is None else tuple(HistoryRow(field, at(clock), ours) for field, clock, ours in rows)
    return Pair(
        Prospect(7, prospect, Stamp(at("07:00:00")), Stamp(at("11:00:00"), "41")),
        Person(
            kind,
            "00Q000000000001AAA",
            person,
            Stamp(at("08:00:00"), "005000000000001AAA"),
            Stamp(at("09:00:00"), "005000000000001AAA"),
            has_account=has_account,
            account_name=account_name,
        ),
        Evidence(history=history, **evidence),
        ConnectorUsers("005000000000009AAA", 9),
    )


def outcome(plan):
    (decision,) = plan.decisions
    return decision.rule, decision.winner, dict(plan.prospect_changes), dict(plan.person_changes)


# --- Opted Out


def opted_out(ae, sf, behavior=Behavior.MOST_RECENT_FIELD, **more):
    entry = FieldMapping("optedOut", "HasOptedOutOfEmail", None, behavior, FieldType.BOOLEAN, tie=Tie.RESTRICTIVE)
    subject = pair({"optedOut": ae}, {"HasOptedOutOfEmail": sf}, **more)
    return resolve(subject, Mapping(fields=(entry,)))


SEEN = {"optedOut": Interval(at("10:00:00"), at("10:10:00"))}


@pytest.mark.parametrize(("ae", "sf"), [(True, False), (False, True), (None, True), (True, None)])
@pytest.mark.parametrize("missing", [{"rows": None}, {"rows": [], "history_since": {"HasOptedOutOfEmail": None}}])
def test_oo_2_without_history_nothing_is_synced(ae, sf, missing):
    plan = opted_out(ae, sf, **missing, base={"optedOut": False})
    assert outcome(plan) == ("OO-2", None, NO, NO)
    assert [(problem.rule, problem.prospect_field) for problem in plan.problems] == [("OO-2", "optedOut")]


def test_oo_2_leaves_equal_values_alone():
    assert outcome(opted_out(True, True)) == ("SAME", None, NO, NO)


@pytest.mark.parametrize(
    ("ae", "sf", "more", "expected"),
    [
        (True, False, {"rows": [("HasOptedOutOfEmail", "10:10:01", False)], "prospect_times": SEEN}, ("RF-1", SF)),
        (False, True, {"rows": [("HasOptedOutOfEmail", "09:59:59", False)], "prospect_times": SEEN}, ("RF-1", AE)),
        (True, False, {"rows": [("HasOptedOutOfEmail", "10:05:00", False)], "prospect_times": SEEN}, ("TIE", AE)),
        (False, True, {"rows": [("HasOptedOutOfEmail", "10:05:00", False)], "prospect_times": SEEN}, ("TIE", SF)),
        (True, False, {"rows": [("HasOptedOutOfEmail", "10:05:00", False)]}, ("UNK", AE)),
        (False, True, {"rows": [("HasOptedOutOfEmail", "10:05:00", False)]}, ("UNK", SF)),
        (
            False,
            True,
            {"rows": [("HasOptedOutOfEmail", "10:05:00", False)], "base": {"optedOut": True}},
            ("RF-1", AE),
        ),
        (False, True, {"rows": [], "history_since": {"HasOptedOutOfEmail": at("08:30:00")}}, ("UNK", SF)),
    ],
)
def test_opted_out_by_the_later_change(ae, sf, more, expected):
    assert outcome(opted_out(ae, sf, **more))[:2] == expected


def test_opted_out_uses_account_engagements_value_unless_configured():
    assert outcome(opted_out(False, True, None)) == ("AE-1", AE, NO, {"HasOptedOutOfEmail": False})
    assert outcome(opted_out(False, True, Behavior.USE_SALESFORCE)) == ("SF-1", SF, {"optedOut": True}, NO)


def test_opted_out_asks_for_history_wherever_it_differs():
    entry = FieldMapping("optedOut", "HasOptedOutOfEmail", None, Behavior.MOST_RECENT_FIELD, FieldType.BOOLEAN)
    asks = [
        history_needed(pair({"optedOut": ae}, {"HasOptedOutOfEmail": sf}), Mapping(fields=(entry,)))
        for ae, sf in [(True, False), (None, True), (True, True), (None, None)]
    ]
    assert asks == [{"HasOptedOutOfEmail"}, {"HasOptedOutOfEmail"}, set(), set()]


# --- e-mail

EMAIL = FieldMapping("email", "Email", "Email")
TITLE = FieldMapping("jobTitle", "Title", "Title", Behavior.USE_SALESFORCE)


def email(ae, sf, connector=SINGLE, fields=(EMAIL,), **more):
    return resolve(pair({"email": ae}, {"Email": sf}, **more), Mapping(connector, fields=fields))


TO_SF, TO_AE = {"Email": "a@x"}, {"email": "b@x"}


@pytest.mark.parametrize("connector", [SINGLE, FOLLOW])
@pytest.mark.parametrize(
    ("ae", "sf", "more", "expected", "guarded"),
    [
        ("a@x", "A@X", {}, ("SAME", None, NO, NO), False),
        (None, " ", {}, ("SAME", None, NO, NO), False),
        ("a@x", None, {}, ("EM-1", AE, NO, TO_SF), True),
        (None, "b@x", {}, ("EM-1", SF, TO_AE, NO), True),
        ("a@x", None, {"base": {"email": "a@x"}}, ("EM-1", AE, NO, TO_SF), False),
        (None, "b@x", {"base": {"email": "b@x"}}, ("EM-1", SF, TO_AE, NO), False),
        ("a@x", "b@x", {"base": {"email": "B@X"}}, ("EM-1", AE, NO, TO_SF), False),
        ("a@x", "b@x", {"base": {"email": "c@x"}}, ("EM-1", AE, NO, TO_SF), False),
        ("a@x", "b@x", {"base": {"email": None}}, ("EM-1", AE, NO, TO_SF), False),
        ("a@x", "b@x", {}, ("EM-1", AE, NO, TO_SF), True),
        ("a@x", "b@x", {"base": {"email": "a@x"}, "relinked": True}, ("EM-1", AE, NO, TO_SF), True),
        ("a@x", "b@x", {"rows": []}, ("EM-1", AE, NO, TO_SF), True),
        ("a@x", "b@x", {"rows": [("Email", "11:00:00", False)]}, ("EM-1", AE, NO, TO_SF), True),
        ("a@x", "b@x", {"rows": [("Email", "11:00:01", True)]}, ("EM-1", AE, NO, TO_SF), True),
        ("a@x", "b@x", {"rows": [("Title", "11:00:01", False)]}, ("EM-1", AE, NO, TO_SF), True),
        (["?"], "b@x", {}, ("UNREAD", None, NO, NO), False),
    ],
)
def test_em_1_the_prospects_address_is_used(connector, ae, sf, more, expected, guarded):
    plan = email(ae, sf, connector, **more)
    assert outcome(plan) == expected
    assert plan.decisions[0].guarded is guarded
    assert plan.actions == ()


def test_em_1_without_base_is_listed_with_both_addresses():
    (problem,) = email("a@x", "b@x").problems
    assert problem.rule == "EM-1"
    assert "a@x" in problem.message
    assert "b@x" in problem.message


SALESFORCE_CHANGED = [
    pytest.param({"base": {"email": "a@x"}}, id="base"),
    pytest.param({"rows": [("Email", "11:00:01", False)]}, id="row after AE's first observation"),
    pytest.param(
        {
            "rows": [("Email", "10:00:01", False)],
            "prospect_times": {"email": Interval(at("09:00:00"), at("10:00:00"))},
        },
        id="row after AE's interval",
    ),
]


@pytest.mark.parametrize("more", SALESFORCE_CHANGED)
@pytest.mark.parametrize("fields", [(EMAIL, TITLE), (TITLE, EMAIL)])
def test_em_2_is_the_only_decision(more, fields):
    plan = email("a@x", "b@x", fields=fields, **more)
    assert outcome(plan) == ("EM-2", SF, NO, NO)
    assert plan.actions == (Action("EM-2", "create_prospect", {"email": "b@x"}),)
    assert (plan.decisions[0].guarded, plan.problems) == (False, ())


@pytest.mark.parametrize("more", SALESFORCE_CHANGED)
def test_em_3_the_prospect_follows(more):
    plan = email("a@x", "b@x", FOLLOW, **more)
    assert outcome(plan) == ("EM-3", SF, TO_AE, NO)
    assert (plan.decisions[0].guarded, plan.actions) == (False, ())


def test_the_margin_holds_for_addresses_too():
    patient = ConnectorRules(skew_margin=2)
    rule = {
        clock: email("a@x", "b@x", patient, rows=[("Email", clock, False)]).decisions[0].rule
        for clock in ("11:00:02", "11:00:03")
    }
    assert rule == {"11:00:02": "EM-1", "11:00:03": "EM-2"}


def test_em_4_email_is_an_ordinary_field_but_never_emptied():
    ordinary = (FieldMapping("email", "Email", "Email", Behavior.USE_SALESFORCE),)
    blank = ConnectorRules(multiple_prospects_per_email=True, allow_blank_salesforce=True)
    assert outcome(email("a@x", "b@x", SEVERAL, ordinary, base={"email": "a@x"})) == ("SF-1", SF, TO_AE, NO)
    assert outcome(email("a@x", None, blank, ordinary)) == ("SF-2", AE, NO, TO_SF)


def test_an_address_asks_for_history_only_without_a_base():
    mapping = Mapping(fields=(EMAIL, FieldMapping("jobTitle", "Title", None, Behavior.MOST_RECENT_FIELD)))
    prospect, person = {"email": "a@x", "jobTitle": "A"}, {"Email": "b@x", "Title": "B"}
    assert history_needed(pair(prospect, person), mapping) == {"Email", "Title"}
    # EM-2 is certain: nothing else of this pair is decided, so nothing else is asked
    assert history_needed(pair(prospect, person, base={"email": "a@x"}), mapping) == set()
    assert history_needed(pair(prospect, person, base={"email": "b@x"}), mapping) == {"Title"}
    assert history_needed(pair({**prospect, "email": None}, person), mapping) == {"Title"}


# --- company


def company(ae, *, fields, **more):
    return resolve(pair({"company": ae}, {"Company": "L", "Company__c": "X"}, **more), Mapping(fields=fields))


BOTH = (FieldMapping("company", "Company", "Company__c", Behavior.USE_ACCOUNT_ENGAGEMENT),)
LEAD_ONLY = (FieldMapping("company", "Company", None, Behavior.USE_ACCOUNT_ENGAGEMENT),)
ON_CONTACT = {"kind": CONTACT, "has_account": True}


@pytest.mark.parametrize(("fields", "person_field"), [(BOTH, "Company__c"), (LEAD_ONLY, "Account.Name")])
@pytest.mark.parametrize(
    ("ae", "account_name", "expected"),
    [
        ("A", "Acme", ("CO-1", SF, {"company": "Acme"}, NO)),
        (None, "Acme", ("CO-1", SF, {"company": "Acme"}, NO)),
        ("Acme", "Acme", ("SAME", None, NO, NO)),
        ("A", None, ("UNREAD", None, NO, NO)),
        ("A", " ", ("CO-1", None, NO, NO)),
    ],
)
def test_co_1_the_accounts_name_is_used(fields, person_field, ae, account_name, expected):
    plan = company(ae, fields=fields, account_name=account_name, **ON_CONTACT)
    assert outcome(plan) == expected
    assert plan.decisions[0].person_field == person_field
    assert plan.decisions[0].guarded is False


def test_co_2_a_contact_without_account_has_no_company():
    assert company("A", fields=BOTH, kind=CONTACT, has_account=False).decisions == ()


def test_co_2_a_leads_company_is_an_ordinary_field():
    assert outcome(company("A", fields=BOTH)) == ("AE-1", AE, NO, {"Company": "A"})


def test_whether_there_is_an_account_was_not_read():
    assert outcome(company("A", fields=BOTH, kind=CONTACT))[0] == "UNREAD"


# --- score, grade, campaign; assigned user


@pytest.mark.parametrize("name", ["score", "grade", "campaignId"])
@pytest.mark.parametrize(
    ("ae", "sf", "expected"),
    [
        ("5", "4", ("PR-1", AE, NO, {"S__c": "5"})),
        ("5", None, ("PR-1", AE, NO, {"S__c": "5"})),
        (None, "4", ("PR-1", None, NO, NO)),
        ("5", "5", ("SAME", None, NO, NO)),
        (None, None, ("SAME", None, NO, NO)),
    ],
)
def test_pr_1_goes_to_salesforce_only(name, ae, sf, expected):
    subject = pair({name: ae}, {"S__c": sf}, base={name: "5"})
    plan = resolve(subject, Mapping(fields=(FieldMapping(name, "S__c"),)))
    assert outcome(plan) == expected
    assert plan.decisions[0].guarded is False


OWNER = "005000000000001"
USERS = {OWNER + "AAA": "41"}


@pytest.mark.parametrize(
    ("name", "ae", "owner", "expected"),
    [
        ("userId", 40, OWNER + "AAA", ("PR-2", SF, {"userId": 41}, NO)),
        ("userId", None, OWNER, ("PR-2", SF, {"userId": 41}, NO)),
        ("userId", 41, OWNER + "AAA", ("SAME", None, NO, NO)),
        ("userId", "41", OWNER, ("SAME", None, NO, NO)),
        ("userId", 40, "005000000000002AAA", ("PR-2", None, NO, NO)),
        ("userId", 40, "00G000000000001AAA", ("PR-2", None, NO, NO)),
        ("userId", 40, None, ("PR-2", None, NO, NO)),
        ("userId", 40, True, ("UNREAD", None, NO, NO)),
        ("salesforceOwnerId", None, OWNER + "AAA", ("PR-2", SF, {"salesforceOwnerId": OWNER + "AAA"}, NO)),
        ("salesforceOwnerId", OWNER, OWNER + "AAA", ("SAME", None, NO, NO)),
        ("salesforceOwnerId", OWNER, "00G000000000001AAA", ("PR-2", None, NO, NO)),
    ],
)
def test_pr_2_the_assigned_user_follows_the_owner(name, ae, owner, expected):
    mapping = Mapping(users=USERS, fields=(FieldMapping(name, "OwnerId"),))
    plan = resolve(pair({name: ae}, {"OwnerId": owner}), mapping)
    assert outcome(plan) == expected
    assert plan.decisions[0].guarded is False


def test_a_most_recent_record_neighbour_guards_these_too():
    neighbour = FieldMapping("phone", "Phone", None, Behavior.MOST_RECENT_RECORD)
    subject = pair({"score": "5", "phone": "1"}, {"S__c": "4", "Phone": "1"})
    plan = resolve(subject, Mapping(fields=(FieldMapping("score", "S__c"), neighbour)))
    assert [decision.guarded for decision in plan.decisions] == [True, False]


# --- value maps


@pytest.mark.parametrize(
    ("ae", "sf", "behavior", "expected"),
    [
        ("IT", "Technology", Behavior.USE_SALESFORCE, ("SAME", None, NO, NO)),
        ("IT", "Banking", Behavior.USE_SALESFORCE, ("SF-1", SF, {"industry": "Banking"}, NO)),
        ("x", "Technology", Behavior.USE_SALESFORCE, ("SF-1", SF, {"industry": "IT"}, NO)),
        ("IT", "Banking", Behavior.USE_ACCOUNT_ENGAGEMENT, ("AE-1", AE, NO, {"Industry": "Technology"})),
        ("IT", "IT", Behavior.USE_ACCOUNT_ENGAGEMENT, ("AE-1", AE, NO, {"Industry": "Technology"})),
        ("IT", "IT", Behavior.USE_SALESFORCE, ("UNREAD", None, NO, NO)),
    ],
)
def test_value_maps(ae, sf, behavior, expected):
    mapping = Mapping(
        values={"industry": {"IT": "Technology"}}, fields=(FieldMapping("industry", "Industry", None, behavior),)
    )
    assert outcome(resolve(pair({"industry": ae}, {"Industry": sf}), mapping)) == expected


def test_value_maps_of_other_types():
    picks = Mapping(
        values={"topics": {"1": "News"}, "vip": {"Yes": "true", "No": "false"}},
        fields=(
            FieldMapping("topics", "Topics__c", None, Behavior.USE_ACCOUNT_ENGAGEMENT, FieldType.MULTISELECT),
            FieldMapping("vip", "Vip__c", None, Behavior.USE_SALESFORCE, FieldType.BOOLEAN),
        ),
    )
    plan = resolve(pair({"topics": ["1", "2"], "vip": "No"}, {"Topics__c": "News", "Vip__c": True}), picks)
    assert dict(plan.person_changes) == {"Topics__c": "News;2"}
    assert dict(plan.prospect_changes) == {"vip": "Yes"}
