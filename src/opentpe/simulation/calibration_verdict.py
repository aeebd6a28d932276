"""Is the fit calibrated? Limits that are exact, shared among all tests of one exam, and set before the exam is run.

An exam asks three things of each quantity: are the ranks of the truths uniform, and do the 50 and the 90 % band hold as
many truths as they say. Many tests find something odd by chance alone, so one test fails only below `FAMILY_ERROR`
divided by their number (Bonferroni, which holds however the quantities hang together).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy.stats import binom

from opentpe.simulation.calibration import BANDS, Calibrated

FAMILY_ERROR: Final = 0.01  # chance that a calibrated fit fails an exam, all its tests together
_TESTS: Final = 1 + len(BANDS)  # of each quantity


@dataclass(frozen=True, slots=True)
class Limits:
    """What an exam allows: least probability of the ranks, and for each band the least and greatest share inside."""

    probability: float
    bands: tuple[tuple[float, float, float], ...]  # band, least share, greatest share


def limits(patients: int, quantities: int, family_error: float = FAMILY_ERROR) -> Limits:
    """The limits of an exam of so many quantities over so many independent patients, by the binomial distribution."""
    each = family_error / (quantities * _TESTS)

    def share(band: float) -> tuple[float, float, float]:
        low, high = binom.ppf(each / 2, patients, band), binom.isf(each / 2, patients, band)
        return band, float(low) / patients, float(high) / patients

    return Limits(each, tuple(share(band) for band in BANDS))


def missed(one: Calibrated, allowed: Limits) -> tuple[str, ...]:
    """What one quantity misses: `ranks`, `50 % band`, `90 % band`; nothing where it holds."""
    found = ["ranks"] if one.probability < allowed.probability else []
    covered = dict(one.covered)
    found += [f"{100 * band:.0f} % band" for band, low, high in allowed.bands if not low <= covered[band] <= high]
    return tuple(found)


def failures(exam: Sequence[Calibrated], family_error: float = FAMILY_ERROR) -> tuple[tuple[str, str], ...]:
    """Every quantity of an exam that misses something, with what it misses; empty for a calibrated fit."""
    allowed = limits(sum(exam[0].ranks), len(exam), family_error)
    return tuple((one.quantity, what) for one in exam for what in missed(one, allowed))
