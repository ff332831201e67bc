"""Change events over the Pub/Sub API: a gRPC stream, Avro payloads with their own schemas, bitmaps of changed fields.

It turns what the wire carries into the port's words. What an event means for a pair is the flow's business.
"""

from prospect_sync.salesforce.events.client import EventBusConnection, SalesforceEvents

__all__ = ["EventBusConnection", "SalesforceEvents"]
