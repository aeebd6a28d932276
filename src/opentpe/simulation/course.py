"""A course forecast: order and subject in, sessions, moments and fans out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from opentpe import __version__
from opentpe.domain import words
from opentpe.domain.consultation import Band, Forecast, Line, Moment, Series, SessionForecast, Versions
from opentpe.domain.decision import Decision
from opentpe.domain.sourced import Sourced
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Course, Procedure
from opentpe.errors import InputError, InvariantError
from opentpe.evidence.load import Library
from opentpe.kernel import march, timeline
from opentpe.kernel.arrays import Cohort, Floats, Schedule, Trajectory
from opentpe.kernel.circuit import Run
from opentpe.simulation import bands, bodies, caveats, cohort, danger, drugs, physiology, refuse, session
from opentpe.simulation.cohort import Columns
from opentpe.simulation.physiology import Attended
from opentpe.simulation.setup import Setup, prepare

AFTER_DAYS: Final = 56  # the forecast follows eight weeks
GRID_MIN: Final = 360.0
_LABEL: Final = re.compile(r"(\d+(?:\.\d+)?)(min|h|d|wk)")
_MINUTES: Final = {"min": 1.0, "h": 60.0, "d": 1440.0, "wk": 10080.0}


class Simulated(NamedTuple):
    """A course as it came out of the kernel, before it is told in bands."""

    setup: Setup
    columns: Columns
    people: Cohort
    plan: Schedule
    runs: tuple[tuple[Procedure, Run], ...]
    moments: tuple[tuple[str, float], ...]
    grid_min: Floats
    trajectory: Trajectory
    attended: Attended | None = None  # the sessions themselves; None where only kinetics were asked for

    @property
    def end_min(self) -> float:
        """End of the last session."""
        return self.runs[-1][0].start_min + _minutes(*self.runs[-1])


def forecast(
    subject: Subject,
    course: Course,
    library: Library,
    unit: Mapping[str, Any],
    *,
    solutes: Sequence[str] = (),
    at: Sequence[str] = (),
    seed: int,
    draws: int,
    decision: Decision | None = None,
) -> Forecast:
    """The forecast of a course for a subject, with bands from `draws` parameter draws of a seed.

    A decision lends its facts (an ACE inhibitor taken, …) to the risk table.
    Raises `InputError` for an order that cannot be run, `InvariantError` where a run broke a law of physics.
    """
    run = simulate(subject, course, library, unit, solutes=solutes, at=at, seed=seed, draws=draws)
    told = tell(run, subject, course, library, seed)
    risks = danger.risks(
        run.setup, run.columns, run.trajectory, run.plan.output_min, run.attended, library, seed, decision
    )
    advice = drugs.advise(course.drug_doses, run.columns, run.people, run.plan, run.trajectory, run.end_min, library)
    return replace(told, risks=risks, drugs=advice)


def simulate(
    subject: Subject,
    course: Course,
    library: Library,
    unit: Mapping[str, Any],
    *,
    solutes: Sequence[str] = (),
    at: Sequence[str] = (),
    seed: int,
    draws: int,
    kinetics_only: bool = False,
) -> Simulated:
    """The kernel's run of a course over a cohort of parameter draws of one subject.

    The solutes run at rest volume, the sessions read albumin and IgG from them, and the solutes run again in the plasma
    volume that the sessions leave. `kinetics_only` stops after the first run.
    """
    refuse.order(course.prescription, library)
    setup = prepare(subject, course, library, unit)
    refuse.session(subject, setup, library)
    if not kinetics_only:
        refuse.empties(subject, setup, library)
    columns = cohort.columns(library, _chosen(solutes, course, library))
    rows = np.arange(draws)
    people = cohort.people(subject, columns, setup, library, seed, rows)
    procedures = tuple(p for p in course.procedures() if p.status != "missed")
    runs = tuple((p, setup.run_of(p.plasma_removed_ml or setup.volume_ml)) for p in procedures)
    end = runs[-1][0].start_min + _minutes(*runs[-1])
    moments = tuple((label, end + _offset(label)) for label in at)
    grid, outputs = _times(runs, end, moments)
    doses = [cohort.dose(d, columns, subject, library) for d in course.drug_doses]
    planned = [cohort.session(p, r, setup, library) for p, r in runs]
    fluids, sieving = cohort.fluid_table(setup, columns, library), np.ones((1, len(columns.keys)))
    plan = timeline.build(planned, doses, float(outputs[-1]), outputs, fluids, sieving)
    trajectory = march.course_all(people, plan if kinetics_only else timeline.sessions_only(plan))
    _sound(trajectory, subject, course, seed)
    attended = None
    if not kinetics_only:
        attended = physiology.attend(subject, setup, procedures, columns, people, trajectory, library, seed, rows)
        plan = timeline.build(planned, doses, float(outputs[-1]), outputs, fluids, sieving, attended.volume)
        trajectory = march.course_all(people, plan)
        _sound(trajectory, subject, course, seed)
    return Simulated(setup, columns, people, plan, runs, moments, grid, trajectory, attended)


def _chosen(solutes: Sequence[str], course: Course, library: Library) -> tuple[str, ...]:
    known = cohort.endogenous(library)
    for name in solutes:
        if name not in library.folder("solutes"):
            raise InputError("solutes", repr(name), ", ".join(sorted(library.folder("solutes"))))
    given = tuple(dict.fromkeys(d.drug for d in course.drug_doses))
    for name in given:
        if name not in library.folder("solutes"):
            raise InputError("dose", repr(name), ", ".join(cohort.given(library)))
    return (*(solutes or known), *(d for d in given if d not in solutes))


def _minutes(procedure: Procedure, run: Run) -> float:
    return procedure.duration_min or run.duration_min


def _offset(label: str) -> float:
    match = _LABEL.fullmatch(label)
    if match is None:
        raise InputError("at", repr(label), 'a time after the last session such as "24h" or "7d"')
    return float(match[1]) * _MINUTES[match[2]]


def _times(
    runs: Sequence[tuple[Procedure, Run]], end: float, moments: Sequence[tuple[str, float]]
) -> tuple[Floats, Floats]:
    """The grid that is drawn, and all output times: grid and moments."""
    edges = [t for p, r in runs for t in (p.start_min, p.start_min + _minutes(p, r))]
    grid = np.unique([*np.arange(0.0, end + AFTER_DAYS * MINUTES_PER_DAY + GRID_MIN, GRID_MIN), *edges])
    return grid, np.unique([*grid, *(t for _, t in moments)])


def _sound(trajectory: Trajectory, subject: Subject, course: Course, seed: int) -> None:
    if np.any(trajectory.status):
        rows = np.flatnonzero(trajectory.status)
        raise InvariantError(
            f"the simulation broke an invariant in {rows.size} of {trajectory.status.size} draws and is refused",
            {
                "rows": rows[:5].tolist(),
                "status": trajectory.status[rows[:5]].tolist(),
                "imbalance": float(np.nanmax(trajectory.imbalance)),
                "subject": repr(subject),
                "course": words.say(course),
                "seed": seed,
            },
        )


def tell(run: Simulated, subject: Subject, course: Course, library: Library, seed: int) -> Forecast:
    """A simulated course in bands, with what was assumed, what lies outside validity and what it rests on."""
    columns = run.columns
    used = (*columns.used, *(bodies.used(library) if run.attended else ()))
    return Forecast(
        course=course,
        words=words.say(course),
        plasma_volume_ml=bands.band(run.people.plasma_ml, "mL"),
        sessions=tuple(_session(run, i, library) for i in range(len(run.runs))),
        moments=tuple(_moment(run, label, time) for label, time in run.moments),
        series=tuple(_series(run, j) for j in range(len(columns.keys))),
        assumed=(*run.setup.assumed, *caveats.assumed(subject, columns), *caveats.recalled(used)),
        session_series=session.series(run.attended.sessions[0]) if run.attended else (),
        warnings=(
            *refuse.session(subject, run.setup, library),
            *caveats.warnings(subject, run.setup, columns, library),
            *_session_warnings(run, subject, library),
        ),
        sources=_unique((*run.setup.used, *used)),
        versions=Versions(__version__, library.digest, library.overlaid, seed, run.people.plasma_ml.size),
    )


def _session_warnings(run: Simulated, subject: Subject, library: Library) -> tuple[Line, ...]:
    """What any session shows that an operator should know; each warning once, from the first session that has it."""
    found: dict[str, Line] = {}
    for ran in run.attended.sessions if run.attended else ():
        for line in session.warnings(ran, subject, library):
            found.setdefault(line.code, line)
    return tuple(found.values())


def _session(run: Simulated, i: int, library: Library) -> SessionForecast:
    procedure, machine = run.runs[i]
    columns, trajectory = run.columns, run.trajectory
    return SessionForecast(
        n=procedure.n,
        start_min=procedure.start_min,
        duration_min=_minutes(procedure, machine),
        chair_min=_minutes(procedure, machine) + library.value("order.chair_overhead_min"),
        plasma_removed_ml=procedure.plasma_removed_ml or run.setup.volume_ml,
        plasma_volumes=(procedure.plasma_removed_ml or run.setup.volume_ml) / run.setup.plasma_volume_ml,
        bag_ml=machine.bag_ml,
        ac_used_ml=machine.ac_used_ml,
        ac_to_patient_ml=machine.ac_to_patient_ml,
        replaced_ml=machine.replaced_ml,
        blood_processed_ml=machine.blood_processed_ml,
        inlet_flow_ml_min=machine.inlet_flow_ml_min,
        pre=bands.bands(trajectory.before[:, :, i] * columns.scale, columns.keys, columns.units),
        post=bands.bands(trajectory.after[:, :, i] * columns.scale, columns.keys, columns.units),
        nadir=session.nadirs(run.attended.sessions[i]) if run.attended else (),
        balance=session.balance(run.attended.sessions[i]) if run.attended else (),
        cells=_cells(trajectory, i),
    )


def _cells(t: Trajectory, i: int) -> tuple[tuple[str, Band], ...]:
    """Platelets and haematocrit before and after session i: lost by the device, regrown in between."""
    columns = (t.platelets_before, t.platelets_after, t.hct_before, t.hct_after)
    names = ("platelets_before", "platelets_after", "haematocrit_before", "haematocrit_after")
    return bands.bands(np.stack([c[:, i] for c in columns], axis=1), names, ("10*9/L", "10*9/L", "1", "1"))


def _at(run: Simulated, time_min: float) -> int:
    return int(np.searchsorted(run.plan.output_min, time_min))


def _moment(run: Simulated, label: str, time_min: float) -> Moment:
    values = run.trajectory.concentration[:, :, _at(run, time_min)]
    return Moment(label, time_min, bands.bands(values * run.columns.scale, run.columns.keys, run.columns.units))


def _series(run: Simulated, j: int) -> Series:
    where = np.searchsorted(run.plan.output_min, run.grid_min)
    values = run.trajectory.concentration[:, j, :][:, where]
    return bands.series(values * run.columns.scale[j], run.grid_min, run.columns.keys[j], run.columns.units[j])


def _unique(values: Sequence[Sourced]) -> tuple[Sourced, ...]:
    return tuple({v.key: v for v in values}.values())
