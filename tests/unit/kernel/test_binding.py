"""Binding: free from total and back."""

import math

import numpy as np
import pytest

from opentpe.kernel import binding as b

LAW = b.Binding(
    albumin_k=10**2.38 / 1000,
    globulin_k=10**2.55 / 1000,
    calcium_citrate_k=10**3.21 / 1000,
    magnesium_citrate_k=10**3.27 / 1000,
    albumin_sites_mmol_g=0.17,
    globulin_sites_mmol_g=0.026,
    site_pka=7.55,
    small_anion_ratio=0.10,
)

STRENGTHS = b.site_strengths(LAW, 10**0.15)


def free(totals, albumin, globulin, ph=7.40, guess=(1.7, 0.06)):
    return b.equilibrium(LAW, b.site_strengths(LAW, 10 ** (7.55 - ph)), totals, (albumin, globulin), guess)


@pytest.mark.parametrize(
    ("totals", "albumin", "globulin", "ph", "expected"),
    [
        ((2.24, 0.92, 0.1), 42.0, 28.0, 7.40, (1.222030, 0.500230, 0.025553)),
        ((2.00, 0.80, 1.0), 42.0, 28.0, 7.40, (0.842936, 0.326072, 0.336218)),
        ((1.70, 0.69, 0.2), 48.0, 9.0, 7.34, (0.894394, 0.360102, 0.064080)),
        ((2.00, 0.80, 5.0), 35.0, 20.0, 7.40, (0.308110, 0.111187, 2.929568)),
        ((2.00, 0.80, 20.0), 35.0, 20.0, 7.40, (0.066856, 0.023470, 17.359139)),
        ((1.00, 0.40, 0.001), 0.0, 0.0, 7.40, (0.908666, 0.363441, 0.000317)),
    ],
)
def test_the_six_reference_points_are_met(totals, albumin, globulin, ph, expected):
    """Ionised calcium, magnesium and free citrate agree to the printed digits, with and without protein."""
    x, y, (_, z), status = free(totals, albumin, globulin, ph)
    assert status == b.OK
    assert (x, y, z) == pytest.approx(expected, abs=6e-7)


def test_free_and_total_invert_each_other():
    """Totals rebuilt from the free values are the totals that went in."""
    rng = np.random.default_rng(1)
    for _ in range(3000):
        totals = (rng.uniform(0.05, 10), rng.uniform(0.02, 8), math.exp(rng.uniform(math.log(1e-4), math.log(40))))
        albumin, globulin = rng.uniform(0, 80), rng.uniform(0, 70)
        x, y, (_, z), status = free(totals, albumin, globulin)
        assert status == b.OK
        assert b.bound(LAW, STRENGTHS, (x, y, z), (albumin, globulin)) == pytest.approx(totals, rel=1e-8)


def test_the_result_does_not_depend_on_the_starting_point():
    """A far start leads to the same ionised calcium."""
    near, far = free((2.24, 0.92, 0.1), 42.0, 28.0), free((2.24, 0.92, 0.1), 42.0, 28.0, guess=(0.01, 20.0))
    assert far[0] == pytest.approx(near[0], rel=1e-8)


def test_a_hopeless_input_is_a_status_and_not_a_number():
    """Not a number never converges, and says so."""
    assert free((math.nan, 0.9, 0.1), 42.0, 28.0)[3] == b.NOT_CONVERGED


@pytest.mark.parametrize(("ratio", "expected"), [(10, 0.071), (12, 0.089), (16, 0.125)])
def test_anticoagulated_blood_has_the_ionised_calcium_of_the_book(ratio, expected):
    """At haematocrit 0.40 with ACD-A, inlet ratios 10, 12 and 16 leave 0.071, 0.089 and 0.125 mmol/L."""
    share = 1 / ratio / (1 - 0.40 * (ratio - 1) / ratio)
    x, status = b.inlet_ionised_calcium(LAW, 7.40, (2.2365, 0.91967, 0.1), (42.0, 28.0), share, 112.8)
    assert status == b.OK
    assert x == pytest.approx(expected, abs=0.001)


def test_plasma_units_mixed_into_blood_lower_ionised_calcium_as_measured():
    """5, 10 and 15 % of plasma in blood leave about 0.81, 0.54 and 0.34 mmol/L (limit 0.05)."""
    base = b.bound(LAW, STRENGTHS, (1.23, 0.50, 0.026), (42.0, 28.0))
    for percent, observed in ((5, 0.81), (10, 0.54), (15, 0.34)):
        plasma, unit = (100 - percent) * 0.6, percent
        mix = lambda own, ffp: (plasma * own + unit * ffp) / (plasma + unit)  # noqa: B023, E731
        totals = (mix(base[0], 0.806 * base[0]), mix(base[1], 0.69), mix(0.1, 20.4))
        x, *_ = free(totals, mix(42.0, 33.9), mix(28.0, 22.6))
        assert x == pytest.approx(observed, abs=0.05)
