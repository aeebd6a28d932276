"""Whom a forecast is about: size, blood and the values that were measured; everything else is the population's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from opentpe.domain.patient import Patient
from opentpe.errors import InputError

# Measured values a forecast can start from, besides size and haematocrit: names of Observation.kind.
MEASURED = (
    "igg", "iga", "igm", "albumin", "total_protein", "fibrinogen", "calcium", "ionised_calcium", "magnesium",
    "potassium", "bicarbonate", "platelets", "systolic_pressure", "diastolic_pressure", "heart_rate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """Size and measured values of one patient; cm, kg, fraction; measured values in the units of their kind."""

    female: bool
    height_cm: float
    weight_kg: float
    hct: float
    age_years: float | None = None
    liver: str = "normal"  # normal | cirrhosis | failure
    pregnant: bool = False
    measured: tuple[tuple[str, float], ...] = ()

    def value(self, kind: str) -> float | None:
        """A measured value by kind, None where it was not measured."""
        return dict(self.measured).get(kind)


def subject_of(patient: Patient, on: date) -> Subject | None:
    """The subject of a forecast for a patient on a day; None where size or haematocrit is missing."""
    size = {kind: patient.latest(kind, on) for kind in ("weight", "height", "haematocrit")}
    values = {kind: o.value for kind, o in size.items() if o is not None and o.value is not None}
    if len(values) < len(size) or patient.sex not in ("female", "male"):
        return None
    measured = ((kind, patient.latest(kind, on)) for kind in MEASURED)
    pregnancy = patient.latest("pregnancy", on)
    return Subject(
        female=patient.sex == "female",
        height_cm=values["height"],
        weight_kg=values["weight"],
        hct=values["haematocrit"],
        age_years=patient.age_years(on),
        liver="failure" if patient.has("liver_failure") else "cirrhosis" if patient.has("cirrhosis") else "normal",
        pregnant=patient.has("pregnancy") is not None or (pregnancy is not None and pregnancy.answer == "pregnant"),
        measured=tuple((kind, o.value) for kind, o in measured if o is not None and o.value is not None),
    )


_WINDOWS = (("height_cm", 120.0, 220.0), ("weight_kg", 30.0, 250.0), ("hct", 0.15, 0.65))


def check(subject: Subject) -> Subject:
    """The subject itself where its size is that of an adult; else `InputError` that says what to do."""
    for name, low, high in _WINDOWS:
        value = getattr(subject, name)
        if not low <= value <= high:
            raise InputError(
                name, f"{value:g}", f"{low:g} to {high:g}", "Check the unit: cm, kg, and the haematocrit as a fraction."
            )
    return subject
