"""The mapping file: what is accepted and with which defaults, and every refusal with its line."""

from decimal import Decimal

import pytest

from prospect_sync.errors import MappingError
from prospect_sync.mapping import DEFAULT_MAPPING, load_mapping, misgivings, parse_mapping
from prospect_sync.model import PersonType
from prospect_sync.policy import Behavior, Clears, FieldType, Tie, TooLong, WithoutHistory

TITLE = '[[field]]\nprospect = "jobTitle"\nlead = "Title"\nbehavior = "use_salesforce"\n'


def field(**settings):
    """The text of one [[field]]; the values are TOML."""
    lines = [f"{key} = {value}" for key, value in settings.items()]
    return "\n".join(["[[field]]", *lines, ""])


def refused(text):
    """All problems of a mapping that must be refused: (line, key, message)."""
    with pytest.raises(MappingError) as error:
        parse_mapping(text, "m.toml")
    return [(problem.line, problem.key, problem.message) for problem in error.value.problems]


def only(text):
    (problem,) = refused(text)
    return problem


def test_the_least_that_is_a_mapping():
    mapping = parse_mapping(TITLE, "m.toml")
    (entry,) = mapping.fields
    assert (entry.prospect, entry.lead, entry.contact, entry.line) == ("jobTitle", "Title", None, 1)
    assert (entry.behavior, entry.type) == (Behavior.USE_SALESFORCE, FieldType.TEXT)
    assert (entry.tie, entry.without_history, entry.clears) == (Tie.SALESFORCE, WithoutHistory.RECORD, None)
    rules = mapping.connector
    assert (rules.allow_blank_salesforce, rules.match_by_email, rules.create_prospects) == (False, True, False)
    assert (rules.create_as, rules.external_id, rules.skew_margin) == (PersonType.LEAD, None, Decimal(0))


def test_everything_that_can_be_said():
    mapping = parse_mapping(
        """
[connector]
allow_blank_salesforce = true
multiple_prospects_per_email = true
follow_salesforce_email = false
match_by_email = false
create_prospects = true
create_as = "contact"
external_id = "Prospect_Id__c"
skew_margin = 1.5

[users]
"005000000000001AAA" = 41
"005000000000002AAA" = "42"

[scope]
Lead = "Country = 'FR'"
contact = "MailingCountry = 'FR'"

[values.industry]
IT = "Technology"
"R&D" = 'Research'
level = 3

[[field]]
prospect = "email"
lead = "Email"
contact = "Email"
behavior = "use_salesforce"

[[field]]
prospect = "industry"
lead = "Industry"
behavior = "most_recent_field"
tie = "account_engagement"
without_history = "hold"
clears = "either"
default = "Other"
""",
        "m.toml",
    )
    rules = mapping.connector
    assert (rules.allow_blank_salesforce, rules.multiple_prospects_per_email, rules.match_by_email) == (
        True,
        True,
        False,
    )
    assert (rules.create_as, rules.external_id, rules.skew_margin) == (
        PersonType.CONTACT,
        "Prospect_Id__c",
        Decimal("1.5"),
    )
    assert dict(mapping.users) == {"005000000000001": "41", "005000000000002": "42"}
    assert dict(mapping.scope) == {"Lead": "Country = 'FR'", "Contact": "MailingCountry = 'FR'"}
    assert dict(mapping.values["industry"]) == {"IT": "Technology", "R&D": "Research", "level": "3"}
    email, industry = mapping.fields
    assert (email.type, email.behavior) == (FieldType.EMAIL, Behavior.USE_SALESFORCE)
    assert (industry.tie, industry.without_history) == (Tie.ACCOUNT_ENGAGEMENT, WithoutHistory.HOLD)
    assert (industry.clears, industry.default) == (Clears.EITHER, "Other")


def test_consent_fields_are_restrictive_and_boolean_by_default():
    names = ["optedOut", "isDoNotEmail", "isDoNotCall"]
    text = "".join(
        field(prospect=f'"{name}"', contact=f'"F{index}__c"', behavior='"most_recent_field"')
        for index, name in enumerate(names)
    )
    for entry in parse_mapping(text, "m.toml").fields:
        assert entry.type is FieldType.BOOLEAN
        assert (entry.tie, entry.without_history) == (Tie.RESTRICTIVE, WithoutHistory.RESTRICTIVE)


def test_behaviors_that_may_be_left_out():
    text = "".join(
        field(prospect=f'"{name}"', lead=f'"F{index}__c"')
        for index, name in enumerate(["optedOut", "email", "score", "grade", "campaignId", "userId"])
    )
    behaviors = [entry.behavior for entry in parse_mapping(text, "m.toml").fields]
    assert behaviors == [Behavior.USE_ACCOUNT_ENGAGEMENT, None, None, None, None, None]


