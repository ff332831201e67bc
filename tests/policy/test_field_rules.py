"""The field rules, one row per combination; expectations are written by hand from the rules' text."""

from datetime import UTC, datetime

import pytest

from prospect_sync.model import (
    ConnectorUsers,
    Echo,
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
    RULES,
    Behavior,
    Clears,
    ConnectorRules,
    FieldMapping,
    FieldType,
    Mapping,
    Tie,
    WithoutHistory,
    history_needed,
    resolve,
)

AE, SF = Side.ACCOUNT_ENGAGEMENT, Side.SALESFORCE
CONNECTOR = ConnectorUsers("005000000000009AAA", 9)
SALES = "005000000000001AAA"


def at(clock: str) -> datetime:
    """An instant on the day of the examples."""
    return datetime.fromisoformat(f"2026-11-20T{clock}+00:00")


def between(after: str, until: str, *, first_seen: bool = False) -> Interval:
    return Interval(at(after), at(until), first_seen)


UNSET = object()
AT_TEN = between("10:00:00", "10:00:00")


def decide(
    behavior,
    ae,
    sf,
    *,
    prospect="jobTitle",
    person="Title",
    connector=None,
    history=(),
    since=None,
    ae_time=AT_TEN,
    base=UNSET,
    echo=None,
    relinked=False,
    pins=None,
    created="08:00:00",
    created_by=SALES,
    modified="09:00:00",
    modified_by=SALES,
    converted=None,
    ae_modified="11:00:00",
    ae_by="41",
    sf_foreign=None,
    ae_foreign=None,
    also=(),
    **field,
):
    """Resolve a lead's one mapped field; gives the whole plan."""
    field.setdefault("type", FieldType.TEXT)
    entry = FieldMapping(prospect, person, person, behavior, **field)
    rows = None if history is None else tuple(HistoryRow(person, at(clock), ours) for clock, ours in history)
    pair = Pair(
        Prospect(7, {prospect: ae}, Stamp(at("07:00:00")), Stamp(at(ae_modified), ae_by)),
        Person(
            PersonType.LEAD,
            "00Q000000000001AAA",
            {person: sf},
            Stamp(at(created), created_by),
            Stamp(at(modified), modified_by),
            converted_from=converted,
        ),
        Evidence(
            history=rows,
            history_since={} if since is None else {person: since[0]},
            prospect_times={} if ae_time is None else {prospect: ae_time},
            base={} if base is UNSET else {prospect: base},
            echo={} if echo is None else {prospect: echo},
            person_foreign=sf_foreign,
            prospect_foreign=ae_foreign,
            relinked=relinked,
            pins=pins or {},
        ),
        CONNECTOR,
    )
    return resolve(pair, Mapping(connector or ConnectorRules(), fields=(entry, *also)))


def outcome(plan):
    """Rule, winner and what is written where, of a plan with one decision."""
    (decision,) = plan.decisions
    return decision.rule, decision.winner, dict(plan.prospect_changes), dict(plan.person_changes)


def guarded(plan):
    return plan.decisions[0].guarded


NO = {}
TO_SF_A = {"Title": "A"}
TO_AE_B = {"jobTitle": "B"}
EMPTIES = [None, "", " \t\n"]
U_AE, U_SF = Behavior.USE_ACCOUNT_ENGAGEMENT, Behavior.USE_SALESFORCE
RF, RR, FB = Behavior.MOST_RECENT_FIELD, Behavior.MOST_RECENT_RECORD, Behavior.FILL_BLANKS

