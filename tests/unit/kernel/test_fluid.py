"""Fluid shifts: colloid osmotic pressure, refill, and what a session does to the blood volume."""

import dataclasses

import pytest

from opentpe.kernel import fluid as f

LAW = f.Pressure(2.8, 0.18, 0.012, 1.6, 0.15, 0.006, 0.90)
ADULT = f.Body(10.0, 0.0047, 0.0031, 0.0008, 0.9, 1.2 / 1440, 0.425, 0.6 / 1440, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0)
STILL = f.Flows(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def rested(proteins=(42.0, 28.0)):
    return f.rest(LAW, ADULT, 3000.0, 3000.0 / 0.23, 2000.0, proteins)


def pressure(albumin, globulin):
    return f.colloid_pressure(LAW, albumin, globulin)


@dataclasses.dataclass
class Session:
    """The reference exchange: circuit filled in 3 min, 1.0 plasma volume at 30 mL/min."""

    body: f.Body
    state: f.State
    lowest: float
    lowest_shown: float


def run(parts, balance=1.0, dt=0.25):
    """`parts` are (share, albumin g/L, globulin g/L) of the replacement, in order."""
    body, state = rested()
    segments = [(3.0, STILL._replace(blood_drawn=47.0, clear_in=47.0))]
    for share, albumin, globulin in parts:
        segments.append((share * 100.0, f.Flows(30.0, 0.0, 0.0276 * 30, 30.0 * balance, albumin, globulin, 0.0)))
    lowest, shown, zero = 0.0, 0.0, None
    for minutes, flows in segments:
        for _ in range(round(minutes / dt)):
            _, state, status = f.step(LAW, body, state, flows, dt)
            assert status == f.OK
            lowest = min(lowest, 100 * f.volume_change(body, state) / 5000)
            shown = min(shown, 100 * (zero / f.haematocrit(state) - 1)) if zero else 0.0
        zero = zero or f.haematocrit(state)
    return Session(body, state, lowest, shown)


CASES = {
    "A": ([(1.0, 50.0, 0.0)], 1.0, -7.1, -6.7, 22.0),
    "B": ([(1.0, 40.0, 0.0)], 1.0, -11.6, -11.3, 19.7),
    "C": ([(0.2, 0.0, 0.0), (0.8, 50.0, 0.0)], 1.0, -10.9, -10.5, 20.4),
    "D": ([(0.8, 50.0, 0.0), (0.2, 0.0, 0.0)], 1.0, -11.4, -11.1, 18.5),
    "E": ([(0.7, 40.0, 0.0), (0.3, 0.0, 0.0)], 1.0, -17.5, -17.2, 15.8),
    "F": ([(1.0, 33.9, 22.6)], 1.0, -6.2, -5.8, 22.4),
    "G": ([(1.0, 50.0, 0.0)], 0.9, -10.8, -10.5, 21.5),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reference_cases_are_met(name):
    """Blood volume, displayed blood volume and colloid pressure of the seven fluids lie within 0.2."""
    parts, balance, volume, displayed, cop = CASES[name]
    s = run(parts, balance)
    assert s.lowest == pytest.approx(volume, abs=0.2)
    assert s.lowest_shown == pytest.approx(displayed, abs=0.2)
    end = pressure(s.state.albumin / s.state.plasma, s.state.globulin / s.state.plasma)
    assert end == pytest.approx(cop, abs=0.2)


@pytest.mark.parametrize(
    ("albumin", "globulin", "expected"), [(40, 0, 13.4), (50, 0, 18.0), (0, 0, 0.0), (33.9, 22.6, 18.7)]
)
def test_colloid_pressure_of_the_fluids(albumin, globulin, expected):
    """4 % and 5 % albumin, saline and plasma have the printed pressures."""
    assert pressure(albumin, globulin) == pytest.approx(expected, abs=0.1)


def test_at_rest_nothing_moves():
    """Every derivative of the resting patient is zero: below 1e-12."""
    body, state = rested()
    assert max(abs(r) for r in f.rates(LAW, body, state, STILL)) < 1e-12


def test_protein_and_water_close():
    """Albumin and globulin change only by what the circuit did, water by flows and urine: below 1e-9 of the pool."""
    _, first = rested()
    last = run([(1.0, 40.0, 0.0)]).state
    albumin = last.albumin + last.tissue_albumin - first.albumin - first.tissue_albumin
    assert albumin == pytest.approx(100 * 30 * 40.0 - last.albumin_out, rel=1e-9)
    globulin = last.globulin + last.tissue_globulin - first.globulin - first.tissue_globulin
    assert globulin == pytest.approx(-last.globulin_out, rel=1e-9)
    water = last.plasma + last.tissue - first.plasma - first.tissue
    assert water == pytest.approx(3 * 47 + 100 * 30 * 1.0276 - last.water_out, abs=1e-6)


def test_half_the_step_gives_the_same_session():
    """0.5 min and 0.25 min agree to 1e-4 in blood volume."""
    assert run([(1.0, 40.0, 0.0)], dt=0.5).lowest == pytest.approx(run([(1.0, 40.0, 0.0)]).lowest, rel=1e-4)


def test_more_albumin_never_lowers_the_blood_volume():
    """The nadir rises with the albumin of the fluid."""
    nadirs = [run([(1.0, albumin, 0.0)]).lowest for albumin in (0.0, 20.0, 40.0, 50.0, 60.0)]
    assert nadirs == sorted(nadirs)


def test_saline_last_is_worse_than_saline_first():
    """The same bottles in another order: 30 % saline at the end costs more blood volume."""
    first = run([(0.3, 0.0, 0.0), (0.7, 40.0, 0.0)]).lowest
    assert run([(0.7, 40.0, 0.0), (0.3, 0.0, 0.0)]).lowest < first - 1.0


def test_an_emptied_plasma_is_a_status():
    """Removal without replacement ends in a status, not in a negative volume."""
    body, state = rested()
    statuses = []
    for _ in range(60):
        _, state, status = f.step(LAW, body, state, STILL._replace(plasma_removed=200.0), 0.5)
        statuses.append(status)
    assert f.PLASMA_EMPTY in statuses
