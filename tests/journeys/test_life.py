"""The life of pairs through the whole real stack: each case on a pair of its own, all in one story."""

from pathlib import Path

import pytest

from tests.support.stack import MAPPING, Stack, make_pair, running_stack, wait_for

CREATING = (
    MAPPING.replace(
        "skew_margin = 0",
        "skew_margin = 0\ncreate_prospects = true\nmatch_by_email = true",
    )
    + """
[[field]]
prospect = "lastName"
lead = "LastName"
contact = "LastName"
behavior = "use_salesforce"
default = "(unknown)"

[[field]]
prospect = "company"
lead = "Company"
behavior = "use_salesforce"
default = "(unknown)"
"""
)


@pytest.fixture
def stack(tmp_path: Path):
    with running_stack(tmp_path, mapping=CREATING) as running:
        yield running


def prospects(stack: Stack) -> dict[int, dict]:
    return {row["id"]: row for row in stack.admin.dump("Prospect")["account_engagement"]["prospects"]}


def people(stack: Stack) -> dict[str, dict]:
    records = stack.admin.dump("Lead", "Contact")["salesforce"]["records"]
    return {row["Id"]: row for kind in ("Lead", "Contact") for row in records.get(kind, ())}


def sales(stack: Stack, pair, action: str, changes: dict | None = None) -> str:
    return stack.admin.edit(
        "salesforce", "sales", changes or {}, record_id=pair.person_id, object_name=pair.kind, action=action
    )


def by_address(stack: Stack, address: str) -> list[dict]:
    return [row for row in prospects(stack).values() if row["email"] == address and not row["isDeleted"]]


def test_every_case_of_a_pairs_life(stack: Stack) -> None:
    deleted, merged_away, winner, adopted, converted, moved, ended, cleared, busy = pairs = [
        make_pair(number) for number in range(1, 10)
    ]
    unlinked = make_pair(20, salesforceId=None)
    adopter = make_pair(21)
    stack.load([*pairs, unlinked])
    stack.admin.load(salesforce={"records": {"Lead": [{**adopter.person, "Title": "Adopter", "Email": None}]}})
    stack.start()
    wait_for("a first look at everything", lambda: sum(e["pairs"] for e in stack.events("batch.synced")) >= 10)
    stack.quiet()
    assert prospects(stack)[20]["salesforceId"] == unlinked.person_id  # LN-2

    sales(stack, deleted, "delete")
    sales(stack, winner, "merge", {"losers": [merged_away.person_id]})
    stack.admin.edit(
        "salesforce",
        "sales",
        {"losers": [adopted.person_id]},
        record_id=adopter.person_id,
        object_name="Lead",
        action="merge",
    )
    contact = sales(stack, converted, "convert")
    stack.marketing(busy, {"jobTitle": "Queued"})
    busy_contact = sales(stack, busy, "convert")
    sales(stack, moved, "update", {"Email": "moved@example.org"})
    sales(stack, cleared, "update", {"Email": None})
    stack.admin.edit("account_engagement", "marketing", {}, record_id=ended.number, action="delete")
    new_lead = {"LastName": "New", "Company": "Acme", "Email": "New.Lead@Example.org", "Title": "CTO"}
    stack.admin.edit("salesforce", "sales", new_lead, object_name="Lead", action="create")
    newcomer = {"email": "assigned@example.org", "lastName": "Assigned", "jobTitle": "CMO"}
    number = int(stack.admin.edit("account_engagement", "marketing", newcomer, action="create"))
    stack.marketing(make_pair(number), {"userId": stack.sandbox["users"]["sales"]["account_engagement_user_id"]})

    wait_for("the merge's loser in the bin (LC-2)", lambda: prospects(stack)[merged_away.number]["isDeleted"])
    wait_for("the deleted one in the bin (LC-1)", lambda: prospects(stack)[deleted.number]["isDeleted"])
    wait_for("a prospect for the new address (EM-2)", lambda: by_address(stack, "moved@example.org"))
    wait_for(
        "a prospect for the new lead (LN-4)",
        lambda: by_address(stack, "new.lead@example.org") or by_address(stack, "New.Lead@Example.org"),
    )
    wait_for("a lead for the assigned prospect (LN-3)", lambda: prospects(stack)[number]["salesforceId"])
    stack.quiet(seconds=120)

    now, persons = prospects(stack), people(stack)
    assert now[merged_away.number]["salesforceId"] == "[[crm_deleted]]"
    assert not now[winner.number]["isDeleted"]
    assert (now[adopted.number]["salesforceId"], now[adopted.number]["jobTitle"]) == (
        adopter.person_id,
        "Adopter",
    )  # LC-3
    assert now[converted.number]["salesforceId"] == contact  # LC-4
    assert (now[busy.number]["salesforceId"], persons[busy_contact]["Title"]) == (busy_contact, "Queued")
    assert now[moved.number]["salesforceId"] is None
    (made,) = by_address(stack, "moved@example.org")
    assert (made["salesforceId"], made["jobTitle"]) == (moved.person_id, "CEO")
    assert persons[cleared.person_id]["Email"] == "person8@example.org"  # EM-1
    assert not persons[ended.person_id]["IsDeleted"]  # LC-5
    assert persons[now[number]["salesforceId"]]["Title"] == "CMO"

    sales(stack, deleted, "undelete")
    wait_for("the restored one is back (LC-1)", lambda: not prospects(stack)[deleted.number]["isDeleted"])
    sales(stack, deleted, "update", {"Title": "Back"})
    wait_for("and syncs again", lambda: prospects(stack)[deleted.number]["jobTitle"] == "Back")
    stack.quiet()
    before = stack.writes()
    stack.quiet(cycles=5)
    assert stack.writes() == before
    assert stack.open_intents() == 0
    addresses = [row["email"].lower() for row in prospects(stack).values() if not row["isDeleted"]]
    assert len(addresses) == len(set(addresses))


def test_two_workers_that_meet_both_records_of_an_unlinked_couple_create_nothing_twice(stack: Stack) -> None:
    stack.settings["CONCURRENCY"] = "4"
    stack.start()
    stack.quiet(cycles=1)
    assigned = stack.sandbox["users"]["sales"]["account_engagement_user_id"]
    edits = []
    for number in range(40):
        address = f"both{number}@example.org"
        lead = {"LastName": f"Both {number}", "Company": "Acme", "Email": address}
        edits.append({"org": "salesforce", "user": "sales", "object": "Lead", "changes": lead, "action": "create"})
        prospect = {"email": address, "lastName": f"Both {number}", "userId": assigned}
        edits.append(
            {
                "org": "account_engagement",
                "user": "marketing",
                "object": "Prospect",
                "changes": prospect,
                "action": "create",
            }
        )
    results = stack.admin.edits(edits)
    assert all("id" in result for result in results)
    wait_for("every prospect linked", lambda: all(row["salesforceId"] for row in prospects(stack).values()))
    stack.quiet()
    assert len(prospects(stack)) == 40
    assert len(people(stack)) == 40
    assert {row["salesforceId"] for row in prospects(stack).values()} == set(people(stack))
