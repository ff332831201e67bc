"""Whether this org's Composite keeps the preconditions of guarded writes, as a probe found it: one note that all workers heed."""

from prospect_sync.ports import Marks, ProbeFacts

NOTE = "salesforce/conditional composite"
KEPT, IGNORED = "kept", "ignored"


def conclude(marks: Marks, found: ProbeFacts) -> None:
    """Remember what a probe found; every worker heeds it from its next batch on."""
    marks.remember(NOTE, KEPT if found.composite else IGNORED)


def goes_singly(marks: Marks) -> bool:
    """Tell whether guarded writes have to go one a call."""
    return marks.note(NOTE) == IGNORED
