"""The only time loop of a course: one patient, and all patients in parallel.

How the bridge fills the arrays (shapes and units stand beside each field in `arrays.py`):

From the library: `solutes/<key>.toml` has `laws` (fcrn, saturable, depot), `igg` (whole, part, none), `unit` and either
concentration, intravascular_fraction f, catabolic_rate_per_d, escape_rate_per_d (k12), or for a drug central_volume_l
(Vc), peripheral_volume_l (Vp), clearance_l_d (CL), exchange_clearance_l_d (Q), saturable_maximum_mg_d,
saturable_half_ug_ml, absorption_rate_per_d, available_fraction, spread_ratio; volumes and clearances scale with
(weight / reference_weight_kg) to the power weight_exponent_volume and weight_exponent_clearance (Q as CL, maximum as
CL). Ocrelizumab adds clearance_transient_l_d x exp(-clearance_transient_decay_per_d x days since the first dose).
`enabled = false` is a drug to refuse. FcRn and blocker: `equations/fcrn.toml`; free rate = free_rate_ratio x
reference_rate_per_d. Cells: `equations/cells.toml`.

1. One column per solute, the same order in every array with an m axis, columns with a law first. Total IgG has law
   FCRN and igg_weight 1; its parts (IgG1, IgG2, IgG4, an autoantibody) law FCRN and weight 0; IVIG and IgG drugs law
   FCRN (+ SATURABLE, + DEPOT where given) and weight 1; everything else LINEAR and 0. Without a column of weight 1
   there is no IgG in the FcRn law: always include total IgG when a column has law FCRN.
2. Rates: daily rate / 1440. k21 = k12 f/(1 - f); f = 1 is a single pool (k12 = k21 = 0). Drugs: catabolic_rate =
   CL/Vc, escape_rate = Q/Vc, return_rate = Q/Vp, central_ratio = Vc/plasma_ml, spread_ratio = max(1, Vc/3000 mL x
   70 kg/weight) unless fitted, concentration 0. IVIG uses the columns of total IgG with concentration 0. Fields that
   do not apply: saturable_mg_min 0, saturable_half 1, absorption_rate 0, available_fraction 1.
3. `timeline.build` turns sessions, doses and output times into a Schedule of one row; `timeline.stack` puts several
   rows under each other. One row serves all patients; n rows give each patient an own schedule.
4. `course_all(cohort, schedule)` returns a Trajectory; row i is the same bits as the patient run alone, which is
   `course_one(cohort, schedule, i)`. Memory is about 8 n m (t + 4 k + 22) bytes: pass a large cohort in chunks.
5. status[i] = 0 is sound. Anything else is a broken invariant: raise InvariantError, plot nothing.

Linear solutes take one exact step a segment, or fourth-order steps of exact halves while the plasma volume moves.
Coupled solutes take fourth-order steps whose count follows from the patient's own fastest rate.
Output times never move the steps: a value in between is a side step that is thrown away.
"""

from __future__ import annotations

import math

import numpy as np

from opentpe.kernel import pools, turnover
from opentpe.kernel import threads as threading
from opentpe.kernel.arrays import (
    AFTER,
    BEFORE,
    BODY,
    BODY_END,
    CATABOLISED,
    DELIVERED,
    DEPOT_LEFT,
    DURATION,
    FLUID,
    HCT,
    HCT_AFTER,
    HCT_BEFORE,
    IMBALANCE,
    MASS,
    NEGATIVE,
    NO_SESSION,
    NOT_FINITE,
    PLASMA,
    PLASMA_FLOW,
    PLASMA_ML,
    PLATELET_RETURN,
    PLATELETS,
    PLATELETS_AFTER,
    PLATELETS_BEFORE,
    RED_CELLS_ML,
    REMOVED,
    REPLACEMENT_FLOW,
    SESSION,
    SIEVE,
    STATE_ROWS,
    SUPPLIED,
    TAKEN,
    TISSUE,
    VOLUME_END,
    VOLUME_START,
    Cohort,
    Floats,
    Packed,
    Plan,
    Result,
    Row,
    Schedule,
    State,
    Trajectory,
    alone,
    blank_result,
    pack,
    pack_schedule,
    row_of,
    trajectory,
)
from opentpe.kernel.compiled import compiled, unlocked

