"""The machine for one second: blood is drawn, parted and given back; every flow moves along the ledger of `lines`.

`second` runs pumps, fluid and sensors; phases and alarms follow in `watch`. Times seconds, flows mL/min.
"""

from __future__ import annotations

from typing import Any

from opentpe.kernel import access, lines, pumps, separation
from opentpe.kernel.compiled import compiled
from opentpe.kernel.controller import Phase, Pump
from opentpe.kernel.lines import (
    AC_BAG,
    DIVERT,
    INLET,
    LOST,
    PATIENT,
    PLASMA_BAG,
    REPLACEMENT_BAG,
    RETURN,
    SALINE_BAG,
    SEPARATOR,
)
from opentpe.kernel.pumps import BOWL, GIVE, MEMBRANE, SINGLE_NEEDLE

Array = Any
SECOND_MIN = 1.0 / 60.0


@compiled
def take_blood(par: Array, now: Array, volume: Array, mass: Array, blood: Array, hct: float, dt: float) -> float:
    """Draws blood and adds anticoagulant; returns the volume that came into the inlet line, mL."""
    asked = now.inlet_ml_min - now.inlet_ml_min / now.inlet_ac_ratio
    now.blood_ml_min = access.draw_flow(
        asked, par.vein_pressure_mm_hg, par.draw_linear_mm_hg_min_ml + par.line_linear_mm_hg_min_ml,
        par.draw_quadratic_mm_hg_min2_ml2, now.vein_max_ml_min, par.vein_knee_fraction, par.collapse_pressure_mm_hg,
        par.suction_free_mm_hg, par.suction_loss_per_mm_hg,
    )  # fmt: skip
    now.blood_ml_min *= now.delivery_ratio
    drawn = now.blood_ml_min * dt
    again = min(drawn, now.redraw_due_ml) + par.recirculation_fraction * drawn
    again = lines.pour(volume, mass, RETURN, INLET, min(drawn, again))
    now.redraw_due_ml = max(0.0, now.redraw_due_ml - again)
    now.recirculated_ml += again
    fresh = drawn - again
    lines.draw(volume, mass, blood, INLET, fresh * hct, fresh * (1.0 - hct))
    anticoagulant = lines.pour(volume, mass, AC_BAG, INLET, now.ac_ml_min * dt)
    now.ac_ml_min = anticoagulant / dt
    now.blood_ml += drawn
    now.drawn_ml += fresh
    now.inlet_ml += drawn + anticoagulant
    now.ac_used_ml += anticoagulant
    now.plasma_processed_ml += fresh * (1.0 - hct)
    return drawn + anticoagulant


@compiled
def spin(par: Array, now: Array, volume: Array, mass: Array, arrived: float, dt: float) -> float:
    """Parts blood in a continuous channel; returns what went on in the red-cell line, mL."""
    lines.pour(volume, mass, INLET, SEPARATOR, arrived)
    packed = now.packed_hct_fraction * now.turbulence_ratio
    room = packed * par.channel_ml
    now.interface_fraction = volume[SEPARATOR, 0] / room if room > 0.0 else 0.0
    spilled = separation.spill_hct(now.interface_fraction, par.interface_spill_fraction, par.spill_hct_fraction)
    now.plasma_line_hct_fraction = spilled if now.plasma_ml_min > 0.0 else 0.0
    taken = now.plasma_ml_min * dt
    to_bag = lines.move(volume, mass, SEPARATOR, PLASMA_BAG, taken * spilled, taken * (1.0 - spilled))
    now.spilled_red_cells_ml += taken * spilled
    now.platelet_loss_ml += taken * spilled * par.platelet_spill_ratio
    count_plasma(now, to_bag)
    on = max(0.0, arrived - to_bag)
    out = separation.cells_outlet_hct(now.interface_fraction, par.interface_low_fraction, packed)
    share = min(out, volume[SEPARATOR, 0] / on) if on > 0.0 else 0.0
    return lines.move(volume, mass, SEPARATOR, RETURN, on * share, on * (1.0 - share))


@compiled
def filter_blood(
    par: Array, now: Array, volume: Array, mass: Array, sieving: Array, arrived: float, dt: float
) -> float:
    """Filters plasma through a membrane; returns what went on with the blood, mL."""
    lines.pour(volume, mass, INLET, SEPARATOR, arrived)
    to_bag = lines.sieve(volume, mass, SEPARATOR, PLASMA_BAG, now.plasma_ml_min * dt, sieving)
    permeability = now.permeability_ml_min_m2_mm_hg
    now.transmembrane_mm_hg = separation.transmembrane_pressure(to_bag / dt, permeability, par.membrane_area_m2)
    now.permeability_ml_min_m2_mm_hg = separation.fouled(
        permeability, par.fouling_per_min, now.transmembrane_mm_hg, par.transmembrane_warning_mm_hg, dt
    )
    count_plasma(now, to_bag)
    return lines.pour(volume, mass, SEPARATOR, RETURN, max(0.0, arrived - to_bag))


