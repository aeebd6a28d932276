"""Orders, sessions and findings go back to the EHR: orders as draft proposals, each once, to the right patient."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, HTTPException

from opentpe.records import exchange_shapes, kinds
from opentpe.records.kinds import Body
from opentpe.records.store import Kept
from opentpe.web.api import Id
from opentpe.web.clinic import Clinic, Here
from opentpe.web.fhir_client import Fetch, FhirServerError
from opentpe.web.people import Carer, Person

router: Final = APIRouter(prefix="/api", tags=["EHR"])
SENT: Final[dict[str, type[Body]]] = {
    kind.table: kind for kind in (kinds.Order, kinds.Procedure, kinds.Lab, kinds.Examination)
}
_IDENTIFIER: Final = "urn:opentpe:record"


@router.post("/{table}/{record_id}/send")
def send(table: str, record_id: Id, here: Here, person: Carer) -> dict[str, str]:
    """Writes a record into the EHR that the application was launched from; what the EHR calls it."""
    if table not in SENT:
        raise HTTPException(404, f"Only {', '.join(SENT)} are sent.")
    if table == kinds.Order.table and not person.may("decide"):
        raise HTTPException(403, f"The role {person.role} may not do this (decide).")
    kept = here.store.get(SENT[table], record_id)
    fetch = _conversation(here, person)
    try:
        _check_patient(here, fetch, person, kept)
        made = fetch.create(resource(here, kept, str(person.launch["patient"])), once=f"{_IDENTIFIER}|{_name(kept)}")
    except FhirServerError as error:
        raise HTTPException(502, f"The record was not written: {error}.") from None
    here.store.note("sent", person.name, f"version {kept.version} to {person.launch['fhir']}", record_id)
    return {"id": str(made.get("id", "")), "version": str(kept.version)}


def resource(here: Clinic, kept: Kept[Any], patient_id: str) -> dict[str, Any]:
    """The record as the EHR gets it: for its own patient, under our name, without references that only we know."""
    codes = exchange_shapes.public_codes(here.library)
    made = exchange_shapes.SHAPES[type(kept.body)](kept, codes)
    made["subject"] = {"reference": f"Patient/{patient_id}"}
    made["identifier"] = [{"system": _IDENTIFIER, "value": _name(kept)}]
    made.pop("basedOn", None)
    return {name: value for name, value in made.items() if value not in (None, "", [], {})}


def _name(kept: Kept[Any]) -> str:
    return f"{kept.id}.{kept.version}"


def _conversation(here: Clinic, person: Person) -> Fetch:
    context = person.launch
    if not context.get("patient") or not context.get("token"):
        raise HTTPException(409, "No patient is open from an EHR. Start the application from the EHR.")
    if float(context.get("until", 0)) < here.clock().timestamp():
        raise HTTPException(409, "The EHR's permission has run out. Start the application from the EHR again.")
    return Fetch(str(context["fhir"]), str(context["token"]), here.settings.limits, here.transport)


def _check_patient(here: Clinic, fetch: Fetch, person: Person, kept: Kept[Any]) -> None:
    """That the patient open in the EHR is the patient of the record, by the hospital's number."""
    ours = here.store.get(kinds.Patient, kept.patient_id or "")
    theirs = fetch.read(f"Patient/{person.launch['patient']}")
    numbers = [i.get("value") for i in theirs.get("identifier") or () if isinstance(i, dict)]
    if ours.body.identifier not in numbers:
        raise HTTPException(409, "The patient open in the EHR is not the patient of this record. Nothing was written.")
