"""The controller's tables: phases, limits in three tiers, alarms with persistence, retry and escalation."""

from pathlib import Path

import numpy as np
import pytest

from opentpe.kernel import controller, records
from opentpe.kernel.controller import ALLOWED, TABLE, Phase, Pump, Signal


def test_every_phase_can_be_reached_and_left():
    """Self-test starts, ended ends, nothing in between is a dead end."""
    targets = {int(t) for t in TABLE.ravel() if t >= 0} | {int(Phase.PAUSE), int(Phase.ALARM)}
    assert targets == set(range(1, len(Phase)))
    for phase in Phase:
        assert (TABLE[phase] != -1).any() == (phase is not Phase.ENDED)


def test_a_pause_goes_back_to_where_it_came_from():
    """Run with camera, run without, connection: each resumes itself."""
    for phase in (Phase.CONNECT, Phase.RUN_INTERFACE, Phase.RUN_FALLBACK):
        assert controller.next_phase(phase, Signal.PAUSE, phase) == Phase.PAUSE
        assert controller.next_phase(Phase.PAUSE, Signal.RESUME, phase) == phase


def test_no_signal_starts_a_run_before_the_patient_is_connected():
    """Self-test, load, prime and patient data only end by being done."""
    for phase in (Phase.SELF_TEST, Phase.LOAD, Phase.PRIME, Phase.PATIENT_DATA):
        moving = [s for s in Signal if controller.next_phase(phase, s, phase) != phase]
        assert moving == [Signal.DONE]


def test_no_pump_turns_before_connection_or_after_disconnection():
    """Only the phases with a patient move fluid; the return pump never turns in a pause."""
    for phase in (Phase.SELF_TEST, Phase.LOAD, Phase.PRIME, Phase.PATIENT_DATA, Phase.DISCONNECT, Phase.ENDED):
        assert not ALLOWED[phase].any()
    assert not ALLOWED[Phase.PAUSE, Pump.RETURN]


@pytest.mark.parametrize(
    ("asked", "manual", "taken", "met"),
    [(50, False, 50, 0), (130, False, 130, 1), (150, False, 142, 2), (150, True, 150, 2), (190, True, 160, 3)],
)
def test_automatic_stops_at_the_safety_tier_and_manual_at_the_absolute_one(asked, manual, taken, met):
    """Warning 120, safety 142, absolute 160."""
    assert controller.tier(asked, 120.0, 142.0, 160.0, manual) == (taken, met)


def _desk(persistence=3, clears=0, retries=0):
    watch = np.zeros(1, records.WATCH)
    watch["persistence_s"], watch["clears"], watch["retries"] = persistence, clears, retries
    watch["priority"], watch["escalated"], watch["escalates_after"] = 2, 3, 2
    watch["stops"], watch["retry_after_s"], watch["retry_flow"] = 1 << Pump.INLET, 5, 0.8
    now = np.zeros(1, records.NOW)[0]
    now["flow_factor"] = now["plasma_limit_factor"] = 1.0
    return now, np.zeros(1, records.ALARMS), watch, np.zeros((50, 4))


def _seconds(desk, present, count):
    for _ in range(count):
        controller.scan(*desk, np.array([present]), np.array([not present]))


def test_a_condition_must_persist_before_it_becomes_an_alarm():
    """Two seconds of three are forgotten when the condition ends."""
    desk = _desk()
    _seconds(desk, True, 2)
    _seconds(desk, False, 1)
    _seconds(desk, True, 2)
    assert not desk[1]["active"][0]
    _seconds(desk, True, 1)
    assert desk[1]["active"][0]


def test_a_latched_alarm_waits_for_the_operator():
    """The condition ends, the alarm stays."""
    desk = _desk(clears=2)
    _seconds(desk, True, 3)
    _seconds(desk, False, 60)
    assert desk[1]["active"][0]


def test_a_retry_lowers_the_flow_and_gives_up_after_its_number():
    """One retry at 80 %, then the alarm stays."""
    desk = _desk(persistence=1, clears=1, retries=1)
    _seconds(desk, True, 30)
    assert desk[0]["flow_factor"] == pytest.approx(0.8)
    assert desk[1]["active"][0]


def test_an_alarm_that_comes_back_rises_in_priority():
    """Medium at first, high the second time."""
    watch = _desk()[2]
    assert controller.priority_of(watch[0], 1) == 2
    assert controller.priority_of(watch[0], 2) == 3


def test_an_active_alarm_holds_its_pumps_and_no_others():
    """Bits by pump."""
    now, alarms, watch, _ = _desk()
    alarms["active"] = 1
    now["held_mask"] = controller.hold(alarms, watch)
    assert controller.held(now, Pump.INLET)
    assert not controller.held(now, Pump.RETURN)


def test_the_drawing_of_the_theory_page_is_that_of_the_table():
    """Drawn anew from the transitions, the figure is the file that the page shows."""
    from runpy import run_path

    folder = Path(__file__).resolve().parents[3] / "docs" / "figures"
    drawn = run_path(str(folder / "machine.py"))
    assert (folder / "states.svg").read_text(encoding="utf-8") == drawn["states"]()
    assert (folder / "circuit.svg").read_text(encoding="utf-8") == drawn["circuit"]()
