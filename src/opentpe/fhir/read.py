"""A FHIR R4 bundle in; patient, attack and a list of issues out.

Issues say what was ignored, settled by a rule, or needs a look. Codes: `unit_unknown`, `implausible`, `unreadable`,
`undated`, `after_on`, `stale`, `duplicate`, `contradiction`, `preliminary`, `entered_in_error`, `cancelled`,
`refuted`, `no_value`, `limit_only`, `other_patient`, `unresolved_reference`, `code_unknown`, `uncoded`,
`matched_by_name`, `ordered_only`, `not_taken`, `open_ended`, `onset_missing`, `old_attack`, `resolved_attack`,
`several_attacks`, `deceased`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from opentpe.domain.patient import Issue, Patient, When
from opentpe.domain.relapse import Relapse
from opentpe.evidence.load import Library
from opentpe.fhir import (
    attack,
    bundle,
    codebook,
    conditions,
    events,
    medications,
    observations,
    settle,
    shape,
    source,
    steroids,
    when,
)
from opentpe.fhir.desk import Desk, gathered

_SEX: Final = {"female": "female", "male": "male"}
_BIRTH_SEX: Final = {"F": "female", "M": "male"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a bundle says: who, the present attack (None where there is none), and what needs a look."""

    patient: Patient
    relapse: Relapse | None
    issues: tuple[Issue, ...]


def read(
    source_: Path | str | Mapping[str, Any],
    on: date,
    library: Library,
    *,
    size_limit_bytes: int = source.SIZE_LIMIT_BYTES,
    sound: bool = False,
) -> Reading:
    """The patient, the present attack and the issues of a bundle on a day; `sound` as in `source.load`.

    Raises `InputError` where the file or the bundle cannot be used, and where a quantity the order needs is invalid
    and has no valid alternative while there is an attack to treat.
    """
    name, content = source.load(source_, size_limit_bytes, sound=sound)
    record = bundle.open_record(name, content)
    desk = Desk(record, codebook.of(library), library, on, list(record.issues))
    birth, sex = _birth(desk), _sex(desk)
    age = None if birth is None else Patient("", "", birth).age_years(on)
    found = settle.observations(desk, observations.read(desk))
    diagnoses = conditions.read(desk, {"female": True, "male": False}.get(sex), age)
    intakes = medications.read(desk)
    patient = Patient(
        identifier=_identifier(record.patient.body) or record.patient.label,
        sex=sex,
        birth=birth,
        name=_name(record.patient.body),
        observations=found,
        conditions=tuple(d.condition for d in diagnoses),
        medications=tuple(i.medication for i in intakes),
        allergies=events.allergies(desk),
        procedures=events.procedures(desk),
    )
    _pregnancy_agrees(desk, patient)
    relapse = attack.assemble(desk, diagnoses, found, steroids.doses_by_day(desk, intakes))
    if relapse is not None:
        _refuse_if_needed(desk, patient)
    return Reading(patient, relapse, gathered(desk.issues))


def _refuse_if_needed(desk: Desk, patient: Patient) -> None:
    for kind, error in desk.refused.items():
        if patient.latest(kind, desk.on) is None:
            raise error


def _pregnancy_agrees(desk: Desk, patient: Patient) -> None:
    """Lists a pregnancy of somebody recorded as male; it stays in use, as the safer of the two."""
    seen = patient.latest("pregnancy", desk.on)
    if patient.sex == "male" and seen is not None and seen.answer == "pregnant":
        said = f"pregnant; {desk.record.patient.label} is recorded as male"
        desk.note("contradiction", seen.source, said, "one of the two", "the pregnancy is kept; confirm both")


def _birth(desk: Desk) -> When | None:
    patient = desk.record.patient
    written = shape.text(patient.body, "birthDate")
    birth = when.parse(written) if written else None
    where = f"{patient.label}.birthDate"
    oldest = desk.number("ages.person.oldest_years")
    if written and birth is None:
        desk.note("unreadable", where, repr(written[:40]), "a date such as 1991-05-02", "the age is unknown")
    if birth is not None and (birth.first_day > desk.on or desk.on.year - birth.first_day.year > oldest):
        desk.note("implausible", where, written, f"a birth up to {oldest:g} years ago", "the age is unknown")
        return None
    if shape.flag(patient.body, "deceasedBoolean") or shape.text(patient.body, "deceasedDateTime"):
        desk.note(
            "deceased", patient.label, "the patient is recorded as deceased", "a living patient", "read as it stands"
        )
    return birth


def _sex(desk: Desk) -> str:
    """The sex the blood volume formulas need: the administrative one, else that recorded at birth."""
    body = desk.record.patient.body
    found = _SEX.get(shape.text(body, "gender"), "")
    for extension in shape.items(body, "extension"):
        if not found and shape.text(extension, "url").endswith("us-core-birthsex"):
            found = _BIRTH_SEX.get(shape.text(extension, "valueCode"), "")
    if not found:
        desk.note(
            "no_value",
            f"{desk.record.patient.label}.gender",
            shape.text(body, "gender") or "nothing",
            "female or male",
            "the sex is unknown; the blood volume cannot be estimated",
        )
    return found


def _identifier(body: Mapping[str, Any]) -> str:
    return next((shape.text(i, "value") for i in shape.items(body, "identifier") if shape.text(i, "value")), "")


def _name(body: Mapping[str, Any]) -> str:
    names = shape.items(body, "name")
    chosen = next((n for n in names if shape.text(n, "use") == "official"), names[0] if names else shape.EMPTY)
    given = [g for g in chosen.get("given", ()) if isinstance(g, str)] if isinstance(chosen.get("given"), list) else []
    return " ".join([*given, shape.text(chosen, "family")]).strip() or shape.text(chosen, "text")
