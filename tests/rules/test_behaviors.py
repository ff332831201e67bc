"""Field rules without times: AE-1..3, SF-1..4, FB-1/2, CL-1, CL-2, SAME, UNREAD, ECHO; blank switch off and on."""

import pytest

from tests.rules.cases import AE, DESK, MISSING, SF, OneOf, Row, Says, Table, Trimmed, each_row, pair, row

MAPPING = """
[connector]
allow_blank_salesforce = {blank}
multiple_prospects_per_email = false

[[field]]
prospect = "firstName"
lead = "FirstName"
contact = "FirstName"
behavior = "use_account_engagement"

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_salesforce"

[[field]]
prospect = "department"
lead = "Department__c"
contact = "Department"
behavior = "fill_blanks"

[[field]]
prospect = "city"
lead = "City"
contact = "MailingCity"
behavior = "use_account_engagement"
clears = "either"

[[field]]
prospect = "state"
lead = "State"
contact = "MailingState"
behavior = "use_salesforce"
clears = "either"

[[field]]
prospect = "phone"
lead = "Phone"
contact = "Phone"
behavior = "use_salesforce"
clears = "salesforce"

[[field]]
prospect = "website"
lead = "Website"
behavior = "use_account_engagement"

[[field]]
prospect = "yearsInBusiness"
contact = "Years__c"
behavior = "use_salesforce"
"""