# behavior, AE filled?, SF filled? -> rule, winner, written to AE, written to SF, guarded
PLAIN = [
    pytest.param(U_AE, "A", "B", ("AE-1", AE, NO, TO_SF_A), False, id="AE-1"),
    pytest.param(U_AE, None, "B", ("AE-2", SF, TO_AE_B, NO), True, id="AE-2"),
    pytest.param(U_AE, "A", None, ("AE-3", AE, NO, TO_SF_A), True, id="AE-3"),
    pytest.param(U_SF, "A", "B", ("SF-1", SF, TO_AE_B, NO), False, id="SF-1"),
    pytest.param(U_SF, "A", None, ("SF-2", AE, NO, TO_SF_A), True, id="SF-2"),
    pytest.param(U_SF, None, "B", ("SF-4", SF, TO_AE_B, NO), True, id="SF-4"),
    pytest.param(RF, "A", None, ("RF-2", AE, NO, TO_SF_A), True, id="RF-2, AE filled"),
    pytest.param(RF, None, "B", ("RF-2", SF, TO_AE_B, NO), True, id="RF-2, SF filled"),
    pytest.param(RR, "A", None, ("RR-2", AE, NO, TO_SF_A), True, id="RR-2, AE filled"),
    pytest.param(RR, None, "B", ("RR-2", SF, TO_AE_B, NO), True, id="RR-2, SF filled"),
    pytest.param(FB, "A", None, ("FB-1", AE, NO, TO_SF_A), True, id="FB-1, AE filled"),
    pytest.param(FB, None, "B", ("FB-1", SF, TO_AE_B, NO), True, id="FB-1, SF filled"),
    pytest.param(FB, "A", "B", ("FB-2", None, NO, NO), False, id="FB-2"),
]


@pytest.mark.parametrize(("behavior", "ae", "sf", "expected", "is_guarded"), PLAIN)
@pytest.mark.parametrize("empty", EMPTIES, ids=["null", "no text", "white space"])
def test_each_combination_without_times(behavior, ae, sf, expected, is_guarded, empty):
    plan = decide(behavior, empty if ae is None else ae, empty if sf is None else sf)
    assert outcome(plan) == expected
    assert guarded(plan) is is_guarded


@pytest.mark.parametrize("behavior", list(Behavior))
@pytest.mark.parametrize(
    ("ae", "sf"),
    [
        ("A", "A"),
        (" A ", "A"),
        ("a\r\nb", "a\nb"),
        ("caf\u00e9", "cafe\u0301"),
        (None, None),
        (None, ""),
        ("  ", None),
    ],
)
def test_same_writes_nothing_under_any_behavior(behavior, ae, sf):
    assert outcome(decide(behavior, ae, sf)) == ("SAME", None, NO, NO)


def test_text_is_compared_with_its_case():
    assert outcome(decide(U_SF, "cto", "CTO")) == ("SF-1", SF, {"jobTitle": "CTO"}, NO)


@pytest.mark.parametrize("behavior", [U_AE, RF, RR, FB])
def test_the_blank_switch_touches_use_salesforce_alone(behavior):
    blank = ConnectorRules(allow_blank_salesforce=True)
    plan = decide(behavior, "A", None, connector=blank)
    assert (plan.decisions[0].winner, dict(plan.prospect_changes)) == (AE, NO)


def test_sf_3_empties_the_prospect():
    plan = decide(U_SF, "A", None, connector=ConnectorRules(allow_blank_salesforce=True))
    assert outcome(plan) == ("SF-3", SF, {"jobTitle": None}, NO)
    assert guarded(plan) is False


def test_a_new_couple_is_never_emptied():
    blank = ConnectorRules(allow_blank_salesforce=True)
    assert outcome(decide(U_SF, "A", None, connector=blank, relinked=True))[0] == "SF-2"
    assert outcome(decide(U_SF, "A", None, clears=Clears.SALESFORCE, relinked=True))[0] == "SF-2"
    cleared = decide(U_SF, "A", None, clears=Clears.EITHER, base="A", relinked=True)
    assert outcome(cleared) == ("SF-2", AE, NO, TO_SF_A)


def test_cl_1_is_sf_3_for_one_field():
    plan = decide(U_SF, "A", None, clears=Clears.SALESFORCE)
    assert outcome(plan) == ("CL-1", SF, {"jobTitle": None}, NO)
    assert guarded(plan) is False
    assert outcome(decide(U_SF, None, "B", clears=Clears.SALESFORCE)) == ("SF-4", SF, TO_AE_B, NO)
    assert outcome(decide(U_SF, "A", "B", clears=Clears.SALESFORCE)) == ("SF-1", SF, TO_AE_B, NO)


@pytest.mark.parametrize("kind", [FieldType.BOOLEAN])
@pytest.mark.parametrize(
    ("behavior", "ae", "sf", "expected"),
    [
        (U_AE, False, True, ("AE-1", AE, NO, {"Title": False})),
        (U_SF, True, False, ("SF-1", SF, {"jobTitle": False}, NO)),
        (U_AE, None, False, ("AE-2", SF, {"jobTitle": False}, NO)),
        (RF, False, None, ("RF-2", AE, NO, {"Title": False})),
        (U_SF, "true", True, ("SAME", None, NO, NO)),
    ],
)
def test_false_is_a_value(kind, behavior, ae, sf, expected):
    assert outcome(decide(behavior, ae, sf, type=kind)) == expected


