"""The import side of the pretend Account Engagement: files of rows, carried out when their time has passed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from prospect_sync.errors import Stale, SyncError
from prospect_sync.ports import ImportColumn, ImportLine, ImportState, ImportStatus, ProspectImports, RefusedLine
from tests.support.pretend_vendors import CONNECTOR, PretendAccountEngagement


@dataclass
class PretendImport:
    """One import: its columns, its lines, and what became of it."""

    columns: Mapping[str, ImportColumn]
    lines: list[ImportLine] = field(default_factory=list)
    due: datetime | None = None
    state: ImportState = ImportState.OPEN
    runs: int = 0
    refused: list[RefusedLine] = field(default_factory=list)


@dataclass
class PretendImports(ProspectImports):
    """See the port. ``refuse`` says which lines are refused; ``trouble`` what a call fails with; ``fails``: half is written."""

    org: PretendAccountEngagement
    seconds: float = 20.0
    refuse: Callable[[ImportLine], RefusedLine | None] = lambda _: None
    trouble: Callable[[str], SyncError | None] = lambda _: None
    fails: bool = False
    made: list[PretendImport] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def start(self, columns: Mapping[str, ImportColumn]) -> str:
        self._call("start")
        self.made.append(PretendImport(dict(columns)))
        return str(len(self.made))

    def add(self, import_id: str, fields: Sequence[str], lines: Iterable[ImportLine]) -> int:
        self._call("add")
        one = self._get(import_id)
        assert set(fields) == set(one.columns)
        one.lines.extend(lines)
        return 1

    def run(self, import_id: str) -> None:
        self._call("run")
        one = self._get(import_id)
        if one.state is not ImportState.OPEN:
            raise Stale("not open", code="155")
        one.runs += 1
        one.state, one.due = ImportState.RUNNING, self.org.clock.now() + timedelta(seconds=self.seconds)

    def status(self, import_id: str) -> ImportStatus:
        self._call("status")
        one = self._get(import_id)
        self.progress()
        return ImportStatus(one.state, updated=len(one.lines) - len(one.refused), refused=len(one.refused))

    def refused(self, import_id: str) -> Iterator[RefusedLine]:
        self._call("refused")
        yield from self._get(import_id).refused

    def progress(self) -> None:
        """Carry out what is due."""
        for one in self.made:
            if one.due is not None and one.state is ImportState.RUNNING and one.due <= self.org.clock.now():
                self._carry_out(one)

    def _carry_out(self, one: PretendImport) -> None:
        lines = one.lines[: len(one.lines) // 2] if self.fails else one.lines
        for line in lines:
            error = self.refuse(line)
            if error is not None:
                one.refused.append(error)
                continue
            before = self.org.now_holds(line.prospect_id).values
            self.org.edit(line.prospect_id, _changes(one, line, before), by=CONNECTOR)
        one.state = ImportState.FAILED if self.fails else ImportState.COMPLETE
        self.fails = False

    def _get(self, import_id: str) -> PretendImport:
        return self.made[int(import_id) - 1]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        error = self.trouble(name)
        if error is not None:
            raise error


def _changes(one: PretendImport, line: ImportLine, before: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name, column in one.columns.items():
        value = line.values.get(name)
        if value is None and column.erase:
            changes[name] = None
        elif value is not None and (column.overwrite or not before.get(name)):
            changes[name] = value
    return changes
