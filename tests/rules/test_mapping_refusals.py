"""A mapping that does not validate: exit code 2 before any line, nothing on standard output, all problems with their line.

A broken mapping marks each of its problems with `#!`; the comment is taken off and its line must be named, or any line
of the table it stands in (the documents do not say whether the key's line or its table's).
"""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.rules.cases import Answered, run
from tests.rules.test_contract import case, lines

PADDING = "# nothing to see here\n" * 700
"""Puts every problem on a line with a number which no message holds by chance."""

CONNECTOR = """
[connector]
multiple_prospects_per_email = false
"""
MANY = """
[connector]
multiple_prospects_per_email = true
"""
GOOD = """
[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_salesforce"
"""
SCORE = """
[[field]]
prospect = "score"
lead = "Score__c"
type = "number"
behavior = "use_account_engagement" #!
"""
OWNER = """
[[field]]
prospect = "userId"
lead = "OwnerId"
behavior = "use_salesforce" #!
"""
OPTED_OUT = """
[[field]]
prospect = "optedOut"
lead = "HasOptedOutOfEmail"
contact = "HasOptedOutOfEmail"
type = "boolean"
behavior = "most_recent_record" #!
"""
EMAIL = """
[[field]]
prospect = "email"
lead = "Email"
contact = "Email"
type = "email"
behavior = "use_salesforce" #!
"""
NOWHERE = """
[[field]]
prospect = "fax" #!
behavior = "use_salesforce"
"""
NO_CHOICE = """
[[field]]
prospect = "phone"
lead = "Phone"
behavior = "newest_wins" #!
"""


def field(prospect: str, person: str, *settings: str) -> str:
    """A `[[field]]` with its own settings."""
    body = "\n".join(settings)
    return f'\n[[field]]\nprospect = "{prospect}"\nlead = "{person}"\ncontact = "{person}"\n{body}\n'


