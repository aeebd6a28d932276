"""Times as they were recorded: a year, a month, a day or a moment, in FHIR's spelling. Nothing is made more precise."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from opentpe.domain.patient import When

_SHAPE: Final = re.compile(
    r"^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$", re.ASCII
)


def spelled(value: Any) -> str:
    """The time as text; ValueError for a day or hour that no calendar has.

    >>> spelled(date(2026, 2, 18)), spelled("2026-02"), spelled("")
    ('2026-02-18', '2026-02', '')
    """
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str) or (text and not _SHAPE.match(text)):
        raise ValueError("a time such as 2026, 2026-02, 2026-02-18 or 2026-02-18T09:30:00Z is needed")
    if re.fullmatch(r"[^T]*T\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})?", text):  # FHIR wants the seconds said
        text = f"{text[:16]}:00{text[16:]}"
    if text:
        datetime.fromisoformat({4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text))
    return text


FhirTime = Annotated[str, BeforeValidator(spelled), Field(max_length=40)]


def day(text: str) -> date | None:
    """The first day that a time may be, None for an empty one.

    >>> day("2026-02-18T09:30:00Z"), day("2026-02"), day("")
    (datetime.date(2026, 2, 18), datetime.date(2026, 2, 1), None)
    """
    if not text:
        return None
    return date.fromisoformat({4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text[:10]))


def moment(text: str) -> datetime | None:
    """The first moment that a time may be, on its own wall clock, None for an empty one.

    >>> moment("2026-02-18T09:30:00Z"), moment("2026-02-18")
    (datetime.datetime(2026, 2, 18, 9, 30), datetime.datetime(2026, 2, 18, 0, 0))
    """
    on = day(text)
    if on is None:
        return None
    return datetime.fromisoformat(text if "T" in text else on.isoformat()).replace(tzinfo=None)


def of_when(when: When | None) -> str:
    """A time of the domain, as precise as it is known; the first day of any other interval."""
    if when is None:
        return ""
    first, last = when.earliest, when.latest
    if first == last:
        return first.isoformat()
    if first.date() == last.date():
        return first.date().isoformat()
    after = last.date() + timedelta(days=1)
    if first.day == 1 and (after.day, after.month) == (1, first.month % 12 + 1):
        return first.strftime("%Y-%m")
    if (first.month, first.day, after.month, after.day) == (1, 1, 1, 1) and after.year == first.year + 1:
        return first.strftime("%Y")
    return first.date().isoformat()
