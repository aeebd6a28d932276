"""The records as JSON: what pages and programs read and write."""

import pytest
from fastapi.testclient import TestClient

from opentpe.records import kinds
from opentpe.records.store import Store

BASIS = {"weight_kg": 68, "haematocrit_fraction": 0.38, "volume_ml": 2500}
LAB = {"kind": "igg", "value": 9.5, "unit": "g/L", "taken_at": "2026-02-18T08:00:00Z"}


@pytest.fixture
def nurse(signed_in: object) -> TestClient:
    return signed_in("nurse")


def test_a_lab_value_is_added_changed_and_its_history_told(nurse: TestClient, ada: str) -> None:
    """The way of one value: who wrote what, when and why."""
    made = nurse.post("/api/labs", json={"patient_id": ada, "why": "list", "body": LAB}).json()
    body = {"version": 1, "why": "typing error", "body": LAB | {"value": 5.9}}
    assert nurse.put(f"/api/labs/{made['id']}", json=body).json()["version"] == 2
    told = nurse.get(f"/api/labs/{made['id']}/history").json()
    assert [(v["version"], v["who"], v["why"], v["body"]["value"]) for v in told] == [
        (1, "nurse", "list", 9.5),
        (2, "nurse", "typing error", 5.9),
    ]
    assert [v["id"] for v in nurse.get(f"/api/patients/{ada}/labs").json()] == [made["id"]]


def test_a_conflict_shows_both_sides(nurse: TestClient, ada: str) -> None:
    """Who comes second sees what the first one wrote, and what they wanted to write."""
    made = nurse.post("/api/labs", json={"patient_id": ada, "body": LAB}).json()
    change = {"version": 1, "body": LAB | {"value": 9.0}}
    assert nurse.put(f"/api/labs/{made['id']}", json=change).status_code == 200
    answer = nurse.put(f"/api/labs/{made['id']}", json=change | {"body": LAB | {"value": 8.0}})
    assert answer.status_code == 409
    assert answer.json()["theirs"]["body"]["value"] == 9.0
    assert answer.json()["mine"]["value"] == 8.0


def test_only_signing_signs(signed_in: object, nurse: TestClient, ada: str) -> None:
    """A signature cannot be written into an order, only given; a change voids it."""
    doctor = signed_in("physician")
    order = {"course_id": "c", "session": 1, "lines": ["replace 2500 mL"], "basis": BASIS, "signed_by": "Dr Forged"}
    made = doctor.post("/api/orders", json={"patient_id": ada, "body": order}).json()
    assert made["body"]["signed_by"] == ""
    signing = {"version": 1, "body": made["body"]}
    assert nurse.post(f"/api/orders/{made['id']}/sign", json=signing).status_code == 403
    other = {"version": 1, "body": made["body"] | {"lines": ["replace 9000 mL"]}}
    assert doctor.post(f"/api/orders/{made['id']}/sign", json=other).status_code == 422
    signed = doctor.post(f"/api/orders/{made['id']}/sign", json=signing).json()
    assert signed["body"]["signed_by"] == "The physician"
    changed = doctor.put(f"/api/orders/{made['id']}", json={"version": 2, "body": signed["body"] | {"session": 2}})
    assert changed.json()["body"]["signed_by"] == ""


def test_patients_are_found_without_a_name_in_the_address(nurse: TestClient, ada: str) -> None:
    """By hospital number or part of the name, sent in the body."""
    assert nurse.post("/api/patients/search", json={"identifier": "MRN-1"}).json()[0]["id"] == ada
    assert nurse.post("/api/patients/search", json={"name": "ada ex"}).json()[0]["id"] == ada
    assert nurse.post("/api/patients/search", json={"name": "bob"}).json() == []


def test_opening_a_patient_leaves_a_line(nurse: TestClient, ada: str, store: Store) -> None:
    """Who looked is known."""
    before = store.verify().lines_count
    nurse.get(f"/api/patients/{ada}")
    assert store.verify().lines_count == before + 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/labs", {"patient_id": "nobody", "body": LAB}, 404),
        ("/api/labs", {"body": LAB}, 404),
        ("/api/labs", {"patient_id": "ADA", "body": LAB | {"value": "many"}}, 422),
        ("/api/labs", {"patient_id": "ADA", "body": LAB | {"strange": 1}}, 422),
        ("/api/labs", {"patient_id": "ADA", "body": LAB | {"text": "a\x00b"}}, 422),
        ("/api/labs", {"patient_id": "ADA", "why": "a\x00b", "body": LAB}, 422),
        ("/api/labs/x/retire", {"version": 1, "why": "mistake"}, 404),
        ("/api/labs/x/retire", {"version": 1, "why": ""}, 422),
        ("/api/nothing", {}, 404),
    ],
)
def test_what_cannot_be_kept_is_refused_with_a_reason(
    nurse: TestClient, ada: str, path: str, body: dict, status: int
) -> None:
    """Problem details, never a trace."""
    if body.get("patient_id") == "ADA":
        body = body | {"patient_id": ada}
    answer = nurse.post(path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]


def test_the_bundle_of_a_patient_can_be_read(nurse: TestClient, ada: str) -> None:
    """One patient as FHIR."""
    nurse.post("/api/labs", json={"patient_id": ada, "body": LAB})
    data = nurse.get(f"/api/patients/{ada}/bundle").json()
    assert [e["resource"]["resourceType"] for e in data["entry"]] == ["Patient", "Observation"]


def test_an_administrator_checks_the_chain_and_exports(signed_in: object, ada: str) -> None:
    """Audit and export, with a line of their own in the chain."""
    admin = signed_in("admin")
    verdict = admin.get("/api/admin/audit").json()
    assert verdict["sound"]
    assert admin.get("/api/admin/export").json()["entry"]
    assert admin.get("/api/admin/audit").json()["lines_count"] > verdict["lines_count"]
    assert not admin.get("/api/admin/audit", params={"head": "0" * 63 + "1"}).json()["sound"]


def test_accounts_are_made_by_administrators_only(signed_in: object, nurse: TestClient) -> None:
    """A new colleague, with a password that is long enough."""
    admin = signed_in("admin")
    body = {"account": {"name": "new", "role": "viewer"}, "password": "long enough for us"}
    assert nurse.post("/api/admin/accounts", json=body).status_code == 403
    assert admin.post("/api/admin/accounts", json=body | {"password": "short"}).status_code == 422
    assert admin.post("/api/admin/accounts", json=body).status_code == 201
    assert admin.post("/api/admin/accounts", json=body).status_code == 409
    assert "new" in {a["body"]["name"] for a in admin.get("/api/admin/accounts").json()}


def test_a_lost_database_is_a_503_that_says_what_to_do(nurse: TestClient, store: Store, tmp_path: object) -> None:
    """And when it is back, work goes on."""
    path = tmp_path / "clinic.db"
    path.rename(tmp_path / "away.db")
    answer = nurse.get("/health")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "cannot be opened" in answer.json()["detail"]
    (tmp_path / "away.db").rename(path)
    assert nurse.get("/health").json()["status"] == "ok"
    assert store.count(kinds.Account) == 5


def test_the_openapi_document_is_of_version_3_1(nurse: TestClient) -> None:
    """It names every kind of record and every service."""
    document = nurse.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path in ("/api/labs", "/api/adverse_events", "/cds-services/{service}", "/smart/launch", "/sign-in"):
        assert path in document["paths"], path
