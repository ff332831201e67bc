"""Types: what is empty, what is equal, what cannot be read, and what the changes hold for the other side."""

import pytest

from tests.rules.cases import (
    AE,
    DESK,
    SF,
    Instant,
    Joined,
    JsonNumber,
    Listed,
    PlainDecimal,
    Row,
    Says,
    Table,
    each_row,
    pair,
    row,
)

MAPPING = """
[connector]
multiple_prospects_per_email = false

[values.state]
"Bavaria" = "BY"
"Hesse" = "HE"

[[field]]
prospect = "annualRevenue"
lead = "AnnualRevenue"
contact = "Revenue__c"
type = "number"
behavior = "{behavior}"

[[field]]
prospect = "isDoNotCall"
lead = "DoNotCall"
contact = "DoNotCall"
type = "boolean"
behavior = "{behavior}"

[[field]]
prospect = "401__c"
lead = "Birthday__c"
contact = "Birthdate"
type = "date"
behavior = "{behavior}"

[[field]]
prospect = "402__c"
lead = "Met__c"
contact = "Met__c"
type = "datetime"
behavior = "{behavior}"

[[field]]
prospect = "403__c"
lead = "Interests__c"
contact = "Interests__c"
type = "multiselect"
behavior = "{behavior}"

[[field]]
prospect = "404__c"
lead = "Second_Email__c"
contact = "Second_Email__c"
type = "email"
behavior = "{behavior}"

[[field]]
prospect = "state"
lead = "State"
contact = "MailingState"
behavior = "{behavior}"

[[field]]
prospect = "lastName"
lead = "LastName"
contact = "LastName"
type = "text"
behavior = "{behavior}"
default = "Unknown"
"""


def number(ae: object, sf: object) -> dict[str, object]:
    return pair({"annualRevenue": ae}, {"Revenue__c": sf})


def boolean(ae: object, sf: object) -> dict[str, object]:
    return pair({"isDoNotCall": ae}, {"DoNotCall": sf})


def date(ae: object, sf: object) -> dict[str, object]:
    return pair({"401__c": ae}, {"Birthdate": sf})


def instant(ae: object, sf: object) -> dict[str, object]:
    return pair({"402__c": ae}, {"Met__c": sf})


def choices(ae: object, sf: object) -> dict[str, object]:
    return pair({"403__c": ae}, {"Interests__c": sf})


def address(ae: object, sf: object) -> dict[str, object]:
    return pair({"404__c": ae}, {"Second_Email__c": sf})


def state(ae: object, sf: object) -> dict[str, object]:
    return pair({"state": ae}, {"MailingState": sf})


def unreadable(name: str, case: dict[str, object], field: str) -> Row:
    """A value that cannot be read as its mapped type is unread, with a problem."""
    return row(f"UNREAD {name}", case, Says(field, "UNREAD"), problems=[("UNREAD", field)])


