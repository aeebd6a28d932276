"""What stands between the network and the pages."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from opentpe.errors import InputError
from opentpe.records.canonical import depth
from opentpe.web import seal, settings
from opentpe.web.settings import Limits, Settings

SAFE = Settings(key=b"k" * 32)


def test_every_answer_carries_the_policy(browser: TestClient) -> None:
    """No inline script, nothing from elsewhere, no frame, no cache; also on refusals."""
    for path in ("/sign-in", "/me", "/no-such-page", "/openapi.json"):
        headers = browser.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_a_change_without_the_csrf_value_is_refused(signed_in: object, ada: str) -> None:
    """A page elsewhere cannot make a signed-in browser write."""
    browser = signed_in("nurse")
    body = {"patient_id": ada, "body": {"kind": "latex"}}
    assert browser.post("/api/allergies", json=body).status_code == 201
    for wrong in ("", "guess"):
        assert browser.post("/api/allergies", json=body, headers={"X-CSRF-Token": wrong}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://[::"},
    ],
)
def test_a_change_from_another_site_is_refused(signed_in: object, ada: str, headers: dict) -> None:
    """Even with a stolen CSRF value, and also for signing in."""
    browser = signed_in("nurse")
    body = {"patient_id": ada, "body": {"kind": "latex"}}
    assert browser.post("/api/allergies", json=body, headers=headers).status_code == 403
    assert browser.post("/sign-in", json={}, headers=headers).status_code == 403


def test_another_host_name_is_not_answered(browser: TestClient) -> None:
    """A name that leads here by a trick of the name service gets nothing."""
    assert browser.get("/health", headers={"host": "evil.example"}).status_code == 421
    assert browser.get("/health", headers={"host": "localhost:8377"}).status_code == 200


def test_uploads_are_bounded_in_size_and_depth(make: object) -> None:
    """Too large is refused before it is read, also without a length; too deep is refused as such."""
    browser = make(open_hooks=True, limits=Limits(body_bytes=10_000, json_depth=20))
    where = "/cds-services/opentpe-patient-view"
    assert browser.post(where, content=b"x" * 10_001).status_code == 413
    assert browser.post(where, content=iter([b"x" * 6000, b"x" * 6000])).status_code == 413
    assert browser.post(where, content=b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}").status_code == 400
    assert browser.post(where, content=b'{"a":' + b"[" * 30 + b"]" * 30 + b"}").status_code == 400


def test_a_record_cannot_be_nested_without_end(signed_in: object) -> None:
    """Free documents in records are bounded in depth too."""
    browser = signed_in("physician")
    deep = json.loads("[" * 100 + "]" * 100)
    assert browser.post("/api/settings", json={"body": {"name": "x", "value": deep}}).status_code == 422
    content = '{"body":{"name":"x","value":' + "[" * 50_000 + "]" * 50_000 + "}}"
    headers = {"content-type": "application/json"}
    assert browser.post("/api/settings", content=content, headers=headers).status_code in (400, 422)


def test_depth_counts_lists_and_objects() -> None:
    """One level each."""
    assert depth({"a": [{"b": 1}]}, 3)
    assert not depth({"a": [{"b": [1]}]}, 3)


def test_too_many_requests_are_told_to_wait(make: object) -> None:
    """Each caller has a bucket that refills."""
    browser = make(limits=Limits(requests_per_min=3))
    codes = [browser.get("/health").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "0.0.0.0"},
        {"host": "192.0.2.7", "public_url": "http://tpe"},
        {"tls_certificate": "cert.pem"},
        {"host": "0.0.0.0", "plain_http": True, "public_url": "http://tpe", "open_hooks": True},
        {"host": "0.0.0.0", "behind_tls_proxy": True},
        {"key": b"short"},
    ],
)
def test_unsafe_settings_are_refused_at_the_start(changes: dict) -> None:
    """Other interfaces need TLS or an explicit word; half a certificate is none; hooks without token stay here."""
    with pytest.raises(InputError):
        settings.check(replace(SAFE, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"host": "::1"},
        {"host": "0.0.0.0", "behind_tls_proxy": True, "public_url": "https://tpe.example.org"},
        {"host": "0.0.0.0", "plain_http": True, "public_url": "http://tpe"},
        {"open_hooks": True},
    ],
)
def test_safe_settings_pass(changes: dict) -> None:
    """This machine only, TLS, a TLS proxy, or an explicit word."""
    assert settings.check(replace(SAFE, **changes))


def test_settings_come_from_a_file(tmp_path: Path) -> None:
    """Tables of the file become settings; secrets do not show when settings are printed."""
    file = tmp_path / "clinic.toml"
    file.write_text(
        "port = 9000\nhook_origins = ['https://sandbox.example']\n[limits]\nfetch_seconds = 2\n"
        "[oidc]\nissuer = 'https://id.example'\nclient_id = 'x'\nclient_secret = 'hush'\n"
        "roles = { doctors = 'physician' }\n"
        "[[hook_clients]]\nissuer = 'https://ehr.example'\njwks_url = 'https://ehr.example/jwks'\n"
    )
    read = settings.read(file, host="127.0.0.2")
    assert (read.port, read.host, read.limits.fetch_seconds) == (9000, "127.0.0.2", 2.0)
    assert read.oidc.roles == {"doctors": "physician"}
    assert read.hook_clients[0].jwks_url == "https://ehr.example/jwks"
    assert "hush" not in repr(replace(read, key=b"secret"))
    assert "secret" not in repr(replace(read, key=b"secret"))


@pytest.mark.parametrize(
    "text",
    ["porrt = 1", "port = 'x'", "port = true", "[oidc]\nissuer = 'x'", "limits = 3", "hook_clients = [1]", "= 1"],
)
def test_a_wrong_settings_file_is_refused(tmp_path: Path, text: str) -> None:
    """An unknown, misshapen or incomplete entry names itself."""
    file = tmp_path / "clinic.toml"
    file.write_text(text)
    with pytest.raises(InputError):
        settings.read(file)


def test_what_is_sealed_opens_with_its_key_only(tmp_path: Path) -> None:
    """A launch token in the database is worth nothing without the key file."""
    key = seal.key_of(tmp_path / "keys" / "key")
    assert (tmp_path / "keys" / "key").stat().st_mode & 0o077 == 0
    assert seal.key_of(tmp_path / "keys" / "key") == key
    sealed = seal.closed(key, {"token": "abc"})
    assert "abc" not in sealed
    assert seal.opened(key, sealed) == {"token": "abc"}
    assert seal.opened(b"x" * 32, sealed) == {}
    assert seal.opened(key, sealed[:-4] + "AAAA") == {}


ROLES = {
    "physician": (200, 201, 201, 201, 403),
    "nurse": (200, 201, 403, 403, 403),
    "trainee": (403, 403, 403, 403, 403),
    "viewer": (200, 403, 403, 403, 403),
    "admin": (200, 403, 403, 201, 200),
}


@pytest.mark.parametrize(("role", "expected"), ROLES.items())
def test_each_role_may_do_its_own_work_and_no_more(signed_in: object, ada: str, role: str, expected: tuple) -> None:
    """Read a patient, write a finding, override a decision, change a setting, see the accounts."""
    browser = signed_in(role)
    done = (
        browser.get(f"/api/patients/{ada}").status_code,
        browser.post("/api/allergies", json={"patient_id": ada, "body": {"kind": "latex"}}).status_code,
        browser.post("/api/overrides", json={"patient_id": ada, "body": {"code": "x", "reason": "why"}}).status_code,
        browser.post("/api/settings", json={"body": {"name": "modality", "value": "centrifuge"}}).status_code,
        browser.get("/api/admin/accounts").status_code,
    )
    assert done == expected
