"""The fit's own exam: 20 patients here, 1,000 in `make test-slow` and `make validate`."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from opentpe.simulation import (
    calibration,
    calibration_calcium,
    calibration_page,
    calibration_verdict,
    population,
)
from opentpe.simulation.draws import Stream, uniforms
from unit.simulation import learning

ROOT = Path(__file__).resolve().parents[3]


def other_truth():
    spec = importlib.util.spec_from_file_location("three_pools", ROOT / "validation" / "learning" / "three_pools.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.levels


def test_the_truth_of_20_patients_falls_into_the_bands():
    """At least 13 of 20 truths in the 90 % band of every quantity: fewer has a chance of 3 in 10,000 if calibrated."""
    for one in calibration.calibrate(20, learning.library(), learning.unit(), seed=11, rows=400):
        covered = dict(one.covered)
        assert covered[0.9] >= 13 / 20, one.quantity
        assert sum(one.ranks) == 20


def test_calcium_labs_are_calibrated_too():
    """Truth and labs from the full session, 10 patients: at least 6 truths in the 90 % band of each quantity."""
    for one in calibration_calcium.calibrate(10, learning.library(), learning.unit(), seed=11, rows=200):
        assert dict(one.covered)[0.9] >= 6 / 10, one.quantity


def test_the_forecast_beats_three_baselines_under_another_truth():
    """Over 12 patients of a three-pool model the fit is nearer to the next session than each simple means."""
    rows = calibration.compare(12, other_truth(), learning.library(), learning.unit(), seed=11, rows=400)
    error = {}
    for r in rows:
        error.setdefault(r.method, []).append(r.median_error_percent)
    mean = {method: np.mean(values) for method, values in error.items()}
    assert all(mean["fit"] < mean[other] for other in ("prior only", "last value", "one exponential")), mean


def test_the_page_holds_every_number():
    """The written page has a row for each quantity and each method, the limits, and what misses them."""
    one = calibration.Calibrated("plasma_volume", (50,) * 20, ((0.5, 0.5), (0.9, 0.9)), 1.0)
    bad = calibration.Calibrated("igg.escape_rate", (50,) * 20, ((0.5, 0.5), (0.9, 0.8)), 1.0)
    rows = [calibration.Forecasting(m, "igg", "before", 12, 5.0, 9.0, w) for m, w in (("fit", 88.0), ("last", None))]
    page = calibration_page.page([one], [one, bad], rows)
    assert "| plasma_volume | 50.0 % | 90.0 % | 1 | yes |" in page
    assert "| igg.escape_rate | 50.0 % | 80.0 % | 1 | no: 90 % band |" in page
    assert "| fit | igg | before | 5.0 | 9.0 | 88 |" in page
    assert "| last | igg | before | 5.0 | 9.0 | no band |" in page


def exam(patients, seed, stretch=1.0, shift=0.0):
    """Ranks of 11 quantities of a fit whose bands are `stretch` times too narrow, or off by `shift` of their width."""
    z = ndtri(uniforms(seed, np.arange(patients), Stream.MEASUREMENT, 11, "exam"))
    ranks = ndtr(stretch * z + shift)
    return [calibration.told(f"quantity {k}", ranks[:, k]) for k in range(11)]


def test_a_calibrated_fit_seldom_fails_its_exam():
    """Ranks that are uniform fail in at most 5 of 200 exams, where 2 are expected."""
    assert sum(bool(calibration_verdict.failures(exam(200, seed))) for seed in range(200)) <= 5


@pytest.mark.parametrize(("stretch", "shift"), [(1.25, 0.0), (0.8, 0.0), (1.0, 0.3)])
def test_a_fit_that_is_too_sure_too_shy_or_biased_fails_its_exam(stretch, shift):
    """Bands a fifth too narrow or too wide, or off by a third of a standard deviation, are found in 1,000 patients."""
    assert all(calibration_verdict.failures(exam(1000, seed, stretch, shift)) for seed in range(5))


def test_the_limits_of_an_exam_are_exact():
    """The widest band of shares that 200 patients leave with at most half of 1 in 3,300 on either side."""
    allowed = {band: (low, high) for band, low, high in calibration_verdict.limits(200, 11).bands}
    low, high = (round(200 * share) for share in allowed[0.9])
    each = 0.01 / 33 / 2
    assert binom.cdf(low - 1, 200, 0.9) < each <= binom.cdf(low, 200, 0.9)
    assert binom.sf(high, 200, 0.9) <= each < binom.sf(high - 1, 200, 0.9)


@pytest.mark.slow
def test_a_thousand_patients_are_calibrated():
    """Ranks are uniform and bands hold what they say, in all quantities, with 1 chance in 100 of a false alarm."""
    found = calibration.calibrate(1000, learning.library(), learning.unit(), seed=3)
    assert calibration_verdict.failures(found) == ()


def test_a_virtual_patient_is_the_same_in_any_batch():
    """Patient 7 alone is patient 7 of ten."""
    alone = population.draw("ms_relapse", learning.library(), 5, np.array([7]))
    batch = population.draw("ms_relapse", learning.library(), 5, np.arange(10))
    assert all(np.array_equal(a[0], b[7]) for a, b in zip(alone, batch, strict=True))


def test_virtual_patients_look_like_the_cohorts():
    """Three quarters women, median plasma volume between 2.5 and 3.1 L, haematocrit near 0.40, heavier with age."""
    group = population.draw("ms_relapse", learning.library(), 5, np.arange(4000))
    assert group.female.mean() == pytest.approx(0.761, abs=0.02)
    assert 2500 < np.median(group.plasma_volume_ml) < 3100
    assert np.median(group.hct) == pytest.approx(0.40, abs=0.01)
    bmi = group.weight_kg / (group.height_cm / 100) ** 2
    assert 0.08 < np.corrcoef(group.age_years, bmi)[0, 1] < 0.22


def test_a_population_says_only_what_differs():
    """The light and pale population takes the rest from the one it is like."""
    group = population.draw("light_and_pale", learning.library(), 5, np.arange(200))
    assert group.female.all()
    assert np.median(group.hct) < 0.35


def test_plasma_volume_is_that_of_the_order():
    """The array formula gives each person what the order's own estimator gives."""
    from opentpe.simulation.setup import used_plasma_volume

    group = population.draw("ms_relapse", learning.library(), 5, np.arange(30))
    for i in range(30):
        own = used_plasma_volume(population.person(group, i), learning.library())
        assert group.plasma_volume_ml[i] == pytest.approx(own, rel=1e-12)


def test_an_unknown_population_is_named():
    """The message lists the populations there are."""
    with pytest.raises(learning.InputError, match="ms_relapse"):
        population.draw("martians", learning.library(), 1, np.arange(2))
