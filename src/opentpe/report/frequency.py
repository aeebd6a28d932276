"""Natural frequencies in words: "8 of 100 (2 to 25)"; the rounding is that of `domain.frequency`."""

from __future__ import annotations

from opentpe.domain.consultation import Band
from opentpe.domain.frequency import natural_frequency
from opentpe.report.sentences import Sentences


def differs_widely(share: Band) -> bool:
    """True where the figures differ widely between hospitals."""
    return "differs_between_hospitals" in natural_frequency(share.median, share.p05, share.p95).notes


def written(share: Band, sentences: Sentences, of: int = 0) -> str:
    """A probability as people out of a group, with its range; `of` fixes the denominator of a comparison."""
    found = natural_frequency(share.median, share.p05, share.p95, denominator=of or None)
    code = "frequency.few" if found.number < 1 else "frequency.range_few" if found.low is None else "frequency.range"
    low = found.low if found.low is not None else 0
    values = {"median": found.number, "denominator": found.denominator, "low": low, "high": found.high}
    return sentences.say(code, values)
