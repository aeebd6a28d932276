"""Canonical units, and the whitelist of UCUM and laboratory units that may come in.

Inside: mL, min, mg, µmol, so that g/L = mg/mL and mmol/L = µmol/mL. A unit that is not listed is refused,
never guessed. Plausibility windows are evidence (`codes.toml`) and are applied by the reader with `plausible`.
"""

from __future__ import annotations

import math
from typing import Final

from opentpe.errors import UnitError

# UCUM or laboratory spelling -> (dimension, factor to the canonical unit of that dimension, offset)
_TABLE: Final[dict[str, tuple[str, float, float]]] = {}


def _add(dimension: str, canonical_factor: float, *spellings: str, offset: float = 0.0) -> None:
    for spelling in spellings:
        _TABLE[spelling] = (dimension, canonical_factor, offset)


_add("mass_concentration", 1.0, "g/L", "g/l", "mg/mL", "mg/ml")  # canonical g/L
_add("mass_concentration", 10.0, "g/dL", "g/dl")
_add("mass_concentration", 0.01, "mg/dL", "mg/dl", "mg%")
_add("mass_concentration", 1e-3, "mg/L", "mg/l", "ug/mL", "ug/ml", "µg/mL", "µg/ml", "μg/mL", "μg/ml")
_add("mass_concentration", 1e-5, "ug/dL", "ug/dl")
_add("mass_concentration", 1e-6, "ng/mL", "ng/ml", "ug/L", "ug/l")
_add("substance_concentration", 1.0, "mmol/L", "mmol/l", "umol/mL")  # canonical mmol/L
_add("substance_concentration", 1e-3, "umol/L", "umol/l", "µmol/L", "µmol/l", "μmol/L", "μmol/l")
_add("substance_concentration", 0.5, "meq/L{divalent}")
_add("equivalent_concentration", 1.0, "meq/L", "mEq/L", "meq/l", "mEq/l", "mval/L", "mval/l")
_add("fraction", 1.0, "1", "L/L", "l/l", "{fraction}", "{ratio}")
_add("fraction", 0.01, "%", "%{Hct}", "percent", "{%}")
_add("mass", 1.0, "mg")  # canonical mg
_add("mass", 1000.0, "g")
_add("mass", 1e6, "kg")
_add("mass", 1e-3, "ug", "µg", "μg", "mcg")
_add("mass", 453592.37, "[lb_av]", "lb", "lbs")
_add("length", 1.0, "cm")  # canonical cm
_add("length", 100.0, "m")
_add("length", 0.1, "mm")
_add("length", 2.54, "[in_i]", "in")
_add("volume", 1.0, "mL", "ml")  # canonical mL
_add("volume", 1000.0, "L", "l")
_add("time", 1.0, "min")  # canonical min
_add("time", 1 / 60, "s", "sec")
_add("time", 60.0, "h")
_add("time", 1440.0, "d")
_add("time", 10080.0, "wk")
_add("count_concentration", 1.0, "10*9/L", "10^9/L", "10*3/uL", "10*3/mm3", "K/uL", "10*9/l", "G/L", "10^3/uL")
_add("count_concentration", 1.0, "10^9/l", "G/l", "Gpt/L", "Gpt/l", "/nL", "/nl", "10*3/µL", "10^3/µL", "x10E3/uL")
_add("count_concentration", 1e-3, "/uL", "{cells}/uL", "/mm3")
_add("count_concentration", 1000.0, "10*12/L", "10*6/uL")
_add("catalytic_concentration", 1.0, "U/L", "u/l", "U/l", "[iU]/L", "IU/L", "IU/l")
_add("catalytic_concentration", 60.0, "ukat/L")
_add("temperature", 1.0, "Cel", "°C", "degC")  # canonical degree Celsius
_add("temperature", 5 / 9, "[degF]", "°F", offset=-32.0)
_add("pressure", 1.0, "mm[Hg]", "mmHg", "mm Hg")
_add("pressure", 7.500617, "kPa")
_add("frequency", 1.0, "/min", "{beats}/min", "{Beats}/min", "bpm")
_add("flow", 1.0, "mL/min", "ml/min")
_add("flow", 1000 / 60, "L/h")
_add("flow", 1 / 60, "mL/h")
_add("ratio", 1.0, "{INR}", "{index}", "{titer}", "[ph]", "[pH]", "{logMAR}", "{score}", "{grade}", "{EDSS}")
_add("clearance_indexed", 1.0, "mL/min/{1.73_m2}", "mL/min/1.73.m2", "mL/min/1.73m2")
_add("area_mass", 1.0, "kg/m2")
_add("dose_rate", 1.0, "mg/h")
_add("dose_rate", 1000.0, "g/h")


def known(unit: str) -> bool:
    """True where the unit is on the whitelist."""
    return unit.strip() in _TABLE


def whitelist() -> tuple[str, ...]:
    """Every accepted spelling, sorted: for documentation and for the cross-check with pint."""
    return tuple(sorted(_TABLE))


def dimension(unit: str) -> str | None:
    """The dimension of a unit on the whitelist, else None."""
    entry = _TABLE.get(unit.strip())
    return entry[0] if entry else None


def convert(value: float, unit: str, to: str, where: str, molar_mass_g_mol: float | None = None) -> float:
    """The value in unit `to`.

    Mass and substance concentration convert into each other only with a molar mass; 1 and % only where a
    fraction is asked for. Raises `UnitError`, naming `where`, for a unit that is not listed or does not fit.

    >>> convert(39, "%", "1", "Observation/hct")
    0.39
    >>> round(convert(9.6, "mg/dL", "mmol/L", "Observation/ca", molar_mass_g_mol=40.078), 3)
    2.395
    """
    source, target = _TABLE.get(unit.strip()), _TABLE.get(to)
    if target is None:
        raise UnitError(where, f"target unit {to!r}", "a unit of the whitelist")
    if source is None:
        raise UnitError(
            where, f"unit {unit!r}", f"{to} or a unit that converts to it", "Correct the unit in the record."
        )
    if not math.isfinite(value):
        raise UnitError(where, f"value {value}", "a finite number", "Correct or remove the value.")
    base = (value + source[2]) * source[1]
    if source[0] != target[0]:
        base = _bridge(base, source[0], target[0], where, unit, to, molar_mass_g_mol)
    return base / target[1] - target[2]


def _bridge(base: float, source: str, target: str, where: str, unit: str, to: str, molar_mass: float | None) -> float:
    if molar_mass and (source, target) == ("mass_concentration", "substance_concentration"):
        return base / molar_mass * 1000
    if molar_mass and (source, target) == ("substance_concentration", "mass_concentration"):
        return base * molar_mass / 1000
    raise UnitError(
        where,
        f"unit {unit!r} ({source.replace('_', ' ')})",
        f"{to} or a unit that converts to it",
        "Correct the unit in the record.",
    )


def plausible(value: float, low: float, high: float, name: str, unit: str, where: str) -> float:
    """The value itself where it lies in the window; else `UnitError` that says what to do."""
    if low <= value <= high:
        return value
    unit_text = "" if unit == "1" else f" {unit}"
    raise UnitError(
        where,
        f"{name} {value:g}{unit_text}",
        f"{low:g} to {high:g}{unit_text}",
        "Correct the value or its unit; otherwise remove it.",
    )
