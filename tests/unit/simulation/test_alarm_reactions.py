"""What the machine does beyond stopping pumps: one test for each alarm whose row of the table says more."""

from opentpe.kernel.controller import Alarm, Phase
from opentpe.kernel.pumps import GIVE
from support import alarms, device


def stood(library, alarm):
    """The run of an alarm, and when it was first raised and released."""
    done = alarms.triggered(library, alarm)
    since, until, _ = alarms.spells(done, alarm)[0]
    return done, since, until


def at(done, second):
    """The row of a second."""
    return alarms.rows(done, second, second)[0]


def test_low_access_pressure_is_tried_again_at_80_per_cent(library):
    """The flow factor after the retry, and the inlet that follows it."""
    done, _, until = stood(library, Alarm.ACCESS_PRESSURE_LOW)
    assert at(done, until + 1)["flow_factor"] == 0.8
    assert at(done, until + 70)["inlet_ml_min"] < 0.81 * at(done, 1700)["inlet_ml_min"]


def test_a_standing_alarm_that_stops_the_draw_is_its_own_phase(library):
    """Return pressure, air, anticoagulant, replacement, bags, power, leak, disconnection: the machine shows ALARM."""
    for name in ("RETURN_PRESSURE_HIGH", "AIR_IN_RETURN", "AC_EMPTY", "AC_LINE_WRONG", "REPLACEMENT_EMPTY",
                 "PLASMA_BAG_FULL", "POWER_FAILURE", "CENTRIFUGE_FAULT", "RETURN_DISCONNECTED"):  # fmt: skip
        done, since, _ = stood(library, Alarm[name])
        assert at(done, since + 1)["phase"] == Phase.ALARM, name


def test_nothing_is_removed_without_replacement_while_the_bag_is_empty(library):
    """Bag and replaced volume stand still until a new bag hangs."""
    done, since, until = stood(library, Alarm.REPLACEMENT_EMPTY)
    first, last = at(done, since), at(done, until)
    assert (first["bag_ml"], first["replaced_ml"]) == (last["bag_ml"], last["replaced_ml"])
    assert at(done, until + 120)["bag_ml"] > last["bag_ml"]


def test_red_cells_stop_the_plasma_pump_and_the_draw_goes_on_until_the_interface_is_back(library):
    """The interface falls from the port to its target."""
    done, since, until = stood(library, Alarm.RED_CELLS_IN_PLASMA)
    rows = alarms.rows(done, since + 1, until)
    assert (rows["inlet_ml_min"] > 0).all()
    assert rows["interface_fraction"][-1] < rows["interface_fraction"][0]


def test_red_cells_that_keep_coming_back_stop_the_draw_too(library):
    """The third alarm holds the inlet until the operator has looked."""
    done = device.run(library, "at 30 min turbulence for 30 min", operator="manual")
    third = alarms.spells(done, Alarm.RED_CELLS_IN_PLASMA)
    last = [e for e in done.journal if e.kind == "raised" and e.subject == "red_cells_in_plasma"]
    assert len(third) >= 2
    assert at(done, last[2].at_s + 2)["inlet_ml_min"] == 0
    assert at(done, last[2].at_s + 2)["phase"] == Phase.ALARM


def test_a_lost_interface_runs_on_by_arithmetic(library):
    """No stop; the phase says fallback."""
    done, since, until = stood(library, Alarm.INTERFACE_UNSTABLE)
    rows = alarms.rows(done, since, until - 1)
    assert (rows["phase"] == Phase.RUN_FALLBACK).all()
    assert (rows["inlet_ml_min"] > 0).all()


def test_the_anticoagulant_limit_slows_the_inlet_so_that_the_rate_stays_at_the_limit(library):
    """0.8 mL/min per litre, and less than the 60 mL/min asked for."""
    done, since, _ = stood(library, Alarm.AC_INFUSION_LIMIT)
    row = at(done, since + 120)
    assert abs(row["ac_rate_ml_min_l"] - 0.8) < 0.005
    assert row["inlet_ml_min"] < 60


def test_a_high_reservoir_empties_before_the_draw_goes_on_and_stays_below_the_printed_maximum(library):
    """The level falls while the alarm stands; at most 185 mL are outside the body."""
    done, since, until = stood(library, Alarm.RESERVOIR_HIGH)
    rows = alarms.rows(done, since, until)
    limit = library.value("equipment/centrifuge_continuous.extracorporeal_volume_max_ml")
    assert rows["held_ml"].max() <= limit + 5
    assert rows["held_ml"][-1] < rows["held_ml"][0]


def test_an_overpacked_bowl_gives_its_contents_back_before_it_draws_again(library):
    """The cycle goes to the return, not to the draw."""
    done, _, until = stood(library, Alarm.BOWL_PAUSE)
    after = alarms.rows(done, until + 1, until + 120)
    moving = after[(after["inlet_ml_min"] > 0) | (after["return_ml_min"] > 0)]
    assert moving["cycle"][0] == GIVE


def test_the_target_stops_the_draw_and_offers_rinseback(library):
    """No draw after it; rinseback follows once it is confirmed."""
    done, since, until = stood(library, Alarm.TARGET_REACHED)
    assert not alarms.rows(done, since, since + 3600)["inlet_ml_min"].any()
    assert at(done, until + 1)["phase"] == Phase.RINSEBACK


def test_a_power_failure_ends_by_itself_and_the_run_goes_on(library):
    """Same phase as before, no volume lost."""
    done, since, until = stood(library, Alarm.POWER_FAILURE)
    assert at(done, since)["bag_ml"] == at(done, until)["bag_ml"]
    assert at(done, until + 2)["phase"] in (Phase.RUN_INTERFACE, Phase.RUN_FALLBACK)


def test_a_leak_ends_the_run_without_rinseback(library):
    """Nothing of the set goes back."""
    done, _, _ = stood(library, Alarm.CENTRIFUGE_FAULT)
    assert not done.summary.rinsed_back
    assert done.summary.stopped_because == "at 30 min centrifuge leak" or "centrifuge" in done.summary.stopped_because


def test_high_transmembrane_pressure_lowers_the_filtration_in_steps(library):
    """10 % a step, until the pressure is below its limit."""
    done, since, _ = stood(library, Alarm.TRANSMEMBRANE_HIGH)
    rows = alarms.rows(done, since, since + 900)
    assert rows["plasma_limit_factor"].min() <= 0.9
    assert rows["transmembrane_mm_hg"][-1] < rows["transmembrane_mm_hg"][0]


def test_low_flow_and_no_flow_warn_and_stop_nothing(library):
    """The displayed flow is not the true one; a pause is a pause."""
    done, since, _ = stood(library, Alarm.LOW_FLOW)
    row = at(done, since + 1)
    assert row["inlet_ml_min"] > 0
    assert row["blood_ml_min"] < 0.7 * row["inlet_ml_min"]
    done, since, _ = stood(library, Alarm.NO_FLOW)
    assert at(done, since + 1)["phase"] == Phase.PAUSE


def test_a_saline_bolus_stops_at_the_limit_until_it_is_acknowledged(library):
    """400 mL, then the rest."""
    done, since, _ = stood(library, Alarm.SALINE_BOLUS_LIMIT)
    assert 400 <= at(done, since + 1)["saline_bolus_ml"] < 402
    assert done.summary.saline_ml > 499
