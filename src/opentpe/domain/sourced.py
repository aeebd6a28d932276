"""A number with its source: every clinical and physical value of OpenTPE is one of these."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """How well a value is known, best first."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    DERIVED = "derived"
    CALIBRATED = "calibrated"
    DESIGN = "design"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True)
class Citation:
    """A source in `references.toml`: short text, with DOI, PMID or another identifier."""

    key: str
    text: str
    doi: str = ""
    pmid: str = ""
    url: str = ""
    read: str = ""  # what of it was read: "abstract", "full text", "secondary", "label"


@dataclass(frozen=True, slots=True)
class Prior:
    """Between-patient or knowledge spread: shape with its 95 % range or coefficient of variation."""

    shape: str  # lognormal | normal | logitnormal | uniform
    low: float
    high: float

    @property
    def log_sd(self) -> float:
        """Standard deviation of the natural logarithm (lognormal)."""
        return math.log(self.high / self.low) / (2 * 1.959964)


@dataclass(frozen=True, slots=True)
class Validity:
    """Where a value was observed: name of the quantity -> (low, high); outside it results carry a warning."""

    ranges: tuple[tuple[str, float, float], ...] = ()

    def outside(self, **values: float) -> tuple[str, ...]:
        """The names of the given quantities that lie outside."""
        return tuple(n for n, lo, hi in self.ranges if n in values and not lo <= values[n] <= hi)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rival value: what another source says."""

    value: float
    status: Status
    source: str = ""
    locator: str = ""
    population: str = ""


@dataclass(frozen=True, slots=True)
class Sourced:
    """The value in use, how well it is known, where it is from and what its rivals are.

    `key` is its address in the library, as in "solutes/igg.escape_rate_per_d".
    """

    key: str
    value: float
    status: Status
    unit: str = ""
    source: str = ""
    locator: str = ""
    why: str = ""
    prior: Prior | None = None
    validity: Validity = field(default_factory=Validity)
    estimates: tuple[Estimate, ...] = ()

    @property
    def unsourced(self) -> bool:
        """True for a recalled value, or one that names no source and is neither a design choice nor derived."""
        return self.status is Status.RECALLED or (
            not self.source and self.status not in (Status.DESIGN, Status.DERIVED, Status.CALIBRATED)
        )


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a terminology that a record is read by, what it stands for and how well that is known.

    `key` is where it stands, as in "codes/conditions.condition.myelitis".
    """

    key: str
    system: str
    code: str
    title: str
    status: Status
    source: str = ""
    locator: str = ""
    why: str = ""

    @property
    def fact(self) -> str:
        """What the code means to the pathway, in words: "condition myelitis"."""
        return self.key.split(".", 1)[-1].replace(".", " ").replace("_", " ")