REFUSED = {
    "unknown key in a field": CONNECTOR + field("fax", "Fax", 'behavior = "use_salesforce"', 'colour = "red" #!'),
    "unknown key in [connector]": CONNECTOR + "allow_blank = true #!\n" + GOOD,
    "unknown table": CONNECTOR + GOOD + "\n[conector] #!\nskew_margin = 1\n",
    "unknown behavior": CONNECTOR + GOOD + NO_CHOICE,
    "unknown type": CONNECTOR + field("fax", "Fax", 'behavior = "use_salesforce"', 'type = "colour" #!'),
    "unknown tie": CONNECTOR + field("fax", "Fax", 'behavior = "most_recent_field"', 'tie = "newest" #!'),
    "unknown without_history": CONNECTOR
    + field("fax", "Fax", 'behavior = "most_recent_field"', 'without_history = "guess" #!'),
    "unknown clears": CONNECTOR + field("fax", "Fax", 'behavior = "use_salesforce"', 'clears = "always" #!'),
    "unknown create_as": CONNECTOR + 'create_as = "account" #!\n' + GOOD,
    "a switch that is no boolean": CONNECTOR + 'allow_blank_salesforce = "yes" #!\n' + GOOD,
    "a margin that is no number": CONNECTOR + 'skew_margin = "ten" #!\n' + GOOD,
    "a margin below zero": CONNECTOR + "skew_margin = -1 #!\n" + GOOD,
    "no prospect field": CONNECTOR + GOOD + '\n[[field]] #!\nlead = "Fax"\nbehavior = "use_salesforce"\n',
    "neither lead nor contact": CONNECTOR + GOOD + NOWHERE,
    "no behavior on an ordinary field": CONNECTOR + GOOD + '\n[[field]] #!\nprospect = "fax"\nlead = "Fax"\n',
    "PR-1 score cannot have a behavior": CONNECTOR + GOOD + SCORE,
    "PR-1 grade cannot have a behavior": CONNECTOR + field("grade", "Grade__c", 'behavior = "use_salesforce" #!'),
    "PR-1 campaign cannot have a behavior": CONNECTOR
    + field("campaignId", "Campaign__c", 'behavior = "most_recent_record" #!'),
    "PR-2 the assigned user cannot have a behavior": CONNECTOR + GOOD + OWNER,
    "OO-1 most_recent_record is refused": CONNECTOR + GOOD + OPTED_OUT,
    "EM email cannot have a behavior with one prospect per address": CONNECTOR + GOOD + EMAIL,
    "EM-4 email needs a behavior with several prospects per address": MANY
    + '\n[[field]] #!\nprospect = "email"\nlead = "Email"\ncontact = "Email"\ntype = "email"\n',
    "EM-4 follow_salesforce_email is refused together with it": MANY + "follow_salesforce_email = true #!\n" + GOOD,
    "CL-1 clears = salesforce on use_account_engagement": CONNECTOR
    + field("fax", "Fax", 'behavior = "use_account_engagement"', 'clears = "salesforce" #!'),
    "CL-1 clears = salesforce on most_recent_field": CONNECTOR
    + field("fax", "Fax", 'behavior = "most_recent_field"', 'clears = "salesforce" #!'),
    "CL-1 clears = salesforce on most_recent_record": CONNECTOR
    + field("fax", "Fax", 'behavior = "most_recent_record"', 'clears = "salesforce" #!'),
    "FB clears = salesforce together with fill_blanks": CONNECTOR
    + field("fax", "Fax", 'behavior = "fill_blanks"', 'clears = "salesforce" #!'),
    "FB clears = either together with fill_blanks": CONNECTOR
    + field("fax", "Fax", 'behavior = "fill_blanks"', 'clears = "either" #!'),
    "CL never emptied: LastName": CONNECTOR
    + field("lastName", "LastName", 'behavior = "most_recent_field"', 'clears = "either" #!'),
    "CL never emptied: LastName, mapped from another prospect field": CONNECTOR
    + field("501__c", "LastName", 'behavior = "use_account_engagement"', 'clears = "either" #!'),
    "CL never emptied: a lead's Company": CONNECTOR
    + '\n[[field]]\nprospect = "company"\nlead = "Company"\nbehavior = "most_recent_field"\nclears = "either" #!\n',
    "CL never emptied: the prospect's email by clears = salesforce": MANY
    + field("email", "Email", 'type = "email"', 'behavior = "use_salesforce"', 'clears = "salesforce" #!'),
    "CL never emptied: the prospect's email by clears = either": MANY
    + field("email", "Email", 'type = "email"', 'behavior = "most_recent_field"', 'clears = "either" #!'),
    "TIE restrictive is for boolean fields": CONNECTOR
    + field("fax", "Fax", 'behavior = "most_recent_field"', 'tie = "restrictive" #!'),
    "UNK restrictive is for boolean fields": CONNECTOR
    + field("fax", "Fax", 'behavior = "most_recent_field"', 'without_history = "restrictive" #!'),
    "duplicate prospect field": CONNECTOR
    + GOOD
    + '\n[[field]]\nprospect = "jobTitle" #!\nlead = "Fax"\nbehavior = "use_salesforce"\n',
    "duplicate lead field": CONNECTOR
    + GOOD
    + '\n[[field]]\nprospect = "fax"\nlead = "Title" #!\nbehavior = "use_salesforce"\n',
    "duplicate contact field": CONNECTOR
    + GOOD
    + '\n[[field]]\nprospect = "fax"\ncontact = "Title" #!\nbehavior = "use_salesforce"\n',
    "no TOML": CONNECTOR + GOOD + "\nthis is no TOML #!\n",
    "all at once": CONNECTOR
    + "allow_blank = true #!\n"
    + GOOD
    + SCORE
    + OWNER
    + OPTED_OUT
    + EMAIL
    + NOWHERE
    + NO_CHOICE
    + field("city", "City", 'behavior = "fill_blanks"', 'clears = "either" #!')
    + field("country", "Country", 'behavior = "use_salesforce"', 'colour = "red" #!')
    + field("lastName", "LastName", 'behavior = "most_recent_field"', 'clears = "either" #!'),
    "several in one field": CONNECTOR
    + GOOD
    + field("fax", "Fax", 'behavior = "newest_wins" #!', 'colour = "red" #!', 'type = "colour" #!'),
}