# What the blank switch does not touch: these rows must come out the same with it off and on.
EITHER_WAY = [
    # use_account_engagement
    row(
        "AE-1 A differs from B: SF := A, not guarded",
        pair({"firstName": "Anna"}, {"FirstName": "Berta"}),
        Says("firstName", "AE-1", AE, "Anna", guarded=False, person_field="FirstName"),
        to_person={"FirstName": "Anna"},
    ),
    row(
        "AE-2 AE null: AE := B, guarded since it fills an empty side",
        pair({"firstName": None}, {"FirstName": "Berta"}),
        Says("firstName", "AE-2", SF, "Berta", guarded=True),
        to_prospect={"firstName": "Berta"},
    ),
    row(
        "AE-2 AE no text",
        pair({"firstName": ""}, {"FirstName": "Berta"}),
        Says("firstName", "AE-2", SF, "Berta", guarded=True),
        to_prospect={"firstName": "Berta"},
    ),
    row(
        "AE-2 AE white space only is empty",
        pair({"firstName": " \t\n "}, {"FirstName": "Berta"}),
        Says("firstName", "AE-2", SF, "Berta", guarded=True),
        to_prospect={"firstName": "Berta"},
    ),
    row(
        "AE-3 SF null: SF := A, guarded since it fills an empty side",
        pair({"firstName": "Anna"}, {"FirstName": None}),
        Says("firstName", "AE-3", AE, "Anna", guarded=True),
        to_person={"FirstName": "Anna"},
    ),
    row(
        "AE-3 SF no text",
        pair({"firstName": "Anna"}, {"FirstName": ""}),
        Says("firstName", "AE-3", AE, "Anna", guarded=True),
        to_person={"FirstName": "Anna"},
    ),
    row(
        "AE-3 SF white space only is empty",
        pair({"firstName": "Anna"}, {"FirstName": "   "}),
        Says("firstName", "AE-3", AE, "Anna", guarded=True),
        to_person={"FirstName": "Anna"},
    ),
    row(
        "AE-1 on a lead",
        pair({"firstName": "Anna"}, {"FirstName": "Berta"}, "Lead"),
        Says("firstName", "AE-1", AE, "Anna", guarded=False),
        to_person={"FirstName": "Anna"},
    ),
    row(
        "AE-1 the base changes nothing in a one-sided behavior",
        pair({"firstName": "Anna"}, {"FirstName": "Berta"}, base={"firstName": "Anna"}),
        Says("firstName", "AE-1", AE, "Anna", guarded=False),
        to_person={"FirstName": "Anna"},
    ),
    row(
        "AE-1 only SF has field history, and newer: the behavior does not look at times",
        pair(
            {"firstName": "Anna"},
            {"FirstName": "Berta"},
            history=[
                {"Field": "FirstName", "CreatedDate": "2026-11-22T00:00:00Z", "CreatedById": "005000000000001AAA"}
            ],
        ),
        Says("firstName", "AE-1", AE, "Anna", guarded=False),
        to_person={"FirstName": "Anna"},
    ),
    # SAME
    row("SAME equal", pair({"firstName": "Anna"}, {"FirstName": "Anna"}), Says("firstName", "SAME")),
    row("SAME null and null", pair({"firstName": None}, {"FirstName": None}), Says("firstName", "SAME")),
    row("SAME null and no text", pair({"firstName": None}, {"FirstName": ""}), Says("firstName", "SAME")),
    row("SAME no text and white space", pair({"firstName": ""}, {"FirstName": " \n"}), Says("firstName", "SAME")),
    row("SAME after trimming", pair({"firstName": " Anna "}, {"FirstName": "Anna"}), Says("firstName", "SAME")),
    row(
        "SAME Unicode NFC (e + combining acute, and the letter)",
        pair({"firstName": "Rene\u0301"}, {"FirstName": "Ren\u00e9"}),
        Says("firstName", "SAME"),
    ),
    row("SAME CRLF and LF", pair({"jobTitle": "a\r\nb"}, {"Title": "a\nb"}), Says("jobTitle", "SAME")),
    row(
        "AE-1 text is case-sensitive",
        pair({"firstName": "anna"}, {"FirstName": "Anna"}),
        Says("firstName", "AE-1", AE, "anna", guarded=False),
        to_person={"FirstName": "anna"},
    ),
    row(
        "AE-1 a decision's value is the winner's value as read",
        pair({"firstName": " Anna "}, {"FirstName": "Berta"}),
        Says("firstName", "AE-1", AE, " Anna ", guarded=False),
        to_person={"FirstName": Trimmed("Anna")},
    ),
    # use_salesforce
    row(
        "SF-1 A differs from B: AE := B, not guarded",
        pair({"jobTitle": "CTO"}, {"Title": "CEO"}),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False, person_field="Title"),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "SF-1 on a lead",
        pair({"jobTitle": "CTO"}, {"Title": "CEO"}, "Lead"),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "SF-1 base equal to SF: still SF, the behavior has no contest",
        pair({"jobTitle": "CTO"}, {"Title": "CEO"}, base={"jobTitle": "CEO"}),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "SF-4 AE null: AE := B, guarded",
        pair({"jobTitle": None}, {"Title": "CEO"}),
        Says("jobTitle", "SF-4", SF, "CEO", guarded=True),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "SF-4 AE no text",
        pair({"jobTitle": ""}, {"Title": "CEO"}),
        Says("jobTitle", "SF-4", SF, "CEO", guarded=True),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "SF-4 AE white space",
        pair({"jobTitle": "  "}, {"Title": "CEO"}),
        Says("jobTitle", "SF-4", SF, "CEO", guarded=True),
        to_prospect={"jobTitle": "CEO"},
    ),
    # fill_blanks
    row(
        "FB-1 SF empty: SF := A, guarded",
        pair({"department": "R&D"}, {"Department": None}),
        Says("department", "FB-1", AE, "R&D", guarded=True, person_field="Department"),
        to_person={"Department": "R&D"},
    ),
    row(
        "FB-1 AE empty: AE := B, guarded",
        pair({"department": " "}, {"Department": "Sales"}),
        Says("department", "FB-1", SF, "Sales", guarded=True),
        to_prospect={"department": "Sales"},
    ),
    row(
        "FB-1 a lead's own field name",
        pair({"department": "R&D"}, {"Department__c": ""}, "Lead"),
        Says("department", "FB-1", AE, "R&D", guarded=True, person_field="Department__c"),
        to_person={"Department__c": "R&D"},
    ),
    row(
        "FB-2 both filled and different: left alone and listed",
        pair({"department": "R&D"}, {"Department": "Sales"}),
        Says("department", "FB-2"),
        problems=DESK,
    ),
    row(
        "FB-2 the base does not make fill_blanks overwrite",
        pair({"department": "R&D"}, {"Department": "Sales"}, base={"department": "R&D"}),
        Says("department", "FB-2"),
        problems=DESK,
    ),
    row("FB SAME", pair({"department": "R&D"}, {"Department": "R&D"}), Says("department", "SAME")),
    # UNREAD
    row(
        "UNREAD key missing on AE",
        pair({"firstName": MISSING}, {"FirstName": "Berta"}),
        Says("firstName", "UNREAD"),
        problems=DESK,
    ),
    row(
        "UNREAD key missing on SF",
        pair({"firstName": "Anna"}, {"FirstName": MISSING}),
        Says("firstName", "UNREAD"),
        problems=DESK,
    ),
    row(
        "UNREAD before SAME: missing on AE, null on SF",
        pair({"jobTitle": MISSING}, {"Title": None}),
        Says("jobTitle", "UNREAD"),
        problems=DESK,
    ),
    row(
        "UNREAD missing on both sides",
        pair({"jobTitle": MISSING}, {"Title": MISSING}),
        Says("jobTitle", "UNREAD"),
        problems=DESK,
    ),
    row(
        "UNREAD under fill_blanks: neither filled nor empty",
        pair({"department": "R&D"}, {"Department": MISSING}),
        Says("department", "UNREAD"),
        problems=DESK,
    ),
    row(
        "UNREAD with CL-2: a missing key is no clearing",
        pair({"city": MISSING}, {"MailingCity": "Bonn"}, base={"city": "Bonn"}),
        Says("city", "UNREAD"),
        problems=DESK,
    ),
    row(
        "UNREAD one field, the others go on",
        pair({"firstName": MISSING, "jobTitle": "CTO"}, {"FirstName": "Berta", "Title": "CEO"}),
        Says("firstName", "UNREAD"),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        to_prospect={"jobTitle": "CEO"},
        problems=DESK,
    ),
    # ECHO
    row(
        "ECHO AE as written, SF as stored: nothing",
        pair(
            {"jobTitle": "Head of IT"},
            {"Title": "HEAD OF IT"},
            echo={"jobTitle": {"written": "Head of IT", "stored": "HEAD OF IT"}},
        ),
        Says("jobTitle", "ECHO"),
        problems=DESK,
    ),
    row(
        "ECHO mirror image: SF as written, AE as stored",
        pair(
            {"jobTitle": "HEAD OF IT"},
            {"Title": "Head of IT"},
            echo={"jobTitle": {"written": "Head of IT", "stored": "HEAD OF IT"}},
        ),
        Says("jobTitle", "ECHO"),
        problems=DESK,
    ),
    row(
        "ECHO under use_account_engagement",
        pair({"firstName": "anna"}, {"FirstName": "Anna"}, echo={"firstName": {"written": "anna", "stored": "Anna"}}),
        Says("firstName", "ECHO"),
        problems=DESK,
    ),
    row(
        "ECHO a side that strips what we wrote does not blank the other (clears = salesforce)",
        pair({"phone": "x"}, {"Phone": None}, echo={"phone": {"written": "x", "stored": None}}),
        Says("phone", "ECHO"),
        problems=DESK,
    ),
    row(
        "ECHO before CL: stripped, with a filled base (clears = either)",
        pair(
            {"state": "x"},
            {"MailingState": None},
            base={"state": "x"},
            echo={"state": {"written": "x", "stored": None}},
        ),
        Says("state", "ECHO"),
        problems=DESK,
    ),
    row(
        "ECHO while neither changes: SF changed, SF-1 goes on",
        pair(
            {"jobTitle": "Head of IT"},
            {"Title": "CEO"},
            echo={"jobTitle": {"written": "Head of IT", "stored": "HEAD OF IT"}},
        ),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "ECHO while neither changes: AE changed, AE-1 goes on",
        pair({"firstName": "Lisa"}, {"FirstName": "Anna"}, echo={"firstName": {"written": "anna", "stored": "Anna"}}),
        Says("firstName", "AE-1", AE, "Lisa", guarded=False),
        to_person={"FirstName": "Lisa"},
    ),
    row(
        "ECHO of another field says nothing about this one",
        pair({"firstName": "anna"}, {"FirstName": "Anna"}, echo={"jobTitle": {"written": "anna", "stored": "Anna"}}),
        Says("firstName", "AE-1", AE, "anna", guarded=False),
        to_person={"FirstName": "anna"},
    ),
    row(
        "SAME before ECHO",
        pair({"jobTitle": "CEO"}, {"Title": "CEO"}, echo={"jobTitle": {"written": "CEO", "stored": "CEO"}}),
        Says("jobTitle", "SAME"),
    ),
    row(
        "UNREAD before ECHO",
        pair({"jobTitle": "CEO"}, {"Title": MISSING}, echo={"jobTitle": {"written": "CEO", "stored": None}}),
        Says("jobTitle", "UNREAD"),
        problems=DESK,
    ),
    # CL-1
    row(
        "CL-1 SF empty: AE := empty with this id, not guarded",
        pair({"phone": "0171 5"}, {"Phone": None}),
        Says("phone", OneOf(("CL-1", "SF-3")), SF, None, guarded=False),
        to_prospect={"phone": None},
    ),
    row(
        "CL-1 SF-1 where SF is filled",
        pair({"phone": "0171 5"}, {"Phone": "0171 6"}),
        Says("phone", "SF-1", SF, "0171 6", guarded=False),
        to_prospect={"phone": "0171 6"},
    ),
    row(
        "CL-1 SF-4 where AE is empty",
        pair({"phone": None}, {"Phone": "0171 6"}),
        Says("phone", "SF-4", SF, "0171 6", guarded=True),
        to_prospect={"phone": "0171 6"},
    ),
    row(
        "CL-1 the couple's first sync after relinking never clears: SF-2",
        pair({"phone": "0171 5"}, {"Phone": None}, relinked=True),
        Says("phone", "SF-2", AE, "0171 5", guarded=True),
        to_person={"Phone": "0171 5"},
    ),
    # CL-2 under use_account_engagement
    row(
        "CL-2 use_account_engagement: AE cleared, AE wins, SF := empty",
        pair({"city": None}, {"MailingCity": "Bonn"}, base={"city": "Bonn"}),
        Says("city", "CL-2", AE, None, guarded=False, person_field="MailingCity"),
        to_person={"MailingCity": None},
    ),
    row(
        "CL-2 use_account_engagement: AE cleared, SF changed too: AE still wins",
        pair({"city": ""}, {"MailingCity": "Köln"}, base={"city": "Bonn"}),
        Says("city", "CL-2", AE, guarded=False),
        to_person={"MailingCity": None},
    ),
    row(
        "CL-2 use_account_engagement: SF cleared, AE wins, SF := A with this id",
        pair({"city": "Bonn"}, {"MailingCity": None}, base={"city": "Bonn"}),
        Says("city", "CL-2", AE, "Bonn"),
        to_person={"MailingCity": "Bonn"},
    ),
    row(
        "CL-2 without a base as if off: AE-2",
        pair({"city": None}, {"MailingCity": "Bonn"}),
        Says("city", "AE-2", SF, "Bonn", guarded=True),
        to_prospect={"city": "Bonn"},
    ),
    row(
        "CL-2 a base of another field is no base: AE-2",
        pair({"city": None}, {"MailingCity": "Bonn"}, base={"state": "NRW"}),
        Says("city", "AE-2", SF, "Bonn", guarded=True),
        to_prospect={"city": "Bonn"},
    ),
    row(
        "CL-2 an empty side whose base was empty is no clearing: AE-2",
        pair({"city": None}, {"MailingCity": "Bonn"}, base={"city": None}),
        Says("city", "AE-2", SF, "Bonn", guarded=True),
        to_prospect={"city": "Bonn"},
    ),
    row(
        "CL-2 both filled: AE-1, no clearing takes part",
        pair({"city": "Ulm"}, {"MailingCity": "Bonn"}, base={"city": "Bonn"}),
        Says("city", "AE-1", AE, "Ulm", guarded=False),
        to_person={"MailingCity": "Ulm"},
    ),
    row(
        "CL-2 both cleared: SAME",
        pair({"city": None}, {"MailingCity": ""}, base={"city": "Bonn"}),
        Says("city", "SAME"),
    ),
    row(
        "CL-2 relinked: never clears, AE-2",
        pair({"city": None}, {"MailingCity": "Bonn"}, relinked=True),
        Says("city", "AE-2", SF, "Bonn", guarded=True),
        to_prospect={"city": "Bonn"},
    ),
    # CL-2 under use_salesforce, the switch off or on alike where SF is filled
    row(
        "CL-2 use_salesforce: AE cleared, SF wins, AE := B with this id",
        pair({"state": None}, {"MailingState": "NRW"}, base={"state": "NRW"}),
        Says("state", "CL-2", SF, "NRW"),
        to_prospect={"state": "NRW"},
    ),
    row(
        "CL-2 use_salesforce: SF-1 where both are filled",
        pair({"state": "BY"}, {"MailingState": "NRW"}, base={"state": "BY"}),
        Says("state", "SF-1", SF, "NRW", guarded=False),
        to_prospect={"state": "NRW"},
    ),
    row(
        "CL-2 use_salesforce: SF-4 without a base",
        pair({"state": None}, {"MailingState": "NRW"}),
        Says("state", "SF-4", SF, "NRW", guarded=True),
        to_prospect={"state": "NRW"},
    ),
    # which fields there are
    row(
        "a field without a lead side is no field of a lead",
        pair({"website": "a.org", "yearsInBusiness": "3"}, {"Website": "b.org"}, "Lead"),
        Says("website", "AE-1", AE, "a.org", guarded=False),
        to_person={"Website": "a.org"},
    ),
    row(
        "a field without a contact side is no field of a contact",
        pair({"website": "a.org", "yearsInBusiness": "3"}, {"Years__c": "4"}),
        Says("yearsInBusiness", "SF-1", SF, "4", guarded=False),
        to_prospect={"yearsInBusiness": "4"},
    ),
    row(
        "absent optional keys mean unknown: only the five required keys are there",
        {k: v for k, v in pair({"jobTitle": "CTO"}, {"Title": "CEO"}).items() if k != "history"},
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "absent and null are alike for every optional key",
        pair(
            {"jobTitle": "CTO"},
            {"Title": "CEO", "ConvertedFrom": None},
            account_name=None,
            history=None,
            history_since=None,
            prospect_field_times=None,
            base=None,
            echo=None,
            last_foreign=None,
        ),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "unknown extra keys are ignored, at every level",
        pair({"jobTitle": "CTO", "foo": 1}, {"Title": "CEO", "Foo__c": {"a": []}}, surprise={"x": [1]}, note="n"),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        to_prospect={"jobTitle": "CEO"},
    ),
    row(
        "all fields at once, each by its own behavior",
        pair(
            {"firstName": "Anna", "jobTitle": "CTO", "department": "R&D", "city": "Ulm", "state": "BY", "phone": "1"},
            {
                "FirstName": "Berta",
                "Title": "CEO",
                "Department": "Sales",
                "MailingCity": "Bonn",
                "MailingState": "NRW",
                "Phone": "2",
            },
        ),
        Says("firstName", "AE-1", AE, "Anna", guarded=False),
        Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
        Says("department", "FB-2"),
        Says("city", "AE-1", AE, "Ulm", guarded=False),
        Says("state", "SF-1", SF, "NRW", guarded=False),
        Says("phone", "SF-1", SF, "2", guarded=False),
        to_prospect={"jobTitle": "CEO", "state": "NRW", "phone": "2"},
        to_person={"FirstName": "Anna", "MailingCity": "Ulm"},
        problems=DESK,
    ),
]

