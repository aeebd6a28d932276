"""What the labs of a course teach about this patient, and how the forecast changes with it.

`fit` tells it in bands; `learn` gives the weighted cohort that `plan` goes on with; `steps` shows the forecast after
each lab in turn. Everything is anchored to the population prior, and the same seed gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from opentpe import __version__
from opentpe.domain import words
from opentpe.domain.consultation import Band, Line, Versions
from opentpe.domain.learning import Before, Fit, Learned
from opentpe.domain.subject import Subject, check
from opentpe.domain.therapy import MINUTES_PER_DAY, Course, Procedure
from opentpe.errors import InvariantError
from opentpe.evidence.load import Library
from opentpe.kernel import march
from opentpe.kernel.arrays import FCRN, Cohort, Floats, Trajectory
from opentpe.simulation import bands, caveats, cohort, judge, labs, posterior, problem
from opentpe.simulation.cohort import Columns
from opentpe.simulation.draws import Stream, normals
from opentpe.simulation.posterior import Posterior
from opentpe.simulation.setup import prepare

ROWS: Final = 1000
_SHOWN: Final = ("igg", "fibrinogen")
_AFTER_DAYS: Final = 28
_GRID_MIN: Final = 720.0


class Taught(NamedTuple):
    """A posterior with the course it belongs to and what was set aside on the way."""

    found: Posterior
    course: Course
    aside: tuple[Line, ...]
    prior_z: Floats


class Fan(NamedTuple):
    """One cohort through the whole course: weights, and what came out at the grid and around sessions."""

    people: Cohort
    weights: Floats
    trajectory: Trajectory


def fit(
    subject: Subject,
    course: Course,
    library: Library,
    unit: Mapping[str, Any],
    *,
    solutes: Sequence[str] = (),
    seed: int,
    rows: int = ROWS,
) -> Fit:
    """What the labs of a course taught: parameters, labs judged, forecast before and after learning, alarms.

    Raises `InputError` for labs or session records that cannot be used, `InvariantError` where a run broke a law.
    """
    taught = learn(subject, course, library, unit, solutes=solutes, seed=seed, rows=rows)
    return tell(taught, library, seed)


def learn(
    subject: Subject,
    course: Course,
    library: Library,
    unit: Mapping[str, Any],
    *,
    solutes: Sequence[str] = (),
    seed: int,
    rows: int = ROWS,
) -> Taught:
    """The posterior of a patient after the labs of a course, as a weighted cohort."""
    sessions = labs.performed(course)
    weighed, aside = labs.read(check(subject), course, sessions, library)
    anchored = without_resting(subject, weighed)
    setup = prepare(anchored, course, library, unit)
    posed = problem.pose(
        anchored, course, setup, _columns(solutes, weighed, course, library), sessions, weighed, library
    )
    found = posterior.infer(posed, seed, rows)
    prior_z = normals(seed, np.arange(rows), Stream.FIT, posed.layout.width, "prior")
    return Taught(found, course, aside, prior_z)


def steps(
    subject: Subject, course: Course, library: Library, unit: Mapping[str, Any], *, seed: int, rows: int = ROWS
) -> tuple[Fit, ...]:
    """The fit after each sample in turn, from none to all: how the forecast narrowed."""
    times = sorted({m.time_min for m in course.measurements})
    solutes = tuple(dict.fromkeys(m.solute for m in course.measurements if m.solute not in labs.OTHERS))
    until = [tuple(m for m in course.measurements if m.time_min <= t) for t in (-np.inf, *times)]
    return tuple(
        fit(subject, replace(course, measurements=ms), library, unit, solutes=solutes, seed=seed, rows=rows)
        for ms in until
    )


def without_resting(subject: Subject, weighed: Sequence[labs.Lab]) -> Subject:
    """The subject without resting values that are among the labs: the fit weighs each value once."""
    weighed_kinds = {lab.kind for lab in weighed if lab.time_min <= 0 or lab.kind in labs.OTHERS}
    return replace(subject, measured=tuple((k, v) for k, v in subject.measured if k not in weighed_kinds))


def _columns(solutes: Sequence[str], weighed: Sequence[labs.Lab], course: Course, library: Library) -> Columns:
    measured = [lab.kind for lab in weighed if lab.kind not in labs.OTHERS]
    drugs = [d.drug for d in course.drug_doses]
    return cohort.columns(library, tuple(dict.fromkeys((*(solutes or _SHOWN), *measured, *drugs))))


def fan(taught: Taught, z: Floats, weights: Floats, times: Floats) -> Fan:
    """A cohort at given positions through the whole course, planned sessions included, with outputs at `times`."""
    posed = taught.found.problem
    runs = problem.runs_of(posed.setup, posed.sessions)
    plan = problem.schedule(posed.setup, posed.columns, posed.subject, runs, posed.doses, times, posed.library)
    people = problem.people(posed, z)
    trajectory = march.course_all(people, plan)
    if np.any(trajectory.status):
        bad = np.flatnonzero(trajectory.status)[:5].tolist()
        raise InvariantError("a fitted course broke an invariant and is refused", {"rows": bad})
    return Fan(people, weights, trajectory)


def tell(taught: Taught, library: Library, seed: int) -> Fit:
    """A posterior in bands, beside its prior."""
    found, posed = taught.found, taught.found.problem
    rows = found.weights.size
    times = _times(posed.sessions)
    before = fan(taught, taught.prior_z, np.full(rows, 1 / rows), times)
    after = fan(taught, found.z, found.weights, times)
    learned = _learned(taught, before, after)
    judged, alarms = judge.labs_of(found, taught.prior_z, after.trajectory)
    return Fit(
        course=taught.course,
        words=words.say(taught.course),
        learned=learned,
        labs=judged,
        sessions=tuple(_session(p, i, posed.columns, before, after) for i, p in enumerate(posed.sessions)),
        prior_series=_series(before, posed.columns, times),
        posterior_series=_series(after, posed.columns, times),
        alarms=(*taught.aside, *alarms, *judge.patient_of(found, learned)),
        effective_sample_size=found.effective_rows,
        rounds_count=found.rounds,
        conflict_probability=found.conflict_probability,
        assumed=(*posed.setup.assumed, *caveats.assumed(posed.subject, posed.columns)),
        versions=Versions(__version__, library.digest, library.overlaid, seed, rows),
    )


def _times(sessions: Sequence[Procedure]) -> Floats:
    first = min(0.0, sessions[0].start_min)
    last = sessions[-1].start_min + _AFTER_DAYS * MINUTES_PER_DAY
    edges = [t for p in sessions for t in (p.start_min, p.start_min + (p.duration_min or 0.0))]
    return np.unique([*np.arange(first, last + _GRID_MIN, _GRID_MIN), *edges])


def _session(p: Procedure, i: int, columns: Columns, before: Fan, after: Fan) -> Before:
    def told(fan: Fan, values: Floats) -> tuple[tuple[str, Band], ...]:
        return bands.bands(values[:, :, i] * columns.scale, columns.keys, columns.units, fan.weights)

    return Before(
        n=p.n,
        start_min=p.start_min,
        performed=p.status in labs.DONE,
        prior=told(before, before.trajectory.before),
        posterior=told(after, after.trajectory.before),
        prior_after=told(before, before.trajectory.after),
        posterior_after=told(after, after.trajectory.after),
    )


def _series(fan: Fan, columns: Columns, times: Floats) -> tuple[Any, ...]:
    values = fan.trajectory.concentration
    return tuple(
        bands.series(values[:, j] * columns.scale[j], times, key, columns.units[j], fan.weights)
        for j, key in enumerate(columns.keys)
    )


def synthesis_g_per_d(people: Cohort, j: int) -> Floats:
    """Synthesis of a solute that holds its resting concentration, g/d; with FcRn at the patient's own IgG."""
    resting, rate = people.concentration[:, j], people.catabolic_rate[:, j]
    if people.law[j] & FCRN:
        share = np.maximum(0.0, 1 - rate / people.fcrn_free_rate)
        drive = (people.fcrn_half + people.fcrn_reference) / (people.fcrn_half + resting)
        rate = people.fcrn_free_rate * (1 - np.minimum(1.0, share * drive))
    made: Floats = rate * resting * people.plasma_ml * MINUTES_PER_DAY / 1000
    return made


