"""Board: who is treated today and on which chair, what is due, and the unit's settings with who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from opentpe.errors import InputError
from opentpe.records import kinds
from opentpe.report import sentences as spoken
from opentpe.report import words_of_numbers as numbers
from opentpe.report.desk import Desk
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import care, course, go, shell, unit
from opentpe.web.pages.care import Care
from opentpe.web.people import Person, Reader, Writing

router: Final = APIRouter(include_in_schema=False)
Setter = Annotated[Person, Depends(Writing("settings"))]
LEAST_REASON: Final = 3
_OPEN: Final = (kinds.CourseStatus.PLANNED, kinds.CourseStatus.RUNNING)


@router.get("/board")
@router.get("/board.json")
def page(request: Request, here: Here, person: Reader) -> Response:
    """The unit today."""
    with here.store.looking():
        return shell.show(request, person, "board.html|Board|Board", _today(here, person))


def _today(here: Clinic, person: Person) -> dict[str, Any]:
    pen = Desk(spoken.load(here.settings.language), {}, here.library)
    rows = [_row(here, care.load(here, k.id), pen) for k in here.store.current(kinds.Course) if k.body.status in _OPEN]
    return {
        "day": numbers.long_date(here.today(), pen.sentences.numbers),
        "today": [r for r in rows if r["days_to_go"] == 0],
        "overdue": [r for r in rows if r["days_to_go"] is not None and r["days_to_go"] < 0],
        "coming": sorted((r for r in rows if (r["days_to_go"] or 0) > 0), key=lambda r: r["days_to_go"]),
        "finished": [r for r in rows if r["session"] == 0],
        "due": list(_due(here, rows, pen)),
        "settings": unit.rows(here),
        "changes": unit.history(here)[:20],
        "may_set": person.may("settings"),
    }


def _row(here: Clinic, state: Care, pen: Desk) -> dict[str, Any]:
    session = state.next_session
    day = state.days[session - 1] if session else None
    kept = state.procedure(session) if session else None
    verdict = go.verdict(state.read, state.today, pen, session) if session else None
    signed = course.order_of(here, state)
    return {
        "course": state.kept.id,
        "name": state.patient.body.name or state.patient.body.identifier,
        "identifier": state.patient.body.identifier,
        "session": session,
        "count": state.plan.count,
        "day": numbers.day(day, pen.sentences.numbers) if day else "",
        "days_to_go": (day - state.today).days if day else None,
        "place": (kept.body.place if kept else "") or "no chair",
        "volume": pen.amount(care.volume_ml(here, state), "mL"),
        "verdict": verdict.state if verdict else "",
        "tone": verdict.tone if verdict else "quiet",
        "open": [c.short for c in verdict.checks if c.state == "open"] if verdict else [],
        "alerts": [f"{c.quantity} {c.latest}" for c in verdict.checks if c.state in ("stop", "call")]
        if verdict
        else [],
        "order": "signed" if signed["holds"] else "void" if signed["void"] else "open",
        "line_out": state.kept.body.line_out_on,
    }


def _due(here: Clinic, rows: list[dict[str, Any]], pen: Desk) -> Iterator[dict[str, str]]:
    """What somebody has to do: labs, lines to take out, values beyond a limit, orders to sign."""
    soon = here.today() + timedelta(days=1)
    for row in rows:
        near = row["days_to_go"] is not None and row["days_to_go"] <= 1
        if near and row["open"]:
            yield _task(row, "caution", "Labs due", ", ".join(row["open"]))
        if row["alerts"] and near:
            yield _task(row, "alarm", "Beyond a limit", ", ".join(row["alerts"]))
        if row["line_out"] and row["line_out"] <= soon:
            yield _task(row, "caution", "Line due out", numbers.day(row["line_out"], pen.sentences.numbers))
        if near and row["order"] != "signed":
            text = "signature void, write it anew" if row["order"] == "void" else "not signed"
            yield _task(row, "caution", "Order", f"session {row['session']}, {text}")


def _task(row: dict[str, Any], tone: str, what: str, text: str) -> dict[str, str]:
    return {"tone": tone, "what": what, "who": row["name"], "course": row["course"], "text": text}


@router.post("/board/settings")
async def change(request: Request, here: Here, person: Setter) -> Response:
    """A setting with a new value of its kind; the old one stays in the history."""
    form = await request.form()
    said = {key: str(form.get(key, "")).strip() for key in ("name", "version", "why")}
    return await run_in_threadpool(_change, here, person, said, [str(v) for v in form.getlist("value")])


def _change(here: Clinic, person: Person, said: dict[str, str], texts: list[str]) -> Response:
    name, why = said["name"][:100], said["why"][:500]
    if len(why) < LEAST_REASON:
        raise InputError("why", repr(why), "a reason, in a few words")
    body = kinds.Setting(name=name, value=unit.read(here, name, texts))
    kept = next(iter(here.store.current(kinds.Setting, where={"name": name})), None)
    if kept is None:
        here.store.add(body, person.name, why)
    else:
        here.store.change(kept.id, body, int(said["version"] or 0), person.name, why)
    return RedirectResponse("/board#settings", 303)
