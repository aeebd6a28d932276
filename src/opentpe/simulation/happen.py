"""What an event does to machine and patient: faults of the world, actions of the operator, complaints."""

from __future__ import annotations

from typing import Any, Final

from opentpe.errors import InputError
from opentpe.kernel import body, controller, fluid, lines, operator, records
from opentpe.kernel.controller import Entry
from opentpe.kernel.lines import AC_BAG, REPLACEMENT_BAG, STORE
from opentpe.kernel.operator import Action
from opentpe.simulation.events import Event

_ACTIONS: Final[dict[str, Action]] = {
    "slow": Action.SLOW_INLET, "inlet": Action.SET_INLET, "ratio": Action.SET_RATIO, "balance": Action.SET_BALANCE,
    "resume": Action.RESUME, "saline": Action.SALINE, "reposition": Action.REPOSITION, "flush": Action.FLUSH_RETURN,
    "purge": Action.PURGE_AIR, "change_replacement": Action.CHANGE_REPLACEMENT,
    "change_ac": Action.CHANGE_ANTICOAGULANT, "change_plasma_bag": Action.CHANGE_PLASMA_BAG,
    "empty_bowl": Action.EMPTY_BOWL, "reconnect": Action.RECONNECT_RETURN, "acknowledge": Action.ACKNOWLEDGE,
    "rinseback": Action.CONFIRM_RINSEBACK, "stop": Action.STOP_RUN, "abandon": Action.STOP_WITHOUT_RINSEBACK,
    "pause": Action.PAUSE,
}  # fmt: skip
_SYMPTOMS: Final = ("tingling", "light-headedness", "hypotension")
_FOREVER: Final = 1 << 40
_VEIN_LEFT: Final = 0.45  # of the healthy vein's flow that a fault leaves


def apply(
    event: Event, par: Any, live: records.Machine, bag: records.Fluids, person: body.Patient, calcium_mmol_g: float
) -> body.Patient:
    """The patient after an event; the machine's arrays are changed in place (the caller owns its copy)."""
    now = live.now[0]
    if event.kind in _ACTIONS:
        _act(event, par, live, bag, person)
        return person
    if event.kind == "symptom":
        known = _SYMPTOMS.index(event.text) if event.text in _SYMPTOMS else len(_SYMPTOMS)
        controller.write(live.journal, now, int(Entry.SYMPTOM), known, 0.0)
        return person
    if event.kind == "calcium":
        minutes = max(event.b, 1.0)
        until = int(now["run_s"] + 60 * minutes)
        controller.write(live.journal, now, int(Entry.EVENT), 0, event.a)
        return person._replace(calcium_mmol_min=event.a * calcium_mmol_g / minutes, calcium_until_s=until)
    controller.write(live.journal, now, int(Entry.EVENT), 0, event.a)
    _fault(event, now, live)
    return person


def _act(event: Event, par: Any, live: records.Machine, bag: records.Fluids, person: body.Patient) -> None:
    action = _ACTIONS[event.kind]
    value = event.a * 60.0 if event.kind == "pause" else event.a
    if event.kind == "inlet" and not par[0]["inlet_flow_min_ml_min"] <= value <= par[0]["inlet_flow_max_ml_min"]:
        low, high = par[0]["inlet_flow_min_ml_min"], par[0]["inlet_flow_max_ml_min"]
        raise InputError("event", repr(event.said), f"an inlet flow of {low:g} to {high:g} mL/min",
                         f"The nearest is {min(max(value, low), high):g} mL/min.")  # fmt: skip
    if event.kind == "rinseback" and live.now[0]["phase"] != controller.Phase.TARGET_REACHED:
        raise InputError("event", repr(event.said), "a run that has reached its target or was stopped",
                         "Stop the run first: `stop run -> rinseback`.")  # fmt: skip
    operator.act(par[0], live.now[0], live.volume, live.mass, live.alarms, live.journal, bag, int(action), value,
                 fluid.haematocrit(person.fluid))  # fmt: skip


def _fault(event: Event, now: Any, live: records.Machine) -> None:
    until = int(now["run_s"] + 60 * event.a)
    if event.kind == "vein_fault":
        now["vein_max_ml_min"] = _VEIN_LEFT * min(now["vein_healthy_ml_min"], max(now["inlet_set_ml_min"], 1.0) / 0.9)
        now["vein_until_s"] = until if event.a > 0 else _FOREVER
    elif event.kind == "vein":
        now["vein_max_ml_min"] = event.a
        now["vein_until_s"] = int(now["run_s"] + 60 * event.b) if event.b > 0 else _FOREVER
    elif event.kind == "return_fault":
        now["return_obstruction"] = 12.0
    elif event.kind == "air":
        now["air_ml"] += event.a
    elif event.kind == "camera":
        now["camera_lost_until_s"] = until
    elif event.kind == "turbulence":
        now["turbulence_until_s"] = until
        now["turbulence_ratio"] = 0.6
    elif event.kind == "power":
        now["power_off_until_s"] = until
    elif event.kind == "membrane":
        now["permeability_ml_min_m2_mm_hg"] *= event.a
    elif event.kind == "delivery":
        now["delivery_ratio"] = event.a
    elif event.kind == "balance_error":
        now["balance_offset_ml"] = event.a
    elif event.kind == "hct_entered":
        now["hct_entered_fraction"] = event.a
        live.alarms[controller.Alarm.RED_CELLS_IN_PLASMA]["raised"] = 0  # as the operator's own correction
    elif event.kind == "plasma_full":
        now["plasma_bag_room_ml"] = 0.0
    elif event.kind in _FLAGS:
        now[_FLAGS[event.kind]] = 1
    elif event.kind in _EMPTIED:
        place = _EMPTIED[event.kind]
        lines.pour(live.volume, live.mass, place, STORE, lines.total_ml(live.volume, place))


_FLAGS: Final = {
    "return_open": "return_open_flag", "return_pump": "return_pump_fault_flag", "ac_line": "ac_line_fault_flag",
    "centrifuge": "centrifuge_fault_flag",
}  # fmt: skip
_EMPTIED: Final = {"ac_empty": AC_BAG, "replacement_empty": REPLACEMENT_BAG}
