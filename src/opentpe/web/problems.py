"""Refusals as problem details (RFC 9457): what happened and what to do, without a trace and without a patient."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from opentpe.errors import ConflictError, InputError, NotKeptError, OpenTPEError, UnavailableError
from opentpe.records.store import Kept
from opentpe.web import paper
from opentpe.web.people import SignInNeededError

LOG: Final = logging.getLogger("opentpe.web")


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """An answer of type application/problem+json."""
    said = {"type": f"urn:opentpe:problem:{code}", "status": status, "detail": detail, **more}
    headers = {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(said, status, headers, media_type="application/problem+json")


_TITLES: Final = {
    400: "This was not understood", 403: "Not for this role", 404: "Nothing here", 409: "Not kept: somebody was first",
    422: "Not kept: a value does not fit", 429: "Too fast", 503: "The records cannot be reached",
}  # fmt: skip


def told(request: Request, status: int, code: str, detail: str, **more: Any) -> Response:
    """The refusal as a page for who looks at pages, as problem details for programs."""
    made = problem(status, code, detail, **more)
    if "text/html" not in request.headers.get("accept", "") or "hx-request" in request.headers:
        return made
    rows = _differences(more.get("theirs"), more.get("mine"))
    words = {
        "title": _TITLES.get(status, "This did not work"), "status": status, "detail": detail, "rows": rows,
        "theirs": more.get("theirs"), "back": _back(request), "here": "", "pages": (), "units": "metric",
        "theme": request.cookies.get("opentpe_theme", "auto"), "twin": "",
    }  # fmt: skip
    page: HTMLResponse = paper.page(request, "problem.html", words, status)
    if "retry-after" in made.headers:
        page.headers["Retry-After"] = made.headers["retry-after"]
    return page


def _back(request: Request) -> str:
    """The page the request came from, where it was one of ours; the front page else."""
    came = urlsplit(request.headers.get("referer", ""))
    return came.path if came.netloc == request.headers.get("host") and came.path.startswith("/") else "/"


def _differences(theirs: Any, mine: Any) -> list[tuple[str, str, str]]:
    """Field, what is kept now, what was sent: only where they differ."""
    if not isinstance(theirs, dict) or not isinstance(mine, dict):
        return []
    kept, sent = _flat(theirs.get("body", {})), _flat(mine)
    names = [n for n in dict.fromkeys((*kept, *sent)) if kept.get(n, "") != sent.get(n, "")]
    return [(_named(n), kept.get(n, ""), sent.get(n, "")) for n in names]


def _named(field: str) -> str:
    return field.replace(".", ", ").replace("_", " ").capitalize()


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        inner = (_flat(v, f"{name}.{k}" if name else str(k)) for k, v in value.items())
        return {k: v for part in inner for k, v in part.items()}
    if isinstance(value, list):
        return {name: "; ".join(", ".join(_flat(v).values()) if isinstance(v, dict) else str(v) for v in value)}
    return {name: "" if value is None else str(value)}


def install(app: FastAPI) -> None:
    """Handlers for everything that OpenTPE, FastAPI or a mistake of ours may raise."""
    app.add_exception_handler(ConflictError, _conflict)
    app.add_exception_handler(OpenTPEError, _ours)
    app.add_exception_handler(SignInNeededError, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _fault)


def _conflict(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConflictError)
    sides = {"theirs": _side(error.theirs), "mine": _side(error.mine)}
    return told(request, 409, "conflict", str(error), **sides)


def _side(value: object) -> Any:
    if isinstance(value, Kept):
        return value.said()
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else None


def _ours(request: Request, error: Exception) -> Response:
    if isinstance(error, NotKeptError):
        return told(request, 404, "not_kept", str(error))
    if isinstance(error, UnavailableError):
        return told(request, 503, "unavailable", str(error))
    if isinstance(error, InputError):
        return told(
            request,
            422,
            "input",
            str(error),
            **{k: getattr(error, k) for k in ("where", "found", "expected", "remedy")},
        )
    LOG.error("%s", type(error).__name__)
    return told(request, 500, "fault", "OpenTPE could not do this. The change was not made.")


def _sign_in(request: Request, _: Exception) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", 303)
    return problem(401, "sign_in", "Sign in first.")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    made = told(request, error.status_code, "refused", str(error.detail))
    made.headers.update(error.headers or {})
    return made


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"where": ".".join(str(p) for p in e["loc"]), "message": e["msg"]} for e in error.errors()[:20]]
    return told(request, 422, "input", f"{errors[0]['where']}: {errors[0]['message']}", errors=errors)


def _fault(request: Request, error: Exception) -> Response:
    LOG.error("fault in %s: %s", getattr(request.scope.get("route"), "path", "-"), type(error).__name__)
    return told(request, 500, "fault", "A fault of ours. The change was not made; the log names the place.")
