"""Daily or every other day? Four hundred virtual patients, the same in both arms.

Every other day gives tissue IgG time to come back into plasma, where the next session finds it, and fibrinogen time to
be made. Daily sessions are done in half the days, at the price of fibrinogen.
"""

import numpy as np

from opentpe.evidence.load import load
from opentpe.pathway.unit import settings
from opentpe.simulation import protocol, trial


def main() -> dict[str, float]:
    library = load()
    spec = protocol.parse(
        {
            "name": "daily or every other day",
            "endpoints": ["igg_fall_percent", "igg_day_14_g_l", "fibrinogen_lowest_before_g_l", "days_to_last_session"],
            "arm": [
                {"name": "alternate", "course": "5 x 1.0 PV every other day, albumin 5 %"},
                {"name": "daily", "course": "5 x 1.0 PV daily, albumin 5 %"},
            ],
        },
        library,
    )
    found = trial.simulate(spec, np.arange(400), library, settings(library))
    told = {}
    for endpoint in spec.endpoints:
        for arm in ("alternate", "daily"):
            told[f"{arm} {endpoint}"] = float(np.median(found[trial.column(arm, endpoint)]))
            print(f"{endpoint:32s} {arm:10s} median {told[f'{arm} {endpoint}']:.2f}")
    return told


if __name__ == "__main__":
    main()
