"""Bundles of every kind, references of every form, and whose data it is."""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.fhir.read import Reading, read

ON = date(2026, 2, 18)
Node = dict[str, Any]


def weight_of(reading: Reading) -> float | None:
    found = reading.patient.latest("weight", ON)
    return found.value if found else None


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch", "searchset", "document"])
def test_every_kind_of_record_bundle_is_read(reading: Callable[..., Reading], make: Any, kind: str) -> None:
    """Collection, transaction, batch, search set and document all hold records."""
    assert weight_of(reading(make.measured("w", "29463-7", 68, "kg"), kind=kind)) == 68


@pytest.mark.parametrize(
    ("change", "where", "found"),
    [
        ({"resourceType": "Patient"}, "bundle", "a Patient resource"),
        ({"resourceType": 4}, "bundle", "without resourceType"),
        ({"type": "history"}, "Bundle.type", "history"),
        ({"type": None}, "Bundle.type", "None"),
        ({"entry": {"a": 1}}, "Bundle.entry", "dict"),
        ({"entry": []}, "bundle", "no Patient"),
        ({"fhirVersion": "3.0.2"}, "bundle", "3.0.2"),
        ({"fhirVersion": "5.0.0"}, "bundle", "5.0.0"),
    ],
)
def test_what_is_no_record_is_refused(library: Library, make: Any, change: Node, where: str, found: str) -> None:
    """Another resource, another bundle type, another version, nobody in it: each has its own message."""
    with pytest.raises(InputError) as caught:
        read({**make.bundle(), **change}, ON, library)
    assert where in caught.value.where
    assert found in caught.value.found


@pytest.mark.parametrize(
    ("kind", "more", "version"),
    [
        ("Condition", {"clinicalStatus": "active"}, "STU3"),
        ("MedicationStatement", {"taken": "y"}, "STU3"),
        ("Observation", {"context": {"reference": "Encounter/1"}}, "STU3"),
        ("MedicationOrder", {}, "DSTU2"),
        ("Procedure", {"occurrenceDateTime": "2026-02-01"}, "R5"),
        ("MedicationRequest", {"medication": {"concept": {}}}, "R5"),
        ("Patient2", {"meta": {"profile": ["http://hl7.org/fhir/3.0/StructureDefinition/Patient"]}}, "3.0"),
    ],
)
def test_another_fhir_version_is_refused(reading: Any, make: Any, kind: str, more: Node, version: str) -> None:
    """Shapes and profiles of STU3, DSTU2 and R5 are named with the element that shows them."""
    with pytest.raises(InputError) as caught:
        reading(make.resource(kind, "x", **more))
    assert version in caught.value.found
    assert f"{kind}/x" in caught.value.where


def test_a_profile_version_is_no_fhir_version(reading: Any, make: Any) -> None:
    """US Core 5.0.1 is a profile of R4 and passes."""
    profile = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-body-weight|5.0.1"
    found = reading(make.measured("w", "29463-7", 68, "kg", meta={"profile": [profile]}))
    assert weight_of(found) == 68


def test_two_patients_are_refused_and_one_patient_twice_is_not(library: Library, make: Any) -> None:
    """Two different people stop the work; the same person twice is read once."""
    other = {**make.person, "id": "q"}
    with pytest.raises(InputError, match="2 patients"):
        read(make.bundle(other), ON, library)
    assert read(make.bundle(make.person), ON, library).patient.sex == "female"


@pytest.mark.parametrize(
    ("url", "reference"),
    [
        ("urn:uuid:2f6b7c1e-0000-4000-8000-000000000001", "urn:uuid:2f6b7c1e-0000-4000-8000-000000000001"),
        ("https://a.example/fhir/Patient/p", "Patient/p"),
        ("https://a.example/fhir/Patient/p", "https://a.example/fhir/Patient/p"),
        ("https://a.example/fhir/Patient/p", "https://proxy.example/r4/Patient/p"),
        ("https://a.example/fhir/Patient/p/_history/3", "Patient/p/_history/2"),
        ("https://a.example/fhir/Patient/p", "Patient?identifier=mrn|7"),
    ],
)
def test_references_reach_the_patient(library: Library, make: Any, url: str, reference: str) -> None:
    """urn:uuid, relative, absolute, versioned and conditional references all reach the person."""
    person = {**make.person, "identifier": [{"system": "mrn", "value": "7"}]}
    bundle = make.bundle(make.measured("w", "29463-7", 68, "kg"), person=person)
    bundle["entry"][0]["fullUrl"] = url
    bundle["entry"][1]["resource"]["subject"] = {"reference": reference}
    found = read(bundle, ON, library)
    assert (weight_of(found), found.issues) == (68, ())


def test_data_of_somebody_else_is_left_out_and_listed(reading: Any, make: Any) -> None:
    """A weight that names another person never becomes this person's weight."""
    stray = make.measured("w", "29463-7", 68, "kg", subject={"reference": "Patient/other"})
    found = reading(stray)
    assert weight_of(found) is None
    assert [i.code for i in found.issues] == ["other_patient"]


def test_of_two_versions_the_newest_is_used(reading: Any, make: Any) -> None:
    """Two versions of one resource are one value: the newer one."""
    old = make.measured("w", "29463-7", 58, "kg", meta={"versionId": "9"})
    new = make.measured("w", "29463-7", 68, "kg", meta={"versionId": "10"})
    assert weight_of(reading(new, old)) == 68
    assert next(i.code for i in reading(old, copy.deepcopy(old)).issues) == "duplicate"


def test_a_deleted_entry_is_not_read(library: Library, make: Any) -> None:
    """An entry that asks for deletion holds no data."""
    bundle = make.bundle(make.measured("w", "29463-7", 68, "kg"))
    bundle["entry"][1]["request"] = {"method": "DELETE", "url": "Observation/w"}
    assert weight_of(read(bundle, ON, library)) is None


def test_bundles_inside_a_bundle_are_read(library: Library, make: Any) -> None:
    """A search set of search sets, as a batch of queries answers, is read through."""
    inner = make.bundle(make.measured("w", "29463-7", 68, "kg"))
    outer = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": inner}]}
    assert weight_of(read(outer, ON, library)) == 68


def test_contained_results_of_a_report_take_its_date(reading: Any, make: Any) -> None:
    """A result inside its report has no date of its own: it takes the report's."""
    code = {"coding": [{"system": "http://loinc.org", "code": "4544-3"}]}
    result = {"resourceType": "Observation", "id": "h", "status": "final", "code": code}
    result["valueQuantity"] = {"value": 38, "unit": "%"}
    report = make.resource("DiagnosticReport", "r", status="final", effectiveDateTime="2026-02-17T08:00:00Z")
    found = reading({**report, "contained": [result], "result": [{"reference": "#h"}, {"reference": "Observation/no"}]})
    hct = found.patient.latest("haematocrit", ON)
    assert hct is not None
    assert (hct.value, hct.when.first_day, hct.source) == (0.38, date(2026, 2, 17), "DiagnosticReport/r#h")
    assert [i.code for i in found.issues] == ["unresolved_reference"]
