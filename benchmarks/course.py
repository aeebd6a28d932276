"""One course: our kernel against libRoadRunner at equal accuracy, with the full physiology, and its operations."""

import time
from dataclasses import dataclass

import numpy as np

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library, load
from opentpe.kernel import march, pools, timeline
from opentpe.kernel.arrays import (
    PLASMA_FLOW,
    Cohort,
    Schedule,
    Trajectory,
    alone,
    blank_result,
    pack,
    pack_schedule,
)
from opentpe.simulation import cohort, course, physiology
from opentpe.simulation.course import Simulated

COURSE = "5 x 1.0 PV every other day, albumin 5 %"
SUBJECT = Subject(female=True, height_cm=165.0, weight_kg=60.0, hct=0.39, age_years=35.0)
WEEKS = 8
OUTPUTS = 60
ACCURACY = 1e-6
REFERENCE_STEP = 0.01
STAGE_OPERATIONS = 36  # additions and multiplications of one solute in one Runge-Kutta stage (pools.advance)
EXACT_OPERATIONS = 150  # of one exact step, counting an exponential as 25 (turnover.two_pool)
LEVEL_OPERATIONS = 56  # of one output of a linear solute: two exponentials and their sum


@dataclass(frozen=True)
class Bench:
    """What every measurement starts from."""

    library: Library
    run: Simulated
    plan: Schedule  # rest volume, OUTPUTS output times


def prepare(draws: int = 200, solutes: tuple[str, ...] = (), sessions: int = 5) -> Bench:
    """The course of the table for `draws` parameter draws."""
    library = load()
    text = COURSE.replace("5 x", f"{sessions} x", 1)
    run = course.simulate(
        SUBJECT,
        words.parse(text),
        library,
        library.document("unit"),
        solutes=solutes,
        seed=1,
        draws=draws,
        kinetics_only=True,
    )
    times = np.linspace(0.0, run.plan.output_min[-1], OUTPUTS)
    return Bench(library, run, run.plan._replace(output_min=times))


def kinetics_s(people: Cohort, plan: Schedule, repeats: int = 30) -> float:
    """Seconds of processor time per course, best of several passes over a cohort on one core."""
    packed, packed_plan = pack(people), pack_schedule(plan)
    n = people.plasma_ml.size
    result = blank_result(n, packed.law.size, packed_plan.cells.shape[1], packed_plan.output.size)
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        march.courses(0, n, packed, packed_plan, result, march.STEP)
        best = min(best, time.process_time() - start)
    return best / n


def our_errors(people: Cohort, plan: Schedule) -> np.ndarray:
    """Largest relative difference of any concentration to a run with a tight step, one a patient."""
    fine, plain = march.course_all(people, plan, REFERENCE_STEP), march.course_all(people, plan)
    return np.max(np.abs(plain.concentration / fine.concentration - 1), axis=(1, 2))


def typical(errors: np.ndarray) -> int:
    """The patient compared with the rival: the one of median error."""
    return int(np.argsort(errors)[errors.size // 2])


@dataclass(frozen=True)
class Rival:
    """What libRoadRunner needs for the same accuracy."""

    tolerance: float
    error: float
    seconds: float


def roadrunner(bench: Bench, patient: int) -> Rival:
    """The loosest tolerance of libRoadRunner that stays within the accuracy, and its time per course."""
    import roadrunner as rr

    from opentpe.sbml import export

    one = alone(bench.run.people, patient)
    columns = [export.Column(key, key) for key in bench.run.columns.keys]
    runner = rr.RoadRunner(export.export(one, bench.plan, columns, "bench"))
    runner.timeCourseSelections = [f"{key}_concentration" for key in bench.run.columns.keys]
    runner.integrator.maximum_num_steps = 1_000_000
    times = [0.0, *(bench.plan.output_min[1:] - bench.plan.start_min[0])]
    reference = march.course_all(one, bench.plan, REFERENCE_STEP).concentration[0]
    for tolerance in (1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10):
        runner.integrator.relative_tolerance = runner.integrator.absolute_tolerance = tolerance
        error = float(np.max(np.abs(_simulate(runner, times).T / reference - 1)))
        if error < ACCURACY:
            return Rival(tolerance, error, _best(lambda: _simulate(runner, times)))
    raise SystemExit("libRoadRunner does not reach the accuracy at any tolerance")


def _simulate(runner, times):
    runner.resetAll()
    return np.asarray(runner.simulate(times=times))


def _best(action, repeats: int = 15) -> float:
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best


def physiology_s(repeats: int = 5) -> tuple[float, float, float]:
    """Seconds of processor time per course with every session felt: solutes at rest, sessions, solutes as they move.

    Inside a cohort of a thousand: what a chunk of patients needs once is shared among them.
    """
    bench = prepare(1000)
    run, found = bench.run, []
    count = run.people.plasma_ml.size
    first = timeline.sessions_only(bench.plan)

    def attend() -> None:
        found[:] = [felt(bench, run.people, run.trajectory, np.arange(count))]

    attend()
    sessions = _best(attend, repeats) / count
    moving = in_moving_volume(bench, found[0])
    return kinetics_s(run.people, first, 10), sessions, kinetics_s(run.people, moving, 10)


def felt(bench: Bench, people: Cohort, at_rest: Trajectory, rows: np.ndarray) -> physiology.Attended:
    """Every session of the course as each patient of a cohort feels it."""
    run = bench.run
    procedures = tuple(p for p, _ in run.runs)
    return physiology.attend(
        SUBJECT, run.setup, procedures, run.columns, people, at_rest, bench.library, 1, rows, recorded=False
    )


def in_moving_volume(bench: Bench, attended: physiology.Attended) -> Schedule:
    """The course in the plasma volume that its sessions leave."""
    run, library = bench.run, bench.library
    planned = [cohort.session(p, r, run.setup, library) for p, r in run.runs]
    times = bench.plan.output_min
    fluids, sieving = bench.plan.fluid_content, bench.plan.sieving_fraction
    return timeline.build(planned, [], float(times[-1]), times, fluids, sieving, attended.volume)


def operations(people: Cohort, plan: Schedule) -> int:
    """Additions and multiplications of one course, counted from the steps it takes."""
    packed, packed_plan = pack(people), pack_schedule(plan)
    patient, state = pools.row(0, packed), pools.blank_state(packed.law.size)
    pools.rest(patient, state)
    linear, total = packed.law.size - packed.coupled, 0
    for s in range(packed_plan.counts[0, 0]):
        flow, which = packed_plan.flow[0, s], packed_plan.which[0, s]
        content, sieve = packed_plan.content[which[0]], packed_plan.sieving[which[1]]
        pools.set_flows(patient, state, flow[PLASMA_FLOW], flow[2], content, sieve)
        busy = bool(flow[PLASMA_FLOW] > 0)
        fastest = pools.fastest(patient, state, patient.person[0])
        count, _ = march.pace(flow[0], fastest, march.STEP * (1 if busy else march.REST), busy)
        total += count * 4 * STAGE_OPERATIONS * packed.coupled + EXACT_OPERATIONS * linear
    side = 4 * STAGE_OPERATIONS * packed.coupled + LEVEL_OPERATIONS * linear
    return total + side * packed_plan.output.size
