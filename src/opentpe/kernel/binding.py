"""Binding of calcium, magnesium and citrate to each other and to plasma proteins: free from total, total from free.

Concentrations mmol/L of plasma, proteins g/L. Constants come as arguments (`equations/citrate`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numba import njit

OK = 0
NOT_CONVERGED = 1  # the equilibrium used all its passes

_PASSES = 40
_TOLERANCE = 1e-10
_CLAMP = 1.5
_FLOOR = 1e-9
_LN10 = math.log(10.0)


class Binding(NamedTuple):
    """Binding constants (per mmol/L; protein ones of the deprotonated site) and sites (mmol/g)."""

    albumin_k: float
    globulin_k: float
    calcium_citrate_k: float
    magnesium_citrate_k: float
    albumin_sites_mmol_g: float
    globulin_sites_mmol_g: float
    site_pka: float
    small_anion_ratio: float


@njit(cache=True)
def site_strengths(binding: Binding, ph: float) -> tuple[float, float]:
    """Albumin and globulin binding at a pH, per mmol/L (`takano2012`; model-citrate equation 3)."""
    share = 1.0 / (1.0 + math.exp(_LN10 * (binding.site_pka - ph)))
    return binding.albumin_k * share, binding.globulin_k * share


@njit(cache=True)
def equilibrium(
    binding: Binding,
    strengths: tuple[float, float],
    totals: tuple[float, float, float],
    albumin: float,
    globulin: float,
    guess: tuple[float, float],
) -> tuple[float, float, tuple[float, float], int]:
    """Free calcium, free magnesium, (their sum, free citrate), all mmol/L, and a status, from the three totals.

    Newton's method in the logarithms of the sum s and free citrate z, started from `guess` = (s, z). `strengths` are
    those of `site_strengths`. Zero protein is allowed. Status `NOT_CONVERGED` after 40 passes.
    """
    calcium, magnesium, citrate = max(totals[0], _FLOOR), max(totals[1], _FLOOR), max(totals[2], _FLOOR)
    (ka, kg), (s, z) = strengths, guess
    sites_a, sites_g = binding.albumin_sites_mmol_g * albumin * ka, binding.globulin_sites_mmol_g * globulin * kg
    kc, km = binding.calcium_citrate_k, binding.magnesium_citrate_k
    u, v, log_citrate = math.log(s), math.log(z), math.log(citrate)
    x = y = 0.0
    for _ in range(_PASSES):
        ra, rg = 1.0 / (1.0 + ka * s), 1.0 / (1.0 + kg * s)
        b = 1.0 + binding.small_anion_ratio + sites_a * ra + sites_g * rg
        db = -(sites_a * ka * ra * ra + sites_g * kg * rg * rg)
        rx, ry = 1.0 / (b + kc * z), 1.0 / (b + km * z)
        x, y = calcium * rx, magnesium * ry
        c = 1.0 + kc * x + km * y
        f1, f2 = math.log((x + y) / s), v + math.log(c) - log_citrate
        if abs(f1) < _TOLERANCE and abs(f2) < _TOLERANCE:
            return x, y, (s, z), OK
        xs, ys, xz, yz = -x * db * s * rx, -y * db * s * ry, -x * kc * z * rx, -y * km * z * ry
        a11, a12 = (xs + ys) / (x + y) - 1.0, (xz + yz) / (x + y)
        a21, a22 = (kc * xs + km * ys) / c, 1.0 + (kc * xz + km * yz) / c
        det = a11 * a22 - a12 * a21
        u += min(max((-f1 * a22 + f2 * a12) / det, -_CLAMP), _CLAMP)
        v += min(max((-a11 * f2 + a21 * f1) / det, -_CLAMP), _CLAMP)
        s, z = math.exp(u), math.exp(v)
    return x, y, (s, z), NOT_CONVERGED


@njit(cache=True)
def bound(
    binding: Binding, ph: float, free: tuple[float, float, float], albumin: float, globulin: float
) -> tuple[float, float, float]:
    """Total calcium, magnesium and citrate of plasma with these free values (equation 5)."""
    (ka, kg), (x, y, z) = site_strengths(binding, ph), free
    b = 1.0 + binding.small_anion_ratio + binding.albumin_sites_mmol_g * albumin * ka / (1.0 + ka * (x + y))
    b += binding.globulin_sites_mmol_g * globulin * kg / (1.0 + kg * (x + y))
    kc, km = binding.calcium_citrate_k, binding.magnesium_citrate_k
    return x * (b + kc * z), y * (b + km * z), z * (1.0 + kc * x + km * y)


@njit(cache=True)
def diffusible(binding: Binding, free: float, free_citrate: float, citrate_k: float) -> float:
    """Calcium or magnesium that crosses the capillary wall: free, on small anions, on citrate (equation 6)."""
    return free * (1.0 + binding.small_anion_ratio + citrate_k * free_citrate)


@njit(cache=True)
def inlet_ionised_calcium(
    binding: Binding,
    ph: float,
    totals: tuple[float, float, float],
    albumin: float,
    globulin: float,
    ac_fraction: float,
    ac_citrate: float,
) -> tuple[float, int]:
    """Ionised calcium (mmol/L) of blood that has met the anticoagulant, and a status.

    `ac_fraction` of the plasma phase is anticoagulant with `ac_citrate` mmol/L of citrate.
    """
    left = 1.0 - ac_fraction
    mixed = (totals[0] * left, totals[1] * left, totals[2] * left + ac_citrate * ac_fraction)
    guess = (0.2, max(mixed[2], _FLOOR))
    x, _, _, status = equilibrium(binding, site_strengths(binding, ph), mixed, albumin * left, globulin * left, guess)
    return x, status