ACCEPTED = [
    field(prospect='"optedOut"', lead='"O"', behavior='"use_salesforce"'),
    field(prospect='"optedOut"', lead='"O"', behavior='"most_recent_field"', without_history='"restrictive"'),
    # does not apply to Opted Out, and is ignored there (OO-2)
    field(prospect='"optedOut"', lead='"O"', behavior='"most_recent_field"', without_history='"hold"'),
    field(prospect='"company"', lead='"Company"', contact='"Account.Name"', behavior='"use_salesforce"'),
    field(prospect='"company"', lead='"Company"', behavior='"use_salesforce"', clears='"salesforce"'),
    field(prospect='"lastName"', lead='"LastName"', behavior='"use_salesforce"', clears='"salesforce"'),
    field(prospect='"x"', lead='"X"', behavior='"most_recent_record"', tie='"restrictive"', type='"boolean"'),
    'field = [{prospect = "x", lead = "X", behavior = "fill_blanks"}]',
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text):
    assert len(parse_mapping(text, "m.toml").fields) == 1


REFUSED = [
    # (text, line, key, words that the message must hold)
    pytest.param("", None, "field", "nothing to sync", id="no field"),
    pytest.param("[connectors]\n" + TITLE, 1, "connectors", "did you mean connector?", id="unknown table"),
    pytest.param("[connector]\nskew = 1\n" + TITLE, 2, "connector.skew", "unknown setting", id="unknown setting"),
    pytest.param(TITLE + 'behaviour = "x"\n', 5, "field.behaviour", "did you mean behavior?", id="unknown key"),
    pytest.param("connector = 1\n" + TITLE, 1, "connector", "must be a table", id="not a table"),
    pytest.param("field = 1\n", 1, "field", "[[field]]", id="not fields"),
    pytest.param(
        '[connector]\nmatch_by_email = "yes"\n' + TITLE,
        2,
        "connector.match_by_email",
        "true or false",
        id="not a switch",
    ),
    pytest.param('[connector]\ncreate_as = "Lead"\n' + TITLE, 2, "connector.create_as", '"lead"', id="create_as"),
    pytest.param("[connector]\nexternal_id = 7\n" + TITLE, 2, "connector.external_id", "API name", id="external_id"),
    pytest.param(
        "[connector]\nskew_margin = -1\n" + TITLE, 2, "connector.skew_margin", "0 or more", id="negative margin"
    ),
    pytest.param("[connector]\nskew_margin = nan\n" + TITLE, 2, "connector.skew_margin", "0 or more", id="margin nan"),
    pytest.param(
        "[connector]\nskew_margin = true\n" + TITLE, 2, "connector.skew_margin", "0 or more", id="margin true"
    ),
    pytest.param(
        "[connector]\nmultiple_prospects_per_email = true\nfollow_salesforce_email = true\n" + TITLE,
        3,
        "connector.follow_salesforce_email",
        "EM-4",
        id="EM-4 with follow",
    ),
    pytest.param('[users]\n"005" = [1]\n' + TITLE, 2, "users.005", "id of an Account Engagement user", id="user"),
    pytest.param(
        "[users]\n005000000000001AAA = 1\n005000000000001 = 2\n" + TITLE,
        3,
        "users.005000000000001",
        "twice",
        id="user twice",
    ),
    pytest.param('[scope]\nAccount = "x"\n' + TITLE, 2, "scope.Account", "not an object", id="scope"),
    pytest.param("[scope]\nLead = true\n" + TITLE, 2, "scope.Lead", "filter", id="scope filter"),
    pytest.param(
        '[values.jobtitle]\na = "b"\n' + TITLE, 1, "values.jobtitle", "did you mean jobTitle?", id="values of what"
    ),
    pytest.param('[values.jobTitle]\na = ""\n' + TITLE, 2, "values.jobTitle.a", "filled", id="empty value"),
    pytest.param("[values]\njobTitle = 1\n" + TITLE, 2, "values.jobTitle", "table of values", id="values no table"),
    pytest.param(
        field(lead='"X"', behavior='"fill_blanks"'), 1, "field.prospect", "names no prospect", id="no prospect"
    ),
    pytest.param(
        field(prospect='"x"', behavior='"fill_blanks"'),
        1,
        "field",
        "neither a lead nor a contact",
        id="no person field",
    ),
    pytest.param(field(prospect='"x"', lead='"X"'), 1, "field.behavior", "names no behavior", id="no behavior"),
    pytest.param(
        field(prospect='"x"', lead='"X"', behavior='"use_sales_force"'),
        4,
        "field.behavior",
        "did you mean use_salesforce?",
        id="unknown behavior",
    ),
    pytest.param(
        field(prospect='"x"', lead='"X"', behavior="1"), 4, "field.behavior", "must be one of", id="behavior 1"
    ),
    pytest.param(TITLE + 'type = "string"\n', 5, "field.type", "must be one of text", id="unknown type"),
    pytest.param(TITLE + 'tie = "restrictive"\n', 5, "field.tie", "boolean", id="restrictive tie on text"),
    pytest.param(
        TITLE + 'without_history = "restrictive"\n', 5, "field.without_history", "boolean", id="restrictive on text"
    ),
    pytest.param(TITLE + 'clears = "both"\n', 5, "field.clears", "either", id="unknown clears"),
    pytest.param(
        TITLE + 'type = "number"\ndefault = "x"\n', 6, "field.default", "number", id="default of another type"
    ),
    pytest.param(
        field(prospect='"x"', lead='"Owner.Name"', behavior='"fill_blanks"'),
        3,
        "field.lead",
        "another record",
        id="dotted",
    ),
    pytest.param(
        field(prospect='"x y"', lead='"X"', behavior='"fill_blanks"'), 2, "field.prospect", "API name", id="no API name"
    ),
    pytest.param(TITLE + TITLE.replace("jobTitle", "other"), 7, "field.lead", "twice", id="lead twice"),
    pytest.param(TITLE + TITLE.replace('"Title"', '"Other"'), 6, "field.prospect", "line 2", id="prospect twice"),
    pytest.param(
        TITLE + field(prospect='"x"', lead='"TITLE"', behavior='"fill_blanks"'),
        7,
        "field.lead",
        "twice",
        id="by case alone",
    ),
    pytest.param(
        field(prospect='"score"', lead='"S"', behavior='"use_account_engagement"'),
        4,
        "field.behavior",
        "PR-1",
        id="PR-1",
    ),
    pytest.param(
        field(prospect='"userId"', lead='"OwnerId"', behavior='"use_salesforce"'),
        4,
        "field.behavior",
        "PR-2",
        id="PR-2",
    ),
    pytest.param(
        field(prospect='"optedOut"', lead='"O"', behavior='"most_recent_record"'),
        4,
        "field.behavior",
        "OO-1",
        id="OO-1",
    ),
    pytest.param(
        field(prospect='"optedOut"', lead='"O"', type='"text"'), 4, "field.type", "boolean", id="optedOut text"
    ),
    pytest.param(
        field(prospect='"email"', lead='"Email"', behavior='"use_account_engagement"'),
        4,
        "field.behavior",
        "EM-1",
        id="EM-1",
    ),
    pytest.param(
        "[connector]\nmultiple_prospects_per_email = true\n" + field(prospect='"email"', lead='"Email"'),
        3,
        "field.behavior",
        "names no behavior",
        id="EM-4 without behavior",
    ),
    pytest.param(
        TITLE.replace("use_salesforce", "use_account_engagement") + 'clears = "salesforce"\n',
        5,
        "field.clears",
        "CL-1",
        id="CL-1 elsewhere",
    ),
    pytest.param(
        TITLE.replace("use_salesforce", "fill_blanks") + 'clears = "either"\n',
        5,
        "field.clears",
        "fill_blanks",
        id="CL, FB",
    ),
    pytest.param(
        field(prospect='"email"', lead='"Email"', clears='"either"'), 4, "field.clears", "never", id="CL, email"
    ),
    pytest.param(
        field(prospect='"score"', lead='"S"', clears='"either"'), 4, "field.clears", "no behavior", id="CL, score"
    ),
    pytest.param(
        field(prospect='"lastName"', contact='"LastName"', behavior='"use_account_engagement"', clears='"either"'),
        5,
        "field.clears",
        "LastName",
        id="CL, LastName",
    ),
    pytest.param(
        field(prospect='"company"', lead='"Company"', behavior='"most_recent_field"', clears='"either"'),
        5,
        "field.clears",
        "Company",
        id="CL, Company",
    ),
    pytest.param(TITLE + "tie = \n", 5, "", "not valid TOML", id="syntax"),
    pytest.param(TITLE + 'lead = "Title"\n', 5, "", "not valid TOML", id="key twice"),
]