WHATEVER_THE_BEHAVIOR = [
    # numbers: by decimal value, AE keeps them as text
    row("SAME number: trailing zeros", number("1200.50", 1200.5)),
    row("SAME number: text and JSON integer", number("1200", 1200)),
    row("SAME number: text and JSON float", number("1200", 1200.0)),
    row("SAME number: spaces around", number(" 1200 ", 1200)),
    row("SAME number: by decimal value, not by binary fraction", number("0.3", 0.3)),
    row("SAME number: zero", number("0", 0.0)),
    row("SAME number: negative", number("-5.0", -5)),
    row("SAME number: JSON numbers on both sides", number(7, 7.0)),
    row("SAME number: no text is empty", number("", None)),
    row("SAME number: digits beyond a float", number("12345678901234567890", 12345678901234567890)),
    unreadable("number: words", number("twelve", 12), "annualRevenue"),
    unreadable("number: NaN is no number", number("NaN", 12), "annualRevenue"),
    unreadable("number: Infinity is no number", number("Infinity", 12), "annualRevenue"),
    unreadable("number: unreadable on SF", number("12", "a dozen"), "annualRevenue"),
    unreadable("number: unreadable against empty is not filled into it", number("twelve", None), "annualRevenue"),
    # booleans
    row("SAME boolean: true", boolean(True, True)),
    row("SAME boolean: false", boolean(False, False)),
    unreadable("boolean: words", boolean("maybe", True), "isDoNotCall"),
    # dates
    row("SAME date", date("2026-05-01", "2026-05-01")),
    row("SAME date: no text is empty", date("", None)),
    unreadable("date: words", date("tomorrow", "2026-05-01"), "401__c"),
    unreadable("date: no such day", date("2026-05-01", "2026-02-30"), "401__c"),
    # instants
    row(
        "SAME datetime: by value, in another offset",
        instant("2026-05-01T10:00:00-05:00", "2026-05-01T15:00:00.000+0000"),
    ),
    row("SAME datetime: Z and +0000", instant("2026-05-01T15:00:00Z", "2026-05-01T15:00:00.000+0000")),
    row("SAME datetime: Z and +00:00", instant("2026-05-01T15:00:00+00:00", "2026-05-01T15:00:00Z")),
    unreadable("datetime: words", instant("2026-05-01T15:00:00Z", "noon"), "402__c"),
    # multi-selects: sets
    row("SAME multiselect: in another order", choices(["b", "a"], "a;b")),
    row("SAME multiselect: one choice", choices(["a"], "a")),
    row("SAME multiselect: one twice is one", choices(["a", "b", "a"], "b;a")),
    row("SAME multiselect: nothing selected and null", choices([], None)),
    row("SAME multiselect: nothing selected and no text", choices([], "")),
    row("SAME multiselect: null and no text", choices(None, "")),
    # e-mail addresses: without regard to case
    row("SAME email: without regard to case", address("Anna@X.org", "anna@x.ORG")),
    row("SAME email: after trimming", address(" anna@x.org ", "anna@x.org")),
    # text
    row("SAME text: Unicode NFC", pair({"lastName": "Mu\u0308ller"}, {"LastName": "M\u00fcller"})),
    row("SAME text: default does not fill what both sides leave empty", pair({"lastName": None}, {"LastName": ""})),
    # value maps: AE value = SF value
    row("SAME value map", state("Bavaria", "BY")),
    row("SAME value map: both empty", state(None, "")),
]

