"""Where in a TOML file does a key stand? The parser does not say, and a problem without its line is hard to find.

A table header or a key at the start of a line is found; what stands inside an inline table or array is answered with the
line that it begins on. Nothing here judges the file.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

Place = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"^\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_ENTRY = re.compile(rf"^\s*({_DOTTED})\s*=\s*(.*)")
_PART = re.compile(_KEY)
_SYNTAX_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


class TomlLines:
    """The line (1-based) of every table and key of a file; array tables are numbered from 0 in their path."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {}
        self._scan(text)

    def line(self, *path: str | int) -> int | None:
        """Give the line of a key, or of the nearest thing around it that has one."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)

    def _scan(self, text: str) -> None:
        table: Place = ()
        counts: dict[Place, int] = {}
        quotes = ""
        for number, line in enumerate(text.split("\n"), start=1):
            if quotes:
                quotes = "" if line.count(quotes) % 2 else quotes
                continue
            header, entry = _HEADER.match(line), _ENTRY.match(line)
            if header:
                table = _parts(header[2])
                if header[1] == "[[":
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, counts[table])
                self._lines.setdefault(table, number)
            elif entry:
                path = (*table, *_parts(entry[1]))
                for depth in range(len(table) + 1, len(path) + 1):
                    self._lines.setdefault(path[:depth], number)
                quotes = next((mark for mark in ('"""', "'''") if entry[2].count(mark) % 2), "")


def parse_toml(text: str, *, parse_float: Any = float) -> Mapping[str, Any] | tuple[int | None, str]:
    """Parse a file; where its syntax is wrong, give the line and the words instead."""
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        place = _SYNTAX_LINE.search(str(error))
        words = _SYNTAX_LINE.sub("", str(error)).strip()
        if place is None:
            return None, words
        return (int(place[1]) if place[1] else text.count("\n") + 1), words
    except (RecursionError, ValueError) as error:
        return None, f"cannot be read: {error}"


def _parts(dotted: str) -> Place:
    return tuple(_unquoted(part) for part in _PART.findall(dotted))


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] != '"':
        return key
    parsed = parse_toml(f"{key} = 0")
    return next(iter(parsed)) if isinstance(parsed, Mapping) else key[1:-1]
