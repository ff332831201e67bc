"""What lies in an uploaded batch: the multipart body, and the CSV in it. Knows fields by name; writes nothing."""

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

from prospect_sync.sandbox.account_engagement.errors import refusal
from prospect_sync.sandbox.account_engagement.fields import STAMPS, ProspectField, ProspectFields

MATCH_COLUMNS = ("matchId", "matchSalesforceId", "matchEmail")
_MOST_FILE = 50_000_000


@dataclass(frozen=True, slots=True)
class ImportFile:
    """One batch: its columns, and its rows as text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def match(self) -> str:
        return next(name for name in self.columns if name in MATCH_COLUMNS)


def uploaded(content_type: str, body: bytes, part: str = "files") -> bytes:
    """Give the one file of the part with this name."""
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.startswith("multipart/form-data") or boundary is None:
        raise refusal(151)
    pieces = body.split(b"--" + boundary[1].encode())[1:-1]
    named = [piece for piece in pieces if f'name="{part}"'.encode() in piece.partition(b"\r\n\r\n")[0]]
    if not named:
        raise refusal(158)
    files = [piece for piece in named if b"filename=" in piece.partition(b"\r\n\r\n")[0]]
    if not files:
        raise refusal(162)
    if len(files) > 1:
        raise refusal(163)
    return files[0].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


def read_file(content: bytes, fields: ProspectFields, most_bytes: int) -> ImportFile:
    """Read one batch and check its columns."""
    if not content or len(content) > min(most_bytes, _MOST_FILE):
        raise refusal(204)
    try:
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    except (UnicodeDecodeError, ValueError, csv.Error):
        raise refusal(159) from None
    columns = tuple(name.strip() for name in header)
    if not rows or any(len(row) != len(columns) for row in rows) or len(set(columns)) < len(columns):
        raise refusal(159)
    if sum(name in MATCH_COLUMNS for name in columns) != 1:
        raise refusal(166, "exactly one of " + ", ".join(MATCH_COLUMNS))
    for name in columns:
        if name not in MATCH_COLUMNS:
            importable(name, fields)
    return ImportFile(columns, tuple(map(tuple, rows)))


def importable(name: str, fields: ProspectFields) -> ProspectField:
    """Give the field of a column."""
    known = fields.get(name)
    if known is None:
        raise refusal(130, name)
    if not known.writable or name in STAMPS:
        raise refusal(180, name)
    return known


def cell_value(field: ProspectField, cell: str) -> Any:
    """Turn a filled cell into the JSON value that a PATCH would carry."""
    text = cell.strip()
    match field.kind:
        case "boolean":
            told = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
            return text if told is None else told
        case "list":
            return [one.strip() for one in text.split(";") if one.strip()]
        case _:
            return text


def as_csv(columns: tuple[str, ...], rows: list[tuple[Any, ...]], *, mark: bool = False) -> str:
    """Write CSV, with a byte order mark where it is wanted."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink)
    writer.writerow(columns)
    writer.writerows(rows)
    return ("\ufeff" if mark else "") + sink.getvalue()