TO_AE = [
    row(
        "number to AE: plain decimal text",
        number("1", 1200.5),
        Says("annualRevenue", "SF-1", SF, 1200.5),
        to_prospect={"annualRevenue": PlainDecimal("1200.5")},
    ),
    row(
        "number to AE: no exponent for a large one",
        number("1", 1e22),
        Says("annualRevenue", "SF-1", SF, 1e22),
        to_prospect={"annualRevenue": PlainDecimal("10000000000000000000000")},
    ),
    row(
        "number to AE: no exponent for a small one",
        number("1", 1e-7),
        Says("annualRevenue", "SF-1", SF, 1e-7),
        to_prospect={"annualRevenue": PlainDecimal("0.0000001")},
    ),
    row(
        "number to AE: an integer",
        number("1", 1200),
        Says("annualRevenue", "SF-1", SF, 1200),
        to_prospect={"annualRevenue": "1200"},
    ),
    row(
        "number to AE: 0 is a value",
        number("5", 0),
        Says("annualRevenue", "SF-1", SF, 0),
        to_prospect={"annualRevenue": PlainDecimal("0")},
    ),
    row(
        "number to AE: 0 fills an empty side",
        number(None, 0),
        Says("annualRevenue", "SF-4", SF, 0, guarded=True),
        to_prospect={"annualRevenue": PlainDecimal("0")},
    ),
    row(
        "number: SF empty, AE's 0 is a value that fills it",
        number("0", None),
        Says("annualRevenue", "SF-2", AE, "0", guarded=True),
        to_person={"Revenue__c": JsonNumber("0")},
    ),
    row(
        "boolean to AE: false is a value",
        boolean(True, False),
        Says("isDoNotCall", "SF-1", SF, False),
        to_prospect={"isDoNotCall": False},
    ),
    row(
        "boolean to AE: false fills an empty side",
        boolean(None, False),
        Says("isDoNotCall", "SF-4", SF, False),
        to_prospect={"isDoNotCall": False},
    ),
    row(
        "date to AE: ISO",
        date("2026-05-01", "2026-05-02"),
        Says("401__c", "SF-1", SF, "2026-05-02"),
        to_prospect={"401__c": "2026-05-02"},
    ),
    row(
        "datetime to AE: ISO, the same instant",
        instant("2026-05-01T10:00:00-05:00", "2026-05-01T10:00:00.000+0000"),
        Says("402__c", "SF-1", SF, "2026-05-01T10:00:00.000+0000"),
        to_prospect={"402__c": Instant("2026-05-01T10:00:00+00:00")},
    ),
    row(
        "multiselect to AE: a list",
        choices(["a"], "b;c"),
        Says("403__c", "SF-1", SF, "b;c"),
        to_prospect={"403__c": Listed(frozenset("bc"))},
    ),
    row(
        "multiselect to AE: nothing selected is empty and is filled",
        choices([], "b"),
        Says("403__c", "SF-4", SF, "b", guarded=True),
        to_prospect={"403__c": ["b"]},
    ),
    row(
        "email to AE",
        address("a@x.org", "B@x.org"),
        Says("404__c", "SF-1", SF, "B@x.org"),
        to_prospect={"404__c": "B@x.org"},
    ),
    row(
        "value map to AE",
        state("Bavaria", "HE"),
        Says("state", "SF-1", SF, "HE"),
        to_prospect={"state": "Hesse"},
    ),
    row(
        "value map to AE: fills an empty side",
        state(None, "HE"),
        Says("state", "SF-4", SF, "HE", guarded=True),
        to_prospect={"state": "Hesse"},
    ),
    row(
        "text is case-sensitive",
        pair({"lastName": "MEIER"}, {"LastName": "Meier"}),
        Says("lastName", "SF-1", SF, "Meier"),
        to_prospect={"lastName": "Meier"},
    ),
    row(
        "UNREAD one field that cannot be read, the others go on",
        pair({"annualRevenue": "twelve", "lastName": "Maier"}, {"Revenue__c": 12, "LastName": "Meier"}),
        Says("annualRevenue", "UNREAD"),
        Says("lastName", "SF-1", SF, "Meier"),
        to_prospect={"lastName": "Meier"},
        problems=[("UNREAD", "annualRevenue")],
    ),
    row(
        "types on a lead, under the lead's field names",
        pair({"annualRevenue": "1"}, {"AnnualRevenue": 2.5}, "Lead"),
        Says("annualRevenue", "SF-1", SF, 2.5, person_field="AnnualRevenue"),
        to_prospect={"annualRevenue": PlainDecimal("2.5")},
    ),
]

