"""The operator's arithmetic for a crowd: one run per person, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from opentpe.kernel import circuit
from opentpe.kernel.compiled import compiled

Array = Any
MINUTES, PLASMA_FLOW, REPLACEMENT_FLOW, AC_TO_PATIENT, REPLACED, NET = range(6)


@compiled
def _runs(plasma_ml: Array, hct: Array, blood_ml: Array, run_hct: Array, same: circuit.Settings, out: Array) -> None:
    for i in range(plasma_ml.size):
        own = circuit.Settings(
            hct[i],
            blood_ml[i],
            same.inlet_ac_ratio,
            same.packed_hct,
            same.inlet_cap_ml_min,
            same.limit_ml_min_l,
            same.replacement_ac_fraction,
            same.balance_ratio,
            same.accounting,
            run_hct[i],
        )
        r = circuit.run(plasma_ml[i], own)
        out[0, i], out[1, i], out[2, i] = r.duration_min, r.plasma_flow_ml_min, r.replacement_flow_ml_min
        out[3, i], out[4, i], out[5, i] = r.ac_to_patient_ml, r.replaced_ml, r.net_ml


def runs(plasma_ml: Array, hct: Array, blood_ml: Array, run_hct: Array, same: circuit.Settings) -> Array:
    """Minutes, flows and volumes of each person's run, (6, n); what differs is volume, haematocrit before and while it
    runs, and blood volume.
    """
    out = np.empty((6, plasma_ml.size))
    _runs(plasma_ml, hct, blood_ml, run_hct, same, out)
    return out
