"""Drugs taken: administrations before statements before dispensed orders; Medication resources and contained ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from opentpe.domain.patient import Medication, When
from opentpe.fhir import doses, shape, when
from opentpe.fhir.bundle import Resource
from opentpe.fhir.desk import Desk
from opentpe.fhir.doses import Dose
from opentpe.fhir.shape import Node

_TAKEN: Final = {
    "MedicationAdministration": ("completed", "in-progress", "stopped"),
    "MedicationStatement": ("active", "completed", "stopped"),
    "MedicationRequest": ("active", "completed", "stopped"),
    "MedicationDispense": ("completed", "in-progress"),
}
_PLANNED: Final = ("proposal", "plan", "option")
_CERTAINTY: Final = {"MedicationAdministration": "taken", "MedicationStatement": "stated"}


class Drug(NamedTuple):
    """Which drug a resource is about."""

    kind: str
    group: str
    name: str
    strength_mg: float | None


class Intake(NamedTuple):
    """One entry of the drug chart: what, from when to when, and each way it was taken in that time."""

    medication: Medication
    doses: tuple[Dose, ...]
    counted: bool  # False: ordered, but nothing says that it was taken


def read(desk: Desk) -> list[Intake]:
    """Every drug of the record with its certainty."""
    dispensed = _dispensed(desk)
    found: list[Intake] = []
    for resource in desk.record.of_type("MedicationAdministration", "MedicationStatement"):
        found += _intake(desk, resource, None)
    for resource in desk.record.of_type("MedicationRequest"):
        found += _intake(desk, resource, dispensed.pop(resource.label, None))
    for lone in dispensed.values():
        found += _intake(desk, lone, lone)
    return found + list(_vaccines(desk))


def _dispensed(desk: Desk) -> dict[str, Resource]:
    """The newest completed dispense of each request; a dispense without one under its own name."""
    found: dict[str, Resource] = {}
    for dispense in desk.record.of_type("MedicationDispense"):
        if shape.text(dispense.body, "status") not in _TAKEN["MedicationDispense"]:
            continue
        requests = [desk.record.resolve(dispense, r) for r in shape.items(dispense.body, "authorizingPrescription")]
        key = next((r.label for r in requests if r is not None), dispense.label)
        found[key] = dispense
    return found


def drug(desk: Desk, resource: Resource) -> Drug:
    """The drug a resource names by code, by a Medication, by its ingredients, or at last by its words."""
    held = desk.record.resolve(resource, shape.node(resource.body, "medicationReference"))
    body = held.body if held else shape.EMPTY
    concepts = [shape.node(resource.body, "medicationCodeableConcept"), shape.node(body, "code")]
    concepts += [shape.node(i, "itemCodeableConcept") for i in shape.items(body, "ingredient")]
    name = next((shape.label(c) for c in concepts if shape.label(c)), "")
    name = name or shape.text(resource.body, "medicationReference", "display")
    if held is None and shape.text(resource.body, "medicationReference", "reference"):
        desk.note(
            "unresolved_reference",
            f"{resource.label}.medicationReference",
            shape.text(resource.body, "medicationReference", "reference"),
            "a Medication in the bundle",
            "its display text is used" if name else "ignored",
        )
    match = next((m for m in (desk.codes.meaning("medication", shape.codings(c)) for c in concepts) if m), None)
    if match is None:
        match = next((m for m in (desk.codes.by_words("medication", t) for t in _texts(concepts, name)) if m), None)
        if match is not None:
            desk.note(
                "matched_by_name",
                resource.label,
                repr(name[:60]),
                "a coded drug",
                f"read as {match.kind.replace('_', ' ')}",
            )
    if match is None:
        desk.mistyped_local("medication", resource, concepts[0])
        return Drug("other", "other", name, None)
    group = str(desk.codes.row("medication", match.kind)["group"])
    return Drug(match.kind, group, name or match.kind, doses.strength_mg(body))


def _texts(concepts: list[Node], name: str) -> Iterator[str]:
    yield name
    for concept in concepts:
        yield shape.text(concept, "text")
        yield from (shape.text(c, "display") for c in shape.codings(concept))


def _intake(desk: Desk, resource: Resource, dispense: Resource | None) -> list[Intake]:
    what = drug(desk, resource)
    status = shape.text(resource.body, "status")
    if not _was_taken(desk, resource, status, what):
        return []
    times = _times(desk, resource, dispense)
    if times is None:
        return []
    start, end = times
    taken = _doses(desk, resource, dispense, what)
    certainty = _CERTAINTY.get(resource.type, "ordered")
    counted = certainty != "ordered" or dispense is not None
    if not counted and what.group == "glucocorticoid":
        desk.note(
            "ordered_only",
            resource.label,
            f"{what.kind} ordered, no dispense",
            "a dispense, statement or administration",
            "not counted as taken",
        )
    end = _end(resource, status, taken, start, end)
    medication = Medication(
        kind=what.kind,
        group=what.group,
        name=what.name,
        source=resource.label,
        start=start,
        end=end,
        dose_mg=taken[0].dose_mg if taken else None,
        route=next((d.route for d in taken if d.route), ""),
        doses_count=_count(taken, start, end),
        certainty="stated" if counted and certainty == "ordered" else certainty,
    )
    return [Intake(medication, tuple(taken), counted)]


def _end(resource: Resource, status: str, taken: list[Dose], start: When | None, end: When | None) -> When | None:
    """The last day as recorded, else by the number of days, else the last day known of a drug that was stopped.

    An administration has none: that one infusion is over does not say that the drug was stopped.
    """
    if resource.type == "MedicationAdministration":
        return end if (doses.days_between(start, end) or 1) > 2 else None
    days = taken[0].days if len(taken) == 1 else None
    if end is None and days is not None and start is not None and start.certain_day:
        return When.day(start.first_day + timedelta(days=days - 1))
    if end is None and status in ("completed", "stopped"):
        return when.parse(shape.text(resource.body, "meta", "lastUpdated")) or start
    return end


def _was_taken(desk: Desk, resource: Resource, status: str, what: Drug) -> bool:
    if resource.type == "MedicationRequest" and shape.text(resource.body, "intent") in _PLANNED:
        return False
    if shape.flag(resource.body, "doNotPerform"):
        return False
    if status in _TAKEN[resource.type]:
        return True
    if what.kind != "other":
        code = "entered_in_error" if status == "entered-in-error" else "not_taken"
        desk.note(code, resource.label, f"{what.kind.replace('_', ' ')}, status {status[:30] or 'missing'}", "taken")
    return False


def _times(desk: Desk, resource: Resource, dispense: Resource | None) -> tuple[When | None, When | None] | None:
    """Start and end; None where the drug was taken after the day of the consultation."""
    body = resource.body
    start, end = when.period(shape.node(body, "effectivePeriod"))
    if start is None and end is None:
        start = when.of(body, "effective")
    if start is None and dispense is not None:
        start = when.of(dispense.body, "whenHandedOver") or when.of(dispense.body, "whenPrepared")
    if start is None and resource.type == "MedicationRequest":
        start = when.of(body, "authoredOn")
    written = when.written(body, "effective")
    if written and start is None and end is None:
        desk.note(
            "unreadable",
            f"{resource.label}.effective",
            repr(written[:60]),
            "a date such as 2026-02-09",
            "the time is unknown",
        )
    if start is not None and desk.not_later(start, resource.label) is None:
        return None
    if end is not None and start is not None and end.latest < start.earliest:
        desk.note(
            "contradiction",
            resource.label,
            f"end {end.first_day} before start {start.first_day}",
            "start before end",
            "the end is not used",
        )
        end = None
    return start, end


def _doses(desk: Desk, resource: Resource, dispense: Resource | None, what: Drug) -> list[Dose]:
    if resource.type == "MedicationAdministration":
        found = [doses.of_administration(resource.body, desk.codes, what.strength_mg)]
    else:
        bodies = [b.body for b in (dispense, resource) if b is not None]
        lists = [shape.items(b, "dosage") or shape.items(b, "dosageInstruction") for b in bodies]
        found = doses.of_instructions(next((l for l in lists if l), []), desk.codes, what.strength_mg)
        supply = shape.number(dispense.body, "daysSupply", "value") if dispense else None
        if len(found) == 1 and found[0].days is None and supply and 1 <= supply <= 3660:
            found = [found[0]._replace(days=round(supply))]
    return [_believed(desk, resource, d, what) for d in found]


def _believed(desk: Desk, resource: Resource, dose: Dose, what: Drug) -> Dose:
    """The dose itself; listed where it has no unit of mass, or where no patient gets that much or little."""
    if dose.unreadable and what.group == "glucocorticoid":
        desk.note(
            "unit_unknown", resource.label, f"dose {dose.unreadable}", "a dose in mg or g", "the dose is not counted"
        )
    windows = desk.library.document("ages")["dose_mg"].get(what.kind)
    if dose.dose_mg is None or windows is None:
        return dose
    low = float(windows["iv_low" if dose.route == "iv" else "low"]["value"])
    high = float(windows["high"]["value"])
    if low <= dose.dose_mg <= high:
        return dose
    desk.note(
        "implausible",
        resource.label,
        f"{what.kind} {dose.dose_mg:,.10g} mg {dose.route}".strip(),
        f"{low:g} to {high:g} mg",
        "kept as recorded; confirm whether g and mg were mixed up",
    )
    return dose


def _count(taken: list[Dose], start: When | None, end: When | None) -> int | None:
    if len(taken) != 1:
        return None
    if taken[0].on:
        return len(taken[0].on)
    days = taken[0].days or doses.days_between(start, end)
    return round(days * taken[0].per_day) if days else None


def _vaccines(desk: Desk) -> Iterator[Intake]:
    for resource in desk.record.of_type("Immunization"):
        if shape.text(resource.body, "status") != "completed":
            continue
        given = desk.time(resource, "occurrence")
        if given is not None:
            name = shape.label(shape.node(resource.body, "vaccineCode")) or "vaccine"
            yield Intake(Medication("vaccine", "vaccine", name, resource.label, given, given), (), counted=True)
