"""Every alarm of the table can be triggered, and the machine does what the table says."""

import numpy as np
import pytest

from opentpe.kernel import controller, records
from opentpe.kernel.controller import Alarm, Pump
from opentpe.kernel.operator import ANSWERS, Action
from opentpe.simulation import bags
from opentpe.simulation.exchange import PRIORITIES
from support import alarms, device
from support.alarms import TRIGGERS

IEC = {
    ("irreversible", "immediate"): "high", ("irreversible", "prompt"): "high", ("irreversible", "delayed"): "medium",
    ("reversible", "immediate"): "high", ("reversible", "prompt"): "medium", ("reversible", "delayed"): "low",
    ("minor", "immediate"): "medium", ("minor", "prompt"): "low", ("minor", "delayed"): "low",
}  # fmt: skip
_FLOW = {Pump.INLET: "inlet_ml_min", Pump.AC: "ac_ml_min", Pump.PLASMA: "plasma_ml_min",
         Pump.REPLACEMENT: "replacement_ml_min", Pump.RETURN: "return_ml_min", Pump.SALINE: "saline_ml_min",
         Pump.CENTRIFUGE: "speed_rpm"}  # fmt: skip


@pytest.mark.parametrize("alarm", TRIGGERS, ids=lambda a: a.name.lower())
def test_the_alarm_is_raised_and_stops_what_the_table_says(library, alarm):
    """The pumps it names stand still as long as it stands; a closed clamp lets nothing into the patient."""
    done = alarms.triggered(library, alarm)
    stops = {Pump[name.upper()] for name in library.table(f"alarms.{alarm.name.lower()}")["stops"]}
    for since, until, _ in alarms.spells(done, alarm):
        rows = alarms.rows(done, since + 1, until)
        for pump, field in _FLOW.items():
            if pump in stops:
                assert not rows[field].any(), field
        if Pump.CLAMP in stops:
            assert not rows["return_ml_min"].any()


@pytest.mark.parametrize("alarm", TRIGGERS, ids=lambda a: a.name.lower())
def test_the_alarm_has_the_priority_of_the_table_and_rises_when_it_keeps_coming_back(library, alarm):
    """The n-th occurrence is escalated from the number on that the table gives."""
    row, told = library.values(f"alarms.{alarm.name.lower()}"), library.table(f"alarms.{alarm.name.lower()}")
    after = row.get("escalates_after_count", 1e9)
    for n, (_, _, priority) in enumerate(alarms.spells(alarms.triggered(library, alarm), alarm), start=1):
        reset = alarm is Alarm.RED_CELLS_IN_PLASMA and n > after  # the operator's correction counts anew
        if not reset:
            assert priority == PRIORITIES[told["escalated" if n >= after else "priority"]]


@pytest.mark.parametrize("alarm", Alarm, ids=lambda a: a.name.lower())
def test_a_condition_must_persist_as_long_as_the_table_says(library, alarm):
    """One second less, or an interruption, raises nothing; the last second does."""
    watch, seconds = bags.watch_table(library), int(library.value(f"alarms.{alarm.name.lower()}.persistence_s"))
    assert _raised_after(alarm, watch, [True] * (seconds - 1)) == 0
    assert _raised_after(alarm, watch, [True] * (seconds - 1) + [False] + [True] * (seconds - 1)) == 0
    assert _raised_after(alarm, watch, [True] * seconds) == 1


def _raised_after(alarm, watch, conditions):
    """How often the watch raised an alarm whose condition ran as given."""
    now, state = np.zeros(1, records.NOW), np.zeros(len(Alarm), records.ALARMS)
    present, gone, journal = np.zeros(len(Alarm), np.bool_), np.zeros(len(Alarm), np.bool_), np.zeros((50, 4))
    for condition in conditions:
        present[alarm] = condition
        controller.scan(now[0], state, watch, journal, present, gone)
    return int(state[alarm]["raised"])


