"""Fast stand-ins for what happens within a session: ionised calcium and blood volume, one formula each.

They rank thousands of candidates and thousands of virtual patients. Every number they give is named as screened
wherever it is shown; the full session replaces it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.therapy import Calcium
from opentpe.evidence.load import Library
from opentpe.kernel import crowd
from opentpe.kernel.arrays import Floats
from opentpe.simulation import bodies
from opentpe.simulation.draws import Normal, Stream, sample
from opentpe.simulation.setup import Setup

FILE: Final = "equations/screen"
NAMES: Final = ("ionised_calcium", "relative_blood_volume")
_REFERENCE_KG: Final = 70.0
_HEALTHY: Final = bodies.clearance_name("normal")
_RESTING: Final = "baseline_ionised_calcium_mmol_l"
_GLUCONATE_G_PER_ML: Final = 0.1  # of the 10 % solution that orders are written in


class Reaction(NamedTuple):
    """How a patient's calcium reacts: resting ionised calcium, citrate clearance, and what is left unexplained."""

    ionised_calcium_mmol_l: Floats
    citrate_clearance_ml_min: Floats
    spread: Floats


def crowd_reaction(weight_kg: Floats, cirrhosis: Floats, library: Library, normal: Normal) -> Reaction:
    """Calcium parameters of many patients; `cirrhosis` is 1 or 0."""
    ill = bodies.clearance_name("cirrhosis")
    ratio = library.value(f"equations/citrate.{ill}") / library.value(f"equations/citrate.{_HEALTHY}")
    own = [normal(Stream.CITRATE, bodies.position(name), 1)[:, 0] for name in (_HEALTHY, ill)]
    clearance = np.where(cirrhosis > 0, own[1], own[0])
    return _reaction(weight_kg, np.where(cirrhosis > 0, ratio, 1.0), clearance, None, library, normal)


def _reaction(
    weight_kg: float | Floats,
    ratio: float | Floats,
    clearance_z: Floats,
    measured: float | None,
    library: Library,
    normal: Normal,
) -> Reaction:
    calcium, left = (normal(Stream.CITRATE, name, 1)[:, 0] for name in (bodies.position(_RESTING), "screen"))
    by_weight = (weight_kg / _REFERENCE_KG) ** library.value("equations/citrate.clearance_weight_exponent")
    assay = library.value("equations/learning.assay.ionised_calcium_sd_fraction")
    clearance = sample(library.sourced(f"equations/citrate.{_HEALTHY}"), clearance_z)
    return Reaction(
        sample(library.sourced(f"equations/citrate.{_RESTING}"), calcium)
        if measured is None
        else measured * np.exp(assay * calcium),
        ratio * by_weight * clearance,
        np.exp(library.value(f"{FILE}.calcium_spread_fraction") * left),
    )


def crowd_nadir(body: Reaction, setup: Setup, runs: Floats, library: Library) -> Floats:
    """Lowest ionised calcium of each patient's session, mmol/L, from `crowd.runs` (screened)."""
    minutes, replaced = runs[crowd.MINUTES], runs[crowd.REPLACED]
    calcium = setup.prescription.calcium
    given = _per_litre(calcium, minutes, replaced) if calcium is not None else 0.0
    return _nadir(body, runs[crowd.AC_TO_PATIENT] / minutes, given, library)


def _nadir(body: Reaction, ac_ml_min: float | Floats, given_ml_per_l: float | Floats, library: Library) -> Floats:
    held = ac_ml_min * library.value("fluids/acd_a.citrate_mmol_l") / body.citrate_clearance_ml_min
    fall = library.value(f"{FILE}.calcium_fall_fraction") * held / library.value(f"{FILE}.citrate_reference_mmol_l")
    given = given_ml_per_l / library.value(f"{FILE}.calcium_spares_at_ml_per_l")
    spared = np.minimum(library.value(f"{FILE}.calcium_spares_fraction") * given, 1.0)
    left: Floats = body.ionised_calcium_mmol_l * (1 - np.minimum(fall * body.spread, 0.9) * (1 - spared))
    return left


def _per_litre(calcium: Calcium, minutes: float | Floats, replaced_ml: float | Floats) -> float | Floats:
    if calcium.unit == "mL/L":
        return calcium.amount
    return calcium.amount / _GLUCONATE_G_PER_ML * minutes / 60.0 / (replaced_ml / 1000)


def crowd_volume_loss(setup: Setup, runs: Floats, library: Library, blood_ml: Floats) -> Floats:
    """Deepest loss of blood volume of each patient's session, per cent, from `crowd.runs` (screened)."""
    return _loss(setup, runs[crowd.REPLACED], np.minimum(runs[crowd.NET], 0.0), library, blood_ml)


def _loss(
    setup: Setup, replaced_ml: float | Floats, short_ml: float | Floats, library: Library, blood_ml: Floats
) -> Floats:
    saline = sum(share for fluid, share in setup.fluids if fluid == "saline") * replaced_ml
    lost = saline * (1 - library.value(f"{FILE}.saline_stays_fraction")) - short_ml
    open_fraction = 1 - library.value(f"{FILE}.refill_fraction")
    deepest: Floats = library.value(f"{FILE}.volume_loss_percent") + 100 * open_fraction * lost / blood_ml
    return deepest