@pytest.mark.parametrize(("text", "line", "key", "words"), REFUSED)
def test_refused_with_its_line(text, line, key, words):
    found = only(text)
    assert (found[0], found[1]) == (line, key)
    assert words in found[2]


def test_every_problem_is_reported_at_once_in_the_files_order():
    text = (
        TITLE + "tie = 1\n" + field(prospect='"score"', lead='"S"', behavior='"x"') + "[connector]\nskew_margin = -1\n"
    )
    assert [(line, key) for line, key, _ in refused(text)] == [
        (5, "field.tie"),
        (9, "field.behavior"),
        (9, "field.behavior"),
        (11, "connector.skew_margin"),
    ]


def test_lines_are_found_behind_long_texts_and_windows_line_ends():
    text = '[values.x]\na = """\n[[field]]\nx = 1\n"""\n\n[[field]]\nprospect = "x"\nlead = "X"\nbehavior = "fill"\n'
    assert only(text)[0] == 10
    assert only(text.replace("\n", "\r\n"))[0] == 10


def test_the_version_is_that_of_the_meaning():
    same = parse_mapping("# a comment\n\n" + TITLE + 'type = "text"\n', "other.toml")
    assert same.version == parse_mapping(TITLE, "m.toml").version
    assert parse_mapping(TITLE + 'tie = "account_engagement"\n', "m.toml").version != same.version
    assert parse_mapping("[connector]\nskew_margin = 1\n" + TITLE, "m.toml").version != same.version


