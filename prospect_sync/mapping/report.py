"""What is wrong with a mapping file: problems pile up here, each with its line, and nothing stops at the first.

It knows how to check one value, and nothing of what the values are for.
"""

import difflib
import json
import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from enum import StrEnum
from typing import Any, TypeVar

from prospect_sync.errors import MappingProblem
from prospect_sync.mapping.lines import TomlLines

Choice = TypeVar("Choice", bound=StrEnum)
Place = str | int

_API_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")


class Report:
    """The problems found so far in one file. A check gives the value if it is right, and None after noting why not."""

    def __init__(self, lines: TomlLines) -> None:
        self.lines = lines
        self._problems: list[MappingProblem] = []

    def in_order(self) -> list[MappingProblem]:
        return sorted(self._problems, key=lambda problem: problem.line or 0)

    def add(self, message: str, *path: Place) -> None:
        """Note a problem with what stands at ``path``; numbers in it count array tables."""
        shown = ".".join(str(part) for part in path if not isinstance(part, int))
        self._problems.append(MappingProblem(self.lines.line(*path), shown, message))

    def switch(self, value: Any, *path: Place) -> bool | None:
        if isinstance(value, bool):
            return value
        self.add(f"must be true or false, not {shown(value)}", *path)
        return None

    def api_name(self, value: Any, *path: Place) -> str | None:
        if isinstance(value, str) and _API_NAME.fullmatch(value):
            return value
        self.add(f"must be the API name of a field, not {shown(value)}", *path)
        return None

    def choice(self, value: Any, kind: type[Choice], *path: Place) -> Choice | None:
        options = [option.value for option in kind]
        if isinstance(value, str) and value in options:
            return kind(value)
        suggestion = did_you_mean(value, options) if isinstance(value, str) else ""
        self.add(f"must be one of {', '.join(options)}, not {shown(value)}{suggestion}", *path)
        return None

    def known_keys(self, table: MappingOf[str, Any], known: Iterable[str], *path: Place) -> None:
        known = tuple(known)
        what = "setting" if path else "table"
        for key in table:
            if key not in known:
                self.add(f"unknown {what}{did_you_mean(key, known)}", *path, key)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the nearest known word, as the end of a sentence; nothing where none is near."""
    names = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), names, n=1)
    return f"; did you mean {names[close[0]]}?" if close else ""


def shown(value: Any) -> str:
    """Show a value in a message as the file would write it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