@pytest.mark.parametrize(
    ("ae", "sf", "expected"),
    [
        ("1000", 1000, ("SAME", None, NO, NO)),
        ("1000.00", 1000, ("SAME", None, NO, NO)),
        ("0", None, ("SF-2", AE, NO, {"Title": 0})),
        (None, 0, ("SF-4", SF, {"jobTitle": "0"}, NO)),
        ("1", 2, ("SF-1", SF, {"jobTitle": "2"}, NO)),
        ("many", 2, ("UNREAD", None, NO, NO)),
        ("many", "many", ("UNREAD", None, NO, NO)),
        ("1,000", 1000, ("UNREAD", None, NO, NO)),
        (True, 1, ("UNREAD", None, NO, NO)),
    ],
)
def test_numbers(ae, sf, expected):
    assert outcome(decide(U_SF, ae, sf, type=FieldType.NUMBER)) == expected


@pytest.mark.parametrize(
    ("ae", "sf", "expected"),
    [
        (["b", "a"], "a;b", ("SAME", None, NO, NO)),
        ([], "", ("SAME", None, NO, NO)),
        ([], None, ("SAME", None, NO, NO)),
        (["a", "b"], "a", ("SF-1", SF, {"jobTitle": ["a"]}, NO)),
        (["a", "b"], ";", ("SF-2", AE, NO, {"Title": "a;b"})),
        (["a", 1], "a", ("UNREAD", None, NO, NO)),
    ],
)
def test_multiselects_are_sets(ae, sf, expected):
    assert outcome(decide(U_SF, ae, sf, type=FieldType.MULTISELECT)) == expected


@pytest.mark.parametrize(
    ("kind", "ae", "sf", "expected"),
    [
        (FieldType.DATETIME, "2026-11-20T10:00:00Z", "2026-11-20T11:00:00.000+0100", ("SAME", None, NO, NO)),
        (FieldType.DATETIME, "2026-11-20T10:00:00.900Z", "2026-11-20T10:00:00Z", ("SAME", None, NO, NO)),
        (
            FieldType.DATETIME,
            None,
            "2026-11-20T11:00:00.000+0100",
            ("SF-4", SF, {"jobTitle": "2026-11-20T10:00:00Z"}, NO),
        ),
        (FieldType.DATETIME, "2026-11-20T10:00:00", None, ("UNREAD", None, NO, NO)),
        (FieldType.DATE, "2026-11-20", " 2026-11-20", ("SAME", None, NO, NO)),
        (FieldType.DATE, "2026-02-30", None, ("UNREAD", None, NO, NO)),
        (FieldType.EMAIL, "A@x.org", "a@X.org", ("SAME", None, NO, NO)),
    ],
)
def test_dates_and_addresses(kind, ae, sf, expected):
    assert outcome(decide(U_SF, ae, sf, type=kind)) == expected


def test_a_missing_key_is_unread_and_its_neighbours_are_decided():
    other = FieldMapping("phone", "Phone", "Phone", U_SF)
    plan = decide(U_SF, "A", "B", also=[other])
    assert [(decision.prospect_field, decision.rule) for decision in plan.decisions] == [
        ("jobTitle", "SF-1"),
        ("phone", "UNREAD"),
    ]
    assert [(problem.rule, problem.prospect_field) for problem in plan.problems] == [("UNREAD", "phone")]


# --- most recent field

