"""Codes whose meaning was looked up again: what they say now, and what they no longer say."""

from datetime import date
from typing import Any

import pytest

from opentpe.evidence.load import Library
from opentpe.fhir import codebook
from opentpe.fhir.resources import pen

ON = date(2026, 2, 18)
GM = "http://fhir.de/CodeSystem/bfarm/icd-10-gm"
ATC = "http://www.whocc.no/atc"
SCT = "http://snomed.info/sct"
LOINC = "http://loinc.org"
V3 = "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration"
V2 = "http://terminology.hl7.org/CodeSystem/v2-0162"


def meaning(library: Library, domain: str, system: str, code: str) -> str:
    """The kind that a code names, empty for none."""
    found = codebook.of(library).meaning(domain, [{"system": system, "code": code}])
    return found.kind if found else ""


@pytest.mark.parametrize(
    ("domain", "system", "code", "kind"),
    [
        ("condition", GM, "H48.1*", "optic_neuritis"),  # how German hospitals code the optic neuritis of MS
        ("condition", GM, "G05.4", ""),  # exists in the American edition only
        ("condition", SCT, "190979003", "iga_deficiency"),
        ("medication", ATC, "L04AL01", "efgartigimod"),
        ("medication", ATC, "L04AG13", ""),  # teprotumumab
        ("allergy", SCT, "346447007", "plasma"),
        ("allergy", SCT, "419778001", ""),  # the intrabronchial route
        ("allergy", SCT, "73133000", ""),  # colchicine
        ("allergy", SCT, "51073002", ""),  # phenobarbital, not ethylene oxide
        ("observation", LOINC, "79880-1", "visual_acuity"),
        ("observation", LOINC, "98499-7", ""),  # without glasses
        ("observation", LOINC, "17763-4", "vzv_igg"),
        ("observation", LOINC, "8047-7", ""),  # its check digit is wrong
        ("procedure", SCT, "398271007", ""),  # its check digit is wrong
        ("route", V3, "IVINJ", "iv"),
        ("route", V2, "SC", "sc"),
    ],
)
def test_a_code_means_what_its_list_says(library: Library, domain: str, system: str, code: str, kind: str) -> None:
    """Read as its own list prints it; a code of something else is not read at all."""
    assert meaning(library, domain, system, code) == kind


def test_the_optic_neuritis_of_ms_is_an_attack(reading: Any, make: Any) -> None:
    """ICD-10-GM H48.1 beside G35.11 makes a visual attack."""
    found = reading(
        make.diagnosis("eye", "H48.1*", GM, "2026-02-10"), make.diagnosis("ms", "G35.10+", GM, "2019-05-01")
    )
    assert found.relapse is not None
    assert found.relapse.kind == "optic_neuritis"


def test_acuity_without_glasses_is_no_loss_of_sight(reading: Any, make: Any) -> None:
    """A short-sighted eye at 0.1 without correction says nothing about the nerve."""
    bare = reading(make.measured("va", "98499-7", 0.1, "1")).patient
    best = reading(make.measured("va", "79880-1", 0.1, "1")).patient
    assert bare.latest("visual_acuity", ON) is None
    assert best.latest("visual_acuity", ON) is not None


def test_one_code_of_a_system_is_written(library: Library) -> None:
    """Haemoglobin by mass is not also called haemoglobin by moles."""
    written = pen("p", ON, lambda code, _: code, library, attack=False).concept("observation", "haemoglobin")
    assert [c["code"] for c in written["coding"] if c["system"] == LOINC] == ["718-7"]
