"""Plasma volume by the formula rule, with the other estimators beside it and where each leaves its validity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Protocol

from opentpe.domain.consultation import Estimator
from opentpe.domain.patient import Observation, Patient
from opentpe.evidence import formulas
from opentpe.evidence.load import Library


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
    rows = formulas.estimators(bool(size.female), *numbers, library)
    outside = _outside(patient, on)
    return tuple(replace(row, outside_validity=(*row.outside_validity, *outside)) for row in rows)


def _outside(patient: Patient, on: date) -> tuple[str, ...]:
    pregnancy = patient.latest("pregnancy", on)
    pregnant = patient.has("pregnancy") is not None or (pregnancy is not None and pregnancy.answer == "pregnant")
    return ("pregnancy",) if pregnant else ()