SF_LATER = {"history": [("10:00:01", False)], "ae_time": between("09:00:00", "10:00:00")}
AE_LATER = {"history": [("08:59:59", False)], "ae_time": between("09:00:00", "10:00:00")}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param(SF_LATER, ("RF-1", SF), id="row after the interval"),
        pytest.param(AE_LATER, ("RF-1", AE), id="row before the interval"),
        pytest.param({**SF_LATER, "history": [("10:00:00", False)]}, ("TIE", SF), id="row on the interval's end"),
        pytest.param({**SF_LATER, "history": [("09:00:00", False)]}, ("TIE", SF), id="row on the interval's start"),
        pytest.param({**SF_LATER, "history": [("09:30:00", False)]}, ("TIE", SF), id="row within"),
        pytest.param(
            {
                "history": [("08:30:00", False), ("10:00:01", False), ("09:30:00", False)],
                "ae_time": SF_LATER["ae_time"],
            },
            ("RF-1", SF),
            id="the newest row counts, in whatever order",
        ),
        pytest.param(
            {"history": [("10:05:00", True), ("08:00:00", False)], "ae_time": AE_LATER["ae_time"]},
            ("RF-1", AE),
            id="our own row does not count",
        ),
        pytest.param({"history": [], "created": "08:00:00"}, ("RF-1", AE), id="no row: the record's creation"),
        pytest.param({"history": [], "created": "10:00:01"}, ("RF-1", SF), id="no row: created after AE's change"),
        pytest.param(
            {"history": [], "created": "10:00:01", "created_by": CONNECTOR.salesforce_user_id[:15]},
            ("RF-1", AE),
            id="created by connector: earlier than anything",
        ),
        pytest.param(
            {"history": [], "created": "10:00:01", "converted": Stamp(at("08:00:00"), SALES)},
            ("RF-1", AE),
            id="a converted contact is as old as its lead",
        ),
        pytest.param(
            {"history": [], "created": "10:00:01", "converted": Stamp(at("10:00:01"), CONNECTOR.salesforce_user_id)},
            ("RF-1", AE),
            id="the connector created the lead",
        ),
        pytest.param({"history": [], "since": (at("08:00:01"),)}, ("UNK", AE), id="tracked later and no row"),
        pytest.param({"history": [], "since": (at("08:00:00"),)}, ("RF-1", AE), id="tracked since creation"),
        pytest.param(
            {"history": [("10:00:01", False)], "since": (at("09:59:00"),)}, ("RF-1", SF), id="tracked later, with a row"
        ),
        pytest.param({"history": [("10:00:01", False)], "since": (None,)}, ("UNK", AE), id="untracked"),
        pytest.param({"history": None}, ("UNK", AE), id="history not available"),
        pytest.param({"ae_time": None, "history": [("11:00:01", False)]}, ("RF-1", SF), id="after a first observation"),
        pytest.param(
            {"ae_time": None, "history": [("06:59:59", False)]}, ("RF-1", AE), id="before a first observation"
        ),
        pytest.param({"ae_time": None, "history": [("10:30:00", False)]}, ("UNK", AE), id="within a first observation"),
        pytest.param(
            {"ae_time": between("09:00:00", "10:00:00", first_seen=True), "history": [("09:30:00", False)]},
            ("UNK", AE),
            id="within one that is marked as such",
        ),
        pytest.param({**SF_LATER, "base": "A"}, ("RF-1", SF), id="times come before the base"),
        pytest.param(
            {"history": [("10:00:00", False)], "base": "A"}, ("RF-1", SF), id="TIE: only SF differs from the base"
        ),
        pytest.param(
            {"history": [("10:00:00", False)], "base": "B"}, ("RF-1", AE), id="TIE: only AE differs from the base"
        ),
        pytest.param({"history": [("10:00:00", False)], "base": "C"}, ("TIE", SF), id="TIE: both differ from the base"),
        pytest.param({"history": None, "base": "B"}, ("RF-1", AE), id="UNK: only AE differs from the base"),
        pytest.param({"history": None, "base": "A"}, ("RF-1", SF), id="UNK: only SF differs from the base"),
        pytest.param({"history": None, "base": None}, ("UNK", AE), id="UNK: both differ from an empty base"),
        pytest.param({"history": None, "base": "A", "relinked": True}, ("UNK", AE), id="a new couple has no base"),
    ],
)
def test_most_recent_field(times, expected):
    plan = decide(RF, "A", "B", **times)
    rule, winner, to_ae, to_sf = outcome(plan)
    assert (rule, winner) == expected
    assert (to_ae, to_sf) == ((TO_AE_B, NO) if winner is SF else (NO, TO_SF_A))
    assert guarded(plan) is True


@pytest.mark.parametrize(
    ("row", "expected"),
    [("10:00:05", ("TIE", SF)), ("10:00:06", ("RF-1", SF)), ("08:59:55", ("TIE", SF)), ("08:59:54", ("RF-1", AE))],
)
def test_the_margin_must_be_exceeded(row, expected):
    plan = decide(
        RF,
        "A",
        "B",
        history=[(row, False)],
        ae_time=between("09:00:00", "10:00:00"),
        connector=ConnectorRules(skew_margin=5),
    )
    assert outcome(plan)[:2] == expected


