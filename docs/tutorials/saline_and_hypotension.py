"""How much saline? Hypotension against bottles of albumin, every session of 800 virtual patients run in full.

Saline leaves the circulation within the hour, so that the blood volume falls further; the harm model turns the deeper
fall into more hypotension. Its slope is a judgement (docs/theory/harm.md): read the direction, not the second digit.
"""

import numpy as np

from opentpe.evidence.load import load
from opentpe.pathway.unit import settings
from opentpe.simulation import protocol, trial

SHARES = (0, 10, 20, 30)


def main() -> dict[int, float]:
    library = load()
    fluids = {s: f"{s} % saline then {100 - s} % albumin 5 %" if s else "albumin 5 %" for s in SHARES}
    spec = protocol.parse(
        {
            "name": "saline",
            "endpoints": ["blood_volume_loss_percent", "hypotension", "albumin_g"],
            "arm": [{"name": str(s), "course": f"5 x 1.0 PV every other day, {fluids[s]}"} for s in SHARES],
        },
        library,
    )
    found = trial.simulate(spec, np.arange(800), library, settings(library))
    told = {}
    for share in SHARES:
        told[share] = 100 * float(np.mean(found[trial.column(str(share), "hypotension")]))
        loss = np.median(found[trial.column(str(share), "blood_volume_loss_percent")])
        print(
            f"{share:2d} % saline: blood volume falls by {loss:.1f} %, hypotension in {told[share]:.0f} of 100 courses"
        )
    return told


if __name__ == "__main__":
    main()
