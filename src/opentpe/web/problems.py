"""Refusals as problem details (RFC 9457): what happened and what to do, without a trace and without a patient."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from opentpe.errors import ConflictError, InputError, NotKeptError, OpenTPEError, UnavailableError
from opentpe.records.store import Kept
from opentpe.web.people import SignInNeededError

LOG: Final = logging.getLogger("opentpe.web")


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """An answer of type application/problem+json."""
    said = {"type": f"urn:opentpe:problem:{code}", "status": status, "detail": detail, **more}
    headers = {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(said, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Handlers for everything that OpenTPE, FastAPI or a mistake of ours may raise."""
    app.add_exception_handler(ConflictError, _conflict)
    app.add_exception_handler(OpenTPEError, _ours)
    app.add_exception_handler(SignInNeededError, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _fault)


def _conflict(_: Request, error: Exception) -> Response:
    assert isinstance(error, ConflictError)
    sides = {"theirs": _side(error.theirs), "mine": _side(error.mine)}
    return problem(409, "conflict", str(error), **sides)


def _side(value: object) -> Any:
    if isinstance(value, Kept):
        return value.said()
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else None


def _ours(_: Request, error: Exception) -> Response:
    if isinstance(error, NotKeptError):
        return problem(404, "not_kept", str(error))
    if isinstance(error, UnavailableError):
        return problem(503, "unavailable", str(error))
    if isinstance(error, InputError):
        return problem(
            422, "input", str(error), **{k: getattr(error, k) for k in ("where", "found", "expected", "remedy")}
        )
    LOG.error("%s", type(error).__name__)
    return problem(500, "fault", "OpenTPE could not do this. The change was not made.")


def _sign_in(request: Request, _: Exception) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", 303)
    return problem(401, "sign_in", "Sign in first.")


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    made = problem(error.status_code, "refused", str(error.detail))
    made.headers.update(error.headers or {})
    return made


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"where": ".".join(str(p) for p in e["loc"]), "message": e["msg"]} for e in error.errors()[:20]]
    return problem(422, "input", f"{errors[0]['where']}: {errors[0]['message']}", errors=errors)


def _fault(request: Request, error: Exception) -> Response:
    LOG.error("fault in %s: %s", getattr(request.scope.get("route"), "path", "-"), type(error).__name__)
    return problem(500, "fault", "A fault of ours. The change was not made; the log names the place.")
