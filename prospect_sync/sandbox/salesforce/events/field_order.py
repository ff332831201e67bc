"""Which fields a change event has and in what order, standard ones; custom fields follow behind.

The order of Contact is that of a real org, Lead's is the one that the documented conversion example follows, Account's is
plausible. A name with a type is a field that this org's objects lack: it is in the schema and always null.
"""

PERSON_NAME = ("Salutation", "FirstName", "LastName")
ADDRESS = (
    ("Street", "string"), ("City", "string"), ("State", "string"), ("PostalCode", "string"), ("Country", "string"),
    ("StateCode", "string"), ("CountryCode", "string"), ("Latitude", "double"), ("Longitude", "double"),
    ("GeocodeAccuracy", "string"),
)  # fmt: skip

FIELD_ORDER: dict[str, tuple[str, ...]] = {
    "Lead": (
        "Name", "Title", "Company", "Address", "Phone", "MobilePhone", "Fax", "Email", "Website", "Description",
        "LeadSource", "Status", "Industry", "Rating", "AnnualRevenue", "NumberOfEmployees", "OwnerId",
        "HasOptedOutOfEmail", "IsConverted", "ConvertedDate", "ConvertedAccountId", "ConvertedContactId",
        "ConvertedOpportunityId", "IsUnreadByOwner", "CreatedDate", "CreatedById", "LastModifiedDate",
        "LastModifiedById", "DoNotCall", "HasOptedOutOfFax", "LastTransferDate:date", "Jigsaw:string",
        "JigsawContactId:string", "CleanStatus:string", "CompanyDunsNumber:string", "DandbCompanyId:string",
        "EmailBouncedReason", "EmailBouncedDate", "IndividualId", "Pronouns:string", "GenderIdentity:string",
    ),
    "Contact": (
        "AccountId", "IsPersonAccount:boolean", "Name", "OtherAddress", "MailingAddress", "Phone", "Fax",
        "MobilePhone", "HomePhone", "OtherPhone", "AssistantPhone", "ReportsToId", "Email", "Title", "Department",
        "AssistantName", "LeadSource", "Birthdate", "Description", "OwnerId", "HasOptedOutOfEmail",
        "HasOptedOutOfFax", "DoNotCall", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById",
        "LastCURequestDate:datetime", "LastCUUpdateDate:datetime", "EmailBouncedReason", "EmailBouncedDate",
        "Jigsaw:string", "JigsawContactId:string", "CleanStatus:string", "IndividualId", "Pronouns:string",
        "GenderIdentity:string", "ContactSource:string", "BuyerAttributes:string",
    ),
    "Account": (
        "Name", "Type", "ParentId", "BillingAddress", "ShippingAddress:address", "Phone", "Fax",
        "AccountNumber:string", "Website", "Sic:string", "Industry", "AnnualRevenue", "NumberOfEmployees",
        "Ownership:string", "TickerSymbol:string", "Description", "Rating:string", "Site:string", "OwnerId",
        "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "Jigsaw:string", "CleanStatus:string",
        "AccountSource:string",
    ),
}  # fmt: skip
