"""Binding of calcium, magnesium and citrate to each other and to plasma proteins: free from total, total from free.

Concentrations mmol/L of plasma, proteins g/L. Constants come as arguments (`equations/citrate`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from opentpe.kernel.compiled import compiled, woven

OK = 0
NOT_CONVERGED = 1  # the equilibrium used all its passes

PASSES = 40
SETTLED = 3e-5  # relative change of a pass; convergence is quadratic, so the error left is its square
STAGE_SETTLED = 1e-3  # the same inside a step, where flows need six digits
_LARGEST = 0.7  # relative change allowed in one pass
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


@woven
def site_strengths(binding: Binding, acid_ratio: float) -> tuple[float, float]:
    """Albumin and globulin binding, per mmol/L, at 10^(pKa - pH) (`takano2012`; equation 3)."""
    share = 1.0 / (1.0 + acid_ratio)
    return binding.albumin_k * share, binding.globulin_k * share


@compiled
def acid_ratio(binding: Binding, ph: float) -> float:
    """Protonated over free sites at a pH: 10^(pKa - pH)."""
    return math.exp(_LN10 * (binding.site_pka - ph))


class Mixture(NamedTuple):
    """What is to be balanced: totals (mmol/L), protein sites times their strength, strengths (per mmol/L)."""

    calcium: float
    magnesium: float
    citrate: float
    albumin: float
    globulin: float
    albumin_k: float
    globulin_k: float


@woven
def mixture(
    binding: Binding,
    strengths: tuple[float, float],
    totals: tuple[float, float, float],
    proteins: tuple[float, float],
) -> Mixture:
    """A plasma ready to be balanced; `proteins` are albumin and globulin, g/L, and may be zero."""
    return Mixture(
        max(totals[0], _FLOOR),
        max(totals[1], _FLOOR),
        max(totals[2], _FLOOR),
        binding.albumin_sites_mmol_g * proteins[0] * strengths[0],
        binding.globulin_sites_mmol_g * proteins[1] * strengths[1],
        strengths[0],
        strengths[1],
    )


@woven
def improve(
    binding: Binding, mix: Mixture, guess: tuple[float, float], tolerance: float
) -> tuple[tuple[float, float], bool]:
    """A better (sum of free calcium and magnesium, free citrate), and whether it has settled: one pass of Newton.

    Settled means that the pass changed both by less than `tolerance` of themselves. Each pass is held to a change of
    70 %, so that both stay positive.
    """
    (s, z), kc, km = guess, binding.calcium_citrate_k, binding.magnesium_citrate_k
    ra, rg = 1.0 / (1.0 + mix.albumin_k * s), 1.0 / (1.0 + mix.globulin_k * s)
    b = 1.0 + binding.small_anion_ratio + mix.albumin * ra + mix.globulin * rg
    db = -(mix.albumin * mix.albumin_k * ra * ra + mix.globulin * mix.globulin_k * rg * rg)
    rx, ry = 1.0 / (b + kc * z), 1.0 / (b + km * z)
    x, y = mix.calcium * rx, mix.magnesium * ry
    xs, ys, xz, yz = -x * db * rx, -y * db * ry, -x * kc * rx, -y * km * ry
    c = 1.0 + kc * x + km * y
    a11, a12 = xs + ys - 1.0, xz + yz
    a21, a22 = z * (kc * xs + km * ys), c + z * (kc * xz + km * yz)
    f1, f2 = x + y - s, z * c - mix.citrate
    turn = 1.0 / (a11 * a22 - a12 * a21)
    ds, dz = (a12 * f2 - a22 * f1) * turn, (a21 * f1 - a11 * f2) * turn
    settled = abs(ds) < tolerance * s and abs(dz) < tolerance * z
    s += min(max(ds, -_LARGEST * s), _LARGEST * s + 1.0)
    z += min(max(dz, -_LARGEST * z), _LARGEST * z + 1.0)
    return (s, z), settled


@woven
def free(binding: Binding, mix: Mixture, at: tuple[float, float]) -> tuple[float, float]:
    """Free calcium and magnesium of a balanced plasma."""
    b = 1.0 + binding.small_anion_ratio
    b += mix.albumin / (1.0 + mix.albumin_k * at[0]) + mix.globulin / (1.0 + mix.globulin_k * at[0])
    z = at[1]
    return mix.calcium / (b + binding.calcium_citrate_k * z), mix.magnesium / (b + binding.magnesium_citrate_k * z)


@compiled
def equilibrium(
    binding: Binding,
    strengths: tuple[float, float],
    totals: tuple[float, float, float],
    proteins: tuple[float, float],
    guess: tuple[float, float],
) -> tuple[float, float, tuple[float, float], int]:
    """Free calcium, free magnesium, (their sum, free citrate), all mmol/L, and a status, from the three totals.

    Newton's method from `guess`; status `NOT_CONVERGED` after 40 passes.
    """
    mix = mixture(binding, strengths, totals, proteins)
    at, settled, passes = guess, False, 0
    while not settled and passes < PASSES:
        at, settled = improve(binding, mix, at, SETTLED)
        passes += 1
    x, y = free(binding, mix, at)
    return x, y, at, OK if settled else NOT_CONVERGED


@compiled
def bound(
    binding: Binding, strengths: tuple[float, float], free: tuple[float, float, float], proteins: tuple[float, float]
) -> tuple[float, float, float]:
    """Total calcium, magnesium and citrate of plasma with these free values (equation 5)."""
    (ka, kg), (x, y, z) = strengths, free
    b = 1.0 + binding.small_anion_ratio + binding.albumin_sites_mmol_g * proteins[0] * ka / (1.0 + ka * (x + y))
    b += binding.globulin_sites_mmol_g * proteins[1] * kg / (1.0 + kg * (x + y))
    kc, km = binding.calcium_citrate_k, binding.magnesium_citrate_k
    return x * (b + kc * z), y * (b + km * z), z * (1.0 + kc * x + km * y)


@woven
def diffusible(binding: Binding, free: float, free_citrate: float, citrate_k: float) -> float:
    """Calcium or magnesium that crosses the capillary wall: free, on small anions, on citrate (equation 6)."""
    return free * (1.0 + binding.small_anion_ratio + citrate_k * free_citrate)


@compiled
def inlet_ionised_calcium(
    binding: Binding,
    ph: float,
    totals: tuple[float, float, float],
    proteins: tuple[float, float],
    ac_fraction: float,
    ac_citrate: float,
) -> tuple[float, int]:
    """Ionised calcium (mmol/L) of blood that has met the anticoagulant, and a status.

    `ac_fraction` of the plasma phase is anticoagulant with `ac_citrate` mmol/L of citrate.
    """
    left = 1.0 - ac_fraction
    mixed = (totals[0] * left, totals[1] * left, totals[2] * left + ac_citrate * ac_fraction)
    strengths = site_strengths(binding, acid_ratio(binding, ph))
    x, _, _, status = equilibrium(
        binding, strengths, mixed, (proteins[0] * left, proteins[1] * left), (0.2, max(mixed[2], _FLOOR))
    )
    return x, status
