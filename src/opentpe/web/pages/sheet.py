"""The run sheet of one session: to print and fill with a pen, to fill here, or to take in from a separator's log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from opentpe.domain import words
from opentpe.errors import InputError
from opentpe.records import kinds, run_log
from opentpe.records.run_sheet import RunSheet
from opentpe.records.store import Kept
from opentpe.report import build
from opentpe.report import words_of_numbers as numbers
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import care, sheet_fields, shell
from opentpe.web.pages.care import Care
from opentpe.web.people import Carer, Reader

router: Final = APIRouter(include_in_schema=False)
BLANK_ROWS: Final = 14  # a run of 90 minutes, read every 5 to 15 minutes
# Column of the run log on paper: heading, unit, field.
LOG: Final = (
    ("Inlet", "mL/min", "inlet_flow_ml_min"), ("AC", "mL/min", "ac_flow_ml_min"),
    ("Plasma", "mL/min", "plasma_flow_ml_min"), ("Access", "mmHg", "access_pressure_mmhg"),
    ("Return", "mmHg", "return_pressure_mmhg"), ("Interface", "", "interface"),
    ("Removed", "mL", "plasma_removed_ml"), ("Replaced", "mL", "replaced_ml"), ("Balance", "mL", "balance_ml"),
)  # fmt: skip
_BEFORE: Final = (
    ("haematocrit", "before.haematocrit_fraction", 100.0), ("haemoglobin", "before.haemoglobin_g_l", 1.0),
    ("platelets", "before.platelets_10_9_l", 1.0), ("inr", "before.inr_ratio", 1.0),
    ("fibrinogen", "before.fibrinogen_g_l", 1.0), ("ionised_calcium", "before.ionised_calcium_mmol_l", 1.0),
    ("calcium", "before.calcium_mmol_l", 1.0), ("magnesium", "before.magnesium_mmol_l", 1.0),
    ("potassium", "before.potassium_mmol_l", 1.0), ("systolic_pressure", "before.vitals.systolic_mmhg", 1.0),
    ("diastolic_pressure", "before.vitals.diastolic_mmhg", 1.0),
    ("heart_rate", "before.vitals.heart_rate_per_min", 1.0),
    ("temperature", "before.vitals.temperature_cel", 1.0),
)  # fmt: skip


@router.get("/courses/{course_id}/run-sheet")
@router.get("/courses/{course_id}/run-sheet.json")
def page(request: Request, course_id: str, here: Here, person: Reader, session: int = 0) -> Response:
    """The run sheet of a session, of the next one where none is named."""
    state = care.load(here, course_id)
    number = session or state.next_session or state.plan.count
    if not 1 <= number <= state.plan.count:
        raise HTTPException(404, f"The course has {state.plan.count} sessions.")
    kept = state.procedure(number)
    made = care.advice(here, state)
    pen = build.desk(made, here.library, here.settings.language)
    rows = here.store.current(kinds.RunRow, state.patient.id, where={"procedure_id": kept.id}) if kept else ()
    begun = kept.body.started_at if kept else ""
    data = {
        "course": state.kept,
        "patient": state.patient,
        "who": build.who(made, pen),
        "session": number,
        "count": state.plan.count,
        "day": numbers.long_date(state.days[number - 1], pen.sentences.numbers),
        "status": kept.body.status if kept else "planned",
        "version": kept.version if kept else 0,
        "place": kept.body.place if kept else "",
        "note": kept.body.note if kept else "",
        "started_at": str(begun)[:16] or here.clock().astimezone().strftime("%Y-%m-%dT%H:%M"),
        "began": bool(begun),
        "groups": sheet_fields.groups(kept.body.sheet if kept else RunSheet(), known(here, state)),
        "log": [_line(r.body) for r in sorted(rows, key=lambda r: r.body.read_at)],
        "columns": [{"name": name, "unit": unit} for name, unit, _ in LOG],
        "blank_rows": BLANK_ROWS,
        "may_care": person.may("care"),
    }
    return shell.show(request, person, "run_sheet.html|Board|Run sheet", data)


def _line(row: kinds.RunRow) -> dict[str, Any]:
    at = row.read_at.astimezone()
    vitals = row.vitals
    pressure = f"{vitals.systolic_mmhg:.0f}/{vitals.diastolic_mmhg or 0:.0f}" if vitals.systolic_mmhg else ""
    said = ", ".join(part for part in (row.alarm, *row.symptoms) if part)
    return {
        "at": f"{at:%H:%M}",
        "cells": [_cell(getattr(row, field)) for _, _, field in LOG],
        "pressure": pressure,
        "pulse": _cell(vitals.heart_rate_per_min),
        "said": said,
    }


def _cell(value: float | str | None) -> str:
    return f"{value:.0f}".replace("-", "\u2212") if isinstance(value, float) else value or ""


def known(here: Clinic, state: Care) -> dict[str, str]:
    """What the records know already and a person only has to confirm: size, values of the last day, the plan."""
    found = {name: text for name, text in _known(here, state) if text}
    return {name: text for name, text in found.items() if text not in ("0", "None")}


def _known(here: Clinic, state: Care) -> Iterator[tuple[str, str]]:
    about, order = care.subject(state), state.plan.prescription
    hours = here.library.value("order.lab_age_h")
    for kind, name, factor in _BEFORE:
        latest = state.read.latest(kind, state.today)
        if latest and latest.value is not None and latest.when.age_days(state.today) * 24 <= hours:
            yield name, f"{factor * latest.value:.4g}"
    yield "before.allergies", ", ".join(c.text or c.kind.replace("_", " ") for c in state.read.allergies)[:200]
    yield "identity.diagnosis", "Multiple sclerosis, relapse"
    if about is not None:
        plasma = care.plasma_volume_ml(about, here.library)
        yield "identity.height_cm", f"{about.height_cm:g}"
        yield "identity.weight_kg", f"{about.weight_kg:g}"
        yield "planned.plasma_volume_ml", f"{plasma:.0f}"
        yield "planned.total_blood_volume_ml", f"{plasma / (1 - about.hct):.0f}"
    yield "planned.plasma_target_ml", f"{care.volume_ml(here, state):.0f}"
    told = words.say(state.plan).split(", ")
    yield "planned.fluids", next((p for p in told if "albumin" in p or "plasma" in p.split(" ")[-1:]), "")
    yield "planned.calcium", next((p for p in told if p.startswith("calcium")), "")
    ratio = order.inlet_ac_ratio or here.library.value("order.inlet_ac_ratio")
    yield "planned.inlet_ac_ratio", f"{ratio:g}"
    yield (
        "planned.balance_fraction",
        f"{100 * (order.balance_fraction or here.library.value('order.balance_fraction')):g}",
    )
    yield "planned.access", (order.access or "").replace("_", " ")


@router.post("/courses/{course_id}/run-sheet")
async def keep(request: Request, course_id: str, here: Here, person: Carer) -> Response:
    """The whole run sheet as it was typed in; a conflict where somebody was first."""
    said = {k: str(v) for k, v in (await request.form()).items()}
    return await run_in_threadpool(_keep, here, course_id, person.name, said)


def _keep(here: Clinic, course_id: str, who: str, said: dict[str, str]) -> Response:
    state = care.load(here, course_id)
    number = _session(said.get("session", ""), state)
    sheet = sheet_fields.sheet_of(said)
    status = said.get("status", "performed")
    if status not in ("missed", "planned") and sheet.end.plasma_removed_ml is None:
        raise InputError(
            "end.plasma_removed_ml", "nothing", "the plasma removed", "Or say that the session was missed."
        )
    began = "" if status == "planned" else moment_of(said.get("started_at", "")).isoformat()
    body = kinds.Procedure(
        course_id=course_id, session=number, status=status, started_at=began, place=said.get("place", ""),
        sheet=sheet, note=said.get("note", ""),
    )  # fmt: skip
    _write(here, state, body, (), _version(said), who)
    return RedirectResponse(f"/courses/{course_id}/run-sheet?session={number}", 303)


def _session(text: str, state: Care) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= state.plan.count:
        raise InputError("session", repr(text), f"1 to {state.plan.count}")
    return int(text)


def _version(said: dict[str, str]) -> int:
    text = said.get("version", "0")
    return int(text) if text.isdecimal() else 0


def moment_of(text: str) -> datetime:
    """Day and time as typed, in the ward's time; `InputError` where they are none."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise InputError("started_at", repr(text), "a day and time such as 2026-02-18T09:30") from None


