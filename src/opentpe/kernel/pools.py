"""All solutes of one patient moved on together: the room between the scalar laws and the time loop.

`exact` moves a linear solute over any span of constant flows in one step, `moving` while the plasma volume changes.
`advance` moves the coupled ones (shared FcRn, saturable targets, depots) by fourth-order Runge-Kutta steps, which keep
a steady state and the mass ledger to rounding. `set_flows` comes before either.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from opentpe.kernel import turnover
from opentpe.kernel.arrays import (
    ABSORPTION,
    AVAILABLE,
    BLOCKER_HALF,
    BLOCKER_LOSS,
    BLOCKER_SPREAD,
    CATABOLIC,
    CATABOLISED,
    CENTRAL,
    CONCENTRATION,
    DEPOT,
    DEPOT_LEFT,
    ESCAPE,
    FCRN,
    FCRN_HALF,
    FCRN_REFERENCE,
    FREE_RATE,
    HALF,
    IV,
    MAXIMUM,
    PLASMA,
    PLASMA_ML,
    REMOVED,
    RETURN,
    SATURABLE,
    SC,
    SPREAD,
    STATE_ROWS,
    SUPPLIED,
    SYNTHESIS,
    SYNTHESIS_RATIO,
    TISSUE,
    WORK_ROWS,
    Floats,
    Packed,
    Row,
    State,
)
from opentpe.kernel.compiled import compiled, woven

# Rows of State.work: stage slopes of plasma, tissue and depot; what flowed to tissue, from the depot, out and was
# burnt over a step; then per solute: fixed loss rate, FcRn-free rate, recycled share, saturable maximum and half amount
# per mL of plasma, escape per concentration, return, clearance, supply, depot rate, IgG per amount and volume.
_GONE = -42.0  # below this exponent nothing of a mode is left in double precision
SHORT = 0.08  # step x fastest rate up to which a linear solute moves by one Runge-Kutta step: error 3e-8 of it
_GAUSS = math.sqrt(3.0) / 6.0  # distance of the two Gauss points from the middle of a step
(_D1, _D2, _D0, _S2, _S0, _OUT, _BURNT) = range(7)
(_FIXED, _FREE, _SHARE, _MAXIMUM, _HALF, _ESCAPE, _RETURN, _CLEAR, _GAIN, _ABSORB, _IGG) = range(7, WORK_ROWS)


class Pace(NamedTuple):
    """Length of the first step to take, how each grows over the one before, up to which step."""

    first_min: float
    ratio: float
    growing: int


@compiled
def row(i: int, packed: Packed) -> Row:
    """Patient i of a cohort."""
    return Row(packed.person[i], packed.solute[i], packed.law, packed.weight, packed.coupled)


@compiled
def blank_state(m: int) -> State:
    """Room for the amounts of m solutes."""
    return State(np.zeros((STATE_ROWS, m)), np.zeros(2), np.zeros((WORK_ROWS, m)))


@compiled
def rest(patient: Row, state: State) -> None:
    """The patient at rest: tissue in balance with plasma, synthesis equal to catabolism at the patient's own IgG."""
    y, w, par, person = state.amount, state.work, patient.solute, patient.person
    volume, total = person[PLASMA_ML], 0.0
    for j in range(patient.law.size):
        law = patient.law[j]
        w[_FIXED, j] = 0.0 if law & FCRN else par[CATABOLIC, j]
        w[_FREE, j] = person[FREE_RATE] if law & FCRN else 0.0
        w[_SHARE, j] = turnover.recycled_share(par[CATABOLIC, j], person[FREE_RATE])
        w[_MAXIMUM, j] = par[MAXIMUM, j] if law & SATURABLE else 0.0
        w[_HALF, j] = par[HALF, j] * par[CENTRAL, j]
        w[_ESCAPE, j] = par[ESCAPE, j] * volume
        w[_RETURN, j] = par[RETURN, j]
        w[_ABSORB, j] = par[ABSORPTION, j] if law & DEPOT else 0.0
        w[_IGG, j] = patient.weight[j] / par[CENTRAL, j]
        y[PLASMA, j] = par[CONCENTRATION, j] * par[CENTRAL, j] * volume
        y[TISSUE, j] = y[PLASMA, j] * par[ESCAPE, j] / par[RETURN, j] if par[RETURN, j] > 0.0 else 0.0
        y[SUPPLIED, j] = y[PLASMA, j] + y[TISSUE, j]
        y[DEPOT_LEFT, j] = y[REMOVED, j] = y[CATABOLISED, j] = 0.0
        total += w[_IGG, j] * y[PLASMA, j] / volume
    state.blocker[0] = 0.0
    drive = _drive(patient, total, 0.0)
    for j in range(patient.law.size):
        burnt = _burnt(w, j, drive, y[PLASMA, j], volume)
        y[SYNTHESIS, j] = par[SYNTHESIS_RATIO, j] * burnt


