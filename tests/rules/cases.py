"""What a black-box row of the `resolve` contract is, and how a table of rows is put through the command line.

A table is one mapping and many rows; all rows of a table go through ONE process. Rows say what must come out, written
by hand from the documents. This file knows the contract's key names and nothing of how a decision is reached.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
AE, SF, NOBODY = "account_engagement", "salesforce", None
SALES, SALES_TWO, CONNECTOR = "005000000000001AAA", "005000000000002AAA", "00500000000000CAAA"
MARKETING, CONNECTOR_AE = 41, 9


class Anything:
    """Equal to everything: the documents leave it open."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "ANY"


ANY = Anything()
MISSING = object()
"""In a pair: the key is not there at all (UNREAD)."""
DESK = "the documents say 'named on the desk' and leave open whether that is a problem line"


@dataclass(frozen=True)
class OneOf:
    """Equal to each of the readings which the documents allow."""

    readings: tuple[Any, ...]

    def __eq__(self, other: object) -> bool:
        return any(other == reading for reading in self.readings)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class PlainDecimal:
    """Plain decimal text (no exponent) of this value; how many zeros it ends with is left open."""

    value: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and "e" not in other.lower() and Decimal(other) == Decimal(self.value)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class JsonNumber:
    """A JSON number (no text, no boolean) of this value."""

    value: str

    def __eq__(self, other: object) -> bool:
        return type(other) in (int, float) and Decimal(str(other)) == Decimal(self.value)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Instant:
    """ISO 8601 text of this instant, in whatever offset, precise to the second."""

    value: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and len(other) > 10 and _instant(other) == _instant(self.value)

    __hash__ = None  # type: ignore[assignment]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(microsecond=0)


@dataclass(frozen=True)
class Joined:
    """`;`-joined text of these choices, in whatever order."""

    choices: frozenset[str]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and sorted(other.split(";")) == sorted(self.choices)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Listed:
    """A list of these choices, in whatever order."""

    choices: frozenset[str]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list) and sorted(other) == sorted(self.choices)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Trimmed:
    """This text, with or without the white space that stood around it."""

    value: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.strip() == self.value

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Says:
    """One expected decision. `evidence` is a word that must stand somewhere in the decision's evidence."""

    prospect_field: str
    rule: Any
    winner: Any = NOBODY
    value: Any = ANY
    guarded: Any = ANY
    person_field: Any = ANY
    evidence: str = ""


@dataclass(frozen=True)
class Row:
    """One case and what must come out of it. Fields that no `Says` names must come out as SAME."""

    id: str
    case: dict[str, Any]
    says: tuple[Says, ...]
    to_prospect: Mapping[str, Any] = field(default_factory=dict)
    to_person: Mapping[str, Any] = field(default_factory=dict)
    actions: Sequence[Mapping[str, Any]] = ()
    problems: Any = ()
    only: Sequence[str] | None = None
    """The exact decisions expected, by prospect field; None: one per mapped field of the person's type."""


def row(
    row_id: str,
    case: dict[str, Any],
    *says: Says,
    to_prospect: Mapping[str, Any] | None = None,
    to_person: Mapping[str, Any] | None = None,
    actions: Sequence[Mapping[str, Any]] = (),
    problems: Any = (),
    only: Sequence[str] | None = None,
) -> Row:
    """A row; what is not said must not happen."""
    return Row(row_id, case, says, to_prospect or {}, to_person or {}, actions, problems, only)


def pair(
    prospect: Mapping[str, Any] | None = None,
    person: Mapping[str, Any] | None = None,
    person_type: str = "Contact",
    **evidence: Any,
) -> dict[str, Any]:
    """A case: made long ago, AE changed in November by marketing, SF in November by sales, nothing more known.

    Mapped fields that are not named are null on both sides once the table completes them.
    """
    return {
        "person_type": person_type,
        "prospect": {
            "id": 7,
            "createdAt": "2026-01-05T08:00:00Z",
            "updatedAt": "2026-11-20T10:00:00Z",
            "updatedById": MARKETING,
            **(prospect or {}),
        },
        "person": {
            "Id": "003000000000001AAA" if person_type == "Contact" else "00Q000000000001AAA",
            "CreatedDate": "2026-01-10T08:00:00.000+0000",
            "CreatedById": SALES,
            "LastModifiedDate": "2026-11-20T09:00:00.000+0000",
            "LastModifiedById": SALES,
            **({"AccountId": None} if person_type == "Contact" else {}),
            **(person or {}),
        },
        "connector": {"salesforce_user_id": CONNECTOR, "account_engagement_user_id": CONNECTOR_AE},
        "history": [],
        **evidence,
    }


def changed(field_name: str, at: str, by: str = SALES) -> dict[str, str]:
    """A row of field history."""
    return {"Field": field_name, "CreatedDate": at, "CreatedById": by}


def seen(after: str, until: str, *, first: bool = False) -> dict[str, Any]:
    """The closed interval in which a prospect's field changed."""
    return {"after": after, "until": until, "first_seen": first}


@dataclass(frozen=True)
class Answered:
    """What one process gave back."""

    exit_code: int
    lines: tuple[dict[str, Any], ...]
    stdout: str
    stderr: str


