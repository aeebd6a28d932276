"""SMART App Launch from an EHR: the EHR says who is asking and which patient is open; we read that patient there.

And backend services: the application signs in at a FHIR server by itself, with its own key.
"""

from __future__ import annotations

from typing import Any, Final

import httpx
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from joserfc.jwk import KeySet

from opentpe.errors import InputError
from opentpe.web import flows, oidc, tokens
from opentpe.web.auth import open_session
from opentpe.web.clinic import Clinic, Here
from opentpe.web.fhir_client import Fetch, FhirServerError
from opentpe.web.flows import Flow, FlowError
from opentpe.web.people import Person, Reader
from opentpe.web.settings import FhirServer
from opentpe.web.tokens import TokenError

router: Final = APIRouter(prefix="/smart", tags=["EHR"])
GOAL: Final = "/consult"
SEARCHES: Final = {  # what a consultation reads of a patient, by name
    "conditions": "Condition?patient={id}",
    "observations": "Observation?patient={id}",
    "medicationRequests": "MedicationRequest?patient={id}",
    "medicationAdministrations": "MedicationAdministration?patient={id}",
    "medicationStatements": "MedicationStatement?patient={id}",
    "allergies": "AllergyIntolerance?patient={id}",
    "procedures": "Procedure?patient={id}",
    "reports": "DiagnosticReport?patient={id}",
}


def server_of(here: Clinic, base_url: str) -> FhirServer:
    """The server of the settings with that base address; others are never called."""
    for server in here.settings.fhir_servers:
        if server.base_url.rstrip("/") == base_url.rstrip("/"):
            return server
    raise HTTPException(403, "This FHIR server is not in the settings of the application.")


def _told(here: Clinic, server: FhirServer) -> dict[str, Any]:
    try:
        told = tokens.get_json(here, f"{server.base_url.rstrip('/')}/.well-known/smart-configuration")
    except TokenError:
        raise HTTPException(503, "The FHIR server does not say how to sign in.") from None
    if not str(told.get("token_endpoint", "")).startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise HTTPException(503, "The FHIR server names no safe address for tokens.")
    return told


@router.get("/launch", status_code=303, response_class=Response)
def launch(here: Here, iss: str, launch: str = "") -> Response:
    """Where an EHR sends the browser: to the EHR's sign-in, with PKCE."""
    server = server_of(here, iss)
    told = _told(here, server)
    methods = told.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        raise HTTPException(503, "The FHIR server does not support PKCE with S256.")
    return flows.leave(
        here,
        Flow(
            "smart",
            str(told.get("issuer") or server.base_url),
            str(told.get("authorization_endpoint", "")),
            str(told["token_endpoint"]),
            server.client_id,
            server.scopes,
            f"{here.settings.base_url}/smart/callback",
            GOAL,
            server.base_url,
            launch,
        ),
    )


@router.get("/callback", status_code=303, response_class=Response)
def callback(request: Request, here: Here) -> Response:
    """Back from the EHR: a session that knows the open patient; its token is kept encrypted."""
    try:
        flow, code = flows.come_back(here, request, "smart")
        server = server_of(here, flow.aud)
        got = flows.token(here, flow, code, key_file=server.key_file)
        keys = tokens.key_set(here, str(_told(here, server).get("jwks_uri", "")))
        claims = oidc.identity(here, got, keys, flow)
        who = str(claims.get("fhirUser") or claims.get("name") or "colleague")
        account = flows.admit(here, f"smart {flow.issuer}|{claims['sub']}", who.rsplit("/", 1)[-1], server.role)
    except (FlowError, TokenError) as error:
        raise HTTPException(403, str(error)) from None
    context = {
        "fhir": server.base_url,
        "token": str(got.get("access_token", "")),
        "until": flows.expiry(here, got),
        "patient": str(got.get("patient", "")),
        "encounter": str(got.get("encounter", "")),
        "scope": str(got.get("scope", "")),
    }
    return open_session(here, account, RedirectResponse(flow.goal, 303), context)


@router.get("/patient")
def patient(here: Here, person: Reader) -> dict[str, Any]:
    """The bundle of the patient that is open in the EHR, read there now."""
    return bundle(here, person)


def bundle(here: Clinic, person: Person) -> dict[str, Any]:
    """The EHR's record of the launched patient as one bundle; HTTPException where there is no live launch."""
    context = person.launch
    if not context.get("patient") or not context.get("token"):
        raise HTTPException(409, "No patient is open from an EHR. Start the application from the EHR.")
    if float(context.get("until", 0)) < here.clock().timestamp():
        raise HTTPException(409, "The EHR's permission has run out. Start the application from the EHR again.")
    return read_patient(here, str(context["fhir"]), str(context["token"]), str(context["patient"]))


def read_patient(here: Clinic, base_url: str, token: str, patient_id: str) -> dict[str, Any]:
    """Patient and searches as one collection bundle; HTTPException 502 where the server fails."""
    fetch = Fetch(base_url, token, here.settings.limits, here.transport)
    try:
        found = [{"resource": fetch.read(f"Patient/{patient_id}"), "fullUrl": f"{base_url}/Patient/{patient_id}"}]
        for query in SEARCHES.values():
            found += fetch.search(query.format(id=patient_id))
    except FhirServerError as error:
        raise HTTPException(502, f"The record could not be read: {error}.") from None
    return {"resourceType": "Bundle", "type": "collection", "entry": found}


@router.get("/jwks.json")
def keys(here: Here) -> dict[str, Any]:
    """The public keys under which FHIR servers know this application."""
    files = [server.key_file for server in here.settings.fhir_servers if server.key_file]
    try:
        found = [flows.private_key(file) for file in dict.fromkeys(files)]
    except InputError:
        raise HTTPException(503, "The keys of the application cannot be read.") from None
    return dict(KeySet(found).as_dict(private=False))


def backend_token(here: Clinic, server: FhirServer) -> str:
    """An access token of the application itself (SMART backend services); FhirServerError where there is none."""
    told = _told(here, server)
    flow = Flow("smart", server.base_url, "", str(told["token_endpoint"]), server.client_id, server.backend_scopes, "")
    form = {
        "grant_type": "client_credentials",
        "scope": server.backend_scopes,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": flows.assertion(here, flow, server.key_file),
    }
    try:
        with httpx.Client(transport=here.transport, timeout=here.settings.limits.fetch_seconds, trust_env=False) as web:
            answer = web.post(flow.token_url, data=form, headers={"Accept": "application/json"})
        got = answer.json() if answer.is_success else {}
    except (httpx.HTTPError, ValueError):
        got = {}
    given = got.get("access_token") if isinstance(got, dict) else None
    if not isinstance(given, str) or str(got.get("token_type", "")).lower() != "bearer":
        raise FhirServerError("the FHIR server gave the application no token")
    return given
