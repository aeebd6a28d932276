"""Runs a published comparison of separators second by second: time, extraction rate, efficiency, platelets, volumes.

An arm names separator, access, inlet flow and order. Abstracts give no haematocrit of the treated: `[subject]` states
mean and spread, and every draw is one procedure of one such patient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Dose, FluidPart, Prescription
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats
from opentpe.simulation import procedure
from opentpe.simulation.draws import Stream, normals
from opentpe.simulation.exchange import Exchange
from opentpe.simulation.outcome import Summary
from opentpe.simulation.published import SEED, Asked, Table

DRAWS: Final = 60
_RATIO: Final = "_ratio"
_NO_COMPLAINT: Final = 99.0  # per cent: the published procedures were completed


METRICS: Final[Mapping[str, Callable[[Summary], float]]] = {
    "time_min": lambda s: s.exchange_min,
    "extraction_ml_min": lambda s: s.plasma_removed_ml / s.exchange_min,
    "efficiency_percent": lambda s: 100 * s.efficiency_fraction,
    "platelet_loss_percent": lambda s: 100 * s.platelet_loss_fraction,
    "ac_to_patient_ml_l": lambda s: 1000 * s.ac_to_patient_ml / s.blood_processed_ml,
}


def run(study: Table, observed: Sequence[Asked], library: Library) -> list[Floats]:
    """One array of draws for each published result."""
    done = {arm["key"]: [_one(study, arm, library, k) for k in range(DRAWS)] for arm in study["arm"]}
    other = {arm["key"]: arm["relative_to"] for arm in study["arm"] if "relative_to" in arm}
    found = []
    for o in observed:
        kind = o.metric.removesuffix(_RATIO) if o.metric.endswith(_RATIO) else ""
        if kind:  # the same patient on two separators
            metric = METRICS[f"{kind}_min"]
            pairs = zip(done[o.arm], done[other[o.arm]], strict=True)
            found.append(np.array([metric(a) / metric(b) for a, b in pairs]))
        else:
            found.append(np.array([METRICS[o.metric](s) for s in done[o.arm]]))
    return found


def _one(study: Table, arm: Table, library: Library, k: int) -> Summary:
    """One procedure of one drawn patient."""
    size, z = study["subject"], normals(SEED, k, Stream.DEVICE, 2, "validation")
    hct = float(np.clip(size["hct"] + size["hct_sd"] * z[0], size["hct_low"], size["hct_high"]))
    subject = Subject(size["sex"] == "female", size["height_cm"], size["weight_kg"], hct)
    order = Prescription(float(arm["plasma_volumes"]), Dose.PLASMA_VOLUMES, (FluidPart("albumin_5", 1.0),),
                         inlet_ac_ratio=arm.get("ratio"))  # fmt: skip
    what = Exchange(
        subject, order, separator=arm["separator"], access=arm["access"],
        inlet_flow_ml_min=arm.get("inlet_flow_ml_min"),
        blood_volume_ml=size["blood_volume_ml"] * float(np.exp(size["volume_cv_fraction"] * z[1])),
        tingling_percent=_NO_COMPLAINT, hypotension_percent=_NO_COMPLAINT,
    )  # fmt: skip
    return procedure.run(what, library, seed=k, log=False).summary
