"""Two pretend orgs, Salesforce and Account Engagement, that speak the vendors' wire format over TLS.

For tests, the demo and benchmarks. An independent imitation: it imports nothing of the rest of prospect_sync.
The event bus is not served yet: connections to `pubsub_address` are refused.
"""
