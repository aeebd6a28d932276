"""The patient beside the machine, one second on: plasma, circulation, citrate and calcium, other solutes.

Whatever crosses between machine and patient does so through the fluid ledger of `lines`, so that mass closes: the
patient's own equations (`fluid`, `circulation`, `citrate`, `turnover`) receive net amounts per interval, never a
second copy of a flow. Citrate and calcium move every 15 s, other solutes every 60 s.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from opentpe.kernel import circulation, citrate, fluid, lines, separation, turnover
from opentpe.kernel.binding import Binding
from opentpe.kernel.compiled import compiled
from opentpe.kernel.controller import Phase
from opentpe.kernel.lines import PATIENT

Array = Any
DT: Final = 1.0 / 60.0
CITRATE_S: Final = 15
SOLUTE_S: Final = 60
_OTHERS: Final = 8  # first solute of the caller, see lines.Carried


class Laws(NamedTuple):
    """How this patient reacts: constant during a run."""

    pressure: fluid.Pressure
    body: fluid.Body
    binding: Binding
    citrate: citrate.Body
    heart: circulation.Body
    carriage: circulation.Carriage
    tingling_percent: float  # fall of ionised calcium at which this patient feels it
    light_headed_percent: float  # fall of relative blood volume
    hypotension_percent: float
    frozen: bool  # a bench phantom: blood of constant composition, for checks of the machine alone


class Pools(NamedTuple):
    """Arrays beside the patient: other solutes, how they turn over, and what crossed the ledger since the last step."""

    rates: Array  # [solute, (elimination, escape, return, synthesis)] per min and amount per min
    amounts: Array  # [solute, (plasma, tissue)]
    pending: Array  # [carried solute] net amounts


class Patient(NamedTuple):
    """The patient now; immutable, so that a saved run is a copy."""

    fluid: fluid.State
    citrate: citrate.State
    guess: citrate.Guess
    milieu: citrate.Milieu  # at the last citrate step
    carried: circulation.Carried
    drive: float
    hct_zero: float  # haematocrit at the end of connection
    lowest_rbv: float
    felt: int  # bit set of symptoms already reported
    failing: bool  # reflexes exhausted
    calcium_mmol_min: float
    calcium_until_s: int


@compiled
def milieu_of(laws: Laws, state: fluid.State) -> citrate.Milieu:
    """What the citrate equations read from the fluid equations; drawing is counted by the ledger, so it is 0 here."""
    return citrate.Milieu(
        state.plasma,
        state.tissue,
        state.albumin / state.plasma,
        state.globulin / state.plasma,
        state.tissue_albumin / state.tissue,
        state.tissue_globulin / state.tissue,
        fluid.filtration(laws.pressure, laws.body, state),
        0.0,
    )


@compiled
def between(a: citrate.Milieu, b: citrate.Milieu) -> citrate.Milieu:
    """The middle of two milieus."""
    return citrate.Milieu(
        0.5 * (a.plasma_ml + b.plasma_ml),
        0.5 * (a.tissue_ml + b.tissue_ml),
        0.5 * (a.albumin + b.albumin),
        0.5 * (a.globulin + b.globulin),
        0.5 * (a.tissue_albumin + b.tissue_albumin),
        0.5 * (a.tissue_globulin + b.tissue_globulin),
        0.5 * (a.filtration_ml_min + b.filtration_ml_min),
        0.0,
    )


@compiled
def blood_content(
    state: fluid.State, chemistry: citrate.State, bicarbonate_space_ml: float, potassium: float, amounts: Array,
    content: Array,
) -> None:  # fmt: skip
    """Fills the plasma concentrations, per mL, of every solute that the machine may draw."""
    vp = state.plasma
    content[0] = state.albumin / vp
    content[1] = state.globulin / vp
    content[2] = chemistry.citrate / vp
    content[3] = 0.0
    content[4] = chemistry.calcium / vp
    content[5] = chemistry.magnesium / vp
    content[6] = chemistry.bicarbonate / bicarbonate_space_ml
    content[7] = potassium / 1000.0
    for k in range(amounts.shape[0]):
        content[_OTHERS + k] = amounts[k, 0] / vp


@compiled
def net_flows(before: Array, volume: Array, mass: Array, pending: Array) -> tuple[float, float, float, float, float]:
    """Net red cells, fluid, albumin, globulin and potassium into the patient this second; the rest is added up."""
    red = volume[PATIENT, 0] - before[0]
    plain = lines.fluid_ml(volume, PATIENT) - before[1]
    for k in range(mass.shape[1]):
        pending[k] += mass[PATIENT, k] - before[2 + k]
    albumin = mass[PATIENT, 0] - before[2]
    globulin = mass[PATIENT, 1] - before[3]
    return red, plain, albumin, globulin, mass[PATIENT, 7] - before[9]


@compiled
def remember(before: Array, volume: Array, mass: Array) -> None:
    """Notes the patient's ledger before the machine moves."""
    before[0] = volume[PATIENT, 0]
    before[1] = lines.fluid_ml(volume, PATIENT)
    for k in range(mass.shape[1]):
        before[2 + k] = mass[PATIENT, k]