def test_the_example_of_the_three_clocks():
    # marketing 10:00, our write 10:05 (a row of ours), marketing corrects at 10:03 and the poll sees that at 10:06
    plan = decide(
        RF, "A", "B", history=[("10:05:00", True), ("09:00:00", False)], ae_time=between("10:00:00", "10:03:00")
    )
    assert outcome(plan) == ("RF-1", AE, NO, TO_SF_A)


def test_the_example_of_the_half_minute():
    plan = decide(RF, "A", "B", history=[("10:00:00", False)], ae_time=between("10:00:05", "10:00:30"))
    assert outcome(plan) == ("RF-1", AE, NO, TO_SF_A)


@pytest.mark.parametrize(
    ("tie", "ae", "sf", "winner"),
    [
        (Tie.SALESFORCE, True, False, SF),
        (Tie.ACCOUNT_ENGAGEMENT, False, True, AE),
        (Tie.RESTRICTIVE, True, False, AE),
        (Tie.RESTRICTIVE, False, True, SF),
    ],
)
@pytest.mark.parametrize("behavior", [RF, RR])
def test_ties(behavior, tie, ae, sf, winner):
    plan = decide(behavior, ae, sf, type=FieldType.BOOLEAN, tie=tie, history=[("10:00:00", False)], modified="11:00:00")
    assert outcome(plan)[:2] == ("TIE", winner)
    assert guarded(plan) is True


@pytest.mark.parametrize(
    ("choice", "record", "winner"),
    [
        (WithoutHistory.RECORD, {"modified": "11:00:01"}, SF),
        (WithoutHistory.RECORD, {"modified": "10:59:59"}, AE),
        (WithoutHistory.RECORD, {"modified": "11:00:00", "tie": Tie.ACCOUNT_ENGAGEMENT}, AE),
        (WithoutHistory.RECORD, {"modified": "11:00:00"}, SF),
        (WithoutHistory.SALESFORCE, {}, SF),
        (WithoutHistory.ACCOUNT_ENGAGEMENT, {}, AE),
        (WithoutHistory.HOLD, {}, None),
    ],
)
def test_without_history(choice, record, winner):
    plan = decide(RF, "A", "B", history=None, without_history=choice, **record)
    assert outcome(plan)[:2] == ("UNK", winner)
    assert guarded(plan) is (winner is not None)
    assert bool(plan.problems) is (winner is None)


def test_restrictive_without_history():
    choice = {"type": FieldType.BOOLEAN, "without_history": WithoutHistory.RESTRICTIVE, "history": None}
    assert outcome(decide(RF, True, False, **choice))[:2] == ("UNK", AE)
    assert outcome(decide(RF, False, True, **choice))[:2] == ("UNK", SF)


# --- most recent record


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ({"modified": "11:00:01"}, ("RR-1", SF)),
        ({"modified": "10:59:59"}, ("RR-1", AE)),
        ({"modified": "11:00:00"}, ("TIE", SF)),
        ({"modified": "12:00:00", "modified_by": CONNECTOR.salesforce_user_id}, ("TIE", SF)),
        (
            {
                "modified": "12:00:00",
                "modified_by": CONNECTOR.salesforce_user_id,
                "sf_foreign": between("10:30:00", "10:30:00"),
            },
            ("RR-1", AE),
        ),
        (
            {
                "modified": "12:00:00",
                "modified_by": CONNECTOR.salesforce_user_id,
                "sf_foreign": between("10:30:00", "11:30:00"),
            },
            ("TIE", SF),
        ),
        ({"modified": "10:00:00", "ae_by": "9"}, ("TIE", SF)),
        ({"modified": "10:00:00", "ae_by": "9", "ae_foreign": between("09:00:00", "09:59:59")}, ("RR-1", SF)),
    ],
)
def test_most_recent_record(stamps, expected):
    plan = decide(RR, "A", "B", **stamps)
    assert outcome(plan)[:2] == expected
    assert guarded(plan) is True


# --- ECHO, pins


