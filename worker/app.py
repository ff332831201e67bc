"""The Celery application: its configuration, its queues and its schedule, made from settings; nothing happens at import."""

from dataclasses import replace
from typing import Any

from celery import Celery
from kombu.entity import Queue

from prospect_sync.flow.runtime import Runtime
from prospect_sync.mapping import DEFAULT_MAPPING
from prospect_sync.model import Lane
from settings import Settings
from worker.bulk_places import BulkPlaces
from worker.live_mapping import LiveMapping

CONTROL = "control"
QUEUES = (CONTROL, *(lane.value for lane in Lane))
"""In the order in which a free process looks into them."""


_FIELDS_SECONDS = 5.0
"""It costs a few questions to our own stores; the vendors are asked as often as the settings say."""


class SyncApp(Celery):  # type: ignore[misc]
    """Celery with one runtime per process."""

    settings: Settings
    _runtime: Runtime | None = None
    _live: LiveMapping | None = None
    _bulk_places: BulkPlaces | None = None

    def runtime(self) -> Runtime:
        """Build the runtime at first use: connections and engines never cross a fork. Its mapping is the one in force now."""
        from worker.wiring import build_runtime

        if self._runtime is None:
            self._runtime = build_runtime(self.settings, self)
            self._live = LiveMapping(self.settings.mapping_file or DEFAULT_MAPPING, self._runtime.mapping)
        if self._live is not None and (mapping := self._live.current(self._runtime)) is not self._runtime.mapping:
            self._runtime = replace(self._runtime, mapping=mapping)
        return self._runtime

    def bulk_places(self) -> BulkPlaces:
        """Say how many processes of this worker do bulk work at once."""
        from worker.wiring import build_leader

        if self._bulk_places is None:
            leader, lease = build_leader(self.settings), self.settings.tuning.lease
            self._bulk_places = BulkPlaces.among(leader, self.settings.concurrency, lease)
        return self._bulk_places

    def forget_runtime(self) -> None:
        """Start afresh, in a forked child."""
        self._runtime = self._bulk_places = None


def create_app(settings: Settings) -> SyncApp:
    """Make the application. It becomes the current one, so that the shared tasks bind to it."""
    app = SyncApp("prospect_sync", set_as_current=True, include=["tasks.sync", "tasks.resync", "tasks.fields"])
    app.settings = settings
    app.conf.update(
        broker_url=settings.redis_url.get_secret_value(),
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_concurrency=settings.concurrency,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            # the default is round robin: a resync would be served as often as a consent change
            "queue_order_strategy": "priority",
            "global_keyprefix": f"{settings.key_prefix}:celery:",
            "visibility_timeout": 3600,
        },
        task_queues=[Queue(name, routing_key=name) for name in QUEUES],
        task_default_queue=CONTROL,
        task_default_routing_key=CONTROL,
        beat_schedule=_schedule(settings),
        beat_schedule_filename=str(settings.data_dir / "beat-schedule"),
        beat_max_loop_interval=1,
    )
    return app


def _schedule(settings: Settings) -> dict[str, Any]:
    """A poll that could not be started before the next one is due is not missed: it expires."""
    every = settings.schedule
    people = settings.events.sweep if settings.events.source == "events" else every.people
    times = {
        "sync.tend": every.tend,
        "sync.imports": every.imports,
        "poll.people": people,
        "poll.prospects": every.prospects,
    }
    times["fields.tend"] = _FIELDS_SECONDS
    if every.resync:
        times["resync.start"] = every.resync
    entries = {
        name: {"task": name, "schedule": seconds, "options": {"queue": CONTROL, "expires": max(seconds, 1.0)}}
        for name, seconds in times.items()
    }
    step = {"task": "resync.step", "schedule": every.tend, "options": {"queue": Lane.BULK.value, "expires": 5.0}}
    return {**entries, "resync.step": step}
