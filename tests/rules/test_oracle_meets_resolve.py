"""Two independent readings of the rules meet: the oracle must call right whatever `resolve` makes of random pairs.

The product is driven through its command line alone. Random pairs (values and times from small pools, so that equal,
empty, tied and unknown all occur) are synced once; then people edit both sides while syncs come at random moments, the
product's memory (mirror, base, remembered modifications) being kept by hand as the evidence rules describe it.
"""

import copy
import json
import random
import tomllib
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.oracle.oracle import AE, SF, differences, expected, open_questions
from tests.rules.cases import run

CONNECTOR = {"salesforce_user_id": "00500000000000CAAA", "account_engagement_user_id": 9}
SALES, SALES_TWO, QUEUE, MARKETING = "005000000000001AAA", "005000000000002AAA", "00G000000000001AAA", 41
START = int(datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp())

MAPPING_TEXT = f"""
[connector]
multiple_prospects_per_email = false
skew_margin = {{skew}}

[users]
"{SALES}" = 41

[values.state]
"Bavaria" = "BY"
"Hesse" = "HE"
"""
FIELDS: list[tuple[str, str, str, str]] = [
    # prospect, person, type, the other settings
    ("email", "Email", "email", ""),
    ("firstName", "FirstName", "text", 'behavior = "use_account_engagement"'),
    ("lastName", "LastName", "text", 'behavior = "use_salesforce"'),
    ("jobTitle", "Title", "text", 'behavior = "most_recent_field"'),
    ("department", "Dep__c", "text", 'behavior = "most_recent_field"\ntie = "account_engagement"\nclears = "either"'),
    ("phone", "Phone", "text", 'behavior = "most_recent_record"'),
    ("fax", "Fax", "text", 'behavior = "fill_blanks"'),
    ("state", "State", "text", 'behavior = "most_recent_field"\nwithout_history = "hold"'),
    ("city", "City", "text", 'behavior = "use_salesforce"\nclears = "either"'),
    ("score", "Score__c", "number", ""),
    ("userId", "OwnerId", "text", ""),
    ("annualRevenue", "Revenue__c", "number", 'behavior = "most_recent_field"'),
    ("isDoNotCall", "DoNotCall", "boolean", 'behavior = "most_recent_record"'),
    ("optedOut", "HasOptedOutOfEmail", "boolean", 'behavior = "most_recent_field"'),
    ("11__c", "Interests__c", "multiselect", 'behavior = "most_recent_field"'),
]
POOLS: dict[str, tuple[list[Any], list[Any]]] = {
    # AE's values, Salesforce's values
    "email": (["a@x.org", "A@x.org", "b@x.org", None], ["a@x.org", "b@x.org", "c@x.org", ""]),
    "state": (["Bavaria", "Hesse", "Saxony", None], ["BY", "HE", "Saxony", None]),
    "number": (["1", "1.0", "2.50", None], [1, 1.0, 2.5, None]),
    "boolean": ([True, False], [True, False]),
    "multiselect": ([["a"], ["b", "a"], [], ["c"]], ["a", "a;b", "", None, "b;a;c"]),
    "text": (["X", " X ", "Y", "", None], ["X", "x", "Z", "  ", None]),
    "userId": ([41, 42, None], [SALES, SALES_TWO, QUEUE]),
}
BOTH_TYPES = "".join(
    f'\n[[field]]\nprospect = "{p}"\nlead = "{s}"\ncontact = "{s}"\ntype = "{k}"\n{more}\n' for p, s, k, more in FIELDS
)
COMPANY = '\n[[field]]\nprospect = "company"\nlead = "Company"\nbehavior = "use_account_engagement"\n'


def mapping_of(skew: int = 0) -> str:
    return MAPPING_TEXT.format(skew=skew) + BOTH_TYPES + COMPANY


def pool(prospect_field: str, kind: str, side: int) -> list[Any]:
    return POOLS.get(prospect_field, POOLS[kind])[side]


