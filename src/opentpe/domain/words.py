"""Course words <-> `Course`: one grammar for command line, files and pages.

    5 x 1.0 PV every other day, albumin 5 %, inlet:AC 10:1, calcium gluconate 10 mL/L
    5 x 2500 mL patient plasma Mon Wed Fri from 2026-02-20, 20 % saline then 80 % albumin 5 %, balance 100 %

PV and volumes mean patient plasma removed; anticoagulant in the bag is not counted. What is not said stays unset.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final, TypeVar

from opentpe.domain.therapy import Calcium, Course, Dose, FluidPart, Prescription, Schedule
from opentpe.errors import WordsError

_NUMBER: Final = r"(\d+(?:\.\d+)?)"
_HEAD: Final = re.compile(
    r"(?P<count>\d+)\s*[x×]\s*(?P<dose>\d+(?:\.\d+)?)\s*(?P<unit>PV|mL|L)(?:\s+patient\s+plasma)?\s+(?P<schedule>.+)",
    re.IGNORECASE,
)
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PART: Final = re.compile(rf"(?:{_NUMBER}\s*%\s+)?(?P<name>[A-Za-z].*)")
_LIMIT_COUNT: Final = 60  # a course of more sessions is a typing error

_T = TypeVar("_T", int, date)
Setter = Callable[[Prescription, re.Match[str]], Prescription]
_EXTRAS: Final[tuple[tuple[re.Pattern[str], Setter], ...]] = (
    (re.compile(rf"inlet:AC\s+{_NUMBER}\s*:\s*1", re.IGNORECASE), lambda p, m: replace(p, inlet_ac_ratio=float(m[1]))),
    (
        re.compile(rf"calcium\s+gluconate\s+{_NUMBER}\s*(mL/L|g/h)", re.IGNORECASE),
        lambda p, m: replace(p, calcium=Calcium(float(m[1]), "mL/L" if m[2].lower() == "ml/l" else "g/h")),
    ),
    (re.compile(r"no\s+calcium", re.IGNORECASE), lambda p, _: replace(p, calcium=Calcium(0.0, "mL/L"))),
    (
        re.compile(rf"balance\s+{_NUMBER}\s*%", re.IGNORECASE),
        lambda p, m: replace(p, balance_fraction=float(m[1]) / 100),
    ),
    (re.compile(r"access\s+(\w[\w -]*)", re.IGNORECASE), lambda p, m: replace(p, access=_key(m[1]))),
    (re.compile(r"separator\s+(\w[\w -]*)", re.IGNORECASE), lambda p, m: replace(p, separator=_key(m[1]))),
    (re.compile(r"single\s+needle", re.IGNORECASE), lambda p, _: replace(p, single_needle=True)),
)


def parse(text: str) -> Course:
    """The course the words describe; `WordsError` points at the part that does not parse.

    >>> parse("3 x 1.0 PV every other day, albumin 5 %, inlet:AC 10:1").schedule.starts_min(3)
    (0.0, 2880.0, 5760.0)
    """
    head, *rest = [part.strip() for part in text.strip().split(",")]
    match = _HEAD.fullmatch(head)
    if match is None:
        raise WordsError(
            "course", repr(head), 'such as "5 x 1.0 PV every other day"', "Start with count, dose and schedule."
        )
    count, dose = int(match["count"]), float(match["dose"])
    unit = Dose.PLASMA_VOLUMES if match["unit"].upper() == "PV" else Dose.ML
    if match["unit"].upper() == "L":
        dose *= 1000
    if not 0 < count <= _LIMIT_COUNT or dose <= 0:
        raise WordsError("course", repr(head), f"1 to {_LIMIT_COUNT} sessions of a volume above 0")
    prescription = Prescription(dose, unit)
    for part in rest:
        prescription = _extend(prescription, part)
    return Course(count, prescription, _schedule(match["schedule"].strip(), count))


def _extend(prescription: Prescription, part: str) -> Prescription:
    for pattern, setter in _EXTRAS:
        match = pattern.fullmatch(part)
        if match:
            return setter(prescription, match)
    if not prescription.fluids and re.match(rf"(?:{_NUMBER}\s*%\s+)?[A-Za-z]", part) and "calcium" not in part.lower():
        return replace(prescription, fluids=_fluids(part))
    raise WordsError(
        "course",
        repr(part),
        "fluids, inlet:AC n:1, calcium gluconate n mL/L or g/h, balance n %, access, separator or single needle",
    )


def _fluids(text: str) -> tuple[FluidPart, ...]:
    parts = re.split(r"\s+then\s+", text, flags=re.IGNORECASE)
    found = []
    for part in parts:
        match = _PART.fullmatch(part.strip())
        if match is None or (match[1] is None and len(parts) > 1):
            raise WordsError("course fluids", repr(part), 'a share and a fluid, such as "80 % albumin 5 %"')
        found.append(FluidPart(_key(match["name"]), round(float(match[1]) / 100, 9) if match[1] else 1.0))
    total = sum(p.fraction for p in found)
    if abs(total - 1) > 1e-6:
        raise WordsError(
            "course fluids", f"shares that add to {100 * total:g} %", "100 %", "Correct the shares of the sequence."
        )
    return tuple(found)


def _schedule(text: str, count: int) -> Schedule:
    lower = text.lower()
    if lower == "daily":
        return Schedule("daily")
    if lower == "every other day":
        return Schedule("every_other_day")
    if match := re.fullmatch(rf"every\s+{_NUMBER}\s*h", lower):
        return Schedule("every_h", every_h=float(match[1]))
    if match := re.fullmatch(r"on\s+days?\s+([\d ]+)", lower):
        days = tuple(int(d) for d in match[1].split())
        return Schedule("days", days=_agrees(days, count, text))
    if match := re.fullmatch(r"on\s+((?:\d{4}-\d{2}-\d{2}\s*)+)", lower):
        dates = tuple(_date(d) for d in match[1].split())
        return Schedule("dates", dates=_agrees(dates, count, text))
    return _weekday_schedule(text)


def _weekday_schedule(text: str) -> Schedule:
    words, _, start = text.partition(" from ")
    try:
        weekdays = tuple(WEEKDAYS.index(w[:3].title()) for w in words.split())
    except ValueError:
        raise WordsError(
            "course schedule",
            repr(text),
            'daily, every other day, every 24 h, on days 0 2 4, on dates, or weekdays such as "Mon Wed Fri"',
        ) from None
    return Schedule("weekdays", weekdays=weekdays, start=_date(start) if start else None)


def _agrees(values: tuple[_T, ...], count: int, text: str) -> tuple[_T, ...]:
    if len(values) != count or list(values) != sorted(set(values)):
        raise WordsError("course schedule", repr(text), f"{count} days in rising order")
    return values


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise WordsError("course schedule", repr(text), "a date such as 2026-02-20") from None


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("%", " ")).strip("_")


def fluid_words(key: str) -> str:
    """How a fluid is called in course words.

    >>> fluid_words("albumin_5")
    'albumin 5 %'
    """
    if match := re.fullmatch(r"(\w+?)_(\d+)", key):
        return f"{match[1].replace('_', ' ')} {match[2]} %"
    return key.replace("_", " ")


def say(course: Course) -> str:
    """The course in words that `parse` reads back to the same order and schedule."""
    p = course.prescription
    dose = f"{p.dose:g} PV" if p.dose_unit is Dose.PLASMA_VOLUMES else f"{p.dose:g} mL patient plasma"
    parts = [f"{course.count} x {dose} {_say_schedule(course.schedule)}"]
    if p.fluids:
        single = len(p.fluids) == 1
        parts.append(
            " then ".join(("" if single else f"{100 * f.fraction:g} % ") + fluid_words(f.fluid) for f in p.fluids)
        )
    if p.inlet_ac_ratio is not None:
        parts.append(f"inlet:AC {p.inlet_ac_ratio:g}:1")
    if p.calcium is not None:
        parts.append(f"calcium gluconate {p.calcium.amount:g} {p.calcium.unit}" if p.calcium.amount else "no calcium")
    if p.balance_fraction is not None:
        parts.append(f"balance {100 * p.balance_fraction:g} %")
    parts += [
        f"{word} {key.replace('_', ' ')}" for word, key in (("access", p.access), ("separator", p.separator)) if key
    ]
    if p.single_needle:
        parts.append("single needle")
    return ", ".join(parts)


def _say_schedule(s: Schedule) -> str:
    if s.kind == "every_h":
        return f"every {s.every_h:g} h"
    if s.kind == "days":
        return "on days " + " ".join(map(str, s.days))
    if s.kind == "dates":
        return "on " + " ".join(d.isoformat() for d in s.dates)
    if s.kind == "weekdays":
        return " ".join(WEEKDAYS[w] for w in s.weekdays) + (f" from {s.start.isoformat()}" if s.start else "")
    return s.kind.replace("_", " ")
