"""A FHIR server that is slow, lies about content types, refuses, or pages forever: bounded time, clear message."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from opentpe.web.fhir_client import Fetch, FhirServerError
from opentpe.web.settings import FhirServer, Limits

BASE = "https://fhir.example.org/r4"
LIMITS = Limits(fetch_seconds=60.0, fetch_pages=5, fetch_bytes=100_000)
HURRIED = replace(LIMITS, fetch_seconds=0.5)
FHIR = {"content-type": "application/fhir+json; charset=utf-8"}
VIEW = "/cds-services/opentpe-patient-view"
Answer = Callable[[httpx.Request], httpx.Response]


def fetch(answer: Answer, token: str = "abc", limits: Limits = LIMITS) -> Fetch:
    return Fetch(BASE, token, limits, httpx.MockTransport(answer))


def page(url: str | None = None) -> httpx.Response:
    link = [{"relation": "next", "url": url}] if url else []
    entry = [{"fullUrl": f"{BASE}/Observation/1", "resource": {"resourceType": "Observation", "id": "1"}}]
    return httpx.Response(200, json={"resourceType": "Bundle", "link": link, "entry": entry}, headers=FHIR)


DRIP_S = 5.0


class Drip(httpx.SyncByteStream):
    """A body that comes a byte at a time, for longer than anybody waits."""

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(DRIP_S / 100)
            yield b" "


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"code": "security", "diagnostics": "Ada Example, MRN 1"}]}
FAULTS: dict[str, tuple[Answer, str]] = {
    "drips": (lambda _: httpx.Response(200, stream=Drip(), headers=FHIR), "longer than 0.5 s"),
    "html": (lambda _: httpx.Response(200, html="<h1>Sign in</h1>"), "text/html, not FHIR"),
    "lies": (lambda _: httpx.Response(200, content=b"<xml/>", headers=FHIR), "not JSON"),
    "list": (lambda _: httpx.Response(200, content=b"[]", headers=FHIR), "not a resource"),
    "deep": (lambda _: httpx.Response(200, content=b'{"a":' * 99 + b"1" + b"}" * 99, headers=FHIR), "not a resource"),
    "outcome": (lambda _: httpx.Response(403, json=OUTCOME, headers=FHIR), r"refused \(403\): security"),
    "outcome as success": (lambda _: httpx.Response(200, json=OUTCOME, headers=FHIR), "security"),
    "redirect": (lambda _: httpx.Response(302, headers=FHIR | {"location": "https://evil.example"}), "JSON"),
    "large": (lambda _: httpx.Response(200, content=b" " * 200_000, headers=FHIR), "more than 0.1 MB"),
    "forever": (lambda r: page(f"{BASE}/Observation?page={r.url.params.get('page', '')}1"), "more than 5 pages"),
    "circle": (lambda _: page(f"{BASE}/Observation?patient=1"), "circle"),
    "elsewhere": (lambda _: page("https://evil.example/r4/Observation"), "another server"),
    "another path": (lambda _: page("https://fhir.example.org/other/Observation"), "another server"),
    "another kind": (lambda _: httpx.Response(200, json={"resourceType": "Patient"}, headers=FHIR), "'Patient'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_soon_with_a_message_of_its_own(fault: str, capsys: pytest.CaptureFixture) -> None:
    """No hanging, no wrong reading, no patient in the message."""
    answer, told = FAULTS[fault]
    began = time.monotonic()
    with pytest.raises(FhirServerError, match=told) as error:
        fetch(answer, limits=HURRIED if fault == "drips" else LIMITS).search("Observation?patient=1")
    took_s = time.monotonic() - began
    assert took_s < DRIP_S / 2
    assert "Ada" not in str(error.value)
    with capsys.disabled():
        print(f"\n  FHIR server, {fault}: ended after {took_s:.2f} s: {str(error.value)[:70]}")


def test_a_server_that_cannot_be_reached_is_told_as_such() -> None:
    """A refused connection and a time-out read differently."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def hang(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    for answer, told in ((refuse, "cannot be reached"), (hang, "longer than")):
        with pytest.raises(FhirServerError, match=told):
            fetch(answer).read("Patient/1")


def test_pages_are_followed_and_the_token_goes_along() -> None:
    """Two pages give two entries; every request carries the token of this server."""
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return page(None if "page" in request.url.params else f"{BASE}/Observation?page=2")

    assert len(fetch(answer).search("Observation?patient=1")) == 2
    assert seen == ["Bearer abc", "Bearer abc"]


