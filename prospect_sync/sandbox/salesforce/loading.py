"""Records and history in bulk, in and out: what a data set brings is stored as it stands.

Values are read by type as the API reads them; nothing else is checked. Instants are dumped as ISO 8601 with Z.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from prospect_sync.sandbox.salesforce.history import value_types
from prospect_sync.sandbox.salesforce.ids import ORG_ID
from prospect_sync.sandbox.salesforce.records import Records
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType, custom_field
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import Row
from prospect_sync.sandbox.salesforce.wire import stored
from prospect_sync.sandbox.users import OrgUser

_RECORDED = ("User", "Group", "Account", "Contact", "Lead")
_BATCH = 5_000


class Loading:
    """Fills and empties one org's storage."""

    def __init__(self, state: OrgState, records: Records) -> None:
        self._state = state
        self._records = records
        self._author = ""

    def create_tables(self, users: Sequence[OrgUser]) -> None:
        """Make the tables of a new org, with its users and itself in them."""
        storage = self._state.storage
        for kind in self._state.schema.all():
            if kind.name != "Name":
                storage.create(kind)
        storage.run(_NAME_VIEW)
        self._author = next((user.salesforce_id for user in users if user.name == "admin"), users[0].salesforce_id)
        people = [
            {"Id": user.salesforce_id, "Username": user.username, "Email": user.username, "Alias": user.name[:8],
             "LastName": user.name.capitalize()}
            for user in users
        ]  # fmt: skip
        self._load_records(self._state.schema.get("Organization"), [{"Id": ORG_ID, "Name": "Sandbox Example"}])
        self._load_records(self._state.schema.get("User"), people)

    def load(self, data: Mapping[str, Any]) -> None:
        """Take a data set: custom fields first, then records, then history; all or nothing."""
        unknown = data.keys() - {"custom_fields", "records", "history"}
        if unknown:
            raise ValueError(f"load takes custom_fields, records and history, not {sorted(unknown)}")
        with self._state.storage.transaction():
            for object_name, specs in data.get("custom_fields", {}).items():
                for spec in specs:
                    self._add_field(object_name, custom_field(spec))
            for object_name, rows in data.get("records", {}).items():
                if object_name not in _RECORDED:
                    raise ValueError(f"records of {object_name} cannot be loaded")
                self._load_records(self._state.schema.get(object_name), rows)
            for object_name, rows in data.get("history", {}).items():
                self._load_history(object_name, rows)

    def _add_field(self, object_name: str, new: Field) -> None:
        kind = self._state.schema.get(object_name)
        old = kind.field(new.name)
        if old is not None and (old.type, old.length) != (new.type, new.length):
            raise ValueError(f"{object_name}.{new.name} exists with another type or length")
        if old is None:
            self._state.storage.add_column(self._state.schema.add_field(object_name, new), new)

    def _load_records(self, kind: ObjectType, records: Iterable[Mapping[str, Any]]) -> None:
        """Rows with the same columns go in together."""
        defaults = self._defaults(kind)
        batches: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for given in records:
            row = self._row(kind, given, defaults)
            columns = tuple(row)
            batch = batches.setdefault(columns, [])
            batch.append(tuple(row.values()))
            if len(batch) >= _BATCH:
                self._state.storage.insert_many(kind, columns, batch)
                batch.clear()
        for columns, batch in batches.items():
            self._state.storage.insert_many(kind, columns, batch)
        self._state.storage.remember_ids(kind)

    def _defaults(self, kind: ObjectType) -> Row:
        now = self._state.now()
        row: Row = {"Id": None, "CreatedDate": now, "CreatedById": self._author}
        row |= {"LastModifiedDate": None, "LastModifiedById": None, "SystemModstamp": None}
        for one in kind.fields:
            if one.stored and one.default is not None:
                default = self._author if one.default == "owner" else one.default
                row[one.name] = int(default) if isinstance(default, bool) else default
        return row

    def _row(self, kind: ObjectType, given: Mapping[str, Any], defaults: Row) -> Row:
        row = defaults.copy()
        for name, value in given.items():
            one = kind.by_name.get(name.lower())
            if one is None:
                if name == "attributes":
                    continue
                raise ValueError(f"{kind.name} has no field {name}")
            if one.stored and not (value is None and one.name in defaults):
                row[one.name] = stored(one, value)
        row["Id"] = row["Id"] or self._state.storage.new_id(kind)
        row["LastModifiedDate"] = row["LastModifiedDate"] or row["CreatedDate"]
        row["LastModifiedById"] = row["LastModifiedById"] or row["CreatedById"]
        row["SystemModstamp"] = row["SystemModstamp"] or row["LastModifiedDate"]
        return row

    def _load_history(self, object_name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        parent = self._state.schema.get(object_name)
        kind = self._state.schema.get(parent.history_name)
        types = value_types(parent)
        columns: tuple[str, ...] = ("Id", kind.parent_field or "", "Field", "DataType", "OldValue", "NewValue")
        columns += ("CreatedDate", "CreatedById", "IsDeleted")
        new_rows = (self._history_row(kind, row, types) for row in rows)
        self._state.storage.insert_many(kind, columns, new_rows)
        self._state.storage.remember_ids(kind)

    def _history_row(self, kind: ObjectType, row: Mapping[str, Any], types: Mapping[str, str]) -> tuple[Any, ...]:
        def read(name: str, default: Any = None) -> Any:
            value = row.get(name, default)
            return None if value is None else stored(kind.by_name[name.lower()], value)

        return (
            read("Id") or self._state.storage.new_id(kind),
            read(kind.parent_field or ""),
            row["Field"],
            row.get("DataType") or types.get(row["Field"], "Text"),
            read("OldValue"),
            read("NewValue"),
            read("CreatedDate") or self._state.now(),
            read("CreatedById") or self._author,
            read("IsDeleted") or 0,
        )

    def dump(self) -> dict[str, Any]:
        """Everything as it stands."""
        schema = self._state.schema
        histories = [kind for kind in schema.all() if kind.history_of]
        return {
            "custom_fields": {
                kind.name: [_spec(one) for one in kind.fields if one.custom]
                for kind in schema.all()
                if any(one.custom for one in kind.fields)
            },
            "records": {name: self._dumped(schema.get(name)) for name in _RECORDED},
            "history": {str(kind.history_of): self._dumped(kind) for kind in histories},
        }

    def _dumped(self, kind: ObjectType) -> list[Row]:
        writers = {one.name: write for one in kind.fields if (write := _DUMPED.get(one.type))}
        rows = self._state.storage.where(kind, "1 ORDER BY rowid", ())
        for row in rows:
            for name, write in writers.items():
                if row[name] is not None:
                    row[name] = write(row[name])
            if row.get("DataType") == "Boolean":
                row |= {name: bool(row[name]) for name in ("OldValue", "NewValue") if row[name] is not None}
        return rows


_DUMPED: dict[str, Callable[[Any], Any]] = {
    "boolean": bool,
    "datetime": lambda seconds: f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}",
}
_NAME_VIEW = """
CREATE VIEW "Name" AS
SELECT Id, Name, FirstName, LastName, Email, Username, IsActive, 'User' AS Type, 'User' AS Kind FROM "User"
UNION ALL
SELECT Id, Name, NULL, NULL, Email, NULL, NULL, Type, 'Group' FROM "Group"
"""


def _spec(one: Field) -> dict[str, Any]:
    """A custom field as `load` takes it."""
    return {
        "name": one.name, "type": one.type, "length": one.length, "label": one.label, "picklist": list(one.values),
        "restricted": one.restricted, "externalId": one.external_id, "unique": one.unique,
        "referenceTo": list(one.target), "precision": one.precision, "scale": one.scale,
        "required": not one.nillable and one.type != "boolean", "default": one.default,
    }  # fmt: skip
