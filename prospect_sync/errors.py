"""The error tree. Adapters translate vendors' errors into it once; what follows is a function of the class.

ProspectSyncError
├─ MappingError          the mapping file does not validate; carries every problem at once
└─ SyncError             one of the four ways in which work on a record can fail
   ├─ TryLater           nothing is wrong with the data: come back after ``delay``
   ├─ Stale              what we decided on is no longer true: read again and decide again
   │  └─ LeaseLost       the records are no longer ours to write
   ├─ Rejected           the vendor refuses these values: a person must look
   └─ Misconfigured      a field, a permission or the whole connection is set up wrongly
"""

from collections.abc import Sequence
from dataclasses import dataclass


class ProspectSyncError(Exception):
    """Root of everything this package raises on purpose."""


@dataclass(frozen=True, slots=True)
class MappingProblem:
    """One thing wrong in a mapping file: the line it stands on (1-based, None when the file as a whole), the key, the words."""

    line: int | None
    key: str
    message: str


class MappingError(ProspectSyncError):
    """The mapping file is refused; ``problems`` holds everything that is wrong with it, in the file's order."""

    def __init__(self, source: str, problems: Sequence[MappingProblem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__(f"{source}: {len(self.problems)} problem(s) in the mapping")


class SyncError(ProspectSyncError):
    """One of the four failures. ``code`` and ``words`` are the vendor's own; neither holds a person's data we added."""

    def __init__(self, words: str, *, code: str = "") -> None:
        self.words = words
        self.code = code
        super().__init__(f"{code}: {words}" if code else words)


class TryLater(SyncError):  # noqa: N818 - the four words are the product's vocabulary
    """Come back after ``delay`` seconds; ``reason`` is "limit", "lock", "outage" or "waiting"."""

    def __init__(self, words: str, *, delay: float, code: str = "", reason: str = "outage") -> None:
        super().__init__(words, code=code)
        self.delay = delay
        self.reason = reason


class Stale(SyncError):  # noqa: N818 - the four words are the product's vocabulary
    """The record changed, moved or vanished since we read it."""


class LeaseLost(Stale):
    """The lease has run out, or what remains of it is shorter than the call would take."""


class Rejected(SyncError):  # noqa: N818 - the four words are the product's vocabulary
    """The vendor refuses the values; ``fields`` are the vendor's field names it blames, empty when it names none."""

    def __init__(self, words: str, *, code: str = "", fields: Sequence[str] = ()) -> None:
        super().__init__(words, code=code)
        self.fields = tuple(fields)


class Misconfigured(SyncError):  # noqa: N818 - the four words are the product's vocabulary
    """Set up wrongly; ``fields`` narrows it to those fields, empty means the connection as a whole."""

    def __init__(self, words: str, *, code: str = "", fields: Sequence[str] = ()) -> None:
        super().__init__(words, code=code)
        self.fields = tuple(fields)
