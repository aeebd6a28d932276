"""One patient's labs as an inverse problem: standard normal positions in, predicted labs out.

Every uncertain number of a patient is a prior at a standard normal position (`cohort.draw_people`). A fit moves these
positions, so that the population prior is exactly N(0, 1) in every direction and nothing can drift away from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Course, DrugDose, Procedure
from opentpe.evidence.load import Library
from opentpe.kernel import march, patient, timeline
from opentpe.kernel.arrays import Cohort, Floats, Schedule, Trajectory
from opentpe.kernel.circuit import Run
from opentpe.simulation import calcium, cohort
from opentpe.simulation.bodies import Known
from opentpe.simulation.cohort import Columns
from opentpe.simulation.draws import Normal, Stream
from opentpe.simulation.labs import CALCIUM, DURATION, HAEMATOCRIT, Lab
from opentpe.simulation.setup import Setup

_LEAST: Final = 1e-12  # a predicted concentration of nothing, before its logarithm
_EFFICIENCY: Final = "efficiency"
Address = tuple[Stream, str, int]


class Layout(NamedTuple):
    """Which positions there are: stream, name and count of each block, with its first column."""

    blocks: tuple[Address, ...]
    first: tuple[int, ...]
    width: int

    def normal(self, z: Floats) -> Normal:
        """The positions of every row as `draw_people` asks for them."""
        table = self._table(z)
        return lambda stream, name, _count: table[stream, name]

    def normal_or(self, z: Floats, otherwise: Normal) -> Normal:
        """The same, and `otherwise` for positions that no lab could have told about."""
        table = self._table(z)
        return lambda stream, name, count: (
            table[stream, name] if (stream, name) in table else otherwise(stream, name, count)
        )

    def _table(self, z: Floats) -> dict[tuple[Stream, str], Floats]:
        return {(s, n): z[:, at : at + k] for (s, n, k), at in zip(self.blocks, self.first, strict=True)}


class Problem(NamedTuple):
    """A patient, a course and its labs, ready to be predicted at any positions."""

    subject: Subject
    setup: Setup
    columns: Columns
    sessions: tuple[Procedure, ...]
    doses: tuple[DrugDose, ...]
    labs: tuple[Lab, ...]
    library: Library
    layout: Layout
    plan: Schedule  # outputs at the times of the labs


def runs_of(setup: Setup, sessions: Sequence[Procedure]) -> tuple[tuple[Procedure, Run], ...]:
    """Each session with the machine run it makes; partial runs end early at the ordered flows."""
    return tuple((p, setup.run_of(p.plasma_removed_ml or setup.volume_ml)) for p in sessions)


def schedule(
    setup: Setup,
    columns: Columns,
    subject: Subject,
    runs: Sequence[tuple[Procedure, Run]],
    doses: Sequence[DrugDose],
    times: Floats,
    library: Library,
) -> Schedule:
    """The kernel's schedule of sessions and doses with outputs at `times` (ascending)."""
    ends = [p.start_min + (p.duration_min or run.duration_min) for p, run in runs]
    return timeline.build(
        [cohort.session(p, run, setup, library) for p, run in runs],
        [cohort.dose(d, columns, subject, library) for d in doses],
        max([*ends, *(d.time_min for d in doses), *times[-1:]]),
        times,
        cohort.fluid_table(setup, columns, library),
        np.ones((1, len(columns.keys))),
    )


def pose(
    subject: Subject,
    course: Course,
    setup: Setup,
    columns: Columns,
    sessions: tuple[Procedure, ...],
    labs: tuple[Lab, ...],
    library: Library,
) -> Problem:
    """The problem of a patient's labs; only sessions and doses up to the last lab are run."""
    drawn = [lab for lab in labs if lab.kind != DURATION]
    times = np.unique([lab.time_min for lab in drawn]) if drawn else np.zeros(1)
    runs = [(p, r) for p, r in runs_of(setup, sessions) if p.start_min <= times[-1]]
    doses = tuple(d for d in course.drug_doses if d.time_min <= times[-1])
    plan = schedule(setup, columns, subject, runs, doses, times, library)
    layout = layout_of(subject, columns, setup, library, session=any(lab.kind == CALCIUM for lab in labs))
    return Problem(subject, setup, columns, sessions, course.drug_doses, labs, library, layout, plan)


