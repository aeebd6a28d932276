"""Citrate, calcium, magnesium, parathyroid hormone, QT and acid-base of one patient: an instant, and one step of time.

Amounts mmol, concentrations mmol/L of plasma, volumes mL, flows mL/min, proteins g/L, time min. Volumes and proteins
belong to `kernel/fluid.py`; here they are read as a `Milieu`. Constants come as arguments (`equations/citrate`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from opentpe.kernel.binding import (
    NOT_CONVERGED,
    OK,
    PASSES,
    STAGE_SETTLED,
    Binding,
    acid_ratio,
    bound,
    diffusible,
    equilibrium,
    free,
    improve,
    mixture,
    site_strengths,
)
from opentpe.kernel.compiled import compiled, woven

BELOW_ZERO = 2  # an amount fell below zero

_FLOOR = 1e-9
_LN10 = math.log(10.0)


class Body(NamedTuple):
    """What one patient does with citrate, calcium and acid: rates, spaces, baselines."""

    clearance_ml_min: float
    transfer_ml_min: float
    second_pool_ml: float
    buffer_ml_min: float
    pth_release_mmol_min: float
    citrate0: float
    calcium0: float
    magnesium0: float
    pth_max_ratio: float
    pth_min_ratio: float
    pth_slope: float
    pth_depletion: float
    pth_refill_per_min: float
    pth_clearance_per_min: float
    qt_steady_s: float
    qt_rate_s: float
    qt_lag_min: float
    bicarbonate_space_ml: float
    alkali_release_min: float
    alkali_per_citrate: float
    bicarbonate0: float
    ph0: float
    pco2_0: float
    pco2_slope: float
    acid_ratio0: float  # 10^(site pKa - ph0), see `binding.acid_ratio`


class State(NamedTuple):
    """Amounts (mmol), hormone and lags; the last six are ledgers that only add up what passed."""

    citrate: float
    citrate2: float
    calcium: float
    calcium_tissue: float
    magnesium: float
    magnesium_tissue: float
    pth: float
    store: float
    deficit: float
    alkali: float
    bicarbonate: float
    citrate_out: float
    citrate_burnt: float
    calcium_out: float
    calcium_released: float
    magnesium_out: float
    bicarbonate_out: float


class Milieu(NamedTuple):
    """What `fluid` says at an instant: volumes mL, proteins g/L, flow into tissue and plasma drawn, mL/min."""

    plasma_ml: float
    tissue_ml: float
    albumin: float
    globulin: float
    tissue_albumin: float
    tissue_globulin: float
    filtration_ml_min: float
    drawn_ml_min: float


class Supply(NamedTuple):
    """What comes in: replacement (mL/min, mmol/L), circuit citrate and drips (mmol/min)."""

    fluid_ml_min: float
    calcium: float
    magnesium: float
    citrate: float
    bicarbonate: float
    circuit_citrate: float
    circuit_acid: float
    drip_calcium: float
    drip_magnesium: float
    drip_bicarbonate: float


class Guess(NamedTuple):
    """Starting points (sum, free citrate) of the two equilibria, so that a result does not depend on who ran before."""

    plasma: tuple[float, float]
    tissue: tuple[float, float]


class Readout(NamedTuple):
    """What a laboratory would measure: mmol/L, ratios to baseline, ms, pH."""

    ionised_calcium: float
    ionised_magnesium: float
    citrate: float
    total_calcium: float
    total_magnesium: float
    pth_ratio: float
    qtc_change_ms: float
    bicarbonate: float
    ph: float
    status: int


@compiled
def rest(binding: Binding, body: Body, milieu: Milieu) -> tuple[State, Guess]:
    """The resting state, at which nothing moves, and the starting points of the equilibria (section 5)."""
    x, y, c0 = body.calcium0, body.magnesium0, body.citrate0
    strengths = site_strengths(binding, acid_ratio(binding, body.ph0))
    z = c0 / (1.0 + binding.calcium_citrate_k * x + binding.magnesium_citrate_k * y)
    ca_p, mg_p, _ = bound(binding, strengths, (x, y, z), (milieu.albumin, milieu.globulin))
    ca_i, mg_i, _ = bound(binding, strengths, (x, y, z), (milieu.tissue_albumin, milieu.tissue_globulin))
    vp, vi = milieu.plasma_ml / 1000.0, milieu.tissue_ml / 1000.0
    pools = (c0 * vp, c0 * body.second_pool_ml / 1000.0, ca_p * vp, ca_i * vi, mg_p * vp, mg_i * vi)
    hormone = (1.0, 1.0, 0.0)
    acid = (0.0, body.bicarbonate0 * body.bicarbonate_space_ml / 1000.0)
    state = State(*pools, *hormone, *acid, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return state, Guess((x + y, z), (x + y, z))


@woven
def alkalinity(body: Body, bicarbonate: float) -> float:
    """10^(pH - baseline pH) at a bicarbonate (mmol/L), with the breathing that goes with it (equation 18)."""
    pco2 = body.pco2_0 + body.pco2_slope * (bicarbonate - body.bicarbonate0)
    return max(bicarbonate, _FLOOR) / body.bicarbonate0 * body.pco2_0 / pco2


@compiled
def blood_ph(body: Body, bicarbonate: float) -> float:
    """Blood pH at a bicarbonate (mmol/L)."""
    return body.ph0 + math.log(alkalinity(body, bicarbonate)) / _LN10


@woven
def pth_drive(body: Body, ratio: float) -> float:
    """Secretion of parathyroid hormone over baseline, at ionised calcium over its baseline (equation 12)."""
    span = (body.pth_max_ratio - 1.0) / (1.0 - body.pth_min_ratio)
    steep = 1.0 + span * math.pow(ratio, body.pth_slope)
    return body.pth_min_ratio + (body.pth_max_ratio - body.pth_min_ratio) / steep


class Crossing(NamedTuple):
    """What passes from plasma to tissue, mmol/min, with ionised calcium on both sides and the equilibria's status."""

    citrate: float
    calcium: float
    magnesium: float
    ionised_calcium: float
    tissue_ionised_calcium: float
    guess: Guess
    status: int


