"""Trainer: the separator running live, with an operator's controls, hidden events, branching, scoring and debrief."""

from __future__ import annotations

import math
import secrets
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from opentpe.evidence.load import Library
from opentpe.report.sentences import opening
from opentpe.simulation import outcome, procedure
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import care, rehearsal, shell
from opentpe.web.pages.rehearsal import Live, Played, Run
from opentpe.web.pages.scenes import scenarios
from opentpe.web.people import Person, Trainee, Writing

router: Final = APIRouter(include_in_schema=False)
LONGEST_STEP_S: Final = 600
Trying = Annotated[Person, Depends(Writing("train"))]
Ticket = Annotated[str, Field(max_length=400_000)]


def _played(request: Request) -> Played:
    state = request.app.state
    if not hasattr(state, "training"):
        state.training = Played()
    kept: Played = state.training
    return kept


Training = Annotated[Played, Depends(_played)]


class Start(BaseModel):
    """A scenario to start, for the invented patient or for the patient of a course."""

    model_config = ConfigDict(extra="forbid")
    scenario: Annotated[str, Field(max_length=40)]
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    course: Annotated[str, Field(max_length=64)] = ""


class Asked(BaseModel):
    """A run by its ticket."""

    model_config = ConfigDict(extra="forbid")
    run: Ticket


class Step(Asked):
    """Seconds to let pass, and what the operator does first."""

    seconds: Annotated[int, Field(ge=0, le=LONGEST_STEP_S)]
    actions: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=5)] = []


@router.get("/trainer")
@router.get("/trainer.json")
def page(request: Request, here: Here, person: Trainee, course: str = "") -> Response:
    """The scenarios and the machine, at rest; with `course`, set up for its patient."""
    rows = [{"key": k, "title": s["title"], "story": s["story"]} for k, s in scenarios().items()]
    state = care.load(here, course) if course and person.may("read") else None
    data = {
        "scenarios": rows,
        "course": course if state else "",
        "patient": (state.patient.body.name or state.patient.body.identifier) if state else "",
        "session": state.next_session if state else 0,
        "recordable": bool(state and here.settings.demo and person.may("care")),
    }
    return shell.show(request, person, "trainer.html|Trainer|Trainer", data)


