"""sObject Collections: up to 200 records in one call, each answered for itself in the order given.

The call answers 200 even where every record failed; an error's key is `statusCode` here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import (
    OrgError,
    invalid_cross_reference,
    malformed_id,
    record_limit,
    refusal,
    unreadable_json,
)
from prospect_sync.sandbox.salesforce.ids import full_id
from prospect_sync.sandbox.salesforce.records import Records, Writer
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import alive
from prospect_sync.sandbox.salesforce.web.exchange import Answer, Call
from prospect_sync.sandbox.salesforce.web.rows import Rows, record
from prospect_sync.sandbox.salesforce.wire import stored

_MOST_RECORDS, _MOST_CHUNKS, _MOST_READ = 200, 10, 2_000
Result = dict[str, Any]
Save = Callable[[Writer, Mapping[str, Any]], Result]
_LOCK_CODE = "UNABLE_TO_LOCK_ROW"


class SObjectCollections:
    """The `composite/sobjects` resources."""

    def __init__(self, state: OrgState, access: Access, records: Records, rows: Rows) -> None:
        self._state = state
        self._access = access
        self._records = records
        self._rows = rows

    def create(self, call: Call) -> Answer:
        return self._write(call, "collections.create", self._create_one)

    def update(self, call: Call) -> Answer:
        seen: set[str] = set()
        return self._write(call, "collections.update", lambda writer, values: self._update_one(writer, values, seen))

    def upsert(self, call: Call, kind: ObjectType, field_name: str) -> Answer:
        one = self._rows.external_field(call.user, kind, field_name)
        return self._write(
            call, "collections.upsert", lambda writer, values: self._upsert_one(writer, values, kind, one)
        )

    def delete(self, call: Call) -> Answer:
        idents = [part.strip() for part in call.params.get("ids", "").split(",") if part.strip()]
        if not idents:
            raise refusal("REQUIRED_FIELD_MISSING", "The required request parameter is missing: ids", fields=["ids"])
        rows = [{"id": ident} for ident in idents]
        every = call.params.get("allOrNone", "false").lower() == "true"
        return self._each(call, "collections.delete", rows, self._delete_one, all_or_none=every)

    def read(self, call: Call, kind: ObjectType) -> Answer:
        """Records by id in the order asked, null where there is none; as GET or as POST."""
        call.log["operation"] = "collections.read"
        if kind.history_of or kind.virtual:
            raise refusal("INVALID_TYPE", f"sObject type '{kind.name}' is not supported.")
        if call.method == "GET":
            idents = [part.strip() for part in call.params.get("ids", "").split(",") if part.strip()]
            names = [part.strip() for part in call.params.get("fields", "").split(",") if part.strip()]
        else:
            body = call.document()
            idents, names = _texts(body, "ids"), _texts(body, "fields")
        if len(idents) > _MOST_READ:
            raise record_limit(_MOST_READ)
        if not names:
            raise refusal("REQUIRED_FIELD_MISSING", "The required field is missing: fields", fields=["fields"])
        fields = self._rows.chosen(call.user, kind, names)
        call.log["records"] = len(idents)
        return Answer(200, self._found(call, kind, idents, fields))

    def _found(self, call: Call, kind: ObjectType, idents: list[str], fields: list[Field]) -> list[Any]:
        full = []
        for text in idents:
            ident = full_id(text)
            if ident is None:
                raise malformed_id(text)
            full.append(ident)
        columns = dict.fromkeys(name for one in fields for name in ([p for _, p in one.parts] or [one.name]))
        names = ("Id", *(name for name in columns if name != "Id"))
        places = ", ".join("?" * len(full))
        rows = self._state.storage.where(kind, f"Id IN ({places}) AND {alive(kind)}", full, names) if full else []
        hidden = self._access.hidden(call.user)
        found = {row["Id"]: record(kind, fields, row, call.root) for row in rows if row["Id"] not in hidden}
        return [found.get(ident) for ident in full]

    def _write(self, call: Call, operation: str, one: Save) -> Answer:
        body = call.document()
        rows = body.get("records")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise unreadable_json("The request body must hold a list of records")
        every = body.get("allOrNone", False)
        if not isinstance(every, bool):
            raise unreadable_json("Cannot deserialize instance of boolean from the value of allOrNone")
        _check_chunks(rows)
        return self._each(call, operation, rows, one, all_or_none=every)

    def _each(
        self,
        call: Call,
        operation: str,
        rows: list[Any],
        one: Save,
        *,
        all_or_none: bool,
    ) -> Answer:
        if len(rows) > _MOST_RECORDS:
            raise record_limit(_MOST_RECORDS)
        call.log.update(operation=operation, records=len(rows))
        mark = len(self._records.committed)
        undone = _Undone()
        results: list[Result] = []
        try:
            with self._state.storage.transaction():
                everywhere = self._state.settings.call_options_everywhere
                writer = (call if everywhere else call.unnamed()).writer()
                results = [_result(writer, row, one) for row in rows]
                failed = [result for result in results if not result["success"]]
                locked = [result for result in failed if result["errors"][0]["statusCode"] == _LOCK_CODE]
                if failed and all_or_none:
                    results = [_rolled_back(result) for result in results]
                    raise undone
                if locked and self._state.settings.lock_fails_batch:
                    results = [_failure(row, locked[0]["errors"]) for row in rows]
                    raise undone
        except _Undone:
            self._records.rolled_back(mark)
        return Answer(200, results)

    def _create_one(self, writer: Writer, values: Mapping[str, Any]) -> Result:
        kind = self._kind(values)
        ident = self._records.create(writer, kind, values)
        return {"id": ident, "success": True, "errors": []}

    def _update_one(self, writer: Writer, values: Mapping[str, Any], seen: set[str]) -> Result:
        kind = self._kind(values)
        text = _given_id(values)
        if text is None:
            raise refusal("MISSING_ARGUMENT", "Id not specified in an update call", fields=[])
        ident = _whole(text)
        if ident in seen:
            raise refusal("DUPLICATE_VALUE", f"duplicate id specified: {ident}", fields=[])
        seen.add(ident)
        changes = {name: value for name, value in values.items() if name.lower() != "id"}
        self._records.update(writer, kind, ident, changes)
        return {"id": ident, "success": True, "errors": []}

    def _upsert_one(self, writer: Writer, values: Mapping[str, Any], kind: ObjectType, one: Field) -> Result:
        if self._kind(values) is not kind:
            raise refusal("INVALID_TYPE", f"The record is not of type {kind.name}", fields=[])
        key = next((value for name, value in values.items() if name.lower() == one.name.lower()), None)
        value = None if key is None else stored(one, key)
        rows = [] if value is None else self._rows.having(writer.user, kind, one, value)
        if value is None and one.name != "Id":
            raise refusal("MISSING_ARGUMENT", f"{one.name} not specified", fields=[])
        if len(rows) > 1:
            message = f"{one.name}: more than one record found for external id field: {[row['Id'] for row in rows]}"
            raise refusal("DUPLICATE_EXTERNAL_ID", message, fields=[one.name])
        if not rows and one.name == "Id" and value is not None:
            raise invalid_cross_reference(str(key), ["Id"])
        ident, created = self._rows.put(writer, kind, rows[0] if rows else None, values)
        return {"id": ident, "success": True, "errors": [], "created": created}

    def _delete_one(self, writer: Writer, values: Mapping[str, Any]) -> Result:
        ident = _whole(values["id"])
        kind = self._state.schema.by_prefix(ident)
        if kind is None:
            raise invalid_cross_reference(ident)
        self._records.delete(writer, kind, ident)
        return {"id": ident, "success": True, "errors": []}

    def _kind(self, values: Mapping[str, Any]) -> ObjectType:
        name = _type_name(values)
        kind = self._access.find(name) if name else None
        if kind is None:
            raise refusal("INVALID_TYPE", f"sObject type '{name}' is not supported.", fields=[])
        return kind


def _result(writer: Writer, row: Mapping[str, Any], one: Save) -> Result:
    """One record's result; what a single row answers with 404 is a wrong reference inside a batch."""
    try:
        return one(writer, row)
    except OrgError as error:
        entries = error.body
        if entries[0]["errorCode"] == "NOT_FOUND":
            entries = invalid_cross_reference(full_id(str(_given_id(row))) or "").body
        return _failure(row, [_row_error(entry) for entry in entries])


