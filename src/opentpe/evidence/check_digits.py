"""Check digits of terminology codes: an invented or mistyped number is found without its list.

LOINC ends in a Mod 10 digit, SNOMED CT in one of Verhoeff's (a sum in the group of the regular pentagon, over digits
permuted by place). Answer identifiers of LOINC (LA...) follow neither and pass, as do systems without such a digit.
"""

from __future__ import annotations

from typing import Final

_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def sound(system: str, code: str) -> bool:
    """Whether the last digit of a code is the one its system computes."""
    if system == "snomed":
        return code.isdecimal() and _verhoeff(code) == 0
    if system == "loinc" and not code.startswith("LA"):
        digits = code.replace("-", "", 1)
        return code[-2:-1] == "-" and digits.isdecimal() and _mod10(digits) == 0
    return True


def _mod10(digits: str) -> int:
    doubled = (int(d) * (1 + place % 2) for place, d in enumerate(reversed(digits)))
    return sum(n // 10 + n % 10 for n in doubled) % 10


def _verhoeff(digits: str) -> int:
    total = 0
    for place, d in enumerate(reversed(digits)):
        n = int(d)
        for _ in range(place % 8):
            n = _STEP[n]
        total = _turn(total, n)
    return total


def _turn(a: int, b: int) -> int:
    """One symmetry of the pentagon after another: 0 to 4 rotations, 5 to 9 reflections."""
    rotation = (a + b) % 5 if a < 5 else (a - b) % 5
    return rotation + 5 * ((a < 5) != (b < 5))
