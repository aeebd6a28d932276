"""One course: go or no-go and the order of today, plan against actual, the forecast, the stop rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from opentpe.domain.consultation import Consultation
from opentpe.domain.learning import Fit
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.records import kinds
from opentpe.records.store import Kept
from opentpe.records.times import moment
from opentpe.report import build, learning, sentences
from opentpe.report import words_of_numbers as numbers
from opentpe.report.desk import Desk
from opentpe.web.api import looked
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import care, go, lab_units, planner, shell
from opentpe.web.pages.care import Care
from opentpe.web.people import Decider, Reader

router: Final = APIRouter(include_in_schema=False)
_NOT_OF_A_SESSION: Final = ("order_sessions", "order_stop_rule", "order_void")


@router.get("/courses/{course_id}")
@router.get("/courses/{course_id}.json")
def page(request: Request, course_id: str, here: Here, person: Reader) -> Response:
    """The course as it stands."""
    course_id = course_id.removesuffix(".json")
    state = care.load(here, course_id)
    looked(here, person, state.patient.id)
    made = care.advice(here, state)
    pen = build.desk(made, here.library, here.settings.language)
    session = state.next_session
    data = {
        "course": state.kept,
        "patient": state.patient,
        "who": build.who(made, pen),
        "details": build.details(made, pen),
        "session": session,
        "done": state.done,
        "count": state.plan.count,
        "due": numbers.day(state.days[session - 1], pen.sentences.numbers) if session else "",
        "verdict": go.verdict(state.read, state.today, pen, session) if session else None,
        "order": order_of(here, state),
        "sessions": list(told_sessions(here, state, pen)),
        "versions": {str(p.body.session): p.version for p in state.procedures},
        "events": list(_events(here, state)),
        "advice": made.decision.advice.value,
        "limits": [c.quantity for c in go.verdict(state.read, state.today, pen, session or state.plan.count).checks],
        "labs": [_lab(lab, pen) for lab in state.labs[:14]],
        "stop_rule": _stop_rule(made, pen),
        "partial_from": here.library.value("order.partial_counts_from_plasma_volumes"),
        "now": here.clock().astimezone().strftime("%Y-%m-%dT%H:%M"),
        "may_decide": person.may("decide"),
        "may_care": person.may("care"),
    }
    return shell.show(request, person, "course.html|Board|Course", data)


def _stop_rule(made: Consultation, pen: Desk) -> str:
    lines = made.order.lines if made.order else ()
    return next((pen.line(line).text for line in lines if line.code == "order_stop_rule"), "")


def lines(here: Clinic, state: Care) -> list[str]:
    """Today's order, one sentence a line; empty where no exchange is advised."""
    made = care.advice(here, state)
    if made.order is None or made.order.needs or not state.next_session:
        return []
    pen = build.desk(made, here.library, here.settings.language)
    told = [pen.line(line) for line in made.order.lines if line.code not in _NOT_OF_A_SESSION]
    volume = numbers.amount(care.volume_ml(here, state), "mL", pen.sentences.numbers)
    first = f"Session {state.next_session} of {state.plan.count}: exchange {volume} of patient plasma."
    return [first, *(f"{line.label}: {line.text}" if line.label else line.text for line in told)]


def order_of(here: Clinic, state: Care) -> dict[str, Any]:
    """The kept order of the next session and whether its signature still holds."""
    now = care.basis(here, state)
    kept = next((o for o in reversed(state.orders) if o.body.session == state.next_session), None)
    if kept is None:
        return {"kept": None, "holds": False, "void": "", "basis": now}
    holds = now is not None and kept.body.holds(now)
    return {
        "kept": kept, "holds": holds, "basis": now, "void": _changed(kept.body.basis, now) if not holds else "",
    }  # fmt: skip


def _changed(was: kinds.Basis, now: kinds.Basis | None) -> str:
    """What changed since the order was written, in words; empty where nothing did."""
    if now is None:
        return "weight or haematocrit is no longer on record"
    names = {"weight_kg": ("weight", "kg"), "haematocrit_fraction": ("haematocrit", ""), "volume_ml": ("volume", "mL")}
    parts = [
        f"{name} {getattr(was, field):g} to {getattr(now, field):g} {unit}".strip()
        for field, (name, unit) in names.items()
        if getattr(was, field) != getattr(now, field)
    ]
    return ", ".join(parts)


def told_sessions(here: Clinic, state: Care, pen: Desk) -> Any:
    """Plan against actual, session by session."""
    volume = care.volume_ml(here, state)
    about = care.subject(state)
    plasma = care.plasma_volume_ml(about, here.library) if about else 0.0
    least = here.library.value("order.partial_counts_from_plasma_volumes")
    for n, on in enumerate(care.real_days(state), 1):
        kept = state.procedure(n)
        end = kept.body.sheet.end if kept else None
        removed = end.plasma_removed_ml if end else None
        counts = removed is None or plasma <= 0 or removed / plasma >= least
        yield {
            "n": n,
            "day": numbers.day(on, pen.sentences.numbers),
            "planned": pen.amount(volume, "mL") if volume else "",
            "actual": pen.amount(removed, "mL") if removed is not None else "",
            "volumes": f"{removed / plasma:.2f}" if removed is not None and plasma > 0 else "",
            "run": pen.amount(end.run_min, "min") if end and end.run_min is not None else "",
            "status": kept.body.status if kept else "planned",
            "counts": counts,
            "place": kept.body.place if kept else "",
            "note": (end.stopped_early_because if end else "") or (kept.body.note if kept else ""),
            "next": n == state.next_session,
        }


