"""The coupled session of one patient and of many."""

import numpy as np
import pytest

from opentpe.kernel import chair, circulation, citrate, fluid, patient, segments, session
from opentpe.kernel.binding import Binding

LAW = chair.Law(
    Binding(10**2.38 / 1000, 10**2.55 / 1000, 10**3.21 / 1000, 10**3.27 / 1000, 0.17, 0.026, 7.55, 0.10),
    fluid.Pressure(2.8, 0.18, 0.012, 1.6, 0.15, 0.006, 0.90),
)
ADULT = patient.Person(
    fluid.Body(10.0, 0.0047, 0.0031, 0.0008, 0.9, 1.2 / 1440, 0.425, 0.6 / 1440, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0),
    citrate.Body(
        690.0, 400.0, 25_000.0, 100.0, 0.0, 0.1, 1.22, 0.5, 16.6, 0.181, 29.2, 0.336, 0.068, 0.231,
        0.105, 0.17, 4.25, 16_000.0, 30.0, 3.0, 25.0, 7.4, 40.0, 0.42, 10**0.15,
    ),
    circulation.Body(
        72.0, 78.0, 88.0, 45.0, 5.5, 0.0047, 5000.0, 1.3, 0.2, 4.0, 0.4, 0.35, 0.5, -0.3, 0.6, 1.0, 2 / 3
    ),
    circulation.Carriage(3470.0 * 70, 4.18, 3.6, 2.84 * 3000, 4.2, 1 / 360),
    patient.Standing(3000.0, 3000 / 0.23, 2000.0, 42.0, 28.0, -1.0, -1.0, 250.0, 37.0),
)  # fmt: skip
ORDER = segments.Order(
    plasma_ml=3000.0, hct=0.40, blood_ml=5000.0, inlet_ac_ratio=10.0, packed_hct=0.812,
    inlet_cap_ml_min=60.0, limit_ml_min_l=0.8,
    balance_ratio=1.0, accounting=1.0, ac_citrate=112.8, ac_acid_fraction=0.337, circuit_ml=141.0,
    prime_returned_fraction=1.0, draw_min=3.0, rinse_ml=124.0, rinse_min=5.0, rinse_plasma_fraction=0.5,
    red_cell_return_fraction=0.95, after_min=60.0, drip_calcium=0.0, drip_magnesium=0.0, drip_bicarbonate=0.0,
    cooling=0.0, warmed_to=-1.0, platelet_loss_fraction=0.01, recipe=0.0,
)  # fmt: skip
ALBUMIN = segments.Part(1.0, 50.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 22.0, 0.0)
SALINE = ALBUMIN._replace(albumin=0.0)
PLASMA = segments.Part(1.0, 33.9, 22.6, 1.9, 0.69, 20.4, 12.0, 4.0, 22.0, 20.4 / 112.8)


def run(*parts, order=ORDER, person=ADULT, **kwargs):
    return session.session_all(LAW, person, order, np.array([parts or (ALBUMIN,)]), **kwargs)


def value(outcome, which, name, row=0):
    return getattr(outcome, which)[row, chair.QUANTITIES.index(name)]


def test_one_plasma_volume_of_albumin_without_calcium():
    """Ionised calcium falls by a quarter, bicarbonate by 4, blood volume by 7 %, pressure hardly."""
    o = run()
    assert o.status[0] == 0
    assert o.minutes[0] == pytest.approx(106.4 + 8, abs=0.5)
    assert value(o, "at_end", "ionised_calcium") / 1.22 - 1 == pytest.approx(-0.26, abs=0.01)
    assert value(o, "at_end", "bicarbonate") == pytest.approx(25 - 4.0, abs=0.3)
    assert value(o, "at_end", "relative_blood_volume") == pytest.approx(-6.7, abs=0.2)
    assert value(o, "at_end", "mean_pressure") == pytest.approx(84.0, abs=0.3)


def test_one_plasma_volume_of_plasma_without_calcium():
    """Bicarbonate rises, the citrate limit slows the inlet, ionised calcium falls by a fifth."""
    o = run(PLASMA)
    assert value(o, "at_end", "bicarbonate") > 27
    assert o.minutes[0] > run().minutes[0]
    assert -0.25 < value(o, "at_end", "ionised_calcium") / 1.22 - 1 < -0.15


def test_a_patient_with_nothing_done_does_not_drift():
    """No removal, no circuit, an hour of rest: every quantity keeps its value to 1e-12."""
    o = run(order=ORDER._replace(plasma_ml=0.0, circuit_ml=0.0, rinse_ml=0.0))
    assert o.status[0] == 0
    assert (np.abs(o.last - o.first) / np.maximum(np.abs(o.first), 1.0)).max() < 1e-12


def test_a_row_is_the_patient_alone_bit_for_bit():
    """Patient 3 of a mixed cohort has the same bits as the same patient run alone, on one thread or two."""
    ml = np.array([3000.0, 2000.0, 2500.0, 3100.0, 1500.0])
    person = ADULT._replace(standing=ADULT.standing._replace(plasma_ml=np.linspace(2500.0, 3500.0, 5)))
    parts = np.array([[ALBUMIN], [PLASMA]])
    orders = ORDER._replace(plasma_ml=ml, recipe=np.array([0.0, 1.0, 0.0, 1.0, 0.0]))
    many = session.session_all(LAW, person, orders, parts, recorded=True)
    alone = person._replace(standing=person.standing._replace(plasma_ml=person.standing.plasma_ml[3]))
    one = session.session_all(LAW, alone, ORDER._replace(plasma_ml=3100.0, recipe=1.0), parts, recorded=True)
    for name in session.Outcome._fields:
        a, b = getattr(many, name)[3], getattr(one, name)[0]
        if name in ("times", "series"):  # the unused tail is as long as the fastest of the cohort needs
            a, b = a[: len(b)], b[: len(a)]
        assert np.array_equal(a, b), name


