"""Natural frequencies: "about 8 of 100 (2 to 25)", with one denominator per row and never a nought.

The rules are those of the outcome model: 100 where the upper limit reaches 1 %, else 1,000, else 10,000; the median
is rounded, the lower limit goes down, the upper limit up.
"""

from __future__ import annotations

import math

from opentpe.domain.consultation import Band
from opentpe.report.sentences import Sentences

WIDE_RATIO = 20  # beyond this "figures differ widely between hospitals" is added


def denominator(share: Band) -> int:
    """How many people to speak of: 100, 1000 or 10000."""
    return 100 if share.p95 >= 0.01 else 1000 if share.p95 >= 0.001 else 10_000


def differs_widely(share: Band) -> bool:
    """True where the upper limit is more than 20 times the lower one."""
    return share.p05 <= 0 or share.p95 / share.p05 > WIDE_RATIO


def written(share: Band, sentences: Sentences, of: int = 0) -> str:
    """A probability as people out of a group, with its range; `of` fixes the denominator of a comparison."""
    whole = of or denominator(share)
    middle, low = share.median * whole, math.floor(share.p05 * whole + 1e-9)
    high = min(max(math.ceil(share.p95 * whole - 1e-9), 1), whole)
    code = "frequency.few" if middle < 1 else "frequency.range_few" if low < 1 else "frequency.range"
    return sentences.say(code, {"median": round(middle), "denominator": whole, "low": low, "high": high})
