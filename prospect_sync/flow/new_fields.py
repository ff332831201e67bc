"""Bring fields into the mirror that the mapping has only now: every prospect is asked once more, a stretch at a time.

A field the mirror does not have is unread, and nothing is decided on it; each prospect's hint goes out as its field comes in.
The reading keeps its place in SQL, works for seconds only, and goes on at the next call, whoever makes it.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog

from prospect_sync.flow.refresh_mirror import SOURCE, absorb, read_again
from prospect_sync.flow.runtime import Runtime
from prospect_sync.memory import Mark
from prospect_sync.model import Lane, Prospect
from prospect_sync.policy.behaviors import FieldType

log = structlog.get_logger(__name__)

_COMPLETE, _LOADING, _READING = "mirror/complete", "mirror/loading", "mirror/reading"
_PLACE = "prospects again"
_STEADY = timedelta(seconds=5)
"""Every process has the new mapping by then: one that has not would forget the field again."""
_STRETCH = timedelta(seconds=20)
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def mirror_new_fields(runtime: Runtime) -> bool:
    """Read on where fields are missing from the mirror; True once none is.

    Raises:
        TryLater, Misconfigured: as the prospect side does.
    """
    wanted = frozenset(runtime.every_prospect_field())
    known = _known(runtime, wanted)
    if known is None:
        return False  # the first load is under way, and brings what it asks for
    if not known <= wanted:
        known &= wanted
        runtime.marks.remember(_COMPLETE, _text(known))
    missing = wanted - known
    if not missing:
        return True
    if not _steady(runtime, missing):
        return False
    if _read_on(runtime, missing):
        runtime.marks.remember(_COMPLETE, _text(wanted))
        runtime.marks.forget(_READING)
        log.info("mirror.fields_complete", fields=sorted(missing))
        return True
    return False


def _known(runtime: Runtime, wanted: frozenset[str]) -> frozenset[str] | None:
    """The fields that the mirror has of every prospect; None until it has been loaded at all."""
    text = runtime.marks.note(_COMPLETE)
    if text is not None:
        return frozenset(json.loads(text))
    loading = runtime.marks.note(_LOADING)
    if loading is None:
        runtime.marks.remember(_LOADING, _text(wanted))
    if runtime.marks.get(SOURCE).complete is None:
        return None
    known = wanted if loading is None else frozenset(json.loads(loading))
    runtime.marks.remember(_COMPLETE, _text(known))
    return known


def _steady(runtime: Runtime, missing: frozenset[str]) -> bool:
    """Note what is to be read, and from which instant on; another set of fields begins anew."""
    now, text = runtime.clock.now(), runtime.marks.note(_READING)
    noted = json.loads(text) if text else None
    if noted is None or noted["fields"] != sorted(missing):
        runtime.marks.remember(_READING, json.dumps({"fields": sorted(missing), "since": now.isoformat()}))
        runtime.marks.set(_PLACE, Mark())
        log.info("mirror.fields_missing", fields=sorted(missing))
        return False
    return now - datetime.fromisoformat(noted["since"]) >= _STEADY


def _read_on(runtime: Runtime, missing: frozenset[str]) -> bool:
    """Read for a stretch from where the last one ended; True when the end was reached."""
    side, until = runtime.prospects(Lane.BULK), runtime.clock.now() + _STRETCH
    complete = runtime.marks.get(SOURCE).complete
    for page in side.changed(runtime.marks.get(_PLACE).cursor or _BEGINNING, runtime.queryable()):
        absorb(runtime, side, page.rows, complete=complete, query=True)
        _read_singly(runtime, page.rows, missing)
        stamps = [row.modified.at for row in page.rows if row.modified.at is not None]
        if stamps:
            runtime.marks.set(_PLACE, Mark(cursor=max(stamps)))
        if page.last:
            return True
        if runtime.clock.now() >= until:
            return False
    return True


def _read_singly(runtime: Runtime, rows: Iterable[Prospect], missing: frozenset[str]) -> None:
    """A query cannot show multi-selects: prospects that lack one are read one by one, a call each."""
    types = runtime.prospect_types()
    selections = {name for name in missing if types.get(name) is FieldType.MULTISELECT}
    if not selections:
        return
    known = runtime.mirror.get([row.id for row in rows])
    lacking = [key for key, row in known.items() if not row.deleted and not selections <= row.fields.keys()]
    read_again(runtime, lacking, Lane.BULK)


def _text(fields: Iterable[str]) -> str:
    return json.dumps(sorted(fields))
