"""How proteins, antibodies and blood cells are made, spread, catabolised and removed: scalar laws of one solute.

Amounts mg (or unit x mL), volumes mL, flows mL/min, rates per minute, times min; concentration mg/mL = g/L.
Equation numbers are those of docs/theory/turnover.md. All elimination leaves from plasma.
"""

from __future__ import annotations

import math

from opentpe.kernel.compiled import compiled

_SERIES = 0.1  # below this the phi functions use their Taylor series: nine terms reach 1e-16
_PHI2 = tuple(1.0 / math.factorial(k) for k in range(10, 1, -1))
_LEVERAGE = 100.0  # terms of a sum this many times the sum cost two of its digits
_EQUAL = 1e-5  # eigenvalues closer than this per step count as equal: cancellation and truncation are both 1e-11


@compiled
def phi1(z: float, grown: float) -> float:
    """(e^z - 1)/z, where `grown` is e^z - 1."""
    return 1.0 if z == 0.0 else grown / z


@compiled
def phi2(z: float, grown: float) -> float:
    """(e^z - 1 - z)/z^2, where `grown` is e^z - 1; by its series near zero."""
    if abs(z) > _SERIES:
        return (grown - z) / (z * z)
    total = 0.0
    for coefficient in _PHI2:
        total = total * z + coefficient
    return total


@compiled
def phi1_slope(z: float) -> float:
    """Derivative of `phi1`, by its series near zero."""
    if abs(z) > _SERIES:
        return ((z - 1) * math.exp(z) + 1) / (z * z)
    total, term = 0.0, 0.5
    for k in range(9):
        total += term * (k + 1)
        term *= z / (k + 3)
    return total


@compiled
def phi2_slope(z: float) -> float:
    """Derivative of `phi2`, by its series near zero."""
    if abs(z) > _SERIES:
        return (phi1_slope(z) - phi2(z, math.expm1(z))) / z
    total, term = 0.0, 1.0 / 6.0
    for k in range(9):
        total += term * (k + 1)
        term *= z / (k + 4)
    return total


@compiled
def two_pool(
    plasma: float, tissue: float, a: float, b: float, c: float, d: float, supply: float, dt: float
) -> tuple[float, float, float]:
    """Plasma amount, tissue amount and plasma exposure (amount x min) after an exact step of constant rates.

    dA1/dt = supply - a A1 + b A2; dA2/dt = c A1 - d A2 (equations 1 to 7). One pool is b = c = 0. Equal eigenvalues,
    no elimination (a d = b c) and decoupled pools are covered. The exposure closes the mass ledger independently of
    the amounts: removed = q x exposure, catabolised = k10 x exposure.
    """
    m, e = 0.5 * (a + d), 0.5 * (a - d)
    w = math.sqrt(e * e + b * c)
    slow = -(a * d - b * c) / (m + w) if m + w > 0.0 else 0.0
    fast = -(m + w)
    grown = math.expm1(slow * dt)  # e^(slow dt) - 1
    spread = math.expm1(-2 * w * dt)
    e0 = 1.0 + grown
    shrunk = grown + e0 * spread  # e^(fast dt) - 1: both terms have one sign
    p0, p1 = dt * phi1(slow * dt, grown), dt * phi1(fast * dt, shrunk)
    q0, q1 = dt * dt * phi2(slow * dt, grown), dt * dt * phi2(fast * dt, shrunk)
    f0, g0, h0 = e0 + 0.5 * e0 * spread, 0.5 * (p0 + p1), 0.5 * (q0 + q1)
    if w * dt > _EQUAL:
        f1, g1, h1 = -e0 * spread / (2 * w), (p0 - p1) / (2 * w), (q0 - q1) / (2 * w)
    else:
        f1, g1, h1 = dt * math.exp(-m * dt), dt**2 * phi1_slope(-m * dt), dt**3 * phi2_slope(-m * dt)
    return (
        (f0 - e * f1) * plasma + b * f1 * tissue + (g0 - e * g1) * supply,
        c * f1 * plasma + (f0 + e * f1) * tissue + c * g1 * supply,
        (g0 - e * g1) * plasma + b * g1 * tissue + (h0 - e * h1) * supply,
    )


@compiled
def modes(
    plasma: float, tissue: float, a: float, b: float, c: float, d: float, supply: float
) -> tuple[bool, float, float, float, float, float]:
    """The same course as a sum: plasma(t) = floor + slow x e^(slow rate t) + fast x e^(fast rate t).

    Gives whether this form keeps its digits (else use `two_pool`), then floor, slow, slow rate, fast, fast rate.
    """
    m, e, det = 0.5 * (a + d), 0.5 * (a - d), a * d - b * c
    w = math.sqrt(e * e + b * c)
    floor, tissue_floor = supply * d / det, supply * c / det
    x, y = plasma - floor, tissue - tissue_floor
    tilt = (b * y - e * x) / (2 * w)
    sound = det > 0.0 and w > _EQUAL * m and floor < _LEVERAGE * plasma and abs(tilt) < _LEVERAGE * plasma
    return sound, floor, 0.5 * x + tilt, -det / (m + w), 0.5 * x - tilt, -(m + w)


@compiled
def recycling_drive(total_igg: float, half: float, reference: float, blocker: float, blocker_half: float) -> float:
    """FcRn recycling relative to an unblocked patient at the reference IgG (equations 13 and 15).

    Concentrations mg/mL; blocker in standard doses. One means reference; IVIG and blockers lower it, low IgG raises it.
    """
    free = blocker_half / (blocker + blocker_half) if blocker > 0.0 else 1.0
    return (half + reference) / (half + total_igg) * free


@compiled
def recycled_share(reference_rate: float, free_rate: float) -> float:
    """Share of an IgG that FcRn returns at drive 1, from its catabolic rate there and without FcRn (equation 14)."""
    return max(0.0, 1.0 - reference_rate / free_rate)


@compiled
def fcrn_rate(share: float, free_rate: float, drive: float) -> float:
    """Catabolic rate of an IgG per minute at a recycling drive (equation 13)."""
    return free_rate * (1.0 - min(1.0, share * drive))


@compiled
def saturable_rate(maximum_mg_min: float, half_mg: float, amount_mg: float) -> float:
    """Extra catabolic rate per minute through a saturable target, by amount in the central volume (equation 16)."""
    return maximum_mg_min / (half_mg + amount_mg)


@compiled
def exchange_rate(sieving: float, plasma_flow: float, spread_ratio: float, plasma_ml: float) -> float:
    """Removal rate per minute while `plasma_flow` mL/min of plasma leave; `spread_ratio` is rho, 1 for plasma."""
    return sieving * plasma_flow / (spread_ratio * plasma_ml)


@compiled
def platelets_after(count: float, loss_fraction: float, blood_before_ml: float, blood_after_ml: float) -> float:
    """Platelet count after a session (equation 18)."""
    return count * (1 - loss_fraction) * blood_before_ml / blood_after_ml


@compiled
def platelets_later(count: float, resting: float, return_rate: float, dt: float) -> float:
    """Platelet count `dt` minutes later, returning to its resting value (equation 18)."""
    return resting - (resting - count) * math.exp(-return_rate * dt)


@compiled
def haematocrit(red_cells_ml: float, plasma_ml: float) -> float:
    """Haematocrit of the circulating blood (equation 19)."""
    return red_cells_ml / (red_cells_ml + plasma_ml)
