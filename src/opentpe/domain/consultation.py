"""The one result object: terminal, report, page, JSON, FHIR and card read these plain tuples and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from opentpe.domain.decision import Decision
from opentpe.domain.patient import Issue, Patient
from opentpe.domain.relapse import Relapse
from opentpe.domain.sourced import Citation, Sourced
from opentpe.domain.therapy import Course
from opentpe.errors import InputError

Value = float | int | str | bool | date | None


@dataclass(frozen=True, slots=True)
class Band:
    """A quantity with its uncertainty: median, 50 % band (p25 to p75) and 90 % band (p05 to p95)."""

    median: float
    p05: float
    p25: float
    p75: float
    p95: float
    unit: str


@dataclass(frozen=True, slots=True)
class Series:
    """A quantity over time with its bands; `time_min` counts from the start of session 1 (or of the session)."""

    name: str
    unit: str
    time_min: tuple[float, ...]
    median: tuple[float, ...]
    p05: tuple[float, ...]
    p25: tuple[float, ...]
    p75: tuple[float, ...]
    p95: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SessionForecast:
    """One session: volumes as the operator sees them, solutes before and after, extremes within."""

    n: int
    start_min: float
    duration_min: float
    chair_min: float
    plasma_removed_ml: float
    plasma_volumes: float
    bag_ml: float
    ac_used_ml: float
    ac_to_patient_ml: float
    replaced_ml: float
    blood_processed_ml: float
    inlet_flow_ml_min: float
    pre: tuple[tuple[str, Band], ...]
    post: tuple[tuple[str, Band], ...]
    nadir: tuple[tuple[str, Band], ...] = ()
    balance: tuple[tuple[str, Band], ...] = ()  # what was given, removed, metabolised, and what came from tissue
    cells: tuple[tuple[str, Band], ...] = ()  # platelets and haematocrit before and after


@dataclass(frozen=True, slots=True)
class Moment:
    """Values at a named time: `label` as asked for ("72h"), counted from the end of the last session."""

    label: str
    time_min: float
    values: tuple[tuple[str, Band], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One statement as data: a sentence code with the values that fill it and its sources."""

    code: str
    values: tuple[tuple[str, Value], ...] = ()
    sources: tuple[str, ...] = ()
    status: str = ""  # status word of the weakest value in it, where that matters

    def value(self, name: str) -> Value:
        """A filled value by name, None where there is none."""
        return dict(self.values).get(name)


@dataclass(frozen=True, slots=True)
class Estimator:
    """One way to estimate plasma volume; `used` marks the one in the order."""

    name: str
    plasma_volume_ml: float
    used: bool
    source: str
    outside_validity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """The order of one course: lines ready to sign, session dates, fluids to pick, and the same as a `Course`."""

    course: Course
    words: str
    plasma_volume_ml: float
    volume_ml: float
    plasma_volumes: float
    estimators: tuple[Estimator, ...]
    dates: tuple[date, ...]
    bottles: tuple[tuple[str, float, int], ...]  # fluid, bottle size mL, count per session
    lines: tuple[Line, ...]
    needs: tuple[str, ...] = ()  # facts the order cannot be signed without: "height", "haematocrit", …


@dataclass(frozen=True, slots=True)
class Risk:
    """One harm: probability per session and per course as bands (fractions), with where the rate comes from."""

    event: str
    per_session: Band | None
    per_course: Band | None
    sources: tuple[str, ...] = ()
    basis: str = ""
    condition: str = ""  # "", "central_catheter", "plasma", …
    thin: bool = False  # one source or an assumption: "little evidence"
    linked: str = ""  # "ionised_calcium", "relative_blood_volume", … when the simulation drives it


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one predictor adds to the expected benefit, in log-odds before and after shrinkage."""

    predictor: str
    present: bool | None
    raw_log_odds: float
    shrunk_log_odds: float
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Benefit:
    """Response of the target deficit as four groups out of 1, with bands, with and without exchange."""

    horizon: str  # discharge | six_months
    arm: str  # exchange | no_exchange | immunoadsorption | …
    none: Band
    mild: Band
    moderate: Band
    marked: Band
    moderate_or_better: Band
    contributions: tuple[Contribution, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One alternative side by side: every cell is a sentence code or a plain value, with its sources."""

    key: str
    cells: tuple[tuple[str, Value], ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrugAdvice:
    """What the simulation says about a drug around the course: lost share, dose after session, re-dose."""

    drug: str
    lines: tuple[Line, ...]
    lost_fraction: Band | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """What produced a result."""

    opentpe: str
    library: str  # content hash
    overlays: tuple[str, ...] = ()
    seed: int = 0
    draws_count: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of a course: sessions, moments after it, series with bands, and what it rests on."""

    course: Course
    words: str
    plasma_volume_ml: Band
    sessions: tuple[SessionForecast, ...]
    moments: tuple[Moment, ...]
    series: tuple[Series, ...]  # over the course
    session_series: tuple[Series, ...] = ()  # over the first session
    drugs: tuple[DrugAdvice, ...] = ()
    risks: tuple[Risk, ...] = ()
    assumed: tuple[Line, ...] = ()
    warnings: tuple[Line, ...] = ()
    sources: tuple[Sourced, ...] = ()
    versions: Versions | None = None

    def at(self, label: str) -> Moment:
        """The moment asked for by label, such as "24h" after the last session; `InputError` names those there are."""
        for moment in self.moments:
            if moment.label == label:
                return moment
        raise InputError("at", repr(label), ", ".join(m.label for m in self.moments), "Ask for it with at=(...).")

    def over(self, name: str) -> Series | None:
        """A course series by name."""
        return next((s for s in self.series if s.name == name), None)


@dataclass(frozen=True, slots=True)
class Consultation:
    """Everything one consultation says, for one patient on one day."""

    on: date
    patient: Patient
    relapse: Relapse | None
    decision: Decision
    issues: tuple[Issue, ...]
    order: Order | None = None
    forecast: Forecast | None = None
    options: tuple[Option, ...] = ()
    benefit: tuple[Benefit, ...] = ()
    versions: Versions | None = None
    citations: tuple[Citation, ...] = ()
    assumed: tuple[Line, ...] = ()
    benefit_lines: tuple[Line, ...] = ()  # counts, conflicts and limits beside the expected benefit
    harm_lines: tuple[Line, ...] = ()  # limits of the rates of harm
