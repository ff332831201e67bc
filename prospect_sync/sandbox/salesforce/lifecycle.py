"""What people do with whole records in the user interface: merge duplicates and convert leads.

Both are built from the same saves as any edit. The fate of a merge loser's history is not documented; here it
goes to the recycle bin with the loser.
"""

from collections.abc import Mapping
from typing import Any

from prospect_sync.sandbox.salesforce.errors import invalid_cross_reference, refusal
from prospect_sync.sandbox.salesforce.ids import full_id
from prospect_sync.sandbox.salesforce.records import Records, Writer
from prospect_sync.sandbox.salesforce.schema import ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import Row
from prospect_sync.sandbox.salesforce.wire import instant_text, shown

_MOST_LOSERS = 2
_TO_CONTACT = {"Street": "MailingStreet", "City": "MailingCity", "State": "MailingState"}
_TO_CONTACT |= {"PostalCode": "MailingPostalCode", "Country": "MailingCountry"}
_TO_ACCOUNT = {"Company": "Name", "Phone": "Phone", "Website": "Website", "Industry": "Industry"}
_CONVERTED_STATUS = "Closed - Converted"


class Lifecycle:
    """Merge and conversion for one org."""

    def __init__(self, state: OrgState, records: Records) -> None:
        self._state = state
        self._records = records

    def merge(self, writer: Writer, kind: ObjectType, winner: str, changes: Mapping[str, Any]) -> str:
        """Keep the winner, with `changes`; delete `losers` and point them and their children at it."""
        losers = [full_id(str(ident)) or "" for ident in changes.get("losers", ())]
        if not 1 <= len(losers) <= _MOST_LOSERS:
            raise refusal("INVALID_ARGUMENT", f"a merge takes one or two losers, not {len(losers)}")
        values = {name: value for name, value in changes.items() if name != "losers"}
        ident = self._records.living(writer.user, kind, winner)["Id"]
        with self._state.storage.transaction():
            for loser in losers:
                self._lose(writer, kind, ident, loser)
            self._records.update(writer, kind, ident, values)
            at = self._state.now()
            self._records.history.happened(kind, ident, f"{kind.name.lower()}Merged", writer.user.salesforce_id, at)
        return str(ident)

    def _lose(self, writer: Writer, kind: ObjectType, winner: str, loser: str) -> None:
        if loser == winner:
            raise invalid_cross_reference(loser)
        self._records.delete(writer, kind, loser)
        self._state.storage.update(kind, loser, {"MasterRecordId": winner})
        if kind.name == "Account":
            contact = self._state.schema.get("Contact")
            for child in self._state.storage.where(contact, "AccountId = ?", (loser,), ("Id",)):
                self._records.follow(writer, contact, child["Id"], {"AccountId": winner})

    def convert(self, writer: Writer, ident: str, changes: Mapping[str, Any]) -> str:
        """Turn a lead into a contact of an account; `account_id`, `contact_id`, `status` may be given.

        Returns the contact's id. No opportunity is made; an `opportunity_id` is noted as it is.
        """
        kind = self._state.schema.get("Lead")
        lead = self._records.living(writer.user, kind, ident)
        if lead["IsConverted"]:
            raise refusal("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields=[])
        with self._state.storage.transaction():
            account = changes.get("account_id") or self._new_account(writer, lead)
            contact = changes.get("contact_id") or self._new_contact(writer, lead, account)
            converted: Row = {
                "IsConverted": 1,
                "Status": changes.get("status", _CONVERTED_STATUS),
                "ConvertedDate": instant_text(self._state.now())[:10],
                "ConvertedAccountId": full_id(account),
                "ConvertedContactId": full_id(contact),
                "ConvertedOpportunityId": full_id(changes.get("opportunity_id", "")),
            }
            self._records.overwrite(writer, kind, lead, lead | converted, set(converted))
            self._tell(writer, kind, lead["Id"], contact, new="contact_id" not in changes)
        return str(contact)

    def _new_account(self, writer: Writer, lead: Row) -> str:
        kind = self._state.schema.get("Account")
        return self._records.create(writer, kind, self._carried(lead, kind, _TO_ACCOUNT))

    def _new_contact(self, writer: Writer, lead: Row, account: str) -> str:
        kind = self._state.schema.get("Contact")
        same = {one.name: one.name for one in kind.fields if one.stored and one.createable and one.name in lead}
        values = self._carried(lead, kind, same | _TO_CONTACT)
        return self._records.create(writer, kind, values | {"AccountId": account})

    def _carried(self, lead: Row, kind: ObjectType, names: Mapping[str, str]) -> dict[str, Any]:
        values = {}
        for source, target in names.items():
            write = shown(kind.by_name[target.lower()])
            if lead.get(source) is not None:
                values[target] = write(lead[source]) if write else lead[source]
        return values

    def _tell(self, writer: Writer, kind: ObjectType, lead: str, contact: str, *, new: bool) -> None:
        user, at = writer.user.salesforce_id, self._state.now()
        self._records.history.happened(kind, lead, "leadConverted", user, at)
        event = "contactCreatedFromLead" if new else "contactUpdatedByLead"
        self._records.history.happened(self._state.schema.get("Contact"), contact, event, user, at)
