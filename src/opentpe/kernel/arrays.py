"""What the kernel reads and writes: arrays of plain numbers with the patient axis first and time last.

Axes: n patients, m solutes, p schedule rows (1 for all patients alike, or n), s segments, k sessions, d doses,
f fluids, v sieving sets, t output times. Amounts mg, volumes mL, times and rates min; concentration mg/mL = g/L (for a
solute counted in per cent of its own baseline or as a ratio, its unit takes the place of mg/mL throughout).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opentpe.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Laws of catabolism; they add. Solutes with a law are integrated together and stand in the first columns.
LINEAR, FCRN, SATURABLE, DEPOT = 0, 1, 2, 4
# Routes of a dose and the solute index that stands for the FcRn blocker.
IV, SC = 0, 1
BLOCKER = -1
NO_SESSION = -1

# Bits of Trajectory.status; 0 is a sound run.
OK, NEGATIVE, MASS, HCT, NOT_FINITE = 0, 1, 2, 4, 8


class Cohort(NamedTuple):
    """Parameters of every patient. Rates are per minute: the bridge divides the library's daily rates by 1440."""

    plasma_ml: Floats  # [n] plasma volume at rest
    delivered_ratio: Floats  # [n] plasma really removed and replaced per plasma ordered
    concentration: Floats  # [n, m] at rest before the first dose and session; 0 for drugs
    synthesis_ratio: Floats  # [n, m] synthesis relative to what holds `concentration`; 1 is a steady state
    catabolic_rate: Floats  # [n, m] of the plasma pool; for FCRN at the reference IgG; linear part for SATURABLE
    escape_rate: Floats  # [n, m] plasma to tissue, k12; 0 with return_rate 0 is a single pool
    return_rate: Floats  # [n, m] tissue to plasma, k21
    central_ratio: Floats  # [n, m] volume in which concentration is read / plasma volume; 1 endogenous, Vc/V drugs
    spread_ratio: Floats  # [n, m] rho: an exchange of x plasma volumes acts as x/rho
    saturable_mg_min: Floats  # [n, m] maximum of the saturable route
    saturable_half: Floats  # [n, m] concentration of its half rate
    absorption_rate: Floats  # [n, m] from the subcutaneous depot
    available_fraction: Floats  # [n, m] of a subcutaneous dose that reaches plasma
    fcrn_free_rate: Floats  # [n] catabolic rate of IgG without recycling
    fcrn_half: Floats  # [n] IgG concentration of half recycling
    fcrn_reference: Floats  # [n] IgG concentration at which catabolic_rate holds
    blocker_half: Floats  # [n] blocker amount (standard doses) that halves recycling
    blocker_loss_rate: Floats  # [n]
    blocker_spread_ratio: Floats  # [n] distribution volume of the blocker / plasma volume
    platelets: Floats  # [n] resting count
    platelet_return_rate: Floats  # [n]
    red_cells_ml: Floats  # [n]
    law: Integers  # [m] sum of LINEAR, FCRN, SATURABLE, DEPOT
    igg_weight: (
        Floats  # [m] 1 where the solute is a whole of IgG (total IgG, IVIG, an IgG drug), 0 for parts and others
    )


class Schedule(NamedTuple):
    """When plasma leaves, what replaces it, which doses are given.

    `timeline.build` makes one row, `timeline.stack` puts rows under each other. Segments follow one another without
    gaps; a dose is given at the start of its segment.
    """

    start_min: Floats  # [p] of the first segment; 0 is the start of session 1
    segment_count: Integers  # [p]
    duration_min: Floats  # [p, s]
    plasma_flow: Floats  # [p, s] patient plasma removed, mL/min; 0 outside sessions
    replacement_flow: Floats  # [p, s] mL/min
    fluid: Integers  # [p, s] row of fluid_content
    sieve: Integers  # [p, s] row of sieving_fraction
    volume_start: Floats  # [p, s] plasma volume / plasma volume at rest
    volume_end: Floats  # [p, s] linear in between
    session: Integers  # [p, s] index of the session, NO_SESSION between
    dose_count: Integers  # [p]
    dose_segment: Integers  # [p, d] ascending
    dose_solute: Integers  # [p, d] solute index or BLOCKER
    dose_route: Integers  # [p, d] IV or SC
    dose_amount: Floats  # [p, d] mg; standard doses for BLOCKER
    platelet_loss_fraction: Floats  # [p, k]
    red_cells_lost_ml: Floats  # [p, k]
    fluid_content: Floats  # [f, m] concentration in each replacement fluid
    sieving_fraction: Floats  # [v, m] 1 for a centrifuge
    output_min: Floats  # [t] ascending, within the segments


