"""A consultation kept as records: the patient, the attack, every finding, the decision and the planned course."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from opentpe.domain import documents
from opentpe.domain.consultation import Consultation
from opentpe.domain.patient import Medication, Observation, When
from opentpe.records import kinds
from opentpe.records.store import Batch
from opentpe.web.clinic import Clinic

LABS: Final = frozenset((
    "haematocrit", "haemoglobin", "platelets", "leucocytes", "crp", "igg", "iga", "igm", "fibrinogen", "albumin",
    "total_protein", "calcium", "ionised_calcium", "magnesium", "potassium", "bicarbonate", "inr", "aptt", "creatinine",
    "bilirubin", "alt", "ast", "glucose", "urine_nitrite", "urine_culture", "aqp4_igg", "mog_igg", "jcv_index",
))  # fmt: skip


def keep(here: Clinic, consultation: Consultation, bundle: dict[str, Any], who: str, why: str) -> tuple[str, str]:
    """Identifiers of the new patient and of the planned course ("" where none is planned); all is kept, or nothing."""
    patient = consultation.patient
    with here.store.writing(who, why) as batch:
        body = kinds.Patient(
            identifier=_free(here, patient.identifier or "unnamed"),
            name=patient.name,
            sex=patient.sex if patient.sex in ("female", "male") else "",
            birth=patient.birth.first_day if patient.birth else None,
        )
        made = batch.add(body)
        _findings(batch, consultation, made.id)
        relapse_id = _attack(batch, consultation, made.id)
        _decision(batch, consultation, made.id, relapse_id)
        paper = kinds.Paper(title="Bundle of the consultation", media_type="application/fhir+json")
        batch.add(paper.model_copy(update={"content": json.dumps(bundle, ensure_ascii=False)}), made.id)
        return made.id, _course(batch, consultation, made.id, relapse_id)


def _free(here: Clinic, identifier: str) -> str:
    """The identifier, with a number behind it where another patient has it."""
    taken = {k.body.identifier for k in here.store.current(kinds.Patient)}
    names = (identifier if i == 1 else f"{identifier} ({i})" for i in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)[:200]


def _findings(batch: Batch, consultation: Consultation, patient_id: str) -> None:
    patient, relapse = consultation.patient, consultation.relapse
    for found in patient.observations:
        batch.add(_observation(found), patient_id)
    for row in patient.conditions:
        if relapse is None or row.source != relapse.source:
            batch.add(
                kinds.Condition(
                    kind=row.kind, code=row.code[:200], text=row.text[:200], active=row.active,
                    onset_on=_first(row.onset), abated_on=_first(row.abated), site=row.site[:200],
                ),
                patient_id,
            )  # fmt: skip
    for drug in patient.medications:
        batch.add(_drug(drug), patient_id)
    for allergy in patient.allergies:
        batch.add(kinds.Allergy(kind=allergy.kind, text=allergy.text[:200]), patient_id)


def _first(when: When | None) -> date | None:
    return when.first_day if when else None


def _observation(found: Observation) -> kinds.Lab | kinds.Examination:
    unit = "" if found.unit == "1" else found.unit
    if found.kind in LABS:
        return kinds.Lab(
            kind=found.kind, value=found.value, unit=unit, answer=found.answer, taken_at=found.when.earliest,
            text=found.text,
        )  # fmt: skip
    site: Any = found.site if found.site in ("left", "right") else ""
    return kinds.Examination(
        kind=found.kind, value=found.value, unit=unit, answer=found.answer, site=site, seen_on=found.when.first_day,
        text=found.text,
    )  # fmt: skip


def _drug(drug: Medication) -> kinds.Drug:
    known: Any = drug.route if drug.route in ("iv", "oral", "sc", "im") else ""
    certainty: Any = drug.certainty if drug.certainty in ("taken", "stated", "ordered") else "stated"
    return kinds.Drug(
        kind=drug.kind, drug_group=drug.group, name=drug.name[:200], start_on=_first(drug.start),
        end_on=drug.end.latest.date() if drug.end else None, dose_mg=drug.dose_mg, route=known,
        doses_count=drug.doses_count, certainty=certainty,
    )  # fmt: skip


def _attack(batch: Batch, consultation: Consultation, patient_id: str) -> str:
    relapse = consultation.relapse
    if relapse is None:
        return ""
    course: Any = relapse.course or ""
    severity: Any = relapse.severity if relapse.severity in ("mild", "moderate", "severe") else ""
    body = kinds.Relapse(
        onset_on=_first(relapse.onset), kind=relapse.kind, course=course, site=relapse.site[:200], severity=severity,
        text=relapse.text,
    )  # fmt: skip
    return batch.add(body, patient_id).id


def _decision(batch: Batch, consultation: Consultation, patient_id: str, relapse_id: str) -> None:
    made, decision = consultation.versions, consultation.decision
    body = kinds.Decision(
        relapse_id=relapse_id,
        decided_on=consultation.on,
        advice=decision.advice.value,
        program_version=made.opentpe if made else "",
        evidence_digest=made.library if made else "",
        guideline=decision.guideline,
        document=documents.encode(decision),
    )
    batch.add(body, patient_id)


def _course(batch: Batch, consultation: Consultation, patient_id: str, relapse_id: str) -> str:
    order = consultation.order
    if order is None or order.needs or not order.dates:
        return ""
    items: Iterator[Any] = iter(order.dates)
    body = kinds.Course(relapse_id=relapse_id, words=order.words, first_on=next(items))
    return batch.add(body, patient_id).id
