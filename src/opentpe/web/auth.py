"""Signing in and out with a local account, and the first account of a new unit."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from opentpe.records import accounts
from opentpe.records.accounts import Attempt
from opentpe.records.canonical import text
from opentpe.records.kinds import Account, Role
from opentpe.records.store import Kept
from opentpe.web import paper, passwords, seal
from opentpe.web.clinic import Clinic, Here
from opentpe.web.people import Anybody, Checked, SignedIn, cookie_name
from opentpe.web.people import Person as Who

router: Final = APIRouter(tags=["sign-in"])
SETUP: Final = "setup"
Name = Annotated[str, Field(min_length=1, max_length=200)]
Password = Annotated[str, Field(min_length=1, max_length=passwords.LONGEST)]


class SignIn(BaseModel):
    """A name and a password; `next` is the page to go to."""

    name: Name
    password: Password
    next: str = Field(default="/", max_length=500)


class SetUp(BaseModel):
    """The first account: the code that `opentpe serve` printed, a name and a password."""

    code: str = Field(min_length=1, max_length=100)
    name: Annotated[Name, AfterValidator(text)]
    password: Password


class Me(BaseModel):
    """Who is signed in, for pages: `csrf` goes into the header X-CSRF-Token of every change."""

    name: str
    full_name: str
    role: Role
    csrf: str
    may: list[str]


@router.get("/sign-in", response_class=HTMLResponse, include_in_schema=False)
def form(request: Request, here: Here, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """The sign-in form."""
    oidc = here.settings.oidc
    words = {"next": inside(next), "oidc_label": oidc.label if oidc else "", "demo": here.settings.demo}
    return paper.page(request, "sign_in.html", words)


@router.post("/sign-in", response_model=Me)
async def sign_in(request: Request, here: Here) -> Response:
    """Open a session. Takes JSON or a form; a form is answered with a redirect."""
    said, by_form = await _said(request, SignIn)
    place = request.client.host if request.client else "-"
    account = await run_in_threadpool(check_password, here, said.name, said.password, place)
    if account is None:
        detail = "Name or password is not right, or the account is locked for a while."
        if by_form:
            words = {"next": inside(said.next), "error": detail, "name": said.name, "demo": here.settings.demo}
            return paper.page(request, "sign_in.html", words, 401)
        raise HTTPException(401, detail)
    goal = RedirectResponse(inside(said.next), 303) if by_form else JSONResponse({})
    return await run_in_threadpool(open_session, here, account, goal, {})


async def _said(request: Request, kind: type[Any]) -> tuple[Any, bool]:
    by_form = not request.headers.get("content-type", "").startswith("application/json")
    try:
        said = dict(await request.form()) if by_form else await request.json()
        return kind.model_validate(said), by_form
    except ValidationError as error:
        first = error.errors()[0]
        raise HTTPException(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise HTTPException(422, "The body is not valid JSON.") from None


def check_password(here: Clinic, name: str, password: str, place: str) -> Kept[Account] | None:
    """The account where name and password fit and it is not locked; every try is kept, hashed."""
    limits = here.settings.limits
    attempt = Attempt(seal.hash_of("name", name), seal.hash_of("place", place), False)
    from_here, in_all = accounts.failures(here.store, attempt.name_hash, attempt.from_hash, limits.locked)
    locked = from_here >= limits.failures_from_one_address or in_all >= limits.failures_in_all
    account = _active(here, name)
    kept = accounts.password_hash(here.store, account.id) if account else None
    right = passwords.fits(password, kept) and not locked
    if not locked:
        accounts.note_attempt(here.store, Attempt(attempt.name_hash, attempt.from_hash, right))
    return account if right else None


def _active(here: Clinic, name: str) -> Kept[Account] | None:
    try:
        account = accounts.named(here.store, name)
    except ValueError:  # text that no database keeps is nobody's name
        return None
    return account if account is not None and account.body.active else None


def open_session(here: Clinic, account: Kept[Account], goal: Response, launch: dict[str, Any]) -> Response:
    """The answer with the cookie of a new session; `launch` is kept encrypted."""
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    sealed = seal.closed(here.settings.key, launch) if launch else ""
    accounts.open_session(here.store, seal.hash_of(token), account.id, csrf, sealed, account.body.name)
    limits = here.settings.limits
    accounts.sweep(here.store, timedelta(hours=limits.session_h), timedelta(days=1))
    if isinstance(goal, JSONResponse):
        body = account.body
        who = Who(account.id, body.name, body.full_name, body.role, csrf, "")
        goal = JSONResponse(_me(who).model_dump(mode="json"))
    goal.set_cookie(
        cookie_name(here.settings),
        token,
        max_age=limits.session_h * 3600,
        path="/",
        secure=here.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return goal


def _me(person: Who) -> Me:
    may = [a for a in ("read", "care", "decide", "settings", "accounts", "exchange", "audit", "train") if person.may(a)]
    return Me(name=person.name, full_name=person.full_name, role=person.role, csrf=person.csrf, may=may)


@router.get("/me")
def me(person: SignedIn) -> Me:
    """Who is signed in and what they may do."""
    return _me(person)


@router.post("/sign-out", status_code=204)
def sign_out(person: Checked, here: Here) -> Response:
    """End the session."""
    accounts.close_session(here.store, person.token_hash, person.name)
    gone = Response(status_code=204)
    gone.delete_cookie(cookie_name(here.settings), path="/", secure=here.settings.secure, httponly=True)
    return gone


@router.get("/setup", response_class=HTMLResponse, include_in_schema=False)
def set_up_form(request: Request) -> Response:
    """The form for the first account."""
    return paper.page(request, "setup.html", {})


@router.post("/setup", status_code=201, response_model=None)
async def set_up(request: Request, here: Here) -> Response:
    """Make the first account, an administrator, with the code that `opentpe serve` printed; works once.

    Takes JSON or a form; a form is answered with a redirect to the sign-in form.
    """
    said, by_form = await _said(request, SetUp)
    told = await run_in_threadpool(_first_account, here, said)
    if told and by_form:
        return paper.page(request, "setup.html", {"error": told, "name": said.name}, 403)
    if told:
        raise HTTPException(403, told)
    return RedirectResponse("/sign-in", 303) if by_form else JSONResponse({"name": said.name}, 201)


def _first_account(here: Clinic, said: SetUp) -> str:
    """Makes the account; what keeps it from being made, empty where it was."""
    if len(said.password) < passwords.SHORTEST:
        return f"The password needs {passwords.SHORTEST} characters or more."
    hashed = passwords.hashed(said.password)
    if here.store.count(Account) or accounts.take(here.store, setup_key(said.code)) is None:
        return "The code is not right, was used, or there are accounts already."
    made = here.store.add(Account(name=said.name, role=Role.ADMIN), "setup", "first account")
    accounts.set_password(here.store, made.id, hashed, "setup")
    return ""


def setup_key(code: str) -> str:
    """The name under which a set-up code is kept."""
    return f"{SETUP} {seal.hash_of(code)}"


def inside(address: str) -> str:
    """The address where it stays inside the application, else the front page."""
    plain = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if plain and "\\" not in address else "/"


@router.get("/", include_in_schema=False)
def front(person: Anybody) -> Response:
    """The way in: the board for who may see patients, the trainer for who trains, the form for others."""
    if person is None:
        return RedirectResponse("/sign-in", 303)
    return RedirectResponse("/board" if person.may("read") else "/trainer", 303)
