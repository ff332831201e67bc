"""Keep the mapped fields in order, every few seconds: look for drift, mirror new fields, catch up on what was switched off."""

from datetime import timedelta

import structlog

from prospect_sync.flow import pause
from prospect_sync.flow.holds import check_fields, look_due
from prospect_sync.flow.new_fields import mirror_new_fields
from prospect_sync.flow.poll_people import poll_people
from prospect_sync.flow.refresh_mirror import poll_prospects
from prospect_sync.flow.runtime import Runtime

log = structlog.get_logger(__name__)

_PATIENCE = 60.0
_SEEN_BY_ALL = timedelta(seconds=3)
"""Every process decides the field again by then; hints before that would be lost on those that do not."""


def tend_fields(runtime: Runtime) -> None:
    """Do what is due of the three; each is done by one process at a time.

    Raises:
        TryLater, Misconfigured: as the vendors' sides do.
    """
    if look_due(runtime, runtime.tuning.fields_every):
        runtime.once.share("fields", runtime.once.mark(), lambda: _check(runtime), _PATIENCE)
    runtime.once.share("new fields", runtime.once.mark(), lambda: _mirror(runtime), _PATIENCE)
    catch_up(runtime)


def catch_up(runtime: Runtime) -> None:
    """Hint everything that changed while a field was switched off, once somebody switched it on again."""
    wish = pause.missed(runtime.marks)
    if wish is None or runtime.clock.now() - wish[1] < _SEEN_BY_ALL:
        return
    since, _ = wish
    found = poll_people(runtime, low=since) + poll_prospects(runtime, low=since)
    pause.looked_back(runtime.marks, wish)
    log.info("fields.caught_up", since=since.isoformat(), found=found)


def _check(runtime: Runtime) -> None:
    if look_due(runtime, runtime.tuning.fields_every):  # somebody else may just have looked
        check_fields(runtime)


def _mirror(runtime: Runtime) -> None:
    mirror_new_fields(runtime)
