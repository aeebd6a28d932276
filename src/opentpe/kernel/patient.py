"""Who sits in the chair, as numbers: what one patient's body does and how it stands before a session.

Every field is a float for one patient and an array (n,) for a cohort. A cohort travels as one array (n, fields), which
`pack` makes and `pick` reads back, in the order of the fields.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from opentpe.kernel import circulation, citrate, fluid
from opentpe.kernel.compiled import compiled

Array = Any  # float64 arrays; their shape stands beside the name


class Standing(NamedTuple):
    """One patient before a session: mL, g/L, platelets 10*9/L; tissue proteins mg, below 0 where they are at rest."""

    plasma_ml: float
    tissue_ml: float
    red_cells_ml: float
    albumin: float
    globulin: float
    tissue_albumin_mg: float
    tissue_globulin_mg: float
    platelets: float
    temperature: float


class Person(NamedTuple):
    """One patient: what the body does and how it stands before a session."""

    fluid: fluid.Body
    citrate: citrate.Body
    circulation: circulation.Body
    carriage: circulation.Carriage
    standing: Standing


@compiled
def _fluid(r: Array) -> fluid.Body:
    return fluid.Body(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7],
        r[8], r[9], r[10], r[11], r[12], r[13],
    )  # fmt: skip


@compiled
def _citrate(r: Array) -> citrate.Body:
    return citrate.Body(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7],
        r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15],
        r[16], r[17], r[18], r[19], r[20], r[21], r[22], r[23],
        r[24],
    )  # fmt: skip


@compiled
def _heart(r: Array) -> circulation.Body:
    return circulation.Body(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7],
        r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15],
        r[16],
    )  # fmt: skip


@compiled
def _carriage(r: Array) -> circulation.Carriage:
    return circulation.Carriage(
        r[0], r[1], r[2], r[3], r[4], r[5],
    )  # fmt: skip


@compiled
def _standing(r: Array) -> Standing:
    return Standing(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7],
        r[8],
    )  # fmt: skip


_AT_CITRATE = len(fluid.Body._fields)
_AT_HEART = _AT_CITRATE + len(citrate.Body._fields)
_AT_CARRIAGE = _AT_HEART + len(circulation.Body._fields)
_AT_STANDING = _AT_CARRIAGE + len(circulation.Carriage._fields)


@compiled
def pick(row: Array) -> Person:
    """One patient from a row (fields,) that `pack` made."""
    return Person(
        _fluid(row),
        _citrate(row[_AT_CITRATE:]),
        _heart(row[_AT_HEART:]),
        _carriage(row[_AT_CARRIAGE:]),
        _standing(row[_AT_STANDING:]),
    )


def pack(people: Person) -> Array:
    """A cohort as one array (n, fields); a field that is one number is the same in all patients."""
    return pack_fields([field for record in people for field in record])


def pack_fields(fields: list[Any]) -> Array:
    """Fields of numbers and arrays (n,) side by side, as one array (n, fields)."""
    return np.ascontiguousarray(np.stack(np.broadcast_arrays(*fields, np.zeros(1)), axis=-1)[:, :-1], dtype=np.float64)
