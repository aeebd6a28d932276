"""Consult: drop a bundle or fill a short form; advice with its trace, options, order and forecast."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from opentpe import consultation as flow
from opentpe.domain.consultation import Consultation
from opentpe.errors import InputError
from opentpe.fhir import source
from opentpe.report import build, render
from opentpe.web import paper
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import assets, examples, form, keep, lab_units, shell, unit
from opentpe.web.people import Decider, Person, Trainee, Writing

router: Final = APIRouter(include_in_schema=False)
DRAWS: Final = 100  # bands of the page; the report of `opentpe consult` uses more
Trying = Annotated[Person, Depends(Writing("train"))]


@router.get("/consult")
@router.get("/consult.json")
def page(request: Request, here: Here, person: Trainee) -> Response:
    """The empty page: where to drop a bundle, the short form, and the examples."""
    data: dict[str, Any] = {"today": here.today(), "examples": [e.said() for e in examples.listed()], "answer": None}
    return shell.show(request, person, "consult.html|Consult|Consult", data)


@router.post("/consult")
async def consult(request: Request, here: Here, person: Trying) -> Response:
    """The consultation of a bundle, an example or the form, as a part of the page or as JSON."""
    said = {k: str(v) for k, v in (await request.form()).items()}
    return await run_in_threadpool(_answer, request, here, person, said)


def _answer(request: Request, here: Clinic, person: Person, said: Mapping[str, str]) -> Response:
    bundle, on = asked(said, here.today())
    made = advise(here, bundle, on)
    if "application/json" in request.headers.get("accept", ""):
        return shell.show(request, person, "", {"consultation": made})
    words = {
        "person": person,
        "report": Markup(assets.inside(told(made, here, shell.units_of(request)))),  # noqa: S704 - our own page, its texts are escaped
        "title": build.who(made, build.desk(made, here.library)),
        "detail": build.details(made, build.desk(made, here.library)),
        "bundle": json.dumps(bundle, ensure_ascii=False),
        "on": on,
        "planned": made.order is not None and not made.order.needs,
    }
    return paper.page(request, "_answer.html", words)


def asked(said: Mapping[str, str], today: date) -> tuple[dict[str, Any], date]:
    """The bundle and the day that were asked for."""
    on = _day(said.get("on", ""), today)
    if said.get("example"):
        return examples.named(said["example"])
    if said.get("bundle", "").strip():
        return source.parse("bundle", said["bundle"]), on
    if not said.get("onset"):
        raise InputError("onset", "no bundle and no onset", "a bundle, or the form with the day of onset")
    return form.bundle(said, on), on


def _day(text: str, today: date) -> date:
    try:
        return date.fromisoformat(text) if text else today
    except ValueError:
        raise InputError("on", repr(text), "a day such as 2026-02-18") from None


def advise(here: Clinic, bundle: Mapping[str, Any] | Path, on: date) -> Consultation:
    """The consultation of a bundle with the unit's own settings."""
    return flow.consult(
        bundle, on, library=here.library, unit=unit.of(here), guideline=here.settings.guideline, draws=DRAWS
    )


def told(made: Consultation, here: Clinic, units: str) -> str:
    """The report of a consultation as HTML, its solutes in the reader's unit."""
    view = build.view(lab_units.shown(made, units), here.library, here.settings.language)
    return render.html(lab_units.limits(view) if units == "conventional" else view)


@router.post("/consult/keep")
async def kept(request: Request, here: Here, person: Decider) -> Response:
    """Keeps patient, findings, decision and planned course; leads on to the course."""
    said = {k: str(v) for k, v in (await request.form()).items()}
    return await run_in_threadpool(_kept, here, person, said)


def _kept(here: Clinic, person: Person, said: Mapping[str, str]) -> Response:
    bundle, on = source.parse("bundle", said.get("bundle", "")), _day(said.get("on", ""), here.today())
    made = advise(here, bundle, on)
    _, course_id = keep.keep(here, made, bundle, person.name, "kept from a consultation")
    goal = f"/courses/{course_id}" if course_id else "/board"
    return RedirectResponse(goal, 303)
