"""Writes docs/calibration.md: `python validation/learning [--patients N] [--others N] [--calcium N] [--write FILE]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from three_pools import levels

from opentpe.evidence.load import load
from opentpe.pathway.unit import settings
from opentpe.simulation import calibration, calibration_calcium, calibration_page

SEED = 20_260_101


def main() -> None:
    """Calibrates and compares, and prints or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--others", type=int, default=200)
    parser.add_argument("--calcium", type=int, default=1000)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    library = load()
    unit = settings(library)
    calibrated = calibration.calibrate(asked.patients, library, unit, SEED)
    calcium = calibration_calcium.calibrate(asked.calcium, library, unit, SEED, rows=400)
    compared = calibration.compare(asked.others, levels, library, unit, SEED)
    page = calibration_page.page(calibrated, calcium, compared)
    if asked.write:
        asked.write.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