SWITCH_OFF = [
    row(
        "SF-2 SF null: SF := A, guarded",
        pair({"jobTitle": "CTO"}, {"Title": None}),
        Says("jobTitle", "SF-2", AE, "CTO", guarded=True),
        to_person={"Title": "CTO"},
    ),
    row(
        "SF-2 SF no text",
        pair({"jobTitle": "CTO"}, {"Title": ""}),
        Says("jobTitle", "SF-2", AE, "CTO", guarded=True),
        to_person={"Title": "CTO"},
    ),
    row(
        "SF-2 SF white space",
        pair({"jobTitle": "CTO"}, {"Title": " \t"}),
        Says("jobTitle", "SF-2", AE, "CTO", guarded=True),
        to_person={"Title": "CTO"},
    ),
    row(
        "SF-2 a base alone clears nothing",
        pair({"jobTitle": "CTO"}, {"Title": None}, base={"jobTitle": "CTO"}),
        Says("jobTitle", "SF-2", AE, "CTO", guarded=True),
        to_person={"Title": "CTO"},
    ),
    row(
        "CL-1 has its own id where the switch is off",
        pair({"phone": "0171 5"}, {"Phone": " "}),
        Says("phone", "CL-1", SF, guarded=False),
        to_prospect={"phone": None},
    ),
    row(
        "CL-2 use_salesforce: SF cleared, SF wins, AE := empty",
        pair({"state": "NRW"}, {"MailingState": None}, base={"state": "NRW"}),
        Says("state", "CL-2", SF, None, guarded=False),
        to_prospect={"state": None},
    ),
    row(
        "CL-2 use_salesforce: SF cleared, AE changed too: SF still wins",
        pair({"state": "BY"}, {"MailingState": None}, base={"state": "NRW"}),
        Says("state", "CL-2", SF, None, guarded=False),
        to_prospect={"state": None},
    ),
    row(
        "CL-2 without a base as if off: SF-2",
        pair({"state": "NRW"}, {"MailingState": None}),
        Says("state", "SF-2", AE, "NRW", guarded=True),
        to_person={"MailingState": "NRW"},
    ),
    row(
        "CL-2 base empty: SF-2",
        pair({"state": "NRW"}, {"MailingState": None}, base={"state": ""}),
        Says("state", "SF-2", AE, "NRW", guarded=True),
        to_person={"MailingState": "NRW"},
    ),
]

