"""The process that follows change events: one thread a topic, one for demanded sweeps, one that keeps watch.

It decides when to try again, when to ask for polls because a stream is cut off, and who listens when several could.
What an event means is ``prospect_sync.flow.listen``'s business.
"""

import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from prospect_sync.errors import Misconfigured, SyncError, TryLater
from prospect_sync.flow.demand_sweep import sweep_demanded
from prospect_sync.flow.listen import (
    Stream,
    follow,
    kinds_of,
    recovered,
    remember_health,
    report_trouble,
    resume,
    save,
)
from prospect_sync.flow.runtime import Runtime
from prospect_sync.model import RecordKind
from prospect_sync.observe import set_up_logging
from prospect_sync.ports import ChangeEvents, Leader
from settings import Settings
from worker.app import CONTROL, SyncApp, create_app
from worker.wiring import build_events, build_leader

log = structlog.get_logger(__name__)

POST = "listener"
_HOLD = 5.0
_TICK = 0.5
_STANDBY = 2.0
_HEALTH_EVERY = 5.0
_SWEEP_LOOK = 2.0
_SETTLED = 5.0
_MAPPING_LOOK = 5.0
_MISCONFIGURED_RETRY = 60.0
_JOIN = 10.0


def run_listener(settings: Settings) -> int:
    """Listen until told to stop; returns an exit code."""
    set_up_logging(settings.log_format, settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    app = create_app(settings)
    Listener(settings, app, app.runtime, build_leader(settings), lambda: build_events(settings), stop).run()
    return 0


@dataclass
class _Topic:
    """A stream with what its watcher knows of it: since when it is open, and whether the desk has heard of its trouble.

    ``look_due``: it began without a place, so a poll has to find what happened before it was open.
    """

    stream: Stream
    opened: float | None = None
    broken: bool = True
    look_due: bool = False
    on_desk: bool = True
    """True at first: what an earlier process put up goes away with the first success."""

    def is_up(self) -> bool:
        """Tell whether it was open for long enough to be believed."""
        return not self.broken and self.opened is not None and time.monotonic() - self.opened >= _SETTLED


@dataclass
class Listener:
    """One listener process. ``bus`` makes a client for each term as the one that listens.

    ``current`` gives the runtime with the mapping now in force; another mapping begins another term.
    """

    settings: Settings
    app: SyncApp
    current: Callable[[], Runtime]
    leader: Leader
    bus: Callable[[], ChangeEvents]
    stop: threading.Event
    runtime: Runtime = field(init=False)
    _held: float = field(default=0.0, init=False)
    _polled: float = field(default=0.0, init=False)
    _noted: float = field(default=0.0, init=False)
    _looked: float = field(default=0.0, init=False)

    def run(self) -> None:
        """Stand by, or listen, until ``stop``."""
        self.runtime = self.current()
        standing_by = False
        while not self.stop.is_set():
            if self._hold():
                standing_by = False
                self._listen()
            elif not standing_by:
                standing_by = True
                log.info("listener.standby")
            self.stop.wait(_STANDBY)
        self._leave()
        log.info("listener.stopped")

    def _listen(self) -> None:
        """One term: follow every topic that matters until told to stop, replaced, or given another mapping."""
        ended, events = threading.Event(), self.bus()
        topics = [
            _Topic(resume(self.runtime, topic))
            for topic in self.settings.events.topics
            if kinds_of(self.runtime, topic)
        ]
        threads = [threading.Thread(target=self._follow, args=(topic, events, ended)) for topic in topics]
        threads.append(threading.Thread(target=self._sweep, args=(ended,)))
        log.info("listener.started", topics=[topic.stream.topic for topic in topics])
        for thread in threads:
            thread.daemon = True  # a call that hangs must not keep the process from ending
            thread.start()
        try:
            while not self.stop.wait(_TICK):
                if not self._hold():
                    log.warning("listener.replaced")
                    break
                if self._remapped():
                    log.info("listener.remapped", mapping=self.runtime.mapping.version)
                    break
                self._tend(topics)
        finally:
            ended.set()
            events.close()
            for thread in threads:
                thread.join(_JOIN)
            self._save(topics)

    def _follow(self, topic: _Topic, events: ChangeEvents, ended: threading.Event) -> None:
        """Follow one topic for ever, with growing waits while it fails."""
        failures = 0
        while not ended.is_set():
            before = topic.stream.events, topic.stream.heard
            topic.opened, topic.broken = time.monotonic(), False
            topic.look_due = topic.look_due or not topic.stream.reached
            wait = self._attempt(topic, events)
            if ended.is_set():
                return
            topic.broken = True
            lasted = time.monotonic() - topic.opened > self.settings.events.retry
            failures = 0 if lasted or (topic.stream.events, topic.stream.heard) != before else failures + 1
            longest = min(self.settings.events.retry, 2.0**failures)
            ended.wait(max(wait, longest) * random.uniform(0.5, 1.0) if wait is not None else 0)

    def _attempt(self, topic: _Topic, events: ChangeEvents) -> float | None:
        """Follow once; says how long to wait at least, None: not at all."""
        name = topic.stream.topic
        try:
            follow(self.runtime, events, topic.stream)
        except TryLater as later:
            log.warning("events.broken", topic=name, code=later.code, words=later.words)
            return later.delay
        except Misconfigured as wrong:
            log.warning("events.misconfigured", topic=name, code=wrong.code, words=wrong.words)
            topic.on_desk = True
            self._guarded("desk", partial(report_trouble, self.runtime, name, wrong))
            return _MISCONFIGURED_RETRY
        except Exception:
            log.exception("events.failed", topic=name)
            return 1.0
        return None

    def _sweep(self, ended: threading.Event) -> None:
        while not ended.wait(_SWEEP_LOOK):
            self._guarded("sweep", lambda: sweep_demanded(self.runtime))

    def _tend(self, topics: list[_Topic]) -> None:
        """Store places, note the health, and see to it that nothing waits for a stream that is cut off."""
        now = time.monotonic()
        self._save(topics)
        for topic in topics:
            if topic.on_desk and (topic.is_up() or topic.stream.heard):
                topic.on_desk = not self._guarded("desk", partial(recovered, self.runtime, topic.stream.topic))
        if now - self._noted >= _HEALTH_EVERY:
            self._noted = now
            self._guarded("health", lambda: remember_health(self.runtime, [topic.stream for topic in topics]))
        cut_off = [topic for topic in topics if self._tells_people(topic) and not topic.is_up()]
        looks = [topic for topic in topics if topic.look_due and topic.is_up()]
        if looks or (cut_off and now - self._polled >= self.settings.schedule.people):
            self._polled = now
            asked = self._guarded("poll", self._ask_for_poll)
            for topic in looks:
                topic.look_due = not asked

    def _remapped(self) -> bool:
        """Look from time to time whether another mapping is in force, and take it on."""
        if time.monotonic() - self._looked < _MAPPING_LOOK:
            return False
        self._looked = time.monotonic()
        before = self.runtime.mapping
        self._guarded("mapping", self._take_on)
        return self.runtime.mapping != before

    def _take_on(self) -> None:
        self.runtime = self.current()

    def _save(self, topics: list[_Topic]) -> None:
        for topic in topics:
            self._guarded("save", partial(save, self.runtime, topic.stream))

    def _tells_people(self, topic: _Topic) -> bool:
        return kinds_of(self.runtime, topic.stream.topic) != (RecordKind.ACCOUNT,)

    def _ask_for_poll(self) -> None:
        self.app.send_task("poll.people", queue=CONTROL, expires=max(self.settings.schedule.people, 1.0))

    def _hold(self) -> bool:
        """Keep the post. Where Redis does not answer, it is ours until its time would be over."""
        try:
            mine = self.leader.hold(POST, _HOLD)
        except SyncError as failure:
            log.warning("listener.later", code=failure.code, words=failure.words)
            return self._held > 0 and time.monotonic() - self._held < _HOLD
        self._held = time.monotonic() if mine else 0.0
        return mine

    def _leave(self) -> None:
        self._guarded("leave", lambda: self.leader.leave(POST))

    def _guarded(self, what: str, work: Callable[[], object]) -> bool:
        """Do something that may fail now and is done again soon; says whether it went well."""
        try:
            work()
        except SyncError as failure:
            log.warning("listener.later", what=what, code=failure.code, words=failure.words)
            return False
        except Exception:
            log.exception("listener.failed", what=what)
            return False
        return True
