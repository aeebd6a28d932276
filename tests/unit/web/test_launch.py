"""Signing in at the hospital's provider and launching from an EHR, against a provider that the test plays."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from opentpe.records import accounts, kinds
from opentpe.records.store import Store
from opentpe.web import smart
from opentpe.web.fhir_client import FhirServerError
from opentpe.web.settings import FhirServer, Limits, Oidc

IDP = "https://id.example.org"
BASE = "https://fhir.example.org/r4"
FHIR = {"content-type": "application/fhir+json"}
PROVIDER = Oidc(IDP, "opentpe", "hush", "groups", {"doctors": "physician", "nurses": "nurse"})


class Provider:
    """An identity provider and an EHR with its FHIR server, in one."""

    def __init__(self, ehr: Any, clock: Any) -> None:
        self.ehr, self.clock = ehr, clock
        self.key = ECKey.generate_key("P-384", {"kid": "idp"})
        self.claims: dict[str, Any] = {"sub": "7", "name": "Dr Seven", "groups": ["doctors"]}
        self.asked: list[dict[str, str]] = []
        self.written: list[tuple[str, dict[str, Any]]] = []
        self.nonce = ""
        self.issuer = IDP
        self.audience = "opentpe"
        self.granted: dict[str, Any] = {"access_token": "ehr-token", "token_type": "Bearer", "expires_in": 300}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith(("openid-configuration", "smart-configuration")):
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            told = {name: f"{self.issuer}/{where}" for name, where in names.items()} | {"issuer": self.issuer}
            return httpx.Response(200, json=told | {"code_challenge_methods_supported": ["S256"]})
        if path.endswith("/jwks"):
            return httpx.Response(200, json=KeySet([self.key]).as_dict(private=False))
        if path.endswith("/token"):
            form = {k: v[0] for k, v in parse_qs(request.content.decode()).items()}
            self.asked.append(form | {"authorization": request.headers.get("authorization", "")})
            return httpx.Response(200, json=self.granted | {"id_token": self.identity()})
        assert request.headers["authorization"] == "Bearer ehr-token"
        if request.method == "POST":
            self.written.append((request.headers.get("if-none-exist", ""), json.loads(request.content)))
            return httpx.Response(201, json=self.written[-1][1] | {"id": "ehr-1"}, headers=FHIR)
        kind, _, one = path.removeprefix("/r4/").partition("/")
        found = self.ehr.patient("scenario-a") if one else self.ehr.searchset("scenario-a", kind)
        return httpx.Response(200, json=found, headers=FHIR)

    def identity(self) -> str:
        now = int(self.clock.at.timestamp())
        claims = {"iss": self.issuer, "aud": self.audience, "exp": now + 300, "iat": now, "nonce": self.nonce}
        return jwt.encode({"alg": "ES384", "kid": "idp"}, claims | self.claims, self.key, algorithms=["ES384"])


@pytest.fixture
def provider(ehr: Any, clock: Any) -> Provider:
    return Provider(ehr, clock)


def there_and_back(browser: Any, provider: Provider, start: str, **answer: str) -> httpx.Response:
    """Follows the browser to the provider and back."""
    left = browser.get(start)
    assert left.status_code == 303, left.text
    query = {k: v[0] for k, v in parse_qs(urlsplit(left.headers["location"]).query).items()}
    assert query["code_challenge_method"] == "S256"
    provider.nonce = query["nonce"]
    back = urlsplit(query["redirect_uri"]).path
    return browser.get(back, params={"state": query["state"], "code": "c0de"} | answer)


@pytest.fixture
def browser(make: Any, provider: Provider) -> Any:
    return make(httpx.MockTransport(provider), oidc=PROVIDER)


def test_a_hospital_account_signs_in_with_the_role_of_its_group(browser: Any, provider: Provider, store: Store) -> None:
    """First time in, the account is made; the code is exchanged with PKCE and the client's secret."""
    back = there_and_back(browser, provider, "/oidc/start?next=/board")
    assert (back.status_code, back.headers["location"]) == (303, "/board")
    assert browser.get("/me").json()["role"] == "physician"
    assert len(provider.asked[0]["code_verifier"]) >= 43
    assert provider.asked[0]["authorization"].startswith("Basic ")
    provider.claims["groups"] = ["nurses"]
    there_and_back(browser, provider, "/oidc/start")
    assert browser.get("/me").json()["role"] == "nurse"
    assert len(store.current(kinds.Account)) == 6


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"claims": {"sub": "7", "groups": ["porters"]}}, "no role here"),
        ({"claims": {"sub": "7", "nonce": "other", "groups": ["doctors"]}}, "not meant"),
        ({"claims": {"groups": ["doctors"]}}, "not meant"),
        ({"audience": "another"}, "not meant"),
        ({"key": ECKey.generate_key("P-384", {"kid": "else"})}, "sign"),
    ],
)
def test_who_is_not_vouched_for_stays_out(browser: Any, provider: Provider, wrong: dict, told: str) -> None:
    """No role, another nonce, nobody, another audience: 403 and no session."""
    if "key" in wrong:
        good, bad = provider.key, wrong["key"]
        provider.identity, provider.key = (lambda: _with(provider, bad)), good
    else:
        vars(provider).update(wrong)
    back = there_and_back(browser, provider, "/oidc/start")
    assert back.status_code == 403
    assert told in back.json()["detail"]
    assert browser.get("/me").status_code == 401