@woven
def crossing(binding: Binding, body: Body, state: State, milieu: Milieu, guess: Guess) -> Crossing:
    """Diffusion and flow between plasma and tissue (equations 6 to 10).

    Fluid leaving plasma carries its diffusible calcium, magnesium and citrate; fluid coming back carries the tissue's.
    """
    vp, vi = milieu.plasma_ml / 1000.0, milieu.tissue_ml / 1000.0
    c1, c2 = state.citrate / vp, state.citrate2 / body.second_pool_ml * 1000.0
    alkaline = alkalinity(body, state.bicarbonate / body.bicarbonate_space_ml * 1000.0)
    strengths = site_strengths(binding, body.acid_ratio0 / alkaline)
    here = (state.calcium / vp, state.magnesium / vp, c1)
    there = (state.calcium_tissue / vi, state.magnesium_tissue / vi, c2)
    mix_p = mixture(binding, strengths, here, (milieu.albumin, milieu.globulin))
    mix_t = mixture(binding, strengths, there, (milieu.tissue_albumin, milieu.tissue_globulin))
    p, t, settled, passes = guess.plasma, guess.tissue, False, 0
    while not settled and passes < PASSES:  # both at once: the processor overlaps them
        p, settled_p = improve(binding, mix_p, p, STAGE_SETTLED)
        t, settled_t = improve(binding, mix_t, t, STAGE_SETTLED)
        settled, passes = settled_p and settled_t, passes + 1
    x, y = free(binding, mix_p, p)
    xi, yi = free(binding, mix_t, t)
    kc, km = binding.calcium_citrate_k, binding.magnesium_citrate_k
    out = (body.transfer_ml_min + max(milieu.filtration_ml_min, 0.0)) / 1000.0
    back = (body.transfer_ml_min - min(milieu.filtration_ml_min, 0.0)) / 1000.0
    calcium = out * diffusible(binding, x, p[1], kc) - back * diffusible(binding, xi, t[1], kc)
    magnesium = out * diffusible(binding, y, p[1], km) - back * diffusible(binding, yi, t[1], km)
    return Crossing(out * c1 - back * c2, calcium, magnesium, x, xi, Guess(p, t), OK if settled else NOT_CONVERGED)


