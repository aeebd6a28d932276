"""The scalar laws: exact two-pool step, FcRn, volumes, cells."""

import math

import numpy as np
import pytest
from scipy.linalg import expm

from opentpe.kernel import turnover


def _by_matrix(plasma, tissue, a, b, c, d, supply, dt):
    """Plasma, tissue and exposure by a matrix exponential of the system with its input and its integral."""
    system = np.array([[-a, b, 0, supply], [c, -d, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], float)
    return (expm(system * dt) @ [plasma, tissue, 0.0, 1.0])[:3]


def test_the_test_vector_is_reproduced_to_twelve_digits():
    """The step of the model file: rates of a session, per day, over an hour."""
    plasma, tissue, _ = turnover.two_pool(3000.0, 2000.0, 24.26, 0.3, 0.2, 0.3, 100.0, 1 / 24)
    assert plasma == pytest.approx(1110.0682467390702, rel=1e-12)
    assert tissue == pytest.approx(1990.8618557303305, rel=1e-12)


def test_three_hundred_random_steps_agree_with_a_matrix_exponential():
    """Amounts and exposure over rates of nine orders of magnitude."""
    rng = np.random.default_rng(1)
    for _ in range(300):
        a, b, c, d = 10 ** rng.uniform(-7, 0, 4)
        a += c
        case = (*rng.uniform(0, 1e4, 2), a, b, c, d, rng.uniform(0, 10), 10 ** rng.uniform(-2, 2))
        assert turnover.two_pool(*case) == pytest.approx(_by_matrix(*case), rel=3e-9)


DEGENERATE = {
    "one pool": (100.0, 0.0, 0.3, 0.0, 0.0, 0.0, 5.0, 2.0),
    "one pool at rest": (100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 2.0),
    "no elimination": (100.0, 50.0, 0.2, 0.3, 0.2, 0.3, 5.0, 2.0),
    "equal eigenvalues": (100.0, 50.0, 0.3, 0.0, 0.2, 0.3, 5.0, 2.0),
    "nearly equal eigenvalues": (100.0, 50.0, 0.3, 1e-9, 0.2, 0.3 + 1e-9, 5.0, 2.0),
    "decoupled pools": (100.0, 50.0, 0.3, 0.0, 0.0, 0.1, 5.0, 2.0),
    "a very short step": (100.0, 50.0, 0.3, 0.1, 0.2, 0.1, 5.0, 1e-7),
    "a very long step": (100.0, 50.0, 0.3, 0.1, 0.2, 0.1, 5.0, 1e5),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_steps_agree_with_a_matrix_exponential(name):
    """Cases where the closed form divides by a vanishing number."""
    case = DEGENERATE[name]
    assert turnover.two_pool(*case) == pytest.approx(_by_matrix(*case), rel=1e-10, abs=1e-12)


def test_two_half_steps_are_one_step():
    """The exact step does not depend on how a span is cut."""
    rates = (24.26, 0.3, 0.2, 0.3, 100.0)
    whole = turnover.two_pool(3000.0, 2000.0, *rates, 1 / 24)
    half = turnover.two_pool(3000.0, 2000.0, *rates, 1 / 48)
    again = turnover.two_pool(half[0], half[1], *rates, 1 / 48)
    assert again[:2] == pytest.approx(whole[:2], rel=1e-13)
    assert half[2] + again[2] == pytest.approx(whole[2], rel=1e-12)


@pytest.mark.parametrize("x", [0.5, 1.0, 1.5, 2.0])
def test_a_session_without_turnover_leaves_the_exponential(x):
    """C/C0 = exp(-x), and with fluid that holds the solute + eps (1 - exp(-x))."""
    volume, minutes, c0, c_rep = 3000.0, 100.0, 12.0, 3.0
    flow = x * volume / minutes
    q = turnover.exchange_rate(1.0, flow, 1.0, volume)
    left, _, _ = turnover.two_pool(c0 * volume, 0.0, q, 0.0, 0.0, 0.0, flow * c_rep, minutes)
    assert left / volume / c0 == pytest.approx(math.exp(-x) + c_rep / c0 * (1 - math.exp(-x)), rel=1e-12)


def test_the_fcrn_rate_follows_the_table_of_the_model():
    """Catabolic rate per day at 0, 4, 8, 12, 20 and 40 g/L of IgG."""
    share = turnover.recycled_share(0.064, 0.389)
    drives = [turnover.recycling_drive(c, 70.0, 12.0, 0.0, 0.25) for c in (0, 4, 8, 12, 20, 40)]
    rates = [turnover.fcrn_rate(share, 0.389, d) for d in drives]
    assert rates == pytest.approx([0.008, 0.029, 0.047, 0.064, 0.093, 0.147], abs=0.0006)


def test_a_full_blocker_leaves_the_fcrn_free_rate():
    """Without recycling IgG is lost at the free rate, and never at a negative one."""
    share = turnover.recycled_share(0.064, 0.389)
    blocked = turnover.recycling_drive(12.0, 70.0, 12.0, 1e12, 0.25)
    assert turnover.fcrn_rate(share, 0.389, blocked) == pytest.approx(0.389)
    assert turnover.fcrn_rate(1.0, 0.389, 5.0) == 0.0


def test_a_drug_above_the_free_rate_is_not_recycled():
    """A clearance faster than FcRn-free loss leaves no share to recycle."""
    assert turnover.recycled_share(0.5, 0.389) == 0.0


def test_platelets_fall_by_the_loss_and_return_to_rest():
    """Five daily halvings with a return of 0.30/d end near a fifth of the start (Keller)."""
    count = 250.0
    for _ in range(5):
        count = turnover.platelets_after(count, 0.5, 1.0, 1.0)
        after = count
        count = turnover.platelets_later(count, 250.0, 0.3, 1.0)
    assert after / 250 == pytest.approx(0.211, abs=0.001)
    assert turnover.platelets_later(after, 250.0, 0.3, 1e3) == pytest.approx(250.0)


def test_haematocrit_is_red_cells_over_blood():
    """2 L of red cells in 5 L of blood."""
    assert turnover.haematocrit(2000.0, 3000.0) == pytest.approx(0.4)


def test_the_sum_of_two_exponentials_is_the_exact_step():
    """Where the sum says that it keeps its digits, it agrees with the step at every time."""
    rng, sound = np.random.default_rng(2), 0
    for _ in range(300):
        a, b, c, d = 10 ** rng.uniform(-5, -1, 4)
        case = (*rng.uniform(10, 1e4, 2), a + c, b, c, d + b, rng.uniform(0, 10))
        keeps, floor, slow, slow_rate, fast, fast_rate = turnover.modes(*case)
        sound += keeps
        for t in (1.0, 100.0, 1e4) if keeps else ():
            summed = floor + slow * math.exp(slow_rate * t) + fast * math.exp(fast_rate * t)
            assert summed == pytest.approx(turnover.two_pool(*case, t)[0], rel=1e-9)
    assert sound > 150


def test_the_sum_refuses_a_pool_that_is_never_emptied():
    """One pool, or no elimination, has no floor to count from."""
    assert not turnover.modes(100.0, 0.0, 0.3, 0.0, 0.0, 0.0, 5.0)[0]
    assert not turnover.modes(100.0, 50.0, 0.2, 0.3, 0.2, 0.3, 5.0)[0]
