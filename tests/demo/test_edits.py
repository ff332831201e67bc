"""The simulated users' script, and what the judges make of the end."""

import copy
import json
from datetime import UTC, datetime

from tests.demo.made import orgs, pairs
from worker.demo import judge
from worker.demo.edits import APART, Edited, LinkedPair, Planned, Script, write_script

LEAD = LinkedPair(7, "00Q5g0000000007EAA", "Lead", {"Title": "Buyer"}, {"jobTitle": "Buyer"})
CONNECTOR = {"salesforce_user_id": "0055g00000Sbx01AAB", "account_engagement_user_id": 41}


def dump():
    return json.loads(json.dumps(orgs().as_json()))


def script():
    return write_script(pairs(), 20, 1)


def test_the_script_is_the_same_for_the_same_seed():
    assert script() == script()
    assert write_script(pairs(), 20, 2) != script()


def test_two_edits_of_one_field_lie_apart():
    by_field = {}
    for edit in script().edits:
        by_field.setdefault((edit.pair.prospect_id, edit.name), []).append(edit.second)
    twice = [sorted(seconds) for seconds in by_field.values() if len(seconds) > 1]
    assert len(twice) > 5
    assert all(later - earlier > APART - 0.001 for earlier, later in twice)


def test_some_pairs_are_edited_on_both_sides_in_the_same_moment():
    moments = {}
    for edit in script().edits:
        moments.setdefault((edit.pair.prospect_id, edit.second), set()).add((edit.user, edit.name))
    assert {("sales", "jobTitle"), ("marketing", "phone")} in moments.values()


def test_an_edit_is_put_in_the_words_of_its_org():
    sales = Planned(1.0, "salesforce", LEAD, "jobTitle", "Owner")
    marketing = Planned(1.0, "account_engagement", LEAD, "Interests__c", ["Events", "Pricing"])
    assert (sales.user, sales.field, sales.written, sales.other_field) == ("sales", "Title", "Owner", "jobTitle")
    assert (marketing.user, marketing.written) == ("marketing", ["Events", "Pricing"])
    assert (marketing.other_field, marketing.arriving) == ("Interests__c", "Events;Pricing")


def test_an_edit_is_told_to_the_oracle_in_its_words():
    edit = Edited(Planned(1.0, "salesforce", LEAD, "jobTitle", "Owner"), datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert edit.as_json() == {
        "side": "salesforce", "record_id": "00Q5g0000000007EAA", "field": "Title", "value": "Owner",
        "at": "2026-03-02T10:00:00+00:00", "user": "sales",
    }  # fmt: skip


def test_a_lost_edit_is_named():
    after = dump()
    person = after["salesforce"]["records"]["Lead"][0]
    prospect = after["account_engagement"]["prospects"][0]
    person["Title"] = prospect["jobTitle"] = "Owner"
    wanted = Script(outcome={(1, "jobTitle"): "Owner"})
    assert judge.lost_edits(after, wanted) == []
    person["Title"] = "Buyer"
    told = (
        f"prospect 1 and Lead {person['Id']}: jobTitle must be 'Owner' on both sides, "
        "but is 'Owner' in Account Engagement and 'Buyer' in Salesforce"
    )
    assert judge.lost_edits(after, wanted) == [told]


def test_selections_and_numbers_are_the_same_in_either_sides_form():
    after = dump()
    person = after["salesforce"]["records"]["Lead"][0]
    prospect = after["account_engagement"]["prospects"][0]
    person |= {"Interests__c": "Pricing;Events", "Score__c": 5.0}
    prospect |= {"Interests__c": ["Events", "Pricing"], "score": 5}
    assert judge.lost_edits(after, Script(outcome={(1, "Interests__c"): ["Events", "Pricing"], (1, "score"): 5})) == []


def test_the_oracle_sees_what_no_sync_has_touched():
    before = dump()
    found = judge.wrong_by_oracle(before, before, (), CONNECTOR)
    assert len({line.split()[1] for line in found}) > 800


def test_the_oracle_finds_nothing_where_nothing_differed():
    before = dump()
    same = [pair.prospect_id for pair in pairs()]
    found = {int(line.split()[1]) for line in judge.wrong_by_oracle(before, copy.deepcopy(before), (), CONNECTOR)}
    assert found < set(same)