@router.post("/trainer/start")
async def start(said: Start, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """A new run at the moment the patient is connected."""
    if said.scenario not in scenarios():
        raise HTTPException(422, f"There is no scenario {said.scenario!r}.")
    run = Run(person.account_id, said.scenario, said.seed, secrets.token_urlsafe(9))
    if said.course and person.may("read"):
        state = care.load(here, said.course)
        run = replace(run, course=said.course, about=care.subject(state), words=state.kept.body.words)
    return await run_in_threadpool(_told, here, kept, run)


def _told(here: Clinic, kept: Played, run: Run) -> dict[str, Any]:
    live = kept.of(run, here.library)
    return {"run": rehearsal.ticket(here.settings.key, run), "name": run.name} | shown(run, live, here.library)


@router.post("/trainer/step")
async def step(said: Step, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """The run so many seconds later, after what the operator does now."""
    run = rehearsal.opened(here.settings.key, said.run, person.account_id)
    if said.seconds or said.actions:
        run = run.after(said.seconds, tuple(said.actions))
    return await run_in_threadpool(_told, here, kept, run)


@router.post("/trainer/branch")
async def branch(said: Asked, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """A second run from this very moment: what if."""
    run = rehearsal.opened(here.settings.key, said.run, person.account_id)
    at = sum(seconds for seconds, _ in run.steps) / 60
    twin = replace(run, key=secrets.token_urlsafe(9), name=f"branch at {at:.0f} min")
    return await run_in_threadpool(_told, here, kept, twin)


def shown(run: Run, live: Live, library: Library) -> dict[str, Any]:
    """What display and monitor show, the alarms with what to do, and the last lines of the journal."""
    state = live.state
    seen = {k: _plain(v) for k, v in procedure.snapshot(state).items()}
    active = [_alarm(library, name) for name in seen["alarms"]]
    return {
        "scenario": run.scenario,
        "single": "single_needle" in state.ready.exchange.separator,
        "ended": state.ended,
        "phase": PHASES.get(str(seen["phase"]), str(seen["phase"]).replace("_", " ")).capitalize(),
        "now": seen,
        "alarms": sorted(active, key=lambda a: ("high", "medium", "low").index(a["priority"])),
        "journal": _journal(outcome.journal(state)),
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _alarm(library: Library, name: str) -> dict[str, str]:
    row = library.document("alarms")[name]
    return {"key": name, "name": str(row["name"]), "priority": str(row["priority"]), "do": str(row["operator"])}


_OWN: Final = "at 0 s "  # how an operator's action of this moment is said; a scenario's event names its own time


def _journal(entries: tuple[outcome.Entry, ...]) -> list[dict[str, Any]]:
    """The last lines; what the operator said is not told a second time as the machine's own line."""
    shown = [e for e in entries if not _hidden(e)]
    own = {e.at_s for e in shown if e.kind == "event"}
    return [_line(e) for e in shown if not (e.kind == "operator" and e.at_s in own)][-12:]


def _hidden(entry: outcome.Entry) -> bool:
    """True for what was before the patient, and for what a scenario does unseen; alarms and debrief tell of it."""
    return entry.at_s < 0 or (entry.kind == "event" and not entry.subject.startswith(_OWN))


# Phases of the machine as an operator calls them; the rest read as they are named.
PHASES: Final = {
    "connect": "connecting", "run_interface": "exchanging", "run_fallback": "exchanging, interface not seen",
    "pause": "paused by the operator", "alarm": "alarm, the pumps stand", "target_reached": "target reached",
    "rinseback": "giving the blood back", "disconnect": "disconnecting", "ended": "ended",
}  # fmt: skip


def _line(entry: outcome.Entry) -> dict[str, Any]:
    words = entry.subject.replace("_", " ")
    phase = PHASES.get(entry.subject, words)
    said = {"phase": f"now {phase}", "raised": f"alarm: {words}", "cleared": f"cleared: {words}"}
    said |= {"symptom": f"patient reports {words}", "retry": f"tries again: {words}", "operator": f"operator: {words}"}
    said["event"] = f"you: {words.removeprefix(_OWN)}"
    return {"at_min": round(entry.at_s / 60, 1), "kind": entry.kind, "text": said.get(entry.kind, words)}


@router.post("/trainer/debrief")
async def debrief(said: Asked, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """What was asked for, what was done and how fast, what was delivered: and a score."""
    run = rehearsal.opened(here.settings.key, said.run, person.account_id)
    return await run_in_threadpool(lambda: score(run, kept.of(run, here.library), here))


def score(run: Run, live: Live, here: Clinic) -> dict[str, Any]:
    """Each expectation with the minutes it took; points in per cent."""
    rows = [_judged(live, e) for e in scenarios()[run.scenario]["expect"]]
    came = outcome.summary(live.state, here.library)
    alarm_line = here.library.value("limits_shown.ionised_calcium.alarm")
    low = live.lowest_calcium if math.isfinite(live.lowest_calcium) else None
    if live.state.run_s > 0 and live.state.ended:
        rows.append({"what": "Deliver a session that counts", "met": came.counts, "took": ""})
        rows.append({"what": "Give the blood back", "met": came.rinsed_back, "took": ""})
    rows.append({"what": f"Ionised calcium not below {alarm_line:g} mmol/L", "met": low is None or low >= alarm_line,
                 "took": "" if low is None else f"lowest {low:.2f}"})  # fmt: skip
    due = [r for r in rows if r["met"] is not None]
    return {
        "rows": rows,
        "points": round(100 * sum(bool(r["met"]) for r in due) / len(due)) if due else None,
        "plasma_removed_ml": round(came.plasma_removed_ml),
        "ac_used_ml": round(came.ac_used_ml),
        "target_ml": round(came.target_ml),
        "run_min": round(came.run_min, 1),
        "counts": came.counts,
        "hidden": [opening(line) for line in scenarios()[run.scenario]["hidden"]],
        "lowest_pressure_mm_hg": round(live.lowest_pressure) if math.isfinite(live.lowest_pressure) else None,
        "in_alarm_min": round(live.alarm_s / 60, 1),
        "alarms": [a.replace("_", " ") for a in came.alarms],
        "next_step": came.next_step.replace("_", " "),
    }


def _judged(live: Live, expect: dict[str, Any]) -> dict[str, Any]:
    at, within, now = float(expect["at_min"]), float(expect["within_min"]), live.state.run_s / 60
    if now < at:
        return {"what": expect["what"], "met": None, "took": "not reached"}
    times = [m for m, a in live.done if m >= at and any(a.startswith(word) for word in expect["any"])]
    if not times:
        return {"what": expect["what"], "met": None if now < at + within else False, "took": "not done"}
    took = min(times) - at
    return {"what": expect["what"], "met": took <= within, "took": f"after {took:.1f} min, wanted within {within:g}"}
