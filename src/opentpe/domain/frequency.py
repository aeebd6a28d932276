"""Natural frequencies: a probability with its range as "about 8 of 100 (2 to 25)", rounded honestly."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

DENOMINATORS: Final = (100, 1000, 10_000)
WIDE_RATIO: Final = 20.0


class Frequency(NamedTuple):
    """Whole or short numbers "of `denominator`". `low` None is written "fewer than 1".

    `notes`: differs_between_hospitals (the range spans more than twentyfold), little_evidence (one source or an
    assumption), fewer_than_1 (the lower limit).
    """

    number: float
    low: int | None
    high: int
    denominator: int
    notes: tuple[str, ...] = ()


def natural_frequency(
    median: float, low: float, high: float, *, thin: bool = False, denominator: int | None = None
) -> Frequency:
    """A probability and its limits (fractions) as numbers of 100, 1,000 or 10,000.

    The denominator follows the upper limit unless one is given, as when options must share one. The median has at most
    two figures and is whole from 1 upwards; the lower limit is rounded down, the upper limit up; nothing becomes 0.

    >>> natural_frequency(0.081, 0.021, 0.246)
    Frequency(number=8, low=2, high=25, denominator=100, notes=())
    """
    of = denominator or denominator_for(high)
    lower = math.floor(_clean(low * of))
    notes = [
        *(["differs_between_hospitals"] if low <= 0 or high / low > WIDE_RATIO else []),
        *(["little_evidence"] if thin else []),
        *(["fewer_than_1"] if lower < 1 else []),
    ]
    return Frequency(
        number=_two_figures(median * of),
        low=lower if lower >= 1 else None,
        high=max(math.ceil(_clean(high * of)), 1),
        denominator=of,
        notes=tuple(notes),
    )


def denominator_for(high: float) -> int:
    """100 if the upper limit is at least 1 %, else 1,000 if it is at least 0.1 %, else 10,000."""
    return next((d for d in DENOMINATORS if _clean(high * d) >= 1), DENOMINATORS[-1])


def _two_figures(x: float) -> float:
    """At most two significant figures, whole from 1 upwards, never 0."""
    if x >= 1:
        return round(x)
    if x <= 0:
        return 0.01
    digits = 1 - math.floor(math.log10(x))
    return round(x, digits)


def _clean(x: float) -> float:
    """Without the dust of floating point, so that 0.29 x 100 is 29."""
    return round(x, 9)
