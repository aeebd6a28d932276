"""Signed tokens from EHRs (CDS Hooks) and from identity providers: verified against keys that we asked for.

Only ES384 and RS384 for EHR clients; never `none`, never a shared secret. Each token identifier is accepted once.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from opentpe.errors import OpenTPEError
from opentpe.records import accounts
from opentpe.web.clinic import Clinic
from opentpe.web.seal import hash_of
from opentpe.web.settings import HookClient

EHR_ALGORITHMS: Final = ["ES384", "RS384"]
LONGEST_LIFE: Final = timedelta(minutes=10)
SKEW_S: Final = 30
_KEYS_BYTES: Final = 200_000
_KEYS_LIFE_S: Final = 600


class TokenError(OpenTPEError):
    """The token is missing or not acceptable; the message does not help to forge one."""


def ehr(here: Clinic, authorization: str, audience: str) -> HookClient:
    """The EHR behind a CDS Hooks call; TokenError where its token is not good for exactly this address, now, once."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenError("a bearer token is needed")
    client = _client(here, token)
    claims = _claims(here, client, token)
    now = here.clock().timestamp()
    _in_time(claims, now)
    audiences = claims.get("aud")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise TokenError("the token is meant for another address")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= 500:
        raise TokenError("the token has no identifier")
    if not accounts.use_once(here.store, hash_of("jti", client.issuer, jti), LONGEST_LIFE + timedelta(minutes=1)):
        raise TokenError("the token was used before")
    return client


def _client(here: Clinic, token: str) -> HookClient:
    """The client that the token says it is from; what it says is believed only after its signature was checked."""
    try:
        middle = token.split(".")[1]
        issuer = json.loads(jwt_part(middle)).get("iss")
    except (IndexError, ValueError, AttributeError, RecursionError):
        raise TokenError("the token cannot be read") from None
    for client in here.settings.hook_clients:
        if client.issuer == issuer:
            return client
    raise TokenError("the issuer is not known here")


def jwt_part(text: str) -> bytes:
    """A base64url part of a token."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _claims(here: Clinic, client: HookClient, token: str) -> Mapping[str, Any]:
    keys = client.jwks or key_set(here, client.jwks_url)
    try:
        return decode(token, keys, EHR_ALGORITHMS)
    except TokenError:
        if client.jwks or not client.jwks_url:
            raise
        return decode(token, key_set(here, client.jwks_url, fresh=True), EHR_ALGORITHMS)  # keys were rotated


def decode(token: str, keys: dict[str, Any], algorithms: list[str]) -> Mapping[str, Any]:
    """The claims of a token whose signature one of the keys confirms."""
    try:
        read = jwt.decode(token, KeySet.import_key_set(keys), algorithms=algorithms)  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError):
        raise TokenError("the signature is not good") from None
    if read.header.get("typ", "JWT") not in ("JWT", "jwt") or not isinstance(read.claims, dict):
        raise TokenError("the token is of another type")
    return read.claims


def _in_time(claims: Mapping[str, Any], now: float) -> None:
    expires, issued = claims.get("exp"), claims.get("iat")
    if not _number(expires) or not _number(issued):
        raise TokenError("the token has no times")
    assert isinstance(expires, int | float)
    assert isinstance(issued, int | float)
    if expires < now - SKEW_S or issued > now + SKEW_S or expires > now + LONGEST_LIFE.total_seconds():
        raise TokenError("the token is not valid now")


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def key_set(here: Clinic, address: str, fresh: bool = False) -> dict[str, Any]:
    """The public keys at an address from the settings; kept for ten minutes, read anew at most every ten seconds."""
    if not address:
        raise TokenError("no keys are known for the issuer")
    at, kept = here.key_sets.get(address, (-1e9, {}))
    age_s = time.monotonic() - at
    if kept and age_s < (10 if fresh else _KEYS_LIFE_S):
        return kept
    read = get_json(here, address)
    if not isinstance(read.get("keys"), list):
        raise TokenError("the issuer's keys cannot be read")
    here.key_sets[address] = (time.monotonic(), read)
    return read


def get_json(here: Clinic, address: str) -> dict[str, Any]:
    """A small JSON object from an address of the settings; TokenError where there is none."""
    try:
        with httpx.Client(transport=here.transport, timeout=here.settings.limits.fetch_seconds, trust_env=False) as web:
            answer = web.get(address, headers={"Accept": "application/json"})
        read = answer.json() if answer.is_success and len(answer.content) <= _KEYS_BYTES else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise TokenError(f"{address} does not answer with what is needed")
    return read