@compiled
def weakened(heart: circulation.Body, failing: bool) -> circulation.Body:
    """The circulation with its reflexes, or without them once they are exhausted."""
    if not failing:
        return heart
    return circulation.Body(
        heart.heart_rate0, heart.stroke_volume0, heart.mean_pressure0, heart.pulse_pressure0, heart.venous_pressure0,
        heart.vascular_elastance, heart.blood_volume0, heart.stroke_slope, heart.stroke_floor, heart.stroke_saturation,
        heart.rate_gain, heart.resistance_gain, heart.reflex_min, heart.reflex_low, heart.reflex_high, 0.0,
        heart.pulse_share,
    )  # fmt: skip


@compiled
def calcium_second(par: Array, now: Array, infusion_mmol_min: float, until_s: int) -> float:
    """Calcium given to the patient this second, mmol: timed infusion, with the replacement, or per hour of run."""
    rate = infusion_mmol_min if now.run_s < until_s else 0.0
    if now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK):
        rate += par.calcium_mmol_min + par.calcium_mmol_per_ml * now.replacement_ml_min
    return rate * DT


@compiled
def citrate_step(
    laws: Laws, person: Patient, state: fluid.State, net: Array
) -> tuple[citrate.State, citrate.Guess, int]:
    """Citrate, calcium, magnesium and acid-base over the last interval, from what crossed the ledger in it."""
    end, minutes = milieu_of(laws, state), CITRATE_S / 60.0
    supply = citrate.Supply(
        0.0, 0.0, 0.0, 0.0, 0.0, net[2] / minutes, net[3] / minutes, net[4] / minutes, net[5] / minutes,
        net[6] / minutes,
    )  # fmt: skip
    steps = (person.milieu, between(person.milieu, end), end)
    return citrate.step(laws.binding, laws.citrate, person.citrate, steps, supply, person.guess, minutes)


@compiled
def solute_step(rates: Array, amounts: Array, pending: Array) -> None:
    """Every other solute over the last minute: exact two-pool step with the net amount as a constant supply."""
    minutes = SOLUTE_S / 60.0
    for k in range(amounts.shape[0]):
        out, escape, back = rates[k, 0], rates[k, 1], rates[k, 2]
        supply = rates[k, 3] + pending[_OTHERS + k] / minutes
        plasma, tissue, _ = turnover.two_pool(
            amounts[k, 0], amounts[k, 1], out + escape, back, escape, back, supply, minutes
        )
        amounts[k, 0] = plasma
        amounts[k, 1] = tissue
        pending[_OTHERS + k] = 0.0


