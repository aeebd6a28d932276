"""The standard normal distribution: as SciPy and the standard library have it."""

from statistics import NormalDist

import numpy as np
from scipy import special

from opentpe.kernel.normal import ndtr, ndtri


def test_quantiles_are_those_of_scipy_to_the_last_digits() -> None:
    """In the middle, in both tails and as far out as a number goes."""
    rng = np.random.default_rng(1)
    p = np.concatenate([rng.random(2000), 10.0 ** rng.uniform(-300, 0, 2000), 1.0 - 10.0 ** rng.uniform(-15, 0, 500)])
    np.testing.assert_allclose(ndtri(p), special.ndtri(p), rtol=4e-15, atol=1e-15)
    np.testing.assert_allclose(ndtri(p[:200]), [NormalDist().inv_cdf(v) for v in p[:200]], rtol=4e-15, atol=1e-15)


def test_probabilities_are_those_of_scipy_to_the_last_digits() -> None:
    """Down to where a probability is smaller than any number."""
    x = np.random.default_rng(2).uniform(-37, 9, 4000)
    np.testing.assert_allclose(ndtr(x), special.ndtr(x), rtol=1e-12)
    np.testing.assert_array_equal(ndtr([-50.0, 50.0]), [0.0, 1.0])


def test_edges_and_shapes_are_kept() -> None:
    """0 and 1 are infinitely far away, outside there is nothing; a single number stays one, a table a table."""
    np.testing.assert_array_equal(ndtri([0.0, 1.0, -0.1, 1.1, np.nan]), [-np.inf, np.inf, np.nan, np.nan, np.nan])
    assert float(ndtri(0.5)) == 0.0
    assert np.ndim(ndtri(0.3)) == 0
    table = np.full((2, 3), 0.2)
    assert ndtri(table.T).shape == (3, 2)
    assert ndtri(np.empty((0, 4))).shape == (0, 4)
