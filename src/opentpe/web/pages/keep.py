"""A consultation kept as records: the patient, the attack, every finding, the decision and the planned course."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from opentpe.domain import documents
from opentpe.domain.consultation import Consultation
from opentpe.records import intake, kinds
from opentpe.records.store import Batch
from opentpe.web.clinic import Clinic


def keep(here: Clinic, consultation: Consultation, bundle: dict[str, Any], who: str, why: str) -> tuple[str, str]:
    """Identifiers of the new patient and of the planned course ("" where none is planned); all is kept, or nothing."""
    patient = consultation.patient
    with here.store.writing(who, why) as batch:
        body = intake.person(patient)
        made = batch.add(body.model_copy(update={"identifier": _free(here, patient.identifier or "unnamed")}))
        _findings(batch, consultation, made.id, here)
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


def _findings(batch: Batch, consultation: Consultation, patient_id: str, here: Clinic) -> None:
    for body in intake.findings(consultation.patient, consultation.relapse, here.library):
        batch.add(body, patient_id)


def _attack(batch: Batch, consultation: Consultation, patient_id: str) -> str:
    relapse = consultation.relapse
    return "" if relapse is None else batch.add(intake.attack(relapse), patient_id).id


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
