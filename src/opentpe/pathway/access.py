"""Which way into the blood an order proposes, and why: two arms, one arm, or the neck."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from opentpe.domain.patient import Patient


def propose(patient: Patient, on: date, unit: Mapping[str, Any]) -> tuple[str, str]:
    """Access key of the unit and the reason code.

    Veins that are good or moderate in a usable arm count; an arm nobody looked at is taken as usable and said so.
    """
    arms = [_arm(patient, side, on) for side in ("left", "right")]
    usable = [arm for arm in arms if arm is not False]
    if len(usable) == 2:
        return unit["access_peripheral"], "two_arms" if all(arms) else "veins_not_recorded"
    if len(usable) == 1:
        return unit["access_single_needle"], "one_arm"
    return unit["access_central"], "no_arm"


def _arm(patient: Patient, side: str, on: date) -> bool | None:
    veins, arm = patient.latest(f"veins_{side}", on), patient.latest(f"arm_usable_{side}", on)
    if (veins and veins.answer == "poor") or (arm and arm.answer == "unusable"):
        return False
    return True if veins else None
