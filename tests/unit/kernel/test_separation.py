"""Packing, interface, cycles, bowl and membrane against the device book."""

import pytest

from opentpe.kernel import circuit, separation

CONSTANT = 20 * 62 / 3000**2
SCALE, MOST = 8.598, 0.90


def test_an_inlet_of_62_at_full_speed_is_packing_factor_20():
    """T5, the manufacturer's own figure."""
    assert separation.packing_factor(CONSTANT, 3000.0, 62.0) == pytest.approx(20)


@pytest.mark.parametrize(("inlet", "expected"), [(30, 41), (45, 27.6), (80, 15.5), (100, 12.4), (142, 8.7)])
def test_the_packing_factor_falls_as_the_inlet_rises(inlet, expected):
    """At saturated speed the factor is inverse to the flow."""
    assert separation.packing_factor(CONSTANT, 3000.0, inlet) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(("inlet", "speed"), [(45, 2556), (30, 2087), (100, 3000)])
def test_the_machine_holds_the_packing_factor_by_its_speed(inlet, speed):
    """Below 62 mL/min the speed falls; above it is at its limit."""
    assert separation.speed_for(CONSTANT, 20.0, inlet, 3000.0) == pytest.approx(speed, rel=0.001)


def test_packing_factor_20_gives_the_published_efficiency():
    """Packed haematocrit 0.812 at haematocrit 0.40 and ratio 10 is an efficiency of 87 %."""
    packed = separation.packed_hct(20.0, SCALE, MOST)
    assert packed == pytest.approx(0.812, abs=0.001)
    assert circuit.removal_efficiency(0.36, packed) == pytest.approx(0.87, abs=0.001)


@pytest.mark.parametrize(
    ("draw", "back", "average"), [(60, 100, 35.3), (60, 150, 40.0), (80, 100, 41.4), (80, 150, 48.0), (40, 60, 23.1)]
)
def test_a_single_needle_draws_a_third_to_a_half_of_its_flow_on_average(draw, back, average):
    """Batches of 60 mL with two valve changes of 3 s."""
    assert separation.single_needle_flow(60.0, draw, 60.0, back, 0.05) == pytest.approx(average, abs=0.05)


@pytest.mark.parametrize(("hct", "drawn"), [(0.30, 640), (0.35, 549), (0.40, 480), (0.45, 427), (0.50, 384)])
def test_a_bowl_draws_more_per_pass_at_a_low_haematocrit(hct, drawn):
    """225 mL bowl, packed to 0.80, ratio 16."""
    channel = circuit.channel_hct(hct, 16.0)
    assert separation.bowl_pass_ml(225.0, 0.80, channel) == pytest.approx(drawn, abs=0.6)


def test_the_interface_flow_keeps_the_cells_of_the_channel_constant():
    """What enters as cells leaves as packed cells."""
    plasma = separation.interface_flow(60.0, 0.36, 0.812)
    assert (60.0 - plasma) * 0.812 == pytest.approx(60.0 * 0.36)


def test_entering_the_haematocrit_one_point_too_high_costs_1_8_points_of_efficiency():
    """Feed-forward without a camera: the device book's sensitivity at haematocrit 0.40."""
    right = separation.interface_flow(60.0, circuit.channel_hct(0.40, 10.0), 0.812)
    wrong = separation.interface_flow(60.0, circuit.channel_hct(0.41, 10.0), 0.812)
    assert (right - wrong) / 60 == pytest.approx(0.011, abs=0.0005)
    assert (right - wrong) / 60 / (1 - 0.36) == pytest.approx(0.018, abs=0.001)


def test_red_cells_reach_the_plasma_line_only_above_the_spill_level():
    """Nothing below, in proportion above, never more than full."""
    assert separation.spill_hct(0.74, 0.75, 0.3) == 0
    assert separation.spill_hct(0.80, 0.75, 0.3) == pytest.approx(0.06)
    assert separation.spill_hct(3.0, 0.75, 0.3) == pytest.approx(0.3)


def test_plasma_leaves_with_the_cells_when_the_interface_is_low():
    """The outlet haematocrit falls in proportion, so that the channel never runs out of cells."""
    assert separation.cells_outlet_hct(0.5, 0.3, 0.8) == pytest.approx(0.8)
    assert separation.cells_outlet_hct(0.15, 0.3, 0.8) == pytest.approx(0.4)
    assert separation.cells_outlet_hct(0.0, 0.3, 0.8) == 0


def test_the_platelet_leak_gives_back_the_published_loss():
    """One plasma volume takes 1/efficiency blood volumes through the machine."""
    import math

    leak = separation.platelet_leak(0.075, 0.80)
    assert 1 - math.exp(-leak / 0.80) == pytest.approx(0.075)


def test_a_membrane_that_filters_30_percent_removes_half_of_the_plasma():
    """Haematocrit 0.40: outlet 0.571, efficiency 0.50."""
    assert separation.membrane_outlet_hct(0.40, 0.30) == pytest.approx(0.571, abs=0.001)
    assert separation.membrane_efficiency(0.30, 0.40, 1.0) == pytest.approx(0.50)


def test_fouling_raises_the_pressure_for_the_same_filtrate():
    """Permeability falls, pressure rises, in proportion to pressure and time."""
    clean = separation.transmembrane_pressure(30.0, 3.0, 0.35)
    later = separation.fouled(3.0, 0.003, clean, 50.0, 60.0)
    assert separation.transmembrane_pressure(30.0, later, 0.35) > clean
    assert separation.fouled(3.0, 0.003, 0.0, 50.0, 60.0) == 3.0


def test_blood_cools_less_the_faster_it_flows():
    """9.5 degrees at 10 mL/min; two degrees and a half at 60."""
    slow = separation.return_temperature(37.0, 22.0, 36.0, 3.6, 10.0)
    fast = separation.return_temperature(37.0, 22.0, 36.0, 3.6, 60.0)
    assert 37 - slow == pytest.approx(9.5, abs=0.05)
    assert 2.0 < 37 - fast < 2.6
