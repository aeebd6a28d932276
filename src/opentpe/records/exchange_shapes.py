"""How each kind of record looks as a FHIR R4 resource: the elements that other programs read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from opentpe.evidence.load import Library
from opentpe.records import kinds
from opentpe.records.exchange import EXCHANGED
from opentpe.records.kinds import Body
from opentpe.records.store import Kept

LOCAL: Final = "urn:opentpe:codes"
PLASMA_REMOVED: Final = f"{LOCAL}:plasma-removed"
UCUM: Final = "http://unitsofmeasure.org"
Resource = dict[str, Any]


def public_codes(library: Library) -> dict[str, list[Resource]]:
    """Public codings of a kind: those that a public list or specification showed."""
    systems: dict[str, str] = {}
    found: dict[str, list[Resource]] = {}
    tables = library.folder("codes").values()
    for table in tables:
        systems.update({name: row["uris"][0] for name, row in table.get("system", {}).items()})
    for table in tables:
        for domain in ("observation", "condition", "medication", "procedure"):
            for kind, row in table.get(domain, {}).items():
                seen = [line for line in row.get("codes", ()) if line.get("status") in ("primary", "secondary")]
                pairs = [(systems[s], line[s][0]) for line in seen for s in line if s in systems]
                found[kind] = [{"system": system, "code": code} for system, code in pairs]
    return found


def concept(kind: str, codes: Mapping[str, list[Resource]], text: str = "") -> Resource:
    """A kind with its local code, its public codes and a text."""
    if kind == "other":
        return {"text": text or "other"}
    local = {"system": LOCAL, "code": kind.replace("_", "-")}
    return {"coding": [local, *codes.get(kind, [])], "text": text or kind.replace("_", " ")}


def _answer(text: str) -> Resource:
    return {"coding": [{"system": LOCAL, "code": text.replace("_", "-")}], "text": text}


def to(kind: str, record_id: str) -> Resource | None:
    """A reference, None to nothing."""
    return {"reference": f"{kind}/{record_id}"} if record_id else None


def _dense(**elements: Any) -> Resource:
    """The elements that say something."""
    return {name: value for name, value in elements.items() if value}


def _iso(value: Any) -> str | None:
    if not value:
        return None
    text = value if isinstance(value, str) else str(value.isoformat())
    zoned = "T" not in text or text.endswith("Z") or text[-6] in "+-"
    return text.replace("+00:00", "Z") if zoned else text + "Z"


def _patient(kept: Kept[kinds.Patient], _: Mapping[str, list[Resource]]) -> Resource:
    body = kept.body
    return {
        "resourceType": "Patient",
        "identifier": [{"value": body.identifier}],
        "name": [{"text": body.name}] if body.name else None,
        "gender": body.sex,
        "birthDate": _iso(body.birth),
    }


def _condition(kept: Kept[kinds.Condition], codes: Mapping[str, list[Resource]]) -> Resource:
    body, system = kept.body, "http://terminology.hl7.org/CodeSystem/condition-"
    verified = "confirmed" if body.verified else "provisional"
    return {
        "resourceType": "Condition",
        "clinicalStatus": {
            "coding": [{"system": f"{system}clinical", "code": "active" if body.active else "resolved"}]
        },
        "verificationStatus": {"coding": [{"system": f"{system}ver-status", "code": verified}]},
        "code": concept(body.kind, codes, body.text),
        "onsetDateTime": _iso(body.onset_on),
        "abatementDateTime": _iso(body.abated_on),
        "bodySite": [_answer(body.site)] if body.site else None,
        "severity": _answer(body.severity) if body.severity else None,
    }


def _relapse(kept: Kept[kinds.Relapse], codes: Mapping[str, list[Resource]]) -> Resource:
    kind = "ms_exacerbation" if kept.body.kind in ("ms_relapse", "brainstem") else kept.body.kind
    said = kinds.Condition(
        kind=kind, text=kept.body.text[:200], onset_on=kept.body.onset_on, severity=kept.body.severity
    )
    made = _condition(cast("Kept[kinds.Condition]", _with(kept, said)), codes)
    return made | {"bodySite": [_answer(kept.body.site)] if kept.body.site else None}


def _with(kept: Kept[Any], body: Body) -> Kept[Any]:
    return Kept(kept.id, kept.version, kept.at, kept.who, kept.why, kept.retired, kept.patient_id, body)


def _allergy(kept: Kept[kinds.Allergy], codes: Mapping[str, list[Resource]]) -> Resource:
    return {"resourceType": "AllergyIntolerance", "code": concept(kept.body.kind, codes, kept.body.text)}


def _observation(kept: Kept[Any], codes: Mapping[str, list[Resource]]) -> Resource:
    body = kept.body
    quantity = None
    if body.value is not None:
        quantity = {"value": body.value, "unit": body.unit, "system": UCUM, "code": body.unit or "1"}
    taken = body.taken_at if isinstance(body, kinds.Lab) else body.seen_on
    site = getattr(body, "site", "")
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(body.kind, codes),
        "effectiveDateTime": _iso(taken),
        "valueQuantity": quantity,
        "valueCodeableConcept": _answer(body.answer) if body.answer and quantity is None else None,
        "bodySite": _answer(site) if site else None,
        "note": [{"text": body.text}] if body.text else None,
    }


def _drug(kept: Kept[kinds.Drug], codes: Mapping[str, list[Resource]]) -> Resource:
    body = kept.body
    drug = concept(body.kind, codes, body.name)
    dose = {"value": body.dose_mg, "unit": "mg", "system": UCUM, "code": "mg"} if body.dose_mg is not None else None
    route = _answer(body.route) if body.route else None
    period = _dense(start=_iso(body.start_on), end=_iso(body.end_on))
    dosage = [d for d in (_dense(route=route, doseAndRate=[{"doseQuantity": dose}] if dose else None),) if d]
    if body.certainty == "ordered":
        return {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": drug,
            "authoredOn": _iso(body.start_on),
            "dosageInstruction": dosage,
        }
    if body.certainty == "taken" and body.start_on:
        return {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medicationCodeableConcept": drug,
            "effectivePeriod": {"end": period["start"]} | period,
            "dosage": _dense(route=route, dose=dose),
        }
    return {
        "resourceType": "MedicationStatement",
        "status": "completed" if body.end_on else "active",
        "medicationCodeableConcept": drug,
        "effectivePeriod": period,
        "dosage": dosage,
    }


def _procedure(kept: Kept[kinds.Procedure], codes: Mapping[str, list[Resource]]) -> Resource:
    status = {"planned": "preparation", "running": "in-progress", "missed": "not-done"}.get(
        kept.body.status, "completed"
    )
    removed = kept.body.sheet.end.plasma_removed_ml
    volume = {"url": PLASMA_REMOVED, "valueQuantity": {"value": removed, "unit": "mL", "system": UCUM, "code": "mL"}}
    return {
        "resourceType": "Procedure",
        "extension": [volume] if removed else [],
        "status": status,
        "code": concept(kept.body.kind, codes),
        "basedOn": [to("CarePlan", kept.body.course_id)] if kept.body.course_id else None,
        "performedPeriod": _dense(start=_iso(kept.body.started_at), end=_iso(kept.body.sheet.end.ended_at)),
        "note": [{"text": kept.body.note}] if kept.body.note else None,
    }


def _course(kept: Kept[kinds.Course], _: Mapping[str, list[Resource]]) -> Resource:
    status = {"planned": "draft", "running": "active", "stopped": "revoked"}.get(kept.body.status, "completed")
    return {
        "resourceType": "CarePlan",
        "status": status,
        "intent": "plan",
        "title": kept.body.words,
        "period": {"start": _iso(kept.body.first_on)} if kept.body.first_on else None,
    }


def _order(kept: Kept[kinds.Order], codes: Mapping[str, list[Resource]]) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "code": concept("plasma_exchange", codes),
        "basedOn": [to("CarePlan", kept.body.course_id)],
        "note": [{"text": line} for line in kept.body.lines],
    }


def _event(kept: Kept[kinds.AdverseEvent], _: Mapping[str, list[Resource]]) -> Resource:
    return {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "event": {"text": kept.body.event},
        "date": _iso(kept.body.happened_at),
        "severity": {"text": kept.body.grade},
    }


def _paper(kept: Kept[kinds.Paper], _: Mapping[str, list[Resource]]) -> Resource:
    data = kept.body.content.encode()
    told = {"contentType": kept.body.media_type, "title": kept.body.title, "size": len(data)}
    digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()  # the hash FHIR asks for
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": told | {"hash": digest}}],
    }


def _other(kept: Kept[Any], _: Mapping[str, list[Resource]]) -> Resource:
    """What FHIR has no resource for: a setting, a decision, an override, a row of the run log."""
    local = {"system": LOCAL, "code": kept.body.table.replace("_", "-")}
    return {
        "resourceType": "Basic",
        "code": {"coding": [local]},
        "subject": to("Patient", kept.patient_id or ""),
        "created": kept.at[:10],
    }


SHAPES: Final[dict[type[Body], Callable[[Kept[Any], Mapping[str, list[Resource]]], Resource]]] = dict.fromkeys(
    EXCHANGED, _other
) | {
    kinds.Patient: _patient,
    kinds.Condition: _condition,
    kinds.Allergy: _allergy,
    kinds.Relapse: _relapse,
    kinds.Course: _course,
    kinds.Order: _order,
    kinds.Procedure: _procedure,
    kinds.Lab: _observation,
    kinds.Examination: _observation,
    kinds.Drug: _drug,
    kinds.AdverseEvent: _event,
    kinds.Paper: _paper,
}
