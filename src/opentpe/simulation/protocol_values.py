"""Single values of a trial's specification: the value itself where it is of its kind, else an error that names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentpe.errors import InputError


def text(value: Any, where: str) -> str:
    """Words, not empty."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(where, repr(value), "words")
    return value


def truth(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InputError(where, repr(value), "true or false")
    return value


def whole(value: Any, where: str, low: int, high: int) -> int:
    """A whole number between limits."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(where, repr(value), f"a whole number from {low} to {high}")
    return value


def power_of_two(value: Any, where: str) -> int:
    """A power of 2, or 0 for none."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or value & (value - 1):
        raise InputError(where, repr(value), "a power of 2, such as 256; 0 leaves it out")
    return value


def share(value: Any, where: str) -> float:
    """A share, 0 and 1 among them."""
    if not _number(value) or not 0 <= value <= 1:
        raise InputError(where, f"{value}", "a share from 0 to 1")
    return float(value)


def between(value: Any, where: str) -> float:
    """A share that is neither 0 nor 1."""
    if not _number(value) or not 0 < value < 1:
        raise InputError(where, f"{value}", "a share between 0 and 1")
    return float(value)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def entries(value: Any, where: str) -> tuple[Any, ...]:
    """What stands in a list."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InputError(where, repr(value), "a list in brackets")
    return tuple(value)


def names(value: Any, where: str, least: int = 1) -> tuple[str, ...]:
    """A list of words in which none stands twice."""
    found = tuple(text(entry, where) for entry in entries(value, where))
    if len(found) < least:
        raise InputError(where, "an empty list", "at least one")
    if len(set(found)) < len(found):
        raise InputError(where, f"{next(n for n in found if found.count(n) > 1)!r} twice", "each once")
    return found


def table(value: Any, where: str) -> Mapping[str, Any]:
    """A table."""
    if not isinstance(value, Mapping):
        raise InputError(where, repr(value), f"a table, [{where}]")
    return value


def tables(value: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    """A list of tables."""
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise InputError(where, repr(value), f"tables, [[{where}]]")
    return tuple(table(entry, where) for entry in value)
