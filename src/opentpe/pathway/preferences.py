"""What the patient prefers, and what each preference does to the plan: one line each, never a silent change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from opentpe.domain.consultation import Line
from opentpe.domain.patient import Observation, Patient

DAILY: Final = "daily_sessions"
NO_BLOOD: Final = "no_blood_products"
NO_CENTRAL_LINE: Final = "no_central_line"
NO_PLASMA: Final = ("no_donor_plasma", NO_BLOOD)
_KNOWN: Final = ("declines_exchange", NO_BLOOD, "no_donor_plasma", NO_CENTRAL_LINE, DAILY)
_SOURCES: Final = ("opentpe_practice",)


def stated(patient: Patient, on: date) -> tuple[Observation, ...]:
    """Every preference on record up to a day, newest first."""
    return patient.seen("preference", on)


def wishes(patient: Patient, on: date) -> frozenset[str]:
    """The stated preferences that the plan knows how to follow."""
    return frozenset(row.answer for row in stated(patient, on) if row.answer in _KNOWN)


def effects(patient: Patient, on: date, access: str, unit: Mapping[str, Any]) -> tuple[Line, ...]:
    """A line for each stated preference: what was changed, what was kept, or what must be settled first."""
    lines = [Line(f"preference_{code}", (), _SOURCES, "design") for code in _codes(patient, on, access, unit)]
    free = [row.text or row.answer for row in stated(patient, on) if row.answer not in _KNOWN]
    return (*lines, *(Line("preference_free", (("text", text),), _SOURCES, "design") for text in free))


def _codes(patient: Patient, on: date, access: str, unit: Mapping[str, Any]) -> list[str]:
    """The effect of each known preference, as the order stands."""
    found = wishes(patient, on)
    adsorbs, central = unit["modality"] == "immunoadsorption", access == unit["access_central"]
    effect = {
        NO_BLOOD: "no_blood_kept" if adsorbs else "no_blood_open",
        NO_CENTRAL_LINE: "no_line_open" if central else "no_line_kept",
        DAILY: "daily_as_usual" if adsorbs else DAILY,
    }
    return [effect.get(wish, wish) for wish in _KNOWN if wish in found]