class Trajectory(NamedTuple):
    """What happened. An output at the moment of a dose or a session start shows the value just before it."""

    concentration: Floats  # [n, m, t]
    before: Floats  # [n, m, k] concentration as the session starts
    after: Floats  # [n, m, k] as it ends
    removed: Floats  # [n, m, k] amount that left through the session, mg
    body_after: Floats  # [n, m, k] plasma + tissue + depot as the session ends, mg
    body_end: Floats  # [n, m] plasma + tissue + depot at the end
    platelets: Floats  # [n, t]
    platelets_before: Floats  # [n, k]
    platelets_after: Floats  # [n, k]
    hct_before: Floats  # [n, k]
    hct_after: Floats  # [n, k]
    imbalance: Floats  # [n, m] |start + supplied - removed - catabolised - end| / (start + supplied)
    status: Integers  # [n] OK or a sum of NEGATIVE, MASS, HCT, NOT_FINITE


# Packed forms: what the compiled loops read. A record of two dozen arrays costs more to pass than to compute with.
# Rows of Packed.solute: the [n, m] fields of Cohort in their order; columns of Packed.person: the [n] fields.
(CONCENTRATION, SYNTHESIS_RATIO, CATABOLIC, ESCAPE, RETURN, CENTRAL, SPREAD, MAXIMUM, HALF, ABSORPTION, AVAILABLE) = (
    range(11)
)
(
    PLASMA_ML,
    DELIVERED,
    FREE_RATE,
    FCRN_HALF,
    FCRN_REFERENCE,
    BLOCKER_HALF,
    BLOCKER_LOSS,
    BLOCKER_SPREAD,
    PLATELETS,
    PLATELET_RETURN,
    RED_CELLS_ML,
) = range(11)
# Rows of State.amount and of State.work
PLASMA, TISSUE, DEPOT_LEFT, SUPPLIED, REMOVED, CATABOLISED, SYNTHESIS = range(7)
STATE_ROWS, WORK_ROWS = 7, 18
# Rows of Plan.flow, Plan.which; Result.session, Result.cells, Result.end
DURATION, PLASMA_FLOW, REPLACEMENT_FLOW, VOLUME_START, VOLUME_END = range(5)
FLUID, SIEVE, SESSION = range(3)
BEFORE, AFTER, TAKEN, BODY = range(4)
PLATELETS_BEFORE, PLATELETS_AFTER, HCT_BEFORE, HCT_AFTER = range(4)
BODY_END, IMBALANCE = range(2)


class Packed(NamedTuple):
    """A cohort for the compiled loops."""

    person: Floats  # [n, 11]
    solute: Floats  # [n, 11, m]
    law: Integers  # [m]
    weight: Floats  # [m]
    coupled: int  # how many columns, from the first, have a law


class Row(NamedTuple):
    """One patient of a packed cohort."""

    person: Floats  # [11]
    solute: Floats  # [11, m]
    law: Integers  # [m]
    weight: Floats  # [m]
    coupled: int


class State(NamedTuple):
    """One patient at one instant, with the ledger since the start; written in place."""

    amount: Floats  # [7, m] mg; SYNTHESIS mg/min
    blocker: Floats  # [2] standard doses; clearance by the device, mL/min
    work: Floats  # [18, m] slopes, and what is constant while the flows are


class Plan(NamedTuple):
    """A schedule for the compiled loops; -1 in `which` of SESSION is NO_SESSION, segments past the count are empty."""

    start: Floats  # [p]
    counts: Integers  # [p, 2] segments, doses
    flow: Floats  # [p, s, 5]
    which: Integers  # [p, s, 3]
    dose: Integers  # [p, d, 3] segment, solute, route
    dose_amount: Floats  # [p, d]
    cells: Floats  # [p, k, 2] platelet loss fraction, red cells lost mL
    content: Floats  # [f, m]
    sieving: Floats  # [v, m]
    output: Floats  # [t]


