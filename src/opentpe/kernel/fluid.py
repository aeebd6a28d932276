"""Plasma, tissue fluid, red cells, albumin and globulin of one patient: colloid osmotic pressure, refill, one step.

Volumes mL, masses mg, concentrations mg/mL = g/L, pressures mm Hg, flows mL/min, time min. Plasma volume, tissue
volume, red cells, albumin and globulin belong here within a session; others read them (`equations/fluid`).
"""

from __future__ import annotations

from typing import NamedTuple

from opentpe.kernel.compiled import compiled, woven

OK = 0
PLASMA_EMPTY = 4  # plasma volume below 30 % of its start: the equations are not trusted there

LOWEST_PLASMA = 0.3


class Pressure(NamedTuple):
    """Polynomials of colloid osmotic pressure in g/dL, mm Hg, and the scale of the albumin one."""

    albumin1: float
    albumin2: float
    albumin3: float
    globulin1: float
    globulin2: float
    globulin3: float
    albumin_scale: float


class Body(NamedTuple):
    """How fluid and protein move in one patient; the resting values belong to it (`rest` fills them)."""

    filtration_ml_min_mm_hg: float
    vascular_elastance: float  # mm Hg per mL
    tissue_elastance: float
    urine_per_min: float
    reflection: float
    albumin_escape_per_min: float
    albumin_share: float  # of the pool that is in plasma
    globulin_escape_per_min: float
    globulin_share: float
    plasma0: float
    tissue0: float
    red_cells0: float
    pressure0: float
    tissue_pressure0: float


class State(NamedTuple):
    """Volumes (mL) and masses (mg); the last five are ledgers that only add up what left."""

    plasma: float
    tissue: float
    red_cells: float
    albumin: float
    globulin: float
    tissue_albumin: float
    tissue_globulin: float
    water_out: float
    drawn_plasma: float
    red_cells_out: float
    albumin_out: float
    globulin_out: float


class Flows(NamedTuple):
    """What circuit and drips do, constant over a segment: mL/min, and g/L for the replacement."""

    plasma_removed: float
    blood_drawn: float
    clear_in: float  # protein-free: prime, saline, anticoagulant that reaches the patient
    fluid_in: float
    fluid_albumin: float
    fluid_globulin: float
    red_cells_in: float


@woven
def colloid_pressure(law: Pressure, albumin: float, globulin: float) -> float:
    """Colloid osmotic pressure, mm Hg, of a solution of albumin and globulin in g/L (equations 1 to 3)."""
    total = albumin + globulin
    if total <= 0.0:
        return 0.0
    c = 0.1 * total
    pa = c * (law.albumin1 + c * (law.albumin2 + c * law.albumin3))
    pg = c * (law.globulin1 + c * (law.globulin2 + c * law.globulin3))
    return (law.albumin_scale * albumin * pa + globulin * pg) / total


@compiled
def rest(
    law: Pressure,
    body: Body,
    plasma_ml: float,
    tissue_ml: float,
    red_cells_ml: float,
    proteins: tuple[float, float],
    tissue_mg: tuple[float, float] = (-1.0, -1.0),
) -> tuple[Body, State]:
    """The patient with resting values filled in, and the state before a session (section 4).

    `proteins` are albumin and globulin of plasma, g/L; `tissue_mg` the masses in tissue. Below zero these are what
    is in balance with plasma, and then nothing moves.
    """
    albumin, globulin = proteins[0] * plasma_ml, proteins[1] * plasma_ml
    tissue_albumin, tissue_globulin = tissue_mg
    if tissue_albumin < 0.0:
        tissue_albumin = albumin * (1.0 - body.albumin_share) / body.albumin_share
    if tissue_globulin < 0.0:
        tissue_globulin = globulin * (1.0 - body.globulin_share) / body.globulin_share
    rested = Body(
        body.filtration_ml_min_mm_hg,
        body.vascular_elastance,
        body.tissue_elastance,
        body.urine_per_min,
        body.reflection,
        body.albumin_escape_per_min,
        body.albumin_share,
        body.globulin_escape_per_min,
        body.globulin_share,
        plasma_ml,
        tissue_ml,
        red_cells_ml,
        colloid_pressure(law, proteins[0], proteins[1]),
        colloid_pressure(law, tissue_albumin / tissue_ml, tissue_globulin / tissue_ml),
    )
    masses = (albumin, globulin, tissue_albumin, tissue_globulin)
    return rested, State(plasma_ml, tissue_ml, red_cells_ml, *masses, 0.0, 0.0, 0.0, 0.0, 0.0)


