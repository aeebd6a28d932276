"""What is written down beside a course: run sheets, laboratory values, weight and examination, a stop."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from opentpe.errors import InputError
from opentpe.fhir import codebook
from opentpe.records import kinds
from opentpe.records.run_sheet import End, RunSheet
from opentpe.units import convert, plausible
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import care
from opentpe.web.people import Carer, Decider

router: Final = APIRouter(include_in_schema=False)
Number = Annotated[float, Field(ge=0, le=100_000)]


class Sheet(BaseModel):
    """The end of a run as read from the separator."""

    model_config = ConfigDict(extra="ignore")
    session: Annotated[int, Field(ge=1, le=60)]
    status: Literal["performed", "partial", "missed"] = "performed"
    started_at: datetime
    run_min: Number | None = None
    plasma_removed_ml: Number | None = None
    ac_used_ml: Number | None = None
    place: Annotated[str, Field(max_length=200)] = ""
    reason: Annotated[str, Field(max_length=200)] = ""
    note: Annotated[str, Field(max_length=2000)] = ""
    version: Annotated[int, Field(ge=0)] = 0


def _back(course_id: str, part: str) -> Response:
    return RedirectResponse(f"/courses/{course_id}#{part}", 303)


def _blank(said: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in said.items() if v != ""}


@router.post("/courses/{course_id}/sheet")
def sheet(
    course_id: str,
    here: Here,
    person: Carer,
    session: Annotated[str, Form()],
    started_at: Annotated[str, Form()],
    status: Annotated[str, Form()] = "performed",
    run_min: Annotated[str, Form()] = "",
    plasma_removed_ml: Annotated[str, Form()] = "",
    ac_used_ml: Annotated[str, Form()] = "",
    place: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    version: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """The end of a session; one that is on record gets a new version, or meets a conflict where somebody was first."""
    given = {
        "session": session, "started_at": started_at, "status": status, "run_min": run_min, "place": place,
        "plasma_removed_ml": plasma_removed_ml, "ac_used_ml": ac_used_ml, "reason": reason, "note": note,
        "version": version,
    }  # fmt: skip
    said = Sheet.model_validate(_blank(given))
    state = care.load(here, course_id)
    if said.session > state.plan.count:
        raise HTTPException(422, f"The course has {state.plan.count} sessions.")
    if said.status != "missed" and said.plasma_removed_ml is None:
        raise HTTPException(422, "Give the plasma removed, or say that the session was missed.")
    _keep_sheet(here, state, said, person.name)
    return _back(course_id, "sessions")


def _keep_sheet(here: Clinic, state: care.Care, said: Sheet, who: str) -> None:
    began = said.started_at.astimezone()
    ended = began + timedelta(minutes=said.run_min) if said.run_min else None
    end = End(
        ended_at=ended, run_min=said.run_min, plasma_removed_ml=said.plasma_removed_ml, ac_used_ml=said.ac_used_ml,
        stopped_early_because=said.reason, signed_by=(who,),
    )  # fmt: skip
    kept = state.procedure(said.session)
    note = said.note or (kept.body.note if kept else "")
    body = kinds.Procedure(
        course_id=state.kept.id, session=said.session, status=said.status, started_at=began,
        place=said.place or (kept.body.place if kept else ""), sheet=RunSheet(end=end), note=note,
    )  # fmt: skip
    with here.store.writing(who, "run sheet") as batch:
        if kept is None:
            batch.add(body, state.patient.id)
        else:
            whole = kept.body.sheet.model_copy(update={"end": end})
            batch.change(kept.id, body.model_copy(update={"sheet": whole}), said.version)
        moved = care.moved_on(state, body)
        if moved is not None:
            batch.change(state.kept.id, moved, state.kept.version)


@router.post("/courses/{course_id}/lab")
def lab(
    course_id: str,
    here: Here,
    person: Carer,
    kind: Annotated[str, Form(max_length=60)],
    value: Annotated[str, Form(max_length=20)],
    unit: Annotated[str, Form(max_length=20)],
    taken_at: Annotated[datetime, Form()],
) -> Response:
    """A laboratory value or a measurement of today, checked against what is plausible before it is kept."""
    state = care.load(here, course_id)
    number = checked(here, kind, value, unit)
    if kind in ("weight", "height"):
        body: Any = kinds.Examination(kind=kind, value=number, unit=unit, seen_on=taken_at)
    else:
        body = kinds.Lab(course_id=course_id, kind=kind, value=number, unit=unit, taken_at=taken_at)
    here.store.add(body, person.name, "", state.patient.id)
    return _back(course_id, "labs")


def checked(here: Clinic, kind: str, value: str, unit: str) -> float:
    """The number as typed, where its unit fits the kind and it is plausible; `InputError` says what to do."""
    try:
        number = float(value.replace(",", "."))
    except ValueError:
        raise InputError(kind, repr(value), "a number") from None
    row = codebook.of(here.library).row("observation", kind)
    if not row or "unit" not in row:
        raise InputError("kind", repr(kind), "a laboratory value that is known here")
    molar = row.get("molar_mass_g_mol", {}).get("value")
    canonical = convert(number, unit or "1", str(row["unit"]), kind, molar)
    if window := row.get("plausible"):
        plausible(canonical, float(window["low"]), float(window["high"]), kind, str(row["unit"]), kind)
    return number


@router.post("/courses/{course_id}/examination")
def examination(
    course_id: str,
    here: Here,
    person: Carer,
    answer: Annotated[Literal["none", "partial", "full", "worse"], Form()],
    text: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """How the target deficit answers to the exchanges, as seen today."""
    state = care.load(here, course_id)
    body = kinds.Examination(
        kind="exchange_response", answer=answer, seen_on=here.today(), examiner=person.full_name, text=text
    )
    here.store.add(body, person.name, "", state.patient.id)
    return _back(course_id, "examination")


@router.post("/courses/{course_id}/line")
def line(
    course_id: str,
    here: Here,
    person: Carer,
    version: Annotated[int, Form(ge=1)],
    out_on: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """The day a catheter has to come out; empty once it is out. The board reminds of it."""
    kept = here.store.get(kinds.Course, course_id)
    try:
        day = date.fromisoformat(out_on) if out_on else None
    except ValueError:
        raise InputError("out_on", repr(out_on), "a day such as 2026-02-18") from None
    why = f"line due out on {day}" if day else "line is out"
    body = kept.body.model_copy(update={"line_out_on": day})
    here.store.change(course_id, body, version, person.name, why)
    return _back(course_id, "line")


@router.post("/courses/{course_id}/stop")
def stop(
    course_id: str,
    here: Here,
    person: Decider,
    version: Annotated[int, Form(ge=1)],
    reason: Annotated[str, Form(min_length=3, max_length=200)],
) -> Response:
    """The course is stopped, and why; with every session done, it is closed."""
    state = care.load(here, course_id)
    whole = state.next_session == 0
    status = kinds.CourseStatus.COMPLETED if whole else kinds.CourseStatus.STOPPED
    update = {"status": status, "stopped_because": reason}
    here.store.change(course_id, state.kept.body.model_copy(update=update), version, person.name, reason)
    return _back(course_id, "stop")
