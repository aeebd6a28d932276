"""The operator: what each action does to machine and faults, and the standard operator who answers every alarm in time.

A trainer leaves `operator_code` at 0 and sends the same actions by hand.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np

from opentpe.kernel import controller, lines
from opentpe.kernel.compiled import compiled
from opentpe.kernel.controller import Alarm, Entry, Phase, Signal
from opentpe.kernel.lines import AC_BAG, ANTICOAGULANT, REPLACEMENT, REPLACEMENT_BAG, SALINE, SALINE_BAG
from opentpe.kernel.pumps import GIVE

Array = Any


class Action(IntEnum):
    """What an operator can do at the machine; numbers that go with it are in the argument of `act`."""

    ACKNOWLEDGE = 0
    REPOSITION = 1  # needle and cuff; flow a little lower
    FLUSH_RETURN = 2
    PURGE_AIR = 3
    CORRECT_HCT = 4  # enters the measured haematocrit
    LOWER_TO_PACKING = 5  # inlet to the flow at which cells pack well
    CHANGE_ANTICOAGULANT = 6
    FIX_ANTICOAGULANT_LINE = 7
    CHANGE_REPLACEMENT = 8
    FREE_RETURN_PUMP = 9
    CHANGE_PLASMA_BAG = 10
    EMPTY_BOWL = 11
    CONFIRM_RINSEBACK = 12
    STOP_WITHOUT_RINSEBACK = 13
    RECONNECT_RETURN = 14
    LOWER_FILTRATION = 15
    ACCEPT_BALANCE = 16
    RESTART_PHASE = 17
    SET_INLET = 18
    SET_RATIO = 19
    SET_BALANCE = 20
    SLOW_INLET = 21  # by a share
    PAUSE = 22  # seconds
    RESUME = 23
    STOP_RUN = 24
    SALINE = 25  # mL


_NONE: Final = -1
# Action that releases a latched alarm; the table of evidence/alarms.toml names the same (tested).
ANSWERS: Final = np.array([
    Action.REPOSITION, Action.FLUSH_RETURN, Action.PURGE_AIR, _NONE, _NONE, _NONE, Action.CHANGE_ANTICOAGULANT,
    Action.FIX_ANTICOAGULANT_LINE, Action.CHANGE_REPLACEMENT, _NONE, _NONE, Action.CHANGE_PLASMA_BAG, Action.EMPTY_BOWL,
    _NONE, _NONE, Action.STOP_WITHOUT_RINSEBACK, Action.RECONNECT_RETURN, Action.LOWER_FILTRATION, _NONE, _NONE,
    Action.ACKNOWLEDGE, Action.ACCEPT_BALANCE, Action.RESTART_PHASE,
], dtype=np.int64)  # fmt: skip


@compiled
def hang_replacement(now: Array, volume: Array, mass: Array, fluids: Array) -> None:
    """Hangs the bag of the part of the sequence that is due."""
    part = now.fluid_index
    lines.hang(volume, mass, REPLACEMENT_BAG, REPLACEMENT, fluids.bag_ml[part], fluids.replacement[part])
    now.replacement_ac_fraction = fluids.ac_fraction[part]


@compiled
def repair(par: Array, now: Array, volume: Array, mass: Array, fluids: Array, action: int, hct: float) -> None:
    """Ends the fault an action is meant for."""
    if action == Action.ACKNOWLEDGE:
        now.saline_allowed_ml = now.saline_bolus_ml
    elif action == Action.REPOSITION:
        now.vein_max_ml_min = now.vein_healthy_ml_min
        now.vein_until_s = 0
        now.delivery_ratio = 1.0
        now.flow_factor = max(now.flow_factor, 0.9)
    elif action == Action.FLUSH_RETURN:
        now.return_obstruction = 1.0
    elif action == Action.PURGE_AIR:
        now.air_ml = 0.0
    elif action == Action.CORRECT_HCT:
        now.hct_entered_fraction = hct
    elif action == Action.LOWER_TO_PACKING and par.packing_constant > 0.0:
        packing = par.packing_constant * par.centrifuge_speed_max_rpm**2 / par.packing_factor_target
        now.inlet_set_ml_min = min(now.inlet_set_ml_min, packing)
        now.turbulence_until_s = 0
    elif action == Action.CHANGE_ANTICOAGULANT:
        lines.hang(volume, mass, AC_BAG, ANTICOAGULANT, par.ac_bag_ml, fluids.anticoagulant)
    elif action == Action.FIX_ANTICOAGULANT_LINE:
        now.ac_line_fault_flag = 0
    elif action == Action.CHANGE_REPLACEMENT:
        hang_replacement(now, volume, mass, fluids)
    elif action == Action.FREE_RETURN_PUMP:
        now.return_pump_fault_flag = 0
    elif action == Action.CHANGE_PLASMA_BAG:
        now.plasma_bag_room_ml = par.plasma_bag_ml
    elif action == Action.EMPTY_BOWL:
        now.cycle = GIVE
        now.cycle_s = 0
        now.bowl_stop_s = 0
        now.bowl_overpacked_flag = 0
    elif action == Action.RECONNECT_RETURN:
        now.return_open_flag = 0
    elif action == Action.ACCEPT_BALANCE:
        now.balance_offset_ml = 0.0
    elif action == Action.RESTART_PHASE:
        now.phase_s = 0
        now.delivery_ratio = 1.0
        now.vein_max_ml_min = now.vein_healthy_ml_min


@compiled
def set_machine(
    par: Array, now: Array, volume: Array, mass: Array, journal: Array, fluids: Array, action: int, value: float
) -> None:
    """Changes a setting; the inlet is clamped by the tiers of the separator, and a tier met is written down."""
    if action == Action.SET_INLET:
        taken, met = controller.tier(
            max(value, par.inlet_flow_min_ml_min), par.inlet_flow_warning_ml_min, par.inlet_flow_max_ml_min,
            par.inlet_flow_absolute_ml_min, par.manual_flag != 0.0,
        )  # fmt: skip
        now.inlet_set_ml_min = taken
        now.flow_factor = 1.0
        if met > 0:
            controller.write(journal, now, Entry.TIER, met, taken)
    elif action == Action.SLOW_INLET:
        now.inlet_set_ml_min = max(now.inlet_set_ml_min * (1.0 - value), par.inlet_flow_min_ml_min)
    elif action == Action.SET_RATIO:
        now.inlet_ac_ratio = min(max(value, par.inlet_ac_ratio_min), par.inlet_ac_ratio_max)
    elif action == Action.SET_BALANCE:
        now.balance_ratio = value
    elif action == Action.LOWER_FILTRATION:
        now.plasma_limit_factor *= 0.9
    elif action == Action.SALINE:
        if lines.total_ml(volume, SALINE_BAG) < value:
            lines.hang(volume, mass, SALINE_BAG, SALINE, par.saline_bag_ml, fluids.saline)
        now.saline_due_ml += value


@compiled
def act(
    par: Array, now: Array, volume: Array, mass: Array, alarms: Array, journal: Array, fluids: Array,
    action: int, value: float, hct: float,
) -> None:  # fmt: skip
    """Carries out one action and writes it down; `hct` is the measured haematocrit, `value` the action's number."""
    controller.write(journal, now, Entry.OPERATOR, action, value)
    repair(par, now, volume, mass, fluids, action, hct)
    set_machine(par, now, volume, mass, journal, fluids, action, value)
    if action == Action.PAUSE:
        now.pause_until_s = now.run_s + int(value)
        controller.signal(now, journal, Signal.PAUSE)
    elif action == Action.RESUME:
        now.pause_until_s = now.run_s
        controller.signal(now, journal, Signal.RESUME)
    elif action == Action.STOP_RUN:
        now.abandoned_flag = 1
        controller.signal(now, journal, Signal.STOP)
    elif action == Action.CONFIRM_RINSEBACK:
        controller.signal(now, journal, Signal.CONFIRM)
    elif action == Action.STOP_WITHOUT_RINSEBACK:
        now.abandoned_flag = 2
        controller.signal(now, journal, Signal.ABANDON)
    if action in (Action.CORRECT_HCT, Action.ACKNOWLEDGE):
        # the interface is built anew: the draw may go on, the plasma pump waits until cells have sunk
        alarms[Alarm.RED_CELLS_IN_PLASMA].raised = 0
    answered(alarms, now, journal, action)


@compiled
def answered(alarms: Array, now: Array, journal: Array, action: int) -> None:
    """Releases the latched alarms an action answers; their conditions are judged anew the next second."""
    for a in range(alarms.shape[0]):
        if alarms[a].active and ANSWERS[a] == action:
            controller.clear_alarm(now, alarms, journal, a)


@compiled
def respond(
    par: Array, now: Array, volume: Array, mass: Array, alarms: Array, watch: Array, journal: Array, fluids: Array,
    hct: float,
) -> None:  # fmt: skip
    """The standard operator: answers each alarm once it has stood for the table's response time."""
    if par.operator_code == 0.0:
        return
    for a in range(alarms.shape[0]):
        wait = watch[a].response_s
        if not alarms[a].active or wait < 0 or alarms[a].age_s != wait:
            continue
        if a == Alarm.RED_CELLS_IN_PLASMA and alarms[a].raised < watch[a].escalates_after:
            continue
        act(par, now, volume, mass, alarms, journal, fluids, watch[a].action, 0.0, hct)
        if now.phase == Phase.ENDED:
            return