Quantity = tuple[str, str, Callable[[Fan, Floats], Floats]]  # name, unit, value per row from fan and positions


def _quantities(taught: Taught) -> list[Quantity]:
    """Every parameter that is told: name, unit, and how it is read off a cohort."""
    posed = taught.found.problem
    kinds = {lab.kind for lab in posed.labs}
    found: list[Quantity] = [
        ("plasma_volume", "mL", lambda f, _: f.people.plasma_ml),
        ("delivered_ratio", "1", lambda f, _: f.people.delivered_ratio),
    ]
    for j, key in enumerate(posed.columns.keys):
        found += _drug(j, key) if "clearance_l_d" in posed.columns.documents[j] else _own(j, key, posed.columns)
    if labs.DURATION in kinds:
        found.append(("removal_efficiency", "1", lambda _, z: problem.efficiency(posed, z)))
    if labs.CALCIUM in kinds:
        found += [_of_session(taught, *row) for row in _SESSION]
    return found


_SESSION: Final = (
    ("ionised_calcium", "mmol/L", "calcium0"),
    ("citrate_clearance", "mL/min", "clearance_ml_min"),
    ("citrate_transfer", "mL/min", "transfer_ml_min"),
    ("calcium_buffer", "mL/min", "buffer_ml_min"),
)


