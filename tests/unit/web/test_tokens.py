"""Tokens of EHRs: good for exactly this address, now, once; everything else is refused."""

import base64
import json
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from opentpe.web.settings import HookClient

ISSUER = "https://ehr.example.org"
VIEW = "/cds-services/opentpe-patient-view"
HERE = "http://127.0.0.1:8377"


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    return {
        "ES384": ECKey.generate_key("P-384", {"kid": "ec"}),
        "RS384": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "other": ECKey.generate_key("P-384", {"kid": "ec"}),
    }


@pytest.fixture
def claims(clock: Any) -> dict[str, Any]:
    now = int(clock.at.timestamp())
    return {"iss": ISSUER, "aud": f"{HERE}/cds-services", "iat": now, "exp": now + 300, "jti": "1"}


def public(*keys: Any) -> dict[str, Any]:
    return KeySet(list(keys)).as_dict(private=False)


def signed(claims: dict, key: Any, algorithm: str) -> dict[str, str]:
    token = jwt.encode({"alg": algorithm, "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=[algorithm])
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def hooks(make: Any, keys: dict) -> Any:
    return make(hook_clients=(HookClient(ISSUER, public(keys["ES384"], keys["RS384"])),))


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_good_token_opens_once(hooks: Any, keys: dict, claims: dict, algorithm: str) -> None:
    """Both recommended algorithms; the second use of the same token is a replay."""
    headers = signed(claims, keys[algorithm], algorithm)
    assert hooks.get("/cds-services", headers=headers).status_code == 200
    again = hooks.get("/cds-services", headers=headers)
    assert again.status_code == 401
    assert "used before" in again.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": 7},
        {"aud": f"{HERE}/cds-services/opentpe-patient-view"},
        {"aud": None},
        {"exp": 1},
        {"exp": 99999999999},
        {"exp": "soon"},
        {"exp": None},
        {"iat": 99999999999},
        {"iat": True},
        {"jti": None},
        {"jti": ""},
        {"jti": ["1"]},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(hooks: Any, keys: dict, claims: dict, change: dict) -> None:
    """Issuer, audience, times and identifier are each looked at."""
    changed = {k: v for k, v in (claims | change).items() if v is not None}
    answer = hooks.get("/cds-services", headers=signed(changed, keys["ES384"], "ES384"))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_forged_tokens_are_refused(hooks: Any, keys: dict, claims: dict) -> None:
    """No signature, a shared secret, another key, a public key used as a secret, garbage."""
    secret = OctKey.import_key(json.dumps(public(keys["RS384"])))
    forged = [
        f"Bearer {part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.",
        signed(claims, keys["other"], "ES384")["authorization"],
        "Bearer " + jwt.encode({"alg": "HS384"}, claims, secret, algorithms=["HS384"]),
        "Bearer a.b.c",
        "Bearer ...",
        "Bearer",
        "Basic abc",
        "",
        f"Bearer {part({'alg': 'ES384'})}.{part([1])}.x",
    ]
    for authorization in forged:
        answer = hooks.get("/cds-services", headers={"authorization": authorization})
        assert answer.status_code == 401, authorization


def test_each_address_needs_its_own_token(hooks: Any, keys: dict, claims: dict, ehr: Any) -> None:
    """The token for discovery does not open a service; the one for the service does."""
    body = ehr.call("scenario-a")
    assert hooks.post(VIEW, json=body, headers=signed(claims, keys["ES384"], "ES384")).status_code == 401
    right = claims | {"aud": HERE + VIEW, "jti": "2"}
    assert hooks.post(VIEW, json=body, headers=signed(right, keys["ES384"], "ES384")).status_code == 200


def test_without_settings_nobody_may_call(make: Any) -> None:
    """The service is closed until an EHR is named or open calls are allowed on this machine."""
    assert make().get("/cds-services").status_code == 401


def test_keys_come_from_the_address_of_the_settings_and_may_be_rotated(make: Any, keys: dict, claims: dict) -> None:
    """A token with a new key makes the service read the keys again; the token's own `jku` is not believed."""
    asked, served = [], [public(keys["RS384"])]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json=served[0])

    client = HookClient(ISSUER, {}, "https://ehr.example.org/jwks")
    hooks = make(httpx.MockTransport(answer), hook_clients=(client,))
    assert hooks.get("/cds-services", headers=signed(claims, keys["RS384"], "RS384")).status_code == 200
    served[0] = public(keys["ES384"])
    kept = hooks.app.state.clinic.key_sets
    kept[client.jwks_url] = (kept[client.jwks_url][0] - 60, kept[client.jwks_url][1])
    rotated = signed(claims | {"jti": "2"}, keys["ES384"], "ES384")
    assert hooks.get("/cds-services", headers=rotated).status_code == 200
    assert asked == ["https://ehr.example.org/jwks"] * 2


@pytest.mark.parametrize("body", [b"no json", b"{}", b"[]", b'{"keys": [{"kty": "??"}]}', b'{"keys": 5}'])
def test_keys_that_cannot_be_read_close_the_door(make: Any, keys: dict, claims: dict, body: bytes) -> None:
    """An EHR whose keys are gone is refused, not trusted."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    hooks = make(transport, hook_clients=(HookClient(ISSUER, {}, "https://ehr.example.org/jwks"),))
    assert hooks.get("/cds-services", headers=signed(claims, keys["ES384"], "ES384")).status_code == 401