@pytest.mark.parametrize("behavior", list(Behavior))
@pytest.mark.parametrize(
    ("echo", "rule"),
    [
        (Echo("A", "B"), "ECHO"),
        (Echo(" A", "B "), "ECHO"),
        (Echo("B", "A"), "ECHO"),
        (Echo("A", "C"), None),
        (Echo("C", "B"), None),
        (Echo("B", "C"), None),
        (Echo("C", "A"), None),
        (Echo(["?"], "B"), None),
    ],
)
def test_echo(behavior, echo, rule):
    plan = decide(behavior, "A", "B", echo=echo)
    assert (plan.decisions[0].rule == "ECHO") is (rule == "ECHO")
    assert bool(plan.prospect_changes or plan.person_changes) is (rule is None and behavior is not FB)


def test_a_side_that_strips_what_we_wrote_does_not_blank_the_other():
    plan = decide(
        U_SF,
        "A",
        None,
        echo=Echo("A", None),
        connector=ConnectorRules(allow_blank_salesforce=True),
        clears=Clears.SALESFORCE,
    )
    assert outcome(plan) == ("ECHO", None, NO, NO)


@pytest.mark.parametrize("behavior", list(Behavior))
def test_a_pin_stands_before_the_behavior(behavior):
    assert outcome(decide(behavior, "A", "B", pins={"jobTitle": SF})) == ("SF-1", SF, TO_AE_B, NO)
    assert outcome(decide(behavior, "A", "B", pins={"jobTitle": AE})) == ("AE-1", AE, NO, TO_SF_A)


# --- CL-2

CLEARED = {"clears": Clears.EITHER}
EMPTY_AE, EMPTY_SF = {"jobTitle": None}, {"Title": None}


@pytest.mark.parametrize(
    ("behavior", "ae", "sf", "more", "expected", "is_guarded"),
    [
        pytest.param(U_AE, None, "B", {"base": "B"}, ("CL-2", AE, NO, EMPTY_SF), False, id="use AE: AE cleared"),
        pytest.param(U_AE, "A", None, {"base": "A"}, ("CL-2", AE, NO, TO_SF_A), True, id="use AE: SF cleared"),
        pytest.param(U_SF, "A", None, {"base": "A"}, ("CL-2", SF, EMPTY_AE, NO), False, id="use SF: SF cleared"),
        pytest.param(U_SF, None, "B", {"base": "B"}, ("CL-2", SF, TO_AE_B, NO), True, id="use SF: AE cleared"),
        pytest.param(
            RF, "A", None, {"base": "A", **SF_LATER}, ("CL-2", SF, EMPTY_AE, NO), True, id="RF: later clearing"
        ),
        pytest.param(RF, "A", None, {"base": "C", **AE_LATER}, ("CL-2", AE, NO, TO_SF_A), True, id="RF: later value"),
        pytest.param(
            RF, "A", None, {"base": "A", "history": None}, ("CL-2", SF, EMPTY_AE, NO), True, id="RF: base, SF cleared"
        ),
        pytest.param(
            RF, None, "B", {"base": "B", "history": None}, ("CL-2", AE, NO, EMPTY_SF), True, id="RF: base, AE cleared"
        ),
        pytest.param(
            RF, "A", None, {"base": "C", "history": None}, ("CL-2", AE, NO, TO_SF_A), True, id="RF: UNK, the value wins"
        ),
        pytest.param(
            RF,
            None,
            "B",
            {"base": "C", "history": [("10:00:00", False)], "tie": Tie.ACCOUNT_ENGAGEMENT},
            ("CL-2", SF, TO_AE_B, NO),
            True,
            id="RF: TIE, the value wins",
        ),
        pytest.param(
            RF,
            "A",
            None,
            {"base": "C", "history": None, "without_history": WithoutHistory.HOLD},
            ("CL-2", None, NO, NO),
            False,
            id="RF: hold stays a hold",
        ),
        pytest.param(
            RR, "A", None, {"base": "A", "modified": "12:00:00"}, ("CL-2", SF, EMPTY_AE, NO), True, id="RR: later"
        ),
        pytest.param(
            RR, "A", None, {"base": "A", "modified": "11:00:00"}, ("CL-2", AE, NO, TO_SF_A), True, id="RR: TIE"
        ),
        pytest.param(
            RR, None, "B", {"base": "B", "modified": "09:00:00"}, ("CL-2", AE, NO, EMPTY_SF), True, id="RR: AE"
        ),
        pytest.param(U_SF, "A", None, {}, ("SF-2", AE, NO, TO_SF_A), True, id="no base: as if off"),
        pytest.param(
            RF, "A", None, {"base": ""}, ("RF-2", AE, NO, TO_SF_A), True, id="base empty: nothing was cleared"
        ),
        pytest.param(U_SF, "A", "B", {"base": "A"}, ("SF-1", SF, TO_AE_B, NO), False, id="both filled: not a clearing"),
    ],
)
def test_clears_either(behavior, ae, sf, more, expected, is_guarded):
    plan = decide(behavior, ae, sf, **CLEARED, **more)
    assert outcome(plan) == expected
    assert guarded(plan) is is_guarded


