"""Experiments without an order: what is drawn and infused, and what the equations make of it."""

import numpy as np
import pytest

from opentpe.domain.subject import Subject
from opentpe.kernel import chair, fluid, script
from opentpe.simulation import bodies

ADULT = Subject(female=False, height_cm=175.0, weight_kg=70.0, hct=0.40)


def run(library, *acts):
    person = bodies.typical(ADULT, 3000.0, library)
    return script.run(bodies.law(library), person, np.array([[tuple(a) for a in acts]]))


def column(series, name):
    return series[0, :, chair.QUANTITIES.index(name)]


def test_nothing_done_changes_nothing(library):
    """An hour at rest: every quantity keeps its value to 1e-12."""
    _, series, status = run(library, script.Act(60.0))
    assert status[0] == 0
    assert np.abs(series[0] - series[0, 0]).max() < 1e-9


def test_a_litre_bled_is_partly_refilled(library):
    """1000 mL in 45 min leave a loss of 750 to 850 mL: the rest came from tissue, and dilutes the blood."""
    times, series, status = run(library, script.Act(45.0, blood_drawn=1000 / 45))
    assert status[0] == 0
    assert times[0].max() == pytest.approx(45.0)
    lost = -50 * column(series, "blood_volume_change")[-1]
    assert 750 < lost < 850
    assert column(series, "haematocrit")[-1] < 0.39


def test_citrate_without_exchange_lowers_ionised_calcium_and_recovers(library):
    """0.5 mmol/kg/h for two hours, then four of rest: what the buffer released leaves calcium a little high."""
    _, series, status = run(library, script.Act(120.0, citrate=35 / 60), script.Act(240.0))
    calcium = column(series, "ionised_calcium")
    assert status[0] == 0
    assert calcium.min() < 1.05
    assert calcium[-1] == pytest.approx(1.22, rel=0.05)
    assert column(series, "ph")[-1] > 7.42


def test_a_script_that_bleeds_out_ends_in_a_status(library):
    """200 mL/min of plasma taken for 20 min: the run stops and says why."""
    _, series, status = run(library, script.Act(20.0, plasma_removed=200.0))
    assert status[0] & fluid.PLASMA_EMPTY
    assert np.isfinite(series).all()
