"""What a sales user and a marketing user do while the sync runs: small stories, each on a pair of its own.

Every story says what both sides must hold in the end, where the rules leave no choice: edits of one field of one pair lie seconds
apart, so that their order is plain. Edits go through the sandbox's back door, as a person's would: no API call, but
history and stamps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from prospect_sync.sandbox.admin_client import AdminClient
from worker.demo.calls import ACCOUNT_ENGAGEMENT, SALESFORCE
from worker.demo.fields import INTERESTS, person_field

APART = 5.0
"""Seconds between two edits of one field: the poll in between makes their order provable."""

_STORIES_A_SECOND = 5
_SUBURBS = ("Ballina", "Broome", "Dubbo", "Geelong", "Hobart", "Kiama", "Mildura", "Noosa", "Orange", "Yass")
_ROLES = ("Director", "Partner", "Team Lead", "Vice President", "Owner", "Buyer")


@dataclass(frozen=True, slots=True)
class LinkedPair:
    """A pair as the edits need it: its two ids, and the values that decide what an edit changes."""

    prospect_id: int
    person_id: str
    kind: str
    person: Mapping[str, Any]
    prospect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Planned:
    """One edit to come: ``second`` counts from the beginning; ``name`` is the prospect field; ``value`` in AE's form."""

    second: float
    org: str
    pair: LinkedPair
    name: str
    value: Any
    lasts: bool = True

    @property
    def user(self) -> str:
        return "sales" if self.org == SALESFORCE else "marketing"

    @property
    def record_id(self) -> str:
        return self.pair.person_id if self.org == SALESFORCE else str(self.pair.prospect_id)

    @property
    def field(self) -> str:
        return (person_field(self.name, self.pair.kind) or "") if self.org == SALESFORCE else self.name

    @property
    def written(self) -> Any:
        """The value as this org takes it."""
        return _as_salesforce(self.name, self.value) if self.org == SALESFORCE else self.value

    @property
    def arriving(self) -> Any:
        """The value as the other org must show it."""
        return self.value if self.org == SALESFORCE else _as_salesforce(self.name, self.value)

    @property
    def other_field(self) -> str:
        return self.name if self.org == SALESFORCE else (person_field(self.name, self.pair.kind) or "")


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit that was made. ``at`` is the org's clock right after it."""

    planned: Planned
    at: datetime

    def as_json(self) -> dict[str, Any]:
        planned = self.planned
        return {
            "side": planned.org,
            "record_id": planned.record_id,
            "field": planned.field,
            "value": planned.written,
            "at": self.at.isoformat(),
            "user": planned.user,
        }


@dataclass(slots=True)
class Script:
    """All edits in the order of their time, and what must come of them: by prospect id and field, in AE's form."""

    edits: list[Planned] = field(default_factory=list)
    outcome: dict[tuple[int, str], Any] = field(default_factory=dict)


def linked_pairs(dump: Mapping[str, Any]) -> list[LinkedPair]:
    """The pairs of a dump, by prospect id."""
    records = dump["salesforce"]["records"]
    people = {row["Id"][:15]: (kind, row) for kind in ("Lead", "Contact") for row in records.get(kind, ())}
    found = []
    for prospect in dump["account_engagement"]["prospects"]:
        kind, person = people[str(prospect["salesforceId"])[:15]]
        found.append(LinkedPair(int(prospect["id"]), person["Id"], kind, person, prospect))
    return sorted(found, key=lambda pair: pair.prospect_id)


def write_script(pairs: Sequence[LinkedPair], seconds: float, seed: int) -> Script:
    """Plan the edits of so many seconds."""
    chance = Random(f"{seed}/edits")
    stories = min(int(seconds * _STORIES_A_SECOND), len(pairs))
    script = Script()
    for pair in chance.sample(list(pairs), stories):
        begin = chance.uniform(0, seconds)
        tell = chance.choice(
            (_two_fields, _two_fields, _sales_only, _marketing_only, _sales_last, _marketing_last, _overruled)
        )
        for edit in tell(pair, begin, chance):
            script.edits.append(edit)
            if edit.lasts:
                script.outcome[pair.prospect_id, edit.name] = edit.value
            elif tell is _overruled:
                script.outcome[pair.prospect_id, edit.name] = pair.person["FirstName"] or edit.value
    script.edits.sort(key=lambda edit: edit.second)
    return script


