"""The contract of CDS Hooks 2.0, written from the specification."""

import json
import re
import tomllib
from datetime import date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from opentpe import consultation
from opentpe.records import kinds
from opentpe.records.store import Store
from opentpe.report import sentences
from opentpe.web.cds_cards import QUIET

VIEW = "/cds-services/opentpe-patient-view"
SIGN = "/cds-services/opentpe-order-sign"
SELECT = "/cds-services/opentpe-order-select"
EXCHANGE = {
    "resourceType": "ServiceRequest",
    "id": "draft-1",
    "status": "draft",
    "intent": "order",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "127788007"}]},
}
STEROID = {
    "resourceType": "MedicationRequest",
    "id": "draft-2",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6902"}]
    },
}


@pytest.fixture
def hooks(make: Any) -> TestClient:
    """The services, open for calls without a token."""
    return make(open_hooks=True)


def drafts(*resources: dict, selections: list[str] | None = None) -> dict[str, Any]:
    made = {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": r} for r in resources]}}
    return made | ({"selections": selections} if selections is not None else {})


def test_discovery_names_three_services_with_their_prefetch(hooks: TestClient) -> None:
    """Each service has id, hook, description; prefetch templates use context tokens of the root only."""
    services = hooks.get("/cds-services").json()["services"]
    assert {s["hook"] for s in services} == {"patient-view", "order-select", "order-sign"}
    for service in services:
        assert service["id"]
        assert service["description"]
        for query in service["prefetch"].values():
            assert set(re.findall(r"{{(.*?)}}", query)) == {"context.patientId"}
            assert "_include" not in query


def test_a_card_has_what_the_specification_demands(hooks: TestClient, ehr: Any) -> None:
    """Scenario A: offer exchange; summary, indicator, source, suggestion, links, override reasons."""
    answer = hooks.post(VIEW, json=ehr.call("scenario-a"))
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    assert card["summary"].startswith("Offer exchange, start")
    assert len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    assert card["source"]["label"].startswith("OpenTPE")
    assert card["selectionBehavior"] == "at-most-one"
    assert {r["code"] for r in card["overrideReasons"]} >= {"declined", "contraindication"}
    assert all(r["display"] and r["system"] for r in card["overrideReasons"])
    (link,) = card["links"]
    assert link["type"] == "smart"
    assert link["url"].endswith("/smart/launch")
    assert "Not a medical device" in card["detail"]


def test_the_suggested_order_is_valid_and_never_active(hooks: TestClient, ehr: Any) -> None:
    """A ServiceRequest in draft, as a proposal, for this patient, that a strict R4 reader accepts."""
    from fhir.resources.R4B.servicerequest import ServiceRequest

    (card,) = hooks.post(VIEW, json=ehr.call("scenario-a")).json()["cards"]
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    assert (action["type"], bool(action["description"])) == ("create", True)
    order = action["resource"]
    assert (order["status"], order["intent"]) == ("draft", "proposal")
    assert order["subject"]["reference"] == "Patient/anna-a"
    assert {"system": "http://snomed.info/sct", "code": "127788007"} in order["code"]["coding"]
    ServiceRequest.model_validate(order)


def test_urgency_is_critical(hooks: TestClient, ehr: Any, clock: Any) -> None:
    """A severe myelitis: time is being lost."""
    clock.at = clock.at.replace(month=3, day=19)
    (card,) = hooks.post(VIEW, json=ehr.call("severe-myelitis")).json()["cards"]
    assert card["indicator"] == "critical"
    assert card["summary"].startswith("Exchange urgently")
    assert card["suggestions"][0]["actions"][0]["resource"]["priority"] == "urgent"


@pytest.mark.parametrize(
    "name",
    ["anticoagulated", "bacteriuria", "before-steroids", "child", "contradictory", "first-attack", "heat", "infection",
     "natalizumab", "no-attack", "obese", "pml-suspected", "pregnancy", "progressive", "small-42kg",
     "steroids-just-finished"],
)  # fmt: skip
def test_a_card_says_what_the_command_line_says(
    hooks: TestClient, ehr: Any, clock: Any, examples: Any, library: Any, name: str
) -> None:
    """One decision everywhere; where there is nothing to do, opening a chart stays quiet."""
    on = tomllib.loads((examples / "index.toml").read_text())[f"{name}.json"]["on"]
    clock.at = datetime.fromisoformat(f"{on}T09:00:00+00:00")
    advice = consultation.decide(examples / f"{name}.json", date.fromisoformat(on), library=library).decision.advice
    cards = hooks.post(VIEW, json=ehr.call(name)).json()["cards"]
    assert len(cards) == (advice not in QUIET)
    for card in cards:
        assert card["detail"].startswith(sentences.load().say(f"strength.{advice}"))
        assert ("suggestions" in card) == advice.exchange


@pytest.mark.parametrize("key", ["patient", "conditions", "observations"])
def test_missing_data_are_named_with_412(hooks: TestClient, ehr: Any, key: str) -> None:
    """Not prefetched and no server to ask: the keys are named, no advice is given on half a record."""
    body = ehr.call("scenario-a")
    del body["prefetch"][key]
    answer = hooks.post(VIEW, json=body)
    assert answer.status_code == 412
    assert answer.json()["missing"] == [key]
    assert "no FHIR server" in answer.json()["detail"]


def test_one_kind_of_medication_record_is_enough(hooks: TestClient, ehr: Any) -> None:
    """An EHR that knows administrations only is answered; one that knows no drugs at all is not."""
    body = ehr.call("scenario-a")
    for key in ("medicationRequests", "medicationStatements"):
        del body["prefetch"][key]
    answer = hooks.post(VIEW, json=body)
    assert answer.status_code == 200
    assert "medicationStatements" in answer.json()["cards"][0]["detail"]
    del body["prefetch"]["medicationAdministrations"]
    assert len(hooks.post(VIEW, json=body).json()["missing"]) == 3


def test_an_empty_search_is_null_and_that_is_an_answer(hooks: TestClient, ehr: Any) -> None:
    """Searched and found nothing is not the same as not searched."""
    body = ehr.call("scenario-a")
    body["prefetch"]["allergies"] = None
    assert hooks.post(VIEW, json=body).status_code == 200
    body["prefetch"]["patient"] = None
    assert hooks.post(VIEW, json=body).status_code == 412


def test_a_half_page_is_not_taken_for_the_whole(hooks: TestClient, ehr: Any) -> None:
    """A prefetched page with a next link, or an error in its place, counts as missing."""
    body = ehr.call("scenario-a")
    body["prefetch"]["observations"]["link"] = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]
    assert hooks.post(VIEW, json=body).json()["missing"] == ["observations"]
    body["prefetch"]["observations"] = {"resourceType": "OperationOutcome", "issue": []}
    assert hooks.post(VIEW, json=body).json()["missing"] == ["observations"]


