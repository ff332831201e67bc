"""When a pair's two records were made and edited before the demo began, so that every way of deciding occurs.

Salesforce's instants fall on odd seconds and Account Engagement's on even ones: no two of them tie. Knows no values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from random import Random

_DAY = 86_400


class Birth(Enum):
    """Who was there first, and who made the person."""

    PERSON_FIRST = "person first"
    PROSPECT_FIRST = "prospect first"
    MADE_BY_CONNECTOR = "made by connector"


class Later(Enum):
    """Where a contested field was edited last, seen from the prospect's first and last instants."""

    SALESFORCE = "after the prospect's last change"
    ACCOUNT_ENGAGEMENT = "before the prospect was there"
    UNPROVED = "in between: the records' times decide"


@dataclass(frozen=True, slots=True)
class Past:
    """The instants of one pair. ``touched``: an edit of the person that concerned no mapped field, by sales."""

    birth: Birth
    person_created: datetime
    prospect_created: datetime
    prospect_updated: datetime
    touched: datetime | None

    def edited(self, chance: Random, later: Later, midnight: datetime) -> datetime | None:
        """When sales edited a contested field; None where nobody did since the person was made."""
        match later:
            case Later.SALESFORCE:
                return _between(chance, max(self.person_created, self.prospect_updated), midnight)
            case Later.UNPROVED:
                begin = max(self.person_created, self.prospect_created)
                # A person younger than the prospect's last change cannot have been edited before it.
                return _between(chance, begin, self.prospect_updated) if begin < self.prospect_updated else None
            case Later.ACCOUNT_ENGAGEMENT if self.birth is Birth.PERSON_FIRST and chance.random() < 0.5:
                return _between(chance, self.person_created, self.prospect_created)
            case _:
                return None


def make_past(chance: Random, midnight: datetime) -> Past:
    """Invent the past of one pair, all of it before midnight."""
    birth = chance.choices(list(Birth), weights=(80, 12, 8))[0]
    begin = midnight - timedelta(days=chance.randint(300, 500), seconds=chance.randrange(_DAY))
    middle = begin + timedelta(days=chance.randint(2, 60), seconds=chance.randrange(_DAY))
    end = middle + timedelta(days=chance.randint(2, 150), seconds=chance.randrange(_DAY))
    match birth:
        case Birth.PERSON_FIRST:
            person, created, updated = begin, middle, end
        case Birth.PROSPECT_FIRST:
            person, created, updated = end, begin, middle
        case _:
            person, created, updated = begin + timedelta(seconds=chance.randint(30, 90)), begin, end
    touched = _between(chance, person, midnight) if chance.random() < 0.6 else None
    return Past(birth, _odd(person), _even(created), _even(updated), touched)


def latest(instants: Sequence[datetime | None]) -> datetime:
    return max(instant for instant in instants if instant is not None)


def _between(chance: Random, begin: datetime, end: datetime) -> datetime:
    """An odd second strictly between two instants that are at least an hour apart."""
    seconds = int((end - begin).total_seconds())
    return _odd(begin + timedelta(seconds=chance.randint(60, max(61, seconds - 60))))


def _odd(instant: datetime) -> datetime:
    return instant.replace(second=instant.second | 1, microsecond=0)


def _even(instant: datetime) -> datetime:
    return instant.replace(second=instant.second & ~1, microsecond=0)
