"""The filters of [scope]: what may stand there, what may not, and how prospects are judged."""

import pytest

from prospect_sync.mapping import parse_mapping
from prospect_sync.model import Person, PersonType
from prospect_sync.policy import FieldType
from prospect_sync.policy.scope import ScopeError, fields_of, judge, outside, parse

TYPES = {
    "country": FieldType.TEXT,
    "score": FieldType.NUMBER,
    "optedOut": FieldType.BOOLEAN,
    "born__c": FieldType.DATE,
    "seen__c": FieldType.DATETIME,
    "likes__c": FieldType.MULTISELECT,
}
PROSPECT = {
    "country": "France",
    "score": "80",
    "optedOut": False,
    "born__c": "2001-05-06",
    "seen__c": "2026-11-23T10:00:00Z",
    "likes__c": ["Jazz", "Chess"],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("country = 'France'", True),
        ("country = 'FRANCE'", True),
        ("country != 'Spain'", True),
        ("country <> 'France'", False),
        ("country LIKE 'fr%'", True),
        ("country LIKE '_rance'", True),
        ("country LIKE 'rance'", False),
        ("country IN ('Spain', 'France')", True),
        ("country NOT IN ('Spain', 'Italy')", True),
        ("country = null", False),
        ("country != null", True),
        ("country > 'A'", True),
        ("score >= 80", True),
        ("score > 80", False),
        ("score = 80.0", True),
        ("optedOut = false", True),
        ("optedOut = TRUE", False),
        ("born__c < 2001-05-07", True),
        ("seen__c > 2026-11-23T11:00:00+02:00", True),
        ("likes__c INCLUDES ('Jazz')", True),
        ("likes__c INCLUDES ('jazz;chess', 'Golf')", True),
        ("likes__c INCLUDES ('Jazz;Golf')", False),
        ("likes__c EXCLUDES ('Golf')", True),
        ("NOT country = 'Spain' AND score > 1", True),
        ("country = 'Spain' OR (score > 1 AND optedOut = false)", True),
        ("((country = 'Spain'))", False),
    ],
)
def test_a_prospect_is_judged_as_soql_would(text, expected):
    assert judge(parse(text), TYPES, PROSPECT) is expected


def test_an_empty_field_equals_null_and_nothing_else():
    empty = {"country": "  ", "score": None}
    for text, expected in {
        "country = null": True,
        "country != 'France'": True,
        "country = 'France'": False,
        "country LIKE '%'": False,
        "score < 5": False,
    }.items():
        assert judge(parse(text), TYPES, empty) is expected, text


def test_what_was_not_read_is_unknown_unless_the_rest_decides():
    assert judge(parse("country = 'France'"), TYPES, {}) is None
    assert judge(parse("NOT country = 'France'"), TYPES, {}) is None
    assert judge(parse("country = 'France' AND score = 1"), TYPES, {"score": 2}) is False
    assert judge(parse("country = 'France' OR score = 1"), TYPES, {"score": 1}) is True
    assert judge(parse("score = 1"), TYPES, {"score": "many"}) is None


def test_quotes_and_signs_inside_a_text_are_text():
    assert judge(parse(r"country = 'O\'Neil) OR (1'"), TYPES, {"country": "O'Neil) OR (1"}) is True
    assert list(fields_of(parse("NOT (a = 1 OR b.c = 'x')"))) == ["a", "b.c"]


@pytest.mark.parametrize(
    "text",
    [
        "country = 'France' ORDER BY Id",
        "country = 'France' LIMIT 1",
        "country = 'France') OR (Id != null",
        "Id IN (SELECT LeadId FROM CampaignMember)",
        "country = 'France' AND score = 1 OR score = 2",
        "country",
        "country =",
        "country = France'",
        "country = 'France' ; DROP",
        "CALENDAR_YEAR(CreatedDate) = 2026",
        "LIMIT = 1",
        "country LIKE 5",
        "score > null",
        "'France' = country",
        "country = 'France' --",
        "",
        "(" * 60 + "a = 1" + ")" * 60,
        "NOT " * 60 + "a = 1",
    ],
)
def test_nothing_but_a_condition_may_stand_there(text):
    with pytest.raises(ScopeError):
        parse(text)


def test_salesforces_own_words_pass_for_salesforce():
    for text in (
        "CreatedDate = LAST_N_DAYS:30",
        "Owner.Name = 'Ada'",
        "CreatedDate > 2026-01-01T00:00:00Z",
        "X__c = -1.5",
    ):
        parse(text)


MAPPING = """
[scope]
Lead = "Country = 'France'"
Prospect = "country = 'France'"

[[field]]
prospect = "country"
lead = "Country"
behavior = "use_salesforce"
"""


def test_who_is_outside():
    mapping = parse_mapping(MAPPING, "m.toml")
    inside = Person(PersonType.LEAD, "00Q000000000001AAA", {})
    left = Person(PersonType.LEAD, "00Q000000000001AAA", {}, in_scope=False)
    french, spanish = {"country": "france"}, {"country": "Spain"}
    assert outside(mapping, french, inside) is None
    assert outside(mapping, french, left) == "Lead"
    assert outside(mapping, spanish, inside) == "Prospect"
    assert outside(mapping, spanish, None) == "Prospect"
    assert outside(mapping, None, inside) is None
    assert outside(mapping, {}, inside) == "Prospect"
