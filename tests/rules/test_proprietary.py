"""Proprietary fields: PR-1, PR-2, OO-1, OO-2, EM-1..4, CO-1, CO-2."""

import pytest

from tests.rules.cases import (
    AE,
    ANY,
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

PROPRIETARY = Table(
    "score, grade, campaign, owner (blank switch on)",
    f"""
[connector]
multiple_prospects_per_email = false
allow_blank_salesforce = true

[users]
"{SALES}" = 41
"{SALES_TWO[:15]}" = 42

[values.campaignId]
"12" = "Spring"
"13" = "Autumn"

[[field]]
prospect = "score"
lead = "Score__c"
contact = "Score__c"
type = "number"

[[field]]
prospect = "grade"
lead = "Grade__c"
contact = "Grade__c"

[[field]]
prospect = "campaignId"
lead = "Campaign__c"
contact = "Campaign__c"

[[field]]
prospect = "userId"
lead = "OwnerId"
contact = "OwnerId"
""",
    [
        row(
            "PR-1 score differs: SF := A, not guarded",
            pair({"score": 75}, {"Score__c": 50}),
            Says("score", "PR-1", AE, 75, guarded=False, person_field="Score__c"),
            to_person={"Score__c": 75},
        ),
        row(
            "PR-1 score lower than SF's: SF := A all the same",
            pair({"score": 0}, {"Score__c": 50}),
            Says("score", "PR-1", AE, 0, guarded=False),
            to_person={"Score__c": 0},
        ),
        row(
            "PR-1 SF empty: SF := A, not guarded, though the blank switch is on",
            pair({"score": 75}, {"Score__c": None}),
            Says("score", "PR-1", AE, 75, guarded=False),
            to_person={"Score__c": 75},
        ),
        row("PR-1 AE empty: nothing", pair({"score": None}, {"Score__c": 50}), Says("score", "PR-1")),
        row("PR-1 both empty: SAME", pair({"score": None}, {"Score__c": None}), Says("score", "SAME")),
        row("PR-1 equal: SAME", pair({"score": 75}, {"Score__c": 75.0}), Says("score", "SAME")),
        row(
            "PR-1 unread: UNREAD",
            pair({"score": MISSING}, {"Score__c": 75.0}),
            Says("score", "UNREAD"),
            problems=DESK,
        ),
        row(
            "PR before ECHO: what SF stored in answer does not end a proprietary field",
            pair({"score": 75}, {"Score__c": 70}, echo={"score": {"written": 75, "stored": 70}}),
            Says("score", "PR-1", AE, 75, guarded=False),
            to_person={"Score__c": 75},
        ),
        row(
            "PR-1 SF's value is newer and alone differs from the base: AE wins all the same",
            pair(
                {"score": 75},
                {"Score__c": 50},
                history=[changed("Score__c", "2026-11-22T00:00:00Z")],
                base={"score": 75},
            ),
            Says("score", "PR-1", AE, 75, guarded=False),
            to_person={"Score__c": 75},
        ),
        row(
            "PR-1 grade differs",
            pair({"grade": "A+"}, {"Grade__c": "B"}, "Lead"),
            Says("grade", "PR-1", AE, "A+", guarded=False),
            to_person={"Grade__c": "A+"},
        ),
        row(
            "PR-1 grade: SF empty",
            pair({"grade": "A+"}, {"Grade__c": ""}),
            Says("grade", "PR-1", AE, "A+", guarded=False),
            to_person={"Grade__c": "A+"},
        ),
        row("PR-1 grade: AE empty, nothing", pair({"grade": ""}, {"Grade__c": "B"}), Says("grade", "PR-1")),
        row(
            "PR-1 campaign by the value map",
            pair({"campaignId": 12}, {"Campaign__c": "Autumn"}),
            Says("campaignId", "PR-1", AE, 12, guarded=False),
            to_person={"Campaign__c": "Spring"},
        ),
        row(
            "PR-1 campaign equal by the value map: SAME",
            pair({"campaignId": 13}, {"Campaign__c": "Autumn"}),
            Says("campaignId", "SAME"),
        ),
        row(
            "PR-1 campaign: SF empty",
            pair({"campaignId": 13}, {"Campaign__c": None}),
            Says("campaignId", "PR-1", AE, 13, guarded=False),
            to_person={"Campaign__c": "Autumn"},
        ),
        row(
            "PR-1 campaign: AE empty, nothing",
            pair({"campaignId": None}, {"Campaign__c": "Autumn"}),
            Says("campaignId", "PR-1"),
        ),
        row(
            "PR-2 the owner's user comes down to AE through [users]",
            pair({"userId": 42}, {"OwnerId": SALES}),
            Says("userId", "PR-2", SF, SALES, person_field="OwnerId"),
            to_prospect={"userId": 41},
        ),
        row(
            "PR-2 AE unassigned",
            pair({"userId": None}, {"OwnerId": SALES}, "Lead"),
            Says("userId", "PR-2", SF, SALES),
            to_prospect={"userId": 41},
        ),
        row(
            "PR-2 ids compare by their first 15 characters",
            pair({"userId": 41}, {"OwnerId": SALES_TWO}),
            Says("userId", "PR-2", SF, SALES_TWO),
            to_prospect={"userId": 42},
        ),
        row("PR-2 the same user: SAME", pair({"userId": 41}, {"OwnerId": SALES}), Says("userId", "SAME")),
        row(
            "PR-2 an unmapped user: nothing",
            pair({"userId": 41}, {"OwnerId": "005000000000099AAA"}),
            Says("userId", "PR-2"),
            problems=DESK,
        ),
        row(
            "PR-2 a queue: nothing",
            pair({"userId": 41}, {"OwnerId": "00G000000000001AAA"}, "Lead"),
            Says("userId", "PR-2"),
            problems=DESK,
        ),
        row(
            "PR-2 the owner was not read: UNREAD",
            pair({"userId": 41}, {"OwnerId": MISSING}),
            Says("userId", "UNREAD"),
            problems=DESK,
        ),
    ],
)

OPTED_OUT = """
[connector]
multiple_prospects_per_email = false
allow_blank_salesforce = {blank}

[[field]]
prospect = "optedOut"
lead = "HasOptedOutOfEmail"
contact = "HasOptedOutOfEmail"
type = "boolean"
{behavior}

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_salesforce"
"""


def opted(ae: object, sf: object, **evidence: object) -> dict[str, object]:
    """A pair with these opt-outs."""
    return pair({"optedOut": ae}, {"HasOptedOutOfEmail": sf}, **evidence)


TO_SF_TRUE, TO_SF_FALSE = {"HasOptedOutOfEmail": True}, {"HasOptedOutOfEmail": False}
TO_AE_TRUE, TO_AE_FALSE = {"optedOut": True}, {"optedOut": False}

NO_BEHAVIOR = Table(
    "opted out without a behavior",
    OPTED_OUT.format(behavior="", blank="false"),
    [
        row(
            "OO-1 use_account_engagement unless configured: AE's true",
            opted(True, False),
            Says("optedOut", "AE-1", AE, True, guarded=False),
            to_person=TO_SF_TRUE,
        ),
        row(
            "OO-1 AE's false overwrites SF's true: false is a value",
            opted(False, True),
            Says("optedOut", "AE-1", AE, False, guarded=False),
            to_person=TO_SF_FALSE,
        ),
        row("OO-1 AE null: AE-2", opted(None, True), Says("optedOut", "AE-2", SF, True), to_prospect=TO_AE_TRUE),
        row("OO-1 SF null: AE-3", opted(False, None), Says("optedOut", "AE-3", AE, False), to_person=TO_SF_FALSE),
        row("OO-1 equal: SAME", opted(True, True), Says("optedOut", "SAME")),
        row(
            "OO-1 no history is needed here",
            opted(True, False, history=None),
            Says("optedOut", "AE-1", AE, True, guarded=False),
            to_person=TO_SF_TRUE,
        ),
    ],
)

SALESFORCE_OPTED_OUT = Table(
    "opted out, use_salesforce (blank switch on)",
    OPTED_OUT.format(behavior='behavior = "use_salesforce"', blank="true"),
    [
        row(
            "OO-1 use_salesforce is allowed and carries its ids: SF-1",
            opted(True, False),
            Says("optedOut", "SF-1", SF, False, guarded=False),
            to_prospect=TO_AE_FALSE,
        ),
        row(
            "OO-1 SF's true",
            opted(False, True, history=None),
            Says("optedOut", "SF-1", SF, True, guarded=False),
            to_prospect=TO_AE_TRUE,
        ),
        row("OO-1 AE null: SF-4", opted(None, False), Says("optedOut", "SF-4", SF, False), to_prospect=TO_AE_FALSE),
    ],
)

WITHIN = {"optedOut": seen("2026-11-20T10:00:00Z", "2026-11-20T10:00:30Z")}


def opt_row(at: str, by: str = SALES) -> list[dict[str, str]]:
    return [changed("HasOptedOutOfEmail", at, by)]


RECENT_OPTED_OUT = Table(
    "opted out, most_recent_field",
    OPTED_OUT.format(behavior='behavior = "most_recent_field"', blank="false"),
    [
        row(
            "OO-1 RF-1: SF's later false wins",
            opted(True, False, history=opt_row("2026-11-20T10:00:31Z"), prospect_field_times=WITHIN),
            Says("optedOut", "RF-1", SF, False, guarded=True),
            to_prospect=TO_AE_FALSE,
        ),
        row(
            "OO-1 RF-1: AE's later true wins",
            opted(True, False, history=opt_row("2026-11-20T09:00:00Z"), prospect_field_times=WITHIN),
            Says("optedOut", "RF-1", AE, True, guarded=True),
            to_person=TO_SF_TRUE,
        ),
        row(
            "OO-1 RF-1: AE's later false wins, no row in SF since it was created",
            opted(False, True, prospect_field_times=WITHIN),
            Says("optedOut", "RF-1", AE, False, guarded=True),
            to_person=TO_SF_FALSE,
        ),
        row(
            "OO-1 TIE: restrictive, AE's true",
            opted(True, False, history=opt_row("2026-11-20T10:00:15Z"), prospect_field_times=WITHIN),
            Says("optedOut", "TIE", AE, True, guarded=True),
            to_person=TO_SF_TRUE,
        ),
        row(
            "OO-1 TIE: restrictive, SF's true",
            opted(False, True, history=opt_row("2026-11-20T10:00:15Z"), prospect_field_times=WITHIN),
            Says("optedOut", "TIE", SF, True, guarded=True),
            to_prospect=TO_AE_TRUE,
        ),
        row(
            "OO-1 would be TIE, the base tells that only AE changed: its false wins",
            opted(
                False,
                True,
                history=opt_row("2026-11-20T10:00:15Z"),
                prospect_field_times=WITHIN,
                base={"optedOut": True},
            ),
            Says("optedOut", "RF-1", AE, False, guarded=True, evidence="base"),
            to_person=TO_SF_FALSE,
        ),
        row("OO-1 RF-2: AE null", opted(None, False), Says("optedOut", "RF-2", SF, False), to_prospect=TO_AE_FALSE),
        row(
            "OO-2 history null, values not equal: winner null, a problem",
            opted(True, False, history=None),
            Says("optedOut", "OO-2"),
            problems=[("OO-2", "optedOut")],
        ),
        row(
            "OO-2 history absent, values not equal",
            {k: v for k, v in opted(False, True).items() if k != "history"},
            Says("optedOut", "OO-2"),
            problems=[("OO-2", "optedOut")],
        ),
        row(
            "OO-2 history null, one side empty is not equal either",
            opted(None, True, history=None),
            Says("optedOut", "OO-2"),
            problems=[("OO-2", "optedOut")],
        ),
        row(
            "OO-2 history_since null for the mapped field",
            opted(True, False, prospect_field_times=WITHIN, history_since={"HasOptedOutOfEmail": None}),
            Says("optedOut", "OO-2"),
            problems=[("OO-2", "optedOut")],
        ),
        row(
            "OO-2 the other fields go on",
            pair({"optedOut": True, "jobTitle": "CTO"}, {"HasOptedOutOfEmail": False, "Title": "CEO"}, history=None),
            Says("optedOut", "OO-2"),
            Says("jobTitle", "SF-1", SF, "CEO", guarded=False),
            to_prospect={"jobTitle": "CEO"},
            problems=[("OO-2", "optedOut")],
        ),
        row(
            "OO-2 a base does not help: history comes first",
            opted(True, False, history=None, base={"optedOut": False}),
            Says("optedOut", "OO-2"),
            problems=[("OO-2", "optedOut")],
        ),
        row(
            "OO-2 before ECHO",
            opted(True, False, history=None, echo={"optedOut": {"written": True, "stored": False}}),
            Says("optedOut", "OO-2"),
            problems=[("OO-2", "optedOut")],
        ),
        row("SAME before OO-2", opted(True, True, history=None), Says("optedOut", "SAME")),
        row("SAME before OO-2: both empty", opted(None, None, history=None), Says("optedOut", "SAME")),
        row(
            "UNREAD before OO-2",
            opted(True, MISSING, history=None),
            Says("optedOut", "UNREAD"),
            problems=DESK,
        ),
        row(
            "OO-2 history_since null of another field is no matter of Opted Out",
            opted(True, False, prospect_field_times=WITHIN, history_since={"Title": None}),
            Says("optedOut", "RF-1", AE, True, guarded=True),
            to_person=TO_SF_TRUE,
        ),
        row(
            "OO-2 history available, UNK all the same (first seen): SF's true wins against AE's later record",
            opted(False, True, history=opt_row("2026-06-01T00:00:00Z")),
            Says("optedOut", "UNK", SF, True, guarded=True),
            to_prospect=TO_AE_TRUE,
        ),
        row(
            "OO-2 history available, UNK all the same (tracked since later): AE's true wins against SF's later record",
            pair(
                {"optedOut": True, "updatedAt": "2026-11-20T08:00:00Z"},
                {"HasOptedOutOfEmail": False},
                history_since={"HasOptedOutOfEmail": "2026-03-01T00:00:00Z"},
                prospect_field_times={"optedOut": seen("2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z")},
            ),
            Says("optedOut", "UNK", AE, True, guarded=True),
            to_person=TO_SF_TRUE,
        ),
        row(
            "ECHO of Opted Out is for behavior fields, which it is",
            opted(True, False, echo={"optedOut": {"written": True, "stored": False}}),
            Says("optedOut", "ECHO"),
            problems=DESK,
        ),
    ],
)

SETTINGS_OPTED_OUT = Table(
    "opted out, most_recent_field with tie = account_engagement",
    OPTED_OUT.format(behavior='behavior = "most_recent_field"\ntie = "account_engagement"', blank="false"),
    [
        row(
            "OO-1 TIE by the mapping's tie: AE's false",
            opted(False, True, history=opt_row("2026-11-20T10:00:15Z"), prospect_field_times=WITHIN),
            Says("optedOut", "TIE", AE, False, guarded=True),
            to_person=TO_SF_FALSE,
        ),
        row(
            "OO-2 UNK: true wins, the mapping's tie is for ties alone",
            opted(False, True, history=opt_row("2026-06-01T00:00:00Z")),
            Says("optedOut", "UNK", SF, True, guarded=True),
            to_prospect=TO_AE_TRUE,
        ),
    ],
)

EMAIL = """
[connector]
multiple_prospects_per_email = false
follow_salesforce_email = {follow}
allow_blank_salesforce = true
skew_margin = {skew}

[[field]]
prospect = "firstName"
lead = "FirstName"
contact = "FirstName"
behavior = "use_salesforce"

[[field]]
prospect = "email"
lead = "Email"
contact = "Email"
type = "email"

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_account_engagement"
"""


def mail(ae: object, sf: object, **evidence: object) -> dict[str, object]:
    """A pair with these addresses."""
    return pair({"email": ae}, {"Email": sf}, **evidence)


OLD = {"base": {"email": "a@x.org"}}
MAIL_WITHIN = {"email": seen("2026-11-20T10:00:00Z", "2026-11-20T10:00:30Z")}
NEW_PROSPECT = [{"rule": "EM-2", "action": "create_prospect", "email": "b@x.org"}]
SF_CHANGED = Says("email", "EM-2", ANY)

EMAIL_ANYWAY = [
    row("EM SAME", mail("a@x.org", "a@x.org"), Says("email", "SAME")),
    row("EM SAME without regard to case", mail("a@x.org", "A@X.Org"), Says("email", "SAME")),
    row("EM SAME both empty", mail(None, ""), Says("email", "SAME")),
    row(
        "EM-1 no base: the prospect's address is used, guarded",
        mail("a@x.org", "b@x.org"),
        Says("email", "EM-1", AE, "a@x.org", guarded=True, person_field="Email"),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 no base, on a lead",
        pair({"email": "a@x.org"}, {"Email": "b@x.org"}, "Lead"),
        Says("email", "EM-1", AE, "a@x.org", guarded=True),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 only AE's address changed",
        mail("b@x.org", "a@x.org", **OLD),
        Says("email", "EM-1", AE, "b@x.org"),
        to_person={"Email": "b@x.org"},
    ),
    row(
        "EM-1 both addresses changed",
        mail("b@x.org", "c@x.org", **OLD),
        Says("email", "EM-1", AE, "b@x.org"),
        to_person={"Email": "b@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 a person without address gets the prospect's (no base)",
        mail("a@x.org", None),
        Says("email", "EM-1", AE, "a@x.org", guarded=True),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 SF's address was cleared: the prospect's is never emptied, though the blank switch is on",
        mail("a@x.org", "", **OLD),
        Says("email", "EM-1", AE, "a@x.org"),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 a prospect without address gets the person's (no base)",
        mail(None, "b@x.org"),
        Says("email", "EM-1", SF, "b@x.org", guarded=True),
        to_prospect={"email": "b@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 AE's address was cleared: it gets the person's",
        mail(" ", "a@x.org", **OLD),
        Says("email", "EM-1", SF, "a@x.org"),
        to_prospect={"email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM UNREAD: the others go on",
        pair({"email": "a@x.org", "firstName": "Anna"}, {"Email": MISSING, "FirstName": "Berta"}),
        Says("email", "UNREAD"),
        Says("firstName", "SF-1", SF, "Berta", guarded=False),
        to_prospect={"firstName": "Berta"},
        problems=DESK,
    ),
    row(
        "EM-1 the others go on",
        pair({"email": "b@x.org", "firstName": "Anna"}, {"Email": "a@x.org", "FirstName": "Berta"}, **OLD),
        Says("email", "EM-1", AE, "b@x.org"),
        Says("firstName", "SF-1", SF, "Berta", guarded=False),
        to_person={"Email": "b@x.org"},
        to_prospect={"firstName": "Berta"},
    ),
    row(
        "EM-1 no base, the newest foreign row is not later than AE's interval",
        mail(
            "a@x.org", "b@x.org", history=[changed("Email", "2026-11-20T10:00:30Z")], prospect_field_times=MAIL_WITHIN
        ),
        Says("email", "EM-1", AE, "a@x.org", guarded=True),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 no base, first seen: the row is not later than updatedAt",
        mail("a@x.org", "b@x.org", history=[changed("Email", "2026-11-20T10:00:00Z")]),
        Says("email", "EM-1", AE, "a@x.org", guarded=True),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 no base, the later row is the connector's",
        mail(
            "a@x.org",
            "b@x.org",
            history=[changed("Email", "2026-11-20T11:00:00Z", CONNECTOR), changed("Email", "2026-11-20T09:00:00Z")],
            prospect_field_times=MAIL_WITHIN,
        ),
        Says("email", "EM-1", AE, "a@x.org", guarded=True),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 no base, the later row is another field's",
        mail("a@x.org", "b@x.org", history=[changed("Title", "2026-11-20T11:00:00Z")]),
        Says("email", "EM-1", AE, "a@x.org", guarded=True),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
    row(
        "EM-1 no base, a later CreatedDate is no history row",
        pair(
            {"email": "a@x.org"},
            {"Email": "b@x.org", "CreatedDate": "2026-11-20T11:00:00Z"},
            prospect_field_times=MAIL_WITHIN,
        ),
        Says("email", "EM-1", AE, "a@x.org", guarded=True),
        to_person={"Email": "a@x.org"},
        problems=DESK,
    ),
]

NEW_ONE = Table(
    "email, one prospect per address",
    EMAIL.format(follow="false", skew="0"),
    [
        *EMAIL_ANYWAY,
        row(
            "EM-2 SF's address changed: a new prospect is created",
            mail("a@x.org", "b@x.org", **OLD),
            SF_CHANGED,
            actions=NEW_PROSPECT,
            problems=DESK,
            only=["email"],
        ),
        row(
            "EM-2 the base is compared without regard to case",
            mail("a@x.org", "b@x.org", base={"email": "A@X.ORG"}),
            SF_CHANGED,
            actions=NEW_PROSPECT,
            problems=DESK,
            only=["email"],
        ),
        row(
            "EM-2 is the plan's only decision, no other field is written",
            pair(
                {"email": "a@x.org", "firstName": "Anna", "jobTitle": "CTO"},
                {"Email": "b@x.org", "FirstName": "Berta", "Title": "CEO"},
                **OLD,
            ),
            SF_CHANGED,
            actions=NEW_PROSPECT,
            problems=DESK,
            only=["email"],
        ),
        row(
            "EM-2 on a lead",
            pair({"email": "a@x.org"}, {"Email": "b@x.org", "FirstName": "Berta"}, "Lead", **OLD),
            SF_CHANGED,
            actions=NEW_PROSPECT,
            problems=DESK,
            only=["email"],
        ),
        row(
            "EM-2 no base, but the newest foreign row is later than AE's interval",
            mail(
                "a@x.org",
                "b@x.org",
                history=[changed("Email", "2026-11-20T10:00:31Z")],
                prospect_field_times=MAIL_WITHIN,
            ),
            SF_CHANGED,
            actions=NEW_PROSPECT,
            problems=DESK,
            only=["email"],
        ),
        row(
            "EM-2 no base, first seen, the newest foreign row is later than updatedAt",
            mail("a@x.org", "b@x.org", history=[changed("Email", "2026-11-20T10:00:01Z")]),
            SF_CHANGED,
            actions=NEW_PROSPECT,
            problems=DESK,
            only=["email"],
        ),
    ],
)

FOLLOW = Table(
    "email, follow_salesforce_email",
    EMAIL.format(follow="true", skew="0"),
    [
        *EMAIL_ANYWAY,
        row(
            "EM-3 SF's address changed: AE := SF, not guarded",
            mail("a@x.org", "b@x.org", **OLD),
            Says("email", "EM-3", SF, "b@x.org", guarded=False),
            to_prospect={"email": "b@x.org"},
        ),
        row(
            "EM-3 the others go on",
            pair(
                {"email": "a@x.org", "firstName": "Anna", "jobTitle": "CTO"},
                {"Email": "b@x.org", "FirstName": "Berta", "Title": "CEO"},
                **OLD,
            ),
            Says("email", "EM-3", SF, "b@x.org", guarded=False),
            Says("firstName", "SF-1", SF, "Berta", guarded=False),
            Says("jobTitle", "AE-1", AE, "CTO", guarded=False),
            to_prospect={"email": "b@x.org", "firstName": "Berta"},
            to_person={"Title": "CTO"},
        ),
        row(
            "EM-3 no base, but the newest foreign row is later than AE's interval",
            mail(
                "a@x.org",
                "b@x.org",
                history=[changed("Email", "2026-11-20T10:00:31Z")],
                prospect_field_times=MAIL_WITHIN,
            ),
            Says("email", "EM-3", SF, "b@x.org"),
            to_prospect={"email": "b@x.org"},
            problems=DESK,
        ),
    ],
)

EMAIL_SKEW = Table(
    "email, skew 5",
    EMAIL.format(follow="false", skew="5"),
    [
        row(
            "EM-1 no base, the row is later by the margin only",
            mail(
                "a@x.org",
                "b@x.org",
                history=[changed("Email", "2026-11-20T10:00:35Z")],
                prospect_field_times=MAIL_WITHIN,
            ),
            Says("email", "EM-1", AE, "a@x.org", guarded=True),
            to_person={"Email": "a@x.org"},
            problems=DESK,
        ),
        row(
            "EM-2 no base, the row is later by more than the margin",
            mail(
                "a@x.org",
                "b@x.org",
                history=[changed("Email", "2026-11-20T10:00:36Z")],
                prospect_field_times=MAIL_WITHIN,
            ),
            SF_CHANGED,
            actions=NEW_PROSPECT,
            problems=DESK,
            only=["email"],
        ),
    ],
)

MANY_PER_ADDRESS = """
[connector]
multiple_prospects_per_email = true
allow_blank_salesforce = true

[[field]]
prospect = "email"
lead = "Email"
contact = "Email"
type = "email"
behavior = "{behavior}"
"""

EM_4 = Table(
    "email, several prospects per address, use_salesforce (blank switch on)",
    MANY_PER_ADDRESS.format(behavior="use_salesforce"),
    [
        row(
            "EM-4 an ordinary field with the behavior's ids: SF-1, whatever the base says",
            mail("a@x.org", "b@x.org", **OLD),
            Says("email", "SF-1", SF, "b@x.org", guarded=False),
            to_prospect={"email": "b@x.org"},
        ),
        row(
            "EM-4 SF-4",
            mail(None, "b@x.org"),
            Says("email", "SF-4", SF, "b@x.org", guarded=True),
            to_prospect={"email": "b@x.org"},
        ),
        row(
            "EM-4 the blank switch acts as off on the prospect's e-mail: SF-2",
            mail("a@x.org", None),
            Says("email", "SF-2", AE, "a@x.org", guarded=True),
            to_person={"Email": "a@x.org"},
        ),
        row("EM-4 SAME without regard to case", mail("a@x.org", "A@x.org"), Says("email", "SAME")),
    ],
)

EM_4_RECENT = Table(
    "email, several prospects per address, most_recent_field",
    MANY_PER_ADDRESS.format(behavior="most_recent_field"),
    [
        row(
            "EM-4 RF-1",
            mail(
                "a@x.org",
                "b@x.org",
                history=[changed("Email", "2026-11-20T10:00:31Z")],
                prospect_field_times=MAIL_WITHIN,
            ),
            Says("email", "RF-1", SF, "b@x.org", guarded=True),
            to_prospect={"email": "b@x.org"},
        ),
        row(
            "EM-4 RF-2",
            mail("a@x.org", ""),
            Says("email", "RF-2", AE, "a@x.org", guarded=True),
            to_person={"Email": "a@x.org"},
        ),
    ],
)

COMPANY = """
[connector]
multiple_prospects_per_email = false

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_account_engagement"

[[field]]
prospect = "company"
lead = "Company"
{contact}
behavior = "{behavior}"
"""


def contact(company: object, account: str | None, **evidence: object) -> dict[str, object]:
    """A contact with an account of this name."""
    return pair({"company": company}, {"AccountId": "001000000000001AAA"}, account_name=account, **evidence)


BOTH = ["jobTitle", "company"]

CO_1 = [
    row(
        "CO-1 AE := the account's name, not guarded, as Account.Name",
        contact("Acme", "Acme GmbH"),
        Says("company", "CO-1", SF, "Acme GmbH", guarded=False, person_field="Account.Name"),
        to_prospect={"company": "Acme GmbH"},
        only=BOTH,
    ),
    row(
        "CO-1 AE empty, not guarded",
        contact(None, "Acme GmbH"),
        Says("company", "CO-1", SF, "Acme GmbH", guarded=False, person_field="Account.Name"),
        to_prospect={"company": "Acme GmbH"},
        only=BOTH,
    ),
    row(
        "CO-1 never the other way: AE alone changed since the base, and later",
        contact(
            "Acme",
            "Acme GmbH",
            base={"company": "Acme GmbH"},
            prospect_field_times={"company": seen("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")},
        ),
        Says("company", "CO-1", SF, "Acme GmbH", guarded=False),
        to_prospect={"company": "Acme GmbH"},
        only=BOTH,
    ),
    row("CO-1 equal: SAME", contact("Acme GmbH ", "Acme GmbH"), Says("company", "SAME"), only=BOTH),
    row(
        "CO-1 account_name null with an AccountId is not read: UNREAD",
        contact("Acme", None),
        Says("company", "UNREAD"),
        problems=DESK,
        only=BOTH,
    ),
    row(
        "CO-1 account_name absent with an AccountId is not read: UNREAD",
        pair({"company": "Acme"}, {"AccountId": "001000000000001AAA"}),
        Says("company", "UNREAD"),
        problems=DESK,
        only=BOTH,
    ),
    row(
        "CO-1 UNREAD before SAME: account's name not read, AE empty",
        contact(None, None),
        Says("company", "UNREAD"),
        problems=DESK,
        only=BOTH,
    ),
    row(
        "CO-1 AE's company not read: UNREAD",
        contact(MISSING, "Acme GmbH"),
        Says("company", "UNREAD"),
        problems=DESK,
        only=BOTH,
    ),
    row(
        "CO before ECHO",
        contact("ACME", "Acme GmbH", echo={"company": {"written": "Acme GmbH", "stored": "ACME"}}),
        Says("company", "CO-1", SF, "Acme GmbH", guarded=False),
        to_prospect={"company": "Acme GmbH"},
        only=BOTH,
    ),
    row(
        "CO-2 a contact without an account has no company field: no decision",
        pair({"company": "Acme"}, {"AccountId": None}),
        only=["jobTitle"],
    ),
    row(
        "CO-2 a contact without an account: the others go on",
        pair({"company": "Acme", "jobTitle": "CTO"}, {"AccountId": None, "Title": "CEO"}),
        Says("jobTitle", "AE-1", AE, "CTO", guarded=False),
        to_person={"Title": "CTO"},
        only=["jobTitle"],
    ),
]

CO_SALESFORCE = Table(
    "company, use_salesforce",
    COMPANY.format(behavior="use_salesforce", contact=""),
    [
        *CO_1,
        row(
            "CO-2 on a lead an ordinary field: differs",
            pair({"company": "Acme"}, {"Company": "Bolt"}, "Lead"),
            Says("company", OneOf(("SF-1", "CO-2")), SF, "Bolt", guarded=False, person_field="Company"),
            to_prospect={"company": "Bolt"},
        ),
        row(
            "CO-2 on a lead an ordinary field: AE empty",
            pair({"company": ""}, {"Company": "Bolt"}, "Lead"),
            Says("company", OneOf(("SF-4", "CO-2")), SF, "Bolt", guarded=True),
            to_prospect={"company": "Bolt"},
        ),
        row("CO-2 on a lead: SAME", pair({"company": "Bolt"}, {"Company": "Bolt"}, "Lead"), Says("company", "SAME")),
        row(
            "CO-2 on a lead: ECHO, an ordinary field",
            pair(
                {"company": "bolt"},
                {"Company": "Bolt"},
                "Lead",
                echo={"company": {"written": "Bolt", "stored": "bolt"}},
            ),
            Says("company", "ECHO"),
            problems=DESK,
        ),
    ],
)

CO_ENGAGEMENT = Table(
    "company, use_account_engagement",
    COMPANY.format(behavior="use_account_engagement", contact=""),
    [
        *CO_1,
        row(
            "CO-2 on a lead an ordinary field: AE's value",
            pair({"company": "Acme"}, {"Company": "Bolt"}, "Lead"),
            Says("company", OneOf(("AE-1", "CO-2")), AE, "Acme", guarded=False),
            to_person={"Company": "Acme"},
        ),
        row(
            "CO-2 on a lead: AE empty never empties the lead's Company",
            pair({"company": None}, {"Company": "Bolt"}, "Lead"),
            Says("company", OneOf(("AE-2", "CO-2")), SF, "Bolt", guarded=True),
            to_prospect={"company": "Bolt"},
        ),
    ],
)

CO_CONTACT_FIELD = Table(
    "company, with a contact field of its own, fill_blanks",
    COMPANY.format(behavior="fill_blanks", contact='contact = "Company__c"'),
    [
        row(
            "CO-1 whatever the behavior: a contact with an account gets the account's name",
            pair(
                {"company": "Acme"},
                {"AccountId": "001000000000001AAA", "Company__c": "Other"},
                account_name="Acme GmbH",
            ),
            Says("company", "CO-1", SF, "Acme GmbH", guarded=False),
            to_prospect={"company": "Acme GmbH"},
        ),
    ],
)

TABLES = (
    PROPRIETARY,
    NO_BEHAVIOR,
    SALESFORCE_OPTED_OUT,
    RECENT_OPTED_OUT,
    SETTINGS_OPTED_OUT,
    NEW_ONE,
    FOLLOW,
    EMAIL_SKEW,
    EM_4,
    EM_4_RECENT,
    CO_SALESFORCE,
    CO_ENGAGEMENT,
    CO_CONTACT_FIELD,
)


@pytest.mark.parametrize(("table", "a_row"), each_row(*TABLES))
def test_proprietary_fields(table: Table, a_row: Row) -> None:
    table.check(a_row)
