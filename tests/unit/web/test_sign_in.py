"""Who comes in, for how long, and what keeps others out."""

import logging
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from opentpe.records import accounts, kinds
from opentpe.records.store import Store
from opentpe.web import auth

PASSWORD = "correct horse battery"


def try_in(browser: TestClient, name: str, password: str = PASSWORD) -> int:
    return browser.post("/sign-in", json={"name": name, "password": password}).status_code


def test_a_name_and_its_password_open_a_session(browser: TestClient) -> None:
    """The answer says who is signed in; the cookie is closed to scripts and to other sites."""
    answer = browser.post("/sign-in", json={"name": "nurse", "password": PASSWORD})
    assert answer.json()["role"] == "nurse"
    assert "care" in answer.json()["may"]
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert browser.get("/me").json()["name"] == "nurse"


def test_over_tls_the_cookie_is_locked_to_the_host(make: object) -> None:
    """With TLS the cookie is Secure and carries the host prefix, and browsers are told to stay on TLS."""
    browser = make(behind_tls_proxy=True, public_url="https://tpe.example.org", host="0.0.0.0")
    answer = browser.post("/sign-in", json={"name": "nurse", "password": PASSWORD})
    assert answer.headers["set-cookie"].startswith("__Host-opentpe=")
    assert "secure" in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize("name", ["nurse", "nobody", "nul\x00", "\ud800" * 3])
def test_a_wrong_password_and_a_wrong_name_look_the_same(browser: TestClient, name: str) -> None:
    """Nobody learns which names exist."""
    answer = browser.post("/sign-in", data={"name": name.encode("utf-8", "replace"), "password": "wrong"})
    assert answer.status_code == 401
    assert "Name or password is not right" in answer.text


def test_five_failures_lock_the_account_for_a_while(browser: TestClient, clock: object) -> None:
    """Then even the right password is refused, until a quarter of an hour has passed."""
    for _ in range(5):
        assert try_in(browser, "nurse", "wrong") == 401
    assert try_in(browser, "nurse") == 401
    assert try_in(browser, "physician") == 200
    clock.at += timedelta(minutes=16)
    assert try_in(browser, "nurse") == 200


def test_many_attempts_from_one_address_are_slowed(make: object) -> None:
    """Trying many names is bounded as well."""
    from opentpe.web.settings import Limits

    browser = make(limits=Limits(sign_ins_per_min=3))
    codes = [try_in(browser, f"name-{n}", "wrong") for n in range(5)]
    assert codes == [401, 401, 401, 429, 429]


def test_a_session_ends_when_it_was_idle_or_is_old(signed_in: object, clock: object) -> None:
    """An hour without a click, or twelve hours in all, and the person signs in again."""
    browser = signed_in("nurse")
    clock.at += timedelta(minutes=59)
    assert browser.get("/me").status_code == 200
    clock.at += timedelta(minutes=59)
    assert browser.get("/me").status_code == 200
    clock.at += timedelta(minutes=61)
    assert browser.get("/me").status_code == 401


def test_a_session_does_not_live_longer_when_the_clock_is_set_back(signed_in: object, clock: object) -> None:
    """A session from the future is not believed."""
    browser = signed_in("nurse")
    clock.at -= timedelta(hours=3)
    assert browser.get("/me").status_code == 401


def test_signing_out_ends_the_session_on_the_server(signed_in: object) -> None:
    """A stolen cookie is worth nothing afterwards."""
    browser = signed_in("nurse")
    cookie = browser.cookies["opentpe"]
    assert browser.post("/sign-out").status_code == 204
    browser.cookies.set("opentpe", cookie)
    assert browser.get("/me").status_code == 401


def test_a_closed_account_is_out_at_once(signed_in: object, store: Store) -> None:
    """Closing an account ends what is open."""
    nurse, admin = signed_in("nurse"), signed_in("admin")
    account = accounts.named(store, "nurse")
    body = {"account": {"name": "nurse", "role": "nurse", "active": False}, "version": 1}
    assert admin.put(f"/api/admin/accounts/{account.id}", json=body).status_code == 200
    assert nurse.get("/me").status_code == 401
    assert try_in(nurse, "nurse") == 401


def test_the_last_administrator_cannot_be_removed(signed_in: object, store: Store) -> None:
    """A unit never locks itself out."""
    admin = signed_in("admin")
    account = accounts.named(store, "admin")
    body = {"account": {"name": "admin", "role": "viewer"}, "version": 1}
    assert admin.put(f"/api/admin/accounts/{account.id}", json=body).status_code == 409


def test_a_page_sends_strangers_to_the_form_and_a_service_says_401(browser: TestClient) -> None:
    """People see a form, programs a status."""
    page = browser.get("/me", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/me")
    assert browser.get("/me").status_code == 401
    assert "<form" in browser.get("/sign-in").text


@pytest.mark.parametrize("goal", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "/\n/x"])
def test_signing_in_does_not_lead_elsewhere(goal: str) -> None:
    """The page to go to after signing in stays inside the application."""
    assert auth.inside(goal) == "/"
    assert auth.inside("/patients/x?tab=1") == "/patients/x?tab=1"


def test_the_first_account_needs_the_printed_code_and_works_once(store: Store, make: object) -> None:
    """With accounts there, the code opens nothing any more."""
    accounts.use_once(store, auth.setup_key("code"), timedelta(hours=1))
    browser = make()
    body = {"code": "code", "name": "eve", "password": PASSWORD}
    assert browser.post("/setup", json=body).status_code == 403


def test_a_new_unit_is_set_up_with_the_printed_code(tmp_path: object, library: object, clock: object) -> None:
    """Name, password and code make the first administrator, once."""
    from opentpe.web.app import create_app
    from opentpe.web.settings import Settings

    store = Store(f"sqlite:///{tmp_path}/new.db", clock)
    store.prepare()
    accounts.use_once(store, auth.setup_key("code"), timedelta(hours=1))
    settings = Settings(key=b"k" * 32)
    browser = TestClient(create_app(settings, store, library, clock), base_url=settings.base_url)
    body = {"code": "wrong", "name": "boss", "password": PASSWORD}
    assert browser.post("/setup", json=body).status_code == 403
    assert browser.post("/setup", json=body | {"code": "code"}).status_code == 201
    assert browser.post("/setup", json=body | {"code": "code", "name": "two"}).status_code == 403
    assert accounts.named(store, "boss").body.role is kinds.Role.ADMIN


def test_no_password_and_no_patient_reach_the_log(
    signed_in: object, ada: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log knows patterns of addresses, never identifiers, names or passwords."""
    with caplog.at_level(logging.INFO):
        browser = signed_in("nurse")
        browser.get(f"/api/patients/{ada}")
        browser.get("/api/patients/secret-id?after=secret")
    text = caplog.text
    assert "/api/patients/{record_id}" in text
    for secret in (ada, "secret", PASSWORD, "Ada"):
        assert secret not in "\n".join(r.getMessage() for r in caplog.records if r.name == "opentpe.web"), secret


def test_the_own_password_can_be_changed(signed_in: object) -> None:
    """With the old one, and all sessions end."""
    browser = signed_in("nurse")
    body = {"old": "wrong", "new": "another good password"}
    assert browser.post("/api/admin/password", json=body).status_code == 403
    assert browser.post("/api/admin/password", json=body | {"old": PASSWORD}).status_code == 204
    assert browser.get("/me").status_code == 401
    assert try_in(browser, "nurse", "another good password") == 200
