"""Makes the demo's two orgs: leads, contacts and accounts on one side, their prospects on the other.

What the sample lacks is derived from each pair's own chance, so that a pair is the same however many there are. Every
prospect holds its person's Salesforce id. Knows the demo's fields; decides no winner.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from prospect_sync.sandbox.users import OrgUser, id18
from worker.demo.fields import (
    ACCOUNT_ENGAGEMENT_FIELDS,
    CONTESTED,
    INTERESTS,
    SALESFORCE_FIELDS,
    person_field,
)
from worker.demo.past import Birth, Later, Past, latest, make_past
from worker.demo.people import Facts, PersonPair

CONTACT_EVERY = 4
_WITHOUT_ACCOUNT_EVERY = 40
_TITLES = ("Account Manager", "Analyst", "Buyer", "Consultant", "Director", "Engineer", "Head of Sales", "Producer")
_BUSINESSES = ("Freight", "Pastoral", "Joinery", "Surveying", "Brewing", "Marine")
_LATER = {Later.SALESFORCE: 60, Later.ACCOUNT_ENGAGEMENT: 25, Later.UNPROVED: 15}
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Values = dict[str, Any]


@dataclass(slots=True)
class Orgs:
    """Both orgs, as rows."""

    records: dict[str, list[Values]] = field(default_factory=lambda: {"Account": [], "Lead": [], "Contact": []})
    history: dict[str, list[Values]] = field(default_factory=lambda: {"Lead": [], "Contact": []})
    prospects: list[Values] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give the shape that the sandbox loads."""
        custom = {"custom_fields": SALESFORCE_FIELDS}
        return {
            "salesforce": {**custom, "records": self.records, "history": self.history},
            "account_engagement": {
                "custom_fields": list(ACCOUNT_ENGAGEMENT_FIELDS),
                "campaigns": [{"id": 1, "name": "Website"}],
                "prospects": self.prospects,
            },
        }


def make_orgs(people: Iterable[PersonPair], seed: int, midnight: datetime, users: Iterable[OrgUser]) -> Orgs:
    """Make the two orgs of these people; the same for the same people, seed and midnight, before which all of it lies."""
    named = {user.name: user for user in users}
    orgs = Orgs()
    for number, pair in enumerate(people, start=1):
        _Maker(number, Random(f"{seed}/{pair.key}"), midnight, named).put(pair, orgs)
    return orgs


