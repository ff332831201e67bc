"""most_recent_record and its evidence: RR-1, RR-2, TIE, last_foreign, CL-2, and the guard which it puts on every SF write."""

import pytest

from tests.rules.cases import (
    AE,
    CONNECTOR,
    CONNECTOR_AE,
    DESK,
    MISSING,
    SF,
    Row,
    Says,
    Table,
    changed,
    each_row,
    pair,
    row,
    seen,
)

MAPPING = """
[connector]
multiple_prospects_per_email = false
allow_blank_salesforce = {blank}
skew_margin = {skew}

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "most_recent_record"

[[field]]
prospect = "phone"
lead = "Phone"
contact = "Phone"
behavior = "most_recent_record"
tie = "account_engagement"

[[field]]
prospect = "isDoNotCall"
lead = "DoNotCall"
contact = "DoNotCall"
type = "boolean"
behavior = "most_recent_record"

[[field]]
prospect = "state"
lead = "State"
contact = "MailingState"
behavior = "most_recent_record"
clears = "either"

[[field]]
prospect = "firstName"
lead = "FirstName"
contact = "FirstName"
behavior = "use_account_engagement"
"""

TITLES = ({"jobTitle": "CTO"}, {"Title": "CEO"})
AE_WINS = Says("jobTitle", "RR-1", AE, "CTO", guarded=True)
SF_WINS = Says("jobTitle", "RR-1", SF, "CEO", guarded=True)
AE_TIE = Says("phone", "TIE", AE, "1", guarded=True)
SF_TIE = Says("jobTitle", "TIE", SF, "CEO", guarded=True)
AE_FILLS = Says("jobTitle", "RR-2", AE, "CTO", guarded=True)
SF_FILLS = Says("jobTitle", "RR-2", SF, "CEO", guarded=True)
TO_SF = {"Title": "CTO"}
TO_AE = {"jobTitle": "CEO"}


def at(
    ae: str, sf: str, prospect: dict[str, object], person: dict[str, object], **evidence: object
) -> dict[str, object]:
    """A pair whose records were last modified at these times of 20 November, by people unless said otherwise."""
    return pair(
        {"updatedAt": f"2026-11-20T{ae}Z", **prospect},
        {"LastModifiedDate": f"2026-11-20T{sf}.000+0000", **person},
        **evidence,
    )


