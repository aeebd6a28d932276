"""Coded answers and visual acuity: what laboratories and forms write, as one word of the kind's closed list."""

from __future__ import annotations

import re
from typing import Any, Final

from opentpe.domain import acuity as sight
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.fhir import shape
from opentpe.fhir.codebook import Codebook
from opentpe.fhir.shape import Node

_LOGMAR_MOST: Final = 4.0  # below light perception
_FINGERS: Final = "scales/acuity.counting_fingers_logmar"
_HAND: Final = "scales/acuity.hand_motion_logmar"


def read(body: Node, row: Node, codes: Codebook, where: str) -> tuple[str, str] | None:
    """The answer and its text; None where the resource holds no value.

    Raises `InputError` where there is a value that is none of the kind's answers.
    """
    allowed = tuple(row["answers"])
    concept = shape.node(body, "valueCodeableConcept")
    text = shape.label(concept) or shape.text(body, "valueString")
    truth = shape.flag(body, "valueBoolean")
    if truth is not None:
        return _fitting("yes" if truth else "no", allowed, codes), ""
    if not allowed:
        return (text, text) if text else None
    found = _from_concept(concept, allowed, codes) or _from_words(text, allowed, codes)
    if not found:
        found = _from_interpretation(body, allowed, codes)
    if not found and row.get("free_text") and text:
        return "other" if "other" in allowed else text, text
    if not found and (text or shape.node(body, "valueQuantity")):
        raise InputError(where, repr((text or "a number")[:60]), ", ".join(a.replace("_", " ") for a in allowed))
    return (found, text) if found else None


def _from_concept(concept: Any, allowed: tuple[str, ...], codes: Codebook) -> str:
    for coding in shape.codings(concept):
        code = shape.text(coding, "code").replace("-", "_")
        if shape.text(coding, "system") == codes.local and code in allowed:
            return code
    match = codes.meaning("answer", shape.codings(concept))
    return _fitting(match.kind, allowed, codes) if match else ""


def _from_words(text: str, allowed: tuple[str, ...], codes: Codebook) -> str:
    low = text.casefold().strip()
    plain = re.sub(r"[\s-]+", "_", low)
    if plain in allowed:
        return plain
    kind = codes.exactly("answer", low)
    return _fitting(kind, allowed, codes) if kind else ""


def _from_interpretation(body: Node, allowed: tuple[str, ...], codes: Codebook) -> str:
    for concept in shape.items(body, "interpretation"):
        found = _from_concept(concept, allowed, codes)
        if found:
            return found
    return ""


def _fitting(kind: str, allowed: tuple[str, ...], codes: Codebook) -> str:
    """The answer itself where the kind has it, else the word this kind uses for the same."""
    if kind in allowed:
        return kind
    return next((m for m in codes.row("answer", kind).get("means", ()) if m in allowed), "")


def acuity(body: Node, codes: Codebook, library: Library, where: str) -> tuple[float, str] | None:
    """Visual acuity as a decimal with the text it came from; decimal, logMAR, a Snellen fraction or words.

    None where there is no value; raises `InputError` where it is none of these.
    """
    quantity = shape.node(body, "valueQuantity")
    value = shape.number(quantity, "value")
    unit = shape.text(quantity, "code") or shape.text(quantity, "unit")
    if quantity and value is not None:
        return _decimal(value, unit, where), ""
    text = shape.text(body, "valueString") or shape.label(shape.node(body, "valueCodeableConcept"))
    if not text:
        return None
    return _from_text(text, codes, library, where), text


def _decimal(value: float, unit: str, where: str) -> float:
    if "logmar" in unit.casefold() and abs(value) < _LOGMAR_MOST:
        return float(10.0**-value)
    if unit in ("", "1", "{decimal}", "{ratio}"):
        return value
    raise InputError(where, f"unit {unit!r}", "a decimal without unit, or {logMAR}", "Correct the unit in the record.")


def _from_text(text: str, codes: Codebook, library: Library, where: str) -> float:
    """The decimal of a written acuity: the words of the library first, then what `domain.acuity` reads."""
    bare = re.sub(r"^\s*(?:visus|visual acuity|va|sc|cc)\b[:\s]*", "", text, flags=re.IGNORECASE).strip()
    match = codes.by_words("acuity", bare)
    if match:
        row = codes.row("acuity", match.kind)
        return _decimal(library.value(row["logmar"]), "{logMAR}", where) if "logmar" in row else float(row["value"])
    try:
        return sight.read(bare, library.value(_FINGERS), library.value(_HAND)).decimal
    except InputError as error:
        raise InputError(where, repr(text[:60]), error.expected) from None
