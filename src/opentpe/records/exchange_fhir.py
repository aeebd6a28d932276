"""Everything as a FHIR R4 bundle: the elements that other programs read, and the whole record in an extension.

Kinds carry their local code (name with hyphens, `urn:opentpe:codes`), which `opentpe.fhir.read` understands, and the
public codes of the library where one was seen in a public list.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.records import kinds
from opentpe.records.exchange import EXCHANGED, Incoming, Taken, take_in
from opentpe.records.exchange_shapes import SHAPES, Resource, public_codes, to
from opentpe.records.store import Kept, Store

RECORD: Final = "urn:opentpe:record"
CHART: Final = (
    kinds.Condition, kinds.Allergy, kinds.Relapse, kinds.Procedure, kinds.Lab, kinds.Examination, kinds.Drug,
)  # fmt: skip


def bundle(store: Store, library: Library, who: str, patient_id: str | None = None) -> Resource:
    """A collection of every record in use, or of those of one patient, as `opentpe.fhir.read` reads it."""
    codes = public_codes(library)
    entries: list[Resource] = []
    for kind in EXCHANGED:
        listed: tuple[Kept[Any], ...] = store.current(kind, patient_id)
        if patient_id is not None and not kind.of_patient:
            listed = (store.get(kinds.Patient, patient_id),) if kind is kinds.Patient else ()
        entries += [_entry(kept, codes) for kept in listed]
    store.note("export", who, "FHIR", patient_id or "")
    return {"resourceType": "Bundle", "type": "collection", "timestamp": store.now(), "entry": entries}


def chart(store: Store, library: Library, patient_id: str) -> Resource:
    """What a decision needs of a patient, for `opentpe.fhir.read`; quick, and it writes nothing."""
    codes = public_codes(library)
    listed: list[Kept[Any]] = [store.get(kinds.Patient, patient_id)]
    for kind in CHART:
        listed += store.current(kind, patient_id)
    entries = [_entry(kept, codes, whole=False) for kept in listed]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _entry(kept: Kept[Any], codes: Mapping[str, list[Resource]], whole: bool = True) -> Resource:
    made = SHAPES[type(kept.body)](kept, codes)
    made["id"] = kept.id
    made["meta"] = {"versionId": str(kept.version), "lastUpdated": kept.at}
    if kept.patient_id and made["resourceType"] != "Basic":
        made["patient" if made["resourceType"] == "AllergyIntolerance" else "subject"] = to("Patient", kept.patient_id)
    if whole:
        made["extension"] = [*made.get("extension", []), _whole(kept)]
    return {
        "fullUrl": f"urn:uuid:{kept.id}",
        "resource": {k: v for k, v in made.items() if v not in (None, "", [], {})},
    }


def _whole(kept: Kept[Any]) -> Resource:
    said = {"kind": kept.body.table, "patient": kept.patient_id or "", "body": kept.body.model_dump(mode="json")}
    return {"url": RECORD, "valueString": json.dumps(said, ensure_ascii=False, sort_keys=True)}


def take(store: Store, data: Any, who: str, why: str) -> Taken:
    """Takes in the records of a bundle that `bundle` wrote; InputError where it holds none of ours."""
    entries = data.get("entry") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise InputError("bundle", "no entries", "a FHIR bundle exported by OpenTPE")
    items = [item for entry in entries if (item := _incoming(entry)) is not None]
    if not items:
        raise InputError(
            "bundle", "no record of ours", "a FHIR bundle exported by OpenTPE", "Use `opentpe consult` for others."
        )
    return take_in(store, items, who, why)


def _incoming(entry: Any) -> Incoming | None:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if not isinstance(resource, dict):
        return None
    where = f"{resource.get('resourceType')}/{resource.get('id')}"
    for extension in resource.get("extension") or ():
        if isinstance(extension, dict) and extension.get("url") == RECORD:
            return _from_extension(where, resource, extension)
    return None


def _from_extension(where: str, resource: Resource, extension: Resource) -> Incoming:
    try:
        said = json.loads(extension["valueString"])
        body = kinds.of(said["kind"]).model_validate(said["body"])
        version = int(resource["meta"]["versionId"])
        return Incoming(where, body, str(resource["id"]), version, str(said["patient"]))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(where, ".".join(map(str, first["loc"])), first["msg"]) from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(where, "a record that cannot be read", "a record exported by OpenTPE") from error
