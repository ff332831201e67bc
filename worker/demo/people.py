"""Reads the sample of person pairs and makes plain values of them.

Knows the file's columns and what Salesforce requires of a person; knows nothing of sync behaviors, times or API fields.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "febrl_pairs.csv"


@dataclass(frozen=True, slots=True)
class Facts:
    """One side's idea of a person; None where it says nothing."""

    given_name: str | None
    surname: str | None
    street: str | None
    second_line: str | None
    suburb: str | None
    postcode: str | None
    state: str | None
    born: str | None
    number: str | None


@dataclass(frozen=True, slots=True)
class PersonPair:
    """The same person as Salesforce and as Account Engagement know it. ``key`` is unique and plain ASCII."""

    key: str
    salesforce: Facts
    prospect: Facts


def read_pairs(path: Path, pairs: int, seed: int) -> Iterator[PersonPair]:
    """Give so many pairs of the sample in an order that the seed decides; beyond its end it begins again.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    Random(seed).shuffle(rows)
    for place in range(pairs):
        row, again = rows[place % len(rows)], place // len(rows)
        yield _pair(row, f"{row['pair']}-{again + 1}" if again else row["pair"])


def _pair(row: Mapping[str, str], key: str) -> PersonPair:
    salesforce, prospect = _facts(row, "salesforce_"), _facts(row, "prospect_")
    surname = salesforce.surname or prospect.surname or "Unknown"  # a lead or contact has to have one
    return PersonPair(key, _with_surname(salesforce, surname), prospect)


def _with_surname(facts: Facts, surname: str) -> Facts:
    return Facts(
        facts.given_name, surname, facts.street, facts.second_line, facts.suburb, facts.postcode, facts.state,
        facts.born, facts.number,
    )  # fmt: skip


def _facts(row: Mapping[str, str], side: str) -> Facts:
    def text(name: str) -> str | None:
        return row[side + name].strip() or None

    def title(name: str) -> str | None:
        value = text(name)
        return value.title() if value else None

    street = " ".join(filter(None, (text("street_number"), title("address_1")))) or None
    state = text("state")
    return Facts(
        given_name=title("given_name"),
        surname=title("surname"),
        street=street,
        second_line=title("address_2"),
        suburb=title("suburb"),
        postcode=text("postcode"),
        state=state.upper() if state else None,
        born=_born(text("date_of_birth")),
        number=text("soc_sec_id"),
    )


def _born(digits: str | None) -> str | None:
    """``19151231`` as an ISO date; the corrupted halves hold days that no calendar has."""
    if digits is None or len(digits) != 8 or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        return None
