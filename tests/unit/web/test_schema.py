"""Calls made up from the OpenAPI document, by the hundred: no address answers 500."""

import json
from typing import Any

import hypothesis
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck

from opentpe.records import accounts, kinds
from opentpe.records.store import Store
from opentpe.web import seal
from opentpe.web.app import create_app
from opentpe.web.settings import Limits, Settings

MANY = Limits(requests_per_min=1_000_000, hooks_per_min=1_000_000, sign_ins_per_min=1_000_000, body_bytes=2_000_000)
SKIPPED = ("/smart/callback", "/oidc/callback", "/sign-out", "/api/admin/password")  # they end the session or need one
PAGES = ("/board", "/patients", "/courses", "/planner", "/evidence", "/validation", "/trainer")


def send(browser: TestClient, case: schemathesis.Case) -> Any:
    """One made-up call, as the signed-in browser would send it."""
    told = case.as_transport_kwargs(base_url=str(browser.base_url))
    headers = dict(told.get("headers") or {}) | {"cookie": "opentpe=token", "x-csrf-token": "csrf"}
    body = told.get("data")
    content = json.dumps(told["json"]).encode() if "json" in told else body
    if not isinstance(content, bytes | None):
        content = str(content).encode("utf-8", "replace")
    if "json" in told:
        headers["content-type"] = "application/json"
    return browser.request(told["method"], told["url"], params=told.get("params"), content=content, headers=headers)


def made_up_calls(store: Store, library: Any, clock: Any, role: str, examples: int) -> tuple[int, set[int]]:
    """Calls every operation with made-up values, signed in with a role; how many, and which answers came."""
    settings = Settings(key=b"k" * 32, open_hooks=True, limits=MANY)
    app = create_app(settings, store, library, clock)
    for route in app.routes:  # the pages too, which are no part of the published description
        if getattr(route, "path", "").startswith(PAGES):
            route.include_in_schema = True
    account = accounts.named(store, role)
    accounts.open_session(store, seal.hash_of("token"), account.id, "csrf", "", role)
    browser = TestClient(app, base_url=settings.base_url, raise_server_exceptions=False, follow_redirects=False)
    schema = schemathesis.openapi.from_dict(app.openapi())
    count, seen = 0, set[int]()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in SKIPPED:
            continue

        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            nonlocal count
            answer = send(browser, case)
            count += 1
            seen.add(answer.status_code)
            assert answer.status_code != 500, f"{case.method} {case.path}: {case.body!r} {case.query!r}"

        call()
    return count, seen


def test_no_made_up_call_ends_in_a_fault(store: Store, library: Any, clock: Any, capsys: pytest.CaptureFixture) -> None:
    """Two made-up calls for every address and method, as a physician."""
    count, seen = made_up_calls(store, library, clock, "physician", 2)
    with capsys.disabled():
        print(f"\n  {count} made-up calls, answers {sorted(seen)}, no 500")
    assert count > 100
    assert {200, 404, 422} <= seen
    assert store.verify().sound


@pytest.mark.slow
@pytest.mark.parametrize("role", list(kinds.Role))
def test_no_made_up_call_ends_in_a_fault_for_any_role(
    store: Store, library: Any, clock: Any, role: str, capsys: pytest.CaptureFixture
) -> None:
    """Forty made-up calls for every address and method, for each role."""
    count, seen = made_up_calls(store, library, clock, role, 40)
    with capsys.disabled():
        print(f"\n  {role}: {count} made-up calls, answers {sorted(seen)}, no 500")
