"""Five large or seven small sessions? The same plasma in all, other fibrinogen before each session.

Five of 1.4 and seven of 1.0 plasma volumes remove the same volume. The smaller session leaves more fibrinogen behind,
and two more chairs are needed. The plan shows the same trade-off for one patient.
"""

from datetime import date

import numpy as np

from opentpe import parse
from opentpe.domain.subject import Subject
from opentpe.evidence.load import load
from opentpe.pathway.unit import settings
from opentpe.simulation import plan, protocol, trial
from opentpe.simulation.choice import Wish

PATIENT = Subject(female=True, height_cm=168, weight_kg=68, hct=0.38, age_years=34)


def main() -> dict[str, float]:
    library = load()
    unit = settings(library)
    spec = protocol.parse(
        {
            "name": "five or seven",
            "endpoints": ["fibrinogen_lowest_before_g_l", "fibrinogen_after_last_g_l", "igg_fall_percent", "chair_h"],
            "arm": [
                {"name": "five", "course": "5 x 1.4 PV every other day, albumin 5 %"},
                {"name": "seven", "course": "7 x 1.0 PV every other day, albumin 5 %"},
            ],
        },
        library,
    )
    found = trial.simulate(spec, np.arange(300), library, unit)
    told = {}
    for arm in ("five", "seven"):
        for endpoint in spec.endpoints:
            told[f"{arm} {endpoint}"] = float(np.median(found[trial.column(arm, endpoint)]))
            print(f"{arm:6s} {endpoint:30s} {told[f'{arm} {endpoint}']:.2f}")
    course = parse("5 x 1.0 PV every other day, albumin 5 %")
    wish = Wish(limits=(("fibrinogen_before_session", 1.5),))
    ranked = plan.plan(PATIENT, course, library, unit, first=date(2026, 2, 20), wish=wish, seed=1, full=2)
    print("With 1.5 g/L before each session:", ranked.ranked[0].words)
    return told


if __name__ == "__main__":
    main()
