"""Enter our own applied writes into the mirror, whoever else is writing to its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from prospect_sync.flow.runtime import Runtime
from prospect_sync.model import Interval
from prospect_sync.policy.mirroring import wrote

log = structlog.get_logger(__name__)

_TRIES = 8


@dataclass(frozen=True, slots=True)
class OwnWrite:
    """What we wrote to one prospect, as it was stored; the stamp it gave; and when each value came about."""

    values: Mapping[str, Any]
    stamp: datetime
    origins: Mapping[str, Interval] = field(default_factory=dict)


def enter(runtime: Runtime, writes: Mapping[int, OwnWrite]) -> None:
    """Merge own writes into the mirrored prospects; one that is not mirrored yet is learned by the next poll."""
    pending, types = dict(writes), runtime.prospect_types()
    for _ in range(_TRIES):
        if not pending:
            return
        known = runtime.mirror.get(list(pending))
        rows = [
            wrote(known[key], write.values, write.stamp, write.origins, types)
            for key, write in pending.items()
            if key in known
        ]
        refused = runtime.mirror.put(rows)
        pending = {key: write for key, write in pending.items() if key in refused}
    if pending:
        log.warning("mirror.contended", prospects=len(pending))
