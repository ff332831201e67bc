"""Makes up plausible pairs of prospects and leads or contacts, the same for the same seed and day.

A part of the pairs differs in some fields, with the edit times and history rows that such edits leave.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from prospect_sync.sandbox.users import OrgUser, id18

_FIRST = ("Ada", "Ben", "Chloé", "David", "Emma", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kim", "Lena", "Maya",
          "Noah", "Olga", "Paul", "Rosa", "Samir", "Tara", "Yusuf")  # fmt: skip
_LAST = ("Adler", "Brown", "Costa", "Dubois", "Evans", "Fischer", "García", "Hansen", "Ito", "Jensen", "Keller",
         "Lopez", "Müller", "Novak", "Okafor", "Petrov", "Rossi", "Smith", "Tanaka", "Weber")  # fmt: skip
_TITLES = ("CEO", "CTO", "Head of Sales", "Marketing Manager", "Engineer", "Buyer", "Analyst", "Consultant")
_INDUSTRIES = ("Banking", "Chemicals", "Education", "Energy", "Insurance", "Retail", "Technology", "Transportation")
_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
_CITIES = (("Berlin", "BE", "Germany"), ("Lyon", "RA", "France"), ("Austin", "TX", "United States"),
           ("Leeds", "YKS", "United Kingdom"), ("Porto", "PT", "Portugal"), ("Osaka", "27", "Japan"))  # fmt: skip
_STREETS = ("Main Street", "Station Road", "Mill Lane", "Park Avenue", "Harbour Way", "Church Street")
_COMPANIES = ("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Harbor", "Iris", "Juniper")
_KINDS = ("Works", "Partners", "Labs", "Trading", "Systems")
_CHUNK = 5_000
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# prospect field, lead field, contact field
_DIFFERING = (
    ("jobTitle", "Title", "Title"),
    ("phone", "Phone", "Phone"),
    ("city", "City", "MailingCity"),
    ("firstName", "FirstName", "FirstName"),
    ("optedOut", "HasOptedOutOfEmail", "HasOptedOutOfEmail"),
    ("source", "LeadSource", "LeadSource"),
)


def seeded_pairs(
    pairs: int, seed: int, now: datetime, users: Sequence[OrgUser]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs in chunks: what the Salesforce org loads, and what the Account Engagement org loads.

    Two of three persons are leads; nine of ten contacts have an account; three of ten pairs differ somewhere.
    """
    chance = Random(seed)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    maker = _Maker(chance, midnight, {user.name: user for user in users})
    for start in range(1, pairs + 1, _CHUNK):
        yield maker.chunk(start, min(start + _CHUNK, pairs + 1))


