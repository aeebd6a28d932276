"""The attack itself: when it began, where it sits, what was given for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from opentpe.domain.patient import When


@dataclass(frozen=True, slots=True)
class SteroidDose:
    """One day's glucocorticoid, as recorded and in methylprednisolone equivalents."""

    on: date
    drug: str
    dose_mg: float
    methylprednisolone_mg: float
    route: str
    source: str


@dataclass(frozen=True, slots=True)
class SteroidCourse:
    """Doses on consecutive or near-consecutive days."""

    doses: tuple[SteroidDose, ...]

    @property
    def first(self) -> date:
        """The first day of the course."""
        return min(d.on for d in self.doses)

    @property
    def last(self) -> date:
        """The last day of the course."""
        return max(d.on for d in self.doses)

    @property
    def methylprednisolone_mg(self) -> float:
        """Cumulative dose in methylprednisolone equivalents."""
        return sum(d.methylprednisolone_mg for d in self.doses)


@dataclass(frozen=True, slots=True)
class Relapse:
    """An inflammatory attack of the central nervous system. Entry is the attack, not the code."""

    onset: When | None
    kind: str  # ms_relapse | optic_neuritis | myelitis | brainstem | cis | nmosd | mogad | adem | other_demyelination
    source: str
    text: str = ""
    site: str = ""
    severity: str = ""
    course: str = ""  # relapsing | secondary_progressive | primary_progressive | cis | "" where unknown
    steroids: tuple[SteroidCourse, ...] = ()
    baseline_edss: float | None = None
    nadir_edss: float | None = None

    def day(self, on: date) -> int | None:
        """Days from onset to `on` (onset is day 0), None where the onset is not known."""
        return None if self.onset is None else (on - self.onset.first_day).days
