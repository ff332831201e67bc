"""Access tokens shared by the threads of one process."""

import threading
from collections.abc import Callable

from prospect_sync.memory import Token
from prospect_sync.ports import Tokens


class MemoryTokens(Tokens):
    """See the port."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._cached: dict[str, Token] = {}

    def get(self, name: str, refused: Token | None, fetch: Callable[[], Token]) -> Token:
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            cached = self._cached.get(name)
            if cached is None or cached == refused:
                cached = self._cached[name] = fetch()
            return cached

    def forget(self, name: str) -> None:
        self._cached.pop(name, None)
