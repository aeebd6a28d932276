"""Where fluid is and how it moves: every millilitre and every solute has a row, and leaves one only into another.

Rows are places, columns are kinds of fluid; solutes travel with the fluid that carries them. The patient's row is a
ledger: what the machine has given minus what it has taken. The sum over rows never changes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np

from opentpe.kernel.compiled import compiled


class Place(IntEnum):
    """Rows of the fluid ledger."""

    PATIENT = 0
    INLET = 1  # draw line up to the separator
    SEPARATOR = 2  # channel, bowl or filter
    RETURN = 3  # reservoir and return line
    PLASMA_BAG = 4
    AC_BAG = 5
    SALINE_BAG = 6
    REPLACEMENT_BAG = 7
    DIVERT = 8  # prime that went to waste
    LOST = 9  # spilled, or discarded with the set
    STORE = 10  # shelf from which bags are hung


class Kind(IntEnum):
    """Columns: red cells and four fluids."""

    RED_CELLS = 0
    PLASMA = 1
    ANTICOAGULANT = 2
    SALINE = 3
    REPLACEMENT = 4


class Carried(IntEnum):
    """Solutes every run carries; those a caller adds follow from OTHERS on."""

    ALBUMIN = 0  # mg
    GLOBULIN = 1  # mg
    CITRATE = 2  # mmol
    ACID = 3  # mmol, the share of citrate given as citric acid
    CALCIUM = 4  # mmol
    MAGNESIUM = 5  # mmol
    BICARBONATE = 6  # mmol
    POTASSIUM = 7  # mmol
    OTHERS = 8


Array = Any  # float64 arrays: volume [Place, Kind] mL; mass [Place, solute]
_FLUIDS: Final = 5
_PLACES: Final = 11


def _plain(value: int) -> Any:
    """A plain int64: for a Python int, Numba would compile one copy of every function per place."""
    return np.int64(value)


PATIENT, INLET, SEPARATOR, RETURN, PLASMA_BAG, AC_BAG, SALINE_BAG, REPLACEMENT_BAG, DIVERT, LOST, STORE = (
    _plain(place) for place in Place
)
RED_CELLS, PLASMA, ANTICOAGULANT, SALINE, REPLACEMENT = (_plain(kind) for kind in Kind)


@compiled
def fluid_ml(volume: Array, place: int) -> float:
    """Volume of everything but red cells in a place, mL."""
    return volume[place, 1] + volume[place, 2] + volume[place, 3] + volume[place, 4]


@compiled
def total_ml(volume: Array, place: int) -> float:
    """Volume in a place, mL."""
    return volume[place, 0] + fluid_ml(volume, place)


@compiled
def hct(volume: Array, place: int) -> float:
    """Haematocrit in a place; 0 where it is empty."""
    total = total_ml(volume, place)
    return volume[place, 0] / total if total > 0.0 else 0.0


@compiled
def move(volume: Array, mass: Array, source: int, target: int, red_ml: float, plain_ml: float) -> float:
    """Moves red cells and mixed fluid with what they carry; returns the volume that moved, never more than there is."""
    red = min(max(red_ml, 0.0), volume[source, 0])
    available = fluid_ml(volume, source)
    share = min(1.0, max(plain_ml, 0.0) / available) if available > 0.0 else 0.0
    volume[source, 0] -= red
    volume[target, 0] += red
    for kind in range(1, _FLUIDS):
        part = share * volume[source, kind]
        volume[source, kind] -= part
        volume[target, kind] += part
    for k in range(mass.shape[1]):
        part = share * mass[source, k]
        mass[source, k] -= part
        mass[target, k] += part
    return red + share * available


@compiled
def pour(volume: Array, mass: Array, source: int, target: int, amount_ml: float) -> float:
    """Moves well-mixed content; returns the volume that moved."""
    total = total_ml(volume, source)
    if total <= 0.0 or amount_ml <= 0.0:
        return 0.0
    share = min(1.0, amount_ml / total)
    return move(volume, mass, source, target, share * volume[source, 0], share * fluid_ml(volume, source))


@compiled
def displace(volume: Array, mass: Array, source: int, target: int, amount_ml: float) -> float:
    """Moves the prime out first, as in a line filled from one end; then well-mixed content."""
    saline = min(max(amount_ml, 0.0), volume[source, 3])
    volume[source, 3] -= saline
    volume[target, 3] += saline
    return saline + pour(volume, mass, source, target, amount_ml - saline)


@compiled
def draw(volume: Array, mass: Array, concentration: Array, target: int, red_ml: float, plasma_ml: float) -> None:
    """Takes blood from the patient; `concentration` holds the plasma concentrations per mL."""
    volume[PATIENT, 0] -= red_ml
    volume[PATIENT, 1] -= plasma_ml
    volume[target, 0] += red_ml
    volume[target, 1] += plasma_ml
    for k in range(mass.shape[1]):
        part = plasma_ml * concentration[k]
        mass[PATIENT, k] -= part
        mass[target, k] += part


@compiled
def sieve(volume: Array, mass: Array, source: int, target: int, plain_ml: float, sieving: Array) -> float:
    """Moves filtrate through a membrane: each solute at its sieving coefficient; returns the volume that moved."""
    available = fluid_ml(volume, source)
    share = min(1.0, max(plain_ml, 0.0) / available) if available > 0.0 else 0.0
    for kind in range(1, _FLUIDS):
        part = share * volume[source, kind]
        volume[source, kind] -= part
        volume[target, kind] += part
    for k in range(mass.shape[1]):
        part = share * sieving[k] * mass[source, k]
        mass[source, k] -= part
        mass[target, k] += part
    return share * available


@compiled
def hang(volume: Array, mass: Array, bag: int, kind: int, amount_ml: float, concentration: Array) -> None:
    """Puts what is left of a bag back on the shelf and hangs a full one of one fluid."""
    pour(volume, mass, bag, STORE, total_ml(volume, bag))
    volume[STORE, kind] -= amount_ml
    volume[bag, kind] += amount_ml
    for k in range(mass.shape[1]):
        part = amount_ml * concentration[k]
        mass[STORE, k] -= part
        mass[bag, k] += part


@compiled
def imbalance(volume: Array, mass: Array) -> float:
    """Largest sum over all places of any fluid or solute, relative to what moved: zero but for rounding."""
    worst = 0.0
    for kind in range(_FLUIDS):
        total, size = 0.0, 1.0
        for place in range(_PLACES):
            total += volume[place, kind]
            size += abs(volume[place, kind])
        worst = max(worst, abs(total) / size)
    for k in range(mass.shape[1]):
        total, size = 0.0, 1.0
        for place in range(_PLACES):
            total += mass[place, k]
            size += abs(mass[place, k])
        worst = max(worst, abs(total) / size)
    return worst
