"""Tolerant access to JSON: what is missing or has the wrong shape reads as empty, never as an exception."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

Node = Mapping[str, Any]
EMPTY: Final[Node] = {}
_OBJECT: Final = (dict, Mapping)  # a dict is known at once, anything else by the slower question
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?")
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def node(parent: Any, name: str, *rest: str) -> Node:
    """The object at a path, empty where there is none."""
    if type(parent) is dict and not rest:  # a record has ten thousands of these steps
        here = parent.get(name)
        return here if type(here) is dict else here if isinstance(here, Mapping) else EMPTY
    here = parent
    for step in (name, *rest):
        here = here.get(step) if isinstance(here, _OBJECT) else None
    return here if here is not None and isinstance(here, _OBJECT) else EMPTY


def _at(parent: Any, name: str, rest: tuple[str, ...]) -> Any:
    """Whatever stands at a path; the usual single step goes straight."""
    if rest:
        return node(parent, name, *rest[:-1]).get(rest[-1])
    return parent.get(name) if isinstance(parent, _OBJECT) else None


def items(parent: Any, name: str, *rest: str) -> list[Node]:
    """The objects of the list at a path; a single object counts as a list of one."""
    here = parent.get(name) if type(parent) is dict and not rest else _at(parent, name, rest)
    if here is None:
        return []
    if isinstance(here, list | tuple):
        return [child for child in here if isinstance(child, _OBJECT)]
    return [here] if isinstance(here, _OBJECT) else []


def text(parent: Any, name: str, *rest: str) -> str:
    """The text at a path, trimmed; empty where there is none."""
    here = parent.get(name) if type(parent) is dict and not rest else _at(parent, name, rest)
    return here.strip() if isinstance(here, str) else ""


def number(parent: Any, name: str, *rest: str) -> float | None:
    """The finite number at a path; a number written as text counts, with a decimal point or comma."""
    here = _at(parent, name, rest)
    if isinstance(here, str):
        return parse_number(here)
    if isinstance(here, bool) or not isinstance(here, int | float):
        return None
    try:
        value = float(here)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def parse_number(written: str) -> float | None:
    """The number in a text, None where it is none or could be read two ways.

    >>> parse_number("38,5"), parse_number("2,500"), parse_number("0,385")
    (38.5, None, 0.385)
    """
    trimmed = written.strip()
    if not _NUMBER.fullmatch(trimmed) or _THOUSANDS.fullmatch(trimmed):
        return None
    value = float(trimmed.replace(",", "."))
    return value if math.isfinite(value) else None


def flag(parent: Any, name: str, *rest: str) -> bool | None:
    """The yes or no at a path, None where there is none."""
    here = _at(parent, name, rest)
    return here if isinstance(here, bool) else None


def codings(concept: Any) -> list[Node]:
    """The codings of a CodeableConcept."""
    return items(concept, "coding")


def first_code(concept: Any) -> str:
    """The first code of a CodeableConcept, for elements with a required binding."""
    return next((text(c, "code") for c in codings(concept) if text(c, "code")), "")


def label(concept: Any) -> str:
    """What a person would read: the text, else the first display, else the first code."""
    displays = [text(c, "display") for c in codings(concept)]
    return text(concept, "text") or next((d for d in displays if d), "") or first_code(concept)