def _of_session(taught: Taught, name: str, unit: str, field: str) -> Quantity:
    """A parameter of the session's citrate and calcium, by the full session model."""

    def read(f: Fan, z: Floats) -> Floats:
        body = problem.session_body(taught.found.problem, z, f.people.plasma_ml)
        return np.broadcast_to(getattr(body.citrate, field), (len(z),))

    return name, unit, read


def _own(j: int, key: str, columns: Columns) -> list[Quantity]:
    return [
        (f"{key}.concentration", columns.units[j], lambda f, _: f.people.concentration[:, j]),
        (f"{key}.catabolic_rate", "/d", lambda f, _: f.people.catabolic_rate[:, j] * MINUTES_PER_DAY),
        (f"{key}.escape_rate", "/d", lambda f, _: f.people.escape_rate[:, j] * MINUTES_PER_DAY),
        (f"{key}.synthesis", "g/d", lambda f, _: synthesis_g_per_d(f.people, j)),
    ]


def _drug(j: int, key: str) -> list[Quantity]:
    def central(f: Fan) -> Floats:
        volume: Floats = f.people.central_ratio[:, j] * f.people.plasma_ml / 1000
        return volume

    return [
        (f"{key}.central_volume", "L", lambda f, _: central(f)),
        (f"{key}.clearance", "L/d", lambda f, _: f.people.catabolic_rate[:, j] * central(f) * MINUTES_PER_DAY),
        (f"{key}.escape_rate", "/d", lambda f, _: f.people.escape_rate[:, j] * MINUTES_PER_DAY),
    ]


def _learned(taught: Taught, before: Fan, after: Fan) -> tuple[Learned, ...]:
    told = []
    for name, unit, read in _quantities(taught):
        prior, post = read(before, taught.prior_z), read(after, taught.found.z)
        if np.ptp(prior) > 0:
            wide, narrow = bands.band(prior, unit), bands.band(post, unit, after.weights)
            left = _width(narrow) / _width(wide)
            told.append(Learned(name, unit, wide, narrow, float(np.clip(1 - left, 0.0, 1.0))))
    return tuple(told)


def _width(band: Band) -> float:
    """Width of the 90 % band relative to the median."""
    return (band.p95 - band.p05) / band.median
