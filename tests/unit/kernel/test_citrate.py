"""Citrate, calcium, hormone, QT and acid-base over a session."""

import math

import pytest

from opentpe.kernel import citrate as c
from opentpe.kernel.binding import Binding

LAW = Binding(10**2.38 / 1000, 10**2.55 / 1000, 10**3.21 / 1000, 10**3.27 / 1000, 0.17, 0.026, 7.55, 0.10)

BODY = c.Body(
    clearance_ml_min=690.0,
    transfer_ml_min=400.0,
    second_pool_ml=25_000.0,
    buffer_ml_min=100.0,
    pth_release_mmol_min=0.0,
    citrate0=0.10,
    calcium0=1.22,
    magnesium0=0.50,
    pth_max_ratio=16.6,
    pth_min_ratio=0.181,
    pth_slope=29.2,
    pth_depletion=0.336,
    pth_refill_per_min=0.068,
    pth_clearance_per_min=0.231,
    qt_steady_s=0.105,
    qt_rate_s=0.170,
    qt_lag_min=4.25,
    bicarbonate_space_ml=16_000.0,
    alkali_release_min=30.0,
    alkali_per_citrate=3.0,
    bicarbonate0=25.0,
    ph0=7.40,
    pco2_0=40.0,
    pco2_slope=0.42,
    acid_ratio0=10 ** (7.55 - 7.40),
)
NOTHING = c.Supply(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
ALBUMIN = NOTHING._replace(fluid_ml_min=28.571, circuit_citrate=0.089181, circuit_acid=0.030054)
PLASMA = c.Supply(25.0, 1.9, 0.69, 20.4, 12.0, 0.078033, 0.026297, 0.0, 0.0, 0.0)


def milieu(minutes, flow, albumin=(42.0, 50.0), globulin=(28.0, 0.0)):
    """A plasma of 3 L whose proteins wash towards those of the fluid."""
    left = math.exp(-flow * minutes / 3000.0)
    wash = lambda pair: pair[1] + (pair[0] - pair[1]) * left  # noqa: E731
    return c.Milieu(3000.0, 11_000.0, wash(albumin), wash(globulin), 16.8, 11.2, 0.0, flow)


def session(supply, minutes, dt=1.0, body=BODY, **proteins):
    """State, milieu, starting points and readouts by minute."""
    flow = supply.fluid_ml_min
    place = milieu(0.0, flow, **proteins)
    state, guess = c.rest(LAW, body, place)
    out = {0.0: c.readout(LAW, body, state, place, guess)[0]}
    for i in range(round(minutes / dt)):
        three = tuple(milieu((i + half) * dt, flow, **proteins) for half in (0.0, 0.5, 1.0))
        state, guess, status = c.step(LAW, body, state, three, supply, guess, dt)
        assert status == c.OK
        shown, guess = c.readout(LAW, body, state, three[2], guess)
        out[round((i + 1) * dt, 6)] = shown
    return state, out


def test_at_rest_nothing_moves():
    """All derivatives are zero at the start: below 1e-12."""
    place = milieu(0.0, 0.0)
    state, guess = c.rest(LAW, BODY, place)
    rate, _, status = c.rates(LAW, BODY, state, place, NOTHING, guess)
    assert status == c.OK
    assert max(abs(r) for r in rate) < 1e-12


def test_the_reference_session_with_albumin_and_one_gram_of_gluconate_is_met():
    """Ionised calcium, magnesium, citrate, totals, hormone, bicarbonate and pH at 30, 60 and 105 min."""
    _, out = session(ALBUMIN._replace(drip_calcium=0.038667), 105)
    for minute, row in {
        0: (1.22000, 0.50000, 0.10000, 2.23650, 0.91967, 1.0000, 25.0000, 7.40000),
        30: (1.12877, 0.42439, 0.18664, 2.12003, 0.80234, 2.5484, 23.6277, 7.38178),
        60: (1.10433, 0.39479, 0.19541, 2.07556, 0.74726, 2.4796, 22.4737, 7.36541),
        105: (1.07983, 0.35580, 0.20445, 2.02650, 0.67285, 2.5449, 20.9836, 7.34265),
    }.items():
        r = out[minute]
        got = (r.ionised_calcium, r.ionised_magnesium, r.citrate, r.total_calcium, r.total_magnesium)
        assert (*got, r.pth_ratio, r.bicarbonate, r.ph) == pytest.approx(row, abs=1.5e-4)


def test_the_reference_session_with_plasma_is_met():
    """3 L of plasma in 120 min without calcium: alkalosis and a fifth less ionised calcium."""
    _, out = session(PLASMA, 120, albumin=(42.0, 33.9), globulin=(28.0, 22.6))
    assert out[60].ionised_calcium == pytest.approx(0.97988, abs=2e-3)
    assert out[120].ionised_calcium == pytest.approx(0.97633, abs=2e-3)
    assert out[120].citrate == pytest.approx(0.82658, abs=1e-4)
    assert (out[60].bicarbonate, out[120].bicarbonate) == pytest.approx((25.840, 28.863), abs=2e-3)
    assert out[120].ph == pytest.approx(7.4451, abs=1e-4)


def test_calcium_magnesium_and_citrate_close_to_rounding():
    """What came in less what left, burnt or released is what the pools gained: below 1e-9 mmol."""
    minutes = 105
    state, _ = session(ALBUMIN._replace(drip_calcium=0.038667), minutes)
    first, _ = c.rest(LAW, BODY, milieu(0.0, 0.0))
    gained = state.calcium + state.calcium_tissue - first.calcium - first.calcium_tissue
    assert gained == pytest.approx(0.038667 * minutes + state.calcium_released - state.calcium_out, abs=1e-9)
    gained = state.magnesium + state.magnesium_tissue - first.magnesium - first.magnesium_tissue
    assert gained == pytest.approx(-state.magnesium_out, abs=1e-9)
    gained = state.citrate + state.citrate2 - first.citrate - first.citrate2
    assert gained == pytest.approx(0.089181 * minutes - state.citrate_burnt - state.citrate_out, abs=1e-9)


def test_a_step_of_one_minute_moves_no_reported_number_by_a_thousandth():
    """Steps of 1 min agree with 0.25 min, four minutes after plasma starts too."""
    _, coarse = session(PLASMA, 60, dt=1.0, albumin=(42.0, 33.9), globulin=(28.0, 22.6))
    _, fine = session(PLASMA, 60, dt=0.25, albumin=(42.0, 33.9), globulin=(28.0, 22.6))
    for minute in (4, 20, 60):
        assert coarse[minute][:9] == pytest.approx(fine[minute][:9], rel=1e-3)


def test_net_calcium_given_shows_after_a_rest():
    """1.6 g/h of gluconate and 240 min at rest end 0.6 % above the start."""
    supply = ALBUMIN._replace(drip_calcium=0.061867)
    state, _ = session(supply, 105)
    place = milieu(105.0, 28.571)._replace(drawn_ml_min=0.0)
    guess = c.Guess((1.7, 0.06), (1.7, 0.06))
    for _ in range(240):
        state, guess, _ = c.step(LAW, BODY, state, (place, place, place), NOTHING, guess, 1.0)
    shown, _ = c.readout(LAW, BODY, state, place, guess)
    assert shown.ionised_calcium / 1.22 - 1 == pytest.approx(0.006, abs=0.002)


def test_liver_failure_holds_citrate_back():
    """A clearance of 152 mL/min leaves more citrate and less ionised calcium than a healthy liver."""
    proteins = {"albumin": (42.0, 33.9), "globulin": (28.0, 22.6)}
    _, well = session(PLASMA, 60, **proteins)
    _, ill = session(PLASMA, 60, body=BODY._replace(clearance_ml_min=152.5), **proteins)
    assert ill[60].citrate > 1.5 * well[60].citrate
    assert ill[60].ionised_calcium < well[60].ionised_calcium - 0.1


def test_parathyroid_hormone_peaks_and_settles_as_in_the_clamp():
    """Ionised calcium 0.21 mmol/L low within 5 min: a peak of 4 to 7 times within 4 to 10 min, then 2 to 3 times."""
    pth = store = 1.0
    curve = []
    for i in range(1200):
        drive = c.pth_drive(BODY, 1 - 0.21 / 1.25 * min(1.0, i / 50))
        pth, store = (
            pth + 0.1 * BODY.pth_clearance_per_min * (drive * store - pth),
            store + 0.1 * BODY.pth_refill_per_min * ((1 - store) - BODY.pth_depletion * (drive - 1) * store),
        )
        curve.append(pth)
    assert 4 <= max(curve) <= 7
    assert 4 <= curve.index(max(curve)) / 10 <= 10
    assert 2 <= curve[-1] <= 3


def test_an_emptied_pool_is_a_status():
    """Drawing more than the pool holds in one step is reported, never clipped."""
    place = milieu(0.0, 28.571)._replace(drawn_ml_min=60_000.0)
    state, guess = c.rest(LAW, BODY, place)
    _, _, status = c.step(LAW, BODY, state, (place, place, place), NOTHING, guess, 4.0)
    assert status & c.BELOW_ZERO
