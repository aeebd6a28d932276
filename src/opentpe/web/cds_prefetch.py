"""What a CDS Hooks call brings along, and how the rest is fetched: bounded, from known servers only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from opentpe.errors import OpenTPEError
from opentpe.fhir import source
from opentpe.web.clinic import Clinic
from opentpe.web.fhir_client import Fetch, FhirServerError, entries_of, next_link
from opentpe.web.settings import HookClient

Resource = dict[str, Any]
PATIENT: Final = "patient"
PREFETCH: Final[dict[str, str]] = {
    PATIENT: "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}",
    "medicationRequests": "MedicationRequest?patient={{context.patientId}}",
    "medicationAdministrations": "MedicationAdministration?patient={{context.patientId}}",
    "medicationStatements": "MedicationStatement?patient={{context.patientId}}",
    "medicationDispenses": "MedicationDispense?patient={{context.patientId}}",
    "allergies": "AllergyIntolerance?patient={{context.patientId}}",
    "procedures": "Procedure?patient={{context.patientId}}",
    "reports": "DiagnosticReport?patient={{context.patientId}}",
    "encounters": "Encounter?patient={{context.patientId}}",
    "immunizations": "Immunization?patient={{context.patientId}}",
    "devices": "Device?patient={{context.patientId}}",
}
_DRUGS: Final = frozenset(("medicationRequests", "medicationAdministrations", "medicationStatements"))
_NEEDED: Final = (PATIENT, "conditions", "observations")


class MissingError(OpenTPEError):
    """Data that the decision needs were neither sent nor to be had: `keys` names them, `told` says why."""

    def __init__(self, keys: tuple[str, ...], told: str) -> None:
        self.keys = keys
        self.told = told
        super().__init__(f"Missing: {', '.join(keys)}. {told}")


@dataclass(frozen=True, slots=True)
class Call:
    """The parts of a hook request that matter, already checked for shape."""

    hook: str
    hook_instance: str
    patient_id: str
    context: Resource
    prefetch: Resource
    fhir_server: str
    token: str
    nesting: int = source.DEPTH_LIMIT  # of the whole call


@dataclass(frozen=True, slots=True)
class Gathered:
    """The record as one bundle, and the keys that could not be had but may be done without."""

    bundle: Resource
    unseen: tuple[str, ...]
    sound: bool  # nothing in it is infinite or nested too deeply


def gather(here: Clinic, call: Call, client: HookClient | None) -> Gathered:
    """The patient's record from prefetch and, where that is partial, from the FHIR server; else MissingError."""
    have = {key: found for key in PREFETCH if (found := _sent(key, call.prefetch)) is not None}
    absent = [key for key in PREFETCH if key not in have]
    fetched, told = _fetch(here, call, client, absent) if absent else ({}, "")
    have |= fetched
    lacking = [key for key in _NEEDED if key not in have]
    if not _DRUGS & set(have):
        lacking += sorted(_DRUGS)
    if lacking:
        raise MissingError(tuple(lacking), told)
    _same_patient(have[PATIENT][0], call)
    entries = [entry for found in have.values() for entry in found]
    drugs = _drugs_named(here, call, client, entries)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries + drugs}
    sound = call.nesting < source.DEPTH_LIMIT and not fetched and not drugs  # a patient moves one level down
    return Gathered(bundle, tuple(key for key in PREFETCH if key not in have), sound)


def _sent(key: str, prefetch: Resource) -> list[Resource] | None:
    """The entries sent under a key; None where they were not sent, or not completely."""
    if key not in prefetch:
        return None
    value = prefetch[key]
    if value is None:  # searched and found empty; a patient is never empty
        return None if key == PATIENT else []
    if not isinstance(value, dict):
        return None
    if key == PATIENT:
        return [{"resource": value}] if value.get("resourceType") == "Patient" else None
    if value.get("resourceType") != "Bundle" or next_link(value):
        return None
    return list(entries_of(value))


def _fetch(
    here: Clinic, call: Call, client: HookClient | None, keys: list[str]
) -> tuple[dict[str, list[Resource]], str]:
    if not call.fhir_server:
        return {}, "The request names no FHIR server to fetch from."
    if not _allowed(here, call.fhir_server, client):
        return {}, "The FHIR server of the request is not in the settings of this service."
    fetch = Fetch(call.fhir_server, call.token, here.settings.limits, here.transport)

    def one(key: str) -> list[Resource] | str:
        query = PREFETCH[key].replace("{{context.patientId}}", call.patient_id)
        try:
            return [{"resource": fetch.read(query)}] if key == PATIENT else fetch.search(query)
        except FhirServerError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip(keys, pool.map(one, keys), strict=True))
    told = next((a for a in answers.values() if isinstance(a, str)), "")
    return {k: a for k, a in answers.items() if not isinstance(a, str)}, told[:1].upper() + told[1:]


def _allowed(here: Clinic, address: str, client: HookClient | None) -> bool:
    known = [server.base_url for server in here.settings.fhir_servers] + list(client.fhir_servers if client else ())
    return address.rstrip("/") in {base.rstrip("/") for base in known}


def _same_patient(entry: Resource, call: Call) -> None:
    """Checks that it is the patient of the context, and gives the entry its address for absolute references."""
    if entry["resource"].get("id") != call.patient_id:
        raise MissingError((PATIENT,), "The patient that was sent is not the patient of the context.")
    if call.fhir_server:
        entry["fullUrl"] = f"{call.fhir_server.rstrip('/')}/Patient/{call.patient_id}"


def _drugs_named(here: Clinic, call: Call, client: HookClient | None, entries: list[Resource]) -> list[Resource]:
    """The Medication resources that drugs only point to. A steroid that nobody can name would turn the advice round."""
    there = {
        f"Medication/{e['resource'].get('id')}" for e in entries if e["resource"].get("resourceType") == "Medication"
    }
    there |= {str(e.get("fullUrl")) for e in entries}
    wanted = {ref for e in entries if (ref := _pointer(e["resource"])) and ref not in there and _tail(ref) not in there}
    if not wanted:
        return []
    if not call.fhir_server or not _allowed(here, call.fhir_server, client):
        raise MissingError(tuple(sorted(wanted)), "Drugs point to Medication resources that were not sent.")
    fetch = Fetch(call.fhir_server, call.token, here.settings.limits, here.transport)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(fetch.read, (_tail(ref) for ref in sorted(wanted))))
    except FhirServerError as error:
        raise MissingError(tuple(sorted(wanted)), str(error)) from None
    return [{"resource": resource, "fullUrl": ref} for ref, resource in zip(sorted(wanted), found, strict=True)]


def _pointer(resource: Resource) -> str:
    """Where a drug points to; empty where it is named on the spot, or holds the drug inside."""
    pointer = resource.get("medicationReference")
    reference = pointer.get("reference") if isinstance(pointer, dict) and not pointer.get("display") else None
    return reference if isinstance(reference, str) and not reference.startswith("#") else ""


def _tail(reference: str) -> str:
    return "/".join(reference.rstrip("/").split("/")[-2:])
