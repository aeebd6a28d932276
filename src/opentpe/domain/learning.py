"""What was learned from the labs, which course is next, what a virtual trial showed: plain tuples, like a consultation.

Read by terminal, report, page and JSON alike. Bands are weighted where the cohort behind them is a posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

from opentpe.domain.consultation import Band, Line, Series, Versions
from opentpe.domain.therapy import Course, Measurement


@dataclass(frozen=True, slots=True)
class Learned:
    """One parameter of the patient before and after the labs.

    `learned_fraction` is 1 - posterior/prior width of the 90 % band relative to the median: 0, the labs told nothing.
    """

    name: str
    unit: str
    prior: Band
    posterior: Band
    learned_fraction: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One lab beside what was expected of it.

    `expected` is the prior's prediction and `fitted` the posterior's, both without assay error. `weight_fraction` is
    how much of an ordinary value's weight it kept, near 0 for a value the fit does not believe. `flags` are codes.
    """

    measurement: Measurement
    value: float  # in the unit of the bands
    expected: Band
    fitted: Band
    surprise_sd: float  # distance from the prior's prediction in standard deviations, assay error included
    weight_fraction: float
    error_sd: float  # of the lab on the log scale
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """Values expected before and after one session, by the prior and by the posterior."""

    n: int
    start_min: float
    performed: bool
    prior: tuple[tuple[str, Band], ...]
    posterior: tuple[tuple[str, Band], ...]
    prior_after: tuple[tuple[str, Band], ...]
    posterior_after: tuple[tuple[str, Band], ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """What the labs of one course taught: parameters, labs judged, forecasts before and after learning, alarms."""

    course: Course
    words: str
    learned: tuple[Learned, ...]
    labs: tuple[Judged, ...]
    sessions: tuple[Before, ...]
    prior_series: tuple[Series, ...]
    posterior_series: tuple[Series, ...]
    alarms: tuple[Line, ...]
    effective_sample_size: float
    rounds_count: int
    conflict_probability: float  # of labs at least this far from the prior, were the prior true
    assumed: tuple[Line, ...] = ()
    versions: Versions | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """One limit of a plan: which, its bound, and the probability that the course keeps it throughout."""

    limit: str
    bound: float
    unit: str
    probability: float
    screened: bool  # a fast stand-in said so, not the full simulation


@dataclass(frozen=True, slots=True)
class Candidate:
    """One course that could be chosen, with what it gives and what it costs."""

    words: str
    course: Course
    days: float  # from now to the end of the last session
    dates: tuple[str, ...]
    sessions_count: int
    chair_h: float
    staff_h: float
    plasma_removed_ml: float
    albumin_g: float
    plasma_units: float
    cost: float
    weekend_sessions_count: int
    kept: tuple[Kept, ...]
    values: tuple[tuple[str, Band], ...]  # fall of IgG or drug, fibrinogen before sessions, …
    all_kept_probability: float
    full: bool  # run in full; False where all numbers are screened
    front: bool = False  # nothing else is better in days, fall and fibrinogen at once


@dataclass(frozen=True, slots=True)
class PlanRanking:
    """The candidates in order, why the first one won, what free weekends cost, and what was only screened."""

    goal: str
    ranked: tuple[Candidate, ...]  # the best, run in full
    front: tuple[Candidate, ...]  # screened, for the trade-off plot
    candidates_count: int
    allowed_count: int
    why: tuple[Line, ...]
    weekends: tuple[Line, ...]
    screened: tuple[str, ...]  # names of the numbers that no full simulation stands behind
    alarms: tuple[Line, ...] = ()
    versions: Versions | None = None


@dataclass(frozen=True, slots=True)
class Estimated:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One endpoint in one arm: mean (or share, for an event) with interval, spread and quantiles between patients."""

    arm: str
    endpoint: str
    unit: str
    patients_count: int
    mean: Estimated
    sd: float
    p05: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Contrast:
    """One arm against the first: paired difference with interval, and the size a real trial would need.

    `patients_per_arm` is for two parallel arms at the stated power; None where no difference is seen.
    """

    arm: str
    against: str
    endpoint: str
    unit: str
    difference: Estimated
    patients_per_arm: int | None
    power_at: tuple[tuple[int, float], ...]  # patients per arm, probability of p < alpha


@dataclass(frozen=True, slots=True)
class Influence:
    """How much of an endpoint's variance one uncertain parameter explains, alone (first) and in all (total)."""

    endpoint: str
    parameter: str
    first: Estimated
    total: Estimated


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """A virtual trial: arms, contrasts, influences, and what produced them."""

    name: str
    population: str
    patients_count: int
    arms: tuple[tuple[str, str], ...]
    results: tuple[ArmResult, ...]
    contrasts: tuple[Contrast, ...]
    influences: tuple[Influence, ...]
    rate_per_s: float
    digest: str  # of specification, seed, code, evidence and device
    detail: str = "screened"  # of the sessions: screened | full
    device: str = "cpu"  # what the courses ran on: cpu | gpu
    screened: tuple[str, ...] = ()  # endpoints that rest on screened formulas
    notes: tuple[Line, ...] = ()
    versions: Versions | None = None
