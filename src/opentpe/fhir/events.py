"""What was done and what is not tolerated: exchanges, catheters and allergies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from opentpe import units
from opentpe.domain.patient import Allergy, PastProcedure, When
from opentpe.fhir import shape, when
from opentpe.fhir.bundle import Resource
from opentpe.fhir.desk import Desk

_DONE: Final = ("completed", "in-progress", "stopped", "unknown")
PLASMA_REMOVED: Final = "plasma-removed"  # extension of a Procedure, in our own system


def procedures(desk: Desk) -> tuple[PastProcedure, ...]:
    """Exchanges, adsorptions and catheters of the record, in time order."""
    found = [p for r in desk.record.of_type("Procedure") if (p := _procedure(desk, r))]
    found += [p for r in desk.record.of_type("Device") if (p := _catheter(desk, r))]
    return tuple(sorted(found, key=lambda p: (p.when.earliest, p.source)))


def _procedure(desk: Desk, resource: Resource) -> PastProcedure | None:
    body, code = resource.body, shape.node(resource.body, "code")
    match = desk.codes.meaning("procedure", shape.codings(code))
    if match is None:
        desk.mistyped_local("procedure", resource, code)
        return None
    status = shape.text(body, "status")
    if status not in _DONE:
        desk.note(
            "entered_in_error" if status == "entered-in-error" else "not_taken",
            resource.label,
            f"{match.kind.replace('_', ' ')}, status {status[:30] or 'missing'}",
            "completed or stopped",
        )
        return None
    if not when.written(body, "performed"):
        desk.note("undated", resource.label, f"{match.kind.replace('_', ' ')} without a day", "performedDateTime")
        return None
    performed = desk.time(resource, "performed")
    if performed is None:
        return None
    notes = " ".join(shape.text(n, "text") for n in shape.items(body, "note"))
    return PastProcedure(
        match.kind, resource.label, performed, status, _volume(desk, resource), notes or shape.label(code)
    )


def _volume(desk: Desk, resource: Resource) -> float | None:
    """The patient plasma removed, mL, from our extension."""
    for extension in shape.items(resource.body, "extension"):
        if shape.text(extension, "url") != f"{desk.codes.local}:{PLASMA_REMOVED}":
            continue
        quantity = shape.node(extension, "valueQuantity")
        value, unit = shape.number(quantity, "value"), shape.text(quantity, "code") or shape.text(quantity, "unit")
        if value is not None and value > 0 and units.dimension(unit) == "volume":
            return units.convert(value, unit, "mL", resource.label)
        desk.note(
            "unit_unknown", f"{resource.label}.extension", f"{quantity.get('value')} {unit}"[:40], "a volume in mL or L"
        )
    return None


def _catheter(desk: Desk, resource: Resource) -> PastProcedure | None:
    match = desk.codes.meaning("procedure", shape.codings(shape.node(resource.body, "type")))
    if (
        match is None
        or match.kind != "catheter"
        or shape.text(resource.body, "status") in ("inactive", "entered-in-error")
    ):
        return None
    since = when.parse(shape.text(resource.body, "meta", "lastUpdated"))
    if since is None or since.first_day > desk.on:
        desk.note("undated", resource.label, "a catheter without a day", "a dated Procedure", "taken as in place today")
        since = When.day(desk.on)
    return PastProcedure(
        "catheter", resource.label, since, "in-progress", None, shape.label(shape.node(resource.body, "type"))
    )


def allergies(desk: Desk) -> tuple[Allergy, ...]:
    """Allergies and intolerances that are not withdrawn; "none known" is no allergy."""
    return tuple(_allergies(desk))


def _allergies(desk: Desk) -> Iterator[Allergy]:
    for resource in desk.record.of_type("AllergyIntolerance"):
        body = resource.body
        if shape.first_code(shape.node(body, "verificationStatus")) in ("refuted", "entered-in-error"):
            continue
        if shape.first_code(shape.node(body, "clinicalStatus")) in ("inactive", "resolved"):
            continue
        concepts = [shape.node(body, "code")]
        concepts += [shape.node(r, "substance") for r in shape.items(body, "reaction")]
        codings = [c for concept in concepts for c in shape.codings(concept)]
        text = next((shape.label(c) for c in concepts if shape.label(c)), "")
        match = desk.codes.meaning("allergy", codings) or desk.codes.by_words("allergy", text)
        if match is None or match.kind != "none_known":
            yield Allergy(match.kind if match else "other", text, resource.label)