@compiled
def fill_bowl(par: Array, now: Array, volume: Array, mass: Array, arrived: float) -> float:
    """Fills the bowl; what no longer fits leaves as plasma, and as red cells once the bowl is packed."""
    lines.pour(volume, mass, INLET, SEPARATOR, arrived)
    over = lines.total_ml(volume, SEPARATOR) - par.bowl_ml
    red = max(0.0, volume[SEPARATOR, 0] - par.packed_hct_fraction * par.bowl_ml)
    now.interface_fraction = volume[SEPARATOR, 0] / (par.packed_hct_fraction * par.bowl_ml)
    now.plasma_line_hct_fraction = 0.0
    now.plasma_ml_min = 0.0
    if over > 0.0:
        red = min(red, over)
        to_bag = lines.move(volume, mass, SEPARATOR, PLASMA_BAG, red, over - red)
        now.spilled_red_cells_ml += red
        now.platelet_loss_ml += red * par.platelet_spill_ratio
        now.plasma_ml_min = to_bag / SECOND_MIN
        count_plasma(now, to_bag)
        now.pass_bag_ml += pumps.replacement_for(par, now, to_bag, arrived / now.inlet_ac_ratio)
    return 0.0


@compiled
def empty_bowl(par: Array, now: Array, volume: Array, mass: Array, dt: float) -> float:
    """Returns the bowl's cells with the replacement of the pass; returns what reached the return line, mL."""
    flow = par.return_flow_ml_min
    due = max(0.0, now.pass_bag_ml - now.pass_replaced_ml)
    cells = max(0.0, lines.total_ml(volume, SEPARATOR) - par.bowl_residual_ml)
    total = due + cells
    if total <= 0.0:
        return 0.0
    amount = min(flow * dt, total)
    now.replacement_ml_min = amount * due / total / dt
    return lines.pour(volume, mass, SEPARATOR, RETURN, amount * cells / total)


@compiled
def count_plasma(now: Array, to_bag: float) -> None:
    """What the display counts: bag, and patient plasma by the entered haematocrit."""
    channel = now.hct_entered_fraction * (now.inlet_ac_ratio - 1.0) / now.inlet_ac_ratio
    in_plasma = 1.0 / now.inlet_ac_ratio / (1.0 - channel)
    now.bag_ml += to_bag
    now.plasma_bag_room_ml -= to_bag
    now.plasma_counted_ml += to_bag * (1.0 - in_plasma)


@compiled
def replace(par: Array, now: Array, volume: Array, mass: Array, dt: float) -> float:
    """Replacement fluid for one second; returns what came into the reservoir, mL: nothing where it joins behind it."""
    direct = par.replacement_direct_flag != 0.0
    target = PATIENT if direct else RETURN
    came = lines.pour(volume, mass, REPLACEMENT_BAG, target, now.replacement_ml_min * dt)
    now.removed_due_ml += now.replacement_ml_min * dt
    now.replacement_ml_min = came / dt
    now.replaced_ml += came
    now.pass_replaced_ml += came
    if direct:
        now.given_ml += came
        now.ac_to_patient_ml += now.replacement_ac_fraction * came
        return 0.0
    return came


@compiled
def anticoagulant_ml(now: Array, volume: Array, place: int) -> float:
    """Anticoagulant in a place, mL: pumped in, and what the donor plasma that hangs brings with it."""
    return volume[place, 2] + now.replacement_ac_fraction * volume[place, 4]


@compiled
def give_back(par: Array, now: Array, volume: Array, mass: Array, flow: float, dt: float) -> None:
    """Pumps the return line into the patient, to waste while the prime is diverted, or onto the floor."""
    now.return_ml_min = flow
    target = PATIENT
    if now.return_open_flag:
        target = LOST
    elif now.phase == Phase.CONNECT and not par.prime_to_patient_flag:
        target = DIVERT
    before = anticoagulant_ml(now, volume, RETURN)
    plug = now.phase == Phase.CONNECT
    if plug:
        moved = lines.displace(volume, mass, RETURN, target, flow * dt)
    else:
        moved = lines.pour(volume, mass, RETURN, target, flow * dt)
    if target == PATIENT:
        now.ac_to_patient_ml += before - anticoagulant_ml(now, volume, RETURN)
        now.given_ml += moved


