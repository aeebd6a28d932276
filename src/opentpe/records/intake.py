"""A hospital's FHIR bundle becomes records: what the reader understood of it, and the bundle itself as a document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from opentpe.domain import patient as whiteboard
from opentpe.domain.relapse import Relapse
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.fhir import read
from opentpe.records import kinds
from opentpe.records.kinds import Body
from opentpe.records.run_sheet import RunSheet
from opentpe.records.store import Store
from opentpe.records.times import of_when

_BEDSIDE: Final = frozenset(
    ("weight", "height", "temperature", "systolic_pressure", "diastolic_pressure", "heart_rate", "gestation")
)
_LABORATORY: Final = frozenset(("aqp4_igg", "mog_igg", "urine_nitrite", "urine_culture", "jcv_index", "pregnancy"))


@dataclass(frozen=True, slots=True)
class Taken:
    """The patient that the bundle became, how many records, and what the reader ignored or settled."""

    patient_id: str
    records_count: int
    issues: tuple[whiteboard.Issue, ...]


def take(store: Store, data: Mapping[str, Any], on: date, library: Library, who: str, why: str = "") -> Taken:
    """A new patient with everything the reader understood; InputError for a bundle that cannot be used.

    ConflictError where the hospital's number is kept already: a record is never merged without a person looking.
    """
    reading = read.read(data, on, library)
    with store.writing(who, why or "FHIR bundle") as batch:
        patient = batch.add(person(reading.patient))
        bodies = list(findings(reading.patient, reading.relapse, library))
        if reading.relapse is not None:
            bodies.append(attack(reading.relapse))
        for body in bodies:
            batch.add(body, patient.id)
        batch.add(_paper(data), patient.id)
    return Taken(patient.id, len(bodies) + 2, reading.issues)


def person(said: whiteboard.Patient) -> kinds.Patient:
    """Who the patient is."""
    sex = said.sex if said.sex in ("female", "male") else ""
    return kinds.Patient(identifier=said.identifier[:200], name=said.name[:200], sex=sex, birth=of_when(said.birth))


def _paper(data: Mapping[str, Any]) -> kinds.Paper:
    text = json.dumps(data, ensure_ascii=False, sort_keys=True)
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return kinds.Paper(title="FHIR bundle", media_type="application/fhir+json", content=text, sha256=digest)
    except ValueError as error:
        raise InputError("bundle", "text that no database can keep", "plain text") from error


def attack(relapse: Relapse) -> kinds.Relapse:
    """The attack that was read; `kind` is a name of codes.toml."""
    return kinds.Relapse(
        onset_on=of_when(relapse.onset),
        kind=relapse.kind,
        course=relapse.course,
        site=relapse.site[:200],
        severity=relapse.severity,
        text=relapse.text,
    )


def findings(said: whiteboard.Patient, relapse: Relapse | None, library: Library) -> Iterator[Body]:
    """Everything that was read about a patient besides the attack, each as a record."""
    attacks = {k for k, row in library.document("codes/conditions").get("condition", {}).items() if row.get("attack")}
    measured = frozenset(library.document("codes/measurements").get("observation", {}))
    for condition in said.conditions:
        if relapse is None or condition.source != relapse.source or condition.kind not in attacks:
            yield _condition(condition)
    for allergy in said.allergies:
        yield kinds.Allergy(kind=allergy.kind, text=allergy.text[:200])
    for finding in said.observations:
        yield _finding(finding, measured)
    yield from _drugs(said, relapse)
    for done in said.procedures:
        yield _procedure(done)


def _condition(said: whiteboard.Condition) -> kinds.Condition:
    return kinds.Condition(
        kind=said.kind,
        code=said.code[:200],
        text=said.text[:200],
        active=said.active,
        onset_on=of_when(said.onset),
        abated_on=of_when(said.abated),
        site=said.site[:200],
        severity=said.severity,
        verified=said.verified,
    )


def _finding(said: whiteboard.Observation, measured: frozenset[str]) -> kinds.Lab | kinds.Examination:
    at = of_when(said.when)
    common: dict[str, Any] = {"kind": said.kind, "value": said.value, "unit": said.unit, "answer": said.answer}
    if (said.kind in measured or said.kind in _LABORATORY) and said.kind not in _BEDSIDE and not said.site:
        return kinds.Lab(taken_at=at, text=said.text, **common)
    return kinds.Examination(seen_on=at, site=said.site, text=said.text, **common)


def _drugs(said: whiteboard.Patient, relapse: Relapse | None) -> Iterator[kinds.Drug]:
    """Steroids day by day as they were counted; other drugs as they stand."""
    counted = [d for course in relapse.steroids for d in course.doses] if relapse else []
    for dose in counted:
        yield kinds.Drug(
            kind=dose.drug,
            drug_group="glucocorticoid",
            start_on=dose.on.isoformat(),
            dose_mg=dose.dose_mg,
            route=dose.route,
            doses_count=1,
        )
    sources = {dose.source for dose in counted}
    for drug in said.medications:
        if drug.source not in sources:
            yield kinds.Drug(
                kind=drug.kind,
                drug_group=drug.group,
                name=drug.name[:200],
                start_on=of_when(drug.start),
                end_on=of_when(drug.end),
                dose_mg=drug.dose_mg,
                route=drug.route,
                doses_count=drug.doses_count,
                certainty=drug.certainty,
            )


def _procedure(said: whiteboard.PastProcedure) -> kinds.Procedure:
    made = {"in-progress": "running", "stopped": "partial"}.get(said.status, "performed")
    sheet = RunSheet()
    if said.plasma_removed_ml is not None:
        end = sheet.end.model_copy(update={"plasma_removed_ml": said.plasma_removed_ml})
        sheet = sheet.model_copy(update={"end": end})
    return kinds.Procedure(
        kind=said.kind,
        status=made,
        started_at=of_when(said.when),
        sheet=sheet,
        note=said.text,
    )
