"""Small records for the reader's tests: one person, and the resources a test is about."""

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar

import pytest

from opentpe.evidence.load import Library
from opentpe.fhir.read import Reading, read

ON = date(2026, 2, 18)
LOINC = "http://loinc.org"
LOCAL = "urn:opentpe:codes"
Node = dict[str, Any]


class Make:
    """Builds resources of one invented person."""

    person: ClassVar[Node] = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1991-05-20"}

    @staticmethod
    def concept(code: str, system: str = LOCAL) -> Node:
        return {"coding": [{"system": system, "code": code}]}

    def resource(self, kind: str, name: str, **more: Any) -> Node:
        return {"resourceType": kind, "id": name, "subject": {"reference": "Patient/p"}, **more}

    def finding(self, name: str, code: str, system: str = LOCAL, on: str = "2026-02-18", **more: Any) -> Node:
        body = {"status": "final", "code": self.concept(code, system), "effectiveDateTime": on}
        return self.resource("Observation", name, **{**body, **more})

    def measured(self, name: str, loinc: str, value: float, unit: str, on: str = "2026-02-18", **more: Any) -> Node:
        return self.finding(name, loinc, LOINC, on, valueQuantity={"value": value, "unit": unit}, **more)

    def score(self, name: str, code: str, value: float, on: str = "2026-02-18") -> Node:
        return self.finding(name, code, LOCAL, on, valueQuantity={"value": value})

    def answer(self, name: str, code: str, answer: str, on: str = "2026-02-18") -> Node:
        return self.finding(name, code, LOCAL, on, valueCodeableConcept=self.concept(answer))

    def diagnosis(self, name: str, code: str, system: str, onset: str | None = None, **more: Any) -> Node:
        body: Node = {"code": self.concept(code, system), "clinicalStatus": self.concept("active", "status")}
        if onset:
            body["onsetDateTime"] = onset
        return self.resource("Condition", name, **{**body, **more})

    def relapse(self, onset: str | None = "2026-02-02", **more: Any) -> Node:
        return self.diagnosis("attack", "192929006", "http://snomed.info/sct", onset, **more)

    def given(self, name: str, on: str, mg: float, **more: Any) -> Node:
        body: Node = {
            "status": "completed",
            "medicationCodeableConcept": self.concept("H02AB04", "http://www.whocc.no/atc"),
            "effectiveDateTime": on,
            "dosage": {"dose": {"value": mg, "unit": "mg"}, "route": {"text": "iv"}},
        }
        return self.resource("MedicationAdministration", name, **{**body, **more})

    def taken(self, name: str, start: str | None, end: str | None, mg: float, **more: Any) -> Node:
        period = {k: v for k, v in (("start", start), ("end", end)) if v}
        body: Node = {
            "status": "completed",
            "medicationCodeableConcept": self.concept("H02AB04", "http://www.whocc.no/atc"),
            "effectivePeriod": period,
            "dosage": [{"doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}]}],
        }
        return self.resource("MedicationStatement", name, **{**body, **more})

    def bundle(self, *resources: Node, kind: str = "collection", person: Node | None = None) -> Node:
        everyone = [self.person if person is None else person, *resources]
        return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in everyone]}


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def reading(library: Library, make: Make) -> Callable[..., Reading]:
    """Reads the given resources of one person on 18 February 2026."""

    def one(*resources: Node, on: date = ON, **more: Any) -> Reading:
        return read(make.bundle(*resources, **more), on, library)

    return one


@pytest.fixture
def codes() -> Callable[[Reading], list[str]]:
    """The issue codes of a reading, in order."""
    return lambda reading: [i.code for i in reading.issues]
