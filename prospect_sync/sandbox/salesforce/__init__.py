"""A pretend Salesforce org: the REST wire format over an in-memory database, independent of the product."""

from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.salesforce.org import SalesforceOrg

__all__ = ["OrgError", "SalesforceOrg"]
