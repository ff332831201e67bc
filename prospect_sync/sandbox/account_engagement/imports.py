"""Imports of prospects: what an import is told, and what it does to prospects while the org's clock runs.

Nothing runs by itself: whoever looks at the org first lets everything happen that is due by then (`catch_up`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from prospect_sync.sandbox.account_engagement.edits import Committed, ProspectEdits
from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.fields import ProspectFields
from prospect_sync.sandbox.account_engagement.import_files import ImportFile, as_csv, cell_value, importable
from prospect_sync.sandbox.account_engagement.limits import CallLimits
from prospect_sync.sandbox.account_engagement.store import ProspectStore
from prospect_sync.sandbox.account_engagement.values import Stored
from prospect_sync.sandbox.clock import OrgClock
from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.users import OrgUser

_MOST_BATCHES = 10
_DAY, _WEEK = 86_400.0, 7 * 86_400.0
_ENDED = ("Complete", "Failed", "Canceled")
_OWNERS = ("userId", "salesforceOwnerId")


@dataclass(slots=True)
class ImportRules:
    """What can be switched about imports. `wait_seconds` passes before the first row is written, then `rows_per_second`.

    `failing`: so many of the next imports fail when half of their rows are written.
    """

    wait_seconds: float = 1.0
    rows_per_second: float = 1_000.0
    most_batch_bytes: int = 10_000_000
    most_batches_a_day: int = 1_000
    failing: int = 0


@dataclass(slots=True)
class Import:
    """One import and how far it is. Times are the org's elapsed seconds, instants its clock's."""

    id: int
    user: OrgUser
    options: dict[str, tuple[bool, bool]]
    restore_deleted: bool
    create_on_no_match: bool
    made: float
    created_at: datetime
    updated_at: datetime
    status: str = "Open"
    files: list[ImportFile] = field(default_factory=list)
    begins: float = 0.0
    ended: float | None = None
    fails: bool = False
    applied: int = 0
    created: int = 0
    updated: int = 0
    errors: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(len(file.rows) for file in self.files)

    def rows(self) -> Iterator[tuple[ImportFile, tuple[str, ...]]]:
        """The rows not written yet."""
        left = self.applied
        for file in self.files:
            for row in file.rows[left:]:
                yield file, row
            left = max(0, left - len(file.rows))

    def option(self, column: str) -> tuple[bool, bool]:
        """(overwrite, nullOverwrite) of a column."""
        return self.options.get(column, (True, True))


class Imports:
    """All imports of a business unit."""

    def __init__(
        self, store: ProspectStore, fields: ProspectFields, edits: ProspectEdits, clock: OrgClock, limits: CallLimits
    ) -> None:
        self._store = store
        self._fields = fields
        self._edits = edits
        self._clock = clock
        self._limits = limits
        self._imports: dict[int, Import] = {}
        self._day: date | None = None
        self._batches_today = 0
        self.rules = ImportRules()

    def create(self, user: OrgUser, body: Mapping[str, Any]) -> Import:
        """Make an open import."""
        for name, wanted in (("object", "Prospect"), ("operation", "Upsert")):
            if body.get(name) is None:
                raise refusal(153, name)
            if body[name] != wanted:
                raise refusal(166, f"{name} {body[name]}")
        restore, create = body.get("restoreDeleted", False), body.get("createOnNoMatch", False)
        if not isinstance(restore, bool) or not isinstance(create, bool):
            raise refusal(50)
        now = self._clock.now()
        made = Import(
            id=len(self._imports) + 1,
            user=user,
            options=self._options(body.get("fields") or {}),
            restore_deleted=restore,
            create_on_no_match=create,
            made=self._clock.elapsed(),
            created_at=now,
            updated_at=now,
        )
        self._imports[made.id] = made
        return made

    def get(self, import_id: int) -> Import:
        """Give an import that has not expired."""
        found = self._imports.get(import_id)
        if found is None:
            raise refusal(109)
        return found

    def all(self) -> list[Import]:
        return list(self._imports.values())

    def is_expired(self, one: Import) -> bool:
        """Not submitted for a day, or over for a week."""
        since = one.made + _DAY if one.status == "Open" else (one.ended or float("inf")) + _WEEK
        return self._clock.elapsed() > since

    def check_takes_batch(self, one: Import) -> None:
        """Refuse an upload that would not be taken, before its file is read."""
        self._must_be_open(one, 155)
        if len(one.files) >= _MOST_BATCHES:
            raise refusal(160)
        today = self._clock.now().astimezone(self._limits.zone).date()
        if today != self._day:
            self._day, self._batches_today = today, 0
        if self._batches_today >= self.rules.most_batches_a_day:
            raise refusal(164, status=self._limits.status)

    def add(self, one: Import, file: ImportFile) -> None:
        """Add a batch; all batches of an import have the same columns."""
        if one.files and one.files[0].columns != file.columns:
            raise refusal(159, "columns differ from those of the first batch")
        one.files.append(file)
        one.updated_at = self._clock.now()
        self._batches_today += 1

    def submit(self, one: Import) -> None:
        """Let it begin."""
        self._must_be_open(one, 155)
        if not one.files:
            raise refusal(156)
        one.status, one.begins = "Waiting", self._clock.elapsed() + self.rules.wait_seconds
        one.updated_at = self._clock.now()
        if self.rules.failing:
            self.rules.failing -= 1
            one.fails = True

    def cancel(self, one: Import) -> None:
        """End it where it stands; what it has written stays."""
        if one.status in (*_ENDED,) or self.is_expired(one):
            raise refusal(161, one.status)
        self._end(one, "Canceled")

    def error_file(self, one: Import) -> str:
        """The refused rows as CSV: code, words, and the row as it was uploaded."""
        if one.status not in _ENDED or self.is_expired(one):
            raise refusal(161, "expired" if self.is_expired(one) else one.status)
        columns = one.files[0].columns if one.files else ()
        return as_csv(("errorCode", "errorMessage", *columns), one.errors)

    def catch_up(self) -> Iterator[tuple[Import, list[Committed]]]:
        """Write what is due by now; gives what each import has written."""
        for one in self._imports.values():
            if one.status in ("Waiting", "Processing") and self._clock.elapsed() >= one.begins:
                one.status = "Processing"
                written = self._run(one)
                if written:
                    yield one, written

    def _run(self, one: Import) -> list[Committed]:
        rate = self.rules.rows_per_second
        passed = self._clock.elapsed() - one.begins
        last = (one.total + 1) // 2 if one.fails else one.total
        due = min(last, int(passed * rate)) if rate > 0 else last
        written: list[Committed] = []
        for file, row in list(_first(one.rows(), due - one.applied)):
            one.applied += 1
            try:
                written.extend(self._apply(one, file, row))
            except OrgError as error:
                one.errors.append((error.body["code"], error.body["message"], *row))
        if one.applied >= last:
            self._end(one, "Failed" if one.fails else "Complete")
        return written

    def _apply(self, one: Import, file: ImportFile, row: tuple[str, ...]) -> list[Committed]:
        cells = dict(zip(file.columns, row, strict=True))
        key = cells.pop(file.match).strip()
        prospect_id = self._match(file.match, key) if key else None
        if prospect_id is None:
            if key and not one.create_on_no_match:
                raise refusal(109)
            one.created += 1
            return [self._edits.create(one.user, self._changes(one, {}, cells))]
        before = self._store.newest(prospect_id) or {}
        restored = []
        if before.get("isDeleted"):
            if not one.restore_deleted:
                raise refusal(219)
            restored = [self._edits.undelete(one.user, prospect_id)]
        written = self._edits.update(one.user, prospect_id, self._changes(one, before, cells))
        one.updated += 1
        return [*restored, written]

    def _changes(self, one: Import, before: Mapping[str, Stored], cells: Mapping[str, str]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for name, cell in cells.items():
            overwrite, null_overwrite = one.option(name)
            if not cell.strip():
                if null_overwrite and before.get(name) is not None and name not in _OWNERS:
                    changes[name] = None
            elif overwrite or before.get(name) is None:
                changes[name] = cell_value(importable(name, self._fields), cell)
        return changes

    def _match(self, column: str, key: str) -> int | None:
        if column == "matchId":
            return int(key) if key.isdigit() and self._store.newest(int(key)) is not None else None
        if column == "matchEmail":
            found = self._edits.with_email(key, deleted=False) or self._edits.with_email(key, deleted=True)
        else:
            found = self._store.ids_with('substr("salesforceId", 1, 15) = ?', (key[:15],), '"isDeleted" DESC, id DESC')
        return found[-1] if found else None

    def _options(self, given: Any) -> dict[str, tuple[bool, bool]]:
        if not isinstance(given, Mapping):
            raise refusal(165, "fields")
        options = {}
        for name, told in given.items():
            if not isinstance(told, Mapping) or set(told) - {"overwrite", "nullOverwrite"}:
                raise refusal(165, name)
            if not all(isinstance(switch, bool) for switch in told.values()):
                raise refusal(165, name)
            importable(name, self._fields)
            options[name] = (told.get("overwrite", True), told.get("nullOverwrite", True))
        return options

    def _must_be_open(self, one: Import, code: int) -> None:
        if one.status != "Open" or self.is_expired(one):
            raise refusal(code, "expired" if self.is_expired(one) else one.status)

    def _end(self, one: Import, status: str) -> None:
        one.status, one.ended, one.updated_at = status, self._clock.elapsed(), self._clock.now()


def _first(
    rows: Iterator[tuple[ImportFile, tuple[str, ...]]], count: int
) -> Iterator[tuple[ImportFile, tuple[str, ...]]]:
    for _, row in zip(range(count), rows, strict=False):
        yield row
