"""The contract of Salesforce's Pub/Sub API: the .proto file and what is generated from it, for client and sandbox alike.

Import `pubsub_api_pb2` (messages) and `pubsub_api_pb2_grpc` (stub and servicer) from here. Nothing is written by hand
but the .proto; it knows nothing of events' payloads, which carry their own schema.
"""