class Result(NamedTuple):
    """What the compiled loops write; `Trajectory` is a view of it."""

    concentration: Floats  # [n, m, t]
    session: Floats  # [n, 4, m, k]
    cells: Floats  # [n, 4, k]
    platelets: Floats  # [n, t]
    end: Floats  # [n, 2, m]
    status: Integers  # [n]


def _own(array: Any, kind: type[Any]) -> Any:
    """A copy: an array that may not be written is another type to the compiler, and another compile."""
    return np.array(array, kind, order="C")


def pack(cohort: Cohort) -> Packed:
    """A cohort in the form the compiled loops read; `InputError` where a linear column stands before a coupled one."""
    coupled = int(np.count_nonzero(cohort.law))
    if not np.all(cohort.law[:coupled]):
        raise InputError("cohort", "a linear solute before one with a law", "columns with a law first", "Reorder.")
    people = [cohort.plasma_ml, cohort.delivered_ratio, *cohort[Cohort._fields.index("fcrn_free_rate") : -2]]
    return Packed(
        np.ascontiguousarray(np.stack(people, 1), np.float64),
        np.ascontiguousarray(np.stack(cohort[2:13], 1), np.float64),
        _own(cohort.law, np.int64),
        _own(cohort.igg_weight, np.float64),
        coupled,
    )


def pack_schedule(schedule: Schedule) -> Plan:
    """A schedule in the form the compiled loops read."""
    s = schedule
    flows = (s.duration_min, s.plasma_flow, s.replacement_flow, s.volume_start, s.volume_end)
    return Plan(
        _own(s.start_min, np.float64),
        np.ascontiguousarray(np.stack((s.segment_count, s.dose_count), 1), np.int64),
        np.ascontiguousarray(np.stack(flows, 2), np.float64),
        np.ascontiguousarray(np.stack((s.fluid, s.sieve, s.session), 2), np.int64),
        np.ascontiguousarray(np.stack((s.dose_segment, s.dose_solute, s.dose_route), 2), np.int64),
        _own(s.dose_amount, np.float64),
        np.ascontiguousarray(np.stack((s.platelet_loss_fraction, s.red_cells_lost_ml), 2), np.float64),
        _own(s.fluid_content, np.float64),
        _own(s.sieving_fraction, np.float64),
        _own(s.output_min, np.float64),
    )


def alone(cohort: Cohort, i: int) -> Cohort:
    """Patient i as a cohort of one."""
    rows = {name: array[i : i + 1] for name, array in cohort._asdict().items() if name not in ("law", "igg_weight")}
    return cohort._replace(**rows)


def row_of(schedule: Schedule, p: int) -> Schedule:
    """Row p of a schedule of many rows; the schedule itself where it has one row for all."""
    if schedule.start_min.size == 1:
        return schedule
    shared = ("fluid_content", "sieving_fraction", "output_min")
    return schedule._replace(**{k: a[p : p + 1] for k, a in schedule._asdict().items() if k not in shared})


def blank_result(n: int, m: int, k: int, t: int) -> Result:
    """Empty arrays for n patients, m solutes, k sessions and t output times."""
    return Result(
        np.empty((n, m, t)),
        np.full((n, 4, m, k), np.nan),
        np.full((n, 4, k), np.nan),
        np.empty((n, t)),
        np.empty((n, 2, m)),
        np.zeros(n, np.int64),
    )


def trajectory(result: Result) -> Trajectory:
    """A result under the names of `Trajectory`, without copying."""
    session, cells, end = result.session, result.cells, result.end
    return Trajectory(
        concentration=result.concentration,
        before=session[:, BEFORE],
        after=session[:, AFTER],
        removed=session[:, TAKEN],
        body_after=session[:, BODY],
        body_end=end[:, BODY_END],
        platelets=result.platelets,
        platelets_before=cells[:, PLATELETS_BEFORE],
        platelets_after=cells[:, PLATELETS_AFTER],
        hct_before=cells[:, HCT_BEFORE],
        hct_after=cells[:, HCT_AFTER],
        imbalance=end[:, IMBALANCE],
        status=result.status,
    )
