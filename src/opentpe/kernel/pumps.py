"""What the controller asks of the pumps each second: inlet with its limits, plasma by camera or by arithmetic, return.

Flows mL/min. The machine knows only what was entered (haematocrit, ratio) and what it measures (interface, levels).
"""

from __future__ import annotations

import math
from typing import Any

from opentpe.kernel import circuit, controller, lines, separation
from opentpe.kernel.compiled import compiled
from opentpe.kernel.controller import ALLOWED, Phase, Pump
from opentpe.kernel.lines import RETURN, SEPARATOR

Array = Any
CONTINUOUS, SINGLE_NEEDLE, BOWL, MEMBRANE = 0, 1, 2, 3
DRAW, TO_RETURN, GIVE, TO_DRAW = 0, 1, 2, 3  # steps of an alternating cycle
_LEVEL_GAIN_PER_MIN = 1.0  # return pump: share of the level error removed per minute
_PLASMA_CEILING = 0.95  # plasma pump never takes the whole inlet


@compiled
def may(now: Array, pump: int) -> bool:
    """True where phase and watch let a pump turn."""
    return ALLOWED[now.phase, pump] and not controller.held(now, pump)


@compiled
def packed(par: Array, now: Array) -> float:
    """Packed haematocrit the machine reckons with at its speed and inlet flow."""
    if par.packing_constant <= 0.0 or now.inlet_ml_min <= 0.0:
        return par.packed_hct_fraction if par.packing_constant <= 0.0 else now.packed_hct_fraction
    factor = separation.packing_factor(par.packing_constant, now.speed_rpm, now.inlet_ml_min)
    return separation.packed_hct(factor, par.packing_factor_scale, par.packed_hct_max_fraction)


@compiled
def level_ml(par: Array, volume: Array) -> float:
    """Fluid in the return reservoir, line excluded, mL."""
    return lines.total_ml(volume, RETURN) - par.return_line_ml


@compiled
def patient_share(par: Array, now: Array) -> float:
    """Anticoagulant that reaches the patient per mL of inlet flow, by the entered values (circuit, device book 2.2)."""
    ac = 1.0 / now.inlet_ac_ratio
    channel = circuit.channel_hct(now.hct_entered_fraction, now.inlet_ac_ratio)
    if par.principle_code == MEMBRANE:
        bag = now.filtration_fraction * now.plasma_limit_factor
        efficiency = separation.membrane_efficiency(bag, channel, 1.0)
    else:
        efficiency = circuit.removal_efficiency(channel, now.packed_hct_fraction)
        bag = efficiency * (1.0 - channel)
    in_plasma = circuit.ac_fraction(channel, now.inlet_ac_ratio)
    back = circuit.replacement_share(bag, in_plasma, ac, now.balance_ratio, int(par.accounting_code))
    return ac * (1.0 - efficiency) + now.replacement_ac_fraction * back


@compiled
def duty(par: Array, now: Array, inlet: float) -> float:
    """Share of the time that an alternating cycle draws, 1 for two needles."""
    if inlet <= 0.0 or par.principle_code in (CONTINUOUS, MEMBRANE):
        return 1.0
    valve = par.valve_s / 60.0
    if par.principle_code == SINGLE_NEEDLE:
        flow = separation.single_needle_flow(par.cycle_ml, inlet, par.cycle_ml, par.return_flow_ml_min, valve)
        return flow / inlet
    channel = circuit.channel_hct(now.hct_entered_fraction, now.inlet_ac_ratio)
    flow, _ = separation.bowl_flow(
        par.bowl_ml, par.bowl_residual_ml, par.packed_hct_fraction, channel, inlet, par.return_flow_ml_min,
        now.balance_ratio, valve,
    )  # fmt: skip
    return flow / inlet


@compiled
def inlet_command(par: Array, now: Array) -> float:
    """Inlet flow asked for: set flow, retries, ramp, pump range, and the anticoagulant limit (cobe_manual)."""
    connecting = now.phase == Phase.CONNECT
    wanted = par.connect_flow_ml_min if connecting else now.inlet_set_ml_min
    wanted = min(wanted * now.flow_factor, par.inlet_flow_max_ml_min)
    now.ac_limit_ratio = 0.0
    if not connecting:
        share = patient_share(par, now) * duty(par, now, wanted)
        allowed = now.ac_limit_ml_min_l * par.blood_volume_ml / 1000.0
        now.ac_limit_ratio = share * wanted / allowed if allowed > 0.0 else 0.0
        if now.ac_limit_ratio > 1.0:
            wanted = allowed / share
    rise = min(1.0, now.ramp_age_s / par.ramp_s) if par.ramp_s > 0.0 else 1.0
    return wanted * (par.ramp_start_fraction + (1.0 - par.ramp_start_fraction) * rise)


@compiled
def plasma_command(par: Array, now: Array, dt: float) -> float:
    """Plasma flow asked for: filtration fraction, or interface arithmetic with the camera's trim."""
    if par.principle_code == MEMBRANE:
        return now.filtration_fraction * now.plasma_limit_factor * now.inlet_ml_min
    channel = circuit.channel_hct(now.hct_entered_fraction, now.inlet_ac_ratio)
    flow = separation.interface_flow(now.inlet_ml_min, channel, packed(par, now))
    if now.phase == Phase.RUN_INTERFACE:
        error = par.interface_target_fraction - now.interface_fraction
        now.interface_integral += par.interface_gain_per_min * error * dt
        flow += separation.interface_trim(now.inlet_ml_min, error, par.interface_gain, now.interface_integral)
    return max(0.0, min(flow, par.plasma_flow_max_ml_min, _PLASMA_CEILING * now.inlet_ml_min))


