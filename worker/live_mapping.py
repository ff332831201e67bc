"""The mapping as it holds now: the file as last found valid, less what is paused or on hold; looked at once a second.

A changed file is checked before it replaces anything. One that does not validate is told once, on the desk and in the log,
and the last good one stays, also for processes that start meanwhile.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from prospect_sync.errors import MappingError, SyncError
from prospect_sync.flow.holds import in_force
from prospect_sync.flow.pause import switches
from prospect_sync.flow.runtime import Runtime
from prospect_sync.mapping import load_mapping, parse_mapping
from prospect_sync.memory import Cause, DeskItem
from prospect_sync.model import Ref
from prospect_sync.policy.behaviors import Mapping
from prospect_sync.ports import Marks

log = structlog.get_logger(__name__)

_EVERY = timedelta(seconds=1)
_GOOD, _REFUSED = "mapping/good", "mapping/refused"
_REF = Ref.service("mapping")

Stamp = tuple[int, int, int]


def first_mapping(path: Path, marks: Marks) -> Mapping:
    """Load the file for a process that starts; where it has become invalid meanwhile, the last good one.

    Raises:
        MappingError: it does not validate, and no other was ever in force.
    """
    try:
        mapping = load_mapping(path)
    except MappingError:
        text = marks.note(_GOOD)
        if text is None:
            raise
        return parse_mapping(text, str(path))
    _remember(path, marks)
    return mapping


class LiveMapping:
    """Follows one file and the switches for one process."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self._path = path
        self._file = self._in_force = mapping
        self._stamp: Stamp | None = None
        self._asked: datetime | None = None

    def current(self, runtime: Runtime) -> Mapping:
        """Give the mapping to work by now; the same object as long as nothing changed."""
        now = runtime.clock.now()
        if self._asked is not None and timedelta() <= now - self._asked < _EVERY:
            return self._in_force
        self._asked = now
        try:
            self._follow_file(runtime)
            wanted = in_force(self._file, switches(runtime.marks))
        except SyncError as error:  # the stores are away: what follows will say so
            log.warning("mapping.later", words=error.words)
            return self._in_force
        if (wanted.version, wanted.idle, wanted.gone) != (
            self._in_force.version,
            self._in_force.idle,
            self._in_force.gone,
        ):
            self._in_force = wanted
        return self._in_force

    def _follow_file(self, runtime: Runtime) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        try:
            mapping = load_mapping(self._path)
        except MappingError as error:
            _refuse(runtime, error)
            self._stamp = stamp
            return
        if mapping.version != self._file.version:
            log.info("mapping.changed", before=self._file.version, version=mapping.version, fields=len(mapping.fields))
            self._file = mapping
        _accept(runtime, self._path)
        self._stamp = stamp


def _stamp(path: Path) -> Stamp | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino


def _accept(runtime: Runtime, path: Path) -> None:
    _remember(path, runtime.marks)
    if runtime.marks.note(_REFUSED) is not None:
        runtime.marks.forget(_REFUSED)
        runtime.desk.clear([_REF])


def _remember(path: Path, marks: Marks) -> None:
    text = path.read_text("utf-8-sig")
    if marks.note(_GOOD) != text:
        marks.remember(_GOOD, text)


def _refuse(runtime: Runtime, error: MappingError) -> None:
    problems = [f"line {one.line or '?'}: {one.key}: {one.message}" for one in error.problems]
    told = json.dumps(problems, ensure_ascii=False)
    if runtime.marks.note(_REFUSED) == told:
        return
    runtime.marks.remember(_REFUSED, told)
    log.error("mapping.refused", problems=problems)
    item = DeskItem(
        cause=Cause.MISCONFIGURED,
        ref=_REF,
        code="MAPPING",
        words=f"the changed mapping file is not right and is not used: {'; '.join(problems)}",
        remedy="Correct it; it is picked up by itself. Until then the last good one stays in force.",
    )
    runtime.desk.clear([_REF])
    runtime.desk.report([item])
