"""The standard objects as a plain org has them: fields, lengths, picklists, key prefixes.

A table and nothing else; what the fields mean is decided where records are written and read.
"""

from typing import Any

from prospect_sync.sandbox.salesforce.schema import Field, ObjectType

SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
RATINGS = ("Hot", "Warm", "Cold")
STATUSES = ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted")
SALUTATIONS = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.")
INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction",
    "Consulting", "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental",
    "Finance", "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery",
    "Manufacturing", "Media", "Not For Profit", "Recreation", "Retail", "Shipping", "Technology",
    "Telecommunications", "Transportation", "Utilities", "Other",
)  # fmt: skip
_UNGROUPABLE = frozenset({"datetime", "double", "currency", "percent", "multipicklist", "address"})


def _field(name: str, kind: str, length: int = 0, **more: Any) -> Field:
    """A field that users edit; `more` says what is unusual about it."""
    long_text = kind == "textarea" and length > 255
    settled: dict[str, Any] = {
        "filterable": not long_text,
        "sortable": not long_text,
        "groupable": not long_text and kind not in _UNGROUPABLE,
        "trackable": True,
    }
    return Field(name, kind, length, **(settled | more))


def _kept(name: str, kind: str, length: int = 0, **more: Any) -> Field:
    """A field that the org itself keeps and nobody writes."""
    return _field(name, kind, length, **({"createable": False, "updateable": False, "trackable": False} | more))


def _lookup(name: str, relationship: str, *targets: str, **more: Any) -> Field:
    return _field(name, "reference", 18, target=targets, relationship=relationship, **more)


def _kept_lookup(name: str, relationship: str, *targets: str, **more: Any) -> Field:
    return _kept(name, "reference", 18, target=targets, relationship=relationship, **more)


def _checkbox(name: str, **more: Any) -> Field:
    return _field(name, "boolean", nillable=False, default=False, **more)


def _address(name: str, prefix: str = "") -> tuple[Field, ...]:
    parts = (
        ("street", "Street", "textarea", 255),
        ("city", "City", "string", 40),
        ("state", "State", "string", 80),
        ("postalCode", "PostalCode", "string", 20),
        ("country", "Country", "string", 80),
    )
    pieces = tuple(_field(f"{prefix}{part}", kind, size, compound=name) for _, part, kind, size in parts)
    whole = _kept(
        name, "address", filterable=False, sortable=False, groupable=False,
        parts=tuple((key, f"{prefix}{part}") for key, part, _, _ in parts),
    )  # fmt: skip
    return (*pieces, whole)


_FIRST = (_kept("Id", "id", 18, nillable=False), _kept("IsDeleted", "boolean", nillable=False, default=False))
_AUDIT = (
    _kept("CreatedDate", "datetime", nillable=False),
    _kept_lookup("CreatedById", "CreatedBy", "User", nillable=False),
    _kept("LastModifiedDate", "datetime", nillable=False),
    _kept_lookup("LastModifiedById", "LastModifiedBy", "User", nillable=False),
    _kept("SystemModstamp", "datetime", nillable=False),
)
_PERSON_NAME = (
    _field("LastName", "string", 80, nillable=False, compound="Name"),
    _field("FirstName", "string", 40, compound="Name"),
    _field("Salutation", "picklist", 40, compound="Name", values=SALUTATIONS),
    _kept(
        "Name", "string", 121, nillable=False,
        formula="CASE WHEN FirstName IS NULL THEN LastName ELSE FirstName || ' ' || LastName END",
    ),
)  # fmt: skip
_CONSENT = (_checkbox("HasOptedOutOfEmail"), _checkbox("HasOptedOutOfFax"), _checkbox("DoNotCall"))

