"""The small parts every written resource is made of: ids that never change, references, concepts and quantities."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from opentpe.domain.decision import Fact
from opentpe.evidence.load import Library
from opentpe.fhir import codebook
from opentpe.fhir.codebook import Codebook

Resource = dict[str, Any]
Say = Callable[[str, Mapping[str, Any]], str]  # a sentence by its code, with its values filled in

UCUM: Final = "http://unitsofmeasure.org"
_NAMESPACE: Final = uuid.UUID("7d0ff4a4-6f0c-5f0e-9d4b-1f1c5a8f6a11")
_SPACES: Final = dict.fromkeys(map(ord, "\u00a0\u2009\u202f"), " ")
_TOLD: Final = ("primary", "secondary")  # codes that a specification or a public list showed


@dataclass(frozen=True, slots=True)
class Pen:
    """What every writer needs: whose record, which day, the sentences, and the codes of the library."""

    patient: str
    on: date
    say: Say
    codes: Codebook
    patient_id: str
    attack_id: str = ""

    def uid(self, *parts: str) -> str:
        """The id of a resource: the same for the same patient, day and parts, everywhere and always."""
        return str(uuid.uuid5(_NAMESPACE, "\x1f".join((self.patient, self.on.isoformat(), *parts))))

    @property
    def subject(self) -> Resource:
        """The reference to the patient."""
        return to(self.patient_id)

    @property
    def reason(self) -> list[Resource]:
        """The reference to the attack, empty where there is none."""
        return [to(self.attack_id)] if self.attack_id else []

    def told(self, code: str, facts: Iterable[Fact]) -> str:
        """The sentence of a code, filled with the facts behind it."""
        return self.say(code, {f.name: f.value for f in facts})

    def concept(self, domain: str, kind: str, text: str = "") -> Resource:
        """A kind with its local code and the codes that public lists showed for it."""
        own = [{"system": self.codes.local, "code": kind.replace("_", "-")}]
        return {"coding": own + list(self._public(domain, kind)), "text": text or kind.replace("_", " ")}

    def answer(self, answer: str, text: str = "") -> Resource:
        """A coded answer of our own system."""
        return {
            "coding": [{"system": self.codes.local, "code": answer.replace("_", "-")}],
            "text": text or answer.replace("_", " "),
        }

    def _public(self, domain: str, kind: str) -> Iterable[Resource]:
        """One code per system, the first that the library names: the rest say the same by another method or unit."""
        first: dict[str, str] = {}
        for line in self.codes.row(domain, kind).get("codes", ()):
            if line.get("status") in _TOLD:
                for system, codes in line.items():
                    if system in self.codes.addresses:
                        first.setdefault(system, codes[0])
        return ({"system": self.codes.addresses[system], "code": code} for system, code in first.items())


def pen(patient: str, on: date, say: Say, library: Library, *, attack: bool) -> Pen:
    """The pen for one patient on one day."""
    bare = Pen(patient, on, say, codebook.of(library), "")
    attack_id = bare.uid("Condition", "attack") if attack else ""
    return Pen(patient, on, say, bare.codes, str(uuid.uuid5(_NAMESPACE, patient)), attack_id)


def to(resource_id: str) -> Resource:
    """A reference to a resource of the same bundle."""
    return {"reference": f"urn:uuid:{resource_id}"}


def quantity(value: float, unit: str) -> Resource:
    """A UCUM quantity, rounded to seven digits."""
    return {"value": float(f"{value:.7g}"), "unit": unit, "system": UCUM, "code": unit}


def notes(texts: Iterable[str]) -> list[Resource]:
    """Annotations, one a sentence."""
    return [{"text": text} for text in texts if text]


def plain(element: Any) -> Any:
    """An element with ordinary spaces only: R4's pattern for text takes no thin or unbreakable ones."""
    if isinstance(element, str):
        return element.translate(_SPACES)
    if isinstance(element, Mapping):
        return {name: plain(part) for name, part in element.items()}
    return [plain(part) for part in element] if isinstance(element, list) else element


def entry(resource: Resource) -> Resource:
    """A bundle entry; empty elements are left out, as FHIR wants it."""
    full = {k: plain(v) for k, v in resource.items() if v not in (None, "", [], {})}
    return {"fullUrl": f"urn:uuid:{full['id']}", "resource": full}


def collection(resources: Iterable[Resource]) -> Resource:
    """A collection bundle of resources that refer to each other."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry(r) for r in resources]}
