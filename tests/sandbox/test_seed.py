"""Made-up pairs: the same for the same seed, linked, and partly different."""

from datetime import UTC, datetime

from prospect_sync.sandbox.seed import seeded_pairs
from prospect_sync.sandbox.users import sandbox_users

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


def made(pairs: int, seed: int = 1):
    chunks = list(seeded_pairs(pairs, seed, NOW, sandbox_users()))
    people = {
        person["Id"]: person
        for salesforce, _ in chunks
        for kind in ("Lead", "Contact")
        for person in salesforce["records"][kind]
    }
    prospects = [prospect for _, engagement in chunks for prospect in engagement["prospects"]]
    return chunks, people, prospects


def test_the_same_seed_makes_the_same_pairs():
    assert made(50)[0] == made(50)[0]
    assert made(50)[0] != made(50, seed=2)[0]


def test_every_prospect_is_linked_to_its_own_person():
    _, people, prospects = made(6_000)
    assert len(prospects) == len(people) == 6_000
    assert {prospect["salesforceId"] for prospect in prospects} == set(people)
    for prospect in prospects:
        kind = "salesforceLeadId" if prospect["salesforceId"].startswith("00Q") else "salesforceContactId"
        assert prospect[kind] == prospect["salesforceId"]
        assert prospect["email"] == people[prospect["salesforceId"]]["Email"]


def test_leads_contacts_and_accounts_are_mixed():
    _, people, _ = made(3_000)
    contacts = [person for key, person in people.items() if key.startswith("003")]
    assert len(contacts) == 1_000
    assert sum(contact["AccountId"] is None for contact in contacts) == 100


def test_a_part_of_the_pairs_differs_and_has_history():
    chunks, people, prospects = made(1_000)
    differing = sum(
        prospect["jobTitle"] != people[prospect["salesforceId"]]["Title"]
        or prospect["phone"] != people[prospect["salesforceId"]]["Phone"]
        for prospect in prospects
    )
    assert 100 < differing < 400
    rows = chunks[0][0]["history"]["Lead"]
    assert set(rows[0]) == {"LeadId", "Field", "OldValue", "NewValue", "CreatedDate", "CreatedById"}
    assert people[rows[-1]["LeadId"]]["LastModifiedDate"] >= rows[-1]["CreatedDate"]


def test_no_pairs_is_no_chunk():
    assert made(0)[0] == []