_LEAD = ObjectType(
    "Lead", "00Q",
    (
        *_FIRST,
        _kept_lookup("MasterRecordId", "MasterRecord", "Lead"),
        *_PERSON_NAME,
        _field("Title", "string", 128),
        _field("Company", "string", 255, nillable=False),
        *_address("Address"),
        _field("Phone", "phone", 40),
        _field("MobilePhone", "phone", 40),
        _field("Fax", "phone", 40),
        _field("Email", "email", 80),
        _field("Website", "url", 255),
        _field("Description", "textarea", 32000),
        _field("LeadSource", "picklist", 255, values=SOURCES),
        _field("Status", "picklist", 255, nillable=False, values=STATUSES, default=STATUSES[0]),
        _field("Industry", "picklist", 255, values=INDUSTRIES),
        _field("Rating", "picklist", 255, values=RATINGS),
        _field("AnnualRevenue", "currency"),
        _field("NumberOfEmployees", "int", precision=8),
        _lookup("OwnerId", "Owner", "Group", "User", nillable=False, default="owner"),
        _kept("IsConverted", "boolean", nillable=False, default=False),
        _kept("ConvertedDate", "date"),
        _kept_lookup("ConvertedAccountId", "ConvertedAccount", "Account"),
        _kept_lookup("ConvertedContactId", "ConvertedContact", "Contact"),
        _kept_lookup("ConvertedOpportunityId", "ConvertedOpportunity", "Opportunity"),
        _checkbox("IsUnreadByOwner", trackable=False),
        *_AUDIT,
        _field("EmailBouncedReason", "string", 255, createable=False),
        _field("EmailBouncedDate", "datetime", createable=False),
        _lookup("IndividualId", "Individual", "Individual"),
        _kept("LastActivityDate", "date"),
        *_CONSENT,
    ),
)  # fmt: skip

_CONTACT = ObjectType(
    "Contact", "003",
    (
        *_FIRST,
        _kept_lookup("MasterRecordId", "MasterRecord", "Contact"),
        _lookup("AccountId", "Account", "Account"),
        *_PERSON_NAME,
        *_address("OtherAddress", "Other"),
        *_address("MailingAddress", "Mailing"),
        _field("Phone", "phone", 40),
        _field("Fax", "phone", 40),
        _field("MobilePhone", "phone", 40),
        _field("HomePhone", "phone", 40),
        _field("OtherPhone", "phone", 40),
        _field("AssistantPhone", "phone", 40),
        _lookup("ReportsToId", "ReportsTo", "Contact"),
        _field("Email", "email", 80),
        _field("Title", "string", 128),
        _field("Department", "string", 80),
        _field("AssistantName", "string", 40),
        _field("LeadSource", "picklist", 255, values=SOURCES),
        _field("Birthdate", "date"),
        _field("Description", "textarea", 32000),
        _lookup("OwnerId", "Owner", "User", nillable=False, default="owner"),
        *_AUDIT,
        _field("EmailBouncedReason", "string", 255),
        _field("EmailBouncedDate", "datetime"),
        _kept("IsEmailBounced", "boolean", nillable=False, formula="EmailBouncedDate IS NOT NULL"),
        _lookup("IndividualId", "Individual", "Individual"),
        _kept("LastActivityDate", "date"),
        *_CONSENT,
    ),
)  # fmt: skip

_ACCOUNT = ObjectType(
    "Account", "001",
    (
        *_FIRST,
        _kept_lookup("MasterRecordId", "MasterRecord", "Account"),
        _field("Name", "string", 255, nillable=False),
        _field("Type", "picklist", 255, values=("Prospect", "Customer - Direct", "Customer - Channel", "Other")),
        _lookup("ParentId", "Parent", "Account"),
        *_address("BillingAddress", "Billing"),
        _field("Phone", "phone", 40),
        _field("Fax", "phone", 40),
        _field("Website", "url", 255),
        _field("Industry", "picklist", 255, values=INDUSTRIES),
        _field("AnnualRevenue", "currency"),
        _field("NumberOfEmployees", "int", precision=8),
        _field("Description", "textarea", 32000),
        _lookup("OwnerId", "Owner", "User", nillable=False, default="owner"),
        *_AUDIT,
    ),
)  # fmt: skip

_USER = ObjectType(
    "User", "005",
    (
        _FIRST[0],
        _kept("Username", "string", 80, nillable=False),
        _kept("LastName", "string", 80, nillable=False),
        _kept("FirstName", "string", 40),
        _kept(
            "Name", "string", 121, nillable=False,
            formula="CASE WHEN FirstName IS NULL THEN LastName ELSE FirstName || ' ' || LastName END",
        ),
        _kept("Email", "email", 128, nillable=False),
        _kept("Alias", "string", 8),
        _kept("IsActive", "boolean", nillable=False, default=True),
        _kept("UserType", "picklist", 40, default="Standard"),
        *_AUDIT,
    ),
    writable=False,
)  # fmt: skip

