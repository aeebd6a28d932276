"""The bundled patients: every one is listed, reads, and gets the advice its index promises."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from opentpe import consultation
from opentpe.domain.decision import Advice
from opentpe.evidence.load import Library
from opentpe.fhir.read import read
from opentpe.pathway import order
from opentpe.pathway.unit import settings

FOLDER = Path(__file__).resolve().parents[2] / "examples"
INDEX: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))


def decided(name: str, library: Library) -> Any:
    row = INDEX[name]
    unit = {**settings(library), **row.get("unit", {})}
    return consultation.decide(FOLDER / name, date.fromisoformat(row["on"]), library=library, unit=unit)


def test_the_index_lists_exactly_the_bundles() -> None:
    """No bundle without an entry, no entry without a bundle; at least seventeen of them."""
    assert set(INDEX) == {f.name for f in FOLDER.glob("*.json")}
    assert len(INDEX) >= 17
    for row in INDEX.values():
        assert row["title"] and row["purpose"] and row["structure"]  # noqa: PT018 - one sentence
        assert Advice(row["advice"])


@pytest.mark.parametrize("name", sorted(INDEX))
def test_an_example_gets_the_advice_it_promises(name: str, library: Library) -> None:
    """The whole way from file to advice, with its setting and its start where the index names them."""
    decision = decided(name, library).decision
    assert decision.advice == INDEX[name]["advice"]
    if "setting" in INDEX[name]:
        assert decision.setting == INDEX[name]["setting"]
    if "start_on" in INDEX[name]:
        assert decision.start_on == date.fromisoformat(INDEX[name]["start_on"])


@pytest.mark.parametrize("name", [n for n, row in INDEX.items() if "expect" in row])
def test_a_scenario_is_ordered_as_practice_expects(name: str, library: Library) -> None:
    """Plasma volume within 1 %, the rounded volume, and the days of the sessions."""
    row, decision = INDEX[name], decided(name, library)
    written = order.build(decision.patient, decision.decision, library, settings(library))
    expect = row["expect"]
    assert written.plasma_volume_ml == pytest.approx(expect["plasma_volume_ml"], rel=0.01)
    assert written.volume_ml == expect["volume_ml"]
    if "dates" in expect:
        assert [d.isoformat() for d in written.dates] == expect["dates"]
    if "weekdays" in expect:
        assert [f"{d:%a}" for d in written.dates] == expect["weekdays"]


@pytest.mark.parametrize("name", sorted(INDEX))
def test_an_example_hides_no_trouble(name: str, library: Library) -> None:
    """Only the examples about bad records carry contradictions or refused values."""
    codes = {i.code for i in read(FOLDER / name, date.fromisoformat(INDEX[name]["on"]), library).issues}
    troubled = {"contradictory.json": {"contradiction", "implausible", "stale"}, "no-attack.json": {"stale"}}
    allowed = troubled.get(name, set()) | {"matched_by_name", "ordered_only"}
    assert codes <= allowed


def test_the_examples_differ_in_structure() -> None:
    """Together they cover every bundle type, reference form, medication resource and unit habit that is read."""
    texts = {n: (FOLDER / n).read_text(encoding="utf-8") for n in INDEX}
    bundles = [json.loads(t) for t in texts.values()]
    assert {b["type"] for b in bundles} == {"collection", "transaction", "batch", "searchset", "document"}
    everything = "".join(texts.values())
    for sign in (
        '"urn:uuid:', '"#', '"https://', '"MedicationAdministration"', '"MedicationStatement"', '"MedicationRequest"',
        '"MedicationDispense"', '"contained"', '"component"', '"conclusionCode"', '"mg/dL"', '"[lb_av]"', '"[degF]"',
        '"valueString": "37,5 %"', '"onsetPeriod"', '"Encounter"', '"Immunization"', '"OperationOutcome"',
        '"http://fhir.de/CodeSystem/bfarm/icd-10-gm"', '"http://fhir.de/CodeSystem/bfarm/atc"',
    ):  # fmt: skip
        assert sign in everything, sign
