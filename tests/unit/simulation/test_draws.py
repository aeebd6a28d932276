"""Random numbers are addressed, not generated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentpe.domain.sourced import Prior, Sourced, Status
from opentpe.errors import EvidenceError
from opentpe.simulation.draws import Stream, half_normal, normals, sample, truncated_normal, uniforms


@given(st.integers(0, 2**63), st.lists(st.integers(0, 10**6), min_size=1, max_size=12), st.integers(1, 9))
def test_a_row_is_the_same_alone_and_in_any_batch(seed, rows, count):
    """Row i of a batch equals the same row drawn alone, bit for bit, in any order."""
    batch = normals(seed, rows, Stream.TURNOVER, count)
    for place, row in enumerate(rows):
        assert (batch[place] == normals(seed, row, Stream.TURNOVER, count)).all()


def test_a_shorter_request_is_the_head_of_a_longer_one():
    """Asking for more numbers does not move the first ones."""
    long = uniforms(1, range(5), Stream.HARM, 11)
    assert (uniforms(1, range(5), Stream.HARM, 3) == long[:, :3]).all()


@pytest.mark.parametrize("other", [(2, Stream.HARM, ""), (1, Stream.BENEFIT, ""), (1, Stream.HARM, "igg")])
def test_seed_stream_and_name_each_give_new_numbers(other):
    """Changing any part of the address changes every number."""
    seed, stream, name = other
    assert not np.isin(uniforms(1, range(50), Stream.HARM, 4), uniforms(seed, range(50), stream, 4, name)).any()


def test_the_numbers_are_philox():
    """The bits are NumPy's Philox at the documented counter and key."""
    raw = np.random.Philox(counter=[9, 1, 0, 0], key=[5, int(Stream.EVENT)]).random_raw(4)
    expected = ((raw >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53
    assert (uniforms(5, 9, Stream.EVENT, 8)[4:] == expected).all()


def test_the_numbers_are_fixed_for_ever():
    """A change of layout would change every published result: the first numbers are pinned."""
    assert uniforms(0, 0, Stream.PERSON, 2) == pytest.approx([0.8133540609793564, 0.7513314251083365], abs=1e-15)


def test_normals_are_standard_and_rows_are_independent():
    """Mean 0, standard deviation 1, no correlation between neighbouring rows or positions."""
    z = normals(3, range(40_000), Stream.CITRATE, 4)
    assert abs(z.mean()) < 0.01
    assert abs(z.std() - 1) < 0.01
    assert np.abs(np.corrcoef(z.T) - np.eye(4)).max() < 0.02
    assert abs(np.corrcoef(z[1:, 0], z[:-1, 0])[0, 1]) < 0.02


def test_single_rows_lose_the_row_axis_and_empty_requests_are_empty():
    """Shapes follow the request."""
    assert normals(0, 4, Stream.FIT, 3).shape == (3,)
    assert normals(0, [4], Stream.FIT, 3).shape == (1, 3)
    assert normals(0, [], Stream.FIT, 3).shape == (0, 3)


def test_truncated_and_half_normals_keep_to_their_limits():
    """A truncated normal stays inside; a half-normal has its known mean."""
    u = uniforms(1, range(20_000), Stream.BENEFIT, 1)[:, 0]
    cut = truncated_normal(u, 0.2, 0.17, 0.0)
    assert cut.min() >= 0
    assert np.median(cut) == pytest.approx(0.22, abs=0.01)
    assert half_normal(u, 0.5).mean() == pytest.approx(0.5 * np.sqrt(2 / np.pi), rel=0.02)


@pytest.mark.parametrize(
    ("shape", "value", "low", "high"),
    [("lognormal", 0.2, 0.1, 0.4), ("normal", 1.0, 0.0, 2.0), ("logitnormal", 0.5, 0.2, 0.8), ("uniform", 0.5, 0, 1)],
)
def test_a_prior_is_sampled_with_its_value_as_median(shape, value, low, high):
    """z = 0 gives the value in use; z = ±1.96 gives the ends of its 95 % range."""
    sourced = Sourced("x", value, Status.DESIGN, prior=Prior(shape, low, high))
    at = sample(sourced, [-1.959964, 0.0, 1.959964])
    assert at[1] == pytest.approx(value)
    if shape != "uniform":
        assert at[[0, 2]] == pytest.approx([low, high], rel=1e-6, abs=1e-6)


def test_a_value_without_prior_is_constant_and_an_unknown_shape_is_refused():
    """No spread where none is known; a misspelt shape is an error of the evidence library."""
    assert (sample(Sourced("x", 3.0, Status.DESIGN), [0.0, 2.0]) == 3.0).all()
    with pytest.raises(EvidenceError, match="triangle"):
        sample(Sourced("x", 3.0, Status.DESIGN, prior=Prior("triangle", 1, 2)), [0.0])
