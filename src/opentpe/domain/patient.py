"""The patient as the record tells it: dated values, each with the resource it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class When:
    """A point in time known to some precision: FHIR's partial dates are intervals.

    >>> When.day(date(2026, 2, 18)).latest.isoformat()
    '2026-02-18T23:59:59'
    """

    earliest: datetime
    latest: datetime

    @classmethod
    def day(cls, on: date) -> When:
        """The whole of one day."""
        start = datetime(on.year, on.month, on.day)  # noqa: DTZ001 - the record's own wall clock
        return cls(start, start + timedelta(seconds=86399))

    @classmethod
    def at(cls, moment: datetime) -> When:
        """An exact moment, on the record's wall clock."""
        return cls(moment, moment)

    @property
    def first_day(self) -> date:
        """The earliest day it may be."""
        return self.earliest.date()

    @property
    def certain_day(self) -> bool:
        """True where the day is known."""
        return self.earliest.date() == self.latest.date()

    def age_days(self, on: date) -> int:
        """Whole days from the latest possible day to `on`; negative for the future."""
        return on.toordinal() - self.latest.toordinal()


@dataclass(frozen=True, slots=True)
class Observation:
    """One finding: a number in the canonical unit of its kind, or a coded answer."""

    kind: str  # name in codes.toml: "haematocrit", "edss", "aqp4_igg", "veins_left", …
    value: float | None
    unit: str  # canonical unit of the kind; "" for a coded answer
    when: When
    source: str  # the resource, as "Observation/hct-1"
    answer: str = ""  # coded answer: "positive", "negative", "none", "usable", …
    site: str = ""  # left | right | ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One diagnosis on the problem list."""

    kind: str  # name in codes.toml: "ms_relapsing", "optic_neuritis", "sepsis", … or "other"
    code: str
    text: str
    active: bool
    source: str
    onset: When | None = None
    abated: When | None = None
    site: str = ""
    severity: str = ""  # mild | moderate | severe | ""
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Medication:
    """One drug taken, in mg where the dose is known."""

    kind: str  # name in codes.toml: "methylprednisolone", "enalapril", "natalizumab", …
    group: str  # glucocorticoid | ace_inhibitor | anticoagulant | antibody | immunoglobulin | dmt | vaccine | other
    name: str
    source: str
    start: When | None = None
    end: When | None = None
    dose_mg: float | None = None
    route: str = ""  # iv | oral | sc | im | ""
    doses_count: int | None = None
    certainty: str = "taken"  # taken (administration) | stated (statement) | ordered (request)


@dataclass(frozen=True, slots=True)
class Allergy:
    """One recorded allergy or intolerance."""

    kind: str  # plasma | albumin | heparin | ethylene_oxide | latex | iga_deficiency | other
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class PastProcedure:
    """A procedure already done: an exchange of this course, or a catheter placed."""

    kind: str  # plasma_exchange | immunoadsorption | catheter | other
    source: str
    when: When
    status: str = "completed"
    plasma_removed_ml: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something in the record that was ignored, settled by a rule, or needs a look."""

    code: str  # unit_unknown | implausible | after_on | contradiction | duplicate | stale | unreadable | …
    where: str
    found: str
    expected: str
    action: str  # what was done: "ignored", "the newer value is used", …


@dataclass(frozen=True, slots=True)
class Patient:
    """Who it is about. `birth` is an interval where the record gives only a year."""

    identifier: str
    sex: str  # female | male | "" where the record does not say
    birth: When | None = None
    name: str = ""
    observations: tuple[Observation, ...] = ()
    conditions: tuple[Condition, ...] = ()
    medications: tuple[Medication, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    procedures: tuple[PastProcedure, ...] = ()

    def age_years(self, on: date) -> int | None:
        """Completed years on a day, None where the birth date is not known."""
        if self.birth is None:
            return None
        born = self.birth.first_day
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    def seen(self, kind: str, on: date) -> tuple[Observation, ...]:
        """Observations of a kind up to and including a day, newest first."""
        rows = [o for o in self.observations if o.kind == kind and o.when.first_day <= on]
        return tuple(sorted(rows, key=lambda o: (o.when.earliest, o.source), reverse=True))

    def latest(self, kind: str, on: date) -> Observation | None:
        """The newest observation of a kind up to a day."""
        rows = self.seen(kind, on)
        return rows[0] if rows else None

    def has(self, kind: str) -> Condition | None:
        """The first active condition of a kind."""
        return next((c for c in self.conditions if c.kind == kind and c.active), None)
