"""The line format of ``prospect-sync resolve``: one case of JSON in, one answer of JSON out, numbers exact both ways.

Whatever stands in a line, the result is an answer or a ``CaseError`` that names the key; nothing is guessed or repaired.
"""

import json
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from prospect_sync.model import (
    ConnectorUsers,
    Decision,
    Echo,
    Evidence,
    HistoryRow,
    Interval,
    Pair,
    Person,
    PersonType,
    Plan,
    Prospect,
    Stamp,
    same_id,
)
from prospect_sync.policy.values import instant

_LONGEST_INT = 4000
"""Python refuses to turn longer texts into ints; beyond it a whole number is kept as a Decimal."""


class CaseError(ValueError):
    """A line that is no case: which key is wrong ("" for the line as a whole), why, and the case's id where it has one."""

    def __init__(self, key: str, message: str, case_id: str | int | None = None) -> None:
        self.key = key
        self.message = message
        self.case_id = case_id
        super().__init__(f"{key}: {message}" if key else message)


@dataclass(frozen=True, slots=True)
class Case:
    """One line: the caller's id, and the pair to decide."""

    id: str | int
    pair: Pair


def read_case(line: bytes) -> Case:
    """Read one line.

    Raises:
        CaseError: it is not a case.
    """
    document = _decode(line)
    case_id = document.get("id")
    if not isinstance(case_id, str | int) or isinstance(case_id, bool):
        raise CaseError("id", "is missing" if "id" not in document else "must be text or a whole number")
    try:
        return Case(case_id, _pair(document))
    except CaseError as error:
        raise CaseError(error.key, error.message, case_id) from error


def write_answer(case: Case, plan: Plan) -> str:
    """Write a plan as one line of ASCII JSON."""
    return to_json(
        {
            "id": case.id,
            "decisions": [_decision(decision) for decision in plan.decisions],
            "prospect_changes": plan.prospect_changes,
            "person_changes": plan.person_changes,
            "actions": [{"rule": step.rule, "action": step.action, **step.details} for step in plan.actions],
            "problems": [
                {"rule": problem.rule, "prospect_field": problem.prospect_field, "message": problem.message}
                for problem in plan.problems
            ],
        }
    )


def write_error(error: CaseError, line_number: int) -> str:
    """Write what is wrong with a line as one line of ASCII JSON."""
    words = {"line": line_number, "key": error.key, "message": error.message}
    return to_json({"id": error.case_id, "error": words})


