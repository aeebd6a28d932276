"""Signing in with the hospital's own account (OpenID Connect), where it is set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from opentpe.web import flows, tokens
from opentpe.web.auth import inside, open_session
from opentpe.web.clinic import Clinic, Here
from opentpe.web.flows import Flow, FlowError
from opentpe.web.settings import Oidc
from opentpe.web.tokens import TokenError

router: Final = APIRouter(prefix="/oidc", tags=["sign-in"])
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512"]


def _provider(here: Clinic) -> Oidc:
    if here.settings.oidc is None:
        raise HTTPException(404, "No outside identity provider is set up.")
    return here.settings.oidc


def _told(here: Clinic, issuer: str) -> dict[str, Any]:
    try:
        told = tokens.get_json(here, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    except TokenError:
        raise HTTPException(503, "The identity provider cannot be reached. Use a local account.") from None
    if str(told.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise HTTPException(503, "The identity provider names another issuer than the settings do.")
    return told


@router.get("/start", status_code=303, response_class=Response)
def start(here: Here, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """To the identity provider."""
    provider = _provider(here)
    told = _told(here, provider.issuer)
    return flows.leave(
        here,
        Flow(
            "oidc",
            str(told["issuer"]),
            str(told.get("authorization_endpoint", "")),
            str(told.get("token_endpoint", "")),
            provider.client_id,
            "openid profile",
            f"{here.settings.base_url}/oidc/callback",
            inside(next),
        ),
    )


@router.get("/callback", status_code=303, response_class=Response)
def callback(request: Request, here: Here) -> Response:
    """Back from the identity provider, with a session where it vouches for the person."""
    provider = _provider(here)
    try:
        flow, code = flows.come_back(here, request, "oidc")
        got = flows.token(here, flow, code, provider.client_secret)
        keys = tokens.key_set(here, str(_told(here, provider.issuer).get("jwks_uri", "")))
        claims = identity(here, got, keys, flow)
        role = _role(provider, claims)
        name = str(claims.get("name") or claims.get("preferred_username") or "colleague")
        account = flows.admit(here, f"oidc {flow.issuer}|{claims['sub']}", name, role)
    except (FlowError, TokenError) as error:
        raise HTTPException(403, str(error)) from None
    return open_session(here, account, RedirectResponse(flow.goal, 303), {})


def identity(here: Clinic, got: dict[str, Any], keys: dict[str, Any], flow: Flow) -> Mapping[str, Any]:
    """The claims of the identity token, checked for issuer, audience, time and nonce."""
    claims = tokens.decode(str(got.get("id_token", "")), keys, _ALGORITHMS)
    audience = claims.get("aud")
    expires = claims.get("exp")
    now = here.clock().timestamp()
    good = (
        str(claims.get("iss", "")).rstrip("/") == flow.issuer.rstrip("/")
        and flow.client_id in (audience if isinstance(audience, list) else [audience])
        and isinstance(expires, int | float)
        and expires > now - tokens.SKEW_S
        and claims.get("nonce") == flow.nonce
        and bool(claims.get("sub"))
    )
    if not good:
        raise TokenError("The identity token is not meant for this sign-in.")
    return claims


def _role(provider: Oidc, claims: Mapping[str, Any]) -> str:
    said = claims.get(provider.roles_claim, [])
    values = said if isinstance(said, list) else [said]
    for value, role in provider.roles.items():  # the first in the settings wins
        if value in values:
            return role
    raise FlowError("Your hospital account has no role here. Ask an administrator.")