@compiled
def warmth(par: Array, now: Array, volume: Array, temperature: float) -> tuple[float, float, float, float]:
    """What comes back cold: flow and temperature of the fluid, flow and temperature fall of the blood."""
    total = lines.total_ml(volume, lines.RETURN)
    blood = (volume[lines.RETURN, 0] + volume[lines.RETURN, 1]) / total if total > 0.0 else 0.0
    flow = now.return_ml_min
    beside = now.replacement_ml_min if par.replacement_direct_flag else 0.0  # joins behind the reservoir
    if par.warmer_flag:
        now.return_temperature_cel = par.warmer_outlet_cel
        return (
            (1.0 - blood) * flow + beside,
            par.warmer_outlet_cel,
            blood * flow,
            max(0.0, temperature - par.warmer_outlet_cel),
        )
    now.return_temperature_cel = separation.return_temperature(
        temperature, par.room_temperature_cel, par.heat_loss_j_min_k, par.blood_heat_j_ml_k, flow
    )
    fall = temperature - now.return_temperature_cel
    clear = (1.0 - blood) * flow + now.saline_ml_min + beside
    return clear, par.room_temperature_cel, blood * flow, fall


@compiled
def patient_second(
    par: Array, now: Array, volume: Array, mass: Array, laws: Laws, person: Patient, pools: Pools, before: Array
) -> tuple[Patient, int]:
    """The patient one second on, from what the machine moved."""
    red, plain, albumin, globulin, potassium = net_flows(before, volume, mass, pools.pending)
    given = calcium_second(par, now, person.calcium_mmol_min, person.calcium_until_s)
    pools.pending[4] += given
    if laws.frozen:
        pools.pending[:] = 0.0
        return person, 0
    # net amounts: a nominal 1 mL/min carries the proteins, the clear flow is corrected for it
    flows = fluid.Flows(0.0, 0.0, plain / DT - 1.0, 1.0, albumin / DT, globulin / DT, red / DT)
    middle, state, status = fluid.step(laws.pressure, laws.body, person.fluid, flows, DT)
    heart = weakened(laws.heart, person.failing)
    drive = circulation.step(heart, person.drive, fluid.volume_change(laws.body, middle), DT)
    cold, cold_cel, blood_flow, fall = warmth(par, now, volume, person.carried.temperature)
    loss = now.platelet_loss_ml - before[before.shape[0] - 1]
    carrying = circulation.CarryingFlows(
        0.0, cold, cold_cel, blood_flow, fall, 1.0, potassium / DT * 1000.0, 0.0,
        loss / DT / (state.plasma + state.red_cells), 0.0,
    )  # fmt: skip
    carried = circulation.carry(laws.carriage, person.carried, carrying, DT)
    chemistry, guess, milieu = person.citrate, person.guess, person.milieu
    if now.clock_s % CITRATE_S == 0:
        chemistry, guess, bad = citrate_step(laws, person, state, pools.pending)
        milieu = milieu_of(laws, state)
        status |= bad
        for k in range(2, 7):
            pools.pending[k] = 0.0
    if now.clock_s % SOLUTE_S == 0:
        solute_step(pools.rates, pools.amounts, pools.pending)
    hct = fluid.haematocrit(state)
    zero = hct if now.phase == Phase.CONNECT or person.hct_zero == 0.0 else person.hct_zero
    lowest = min(person.lowest_rbv, 100.0 * (zero / hct - 1.0))
    return Patient(
        state, chemistry, guess, milieu, carried, drive, zero, lowest, person.felt, person.failing,
        person.calcium_mmol_min, person.calcium_until_s,
    ), status  # fmt: skip


@compiled
def marked(person: Patient, felt: int, failing: bool, calcium_mmol_min: float, calcium_until_s: int) -> Patient:
    """The patient with other marks: complaints so far, reflexes, calcium infusion."""
    return Patient(
        person.fluid, person.citrate, person.guess, person.milieu, person.carried, person.drive,
        person.hct_zero, person.lowest_rbv, felt, failing, calcium_mmol_min, calcium_until_s,
    )  # fmt: skip