class _Maker:
    def __init__(self, chance: Random, midnight: datetime, users: dict[str, OrgUser]) -> None:
        self._chance = chance
        self._midnight = midnight
        self._sales, self._marketing = users["sales"], users["marketing"]

    def chunk(self, start: int, end: int) -> tuple[dict[str, Any], dict[str, Any]]:
        records: dict[str, list[dict[str, Any]]] = {"Account": [], "Lead": [], "Contact": []}
        history: dict[str, list[dict[str, Any]]] = {"Lead": [], "Contact": []}
        prospects = []
        for number in range(start, end):
            facts = self._facts(number)
            is_lead = number % 3 != 0
            account = None if is_lead or number % 10 == 0 else self._account(number, facts)
            if account is not None:
                records["Account"].append(account)
            person = self._lead(number, facts) if is_lead else self._contact(number, facts, account)
            prospect = self._prospect(number, facts, person["Id"], is_lead=is_lead)
            if self._chance.random() < 0.3:
                kind = "Lead" if is_lead else "Contact"
                history[kind].extend(self._diverge(prospect, person, kind))
            records["Lead" if is_lead else "Contact"].append(person)
            prospects.append(prospect)
        salesforce = {"records": records, "history": history}
        campaigns = [{"id": 1, "name": "Website Tracking"}]
        return salesforce, {"campaigns": campaigns, "prospects": prospects}

    def _facts(self, number: int) -> dict[str, Any]:
        chance = self._chance
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        company = f"{chance.choice(_COMPANIES)} {chance.choice(_KINDS)} {number}"
        city, state, country = chance.choice(_CITIES)
        created = self._midnight - timedelta(days=chance.randint(30, 400), seconds=chance.randint(0, 86_399))
        return {
            "first": first,
            "last": last,
            "email": f"person{number}@{company.split(maxsplit=1)[0].lower()}.example",
            "company": company,
            "title": chance.choice(_TITLES),
            "phone": f"+49 30 {chance.randint(100000, 999999)}" if chance.random() < 0.8 else None,
            "street": f"{chance.randint(1, 99)} {chance.choice(_STREETS)}",
            "city": city,
            "state": state,
            "zip": f"{chance.randint(10000, 99999)}",
            "country": country,
            "industry": chance.choice(_INDUSTRIES),
            "source": chance.choice(_SOURCES),
            "employees": chance.choice((10, 50, 250, 1000)),
            "revenue": chance.choice((100_000, 2_500_000, 40_000_000)),
            "opted_out": chance.random() < 0.05,
            "created": created,
        }

    def _stamps(self, facts: dict[str, Any]) -> dict[str, Any]:
        created = facts["created"].isoformat(timespec="milliseconds")
        owner = self._sales.salesforce_id
        return {
            "OwnerId": owner,
            "CreatedDate": created,
            "CreatedById": owner,
            "LastModifiedDate": created,
            "LastModifiedById": owner,
        }

    def _account(self, number: int, facts: dict[str, Any]) -> dict[str, Any]:
        return {"Id": _record_id("001", number), "Name": facts["company"], **self._stamps(facts)}

    def _lead(self, number: int, facts: dict[str, Any]) -> dict[str, Any]:
        return {
            "Id": _record_id("00Q", number),
            "FirstName": facts["first"],
            "LastName": facts["last"],
            "Email": facts["email"],
            "Company": facts["company"],
            "Title": facts["title"],
            "Phone": facts["phone"],
            "Street": facts["street"],
            "City": facts["city"],
            "State": facts["state"],
            "PostalCode": facts["zip"],
            "Country": facts["country"],
            "Industry": facts["industry"],
            "LeadSource": facts["source"],
            "NumberOfEmployees": facts["employees"],
            "AnnualRevenue": facts["revenue"],
            "HasOptedOutOfEmail": facts["opted_out"],
            "DoNotCall": False,
            **self._stamps(facts),
        }

    def _contact(self, number: int, facts: dict[str, Any], account: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "Id": _record_id("003", number),
            "AccountId": account["Id"] if account else None,
            "FirstName": facts["first"],
            "LastName": facts["last"],
            "Email": facts["email"],
            "Title": facts["title"],
            "Phone": facts["phone"],
            "MailingStreet": facts["street"],
            "MailingCity": facts["city"],
            "MailingState": facts["state"],
            "MailingPostalCode": facts["zip"],
            "MailingCountry": facts["country"],
            "LeadSource": facts["source"],
            "HasOptedOutOfEmail": facts["opted_out"],
            "DoNotCall": False,
            **self._stamps(facts),
        }

    def _prospect(self, number: int, facts: dict[str, Any], person_id: str, *, is_lead: bool) -> dict[str, Any]:
        created = facts["created"] + timedelta(seconds=self._chance.randint(60, 3600))
        return {
            "id": number,
            "email": facts["email"],
            "firstName": facts["first"],
            "lastName": facts["last"],
            "company": facts["company"],
            "jobTitle": facts["title"],
            "phone": facts["phone"],
            "addressOne": facts["street"],
            "city": facts["city"],
            "state": facts["state"],
            "zip": facts["zip"],
            "country": facts["country"],
            "industry": facts["industry"],
            "source": facts["source"],
            "employees": str(facts["employees"]),
            "annualRevenue": str(facts["revenue"]),
            "optedOut": facts["opted_out"],
            "campaignId": 1,
            "score": self._chance.randint(0, 300),
            "grade": self._chance.choice(("A", "B", "C", "D")),
            "salesforceId": person_id,
            "salesforceLeadId" if is_lead else "salesforceContactId": person_id,
            "userId": self._sales.account_engagement_id,
            "assignedToId": self._sales.account_engagement_id,
            "salesforceOwnerId": self._sales.salesforce_id,
            "createdAt": created.isoformat(),
            "createdById": self._marketing.account_engagement_id,
            "updatedAt": created.isoformat(),
            "updatedById": self._marketing.account_engagement_id,
        }

    def _diverge(self, prospect: dict[str, Any], person: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
        """Edit one to three fields on one side each; answers the history rows of the person's edits."""
        for ours, lead_field, contact_field in self._chance.sample(_DIFFERING, self._chance.randint(1, 3)):
            theirs = lead_field if kind == "Lead" else contact_field
            edited = self._midnight - timedelta(seconds=self._chance.randint(60, 20 * 86_400))
            if self._chance.random() < 0.5:
                prospect[ours] = self._edited(ours, prospect[ours])
                prospect["updatedAt"] = max(prospect["updatedAt"], edited.isoformat())
                continue
            old, new = person[theirs], self._edited(ours, person[theirs])
            person[theirs] = new
            stamp = edited.isoformat(timespec="milliseconds")
            person["LastModifiedDate"] = max(person["LastModifiedDate"], stamp)
            yield {
                f"{kind}Id": person["Id"],
                "Field": theirs,
                "OldValue": old,
                "NewValue": new,
                "CreatedDate": stamp,
                "CreatedById": self._sales.salesforce_id,
            }

    def _edited(self, field: str, value: Any) -> Any:
        chance = self._chance
        match field:
            case "optedOut":
                return not value
            case "jobTitle":
                return f"Senior {chance.choice(_TITLES)}"
            case "phone":
                return f"+44 20 {chance.randint(100000, 999999)}"
            case "city":
                return chance.choice(("Vienna", "Gdańsk", "Toronto"))
            case "source":
                return None if chance.random() < 0.3 else "Web"
            case _:
                return chance.choice(_FIRST)


def _record_id(prefix: str, number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return id18(prefix + "5g00000" + digits.rjust(5, "0"))
