"""1.0 or 1.5 plasma volumes? What the half volume more buys in one session and in five.

One session of 1.0 removes 63 of 100 of what is in plasma, 1.5 removes 78. Over a course the difference shrinks, because
what limits the fall is what comes back from tissue; fibrinogen and albumin bottles do not shrink with it.
"""

import numpy as np

from opentpe.evidence.load import load
from opentpe.pathway.unit import settings
from opentpe.simulation import protocol, trial


def main() -> dict[str, float]:
    library = load()
    arms = {f"{n} x {pv}": f"{n} x {pv} PV every other day, albumin 5 %" for n in (1, 5) for pv in (1.0, 1.5)}
    spec = protocol.parse(
        {
            "name": "1.0 or 1.5",
            "endpoints": ["igg_fall_percent", "fibrinogen_after_last_g_l", "albumin_g", "chair_h"],
            "arm": [{"name": name, "course": words} for name, words in arms.items()],
        },
        library,
    )
    found = trial.simulate(spec, np.arange(300), library, settings(library))
    told = {name: float(np.median(found[trial.column(name, "igg_fall_percent")])) for name in arms}
    for name in arms:
        grams = np.median(found[trial.column(name, "albumin_g")])
        print(f"{name:10s} IgG falls by {told[name]:.0f} of 100, {grams:.0f} g of albumin")
    return told


if __name__ == "__main__":
    main()
