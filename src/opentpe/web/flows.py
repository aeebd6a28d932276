"""Sign-in at another server and back: authorization code with PKCE, bound to this browser, usable once."""

from __future__ import annotations

import json
import secrets
import warnings
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import import_key

from opentpe.errors import InputError, OpenTPEError
from opentpe.records import accounts
from opentpe.records.kinds import Account, Role
from opentpe.records.store import Kept
from opentpe.web import seal
from opentpe.web.clinic import Clinic

COOKIE: Final = "opentpe_flow"
LIFE: Final = timedelta(minutes=10)
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class FlowError(OpenTPEError):
    """The sign-in at the other server did not come to a good end."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One way out and back. `aud` is the FHIR server of a SMART launch, `launch` the EHR's own handle."""

    kind: str  # oidc | smart
    issuer: str
    authorize_url: str
    token_url: str
    client_id: str
    scope: str
    redirect: str
    goal: str = "/"
    aud: str = ""
    launch: str = ""
    verifier: str = ""
    nonce: str = ""


def leave(here: Clinic, flow: Flow) -> Response:
    """Sends the browser to the other server and remembers, encrypted, what it left for."""
    state, browser = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    kept = asdict(flow) | {"verifier": secrets.token_urlsafe(48), "nonce": secrets.token_urlsafe(24)}
    sealed = seal.closed(here.settings.key, kept | {"browser": browser})
    accounts.use_once(here.store, _key(state), LIFE, sealed)
    extra = {"nonce": kept["nonce"]} | ({"aud": flow.aud} if flow.aud else {})
    if flow.launch:
        extra["launch"] = flow.launch
    client = _client(here, flow, "none")
    address, _ = client.create_authorization_url(flow.authorize_url, state, kept["verifier"], **extra)
    client.close()
    goal = RedirectResponse(address, 303)
    secure = here.settings.secure
    goal.set_cookie(COOKIE, browser, max_age=600, path="/", secure=secure, httponly=True, samesite="lax")
    return goal


def come_back(here: Clinic, request: Request, kind: str) -> tuple[Flow, str]:
    """The flow that this answer belongs to, and its code; FlowError for a foreign, old or repeated answer."""
    query = request.query_params
    sealed = accounts.take(here.store, _key(query.get("state", "")))
    kept = seal.opened(here.settings.key, sealed) if sealed else {}
    browser = kept.pop("browser", "")
    if not browser or not secrets.compare_digest(browser.encode(), request.cookies.get(COOKIE, "").encode()):
        raise FlowError("This sign-in is unknown, too old, or was begun in another browser. Start again.")
    flow = Flow(**kept)
    if flow.kind != kind or "code" not in query:
        raise FlowError("The other server did not sign you in. Start again.")
    return flow, query["code"]


def token(here: Clinic, flow: Flow, code: str, secret: str = "", key_file: str = "") -> dict[str, Any]:
    """The token answer for a code; FlowError where the server gives none."""
    extra: dict[str, str] = {}
    if key_file:
        extra = {"client_assertion_type": _ASSERTION, "client_assertion": assertion(here, flow, key_file)}
    client = _client(here, flow, "client_secret_basic" if secret else "none", secret)
    try:
        got = client.fetch_token(flow.token_url, code=code, code_verifier=flow.verifier, **extra)
    except (httpx.HTTPError, ValueError, OSError) as error:
        raise FlowError("The other server cannot be reached or gave no token.") from error
    except Exception as error:
        if type(error).__module__.startswith("authlib."):
            raise FlowError("The other server refused to give a token.") from error
        raise
    finally:
        client.close()
    return dict(got)


def assertion(here: Clinic, flow: Flow, key_file: str) -> str:
    """A one-time client assertion, signed with the key of the file: RS384 or ES384, five minutes."""
    key = private_key(key_file)
    now = int(here.clock().timestamp())
    algorithm = "ES384" if key.key_type == "EC" else "RS384"
    header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"}
    claims = {"iss": flow.client_id, "sub": flow.client_id, "aud": flow.token_url, "iat": now, "exp": now + 300}
    return jwt.encode(header, claims | {"jti": here.store.ids()}, key, algorithms=[algorithm])


def private_key(key_file: str) -> Any:
    """The private key of a JWK file; InputError where it is none."""
    try:
        read = json.loads(Path(key_file).read_text(encoding="utf-8"))
        key = import_key(read)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError("key_file", f"{key_file}, which holds no key", "a private JWK (EC P-384 or RSA)") from error
    if not key.is_private or key.key_type not in ("EC", "RSA") or not key.kid:
        raise InputError("key_file", f"{key_file}", "a private JWK (EC P-384 or RSA) with a `kid`")
    return key


def _client(here: Clinic, flow: Flow, method: str, secret: str = "") -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notice about a successor of httpx
        from authlib.integrations.httpx_client import OAuth2Client
    return OAuth2Client(
        client_id=flow.client_id,
        client_secret=secret or None,
        scope=flow.scope,
        redirect_uri=flow.redirect,
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
        transport=here.transport,
        timeout=here.settings.limits.fetch_seconds,
        trust_env=False,
    )


def _key(state: str) -> str:
    return f"flow {seal.hash_of(state)}"


def admit(here: Clinic, subject: str, name: str, role: str) -> Kept[Account]:
    """The account of an outside person: the one that is there, or a new one where a role is given for newcomers."""
    known = accounts.of_subject(here.store, subject)
    if known is not None:
        if not known.body.active:
            raise FlowError("This account is closed.")
        if role and known.body.role is not Role(role) and subject.startswith("oidc "):
            body = known.body.model_copy(update={"role": Role(role)})
            return here.store.change(known.id, body, known.version, "sign-in", "role at the identity provider changed")
        return known
    if not role:
        raise FlowError("Nobody here is known under this account. Ask an administrator.")
    body = Account(
        name=f"{name[:80]} {seal.hash_of(subject)[:8]}", full_name=name[:200], role=Role(role), subject=subject
    )
    return here.store.add(body, "sign-in", "first sign-in from outside")


def expiry(here: Clinic, got: dict[str, Any]) -> float:
    """When an access token runs out; five minutes where the server does not say."""
    lasts = got.get("expires_in")
    return here.clock().timestamp() + (float(lasts) if isinstance(lasts, int | float) else 300.0)
