"""Two pretend orgs, Salesforce and Account Engagement, that speak the vendors' wire format over TLS.

For tests, the demo and benchmarks. An independent imitation: of the rest of prospect_sync it imports nothing but the
generated contract of the Pub/Sub API.
"""
