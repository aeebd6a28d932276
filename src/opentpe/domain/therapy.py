"""One order, one session, one course: what is prescribed, planned and performed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

MINUTES_PER_DAY = 1440


class Dose(StrEnum):
    """What the volume of an order counts: always patient plasma removed, anticoagulant excluded."""

    PLASMA_VOLUMES = "PV"
    ML = "mL"


@dataclass(frozen=True, slots=True)
class FluidPart:
    """One fluid of the replacement sequence and its share of the replaced volume."""

    fluid: str  # file name in evidence/fluids: "albumin_5", "saline", "plasma", …
    fraction: float


@dataclass(frozen=True, slots=True)
class Calcium:
    """Calcium gluconate 10 % with the session: mL per litre replaced, or g per hour."""

    amount: float
    unit: str  # mL/L | g/h


@dataclass(frozen=True, slots=True)
class Prescription:
    """One order. None means not said: the library's default is taken and printed as such."""

    dose: float
    dose_unit: Dose
    fluids: tuple[FluidPart, ...] = ()
    inlet_ac_ratio: float | None = None
    calcium: Calcium | None = None
    balance_fraction: float | None = None
    access: str | None = None
    separator: str | None = None
    single_needle: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the sessions start. `kind`: daily | every_other_day | every_h | days | dates | weekdays."""

    kind: str
    every_h: float | None = None
    days: tuple[int, ...] = ()  # day 0 is the day of session 1
    dates: tuple[date, ...] = ()
    weekdays: tuple[int, ...] = ()  # Monday 0, in the order written; they repeat
    start: date | None = None

    def starts_min(self, count: int) -> tuple[float, ...]:
        """Start of each session in minutes since the start of session 1."""
        if self.kind in ("dates", "weekdays"):
            on = self.on_dates(count, self.start or date(2024, 1, 1))  # any Monday: offsets only
            return tuple(float((d - on[0]).days * MINUTES_PER_DAY) for d in on)
        if self.kind == "days":
            first = self.days[0]
            return tuple(float((d - first) * MINUTES_PER_DAY) for d in self.days)
        step_h = {"daily": 24.0, "every_other_day": 48.0}.get(self.kind, self.every_h or 24.0)
        return tuple(i * step_h * 60 for i in range(count))

    def on_dates(self, count: int, first: date) -> tuple[date, ...]:
        """The calendar days of the sessions when session 1 is on `first`, or on the first fitting weekday after it."""
        if self.kind == "dates":
            return self.dates
        if self.kind == "weekdays":
            return _weekday_dates(self.weekdays, count, self.start or first)
        return tuple(first + timedelta(minutes=m) for m in self.starts_min(count))


def _weekday_dates(weekdays: tuple[int, ...], count: int, first: date) -> tuple[date, ...]:
    days: list[date] = []
    cursor = first
    for i in range(count):
        ahead = (weekdays[i % len(weekdays)] - cursor.weekday()) % 7
        cursor += timedelta(days=ahead)
        days.append(cursor)
        cursor += timedelta(days=1)
    return tuple(days)


@dataclass(frozen=True, slots=True)
class Procedure:
    """One session: planned, simulated or performed; volumes are patient plasma unless the name says otherwise."""

    n: int
    start_min: float
    prescription: Prescription
    status: str = "planned"  # planned | simulated | performed | partial | missed
    on: datetime | None = None
    duration_min: float | None = None
    plasma_removed_ml: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A laboratory value of the course: which solute, when, how much, how sure."""

    solute: str
    time_min: float
    value: float
    unit: str
    source: str = ""
    below_detection: bool = False


@dataclass(frozen=True, slots=True)
class DrugDose:
    """A dose of an antibody or immunoglobulin; minutes from the start of session 1, may be negative."""

    drug: str
    time_min: float
    dose_mg: float
    route: str = "iv"


@dataclass(frozen=True, slots=True)
class Course:
    """The procedures of one relapse: the same order `count` times on a schedule, with what was done so far."""

    count: int
    prescription: Prescription
    schedule: Schedule
    performed: tuple[Procedure, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    drug_doses: tuple[DrugDose, ...] = ()

    def procedures(self) -> tuple[Procedure, ...]:
        """Every session: performed ones as they were, the rest as planned."""
        done = {p.n: p for p in self.performed}
        return tuple(
            done.get(i + 1, Procedure(i + 1, start, self.prescription))
            for i, start in enumerate(self.schedule.starts_min(self.count))
        )