def test_the_reservoir_runs_low_only_through_a_fault_and_the_return_pump_waits(library):
    """The level control never lets it fall; a level below the sensor stops the return pump until it is back."""
    from opentpe.kernel import lines
    from opentpe.simulation import procedure

    state = procedure.advance(device.started(library), 1200)
    lines.pour(state.live.volume, state.live.mass, lines.RETURN, lines.LOST, 25.0)
    after = procedure.advance(state, 4)
    assert after.live.alarms[Alarm.RESERVOIR_LOW]["active"]
    assert procedure.snapshot(after)["return_ml_min"] == 0
    assert not procedure.advance(after, 300).live.alarms[Alarm.RESERVOIR_LOW]["active"]


def test_every_alarm_is_tested():
    """No row of the table without a trigger."""
    assert set(TRIGGERS) | {Alarm.RESERVOIR_LOW} == set(Alarm)


def test_priorities_follow_from_consequence_and_onset(library):
    """IEC 60601-1-8; an escalated priority is never lower."""
    table = library.document("alarms")
    rank = {"low": 1, "medium": 2, "high": 3}
    assert list(table) == [a.name.lower() for a in Alarm]
    for key, row in table.items():
        assert row["priority"] == IEC[row["consequence"], row["onset"]], key
        assert rank[row["escalated"]] >= rank[row["priority"]], key


def test_a_latched_alarm_is_released_by_the_action_its_table_names(library):
    """Machine and table agree on what answers what."""
    for alarm in Alarm:
        row = library.table(f"alarms.{alarm.name.lower()}")
        if row["clears"] == "operator" or ANSWERS[alarm] >= 0:
            assert ANSWERS[alarm] == Action[row["operator_action"].upper()], alarm.name


def test_sibling_thresholds_say_that_they_come_from_another_machine(library):
    """Rows marked as sibling cite the dialysis machine, and no other row does."""
    for key, row in library.document("alarms").items():
        cited = any(isinstance(v, dict) and v.get("source") == "mashkoor2016" for v in row.values())
        assert row["sibling"] == cited, key


def test_access_alarms_pause_retry_lower_and_rise_to_high(library):
    """Two retries at 80 %, then the operator; the second alarm is high."""
    done = device.run(library, "at 35 min access pressure fault")
    rows = [e for e in done.journal if e.subject == "access_pressure_low"]
    assert [e.kind for e in rows][:5] == ["raised", "retry", "cleared", "raised", "retry"]
    assert [e.value for e in rows if e.kind == "raised"] == [2, 3, 3]
    assert "reposition" in [e.subject for e in done.journal if e.kind == "operator"]


def test_losing_the_camera_does_not_stop_the_run(library):
    """Fallback from the entered haematocrit, back when the image is back."""
    done = device.run(library, "at 30 min interface unstable for 8 min")
    rows = done.log.machine[(done.log.machine["run_s"] > 1820) & (done.log.machine["run_s"] < 2270)]
    assert (rows["phase"] == 6).all()
    assert (rows["inlet_ml_min"] > 0).all()
    assert done.log.machine[done.log.machine["run_s"] == 2400]["phase"][0] == 5


def test_a_power_failure_closes_the_clamp_and_stops_the_centrifuge(library):
    """No pump turns and nothing reaches the patient."""
    done = device.run(library, "at 30 min power fails for 3 min")
    rows = done.log.machine[(done.log.machine["run_s"] > 1802) & (done.log.machine["run_s"] < 1979)]
    assert (rows["return_ml_min"] == 0).all()
    assert (rows["speed_rpm"] == 0).all()


def test_without_an_operator_a_latched_alarm_stands(library):
    """A trainer must act."""
    from opentpe.simulation import procedure

    state = procedure.advance(device.started(library, "at 10 min return pressure fault", operator="manual"), 1500)
    assert procedure.snapshot(state)["phase"] == "alarm"
    freed = procedure.advance(state, 5, ("flush the return",))
    assert procedure.snapshot(freed)["phase"] == "run_interface"