def make_edits(admin: AdminClient, due: Sequence[Planned]) -> list[Edited]:
    """Make edits that are due, all at once.

    Raises:
        ValueError: the org refused one.
    """
    if not due:
        return []
    answers = admin.edits([_body(edit) for edit in due])
    refused = [answer for answer in answers if "id" not in answer]
    if refused:
        raise ValueError(f"the pretend org refused a person's edit: {refused[0]}")
    times = admin.clock()
    return [Edited(edit, datetime.fromisoformat(times[edit.org])) for edit in due]


def _body(edit: Planned) -> dict[str, Any]:
    return {
        "org": edit.org,
        "user": edit.user,
        "object": edit.pair.kind if edit.org == SALESFORCE else "Prospect",
        "id": edit.record_id,
        "changes": {edit.field: edit.written},
    }


def _two_fields(pair: LinkedPair, begin: float, chance: Random) -> Iterator[Planned]:
    """Both users edit one pair in the same moment, each another field: both edits survive."""
    yield Planned(begin, SALESFORCE, pair, "jobTitle", _role(chance))
    yield Planned(begin, ACCOUNT_ENGAGEMENT, pair, "phone", _phone(chance))


def _sales_only(pair: LinkedPair, begin: float, chance: Random) -> Iterator[Planned]:
    name = chance.choice(("city", "jobTitle", "optedOut", "firstName"))
    yield Planned(begin, SALESFORCE, pair, name, _new(name, pair.person[person_field(name, pair.kind) or ""], chance))


def _marketing_only(pair: LinkedPair, begin: float, chance: Random) -> Iterator[Planned]:
    name = chance.choice(("city", "phone", "addressOne", "score", "Interests__c", "optedOut"))
    yield Planned(begin, ACCOUNT_ENGAGEMENT, pair, name, _new(name, pair.prospect[name], chance))


def _sales_last(pair: LinkedPair, begin: float, chance: Random) -> Iterator[Planned]:
    """Both users edit one field; sales does it later and wins."""
    yield Planned(begin, ACCOUNT_ENGAGEMENT, pair, "city", chance.choice(_SUBURBS), lasts=False)
    yield Planned(begin + APART, SALESFORCE, pair, "city", f"{chance.choice(_SUBURBS)} North")


def _marketing_last(pair: LinkedPair, begin: float, chance: Random) -> Iterator[Planned]:
    """Both users edit one field; marketing does it later and wins."""
    yield Planned(begin, SALESFORCE, pair, "jobTitle", _role(chance), lasts=False)
    yield Planned(begin + APART, ACCOUNT_ENGAGEMENT, pair, "jobTitle", f"Managing {_role(chance)}")


def _overruled(pair: LinkedPair, begin: float, chance: Random) -> Iterator[Planned]:
    """Marketing edits a field in which Salesforce's value is used: it comes back."""
    del chance
    yield Planned(begin, ACCOUNT_ENGAGEMENT, pair, "firstName", "Nickname", lasts=False)


def _new(name: str, old: Any, chance: Random) -> Any:
    match name:
        case "city":
            return f"{chance.choice(_SUBURBS)} {chance.randint(1, 99)}"
        case "jobTitle":
            return _role(chance)
        case "phone":
            return _phone(chance)
        case "addressOne":
            return f"{chance.randint(100, 999)} Harbour Esplanade"
        case "score":
            return int(old or 0) + chance.randint(1, 9)
        case "optedOut":
            return not old
        case "Interests__c":
            return sorted(set(INTERESTS) - set(old or ()))[:3]
        case _:
            return f"{chance.choice(('Jo', 'Sam', 'Alex', 'Kim'))} {chance.choice('ABCDEFGH')}."


def _role(chance: Random) -> str:
    return f"{chance.choice(_ROLES)}, Region {chance.randint(1, 999)}"


def _phone(chance: Random) -> str:
    return f"+61 4{chance.randint(10, 99)} {chance.randint(100, 999)} {chance.randint(100, 999)}"


def _as_salesforce(name: str, value: Any) -> Any:
    return ";".join(value) if name == "Interests__c" else value
