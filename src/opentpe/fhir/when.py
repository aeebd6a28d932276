"""FHIR dates and periods as points in time on the record's own wall clock; a partial date is an interval."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from opentpe.domain.patient import When
from opentpe.fhir import shape
from opentpe.fhir.shape import Node

_DATE_TIME: Final = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?"
)
_DAY: Final = timedelta(days=1) - timedelta(seconds=1)


def parse(written: str) -> When | None:
    """The point or interval of a FHIR date, dateTime or instant; None where it is no such thing.

    >>> parse("2026-02").latest.isoformat()
    '2026-02-28T23:59:59'
    """
    trimmed = written.strip()
    plain = _plain(trimmed)
    if plain is not None:
        return plain
    found = _DATE_TIME.fullmatch(trimmed)
    if not found:
        return None
    year, month, day, hour, minute, second = (None if g is None else int(g) for g in found.groups())
    try:
        if year is None or month is None:
            return _span(year or 0, 1, 1, 12, 31)
        if day is None:
            return _span(year, month, 1, month, calendar.monthrange(year, month)[1])
        if hour is None:
            return _span(year, month, day, month, day)
        moment = datetime(year, month, day, hour, minute or 0, min(second or 0, 59))  # noqa: DTZ001 - wall clock
        return When.at(moment)
    except ValueError:  # there is no such day or hour; calendar raises a subclass of it
        return None


def _plain(written: str) -> When | None:
    """A whole day, or a second with Z or nothing after it: what most records write. None for every other spelling."""
    if written[4:5] != "-" or written[7:8] != "-":
        return None
    try:
        if len(written) == 10:
            return When.day(datetime.fromisoformat(written))
        seconds = written[13] == ":" == written[16] and written[19:] in ("Z", "")
        if not seconds or written[10] not in "T " or written[11:13] > "23":
            return None
        return When.at(datetime.fromisoformat(written[:19]))
    except (ValueError, IndexError):
        return None


def _span(year: int, month: int, day: int, last_month: int, last_day: int) -> When:
    first = datetime(year, month, day)  # noqa: DTZ001 - wall clock
    return When(first, datetime(year, last_month, last_day) + _DAY)  # noqa: DTZ001 - wall clock


def period(parent: Node) -> tuple[When | None, When | None]:
    """Start and end of a Period, each None where it is missing or no date."""
    return parse(shape.text(parent, "start")), parse(shape.text(parent, "end"))


@lru_cache(maxsize=64)
def _names(element: str) -> tuple[str, str, str, str]:
    return f"{element}DateTime", f"{element}Instant", element, f"{element}String"


def of(resource: Node, element: str) -> When | None:
    """The time in `<element>DateTime`, `<element>Instant`, `<element>Period` (as its span) or `<element>`."""
    for name in _names(element)[:3]:
        written = shape.text(resource, name)
        if written:
            return parse(written)
    start, end = period(shape.node(resource, element + "Period"))
    if start is None and end is None:
        events = shape.node(resource, element + "Timing").get("event")
        return _first_event(events) if isinstance(events, Sequence) else None
    if start is None or end is None or end.latest < start.earliest:
        return start or end
    return When(start.earliest, end.latest)


def _first_event(events: Sequence[object]) -> When | None:
    found = [w for w in (parse(e) for e in events if isinstance(e, str)) if w is not None]
    return min(found, key=lambda w: w.earliest) if found else None


def written(resource: Node, element: str) -> str:
    """What the record says where no time could be read from it, for messages."""
    for name in _names(element):
        found = shape.text(resource, name)
        if found:
            return found
    node = shape.node(resource, element + "Period")
    return " to ".join(t for t in (shape.text(node, "start"), shape.text(node, "end")) if t)
