"""From a Bundle to one patient's record: version checked, references resolved, other people's data left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from opentpe.domain.patient import Issue
from opentpe.errors import InputError
from opentpe.fhir import shape
from opentpe.fhir.shape import Node

BUNDLE_TYPES: Final = ("collection", "transaction", "batch", "searchset", "document")
READ_TYPES: Final = frozenset(
    {
        "Observation",
        "Condition",
        "MedicationAdministration",
        "MedicationStatement",
        "MedicationRequest",
        "MedicationDispense",
        "AllergyIntolerance",
        "Procedure",
        "Device",
        "DiagnosticReport",
        "Encounter",
        "Immunization",
    }
)
_PROFILE: Final = re.compile(r"hl7\.org/fhir/(DSTU2|STU3|R5|1\.0|3\.0|5\.0|6\.0)\b")
_OTHER_VERSION_TYPES: Final = {
    "MedicationOrder": "DSTU2", "DiagnosticOrder": "DSTU2", "ProcedureRequest": "STU3", "ReferralRequest": "STU3",
    "MedicationUsage": "R5 draft",
}  # fmt: skip
# type, element, JSON type it has in the other version (None: any), the other version
_OTHER_VERSION_SHAPES: Final[tuple[tuple[str, str, type | None, str], ...]] = (
    ("Condition", "clinicalStatus", str, "STU3"),
    ("Condition", "verificationStatus", str, "STU3"),
    ("Condition", "context", None, "STU3"),
    ("AllergyIntolerance", "clinicalStatus", str, "STU3"),
    ("Observation", "context", None, "STU3"),
    ("MedicationStatement", "taken", None, "STU3"),
    ("MedicationAdministration", "prescription", None, "STU3"),
    ("MedicationAdministration", "notGiven", None, "STU3"),
    ("Procedure", "notDone", None, "STU3"),
    ("Procedure", "occurrenceDateTime", None, "R5"),
    ("Procedure", "occurrencePeriod", None, "R5"),
    ("Encounter", "actualPeriod", None, "R5"),
    ("MedicationStatement", "medication", dict, "R5"),
    ("MedicationRequest", "medication", dict, "R5"),
    ("MedicationAdministration", "medication", dict, "R5"),
    ("MedicationAdministration", "occurenceDateTime", None, "R5"),
)
_SHAPES_OF_TYPE: Final = {
    kind: tuple(row[1:] for row in _OTHER_VERSION_SHAPES if row[0] == kind) for kind, *_ in _OTHER_VERSION_SHAPES
}


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One resource of the bundle; `label` is how messages and results name it, as "Observation/hct-1"."""

    type: str
    label: str
    body: Node
    url: str = ""
    parent: Resource | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One patient's resources, and every resource by the addresses that may point at it."""

    name: str
    patient: Resource
    resources: tuple[Resource, ...]
    index: Mapping[str, Resource]
    issues: tuple[Issue, ...] = field(default=())

    def of_type(self, *types: str) -> tuple[Resource, ...]:
        """The patient's resources of some types, in the order of the bundle."""
        return tuple(r for r in self.resources if r.type in types)

    def resolve(self, holder: Resource, reference: Node) -> Resource | None:
        """The resource a reference points at; None where the bundle does not hold it."""
        return _resolve(self.index, holder, shape.text(reference, "reference"))


def open_record(name: str, bundle: Node) -> Record:
    """The one patient's record in a bundle.

    Raises `InputError` where it is no Bundle, one of another FHIR version, a type that holds no record, or where it
    holds no patient or more than one.
    """
    _check_kind(name, bundle)
    issues: list[Issue] = []
    found = _versions(list(_entries(name, bundle)), issues)
    for resource in found:
        _check_version(name, resource)
    patient = _one_patient(name, found)
    index = _index(found)
    return Record(
        name,
        patient,
        tuple(r for r in _with_contained(found) if _is_his(index, patient, r, issues)),
        index,
        tuple(issues),
    )


def _check_kind(name: str, bundle: Node) -> None:
    kind = bundle.get("resourceType")
    if kind != "Bundle":
        found = f"a {kind} resource" if isinstance(kind, str) else "JSON without resourceType"
        raise InputError(name, found, "a FHIR R4 Bundle", "Export the whole record as a Bundle.")
    version = bundle.get("fhirVersion", "4.0")
    if not isinstance(version, str) or not version.startswith("4."):
        raise InputError(name, f"fhirVersion {version!r}", "FHIR R4 (4.0.1)", "Export the bundle as R4.")
    kind = bundle.get("type")
    if kind not in BUNDLE_TYPES:
        raise InputError(f"{name}, Bundle.type", repr(kind), "collection, transaction, batch, searchset or document")
    if not isinstance(bundle.get("entry", []), list):
        raise InputError(f"{name}, Bundle.entry", type(bundle["entry"]).__name__, "a list of entries")


def _entries(name: str, bundle: Node, depth: int = 0) -> Iterator[Resource]:
    for i, entry in enumerate(shape.items(bundle, "entry")):
        body = shape.node(entry, "resource")
        kind = shape.text(body, "resourceType")
        if not kind or ("request" in entry and shape.text(entry, "request", "method").upper() == "DELETE"):
            continue
        if kind == "Bundle" and depth < 3:
            yield from _entries(name, body, depth + 1)
            continue
        url = shape.text(entry, "fullUrl")
        yield Resource(kind, _label(kind, body, url, i), body, url)


