"""The watch: conditions of the alarm table each second, and the phases that follow from time, targets and alarms."""

from __future__ import annotations

from typing import Any

from opentpe.kernel import controller, lines, pumps
from opentpe.kernel.compiled import compiled
from opentpe.kernel.controller import Alarm, Phase, Pump, Signal
from opentpe.kernel.lines import AC_BAG, INLET, LOST, REPLACEMENT_BAG, RETURN, SALINE_BAG, SEPARATOR
from opentpe.kernel.pumps import BOWL, CONTINUOUS, DRAW, GIVE, MEMBRANE, SINGLE_NEEDLE

Array = Any
_FOREVER = 1 << 40


@compiled
def pressures(par: Array, now: Array, watch: Array, present: Array) -> None:
    """Access, return, air and disconnection."""
    connecting = now.phase == Phase.CONNECT
    present[Alarm.ACCESS_PRESSURE_LOW] = now.access_mm_hg < watch[Alarm.ACCESS_PRESSURE_LOW].threshold
    row = watch[Alarm.RETURN_PRESSURE_HIGH]
    present[Alarm.RETURN_PRESSURE_HIGH] = now.return_mm_hg > (row.connecting if connecting else row.threshold)
    present[Alarm.AIR_IN_RETURN] = now.air_ml >= watch[Alarm.AIR_IN_RETURN].threshold and now.return_ml_min > 0.0
    missing = now.expected_return_mm_hg - now.return_mm_hg
    falling = now.return_open_flag and now.return_ml_min > 0.0
    present[Alarm.RETURN_DISCONNECTED] = falling and missing > watch[Alarm.RETURN_DISCONNECTED].threshold
    present[Alarm.TRANSMEMBRANE_HIGH] = (
        par.principle_code == MEMBRANE and now.transmembrane_mm_hg > watch[Alarm.TRANSMEMBRANE_HIGH].threshold
    )


@compiled
def bags(par: Array, now: Array, volume: Array, watch: Array, present: Array) -> None:
    """Anticoagulant, replacement, plasma bag and reservoir."""
    pumping = now.inlet_ml_min > 0.0 and now.inlet_ac_ratio < 1e6
    empty = lines.total_ml(volume, AC_BAG) < watch[Alarm.AC_EMPTY].threshold
    present[Alarm.AC_EMPTY] = pumping and empty and not now.ac_line_fault_flag
    present[Alarm.AC_LINE_WRONG] = pumping and now.ac_line_fault_flag != 0
    owed = now.pass_bag_ml - now.pass_replaced_ml if par.principle_code == BOWL else now.plasma_ml_min
    left = lines.total_ml(volume, REPLACEMENT_BAG)
    present[Alarm.REPLACEMENT_EMPTY] = owed > 0.0 and left < watch[Alarm.REPLACEMENT_EMPTY].threshold
    flowing = now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK, Phase.ALARM) and par.principle_code != BOWL
    level = pumps.level_ml(par, volume)
    present[Alarm.RESERVOIR_HIGH] = flowing and level > par.reservoir_high_ml + watch[Alarm.RESERVOIR_HIGH].threshold
    present[Alarm.RESERVOIR_LOW] = flowing and level < par.reservoir_low_ml - watch[Alarm.RESERVOIR_LOW].threshold
    present[Alarm.PLASMA_BAG_FULL] = now.plasma_bag_room_ml <= watch[Alarm.PLASMA_BAG_FULL].threshold


