"""Blood and plasma volume from body size: standard library only, because the pathway needs a plasma volume.

Coefficients come from `evidence/equations/volumes.toml`. Lengths m, weights kg, volumes mL, haematocrit as a fraction.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Nadler(NamedTuple):
    """Coefficients of one sex: blood volume [L] = per_m3 h^3 + per_kg w + constant_l (nadler1962)."""

    per_m3: float
    per_kg: float
    constant_l: float


class Lemmens(NamedTuple):
    """Indexed blood volume [mL/kg] = lean_ml_kg / sqrt(BMI / lean_bmi) (lemmens2006)."""

    lean_ml_kg: float
    lean_bmi: float


def body_mass_index(weight_kg: float, height_m: float) -> float:
    """Body mass index, kg/m2.

    >>> round(body_mass_index(60, 1.65), 1)
    22.0
    """
    return weight_kg / height_m**2


def nadler(weight_kg: float, height_m: float, c: Nadler) -> float:
    """Blood volume, mL, by height and weight for one sex (nadler1962).

    >>> round(nadler(75, 1.75, Nadler(0.3669, 0.03219, 0.6041)))
    4985
    """
    return 1000 * (c.per_m3 * height_m**3 + c.per_kg * weight_kg + c.constant_l)


def lemmens(weight_kg: float, height_m: float, c: Lemmens) -> float:
    """Blood volume, mL, with the index falling as body mass index rises (lemmens2006).

    >>> round(lemmens(60, 1.65, Lemmens(70, 22)), -1)
    4200.0
    """
    return weight_kg * c.lean_ml_kg / math.sqrt(body_mass_index(weight_kg, height_m) / c.lean_bmi)


def per_weight(weight_kg: float, ml_kg: float) -> float:
    """Blood volume, mL, by weight alone: the 70 mL/kg rule, or Kaplan's 65 mL/kg; overestimates in obesity.

    >>> per_weight(60, 65)
    3900
    """
    return weight_kg * ml_kg


def plasma(blood_ml: float, hct: float) -> float:
    """Plasma volume, mL, of a blood volume at a haematocrit.

    >>> round(plasma(4985, 0.40))
    2991
    """
    return blood_ml * (1 - hct)


def red_cells(blood_ml: float, hct: float) -> float:
    """Red-cell volume, mL, of a blood volume at a haematocrit.

    >>> red_cells(5000, 0.4)
    2000.0
    """
    return blood_ml * hct
