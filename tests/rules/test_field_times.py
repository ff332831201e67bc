"""most_recent_field and its evidence: RF-1, RF-2, TIE, UNK, the base, conversions of leads, skew_margin, CL-2, guards."""

import pytest

from tests.rules.cases import (
    AE,
    CONNECTOR,
    DESK,
    MISSING,
    SALES,
    SALES_TWO,
    SF,
    OneOf,
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
skew_margin = {skew}

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "most_recent_field"

[[field]]
prospect = "phone"
lead = "Phone"
contact = "Phone"
behavior = "most_recent_field"
without_history = "salesforce"
tie = "account_engagement"

[[field]]
prospect = "fax"
lead = "Fax"
contact = "Fax"
behavior = "most_recent_field"
without_history = "account_engagement"
tie = "salesforce"

[[field]]
prospect = "city"
lead = "City"
contact = "MailingCity"
behavior = "most_recent_field"
without_history = "hold"

[[field]]
prospect = "state"
lead = "State"
contact = "MailingState"
behavior = "most_recent_field"
clears = "either"

[[field]]
prospect = "zip"
lead = "PostalCode"
contact = "MailingPostalCode"
behavior = "most_recent_field"
clears = "either"
without_history = "hold"

[[field]]
prospect = "isDoNotCall"
lead = "DoNotCall"
contact = "DoNotCall"
type = "boolean"
behavior = "most_recent_field"

[[field]]
prospect = "isDoNotEmail"
lead = "DoNotEmail__c"
contact = "DoNotEmail__c"
type = "boolean"
behavior = "most_recent_field"
tie = "salesforce"
without_history = "record"

[[field]]
prospect = "301__c"
lead = "Newsletter__c"
contact = "Newsletter__c"
type = "boolean"
behavior = "most_recent_field"
tie = "restrictive"
without_history = "restrictive"

[[field]]
prospect = "302__c"
lead = "Vip__c"
contact = "Vip__c"
type = "boolean"
behavior = "most_recent_field"

[[field]]
prospect = "country"
lead = "Country"
contact = "MailingCountry"
behavior = "most_recent_field"
without_history = "record"
tie = "account_engagement"
"""

# The interval of AE's change: 10:00:00 to 10:00:30 on 20 November.
WITHIN = seen("2026-11-20T10:00:00Z", "2026-11-20T10:00:30Z")
TITLES = ({"jobTitle": "CTO"}, {"Title": "CEO"})


def title(*rows: dict[str, str], times: dict[str, object] | None = None, **evidence: object) -> dict[str, object]:
    """A pair whose titles differ, with history rows and AE's interval for the title."""
    return pair(*TITLES, history=list(rows), prospect_field_times={"jobTitle": times or WITHIN}, **evidence)


def ae_wins(rule: str = "RF-1", evidence: str = "") -> Says:
    return Says("jobTitle", rule, AE, "CTO", guarded=True, evidence=evidence)


def sf_wins(rule: str = "RF-1", evidence: str = "") -> Says:
    return Says("jobTitle", rule, SF, "CEO", guarded=True, evidence=evidence)


TO_SF = {"Title": "CTO"}
TO_AE = {"jobTitle": "CEO"}

PROVED = [
    row(
        "RF-1 SF's row one second after the interval: SF later",
        title(changed("Title", "2026-11-20T10:00:31Z")),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "RF-1 SF's row one second before the interval: AE later",
        title(changed("Title", "2026-11-20T09:59:59Z")),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "TIE SF's row on the interval's end: the interval is closed, default tie is salesforce",
        title(changed("Title", "2026-11-20T10:00:30Z")),
        sf_wins("TIE"),
        to_prospect=TO_AE,
    ),
    row(
        "TIE SF's row on the interval's start: the interval is closed",
        title(changed("Title", "2026-11-20T10:00:00Z")),
        sf_wins("TIE"),
        to_prospect=TO_AE,
    ),
    row(
        "TIE SF's row inside the interval",
        title(changed("Title", "2026-11-20T10:00:15Z")),
        sf_wins("TIE"),
        to_prospect=TO_AE,
    ),
    row(
        "fractions are cut to the second: .999 on the interval's end is no second later",
        title(changed("Title", "2026-11-20T10:00:30.999+0000")),
        sf_wins("TIE"),
        to_prospect=TO_AE,
    ),
    row(
        "instants with +0000, +00:00 and Z are one and the same",
        title(
            changed("Title", "2026-11-20T10:00:31.000+0000"),
            times=seen("2026-11-20T10:00:00+00:00", "2026-11-20T10:00:30Z"),
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "instants with an offset are compared as instants: 05:00:31-05:00 is 10:00:31Z",
        title(
            changed("Title", "2026-11-20T10:00:31Z"),
            times=seen("2026-11-20T05:00:00-05:00", "2026-11-20T05:00:30-05:00"),
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "the newest foreign row counts, in whatever order the rows stand",
        title(
            changed("Title", "2026-11-20T10:05:00Z"),
            changed("Title", "2026-11-01T00:00:00Z"),
            changed("Title", "2026-11-19T00:00:00Z"),
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "rows of other fields do not count",
        title(changed("Phone", "2026-11-20T11:00:00Z"), changed("Title", "2026-11-20T09:00:00Z")),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "a row by the connector user is ours: the older foreign row counts",
        title(changed("Title", "2026-11-20T10:05:00Z", CONNECTOR), changed("Title", "2026-11-20T09:00:00Z")),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "ids compare by their first 15 characters: the connector's short id",
        title(changed("Title", "2026-11-20T10:05:00Z", CONNECTOR[:15]), changed("Title", "2026-11-20T09:00:00Z")),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "any other user is foreign",
        title(changed("Title", "2026-11-20T10:05:00Z", SALES_TWO)),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "RF looks at the field, not at the record: AE's record newer, SF's field newer",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-25T00:00:00Z"},
            TITLES[1],
            history=[changed("Title", "2026-11-20T10:01:00Z")],
            prospect_field_times={"jobTitle": WITHIN},
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "RF looks at the field, not at the record: SF's record newer, AE's field newer",
        pair(
            TITLES[0],
            {**TITLES[1], "LastModifiedDate": "2026-11-25T00:00:00Z"},
            history=[changed("Title", "2026-11-20T09:00:00Z")],
            prospect_field_times={"jobTitle": WITHIN},
        ),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "RF-1 on a lead",
        pair(
            *TITLES,
            "Lead",
            history=[changed("Title", "2026-11-20T10:01:00Z")],
            prospect_field_times={"jobTitle": WITHIN},
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "a history row under the contact's own field name",
        pair(
            {"city": "Ulm"},
            {"MailingCity": "Bonn"},
            history=[changed("MailingCity", "2026-11-20T10:01:00Z")],
            prospect_field_times={"city": WITHIN},
        ),
        Says("city", "RF-1", SF, "Bonn", guarded=True, person_field="MailingCity"),
        to_prospect={"city": "Bonn"},
    ),
    row(
        "two fields of one pair are decided apart: disjoint edits both survive",
        pair(
            {"jobTitle": "CTO", "phone": "2"},
            {"Title": "CEO", "Phone": "1"},
            history=[changed("Title", "2026-11-20T10:01:00Z"), changed("Phone", "2026-11-01T00:00:00Z")],
            prospect_field_times={"jobTitle": seen("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"), "phone": WITHIN},
        ),
        sf_wins(),
        Says("phone", "RF-1", AE, "2", guarded=True),
        to_prospect=TO_AE,
        to_person={"Phone": "2"},
    ),
]

FIRST_SEEN = [
    row(
        "first seen without an entry is [createdAt, updatedAt]: SF's row after updatedAt, SF later",
        pair(*TITLES, history=[changed("Title", "2026-11-20T10:00:01Z")]),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "first seen: SF's row before createdAt, AE later",
        pair(*TITLES, history=[changed("Title", "2026-01-05T07:59:59Z")]),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "first seen: SF's row within is UNK, by record comparison (AE's record later)",
        pair(*TITLES, history=[changed("Title", "2026-06-01T00:00:00Z")]),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "first seen: SF's row on updatedAt is UNK, not TIE (AE's record later)",
        pair(*TITLES, history=[changed("Title", "2026-11-20T10:00:00Z")]),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "first seen: SF's row on createdAt is UNK",
        pair(*TITLES, history=[changed("Title", "2026-01-05T08:00:00Z")]),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "first seen as an entry: proved order counts all the same",
        title(changed("Title", "2026-11-20T10:00:31Z"), times={**WITHIN, "first_seen": True}),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "first seen as an entry: within is UNK (AE's record later), not TIE (salesforce)",
        title(changed("Title", "2026-11-20T10:00:15Z"), times={**WITHIN, "first_seen": True}),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
]

NO_ROW = [
    row(
        "no row: SF's time is the record's CreatedDate, before the interval: AE later",
        title(),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "no row: CreatedDate after the interval: SF later",
        pair(
            {**TITLES[0], "updatedAt": "2026-01-07T00:00:00Z"},
            TITLES[1],
            prospect_field_times={"jobTitle": seen("2026-01-05T08:00:00Z", "2026-01-07T00:00:00Z")},
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "no row: CreatedDate after a first-seen interval: SF later",
        pair({**TITLES[0], "updatedAt": "2026-01-07T00:00:00Z"}, TITLES[1]),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "no row and created by the connector: earlier than anything, AE later",
        pair(
            {**TITLES[0], "updatedAt": "2026-01-07T00:00:00Z"},
            {**TITLES[1], "CreatedById": CONNECTOR},
            prospect_field_times={"jobTitle": seen("2026-01-05T08:00:00Z", "2026-01-07T00:00:00Z")},
        ),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "no row and created by the connector: earlier than even a first-seen interval",
        pair({**TITLES[0], "updatedAt": "2026-01-07T00:00:00Z"}, {**TITLES[1], "CreatedById": CONNECTOR[:15]}),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "created by the connector, but a foreign row since: the row counts",
        pair(
            TITLES[0],
            {**TITLES[1], "CreatedById": CONNECTOR},
            history=[changed("Title", "2026-11-20T10:00:31Z")],
            prospect_field_times={"jobTitle": WITHIN},
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "only rows by the connector: no foreign row, CreatedDate counts",
        title(changed("Title", "2026-11-20T10:05:00Z", CONNECTOR)),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "history not available (null): UNK, by record comparison",
        title(history_since=None) | {"history": None},
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "history absent is not available: UNK",
        {k: v for k, v in title().items() if k != "history"},
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "history null, created by the connector: UNK all the same",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-20T08:00:00Z"},
            {**TITLES[1], "CreatedById": CONNECTOR},
            history=None,
            prospect_field_times={"jobTitle": seen("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")},
        ),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
    row(
        "history_since before the record was created: as if tracked always",
        title(history_since={"Title": "2025-12-31T00:00:00Z"}),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "history_since later than creation and no row: UNK (SF's record later)",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-20T08:00:00Z"},
            TITLES[1],
            history_since={"Title": "2026-03-01T00:00:00Z"},
            prospect_field_times={"jobTitle": seen("2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z")},
        ),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
    row(
        "history_since later than creation, but there is a row: the row counts",
        title(changed("Title", "2026-11-20T10:00:31Z"), history_since={"Title": "2026-03-01T00:00:00Z"}),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "history_since null for the field: untracked, UNK (SF's record later)",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-20T08:00:00Z"},
            TITLES[1],
            history_since={"Title": None},
            prospect_field_times={"jobTitle": seen("2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z")},
        ),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
    row(
        "history_since of another field says nothing about this one",
        title(history_since={"Phone": None}),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "created by the connector and tracked later, no row: UNK (SF's record later)",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-20T08:00:00Z"},
            {**TITLES[1], "CreatedById": CONNECTOR},
            history_since={"Title": "2026-03-01T00:00:00Z"},
            prospect_field_times={"jobTitle": seen("2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z")},
        ),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
]

CONVERTED = [
    row(
        "ConvertedFrom: the lead's CreatedDate counts, not the conversion's",
        pair(
            TITLES[0],
            {
                **TITLES[1],
                "CreatedDate": "2026-11-21T00:00:00Z",
                "ConvertedFrom": {"CreatedDate": "2026-02-01T00:00:00Z", "CreatedById": SALES},
            },
            prospect_field_times={"jobTitle": WITHIN},
        ),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "ConvertedFrom: the lead was created by the connector, earlier than anything",
        pair(
            TITLES[0],
            {
                **TITLES[1],
                "CreatedDate": "2026-11-22T00:00:00Z",
                "ConvertedFrom": {"CreatedDate": "2026-11-21T00:00:00Z", "CreatedById": CONNECTOR},
            },
            prospect_field_times={"jobTitle": WITHIN},
        ),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "ConvertedFrom: the contact's CreatedById does not count (connector converted, sales made the lead)",
        pair(
            TITLES[0],
            {
                **TITLES[1],
                "CreatedDate": "2026-11-22T00:00:00Z",
                "CreatedById": CONNECTOR,
                "ConvertedFrom": {"CreatedDate": "2026-11-21T00:00:00Z", "CreatedById": SALES},
            },
            prospect_field_times={"jobTitle": WITHIN},
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "ConvertedFrom: a foreign row counts before the lead's CreatedDate",
        pair(
            TITLES[0],
            {
                **TITLES[1],
                "CreatedDate": "2026-11-19T00:00:00Z",
                "ConvertedFrom": {"CreatedDate": "2026-02-01T00:00:00Z", "CreatedById": SALES},
            },
            history=[changed("Title", "2026-11-20T10:00:31Z")],
            prospect_field_times={"jobTitle": WITHIN},
        ),
        sf_wins(),
        to_prospect=TO_AE,
    ),
    row(
        "ConvertedFrom: tracked since after the lead was created (though before the contact): UNK",
        pair(
            {**TITLES[0], "updatedAt": "2026-11-20T08:00:00Z"},
            {
                **TITLES[1],
                "CreatedDate": "2026-11-19T00:00:00Z",
                "ConvertedFrom": {"CreatedDate": "2026-02-01T00:00:00Z", "CreatedById": SALES},
            },
            history_since={"Title": "2026-03-01T00:00:00Z"},
            prospect_field_times={"jobTitle": seen("2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z")},
        ),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
]

EXAMPLES = [
    row(
        "example 10:00/10:03/10:05: our own 10:05 row must not win (never changed by people in SF)",
        pair(
            {"jobTitle": "Marketing's correction of 10:03", "updatedAt": "2026-11-20T10:03:00Z"},
            {
                "Title": "Marketing's title of 10:00",
                "LastModifiedDate": "2026-11-20T10:05:00Z",
                "LastModifiedById": CONNECTOR,
            },
            history=[changed("Title", "2026-11-20T10:05:00Z", CONNECTOR)],
            prospect_field_times={"jobTitle": seen("2026-11-20T10:00:00Z", "2026-11-20T10:03:00Z")},
            base={"jobTitle": "Marketing's title of 10:00"},
        ),
        Says("jobTitle", "RF-1", AE, "Marketing's correction of 10:03", guarded=True),
        to_person={"Title": "Marketing's correction of 10:03"},
    ),
    row(
        "example 10:00/10:03/10:05: with a salesperson's row of the day before",
        pair(
            {"jobTitle": "Marketing's correction of 10:03", "updatedAt": "2026-11-20T10:03:00Z"},
            {
                "Title": "Marketing's title of 10:00",
                "LastModifiedDate": "2026-11-20T10:05:00Z",
                "LastModifiedById": CONNECTOR,
            },
            history=[changed("Title", "2026-11-19T15:00:00Z"), changed("Title", "2026-11-20T10:05:00Z", CONNECTOR)],
            prospect_field_times={"jobTitle": seen("2026-11-20T10:00:00Z", "2026-11-20T10:03:00Z")},
        ),
        Says("jobTitle", "RF-1", AE, "Marketing's correction of 10:03", guarded=True),
        to_person={"Title": "Marketing's correction of 10:03"},
    ),
    row(
        "example 10:00:00/10:00:05/10:00:30: the interval starts after SF's edit, AE is later, not tied",
        title(changed("Title", "2026-11-20T10:00:00Z"), times=seen("2026-11-20T10:00:05Z", "2026-11-20T10:00:30Z")),
        ae_wins(),
        to_person=TO_SF,
    ),
]

EMPTIES = [
    row(
        "RF-2 AE empty: the filled value goes there, though AE's emptiness is later",
        pair(
            {"jobTitle": None},
            {"Title": "CEO"},
            history=[changed("Title", "2026-11-01T00:00:00Z")],
            prospect_field_times={"jobTitle": WITHIN},
        ),
        sf_wins("RF-2"),
        to_prospect=TO_AE,
    ),
    row(
        "RF-2 SF empty: the filled value goes there, though SF's emptiness is later",
        pair(
            {"jobTitle": "CTO"},
            {"Title": ""},
            history=[changed("Title", "2026-11-20T11:00:00Z")],
            prospect_field_times={"jobTitle": WITHIN},
        ),
        ae_wins("RF-2"),
        to_person=TO_SF,
    ),
    row(
        "RF-2 SF white space",
        pair({"jobTitle": "CTO"}, {"Title": " \n"}),
        ae_wins("RF-2"),
        to_person=TO_SF,
    ),
    row(
        "RF-2 needs no history",
        pair({"jobTitle": "CTO"}, {"Title": None}, history=None),
        ae_wins("RF-2"),
        to_person=TO_SF,
    ),
    row(
        "RF-2 without_history hold does not hold an empty side",
        pair({"city": None}, {"MailingCity": "Bonn"}, history=None),
        Says("city", "RF-2", SF, "Bonn", guarded=True),
        to_prospect={"city": "Bonn"},
    ),
    row(
        "RF-2 a base does not make a clearing where clears is not set",
        pair(
            {"jobTitle": "CTO"},
            {"Title": None},
            history=[changed("Title", "2026-11-20T11:00:00Z")],
            prospect_field_times={"jobTitle": WITHIN},
            base={"jobTitle": "CTO"},
        ),
        ae_wins("RF-2"),
        to_person=TO_SF,
    ),
    row(
        "RF-2 false is a value: boolean null filled by false",
        pair({"302__c": None}, {"Vip__c": False}),
        Says("302__c", "RF-2", SF, False, guarded=True),
        to_prospect={"302__c": False},
    ),
    row("SAME before RF", pair({"jobTitle": "CEO"}, {"Title": "CEO"}, history=None), Says("jobTitle", "SAME")),
    row(
        "UNREAD before RF",
        pair({"jobTitle": "CEO"}, {"Title": MISSING}),
        Says("jobTitle", "UNREAD"),
        problems=DESK,
    ),
    row(
        "ECHO before RF, though the times would prove an order",
        pair(
            {"jobTitle": "head of it"},
            {"Title": "HEAD OF IT"},
            history=[changed("Title", "2026-11-20T11:00:00Z")],
            prospect_field_times={"jobTitle": WITHIN},
            echo={"jobTitle": {"written": "head of it", "stored": "HEAD OF IT"}},
        ),
        Says("jobTitle", "ECHO"),
        problems=DESK,
    ),
]

TIES = [
    row(
        "TIE tie = account_engagement",
        pair(
            {"phone": "1"},
            {"Phone": "2"},
            history=[changed("Phone", "2026-11-20T10:00:15Z")],
            prospect_field_times={"phone": WITHIN},
        ),
        Says("phone", "TIE", AE, "1", guarded=True),
        to_person={"Phone": "1"},
    ),
    row(
        "TIE tie = salesforce",
        pair(
            {"fax": "1"},
            {"Fax": "2"},
            history=[changed("Fax", "2026-11-20T10:00:15Z")],
            prospect_field_times={"fax": WITHIN},
        ),
        Says("fax", "TIE", SF, "2", guarded=True),
        to_prospect={"fax": "2"},
    ),
    row(
        "TIE without_history = hold does not concern a tie: default salesforce",
        pair(
            {"city": "Ulm"},
            {"MailingCity": "Bonn"},
            history=[changed("MailingCity", "2026-11-20T10:00:15Z")],
            prospect_field_times={"city": WITHIN},
        ),
        Says("city", "TIE", SF, "Bonn", guarded=True),
        to_prospect={"city": "Bonn"},
    ),
    row(
        "TIE consent field: restrictive by default, AE's true wins",
        pair(
            {"isDoNotCall": True},
            {"DoNotCall": False},
            history=[changed("DoNotCall", "2026-11-20T10:00:15Z")],
            prospect_field_times={"isDoNotCall": WITHIN},
        ),
        Says("isDoNotCall", "TIE", AE, True, guarded=True),
        to_person={"DoNotCall": True},
    ),
    row(
        "TIE consent field: restrictive by default, SF's true wins",
        pair(
            {"isDoNotCall": False},
            {"DoNotCall": True},
            history=[changed("DoNotCall", "2026-11-20T10:00:15Z")],
            prospect_field_times={"isDoNotCall": WITHIN},
        ),
        Says("isDoNotCall", "TIE", SF, True, guarded=True),
        to_prospect={"isDoNotCall": True},
    ),
    row(
        "TIE consent field: an order that is proved beats restrictive, false wins",
        pair(
            {"isDoNotCall": True},
            {"DoNotCall": False},
            history=[changed("DoNotCall", "2026-11-20T10:00:31Z")],
            prospect_field_times={"isDoNotCall": WITHIN},
        ),
        Says("isDoNotCall", "RF-1", SF, False, guarded=True),
        to_prospect={"isDoNotCall": False},
    ),
    row(
        "TIE consent field with its own tie = salesforce",
        pair(
            {"isDoNotEmail": True},
            {"DoNotEmail__c": False},
            history=[changed("DoNotEmail__c", "2026-11-20T10:00:15Z")],
            prospect_field_times={"isDoNotEmail": WITHIN},
        ),
        Says("isDoNotEmail", "TIE", SF, False, guarded=True),
        to_prospect={"isDoNotEmail": False},
    ),
    row(
        "TIE restrictive on an ordinary boolean: AE's true wins",
        pair(
            {"301__c": True},
            {"Newsletter__c": False},
            history=[changed("Newsletter__c", "2026-11-20T10:00:15Z")],
            prospect_field_times={"301__c": WITHIN},
        ),
        Says("301__c", "TIE", AE, True, guarded=True),
        to_person={"Newsletter__c": True},
    ),
    row(
        "TIE an ordinary boolean without a setting: salesforce, false wins",
        pair(
            {"302__c": True},
            {"Vip__c": False},
            history=[changed("Vip__c", "2026-11-20T10:00:15Z")],
            prospect_field_times={"302__c": WITHIN},
        ),
        Says("302__c", "TIE", SF, False, guarded=True),
        to_prospect={"302__c": False},
    ),
]

UNKNOWNS = [
    row(
        "UNK record (default): AE's record later",
        pair(*TITLES, history=None),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "UNK record (default): SF's record later",
        pair(TITLES[0], {**TITLES[1], "LastModifiedDate": "2026-11-20T10:00:01Z"}, history=None),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
    row(
        "UNK record: the records tie, id stays UNK, default tie salesforce",
        pair(TITLES[0], {**TITLES[1], "LastModifiedDate": "2026-11-20T10:00:00Z"}, history=None),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
    row(
        "UNK record: the records tie, id stays UNK, tie = account_engagement",
        pair({"country": "AT"}, {"MailingCountry": "DE", "LastModifiedDate": "2026-11-20T10:00:00Z"}, history=None),
        Says("country", "UNK", AE, "AT", guarded=True),
        to_person={"MailingCountry": "AT"},
    ),
    row(
        "UNK record: SF last modified by the connector, the remembered foreign modification counts",
        pair(
            TITLES[0],
            {**TITLES[1], "LastModifiedDate": "2026-11-21T00:00:00Z", "LastModifiedById": CONNECTOR},
            history=None,
            last_foreign={"person": "2026-11-20T09:00:00Z", "prospect": None},
        ),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "UNK record: SF last modified by the connector, nothing remembered: a tie, tie = account_engagement",
        pair(
            {"country": "AT"},
            {"MailingCountry": "DE", "LastModifiedDate": "2026-11-21T00:00:00Z", "LastModifiedById": CONNECTOR},
            history=None,
        ),
        Says("country", "UNK", AE, "AT", guarded=True),
        to_person={"MailingCountry": "AT"},
    ),
    row(
        "UNK without_history = salesforce, though AE's record is later",
        pair({"phone": "1"}, {"Phone": "2"}, history=None),
        Says("phone", "UNK", SF, "2", guarded=True),
        to_prospect={"phone": "2"},
    ),
    row(
        "UNK without_history = account_engagement, though SF's record is later",
        pair({"fax": "1"}, {"Fax": "2", "LastModifiedDate": "2026-11-21T00:00:00Z"}, history=None),
        Says("fax", "UNK", AE, "1", guarded=True),
        to_person={"Fax": "1"},
    ),
    row(
        "UNK without_history = hold: nothing is written",
        pair({"city": "Ulm"}, {"MailingCity": "Bonn"}, history=None),
        Says("city", "UNK"),
        problems=DESK,
    ),
    row(
        "UNK hold with a first-seen interval that proves no order",
        pair({"city": "Ulm"}, {"MailingCity": "Bonn"}, history=[changed("MailingCity", "2026-06-01T00:00:00Z")]),
        Says("city", "UNK"),
        problems=DESK,
    ),
    row(
        "UNK consent field: restrictive by default, AE's true wins against SF's later record",
        pair({"isDoNotCall": True}, {"DoNotCall": False, "LastModifiedDate": "2026-11-21T00:00:00Z"}, history=None),
        Says("isDoNotCall", "UNK", AE, True, guarded=True),
        to_person={"DoNotCall": True},
    ),
    row(
        "UNK consent field: restrictive by default, SF's true wins against AE's later record",
        pair({"isDoNotCall": False}, {"DoNotCall": True}, history=None),
        Says("isDoNotCall", "UNK", SF, True, guarded=True),
        to_prospect={"isDoNotCall": True},
    ),
    row(
        "UNK consent field with its own without_history = record: AE's record later, false wins",
        pair({"isDoNotEmail": False}, {"DoNotEmail__c": True}, history=None),
        Says("isDoNotEmail", "UNK", AE, False, guarded=True),
        to_person={"DoNotEmail__c": False},
    ),
    row(
        "UNK restrictive on an ordinary boolean: SF's true wins",
        pair({"301__c": False}, {"Newsletter__c": True}, history=None),
        Says("301__c", "UNK", SF, True, guarded=True),
        to_prospect={"301__c": True},
    ),
    row(
        "UNK an ordinary boolean without a setting: record",
        pair({"302__c": False}, {"Vip__c": True}, history=None),
        Says("302__c", "UNK", AE, False, guarded=True),
        to_person={"Vip__c": False},
    ),
]

BASES = [
    row(
        "one-sided: would be TIE, only AE differs from the base: AE, RF-1, evidence base",
        title(changed("Title", "2026-11-20T10:00:15Z"), base={"jobTitle": "CEO"}),
        ae_wins(evidence="base"),
        to_person=TO_SF,
    ),
    row(
        "one-sided: would be TIE, only SF differs from the base",
        title(changed("Title", "2026-11-20T10:00:15Z"), base={"jobTitle": "CTO"}),
        sf_wins(evidence="base"),
        to_prospect=TO_AE,
    ),
    row(
        "one-sided: would be TIE by tie = account_engagement, only SF differs from the base",
        pair(
            {"phone": "1"},
            {"Phone": "2"},
            history=[changed("Phone", "2026-11-20T10:00:15Z")],
            prospect_field_times={"phone": WITHIN},
            base={"phone": "1"},
        ),
        Says("phone", "RF-1", SF, "2", guarded=True, evidence="base"),
        to_prospect={"phone": "2"},
    ),
    row(
        "one-sided: would be UNK, only SF differs from the base (AE's record is later)",
        pair(*TITLES, history=None, base={"jobTitle": "CTO"}),
        sf_wins(evidence="base"),
        to_prospect=TO_AE,
    ),
    row(
        "one-sided: would be held, only AE differs from the base",
        pair({"city": "Ulm"}, {"MailingCity": "Bonn"}, history=None, base={"city": "Bonn"}),
        Says("city", "RF-1", AE, "Ulm", guarded=True, evidence="base"),
        to_person={"MailingCity": "Ulm"},
    ),
    row(
        "one-sided: before restrictive, false wins where only it changed",
        pair({"isDoNotCall": False}, {"DoNotCall": True}, history=None, base={"isDoNotCall": True}),
        Says("isDoNotCall", "RF-1", AE, False, guarded=True, evidence="base"),
        to_person={"DoNotCall": False},
    ),
    row(
        "one-sided: equality is that of values, ' CEO ' is the base 'CEO'",
        pair({"jobTitle": "CTO"}, {"Title": " CEO "}, history=None, base={"jobTitle": "CEO"}),
        ae_wins(evidence="base"),
        to_person=TO_SF,
    ),
    row(
        "both differ from the base: TIE stays",
        title(changed("Title", "2026-11-20T10:00:15Z"), base={"jobTitle": "COO"}),
        sf_wins("TIE"),
        to_prospect=TO_AE,
    ),
    row(
        "both differ from the base: UNK stays",
        pair(*TITLES, history=None, base={"jobTitle": "COO"}),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "both differ from an empty base: TIE stays",
        title(changed("Title", "2026-11-20T10:00:15Z"), base={"jobTitle": None}),
        sf_wins("TIE"),
        to_prospect=TO_AE,
    ),
    row(
        "times come first: changed and changed back in AE, later than SF's change",
        title(changed("Title", "2026-11-20T09:00:00Z"), base={"jobTitle": "CTO"}),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "times come first: changed and changed back in SF, later than AE's change",
        title(changed("Title", "2026-11-20T11:00:00Z"), base={"jobTitle": "CEO"}),
        sf_wins(),
        to_prospect=TO_AE,
    ),
]

CLEARINGS = [
    row(
        "CL-2 RF: SF's clearing later than AE's value: AE := empty, guarded",
        pair(
            {"state": "BY"},
            {"MailingState": None},
            history=[changed("MailingState", "2026-11-20T10:00:31Z")],
            prospect_field_times={"state": WITHIN},
            base={"state": "NRW"},
        ),
        Says("state", "CL-2", SF, None, guarded=True),
        to_prospect={"state": None},
    ),
    row(
        "CL-2 RF: SF's clearing earlier than AE's value: SF := A with this id, guarded",
        pair(
            {"state": "BY"},
            {"MailingState": None},
            history=[changed("MailingState", "2026-11-20T09:00:00Z")],
            prospect_field_times={"state": WITHIN},
            base={"state": "NRW"},
        ),
        Says("state", "CL-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    row(
        "CL-2 RF: AE's clearing later: SF := empty, guarded",
        pair(
            {"state": ""},
            {"MailingState": "NRW"},
            history=[changed("MailingState", "2026-11-20T09:00:00Z")],
            prospect_field_times={"state": WITHIN},
            base={"state": "BY"},
        ),
        Says("state", "CL-2", AE, guarded=True),
        to_person={"MailingState": None},
    ),
    row(
        "CL-2 RF: AE's clearing earlier: AE := B with this id",
        pair(
            {"state": None},
            {"MailingState": "NRW"},
            history=[changed("MailingState", "2026-11-20T10:00:31Z")],
            prospect_field_times={"state": WITHIN},
            base={"state": "BY"},
        ),
        Says("state", "CL-2", SF, "NRW", guarded=True),
        to_prospect={"state": "NRW"},
    ),
    row(
        "CL-2 RF TIE, both changed since the base: AE's filled value beats SF's clearing (tie is salesforce)",
        pair(
            {"state": "BY"},
            {"MailingState": None},
            history=[changed("MailingState", "2026-11-20T10:00:15Z")],
            prospect_field_times={"state": WITHIN},
            base={"state": "NRW"},
        ),
        Says("state", "CL-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    row(
        "CL-2 RF UNK, both changed since the base: SF's filled value beats AE's clearing (AE's record later)",
        pair({"state": None}, {"MailingState": "NRW"}, history=None, base={"state": "BY"}),
        Says("state", "CL-2", SF, "NRW", guarded=True),
        to_prospect={"state": "NRW"},
    ),
    row(
        "CL-2 RF UNK hold, both changed since the base: hold stays a hold",
        pair({"zip": None}, {"MailingPostalCode": "53111"}, history=None, base={"zip": "89073"}),
        Says("zip", OneOf(("CL-2", "UNK"))),
        problems=DESK,
    ),
    row(
        "CL-2 RF would be TIE, only SF differs from the base: SF's clearing is the later change",
        pair(
            {"state": "NRW"},
            {"MailingState": None},
            history=[changed("MailingState", "2026-11-20T10:00:15Z")],
            prospect_field_times={"state": WITHIN},
            base={"state": "NRW"},
        ),
        Says("state", "CL-2", SF, None, guarded=True),
        to_prospect={"state": None},
    ),
    row(
        "CL-2 RF would be UNK, only AE differs from the base: AE's clearing is the later change",
        pair({"state": None}, {"MailingState": "NRW"}, history=None, base={"state": "NRW"}),
        Says("state", "CL-2", AE, None, guarded=True),
        to_person={"MailingState": None},
    ),
    row(
        "CL-2 RF without a base as if off: RF-2",
        pair(
            {"state": "BY"},
            {"MailingState": None},
            history=[changed("MailingState", "2026-11-20T10:00:31Z")],
            prospect_field_times={"state": WITHIN},
        ),
        Says("state", "RF-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    row(
        "CL-2 RF base empty is no clearing: RF-2",
        pair({"state": "BY"}, {"MailingState": None}, base={"state": "  "}),
        Says("state", "RF-2", AE, "BY", guarded=True),
        to_person={"MailingState": "BY"},
    ),
    row(
        "CL-2 RF both filled: RF-1, no clearing takes part",
        pair(
            {"state": "BY"},
            {"MailingState": "NRW"},
            history=[changed("MailingState", "2026-11-20T10:00:31Z")],
            prospect_field_times={"state": WITHIN},
            base={"state": "SH"},
        ),
        Says("state", "RF-1", SF, "NRW", guarded=True),
        to_prospect={"state": "NRW"},
    ),
]

# skew_margin = 5: an order is proved only by more than five seconds.
SKEWED = [
    row(
        "skew 5: SF's row 5 s after the interval is a TIE",
        pair(
            {"phone": "1"},
            {"Phone": "2"},
            history=[changed("Phone", "2026-11-20T10:00:35Z")],
            prospect_field_times={"phone": WITHIN},
        ),
        Says("phone", "TIE", AE, "1", guarded=True),
        to_person={"Phone": "1"},
    ),
    row(
        "skew 5: SF's row 6 s after the interval is proved",
        pair(
            {"phone": "1"},
            {"Phone": "2"},
            history=[changed("Phone", "2026-11-20T10:00:36Z")],
            prospect_field_times={"phone": WITHIN},
        ),
        Says("phone", "RF-1", SF, "2", guarded=True),
        to_prospect={"phone": "2"},
    ),
    row(
        "skew 5: SF's row 5 s before the interval is a TIE",
        title(changed("Title", "2026-11-20T09:59:55Z")),
        sf_wins("TIE"),
        to_prospect=TO_AE,
    ),
    row(
        "skew 5: SF's row 6 s before the interval is proved",
        title(changed("Title", "2026-11-20T09:59:54Z")),
        ae_wins(),
        to_person=TO_SF,
    ),
    row(
        "skew 5: 5 s after a first-seen interval is UNK, records decide within the margin too: tie salesforce",
        pair(
            TITLES[0],
            {**TITLES[1], "LastModifiedDate": "2026-11-20T09:59:55Z"},
            history=[changed("Title", "2026-11-20T10:00:05Z")],
        ),
        sf_wins("UNK"),
        to_prospect=TO_AE,
    ),
    row(
        "skew 5: UNK, AE's record 6 s later",
        pair(TITLES[0], {**TITLES[1], "LastModifiedDate": "2026-11-20T09:59:54Z"}, history=None),
        ae_wins("UNK"),
        to_person=TO_SF,
    ),
    row(
        "skew 5: the base still tells what the times do not prove",
        title(changed("Title", "2026-11-20T10:00:34Z"), base={"jobTitle": "CEO"}),
        ae_wins(evidence="base"),
        to_person=TO_SF,
    ),
]

EXACT = Table(
    "most recent field",
    MAPPING.replace("{skew}", "0"),
    PROVED + FIRST_SEEN + NO_ROW + CONVERTED + EXAMPLES + EMPTIES + TIES + UNKNOWNS + BASES + CLEARINGS,
)
MARGIN = Table("most recent field, skew 5", MAPPING.replace("{skew}", "5"), SKEWED)


@pytest.mark.parametrize(("table", "a_row"), each_row(EXACT, MARGIN))
def test_most_recent_field(table: Table, a_row: Row) -> None:
    table.check(a_row)
