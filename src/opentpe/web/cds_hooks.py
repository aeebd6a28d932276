"""CDS Hooks 2.0: discovery, three services, feedback. Decisions only; no forecast runs inside a hook."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from opentpe.records.canonical import depth
from opentpe.records.kinds import Feedback
from opentpe.web import advice, cds_shapes, incoming, tokens
from opentpe.web.cds_prefetch import PREFETCH, Call, MissingError, gather
from opentpe.web.clinic import Clinic, Here
from opentpe.web.problems import problem
from opentpe.web.settings import HookClient
from opentpe.web.tokens import TokenError

router: Final = APIRouter(prefix="/cds-services", tags=["CDS Hooks"])
SERVICES: Final = {f"opentpe-{hook}": hook for hook in ("patient-view", "order-select", "order-sign")}
_TITLES: Final = {
    "patient-view": "Advice on plasma exchange when a patient with an MS attack is opened",
    "order-select": "Advice on plasma exchange while an exchange or a steroid is being ordered",
    "order-sign": "Check of an exchange order against the record before it is signed",
}
_ID: Final = re.compile(r"^[A-Za-z0-9.-]{1,64}$")


async def caller(request: Request, here: Here) -> HookClient | None:
    """The EHR that calls, by its token; None where calls without a token are allowed on this machine."""
    if here.settings.open_hooks and "authorization" not in request.headers:
        return None
    audience = here.settings.base_url + request.url.path
    given = request.headers.get("authorization", "")
    try:
        return await run_in_threadpool(tokens.ehr, here, given, audience)
    except TokenError as error:
        raise HTTPException(401, f"{error}.", {"WWW-Authenticate": "Bearer"}) from None


Caller = Annotated[HookClient | None, Depends(caller)]


@router.options("/{rest:path}", include_in_schema=False)
def preflight(request: Request, here: Here) -> Response:
    """What a browser-based test EHR asks before it calls."""
    return _open_to(here, request, Response(status_code=204))


@router.get("", response_model=cds_shapes.Discovery, dependencies=[Depends(caller)])
def discovery(request: Request, here: Here) -> Response:
    """The services and what they want prefetched."""
    services = [
        {"id": name, "hook": hook, "title": _TITLES[hook], "description": f"{_TITLES[hook]}.", "prefetch": PREFETCH}
        for name, hook in SERVICES.items()
    ]
    return _open_to(here, request, JSONResponse({"services": services}))


@router.post("/{service}", response_model=cds_shapes.Cards, openapi_extra=cds_shapes.CALL)
async def call(service: str, request: Request, here: Here, client: Caller) -> Response:
    """Cards for a hook; 412 names what is missing."""
    hook = _hook(service)
    body = await request.body()
    made = await run_in_threadpool(_answer, here, hook, body, client)
    return _open_to(here, request, made)


def _answer(here: Clinic, hook: str, body: bytes, client: HookClient | None) -> Response:
    asked = _call(_read(here, body), hook, incoming.nesting(body))
    try:
        gathered = gather(here, asked, client)
    except MissingError as error:
        return problem(412, "missing", str(error), missing=list(error.keys))
    with here.turns:
        cards = advice.cards(here, asked, gathered)
    return JSONResponse({"cards": cards})


@router.post("/{service}/feedback", openapi_extra=cds_shapes.FEEDBACK)
async def feedback(service: str, request: Request, here: Here, client: Caller) -> Response:
    """What was done with cards; kept with the time, without a patient."""
    _hook(service)
    said = _read(here, await request.body())
    rows = [_feedback(service, row) for row in _rows(said)]
    await run_in_threadpool(_keep, here, rows, client.issuer if client else "open")
    return _open_to(here, request, JSONResponse({}))


def _hook(service: str) -> str:
    if service not in SERVICES:
        raise HTTPException(404, f"No such service. There are: {', '.join(SERVICES)}.")
    return SERVICES[service]


def _read(here: Clinic, body: bytes) -> dict[str, Any]:
    try:
        said = incoming.decoded(body)
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None
    rest = {k: v for k, v in said.items() if k != "prefetch"} if isinstance(said, dict) else {}
    if not isinstance(said, dict) or not depth(rest, here.settings.limits.json_depth):  # the reader checks the record
        raise HTTPException(400, "The body is not an object, or it is nested too deeply.")
    return said


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 2000:
        raise HTTPException(400, f"{name}: a text is needed.")
    return value


def _call(said: dict[str, Any], hook: str, nesting: int) -> Call:
    if said.get("hook") != hook:
        raise HTTPException(400, f"hook: this service answers {hook} only.")
    context, prefetch = said.get("context"), said.get("prefetch") or {}
    if not isinstance(context, dict) or not isinstance(prefetch, dict):
        raise HTTPException(400, "context and prefetch must be objects.")
    patient = _text(context, "patientId").removeprefix("Patient/")
    if not _ID.match(patient):
        raise HTTPException(400, "context.patientId: not a FHIR identifier.")
    authorization = said.get("fhirAuthorization") or {}
    if not isinstance(authorization, dict):
        raise HTTPException(400, "fhirAuthorization must be an object.")
    server = said.get("fhirServer") or ""
    token = authorization.get("access_token") or ""
    if not isinstance(server, str) or not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise HTTPException(400, "fhirServer and access_token must be texts.")
    return Call(hook, _text(said, "hookInstance"), patient, context, prefetch, server, token, nesting)


def _rows(said: dict[str, Any]) -> list[dict[str, Any]]:
    rows = said.get("feedback")
    if not isinstance(rows, list) or not 1 <= len(rows) <= 100 or not all(isinstance(r, dict) for r in rows):
        raise HTTPException(400, "feedback: a list of 1 to 100 objects is needed.")
    return rows


def _feedback(service: str, row: dict[str, Any]) -> Feedback:
    outcome: Any = row.get("outcome")
    accepted = row.get("acceptedSuggestions", [])
    reason = row.get("overrideReason", {})
    if not isinstance(reason, dict) or not isinstance(accepted, list):
        raise HTTPException(400, "feedback: overrideReason is an object, acceptedSuggestions a list.")
    coding: Any = reason.get("reason") if isinstance(reason.get("reason"), dict) else {}
    ids: Any = [s.get("id") for s in accepted if isinstance(s, dict)]
    if outcome == "accepted" and not ids:
        raise HTTPException(400, "feedback: acceptedSuggestions is needed where a card was accepted.")
    try:
        return Feedback(
            service=service,
            card=_text(row, "card"),
            outcome=outcome,
            suggestions=ids,
            reason_code=coding.get("code") or "",
            reason_system=coding.get("system") or "",
            reason_text=reason.get("userComment") or "",
            outcome_at=_text(row, "outcomeTimestamp"),
        )
    except ValueError:
        raise HTTPException(
            400, "feedback: card, outcome (accepted or overridden) and identifiers are texts."
        ) from None


def _keep(here: Clinic, rows: list[Feedback], who: str) -> None:
    with here.store.writing(f"ehr:{who}", "feedback") as batch:
        for row in rows:
            batch.add(row)


def _open_to(here: Clinic, request: Request, made: Response) -> Response:
    """Lets the browser-based EHRs of the settings read the answer."""
    origin = request.headers.get("origin", "")
    if origin in here.settings.hook_origins:
        made.headers["Access-Control-Allow-Origin"] = origin
        made.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        made.headers["Access-Control-Allow-Headers"] = "Origin, Accept, Content-Type, Authorization"
        made.headers["Vary"] = "Origin"
        made.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return made
