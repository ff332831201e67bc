"""The demo's data: made of the sample, the same for the same seed, and such that every behavior matters."""

import json
import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from prospect_sync.mapping import load_mapping
from prospect_sync.model import same_id
from prospect_sync.policy.behaviors import FieldType
from prospect_sync.sandbox.users import sandbox_users
from tests.demo.made import MIDNIGHT, PAIRS, decisions, notice, orgs, pairs
from worker.demo.fields import PERSON_FIELDS
from worker.demo.pairs import make_orgs
from worker.demo.people import SAMPLE, read_pairs
from worker.demo.stage import MAPPING


def test_the_sample_comes_with_its_notice():
    assert len(SAMPLE.read_text(encoding="utf-8").splitlines()) == 5001
    assert "Peter Christen" in notice()
    assert "Redistributions of source code must retain" in notice()


def test_a_pair_is_taken_from_the_sample_and_made_readable():
    found = {pair.key: pair for pair in read_pairs(SAMPLE, 5000, 3)}
    michaela = found["1070"]
    assert michaela.salesforce.given_name == "Michaela"
    assert michaela.prospect.given_name == "Michafla"
    assert (michaela.salesforce.street, michaela.prospect.street) == ("8 Stanley Street", "8 Stanleykstreet")
    assert (michaela.salesforce.state, michaela.prospect.state) == ("NSW", None)
    assert michaela.salesforce.born == "1915-11-11"


def test_beyond_the_sample_rows_are_repeated_with_other_addresses():
    made = make_orgs(read_pairs(SAMPLE, 5003, 1), 1, MIDNIGHT, sandbox_users())
    addresses = [prospect["email"].lower() for prospect in made.prospects]
    assert len(set(addresses)) == 5003
    assert addresses[5000].endswith("-2@mail.example")


def test_the_same_seed_makes_the_same_orgs():
    again = make_orgs(read_pairs(SAMPLE, PAIRS, 1), 1, MIDNIGHT, sandbox_users())
    other = make_orgs(read_pairs(SAMPLE, PAIRS, 2), 2, MIDNIGHT, sandbox_users())
    assert json.dumps(again.as_json()) == json.dumps(orgs().as_json())
    assert json.dumps(other.as_json()) != json.dumps(orgs().as_json())


def test_leads_and_contacts_are_mixed_and_each_has_a_prospect_that_holds_its_id():
    kinds = Counter(pair.kind for pair in pairs())
    assert kinds == {"Lead": 750, "Contact": 250}
    assert len(orgs().records["Account"]) == 225
    assert all(same_id(pair.prospect["salesforceId"], pair.person_id) for pair in pairs())
    assert len({pair.person_id for pair in pairs()}) == PAIRS


def test_what_salesforce_requires_is_there():
    assert all(pair.person["LastName"] for pair in pairs())
    assert all(pair.person["Company"] for pair in pairs() if pair.kind == "Lead")


def test_the_mapping_uses_all_types_and_behaviors():
    mapping = load_mapping(MAPPING)
    assert len(mapping.fields) == 18
    assert {row.type for row in mapping.fields} == set(FieldType)
    assert {row.behavior.value for row in mapping.fields if row.behavior} == {
        "use_account_engagement", "use_salesforce", "most_recent_field", "most_recent_record", "fill_blanks",
    }  # fmt: skip
    assert {row.prospect: (row.lead, row.contact) for row in mapping.fields} == PERSON_FIELDS


def _instants(pair):
    person, prospect = pair.person, pair.prospect
    return [datetime.fromisoformat(person[name]) for name in ("CreatedDate", "LastModifiedDate")], [
        datetime.fromisoformat(prospect[name]) for name in ("createdAt", "updatedAt")
    ]


def test_no_two_instants_of_the_two_sides_tie_and_all_are_past():
    for pair in pairs():
        ours, theirs = _instants(pair)
        assert all(instant.second % 2 == 1 for instant in ours)
        assert all(instant.second % 2 == 0 for instant in theirs)
        assert ours[0] <= ours[1] < MIDNIGHT
        assert theirs[0] < theirs[1] < MIDNIGHT


def test_history_rows_lie_between_creation_and_last_modification():
    people = {pair.person_id: pair for pair in pairs()}
    rows = [(row[f"{kind}Id"], row) for kind, rows in orgs().history.items() for row in rows]
    assert len(rows) > 200
    for person_id, row in rows:
        at, (created, modified) = datetime.fromisoformat(row["CreatedDate"]), _instants(people[person_id])[0]
        assert created < at <= modified


def test_rows_by_the_connector_are_few_and_never_the_newest_of_their_field():
    connector = sandbox_users()[0].salesforce_id
    by_field = defaultdict(list)
    for kind, rows in orgs().history.items():
        for row in rows:
            by_field[row[f"{kind}Id"], row["Field"]].append((row["CreatedDate"], row["CreatedById"]))
    ours = [field for field, rows in by_field.items() if any(by == connector for _, by in rows)]
    assert 5 < len(ours) < 100
    assert all(max(by_field[field])[1] != connector for field in ours)


@pytest.mark.parametrize(
    "rule", ["AE-1", "AE-2", "AE-3", "SF-1", "SF-2", "SF-4", "RF-1", "RF-2", "RR-1", "UNK", "FB-1", "FB-2", "PR-1", "CO-1", "EM-1", "SAME"]
)  # fmt: skip
def test_every_rule_decides_something(rule):
    assert any(decision["rule"] == rule for _, plan in decisions().values() for decision in plan["decisions"])


@pytest.mark.parametrize("rule", ["RF-1", "RF-2", "RR-1", "UNK", "FB-1"])
def test_both_sides_win(rule):
    winners = Counter(
        decision["winner"]
        for _, plan in decisions().values()
        for decision in plan["decisions"]
        if decision["rule"] == rule
    )
    assert winners["salesforce"] > 0
    assert winners["account_engagement"] > 0


def test_nothing_asks_for_steps_that_are_not_synced_or_cannot_be_read():
    assert [plan["actions"] for _, plan in decisions().values() if plan["actions"]] == []
    rules = {decision["rule"] for _, plan in decisions().values() for decision in plan["decisions"]}
    assert not rules & {"UNREAD", "OO-2", "EM-2"}


def test_salesforce_calls_stay_affordable():
    """By batch of 200: one read, one history, guarded writes 25 a call, the others 200; and one look at what we wrote."""
    guarded = plain = 0
    for kind, plan in decisions().values():
        written = [decision for decision in plan["decisions"] if decision["winner"] == "account_engagement"]
        if written and (kind == "Contact" or any(decision["guarded"] for decision in written)):
            guarded += 1
        elif written:
            plain += 1
    batches = PAIRS / 200
    calls = batches * (1 + 1 + math.ceil(guarded / batches / 25) + math.ceil(plain / batches / 200) + 1)
    assert 0.2 < guarded / PAIRS < 0.45
    assert calls / PAIRS < 0.045


def test_the_past_ends_a_day_before_the_demo():
    from worker.demo import _midnight

    now = datetime(2026, 11, 23, 22, 3, 2, tzinfo=UTC)
    assert _midnight(now) == datetime(2026, 11, 22, tzinfo=UTC)
    assert now - _midnight(now) > timedelta(days=1)
