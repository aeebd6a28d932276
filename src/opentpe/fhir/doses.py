"""Doses and how often: mg per dose, doses per day and days, from a dosage or from tablets and their strength."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from opentpe import units
from opentpe.domain.patient import When
from opentpe.fhir import shape, when
from opentpe.fhir.codebook import Codebook
from opentpe.fhir.shape import Node

_DAYS: Final = {"h": 1 / 24, "d": 1.0, "wk": 7.0, "min": 1 / 1440, "mo": 30.0, "s": 1 / 86400, "a": 365.0}
_PER_DAY: Final = {
    "QD": 1.0,
    "BID": 2.0,
    "TID": 3.0,
    "QID": 4.0,
    "AM": 1.0,
    "PM": 1.0,
    "QOD": 0.5,
    "Q4H": 6.0,
    "Q6H": 4.0,
    "Q8H": 3.0,
}
_PIECES: Final = (
    "",
    "1",
    "{tablet}",
    "{tbl}",
    "{vial}",
    "{capsule}",
    "tablet",
    "tablets",
    "tablette",
    "tabletten",
    "tab",
    "tbl",
    "vial",
)


class Dose(NamedTuple):
    """One way of taking a drug; None is what the record does not say."""

    dose_mg: float | None = None
    per_day: float = 1.0
    days: int | None = None
    on: tuple[date, ...] = ()  # explicit days, where the record lists them
    route: str = ""
    unreadable: str = ""  # the amount as written, where it could not be turned into mg


def of_administration(body: Node, codes: Codebook, strength_mg: float | None) -> Dose:
    """The dose of one MedicationAdministration."""
    dosage = shape.node(body, "dosage")
    return _amount(shape.node(dosage, "dose"), strength_mg)._replace(
        route=codes.concept("route", shape.node(dosage, "route"))
    )


def of_instructions(instructions: Sequence[Node], codes: Codebook, strength_mg: float | None) -> list[Dose]:
    """The doses of a list of Dosage elements, one after the other as a taper is written."""
    return [_of_dosage(d, codes, strength_mg) for d in instructions]


def _of_dosage(dosage: Node, codes: Codebook, strength_mg: float | None) -> Dose:
    amounts = [shape.node(rate, "doseQuantity") for rate in shape.items(dosage, "doseAndRate")]
    amounts += [shape.node(rate, "doseRange", "high") for rate in shape.items(dosage, "doseAndRate")]
    amount = _amount(next((a for a in amounts if a), shape.EMPTY), strength_mg)
    timing = shape.node(dosage, "timing")
    repeat = shape.node(timing, "repeat")
    events = timing.get("event")
    days = [when.parse(e) for e in events if isinstance(e, str)] if isinstance(events, list) else []
    per_day = _per_day(repeat, timing)
    return amount._replace(
        per_day=per_day,
        days=_days(repeat, per_day),
        on=tuple(d.first_day for d in days if d is not None),
        route=codes.concept("route", shape.node(dosage, "route")),
    )


def _amount(quantity: Node, strength_mg: float | None) -> Dose:
    if not quantity:
        return Dose()
    value = shape.number(quantity, "value")
    for unit in (shape.text(quantity, "code"), shape.text(quantity, "unit")):
        if value is not None and units.dimension(unit) == "mass":
            return Dose(units.convert(value, unit, "mg", "dose"))
    unit = shape.text(quantity, "code") or shape.text(quantity, "unit")
    if value is not None and unit.casefold() in _PIECES and strength_mg is not None:
        return Dose(value * strength_mg)
    return Dose(unreadable=f"{quantity.get('value')} {unit}".strip()[:40])


def _per_day(repeat: Node, timing: Node) -> float:
    code = shape.first_code(shape.node(timing, "code")).upper()
    frequency = shape.number(repeat, "frequency")
    period = shape.number(repeat, "period")
    unit_days = _DAYS.get(shape.text(repeat, "periodUnit"), 0.0)
    if not unit_days or not period or period <= 0:
        return _PER_DAY.get(code, 1.0)
    rate = (frequency or 1.0) / (period * unit_days)
    return rate if 0 < rate <= 48 else 1.0


def _days(repeat: Node, per_day: float) -> int | None:
    duration = shape.node(repeat, "boundsDuration")
    value = shape.number(duration, "value")
    unit = shape.text(duration, "code") or shape.text(duration, "unit")
    if value is not None and unit in _DAYS:
        return _whole(value * _DAYS[unit])
    start, end = when.period(shape.node(repeat, "boundsPeriod"))
    if start is not None and end is not None:
        return _whole((end.latest.date() - start.first_day).days + 1)
    count = shape.number(repeat, "count")
    return _whole(count / per_day) if count is not None else None


def _whole(days: float) -> int | None:
    return round(days) if 1 <= round(days) <= 3660 else None


def strength_mg(medication: Node) -> float | None:
    """The mg of the first ingredient in one piece (tablet, vial); None where the record does not say."""
    for ingredient in shape.items(medication, "ingredient"):
        top = shape.node(ingredient, "strength", "numerator")
        bottom = shape.node(ingredient, "strength", "denominator")
        value, unit = shape.number(top, "value"), shape.text(top, "code") or shape.text(top, "unit")
        per = shape.number(bottom, "value") if bottom else 1.0
        per_unit = (shape.text(bottom, "code") or shape.text(bottom, "unit")).casefold()
        if value is not None and per and units.dimension(unit) == "mass" and per_unit in _PIECES:
            return units.convert(value, unit, "mg", "strength") / per
    return None


def days_between(start: When | None, end: When | None) -> int | None:
    """Days from start to end, both counted; None where one is missing, vague, or the order is wrong."""
    if start is None or end is None or not (start.certain_day and end.certain_day):
        return None
    days = (end.latest.date() - start.first_day).days + 1
    return days if days >= 1 else None
