"""One call and its answer, apart from HTTP, so that a Composite's parts are calls like any other."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from prospect_sync.sandbox.salesforce.errors import OrgError, not_found, refusal, unreadable_json
from prospect_sync.sandbox.salesforce.records import Writer
from prospect_sync.sandbox.users import OrgUser

OLDEST_VERSION, NEWEST_VERSION = 31, 67
_VERSION = re.compile(r"v(\d{1,3})\.0")
_CLIENT = re.compile(r"(?:^|[,;])\s*client\s*=\s*([^,;\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; a body of None is an empty one."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def refused(cls, error: OrgError) -> "Answer":
        return cls(error.status, error.body, error.headers)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a versioned resource by a known user."""

    method: str
    version: int
    parts: tuple[str, ...]
    """Path segments behind the version, decoded."""
    params: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    user: OrgUser
    log: dict[str, Any]

    @property
    def root(self) -> str:
        return f"/services/data/v{self.version}.0"

    def json(self) -> Any:
        """The body as JSON, or JSON_PARSER_ERROR."""
        if not self.body.strip():
            raise unreadable_json("No content to map to Object due to end of input")
        media = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if media != "application/json":
            message = f"Unsupported media type {media}: use application/json"
            raise refusal("UNSUPPORTED_MEDIA_TYPE", message, status=415)
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise unreadable_json(f"Unexpected content: {error}") from error

    def document(self) -> dict[str, Any]:
        """The body as a JSON object."""
        found = self.json()
        if not isinstance(found, dict):
            raise unreadable_json("Can not deserialize the request body: a JSON object was expected")
        return found

    def origin(self) -> str:
        """Which API saves, and by which name the client calls itself."""
        found = _CLIENT.search(self.headers.get("sforce-call-options", ""))
        return f"com/salesforce/api/rest/{self.version}.0" + (f";client={found.group(1)}" if found else "")

    def unnamed(self) -> "Call":
        """The same call where its client's name goes unheard."""
        return replace(self, headers={name: one for name, one in self.headers.items() if name != "sforce-call-options"})

    def writer(self) -> Writer:
        """Who saves, as the request's headers ask."""
        wanted = dict(
            part.strip().lower().split("=", 1)
            for part in re.split("[;,]", self.headers.get("sforce-duplicate-rule-header", ""))
            if "=" in part
        )
        return Writer(
            self.user,
            auto_assign=self.headers.get("sforce-auto-assign", "true").strip().lower() != "false",
            allow_duplicates=wanted.get("allowsave") == "true",
            duplicate_details=wanted.get("includerecorddetails") == "true",
            origin=self.origin(),
        )

    def http_date(self, header: str) -> int | None:
        """A conditional header's time in seconds; 400 where it is none."""
        text = self.headers.get(header)
        if text is None:
            return None
        try:
            instant = parsedate_to_datetime(text)
        except ValueError as error:
            raise refusal("INVALID_HEADER_VALUE", f"Invalid value for header {header}: {text}") from error
        return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp())

    def choose(self, **handlers: Callable[[], Answer]) -> Answer:
        """Answer by method, or 405."""
        handler = handlers.get(self.method)
        if handler is None:
            message = f"HTTP Method '{self.method}' not allowed. Allowed are {','.join(handlers)}"
            raise refusal("METHOD_NOT_ALLOWED", message, status=405, fields=None)
        return handler()


def located(path: str) -> tuple[int, tuple[str, ...]]:
    """Version and segments of an undecoded path behind `/services/data/`; 410 and 404 as the vendor has them."""
    version, *rest = path.removeprefix("/services/data/").split("/")
    match = _VERSION.fullmatch(version)
    number = int(match.group(1)) if match else 0
    if not match or number > NEWEST_VERSION or number == 0:
        raise not_found()
    if number < OLDEST_VERSION:
        message = f"REST API version {number}.0 has been retired"
        raise refusal("UNSUPPORTED_API_VERSION", message, status=410)
    return number, tuple(unquote(part) for part in rest if part)


def parameters(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))