def _label(kind: str, body: Node, url: str, position: int) -> str:
    own = shape.text(body, "id")
    if not own and url:
        own = url.rsplit("/", 1)[-1].removeprefix("urn:uuid:")
    return f"{kind}/{own}" if own else f"{kind}[entry {position + 1}]"


def _versions(found: Sequence[Resource], issues: list[Issue]) -> list[Resource]:
    """Each resource once: of several versions of one id the newest; identical copies and older versions are listed."""
    kept: dict[str, Resource] = {}
    for resource in found:
        other = kept.get(resource.label)
        if other is None:
            kept[resource.label] = resource
            continue
        newest = max(other, resource, key=_age_of_version)
        kept[resource.label] = newest
        same = other.body == resource.body
        issues.append(
            Issue(
                "duplicate",
                resource.label,
                "the same resource twice" if same else "two versions of one resource",
                "each resource once",
                "read once" if same else "the newest version is used",
            )
        )
    return list(kept.values())


def _age_of_version(resource: Resource) -> tuple[str, int, str]:
    version = shape.text(resource.body, "meta", "versionId")
    number = int(version) if version.isdecimal() and len(version) < 10 else 0
    return shape.text(resource.body, "meta", "lastUpdated"), number, version


def _check_version(name: str, resource: Resource) -> None:
    profiles = shape.node(resource.body, "meta").get("profile")
    version, where = _OTHER_VERSION_TYPES.get(resource.type, ""), resource.label
    for profile in profiles if isinstance(profiles, list) else ():
        found = _PROFILE.search(profile) if isinstance(profile, str) else None
        if found:
            version, where = found[1], f"{resource.label}.meta.profile"
    for element, json_type, other in _SHAPES_OF_TYPE.get(resource.type, ()):
        found_shape = element in resource.body
        if found_shape and (json_type is None or isinstance(resource.body[element], json_type)):
            version, where = other, f"{resource.label}.{element}"
    if version:
        raise InputError(f"{name}, {where}", f"FHIR {version}", "FHIR R4 (4.0.1)", "Export the bundle as R4.")


def _one_patient(name: str, found: Sequence[Resource]) -> Resource:
    patients = [r for r in found if r.type == "Patient"]
    if not patients:
        raise InputError(name, "no Patient", "exactly one Patient resource", "Export the record with its Patient.")
    if len(patients) > 1:
        raise InputError(
            name,
            f"{len(patients)} patients ({patients[0].label}, {patients[1].label})",
            "exactly one Patient resource",
            "Export one patient at a time.",
        )
    return patients[0]


def _index(found: Sequence[Resource]) -> dict[str, Resource]:
    index: dict[str, Resource] = {}
    for resource in found:
        own = shape.text(resource.body, "id")
        if resource.url:
            address = resource.url.split("/_history/", 1)[0]
            if address:
                index.setdefault(address, resource)
        if own:
            index.setdefault(f"{resource.type}/{own}", resource)
        if resource.url:
            tail = _tail(address)
            if tail.startswith(resource.type + "/"):
                index.setdefault(tail, resource)
    return index


def _tail(address: str) -> str:
    """Type and id at the end of an address."""
    return "/".join(address.rsplit("/", 2)[-2:])


def _resolve(index: Mapping[str, Resource], holder: Resource, reference: str) -> Resource | None:
    if reference.startswith("#"):
        root = holder.parent or holder
        return next((c for c in _contained(root) if shape.text(c.body, "id") == reference[1:]), None)
    bare = reference.split("/_history/", maxsplit=1)[0]
    return index.get(bare) or index.get(_tail(bare))


def _contained(root: Resource) -> Iterator[Resource]:
    for body in shape.items(root.body, "contained"):
        kind = shape.text(body, "resourceType")
        if kind:
            yield Resource(kind, f"{root.label}#{shape.text(body, 'id')}", body, "", root)


def _with_contained(found: Sequence[Resource]) -> Iterator[Resource]:
    for resource in found:
        if resource.type in READ_TYPES:
            yield resource
        if resource.type == "DiagnosticReport":
            yield from (c for c in _contained(resource) if c.type == "Observation")


def _is_his(index: Mapping[str, Resource], patient: Resource, resource: Resource, issues: list[Issue]) -> bool:
    """True where the resource names this patient or nobody; a resource of somebody else is listed and left out."""
    subject = shape.node(resource.body, "subject") or shape.node(resource.body, "patient")
    reference = shape.text(subject, "reference")
    if not reference and shape.node(subject, "identifier"):
        his = _has_identifier(patient, shape.node(subject, "identifier"))
    elif not reference or (resource.parent is not None and reference == "#"):
        return True
    elif "?" in reference:
        system, _, value = reference.partition("=")[2].rpartition("|")
        his = _has_identifier(patient, {"system": system, "value": value})
    else:
        target = _resolve(index, resource, reference)
        anonymous = not patient.url and not shape.text(patient.body, "id")
        his = target is patient or (target is None and anonymous)
    if not his:
        issues.append(
            Issue("other_patient", resource.label, reference or "another identifier", patient.label, "ignored")
        )
    return his


def _has_identifier(patient: Resource, wanted: Node) -> bool:
    value, system = shape.text(wanted, "value"), shape.text(wanted, "system")
    return bool(value) and any(
        shape.text(own, "value") == value and (not system or shape.text(own, "system") == system)
        for own in shape.items(patient.body, "identifier")
    )
