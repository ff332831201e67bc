"""What the latest resync of everything compares, or has compared, so that the first loads need not hint it.

It compares after it began, so whatever is older than its beginning is its business, and what is younger is the poll's.
"""

from datetime import datetime, timedelta

from prospect_sync.flow.runtime import Runtime


def covered_before(runtime: Runtime) -> datetime | None:
    """Give the instant up to which changes need no hint, in either vendor's time; None where no resync covers them."""
    run = runtime.resyncs.newest()
    if run is None or run.since is not None:
        return None
    return run.started - timedelta(seconds=max(runtime.tuning.prospect_overlap, runtime.tuning.person_overlap))