def test_a_record_of_another_patient_is_refused(hooks: TestClient, ehr: Any) -> None:
    """The prefetched patient must be the one of the context."""
    body = ehr.call("scenario-a", context={"patientId": "somebody-else"})
    assert hooks.post(VIEW, json=body).json()["missing"] == ["patient"]


def test_an_order_that_fits_is_told_so_at_signing(hooks: TestClient, ehr: Any) -> None:
    """Signing an exchange that is advised gets an information card."""
    (card,) = hooks.post(SIGN, json=ehr.call("scenario-a", "order-sign", context=drafts(EXCHANGE))).json()["cards"]
    assert card["indicator"] == "info"
    assert card["summary"].startswith("Exchange order fits the record.")


def test_an_order_that_does_not_fit_is_warned_with_a_way_out(hooks: TestClient, ehr: Any, clock: Any) -> None:
    """The warning offers to remove the draft and asks for a reason where it is kept."""
    clock.at = clock.at.replace(month=4, day=28)
    body = ehr.call("before-steroids", "order-sign", context=drafts(EXCHANGE))
    (card,) = hooks.post(SIGN, json=body).json()["cards"]
    assert card["indicator"] == "warning"
    assert card["summary"].startswith("Exchange ordered, but:")
    assert card["suggestions"][0]["actions"][0]["resourceId"] == "ServiceRequest/draft-1"
    assert card["overrideReasons"]


