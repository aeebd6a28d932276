"""Virtual patients through one arm: what is done to each, what the kernel makes of it, and the endpoints.

Everything about a patient (body, conduct, laboratory error, luck) is addressed by patient number, so that arms share it
(common random numbers) and a patient alone is the same as in any chunk.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from opentpe.domain import doses as dose_words
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Course, Dose
from opentpe.errors import InputError, InvariantError
from opentpe.evidence.load import Library
from opentpe.kernel import crowd, timeline
from opentpe.kernel.arrays import Cohort, Floats, Integers, Schedule, Trajectory
from opentpe.simulation import cohort, exchange, felt, foresee, population, protocol, setup, steady
from opentpe.simulation import device as devices
from opentpe.simulation.cohort import Columns
from opentpe.simulation.draws import Stream, normals, uniforms
from opentpe.simulation.felt import Felt, Given
from opentpe.simulation.population import Group
from opentpe.simulation.protocol import Arm, Spec
from opentpe.simulation.setup import Setup

AFTER_DAYS: Final = 14.0
_REFERENCE: Final = Subject(female=True, height_cm=166.0, weight_kg=68.0, hct=0.39)  # only lends the order its defaults
_MISSED, _CUT, _STOPPED = range(3)


class Planned(NamedTuple):
    """One arm before any patient: course, setup of the order, columns, and where it stands in time."""

    arm: Arm
    course: Course | None
    setup: Setup | None
    columns: Columns
    starts_min: Floats  # (sessions,)
    shares: tuple[float, ...]  # of the fluids in their order
    doses: tuple[timeline.Dose, ...]  # in order of time
    shared: tuple[bool, ...]  # a dose of the trial's drug, given to the share of patients on it only
    drug_column: int  # of the trial's drug; -1 for none
    end_min: float


class Done(NamedTuple):
    """What was really done to each patient: (patients, sessions) unless said otherwise."""

    delivered_fraction: Floats  # of the ordered plasma; 0 for a session missed
    minutes: Floats
    plasma_ml: Floats
    runs: Floats  # (6, patients), see kernel.crowd
    on_drug: Floats  # (patients,) 1 or 0


class Lived(NamedTuple):
    """One chunk of one arm: people, what was done, what came out."""

    group: Group
    people: Cohort
    planned: Planned
    done: Done
    trajectory: Trajectory
    day_14: int  # index of the output 14 days after the last planned session
    felt: Felt | None  # the sessions in full, where the specification asks for it


def planned(arm: Arm, spec: Spec, library: Library, unit: dict[str, object]) -> Planned:
    """An arm ready to be given to patients."""
    course = arm.parsed
    own, of_trial = ([dose_words.parse(text) for text in texts] for texts in (arm.doses, spec.drug.doses))
    given, drugs = sorted(own + of_trial, key=lambda d: d.time_min), {d.drug for d in of_trial}
    read = felt.SOLUTES if protocol.in_full(spec) else ()
    columns = cohort.columns(library, tuple(dict.fromkeys(("igg", "fibrinogen", *read, *(d.drug for d in given)))))
    order = setup.prepare(_REFERENCE, course, library, unit) if course else None
    starts = np.array(course.schedule.starts_min(course.count)) if course else np.zeros(0)
    last = float(starts[-1]) if starts.size else 0.0
    all_doses = tuple(cohort.dose(d, columns, _REFERENCE, library) for d in given)
    end = max([last, *(d.time_min for d in all_doses)]) + (AFTER_DAYS + 1) * MINUTES_PER_DAY
    shares = tuple(share for _, share in order.fluids) if order else ()
    drug = next((columns.column(name) for name in sorted(drugs) if name != cohort.BLOCKER_DRUG), -1)
    shared = tuple(d.drug in drugs for d in given)
    return Planned(arm, course, order, columns, starts, shares, all_doses, shared, drug, end)


def live(
    plan: Planned, spec: Spec, library: Library, rows: Integers, threads: int = 1, device: str = devices.CPU
) -> Lived:
    """The patients of these numbers through one arm; raises `InvariantError` where a run broke a law of physics."""
    group = population.draw(spec.population, library, spec.seed, rows)

    def normal(stream: Stream, name: str, count: int) -> Floats:
        return normals(spec.seed, rows, stream, count, name)

    people = cohort.draw_people(group, plan.columns, group.plasma_volume_ml, library, normal, rows.size)
    done = _done(plan, group, spec, library)
    table = _schedule(plan, done, library)
    trajectory = devices.march_on(device, people, table, threads)
    if np.any(trajectory.status):
        bad = rows[np.flatnonzero(trajectory.status)[:5]].tolist()
        raise InvariantError(
            "virtual patients broke an invariant and are refused", {"patients": bad, "arm": plan.arm.name}
        )
    within = None
    if protocol.in_full(spec):
        given = Given(plan.setup, done.plasma_ml)
        within = felt.sessions(group, given, plan.columns, people, trajectory, library, spec.seed)
    return Lived(group, people, plan, done, trajectory, table.output_min.size - 1, within)


def _done(plan: Planned, group: Group, spec: Spec, library: Library) -> Done:
    """Conduct of every patient: sessions missed, cut short or never reached after a dropout."""
    n, k = group.rows.size, plan.starts_min.size
    on_drug = (group.drug_u < spec.drug.fraction).astype(float)
    if plan.setup is None:
        return Done(np.zeros((n, 0)), np.zeros((n, 0)), np.zeros((n, 0)), np.zeros((6, n)), on_drug)
    u = uniforms(spec.seed, group.rows, Stream.CONDUCT, 4 * k).reshape(n, k, 4)
    here = u[:, :, _MISSED] >= spec.conduct.session_missed_fraction
    cut = u[:, :, _CUT] < spec.conduct.access_failure_fraction
    stays = u[:, :, _STOPPED] >= spec.conduct.dropout_fraction
    stays[:, 0] = True
    share: Floats = np.where(cut, u[:, :, 3], 1.0) * here * np.cumprod(stays, axis=1)
    order = plan.setup.prescription
    volume = order.dose * group.plasma_volume_ml if order.dose_unit is Dose.PLASMA_VOLUMES else np.full(n, order.dose)
    blood = group.plasma_volume_ml / (1 - group.hct)
    made, device = plan.setup, exchange.values(library, plan.setup.separator)
    people = (volume, group.hct, blood)
    moved = foresee.haematocrits(made.settings, device, steady.connecting(library), people, made.fluids, library)
    runs = crowd.runs(*people, moved, made.settings)
    minutes = np.maximum(np.where(share > 0, share, 1.0) * runs[crowd.MINUTES][:, None], 1.0)
    return Done(share, minutes, share * volume[:, None], runs, on_drug)


def _schedule(plan: Planned, done: Done, library: Library) -> Schedule:
    """One schedule row a patient: the same segments for all, with each patient's own lengths and flows."""
    edges = _edges(plan, done)
    n, s = done.minutes.shape[0], len(edges.kinds)
    parts = len(plan.shares)
    flow, back = np.zeros((n, s)), np.zeros((n, s))
    fluid, session = np.zeros((n, s), np.int64), np.full((n, s), -1, np.int64)
    for at, (k, part) in enumerate(edges.kinds):
        if k >= 0:
            here = done.delivered_fraction[:, k] > 0
            flow[:, at] = np.where(here, done.runs[crowd.PLASMA_FLOW], 0.0)
            back[:, at] = np.where(here, done.runs[crowd.REPLACEMENT_FLOW], 0.0)
            fluid[:, at], session[:, at] = part, k
    content = np.zeros((1, len(plan.columns.keys)))
    loss: Floats = np.zeros((n, plan.starts_min.size))
    red: Floats = np.zeros_like(loss)
    if plan.setup is not None and parts:
        content = cohort.fluid_table(plan.setup, plan.columns, library)
        on: Floats = (done.delivered_fraction > 0).astype(float)
        loss = np.asarray(on * library.value(f"equipment/{plan.setup.separator}.platelet_loss_fraction"), np.float64)
        red = np.asarray(on * library.value(f"equipment/{plan.setup.separator}.residual_red_cells_ml"), np.float64)
    amounts = np.array([[d.amount for d in plan.doses]]).reshape(1, -1).repeat(n, axis=0)
    amounts[:, np.array(plan.shared, bool)] *= done.on_drug[:, None]
    ones = np.ones((n, s))

    def same(values: list[int]) -> Integers:
        return np.array([values], np.int64).reshape(1, -1).repeat(n, axis=0)

    last = plan.starts_min[-1] if plan.starts_min.size else 0.0
    return Schedule(
        np.full(n, edges.start), np.full(n, s, np.int64), edges.minutes, flow, back, fluid,
        np.zeros((n, s), np.int64), ones, ones, session,
        np.full(n, len(plan.doses), np.int64), same(edges.dose_segment), same([d.solute for d in plan.doses]),
        same([d.route for d in plan.doses]), amounts, loss, red,
        np.ascontiguousarray(content), np.ones((1, len(plan.columns.keys))),
        np.array([last + AFTER_DAYS * MINUTES_PER_DAY]),
    )  # fmt: skip


