"""The short form of a consultation as a FHIR bundle: the same way in as a dropped record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from opentpe.errors import InputError

Resource = dict[str, Any]
LOCAL: Final = "urn:opentpe:codes"
# Field, kind, unit as sent.
MEASURED: Final = (
    ("height_cm", "height", "cm"),
    ("weight_kg", "weight", "kg"),
    ("haematocrit_pct", "haematocrit", "%"),
    ("fibrinogen_g_l", "fibrinogen", "g/L"),
    ("igg_g_l", "igg", "g/L"),
    ("temperature_cel", "temperature", "Cel"),
    ("edss_now", "edss", ""),
)
ANSWERED: Final = (
    ("deficit", "target_deficit"),
    ("response", "steroid_response"),
    ("infection", "infection_symptoms"),
    ("new_sign", "new_objective_deficit"),
    ("aqp4", "aqp4_igg"),
    ("mog", "mog_igg"),
    ("pregnancy", "pregnancy"),
    ("veins", "veins_left"),
    ("veins", "veins_right"),
)


def bundle(said: Mapping[str, str], on: date) -> Resource:
    """The bundle of what the form says; `InputError` names the field that cannot be read."""
    patient: Resource = {
        "resourceType": "Patient",
        "id": "p",
        "gender": said.get("sex", ""),
        "birthDate": said.get("birth", ""),
    }
    patient["name"] = [{"text": said["name"]}] if said.get("name") else []
    resources = [patient, *_attack(said), *_steroids(said), *_measured(said, on), *_answers(said, on)]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _dense(r)} for r in resources]}


def _dense(resource: Resource) -> Resource:
    return {k: v for k, v in resource.items() if v not in ("", None, [], {})}


def _of(kind: str, name: str, **more: Any) -> Resource:
    return {"resourceType": kind, "id": name, "subject": {"reference": "Patient/p"}, **more}


def _code(kind: str) -> Resource:
    return {"coding": [{"system": LOCAL, "code": kind.replace("_", "-")}]}


def _attack(said: Mapping[str, str]) -> Iterator[Resource]:
    if said.get("onset"):
        kind = said.get("attack") or "ms_exacerbation"
        yield _of("Condition", "attack", code=_code(kind), onsetDateTime=_day(said, "onset").isoformat())
        if kind == "ms_exacerbation":
            yield _of("Condition", "ms", code=_code("ms_relapsing"))


def _steroids(said: Mapping[str, str]) -> Iterator[Resource]:
    if not said.get("steroid_from"):
        return
    first, days = _day(said, "steroid_from"), int(_number(said, "steroid_days") or 0)
    dose = _number(said, "steroid_mg")
    if days < 1 or dose is None:
        raise InputError("steroid_days", "no number of days or no dose", "days and mg a day")
    drug = {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB04"}], "text": "methylprednisolone"}
    period = {"start": first.isoformat(), "end": (first + timedelta(days=days - 1)).isoformat()}
    amount = {"value": dose, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
    dosage = [{"doseAndRate": [{"doseQuantity": amount}]}]
    yield _of(
        "MedicationStatement", "mp", status="completed", medicationCodeableConcept=drug, effectivePeriod=period,
        dosage=dosage,
    )  # fmt: skip


def _measured(said: Mapping[str, str], on: date) -> Iterator[Resource]:
    for field, kind, unit in MEASURED:
        value = _number(said, field)
        if value is not None:
            yield _observation(field, kind, on, valueQuantity=_dense({"value": value, "unit": unit, "code": unit}))
    before, onset = _number(said, "edss_before"), said.get("onset")
    if before is not None and onset:
        earlier = _day(said, "onset") - timedelta(days=30)
        yield _observation("edss_before", "edss", earlier, valueQuantity={"value": before})


def _answers(said: Mapping[str, str], on: date) -> Iterator[Resource]:
    for field, kind in ANSWERED:
        if said.get(field):
            answer = {"coding": [{"system": LOCAL, "code": said[field].replace("_", "-")}]}
            yield _observation(f"{field}-{kind}", kind, on, valueCodeableConcept=answer)


def _observation(name: str, kind: str, on: date, **value: Any) -> Resource:
    identifier = name.replace("_", "-")
    return _of(
        "Observation", identifier, status="final", code=_code(kind), effectiveDateTime=on.isoformat(), **value
    )  # fmt: skip


def _number(said: Mapping[str, str], field: str) -> float | None:
    text = said.get(field, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(field, repr(text), "a number") from None


def _day(said: Mapping[str, str], field: str) -> date:
    try:
        return date.fromisoformat(said[field])
    except ValueError:
        raise InputError(field, repr(said[field]), "a day such as 2026-02-18") from None
