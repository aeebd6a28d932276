"""An application on a fresh database, with a person of each role, and a clock that tests wind by hand."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fastapi.testclient import TestClient

from opentpe import consultation as flow
from opentpe.evidence.load import Library
from opentpe.pathway import order as orders
from opentpe.records import accounts, kinds
from opentpe.records.store import Store
from opentpe.web import passwords
from opentpe.web.app import create_app
from opentpe.web.cds_prefetch import PATIENT, PREFETCH
from opentpe.web.pages import examples, keep
from opentpe.web.settings import Settings

PASSWORD = "correct horse battery"
BASE = "http://127.0.0.1:8377"


class Clock:
    """Stands still until a test winds it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 2, 18, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="session")
def hashed() -> str:
    return passwords.hashed(PASSWORD)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock, hashed: str) -> Store:
    """Records with one account per role, each named like its role."""
    made = Store(f"sqlite:///{tmp_path}/clinic.db", clock)
    made.prepare()
    for role in kinds.Role:
        account = made.add(kinds.Account(name=role.value, full_name=f"The {role.value}", role=role), "test")
        accounts.set_password(made, account.id, hashed, "test")
    return made


@pytest.fixture
def settings() -> Settings:
    return Settings(key=b"k" * 32)


Make = Callable[..., TestClient]


@pytest.fixture
def make(store: Store, library: Library, clock: Clock, settings: Settings) -> Iterator[Make]:
    """Makes a browser for an application with changed settings."""
    opened: list[TestClient] = []

    def made(transport: object = None, **changes: object) -> TestClient:
        changed = replace(settings, **changes)
        app = create_app(changed, store, library, clock, transport)
        client = TestClient(app, base_url=changed.base_url, raise_server_exceptions=False, follow_redirects=False)
        opened.append(client)
        return client

    yield made
    for client in opened:
        client.close()


@pytest.fixture
def browser(make: Make) -> TestClient:
    """A browser that is not signed in."""
    return make()


SignIn = Callable[[str], TestClient]


@pytest.fixture
def signed_in(make: Make) -> SignIn:
    """Makes a browser that is signed in with a role and sends the CSRF value."""

    def made(role: str, **changes: object) -> TestClient:
        client = make(**changes)
        answer = client.post("/sign-in", json={"name": role, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    return made


@pytest.fixture
def ada(store: Store) -> str:
    return store.add(kinds.Patient(identifier="MRN-1", name="Ada Example"), "test").id


class Ehr:
    """Makes CDS Hooks calls and FHIR answers from the example bundles."""

    KEYS: ClassVar = {key: query.partition("?")[0] for key, query in PREFETCH.items() if key != PATIENT}

    def __init__(self, examples: Path) -> None:
        self.examples = examples

    def record(self, name: str) -> list[dict[str, Any]]:
        """The resources of an example."""
        return [e["resource"] for e in json.loads((self.examples / f"{name}.json").read_text())["entry"]]

    def searchset(self, name: str, kind: str) -> dict[str, Any]:
        """The answer to a search for one kind."""
        entries = json.loads((self.examples / f"{name}.json").read_text())["entry"]
        kinds_ = (kind, "Medication") if kind == "MedicationAdministration" else (kind,)
        found = [e for e in entries if e["resource"]["resourceType"] in kinds_]
        return {"resourceType": "Bundle", "type": "searchset", "entry": found}

    def patient(self, name: str) -> dict[str, Any]:
        return next(r for r in self.record(name) if r["resourceType"] == "Patient")

    def call(self, name: str, hook: str = "patient-view", **more: Any) -> dict[str, Any]:
        """The body of a call with everything prefetched."""
        sent = {key: self.searchset(name, kind) for key, kind in self.KEYS.items()}
        sent["patient"] = self.patient(name)
        context = {"patientId": sent["patient"]["id"], "userId": "Practitioner/1"} | more.pop("context", {})
        instance = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
        return {"hook": hook, "hookInstance": instance, "context": context, "prefetch": sent} | more


@pytest.fixture
def ehr(examples: Path) -> Ehr:
    return Ehr(examples)


@pytest.fixture
def kept_course(library: Library) -> Callable[[TestClient], str]:
    """Keeps scenario A as records and gives its planned course."""

    def made(client: TestClient) -> str:
        bundle, on = examples.named("scenario-a")
        here = client.app.state.clinic
        decided = flow.decide(bundle, on, library=library, unit=here.unit)
        written = orders.build(decided.patient, decided.decision, library, here.unit)
        return keep.keep(here, replace(decided, order=written), bundle, "physician", "test")[1]

    return made


@pytest.fixture
def clinic(signed_in: SignIn) -> TestClient:
    return signed_in("physician")


@pytest.fixture
def kept(clinic: TestClient, kept_course: Callable[[TestClient], str]) -> str:
    return kept_course(clinic)
