"""Does the fit learn, and does it know how much? Simulation-based calibration, and baselines under another truth.

`calibrate` draws patients and labs from the model itself: the truth must fall into the posterior's bands as often as
they say (`calibration_verdict` holds the limits). `compare` takes patients from a model of another kind, so that the
fit is not its own exam, and sets its forecast of the next session beside three simple ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.special import stdtrit
from scipy.stats import chisquare

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Measurement
from opentpe.evidence.load import Library
from opentpe.kernel import march
from opentpe.kernel.arrays import Cohort, Floats
from opentpe.simulation import bands, cohort, labs, population, posterior, problem
from opentpe.simulation.draws import Stream, normals, uniforms
from opentpe.simulation.problem import Problem
from opentpe.simulation.setup import prepare

COURSE: Final = words.parse("5 x 1.0 PV every other day, albumin 5 %, inlet:AC 10:1")
SOLUTES: Final = ("igg", "fibrinogen")
_DAYS: Final = (0.0, 2.0, 2.08, 4.0)  # labs before sessions 1, 2, 3 and after 2; session 4 is forecast
_NEXT: Final = 3  # index of the session that is forecast
BINS: Final = 20
ROWS: Final = 1000
BANDS: Final = (0.50, 0.90)
Truth = Callable[[Subject, int], Mapping[tuple[str, float], float]]  # true levels at (solute, day) of patient i


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One quantity over all patients: ranks of the truth in the posterior, coverage of the bands, test of the ranks."""

    quantity: str
    ranks: tuple[int, ...]  # counts in BINS equal parts
    covered: tuple[tuple[float, float], ...]  # band, share of truths inside
    probability: float  # of ranks at least this uneven, were they uniform


@dataclass(frozen=True, slots=True)
class Forecasting:
    """Error of one way to forecast one solute at one moment of the next session, per cent."""

    method: str
    solute: str
    moment: str
    patients_count: int
    median_error_percent: float
    p90_error_percent: float
    inside_percent: float | None  # truths in the 90 % band, for a method that has one


class _Guess(NamedTuple):
    """A forecast: its middle, and its 90 % band where the method has one."""

    middle: float
    band: tuple[float, float] | None = None

    def against(self, true: float) -> tuple[float, bool | None]:
        """Distance from the truth on the log scale, and whether the band holds the truth."""
        return abs(float(np.log(self.middle / true))), self.band and self.band[0] <= true <= self.band[1]


class _Read(NamedTuple):
    name: str
    of: Callable[[Cohort, Floats, Floats], Floats]  # people, levels before and after the next session


def synthetic(i: int, seed: int, library: Library) -> Subject:
    """Size and blood of synthetic patient i; the resting values are left for the fit to learn."""
    group = population.draw("ms_relapse", library, seed, np.array([i]))
    return replace(population.person(group, 0), measured=())


def calibrate(
    patients: int, library: Library, unit: Mapping[str, Any], seed: int, rows: int = ROWS, first: int = 0
) -> tuple[Calibrated, ...]:
    """Ranks and coverage over `patients` synthetic patients of the model itself."""
    reads = _reads()
    ranks = np.array([_ranks(i, library, unit, seed, rows, reads) for i in range(first, first + patients)])
    return tuple(told(read.name, ranks[:, k]) for k, read in enumerate(reads))


def _reads() -> tuple[_Read, ...]:
    per_solute = [
        _Read(f"{key}.{field}", lambda p, _b, _a, j=j, field=field: getattr(p, field)[:, j])  # type: ignore[misc]
        for j, key in enumerate(SOLUTES)
        for field in ("concentration", "escape_rate", "catabolic_rate")
    ]
    forecast = [
        read
        for j, key in enumerate(SOLUTES)
        for read in (
            _Read(f"{key} before session {_NEXT + 1}", lambda _p, b, _a, j=j: b[:, j]),  # type: ignore[misc]
            _Read(f"{key} after session {_NEXT + 1}", lambda _p, _b, a, j=j: a[:, j]),  # type: ignore[misc]
        )
    ]
    return (_Read("plasma_volume", lambda p, _b, _a: p.plasma_ml), *per_solute, *forecast)


def _ranks(
    i: int, library: Library, unit: Mapping[str, Any], seed: int, rows: int, reads: Sequence[_Read]
) -> list[float]:
    """Where the truth of patient i stands in its posterior, 0 to 1, for each quantity."""
    subject = synthetic(i, seed, library)
    posed = _pose(subject, [(s, d, 1.0) for d in _DAYS for s in SOLUTES], library, unit)
    z = normals(seed, i, Stream.MEASUREMENT, posed.layout.width, "truth")[None, :]
    errors = noise(seed, i, len(posed.labs), library)
    exact = problem.predict(posed, z)[0]
    drawn = tuple(
        lab._replace(log_value=v + lab.log_sd * e) for lab, v, e in zip(posed.labs, exact, errors, strict=True)
    )
    found = posterior.infer(posed._replace(labs=drawn), seed + i, rows)
    truth, guesses = _ahead(posed, z), _ahead(posed, found.z)
    return [float(found.weights @ (read.of(*guesses) < read.of(*truth)[0])) for read in reads]


def noise(seed: int, i: int, count: int, library: Library) -> Floats:
    """Assay errors of synthetic patient i, in standard deviations: Student's t, wild values among them."""
    u = uniforms(seed, i, Stream.MEASUREMENT, count, "error")
    return np.asarray(stdtrit(library.value(f"{labs.FILE}.error_degrees"), u), np.float64)