@compiled
def concentration(patient: Row, j: int, amount: float, plasma_ml: float) -> float:
    """Concentration of solute j, mg/mL, of an amount in its central volume."""
    central_ratio: float = patient.solute[CENTRAL, j]
    return amount / (central_ratio * plasma_ml)


@compiled
def _drive(patient: Row, total_igg: float, blocker: float) -> float:
    person = patient.person
    return turnover.recycling_drive(total_igg, person[FCRN_HALF], person[FCRN_REFERENCE], blocker, person[BLOCKER_HALF])


@compiled
def _burnt(w: Floats, j: int, drive: float, amount: float, plasma_ml: float) -> float:
    """Amount of solute j catabolised per minute: fixed, FcRn-dependent and saturable routes."""
    rate: float = w[_FIXED, j] + turnover.fcrn_rate(w[_SHARE, j], w[_FREE, j], drive)
    if w[_MAXIMUM, j] > 0.0:
        rate += turnover.saturable_rate(w[_MAXIMUM, j], w[_HALF, j] * plasma_ml, amount)
    return rate * amount


@compiled
def give(patient: Row, state: State, solute: int, route: int, amount: float) -> None:
    """A dose: into plasma, into the depot (its available part), or of the FcRn blocker."""
    if solute < 0:
        state.blocker[0] += amount
    elif route == SC:
        state.amount[DEPOT_LEFT, solute] += amount * patient.solute[AVAILABLE, solute]
        state.amount[SUPPLIED, solute] += amount * patient.solute[AVAILABLE, solute]
    elif route == IV:
        state.amount[PLASMA, solute] += amount
        state.amount[SUPPLIED, solute] += amount


@compiled
def copy_amounts(patient: Row, source: Floats, target: Floats) -> None:
    """Copies plasma, tissue and depot of the coupled solutes for a side step."""
    for j in range(patient.coupled):
        target[PLASMA, j], target[TISSUE, j], target[DEPOT_LEFT, j] = (
            source[PLASMA, j],
            source[TISSUE, j],
            source[DEPOT_LEFT, j],
        )


@compiled
def set_flows(
    patient: Row, state: State, plasma_flow: float, replacement_flow: float, content: Floats, sieving: Floats
) -> None:
    """Sets what `advance` holds constant: flows mL/min, `content` [m] of the fluid given, `sieving` [m]."""
    w, par = state.work, patient.solute
    state.blocker[1] = plasma_flow / patient.person[BLOCKER_SPREAD]
    for j in range(patient.law.size):
        w[_CLEAR, j] = turnover.exchange_rate(sieving[j], plasma_flow, par[SPREAD, j], 1.0)
        w[_GAIN, j] = state.amount[SYNTHESIS, j] + replacement_flow * content[j]


@compiled
def fastest(patient: Row, state: State, plasma_ml: float) -> float:
    """An upper bound, per minute, of the rates of the coupled solutes: what limits a Runge-Kutta step."""
    w, top = state.work, 0.0
    for j in range(patient.coupled):
        rate = w[_FIXED, j] + w[_FREE, j] + w[_RETURN, j] + (w[_ESCAPE, j] + w[_CLEAR, j]) / plasma_ml
        rate += turnover.saturable_rate(w[_MAXIMUM, j], w[_HALF, j] * plasma_ml, 0.0)
        top = max(top, rate, w[_ABSORB, j])
    return top


@compiled
def saturable(patient: Row, state: State) -> bool:
    """Whether a solute in the body has a saturable route: it speeds up as its level falls."""
    for j in range(patient.coupled):
        if state.work[_MAXIMUM, j] > 0.0 and state.amount[SUPPLIED, j] > 0.0:
            return True
    return False


