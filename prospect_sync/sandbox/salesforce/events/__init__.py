"""Change events of the pretend Salesforce org and the Pub/Sub API that delivers them over gRPC."""

from prospect_sync.sandbox.salesforce.events.bus import ChangeEvents
from prospect_sync.sandbox.salesforce.events.service import serve_events

__all__ = ["ChangeEvents", "serve_events"]
