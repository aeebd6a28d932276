"""Circulation: what a change of blood volume does to pressures and pulse, and what flows carry."""

import pytest

from opentpe.kernel import circulation as c

ADULT = c.Body(72.0, 78.0, 88.0, 45.0, 5.5, 0.0047, 5000.0, 1.3, 0.2, 4.0, 0.40, 0.35, 0.5, -0.3, 0.6, 1.0, 2 / 3)
WARMTH = c.Carriage(3470.0 * 70, 4.18, 3.6, 2.84 * 3000, 4.2, 0.0)
STILL = c.CarryingFlows(0.0, 0.0, 22.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def settled(percent, body=ADULT):
    """The circulation after the blood volume has stood at a relative change for 10 min."""
    change = percent / 100 * body.blood_volume0
    drive = 0.0
    for _ in range(20):
        drive = c.step(body, drive, change, 0.5)
    return c.readout(body, change, drive)


@pytest.mark.parametrize(
    ("percent", "pressure", "rate", "pulse", "venous"),
    [(-7.1, 84.0, 74.7, 40.8, 3.8), (-11.6, 81.1, 76.5, 38.2, 2.8), (-17.5, 77.0, 78.9, 34.7, 1.4)],
)
def test_the_reference_cases_are_met(percent, pressure, rate, pulse, venous):
    """Mean pressure, heart rate, pulse and venous pressure of cases A, B and E lie within 0.2."""
    r = settled(percent)
    assert (r.mean_pressure, r.heart_rate, r.pulse_pressure) == pytest.approx((pressure, rate, pulse), abs=0.2)
    assert r.venous_pressure == pytest.approx(venous, abs=0.2)


def test_a_sharp_reflex_stays_stable():
    """A reflex of 0.2 min with gains of 0.8 and 1 settles, and settles where a slow one does."""
    sharp = ADULT._replace(reflex_min=0.2, rate_gain=0.8, resistance_gain=1.0)
    assert settled(-15, sharp).mean_pressure == pytest.approx(
        settled(-15, sharp._replace(reflex_min=1.0)).mean_pressure, abs=0.01
    )


def test_at_rest_the_pressures_are_the_patients_own():
    """No volume change, no drive: mean 88, pulse 45, 5.6 L/min."""
    r = settled(0.0)
    assert (r.mean_pressure, r.pulse_pressure, r.heart_rate) == (88.0, 45.0, 72.0)
    assert r.systolic_pressure - r.diastolic_pressure == pytest.approx(45.0)
    assert r.cardiac_output_l_min == pytest.approx(5.6, abs=0.05)


@pytest.mark.parametrize(("autonomic", "expected"), [(1.0, (85.2, 82.2, 78.9, 75.2)), (0.0, (81.5, 74.9, 68.4, 61.8))])
def test_a_failed_reflex_lets_the_pressure_fall(autonomic, expected):
    """Mean pressure at -5, -10, -15 and -20 % with an intact and with a failed reflex."""
    body = ADULT._replace(autonomic_ratio=autonomic)
    got = [settled(p, body).mean_pressure for p in (-5, -10, -15, -20)]
    assert got == pytest.approx(expected, abs=0.2)


def test_a_donation_of_a_litre_answers_as_measured():
    """From 59 /min and 89.5: about 64 /min and 80.8 mm Hg at 1 L lost with 166 mL refilled."""
    body = ADULT._replace(heart_rate0=59.0, mean_pressure0=89.5, pulse_pressure0=58.0, stroke_volume0=86.5)
    r = settled(-15.6, body)
    assert r.heart_rate == pytest.approx(64.4, abs=0.8)
    assert r.mean_pressure == pytest.approx(80.8, abs=0.8)
    assert r.pulse_pressure == pytest.approx(46.3, abs=0.8)


def test_cold_fluid_cools_by_three_quarters_of_a_degree():
    """3 L at 22 Cel into 70 kg without heat production: -0.76 Cel, less the warmth that leaves with it."""
    state = c.Carried(37.0, 4.2, 1250.0)
    for _ in range(200):
        state = c.carry(WARMTH, state, STILL._replace(cold_in=30.0), 0.5)
    assert state.temperature == pytest.approx(37.0 - 0.76, abs=0.02)


def test_potassium_is_diluted_less_than_plasma_is_washed():
    """One plasma volume of potassium-free fluid leaves 70 %, not 37 %."""
    state = c.Carried(37.0, 4.2, 1250.0)
    for _ in range(200):
        state = c.carry(WARMTH, state, STILL._replace(plasma_removed=30.0, fluid_in=30.0), 0.5)
    assert state.potassium == pytest.approx(2.95, abs=0.02)


def test_platelets_are_lost_by_the_share_of_the_separator():
    """A loss of 1 % over the run leaves 99 % of the platelets."""
    state = c.Carried(37.0, 4.2, 1250.0)
    for _ in range(200):
        state = c.carry(WARMTH, state, STILL._replace(platelet_loss_per_min=0.01005 / 100), 0.5)
    assert state.platelets == pytest.approx(1237.5, abs=0.05)