def ae_time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def sf_time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def random_orgs(dice: random.Random, count: int) -> dict[str, Any]:
    """A dump of both orgs with so many linked pairs, leads and contacts mixed."""
    people: dict[str, list[dict[str, Any]]] = {"Lead": [], "Contact": []}
    rows: dict[str, list[dict[str, Any]]] = {"Lead": [], "Contact": []}
    prospects = []
    moments = [
        START - 86400 * 60,
        START - 86400 * 60 + 1,
        START - 86400 * 30,
        START - 86400,
        START - 86399,
        START - 9000,
    ]
    for number in range(1, count + 1):
        kind = dice.choice(["Lead", "Contact"])
        person_id = f"{'00Q' if kind == 'Lead' else '003'}{number:012d}AAA"
        made, changed = sorted(dice.choices(moments, k=2))
        born, modified = sorted(dice.choices(moments, k=2))
        prospect = {
            "id": number,
            "salesforceId": person_id,
            "isDeleted": False,
            "createdAt": ae_time(made),
            "updatedAt": ae_time(changed),
            "updatedById": dice.choice([MARKETING, MARKETING, MARKETING, 9]),
            "company": dice.choice(["Acme", "Bolt", None]),
        }
        person = {
            "Id": person_id,
            "IsDeleted": False,
            "CreatedDate": sf_time(born),
            "CreatedById": dice.choice([SALES, SALES, CONNECTOR["salesforce_user_id"]]),
            "LastModifiedDate": sf_time(modified),
            "LastModifiedById": dice.choice([SALES, SALES, CONNECTOR["salesforce_user_id"]]),
        }
        if kind == "Lead":
            person["Company"] = dice.choice(["Acme", "Corp"])
        else:
            person["AccountId"] = dice.choice([None, "001000000000001AAA", "001000000000002AAA"])
        for prospect_field, person_field, field_kind, _ in FIELDS:
            prospect[prospect_field] = dice.choice(pool(prospect_field, field_kind, 0))
            person[person_field] = dice.choice(pool(prospect_field, field_kind, 1))
            for _ in range(dice.choice([0, 0, 1, 2])):
                by = dice.choice([SALES, SALES_TWO, CONNECTOR["salesforce_user_id"]])
                at = sf_time(dice.choice(moments))
                rows[kind].append({f"{kind}Id": person_id, "Field": person_field, "CreatedDate": at, "CreatedById": by})
        prospects.append(prospect)
        people[kind].append(person)
    accounts = [{"Id": f"00100000000000{n}AAA", "Name": f"Account {n}"} for n in (1, 2)]
    return {
        "salesforce": {"records": {**people, "Account": accounts}, "history": rows},
        "account_engagement": {"prospects": prospects},
    }