def test_what_must_not_be_emptied_is_not_emptied_even_by_a_mapping_that_was_never_checked():
    last_name = decide(U_AE, None, "B", prospect="lastName", person="LastName", base="B", **CLEARED)
    assert outcome(last_name) == ("AE-2", SF, {"lastName": "B"}, NO)
    company = decide(U_AE, None, "B", prospect="company", person="Company", base="B", **CLEARED)
    assert outcome(company) == ("AE-2", SF, {"company": "B"}, NO)


# --- guarded by a neighbour


def test_a_most_recent_record_neighbour_guards_every_salesforce_write():
    neighbour = FieldMapping("phone", "Phone", "Phone", RR)
    assert guarded(decide(U_AE, "A", "B", also=[neighbour])) is True
    assert guarded(decide(U_SF, "A", "B", also=[neighbour])) is False
    elsewhere = FieldMapping("phone", None, "Phone", RR)
    assert guarded(decide(U_AE, "A", "B", also=[elsewhere])) is False


# --- origin


@pytest.mark.parametrize(
    ("plan", "origin"),
    [
        pytest.param(lambda: decide(RF, "A", "B", **SF_LATER), between("10:00:01", "10:00:01"), id="SF's field time"),
        pytest.param(lambda: decide(RF, "A", "B", **AE_LATER), between("09:00:00", "10:00:00"), id="AE's interval"),
        pytest.param(lambda: decide(U_AE, "A", "B"), between("10:00:00", "10:00:00"), id="AE's interval, no contest"),
        pytest.param(
            lambda: decide(U_AE, "A", "B", ae_time=None),
            between("07:00:00", "11:00:00", first_seen=True),
            id="AE never observed",
        ),
        pytest.param(lambda: decide(U_SF, "A", "B"), between("08:00:00", "09:00:00"), id="SF's record"),
        pytest.param(
            lambda: decide(
                U_SF,
                "A",
                "B",
                modified="12:00:00",
                modified_by=CONNECTOR.salesforce_user_id,
                sf_foreign=between("08:30:00", "08:40:00"),
            ),
            between("08:00:00", "08:40:00"),
            id="SF's record, last changed by us",
        ),
        pytest.param(lambda: decide(U_SF, "A", "A"), None, id="nothing is written"),
    ],
)
def test_origin(plan, origin):
    assert plan().decisions[0].origin == origin


# --- history_needed


def needs(behavior, ae, sf, **more):
    pair = Pair(
        Prospect(7, {"jobTitle": ae}),
        Person(PersonType.LEAD, "00Q", {"Title": sf}),
        Evidence(**{key: value for key, value in more.items() if key in Evidence.__slots__}),
        CONNECTOR,
    )
    field = {key: value for key, value in more.items() if key not in Evidence.__slots__}
    return history_needed(pair, Mapping(fields=(FieldMapping("jobTitle", "Title", None, behavior, **field),)))


@pytest.mark.parametrize(
    ("args", "more", "needed"),
    [
        ((RF, "A", "B"), {}, {"Title"}),
        ((RF, "A", " A"), {}, set()),
        ((RF, "A", None), {}, set()),
        ((RF, None, "B"), {}, set()),
        ((RF, ["?"], "B"), {}, set()),
        ((RR, "A", "B"), {}, set()),
        ((U_SF, "A", "B"), {}, set()),
        ((FB, "A", "B"), {}, set()),
        ((RF, "A", "B"), {"echo": {"jobTitle": Echo("A", "B")}}, set()),
        ((RF, "A", "B"), {"pins": {"jobTitle": SF}}, set()),
        ((RF, "A", "B"), {"history_since": {"Title": None}}, set()),
        ((RF, "A", None), {"clears": Clears.EITHER, "base": {"jobTitle": "A"}}, {"Title"}),
        ((RF, "A", None), {"clears": Clears.EITHER}, set()),
        ((U_SF, "A", None), {"clears": Clears.EITHER, "base": {"jobTitle": "A"}}, set()),
    ],
)
def test_only_contests_that_history_could_decide_ask_for_it(args, more, needed):
    assert needs(*args, **more) == needed


