"""Fast stand-ins for what happens within a session: ionised calcium and blood volume, one formula each.

They rank thousands of candidates and let a lab of ionised calcium say something about citrate clearance. Every number
they give is named as screened wherever it is shown; the full session replaces it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats
from opentpe.kernel.circuit import Run
from opentpe.simulation.cohort import Normal
from opentpe.simulation.draws import Stream, sample
from opentpe.simulation.setup import Setup

FILE: Final = "equations/screen"
NAMES: Final = ("ionised_calcium", "relative_blood_volume")
_REFERENCE_KG: Final = 70.0
_LIVER: Final = {"cirrhosis": "citrate_clearance_cirrhosis_ml_min", "failure": "citrate_clearance_liver_failure_ml_min"}
_GLUCONATE_G_PER_ML: Final = 0.1  # of the 10 % solution that orders are written in


class Reaction(NamedTuple):
    """How a patient's calcium reacts: resting ionised calcium, citrate clearance, and what is left unexplained."""

    ionised_calcium_mmol_l: Floats
    citrate_clearance_ml_min: Floats
    spread: Floats


def reaction(subject: Subject, library: Library, normal: Normal) -> Reaction:
    """Calcium parameters at the standard normal positions that `normal` gives."""
    z = normal(Stream.CITRATE, "screen", 3)
    key = _LIVER.get(subject.liver, "citrate_clearance_ml_min")
    normal_liver = library.sourced("equations/citrate.citrate_clearance_ml_min")
    ratio = library.value(f"equations/citrate.{key}") / normal_liver.value
    by_weight = (subject.weight_kg / _REFERENCE_KG) ** library.value("equations/citrate.clearance_weight_exponent")
    measured = subject.value("ionised_calcium")
    resting = library.sourced("equations/citrate.baseline_ionised_calcium_mmol_l")
    assay = library.value("equations/learning.assay.ionised_calcium_sd_fraction")
    return Reaction(
        sample(resting, z[:, 0]) if measured is None else measured * np.exp(assay * z[:, 0]),
        ratio * by_weight * sample(normal_liver, z[:, 1]),
        np.exp(library.value(f"{FILE}.calcium_spread_fraction") * z[:, 2]),
    )


def calcium_nadir(body: Reaction, setup: Setup, run: Run, library: Library) -> Floats:
    """Lowest ionised calcium of a session, mmol/L, one per row (screened)."""
    acid = library.value("fluids/acd_a.citrate_mmol_l")
    held = run.ac_to_patient_ml / run.duration_min * acid / body.citrate_clearance_ml_min
    fall = library.value(f"{FILE}.calcium_fall_fraction") * held / library.value(f"{FILE}.citrate_reference_mmol_l")
    given = calcium_ml_per_l(setup.prescription.calcium, run) / library.value(f"{FILE}.calcium_spares_at_ml_per_l")
    spared = np.minimum(library.value(f"{FILE}.calcium_spares_fraction") * given, 1.0)
    left: Floats = body.ionised_calcium_mmol_l * (1 - np.minimum(fall * body.spread, 0.9) * (1 - spared))
    return left


def calcium_ml_per_l(calcium: Calcium | None, run: Run) -> float:
    """Calcium gluconate 10 %, mL per litre replaced."""
    if calcium is None or not calcium.amount:
        return 0.0
    if calcium.unit == "mL/L":
        return calcium.amount
    return calcium.amount / _GLUCONATE_G_PER_ML * run.duration_min / 60.0 / (run.replaced_ml / 1000)


def volume_loss_percent(setup: Setup, run: Run, library: Library, blood_ml: Floats) -> Floats:
    """Deepest loss of blood volume in a session, per cent of the resting volume, one per row (screened)."""
    saline = sum(share for fluid, share in setup.fluids if fluid == "saline") * run.replaced_ml
    lost = saline * (1 - library.value(f"{FILE}.saline_stays_fraction")) - min(run.net_ml, 0.0)
    open_fraction = 1 - library.value(f"{FILE}.refill_fraction")
    deepest: Floats = library.value(f"{FILE}.volume_loss_percent") + 100 * open_fraction * lost / blood_ml
    return deepest
