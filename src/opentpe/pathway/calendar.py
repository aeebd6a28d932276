"""Session days on the unit's calendar: opening days and holidays; session 1 never waits to tidy the pattern."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_open(day: date, unit: Mapping[str, Any]) -> bool:
    """True on the unit's opening days that are no holiday."""
    closed = unit["holidays"]
    return WEEKDAYS[day.weekday()] in unit["opening_days"] and not (closed and day.isoformat() in map(str, closed))


def next_open(day: date, unit: Mapping[str, Any]) -> date:
    """The first open day from `day` on; `day` itself where the unit never opens."""
    for ahead in range(30):
        if is_open(day + timedelta(days=ahead), unit):
            return day + timedelta(days=ahead)
    return day


def session_days(first: date, count: int, interval_days: int, unit: Mapping[str, Any]) -> tuple[date, ...]:
    """`count` days from `first` on, each the first open day at least `interval_days` after the one before.

    >>> unit = {"opening_days": ["Mon", "Tue", "Wed", "Thu", "Fri"], "holidays": []}
    >>> [d.day for d in session_days(date(2026, 2, 20), 5, 2, unit)]
    [20, 23, 25, 27, 2]
    """
    days = [first]
    while len(days) < count:
        days.append(next_open(days[-1] + timedelta(days=interval_days), unit))
    return tuple(days)


def last_open(day: date, not_before: date, unit: Mapping[str, Any]) -> date:
    """The last open day on or before a day, but not before another; the day itself where there is none."""
    for back in range(max((day - not_before).days, 0) + 1):
        if is_open(day - timedelta(days=back), unit):
            return day - timedelta(days=back)
    return day