@woven
def exact(
    state: State, j: int, plasma: float, tissue: float, plasma_ml: float, dt: float
) -> tuple[float, float, float, float]:
    """Plasma, tissue, removed and catabolised amount of linear solute j after `dt` minutes of the flows set."""
    w = state.work
    k10, back = w[_FIXED, j], w[_RETURN, j]
    out, q = w[_ESCAPE, j] / plasma_ml, w[_CLEAR, j] / plasma_ml
    plasma, tissue, exposure = turnover.two_pool(plasma, tissue, k10 + out + q, back, out, back, w[_GAIN, j], dt)
    return plasma, tissue, q * exposure, k10 * exposure


@woven
def quickest(state: State, j: int, plasma_ml: float) -> float:
    """An upper bound, per minute, of the rates of linear solute j."""
    w = state.work
    rate: float = w[_FIXED, j] + w[_RETURN, j] + (w[_ESCAPE, j] + w[_CLEAR, j]) / plasma_ml
    return rate


@woven
def _short(
    state: State, j: int, plasma: float, tissue: float, per_ml: tuple[float, float, float], dt: float
) -> tuple[float, float, float, float]:
    """`exact` by one Runge-Kutta step, with 1/volume at its start, middle and end; the ledger closes to rounding."""
    w = state.work
    k10, back, escape, clear, gain = w[_FIXED, j], w[_RETURN, j], w[_ESCAPE, j], w[_CLEAR, j], w[_GAIN, j]
    d1, d2, over, removed, burnt = 0.0, 0.0, 0.0, 0.0, 0.0
    for stage in range(4):
        node = (stage + 1) // 2
        ahead = 0.5 * node * dt
        weight = dt / 6.0 if stage in (0, 3) else dt / 3.0
        x, y = plasma + ahead * d1, tissue + ahead * d2
        dense = x * per_ml[node]
        cleared, lost, net_out = clear * dense, k10 * x, escape * dense - back * y
        d1, d2 = gain - lost - cleared - net_out, net_out
        over += weight * net_out
        removed += weight * cleared
        burnt += weight * lost
    return plasma + (gain * dt - burnt) - (removed + over), tissue + over, removed, burnt


@woven
def moving(
    state: State, j: int, plasma: float, tissue: float, start_ml: float, end_ml: float, dt: float
) -> tuple[float, float, float, float]:
    """The same while the plasma volume moves from `start_ml` to `end_ml`, fourth order.

    A short step by Runge-Kutta; a long one by two exact halves, each with the mean of 1/volume that a commutator-free
    Magnus step asks for.
    """
    if quickest(state, j, min(start_ml, end_ml)) * dt <= SHORT:
        return _short(state, j, plasma, tissue, (1.0 / start_ml, 2.0 / (start_ml + end_ml), 1.0 / end_ml), dt)
    early = 1.0 / (start_ml + (0.5 - _GAUSS) * (end_ml - start_ml))
    late = 1.0 / (start_ml + (0.5 + _GAUSS) * (end_ml - start_ml))
    tilt = 2.0 * _GAUSS * (early - late)
    first, second = 0.5 * (early + late) + tilt, 0.5 * (early + late) - tilt
    plasma, tissue, removed, burnt = exact(state, j, plasma, tissue, 1.0 / first, 0.5 * dt)
    plasma, tissue, more, later = exact(state, j, plasma, tissue, 1.0 / second, 0.5 * dt)
    return plasma, tissue, removed + more, burnt + later


@woven
def settle(state: State, j: int, volume_ml: float, change_ml: float, dt: float, first: int, stop: int) -> None:
    """Moves linear solute j on in place by steps first to stop - 1 of `dt` minutes, with its ledger.

    Plasma volume is volume_ml + n change_ml at the start of step n, linear within.
    """
    y = state.amount
    for n in range(first, stop):
        volume = volume_ml + change_ml * n
        if change_ml == 0.0:
            plasma, tissue, removed, burnt = exact(state, j, y[PLASMA, j], y[TISSUE, j], volume, dt)
        else:
            plasma, tissue, removed, burnt = moving(
                state, j, y[PLASMA, j], y[TISSUE, j], volume, volume + change_ml, dt
            )
        y[PLASMA, j] = plasma
        y[TISSUE, j] = tissue
        y[SUPPLIED, j] += state.work[_GAIN, j] * dt
        y[REMOVED, j] += removed
        y[CATABOLISED, j] += burnt


