"""Exchanges, catheters and allergies."""

from datetime import date
from typing import Any

import pytest

ON = date(2026, 2, 18)


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        ("http://snomed.info/sct", "127788007", "plasma_exchange"),
        ("http://www.ama-assn.org/go/cpt", "36514", "plasma_exchange"),
        ("http://www.ama-assn.org/go/cpt", "36516", "immunoadsorption"),
        ("http://www.cms.gov/Medicare/Coding/ICD10", "6A550Z3", "plasma_exchange"),
        ("http://fhir.de/CodeSystem/bfarm/ops", "8-820.13", "plasma_exchange"),
        ("http://fhir.de/CodeSystem/bfarm/ops", "8-821.40", "immunoadsorption"),
    ],
)
def test_exchanges_done_are_read(reading: Any, make: Any, system: str, code: str, kind: str) -> None:
    """Every code system's exchange is an exchange, with the plasma removed where our extension says it."""
    volume = {"url": "urn:opentpe:codes:plasma-removed", "valueQuantity": {"value": 2.5, "unit": "L"}}
    done = make.resource(
        "Procedure",
        "x",
        status="completed",
        code=make.concept(code, system),
        performedDateTime="2026-02-10",
        extension=[volume],
    )
    (found,) = reading(done).patient.procedures
    assert (found.kind, found.plasma_removed_ml, found.when.first_day) == (kind, 2500, date(2026, 2, 10))


@pytest.mark.parametrize(
    ("more", "issue"),
    [
        ({"status": "not-done"}, "not_taken"),
        ({"status": "entered-in-error"}, "entered_in_error"),
        ({"performedDateTime": "2026-03-01"}, "after_on"),
        ({"performedDateTime": None}, "undated"),
    ],
)
def test_an_exchange_not_done_is_not_read(reading: Any, make: Any, codes: Any, more: Any, issue: str) -> None:
    """Not done, withdrawn, planned or undated: listed."""
    body = {"status": "completed", "code": make.concept("plasma-exchange"), "performedDateTime": "2026-02-10", **more}
    found = reading(make.resource("Procedure", "x", **body))
    assert found.patient.procedures == ()
    assert codes(found) == [issue]


def test_a_catheter_is_read_from_device_or_procedure(reading: Any, make: Any) -> None:
    """A catheter placed, or a device in place, tells of central access."""
    kind = make.concept("52124006", "http://snomed.info/sct")
    device = {"resourceType": "Device", "id": "d", "type": kind, "patient": {"reference": "Patient/p"},
              "meta": {"lastUpdated": "2026-02-12T10:00:00Z"}}  # fmt: skip
    placed = make.resource(
        "Procedure", "x", status="completed", code=make.concept("catheter"), performedDateTime="2026-02-11"
    )
    assert [p.kind for p in reading(device, placed).patient.procedures] == ["catheter", "catheter"]


@pytest.mark.parametrize(
    ("code", "more", "kinds"),
    [
        ({"text": "Fresh frozen plasma"}, {}, ["plasma"]),
        ({"text": "Latex"}, {}, ["latex"]),
        ({"text": "Heparin"}, {"verificationStatus": {"coding": [{"code": "refuted"}]}}, []),
        ({"text": "Heparin"}, {"clinicalStatus": {"coding": [{"code": "resolved"}]}}, []),
        ({"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}, {}, []),
        ({"text": "Peanut"}, {}, ["other"]),
    ],
)
def test_allergies_that_matter_are_known(reading: Any, make: Any, code: Any, more: Any, kinds: Any) -> None:
    """Plasma, albumin, heparin, latex, ethylene oxide; none known is no allergy; a refuted one is none."""
    row = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"}, "code": code, **more}
    assert [a.kind for a in reading(row).patient.allergies] == kinds