STEP = 0.08  # step x fastest rate of the fourth-order steps while plasma leaves or with a saturable drug
REST = 1.8  # times longer for the first step at rest, when nothing moves at the fastest rate
GROWTH = 0.45  # each later step at rest is longer by this x its first, because fast pools settle first
CAP = 0.45  # step x fastest rate at most
SWELL = 0.05  # change of plasma volume in one step of a linear solute
CHEAPER = 5  # this many Runge-Kutta steps of a linear solute cost what two exact ones do
LOST = 1e-9  # mass that may go missing, as a fraction of what there was
DUST = 1e-9  # a negative amount this small against what was supplied is rounding
HCT_RANGE = (0.05, 0.75)  # outside, a haematocrit is a fault of the run, not a patient


@compiled
def _ceil(x: float) -> int:
    return int(math.ceil(x))  # noqa: RUF046 - on a graphics processor a ceiling is a float


@compiled
def _record(patient: Row, amounts: Floats, plasma_ml: float, first: int, last: int, where: Floats) -> None:
    """Writes the concentrations of solutes first to last - 1 into `where` [m]."""
    for j in range(first, last):
        where[j] = pools.concentration(patient, j, amounts[PLASMA, j], plasma_ml)


@compiled
def _linear(
    patient: Row, state: State, v0: float, v1: float, dt: float, t0: float, times: Floats, where: Floats
) -> None:
    """Linear solutes over a segment: outputs beside the way, then the exact step (fourth order while the volume moves).

    The segment starts at `t0`; `times` [t] lie within it; `where` [m, t].
    """
    swells = max(1, _ceil(abs(v1 / v0 - 1.0) / SWELL))
    for j in range(patient.coupled, patient.law.size):
        if v0 == v1:
            pools.levels(patient, state, j, v0, t0, times, where[j])
            pools.settle(state, j, v0, 0.0, dt, 0, 1)
            continue
        short = max(swells, _ceil(pools.quickest(state, j, min(v0, v1)) * dt / pools.SHORT))
        spans = short if short <= CHEAPER * swells else swells
        part, change, done = dt / spans, (v1 - v0) / spans, 0
        for k in range(times.size + 1):
            n = spans if k == times.size else min(int((times[k] - t0) / part), spans - 1)
            pools.settle(state, j, v0, change, part, done, n)
            done = n
            if k < times.size:
                gone = times[k] - t0
                begin, here = v0 + change * n, v0 + (v1 - v0) * gone / dt
                y, beside = state.amount, gone - part * n
                now = pools.moving(state, j, y[PLASMA, j], y[TISSUE, j], begin, here, beside)[0]
                where[j, k] = pools.concentration(patient, j, now, here)


@compiled
def pace(dt: float, fastest: float, step: float, even: bool) -> tuple[int, pools.Pace]:
    """How many steps a segment takes and how they grow: evenly with a saturable drug or a moving volume, else slowly.

    A step never passes CAP over the fastest rate, so that no fast pool is stirred up again.
    """
    reach = dt * fastest
    if even:
        count = max(1, _ceil(reach / step))
        return count, pools.Pace(dt / count, 1.0, 0)
    growth = math.log1p(GROWTH * step)
    growing = _ceil(math.log(CAP / step) / growth)
    grown = step * math.expm1(growing * growth) / math.expm1(growth)
    if reach <= grown:
        count = max(1, _ceil(math.log1p(reach / step * math.expm1(growth)) / growth))
    else:
        count = growing + _ceil((reach - grown) / (step * math.exp(growing * growth)))
    return count, pools.Pace(dt / _elapsed(count, growth, growing), math.exp(growth), growing)


@compiled
def _elapsed(n: int, growth: float, growing: int) -> float:
    """Time before step n, in first steps."""
    grown = math.expm1(min(n, growing) * growth) / math.expm1(growth)
    return grown + max(0, n - growing) * math.exp(growing * growth)


