"""The machine's controller: phases and signals in one table, pumps allowed in each phase, limits in three tiers, watch.

Nothing here knows physics. `next_phase` reads the table, `scan` turns conditions into alarms with persistence,
latching, retry and escalation, `tier` clamps a setting. The tables are small arrays, so that compiled code and tests
read the same.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np

from opentpe.kernel.compiled import compiled

Array = Any


class Phase(IntEnum):
    """Where the machine stands."""

    SELF_TEST = 0
    LOAD = 1
    PRIME = 2
    PATIENT_DATA = 3
    CONNECT = 4
    RUN_INTERFACE = 5
    RUN_FALLBACK = 6
    PAUSE = 7
    ALARM = 8
    TARGET_REACHED = 9
    RINSEBACK = 10
    DISCONNECT = 11
    ENDED = 12


class Signal(IntEnum):
    """What moves it on."""

    NONE = 0
    DONE = 1
    INTERFACE_LOST = 2
    INTERFACE_FOUND = 3
    PAUSE = 4
    RESUME = 5
    ALARM = 6
    CLEARED = 7
    TARGET = 8
    CONFIRM = 9
    STOP = 10
    ABANDON = 11


class Pump(IntEnum):
    """What an alarm or a phase may stop; `CLAMP` means the return clamp closes."""

    INLET = 0
    AC = 1
    PLASMA = 2
    REPLACEMENT = 3
    RETURN = 4
    CENTRIFUGE = 5
    CLAMP = 6
    SALINE = 7


class Alarm(IntEnum):
    """Rows of the alarm table, in the order of evidence/alarms.toml."""

    ACCESS_PRESSURE_LOW = 0
    RETURN_PRESSURE_HIGH = 1
    AIR_IN_RETURN = 2
    RED_CELLS_IN_PLASMA = 3
    INTERFACE_UNSTABLE = 4
    AC_INFUSION_LIMIT = 5
    AC_EMPTY = 6
    AC_LINE_WRONG = 7
    REPLACEMENT_EMPTY = 8
    RESERVOIR_HIGH = 9
    RESERVOIR_LOW = 10
    PLASMA_BAG_FULL = 11
    BOWL_PAUSE = 12
    TARGET_REACHED = 13
    POWER_FAILURE = 14
    CENTRIFUGE_FAULT = 15
    RETURN_DISCONNECTED = 16
    TRANSMEMBRANE_HIGH = 17
    NO_FLOW = 18
    LOW_FLOW = 19
    SALINE_BOLUS_LIMIT = 20
    FLUID_BALANCE = 21
    CONNECT_VOLUME = 22


class Priority(IntEnum):
    """IEC 60601-1-8 priorities."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Entry(IntEnum):
    """What a journal row says."""

    PHASE = 0
    RAISED = 1
    CLEARED = 2
    OPERATOR = 3
    EVENT = 4
    SYMPTOM = 5
    FLUID = 6
    RETRY = 7
    TIER = 8


BACK: Final = -2  # "the phase before": resume after a pause or an alarm
_NO: Final = -1
_RUN: Final = (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK)
_ALARMED: Final = (Phase.CONNECT, *_RUN, Phase.PAUSE, Phase.TARGET_REACHED, Phase.RINSEBACK)

TRANSITIONS: Final[dict[tuple[Phase, Signal], int]] = {
    (Phase.SELF_TEST, Signal.DONE): Phase.LOAD,
    (Phase.LOAD, Signal.DONE): Phase.PRIME,
    (Phase.PRIME, Signal.DONE): Phase.PATIENT_DATA,
    (Phase.PATIENT_DATA, Signal.DONE): Phase.CONNECT,
    (Phase.CONNECT, Signal.DONE): Phase.RUN_INTERFACE,
    (Phase.RUN_INTERFACE, Signal.INTERFACE_LOST): Phase.RUN_FALLBACK,
    (Phase.RUN_FALLBACK, Signal.INTERFACE_FOUND): Phase.RUN_INTERFACE,
    **{(p, Signal.PAUSE): Phase.PAUSE for p in (Phase.CONNECT, *_RUN)},
    **{(p, Signal.ALARM): Phase.ALARM for p in _ALARMED},
    **{(p, Signal.TARGET): Phase.TARGET_REACHED for p in _RUN},
    **{(p, Signal.STOP): Phase.TARGET_REACHED for p in (*_RUN, Phase.PAUSE, Phase.ALARM)},
    **{(p, Signal.ABANDON): Phase.DISCONNECT for p in (*_ALARMED, Phase.ALARM)},
    (Phase.PAUSE, Signal.RESUME): BACK,
    (Phase.ALARM, Signal.CLEARED): BACK,
    (Phase.TARGET_REACHED, Signal.CONFIRM): Phase.RINSEBACK,
    (Phase.RINSEBACK, Signal.DONE): Phase.DISCONNECT,
    (Phase.DISCONNECT, Signal.DONE): Phase.ENDED,
}

# Pumps that may turn in each phase.
PUMPS: Final[dict[Phase, tuple[Pump, ...]]] = {
    Phase.CONNECT: (Pump.INLET, Pump.AC, Pump.RETURN, Pump.CENTRIFUGE, Pump.SALINE),
    Phase.RUN_INTERFACE: (
        Pump.INLET, Pump.AC, Pump.PLASMA, Pump.REPLACEMENT, Pump.RETURN, Pump.CENTRIFUGE, Pump.SALINE
    ),
    Phase.RUN_FALLBACK: (
        Pump.INLET, Pump.AC, Pump.PLASMA, Pump.REPLACEMENT, Pump.RETURN, Pump.CENTRIFUGE, Pump.SALINE
    ),
    Phase.PAUSE: (Pump.CENTRIFUGE, Pump.SALINE),
    Phase.ALARM: (Pump.RETURN, Pump.CENTRIFUGE, Pump.SALINE),
    Phase.TARGET_REACHED: (Pump.CENTRIFUGE, Pump.SALINE),
    Phase.RINSEBACK: (Pump.RETURN, Pump.SALINE),
}  # fmt: skip

