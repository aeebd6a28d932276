"""The courses a search chooses from: every order, number, spacing and calendar the unit allows, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Calcium, Course, Dose, Prescription, Schedule
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel.circuit import Run
from opentpe.simulation.setup import Setup, prepare

FILE: Final = "plan"
_WEEKEND: Final = 5  # Saturday, counted from Monday 0
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Kind(NamedTuple):
    """One distinct session: the order, what it means for this patient, and the run it makes."""

    prescription: Prescription
    setup: Setup
    run: Run
    plasma_volumes: float


class Option(NamedTuple):
    """One candidate: which kind of session, on which days from the first planned one."""

    kind: int
    days: tuple[int, ...]  # after the first planned day
    weekends: bool  # may use days on which the unit is closed


def kinds(
    subject: Subject,
    course: Course,
    library: Library,
    unit: Mapping[str, Any],
    accesses: Sequence[str] = (),
) -> tuple[Kind, ...]:
    """Every distinct session the library offers, for this patient, with the course's own access first."""
    book = library.document(FILE)
    fluids = [words.parse(f"1 x 1 PV daily, {row['words']}").prescription.fluids for row in book["fluids"]]
    found = []
    for access in dict.fromkeys((course.prescription.access or "", *accesses)):
        base = _with_access(course.prescription, access, unit)
        for parts in fluids:
            for calcium in book["calcium_ml_per_l"]:
                order = replace(base, fluids=parts, calcium=Calcium(float(calcium), "mL/L"))
                found += [_kind(subject, course, order, float(pv), library, unit) for pv in book["plasma_volumes"]]
    return tuple(found)


def _with_access(order: Prescription, access: str, unit: Mapping[str, Any]) -> Prescription:
    if not access or access == order.access:
        return order
    single = access == unit["access_single_needle"]
    return replace(order, access=access, single_needle=single, separator=None)


def _kind(
    subject: Subject,
    course: Course,
    order: Prescription,
    plasma_volumes: float,
    library: Library,
    unit: Mapping[str, Any],
) -> Kind:
    order = replace(order, dose=plasma_volumes, dose_unit=Dose.PLASMA_VOLUMES)
    setup = prepare(subject, replace(course, prescription=order), library, unit)
    return Kind(order, setup, setup.run, plasma_volumes)


def options(kinds_count: int, done: int, first: date, library: Library, unit: Mapping[str, Any]) -> tuple[Option, ...]:
    """Every candidate: kinds x sessions still to do x spacing x calendar, from the first possible day on."""
    book = library.document(FILE)
    calendars = dict.fromkeys(
        (session_days(first, count - done, interval, unit, weekends), weekends)
        for count in book["sessions_count"]
        for interval in book["interval_days"]
        for weekends in (False, True)
        if count > done
    )
    shapes = dict(reversed(calendars))  # a free weekend wins over the same days
    return tuple(Option(k, days, weekends) for k in range(kinds_count) for days, weekends in shapes.items())


def session_days(first: date, count: int, interval: int, unit: Mapping[str, Any], weekends: bool) -> tuple[int, ...]:
    """Days after `first` of `count` sessions, each the first allowed day at least `interval` days after the last."""
    days: list[int] = []
    at = 0
    for _ in range(count):
        ahead = next((a for a in range(30) if weekends or is_open(first + timedelta(days=at + a), unit)), None)
        if ahead is None:
            raise InputError("unit", "no opening day within 30 days", "opening_days with at least one day")
        days.append(at + ahead)
        at += ahead + interval
    return tuple(days)


def is_open(day: date, unit: Mapping[str, Any]) -> bool:
    """True on the unit's opening days that are no holiday."""
    return _WEEKDAYS[day.weekday()] in unit["opening_days"] and day.isoformat() not in map(str, unit["holidays"])


def course_of(option: Option, kind: Kind, course: Course, performed_on: Sequence[date], first: date) -> Course:
    """A candidate as a course: what was done as it was, the rest by the candidate's order on its days."""
    days = tuple(first + timedelta(days=d) for d in option.days)
    done = len(performed_on)
    return replace(
        course,
        count=done + len(days),
        prescription=kind.prescription,
        schedule=Schedule("dates", dates=(*performed_on, *days)),
        performed=course.performed[:done],
    )


class Burden(NamedTuple):
    """What a candidate takes from patient and unit."""

    days: float
    chair_h: float
    staff_h: float
    plasma_ml: float
    albumin_g: float
    plasma_units: float
    cost: float
    weekend_sessions: int


def burden(option: Option, kind: Kind, first: date, library: Library) -> Burden:
    """Days, chair and staff hours, plasma, albumin, donor units and cost of what is still to do."""
    n, run, setup = len(option.days), kind.run, kind.setup
    chair = (run.duration_min + library.value("order.chair_overhead_min")) / 60
    staff = chair * library.value(f"{FILE}.staff_share_fraction")
    albumin = sum(
        share * run.replaced_ml / 1000 * library.value(f"fluids/{fluid}.albumin_g_l")
        for fluid, share in setup.fluids
        if not library.document(f"fluids/{fluid}")["donor_plasma"]
    )
    donor = sum(
        share * run.replaced_ml / library.value(f"fluids/{fluid}.bottle_ml")
        for fluid, share in setup.fluids
        if library.document(f"fluids/{fluid}")["donor_plasma"]
    )
    price = library.values(f"{FILE}.price")
    each = albumin * price["albumin_per_g"] + donor * price["plasma_unit"] + price["session"] + staff * price["nurse_h"]
    weekend = sum((first + timedelta(days=d)).weekday() >= _WEEKEND for d in option.days)
    return Burden(
        option.days[-1] + run.duration_min / MINUTES_PER_DAY,
        n * chair,
        n * staff,
        n * setup.volume_ml,
        n * albumin,
        n * donor,
        n * each,
        weekend,
    )