class _Undone(Exception):  # noqa: N818 - a signal inside this module, not an error
    """The whole batch has to be undone."""


def _whole(text: object) -> str:
    ident = full_id(text) if isinstance(text, str) else None
    if ident is None:
        raise malformed_id(text)
    return ident


def _type_name(values: Mapping[str, Any]) -> str | None:
    attributes = values.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    return name if isinstance(name, str) else None


def _given_id(values: Mapping[str, Any]) -> object:
    return next((value for name, value in values.items() if name.lower() == "id"), None)


def _check_chunks(rows: list[Any]) -> None:
    """Records of one type in a row are a chunk."""
    names = [_type_name(row) for row in rows]
    chunks = sum(1 for place, name in enumerate(names) if place == 0 or name != names[place - 1])
    if chunks > _MOST_CHUNKS:
        message = (
            f"Cannot have more than {_MOST_CHUNKS} chunks in a single operation. "
            "Please rearrange the data to reduce chunking."
        )
        raise refusal("LIMIT_EXCEEDED", message)


def _row_error(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": entry["errorCode"], "message": entry["message"], "fields": entry.get("fields", [])}


def _failure(row: Mapping[str, Any], errors: list[dict[str, Any]]) -> Result:
    """A failed record's result, with its id where the request gave a whole one."""
    text = _given_id(row)
    ident = full_id(text) if isinstance(text, str) else None
    return ({"id": ident} if ident else {}) | {"success": False, "errors": errors}


def _rolled_back(result: Result) -> Result:
    if not result["success"]:
        return result
    error = {
        "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
        "fields": [],
    }
    return {"success": False, "errors": [error]}


def _texts(body: Mapping[str, Any], name: str) -> list[str]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise unreadable_json(f"Cannot deserialize instance of list of strings from the value of {name}")
    return found