@woven
def rates(
    binding: Binding, body: Body, state: State, milieu: Milieu, supply: Supply, guess: Guess
) -> tuple[State, Guess, int]:
    """Time derivative of the state, new starting points and a status (equations 7 to 17)."""
    vp, drawn, qr = milieu.plasma_ml / 1000.0, milieu.drawn_ml_min / 1000.0, supply.fluid_ml_min / 1000.0
    c1, ca, mg = state.citrate / vp, state.calcium / vp, state.magnesium / vp
    hc = state.bicarbonate / body.bicarbonate_space_ml * 1000.0
    cross = crossing(binding, body, state, milieu, guess)
    burnt = body.clearance_ml_min * (c1 - body.citrate0) / 1000.0
    released = body.buffer_ml_min * (body.calcium0 - cross.tissue_ionised_calcium) / 1000.0
    released += body.pth_release_mmol_min * (state.pth - 1.0)
    drive = pth_drive(body, cross.ionised_calcium / body.calcium0)
    alkali = state.alkali / body.alkali_release_min
    made = body.alkali_per_citrate * (alkali - supply.circuit_acid)
    refill = (1.0 - state.store) - body.pth_depletion * (drive - 1.0) * state.store
    rate = State(
        supply.circuit_citrate + qr * supply.citrate - drawn * c1 - burnt - cross.citrate,
        cross.citrate,
        supply.drip_calcium + qr * supply.calcium - drawn * ca - cross.calcium,
        cross.calcium + released,
        supply.drip_magnesium + qr * supply.magnesium - drawn * mg - cross.magnesium,
        cross.magnesium,
        body.pth_clearance_per_min * (drive * state.store - state.pth),
        body.pth_refill_per_min * refill,
        (body.calcium0 - cross.ionised_calcium - state.deficit) / body.qt_lag_min,
        burnt - alkali,
        supply.drip_bicarbonate + qr * supply.bicarbonate - drawn * hc + made,
        drawn * c1,
        burnt,
        drawn * ca,
        released,
        drawn * mg,
        drawn * hc,
    )
    return rate, cross.guess, cross.status


@woven
def along(state: State, rate: State, dt: float) -> State:
    """The state after going along a rate for `dt` minutes."""
    return State(
        state.citrate + dt * rate.citrate,
        state.citrate2 + dt * rate.citrate2,
        state.calcium + dt * rate.calcium,
        state.calcium_tissue + dt * rate.calcium_tissue,
        state.magnesium + dt * rate.magnesium,
        state.magnesium_tissue + dt * rate.magnesium_tissue,
        state.pth + dt * rate.pth,
        state.store + dt * rate.store,
        state.deficit + dt * rate.deficit,
        state.alkali + dt * rate.alkali,
        state.bicarbonate + dt * rate.bicarbonate,
        state.citrate_out + dt * rate.citrate_out,
        state.citrate_burnt + dt * rate.citrate_burnt,
        state.calcium_out + dt * rate.calcium_out,
        state.calcium_released + dt * rate.calcium_released,
        state.magnesium_out + dt * rate.magnesium_out,
        state.bicarbonate_out + dt * rate.bicarbonate_out,
    )


@woven
def step(
    binding: Binding,
    body: Body,
    state: State,
    milieus: tuple[Milieu, Milieu, Milieu],
    supply: Supply,
    guess: Guess,
    dt: float,
) -> tuple[State, Guess, int]:
    """The state `dt` minutes on by the classical fourth-order Runge-Kutta rule, new starting points and a status.

    `milieus` are start, middle and end of the step; the supply must not change within it.
    """
    total, here, status = state, state, OK
    for stage in range(4):
        milieu = milieus[(stage + 1) // 2]
        rate, guess, bad = rates(binding, body, here, milieu, supply, guess)
        total = along(total, rate, dt / (3.0 if 0 < stage < 3 else 6.0))
        here = along(state, rate, dt if stage == 2 else 0.5 * dt)
        status |= bad
    state = total
    lowest = min(state.citrate, state.citrate2, state.calcium, state.calcium_tissue)
    lowest = min(lowest, state.magnesium, state.magnesium_tissue, state.bicarbonate)
    return state, guess, status | (BELOW_ZERO if lowest < 0.0 else OK)


@woven
def readout(binding: Binding, body: Body, state: State, milieu: Milieu, guess: Guess) -> tuple[Readout, Guess]:
    """What a laboratory would measure at this instant, with new starting points."""
    vp, hc = milieu.plasma_ml / 1000.0, state.bicarbonate / body.bicarbonate_space_ml * 1000.0
    here = (state.calcium / vp, state.magnesium / vp, state.citrate / vp)
    strengths = site_strengths(binding, body.acid_ratio0 / alkalinity(body, hc))
    x, y, p, bad = equilibrium(binding, strengths, here, (milieu.albumin, milieu.globulin), guess.plasma)
    deficit = body.calcium0 - x
    qt = 1000.0 * (body.qt_steady_s * deficit + body.qt_rate_s * (deficit - state.deficit))
    return Readout(x, y, here[2], here[0], here[1], state.pth, qt, hc, blood_ph(body, hc), bad), Guess(p, guess.tissue)
