"""The planning clock takes packing, cycle and filtration from the device."""

import pytest

from opentpe.domain.therapy import Course, Dose, FluidPart, Prescription, Schedule
from opentpe.simulation import planned, setup
from opentpe.simulation.exchange import get_ready
from support import device


def ordered(library, **order):
    """The planning run of 1 PV of albumin for the reference man."""
    what = Prescription(1.0, Dose.PLASMA_VOLUMES, (FluidPart("albumin_5", 1.0),), **order)
    made = setup.prepare(device.MAN, Course(1, what, Schedule("daily")), library, library.document("unit"))
    return made, made.run


def on_device(library, made, **given):
    """The device's own plan of the same order."""
    blood = made.plasma_volume_ml / (1 - device.MAN.hct)
    return planned.plan(get_ready(device.exchange(blood_volume_ml=blood, **given), library), library).run


@pytest.mark.parametrize(
    ("order", "given"),
    [
        ({}, {}),
        ({"access": "central_dialysis_catheter"},
         {"access": "central_dialysis_catheter", "inlet_flow_ml_min": 100.0}),
        ({"single_needle": True}, {"separator": "centrifuge_single_needle"}),
        ({"separator": "membrane", "access": "central_dialysis_catheter"},
         {"separator": "membrane", "inlet_flow_ml_min": 100.0}),
        ({"separator": "bowl", "access": "peripheral_single_needle"}, {"separator": "bowl"}),
    ],
    ids=["two needles", "catheter", "one needle", "membrane", "bowl"],
)  # fmt: skip
def test_forecast_and_device_plan_the_same_duration(library, order, given):
    """Within half a percent, a bowl in whole passes too."""
    made, run = ordered(library, **order)
    assert run.duration_min == pytest.approx(on_device(library, made, **given).duration_min, rel=0.005)
    assert run.bag_ml == pytest.approx(on_device(library, made, **given).bag_ml, rel=0.005)


def test_the_usual_order_keeps_the_packed_haematocrit_of_the_file(library):
    """Up to 62 mL/min the packing factor is held."""
    made, _ = ordered(library)
    assert made.settings.packed_hct == library.value("equipment/centrifuge_continuous.packed_hct_fraction")


def test_a_catheter_at_100_ml_per_minute_packs_less(library):
    """More flow, less efficiency: plasma rises less than the inlet."""
    usual, fast = ordered(library)[1], ordered(library, access="central_dialysis_catheter")[1]
    assert fast.efficiency < usual.efficiency
    assert 1.2 < fast.plasma_flow_ml_min / usual.plasma_flow_ml_min < 100 / 60


def test_one_needle_plans_one_and_a_half_to_twice_the_time(library):
    """Chair time follows."""
    ratio = ordered(library, single_needle=True)[1].duration_min / ordered(library)[1].duration_min
    assert 1.5 < ratio < 2.0
