"""Cuts a query's text into tokens, and words the vendor's complaint about a place in it."""

import re
from dataclasses import dataclass

from prospect_sync.sandbox.salesforce.errors import OrgError, refusal

_PATTERN = re.compile(
    r"""(?P<space>\s+)
    |(?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    |(?P<date>\d{4}-\d\d-\d\d(?![\w:-]))
    |(?P<number>[+-]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?(?![\w]))
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<named>[A-Za-z_]+:\d+)
    |(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<operator><=|>=|!=|<>|=|<|>)
    |(?P<mark>[(),])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "'": "'", '"': '"', "\\": "\\"}
# An escaped wildcard means itself under LIKE; until the operator is known it stands as a private character.
_WILDCARDS = {"_": "\ue000", "%": "\ue001"}
_ESCAPES |= _WILDCARDS
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_CONTEXT = 40


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The token as a keyword."""
        return self.text.upper() if self.kind == "name" else self.text


def tokens(text: str) -> list[Token]:
    """Every token of the query, and an end token."""
    found = []
    place = 0
    while place < len(text):
        match = _PATTERN.match(text, place)
        if match is None:
            raise unexpected(text, Token("mark", text[place], place))
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), place))
        place = match.end()
    found.append(Token("end", "<EOF>", len(text)))
    return found


def unescaped(text: str, at: int, quoted: str) -> str:
    """The characters that a quoted string stands for; `plain` or `pattern` makes it a value."""

    def meant(match: re.Match[str]) -> str:
        code = match.group(1)
        if len(code) == 5:
            return chr(int(code[1:], 16))
        if code.lower() not in _ESCAPES:
            words = f"Invalid string literal {quoted}. Illegal character sequence '\\{code}' in string literal"
            raise complaint("MALFORMED_QUERY", text, at, words)
        return _ESCAPES[code.lower()]

    return _ESCAPE.sub(meant, quoted[1:-1])


def plain(value: str) -> str:
    """A string as every operator but LIKE takes it."""
    for char, private in _WILDCARDS.items():
        value = value.replace(private, char)
    return value


def pattern(value: str) -> str:
    """A string as a LIKE pattern with the backslash as its escape."""
    value = value.replace("\\", "\\\\")
    for char, private in _WILDCARDS.items():
        value = value.replace(private, f"\\{char}")
    return value


def unexpected(text: str, token: Token) -> OrgError:
    return complaint("MALFORMED_QUERY", text, token.at, f"unexpected token: '{token.text}'")


def complaint(code: str, text: str, at: int, words: str) -> OrgError:
    """An error that points at a place of the query."""
    before = text[:at]
    row = before.count("\n") + 1
    column = at - (before.rfind("\n") + 1) + 1
    start = max(0, at - _CONTEXT)
    excerpt = text[start : at + _CONTEXT].replace("\n", " ")
    return refusal(code, f"\n{excerpt}\n{' ' * (at - start)}^\nERROR at Row:{row}:Column:{column}\n{words}")