@woven
def haematocrit(state: State) -> float:
    """Haematocrit of the circulating blood."""
    return state.red_cells / (state.red_cells + state.plasma)


@woven
def volume_change(body: Body, state: State) -> float:
    """Change of circulating blood volume since the start, mL."""
    return state.plasma + state.red_cells - body.plasma0 - body.red_cells0


@woven
def filtration(law: Pressure, body: Body, state: State) -> float:
    """Net flow from plasma into tissue, mL/min, lymph included; negative is refill (equation 4)."""
    p = colloid_pressure(law, state.albumin / state.plasma, state.globulin / state.plasma) - body.pressure0
    q = colloid_pressure(law, state.tissue_albumin / state.tissue, state.tissue_globulin / state.tissue)
    vessel = body.vascular_elastance * volume_change(body, state)
    tissue = body.tissue_elastance * (state.tissue - body.tissue0)
    return body.filtration_ml_min_mm_hg * (vessel - tissue - body.reflection * (p - (q - body.tissue_pressure0)))


@woven
def plasma_drawn(state: State, flows: Flows) -> float:
    """All plasma leaving the patient, mL/min: removed by the separator and drawn with whole blood."""
    return flows.plasma_removed + flows.blood_drawn * (1.0 - haematocrit(state))


@woven
def rates(law: Pressure, body: Body, state: State, flows: Flows) -> State:
    """Time derivative of the state (equations 5 to 11)."""
    hct = haematocrit(state)
    out = flows.plasma_removed + flows.blood_drawn * (1.0 - hct)
    albumin, globulin = state.albumin / state.plasma, state.globulin / state.plasma
    flow = filtration(law, body, state)
    drag = (1.0 - body.reflection) * max(flow, 0.0)
    share_a, share_g = body.albumin_share, body.globulin_share
    escape_a = body.albumin_escape_per_min * (state.albumin - state.tissue_albumin * share_a / (1.0 - share_a))
    escape_g = body.globulin_escape_per_min * (state.globulin - state.tissue_globulin * share_g / (1.0 - share_g))
    escape_a += drag * albumin
    escape_g += drag * globulin
    urine = body.urine_per_min * max(state.plasma + state.tissue - body.plasma0 - body.tissue0, 0.0)
    return State(
        flows.clear_in + flows.fluid_in - out - flow - urine,
        flow,
        flows.red_cells_in - flows.blood_drawn * hct,
        flows.fluid_in * flows.fluid_albumin - out * albumin - escape_a,
        flows.fluid_in * flows.fluid_globulin - out * globulin - escape_g,
        escape_a,
        escape_g,
        out + urine,
        out,
        flows.blood_drawn * hct,
        out * albumin,
        out * globulin,
    )


@woven
def along(state: State, rate: State, dt: float) -> State:
    """The state after going along a rate for `dt` minutes."""
    return State(
        state.plasma + dt * rate.plasma,
        state.tissue + dt * rate.tissue,
        state.red_cells + dt * rate.red_cells,
        state.albumin + dt * rate.albumin,
        state.globulin + dt * rate.globulin,
        state.tissue_albumin + dt * rate.tissue_albumin,
        state.tissue_globulin + dt * rate.tissue_globulin,
        state.water_out + dt * rate.water_out,
        state.drawn_plasma + dt * rate.drawn_plasma,
        state.red_cells_out + dt * rate.red_cells_out,
        state.albumin_out + dt * rate.albumin_out,
        state.globulin_out + dt * rate.globulin_out,
    )


@woven
def step(law: Pressure, body: Body, state: State, flows: Flows, dt: float) -> tuple[State, State, int]:
    """The state half way and `dt` minutes on by the midpoint rule, and a status (steps up to 0.5 min)."""
    middle = along(state, rates(law, body, state, flows), 0.5 * dt)
    after = along(state, rates(law, body, middle, flows), dt)
    lowest = min(after.albumin, after.globulin, after.tissue_albumin, after.tissue_globulin)
    empty = not after.plasma > LOWEST_PLASMA * body.plasma0 or not after.red_cells >= 0.0 or not lowest >= 0.0
    return middle, after, PLASMA_EMPTY if empty else OK
