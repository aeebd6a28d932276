"""A consultation as FHIR R4: nothing in it is active; orders are drafts and proposals until a person signs them.

Sentences come in as an argument: `say(code, values)`. Ids are the same for the same patient, day and content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from opentpe.domain.consultation import Consultation
from opentpe.domain.decision import Decision, Reason
from opentpe.domain.patient import Patient, When
from opentpe.domain.relapse import Relapse
from opentpe.evidence.load import Library
from opentpe.fhir import resources, write_care, write_risk
from opentpe.fhir.resources import Pen, Resource, Say

_ATTACK_CODES: Final = {"ms_relapse": "ms_exacerbation", "brainstem": "cis"}


def bundle(
    consultation: Consultation, say: Say, library: Library, messages: Mapping[str, str] | None = None
) -> Resource:
    """A collection bundle: patient, attack, advice, orders, sessions done, risks, issues and messages.

    `messages` are texts for the patient or a colleague by topic (leaflet, letter); each becomes a Communication that
    has not been sent.
    """
    patient, relapse = consultation.patient, consultation.relapse
    pen = resources.pen(patient.identifier, consultation.on, say, library, attack=relapse is not None)
    written: list[Resource] = [person(pen, patient)]
    if relapse is not None:
        written.append(attack(pen, relapse))
    written += advice(pen, consultation.decision)
    if consultation.order is not None:
        written += write_care.order(pen, consultation.order, consultation.decision)
        written += write_care.course(pen, consultation.order.course, consultation.order.dates)
    written += write_care.samples(pen, consultation.decision.alerts)
    written += write_risk.harms(pen, consultation.forecast.risks if consultation.forecast else ())
    written += write_risk.benefits(pen, consultation.benefit)
    written += write_risk.alerts(pen, consultation.decision.alerts)
    written += write_risk.issues(pen, consultation.issues)
    written += write_risk.messages(pen, messages or {})
    return resources.collection(written)


def person(pen: Pen, patient: Patient) -> Resource:
    """The patient with what identifies a record: identifier, name, sex and birth."""
    return {
        "resourceType": "Patient",
        "id": pen.patient_id,
        "identifier": [{"value": patient.identifier}],
        "name": [{"text": patient.name}] if patient.name else [],
        "gender": patient.sex or "unknown",
        "birthDate": _day(patient.birth),
    }


def attack(pen: Pen, relapse: Relapse) -> Resource:
    """The attack as a Condition with its onset as precisely as it is known."""
    kind = _ATTACK_CODES.get(relapse.kind, relapse.kind)
    return {
        "resourceType": "Condition",
        "id": pen.attack_id,
        "clinicalStatus": _status("condition-clinical", "active"),
        "code": pen.concept("condition", kind, relapse.text),
        "severity": pen.answer(relapse.severity) if relapse.severity else {},
        "bodySite": [pen.answer(relapse.site)] if relapse.site else [],
        "subject": pen.subject,
        "onsetDateTime": _day(relapse.onset),
    }


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _day(when: When | None) -> str:
    """A date as precise as it is known: day, month or year."""
    if when is None:
        return ""
    first, last = when.earliest.date(), when.latest.date()
    if first == last:
        return first.isoformat()
    return first.isoformat()[:7] if (first.year, first.month) == (last.year, last.month) else first.isoformat()[:4]


def advice(pen: Pen, decision: Decision) -> Iterator[Resource]:
    """The advice as an Observation with its reasons and levels of evidence; preliminary until a person confirms it."""
    values = {"start_on": decision.start_on, "setting": decision.setting}
    yield {
        "resourceType": "Observation",
        "id": pen.uid("Observation", "advice"),
        "status": "preliminary",
        "code": pen.concept("written", "advice", pen.say("fhir.advice", {})),
        "subject": pen.subject,
        "effectiveDateTime": decision.on.isoformat(),
        "valueCodeableConcept": pen.answer(decision.advice.value, pen.say(f"advice.{decision.advice}.plain", values)),
        "note": resources.notes(_reason(pen, r) for r in decision.reasons),
        "focus": pen.reason,
    }


def _reason(pen: Pen, reason: Reason) -> str:
    text = pen.told(reason.code, reason.facts)
    return f"{text} [{reason.level}]" if reason.level else text