NAMED = {
    "all at once": ["allow_blank", "newest_wins", "colour"],
    "several in one field": ["newest_wins", "colour"],
    "unknown key in a field": ["colour"],
    "unknown key in [connector]": ["allow_blank"],
    "unknown table": ["conector"],
    "unknown behavior": ["newest_wins"],
}
"""What a person cannot find without being told its name."""


def text_of(name: str) -> str:
    return PADDING + REFUSED[name].replace(" #!", "")


def places(name: str) -> list[range]:
    """For each problem the lines of the table in which it stands."""
    marked = (PADDING + REFUSED[name]).split("\n")
    starts = [n for n, line in enumerate(marked, 1) if line.startswith("[")] + [len(marked) + 1]
    found = []
    for number, line in enumerate(marked, 1):
        if "#!" in line:
            start = max(s for s in starts if s <= number)
            found.append(range(start, min(s for s in starts if s > number)))
    return found


@pytest.fixture(scope="module")
def refused() -> dict[str, Answered]:
    """Each broken mapping needs a process of its own; two at a time."""
    good_lines = lines(case("a"), "{")
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda name: run(text_of(name), good_lines), REFUSED)
        return dict(zip(REFUSED, answers, strict=True))


@pytest.mark.parametrize("name", REFUSED)
def test_an_impossible_mapping_is_refused_before_any_line(refused: dict[str, Answered], name: str) -> None:
    done = refused[name]
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", REFUSED)
def test_every_problem_of_a_mapping_is_reported_with_its_line(refused: dict[str, Answered], name: str) -> None:
    numbers = {int(found) for found in re.findall(r"\b\d{3}\b", refused[name].stderr)}
    assert places(name)
    for place in places(name):
        assert numbers & set(place), f"no line of {place} in {refused[name].stderr}"


@pytest.mark.parametrize("name", NAMED)
def test_what_is_unknown_is_called_by_its_name(refused: dict[str, Answered], name: str) -> None:
    for word in NAMED[name]:
        assert word in refused[name].stderr


ALLOWED = """
[connector]
allow_blank_salesforce = true
multiple_prospects_per_email = false
follow_salesforce_email = true
match_by_email = true
create_prospects = true
create_as = "contact"
skew_margin = 2

[users]
"005000000000001AAA" = 41

[values.state]
"Bavaria" = "BY"

[[field]]
prospect = "email"
lead = "Email"
contact = "Email"
type = "email"

[[field]]
prospect = "optedOut"
lead = "HasOptedOutOfEmail"
contact = "HasOptedOutOfEmail"
type = "boolean"

[[field]]
prospect = "score"
lead = "Score__c"
contact = "Score__c"
type = "number"

[[field]]
prospect = "userId"
lead = "OwnerId"
contact = "OwnerId"

[[field]]
prospect = "state"
contact = "MailingState"
behavior = "use_salesforce"
clears = "salesforce"

[[field]]
prospect = "lastName"
lead = "LastName"
contact = "LastName"
behavior = "use_salesforce"
default = "Unknown"

[[field]]
prospect = "company"
lead = "Company"
behavior = "use_salesforce"
default = "Unknown"

[[field]]
prospect = "301__c"
contact = "Newsletter__c"
type = "boolean"
behavior = "most_recent_field"
tie = "restrictive"
without_history = "restrictive"

[[field]]
prospect = "city"
contact = "MailingCity"
behavior = "most_recent_record"
clears = "either"
"""


def test_a_mapping_that_uses_everything_allowed_is_taken() -> None:
    done = run(ALLOWED, "")
    assert (done.exit_code, done.stdout, done.stderr.strip()) == (0, "", "")