@compiled
def connect(par: Array, now: Array, volume: Array, mass: Array, arrived: float) -> None:
    """Blood pushes the prime through the set; a bowl stays empty meanwhile."""
    if par.principle_code == BOWL:
        lines.displace(volume, mass, INLET, RETURN, arrived)
    else:
        lines.displace(volume, mass, INLET, SEPARATOR, arrived)
        lines.displace(volume, mass, SEPARATOR, RETURN, arrived)
    now.connected_ml += arrived
    room = now.packed_hct_fraction * par.channel_ml
    now.interface_fraction = volume[SEPARATOR, 0] / room if room > 0.0 else 0.0


@compiled
def start_rinse(par: Array, now: Array, volume: Array) -> None:
    """What rinseback will bring: red cells it reaches, and fluid of the set with saline in equal parts."""
    red = volume[INLET, 0] + volume[SEPARATOR, 0] + volume[RETURN, 0]
    reached = red * (1.0 - par.residual_red_cells_fraction)
    if par.warmer_flag:
        reached -= par.warmer_residual_red_cells_ml
    now.rinse_red_cells_ml = max(0.0, reached)
    now.rinse_fluid_ml = max(0.0, par.rinseback_ml - now.rinse_red_cells_ml) * par.rinse_plasma_fraction
    now.rinsed_ml = 0.0


@compiled
def rinse(par: Array, now: Array, volume: Array, mass: Array, dt: float) -> None:
    """One second of rinseback: content of the set goes to the patient, saline takes its place."""
    if now.rinsed_ml <= 0.0:
        start_rinse(par, now, volume)
    amount = min(par.rinseback_flow_ml_min * dt, par.rinseback_ml - now.rinsed_ml)
    share = amount / (par.rinseback_ml - now.rinsed_ml) if par.rinseback_ml > now.rinsed_ml else 1.0
    red, plain = share * now.rinse_red_cells_ml, share * now.rinse_fluid_ml
    reds = volume[INLET, 0] + volume[SEPARATOR, 0] + volume[RETURN, 0]
    plains = lines.fluid_ml(volume, INLET) + lines.fluid_ml(volume, SEPARATOR) + lines.fluid_ml(volume, RETURN)
    target = LOST if now.return_open_flag else PATIENT
    moved = 0.0
    for place in (INLET, SEPARATOR, RETURN):
        r = red * volume[place, 0] / reds if reds > 0.0 else 0.0
        p = plain * lines.fluid_ml(volume, place) / plains if plains > 0.0 else 0.0
        before = anticoagulant_ml(now, volume, place)
        gone = lines.move(volume, mass, place, target, r, p)
        now.ac_to_patient_ml += before - anticoagulant_ml(now, volume, place)
        lines.pour(volume, mass, SALINE_BAG, place, gone)
        moved += gone
    moved += lines.pour(volume, mass, SALINE_BAG, target, amount - moved)
    now.rinse_red_cells_ml -= red
    now.rinse_fluid_ml -= plain
    now.rinsed_ml += amount
    now.given_ml += moved
    now.return_ml_min = amount / dt


@compiled
def give_saline(now: Array, volume: Array, mass: Array, dt: float) -> None:
    """A saline bolus straight into the patient."""
    amount = min(now.saline_due_ml, now.saline_rate_ml_min * dt)
    came = lines.pour(volume, mass, SALINE_BAG, PATIENT, amount)
    now.saline_due_ml -= amount
    now.saline_ml_min = came / dt
    now.saline_bolus_ml += came


@compiled
def part_blood(par: Array, now: Array, volume: Array, mass: Array, sieving: Array, arrived: float, dt: float) -> float:
    """The separator for one second, whichever it is; returns what arrived in the return line, mL."""
    if par.principle_code == BOWL:
        if now.cycle == GIVE:
            return empty_bowl(par, now, volume, mass, dt)
        return fill_bowl(par, now, volume, mass, arrived)
    if par.principle_code == MEMBRANE:
        return filter_blood(par, now, volume, mass, sieving, arrived, dt)
    return spin(par, now, volume, mass, arrived, dt)


@compiled
def return_flow(par: Array, now: Array, volume: Array, arriving: float) -> float:
    """Flow of the return pump this second, by principle."""
    in_run = now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK)
    if par.principle_code == SINGLE_NEEDLE and in_run:
        return 0.0 if now.cycle != GIVE or now.return_pump_fault_flag else par.return_flow_ml_min
    if par.principle_code == BOWL and in_run:
        return arriving if now.cycle == GIVE and not now.return_pump_fault_flag else 0.0
    return pumps.return_command(par, now, volume, arriving)


@compiled
def bowl_holds(par: Array, volume: Array) -> bool:
    """True while a bowl has cells to give back."""
    return par.principle_code == BOWL and lines.total_ml(volume, SEPARATOR) > par.bowl_residual_ml