_TONES: Final = {"mild": "quiet", "moderate": "caution", "severe": "alarm", "death": "alarm"}


def _events(here: Clinic, state: Care) -> Iterator[dict[str, str]]:
    """Adverse events with their grade, then what was decided otherwise and why."""
    sessions = {p.id: p.body.session for p in state.procedures}
    for kept in here.store.current(kinds.AdverseEvent, state.patient.id):
        body = kept.body
        where = f"session {sessions[body.procedure_id]}, " if body.procedure_id in sessions else ""
        text = f"{where}{body.happened_at.astimezone():%d.%m. %H:%M}. {body.action}"
        yield {"tone": _TONES[body.grade], "what": f"{body.event}, {body.grade}", "text": text, "by": kept.who}
    for other in here.store.current(kinds.Override, state.patient.id):
        said = other.body
        text = f"{said.instead}: {said.reason}" if said.instead else said.reason
        yield {"tone": "caution", "what": f"Override of {said.code.replace('_', ' ')}", "text": text, "by": other.who}


def _lab(kept: Kept[kinds.Lab], pen: Desk) -> dict[str, str]:
    lab = kept.body
    value = lab.answer if lab.value is None else numbers.with_unit(f"{lab.value:g}", lab.unit)
    at = moment(lab.taken_at)
    when = f"{numbers.short_date(at.date(), pen.sentences.numbers)} {at:%H:%M}" if at else ""
    return {"name": lab_units.title(lab.kind, pen), "value": value, "when": when, "who": kept.who}


@router.get("/courses/{course_id}/forecast.json")
async def forecast(request: Request, course_id: str, here: Here, _: Reader) -> dict[str, Any]:
    """As planned, and as it goes with what was done and measured: two charts of the same quantities."""
    return await run_in_threadpool(drawn, here, care.load(here, course_id), shell.units_of(request))


def drawn(here: Clinic, state: Care, units: str) -> dict[str, Any]:
    """The forecast of a course with its plan behind it and measured values on it."""
    now = planner.chart(care.forecast(here, state), here, units)
    plan = planner.chart(care.forecast(here, state, planned=True), here, units) if state.done else None
    if plan is not None:
        _shift(plan, (state.days[0] - care.real_days(state)[0]).days)
    taught = care.learned(here, state)
    pen = Desk(sentences.load(here.settings.language), {}, here.library)
    if taught is not None:
        now["panels"] = planner.panels(taught.posterior_series, pen, units)
    dots: dict[str, list[list[float]]] = {}
    for m in care.measurements(state):
        scale = lab_units.factor(m.solute, m.unit, units)
        dots.setdefault(m.solute, []).append([m.time_min / MINUTES_PER_DAY, scale * m.value])
    return {"now": now, "plan": plan, "measured": dots, "learned": _learned(taught, pen)}


def _shift(chart: dict[str, Any], days: int) -> None:
    """Moves a chart along the days, where session 1 was not held on the day it was planned for."""
    chart["marks"] = [[at + days, n] for at, n in chart["marks"]]
    for panel in chart["panels"]:
        panel["days"] = [at + days for at in panel["days"]]


def _learned(taught: Fit | None, pen: Desk) -> list[str]:
    """What the labs taught, in sentences: how many, and what does not fit."""
    if taught is None:
        return []
    count = len(taught.labs)
    first = f"Updated from {count} measured {'value' if count == 1 else 'values'}."
    told = learning.say([line for line in taught.alarms if pen.sentences.has(line.code)], pen)
    doubt = "Some values do not fit what such a patient shows: check sample, time and run sheets."
    return [first, *(told or ([doubt] if taught.alarms else []))]


@router.post("/courses/{course_id}/order")
def write_order(course_id: str, here: Here, person: Decider) -> Response:
    """Today's order from today's values, not yet signed."""
    state = care.load(here, course_id)
    basis, said = care.basis(here, state), lines(here, state)
    if basis is None or not said:
        raise HTTPException(409, "There is no order to write: see the advice and the missing values.")
    body = kinds.Order(course_id=course_id, session=state.next_session, lines=tuple(said), basis=basis)
    here.store.add(body, person.name, "order of the day", state.patient.id)
    return RedirectResponse(f"/courses/{course_id}#order", 303)


@router.post("/courses/{course_id}/sign")
def sign(
    course_id: str,
    here: Here,
    person: Decider,
    order: Annotated[str, Form(max_length=64)],
    version: Annotated[int, Form(ge=1)],
) -> Response:
    """The signature of who is signed in, on the order that was read and on the values of today."""
    state = care.load(here, course_id)
    kept = here.store.get(kinds.Order, order)
    if kept.body.basis != care.basis(here, state):
        raise HTTPException(409, "Weight, haematocrit or volume changed since this order was written. Write it anew.")
    signed = kept.body.model_copy(update={"signed_by": person.full_name or person.name, "signed_at": here.clock()})
    here.store.change(order, signed, version, person.name, "signed")
    return RedirectResponse(f"/courses/{course_id}#order", 303)
