"""Planner: a course by sliders, its forecast as fans with limits, up to three courses side by side, and the plan."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from opentpe.domain import words
from opentpe.domain.consultation import Forecast, Series
from opentpe.domain.subject import Subject, check
from opentpe.domain.therapy import MINUTES_PER_DAY, Course, Schedule
from opentpe.errors import InputError
from opentpe.pathway import calendar
from opentpe.report import figures
from opentpe.report import sentences as spoken
from opentpe.report.desk import Desk
from opentpe.simulation import course as simulated
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import care, lab_units, shell, unit
from opentpe.web.people import Decider, Person, Trainee, Writing

router: Final = APIRouter(include_in_schema=False)
DRAWS: Final = 60  # enough for a steady band, few enough to redraw while a slider moves
SEED: Final = 20_260_101
SHOWN_DAYS: Final = 28.0
DOSE_STEP: Final = 0.05
SOLUTES: Final = ("igg", "fibrinogen")
_NADIRS: Final = ("ionised_calcium", "relative_blood_volume", "mean_pressure")
Trying = Annotated[Person, Depends(Writing("train"))]
_CHOICES: Final = {
    "calendar": ("Mon Wed Fri", "Mon Tue Wed Thu Fri", "Tue Thu Sat"),
    "albumin": ("albumin 5 %", "albumin 4 %"),
}  # fmt: skip


class About(BaseModel):
    """Whom the forecast is about."""

    model_config = ConfigDict(extra="forbid")
    female: bool
    age_years: Annotated[float, Field(ge=0, le=120)] | None = None
    height_cm: Annotated[float, Field(ge=0, le=300)]
    weight_kg: Annotated[float, Field(ge=0, le=500)]
    haematocrit_pct: Annotated[float, Field(ge=0, le=100)]
    measured: dict[str, float] = Field(default_factory=dict, max_length=20)


class Asked(BaseModel):
    """One course for one subject, in course words."""

    model_config = ConfigDict(extra="forbid")
    about: About
    words: Annotated[str, Field(min_length=1, max_length=500)]
    whole: bool = False  # with the sessions themselves: calcium, blood volume, pressure; slower


@router.get("/planner")
@router.get("/planner.json")
def page(request: Request, here: Here, person: Trainee, course: str = "") -> Response:
    """The planner, empty or for a kept course."""
    kept = care.load(here, course) if course and person.may("read") else None
    about = care.subject(kept) if kept else None
    data = {
        "course": kept.kept if kept else None,
        "patient": kept.patient if kept else None,
        "about": about or Subject(female=True, height_cm=168.0, weight_kg=68.0, hct=0.38, age_years=35.0),
        "known": about is not None,
        "measured": dict(about.measured) if about else {},
        "words": kept.kept.body.words if kept else "",
        "choices": _CHOICES,
        "defaults": defaults(here, kept),
    }
    return shell.show(request, person, "planner.html|Planner|Planner", data)


def defaults(here: Clinic, kept: care.Care | None) -> dict[str, Any]:
    """Where the controls stand at first: the order's defaults, or the plan as it is kept."""
    library = here.library
    found: dict[str, Any] = {
        "plasma_volumes": library.value("order.plasma_volumes"),
        "count": int(library.value("order.sessions_count")),
        "interval_h": 24 * library.value("order.interval_days"),
        "calcium_ml_l": library.value("order.calcium_gluconate_ml_per_l"),
        "inlet_ac": library.value("order.inlet_ac_ratio"),
        "saline_percent": 0.0, "plasma_percent": 0.0, "albumin": "albumin 5 %", "calendar": "", "single": False,
    }  # fmt: skip
    return found | (_of_plan(here, kept) if kept else {})


