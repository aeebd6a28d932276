"""Checks a bundle that leaves the house: every reference resolves, every unit and every code of ours is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opentpe import units
from opentpe.evidence.load import Library
from opentpe.fhir import codebook, shape
from opentpe.fhir.resources import UCUM, Resource

_FORBIDDEN = {("ServiceRequest", "status"): "draft", ("ServiceRequest", "intent"): "proposal",
              ("CarePlan", "status"): "draft", ("CarePlan", "intent"): "proposal"}  # fmt: skip


def problems(bundle: Resource, library: Library) -> list[str]:
    """One sentence per fault, empty where the bundle may leave: references, ids, units, codes, and nothing active."""
    entries = shape.items(bundle, "entry")
    urls = [shape.text(e, "fullUrl") for e in entries]
    found = [f"{url}: twice in the bundle" for url in sorted({u for u in urls if urls.count(u) > 1})]
    codes = codebook.of(library)
    systems = {codes.local, UCUM, *codes.addresses.values()}
    for entry in entries:
        body = shape.node(entry, "resource")
        where = f"{shape.text(body, 'resourceType')}/{shape.text(body, 'id')}"
        found += [f"{where}: reference {r!r} does not resolve" for r in _references(body) if r not in urls]
        found += [f"{where}: {p}" for p in _bad_quantities(body)]
        found += [f"{where}: {p}" for p in _bad_codings(body, systems)]
        for (kind, element), value in _FORBIDDEN.items():
            if shape.text(body, "resourceType") == kind and shape.text(body, element) != value:
                found.append(f"{where}: {element} is {shape.text(body, element)!r}, not {value!r}")
    return found


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for child in node.values():
            yield from _nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child)


def _references(body: Mapping[str, Any]) -> Iterator[str]:
    yield from (n["reference"] for n in _nodes(body) if isinstance(n.get("reference"), str))


def _bad_quantities(body: Mapping[str, Any]) -> Iterator[str]:
    for node in _nodes(body):
        is_quantity = "value" in node and ("unit" in node or node.get("system") == UCUM)
        if is_quantity and (node.get("system") != UCUM or not units.known(str(node.get("code", "")))):
            yield f"quantity {node.get('value')} {node.get('unit')!r} has no unit of the whitelist"


def _bad_codings(body: Mapping[str, Any], systems: set[str]) -> Iterator[str]:
    for node in _nodes(body):
        for coding in shape.items(node, "coding"):
            system = shape.text(coding, "system")
            if not shape.text(coding, "code") or not (
                system in systems or system.startswith("http://terminology.hl7.org/")
            ):
                yield f"coding {shape.text(coding, 'code')!r} of {system!r} is not one we write"
