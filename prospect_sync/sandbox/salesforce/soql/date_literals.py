"""Named days of SOQL, such as TODAY and LAST_N_DAYS:30, as a span of days. Weeks begin on Sunday, all is UTC."""

from collections.abc import Callable
from datetime import date, timedelta

Span = tuple[date, date]
"""The first day, and the first day after."""


def named_span(name: str, today: date) -> Span | None:
    """The span that a date literal names; None for a name that is not supported."""
    word, _, count = name.partition(":")
    if count:
        counted = _COUNTED.get(word)
        return counted(today, int(count)) if counted else None
    plain = _PLAIN.get(word)
    return plain(today) if plain else None


def _days(start: date, count: int) -> Span:
    return start, start + timedelta(days=count)


def _week(today: date, ahead: int) -> Span:
    sunday = today - timedelta(days=(today.weekday() + 1) % 7)
    return _days(sunday + timedelta(weeks=ahead), 7)


def _month(today: date, ahead: int) -> Span:
    return _month_start(today, ahead), _month_start(today, ahead + 1)


def _month_start(today: date, ahead: int) -> date:
    months = today.year * 12 + today.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def _quarter(today: date, ahead: int) -> Span:
    first = (today.month - 1) // 3 * 3 - (today.month - 1) + 3 * ahead
    return _month_start(today, first), _month_start(today, first + 3)


def _year(today: date, ahead: int) -> Span:
    return date(today.year + ahead, 1, 1), date(today.year + ahead + 1, 1, 1)


_PLAIN: dict[str, Callable[[date], Span]] = {
    "YESTERDAY": lambda today: _days(today - timedelta(days=1), 1),
    "TODAY": lambda today: _days(today, 1),
    "TOMORROW": lambda today: _days(today + timedelta(days=1), 1),
    "LAST_90_DAYS": lambda today: _days(today - timedelta(days=90), 91),
    "NEXT_90_DAYS": lambda today: _days(today + timedelta(days=1), 90),
    "LAST_WEEK": lambda today: _week(today, -1),
    "THIS_WEEK": lambda today: _week(today, 0),
    "NEXT_WEEK": lambda today: _week(today, 1),
    "LAST_MONTH": lambda today: _month(today, -1),
    "THIS_MONTH": lambda today: _month(today, 0),
    "NEXT_MONTH": lambda today: _month(today, 1),
    "LAST_QUARTER": lambda today: _quarter(today, -1),
    "THIS_QUARTER": lambda today: _quarter(today, 0),
    "NEXT_QUARTER": lambda today: _quarter(today, 1),
    "LAST_YEAR": lambda today: _year(today, -1),
    "THIS_YEAR": lambda today: _year(today, 0),
    "NEXT_YEAR": lambda today: _year(today, 1),
}
_COUNTED: dict[str, Callable[[date, int], Span]] = {
    "LAST_N_DAYS": lambda today, count: _days(today - timedelta(days=count), count + 1),
    "NEXT_N_DAYS": lambda today, count: _days(today + timedelta(days=1), count),
    "N_DAYS_AGO": lambda today, count: _days(today - timedelta(days=count), 1),
}
