"""Formulas with the library's coefficients, where more than one room needs the same answer."""

from __future__ import annotations

from opentpe.domain.consultation import Estimator
from opentpe.evidence.load import Library
from opentpe.kernel import volumes


def estimators(female: bool, weight_kg: float, height_m: float, hct: float, library: Library) -> tuple[Estimator, ...]:
    """Plasma volume, mL, by each formula for current measured weight, never ideal weight."""
    table = "equations/volumes"
    sex = "female" if female else "male"
    nadler = volumes.Nadler(**{n: library.value(f"{table}.nadler.{sex}.{n}") for n in volumes.Nadler._fields})
    lemmens = volumes.Lemmens(**{n: library.value(f"{table}.lemmens.{n}") for n in volumes.Lemmens._fields})
    bmi = volumes.body_mass_index(weight_kg, height_m)
    use_lemmens = bmi > library.value("order.lemmens_above_bmi")
    blood = {
        "nadler": volumes.nadler(weight_kg, height_m, nadler),
        "lemmens": volumes.lemmens(weight_kg, height_m, lemmens),
        "kaplan": volumes.per_weight(weight_kg, library.value(f"{table}.kaplan.ml_kg")),
        "by_weight": volumes.per_weight(weight_kg, library.value(f"{table}.by_weight.ml_kg")),
    }
    used = "lemmens" if use_lemmens else "nadler"
    return tuple(
        Estimator(name, volumes.plasma(ml, hct), name == used, f"{table}.{name}") for name, ml in blood.items()
    )