@compiled
def _stepped(
    patient: Row, state: State, trial: Floats, flow: Floats, t0: float, times: Floats, where: Floats, step: float
) -> None:
    """Coupled solutes over a segment, with outputs as side steps."""
    if patient.coupled == 0:
        return
    rest, dt, blocker = patient.person[PLASMA_ML], flow[DURATION], state.blocker[0]
    v0, v1 = flow[VOLUME_START] * rest, flow[VOLUME_END] * rest
    fastest, fine = pools.fastest(patient, state, min(v0, v1)), pools.saturable(patient, state)
    first = step if flow[PLASMA_FLOW] > 0.0 or fine else REST * step
    count, stride = pace(dt, fastest, first, flow[PLASMA_FLOW] > 0.0 or fine or v0 != v1)
    h, dv, n, begun = stride.first_min, (v1 - v0) / count, 0, 0.0
    for k in range(times.size + 1):
        done, next_steps = n, pools.Pace(h, stride.ratio, stride.growing)
        gone = times[k] - t0 if k < times.size else dt
        while n < count and (k == times.size or (n < count - 1 and begun + h <= gone)):
            begun += h
            h *= stride.ratio if n < stride.growing else 1.0
            n += 1
        blocker = pools.advance(patient, state, state.amount, blocker, next_steps, v0, dv, done, n)
        if k < times.size:
            volume, here = v0 + dv * n, v0 + (v1 - v0) * gone / dt
            beside = pools.Pace(gone - begun, 1.0, 0)
            pools.copy_amounts(patient, state.amount, trial)
            pools.advance(patient, state, trial, blocker, beside, volume, here - volume, 0, 1)
            _record(patient, trial, here, 0, patient.coupled, where[:, k])
    state.blocker[0] = blocker


@compiled
def _open_session(patient: Row, state: State, plasma_ml: float, red_ml: float, session: Floats, cells: Floats) -> None:
    """Writes what a session starts from: `session` [4, m], `cells` [4]."""
    _record(patient, state.amount, plasma_ml, 0, patient.law.size, session[BEFORE])
    for j in range(patient.law.size):
        session[TAKEN, j] = state.amount[REMOVED, j]
    cells[HCT_BEFORE] = turnover.haematocrit(red_ml, plasma_ml)


@compiled
def _close_session(patient: Row, state: State, plasma_ml: float, red_ml: float, session: Floats, cells: Floats) -> None:
    """Writes what a session ends with."""
    y = state.amount
    _record(patient, y, plasma_ml, 0, patient.law.size, session[AFTER])
    for j in range(patient.law.size):
        session[TAKEN, j] = y[REMOVED, j] - session[TAKEN, j]
        session[BODY, j] = y[PLASMA, j] + y[TISSUE, j] + y[DEPOT_LEFT, j]
    cells[HCT_AFTER] = turnover.haematocrit(red_ml, plasma_ml)


@compiled
def _verdict(patient: Row, state: State, red_ml: float, end: Floats) -> int:
    """Balances the ledger into `end` [2, m]; the status bits of mass and haematocrit."""
    y, status = state.amount, 0
    for j in range(patient.law.size):
        body = y[PLASMA, j] + y[TISSUE, j] + y[DEPOT_LEFT, j]
        lost = abs(y[SUPPLIED, j] - y[REMOVED, j] - y[CATABOLISED, j] - body)
        end[BODY_END, j] = body
        end[IMBALANCE, j] = lost / y[SUPPLIED, j] if y[SUPPLIED, j] > 0.0 else lost
        if not end[IMBALANCE, j] <= LOST:
            status |= MASS
    hct = turnover.haematocrit(red_ml, patient.person[PLASMA_ML])
    if not HCT_RANGE[0] <= hct <= HCT_RANGE[1]:
        status |= HCT
    return status


@compiled
def _signs(state: State) -> int:
    """The status bits of a negative or a lost amount."""
    y, status = state.amount, 0
    for j in range(y.shape[1]):
        if not math.isfinite(y[PLASMA, j] + y[TISSUE, j] + y[DEPOT_LEFT, j]):
            status |= NOT_FINITE
        elif min(y[PLASMA, j], y[TISSUE, j], y[DEPOT_LEFT, j]) < -DUST * y[SUPPLIED, j]:
            status |= NEGATIVE
    return status