def _pose(
    subject: Subject, found: Sequence[tuple[str, float, float]], library: Library, unit: Mapping[str, Any]
) -> Problem:
    course = replace(COURSE, measurements=tuple(Measurement(s, d * MINUTES_PER_DAY, v, "g/L") for s, d, v in found))
    sessions = labs.performed(course)
    weighed, _ = labs.read(subject, course, sessions, library)
    setup = prepare(subject, course, library, unit)
    return problem.pose(subject, course, setup, cohort.columns(library, SOLUTES), sessions, weighed, library)


def _ahead(posed: Problem, z: Floats) -> tuple[Cohort, Floats, Floats]:
    """People at positions, and their levels before and after the session that is forecast; (rows, solutes)."""
    runs = problem.runs_of(posed.setup, posed.sessions[: _NEXT + 1])
    plan = problem.schedule(posed.setup, posed.columns, posed.subject, runs, (), np.zeros(1), posed.library)
    people = problem.people(posed, z)
    out = march.course_all(people, plan, threads=1)
    return people, out.before[:, :, _NEXT], out.after[:, :, _NEXT]


def told(name: str, ranks: Floats) -> Calibrated:
    """One quantity over all patients, from the ranks of its truths."""
    counts = np.histogram(ranks, BINS, (0.0, 1.0))[0]
    inside = [(band, float(np.mean(np.abs(ranks - 0.5) <= band / 2))) for band in BANDS]
    return Calibrated(name, tuple(int(c) for c in counts), tuple(inside), float(chisquare(counts).pvalue))


def compare(
    patients: int, truth: Truth, library: Library, unit: Mapping[str, Any], seed: int, rows: int = ROWS
) -> tuple[Forecasting, ...]:
    """Errors of the forecast of session 4 by the fit and by three baselines, over patients of another truth."""
    found: dict[tuple[str, str, str], list[tuple[float, bool | None]]] = {}
    for i in range(patients):
        for key, one in _errors(i, truth, library, unit, seed, rows).items():
            found.setdefault(key, []).append(one)
    return tuple(_forecasting(*key, ones) for key, ones in found.items())


def _forecasting(method: str, solute: str, moment: str, ones: Sequence[tuple[float, bool | None]]) -> Forecasting:
    errors, inside = 100 * np.array([e for e, _ in ones]), [i for _, i in ones if i is not None]
    share = 100 * float(np.mean(inside)) if inside else None
    return Forecasting(
        method, solute, moment, errors.size, float(np.median(errors)), float(np.quantile(errors, 0.9)), share
    )


def _errors(
    i: int, truth: Truth, library: Library, unit: Mapping[str, Any], seed: int, rows: int
) -> dict[tuple[str, str, str], tuple[float, bool | None]]:
    """Of each method, solute and moment: distance from the truth on the log scale, and whether the band holds it."""
    subject = synthetic(i, seed, library)
    true = truth(subject, i)
    errors = iter(noise(seed, i, len(_DAYS) * len(SOLUTES), library))
    measured = {
        (s, d): true[s, d] * float(np.exp(library.value(f"solutes/{s}.assay_sd_fraction") * next(errors)))
        for d in _DAYS
        for s in SOLUTES
    }
    posed = _pose(subject, [(s, d, v) for (s, d), v in measured.items()], library, unit)
    found = posterior.infer(posed, seed + i, rows)
    prior = normals(seed, np.arange(rows), Stream.FIT, posed.layout.width, "prior")
    methods: dict[str, dict[tuple[str, str], _Guess]] = {
        "fit": _guesses(_ahead(posed, found.z), found.weights),
        "prior only": _guesses(_ahead(posed, prior), np.full(rows, 1 / rows)),
        "last value": {(s, m): _Guess(measured[s, _last(m)]) for s in SOLUTES for m in ("before", "after")},
        "one exponential": _exponential(posed, measured, library),
    }
    ahead = {"before": 6.0, "after": 6.08}
    return {
        (method, s, m): values[s, m].against(true[s, ahead[m]])
        for method, values in methods.items()
        for s in SOLUTES
        for m in ("before", "after")
    }


def _last(moment: str) -> float:
    return _DAYS[-1] if moment == "before" else _DAYS[2]


def _guesses(ahead: tuple[Cohort, Floats, Floats], weights: Floats) -> dict[tuple[str, str], _Guess]:
    found = {}
    for values, moment in zip(ahead[1:], ("before", "after"), strict=True):
        for j, s in enumerate(SOLUTES):
            told = bands.band(values[:, j], "g/L", weights)
            found[s, moment] = _Guess(told.median, (told.p05, told.p95))
    return found


def _exponential(
    posed: Problem, measured: Mapping[tuple[str, float], float], library: Library
) -> dict[tuple[str, str], _Guess]:
    """The pocket calculator: one pool, e^-x in a session, return towards the first value at the catabolic rate."""
    found = {}
    volumes = posed.setup.volume_ml / posed.setup.plasma_volume_ml
    for s in SOLUTES:
        resting, last = measured[s, 0.0], measured[s, _DAYS[-1]] * np.exp(-volumes)
        back = np.exp(-2.0 * library.value(f"solutes/{s}.catabolic_rate_per_d"))
        before = float(resting - (resting - last) * back)
        found[s, "before"], found[s, "after"] = _Guess(before), _Guess(float(before * np.exp(-volumes)))
    return found
