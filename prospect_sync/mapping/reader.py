"""Reads a mapping file: its tables, its fields, and what may not stand twice."""

import hashlib
import json
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prospect_sync.errors import MappingError, MappingProblem
from prospect_sync.mapping.fields import FieldReader
from prospect_sync.mapping.lines import TomlLines, parse_toml
from prospect_sync.mapping.report import Report, did_you_mean, shown
from prospect_sync.model import PersonType
from prospect_sync.policy import ConnectorRules, FieldMapping, FieldType, Mapping
from prospect_sync.policy.scope import PROSPECT, Condition, ScopeError, misfits, parse
from prospect_sync.policy.values import read

DEFAULT_MAPPING = Path(__file__).parents[1] / "data" / "default_mapping.toml"

_TABLES = ("connector", "users", "scope", "values", "field")
_SWITCHES = (
    "allow_blank_salesforce",
    "multiple_prospects_per_email",
    "follow_salesforce_email",
    "match_by_email",
    "create_prospects",
)
_CONNECTOR_KEYS = (*_SWITCHES, "create_as", "external_id", "skew_margin")
_LONGEST_MARGIN = 10**9
_LONGEST_SCOPE = 4_000
_SCOPED = (*(kind.value for kind in PersonType), PROSPECT)


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        MappingError: the file cannot be read, or does not validate; it carries every problem with its line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise MappingError(str(path), [MappingProblem(None, "", f"the file cannot be read: {words}")]) from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, source: str) -> Mapping:
    """Check a mapping given as text; ``source`` names it in messages.

    Raises:
        MappingError: it does not validate; every problem is listed, in the file's order.
    """
    text = text.replace("\r\n", "\n")
    parsed = parse_toml(text, parse_float=Decimal)
    if isinstance(parsed, tuple):
        line, words = parsed
        raise MappingError(source, [MappingProblem(line, "", f"not valid TOML: {words}")])
    report = Report(TomlLines(text))
    mapping = _Reader(parsed, report).mapping()
    problems = report.in_order()
    if problems:
        raise MappingError(source, problems)
    return mapping


