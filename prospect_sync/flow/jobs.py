"""The words that write-back and the imports share: one record write of one pair, and what writing came to."""

from dataclasses import dataclass
from uuid import uuid4

from prospect_sync.flow.decide import Work
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Batch, FieldChange, Intent
from prospect_sync.model import Side


@dataclass(slots=True)
class Job:
    """One record write of one pair. ``alone``: it goes by itself, because it failed in company."""

    work: Work
    side: Side
    changes: tuple[FieldChange, ...]
    alone: bool = False
    intent: Intent | None = None

    @property
    def guarded(self) -> bool:
        return any(change.guarded for change in self.changes)


def intent_of(runtime: Runtime, batch: Batch, fence: int, job: Job) -> Intent:
    """Make the record of a job, to be kept before its call."""
    return Intent(
        id=uuid4().hex,
        at=runtime.clock.now(),
        batch=batch.id,
        fence=fence,
        prospect_id=job.work.couple.prospect_id,
        person=job.work.couple.person,
        side=job.side,
        changes=job.changes,
        mapping_version=runtime.mapping.version,
    )