def test_any_count_of_patients_is_the_same_machine_code():
    """One patient, two patients and a recipe that may not be written share one compiled function."""
    sealed = np.array([[ALBUMIN]], float)
    sealed.flags.writeable = False
    session.session_all(LAW, ADULT, ORDER, sealed)
    pair = ADULT.standing._replace(plasma_ml=np.array([2800.0, 3000.0]))
    session.session_all(LAW, ADULT._replace(standing=pair), ORDER, sealed)
    assert len(session.sessions.overloads) == 1


def test_recording_a_series_changes_nothing():
    """The extremes with and without a series are the same bits."""
    assert np.array_equal(run().low, run(recorded=True).low)


def test_the_series_runs_from_connection_to_the_hour_after():
    """Times rise from 0 to the end of the rest, and the last row is the state after it."""
    o = run(recorded=True)
    times = np.unique(o.times[0])
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(o.minutes[0] + 60)
    assert np.array_equal(o.series[0, -1], o.last[0])


def test_half_the_steps_move_no_reported_number_by_a_thousandth():
    """Nadirs, peaks, end and hour after agree with steps of half the length."""
    half = session.Clock(0.5, 2.0, 16.0, 0.5, 0.2, 0.75)
    for parts in ((ALBUMIN,), (PLASMA,), (ALBUMIN._replace(share=0.8), SALINE._replace(share=0.2))):
        coarse, fine = run(*parts), run(*parts, clock=half)
        for which in ("low", "high", "at_end", "last"):
            a, b = getattr(coarse, which), getattr(fine, which)
            assert np.allclose(a, b, rtol=1e-3, atol=1e-3), which


def test_a_peak_between_two_steps_is_found():
    """The parabola 5 - (t - 2)^2 peaks at 5, between any of its points; beyond them the highest point stands."""
    assert session.vertex((1.0, 4.0), (1.5, 4.75), (3.0, 4.0)) == pytest.approx(5.0)
    assert session.vertex((1.5, 4.75), (3.0, 4.0), (4.0, 1.0)) == pytest.approx(5.0)
    assert session.vertex((3.0, 4.0), (4.0, 1.0), (5.0, -4.0)) == 4.0


def test_the_planning_and_the_device_clock_agree():
    """Citrate at 15 s and fluid at 1 s give the planning numbers within 0.5 %."""
    plan, device = run(), run(clock=session.DEVICE)
    assert np.allclose(plan.at_end, device.at_end, rtol=5e-3, atol=1e-2)


def test_calcium_by_drip_and_in_the_fluid_lift_the_nadir():
    """1 g/h halves the fall; 10 mL of gluconate per litre of fluid leaves little more than the prime dilutes."""
    none = value(run(), "low", "ionised_calcium")
    drip = value(run(order=ORDER._replace(drip_calcium=2.32 / 60)), "low", "ionised_calcium")
    mixed = value(run(ALBUMIN._replace(calcium=2.32)), "low", "ionised_calcium")
    assert none < drip < mixed
    assert 1 - drip / 1.22 == pytest.approx(0.12, abs=0.02)
    assert 1 - mixed / 1.22 < 0.04


def test_saline_last_is_worst_and_goes_on_after_the_session():
    """30 % saline last costs 5 points more blood volume than none."""
    albumin4 = ALBUMIN._replace(albumin=40.0, share=0.7)
    last = run(albumin4, SALINE._replace(share=0.3))
    first = run(SALINE._replace(share=0.3), albumin4)
    only = run(albumin4._replace(share=1.0))
    names = [value(o, "low", "relative_blood_volume") for o in (last, first, only)]
    assert names[0] < names[1] < names[2]
    assert names[0] == pytest.approx(names[2] - 6, abs=1.5)


def test_an_impossible_removal_is_a_status():
    """Five plasma volumes without replacement stop with a status instead of a negative volume."""
    o = run(order=ORDER._replace(plasma_ml=9000.0, balance_ratio=0.0))
    assert o.status[0] & fluid.PLASMA_EMPTY
    assert np.isfinite(o.low).all()


def test_a_fast_liver_in_a_small_patient_stays_stable():
    """A clearance of 2500 mL/min in 1.6 L of plasma: citrate stays above its baseline while plasma runs."""
    person = ADULT._replace(
        citrate=ADULT.citrate._replace(clearance_ml_min=2500.0, transfer_ml_min=1000.0),
        standing=ADULT.standing._replace(plasma_ml=1600.0, red_cells_ml=1067.0),
    )
    o = run(PLASMA, person=person, order=ORDER._replace(plasma_ml=1600.0), recorded=True)
    assert o.status[0] == 0
    assert o.series[0, :, 2].min() > 0.09
    half = run(PLASMA, person=person, order=ORDER._replace(plasma_ml=1600.0), clock=session.DEVICE)
    assert np.allclose(o.at_end, half.at_end, rtol=5e-3, atol=1e-2)


def test_plasma_volume_and_flow_per_segment_add_up():
    """The contract with `march`: flows times minutes are the order and the plasma drawn with the circuit blood."""
    o = run()
    removed = (o.plasma_flow[0] * o.segment_min[0]).sum()
    assert removed == pytest.approx(3000 + 141 * 0.6, rel=2e-3)
    assert o.plasma_ml[0, -1] == value(o, "last", "plasma_volume")


def test_a_part_without_share_is_skipped():
    """A recipe padded with an empty part gives the same nadir as without it."""
    padded = run(ALBUMIN, SALINE._replace(share=0.0))
    assert np.array_equal(padded.low, run().low)