TO_SF = [
    row(
        "number to SF: a JSON number",
        number("1200.50", 1),
        Says("annualRevenue", "AE-1", AE, "1200.50"),
        to_person={"Revenue__c": JsonNumber("1200.5")},
    ),
    row(
        "number to SF: an integer",
        number("5", None),
        Says("annualRevenue", "AE-3", AE, "5", guarded=True),
        to_person={"Revenue__c": JsonNumber("5")},
    ),
    row(
        "number to SF: 0 is a value",
        number("0", 5),
        Says("annualRevenue", "AE-1", AE, "0"),
        to_person={"Revenue__c": JsonNumber("0")},
    ),
    row(
        "number: AE empty, SF's 0 is a value that fills it",
        number("", 0),
        Says("annualRevenue", "AE-2", SF, 0, guarded=True),
        to_prospect={"annualRevenue": PlainDecimal("0")},
    ),
    row(
        "boolean to SF: AE's false overwrites SF's true",
        boolean(False, True),
        Says("isDoNotCall", "AE-1", AE, False),
        to_person={"DoNotCall": False},
    ),
    row(
        "date to SF: ISO",
        date("2026-05-01", "2026-05-02"),
        Says("401__c", "AE-1", AE, "2026-05-01"),
        to_person={"Birthdate": "2026-05-01"},
    ),
    row(
        "datetime to SF: ISO, the same instant",
        instant("2026-05-01T10:00:00-05:00", None),
        Says("402__c", "AE-3", AE, "2026-05-01T10:00:00-05:00", guarded=True),
        to_person={"Met__c": Instant("2026-05-01T15:00:00+00:00")},
    ),
    row(
        "multiselect to SF: joined by semicolons",
        choices(["b", "c"], "a"),
        Says("403__c", "AE-1", AE),
        to_person={"Interests__c": Joined(frozenset("bc"))},
    ),
    row(
        "multiselect to SF: one choice",
        choices(["b"], ""),
        Says("403__c", "AE-3", AE, ["b"], guarded=True),
        to_person={"Interests__c": "b"},
    ),
    row(
        "multiselect: AE has nothing selected, that is empty and is filled",
        choices([], "a;b"),
        Says("403__c", "AE-2", SF, "a;b", guarded=True),
        to_prospect={"403__c": Listed(frozenset("ab"))},
    ),
    row(
        "value map to SF",
        state("Bavaria", "HE"),
        Says("state", "AE-1", AE, "Bavaria"),
        to_person={"MailingState": "BY"},
    ),
    row(
        "value map to SF: fills an empty side",
        state("Hesse", " "),
        Says("state", "AE-3", AE, "Hesse", guarded=True),
        to_person={"MailingState": "HE"},
    ),
    row(
        "text is written as it is, other languages included",
        pair({"lastName": "Żółć 王"}, {"LastName": "Meier"}),
        Says("lastName", "AE-1", AE, "Żółć 王"),
        to_person={"LastName": "Żółć 王"},
    ),
]

SALESFORCE = Table("types, use_salesforce", MAPPING.format(behavior="use_salesforce"), WHATEVER_THE_BEHAVIOR + TO_AE)
ENGAGEMENT = Table(
    "types, use_account_engagement", MAPPING.format(behavior="use_account_engagement"), WHATEVER_THE_BEHAVIOR + TO_SF
)

CLEARED = Table(
    "types, emptied (use_salesforce, blank switch on)",
    MAPPING.format(behavior="use_salesforce").replace("[connector]", "[connector]\nallow_blank_salesforce = true"),
    [
        row(
            f"SF-3 an emptied {field} is null",
            pair({field: ae}, {person: sf}),
            Says(field, "SF-3", SF, guarded=False),
            to_prospect={field: None},
        )
        for field, person, ae, sf in [
            ("annualRevenue", "Revenue__c", "12", None),
            ("isDoNotCall", "DoNotCall", True, None),
            ("401__c", "Birthdate", "2026-05-01", None),
            ("402__c", "Met__c", "2026-05-01T10:00:00Z", ""),
            ("403__c", "Interests__c", ["a"], None),
            ("404__c", "Second_Email__c", "a@x.org", ""),
            ("state", "MailingState", "Bavaria", None),
        ]
    ]
    + [
        row(
            "SF-3 is not for a value that cannot be read",
            pair({"annualRevenue": "12"}, {"Revenue__c": "a dozen"}),
            Says("annualRevenue", "UNREAD"),
            problems=DESK,
        ),
    ],
)


@pytest.mark.parametrize(("table", "a_row"), each_row(SALESFORCE, ENGAGEMENT, CLEARED))
def test_types(table: Table, a_row: Row) -> None:
    table.check(a_row)
