"""The fluid ledger: what leaves one place arrives in another, whatever is asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opentpe.kernel import lines

PLACES, KINDS, SOLUTES = 11, 5, 3
AMOUNT = st.floats(-50, 500)
PLACE = st.integers(1, PLACES - 1)


def _set():
    volume = np.arange(PLACES * KINDS, dtype=float).reshape(PLACES, KINDS)
    return volume, np.linspace(0, 5, PLACES * SOLUTES).reshape(PLACES, SOLUTES)


@settings(max_examples=60, deadline=None)
@given(moves=st.lists(st.tuples(PLACE, PLACE, AMOUNT, AMOUNT), max_size=12))
def test_no_move_makes_or_loses_fluid_or_solute(moves):
    """The sum over places stays, whatever is moved, even more than there is."""
    volume, mass = _set()
    before = volume.sum(axis=0), mass.sum(axis=0)
    for source, target, red, plain in moves:
        lines.move(volume, mass, source, target, red, plain)
        lines.pour(volume, mass, target, source, plain)
        lines.displace(volume, mass, source, target, red)
    np.testing.assert_allclose(volume.sum(axis=0), before[0], rtol=1e-12)
    np.testing.assert_allclose(mass.sum(axis=0), before[1], rtol=1e-12)
    assert (volume > -1e-9).all()


def test_nothing_more_moves_than_there_is():
    """Asked for a litre, a place gives what it holds."""
    volume, mass = _set()
    held = lines.total_ml(volume, 3)
    assert lines.pour(volume, mass, 3, 4, 1000.0) == pytest.approx(held)
    assert lines.total_ml(volume, 3) == pytest.approx(0)


def test_the_prime_leaves_first():
    """Saline of the prime is displaced before blood follows."""
    volume, mass = np.zeros((PLACES, KINDS)), np.zeros((PLACES, SOLUTES))
    volume[1] = (40, 60, 0, 30, 0)
    lines.displace(volume, mass, 1, 2, 30.0)
    assert volume[2].tolist() == [0, 0, 0, 30, 0]
    lines.displace(volume, mass, 1, 2, 10.0)
    assert volume[2, 0] == pytest.approx(4)


def test_a_membrane_holds_back_what_its_sieving_says():
    """Half sieving: half the mass for the same filtrate."""
    volume, mass = _set()
    content = mass[2].copy()
    share = 10.0 / lines.fluid_ml(volume, 2)
    lines.sieve(volume, mass, 2, 4, 10.0, np.array([1.0, 0.5, 0.0]))
    np.testing.assert_allclose(content - mass[2], content * share * np.array([1.0, 0.5, 0.0]))
