"""What is trained: the scenarios with their hidden events, for the invented patient or for the patient of a course."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import tomli

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Dose, FluidPart, Prescription
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.simulation import events
from opentpe.simulation.events import Event
from opentpe.simulation.exchange import Exchange

_FILE: Final = Path(__file__).parents[1] / "scenarios.toml"
INVENTED: Final = Subject(female=True, height_cm=168.0, weight_kg=68.0, hct=0.38, age_years=34.0)


@lru_cache(maxsize=1)
def scenarios() -> dict[str, Any]:
    """Every scenario by key."""
    return tomli.loads(_FILE.read_text(encoding="utf-8"))


def exchange(
    scenario: str, library: Library, about: Subject | None = None, order: str = ""
) -> tuple[Exchange, tuple[Event, ...]]:
    """The exchange of a scenario and what happens in it; with `about` and `order` (course words), of that patient."""
    if scenario not in scenarios():
        raise InputError("scenario", repr(scenario), ", ".join(scenarios()))
    row = scenarios()[scenario]
    prescription = words.parse(order).prescription if order else standard(library)
    single = prescription.single_needle
    separator = row.get("separator") or ("centrifuge_single_needle" if single else "centrifuge_continuous")
    access = row.get("access") or ("peripheral_single_needle" if single else prescription.access or "")
    happenings = tuple(e for line in row["hidden"] for e in events.parse(line))
    return Exchange(about or INVENTED, prescription, separator=separator, access=access), happenings


def standard(library: Library) -> Prescription:
    """The order of the invented patient: the library's dose, albumin."""
    return Prescription(library.value("order.plasma_volumes"), Dose.PLASMA_VOLUMES, (FluidPart("albumin_5", 1.0),))
