"""Measured values in their canonical unit: whitelist, plausibility window and steps of the kind."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from opentpe import units
from opentpe.errors import InputError, UnitError
from opentpe.fhir import shape
from opentpe.fhir.shape import Node

_WRITTEN: Final = re.compile(r"(?P<comparator>[<>]=?|)\s*(?P<number>[+-]?\d[\d.,]*)\s*(?P<unit>\D.*)?")
_BARE_UNITS: Final = ("ratio", "fraction")
_REMEDY: Final = "Correct the value or its unit; otherwise remove it."


class Measured(NamedTuple):
    """A value in the canonical unit; `comparator` is < or > where the laboratory gave only a limit."""

    value: float
    comparator: str = ""
    where: str = ""


def read(body: Node, row: Node, kind: str, where: str) -> Measured | None:
    """The value of an Observation or component as a number; None where there is none at all.

    Raises `InputError` that names the element for an unknown unit or an unreadable value.
    """
    quantity = shape.node(body, "valueQuantity")
    if quantity:
        return _quantity(quantity, row, kind, f"{where}.valueQuantity")
    for element in ("valueInteger", "valueDecimal"):
        value = shape.number(body, element)
        if value is not None:
            return Measured(_converted(value, "", row, f"{where}.{element}"), "", f"{where}.{element}")
    written = shape.text(body, "valueString")
    return _string(written, row, kind, f"{where}.valueString") if written else None


def _quantity(quantity: Node, row: Node, kind: str, where: str) -> Measured:
    value = shape.number(quantity, "value")
    if value is None:
        raise InputError(where, f"value {str(quantity.get('value'))[:40]!r}", f"a number for {_name(kind)}", _REMEDY)
    return Measured(_converted(value, _unit(quantity, where), row, where), shape.text(quantity, "comparator"), where)


def _unit(quantity: Node, where: str) -> str:
    """The unit of a quantity: its UCUM code, else its text; refused where the two say different things."""
    code, text = shape.text(quantity, "code"), shape.text(quantity, "unit")
    if code == text:
        return code
    known = [u for u in (code, text) if u and units.known(u)]
    if len(known) == 2 and not _same(code, text):
        raise UnitError(where, f"unit {text!r} with code {code!r}", "one unit", "Correct the unit in the record.")
    return known[0] if known else code or text


@lru_cache(maxsize=1024)  # of two units of the whitelist
def _same(code: str, text: str) -> bool:
    kinds = (units.dimension(code), units.dimension(text))
    if all(k in _BARE_UNITS for k in kinds) and "%" not in (code, text):
        return True
    return kinds[0] == kinds[1] and abs(units.convert(1.0, code, text, text) - 1.0) < 1e-9


def _string(written: str, row: Node, kind: str, where: str) -> Measured:
    found = _WRITTEN.fullmatch(written)
    value = shape.parse_number(found["number"]) if found else None
    if found is None or value is None:
        raise InputError(where, repr(written[:60]), f"a number with its unit for {_name(kind)}", _REMEDY)
    return Measured(_converted(value, (found["unit"] or "").strip(), row, where), found["comparator"], where)


def check(value: float, row: Node, kind: str, where: str) -> None:
    """Raises `UnitError` where no living patient has the value, or a score does not go in such steps."""
    window = shape.node(row, "plausible")
    low, high = float(window["low"]), float(window["high"])
    if not low <= value <= high:
        units.plausible(value, low, high, _name(kind), str(row["unit"]), where)
    step = row.get("step")
    if step and abs(value / step - round(value / step)) > 1e-9:
        raise UnitError(where, f"{_name(kind)} {value:g}", f"steps of {step:g}", _REMEDY)


def _converted(value: float, unit: str, row: Node, where: str) -> float:
    """In the canonical unit, without the noise of the conversion (41 % is 0.41)."""
    return float(f"{_in_canonical(value, unit, row, where):.12g}")


def _in_canonical(value: float, unit: str, row: Node, where: str) -> float:
    to = str(row["unit"])
    if unit == to and "scale" not in row and "valence" not in row:
        return units.convert(value, unit, to, where)
    dimension = units.dimension(unit)
    if row.get("scale"):
        if not unit or re.fullmatch(r"\{[^}]*\}", unit) or (dimension in _BARE_UNITS and unit != "%"):
            return value
        raise UnitError(where, f"unit {unit!r}", "a number without unit", "Correct the unit in the record.")
    if not unit:
        raise UnitError(where, f"{value:g} without a unit", f"{to} or a unit that converts to it", _REMEDY)
    if dimension == "equivalent_concentration" and "valence" in row:
        return units.convert(value, unit, "meq/L", where) / float(row["valence"])
    mass = shape.number(shape.node(row, "molar_mass_g_mol"), "value")
    return units.convert(value, unit, to, where, mass)


def _name(kind: str) -> str:
    return kind.replace("_", " ")