def _of_plan(here: Clinic, kept: care.Care) -> dict[str, Any]:
    """The controls as the plan says; what it leaves open stays at the default."""
    plan, about, said = kept.plan, care.subject(kept), kept.plan.prescription
    shares = {p.fluid: 100 * p.fraction for p in said.fluids}
    gaps = [b - a for a, b in pairwise(plan.schedule.starts_min(plan.count))]
    days = plan.schedule.weekdays
    found: dict[str, Any] = {
        "count": plan.count,
        "saline_percent": shares.get("saline", 0.0),
        "plasma_percent": shares.get("plasma", 0.0),
        "albumin": "albumin 4 %" if "albumin_4" in shares else "albumin 5 %",
        "calendar": " ".join(words.WEEKDAYS[d] for d in days),
        "single": said.single_needle,
    }
    if about is not None:
        volumes = care.volume_ml(here, kept) / care.plasma_volume_ml(about, here.library)
        found["plasma_volumes"] = round(volumes / DOSE_STEP) * DOSE_STEP
    if gaps:
        found["interval_h"] = min(96.0, max(24.0, 24.0 * round(statistics.median(gaps) / 1440)))
    if said.calcium is not None and said.calcium.unit == "mL/L":
        found["calcium_ml_l"] = said.calcium.amount
    return found | ({"inlet_ac": said.inlet_ac_ratio} if said.inlet_ac_ratio else {})


@router.post("/planner/forecast")
async def forecast(request: Request, response: Response, asked: Asked, here: Here, _: Trying) -> dict[str, Any]:
    """The forecast of one course, thinned to what a figure shows, with limits and written numbers."""
    began = time.perf_counter()
    made = await run_in_threadpool(drawn, here, asked, shell.units_of(request))
    response.headers["Server-Timing"] = f"forecast;dur={1000 * (time.perf_counter() - began):.0f}"
    return made


def drawn(here: Clinic, asked: Asked, units: str) -> dict[str, Any]:
    """Series, limits, marks and written numbers of one course."""
    a = asked.about
    about = Subject(
        a.female, a.height_cm, a.weight_kg, a.haematocrit_pct / 100, a.age_years, measured=tuple(a.measured.items())
    )
    plan = words.parse(asked.words)
    told = quick(here, check(about), plan, kinetics_only=not asked.whole)
    return chart(told, here, units)


def quick(here: Clinic, about: Subject, plan: Course, *, kinetics_only: bool = True) -> Forecast:
    """The forecast without drugs and risks: what a moving slider needs."""
    run = simulated.simulate(
        about,
        plan,
        here.library,
        unit.of(here),
        solutes=SOLUTES,
        at=("24h", "7d", "28d"),
        seed=SEED,
        draws=DRAWS,
        kinetics_only=kinetics_only,
    )
    return simulated.tell(run, about, plan, here.library, SEED)


def chart(told: Forecast, here: Clinic, units: str) -> dict[str, Any]:
    """A forecast as a page draws it."""
    pen = Desk(spoken.load(here.settings.language), {}, here.library)
    return {
        "words": told.words,
        "panels": panels(told.series, pen, units),
        "marks": [[s.start_min / MINUTES_PER_DAY, s.n] for s in told.sessions],
        "numbers": _numbers(told, pen, units),
        "warnings": [pen.line(line).text for line in told.warnings],
    }


def panels(rows: Sequence[Series], pen: Desk, units: str) -> list[dict[str, Any]]:
    """IgG and fibrinogen as a page draws them, in this order."""
    return [_panel(s, pen, units) for name in SOLUTES for s in rows if s.name == name]


def _panel(series: Series, pen: Desk, units: str) -> dict[str, Any]:
    shown = lab_units.series(figures.thinned(series, SHOWN_DAYS * MINUTES_PER_DAY), units)
    return {
        "name": series.name,
        "title": f"{pen.title('solute', series.name)}, {shown.unit}",
        "label": pen.title("solute", series.name),
        "unit": shown.unit,
        "days": [round(t / MINUTES_PER_DAY, 4) for t in shown.time_min],
        **{p: [round(v, 4) for v in getattr(shown, p)] for p in ("median", "p05", "p25", "p75", "p95")},
        "limits": list(limits(series, pen, units)),
    }


def limits(series: Series, pen: Desk, units: str) -> list[dict[str, Any]]:
    """The limit lines of a solute in the reader's unit, each with its label."""
    found: Mapping[str, Any] = pen.library.document("limits_shown").get(series.name, {})
    lines = []
    for name, node in found.items():
        value = pen.library.value(node["same_as"]) if "same_as" in node else float(node["value"])
        text = pen.say(f"limit.{series.name}.{name}", value=value)
        shown = lab_units.unit_of(series.name, series.unit, units)
        k = lab_units.factor(series.name, series.unit, units)
        lines.append({"value": k * value, "label": lab_units.label(text, shown) if k != 1.0 else text})
    return lines


