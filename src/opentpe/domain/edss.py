"""Functional systems and ambulation -> EDSS, with the convention that was used. Rules: `evidence/scales/edss.toml`.

Published programs disagree on some patterns, so a score never comes without the name of its convention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentpe.errors import InputError

SYSTEMS: Final = ("visual", "brainstem", "pyramidal", "cerebellar", "sensory", "bowel_bladder", "cerebral")
_COUNTS: Final = ("one", "two", "three", "four", "five_up")
_GRADE: Final = {"one": (1, 1), "two": (2, 2), "three": (3, 3), "four": (4, 4), "five_up": (5, 9)}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A score and the counts of functional systems that lead to it: name of the grade -> least and most."""

    edss: float
    counts: tuple[tuple[str, int, int], ...]

    def fits(self, grades: tuple[int, ...]) -> bool:
        """True where every count lies inside."""
        return all(low <= _count(grades, name) <= high for name, low, high in self.counts)


@dataclass(frozen=True, slots=True)
class Walk:
    """One ambulation score: the EDSS it gives alone, or the least it allows beside the functional systems."""

    score: int
    edss: float
    alone: bool
    means: str
    aid: str = ""
    from_m: float | None = None


@dataclass(frozen=True, slots=True)
class Convention:
    """A named set of scoring rules."""

    name: str
    highest: tuple[tuple[str, int], ...]
    converted: tuple[tuple[str, tuple[int, ...]], ...]
    patterns: tuple[Pattern, ...]
    walks: tuple[Walk, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The EDSS, or its range where something was not examined, with what it rests on."""

    edss: float | None
    low: float
    high: float
    convention: str
    converted: tuple[tuple[str, int], ...]
    ambulation: int | None
    missing: tuple[str, ...] = ()


def convention(document: Mapping[str, Any]) -> Convention:
    """The scoring rules of one file of the library."""
    return Convention(
        name=str(document["convention"]),
        highest=tuple((s, int(document["highest"][s])) for s in SYSTEMS),
        converted=tuple((s, tuple(int(g) for g in grades)) for s, grades in document["converted"].items()),
        patterns=tuple(
            Pattern(float(row["edss"]), tuple((n, row[n][0], row[n][1]) for n in _COUNTS if n in row))
            for row in document["pattern"]
        ),
        walks=tuple(
            Walk(
                int(row["score"]),
                float(row["edss"]),
                bool(row.get("alone", False)),
                str(row["means"]),
                str(row.get("aid", "")),
                row.get("from_m"),
            )
            for row in document["ambulation"]
        ),
        sources=tuple(document["sources"]),
    )


def score(systems: Mapping[str, int | None], ambulation: int | None, rules: Convention) -> Score:
    """The EDSS of one examination. `systems`: raw grades by name; what is not there or None was not examined.

    Where something is missing the score is the range it can still take. `InputError` names a grade that does not exist.
    """
    _check(systems, ambulation, rules)
    missing = tuple(s for s in SYSTEMS if systems.get(s) is None)
    highest = dict(rules.highest)
    best = {s: _or(systems.get(s), 0) for s in SYSTEMS}
    worst = {s: _or(systems.get(s), highest[s]) for s in SYSTEMS}
    walks = [w for w in rules.walks if ambulation is None or w.score == ambulation]
    low = min(_score(best, w, rules) for w in walks)
    high = max(_score(worst, w, rules) for w in walks)
    return Score(
        low if low == high else None,
        low,
        high,
        rules.name,
        tuple((s, convert(s, grade, rules)) for s in SYSTEMS if (grade := systems.get(s)) is not None),
        ambulation,
        (*missing, *(("ambulation",) if ambulation is None else ())),
    )


def convert(system: str, grade: int, rules: Convention) -> int:
    """The grade that counts: the visual and the bowel and bladder systems are compressed, the others are not."""
    table = dict(rules.converted).get(system)
    return grade if table is None else table[grade]


def walk_for(distance_m: float, aid: str, rules: Convention) -> Walk:
    """The ambulation score of a walking distance in metres with an aid: none, unilateral or bilateral."""
    fitting = [w for w in rules.walks if w.aid == aid and w.from_m is not None and distance_m >= w.from_m]
    if not fitting:
        known = sorted({w.aid for w in rules.walks if w.aid})
        raise InputError("ambulation", f"{distance_m:g} m, aid {aid!r}", f"at least 5 m with one of {', '.join(known)}")
    return max(fitting, key=lambda w: w.from_m or 0.0)


def is_step(edss: float) -> bool:
    """True for a value of the scale: 0, then 1 to 10 in half steps."""
    return edss == 0 or (1 <= edss <= 10 and float(edss * 2).is_integer())


def timed_change(before_s: float, now_s: float, meaningful_fraction: float) -> tuple[float, str]:
    """Change of a timed test (25-foot walk, nine-hole pegs) as a fraction of before, and what it means."""
    if before_s <= 0 or now_s <= 0:
        raise InputError("timed test", f"{before_s:g} s and {now_s:g} s", "times above 0 s")
    change = now_s / before_s - 1
    if abs(change) < meaningful_fraction - 1e-9:
        return change, "unchanged"
    return change, "worse" if change > 0 else "better"


def _score(systems: Mapping[str, int], walk: Walk, rules: Convention) -> float:
    if walk.alone:
        return walk.edss
    grades = tuple(convert(s, systems[s], rules) for s in SYSTEMS)
    by_systems = next(p.edss for p in rules.patterns if p.fits(grades))
    return max(by_systems, walk.edss)


def _count(grades: tuple[int, ...], name: str) -> int:
    low, high = _GRADE[name]
    return sum(low <= g <= high for g in grades)


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _check(systems: Mapping[str, int | None], ambulation: int | None, rules: Convention) -> None:
    highest = dict(rules.highest)
    for system, grade in systems.items():
        if system not in highest:
            raise InputError("functional system", system, ", ".join(SYSTEMS))
        if grade is not None and not 0 <= grade <= highest[system]:
            raise InputError(system, f"grade {grade}", f"0 to {highest[system]}")
    if ambulation is not None and ambulation not in {w.score for w in rules.walks}:
        raise InputError("ambulation", f"score {ambulation}", f"0 to {rules.walks[-1].score}")