@compiled
def rinseback(par: Array, now: Array, volume: Array, mass: Array, dt: float) -> None:
    """Rinseback for one second; a bowl or a batch in the reservoir is given back first."""
    due = par.principle_code == BOWL and now.pass_bag_ml - now.pass_replaced_ml > 0.0
    batch = par.principle_code == SINGLE_NEEDLE and pumps.level_ml(par, volume) > par.reservoir_set_ml
    if now.rinsed_ml <= 0.0 and batch:
        excess = pumps.level_ml(par, volume) - par.reservoir_set_ml
        give_back(par, now, volume, mass, min(par.return_flow_ml_min, excess / dt), dt)
        return
    if now.rinsed_ml <= 0.0 and (bowl_holds(par, volume) or due):
        arrived = empty_bowl(par, now, volume, mass, dt)
        arrived += replace(par, now, volume, mass, dt)
        give_back(par, now, volume, mass, arrived / dt, dt)
    else:
        rinse(par, now, volume, mass, dt)


@compiled
def sense(par: Array, now: Array, volume: Array, running: bool) -> None:
    """Pressures and what the display derives from flows and levels."""
    target = access.access_pressure(
        now.blood_ml_min, par.vein_pressure_mm_hg, par.draw_linear_mm_hg_min_ml + par.line_linear_mm_hg_min_ml,
        par.draw_quadratic_mm_hg_min2_ml2, now.vein_max_ml_min, par.vein_knee_fraction, par.collapse_pressure_mm_hg,
    )  # fmt: skip
    linear = par.return_linear_mm_hg_min_ml + par.return_line_linear_mm_hg_min_ml
    now.expected_return_mm_hg = access.return_pressure(
        now.return_ml_min, par.vein_pressure_mm_hg, linear, par.return_quadratic_mm_hg_min2_ml2, now.return_obstruction
    )
    shown = 0.0 if now.return_open_flag else now.expected_return_mm_hg
    now.access_mm_hg = pumps.settle(now.access_mm_hg, target, par.pressure_time_constant_s)
    now.return_mm_hg = pumps.settle(now.return_mm_hg, shown, par.pressure_time_constant_s)
    now.ac_rate_ml_min_l = pumps.patient_share(par, now) * now.inlet_ml_min / (par.blood_volume_ml / 1000.0)
    now.channel_hct_fraction = lines.hct(volume, INLET)
    now.held_ml = lines.total_ml(volume, INLET) + lines.total_ml(volume, SEPARATOR) + lines.total_ml(volume, RETURN)
    if now.plasma_processed_ml > 0.0:
        now.efficiency_fraction = volume[PLASMA_BAG, 1] / now.plasma_processed_ml
    now.still_s = now.still_s + 1 if running and now.inlet_ml_min <= 0.0 else 0


@compiled
def second(
    par: Array, now: Array, volume: Array, mass: Array, sieving: Array, blood: Array, hct: float, dt: float
) -> None:
    """Pumps, fluid and sensors for one second; `blood` holds the patient's plasma concentrations."""
    pumps.command(par, now, volume, dt)
    now.blood_ml_min = 0.0
    now.return_ml_min = 0.0
    now.saline_ml_min = 0.0
    clamped = pumps.closed_clamp(now)
    arrived = 0.0
    if now.inlet_ml_min > 0.0:
        arrived = take_blood(par, now, volume, mass, blood, hct, dt)
    if now.phase == Phase.CONNECT:
        if arrived > 0.0:
            connect(par, now, volume, mass, arrived)
        give_back(par, now, volume, mass, 0.0 if clamped else pumps.return_command(par, now, volume, arrived / dt), dt)
    elif now.phase == Phase.RINSEBACK:
        if not clamped:
            rinseback(par, now, volume, mass, dt)
    elif now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK, Phase.ALARM):
        allowed = pumps.may(now, Pump.RETURN) and not clamped
        giving = par.principle_code != BOWL or (now.cycle == GIVE and allowed and not now.return_pump_fault_flag)
        onward = part_blood(par, now, volume, mass, sieving, arrived, dt) if arrived > 0.0 or giving else 0.0
        onward += replace(par, now, volume, mass, dt)
        give_back(par, now, volume, mass, return_flow(par, now, volume, onward / dt) if allowed else 0.0, dt)
    if now.saline_due_ml > 0.0 and pumps.may(now, Pump.SALINE):
        give_saline(now, volume, mass, dt)
    now.platelet_loss_ml += par.platelet_leak_fraction * arrived * (1.0 - 1.0 / now.inlet_ac_ratio)
    in_circuit = now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK, Phase.PAUSE, Phase.ALARM)
    sense(par, now, volume, in_circuit)