def resolved(mapping_text: str, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the product makes of these cases, in one process."""
    done = run(mapping_text, "".join(json.dumps(case) + "\n" for case in cases))
    assert done.exit_code == 0, done.stderr[-2000:]
    return list(done.lines)


class Memory:
    """What the product remembers of one pair, kept as the evidence rules say."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] | None = None  # the last answer read
        self.read_at = 0
        self.intervals: dict[str, dict[str, Any]] = {}
        self.base: dict[str, Any] = {}
        self.foreign: dict[str, str | None] = {"person": None, "prospect": None}


class Product:
    """The pretend service: reads a pair, asks `resolve`, writes what it says, remembers."""

    def __init__(self, orgs: dict[str, Any], mapping_text: str, dice: random.Random) -> None:
        self.orgs, self.mapping_text, self.dice = orgs, mapping_text, dice
        records = orgs["salesforce"]["records"]
        self.people = {p["Id"]: (kind, p) for kind in ("Lead", "Contact") for p in records[kind]}
        self.accounts = {a["Id"]: a["Name"] for a in records["Account"]}
        self.memory = {p["id"]: Memory() for p in orgs["account_engagement"]["prospects"]}
        self.gone: set[int] = set()

    def sync(self, now: int, chosen: list[dict[str, Any]]) -> None:
        """One sync of these prospects' pairs, with nobody in between."""
        chosen = [p for p in chosen if p["id"] not in self.gone]
        answers = resolved(self.mapping_text, [self._case(p, now) for p in chosen])
        for prospect, answer in zip(chosen, answers, strict=True):
            self._write(prospect, answer, now)

    def _case(self, prospect: dict[str, Any], now: int) -> dict[str, Any]:
        kind, person = self.people[prospect["salesforceId"]]
        memory = self.memory[prospect["id"]]
        self._observe(prospect, person, memory, now)
        return {
            "id": str(prospect["id"]),
            "person_type": kind,
            "prospect": prospect,
            "person": person,
            "account_name": self.accounts.get(person.get("AccountId") or ""),
            "history": self._rows(kind, person),
            "prospect_field_times": memory.intervals,
            "base": memory.base,
            "last_foreign": memory.foreign,
            "connector": CONNECTOR,
        }

    def _rows(self, kind: str, person: dict[str, Any]) -> list[dict[str, Any]]:
        return [r for r in self.orgs["salesforce"]["history"][kind] if r[f"{kind}Id"] == person["Id"]]

    def _observe(self, prospect: dict[str, Any], person: dict[str, Any], memory: Memory, now: int) -> None:
        if memory.seen is None:
            first = {"after": prospect["createdAt"], "until": prospect["updatedAt"], "first_seen": True}
            memory.intervals = {f: dict(first) for f, *_ in FIELDS}
        else:
            poll_lag = self.dice.choice([0, 5, 60])
            after = max(memory.seen["updatedAt"], ae_time(memory.read_at - poll_lag))
            for name, *_ in FIELDS:
                if prospect[name] != memory.seen[name]:
                    lower = max(after, memory.intervals[name].get("written", after))
                    memory.intervals[name] = {"after": lower, "until": prospect["updatedAt"], "first_seen": False}
        memory.seen, memory.read_at = copy.deepcopy(prospect), now
        if prospect["updatedById"] != CONNECTOR["account_engagement_user_id"]:
            memory.foreign["prospect"] = prospect["updatedAt"]
        if person["LastModifiedById"] != CONNECTOR["salesforce_user_id"]:
            memory.foreign["person"] = person["LastModifiedDate"]

    def _write(self, prospect: dict[str, Any], answer: dict[str, Any], now: int) -> None:
        kind, person = self.people[prospect["salesforceId"]]
        memory = self.memory[prospect["id"]]
        if answer["actions"]:
            self.gone.add(prospect["id"])
            return
        if answer["prospect_changes"]:
            prospect.update(answer["prospect_changes"])
            prospect.update(updatedAt=ae_time(now), updatedById=CONNECTOR["account_engagement_user_id"])
        if answer["person_changes"]:
            person.update(answer["person_changes"])
            person.update(LastModifiedDate=sf_time(now), LastModifiedById=CONNECTOR["salesforce_user_id"])
        for decision in answer["decisions"]:
            name = decision["prospect_field"]
            if name in answer["prospect_changes"]:
                memory.intervals[name] = {
                    **self._origin(kind, person, decision["person_field"]),
                    "written": ae_time(now),
                }
            if decision["person_field"] in answer["person_changes"]:
                row = {f"{kind}Id": person["Id"], "Field": decision["person_field"], "CreatedDate": sf_time(now)}
                self.orgs["salesforce"]["history"][kind].append({**row, "CreatedById": CONNECTOR["salesforce_user_id"]})
            if decision["winner"] is not None or decision["rule"] == "SAME":
                memory.base[name] = copy.deepcopy(prospect[name])
        memory.seen = copy.deepcopy(prospect)

    def _origin(self, kind: str, person: dict[str, Any], person_field: str) -> dict[str, Any]:
        foreign = [
            r["CreatedDate"]
            for r in self._rows(kind, person)
            if r["Field"] == person_field and r["CreatedById"] != CONNECTOR["salesforce_user_id"]
        ]
        at = max(foreign, default=person["CreatedDate"])
        return {"after": at, "until": at, "first_seen": False}

    def edit(self, prospect: dict[str, Any], side: str, field: str, value: Any, at: int) -> dict[str, Any]:
        """A person's edit on one side, and its line in the log."""
        kind, person = self.people[prospect["salesforceId"]]
        record = prospect if side == AE else person
        if side == AE:
            prospect.update(updatedAt=ae_time(at), updatedById=MARKETING)
        else:
            if record[field] != value:
                row = {f"{kind}Id": person["Id"], "Field": field, "CreatedDate": sf_time(at), "CreatedById": SALES}
                self.orgs["salesforce"]["history"][kind].append(row)
            person.update(LastModifiedDate=sf_time(at), LastModifiedById=SALES)
        record[field] = copy.deepcopy(value)
        user, record_id = (MARKETING, prospect["id"]) if side == AE else (SALES, person["Id"])
        return {
            "side": side, "record_id": record_id, "field": field, "value": value, "at": ae_time(at), "user": user
        }  # fmt: skip


def without(orgs: dict[str, Any], gone: set[int]) -> dict[str, Any]:
    """The dump without these prospects."""
    kept = [p for p in orgs["account_engagement"]["prospects"] if p["id"] not in gone]
    return {**orgs, "account_engagement": {"prospects": kept}}


@pytest.mark.parametrize("skew", [0, 1])
def test_the_first_sync_is_right_to_the_oracle(skew: int) -> None:
    orgs = random_orgs(random.Random(skew), 300)
    before = copy.deepcopy(orgs)
    mapping = tomllib.loads(mapping_of(skew))
    product = Product(orgs, mapping_of(skew), random.Random(1))
    product.sync(START, orgs["account_engagement"]["prospects"])
    ends = expected(before, [], mapping, connector=CONNECTOR)
    assert {number for number, end in ends.items() if end.unpredicted} == product.gone
    assert open_questions(ends) == []
    assert differences(without(before, product.gone), orgs, [], mapping, connector=CONNECTOR) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_live_edits_end_right_to_the_oracle(seed: int) -> None:
    dice = random.Random(seed)
    orgs = random_orgs(dice, 80)
    before = copy.deepcopy(orgs)
    mapping_text = mapping_of()
    product = Product(orgs, mapping_text, dice)
    prospects = orgs["account_engagement"]["prospects"]
    product.sync(START, prospects)
    edits = []
    for step in range(1, 13):
        now = START + 30 * step
        for at, prospect in sorted(
            ((now - dice.choice([29, 28, 7, 1]), p) for p in prospects for _ in range(dice.choice([0, 0, 1, 2]))),
            key=lambda turn: turn[0],
        ):
            name, person_field, kind, _ = dice.choice(FIELDS[1:])
            side = dice.choice([AE, SF])
            value = dice.choice(pool(name, kind, 0 if side == AE else 1))
            edits.append(product.edit(prospect, side, name if side == AE else person_field, value, at))
        if step % 2 == 0:
            product.sync(now, prospects)
        elif step % 3 == 0:
            product.sync(now, dice.sample(prospects, 40))
    product.sync(START + 400, prospects)
    mapping = tomllib.loads(mapping_text)
    known = without(before, product.gone)
    assert differences(known, orgs, edits, mapping, connector=CONNECTOR) == []
    ends = expected(known, edits, mapping, connector=CONNECTOR)
    choices = Counter(len(field.right) for end in ends.values() for field in end.fields.values())
    assert choices[1] > 0.8 * sum(choices.values()), "an oracle that calls everything right is none"