def test_only_selected_drafts_are_looked_at_while_ordering(hooks: TestClient, ehr: Any) -> None:
    """order-select answers about what was just selected: a steroid where an exchange is due, not an old draft."""
    other = drafts(EXCHANGE, STEROID, selections=["NutritionOrder/x"])
    assert hooks.post(SELECT, json=ehr.call("scenario-a", "order-select", context=other)).json()["cards"] == []
    steroid = drafts(EXCHANGE, STEROID, selections=["MedicationRequest/draft-2"])
    (card,) = hooks.post(SELECT, json=ehr.call("scenario-a", "order-select", context=steroid)).json()["cards"]
    assert card["summary"].startswith("Offer exchange")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"hook": "order-sign"}, 400),
        ({"context": {}}, 400),
        ({"context": {"patientId": "../../etc"}}, 400),
        ({"context": {"patientId": 7}}, 400),
        ({"hookInstance": None}, 400),
        ({"prefetch": []}, 412),
        ({"prefetch": [1]}, 400),
        ({"fhirAuthorization": "token"}, 400),
        ({"fhirServer": 7}, 400),
    ],
)
def test_a_misshapen_call_is_refused_as_such(hooks: TestClient, ehr: Any, change: dict, status: int) -> None:
    """4xx with a reason, never 500."""
    assert hooks.post(VIEW, json=ehr.call("scenario-a") | change).status_code == status


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"x"', b"1e999999"])
def test_a_body_that_is_no_object_is_refused(hooks: TestClient, content: bytes) -> None:
    """Garbage is 400."""
    assert hooks.post(VIEW, content=content).status_code == 400


def test_an_unusable_value_is_told_on_a_card(hooks: TestClient, ehr: Any) -> None:
    """A haematocrit that nobody lives with: the card says where, what was found, what to do."""
    body = ehr.call("scenario-a")
    for entry in body["prefetch"]["observations"]["entry"]:
        coding = entry["resource"]["code"]["coding"][0]["code"]
        if coding in ("4544-3", "20570-8"):
            entry["resource"]["valueQuantity"]["value"] = 4.4
    (card,) = hooks.post(VIEW, json=body).json()["cards"]
    assert card["indicator"] == "warning"
    assert "suggestions" not in card


def test_feedback_is_kept_without_a_patient(hooks: TestClient, store: Store) -> None:
    """Accepted and overridden cards, with the reason, as the EHR reports them."""
    accepted = {
        "card": "4e0a3a1e",
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "e56e1945"}],
        "outcomeTimestamp": "2026-02-18T10:05:31Z",
    }
    reason = {"reason": {"code": "declined", "system": "urn:opentpe:override-reasons"}, "userComment": "no"}
    overridden = {"card": "9368d37b", "outcome": "overridden", "overrideReason": reason}
    rows = [accepted, overridden | {"outcomeTimestamp": "2026-02-18T10:06:00Z"}]
    assert hooks.post(f"{VIEW}/feedback", json={"feedback": rows}).status_code == 200
    kept = {k.body.outcome: k.body for k in store.current(kinds.Feedback)}
    assert kept["accepted"].suggestions == ("e56e1945",)
    assert (kept["overridden"].reason_code, kept["overridden"].reason_text) == ("declined", "no")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        {},
        [1],
        [{"card": "x", "outcome": "ignored", "outcomeTimestamp": "t"}],
        [{"card": "x", "outcome": "accepted", "outcomeTimestamp": "t"}],
        [{"outcome": "overridden", "outcomeTimestamp": "t"}],
        [{"card": "x", "outcome": "overridden", "outcomeTimestamp": "t", "overrideReason": []}],
        [{"card": "x\x00", "outcome": "overridden", "outcomeTimestamp": "t"}],
    ],
)
def test_misshapen_feedback_is_refused_and_not_half_kept(hooks: TestClient, store: Store, rows: Any) -> None:
    """Nothing of a bad list is kept."""
    good = {"card": "y", "outcome": "overridden", "outcomeTimestamp": "t"}
    body = {"feedback": [good, *rows] if isinstance(rows, list) and rows else rows}
    assert hooks.post(f"{VIEW}/feedback", json=body).status_code == 400
    assert store.count(kinds.Feedback) == 0


def test_the_same_call_gives_the_same_card(hooks: TestClient, ehr: Any) -> None:
    """Card identifiers follow from the call, so feedback can be matched without keeping the record."""
    body = ehr.call("scenario-a")
    first, second = (hooks.post(VIEW, json=body).json() for _ in range(2))
    assert json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def test_a_browser_based_ehr_of_the_settings_may_read_the_answer(make: Any) -> None:
    """Cross-origin answers go to named test EHRs only."""
    hooks = make(open_hooks=True, hook_origins=("https://sandbox.example",))
    known = hooks.get("/cds-services", headers={"origin": "https://sandbox.example"})
    assert known.headers["access-control-allow-origin"] == "https://sandbox.example"
    other = hooks.get("/cds-services", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    asked = hooks.options(VIEW, headers={"origin": "https://sandbox.example"})
    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