class _Edges(NamedTuple):
    start: float
    minutes: Floats  # (patients, segments)
    kinds: list[tuple[int, int]]  # (session, fluid part); session -1 between sessions
    dose_segment: list[int]


def _edges(plan: Planned, done: Done) -> _Edges:
    """Segments in order: gaps, cut where a dose falls, and the parts of each session."""
    n = done.minutes.shape[0]
    start = min([0.0, *(d.time_min for d in plan.doses)])
    now, kinds, minutes = np.full(n, start), [], []
    dose_segment, pending = [], list(plan.doses)

    def gap_until(end: float | Floats) -> None:
        nonlocal now
        ends = np.broadcast_to(np.asarray(end, float), (n,))
        while pending and np.all(pending[0].time_min <= ends):
            cut = pending.pop(0).time_min
            if np.any(cut < now):
                raise InputError("dose", f"a dose at {cut:g} min, during a session of some patient", "between sessions")
            if np.any(cut > now):
                minutes.append(cut - now)
                kinds.append((-1, 0))
            dose_segment.append(len(kinds))
            now = np.full(n, cut)
        if np.any(ends > now):
            minutes.append(ends - now)
            kinds.append((-1, 0))
        now = ends

    for k, begin in enumerate(plan.starts_min):
        gap_until(float(begin))
        for part, share in enumerate(plan.shares):
            minutes.append(share * done.minutes[:, k])
            kinds.append((k, part))
        now = begin + done.minutes[:, k]
    gap_until(plan.end_min)
    return _Edges(start, np.stack(minutes, axis=1), kinds, dose_segment)
