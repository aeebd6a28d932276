"""The teaching scenarios run and show what they are meant to show."""

import pytest

from opentpe.errors import InputError
from opentpe.evidence.load import load
from opentpe.simulation import procedure, scenarios

KEYS = scenarios.names(load())


def test_there_are_at_least_ten_scenarios_each_with_a_learning_point(library):
    """Ten were asked for."""
    assert len(KEYS) >= 10
    assert all(len(scenarios.read(k, library).learning_point) > 40 for k in KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_scenario_raises_its_alarms_and_complaints_in_order(library, key):
    """Alarms, complaints and whether the session counts, as the file says."""
    told = scenarios.read(key, library)
    done = procedure.run(told.exchange, library, seed=told.seed, happenings=told.happenings)
    assert done.summary.alarms == told.alarms
    assert done.summary.symptoms == told.symptoms
    assert done.summary.counts == told.counts


def test_an_unknown_scenario_names_those_there_are(library):
    """One clear error."""
    with pytest.raises(InputError, match="smooth_run"):
        scenarios.read("perfect_run", library)


def test_saline_last_costs_more_blood_volume_than_albumin(library):
    """The fall goes past 14 %; pressure and saline follow."""
    told = scenarios.read("hypotension_saline_last", library)
    last = procedure.run(told.exchange, library, seed=1)
    smooth = procedure.run(scenarios.read("smooth_run", library).exchange, library, seed=1)
    lowest = [d.log.vitals["relative_blood_volume_percent"].min() for d in (last, smooth)]
    assert lowest[0] < -14 < -9 < lowest[1]
    assert last.summary.saline_ml == pytest.approx(250)


def test_calcium_left_out_brings_tingling_and_calcium_brings_it_back(library):
    """Ionised calcium falls by 15 %, the inlet is slowed, calcium raises it."""
    told = scenarios.read("citrate_reaction", library)
    done = procedure.run(told.exchange, library, seed=1, happenings=told.happenings)
    calcium = done.log.vitals["ionised_calcium_mmol_l"]
    assert calcium.min() == pytest.approx(1.22 * 0.85, abs=0.02)
    assert calcium[calcium.argmin() :].max() > calcium.min() + 0.03


def test_a_partial_session_is_repeated_at_the_normal_volume(library):
    """Below 0.75 plasma volumes: repeat next working day; what was delivered is counted."""
    told = scenarios.read("allergic_reaction", library)
    done = procedure.run(told.exchange, library, seed=1, happenings=told.happenings)
    assert done.summary.next_step == "repeat_next_working_day"
    assert 0 < done.summary.plasma_volumes < 0.75
    assert done.summary.rinsed_back


def test_a_leak_loses_the_blood_in_the_set(library):
    """No rinseback: more than 30 mL of red cells stay in the set."""
    told = scenarios.read("centrifuge_leak", library)
    done = procedure.run(told.exchange, library, seed=1, happenings=told.happenings)
    assert not done.summary.rinsed_back
    assert done.summary.red_cells_lost_ml > 30


def test_a_power_failure_does_not_change_the_dose(library):
    """It only takes longer."""
    told = scenarios.read("power_failure", library)
    done = procedure.run(told.exchange, library, seed=1, happenings=told.happenings)
    assert done.summary.plasma_counted_ml == pytest.approx(done.summary.target_ml, rel=0.001)
