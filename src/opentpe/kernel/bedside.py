"""Machine and patient together, one second at a time: the only loop of the device clock.

Order within a second: machine, patient, complaints, fluids to hang, watch and phases, operator.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from opentpe.kernel import circulation, citrate, controller, fluid, lines, machine, operator, watch
from opentpe.kernel.body import (
    CITRATE_S,
    DT,
    Laws,
    Patient,
    Pools,
    blood_content,
    calcium_second,
    marked,
    patient_second,
    remember,
    weakened,
)
from opentpe.kernel.compiled import compiled, unlocked
from opentpe.kernel.controller import HYPOTENSION, LIGHT_HEADED, TINGLING, Entry, Phase, Signal
from opentpe.kernel.lines import PATIENT

Array = Any
VITALS: Final = np.dtype([(name, np.float64) for name in (
    "plasma_volume_ml", "tissue_volume_ml", "red_cell_volume_ml", "blood_volume_change_percent",
    "relative_blood_volume_percent", "haematocrit_fraction", "albumin_g_l", "globulin_g_l",
    "colloid_osmotic_pressure_mm_hg", "mean_pressure_mm_hg", "systolic_pressure_mm_hg", "diastolic_pressure_mm_hg",
    "heart_rate_per_min", "temperature_cel", "potassium_mmol_l", "platelets_10_9_l",
    "ionised_calcium_mmol_l", "ionised_magnesium_mmol_l", "citrate_mmol_l", "total_calcium_mmol_l", "pth_ratio",
    "qtc_change_ms", "bicarbonate_mmol_l", "ph", "calcium_infused_mmol_min", "ledger_imbalance_ratio",
    "volume_imbalance_ml",
)])  # fmt: skip


@compiled
def comfort(par: Array, now: Array, journal: Array, complaint: int) -> None:
    """What the standard operator does about a complaint at the machine: slower inlet, or saline and a pause."""
    if complaint == TINGLING:
        slower = now.inlet_set_ml_min * (1.0 - par.tingling_slow_fraction)
        now.inlet_set_ml_min = max(slower, par.inlet_flow_min_ml_min)
        controller.write(journal, now, Entry.OPERATOR, operator.Action.SLOW_INLET, par.tingling_slow_fraction)
    else:
        now.saline_due_ml += par.hypotension_saline_ml
        controller.write(journal, now, Entry.OPERATOR, operator.Action.SALINE, par.hypotension_saline_ml)
        now.pause_until_s = now.run_s + int(par.hypotension_pause_s)
        controller.write(journal, now, Entry.OPERATOR, operator.Action.PAUSE, par.hypotension_pause_s)
        controller.signal(now, journal, Signal.PAUSE)


@compiled
def complain(par: Array, now: Array, journal: Array, laws: Laws, person: Patient, calcium: float) -> Patient:
    """Complaints when a personal threshold is crossed, once each; the standard operator answers them."""
    felt, failing = person.felt, person.failing
    rate, until = person.calcium_mmol_min, person.calcium_until_s
    standard = par.operator_code != 0.0
    fall = 100.0 * (laws.citrate.calcium0 - calcium) / laws.citrate.calcium0
    if fall >= laws.tingling_percent and not felt & 1 << TINGLING:
        felt |= 1 << TINGLING
        controller.write(journal, now, Entry.SYMPTOM, TINGLING, fall)
        if standard:
            comfort(par, now, journal, TINGLING)
            rate = par.tingling_calcium_mmol / par.tingling_calcium_min
            until = now.run_s + int(60.0 * par.tingling_calcium_min)
    hct = fluid.haematocrit(person.fluid)
    loss = -100.0 * (person.hct_zero / hct - 1.0) if person.hct_zero > 0.0 else 0.0
    if loss >= laws.light_headed_percent and not felt & 1 << LIGHT_HEADED:
        felt |= 1 << LIGHT_HEADED
        controller.write(journal, now, Entry.SYMPTOM, LIGHT_HEADED, loss)
    failing = loss >= laws.hypotension_percent
    if failing and not felt & 1 << HYPOTENSION:
        felt |= 1 << HYPOTENSION
        controller.write(journal, now, Entry.SYMPTOM, HYPOTENSION, loss)
        if standard:
            comfort(par, now, journal, HYPOTENSION)
    return marked(person, felt, failing, rate, until)


@compiled
def due(now: Array, until_ml: Array) -> bool:
    """True once the volume of the part that hangs is given and another follows."""
    part = now.fluid_index
    return part + 1 < until_ml.shape[0] and now.replaced_ml >= until_ml[part]


@compiled
def next_fluid(now: Array, volume: Array, mass: Array, journal: Array, fluids: Array) -> None:
    """Hangs the next part of the replacement sequence."""
    now.fluid_index += 1
    operator.hang_replacement(now, volume, mass, fluids)
    controller.write(journal, now, Entry.FLUID, now.fluid_index, now.replaced_ml)


@compiled
def read_vitals(
    out: Array, laws: Laws, person: Patient, volume: Array, mass: Array, given: float, chemistry: citrate.Readout
) -> None:
    """Writes what monitor, laboratory and ledger say now."""
    state = person.fluid
    blood = laws.body.plasma0 + laws.body.red_cells0
    change = fluid.volume_change(laws.body, state)
    heart = circulation.readout(weakened(laws.heart, person.failing), change, person.drive)
    hct = fluid.haematocrit(state)
    out.plasma_volume_ml = state.plasma
    out.tissue_volume_ml = state.tissue
    out.red_cell_volume_ml = state.red_cells
    out.blood_volume_change_percent = 100.0 * change / blood
    out.relative_blood_volume_percent = 100.0 * (person.hct_zero / hct - 1.0) if person.hct_zero > 0.0 else 0.0
    out.haematocrit_fraction = hct
    out.albumin_g_l = state.albumin / state.plasma
    out.globulin_g_l = state.globulin / state.plasma
    out.colloid_osmotic_pressure_mm_hg = fluid.colloid_pressure(
        laws.pressure, state.albumin / state.plasma, state.globulin / state.plasma
    )
    out.mean_pressure_mm_hg = heart.mean_pressure
    out.systolic_pressure_mm_hg = heart.systolic_pressure
    out.diastolic_pressure_mm_hg = heart.diastolic_pressure
    out.heart_rate_per_min = heart.heart_rate
    out.temperature_cel = person.carried.temperature
    out.potassium_mmol_l = person.carried.potassium
    out.platelets_10_9_l = 1000.0 * person.carried.platelets / (state.plasma + state.red_cells)
    out.ionised_calcium_mmol_l = chemistry.ionised_calcium
    out.ionised_magnesium_mmol_l = chemistry.ionised_magnesium
    out.citrate_mmol_l = chemistry.citrate
    out.total_calcium_mmol_l = chemistry.total_calcium
    out.pth_ratio = chemistry.pth_ratio
    out.qtc_change_ms = chemistry.qtc_change_ms
    out.bicarbonate_mmol_l = chemistry.bicarbonate
    out.ph = chemistry.ph
    out.calcium_infused_mmol_min = given / DT
    out.ledger_imbalance_ratio = lines.imbalance(volume, mass)
    held = state.plasma + state.tissue + state.red_cells + state.water_out
    moved = lines.total_ml(volume, PATIENT)
    out.volume_imbalance_ml = held - laws.body.plasma0 - laws.body.tissue0 - laws.body.red_cells0 - moved


@unlocked
def march(
    par: Array, live: Array, table: Array, fluids: Array, laws: Laws, person: Patient, pools: Pools, seconds: int,
    log_now: Array, log_vitals: Array, log_solutes: Array, latest: Array,
) -> tuple[Patient, int, int]:  # fmt: skip
    """Runs machine and patient for at most `seconds`; returns the patient, the seconds run and a status.

    Logs are filled as far as they are long; `latest` always holds the last vitals. Ends early when the set is off.
    """
    set_up, now = par[0], live.now[0]
    volume, mass, alarms, journal = live.volume, live.mass, live.alarms, live.journal
    present, gone = np.zeros(len(alarms), np.bool_), np.zeros(len(alarms), np.bool_)
    content, before = np.zeros(mass.shape[1]), np.zeros(mass.shape[1] + 3)
    chemistry, _ = citrate.readout(laws.binding, laws.citrate, person.citrate, person.milieu, person.guess)
    now.held_mask = controller.hold(alarms, table)
    for i in range(seconds):
        if now.phase == Phase.ENDED:
            return person, i, 0
        blood_content(
            person.fluid,
            person.citrate,
            laws.citrate.bicarbonate_space_ml,
            person.carried.potassium,
            pools.amounts,
            content,
        )
        remember(before, volume, mass)
        before[before.shape[0] - 1] = now.platelet_loss_ml
        machine.second(set_up, now, volume, mass, fluids.sieving, content,
                       fluid.haematocrit(person.fluid), DT)  # fmt: skip
        count_time(now)
        given = calcium_second(set_up, now, person.calcium_mmol_min, person.calcium_until_s)
        person, status = patient_second(set_up, now, volume, mass, laws, person, pools, before)
        if status != 0:
            return person, i, status
        if now.clock_s % CITRATE_S == 0:
            chemistry, _ = citrate.readout(laws.binding, laws.citrate, person.citrate, person.milieu, person.guess)
            person = complain(set_up, now, journal, laws, person, chemistry.ionised_calcium)
        if due(now, fluids.until_ml):
            next_fluid(now, volume, mass, journal, fluids)
        watch.look(set_up, now, volume, mass, alarms, table, journal, present, gone)
        if controller.any_active(alarms):
            operator.respond(set_up, now, volume, mass, alarms, table, journal, fluids, fluid.haematocrit(person.fluid))
            now.held_mask = controller.hold(alarms, table)
        if i < log_now.shape[0] or i == seconds - 1 or now.phase == Phase.ENDED:
            read_vitals(latest[0], laws, person, volume, mass, given, chemistry)
        if i < log_now.shape[0]:
            log_now[i] = now
            log_vitals[i] = latest[0]
            for k in range(pools.amounts.shape[0]):
                log_solutes[i, k] = pools.amounts[k, 0] / person.fluid.plasma
    return person, seconds, 0


@compiled
def count_time(now: Array) -> None:
    """The clocks of one second: whole run, since connection, in the phase, of exchange."""
    now.clock_s += 1
    now.run_s += 1
    now.phase_s += 1
    if now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK):
        now.since_start_s += 1
    now.turbulence_ratio = now.turbulence_ratio if now.run_s < now.turbulence_until_s else 1.0
    if now.vein_until_s > 0 and now.run_s >= now.vein_until_s:
        now.vein_max_ml_min = now.vein_healthy_ml_min
        now.vein_until_s = 0
