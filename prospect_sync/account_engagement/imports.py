"""Many prospects' writes in a few calls: an import is made, filled with CSV, told to run, watched, and asked what it refused.

Paths and names of version 5 are not confirmed by the documents we have; they stand together at the top.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from prospect_sync.account_engagement import errors
from prospect_sync.account_engagement.client import AccountEngagementClient, Answer, Call
from prospect_sync.errors import Misconfigured, Rejected, TryLater
from prospect_sync.model import Lane
from prospect_sync.ports import ImportColumn, ImportLine, ImportState, ImportStatus, ProspectImports, RefusedLine

_IMPORTS = "/api/v5/imports"
_PART = "files"
_MATCH = "matchId"
_READY = {"status": "Ready"}
_SHOWN = "id,status,updatedCount,errorCount,isExpired"
_STATES: Mapping[str, ImportState] = {
    "open": ImportState.OPEN,
    "waiting": ImportState.RUNNING,
    "ready": ImportState.RUNNING,
    "processing": ImportState.RUNNING,
    "canceling": ImportState.RUNNING,
    "complete": ImportState.COMPLETE,
    "failed": ImportState.FAILED,
    "canceled": ImportState.FAILED,
}
_MOST_BYTES = 9_000_000
_MOST_BATCHES = 10


class AccountEngagementImports(ProspectImports):
    """The port over one client."""

    def __init__(self, client: AccountEngagementClient, *, most_bytes: int = _MOST_BYTES) -> None:
        self._client = client
        self._most_bytes = most_bytes

    def start(self, columns: Mapping[str, ImportColumn]) -> str:
        """See the port."""
        options = {name: {"overwrite": one.overwrite, "nullOverwrite": one.erase} for name, one in columns.items()}
        body = {
            "object": "Prospect",
            "operation": "Upsert",
            "fields": options,
            "restoreDeleted": False,
            "createOnNoMatch": False,
        }
        made = self._ask(Call("POST", root=_IMPORTS, parameters={"fields": _SHOWN}, body=body, fields=tuple(columns)))
        found = made.body.get("id") if isinstance(made.body, Mapping) else None
        if isinstance(found, bool) or not isinstance(found, int | str):
            raise TryLater("the answer to a new import names no import", delay=60)
        return str(found)

    def add(self, import_id: str, fields: Sequence[str], lines: Iterable[ImportLine]) -> int:
        """See the port.

        Raises:
            Rejected: more than the vendor takes in one import.
        """
        calls = 0
        for content in _files(fields, lines, self._most_bytes):
            if calls == _MOST_BATCHES:
                raise Rejected("more than one import takes", code="160")
            self._ask(_upload(import_id, content, fields))
            calls += 1
        return calls

    def run(self, import_id: str) -> None:
        """See the port."""
        self._ask(Call("PATCH", f"/{import_id}", root=_IMPORTS, parameters={"fields": _SHOWN}, body=_READY))

    def status(self, import_id: str) -> ImportStatus:
        """See the port."""
        call = Call("GET", f"/{import_id}", root=_IMPORTS, parameters={"fields": _SHOWN}, repeatable=True)
        row = self._ask(call).body
        state = _STATES.get(str(row.get("status")).lower()) if isinstance(row, Mapping) else None
        if state is None:
            raise TryLater("an import's state cannot be read", delay=60)
        if state is ImportState.OPEN and row.get("isExpired") is True:
            state = ImportState.FAILED
        return ImportStatus(state, _count(row.get("updatedCount")), _count(row.get("errorCount")))

    def refused(self, import_id: str) -> Iterator[RefusedLine]:
        """See the port."""
        answer = self._ask(Call("GET", f"/{import_id}/errors", root=_IMPORTS, repeatable=True, text=True))
        for row in csv.DictReader(io.StringIO(answer.body)):
            line = _refused(row)
            if line is not None:
                yield line

    def _ask(self, call: Call) -> Answer:
        answer = self._client.ask(call, lane=Lane.BULK)
        if answer.error is not None:
            raise answer.error
        return answer


def _files(fields: Sequence[str], lines: Iterable[ImportLine], most_bytes: int) -> Iterator[bytes]:
    """Cut lines into CSV files of bounded size, each with its header."""
    header = _line([_MATCH, *fields])
    content = bytearray(header)
    for line in lines:
        row = _line([str(line.prospect_id), *(_cell(line.values.get(name)) for name in fields)])
        if len(content) + len(row) > most_bytes and len(content) > len(header):
            yield bytes(content)
            content = bytearray(header)
        content += row
    if len(content) > len(header):
        yield bytes(content)


def _line(cells: Sequence[str]) -> bytes:
    sink = io.StringIO(newline="")
    csv.writer(sink).writerow(cells)
    return sink.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def _upload(import_id: str, content: bytes, fields: Sequence[str]) -> Call:
    boundary = uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_PART}"; filename="batch.csv"\r\n'
    body = head.encode() + b"Content-Type: text/csv\r\n\r\n" + content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    return Call(
        "POST", f"/{import_id}/batches", root=_IMPORTS, content=body, content_type=kind, fields=tuple(fields), text=True
    )


def _refused(row: Mapping[str, str]) -> RefusedLine | None:
    """Read a row of the error file: the uploaded columns, and beside them the vendor's code and words, whatever their names."""
    match = str(row.get(_MATCH) or "").strip()
    if not match.isdigit():
        return None
    told = {name.lower(): text for name, text in row.items() if name and "error" in name.lower()}
    code = next((text for name, text in told.items() if "code" in name), "")
    words = "; ".join(text for name, text in told.items() if "code" not in name and text)
    body = {"code": code, "message": words or "refused by the import"}
    error = errors.translate(400, body, [name for name in row if name])
    fields = error.fields if isinstance(error, Rejected | Misconfigured) else ()
    return RefusedLine(int(match), body["message"], code, fields)


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