ALIKE = [
    row("RR-1 AE's record later", at("10:00:01", "10:00:00", *TITLES), AE_WINS, to_person=TO_SF),
    row("RR-1 SF's record later", at("10:00:00", "10:00:01", *TITLES), SF_WINS, to_prospect=TO_AE),
    row("TIE in one second: default salesforce", at("10:00:00", "10:00:00", *TITLES), SF_TIE, to_prospect=TO_AE),
    row(
        "TIE fractions are cut to the second",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-20T10:00:00Z"},
            {**TITLES[1], "LastModifiedDate": "2026-11-20T10:00:00.999+0000"},
        ),
        SF_TIE,
        to_prospect=TO_AE,
    ),
    row(
        "TIE instants are compared as instants: 05:00-05:00 is 10:00Z",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-20T05:00:00-05:00"},
            {**TITLES[1], "LastModifiedDate": "2026-11-20T10:00:00.000+0000"},
        ),
        SF_TIE,
        to_prospect=TO_AE,
    ),
    row(
        "TIE tie = account_engagement",
        at("10:00:00", "10:00:00", {"phone": "1"}, {"Phone": "2"}),
        AE_TIE,
        to_person={"Phone": "1"},
    ),
    row(
        "TIE consent field: true wins (AE's)",
        at("10:00:00", "10:00:00", {"isDoNotCall": True}, {"DoNotCall": False}),
        Says("isDoNotCall", "TIE", AE, True, guarded=True),
        to_person={"DoNotCall": True},
    ),
    row(
        "TIE consent field: true wins (SF's)",
        at("10:00:00", "10:00:00", {"isDoNotCall": False}, {"DoNotCall": True}),
        Says("isDoNotCall", "TIE", SF, True, guarded=True),
        to_prospect={"isDoNotCall": True},
    ),
    row(
        "RR-1 consent field: a proved order beats restrictive",
        at("10:00:01", "10:00:00", {"isDoNotCall": False}, {"DoNotCall": True}),
        Says("isDoNotCall", "RR-1", AE, False, guarded=True),
        to_person={"DoNotCall": False},
    ),
    row(
        "RR-1 looks at the record: field history and intervals do not count",
        at(
            "10:00:01",
            "10:00:00",
            *TITLES,
            history=[changed("Title", "2026-11-21T00:00:00Z")],
            prospect_field_times={"jobTitle": seen("2026-01-05T08:00:00Z", "2026-01-06T00:00:00Z")},
        ),
        AE_WINS,
        to_person=TO_SF,
    ),
    row(
        "RR-1 needs no field history",
        at("10:00:00", "10:00:01", *TITLES, history=None, history_since={"Title": None}),
        SF_WINS,
        to_prospect=TO_AE,
    ),
    row(
        "RR-1 the base decides no record contest: one-sided change is for most_recent_field",
        at("10:00:01", "10:00:00", *TITLES, base={"jobTitle": "CTO"}),
        AE_WINS,
        to_person=TO_SF,
    ),
    row(
        "TIE the base decides no record tie either",
        at("10:00:00", "10:00:00", {"phone": "1"}, {"Phone": "2"}, base={"phone": "1"}),
        AE_TIE,
        to_person={"Phone": "1"},
    ),
    # RR-2
    row(
        "RR-2 AE empty, AE later", at("10:00:01", "10:00:00", {"jobTitle": ""}, TITLES[1]), SF_FILLS, to_prospect=TO_AE
    ),
    row(
        "RR-2 AE empty, SF later", at("10:00:00", "10:00:01", {"jobTitle": " "}, TITLES[1]), SF_FILLS, to_prospect=TO_AE
    ),
    row("RR-2 SF empty, SF later", at("10:00:00", "10:00:01", TITLES[0], {"Title": None}), AE_FILLS, to_person=TO_SF),
    row("RR-2 SF empty, AE later", at("10:00:01", "10:00:00", TITLES[0], {"Title": ""}), AE_FILLS, to_person=TO_SF),
    row("RR-2 SF empty, a tie", at("10:00:00", "10:00:00", TITLES[0], {"Title": ""}), AE_FILLS, to_person=TO_SF),
    row(
        "RR-2 SF empty and later, with a base, without clears: filled all the same",
        at("10:00:00", "10:00:01", TITLES[0], {"Title": None}, base={"jobTitle": "CTO"}),
        AE_FILLS,
        to_person=TO_SF,
    ),
    row("SAME before RR", at("10:00:00", "10:00:01", {"jobTitle": "CEO"}, {"Title": "CEO"}), Says("jobTitle", "SAME")),
    row(
        "UNREAD before RR",
        at("10:00:00", "10:00:01", {"jobTitle": MISSING}, {"Title": "CEO"}),
        Says("jobTitle", "UNREAD"),
        problems=DESK,
    ),
    row(
        "ECHO before RR",
        at(
            "10:00:01",
            "10:00:00",
            {"jobTitle": "head"},
            {"Title": "HEAD"},
            echo={"jobTitle": {"written": "head", "stored": "HEAD"}},
        ),
        Says("jobTitle", "ECHO"),
        problems=DESK,
    ),
    # the connector's own modifications
    row(
        "SF last modified by the connector: the remembered foreign modification counts, AE later",
        at(
            "10:00:00",
            "10:00:05",
            TITLES[0],
            {**TITLES[1], "LastModifiedById": CONNECTOR},
            last_foreign={"person": "2026-11-20T09:59:59Z", "prospect": None},
        ),
        AE_WINS,
        to_person=TO_SF,
    ),
    row(
        "SF last modified by the connector: the remembered foreign modification counts, SF later",
        at(
            "10:00:00",
            "10:00:05",
            TITLES[0],
            {**TITLES[1], "LastModifiedById": CONNECTOR[:15]},
            last_foreign={"person": "2026-11-20T10:00:01Z", "prospect": None},
        ),
        SF_WINS,
        to_prospect=TO_AE,
    ),
    row(
        "SF last modified by the connector, nothing remembered: TIE though SF's stamp is later (tie AE)",
        at("10:00:00", "10:00:05", {"phone": "1"}, {"Phone": "2", "LastModifiedById": CONNECTOR}),
        AE_TIE,
        to_person={"Phone": "1"},
    ),
    row(
        "SF last modified by the connector, nothing remembered: TIE though AE's stamp is later (tie SF)",
        at("10:00:05", "10:00:00", TITLES[0], {**TITLES[1], "LastModifiedById": CONNECTOR}),
        SF_TIE,
        to_prospect=TO_AE,
    ),
    row(
        "AE last modified by the connector: the remembered foreign modification counts, SF later",
        at(
            "10:00:05",
            "10:00:00",
            {**TITLES[0], "updatedById": CONNECTOR_AE},
            TITLES[1],
            last_foreign={"person": None, "prospect": "2026-11-20T09:59:59Z"},
        ),
        SF_WINS,
        to_prospect=TO_AE,
    ),
    row(
        "AE last modified by the connector: the remembered foreign modification counts, AE later",
        at(
            "10:00:05",
            "10:00:00",
            {**TITLES[0], "updatedById": CONNECTOR_AE},
            TITLES[1],
            last_foreign={"person": None, "prospect": "2026-11-20T10:00:01Z"},
        ),
        AE_WINS,
        to_person=TO_SF,
    ),
    row(
        "AE last modified by the connector, nothing remembered: TIE though AE's stamp is later (tie SF)",
        at("10:00:05", "10:00:00", {**TITLES[0], "updatedById": CONNECTOR_AE}, TITLES[1]),
        SF_TIE,
        to_prospect=TO_AE,
    ),
    row(
        "AE last modified by the connector, nothing remembered: TIE though SF's stamp is later (tie AE)",
        at("10:00:00", "10:00:05", {"phone": "1", "updatedById": CONNECTOR_AE}, {"Phone": "2"}),
        AE_TIE,
        to_person={"Phone": "1"},
    ),
    row(
        "both last modified by the connector, both remembered: the remembered ones are compared",
        at(
            "10:00:05",
            "10:00:09",
            {**TITLES[0], "updatedById": CONNECTOR_AE},
            {**TITLES[1], "LastModifiedById": CONNECTOR},
            last_foreign={"person": "2026-11-20T09:00:00Z", "prospect": "2026-11-20T09:00:01Z"},
        ),
        AE_WINS,
        to_person=TO_SF,
    ),
    row(
        "last modified by people: what is remembered does not count",
        at(
            "10:00:00",
            "10:00:01",
            *TITLES,
            last_foreign={"person": "2026-11-01T00:00:00Z", "prospect": "2026-11-25T00:00:00Z"},
        ),
        SF_WINS,
        to_prospect=TO_AE,
    ),
    # CL-2
    row(
        "CL-2 RR: SF's clearing, SF's record later: AE := empty, guarded",
        at("10:00:00", "10:00:01", {"state": "BY"}, {"MailingState": None}, base={"state": "BY"}),
        Says("state", "CL-2", SF, None, guarded=True),
        to_prospect={"state": None},
    ),
    row(
        "CL-2 RR: SF's clearing, AE's record later: SF := A with this id",
        at("10:00:01", "10:00:00", {"state": "BY"}, {"MailingState": None}, base={"state": "BY"}),
        Says("state", "CL-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    row(
        "CL-2 RR: AE's clearing, AE's record later: SF := empty",
        at("10:00:01", "10:00:00", {"state": None}, {"MailingState": "BY"}, base={"state": "BY"}),
        Says("state", "CL-2", AE, None, guarded=True),
        to_person={"MailingState": None},
    ),
    row(
        "CL-2 RR TIE: AE's filled value beats SF's clearing (tie is salesforce)",
        at("10:00:00", "10:00:00", {"state": "BY"}, {"MailingState": None}, base={"state": "BY"}),
        Says("state", "CL-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    row(
        "CL-2 RR TIE: SF's filled value beats AE's clearing",
        at("10:00:00", "10:00:00", {"state": None}, {"MailingState": "BY"}, base={"state": "BY"}),
        Says("state", "CL-2", SF, "BY", guarded=True),
        to_prospect={"state": "BY"},
    ),
    row(
        "CL-2 RR without a base as if off: RR-2",
        at("10:00:00", "10:00:01", {"state": "BY"}, {"MailingState": None}),
        Says("state", "RR-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    row(
        "CL-2 RR relinked, no base: never clears, RR-2",
        at("10:00:00", "10:00:01", {"state": "BY"}, {"MailingState": None}, relinked=True),
        Says("state", "RR-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    # the guard
    row(
        "guarded: with a most_recent_record field every SF write is guarded, AE-1 too",
        at("10:00:00", "10:00:01", {"firstName": "Anna"}, {"FirstName": "Berta"}),
        Says("firstName", "AE-1", AE, "Anna", guarded=True),
        to_person={"FirstName": "Anna"},
    ),
]

ZERO = Table("most recent record", MAPPING.format(blank="false", skew="0"), ALIKE)
BLANK = Table(
    "most recent record, blank switch on (touches use_salesforce alone)", MAPPING.format(blank="true", skew="0"), ALIKE
)

MARGIN = Table(
    "most recent record, skew 5",
    MAPPING.format(blank="false", skew="5"),
    [
        row("TIE AE 5 s later (tie SF)", at("10:00:05", "10:00:00", *TITLES), SF_TIE, to_prospect=TO_AE),
        row(
            "TIE SF 5 s later (tie AE)",
            at("10:00:00", "10:00:05", {"phone": "1"}, {"Phone": "2"}),
            AE_TIE,
            to_person={"Phone": "1"},
        ),
        row("RR-1 AE 6 s later", at("10:00:06", "10:00:00", *TITLES), AE_WINS, to_person=TO_SF),
        row("RR-1 SF 6 s later", at("10:00:00", "10:00:06", *TITLES), SF_WINS, to_prospect=TO_AE),
    ],
)

GUARDS = """
[connector]
multiple_prospects_per_email = false

[[field]]
prospect = "jobTitle"
lead = "Title"
behavior = "most_recent_record"

[[field]]
prospect = "firstName"
lead = "FirstName"
contact = "FirstName"
behavior = "use_account_engagement"

[[field]]
prospect = "phone"
lead = "Phone"
contact = "Phone"
behavior = "use_salesforce"

[[field]]
prospect = "score"
lead = "Score__c"
contact = "Score__c"
type = "number"
"""

ON_LEADS_ALONE = Table(
    "most recent record on leads alone",
    GUARDS,
    [
        row(
            "guarded: a lead has a most_recent_record field, so AE-1 is guarded",
            pair({"firstName": "Anna"}, {"FirstName": "Berta"}, "Lead"),
            Says("firstName", "AE-1", AE, "Anna", guarded=True),
            to_person={"FirstName": "Anna"},
        ),
        row(
            "guarded: a contact has none, so AE-1 is not",
            pair({"firstName": "Anna"}, {"FirstName": "Berta"}),
            Says("firstName", "AE-1", AE, "Anna", guarded=False),
            to_person={"FirstName": "Anna"},
        ),
        row(
            "guarded: every SF write of a lead, PR-1 too",
            pair({"score": 5}, {"Score__c": 4}, "Lead"),
            Says("score", "PR-1", AE, 5, guarded=True),
            to_person={"Score__c": 5},
        ),
        row(
            "guarded: PR-1 on a contact is not",
            pair({"score": 5}, {"Score__c": 4}),
            Says("score", "PR-1", AE, 5, guarded=False),
            to_person={"Score__c": 5},
        ),
        row(
            "guarded: SF writes only, SF-1 writes to AE and is not",
            pair({"phone": "1"}, {"Phone": "2"}, "Lead"),
            Says("phone", "SF-1", SF, "2", guarded=False),
            to_prospect={"phone": "2"},
        ),
    ],
)


@pytest.mark.parametrize(("table", "a_row"), each_row(ZERO, BLANK, MARGIN, ON_LEADS_ALONE))
def test_most_recent_record(table: Table, a_row: Row) -> None:
    table.check(a_row)
