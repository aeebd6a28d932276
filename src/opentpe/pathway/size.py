"""The measurements an order rests on, as the record holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from opentpe.domain.patient import Observation, Patient


@dataclass(frozen=True, slots=True)
class Size:
    """Sex, weight, height and haematocrit; None where the record does not hold them."""

    female: bool | None
    weight: Observation | None
    height: Observation | None
    hct: Observation | None

    @property
    def needs(self) -> tuple[str, ...]:
        """What must be measured before the order can be signed."""
        held = {"sex": self.female, "weight": self.weight, "height": self.height, "haematocrit": self.hct}
        return tuple(name for name, value in held.items() if value is None)


def measure(patient: Patient, on: date) -> Size:
    """Current weight, height and haematocrit, never ideal weight; the newest value up to `on`."""
    female = {"female": True, "male": False}.get(patient.sex)
    weight, height, hct = (patient.latest(kind, on) for kind in ("weight", "height", "haematocrit"))
    return Size(female, weight, height, hct)