_GROUP = ObjectType(
    "Group", "00G",
    (
        _FIRST[0],
        _kept("Name", "string", 40, nillable=False),
        _kept("DeveloperName", "string", 80),
        _kept("Type", "picklist", 40, nillable=False, default="Queue"),
        _kept("Email", "email", 255),
        *_AUDIT,
    ),
    writable=False,
)  # fmt: skip

_ORGANIZATION = ObjectType(
    "Organization", "00D",
    (
        _FIRST[0],
        _kept("Name", "string", 80, nillable=False),
        _kept("OrganizationType", "picklist", 40, default="Enterprise Edition"),
        _kept("InstanceName", "string", 5, default="SBX1"),
        _kept("IsSandbox", "boolean", nillable=False, default=True),
        _kept("TimeZoneSidKey", "picklist", 40, default="GMT"),
        *_AUDIT,
    ),
    writable=False,
)  # fmt: skip

# An owner or author of whichever kind; a view over users and queues, as the vendor's own `Name` object is.
_NAME = ObjectType(
    "Name", "",
    (
        _FIRST[0],
        _kept("Name", "string", 121),
        _kept("FirstName", "string", 40),
        _kept("LastName", "string", 80),
        _kept("Email", "email", 128),
        _kept("Username", "string", 80),
        _kept("IsActive", "boolean"),
        _kept("Type", "picklist", 40),
    ),
    writable=False,
    virtual=True,
)  # fmt: skip

_ENTITY_DEFINITION = ObjectType(
    "EntityDefinition", "4ie",
    (
        _kept("DurableId", "string", 255),
        _kept("QualifiedApiName", "string", 70),
        _kept("DeveloperName", "string", 40),
        _kept("Label", "string", 40),
        _kept("KeyPrefix", "string", 3),
        _kept("IsQueryable", "boolean"),
    ),
    writable=False,
    virtual=True,
)  # fmt: skip

_FIELD_DEFINITION = ObjectType(
    "FieldDefinition", "0Cg",
    (
        _kept("DurableId", "string", 255),
        _kept("QualifiedApiName", "string", 70),
        _kept("DeveloperName", "string", 40),
        _kept("MasterLabel", "string", 40),
        _kept("Label", "string", 40),
        _kept("DataType", "string", 40),
        _kept("Length", "int"),
        _kept("Precision", "int"),
        _kept("Scale", "int"),
        _kept("IsFieldHistoryTracked", "boolean"),
        _kept("IsNillable", "boolean"),
        _kept("IsCompound", "boolean"),
        _kept("EntityDefinitionId", "string", 255, target=("EntityDefinition",), relationship="EntityDefinition"),
    ),
    writable=False,
    virtual=True,
)  # fmt: skip


def _history(of: str) -> ObjectType:
    parent = f"{of}Id"
    return ObjectType(
        f"{of}History", "017",
        (
            *_FIRST,
            _kept_lookup(parent, of, of, nillable=False),
            _kept_lookup("CreatedById", "CreatedBy", "User", nillable=False),
            _kept("CreatedDate", "datetime", nillable=False),
            _kept("Field", "picklist", 255, nillable=False, restricted=True),
            _kept("DataType", "picklist", 40),
            _kept("OldValue", "anyType", 255, filterable=False, groupable=False),
            _kept("NewValue", "anyType", 255, filterable=False, groupable=False),
        ),
        writable=False, history_of=of, parent_field=parent,
    )  # fmt: skip


TRACKED_OBJECTS = ("Lead", "Contact")


def standard_objects() -> tuple[ObjectType, ...]:
    """Every object, those without a table of their own last."""
    recorded = (_ORGANIZATION, _USER, _GROUP, _ACCOUNT, _CONTACT, _LEAD)
    histories = tuple(_history(name) for name in TRACKED_OBJECTS)
    return (*recorded, *histories, _NAME, _ENTITY_DEFINITION, _FIELD_DEFINITION)
