"""Probabilities in words that do not mislead."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opentpe.domain.frequency import natural_frequency


@pytest.mark.parametrize(
    ("median", "low", "high", "number", "lower", "upper", "of"),
    [
        (0.08, 0.02, 0.25, 8, 2, 25, 100),
        (0.057, 0.015, 0.20, 6, 1, 20, 100),
        (0.0045, 0.0007, 0.028, 0.45, None, 3, 100),
        (0.0013, 0.0001, 0.012, 0.13, None, 2, 100),
        (0.0008, 0.0001, 0.006, 0.8, None, 6, 1000),
        (0.00012, 0.00002, 0.0008, 1, None, 8, 10_000),
        (0.49, 0.29, 0.70, 49, 29, 70, 100),
        (0.00001, 0.000001, 0.00002, 0.1, None, 1, 10_000),
    ],
)
def test_published_ranges_are_written_as_people_count(median, low, high, number, lower, upper, of):
    """The denominator follows the upper limit; limits are rounded outwards."""
    words = natural_frequency(median, low, high)
    assert words[:4] == (number, lower, upper, of)


def test_options_share_one_denominator():
    """Benefit and harm side by side are counted of the same number."""
    assert natural_frequency(0.0001, 0.00002, 0.0004, denominator=100)[:4] == (0.01, None, 1, 100)


def test_wide_and_thin_figures_say_so():
    """More than twentyfold differs between hospitals; one source is little evidence."""
    assert natural_frequency(0.02, 0.002, 0.2, thin=True).notes == (
        "differs_between_hospitals",
        "little_evidence",
        "fewer_than_1",
    )
    assert natural_frequency(0.2, 0.1, 0.4).notes == ()


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_nothing_is_ever_zero_and_the_range_holds_what_it_had(a, b, c):
    """Never 0, never "no risk"; the written range contains the range it came from."""
    low, median, high = sorted((a, b, c))
    words = natural_frequency(median, low, high)
    assert words.number > 0
    assert words.high >= 1
    assert (words.low or 0) <= low * words.denominator + 1e-8
    assert words.high >= high * words.denominator - 1e-8
    assert words.high <= max(words.denominator, 1)


@given(st.floats(0.01, 1))
def test_from_one_upwards_numbers_are_whole(p):
    """No "8.3 of 100"."""
    number = natural_frequency(p, p, p).number
    assert number == math.floor(number)
