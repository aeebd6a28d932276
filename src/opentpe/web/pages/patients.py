"""Patients: looked up without a name in any address; and one patient whole, from attacks to documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request, Response

from opentpe.records import kinds
from opentpe.records.store import Kept
from opentpe.records.times import moment
from opentpe.report import sentences as spoken
from opentpe.report import words_of_numbers as numbers
from opentpe.report.desk import Desk
from opentpe.web.api import looked
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import lab_units, shell
from opentpe.web.people import Person, Reader, Writing

router: Final = APIRouter(include_in_schema=False)
SHOWN: Final = 60
Looking = Annotated[Person, Depends(Writing("read"))]
Row = dict[str, str]


@router.get("/patients")
@router.get("/patients.json")
def page(request: Request, here: Here, person: Reader) -> Response:
    """The unit's patients by name."""
    return _list(request, here, person, "")


@router.post("/patients")
def search(request: Request, here: Here, person: Looking, name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Patients whose name or number holds what was typed; sent as a form, so that no name stands in an address."""
    return _list(request, here, person, name.strip())


def _list(request: Request, here: Clinic, person: Person, asked: str) -> Response:
    wanted = asked.casefold().split()
    found = [
        k for k in here.store.current(kinds.Patient)
        if all(w in f"{k.body.name} {k.body.identifier}".casefold() for w in wanted)
    ]  # fmt: skip
    courses = {k.patient_id: k for k in here.store.current(kinds.Course)}
    rows = [_short(k, courses.get(k.id)) for k in sorted(found, key=lambda k: (k.body.name.casefold(), k.id))[:SHOWN]]
    data = {"rows": rows, "asked": asked, "count": len(found), "shown": SHOWN}
    return shell.show(request, person, "patients.html|Patients|Patients", data)


def _short(kept: Kept[kinds.Patient], course: Kept[kinds.Course] | None) -> Row:
    body = kept.body
    return {
        "id": kept.id, "name": body.name or body.identifier, "identifier": body.identifier, "sex": body.sex,
        "birth": body.birth, "course": course.id if course else "", "status": course.body.status if course else "",
    }  # fmt: skip


@router.get("/patients/{patient_id}")
@router.get("/patients/{patient_id}.json")
def one(request: Request, patient_id: str, here: Here, person: Reader) -> Response:
    """One patient with everything that is kept."""
    patient_id = patient_id.removesuffix(".json")
    patient = here.store.get(kinds.Patient, patient_id)
    looked(here, person, patient_id)
    pen = Desk(spoken.load(here.settings.language), {}, here.library)
    data = {
        "patient": patient,
        "name": patient.body.name or patient.body.identifier,
        "birth": _when(patient.body.birth, pen),
        "history": [_version(k, pen) for k in here.store.history(kinds.Patient, patient_id)],
        "courses": [_course(k, pen) for k in here.store.current(kinds.Course, patient_id)],
        "parts": [
            {"title": title, "rows": list(rows)[:SHOWN]}
            for title, rows in (
                (title, _rows(here, patient_id, kind, told, pen)) for title, kind, told in PARTS
            )
        ],
        "may_decide": person.may("decide"),
    }  # fmt: skip
    return shell.show(request, person, "patient.html|Patients|Patient", data)


def _version(kept: Kept[Any], pen: Desk) -> Row:
    return {"version": str(kept.version), "at": _when(kept.at, pen), "who": kept.who, "why": kept.why}


def _course(kept: Kept[kinds.Course], pen: Desk) -> Row:
    first = kept.body.first_on
    return {
        "id": kept.id, "words": kept.body.words, "status": str(kept.body.status),
        "first": numbers.day(first, pen.sentences.numbers) if first else "",
    }  # fmt: skip


def _when(text: str, pen: Desk) -> str:
    at = moment(text)
    return numbers.short_date(at.date(), pen.sentences.numbers) if at and len(text) >= 10 else text


Told = Callable[[Any, Desk], tuple[str, str, str]]


def _rows(here: Clinic, patient_id: str, kind: type[Any], told: Told, pen: Desk) -> Iterator[Row]:
    """What, how much, when; latest first."""
    found = [(told(kept.body, pen), kept) for kept in here.store.current(kind, patient_id)]
    for (what, value, when), kept in sorted(found, key=lambda f: f[0][2], reverse=True):
        yield {"what": what, "value": value, "when": _when(when, pen), "who": kept.who, "why": kept.why}


def _plain(text: str) -> str:
    return text.replace("_", " ").capitalize()


def _finding(body: Any, pen: Desk) -> tuple[str, str, str]:
    value = body.answer.replace("_", " ") if body.value is None else numbers.with_unit(f"{body.value:g}", body.unit)
    return lab_units.title(body.kind, pen), value, getattr(body, "taken_at", "") or getattr(body, "seen_on", "")


def _drug(body: kinds.Drug, _: Desk) -> tuple[str, str, str]:
    dose = f"{body.dose_mg:g} mg" if body.dose_mg is not None else ""
    until = f"until {body.end_on}" if body.end_on else ""
    return body.name or _plain(body.kind), " ".join(p for p in (dose, body.route, until) if p), body.start_on


def _event(body: kinds.AdverseEvent, _: Desk) -> tuple[str, str, str]:
    return body.event, f"{body.grade}{f', {body.action}' if body.action else ''}", body.happened_at.isoformat()


PARTS: Final[tuple[tuple[str, type[Any], Told], ...]] = (
    ("Attacks", kinds.Relapse, lambda b, _: (_plain(b.kind), _plain(b.severity or b.target_deficit), b.onset_on)),
    ("Decisions", kinds.Decision, lambda b, _: (_plain(b.advice), b.guideline, b.decided_on.isoformat())),
    ("Overrides", kinds.Override, lambda b, _: (b.code, f"{b.instead}: {b.reason}" if b.instead else b.reason, "")),
    ("Sessions", kinds.Procedure, lambda b, _: (
        f"Session {b.session}" if b.session else _plain(b.kind), b.status, b.started_at)),
    ("Adverse events", kinds.AdverseEvent, _event),
    ("Laboratory values", kinds.Lab, _finding),
    ("Examinations", kinds.Examination, _finding),
    ("Drugs", kinds.Drug, _drug),
    ("Diagnoses", kinds.Condition, lambda b, _: (
        b.text or _plain(b.kind), "active" if b.active else "resolved", b.onset_on)),
    ("Allergies", kinds.Allergy, lambda b, _: (b.text or _plain(b.kind), "", "")),
    ("Documents", kinds.Paper, lambda b, _: (b.title, b.media_type, "")),
)  # fmt: skip
