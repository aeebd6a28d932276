"""Plasma volume by the formula rule, with the other estimators beside it and where each leaves its validity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Protocol

from opentpe.domain.consultation import Estimator
from opentpe.domain.patient import Observation, Patient
from opentpe.evidence.load import Library
from opentpe.kernel import volumes


class Measured(Protocol):
    """Sex, weight, height and haematocrit, all known."""

    @property
    def female(self) -> bool | None: ...  # noqa: D102
    @property
    def weight(self) -> Observation | None: ...  # noqa: D102
    @property
    def height(self) -> Observation | None: ...  # noqa: D102
    @property
    def hct(self) -> Observation | None: ...  # noqa: D102


def estimate(size: Measured, patient: Patient, on: date, library: Library) -> tuple[Estimator, ...]:
    """Every estimator for a measured patient; `used` by the rule: Nadler, above the BMI limit Lemmens."""
    assert size.weight
    assert size.height
    assert size.hct
    numbers = (size.weight.value or 0.0, (size.height.value or 0.0) / 100, size.hct.value or 0.0)
    rows = estimators(bool(size.female), *numbers, library)
    outside = _outside(patient, on)
    return tuple(replace(row, outside_validity=(*row.outside_validity, *outside)) for row in rows)


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


def _outside(patient: Patient, on: date) -> tuple[str, ...]:
    pregnancy = patient.latest("pregnancy", on)
    pregnant = patient.has("pregnancy") is not None or (pregnancy is not None and pregnancy.answer == "pregnant")
    return ("pregnancy",) if pregnant else ()