@dataclass(frozen=True, slots=True)
class _Maker:
    number: int
    chance: Random
    midnight: datetime
    users: Mapping[str, OrgUser]

    def put(self, pair: PersonPair, orgs: Orgs) -> None:
        kind = "Lead" if self.number % CONTACT_EVERY else "Contact"
        past = make_past(self.chance, self.midnight)
        shared = self._shared(pair)
        person, prospect = _side(pair.salesforce, shared), _side(pair.prospect, shared)
        self._diverge(person, prospect)
        person_id = _record_id("003" if kind == "Contact" else "00Q", self.number)
        rows = list(self._history(past, kind, person, prospect))
        orgs.history[kind].extend({f"{kind}Id": person_id, **row} for row in rows)
        record = {"Id": person_id, **_as_person(person, kind), **self._person_stamps(past, rows)}
        if kind == "Contact" and self.number % _WITHOUT_ACCOUNT_EVERY:
            account = self._account(past, person["company"])
            orgs.records["Account"].append(account)
            record["AccountId"] = account["Id"]
        orgs.records[kind].append(record)
        orgs.prospects.append(self._prospect(past, kind, person_id, prospect))

    def _shared(self, pair: PersonPair) -> Values:
        """What the sample does not have, and both sides begin with."""
        chance, facts = self.chance, pair.salesforce
        name = "".join(char for char in f"{facts.given_name or ''}.{facts.surname}".lower() if char.isascii())
        name = "".join(char for char in name if char.isalnum() or char == ".").strip(".")
        call = self.midnight + timedelta(days=chance.randint(1, 60), minutes=15 * chance.randint(28, 68))
        return {
            "email": f"{name}.{pair.key}@mail.example",
            "company": f"{facts.suburb or 'Southern'} {chance.choice(_BUSINESSES)} {self.number}",
            "jobTitle": chance.choice(_TITLES) if chance.random() < 0.95 else None,
            "phone": f"+61 {chance.randint(2, 8)} {chance.randint(1000, 9999)} {chance.randint(1000, 9999)}",
            "optedOut": chance.random() < 0.04,
            "Next_Call__c": call if chance.random() < 0.4 else None,
            "employees": chance.choice((4, 20, 80, 250, 1200)),
            "Interests__c": sorted(chance.sample(INTERESTS, chance.randint(0, 3))),
            "score": chance.randint(0, 200),
        }

    def _diverge(self, person: Values, prospect: Values) -> None:
        """Let the derived values differ too, on either side."""
        chance = self.chance

        def sometimes(share: float, side: Values, name: str, change: Callable[[Any], Any]) -> None:
            if chance.random() < share and side[name] is not None:
                side[name] = change(side[name])

        sometimes(0.015, prospect, "email", lambda address: f"new.{address}")
        sometimes(0.02, prospect, "email", str.upper)  # the same address
        sometimes(0.01, person, "email", lambda _: None)
        sometimes(0.06, prospect, "company", str.upper)
        sometimes(0.05, prospect, "jobTitle", lambda title: f"Acting {title}")
        sometimes(0.05, person, "jobTitle", lambda title: f"Senior {title}")
        sometimes(0.03, prospect, "jobTitle", lambda _: None)
        sometimes(0.02, person, "jobTitle", lambda _: None)
        sometimes(0.05, prospect, "phone", lambda phone: f"{phone[:-2]}{chance.randint(10, 99)}")
        sometimes(0.04, prospect, "phone", lambda _: None)
        sometimes(0.04, prospect, "optedOut", lambda out: not out)
        sometimes(0.03, person, "optedOut", lambda out: not out)
        sometimes(0.05, person, "Next_Call__c", lambda call: call + timedelta(days=7))
        sometimes(0.04, prospect, "Next_Call__c", lambda _: None)
        sometimes(0.04, prospect, "employees", lambda _: None)
        sometimes(0.04, person, "employees", lambda count: count + 10)
        sometimes(0.06, prospect, "Interests__c", lambda _: sorted(chance.sample(INTERESTS, 2)))
        sometimes(0.12, prospect, "score", lambda score: score + chance.randint(5, 40))
        sometimes(0.03, person, "score", lambda _: None)
        sometimes(0.02, person, "state", lambda _: None)

    def _history(self, past: Past, kind: str, person: Values, prospect: Values) -> Iterator[Values]:
        """The rows that sales (and sometimes the connector, always followed or outlived by others) left in contested fields."""
        chance = self.chance
        for name in CONTESTED:
            theirs = person_field(name, kind)
            differs = person[name] != prospect[name]
            if not differs and chance.random() < 0.9:
                continue
            later = chance.choices(list(_LATER), weights=list(_LATER.values()))[0]
            at = past.edited(chance, later, self.midnight)
            if theirs is None or at is None:
                continue
            row = {"Field": theirs, "OldValue": prospect[name] if differs else None, "NewValue": person[name]}
            before = at - timedelta(seconds=40)
            if chance.random() < 0.15 and past.prospect_updated < before and past.person_created < before:
                yield {**row, "NewValue": None, **self._by("connector", before)}
            yield {**row, **self._by("sales", at)}

    def _by(self, user: str, at: datetime) -> Values:
        return {"CreatedDate": _milliseconds(at), "CreatedById": self.users[user].salesforce_id}

    def _person_stamps(self, past: Past, rows: Iterable[Values]) -> Values:
        sales, connector = self.users["sales"].salesforce_id, self.users["connector"].salesforce_id
        creator = connector if past.birth is Birth.MADE_BY_CONNECTOR else sales
        edits = [datetime.fromisoformat(row["CreatedDate"]) for row in rows]
        modified = latest([past.person_created, past.touched, *edits])
        return {
            "OwnerId": sales,
            "CreatedDate": _milliseconds(past.person_created),
            "CreatedById": creator,
            "LastModifiedDate": _milliseconds(modified),
            "LastModifiedById": creator if modified == past.person_created else sales,
        }

    def _account(self, past: Past, name: str) -> Values:
        return {"Id": _record_id("001", self.number), "Name": name, **self._person_stamps(past, ())}

    def _prospect(self, past: Past, kind: str, person_id: str, values: Values) -> Values:
        sales, marketing = self.users["sales"], self.users["marketing"]
        own = {name: value for name, value in values.items() if person_field(name, kind) or name == "company"}
        call, employees = own["Next_Call__c"], own.get("employees")
        own["Next_Call__c"] = None if call is None else call.isoformat().replace("+00:00", "Z")
        own |= {} if employees is None else {"employees": str(employees)}
        return {
            "id": self.number,
            **own,
            "campaignId": 1,
            "salesforceId": person_id,
            f"salesforce{kind}Id": person_id,
            "userId": sales.account_engagement_id,
            "assignedToId": sales.account_engagement_id,
            "salesforceOwnerId": sales.salesforce_id,
            "createdAt": past.prospect_created.isoformat(),
            "createdById": marketing.account_engagement_id,
            "updatedAt": past.prospect_updated.isoformat(),
            "updatedById": marketing.account_engagement_id,
        }


def _side(facts: Facts, shared: Values) -> Values:
    return {
        **shared,
        "firstName": facts.given_name,
        "lastName": facts.surname,
        "addressOne": facts.street,
        "Address_Line_2__c": facts.second_line,
        "city": facts.suburb,
        "state": facts.state,
        "zip": facts.postcode,
        "Birthdate__c": facts.born,
        "Member_Number__c": facts.number,
    }


def _as_person(values: Values, kind: str) -> Values:
    call, interests = values["Next_Call__c"], values["Interests__c"]
    written = {
        **values,
        "Next_Call__c": None if call is None else _milliseconds(call),
        "Interests__c": ";".join(reversed(interests)) or None,  # a set: the order means nothing
    }
    return {theirs: value for name, value in written.items() if (theirs := person_field(name, kind)) is not None}


def _milliseconds(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _record_id(prefix: str, number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return id18(f"{prefix}5g00000{digits.rjust(5, '0')}")
