"""Who is asking, and what their role may do. Pages and services depend on these and on nothing else of sign-in."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from opentpe.errors import NotKeptError, UnavailableError
from opentpe.records import accounts
from opentpe.records.canonical import moment
from opentpe.records.kinds import Account, Role
from opentpe.web import clinic, seal
from opentpe.web.clinic import Clinic
from opentpe.web.settings import Settings

_TOLERANCE: Final = timedelta(minutes=5)

# `read`: patients; `care`: what nurses and physicians write down; `decide`: plan, sign, override.
MAY: Final[dict[Role, frozenset[str]]] = {
    Role.PHYSICIAN: frozenset(("read", "care", "decide", "settings", "train")),
    Role.NURSE: frozenset(("read", "care", "train")),
    Role.TRAINEE: frozenset(("train",)),
    Role.VIEWER: frozenset(("read", "train")),
    Role.ADMIN: frozenset(("read", "settings", "accounts", "exchange", "audit", "train")),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in. `launch` is the EHR context of a SMART launch, empty without one."""

    account_id: str
    name: str
    full_name: str
    role: Role
    csrf: str
    token_hash: str
    launch: dict[str, Any] = field(default_factory=dict, repr=False)

    def may(self, action: str) -> bool:
        """True where the role may do it: read, care, decide, settings, accounts, exchange, audit, train."""
        return action in MAY[self.role]


class SignInNeededError(Exception):
    """Nobody is signed in: a page sends to the sign-in form, a service answers 401."""


def cookie_name(settings: Settings) -> str:
    """The session cookie: locked to this host and to TLS where there is TLS."""
    return "__Host-opentpe" if settings.secure else "opentpe"


def find(here: Clinic, token: str) -> Person | None:
    """The person behind a session token, None where it is unknown, too old, or its account was closed."""
    if not token:
        return None
    token_hash = seal.hash_of(token)
    session = accounts.session(here.store, token_hash)
    if session is None or not _fresh(here, session):
        return None
    try:
        account = here.store.get(Account, session.account_id)
    except NotKeptError:
        return None
    if account.retired or not account.body.active:
        return None
    body = account.body
    launch = seal.opened(here.settings.key, session.sealed) if session.sealed else {}
    return Person(account.id, body.name, body.full_name, body.role, session.csrf, token_hash, launch)


def _fresh(here: Clinic, session: accounts.Session) -> bool:
    """In time by both clocks of a session; one from the future was written before the clock was set back."""
    now, limits = here.clock(), here.settings.limits
    started, seen = moment(session.started_at), moment(session.seen_at)
    if started > now + _TOLERANCE or seen > now + _TOLERANCE:
        return False
    if now - started > timedelta(hours=limits.session_h) or now - seen > timedelta(minutes=limits.idle_min):
        return False
    if now - seen > timedelta(minutes=1):
        try:
            accounts.touch(here.store, session.token_hash)
        except UnavailableError:
            return True  # a database that cannot be written still lets people read
    return True


async def somebody(request: Request) -> Person | None:
    """Who is signed in, None for a stranger."""
    here = clinic.of(request)
    token = request.cookies.get(cookie_name(here.settings), "")
    return await run_in_threadpool(find, here, token)


async def signed_in(person: Annotated[Person | None, Depends(somebody)]) -> Person:
    """Who is signed in; a stranger is sent to sign in."""
    if person is None:
        raise SignInNeededError
    return person


async def _checked(request: Request, person: Annotated[Person, Depends(signed_in)]) -> Person:
    """The person, after the request proved that it comes from a page of ours."""
    given = request.headers.get("x-csrf-token", "")
    if not given and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        given = str((await request.form()).get("csrf", ""))
    if not hmac.compare_digest(given.encode("utf-8", "replace"), person.csrf.encode()):
        raise HTTPException(403, "The page is out of date or the request is not from it. Reload the page and repeat.")
    return person


class Allowed:
    """A dependency: the signed-in person whose role may do `action`; with `writes`, from a page of ours."""

    def __init__(self, action: str) -> None:
        self.action = action

    def __call__(self, person: Annotated[Person, Depends(signed_in)]) -> Person:
        """The person; 403 where the role may not."""
        return _may(person, self.action)


class Writing(Allowed):
    """The same for requests that change something: they also carry the session's CSRF value."""

    def __call__(self, person: Annotated[Person, Depends(_checked)]) -> Person:
        """The person; 403 where the role may not or the CSRF value is missing."""
        return _may(person, self.action)


def _may(person: Person, action: str) -> Person:
    if not person.may(action):
        raise HTTPException(403, f"The role {person.role} may not do this ({action}).")
    return person


Anybody = Annotated[Person | None, Depends(somebody)]
SignedIn = Annotated[Person, Depends(signed_in)]
Checked = Annotated[Person, Depends(_checked)]
Reader = Annotated[Person, Depends(Allowed("read"))]
Trainee = Annotated[Person, Depends(Allowed("train"))]
Carer = Annotated[Person, Depends(Writing("care"))]
Decider = Annotated[Person, Depends(Writing("decide"))]