@compiled
def machine_state(par: Array, now: Array, watch: Array, present: Array) -> None:
    """Interface, red cells, anticoagulant limit, bowl, target, power, centrifuge and the sibling rules."""
    running = now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK)
    camera = par.principle_code in (CONTINUOUS, SINGLE_NEEDLE)
    present[Alarm.RED_CELLS_IN_PLASMA] = (
        camera and now.plasma_line_hct_fraction > watch[Alarm.RED_CELLS_IN_PLASMA].threshold
    )
    present[Alarm.INTERFACE_UNSTABLE] = camera and running and now.run_s < now.camera_lost_until_s
    present[Alarm.AC_INFUSION_LIMIT] = (
        now.inlet_ml_min > 0.0 and now.ac_limit_ratio > watch[Alarm.AC_INFUSION_LIMIT].threshold
    )
    present[Alarm.BOWL_PAUSE] = now.bowl_stop_s > watch[Alarm.BOWL_PAUSE].threshold or now.bowl_overpacked_flag != 0
    present[Alarm.TARGET_REACHED] = now.phase == Phase.TARGET_REACHED
    present[Alarm.POWER_FAILURE] = now.run_s < now.power_off_until_s
    present[Alarm.CENTRIFUGE_FAULT] = now.centrifuge_fault_flag != 0
    stopped = now.phase in (Phase.PAUSE, Phase.ALARM)
    present[Alarm.NO_FLOW] = stopped and now.still_s > watch[Alarm.NO_FLOW].threshold
    asked = now.inlet_ml_min - now.inlet_ml_min / now.inlet_ac_ratio
    present[Alarm.LOW_FLOW] = running and asked > 0.0 and now.blood_ml_min < watch[Alarm.LOW_FLOW].threshold * asked
    bolus = now.saline_bolus_ml - now.saline_allowed_ml
    present[Alarm.SALINE_BOLUS_LIMIT] = bolus > watch[Alarm.SALINE_BOLUS_LIMIT].threshold and now.saline_due_ml > 0.0
    present[Alarm.FLUID_BALANCE] = abs(now.balance_offset_ml) > watch[Alarm.FLUID_BALANCE].threshold
    present[Alarm.CONNECT_VOLUME] = now.phase == Phase.CONNECT and now.phase_s > watch[Alarm.CONNECT_VOLUME].threshold


@compiled
def release(par: Array, now: Array, volume: Array, present: Array, gone: Array) -> None:
    """What must be true before an alarm clears itself; most only need their condition to end."""
    for a in range(present.shape[0]):
        gone[a] = not present[a]
    gone[Alarm.RED_CELLS_IN_PLASMA] = now.interface_fraction <= par.interface_target_fraction
    gone[Alarm.INTERFACE_UNSTABLE] = now.run_s >= now.camera_lost_until_s
    level = pumps.level_ml(par, volume)
    gone[Alarm.RESERVOIR_HIGH] = level <= 0.5 * (par.reservoir_set_ml + par.reservoir_high_ml)
    gone[Alarm.RESERVOIR_LOW] = level >= 0.5 * (par.reservoir_set_ml + par.reservoir_low_ml)


@compiled
def stand_still(par: Array, now: Array, volume: Array) -> None:
    """Counts how long a spinning bowl stands in draw with blood in it."""
    filled = lines.total_ml(volume, SEPARATOR) > 2.0 * par.bowl_residual_ml
    holding = par.principle_code == BOWL and now.cycle == DRAW and filled
    spinning = now.speed_rpm > 0.0 and now.phase in (Phase.PAUSE, Phase.ALARM)
    now.bowl_stop_s = now.bowl_stop_s + 1 if holding and spinning else 0
    if now.cycle == GIVE:
        now.bowl_overpacked_flag = 0


@compiled
def target_met(par: Array, now: Array) -> bool:
    """True where the one target of the run is reached."""
    if par.target_ml > 0.0:
        return now.plasma_counted_ml >= par.target_ml
    if par.target_blood_ml > 0.0:
        return now.blood_ml >= par.target_blood_ml
    return now.since_start_s >= par.target_s


@compiled
def prime(par: Array, volume: Array, mass: Array) -> None:
    """Fills the set with saline; a bowl stays dry."""
    lines.pour(volume, mass, SALINE_BAG, INLET, par.inlet_line_ml)
    if par.principle_code != BOWL:
        lines.pour(volume, mass, SALINE_BAG, SEPARATOR, par.channel_ml)
    lines.pour(volume, mass, SALINE_BAG, RETURN, par.return_line_ml + par.reservoir_set_ml)


@compiled
def set_volume_ml(par: Array) -> float:
    """Prime that the first blood has to push out, mL."""
    channel = 0.0 if par.principle_code == BOWL else par.channel_ml
    return par.inlet_line_ml + channel + par.return_line_ml + par.reservoir_set_ml


