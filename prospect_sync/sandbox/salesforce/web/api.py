"""The versioned resources by path. What is not here is answered with the vendor's 404, never half-done."""

from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.errors import not_found, refusal
from prospect_sync.sandbox.salesforce.queries import LARGEST_PAGE, SMALLEST_PAGE, Queries
from prospect_sync.sandbox.salesforce.records import Records
from prospect_sync.sandbox.salesforce.schema import ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.usage import Usage
from prospect_sync.sandbox.salesforce.web.changes import Changes
from prospect_sync.sandbox.salesforce.web.composite import Composite
from prospect_sync.sandbox.salesforce.web.describe import Describe
from prospect_sync.sandbox.salesforce.web.exchange import NEWEST_VERSION, OLDEST_VERSION, Answer, Call
from prospect_sync.sandbox.salesforce.web.rows import Rows
from prospect_sync.sandbox.salesforce.web.sobject_collections import SObjectCollections

_TOOLING_OBJECTS = frozenset({"FieldDefinition", "EntityDefinition"})


class Api:
    """Everything behind `/services/data/vXX.0/`."""

    def __init__(self, state: OrgState, access: Access, records: Records, usage: Usage) -> None:
        self._state = state
        self._access = access
        self._usage = usage
        self._queries = Queries(state, access)
        self._describe = Describe(state, access)
        self._changes = Changes(state, access)
        self._rows = Rows(state, access, records)
        self._collections = SObjectCollections(state, access, records, self._rows)
        self._composite = Composite(state, records, self.answer)

    def answer(self, call: Call) -> Answer:
        """Answer one call, or raise the refusal."""
        match call.parts:
            case ():
                return call.choose(GET=lambda: Answer(200, _resources(call.root)))
            case ("limits",):
                return call.choose(GET=lambda: Answer(200, self._usage.limits()))
            case ("query" | "queryAll" as resource,):
                return call.choose(GET=lambda: self._query(call, resource))
            case ("query" | "queryAll", locator):
                return call.choose(GET=lambda: self._more(call, locator))
            case ("tooling", "query"):
                return call.choose(GET=lambda: self._tooling(call))
            case ("composite",):
                return call.choose(POST=lambda: self._composite.answer(call))
            case ("composite", "sobjects", *rest):
                return self._collected(call, tuple(rest))
            case ("sobjects",):
                return call.choose(GET=lambda: self._described(call, self._describe.everything(call.root)))
            case ("sobjects", name, *rest):
                return self._sobject(call, self._kind(name), tuple(rest))
        raise not_found()

    def _sobject(self, call: Call, kind: ObjectType, rest: tuple[str, ...]) -> Answer:
        match rest:
            case ():
                return call.choose(GET=lambda: self._basics(call, kind), POST=lambda: self._rows.create(call, kind))
            case ("describe",):
                return call.choose(GET=lambda: self._described(call, self._describe.whole(call.user, kind, call.root)))
            case ("updated",):
                return call.choose(GET=lambda: self._changes.updated(call, kind))
            case ("deleted",):
                return call.choose(GET=lambda: self._changes.deleted(call, kind))
            case (ident,):
                return call.choose(
                    GET=lambda: self._rows.read(call, kind, ident),
                    PATCH=lambda: self._rows.update(call, kind, ident),
                    DELETE=lambda: self._rows.delete(call, kind, ident),
                )
            case (field, value):
                return call.choose(
                    GET=lambda: self._rows.read_external(call, kind, field, value),
                    PATCH=lambda: self._rows.upsert(call, kind, field, value),
                    DELETE=lambda: self._rows.delete_external(call, kind, field, value),
                )
        raise not_found()

    def _collected(self, call: Call, rest: tuple[str, ...]) -> Answer:
        match rest:
            case ():
                return call.choose(
                    POST=lambda: self._collections.create(call),
                    PATCH=lambda: self._collections.update(call),
                    DELETE=lambda: self._collections.delete(call),
                )
            case (name,):
                kind = self._kind(name)
                return call.choose(
                    GET=lambda: self._collections.read(call, kind), POST=lambda: self._collections.read(call, kind)
                )
            case (name, field):
                kind = self._kind(name)
                return call.choose(PATCH=lambda: self._collections.upsert(call, kind, field))
        raise not_found()

    def _query(self, call: Call, resource: str) -> Answer:
        text = call.params.get("q")
        if text is None:
            raise refusal("MALFORMED_QUERY", "The required request parameter is missing: q")
        call.log.update(operation=resource, soql=text)
        page = _page_size(call.headers.get("sforce-query-options", ""))
        body = self._queries.answer(call.user, text, call.root, resource=resource, page=page)
        call.log["records"] = len(body["records"])
        return Answer(200, body)

    def _more(self, call: Call, locator: str) -> Answer:
        call.log["operation"] = "query.more"
        body = self._queries.more(call.user, locator, call.root)
        call.log["records"] = len(body["records"])
        return Answer(200, body)

    def _tooling(self, call: Call) -> Answer:
        """The Tooling API knows metadata only; its answers carry two keys more."""
        text = call.params.get("q", "")
        call.log.update(operation="tooling.query", soql=text)
        body = self._queries.answer(call.user, text, f"{call.root}/tooling", only=_TOOLING_OBJECTS)
        records = body.pop("records")
        name = records[0]["attributes"]["type"] if records else None
        body |= {"size": len(records), "queryLocator": None, "entityTypeName": name, "records": records}
        call.log["records"] = len(records)
        return Answer(200, body)

    def _basics(self, call: Call, kind: ObjectType) -> Answer:
        call.log["operation"] = "describe"
        return Answer(200, {"objectDescribe": self._describe.brief(kind, call.root), "recentItems": []})

    def _described(self, call: Call, body: dict[str, Any]) -> Answer:
        call.log["operation"] = "describe"
        since = call.http_date("if-modified-since")
        if since is not None and self._state.described_at <= since:
            return Answer(304)
        return Answer(200, body)

    def _kind(self, name: str) -> ObjectType:
        kind = self._access.find(name)
        if kind is None or kind.virtual:
            raise not_found()
        return kind


def versions() -> list[dict[str, str]]:
    """The body of `/services/data`."""
    return [
        {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST_VERSION, NEWEST_VERSION + 1)
    ]


def _label(number: int) -> str:
    """Three releases a year, the first one here being Summer '14; a winter release bears the year to come."""
    years, season = divmod(number - OLDEST_VERSION, 3)
    return f"{('Summer', 'Winter', 'Spring')[season]} '{14 + years + (season > 0)}"


def _resources(root: str) -> dict[str, str]:
    names = {"composite": "composite", "limits": "limits", "query": "query", "queryAll": "queryAll"}
    names |= {"sobjects": "sobjects", "tooling": "tooling"}
    return {name: f"{root}/{path}" for name, path in names.items()} | {"identity": "/services/oauth2/userinfo"}


def _page_size(header: str) -> int:
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "batchsize" and value.isdigit():
            return min(max(int(value), SMALLEST_PAGE), LARGEST_PAGE)
    return LARGEST_PAGE
