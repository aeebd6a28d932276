"""When to re-dose natalizumab? What five sessions take from a dose ten days old, and what a new dose after them leaves.

Sessions remove nearly all of the drug in plasma; a dose before the last session is partly thrown away. The forecast
says how much is left, and the first session-free day is the one on which a new dose stays.
"""

from dataclasses import replace

from opentpe import parse, simulate
from opentpe.domain import doses
from opentpe.domain.subject import Subject

PATIENT = Subject(female=True, height_cm=168, weight_kg=68, hct=0.38, age_years=34)


def level(when: str | None, at: str) -> float:
    """Median natalizumab, ug/mL, at a moment after the last session, with a second dose at a time or without."""
    course = parse("5 x 1.0 PV every other day, albumin 5 %")
    given = [doses.parse("natalizumab 300 mg at -10 d")]
    if when:
        given.append(doses.parse(f"natalizumab 300 mg at {when}"))
    forecast = simulate(
        PATIENT, replace(course, drug_doses=tuple(given)), solutes=("natalizumab",), at=(at,), draws=100
    )
    return dict(forecast.at(at).values)["natalizumab"].median


def main() -> dict[str, float]:
    told = {
        "no new dose": level(None, "7d"),
        "before the last session": level("7.9 d", "7d"),
        "after the last session": level("8.2 d", "7d"),
    }
    for when, value in told.items():
        print(f"{when:26s} natalizumab a week later {value:.1f} ug/mL")
    return told


if __name__ == "__main__":
    main()