def _numbers(told: Forecast, pen: Desk, units: str) -> list[list[str]]:
    """Name and written value of what tells courses apart."""
    first, last = told.sessions[0], told.sessions[-1]
    low = {name: min(dict(s.post)[name].median for s in told.sessions) for name in SOLUTES}
    fibrinogen = [dict(s.pre)["fibrinogen"] for s in told.sessions]
    lowest = min(fibrinogen, key=lambda b: b.median)

    def band(name: str, value: Any) -> str:
        return pen.band(lab_units.band(name, value, units))

    igg_end = dict(last.post)["igg"]
    week = dict(next(m for m in told.moments if m.label == "7d").values)["igg"]
    share = 1 - low["igg"] / dict(first.pre)["igg"].median
    return [
        ["Volume of a session", pen.amount(first.plasma_removed_ml, "mL")],
        ["Plasma volumes", f"{first.plasma_volumes:.2f}"],
        ["Replaced in all", pen.amount(sum(s.replaced_ml for s in told.sessions) / 1000, "L")],
        ["Run", pen.amount(first.duration_min, "min")],
        ["Last session on day", f"{last.start_min / MINUTES_PER_DAY:.0f}"],
        ["IgG removed at the end", pen.amount(100 * share, "%")],
        ["IgG after the last session", band("igg", igg_end)],
        ["IgG 7 days later", band("igg", week)],
        ["Lowest fibrinogen before a session", band("fibrinogen", lowest)],
        ["Anticoagulant to the patient, a session", pen.amount(first.ac_to_patient_ml, "mL")],
        *(
            [f"Lowest {pen.word('quantity', name)}, session 1", pen.band(dict(first.nadir)[name])]
            for name in _NADIRS
            if name in dict(first.nadir)
        ),
    ]


@router.post("/planner/save")
def save(
    here: Here,
    person: Decider,
    course: Annotated[str, Form(max_length=64)],
    version: Annotated[int, Form(ge=1)],
    said: Annotated[str, Form(alias="words", max_length=500)],
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """The course with new words as its plan; a signature on the old volume no longer holds."""
    state = care.load(here, course)
    plan = anchored(state, words.parse(said), unit.of(here))
    body = state.kept.body.model_copy(update={"words": words.say(plan)})
    here.store.change(course, body, version, person.name, why or "planned anew")
    return RedirectResponse(f"/courses/{course}", 303)


def anchored(state: care.Care, plan: Course, own: Mapping[str, Any]) -> Course:
    """The plan on open days of the unit: sessions done keep theirs, the rest follow from the next planned day or today.

    `InputError` where the new plan has fewer sessions than were done.
    """
    if plan.count < max(state.done, 1):
        raise InputError("words", f"{plan.count} sessions", f"at least {state.done}, which are done")
    if plan.schedule.kind == "dates":
        return plan
    done = care.real_days(state)[: state.done]
    due = state.days[state.done] if state.done < len(state.days) else state.today
    first = max(due, state.today, done[-1] + timedelta(days=1) if done else state.today)
    rest = _open_days(plan, plan.count - state.done, calendar.next_open(first, own), own)
    return replace(plan, schedule=Schedule("dates", dates=(*done, *rest)))


def _open_days(plan: Course, count: int, first: date, own: Mapping[str, Any]) -> tuple[date, ...]:
    """Days of the sessions still to come: weekdays as said, or each the first open day an interval after the last."""
    if count == 0:
        return ()
    if plan.schedule.kind == "weekdays":
        found: list[date] = []
        for day in plan.schedule.on_dates(count, first):
            found.append(calendar.next_open(max(day, found[-1] + timedelta(days=1)) if found else day, own))
        return tuple(found)
    first_min, *later = plan.schedule.starts_min(2)
    interval_days = round((later[0] - first_min) / MINUTES_PER_DAY) if later else 1
    return calendar.session_days(first, count, max(1, interval_days), own)