@compiled
def replacement_for(par: Array, now: Array, bag_flow: float, ac_flow: float) -> float:
    """Replacement flow for a bag flow under the accounting rule of the order, by the entered values."""
    channel = circuit.channel_hct(now.hct_entered_fraction, now.inlet_ac_ratio)
    in_plasma = circuit.ac_fraction(channel, now.inlet_ac_ratio)
    return circuit.replacement_share(bag_flow, in_plasma, ac_flow, now.balance_ratio, int(par.accounting_code))


@compiled
def speed_command(par: Array, now: Array) -> float:
    """Centrifuge speed: the one that holds the packing factor, or the bowl's only speed."""
    if par.packing_constant <= 0.0:
        return par.centrifuge_speed_max_rpm
    return separation.speed_for(
        par.packing_constant, par.packing_factor_target, now.inlet_ml_min, par.centrifuge_speed_max_rpm
    )


@compiled
def turn_cycle(par: Array, now: Array, volume: Array, running: bool) -> None:
    """Moves an alternating cycle on: draw until the batch is in, valve, give until it is back, valve."""
    if not running:
        return
    now.cycle_s += 1
    if now.cycle in (TO_RETURN, TO_DRAW):
        if now.cycle_s >= par.valve_s:
            now.cycle = GIVE if now.cycle == TO_RETURN else DRAW
            now.cycle_s = 0
            if now.cycle == DRAW:
                now.cycles_count += 1
                now.redraw_due_ml = par.dead_space_ml
        return
    if now.cycle == DRAW:
        if par.principle_code == BOWL:
            # the optical sensor sees the buffy coat when packed cells fill the bowl
            full = volume[SEPARATOR, 0] >= par.packed_hct_fraction * par.bowl_ml
        else:
            full = level_ml(par, volume) >= par.reservoir_set_ml + par.cycle_ml
    else:
        due = now.pass_bag_ml - now.pass_replaced_ml
        emptied = lines.total_ml(volume, SEPARATOR) <= par.bowl_residual_ml and due <= 0.0
        full = emptied if par.principle_code == BOWL else level_ml(par, volume) <= par.reservoir_set_ml
    if full:
        now.cycle = TO_RETURN if now.cycle == DRAW else TO_DRAW
        now.cycle_s = 0
        if now.cycle == TO_DRAW:
            now.pass_bag_ml = 0.0
            now.pass_replaced_ml = 0.0


@compiled
def return_command(par: Array, now: Array, volume: Array, arriving: float) -> float:
    """Return flow asked for: what arrives, corrected towards the set level of the reservoir."""
    if now.return_pump_fault_flag:
        return 0.0
    excess = level_ml(par, volume) - par.reservoir_set_ml
    return max(0.0, min(par.return_flow_max_ml_min, arriving + _LEVEL_GAIN_PER_MIN * excess))


@compiled
def command(par: Array, now: Array, volume: Array, dt: float) -> None:
    """Sets inlet, anticoagulant, plasma, replacement and speed for this second; return follows once fluid has moved."""
    alternating = par.principle_code in (SINGLE_NEEDLE, BOWL)
    in_run = now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK)
    drawing = now.cycle == DRAW or not alternating or now.phase == Phase.CONNECT
    inlet = may(now, Pump.INLET) and drawing
    now.ramp_age_s = now.ramp_age_s + 1 if inlet or (in_run and alternating) else 0
    now.inlet_ml_min = inlet_command(par, now) if inlet else 0.0
    now.ac_ml_min = now.inlet_ml_min / now.inlet_ac_ratio if may(now, Pump.AC) else 0.0
    if now.inlet_ml_min > 0.0:
        now.speed_rpm = speed_command(par, now)
        now.packed_hct_fraction = packed(par, now)
    elif controller.held(now, Pump.CENTRIFUGE):
        now.speed_rpm = 0.0
    plasma = inlet and in_run and may(now, Pump.PLASMA) and par.principle_code != BOWL
    now.plasma_ml_min = plasma_command(par, now, dt) if plasma else 0.0
    now.replacement_ml_min = 0.0
    if plasma and may(now, Pump.REPLACEMENT):
        flow = replacement_for(par, now, now.plasma_ml_min, now.ac_ml_min)
        now.replacement_ml_min = min(flow, par.replacement_flow_max_ml_min)
    turn_cycle(par, now, volume, alternating and in_run and not controller.held(now, Pump.INLET))


@compiled
def closed_clamp(now: Array) -> bool:
    """True where an alarm holds the return clamp shut."""
    return controller.held(now, Pump.CLAMP)


@compiled
def settle(value: float, target: float, constant_s: float) -> float:
    """A sensor one second later, lagging behind its target."""
    return target + (value - target) * math.exp(-1.0 / constant_s) if constant_s > 0.0 else target
