"""What the carrying out of a batch came to, filled as things happen, so that it is true even where the work breaks off."""

from dataclasses import dataclass, field

from prospect_sync.memory import DeskItem
from prospect_sync.model import Hint


@dataclass(slots=True)
class Report:
    """What write-back came to. ``unfinished``: pairs that are not settled yet."""

    again: list[Hint] = field(default_factory=list)
    desk: list[DeskItem] = field(default_factory=list)
    applied: int = 0
    refused: int = 0
    unfinished: set[int] = field(default_factory=set)