SWITCH_ON = [
    row(
        "SF-3 SF null: AE := empty, not guarded",
        pair({"jobTitle": "CTO"}, {"Title": None}),
        Says("jobTitle", "SF-3", SF, None, guarded=False),
        to_prospect={"jobTitle": None},
    ),
    row(
        "SF-3 SF no text: an emptied field is null in the changes",
        pair({"jobTitle": "CTO"}, {"Title": ""}),
        Says("jobTitle", "SF-3", SF, guarded=False),
        to_prospect={"jobTitle": None},
    ),
    row(
        "SF-3 SF white space: an emptied field is null in the changes",
        pair({"jobTitle": "CTO"}, {"Title": "  "}),
        Says("jobTitle", "SF-3", SF, guarded=False),
        to_prospect={"jobTitle": None},
    ),
    row(
        "SF-3 on a lead",
        pair({"jobTitle": "CTO"}, {"Title": None}, "Lead"),
        Says("jobTitle", "SF-3", SF, None, guarded=False),
        to_prospect={"jobTitle": None},
    ),
    row(
        "SF-3 needs no base",
        pair({"jobTitle": "CTO"}, {"Title": None}, base={}),
        Says("jobTitle", "SF-3", SF, None, guarded=False),
        to_prospect={"jobTitle": None},
    ),
    row(
        "SF-3 relinked: acts as off, SF-2",
        pair({"jobTitle": "CTO"}, {"Title": None}, relinked=True),
        Says("jobTitle", "SF-2", AE, "CTO", guarded=True),
        to_person={"Title": "CTO"},
    ),
    row(
        "SF-3 relinked false is not relinked",
        pair({"jobTitle": "CTO"}, {"Title": None}, relinked=False),
        Says("jobTitle", "SF-3", SF, None, guarded=False),
        to_prospect={"jobTitle": None},
    ),
    row(
        "ECHO before SF-3: a side that strips what we wrote does not blank the other",
        pair({"jobTitle": "CTO"}, {"Title": None}, echo={"jobTitle": {"written": "CTO", "stored": None}}),
        Says("jobTitle", "ECHO"),
        problems=DESK,
    ),
    row(
        "SF-3 is not for a field that was not read",
        pair({"jobTitle": "CTO"}, {"Title": MISSING}),
        Says("jobTitle", "UNREAD"),
        problems=DESK,
    ),
]


def _table(name: str, blank: str, rows: list[Row]) -> Table:
    return Table(name, MAPPING.replace("{blank}", blank), rows)


OFF = _table("blank switch off", "false", EITHER_WAY + SWITCH_OFF)
ON = _table("blank switch on", "true", EITHER_WAY + SWITCH_ON)


@pytest.mark.parametrize(("table", "a_row"), each_row(OFF, ON))
def test_behaviors(table: Table, a_row: Row) -> None:
    table.check(a_row)
