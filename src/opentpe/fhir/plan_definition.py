"""The pathway itself as a PlanDefinition: gates and rules in order, each with its condition, effect and sources.

Conditions are written in FHIRPath over one variable a fact: a fact the record does not hold is empty, so that the
three-valued *and* of FHIRPath is that of the pathway. The rule as it stands in the library is the description.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final

from opentpe.errors import EvidenceError
from opentpe.evidence.load import Library
from opentpe.fhir import resources
from opentpe.fhir.resources import Resource, Say

_NAMESPACE: Final = uuid.UUID("0a8a3f0e-40b5-5f5b-9a1c-2a6a8c1c7d22")
_CLAUSE: Final = re.compile(r"(?P<fact>\w+)\s*(?P<sign><=|>=|!=|=|<|>|not in\b|in\b)\s*(?P<value>\S+)")
_BARE: Final = {"": "%{}", "not": "%{}.not()", "known": "%{}.exists()", "unknown": "%{}.empty()"}
_TYPE: Final = "http://terminology.hl7.org/CodeSystem/plan-definition-type"


def build(library: Library, say: Say) -> Resource:
    """The gates of the library as one PlanDefinition, a draft; its version is the content hash of the library."""
    gates = {k: v for k, v in library.folder("pathway").items() if k.startswith("g") and k[1:].isdigit()}
    ordered = sorted(gates, key=lambda key: int(key[1:]))
    written: Resource = {
        "resourceType": "PlanDefinition",
        "id": str(uuid.uuid5(_NAMESPACE, library.digest)),
        "url": "urn:opentpe:pathway",
        "version": library.digest[:16],
        "name": "OpenTPEPathway",
        "title": say("fhir.pathway", {}),
        "type": {"coding": [{"system": _TYPE, "code": "clinical-protocol"}]},
        "status": "draft",
        "experimental": True,
        "description": say("fhir.pathway_purpose", {}),
        "action": [_gate(library, key, gates[key], say) for key in ordered],
    }
    return {name: resources.plain(part) for name, part in written.items()}


def _gate(library: Library, key: str, gate: Mapping[str, Any], say: Say) -> Resource:
    derived = [_derivation(library, name, d) for name, d in gate.get("derive", {}).items()]
    rules = [_rule(library, r, say) for r in gate.get("rule", ())]
    action: Resource = {
        "prefix": key.upper(),
        "title": str(gate.get("name", key)),
        "documentation": _citations(library, gate.get("sources", ())),
        "action": derived + rules,
    }
    if "guard" in gate:
        action["condition"] = [_condition(library, str(gate["guard"]))]
    return {k: v for k, v in action.items() if v}


def _rule(library: Library, rule: Mapping[str, Any], say: Say) -> Resource:
    effect = str(rule["effect"])
    outcome = str(rule.get("advice") or rule.get("kind") or rule.get("setting") or "")
    action: Resource = {
        "id": str(rule["name"]).replace("_", "-")[:64],
        "title": str(rule["name"]).replace("_", " "),
        "textEquivalent": say(str(rule.get("code", rule["name"])), _told(library, rule)),
        "code": [{"text": " ".join(filter(None, (effect, outcome))).replace("_", " ")}],
        "documentation": _citations(library, rule.get("sources", ())),
    }
    if rule.get("when"):
        action["condition"] = [_condition(library, str(rule["when"]))]
    return {k: v for k, v in action.items() if v}


def _told(library: Library, rule: Mapping[str, Any]) -> dict[str, str | float]:
    """What fills the sentence of a rule: its own numbers, and "[temperature]" where a patient's finding would stand."""
    derived = (name for gate in library.folder("pathway").values() for name in gate.get("derive", {}))
    facts = {name: f"[{name.replace('_', ' ')}]" for name in ("advice", *library.document("pathway/facts"), *derived)}
    numbers = {name: _number(library, value) for name, value in rule.get("values", {}).items()}
    return {**facts, **numbers}


def _number(library: Library, value: str | float) -> str | float:
    """A value as written, or the number in use at the "@key" it names: a limit, else an entry of another file."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    section, _, name = value.removeprefix("@").partition(".")
    limit = name in library.document("limits").get(section, {})
    return library.value(f"limits.{section}.{name}" if limit else f"{section}.{name}")


def _derivation(library: Library, name: str, derivation: Mapping[str, Any]) -> Resource:
    branches = [
        {
            "title": str(b["name"]).replace("_", " "),
            "code": [{"text": f"{name} is {b['is']}".replace("_", " ")}],
            "condition": [_condition(library, str(b["when"]))],
            "documentation": _citations(library, b.get("sources", ())),
        }
        for b in derivation.get("branch", ())
    ]
    return {
        "title": name.replace("_", " "),
        "selectionBehavior": "at-most-one",
        "action": [{k: v for k, v in b.items() if v} for b in branches],
    }


def _condition(library: Library, rule: str) -> Resource:
    expression = {"description": rule, "language": "text/fhirpath", "expression": fhirpath(library, rule)}
    return {"kind": "applicability", "expression": expression}


def fhirpath(library: Library, rule: str) -> str:
    """A condition of the pathway in FHIRPath, with its limits filled in; `EvidenceError` where one is missing.

    "severity = severe and not pml" becomes "%severity = 'severe' and %pml.not()".
    """
    return " and ".join(_clause(library, part) for part in re.split(r"\s+and\s+", rule.strip()))


def _clause(library: Library, clause: str) -> str:
    *sign, fact = clause.split()
    if len(sign) < 2 and "".join(sign) in _BARE:
        return _BARE["".join(sign)].format(fact)
    found = _CLAUSE.fullmatch(clause.strip())
    if found is None:
        raise EvidenceError(f"evidence/pathway: cannot write {clause!r} as FHIRPath")
    values = [_literal(library, v.strip()) for v in found["value"].split("|")]
    told = " or ".join(f"%{found['fact']} = {v}" for v in values)
    if found["sign"] in ("=", "in"):
        return told if len(values) == 1 else f"({told})"
    if found["sign"] in ("!=", "not in"):
        return f"({told}).not()"
    return f"%{found['fact']} {found['sign']} {values[0]}"


def _literal(library: Library, value: str) -> str:
    if value.startswith("@"):
        return f"{_number(library, value):g}"
    return value if re.fullmatch(r"-?\d+(\.\d+)?", value) else f"'{value}'"


def _citations(library: Library, keys: Iterable[str]) -> list[Resource]:
    found = [library.citations[k] for k in keys if k in library.citations]
    return [
        {"type": "citation", "label": c.key, "citation": c.text}
        | ({"url": f"https://doi.org/{c.doi}"} if c.doi else {})
        for c in found
    ]
