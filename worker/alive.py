"""Asks one worker through the broker whether it still answers: a process that hangs has a pid all the same.

For the container's health check, so it costs no API call and reads no store.
"""

import socket

from celery import Celery

PATIENCE = 10.0
"""Seconds to wait for the answer."""


def is_alive(app: Celery, node: str = "", patience: float = PATIENCE) -> bool:
    """Tell whether the worker of that node name answers; without a name, the one Celery names after this machine."""
    asked = node or f"celery@{socket.gethostname()}"
    answers = app.control.inspect(destination=[asked], timeout=patience, limit=1).ping() or {}
    return asked in answers
