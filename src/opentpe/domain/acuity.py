"""Visual acuity: Snellen, decimal, logMAR, counting fingers and hand motion, to each other and to lines gained.

Fingers and hand motion are no letter lines: their numbers are a named convention (`evidence/scales/acuity.toml`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentpe.errors import InputError

_SNELLEN: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s*/\s*(\d+(?:[.,]\d+)?)")
_LOGMAR: Final = re.compile(r"(?:logmar\s*)([+-]?\d+(?:[.,]\d+)?)|([+-]?\d+(?:[.,]\d+)?)(?:\s*logmar)")
_DECIMAL: Final = re.compile(r"\d+(?:[.,]\d+)?")
_WORDS: Final = {
    "cf": "counting_fingers",
    "counting fingers": "counting_fingers",
    "count fingers": "counting_fingers",
} | {
    "fc": "counting_fingers",
    "hm": "hand_motion",
    "hand motion": "hand_motion",
    "hand movements": "hand_motion",
}
_NO_NUMBER: Final = ("lp", "nlp", "light perception", "no light perception")
_MOST: Final = 3.0  # decimal; sharper than any eye


@dataclass(frozen=True, slots=True)
class Acuity:
    """One eye: decimal and logMAR (logMAR = -log10 decimal). `convention` is set where the number is one."""

    decimal: float
    logmar: float
    convention: str = ""

    @property
    def snellen_20(self) -> str:
        """Snellen fraction of 20 feet, as "20/200"."""
        return f"20/{20 / self.decimal:.0f}"

    @property
    def snellen_6(self) -> str:
        """Snellen fraction of 6 metres, as "6/60"."""
        return f"6/{6 / self.decimal:.0f}"


@dataclass(frozen=True, slots=True)
class VisualGrades:
    """Bounds of the visual functional system: (grade, below or up to this denominator of 20) from the top."""

    below: tuple[tuple[int, float], ...]
    up_to: tuple[tuple[int, float], ...]
    beyond: int
    both_eyes: int
    better_from: float
    normal_decimal: float


def from_decimal(decimal: float, convention: str = "") -> Acuity:
    """Acuity from its decimal value; `InputError` outside what an eye can see."""
    if not 0 < decimal <= _MOST:
        raise InputError("visual acuity", f"decimal {decimal:g}", f"above 0 and up to {_MOST:g}", "Is it logMAR?")
    return Acuity(decimal, -math.log10(decimal), convention)


def from_logmar(logmar: float, convention: str = "") -> Acuity:
    """Acuity from logMAR."""
    return from_decimal(10**-logmar, convention)


def read(text: str, fingers_logmar: float, hand_motion_logmar: float) -> Acuity:
    """Acuity from what is written in a chart: "20/200", "6/12", "0.5", "0,5", "logMAR 0.3", "CF", "HM".

    >>> round(read("6/12", 2.0, 2.3).decimal, 2)
    0.5
    """
    written = text.strip().lower()
    word = _WORDS.get(re.sub(r"\s*(at|@)?\s*\d.*$", "", written))
    if word == "counting_fingers":
        return from_logmar(fingers_logmar, f"counting fingers as logMAR {fingers_logmar:g}")
    if word == "hand_motion":
        return from_logmar(hand_motion_logmar, f"hand motion as logMAR {hand_motion_logmar:g}")
    if written in _NO_NUMBER:
        raise InputError(
            "visual acuity", repr(text), "an acuity with a number", "Light perception has none; record text."
        )
    if match := _SNELLEN.fullmatch(written):
        return from_decimal(_number(match[1]) / _nonzero(_number(match[2]), text))
    if match := _LOGMAR.fullmatch(written):
        return from_logmar(_number(match[1] or match[2]))
    if _DECIMAL.fullmatch(written):
        return from_decimal(_number(written))
    raise InputError("visual acuity", repr(text), "Snellen (20/40, 6/12), decimal (0.5), logMAR 0.3, CF or HM")


def lines_gained(before: Acuity, now: Acuity, line_logmar: float) -> float:
    """Lines of a logarithmic chart gained (negative: lost)."""
    return round((before.logmar - now.logmar) / line_logmar, 9)


def improved(before: Acuity, now: Acuity, line_logmar: float, more_than_lines: float) -> bool:
    """True where more than this many lines were gained."""
    return lines_gained(before, now, line_logmar) > more_than_lines


def loss_fraction(before: Acuity, now: Acuity) -> float:
    """Share of the decimal acuity that was lost, 0 where it is no worse."""
    return max(0.0, 1.0 - now.decimal / before.decimal)


def visual_grades(document: Mapping[str, Any]) -> VisualGrades:
    """The bounds of the visual functional system from the library's file."""
    rows = document["visual_grade"]
    return VisualGrades(
        below=tuple((r["grade"], float(r["denominator_below"])) for r in rows if "denominator_below" in r),
        up_to=tuple((r["grade"], float(r["denominator_to"])) for r in rows if "denominator_to" in r),
        beyond=max(int(r["grade"]) for r in rows),
        both_eyes=int(document["better_eye"]["grade"]),
        better_from=float(document["better_eye"]["denominator_from"]),
        normal_decimal=float(document["normal_decimal"]["value"]),
    )


def visual_system(worse: Acuity, better: Acuity | None, grades: VisualGrades) -> int:
    """Raw grade 0 to 6 of the visual functional system by acuity alone, fields and scotoma not considered."""
    denominator = round(20 / worse.decimal, 6)
    if worse.decimal >= grades.normal_decimal:
        return 0
    for grade, below in grades.below:
        if denominator < below:
            return grade
    for grade, most in grades.up_to:
        if denominator <= most:
            return grade
    if better is not None and round(20 / better.decimal, 6) >= grades.better_from:
        return grades.both_eyes
    return grades.beyond


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _nonzero(x: float, text: str) -> float:
    if x == 0:
        raise InputError("visual acuity", repr(text), "a denominator above 0")
    return x