def layout_of(subject: Subject, columns: Columns, setup: Setup, library: Library, *, session: bool = False) -> Layout:
    """The positions that a patient of these columns has, in the order asked for; `session` adds the session's."""
    asked: dict[tuple[Stream, str], int] = {(Stream.DEVICE, _EFFICIENCY): 1}

    def normal(stream: Stream, name: str, count: int) -> Floats:
        asked[stream, name] = max(count, asked.get((stream, name), 0))
        return np.zeros((1, count))

    cohort.draw_people(subject, columns, setup.plasma_volume_ml, library, normal, 1)
    if session:
        calcium.body(subject, Known(np.ones(1)), library, normal)
    blocks = tuple((s, n, k) for (s, n), k in asked.items())
    first = np.cumsum([0, *(k for _, _, k in blocks)])
    return Layout(blocks, tuple(int(i) for i in first[:-1]), int(first[-1]))


def people(problem: Problem, z: Floats) -> Cohort:
    """The patient at every row of positions."""
    normal = problem.layout.normal(z)
    return cohort.draw_people(
        problem.subject, problem.columns, problem.setup.plasma_volume_ml, problem.library, normal, len(z)
    )


def efficiency(problem: Problem, z: Floats) -> Floats:
    """Plasma removal efficiency of the separator at every row."""
    drawn = problem.layout.normal(z)(Stream.DEVICE, _EFFICIENCY, 1)[:, 0]
    return problem.setup.run.efficiency * np.exp(_efficiency_sd(problem.library) * drawn)


def _efficiency_sd(library: Library) -> float:
    found = library.sourced("equations/circuit.removal_efficiency_fraction")
    assert found.prior
    return (found.prior.high - found.prior.low) / (2 * 1.959964) / found.value


def predict(problem: Problem, z: Floats, threads: int = 1) -> Floats:
    """Natural logarithm of every lab as the model expects it, without assay error; (rows, labs)."""
    cohort_z = people(problem, z)
    found = march.course_all(cohort_z, problem.plan, threads=threads)
    columns = [_predicted(problem, lab, z, cohort_z, found) for lab in problem.labs]
    return np.log(np.maximum(np.stack(columns, axis=1), _LEAST))


def _predicted(problem: Problem, lab: Lab, z: Floats, people: Cohort, found: Trajectory) -> Floats:
    if lab.kind == DURATION:
        run = problem.setup.run_of(_volume(problem, lab.session))
        return run.duration_min * run.efficiency / efficiency(problem, z)
    if lab.kind == CALCIUM:
        return _calcium(problem, lab, z, people, found)
    if lab.kind == HAEMATOCRIT:
        return _haematocrit(lab, problem, found)
    at = int(np.searchsorted(problem.plan.output_min, lab.time_min))
    return found.concentration[:, problem.columns.column(lab.kind), at]


def _volume(problem: Problem, i: int) -> float:
    return problem.sessions[i].plasma_removed_ml or problem.setup.volume_ml


def session_body(problem: Problem, z: Floats, plasma_ml: Floats) -> patient.Person:
    """The patient of the session at every row; only where labs of ionised calcium brought its positions."""
    return calcium.body(problem.subject, Known(plasma_ml), problem.library, problem.layout.normal(z))


def _calcium(problem: Problem, lab: Lab, z: Floats, people: Cohort, found: Trajectory) -> Floats:
    """Ionised calcium by the full session where the lab lies in it or in the hour after, else at rest."""
    session, volume = problem.sessions[lab.session], _volume(problem, lab.session)
    when = calcium.moment(lab.time_min, session, problem.setup.run_of(volume).duration_min, problem.library)
    body = session_body(problem, z, people.plasma_ml)
    if when is None:
        return np.broadcast_to(body.citrate.calcium0, (len(z),))
    body = calcium.before(body, problem.columns, people, found, lab.session)
    return calcium.at(body, problem.setup, volume, when, problem.library)


def _haematocrit(lab: Lab, problem: Problem, found: Trajectory) -> Floats:
    """Haematocrit of the nearest session, before or after it; that of the order where none was run."""
    if lab.session >= found.hct_before.shape[1]:
        return np.full(found.status.size, problem.subject.hct)
    early = lab.time_min <= problem.sessions[lab.session].start_min
    return (found.hct_before if early else found.hct_after)[:, lab.session]
