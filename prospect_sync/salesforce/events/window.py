"""What keeps one stream going: the requests that ask for more, and the watch over its silence.

gRPC ends a stream when its requests end, so they block until more may be asked for. At most ``size`` events are asked
for and not dealt with.
"""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

from prospect_sync.eventbus import pubsub_api_pb2 as messages

_LOOKS = 20


class Window:
    """The requests of one stream. ``first`` says topic and place, this file how many."""

    def __init__(self, first: messages.FetchRequest, size: int) -> None:
        self._size = size
        self._open = size
        first.num_requested = size
        self._waiting: queue.SimpleQueue[messages.FetchRequest | None] = queue.SimpleQueue()
        self._waiting.put(first)

    def requests(self) -> Iterator[messages.FetchRequest]:
        """Give requests until ``close``; runs in gRPC's own thread."""
        while (request := self._waiting.get()) is not None:
            yield request

    def dealt_with(self, events: int) -> None:
        """Ask for more once half of the window is used up: not a request for every event."""
        self._open -= events
        if self._open <= self._size // 2:
            self._waiting.put(messages.FetchRequest(num_requested=self._size - self._open))
            self._open = self._size

    def close(self) -> None:
        self._waiting.put(None)


class Silence:
    """Cancels a call that says nothing for ``seconds`` while somebody waits for it; dealing with an answer does not count."""

    def __init__(self, call: Any, seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._since: float | None = None
        self._over = threading.Event()
        self.broken = False
        threading.Thread(target=self._watch, name="events.silence", daemon=True).start()

    def answers(self) -> Iterator[messages.FetchResponse]:
        """Give the call's answers.

        Raises:
            grpc.RpcError: the call ended with an error, or was cancelled for its silence.
        """
        try:
            while True:
                self._since = time.monotonic()
                answer = next(self._call, None)
                self._since = None
                if answer is None:
                    return
                yield answer
        finally:
            self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(self._seconds / _LOOKS):
            since = self._since
            if since is not None and time.monotonic() - since > self._seconds:
                self.broken = True
                self._call.cancel()
                return
