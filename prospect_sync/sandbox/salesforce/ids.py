"""Record ids: 15 characters that count case, or 18 with a checksum; three letters of prefix name the object.

Knows nothing of records: whether an id exists is the storage's affair.
"""

from functools import lru_cache

from prospect_sync.sandbox.users import id18

ORG_ID = id18("00D5g000000Sbox")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_INSTANCE = "8d0"
"""Stands behind the prefix in every id made here, so that seeded ids (which choose another) never clash."""


@lru_cache(maxsize=100_000)
def full_id(text: str) -> str | None:
    """The 18 character form of an id written either way; None if it has not the shape of an id."""
    if not (text.isascii() and text.isalnum()):
        return None
    if len(text) == 15:
        return id18(text)
    if len(text) == 18 and id18(text[:15]) == text[:15] + text[15:].upper():
        return id18(text[:15])
    return None


def made_id(prefix: str, serial: int) -> str:
    """The id of the n-th record made in this org; later ones sort higher."""
    high, low = divmod(serial, 62 * 62)
    start, letters = _family(prefix, high)
    return start + _ends(start[10:])[low].replace("-", letters)


@lru_cache(maxsize=1_024)
def _family(prefix: str, high: int) -> tuple[str, str]:
    """The first 13 characters of an id, and the first two of its checksum: the same for many ids in a row."""
    digits = ""
    for _ in range(7):
        high, digit = divmod(high, 62)
        digits = _DIGITS[digit] + digits
    start = prefix + _INSTANCE + digits
    return start, id18(start + "00")[15:17]


@lru_cache(maxsize=256)
def _ends(three: str) -> tuple[str, ...]:
    """The last two characters and the last of the checksum, a dash for the letters between, of 3844 ids in a row."""
    return tuple(f"{high}{low}-{_last_letter(three + high + low)}" for high in _DIGITS for low in _DIGITS)


def _last_letter(five: str) -> str:
    return id18("0000000000" + five)[17]


def serial_of(ident: str) -> int:
    """The inverse of `made_id`; 0 for an id that was not made here."""
    if ident[3:6] != _INSTANCE:
        return 0
    serial = 0
    for char in ident[6:15]:
        serial = serial * 62 + _DIGITS.index(char)
    return serial


def made_pattern(prefix: str) -> str:
    """A GLOB pattern for the ids that were made here."""
    return f"{prefix}{_INSTANCE}*"