@compiled
def one(i: int, packed: Packed, plan: Plan, result: Result, step: float, state: State, trial: Floats) -> None:
    """Runs patient i through the schedule and writes row i of the result; allocates nothing.

    `state` and `trial` [7, m] are room to work in, in any condition. A graphics processor runs this function too.
    """
    p = min(i, plan.start.size - 1)
    patient, m = pools.row(i, packed), packed.law.size
    pools.rest(patient, state)
    rest, red, count = patient.person[PLASMA_ML], patient.person[RED_CELLS_ML], patient.person[PLATELETS]
    resting, regrowth, delivered = count, patient.person[PLATELET_RETURN], patient.person[DELIVERED]
    t, o, d, open_session, status = plan.start[p], 0, 0, NO_SESSION, 0
    while o < plan.output.size and plan.output[o] <= t:
        _record(patient, state.amount, rest, 0, m, result.concentration[i, :, o])
        result.platelets[i, o] = count
        o += 1
    for s in range(plan.counts[p, 0]):
        flow, k = plan.flow[p, s], plan.which[p, s, SESSION]
        end, final = t + flow[DURATION], s == plan.counts[p, 0] - 1
        if k not in (NO_SESSION, open_session):
            result.cells[i, PLATELETS_BEFORE, k] = count
            _open_session(
                patient, state, flow[VOLUME_START] * rest, red, result.session[i, :, :, k], result.cells[i, :, k]
            )
        open_session = k
        while d < plan.counts[p, 1] and plan.dose[p, d, 0] <= s:
            pools.give(patient, state, plan.dose[p, d, 1], plan.dose[p, d, 2], plan.dose_amount[p, d])
            d += 1
        last = o
        while last < plan.output.size and (plan.output[last] <= end or final):
            result.platelets[i, last] = turnover.platelets_later(count, resting, regrowth, plan.output[last] - t)
            last += 1
        out, back = flow[PLASMA_FLOW] * delivered, flow[REPLACEMENT_FLOW] * delivered
        content, sieve = plan.content[plan.which[p, s, FLUID]], plan.sieving[plan.which[p, s, SIEVE]]
        pools.set_flows(patient, state, out, back, content, sieve)
        times, where = plan.output[o:last], result.concentration[i, :, o:last]
        v0, v1 = flow[VOLUME_START] * rest, flow[VOLUME_END] * rest
        _linear(patient, state, v0, v1, flow[DURATION], t, times, where)
        _stepped(patient, state, trial, flow, t, times, where, step)
        count = turnover.platelets_later(count, resting, regrowth, flow[DURATION])
        t, o, status = end, last, status | _signs(state)
        if k != NO_SESSION and (final or plan.which[p, s + 1, SESSION] != k):
            red -= plan.cells[p, k, 1]
            count = turnover.platelets_after(count, plan.cells[p, k, 0], 1.0, 1.0)
            result.cells[i, PLATELETS_AFTER, k] = count
            _close_session(
                patient, state, flow[VOLUME_END] * rest, red, result.session[i, :, :, k], result.cells[i, :, k]
            )
    result.status[i] = status | _verdict(patient, state, red, result.end[i])


@unlocked
def courses(first: int, last: int, packed: Packed, plan: Plan, result: Result, step: float) -> None:
    """Rows first to last - 1 of a packed cohort, into the result."""
    state, trial = pools.blank_state(packed.law.size), np.zeros((STATE_ROWS, packed.law.size))
    for i in range(first, last):
        one(i, packed, plan, result, step, state, trial)


def course_all(cohort: Cohort, schedule: Schedule, step: float = STEP, threads: int = 0) -> Trajectory:
    """Every patient of a cohort through the schedule; row i equals the patient run alone, bit for bit.

    `threads` 0 means all cores.
    """
    packed, plan = pack(cohort), pack_schedule(schedule)
    n = packed.person.shape[0]
    result = blank_result(n, packed.law.size, plan.cells.shape[1], plan.output.size)
    threading.share(n, lambda a, b: courses(a, b, packed, plan, result, step), threads)
    return trajectory(result)


def course_one(cohort: Cohort, schedule: Schedule, i: int = 0, step: float = STEP) -> Trajectory:
    """Patient i of a cohort run alone: a trajectory of one row."""
    return course_all(alone(cohort, i), row_of(schedule, i), step)