@woven
def levels(patient: Row, state: State, j: int, plasma_ml: float, t0: float, times: Floats, where: Floats) -> None:
    """Concentrations of linear solute j at `times` [t] at constant volume, into `where` [t]; it is `t0` now."""
    w, y = state.work, state.amount
    back, out = w[_RETURN, j], w[_ESCAPE, j] / plasma_ml
    a = w[_FIXED, j] + out + w[_CLEAR, j] / plasma_ml
    sound, floor, slow, slow_rate, fast, fast_rate = turnover.modes(
        y[PLASMA, j], y[TISSUE, j], a, back, out, back, w[_GAIN, j]
    )
    for k in range(times.size):
        dt = times[k] - t0
        if sound:
            now = floor + slow * math.exp(slow_rate * dt)
            if fast_rate * dt > _GONE:
                now += fast * math.exp(fast_rate * dt)
        else:
            now = exact(state, j, y[PLASMA, j], y[TISSUE, j], plasma_ml, dt)[0]
        where[k] = concentration(patient, j, now, plasma_ml)


@woven
def advance(
    patient: Row,
    state: State,
    y: Floats,
    blocker: float,
    pace: Pace,
    volume_ml: float,
    volume_step_ml: float,
    first: int,
    stop: int,
) -> float:
    """Moves the coupled solutes in `y` on by steps first to stop - 1; what is left of the blocker.

    `y` is `state.amount`, or a copy for a side step. Plasma volume is volume_ml + n volume_step_ml at the start of step
    n, linear within; it moves only where steps are even. Fourth order: keep step x `fastest` below 0.3 while fast pools
    settle. One body: a helper with arrays would cost more than it does.
    """
    w, held, last, dt = state.work, blocker, patient.coupled, pace.first_min
    for n in range(first, stop):
        start = volume_ml + volume_step_ml * n
        lost = 0.5 * dt * (patient.person[BLOCKER_LOSS] + state.blocker[1] / start)
        half_left = math.exp(-lost) if held > 0.0 else 1.0
        for j in range(last):
            w[_D1, j] = w[_D2, j] = w[_D0, j] = 0.0
            w[_S2, j] = w[_S0, j] = w[_OUT, j] = w[_BURNT, j] = 0.0
        for stage in range(4):
            node = 0.5 * ((stage + 1) // 2)
            ahead, volume = node * dt, start + node * volume_step_ml
            weight = dt / 6.0 if stage in (0, 3) else dt / 3.0
            total, per_ml = 0.0, 1.0 / volume
            for j in range(last):
                total += w[_IGG, j] * (y[PLASMA, j] + ahead * w[_D1, j])
            left = 1.0 if stage == 0 else (half_left if stage < 3 else half_left * half_left)
            drive = _drive(patient, total * per_ml, held * left)
            for j in range(last):
                x = y[PLASMA, j] + ahead * w[_D1, j]
                rate = w[_FIXED, j] + turnover.fcrn_rate(w[_SHARE, j], w[_FREE, j], drive)
                if w[_MAXIMUM, j] > 0.0:
                    rate += turnover.saturable_rate(w[_MAXIMUM, j], w[_HALF, j] * volume, x)
                burnt, cleared = rate * x, w[_CLEAR, j] * per_ml * x
                net_out = w[_ESCAPE, j] * per_ml * x - w[_RETURN, j] * (y[TISSUE, j] + ahead * w[_D2, j])
                absorbed = w[_ABSORB, j] * (y[DEPOT_LEFT, j] + ahead * w[_D0, j])
                w[_D1, j] = (w[_GAIN, j] - burnt) + (absorbed - cleared - net_out)
                w[_D2, j], w[_D0, j] = net_out, -absorbed
                w[_S2, j] += weight * net_out
                w[_S0, j] += weight * absorbed
                w[_OUT, j] += weight * cleared
                w[_BURNT, j] += weight * burnt
        for j in range(last):
            gain = w[_GAIN, j] * dt
            y[PLASMA, j] += (gain - w[_BURNT, j]) + (w[_S0, j] - w[_OUT, j] - w[_S2, j])
            y[TISSUE, j] += w[_S2, j]
            y[DEPOT_LEFT, j] -= w[_S0, j]
            y[SUPPLIED, j] += gain
            y[REMOVED, j] += w[_OUT, j]
            y[CATABOLISED, j] += w[_BURNT, j]
        held *= half_left * half_left
        dt *= pace.ratio if n < pace.growing else 1.0
    return held