@compiled
def timed_phase(par: Array, now: Array, volume: Array, mass: Array) -> bool:
    """True where a phase that only takes its time, or its volume, is over."""
    if now.phase == Phase.SELF_TEST:
        return now.phase_s >= par.self_test_s
    if now.phase == Phase.LOAD:
        return now.phase_s >= par.load_s
    if now.phase == Phase.PRIME:
        if now.phase_s >= par.prime_s:
            prime(par, volume, mass)
            return True
        return False
    if now.phase == Phase.PATIENT_DATA:
        return now.phase_s >= par.patient_data_s
    if now.phase == Phase.CONNECT:
        needed = par.inlet_line_ml if par.principle_code == BOWL else set_volume_ml(par)
        return now.connected_ml >= needed
    if now.phase == Phase.RINSEBACK:
        return now.rinsed_ml >= par.rinseback_ml - 1e-9
    if now.phase == Phase.DISCONNECT:
        if now.phase_s >= par.disconnect_s:
            for place in (INLET, SEPARATOR, RETURN):
                lines.pour(volume, mass, place, LOST, lines.total_ml(volume, place))
            return True
    return False


@compiled
def follow_alarms(now: Array, alarms: Array, watch: Array, journal: Array) -> None:
    """Into ALARM while an alarm holds the draw or all pumps, back when none does; the camera moves run and fallback."""
    now.held_mask = controller.hold(alarms, watch)
    held = controller.held(now, Pump.INLET) or controller.held(now, Pump.CLAMP)
    if held and now.phase != Phase.ALARM:
        controller.signal(now, journal, Signal.ALARM)
    elif not held and now.phase == Phase.ALARM:
        controller.signal(now, journal, Signal.CLEARED)
        if now.run_s < now.pause_until_s:
            controller.signal(now, journal, Signal.PAUSE)
    lost = alarms[Alarm.INTERFACE_UNSTABLE].active
    controller.signal(now, journal, Signal.INTERFACE_LOST if lost else Signal.INTERFACE_FOUND)


@compiled
def advance_phase(
    par: Array, now: Array, volume: Array, mass: Array, alarms: Array, watch: Array, journal: Array
) -> None:
    """Phases for one second: time and volume, pause, target, alarms."""
    if timed_phase(par, now, volume, mass) and controller.signal(now, journal, Signal.DONE):
        if now.phase == Phase.CONNECT:
            now.run_s = 0
        if now.phase == Phase.RUN_INTERFACE:
            now.since_start_s = 0
        if now.phase == Phase.ENDED:
            now.ended_s = now.run_s
    if now.phase == Phase.PAUSE and now.run_s >= now.pause_until_s:
        controller.signal(now, journal, Signal.RESUME)
    follow_alarms(now, alarms, watch, journal)
    if now.phase in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK) and target_met(par, now):
        controller.signal(now, journal, Signal.TARGET)


@compiled
def look(
    par: Array, now: Array, volume: Array, mass: Array, alarms: Array, watch: Array, journal: Array,
    present: Array, gone: Array,
) -> None:  # fmt: skip
    """One second of the watch, then of the phases. `present` and `gone` are scratch rows."""
    stand_still(par, now, volume)
    connected = now.phase in (
        Phase.CONNECT, Phase.RUN_INTERFACE, Phase.RUN_FALLBACK, Phase.PAUSE, Phase.ALARM, Phase.TARGET_REACHED,
        Phase.RINSEBACK,
    )  # fmt: skip
    if connected:
        pressures(par, now, watch, present)
        bags(par, now, volume, watch, present)
        machine_state(par, now, watch, present)
        release(par, now, volume, present, gone)
        controller.scan(now, alarms, watch, journal, present, gone)
    elif now.phase in (Phase.DISCONNECT, Phase.ENDED):
        for a in range(present.shape[0]):
            controller.clear_alarm(now, alarms, journal, a)
    advance_phase(par, now, volume, mass, alarms, watch, journal)