def _with(provider: Provider, key: Any) -> str:
    claims = {"iss": IDP, "aud": "opentpe", "exp": 99999999999, "nonce": provider.nonce, "sub": "7"}
    return jwt.encode({"alg": "ES384", "kid": "idp"}, claims, key, algorithms=["ES384"])


def test_an_answer_is_good_once_and_in_the_same_browser(browser: Any, provider: Provider, make: Any) -> None:
    """A repeated, invented or carried-over answer opens nothing."""
    left = browser.get("/oidc/start")
    query = {k: v[0] for k, v in parse_qs(urlsplit(left.headers["location"]).query).items()}
    provider.nonce = query["nonce"]
    answer = {"state": query["state"], "code": "c"}
    thief = make(httpx.MockTransport(provider), oidc=PROVIDER)
    assert thief.get("/oidc/callback", params=answer).status_code == 403
    assert browser.get("/oidc/callback", params=answer).status_code == 403
    assert browser.get("/oidc/callback", params={"state": "invented", "code": "c"}).status_code == 403


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key.json"
    file.write_text(json.dumps(ECKey.generate_key("P-384", {"kid": "ours"}).as_dict(private=True)))
    return file


@pytest.fixture
def launched(make: Any, provider: Provider, key_file: Path) -> Any:
    provider.issuer = BASE
    provider.granted |= {"patient": "anna-a", "scope": "launch openid fhirUser patient/*.rs"}
    provider.claims = {"sub": "9", "fhirUser": f"{BASE}/Practitioner/9"}
    servers = (FhirServer(BASE, "opentpe", key_file=str(key_file)),)
    return make(httpx.MockTransport(provider), fhir_servers=servers)


def test_a_launch_from_an_ehr_opens_the_patient_that_is_open_there(
    launched: Any, provider: Provider, store: Store, clock: Any
) -> None:
    """The browser comes back with a session; the record is read with the EHR's token, which is kept encrypted."""
    back = there_and_back(launched, provider, f"/smart/launch?iss={BASE}&launch=xyz")
    assert back.headers["location"] == "/consult"
    assert launched.get("/me").json()["role"] == "viewer"
    bundle = launched.get("/smart/patient").json()
    assert {e["resource"]["resourceType"] for e in bundle["entry"]} >= {"Patient", "Observation", "Condition"}
    assert jwt.decode(provider.asked[0]["client_assertion"], _public(launched), ["ES384"]).claims["iss"] == "opentpe"
    sealed = accounts.session(store, _token_hash(launched)).sealed
    assert sealed
    assert "ehr-token" not in sealed
    clock.at = clock.at.replace(hour=clock.at.hour, minute=10)
    assert launched.get("/smart/patient").status_code == 409


def _token_hash(browser: Any) -> str:
    from opentpe.web.seal import hash_of

    return hash_of(browser.cookies["opentpe"])


