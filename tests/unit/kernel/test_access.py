"""Needles, catheters and veins against the measured and derived pressures of the device book."""

import pytest

from opentpe.kernel import access

BLOOD = (3.5, 1055.0, 1.5)  # mPa s, kg/m3, velocity heads
VEIN = (10.0, 0.9, 0.002)


@pytest.mark.parametrize(
    ("bore", "expected"),
    [(1.372, (6, 10, 15, 20, 26)), (1.194, (11, 18, 26, 35, 45)), (1.067, (17, 28, 41, 55, 71))],
    ids=["15 G", "16 G", "17 G"],
)
def test_steel_needles_drop_the_pressure_of_the_book(bore, expected):
    """25 mm needles at 40 to 120 mL/min."""
    linear, quadratic = access.needle_coefficients(bore, 25.0, *BLOOD)
    for flow, pressure in zip((40, 60, 80, 100, 120), expected, strict=True):
        assert access.drop(flow, linear, quadratic) == pytest.approx(pressure, abs=0.6)


@pytest.mark.parametrize(
    ("bore", "length", "observed"), [(0.95, 45.0, (22, 33, 47, 59)), (0.80, 32.0, (32, 51, 68, 82))]
)
def test_plastic_cannulae_agree_with_the_measured_rows(bore, length, observed):
    """Measured at 20 to 50 mL/min less the tap of the rig, within 5 mmHg."""
    linear, quadratic = access.needle_coefficients(bore, length, *BLOOD)
    for flow, pressure in zip((20, 30, 40, 50), observed, strict=True):
        assert access.drop(flow, linear, quadratic) == pytest.approx(pressure, abs=5)


def test_a_20_gauge_return_at_80_breaks_red_cells():
    """Wall stress 217 Pa, above the 150 Pa of long exposure; 17 gauge stays at 39."""
    assert access.wall_stress_pa(80.0, 0.603, 3.5) == pytest.approx(217, abs=1)
    assert access.wall_stress_pa(80.0, 1.067, 3.5) == pytest.approx(39, abs=0.5)


def test_a_vein_adds_no_suction_below_its_knee_and_closes_at_its_maximum():
    """Divergence at the vein's own maximum."""
    assert access.collapse(70.0, 90.0, 0.8, 60.0) == 0
    assert access.collapse(80.0, 90.0, 0.8, 60.0) == pytest.approx(60 * 8 / 10)
    assert access.collapse(90.0, 90.0, 0.8, 60.0) == 700


def test_the_pump_delivers_what_it_shows_until_suction_is_strong():
    """Free to 100 mmHg, then 10 % less per 100 mmHg."""
    assert access.delivered(60.0, -90.0, 100.0, 0.001) == 60
    assert access.delivered(60.0, -200.0, 100.0, 0.001) == pytest.approx(54)


def test_the_drawn_flow_is_where_pump_and_vein_agree():
    """In a vein that carries 40 the pump set to 54 delivers less than 40, and its own curve gives the same."""
    flow = access.draw_flow(54.0, *VEIN, 40.0, 0.8, 60.0, 100.0, 0.001)
    pressure = access.access_pressure(flow, *VEIN, 40.0, 0.8, 60.0)
    assert flow < 40
    assert access.delivered(54.0, pressure, 100.0, 0.001) == pytest.approx(flow, rel=1e-6)


def test_what_a_needle_carries_meets_the_limit_exactly():
    """The largest flow above the access limit stands at the limit."""
    flow = access.flow_at_pressure(-250.0, *VEIN, 90.0, 0.8, 60.0)
    assert access.access_pressure(flow, *VEIN, 90.0, 0.8, 60.0) == pytest.approx(-250, abs=0.5)


def test_the_return_limit_gives_the_largest_return_flow():
    """Inverse of the return pressure."""
    flow = access.return_flow_at_pressure(350.0, 10.0, 0.9, 0.002)
    assert access.return_pressure(flow, 10.0, 0.9, 0.002, 1.0) == pytest.approx(350)