def test_every_rule_id_that_a_decision_carries_is_in_the_register():
    assert "RF-1" in RULES
    assert all(rule.says for rule in RULES.values())


def test_instants_are_utc():
    assert at("10:00:00").tzinfo == UTC


# --- what the evidence says, and what is not known


def test_the_evidence_says_what_proved_what():
    plan = decide(RF, "A", "B", connector=ConnectorRules(skew_margin=2), history=[("10:00:03", False)])
    assert plan.decisions[0].evidence == {
        "salesforce_time": "2026-11-20T10:00:03Z",
        "salesforce_source": "history row",
        "account_engagement_interval": ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"],
        "account_engagement_source": "observed change",
        "first_seen": False,
        "skew_margin": 2.0,
        "decided_by": "field time",
    }


def test_the_evidence_of_an_unknown_order_shows_the_records():
    plan = decide(RF, "A", "B", history=[("10:30:00", False)], ae_time=None, modified="11:00:00")
    assert plan.decisions[0].evidence == {
        "salesforce_time": "2026-11-20T10:30:00Z",
        "salesforce_source": "history row",
        "account_engagement_interval": ["2026-11-20T07:00:00Z", "2026-11-20T11:00:00Z"],
        "account_engagement_source": "first seen",
        "first_seen": True,
        "salesforce_record_time": "2026-11-20T11:00:00Z",
        "salesforce_record_source": "record last modified",
        "account_engagement_record_time": "2026-11-20T11:00:00Z",
        "account_engagement_record_source": "record last modified",
        "decided_by": "without_history: record; tie: salesforce",
    }


@pytest.mark.parametrize(
    ("ae", "sf", "unread"),
    [
        (["?"], "B", {"account_engagement": "cannot be read as text"}),
        ("A", ["?"], {"salesforce": "cannot be read as text"}),
    ],
)
def test_the_evidence_of_unread_names_the_side(ae, sf, unread):
    assert decide(U_SF, ae, sf).decisions[0].evidence == {"unread": unread}


@pytest.mark.parametrize("behavior", [RF, RR])
@pytest.mark.parametrize("stamp", ["created", "modified", "ae_created", "ae_modified"])
def test_a_stamp_that_was_not_read_proves_nothing(behavior, stamp):
    known = {
        "created": at("08:00:00"),
        "modified": at("12:00:00"),
        "ae_created": at("07:00:00"),
        "ae_modified": at("07:30:00"),
    }
    known[stamp] = None
    pair = Pair(
        Prospect(7, {"jobTitle": "A"}, Stamp(known["ae_created"]), Stamp(known["ae_modified"], "41")),
        Person(PersonType.LEAD, "00Q", {"Title": "B"}, Stamp(known["created"], SALES), Stamp(known["modified"], SALES)),
        Evidence(history=()),
        CONNECTOR,
    )
    plan = resolve(pair, Mapping(fields=(FieldMapping("jobTitle", "Title", None, behavior),)))
    # the record's creation takes no part in most_recent_record, its modification none in most_recent_field
    proved = {(RF, "modified"), (RR, "created"), (RR, "ae_created")}
    undecided = "UNK" if behavior is RF else "TIE"
    assert plan.decisions[0].rule == (
        ("RF-1" if behavior is RF else "RR-1") if (behavior, stamp) in proved else undecided
    )


def test_a_value_that_came_from_ae_is_older_than_whatever_ae_holds():
    plan = decide(RF, "A", "B", history=[], created_by=CONNECTOR.salesforce_user_id, ae_time=None)
    assert outcome(plan)[:2] == ("RF-1", AE)
    assert plan.decisions[0].evidence["salesforce_source"] == "created by connector"


def test_text_that_is_not_the_same_class_is_compared_by_its_type():
    assert outcome(decide(U_SF, "42", 42))[0] == "SAME"
    assert outcome(decide(U_SF, "", None))[0] == "SAME"