def to_json(value: Any) -> str:
    """Write a value as ASCII JSON; a Decimal becomes a JSON number, digit by digit."""
    if isinstance(value, MappingOf):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(to_json, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < 40 else str(value)
    return json.dumps(value)


# --- from bytes to an object


def _decode(line: bytes) -> dict[str, Any]:
    try:
        document = _DECODER.decode(line.decode().strip("\ufeff \t\r\n"))
    except UnicodeDecodeError as error:
        raise CaseError("", f"not UTF-8 text: {error.reason} at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise CaseError("", f"not valid JSON: {error.msg} at column {error.colno}") from error
    except RecursionError as error:
        raise CaseError("", "not readable: nested too deeply") from error
    if not isinstance(document, dict):
        raise CaseError("", f"must be an object, not {_kind(document)}")
    return document


def _members(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise CaseError(twice, "is given twice in one object")
    return found


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise CaseError("", "holds a number that is out of every range") from None


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) <= _LONGEST_INT else _fraction(digits)


def _no_number(word: str) -> Any:
    raise CaseError("", f"{word} is not a JSON value")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_fraction, parse_int=_whole, parse_constant=_no_number
)


# --- from an object to a pair


def _pair(document: MappingOf[str, Any]) -> Pair:
    person_type = _person_type(document)
    prospect, person = _required(document, "prospect"), _required(document, "person")
    connector = _connector(_required(document, "connector"))
    return Pair(
        prospect=_prospect(prospect),
        person=_person(person, person_type, _text_or_none(document.get("account_name"), "account_name")),
        evidence=_evidence(document, connector),
        connector=connector,
    )


def _person_type(document: MappingOf[str, Any]) -> PersonType:
    value = _present(document, "person_type")
    if value not in ("Lead", "Contact"):
        raise CaseError("person_type", 'must be "Lead" or "Contact"')
    return PersonType(value)


def _connector(users: MappingOf[str, Any]) -> ConnectorUsers:
    theirs = _present(users, "salesforce_user_id", "connector.")
    ours = _present(users, "account_engagement_user_id", "connector.")
    return ConnectorUsers(
        _text(theirs, "connector.salesforce_user_id"), _id(ours, "connector.account_engagement_user_id") or ""
    )


def _prospect(record: dict[str, Any]) -> Prospect:
    number = _id(record.get("id"), "prospect.id") or "0"
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        raise CaseError("prospect.id", "must be a prospect's number")
    return Prospect(
        id=int(number),
        values=record,
        created=Stamp(_instant_or_none(record.get("createdAt"), "prospect.createdAt")),
        modified=Stamp(
            _instant_or_none(record.get("updatedAt"), "prospect.updatedAt"),
            _id(record.get("updatedById"), "prospect.updatedById"),
        ),
    )


def _person(record: dict[str, Any], person_type: PersonType, account_name: str | None) -> Person:
    account = _text_or_none(record.get("AccountId"), "person.AccountId")
    converted = _object(record.get("ConvertedFrom"), "person.ConvertedFrom")
    return Person(
        type=person_type,
        id=_text_or_none(record.get("Id"), "person.Id") or "",
        values=record,
        created=_stamp(record, "Created", "person."),
        modified=_stamp(record, "LastModified", "person."),
        has_account=bool(account) if "AccountId" in record else None,
        account_name=account_name,
        converted_from=None if converted is None else _stamp(converted, "Created", "person.ConvertedFrom."),
    )


def _stamp(record: MappingOf[str, Any], what: str, path: str) -> Stamp:
    return Stamp(
        _instant_or_none(record.get(f"{what}Date"), f"{path}{what}Date"),
        _text_or_none(record.get(f"{what}ById"), f"{path}{what}ById"),
    )


def _evidence(document: MappingOf[str, Any], connector: ConnectorUsers) -> Evidence:
    foreign = _object(document.get("last_foreign"), "last_foreign") or {}
    relinked = document.get("relinked")
    if not isinstance(relinked, bool | None):
        raise CaseError("relinked", f"must be true or false, not {_kind(relinked)}")
    return Evidence(
        history=_history(document.get("history"), connector),
        history_since={
            name: _instant_or_none(since, f"history_since.{name}")
            for name, since in (_object(document.get("history_since"), "history_since") or {}).items()
        },
        prospect_times={
            name: _interval(times, f"prospect_field_times.{name}")
            for name, times in _entries(document, "prospect_field_times")
        },
        base=_object(document.get("base"), "base") or {},
        echo={name: _echo(echo, f"echo.{name}") for name, echo in _entries(document, "echo")},
        person_foreign=_foreign(foreign.get("person"), "last_foreign.person"),
        prospect_foreign=_foreign(foreign.get("prospect"), "last_foreign.prospect"),
        relinked=bool(relinked),
    )


def _history(rows: Any, connector: ConnectorUsers) -> tuple[HistoryRow, ...] | None:
    if rows is None:
        return None
    if not isinstance(rows, list):
        raise CaseError("history", f"must be a list of rows, not {_kind(rows)}")
    return tuple(_row(row, f"history[{index}]", connector) for index, row in enumerate(rows))


def _row(row: Any, key: str, connector: ConnectorUsers) -> HistoryRow:
    columns = _object(row, key)
    if columns is None:
        raise CaseError(key, "must be an object, not null")
    by = _text_or_none(columns.get("CreatedById"), f"{key}.CreatedById")
    return HistoryRow(
        field=_text(_present(columns, "Field", f"{key}."), f"{key}.Field"),
        at=_instant(_present(columns, "CreatedDate", f"{key}."), f"{key}.CreatedDate"),
        ours=same_id(by, connector.salesforce_user_id),
    )


def _interval(times: Any, key: str) -> Interval:
    ends = _object(times, key) or {}
    first_seen = ends.get("first_seen")
    if not isinstance(first_seen, bool | None):
        raise CaseError(f"{key}.first_seen", f"must be true or false, not {_kind(first_seen)}")
    after = _instant(_present(ends, "after", f"{key}."), f"{key}.after")
    until = _instant(_present(ends, "until", f"{key}."), f"{key}.until")
    if after > until:
        raise CaseError(f"{key}.after", "lies behind until")
    return Interval(after, until, bool(first_seen))


def _foreign(value: Any, key: str) -> Interval | None:
    """Read a remembered modification: an instant, or the interval in which it happened."""
    if value is None:
        return None
    return _interval(value, key) if isinstance(value, dict) else Interval.at(_instant(value, key))


def _echo(value: Any, key: str) -> Echo:
    both = _object(value, key) or {}
    return Echo(_present(both, "written", f"{key}."), _present(both, "stored", f"{key}."))


# --- single values


def _present(record: MappingOf[str, Any], key: str, path: str = "") -> Any:
    if key not in record:
        raise CaseError(f"{path}{key}", "is missing")
    return record[key]


def _required(document: MappingOf[str, Any], key: str) -> dict[str, Any]:
    found = _object(_present(document, key), key)
    if found is None:
        raise CaseError(key, "must be an object, not null")
    return found


def _object(value: Any, key: str) -> dict[str, Any] | None:
    if isinstance(value, dict | None):
        return value
    raise CaseError(key, f"must be an object, not {_kind(value)}")


def _entries(document: MappingOf[str, Any], key: str) -> list[tuple[str, Any]]:
    """List what is known by field; null for a field says no more than its absence."""
    entries = _object(document.get(key), key) or {}
    return [(name, entry) for name, entry in entries.items() if entry is not None]


def _text(value: Any, key: str) -> str:
    if isinstance(value, str):
        return value
    raise CaseError(key, f"must be text, not {_kind(value)}")


def _text_or_none(value: Any, key: str) -> str | None:
    return None if value is None else _text(value, key)


def _id(value: Any, key: str) -> str | None:
    """Read an Account Engagement id, which may be a number or its text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise CaseError(key, f"must be an id, not {_kind(value)}")


def _instant(value: Any, key: str) -> datetime:
    moment = instant(value) if isinstance(value, str) else None
    if moment is None:
        raise CaseError(key, "must be an instant such as 2026-11-20T10:00:00Z")
    return moment


def _instant_or_none(value: Any, key: str) -> datetime | None:
    return None if value is None else _instant(value, key)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def _decision(decision: Decision) -> MappingOf[str, Any]:
    return MappingProxyType(
        {
            "prospect_field": decision.prospect_field,
            "person_field": decision.person_field,
            "rule": decision.rule,
            "winner": decision.winner,
            "value": decision.value,
            "guarded": decision.guarded,
            "evidence": decision.evidence,
        }
    )
