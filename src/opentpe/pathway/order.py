"""The order: patient plasma to remove, whole bottles in sequence, days on the calendar, one sentence per line.

Standard library only. What the separator shows is added from the forecast by `with_separator`, because the bag and the
run time are the forecast's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from opentpe.domain import words
from opentpe.domain.consultation import Order
from opentpe.domain.decision import Decision
from opentpe.domain.patient import Patient
from opentpe.domain.therapy import Calcium, Course, Dose, FluidPart, Prescription, Schedule
from opentpe.evidence.load import Library
from opentpe.pathway import access, calendar, fluids, order_lines, plasma_volume, preferences
from opentpe.pathway.order_lines import ADSORPTION, CITRATE, with_separator
from opentpe.pathway.size import measure

__all__ = ["build", "simulated", "with_separator"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, how often and how far apart, by the unit's modality and what the patient prefers."""

    plasma_volumes: float
    count: int
    interval_days: int


def build(patient: Patient, decision: Decision, library: Library, unit: Mapping[str, Any]) -> Order:
    """The order for a decision that advises an exchange; `needs` names what keeps it from being signed."""
    size, plan = measure(patient, decision.on), _plan(patient, decision.on, library, unit)
    if size.needs:
        parts = () if unit["modality"] == ADSORPTION else (FluidPart(str(unit["fluid"]), 1.0),)
        course, dates = _course(plan, plan.plasma_volumes, Dose.PLASMA_VOLUMES, parts, decision, library, unit, patient)
        needs = order_lines.needs(size.needs)
        return Order(course, words.say(course), 0.0, 0.0, plan.plasma_volumes, (), dates, (), (needs,), size.needs)
    estimators = plasma_volume.estimate(size, patient, decision.on, library)
    pv = next(e.plasma_volume_ml for e in estimators if e.used)
    given = _given(pv * plan.plasma_volumes, library, unit)
    course, dates = _course(plan, given.volume_ml, Dose.ML, given.parts, decision, library, unit, patient)
    order = Order(
        course=course,
        words=words.say(course),
        plasma_volume_ml=pv,
        volume_ml=given.volume_ml,
        plasma_volumes=given.volume_ml / pv,
        estimators=estimators,
        dates=dates,
        bottles=given.bottles,
        lines=(),
    )
    pen = order_lines.Pen(patient, decision, library, unit)
    return replace(order, lines=tuple(order_lines.lines(order, size, pen)))


def simulated(unit: Mapping[str, Any]) -> bool:
    """True where the course can be forecast: there is no model of an adsorption column."""
    return bool(unit["modality"] != ADSORPTION)


def _plan(patient: Patient, on: date, library: Library, unit: Mapping[str, Any]) -> Plan:
    count, interval = "sessions_count", "interval_days"
    volumes = "plasma_volumes"
    if unit["modality"] == ADSORPTION:
        volumes, count, interval = (
            "adsorption_first_plasma_volumes",
            "adsorption_sessions_count",
            "adsorption_interval_days",
        )
    elif preferences.DAILY in preferences.wishes(patient, on):
        volumes, interval = "daily_plasma_volumes", "daily_interval_days"
    value = library.value
    return Plan(value(f"order.{volumes}"), int(value(f"order.{count}")), int(value(f"order.{interval}")))


def _given(target_ml: float, library: Library, unit: Mapping[str, Any]) -> fluids.Replacement:
    """Whole bottles near the target; the target itself, to 10 mL, where adsorption returns the patient's plasma."""
    if unit["modality"] == ADSORPTION:
        return fluids.Replacement(float(round(target_ml, -1)), (), ())
    return fluids.replacement(target_ml, unit, library)


def _course(
    plan: Plan,
    dose: float,
    dose_unit: Dose,
    parts: tuple[FluidPart, ...],
    decision: Decision,
    library: Library,
    unit: Mapping[str, Any],
    patient: Patient,
) -> tuple[Course, tuple[date, ...]]:
    dates = calendar.session_days(decision.start_on or decision.on, plan.count, plan.interval_days, unit)
    way_in = access.propose(patient, decision.on, unit)[0]
    citrate = unit["modality"] == CITRATE
    per_l = library.value("order.calcium_gluconate_ml_per_l") if citrate else 0.0
    prescription = Prescription(
        dose=dose,
        dose_unit=dose_unit,
        fluids=parts,
        inlet_ac_ratio=library.value("order.inlet_ac_ratio") if citrate else None,
        calcium=Calcium(per_l, "mL/L"),
        balance_fraction=library.value("order.balance_fraction"),
        access=way_in,
        separator=unit["separator"],
        single_needle=way_in == unit["access_single_needle"],
    )
    return Course(plan.count, prescription, Schedule("dates", dates=dates)), dates
