"""Imports and exports over HTTP: paths, bodies, and how their records are shown.

Their paths and some of their names are not documented; the sandbox's README says what was chosen.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from prospect_sync.sandbox.account_engagement.asking import id_in_path, json_object, note, parameters_of
from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.exports import Export
from prospect_sync.sandbox.account_engagement.import_files import read_file, uploaded
from prospect_sync.sandbox.account_engagement.imports import Import
from prospect_sync.sandbox.account_engagement.unit import BusinessUnit
from prospect_sync.sandbox.account_engagement.values import iso
from prospect_sync.sandbox.users import OrgUser

_IMPORT_KEYS = {"object", "operation", "fields", "restoreDeleted", "createOnNoMatch"}
_EXPORT_KEYS = {"name", "fields", "procedure", "maxFileSizeBytes", "includeByteOrderMark"}
_Calls = dict[str, Callable[[], Response]]


class BulkApi:
    """Answers requests below `/api/v5/imports` and `/api/v5/exports`."""

    def __init__(self, unit: BusinessUnit) -> None:
        self._unit = unit

    def calls(self, request: Request, user: OrgUser, body: bytes) -> _Calls | None:
        """Every method of the path; None where it is not one of these."""
        match request.url.path.rstrip("/").removeprefix("/api/v5/").split("/"):
            case ["imports"]:
                return {
                    "GET": partial(self._list, request, "imports"),
                    "POST": partial(self._create_import, request, user, body),
                }
            case ["imports", number]:
                return {
                    "GET": partial(self._read, request, "imports", number),
                    "PATCH": partial(self._change_import, request, number, body),
                }
            case ["imports", number, "batches"]:
                return {"POST": partial(self._upload, request, number, body)}
            case ["imports", number, "errors"]:
                return {"GET": partial(self._errors, request, number)}
            case ["exports"]:
                return {
                    "GET": partial(self._list, request, "exports"),
                    "POST": partial(self._create_export, request, user, body),
                }
            case ["exports", number]:
                return {
                    "GET": partial(self._read, request, "exports", number),
                    "PATCH": partial(self._change_export, request, number, body),
                }
            case ["exports", number, "results", file]:
                return {"GET": partial(self._result, request, number, file)}
        return None

    def _create_import(self, request: Request, user: OrgUser, body: bytes) -> Response:
        note(request, operation="imports.create")
        fields = self._asked(request, "imports", ("id", "status"))
        made = self._unit.imports.create(user, json_object(request, body, _IMPORT_KEYS))
        return self._made("imports", made.id, self._import(made), fields)

    def _upload(self, request: Request, number: str, body: bytes) -> Response:
        note(request, operation="imports.upload")
        parameters_of(request, set())
        imports = self._unit.imports
        one = imports.get(id_in_path(number))
        imports.check_takes_batch(one)
        content = uploaded(request.headers.get("content-type", ""), body)
        file = read_file(content, self._unit.fields, imports.rules.most_batch_bytes)
        imports.add(one, file)
        note(request, records=len(file.rows))
        return Response(status_code=204)

    def _change_import(self, request: Request, number: str, body: bytes) -> Response:
        note(request, operation="imports.update")
        fields = self._asked(request, "imports", ("id", "status"))
        one = self._unit.imports.get(id_in_path(number))
        match self._wanted_status(request, body):
            case "ready":
                self._unit.imports.submit(one)
            case "canceled":
                self._unit.imports.cancel(one)
            case other:
                raise refusal(161, other)
        return JSONResponse(_chosen(self._import(one), fields))

    def _errors(self, request: Request, number: str) -> Response:
        note(request, operation="imports.errors")
        parameters_of(request, set())
        one = self._unit.imports.get(id_in_path(number))
        content = self._unit.imports.error_file(one)
        note(request, records=len(one.errors))
        return Response(content, media_type="text/csv")

    def _create_export(self, request: Request, user: OrgUser, body: bytes) -> Response:
        note(request, operation="exports.create")
        fields = self._asked(request, "exports", ("id", "status"))
        made = self._unit.exports.create(user, json_object(request, body, _EXPORT_KEYS))
        return self._made("exports", made.id, self._export(made), fields)

    def _change_export(self, request: Request, number: str, body: bytes) -> Response:
        note(request, operation="exports.update")
        fields = self._asked(request, "exports", ("id", "status"))
        one = self._unit.exports.get(id_in_path(number))
        if self._wanted_status(request, body) != "canceled":
            raise refusal(161)
        self._unit.exports.cancel(one)
        return JSONResponse(_chosen(self._export(one), fields))

    def _result(self, request: Request, number: str, file: str) -> Response:
        note(request, operation="exports.result")
        parameters_of(request, set())
        content = self._unit.exports.result(self._unit.exports.get(id_in_path(number)), id_in_path(file))
        note(request, records=content.count("\n") - 1)
        return Response(content, media_type="text/csv")

    def _read(self, request: Request, kind: str, number: str) -> Response:
        note(request, operation=f"{kind}.read")
        fields = self._asked(request, kind)
        record_id = id_in_path(number)
        shown = (
            self._import(self._unit.imports.get(record_id))
            if kind == "imports"
            else self._export(self._unit.exports.get(record_id))
        )
        return JSONResponse(_chosen(shown, fields))

    def _list(self, request: Request, kind: str) -> Response:
        note(request, operation=f"{kind}.query")
        parameters = parameters_of(request, {"fields", "limit", "orderBy"})
        fields = self._asked(request, kind)
        limit, order = parameters.get("limit", "200"), parameters.get("orderBy", "id")
        if not limit.isdigit() or not 1 <= int(limit) <= 1_000:
            raise refusal(23)
        if order.lower() not in ("id", "id asc", "id desc"):
            raise refusal(51, "orderBy")
        rows = (
            [self._import(one) for one in self._unit.imports.all()]
            if kind == "imports"
            else [self._export(one) for one in self._unit.exports.all()]
        )
        rows = (rows[::-1] if order.lower() == "id desc" else rows)[: int(limit)]
        return JSONResponse(
            {"nextPageToken": None, "nextPageUrl": None, "values": [_chosen(row, fields) for row in rows]}
        )

    def _wanted_status(self, request: Request, body: bytes) -> str:
        asked = json_object(request, body, {"status", "state"})
        return str(asked.get("status", asked.get("state", ""))).lower()

    def _asked(self, request: Request, kind: str, otherwise: tuple[str, ...] = ()) -> tuple[str, ...]:
        given = parameters_of(request).get("fields", "")
        names = tuple(name.strip() for name in given.split(",") if name.strip()) or otherwise
        if not names:
            raise refusal(13, "fields")
        known = _IMPORT_SHOWN if kind == "imports" else _EXPORT_SHOWN
        for name in names:
            if name not in known:
                raise refusal(180, name)
        return names

    def _made(self, kind: str, record_id: int, shown: Mapping[str, Any], fields: tuple[str, ...]) -> Response:
        location = f"{self._unit.base_url}/api/v5/{kind}/{record_id}"
        return JSONResponse(_chosen(shown, fields), 201, {"Location": location})

    def _import(self, one: Import) -> dict[str, Any]:
        unit, place = self._unit, f"{self._unit.base_url}/api/v5/imports/{one.id}"
        return {
            "id": one.id,
            "object": "Prospect",
            "operation": "Upsert",
            "status": one.status,
            "restoreDeleted": one.restore_deleted,
            "createOnNoMatch": one.create_on_no_match,
            "fields": {name: {"overwrite": on, "nullOverwrite": null} for name, (on, null) in one.options.items()},
            "batchesRef": f"{place}/batches" if one.status == "Open" else None,
            "errorRef": f"{place}/errors" if one.errors and one.ended is not None else None,
            "createdCount": one.created,
            "updatedCount": one.updated,
            "errorCount": len(one.errors),
            "isExpired": unit.imports.is_expired(one),
            "createdAt": iso(int(one.created_at.timestamp()), unit.zone),
            "createdById": one.user.account_engagement_id,
            "updatedAt": iso(int(one.updated_at.timestamp()), unit.zone),
            "updatedById": one.user.account_engagement_id,
        }

    def _export(self, one: Export) -> dict[str, Any]:
        unit, place = self._unit, f"{self._unit.base_url}/api/v5/exports/{one.id}"
        return {
            "id": one.id,
            "name": one.name,
            "fields": list(one.fields),
            "procedure": one.procedure,
            "status": one.status,
            "isExpired": unit.exports.is_expired(one),
            "resultRefs": [f"{place}/results/{number}" for number in range(1, len(one.files) + 1)],
            "maxFileSizeBytes": one.most_bytes,
            "includeByteOrderMark": one.mark,
            "createdAt": iso(int(one.created_at.timestamp()), unit.zone),
            "createdById": one.user.account_engagement_id,
            "updatedAt": iso(int(one.updated_at.timestamp()), unit.zone),
            "updatedById": one.user.account_engagement_id,
        }


_SHARED_SHOWN = {"id", "status", "isExpired", "fields", "createdAt", "createdById", "updatedAt", "updatedById"}
_IMPORT_SHOWN = _SHARED_SHOWN | {
    *("object", "operation", "restoreDeleted", "createOnNoMatch", "batchesRef", "errorRef"),
    *("createdCount", "updatedCount", "errorCount"),
}
_EXPORT_SHOWN = _SHARED_SHOWN | {"name", "procedure", "resultRefs", "maxFileSizeBytes", "includeByteOrderMark"}


def _chosen(record: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: record[name] for name in fields}
