"""The demo's custom fields, what has history tracking, and how the mapped fields are called on each side."""

INTERESTS = ("Analytics", "Automation", "Events", "Pricing", "Security", "Training")

_TEXT = {"type": "string", "length": 80}
_BOTH = (
    {"name": "Address_Line_2__c", **_TEXT},
    {"name": "Next_Call__c", "type": "datetime"},
    {"name": "Interests__c", "type": "multipicklist", "picklist": list(INTERESTS)},
    {"name": "Score__c", "type": "double", "precision": 8, "scale": 0},
)
SALESFORCE_FIELDS = {
    "Lead": [*_BOTH, {"name": "Birthdate__c", "type": "date"}],
    "Contact": [*_BOTH, {"name": "Member_Number__c", **_TEXT}],
}
ACCOUNT_ENGAGEMENT_FIELDS = (
    {"name": "Address_Line_2__c", "type": "Text"},
    {"name": "Birthdate__c", "type": "Date"},
    {"name": "Interests__c", "type": "Multi-Select"},
    {"name": "Member_Number__c", "type": "Text"},
    {"name": "Next_Call__c", "type": "Text"},
)
PERSON_FIELDS = {
    "email": ("Email", "Email"),
    "firstName": ("FirstName", "FirstName"),
    "lastName": ("LastName", "LastName"),
    "company": ("Company", None),
    "jobTitle": ("Title", "Title"),
    "phone": ("Phone", "Phone"),
    "addressOne": ("Street", "MailingStreet"),
    "Address_Line_2__c": ("Address_Line_2__c", "Address_Line_2__c"),
    "city": ("City", "MailingCity"),
    "zip": ("PostalCode", "MailingPostalCode"),
    "state": ("State", "MailingState"),
    "optedOut": ("HasOptedOutOfEmail", "HasOptedOutOfEmail"),
    "Birthdate__c": ("Birthdate__c", "Birthdate"),
    "Next_Call__c": ("Next_Call__c", "Next_Call__c"),
    "employees": ("NumberOfEmployees", None),
    "Interests__c": ("Interests__c", "Interests__c"),
    "Member_Number__c": (None, "Member_Number__c"),
    "score": ("Score__c", "Score__c"),
}
"""By prospect field: the lead's and the contact's field, as in the demo's mapping."""

CONTESTED = ("jobTitle", "phone", "city", "zip", "optedOut")
"""The fields under most_recent_field."""


def person_field(name: str, kind: str) -> str | None:
    """Name a prospect field on a lead or contact."""
    return PERSON_FIELDS[name][1 if kind == "Contact" else 0]


TRACKED = {kind: [person_field(name, kind) for name in (*CONTESTED, "email")] for kind in ("Lead", "Contact")}
