"""Where the prospects lie: one SQLite table in memory, and beside it the older states that reads still show.

Writes see the newest state. Reads see each record as it was a moment ago while a lag is set: the state before
every write is kept until that write becomes visible. Which lag, and what a field means, is decided elsewhere.
"""

import heapq
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from prospect_sync.sandbox.account_engagement.values import Stored

Row = tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class _Before:
    """How one record looked before a write, and which share of the lag passes until the write is seen."""

    written: float
    share: float
    row: Row | None


class ProspectStore:
    """The newest prospects in the table `prospect`; what lagging reads show instead, in the table `stale`."""

    def __init__(self, columns: Iterable[str], elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self.lag = 0.0
        self.lag_varies: Random | None = None
        self._before: dict[int, deque[_Before]] = {}
        self._due: list[tuple[float, int]] = []
        self.columns: list[str] = []
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("CREATE TABLE prospect (id INTEGER PRIMARY KEY)")
        self._db.execute("CREATE TABLE stale (id INTEGER PRIMARY KEY, present INTEGER NOT NULL)")
        for column in columns:
            self.add_column(column)
        self._db.execute('CREATE INDEX by_update ON prospect ("updatedAt", id)')
        self._db.execute('CREATE INDEX by_creation ON prospect ("createdAt", id)')
        self._db.execute('CREATE INDEX by_email ON prospect (lower("email"))')
        self._db.execute(
            'CREATE INDEX by_person ON prospect (substr("salesforceId", 1, 15)) WHERE "salesforceId" IS NOT NULL'
        )

    def add_column(self, name: str) -> None:
        self.columns.append(name)
        if name != "id":
            self._db.execute(f'ALTER TABLE prospect ADD COLUMN "{name}"')
            self._db.execute(f'ALTER TABLE stale ADD COLUMN "{name}"')
            # An older state was kept without the new column; it is null there.
            for states in self._before.values():
                for place, before in enumerate(states):
                    if before.row is not None:
                        states[place] = _Before(before.written, before.share, (*before.row, None))

    def load(self, rows: Iterable[Mapping[str, Stored]]) -> None:
        """Insert or replace prospects; what is loaded, and all that was written before, is visible at once."""
        self._before.clear()
        self._due.clear()
        self._db.execute("DELETE FROM stale")
        marks = ", ".join("?" * len(self.columns))
        self._db.execute("BEGIN")
        try:
            self._db.executemany(
                f"INSERT OR REPLACE INTO prospect ({self._names()}) VALUES ({marks})",  # noqa: S608 - column names only
                (tuple(row.get(column) for column in self.columns) for row in rows),
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def insert(self, row: Mapping[str, Stored]) -> int:
        known = {column: value for column, value in row.items() if value is not None}
        names = ", ".join(f'"{column}"' for column in known)
        marks = ", ".join("?" * len(known))
        cursor = self._db.execute(
            f"INSERT INTO prospect ({names}) VALUES ({marks})",  # noqa: S608 - column names only
            tuple(known.values()),
        )
        prospect_id = int(cursor.lastrowid or 0)
        self._remember(prospect_id, None)
        return prospect_id

    def update(self, before: Mapping[str, Stored], changes: Mapping[str, Stored]) -> None:
        """Change a prospect whose newest state is `before`."""
        prospect_id = int(before["id"] or 0)
        self._remember(prospect_id, tuple(before[column] for column in self.columns))
        settings = ", ".join(f'"{column}" = ?' for column in changes)
        self._db.execute(
            f"UPDATE prospect SET {settings} WHERE id = ?",  # noqa: S608 - column names only
            (*changes.values(), prospect_id),
        )

    def newest(self, prospect_id: int) -> dict[str, Stored] | None:
        """The state that writes see."""
        row = self._row("prospect", prospect_id)
        return None if row is None else dict(zip(self.columns, row, strict=True))

    def visible(self, prospect_id: int) -> dict[str, Stored] | None:
        """The state that reads see, or None where there is none yet."""
        self.settle()
        if prospect_id in self._before:
            row = self._before[prospect_id][0].row
            return None if row is None else dict(zip(self.columns, row, strict=True))
        return self.newest(prospect_id)

    def ids_with(self, condition: str, parameters: Sequence[Stored], order: str = "id") -> list[int]:
        """Ids whose newest state meets a condition."""
        rows = self._db.execute(
            f"SELECT id FROM prospect WHERE {condition} ORDER BY {order}",  # noqa: S608 - our own constants
            tuple(parameters),
        )
        return [int(row[0]) for row in rows]

    def select(
        self,
        columns: Sequence[str],
        condition: str,
        parameters: Sequence[Stored],
        order: str,
        limit: int,
        offset: int = 0,
    ) -> list[Row]:
        """Visible rows: `columns` may be expressions; `order` counts them from 1."""
        self.settle()
        wanted = ", ".join(columns)
        sql = f"SELECT {wanted} FROM prospect WHERE {condition}"  # noqa: S608 - expressions made from known fields
        values = tuple(parameters)
        if self._before:
            sql += " AND id NOT IN (SELECT id FROM stale)"
            sql += f" UNION ALL SELECT {wanted} FROM stale WHERE present AND {condition}"  # noqa: S608 - the same
            values *= 2
        return self._db.execute(f"{sql} ORDER BY {order} LIMIT ? OFFSET ?", (*values, limit, offset)).fetchall()

    def all_rows(self) -> Iterable[Row]:
        """Every newest row, all columns in their order; the deleted ones too."""
        return self._db.execute(f"SELECT {self._names()} FROM prospect ORDER BY id")  # noqa: S608 - column names only

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM prospect").fetchone()[0])

    def settle(self) -> None:
        """Let reads see every write whose lag has passed."""
        now = self._elapsed()
        while self._due and self._due[0][0] <= now:
            _, prospect_id = heapq.heappop(self._due)
            states = self._before[prospect_id]
            states.popleft()
            if not states:
                del self._before[prospect_id]
            self._show(prospect_id)

    def set_lag(self, seconds: float, varies: Random | None) -> None:
        """Change the lag, also for writes that are not visible yet."""
        self.lag, self.lag_varies = seconds, varies
        self._due = []
        for prospect_id, states in self._before.items():
            seen = 0.0
            for before in states:
                seen = max(seen, round(before.written + before.share * seconds, 3))
                heapq.heappush(self._due, (seen, prospect_id))
        self.settle()

    def _remember(self, prospect_id: int, row: Row | None) -> None:
        if self.lag <= 0:
            return
        share = 1.0 if self.lag_varies is None else self.lag_varies.random()
        before = _Before(self._elapsed(), share, row)
        states = self._before.setdefault(prospect_id, deque())
        # A write is never seen before the record's earlier one.
        seen = max(round(one.written + one.share * self.lag, 3) for one in (*states, before))
        states.append(before)
        heapq.heappush(self._due, (seen, prospect_id))
        if len(states) == 1:
            self._show(prospect_id)

    def _show(self, prospect_id: int) -> None:
        """Make the table of older states hold what reads show of this record."""
        self._db.execute("DELETE FROM stale WHERE id = ?", (prospect_id,))
        if prospect_id not in self._before:
            return
        row = self._before[prospect_id][0].row
        if row is None:
            self._db.execute("INSERT INTO stale (id, present) VALUES (?, 0)", (prospect_id,))
            return
        marks = ", ".join("?" * (len(self.columns) + 1))
        self._db.execute(
            f"INSERT INTO stale ({self._names()}, present) VALUES ({marks})",  # noqa: S608 - column names only
            (*row, 1),
        )

    def _row(self, table: str, prospect_id: int) -> Row | None:
        found: Row | None = self._db.execute(
            f"SELECT {self._names()} FROM {table} WHERE id = ?",  # noqa: S608 - column names only
            (prospect_id,),
        ).fetchone()
        return found

    def _names(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)
