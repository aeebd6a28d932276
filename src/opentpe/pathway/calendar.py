"""The unit's calendar: which days it is open, and the open day nearest to a wish."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_USUAL: Final = ("mon", "tue", "wed", "thu", "fri")
_FORTNIGHT: Final = 15


def is_open(day: date, unit: Mapping[str, Any]) -> bool:
    """True where the unit exchanges on that day: weekday among `opening_days`, not one of `holidays`.

    >>> is_open(date(2026, 2, 21), {"opening_days": ["Mon", "Fri"]})
    False
    """
    wanted = unit.get("opening_days") or _USUAL
    names = {str(name).lower()[:3] for name in wanted}
    closed = {str(h) for h in unit.get("holidays") or ()}
    return _DAYS[day.weekday()] in names and day.isoformat() not in closed


def first_open(day: date, unit: Mapping[str, Any]) -> date:
    """The first open day on or after a day; the day itself where the unit is closed for a fortnight."""
    return next((d for d in (day + timedelta(n) for n in range(_FORTNIGHT)) if is_open(d, unit)), day)


def last_open(day: date, not_before: date, unit: Mapping[str, Any]) -> date:
    """The last open day on or before a day, but not before another; the day itself where there is none."""
    span = max((day - not_before).days, 0) + 1
    return next((d for d in (day - timedelta(n) for n in range(span)) if is_open(d, unit)), day)
