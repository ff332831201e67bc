"""What happens around tasks and processes: logging set up, context bound, the runtime forgotten across a fork."""

from typing import Any

import structlog
from celery import signals

from prospect_sync.observe import set_up_logging
from settings import Settings
from worker.app import SyncApp


def connect(app: SyncApp, settings: Settings) -> None:
    """Register the signal handlers of a worker or beat process."""

    def start(**_: Any) -> None:
        set_up_logging(settings.log_format, settings.log_level)

    def child(**_: Any) -> None:
        set_up_logging(settings.log_format, settings.log_level)
        app.forget_runtime()

    def before(task_id: str, task: Any, **_: Any) -> None:
        structlog.contextvars.bind_contextvars(task=task.name, task_id=task_id)

    def after(**_: Any) -> None:
        structlog.contextvars.clear_contextvars()

    signals.setup_logging.connect(start, weak=False)
    signals.worker_process_init.connect(child, weak=False)
    signals.task_prerun.connect(before, weak=False)
    signals.task_postrun.connect(after, weak=False)