class _Reader:
    """One reading of one file; the small tables, then the fields."""

    def __init__(self, document: MappingOf[str, Any], report: Report) -> None:
        self.document = document
        self.report = report

    def mapping(self) -> Mapping:
        self.report.known_keys(self.document, _TABLES)
        connector = self._connector()
        read = dict(self._fields(connector))
        self._duplicates(read)
        fields = tuple(read.values())
        names = {field.prospect for field in fields}
        users, scope, values = self._users(), self._scope(), self._values(names)
        version = _version(connector, users, scope, values, fields)
        frozen = MappingProxyType({name: MappingProxyType(entries) for name, entries in values.items()})
        judged = self._prospect_scope(scope, fields)
        return Mapping(connector, MappingProxyType(users), MappingProxyType(scope), frozen, fields, version, judged)

    # --- the small tables

    def _connector(self) -> ConnectorRules:
        table = self._table("connector")
        self.report.known_keys(table, _CONNECTOR_KEYS, "connector")
        settings: dict[str, Any] = {}
        for key in _SWITCHES:
            if key in table:
                settings[key] = self.report.switch(table[key], "connector", key)
        if "external_id" in table:
            settings["external_id"] = self.report.api_name(table["external_id"], "connector", "external_id")
        if "create_as" in table:
            settings["create_as"] = self._create_as(table["create_as"])
        if "skew_margin" in table:
            settings["skew_margin"] = self._margin(table["skew_margin"])
        rules = ConnectorRules(**{key: value for key, value in settings.items() if value is not None})
        if rules.multiple_prospects_per_email and rules.follow_salesforce_email:
            self.report.add(
                "cannot be combined with multiple_prospects_per_email: there, email is an ordinary field with a behavior (EM-4)",
                "connector",
                "follow_salesforce_email",
            )
        return rules

    def _create_as(self, value: Any) -> PersonType | None:
        kinds = {"lead": PersonType.LEAD, "contact": PersonType.CONTACT}
        if isinstance(value, str) and value in kinds:
            return kinds[value]
        self.report.add(f'must be "lead" or "contact", not {shown(value)}', "connector", "create_as")
        return None

    def _margin(self, value: Any) -> Decimal | None:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            seconds = Decimal(value)
            if seconds.is_finite() and 0 <= seconds <= _LONGEST_MARGIN:
                return seconds
        self.report.add(f"must be a number of seconds, 0 or more, not {shown(value)}", "connector", "skew_margin")
        return None

    def _users(self) -> dict[str, str]:
        users: dict[str, str] = {}
        for theirs, ours in self._table("users").items():
            if not theirs.strip():
                self.report.add("a Salesforce user id is missing before the =", "users", theirs)
            elif isinstance(ours, bool) or not isinstance(ours, int | str) or not str(ours).strip():
                self.report.add(f"must be the id of an Account Engagement user, not {shown(ours)}", "users", theirs)
            elif users.setdefault(theirs.strip()[:15], str(ours).strip()) != str(ours).strip():
                self.report.add("this Salesforce user is given twice (ids compare by 15 characters)", "users", theirs)
        return users

    def _scope(self) -> dict[str, str]:
        objects = {name.lower(): name for name in _SCOPED}
        scope: dict[str, str] = {}
        for name, condition in self._table("scope").items():
            if name.lower() not in objects:
                self.report.add(f"not an object that can be scoped{did_you_mean(name, _SCOPED)}", "scope", name)
            elif not isinstance(condition, str) or not condition.strip():
                self.report.add(f"must be a filter as text, not {shown(condition)}", "scope", name)
            elif objects[name.lower()] in scope:
                self.report.add("this object is given twice", "scope", name)
            elif self._condition(condition, name) is not None:
                scope[objects[name.lower()]] = condition
        return scope

    def _condition(self, text: str, name: str) -> Condition | None:
        """Read a filter: Salesforce judges its own, so that nothing but a condition may stand there."""
        try:
            if len(text) > _LONGEST_SCOPE:
                raise ScopeError(f"it is longer than {_LONGEST_SCOPE} characters")  # noqa: TRY301 - one way out
            return parse(text)
        except ScopeError as error:
            self.report.add(f"cannot be used as a filter: {error}", "scope", name)
            return None

    def _prospect_scope(self, scope: MappingOf[str, str], fields: Iterable[FieldMapping]) -> Condition | None:
        """Prospects are judged by us, on mirrored values: the filter may speak of mapped fields only."""
        text = scope.get(PROSPECT)
        if text is None:
            return None
        condition = parse(text)
        name = next(key for key in self._table("scope") if key.lower() == PROSPECT.lower())
        for words in misfits(condition, {field.prospect: field.type for field in fields}):
            self.report.add(words, "scope", name)
        return condition

    def _values(self, mapped: set[str]) -> dict[str, dict[str, str]]:
        values: dict[str, dict[str, str]] = {}
        for name, entries in self._table("values").items():
            if not isinstance(entries, dict):
                self.report.add(f"must be a table of values, not {shown(entries)}", "values", name)
                continue
            if name not in mapped:
                self.report.add(f"no [[field]] maps this prospect field{did_you_mean(name, mapped)}", "values", name)
            values[name] = self._value_map(name, entries)
        return values

    def _value_map(self, name: str, entries: MappingOf[str, Any]) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for ours, theirs in entries.items():
            text = read(FieldType.TEXT, theirs)
            if not ours.strip() or not isinstance(text, str):
                self.report.add(
                    f"both sides of a value map must be filled, single values, not {shown(theirs)}",
                    "values",
                    name,
                    ours,
                )
            else:
                pairs[ours] = theirs if isinstance(theirs, str) else text
        return pairs

    # --- the fields

    def _fields(self, connector: ConnectorRules) -> Iterable[tuple[int, FieldMapping]]:
        entries = self.document.get("field")
        if entries is None:
            self.report.add("no [[field]] is given, so there is nothing to sync", "field")
            return
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.report.add("must be written as [[field]], once for each field", "field")
            return
        if not entries:
            self.report.add("no [[field]] is given, so there is nothing to sync", "field")
        for index, entry in enumerate(entries):
            field = FieldReader(self.report, entry, index, connector).field()
            if field is not None:
                yield index, field

    def _duplicates(self, fields: MappingOf[int, FieldMapping]) -> None:
        seen: dict[tuple[str, str], int | None] = {}
        for index, field in fields.items():
            for key, name in (("prospect", field.prospect), ("lead", field.lead), ("contact", field.contact)):
                if name is None:
                    continue
                # Both vendors take API names without regard to case.
                place = (key, name.lower())
                if place in seen:
                    self.report.add(
                        f"{key} field {name} is mapped twice (first in line {seen[place]})", "field", index, key
                    )
                seen.setdefault(place, self.report.lines.line("field", index, key))

    def _table(self, name: str) -> MappingOf[str, Any]:
        table = self.document.get(name, {})
        if isinstance(table, dict):
            return table
        self.report.add(f"must be a table, written as [{name}]", name)
        return {}


def _version(
    connector: ConnectorRules,
    users: MappingOf[str, str],
    scope: MappingOf[str, str],
    values: MappingOf[str, MappingOf[str, str]],
    fields: Iterable[FieldMapping],
) -> str:
    """Name the file's meaning: comments, spacing and the order of tables do not change it, the order of fields does."""
    keys = [key for key in FieldMapping.__slots__ if key != "line"]
    meaning = {
        "connector": {key: getattr(connector, key) for key in ConnectorRules.__slots__},
        "users": users,
        "scope": scope,
        "values": values,
        "fields": [{key: getattr(field, key) for key in keys} for field in fields],
    }
    canonical = json.dumps(meaning, sort_keys=True, default=_canonical)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _canonical(value: object) -> object:
    return str(value.normalize()) if isinstance(value, Decimal) else repr(value)