@router.post("/courses/{course_id}/log")
async def take(
    course_id: str,
    here: Here,
    person: Carer,
    file: UploadFile,
    session: Annotated[str, Form(max_length=4)],
    started_at: Annotated[str, Form(max_length=40)],
    version: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """A separator's log or the sheet of `opentpe run`, as run sheet and run log of a session."""
    name, content = (file.filename or "log")[:200], await file.read()
    return await run_in_threadpool(_take, here, course_id, person.name, (name, content, session, started_at, version))


def _take(here: Clinic, course_id: str, who: str, said: tuple[str, bytes, str, str, int]) -> Response:
    name, content, session, started_at, version = said
    state = care.load(here, course_id)
    number, began = _session(session, state), moment_of(started_at)
    read = run_log.taken(name, content, began)
    kept = state.procedure(number)
    was = kept.body if kept else kinds.Procedure(course_id=course_id, session=number)
    sheet = was.sheet.model_copy(update=_read_over(was.sheet, read.sheet))
    body = was.model_copy(
        update={
            "status": read.status,
            "started_at": began.isoformat(),
            "sheet": sheet,
            "note": was.note or f"From {name}.",
        }
    )
    _write(here, state, body, read.rows, version, who)
    return RedirectResponse(f"/courses/{course_id}/run-sheet?session={number}", 303)


def _read_over(was: RunSheet, read: RunSheet) -> dict[str, Any]:
    """The parts that the log told, over what was written by hand; what the log does not know stays."""
    parts = {}
    for part in ("planned", "machine", "end"):
        told = getattr(read, part)
        update = {name: getattr(told, name) for name in told.model_dump(exclude_defaults=True)}
        parts[part] = getattr(was, part).model_copy(update=update)
    return parts


def _write(
    here: Clinic, state: Care, body: kinds.Procedure, rows: tuple[kinds.RunRow, ...], version: int, who: str
) -> None:
    """The session with its run log, where it stands as it was read; the course runs from now on."""
    kept = state.procedure(body.session)
    with here.store.writing(who, "run sheet") as batch:
        procedure: Kept[kinds.Procedure]
        if kept is None:
            procedure = batch.add(body, state.patient.id)
        else:
            procedure = batch.change(kept.id, body, version)
            if rows:
                for old in here.store.current(kinds.RunRow, state.patient.id, where={"procedure_id": kept.id}):
                    batch.retire(kinds.RunRow, old.id, old.version)
        for row in rows:
            batch.add(row.model_copy(update={"procedure_id": procedure.id}), state.patient.id)
        moved = care.moved_on(state, body)
        if moved is not None:
            batch.change(state.kept.id, moved, state.kept.version)