def run(mapping: str, lines: str | bytes, *, through_stdin: bool = False) -> Answered:
    """Put lines through `resolve` in one process."""
    raw = lines.encode() if isinstance(lines, str) else lines
    with tempfile.TemporaryDirectory() as folder:
        mapping_file, case_file = Path(folder, "mapping.toml"), Path(folder, "cases.jsonl")
        mapping_file.write_text(mapping, encoding="utf-8")
        case_file.write_bytes(raw)
        command = [sys.executable, "-m", "prospect_sync.cli", "resolve", "--mapping", str(mapping_file)]
        done = subprocess.run(
            command if through_stdin else [*command, str(case_file)],
            input=raw if through_stdin else b"",
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1", "COLUMNS": "300"},
            timeout=90,
            check=False,
        )
    out, err = done.stdout.decode(), done.stderr.decode(errors="replace")
    # "\n" only: str.splitlines would also cut at U+2028, which may stand raw inside a JSON text
    answers = (
        tuple(json.loads(line) for line in out.split("\n") if line.strip()) if out.lstrip().startswith("{") else ()
    )
    return Answered(done.returncode, answers, out, err)


class Table:
    """One mapping, its rows, and the answers of the one process that got them all."""

    def __init__(self, name: str, mapping: str, rows: Sequence[Row]) -> None:
        self.name, self.mapping, self.rows = name, mapping, tuple(rows)
        self.fields = tomllib.loads(mapping)["field"]
        names = [r.id for r in self.rows]
        assert len(names) == len(set(names)), f"row ids of {name} are not unique"

    def mapped(self, person_type: str) -> list[tuple[str, str]]:
        """(prospect field, person field) of this person type, in the mapping's order."""
        side = person_type.lower()
        return [(f["prospect"], f[side]) for f in self.fields if side in f]

    def case(self, a_row: Row) -> dict[str, Any]:
        """The row's case with every mapped field that it does not name set to null."""
        case = {**a_row.case, "id": a_row.id}
        mapped = self.mapped(case["person_type"])
        every_prospect_field = {f["prospect"]: None for f in self.fields}
        case["prospect"] = _without_missing({**every_prospect_field, **case["prospect"]})
        case["person"] = _without_missing({**{person: None for _, person in mapped}, **case["person"]})
        return case

    @functools.cached_property
    def answered(self) -> Answered:
        """All rows through one process."""
        return run(self.mapping, "".join(json.dumps(self.case(r)) + "\n" for r in self.rows))

    def check(self, a_row: Row) -> None:
        """Compare one row's answer with what must come out."""
        done = self.answered
        assert done.exit_code == 0, f"exit code {done.exit_code}: {done.stderr[-2000:]}"
        assert len(done.lines) == len(self.rows)
        out = done.lines[self.rows.index(a_row)]
        assert out["id"] == a_row.id
        assert set(out) == {"id", "decisions", "prospect_changes", "person_changes", "actions", "problems"}
        _check_decisions(a_row, out["decisions"], self._expected_fields(a_row))
        shown = json.dumps(out, indent=1, ensure_ascii=False)
        assert out["prospect_changes"] == dict(a_row.to_prospect), shown
        assert out["person_changes"] == dict(a_row.to_person), shown
        _check_actions(a_row.actions, out["actions"])
        _check_problems(a_row.problems, out["problems"])

    def _expected_fields(self, a_row: Row) -> list[str]:
        if a_row.only is not None:
            return list(a_row.only)
        return [prospect for prospect, _ in self.mapped(a_row.case["person_type"])]


def _without_missing(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not MISSING}


def _check_decisions(a_row: Row, decisions: list[dict[str, Any]], expected_fields: list[str]) -> None:
    assert [d["prospect_field"] for d in decisions] == expected_fields
    by_field = {d["prospect_field"]: d for d in decisions}
    named = {said.prospect_field for said in a_row.says}
    for decision in decisions:
        assert set(decision) == {"prospect_field", "person_field", "rule", "winner", "value", "guarded", "evidence"}
        assert isinstance(decision["evidence"], dict)
        assert isinstance(decision["guarded"], bool)
        if decision["prospect_field"] not in named:
            assert decision["rule"] == "SAME", decision
    for said in a_row.says:
        decision = by_field[said.prospect_field]
        got = (decision["rule"], decision["winner"], decision["value"], decision["guarded"], decision["person_field"])
        assert (said.rule, said.winner, said.value, said.guarded, said.person_field) == got, decision
        assert said.evidence in json.dumps(decision["evidence"]), decision


def _check_actions(expected: Sequence[Mapping[str, Any]], got: list[dict[str, Any]]) -> None:
    rules = {a["rule"] for a in expected}
    assert [a for a in got if a["rule"] not in rules] == []
    for action in expected:
        assert any(action.items() <= candidate.items() for candidate in got), got


def _check_problems(expected: Any, got: list[dict[str, Any]]) -> None:
    for problem in got:
        assert {"rule", "prospect_field", "message"} <= set(problem)
        assert problem["message"].strip()
    if expected == DESK:
        return
    named = [(p["rule"], p["prospect_field"]) for p in got]
    if not expected:
        assert named == []
    for problem in expected:
        assert problem in named


def each_row(*tables: Table) -> list[Any]:
    """Every row of these tables, for `pytest.mark.parametrize(("table", "a_row"), ...)`."""
    return [pytest.param(table, r, id=f"{table.name}: {r.id}") for table in tables for r in table.rows]
