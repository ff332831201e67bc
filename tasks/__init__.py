"""Celery's door: task names, queues and what becomes of a failure. No thinking here; the verbs are in ``prospect_sync.flow``.

Names and arguments are a wire contract: a message of an older version must still be understood.
"""
