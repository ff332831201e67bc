"""The suite can fail: each wrong expectation about a right answer is noticed."""

import pytest

from tests.rules.cases import AE, SF, Row, Says, Table, pair, row

MAPPING = """
[connector]
multiple_prospects_per_email = false

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_salesforce"

[[field]]
prospect = "email"
lead = "Email"
contact = "Email"
type = "email"
"""

DIFFER = pair({"jobTitle": "CTO"}, {"Title": "CEO"})
RIGHT = Says("jobTitle", "SF-1", SF, "CEO", guarded=False)
CHANGE = {"jobTitle": "CEO"}
WRONG = [
    row("another rule", DIFFER, Says("jobTitle", "SF-4", SF, "CEO"), to_prospect=CHANGE),
    row("another winner", DIFFER, Says("jobTitle", "SF-1", AE, "CEO"), to_prospect=CHANGE),
    row("another value", DIFFER, Says("jobTitle", "SF-1", SF, "CTO"), to_prospect=CHANGE),
    row("another guard", DIFFER, Says("jobTitle", "SF-1", SF, "CEO", guarded=True), to_prospect=CHANGE),
    row("another person field", DIFFER, Says("jobTitle", "SF-1", SF, person_field="T"), to_prospect=CHANGE),
    row("evidence that is not there", DIFFER, Says("jobTitle", "SF-1", SF, evidence="no such"), to_prospect=CHANGE),
    row("nothing said of a field that differs", DIFFER, to_prospect=CHANGE),
    row("a write that is not expected", DIFFER, RIGHT),
    row("a write that does not come", DIFFER, RIGHT, to_prospect=CHANGE, to_person={"Title": "CTO"}),
    row("an action that does not come", DIFFER, RIGHT, to_prospect=CHANGE, actions=[{"rule": "EM-2"}]),
    row("a problem that does not come", DIFFER, RIGHT, to_prospect=CHANGE, problems=[("UNREAD", "jobTitle")]),
    row("a decision that does not come", DIFFER, RIGHT, to_prospect=CHANGE, only=["jobTitle"]),
    row(
        "an action that is not expected",
        pair({"email": "a@x.org"}, {"Email": "b@x.org"}, base={"email": "a@x.org"}),
        Says("email", "EM-2", SF),
        only=["email"],
    ),
]
TABLE = Table("wrong rows", MAPPING, [*WRONG, row("the right one", DIFFER, RIGHT, to_prospect=CHANGE)])


@pytest.mark.parametrize("a_row", WRONG, ids=lambda a_row: a_row.id)
def test_a_wrong_expectation_is_noticed(a_row: Row) -> None:
    with pytest.raises((AssertionError, KeyError)):
        TABLE.check(a_row)


def test_the_right_expectation_holds() -> None:
    TABLE.check(TABLE.rows[-1])