TABLE: Final = np.full((len(Phase), len(Signal)), _NO, dtype=np.int64)
for _key, _target in TRANSITIONS.items():
    TABLE[_key] = _target
ALLOWED: Final = np.zeros((len(Phase), len(Pump)), dtype=np.bool_)
for _phase, _pumps in PUMPS.items():
    ALLOWED[_phase, list(_pumps)] = True

SELF, RETRY, OPERATOR = 0, 1, 2


def _plain(value: int) -> Any:
    return np.int64(value)  # as in `lines`: one compiled copy


TINGLING, LIGHT_HEADED, HYPOTENSION = _plain(0), _plain(1), _plain(2)  # complaints in the journal


@compiled
def next_phase(phase: int, signal: int, before: int) -> int:
    """The phase that follows; the same one where the table knows no way."""
    target = TABLE[phase, signal]
    if target == _NO:
        return phase
    return before if target == BACK else int(target)


@compiled
def tier(value: float, warning: float, safety: float, absolute: float, manual: bool) -> tuple[float, int]:
    """A setting as the machine takes it, and the tier it met: 0 none, 1 warning, 2 safety, 3 absolute (cobe_manual).

    Automatic mode stops at the safety limit, manual mode at the absolute one.
    """
    ceiling = absolute if manual else safety
    if value > ceiling:
        return ceiling, 3 if manual else 2
    if value > safety:
        return value, 2
    return value, 1 if value > warning else 0


@compiled
def write(journal: Array, now: Array, entry: int, subject: int, value: float) -> None:
    """Adds a row to the journal: when, what, which, how much. A full journal keeps its first rows."""
    row = now.journal_count
    if row < journal.shape[0]:
        journal[row, 0] = now.run_s
        journal[row, 1] = 0 + entry  # a compiled enum becomes a number only by arithmetic
        journal[row, 2] = 0 + subject
        journal[row, 3] = 0 + value
        now.journal_count = row + 1


@compiled
def signal(now: Array, journal: Array, what: int) -> bool:
    """Applies a signal; True where the phase changed."""
    target = next_phase(now.phase, what, now.phase_before)
    if target == now.phase:
        return False
    if what in (Signal.PAUSE, Signal.ALARM) and now.phase not in (Phase.PAUSE, Phase.ALARM):
        now.phase_before = now.phase
    now.phase = target
    now.phase_s = 0
    write(journal, now, Entry.PHASE, target, what)
    return True


@compiled
def priority_of(row: Array, raised: int) -> int:
    """Priority of an alarm at its n-th occurrence: it rises when it keeps coming back."""
    return int(row.escalated) if row.escalates_after > 0 and raised >= row.escalates_after else int(row.priority)


@compiled
def raise_alarm(now: Array, alarms: Array, watch: Array, journal: Array, alarm: int) -> None:
    """Latches an alarm and writes it down with its priority."""
    alarms[alarm].active = 1
    alarms[alarm].age_s = 0
    alarms[alarm].raised += 1
    level = priority_of(watch[alarm], alarms[alarm].raised)
    write(journal, now, Entry.RAISED, alarm, level)


@compiled
def clear_alarm(now: Array, alarms: Array, journal: Array, alarm: int) -> None:
    """Releases an alarm and writes it down."""
    if alarms[alarm].active:
        alarms[alarm].active = 0
        alarms[alarm].pending_s = 0
        write(journal, now, Entry.CLEARED, alarm, alarms[alarm].age_s)


@compiled
def scan(now: Array, alarms: Array, watch: Array, journal: Array, present: Array, gone: Array) -> None:
    """One second of the watch: what persists is raised, what may clear itself is cleared, a retry is tried.

    `present` holds the conditions, `gone` what must be true before an alarm clears itself.
    """
    for a in range(present.shape[0]):
        if not alarms[a].active:
            alarms[a].pending_s = alarms[a].pending_s + 1 if present[a] else 0
            if alarms[a].pending_s >= watch[a].persistence_s:
                raise_alarm(now, alarms, watch, journal, a)
            continue
        alarms[a].age_s += 1
        if watch[a].clears == SELF and gone[a]:
            clear_alarm(now, alarms, journal, a)
        elif (
            watch[a].clears == RETRY
            and alarms[a].age_s >= watch[a].retry_after_s
            and alarms[a].retried < watch[a].retries
        ):
            alarms[a].retried += 1
            write(journal, now, Entry.RETRY, a, alarms[a].retried)
            clear_alarm(now, alarms, journal, a)
            if a == Alarm.TRANSMEMBRANE_HIGH:
                now.plasma_limit_factor *= watch[a].retry_flow
            else:
                now.flow_factor *= watch[a].retry_flow


@compiled
def hold(alarms: Array, watch: Array) -> int:
    """Pumps that active alarms hold, as bits by `Pump`; the clamp's bit closes it."""
    mask = 0
    for a in range(alarms.shape[0]):
        if alarms[a].active:
            mask |= watch[a].stops
            if 0 < watch[a].escalates_after <= alarms[a].raised:
                mask |= watch[a].stops_again
    return mask


@compiled
def held(now: Array, pump: int) -> bool:
    """True while an active alarm holds a pump (or closes the clamp)."""
    return (now.held_mask >> pump) & 1 == 1


@compiled
def any_active(alarms: Array) -> bool:
    """True while any alarm stands."""
    for a in range(alarms.shape[0]):
        if alarms[a].active:
            return True
    return False
