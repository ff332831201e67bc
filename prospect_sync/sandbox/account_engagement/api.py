"""The v5 endpoints over HTTP: who calls, which call it is, and what the answer looks like.

Only prospects (all calls but tags), imports and exports of prospects, and reading custom fields, users and campaigns are
built; every other path is refused with code 198.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from prospect_sync.sandbox.account_engagement import catalogue
from prospect_sync.sandbox.account_engagement.asking import id_in_path, json_object, note, parameters_of
from prospect_sync.sandbox.account_engagement.bulk_api import BulkApi
from prospect_sync.sandbox.account_engagement.edits import Committed
from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.query import Wanted, read_deleted, read_fields, read_query
from prospect_sync.sandbox.account_engagement.unit import BusinessUnit
from prospect_sync.sandbox.account_engagement.values import Shower, Stored, shown
from prospect_sync.sandbox.org_error import OrgError
from prospect_sync.sandbox.users import OrgUser

_PROSPECTS = "/api/v5/objects/prospects"
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"]
_BUSINESS_UNIT = re.compile(r"0Uv[A-Za-z0-9]{15}")


class ProspectApi:
    """Answers requests for one business unit."""

    def __init__(self, unit: BusinessUnit) -> None:
        self._unit = unit
        self._bulk = BulkApi(unit)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        self._unit.catch_up()
        try:
            user = self._authenticate(request)
            note(request, user=user.name)
            self._unit.limits.spend()
            response = self._dispatch(request, user, body)
        except OrgError as error:
            response = JSONResponse(error.body, error.status, error.headers)
        if request.headers.get("x-return-api-usage") in ("1", "true"):
            response.headers["x-api-usage"] = self._unit.limits.usage()
        return response

    def _authenticate(self, request: Request) -> OrgUser:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = self._unit.tokens.user_of(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise refusal(184)
        unit = request.headers.get("pardot-business-unit-id")
        if unit is None:
            raise refusal(181, "Pardot-Business-Unit-Id")
        if not _BUSINESS_UNIT.fullmatch(unit):
            raise refusal(182, "Pardot-Business-Unit-Id")
        if unit != self._unit.id:
            raise refusal(201)
        return user

    def _dispatch(self, request: Request, user: OrgUser, body: bytes) -> Response:
        calls = self._bulk.calls(request, user, body) or self._calls(request, user, body)
        if calls is None:
            raise refusal(198)
        call = calls.get(request.method)
        if call is None:
            raise refusal(60)
        return call()

    def _calls(self, request: Request, user: OrgUser, body: bytes) -> dict[str, Callable[[], Response]] | None:
        """Every method of the path; None where the path is not known."""
        match request.url.path.rstrip("/").removeprefix("/api/v5/objects/").split("/"):
            case ["prospects"]:
                return {"GET": partial(self._query, request), "POST": partial(self._create, request, user, body)}
            case ["prospects", "do", "undelete"]:
                return {"POST": partial(self._undelete, request, user, body)}
            case ["prospects", "do", "upsertLatestByEmail"]:
                return {"POST": partial(self._upsert, request, user, body)}
            case ["prospects", number]:
                prospect_id = id_in_path(number)
                return {
                    "GET": partial(self._read, request, prospect_id),
                    "PATCH": partial(self._update, request, user, prospect_id, body),
                    "DELETE": partial(self._delete, request, user, prospect_id),
                }
            case [name] if name in catalogue.OBJECTS:
                return {"GET": partial(self._list, request, name)}
            case [name, number] if name in catalogue.OBJECTS:
                return {"GET": partial(self._list, request, name, id_in_path(number))}
        return None

    def _query(self, request: Request) -> Response:
        unit = self._unit
        parameters = parameters_of(request)
        wanted = read_fields(parameters, unit.fields, query=True)
        query = read_query(parameters, unit.page_tokens, unit.clock.elapsed())
        keys, (condition, values) = query.keys(), query.condition()
        page = max(0, min(query.limit, unit.chain_cap - query.served))
        columns = [*keys, *(f'"{one.column.name}"' for one in wanted)]
        rows = unit.store.select(columns, condition, values, query.sql_order(), page + 1, query.offset)
        more, rows = len(rows) > page, rows[:page]
        answers = self._shown(wanted, [row[len(keys) :] for row in rows])
        token, headers = None, {}
        if more and query.served + page < unit.chain_cap:
            token = unit.page_tokens.issue(query.next_page(rows[-1][: len(keys)], page), unit.clock.elapsed())
        elif more:
            headers["Pardot-Warning"] = f"203;No more than {unit.chain_cap} records by one chain of page tokens"
        note(request, operation="prospects.query", records=len(rows))
        return JSONResponse(
            {"nextPageToken": token, "nextPageUrl": self._next_url(parameters, token), "values": answers},
            headers=headers,
        )

    def _next_url(self, parameters: Mapping[str, str], token: str | None) -> str | None:
        if token is None:
            return None
        return (
            f"{self._unit.base_url}{_PROSPECTS}?{urlencode({'fields': parameters['fields'], 'nextPageToken': token})}"
        )

    def _read(self, request: Request, prospect_id: int) -> Response:
        parameters = parameters_of(request, {"fields", "deleted"})
        wanted = read_fields(parameters, self._unit.fields, query=False)
        deleted = read_deleted(parameters.get("deleted", "false"))
        note(request, operation="prospects.read", records=1)
        row = self._unit.store.visible(prospect_id)
        if row is None or (deleted != "all" and bool(row["isDeleted"]) != (deleted == "true")):
            raise refusal(109)
        headers = {"Pardot-Warning": "201;Record In Recycle Bin"} if row["isDeleted"] else {}
        if _unchanged_since(request, int(row["updatedAt"] or 0)):
            return Response(status_code=304, headers=headers)
        return JSONResponse(self._one(wanted, row), headers=headers)

    def _create(self, request: Request, user: OrgUser, body: bytes) -> Response:
        wanted = self._asked_fields(request)
        note(request, operation="prospects.create", records=1)
        committed = self._unit.edits.create(user, json_object(request, body))
        return self._written(request, committed, wanted, status=201)

    def _update(self, request: Request, user: OrgUser, prospect_id: int, body: bytes) -> Response:
        wanted = self._asked_fields(request)
        note(request, operation="prospects.update", records=1)
        committed = self._unit.edits.update(user, prospect_id, json_object(request, body))
        return self._written(request, committed, wanted, status=200 if wanted else 204)

    def _delete(self, request: Request, user: OrgUser, prospect_id: int) -> Response:
        parameters_of(request, set())
        note(request, operation="prospects.delete", records=1)
        return self._written(request, self._unit.edits.delete(user, prospect_id), (), status=204)

    def _undelete(self, request: Request, user: OrgUser, body: bytes) -> Response:
        # The body is not documented beyond "by email": both spellings of other calls are taken.
        asked = json_object(request, body, {"email", "matchEmail", "fields"})
        wanted = self._asked_fields(request, asked)
        note(request, operation="prospects.undelete", records=1)
        found = self._unit.edits.with_email(str(asked.get("matchEmail") or asked.get("email")), deleted=True)
        if not found:
            raise refusal(109)
        committed = self._unit.edits.undelete(user, found[-1])
        return self._written(request, committed, wanted, status=200 if wanted else 204)

    def _upsert(self, request: Request, user: OrgUser, body: bytes) -> Response:
        asked = json_object(request, body, {"matchEmail", "prospect", "fields", "secondaryDeletedSearch"})
        wanted = self._asked_fields(request, asked)
        note(request, operation="prospects.upsertLatestByEmail", records=1)
        email, prospect = asked.get("matchEmail"), asked.get("prospect")
        if not isinstance(email, str) or not email:
            raise refusal(153, "matchEmail")
        if not isinstance(prospect, dict):
            raise refusal(153, "prospect")
        edits = self._unit.edits
        found = edits.with_email(email, deleted=False)
        in_bin = edits.with_email(email, deleted=True) if asked.get("secondaryDeletedSearch") else []
        if not found and in_bin:
            self._log_committed(request, edits.undelete(user, in_bin[-1]))
            found = in_bin
        committed = (
            edits.update(user, found[-1], prospect) if found else edits.create(user, {"email": email, **prospect})
        )
        return self._written(request, committed, wanted, status=201)

    def _list(self, request: Request, name: str, record_id: int | None = None) -> Response:
        rows = catalogue.rows(self._unit, name)
        parameters = parameters_of(request, {"fields"} if record_id is not None else {"fields", "limit", "orderBy"})
        note(request, operation=f"{name}.{'query' if record_id is None else 'read'}", records=len(rows))
        return JSONResponse(catalogue.answer(name, rows, parameters, record_id))

    def _asked_fields(self, request: Request, body: Mapping[str, Any] | None = None) -> tuple[Wanted, ...]:
        parameters = parameters_of(request, {"fields"})
        in_body = (body or {}).get("fields") or []
        names = [*filter(None, [parameters.get("fields")]), *map(str, in_body)]
        return read_fields({"fields": ",".join(names)}, self._unit.fields, query=False) if names else ()

    def _written(self, request: Request, committed: Committed, wanted: tuple[Wanted, ...], *, status: int) -> Response:
        """Answer a write with the record as it is now, whatever reads still show."""
        self._log_committed(request, committed)
        location = f"{self._unit.base_url}{_PROSPECTS}/{committed.prospect_id}"
        headers = {"Location": location} if status == 201 else {}
        row = self._unit.store.newest(committed.prospect_id)
        if not wanted or row is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(self._one(wanted, row), status, headers)

    def _one(self, wanted: tuple[Wanted, ...], row: Mapping[str, Stored]) -> dict[str, Any]:
        return self._shown(wanted, [[row[one.column.name] for one in wanted]])[0]

    def _shown(self, wanted: tuple[Wanted, ...], rows: Sequence[Sequence[Stored]]) -> list[dict[str, Any]]:
        if any(one.part is not None for one in wanted):
            return [self._with_related(wanted, row) for row in rows]
        shower = Shower([one.column for one in wanted], self._unit.zone)
        return [shower.show(row) for row in rows]

    def _with_related(self, wanted: tuple[Wanted, ...], row: Sequence[Stored]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for one, value in zip(wanted, row, strict=True):
            if one.part is None:
                answer[one.name] = shown(one.column, value, self._unit.zone)
            elif value is None:
                answer[one.name] = None
            else:
                answer.setdefault(one.name, {})[one.part] = catalogue.part(self._unit, one.name, value, one.part)
        return answer

    def _log_committed(self, request: Request, committed: Committed) -> None:
        log = request.state.log if hasattr(request.state, "log") else {}
        log.setdefault("committed", []).append(self._unit.described(committed))


def _unchanged_since(request: Request, updated: int) -> bool:
    given = request.headers.get("if-modified-since")
    if given is None:
        return False
    try:
        return updated <= parsedate_to_datetime(given).timestamp()
    except ValueError:
        raise refusal(182, "If-Modified-Since") from None