def _public(browser: Any) -> KeySet:
    return KeySet.import_key_set(browser.get("/smart/jwks.json").json())


def test_the_published_keys_hold_no_private_part(launched: Any) -> None:
    """What FHIR servers read is the public half only."""
    (key,) = launched.get("/smart/jwks.json").json()["keys"]
    assert key["kid"] == "ours"
    assert "d" not in key


def test_a_launch_from_an_unknown_server_is_refused(launched: Any) -> None:
    """A link cannot lead people to sign in at somebody else's server."""
    assert launched.get("/smart/launch?iss=https://evil.example/r4&launch=x").status_code == 403


def test_the_application_signs_in_by_itself(launched: Any, provider: Provider) -> None:
    """Backend services: client credentials with a signed assertion of five minutes at most."""
    clinic = launched.app.state.clinic
    assert smart.backend_token(clinic, clinic.settings.fhir_servers[0]) == "ehr-token"
    form = provider.asked[0]
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "system/*.rs")
    claims = jwt.decode(form["client_assertion"], _public(launched), ["ES384"]).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("opentpe", "opentpe", f"{BASE}/token")
    assert claims["exp"] - claims["iat"] <= 300
    assert claims["jti"]
    provider.granted = {"error": "invalid_client"}
    with pytest.raises(FhirServerError):
        smart.backend_token(clinic, clinic.settings.fhir_servers[0])


def test_without_settings_there_is_no_way_out(make: Any) -> None:
    """Outside sign-in and launch exist only where they were set up."""
    browser = make(limits=Limits())
    assert browser.get("/oidc/start").status_code == 404
    assert browser.get("/smart/launch?iss=x").status_code == 403
    assert browser.get("/smart/callback?state=x&code=y").status_code == 403


@pytest.fixture
def doctor(launched: Any, provider: Provider, store: Store) -> Any:
    """A physician who came in from the EHR."""
    store.add(kinds.Account(name="nine", role="physician", subject=f"smart {BASE}|9"), "test")
    there_and_back(launched, provider, f"/smart/launch?iss={BASE}&launch=xyz")
    launched.headers["X-CSRF-Token"] = launched.get("/me").json()["csrf"]
    return launched


BASIS = kinds.Basis(weight_kg=68, haematocrit_fraction=0.38, volume_ml=2500)
SENT = (
    kinds.Order(course_id="c", session=1, lines=("replace 2500 mL",), basis=BASIS),
    kinds.Procedure(course_id="c", session=1, status="performed", started_at="2026-02-20T09:00:00Z"),
    kinds.Lab(kind="igg", value=1.5, unit="g/L", taken_at="2026-03-02"),
)


@pytest.mark.parametrize("body", SENT, ids=lambda b: b.table)
def test_records_go_back_to_the_ehr_for_its_own_patient(
    doctor: Any, provider: Provider, store: Store, ehr: Any, body: kinds.Body
) -> None:
    """Valid resources, orders as draft proposals, each version once, with a line in the audit chain."""
    from fhir.resources.R4B import get_fhir_model_class

    patient = store.add(kinds.Patient(identifier="A-1001"), "test")
    kept = store.add(body, "test", "", patient.id)
    assert doctor.post(f"/api/{body.table}/{kept.id}/send").json() == {"id": "ehr-1", "version": "1"}
    ((once, sent),) = provider.written
    get_fhir_model_class(sent["resourceType"]).model_validate(sent)
    assert sent["subject"]["reference"] == "Patient/anna-a"
    assert f"{kept.id}.1" in once
    if body.table == "orders":
        assert (sent["status"], sent["intent"]) == ("draft", "proposal")
    assert store.verify().sound


def test_a_record_of_another_patient_is_not_written(doctor: Any, provider: Provider, store: Store) -> None:
    """The hospital's number must be that of the patient who is open in the EHR."""
    patient = store.add(kinds.Patient(identifier="somebody else"), "test")
    kept = store.add(SENT[2], "test", "", patient.id)
    assert doctor.post(f"/api/labs/{kept.id}/send").status_code == 409
    assert doctor.post(f"/api/drugs/{kept.id}/send").status_code == 404
    assert provider.written == []