def test_a_file_that_cannot_be_read_is_a_problem_too(tmp_path):
    for path, content in (("none.toml", None), ("latin.toml", "[scope]\nLead = 'é'".encode("latin-1"))):
        if content is not None:
            (tmp_path / path).write_bytes(content)
        with pytest.raises(MappingError) as error:
            load_mapping(tmp_path / path)
        assert "cannot be read" in error.value.problems[0].message


def test_the_default_mapping_is_valid():
    mapping = load_mapping(DEFAULT_MAPPING)
    by_name = {entry.prospect: entry for entry in mapping.fields}
    assert by_name["optedOut"].behavior is Behavior.MOST_RECENT_FIELD
    assert (by_name["jobTitle"].lead, by_name["jobTitle"].contact) == ("Title", "Title")
    assert (by_name["city"].lead, by_name["city"].contact) == ("City", "MailingCity")
    assert (by_name["department"].lead, by_name["website"].contact) == (None, None)


def test_a_scope_that_is_no_condition_is_refused_with_its_line():
    line, key, message = only(f"[scope]\nLead = \"Country = 'FR' LIMIT 1\"\n{TITLE}")
    assert (line, key) == (2, "scope.Lead")
    assert "LIMIT" in message


def test_the_prospects_scope_speaks_of_mapped_fields_only():
    score = field(prospect='"score"', lead='"Score__c"', type='"number"')
    assert parse_mapping(f'[scope]\nprospect = "score > 5"\n{score}', "m.toml").scope == {"Prospect": "score > 5"}
    for filter_ in ("city = 'Bonn'", "score = 'many'", "score > TODAY"):
        assert only(f'[scope]\nprospect = "{filter_}"\n{score}')[:2] == (2, "scope.prospect"), filter_


def test_only_a_text_can_be_cut():
    entry = parse_mapping(TITLE + 'too_long = "cut"\n', "m.toml").fields[0]
    assert entry.too_long is TooLong.CUT
    assert only(TITLE + 'type = "number"\ntoo_long = "cut"\n')[:2] == (6, "field.too_long")
    assert only(TITLE + 'too_long = "truncate"\n')[:2] == (5, "field.too_long")


def test_what_will_hardly_do_what_was_meant_is_told():
    fields = [
        field(prospect='"isReviewed"', lead='"Reviewed__c"', behavior='"use_salesforce"'),
        field(prospect='"jobtitle"', lead='"Title"', behavior='"use_salesforce"'),
        field(prospect='"createdAt"', lead='"Born__c"', type='"datetime"', behavior='"use_salesforce"'),
        field(prospect='"annualRevenue"', lead='"AnnualRevenue"', type='"number"', behavior='"use_salesforce"'),
        field(prospect='"Likes__c"', lead='"Likes__c"', type='"multiselect"', behavior='"use_salesforce"'),
    ]
    told = [(one.line, one.key) for one in misgivings(parse_mapping("\n".join(fields), "m.toml"))]
    assert told == [(1, "isReviewed"), (6, "jobtitle"), (11, "createdAt")]


def test_the_default_mapping_gives_no_misgivings():
    assert list(misgivings(load_mapping(DEFAULT_MAPPING))) == []
