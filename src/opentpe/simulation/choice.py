"""What a search over courses is given and works with: the wish, the ground it stands on, the table of candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from opentpe.domain import words
from opentpe.domain.consultation import Band, Line
from opentpe.domain.learning import Candidate, Kept
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Course
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Cohort, Floats
from opentpe.simulation import candidates
from opentpe.simulation.candidates import FILE, Burden, Kind, Option
from opentpe.simulation.fit import Taught

GOALS: Final = ("days", "fall", "chair")
LIMITS: Final = (
    "fibrinogen_before_session", "ionised_calcium", "blood_volume_loss", "extracorporeal_volume", "citrate_rate",
    "chair_time", "albumin", "plasma_units", "staff", "cost",
)  # fmt: skip
BY_KINETICS: Final = ("fibrinogen_before_session",)  # others are full sessions or arithmetic


@dataclass(frozen=True, slots=True)
class Wish:
    """What the search is to do: goal, what has to fall, limits that differ from the library's, days and access."""

    goal: str = "days"
    target: str = "igg"  # IgG, or the drug that has to fall
    limits: tuple[tuple[str, float], ...] = ()
    kept_probability: float | None = None
    weekends: bool = False  # may the plan use days on which the unit is closed
    accesses: tuple[str, ...] = ()


class Ground(NamedTuple):
    """The patient and course as they stand: rows, state now, and what can still be chosen."""

    subject: Subject
    course: Course  # with the sessions that took place
    taught: Taught
    z: Floats
    people: Cohort
    amounts: dict[str, Floats]  # plasma and tissue now, mg, of fibrinogen and of what has to fall
    resting: Floats  # level of what has to fall before the course, one per row
    lead_min: float  # from now to the first planned day
    performed_on: tuple[date, ...]
    first: date
    kinds: tuple[Kind, ...]
    options: tuple[Option, ...]
    counted: int  # sessions done that count
    volumes_done: float


class Physics(NamedTuple):
    """What the whole session says of one kind of session, one value per row."""

    ionised_calcium_mmol_l: Floats
    blood_volume_loss_percent: Floats
    relative_blood_volume_percent: Floats


class Table(NamedTuple):
    """Every candidate with its numbers: burden, probability of each limit (candidates, limits), and medians."""

    burdens: tuple[Burden, ...]
    kept: Floats
    fibrinogen: Floats  # lowest before a session, median
    fall: Floats  # of the target from before the course to after its end, per cent, median
    within: tuple[Physics, ...]  # the whole session of each kind


def checked(wish: Wish, library: Library) -> Wish:
    """The wish itself; `InputError` for a goal, limit or target nobody knows."""
    if wish.goal not in GOALS:
        raise InputError("--goal", repr(wish.goal), ", ".join(GOALS))
    for name, value in wish.limits:
        if name not in LIMITS:
            raise InputError("--limit", repr(name), ", ".join(LIMITS))
        if not math.isfinite(value):
            raise InputError(f"--limit {name}", f"{value}", "a number")
    if wish.target not in library.folder("solutes"):
        raise InputError("--target", repr(wish.target), ", ".join(sorted(library.folder("solutes"))))
    return wish


def bound(name: str, wish: Wish, library: Library) -> tuple[float, str]:
    """A limit's bound and unit: as wished, else the library's."""
    own = library.sourced(f"{FILE}.limit.{name}")
    return dict(wish.limits).get(name, own.value), own.unit


def course_of(ground: Ground, i: int) -> Course:
    """Candidate i as a course, done sessions included."""
    option = ground.options[i]
    return candidates.course_of(option, ground.kinds[option.kind], ground.course, ground.performed_on, ground.first)


def told(ground: Ground, i: int, table: Table, wish: Wish, library: Library) -> Candidate:
    """A screened candidate in words and numbers."""
    option, b, course = ground.options[i], table.burdens[i], course_of(ground, i)
    return Candidate(
        words=words.say(course),
        course=course,
        days=b.days,
        dates=tuple((ground.first + timedelta(days=d)).isoformat() for d in option.days),
        sessions_count=len(option.days),
        chair_h=b.chair_h,
        staff_h=b.staff_h,
        plasma_removed_ml=b.plasma_ml,
        albumin_g=b.albumin_g,
        plasma_units=b.plasma_units,
        cost=b.cost,
        weekend_sessions_count=b.weekend_sessions,
        kept=kept_of(table.kept[i], wish, library),
        values=(
            ("fall_percent", point(float(table.fall[i]), "%")),
            ("fibrinogen_before_session", point(float(table.fibrinogen[i]), "g/L")),
        ),
        all_kept_probability=float(table.kept[i].min()),
        full=False,
        front=True,
    )


def line(code: str, **values: Any) -> Line:
    """A sentence code with its values."""
    return Line(code, tuple(values.items()))


def kept_of(probabilities: Floats, wish: Wish, library: Library) -> tuple[Kept, ...]:
    """Every limit with its bound and the screened probability that it is kept."""
    return tuple(
        Kept(name, *bound(name, wish, library), float(p), name in BY_KINETICS)
        for name, p in zip(LIMITS, probabilities, strict=True)
    )


def point(value: float, unit: str) -> Band:
    """A screened median as a band without width."""
    return Band(value, value, value, value, value, unit)