def test_writing_posts_and_reads_back() -> None:
    """An order goes out as FHIR and comes back with the server's identifier."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/fhir+json"
        return httpx.Response(201, json=json.loads(request.content) | {"id": "9"}, headers=FHIR)

    assert fetch(answer).create({"resourceType": "ServiceRequest"})["id"] == "9"


def hospital(ehr: Any, name: str, **wrong: httpx.Response) -> Answer:
    """A FHIR server that holds an example; `wrong` answers by resource type."""

    def answer(request: httpx.Request) -> httpx.Response:
        kind, _, one = request.url.path.removeprefix("/r4/").partition("/")
        if kind in wrong:
            return wrong[kind]
        if one:
            found = next((r for r in ehr.record(name) if r["resourceType"] == kind and r.get("id") == one), OUTCOME)
            return httpx.Response(200 if found is not OUTCOME else 404, json=found, headers=FHIR)
        return httpx.Response(200, json=ehr.searchset(name, kind), headers=FHIR)

    return answer


def hooks(make: Any, answer: Answer, limits: Limits = LIMITS) -> Any:
    servers = (FhirServer(BASE, "opentpe"),)
    return make(httpx.MockTransport(answer), open_hooks=True, fhir_servers=servers, limits=limits)


@pytest.mark.parametrize("kept", [(), ("patient", "conditions"), ("observations", "allergies")])
def test_what_was_not_prefetched_is_fetched(make: Any, ehr: Any, kept: tuple) -> None:
    """Partial prefetch, or none: the same card as with everything sent along."""
    whole = ehr.call("scenario-a", fhirServer=BASE)
    body = whole | {"prefetch": {key: whole["prefetch"][key] for key in kept}}
    service = hooks(make, hospital(ehr, "scenario-a"))
    assert service.post(VIEW, json=body).json() == service.post(VIEW, json=whole).json()


def test_drugs_that_only_point_to_a_medication_are_looked_up(make: Any, ehr: Any, clock: Any) -> None:
    """A steroid that nobody can name would turn the advice round: it is fetched, or named in a 412."""
    clock.at = clock.at.replace(month=1, day=28)
    body = ehr.call("obese", fhirServer=BASE)
    entries = body["prefetch"]["medicationAdministrations"]["entry"]
    entries[:] = [e for e in entries if e["resource"]["resourceType"] != "Medication"]
    (card,) = hooks(make, hospital(ehr, "obese")).post(VIEW, json=body).json()["cards"]
    assert card["summary"].startswith("Recommend exchange")
    answer = hooks(make, hospital(ehr, "scenario-a")).post(VIEW, json=body)
    assert answer.status_code == 412
    assert answer.json()["missing"][0].startswith("Medication/")


def test_a_failing_server_ends_in_412_that_names_what_is_missing(make: Any, ehr: Any) -> None:
    """What the server said stands in the message, without its free text."""
    service = hooks(make, hospital(ehr, "scenario-a", Observation=httpx.Response(403, json=OUTCOME, headers=FHIR)))
    answer = service.post(VIEW, json=ehr.call("scenario-a", fhirServer=BASE) | {"prefetch": {}})
    assert answer.status_code == 412
    assert answer.json()["missing"] == ["observations"]
    assert "refused (403): security" in answer.json()["detail"]
    assert "Ada" not in answer.text


def test_a_server_outside_the_settings_is_never_called(make: Any, ehr: Any) -> None:
    """A call cannot make this service talk to an address of the caller's choice."""

    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    body = ehr.call("scenario-a", fhirServer="http://169.254.169.254/r4") | {"prefetch": {}}
    told = hooks(make, answer).post(VIEW, json=body)
    assert told.status_code == 412
    assert "not in the settings" in told.json()["detail"]


def test_a_slow_server_keeps_the_hook_within_its_time(make: Any, ehr: Any) -> None:
    """All fetches of a call share one time budget."""
    service = hooks(make, lambda _: httpx.Response(200, stream=Drip(), headers=FHIR), HURRIED)
    began = time.monotonic()
    answer = service.post(VIEW, json=ehr.call("scenario-a", fhirServer=BASE) | {"prefetch": {}})
    assert time.monotonic() - began < DRIP_S - 1
    assert answer.status_code == 412
    assert "longer than 0.5 s" in answer.json()["detail"]
