"""sObject Rows: one record by its id or by an external id; conditional headers belong here and only here.

`If-Unmodified-Since` compares whole seconds with LastModifiedDate on rows by id. On rows by external id, where
no documentation has it, it is ignored. `ETag` and `If-Match` exist for accounts alone.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import (
    OrgError,
    malformed_id,
    no_such_external_id,
    no_such_field,
    not_found,
    refusal,
)
from prospect_sync.sandbox.salesforce.history import shown_value
from prospect_sync.sandbox.salesforce.ids import full_id
from prospect_sync.sandbox.salesforce.records import Records, Writer
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import Row, alive
from prospect_sync.sandbox.salesforce.web.exchange import Answer, Call
from prospect_sync.sandbox.salesforce.wire import Stored, shown, stored
from prospect_sync.sandbox.users import OrgUser


class Rows:
    """Reads and writes single records."""

    def __init__(self, state: OrgState, access: Access, records: Records) -> None:
        self._state = state
        self._access = access
        self._records = records

    def create(self, call: Call, kind: ObjectType) -> Answer:
        call.log["operation"] = "row.create"
        ident = self._records.create(call.writer(), kind, _named(call.document()))
        place = f"{call.root}/sobjects/{kind.name}/{ident}"
        return Answer(201, {"id": ident, "success": True, "errors": []}, {"Location": place})

    def read(self, call: Call, kind: ObjectType, text: str) -> Answer:
        call.log["operation"] = "row.read"
        since = call.http_date("if-modified-since")
        row = self._records.living(call.user, kind, _row_id(text))
        return self._read(call, kind, row, since)

    def update(self, call: Call, kind: ObjectType, text: str) -> Answer:
        call.log["operation"] = "row.update"
        since = call.http_date("if-unmodified-since")
        ident = _row_id(text)
        if kind.name == "Account" and "if-match" in call.headers:
            row = self._records.living(call.user, kind, ident)
            if _etag(row) not in [tag.strip() for tag in call.headers["if-match"].split(",")]:
                raise refusal("PRECONDITION_FAILED", "The record does not match any entity tag given", status=412)
        self._records.update(call.writer(), kind, ident, _named(call.document()), since)
        return Answer(204)

    def delete(self, call: Call, kind: ObjectType, text: str) -> Answer:
        call.log["operation"] = "row.delete"
        self._records.delete(call.writer(), kind, _row_id(text))
        return Answer(204)

    def read_external(self, call: Call, kind: ObjectType, name: str, value: str) -> Answer:
        call.log["operation"] = "row.read"
        one = self.external_field(call.user, kind, name)
        row = self._only(call, kind, one, value)
        if row is None:
            raise not_found()
        return self._read(call, kind, row, call.http_date("if-modified-since"))

    def upsert(self, call: Call, kind: ObjectType, name: str, value: str) -> Answer:
        call.log["operation"] = "row.upsert"
        one = self.external_field(call.user, kind, name)
        values = call.document()
        if one.name.lower() in {key.lower() for key in values}:
            message = f"The {one.name} field should not be specified in the sobject data."
            raise refusal("INVALID_FIELD", message)
        row = self._only(call, kind, one, value)
        if row is None and one.name == "Id":
            raise not_found()
        ident, created = self.put(call.writer(), kind, row, values | {one.name: value})
        body: dict[str, Any] = {"id": ident, "success": True, "errors": [], "created": created}
        place = f"{call.root}/sobjects/{kind.name}/{ident}"
        return Answer(201, body, {"Location": place}) if created else Answer(200, body)

    def delete_external(self, call: Call, kind: ObjectType, name: str, value: str) -> Answer:
        call.log["operation"] = "row.delete"
        row = self._only(call, kind, self.external_field(call.user, kind, name), value)
        if row is None:
            raise not_found()
        self._records.delete(call.writer(), kind, row["Id"])
        return Answer(204)

    def put(self, writer: Writer, kind: ObjectType, row: Row | None, values: Mapping[str, Any]) -> tuple[str, bool]:
        """Update the record, or create it where there is none; tells its id and whether it is new."""
        if row is None:
            return self._records.create(writer, kind, values), True
        self._records.update(writer, kind, row["Id"], {name: value for name, value in values.items() if name != "Id"})
        return row["Id"], False

    def external_field(self, user: OrgUser, kind: ObjectType, name: str) -> Field:
        one = self._access.fields(user, kind).get(name.lower())
        if one is None or not (one.external_id or one.name == "Id"):
            raise no_such_external_id(name)
        return one

    def having(self, user: OrgUser, kind: ObjectType, one: Field, value: Stored) -> list[Row]:
        """The living records with an external id."""
        rows = self._state.storage.where(kind, f'"{one.name}" = ? AND {alive(kind)}', (value,))
        return [row for row in rows if row["Id"] not in self._access.hidden(user)]

    def _only(self, call: Call, kind: ObjectType, one: Field, value: str) -> Row | None:
        rows = self.having(call.user, kind, one, stored(one, value))
        if len(rows) > 1:
            raise OrgError(300, [f"{call.root}/sobjects/{kind.name}/{row['Id']}" for row in rows])
        return rows[0] if rows else None

    def _read(self, call: Call, kind: ObjectType, row: Row, since: int | None) -> Answer:
        hidden = self._access.unreadable(call.user, kind.history_of) if kind.history_of else ()
        if row.get("Field") in hidden:
            raise not_found()
        changed = row.get("LastModifiedDate")
        if since is not None and changed is not None and changed <= since:
            return Answer(304)
        names = [name.strip() for name in call.params.get("fields", "").split(",") if name.strip()]
        fields = self.chosen(call.user, kind, names)
        headers = {"Last-Modified": formatdate(changed, usegmt=True)} if changed is not None else {}
        if kind.name == "Account":
            headers["ETag"] = _etag(row)
        return Answer(200, record(kind, fields, row, call.root), headers)

    def chosen(self, user: OrgUser, kind: ObjectType, names: Iterable[str]) -> list[Field]:
        """The fields asked for, the id behind them if it was not; all of them where none is named."""
        readable = self._access.fields(user, kind)
        fields = []
        for name in names:
            one = readable.get(name.lower())
            if one is None:
                raise no_such_field(name, kind.name)
            fields.append(one)
        if not fields:
            return list(readable.values())
        ident = kind.by_name["id"]
        return fields if ident in fields else [*fields, ident]


def record(kind: ObjectType, fields: Iterable[Field], row: Row, root: str) -> dict[str, Any]:
    """A record on the wire."""
    found: dict[str, Any] = {"attributes": {"type": kind.name, "url": f"{root}/sobjects/{kind.name}/{row['Id']}"}}
    for one in fields:
        if one.parts:
            found[one.name] = _compound(one, row)
        elif one.type == "anyType":
            found[one.name] = shown_value(row["DataType"], row[one.name])
        else:
            write = shown(one)
            found[one.name] = write(row[one.name]) if write else row[one.name]
    return found


def _compound(one: Field, row: Row) -> dict[str, Any] | None:
    values = {key: row[name] for key, name in one.parts}
    if not any(values.values()):
        return None
    return dict(sorted((values | {"geocodeAccuracy": None, "latitude": None, "longitude": None}).items()))


def _named(values: dict[str, Any]) -> dict[str, Any]:
    """The body of a write, which must not name the record again."""
    if any(name.lower() == "id" for name in values):
        raise refusal("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    return values


def _row_id(text: str) -> str:
    """The id in a path: something of another shape is taken for an external id that does not exist."""
    ident = full_id(text)
    if ident is not None:
        return ident
    if len(text) in {15, 18} and text.isalnum():
        raise malformed_id(text)
    raise no_such_external_id(text)


def _etag(row: Row) -> str:
    digest = hashlib.sha256(f"{row['Id']} {row['LastModifiedDate']} {row['SystemModstamp']}".encode()).digest()
    return f'"{base64.b64encode(digest[:15]).decode()}"'
