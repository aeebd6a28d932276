"""What triggers each alarm of the table: events in words, and the setup in which they do."""

from opentpe.kernel.controller import Alarm
from support import device

BOWL, MEMBRANE = {"separator": "bowl"}, {"separator": "membrane"}
MODERATE = {"access": "peripheral_moderate_veins"}
TRIGGERS = {
    Alarm.ACCESS_PRESSURE_LOW: ("at 30 min vein carries 36 mL/min for 20 min", MODERATE),
    Alarm.RETURN_PRESSURE_HIGH: ("at 30 min return pressure fault", {}),
    Alarm.AIR_IN_RETURN: ("at 30 min air in the return line", {}),
    Alarm.RED_CELLS_IN_PLASMA: ("at 30 min turbulence for 4 min", {}),
    Alarm.INTERFACE_UNSTABLE: ("at 30 min interface unstable for 5 min", {}),
    Alarm.AC_INFUSION_LIMIT: ("at 30 min inlet 60 mL/min", {"fluid": "plasma"}),
    Alarm.AC_EMPTY: ("at 30 min anticoagulant empty", {}),
    Alarm.AC_LINE_WRONG: ("at 30 min anticoagulant line wrong", {}),
    Alarm.REPLACEMENT_EMPTY: ("at 30 min replacement bag empty", {}),
    Alarm.RESERVOIR_HIGH: ("at 30 min return pump stops", {}),
    Alarm.PLASMA_BAG_FULL: ("at 30 min plasma bag full", {}),
    Alarm.BOWL_PAUSE: ("at 34 min pause 4 min", BOWL),
    Alarm.TARGET_REACHED: ("at 30 min pause 1 min", {}),
    Alarm.POWER_FAILURE: ("at 30 min power fails for 3 min", {}),
    Alarm.CENTRIFUGE_FAULT: ("at 30 min centrifuge leak", {}),
    Alarm.RETURN_DISCONNECTED: ("at 30 min return line disconnects", {}),
    Alarm.TRANSMEMBRANE_HIGH: ("at 30 min membrane clots to 40 %", MEMBRANE),
    Alarm.NO_FLOW: ("at 30 min pause 4 min", {}),
    Alarm.LOW_FLOW: ("at 30 min inlet pump delivers 50 %", {}),
    Alarm.SALINE_BOLUS_LIMIT: ("at 30 min saline 500 mL", {}),
    Alarm.FLUID_BALANCE: ("at 30 min fluid balance off by 250 mL", {}),
    Alarm.CONNECT_VOLUME: ("at 0 min inlet pump delivers 25 %", {}),
}


_DONE = {}


def triggered(library, alarm):
    """The finished run in which an alarm is raised; made once."""
    if alarm not in _DONE:
        words, given = TRIGGERS[alarm]
        _DONE[alarm] = device.run(library, words, **given)
    return _DONE[alarm]


def spells(done, alarm):
    """Each time an alarm stood: second of raise, second of release, priority."""
    found, since = [], None
    for entry in done.journal:
        if entry.subject != alarm.name.lower() or entry.kind not in ("raised", "cleared"):
            continue
        if entry.kind == "raised":
            since = entry
        elif since is not None:
            found.append((since.at_s, entry.at_s, int(since.value)))
            since = None
    return found


def rows(done, first_s, last_s):
    """Rows of the log between two seconds, both included."""
    log = done.log.machine
    return log[(log["run_s"] >= first_s) & (log["run_s"] <= last_s)]
