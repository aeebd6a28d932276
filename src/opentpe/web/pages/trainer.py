"""Trainer: the separator running live, with an operator's controls, hidden events, branching, scoring and debrief."""

from __future__ import annotations

import math
import secrets
import tomllib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Dose, FluidPart, Prescription
from opentpe.evidence.load import Library
from opentpe.kernel.controller import Phase
from opentpe.simulation import events, outcome, procedure
from opentpe.simulation.exchange import Exchange
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import shell
from opentpe.web.people import Person, Trainee, Writing

router: Final = APIRouter(include_in_schema=False)
SCENARIOS: Final = Path(__file__).parents[1] / "scenarios.toml"
MOST_RUNS: Final = 64  # kept in memory: a run is for training and is not a record
LONGEST_STEP_S: Final = 600
Trying = Annotated[Person, Depends(Writing("train"))]


@dataclass(frozen=True, slots=True)
class Run:
    """A training run at one moment: whose it is, its scenario, and what was done when."""

    owner: str
    scenario: str
    state: procedure.State
    done: tuple[tuple[float, str], ...] = ()
    lowest_calcium: float = math.inf
    alarm_s: int = 0
    name: str = "main"


@dataclass(slots=True)
class Runs:
    """The runs of this process; the oldest gives way."""

    kept: OrderedDict[str, Run] = field(default_factory=OrderedDict)

    def keep(self, run: Run, identifier: str = "") -> str:
        """The identifier under which the run is kept."""
        name = identifier or secrets.token_urlsafe(9)
        self.kept[name] = run
        self.kept.move_to_end(name)
        while len(self.kept) > MOST_RUNS:
            self.kept.popitem(last=False)
        return name

    def of(self, identifier: str, person: Person) -> Run:
        """A run of one's own; 404 for another's or one that gave way."""
        run = self.kept.get(identifier)
        if run is None or run.owner != person.account_id:
            raise HTTPException(404, "This run is over or was begun on another server. Start a new one.")
        return run


def _runs(request: Request) -> Runs:
    state = request.app.state
    if not hasattr(state, "training"):
        state.training = Runs()
    kept: Runs = state.training
    return kept


Training = Annotated[Runs, Depends(_runs)]


class Start(BaseModel):
    """A scenario to start."""

    model_config = ConfigDict(extra="forbid")
    scenario: Annotated[str, Field(max_length=40)]
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 1


class Step(BaseModel):
    """Seconds to let pass, and what the operator does first."""

    model_config = ConfigDict(extra="forbid")
    seconds: Annotated[int, Field(ge=0, le=LONGEST_STEP_S)]
    actions: Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=5)] = []


@lru_cache(maxsize=1)
def scenarios() -> dict[str, Any]:
    """Every scenario by key."""
    return tomllib.loads(SCENARIOS.read_text(encoding="utf-8"))


@router.get("/trainer")
@router.get("/trainer.json")
def page(request: Request, person: Trainee) -> Response:
    """The scenarios and the machine, at rest."""
    rows = [{"key": k, "title": s["title"], "story": s["story"]} for k, s in scenarios().items()]
    return shell.show(request, person, "trainer.html|Trainer|Trainer", {"scenarios": rows})


@router.post("/trainer/start")
async def start(said: Start, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """A new run at the moment the patient is connected."""
    if said.scenario not in scenarios():
        raise HTTPException(422, f"There is no scenario {said.scenario!r}.")
    state = await run_in_threadpool(begin, here.library, said.scenario, said.seed)
    run = Run(person.account_id, said.scenario, state)
    return {"run": kept.keep(run)} | shown(run, here.library)


def begin(library: Library, scenario: str, seed: int) -> procedure.State:
    """The procedure of a scenario with its hidden events, the patient connected."""
    row = scenarios()[scenario]
    about = Subject(female=True, height_cm=168.0, weight_kg=68.0, hct=0.38, age_years=34.0)
    order = Prescription(library.value("order.plasma_volumes"), Dose.PLASMA_VOLUMES, (FluidPart("albumin_5", 1.0),))
    what = Exchange(
        about, order, separator=row.get("separator", "centrifuge_continuous"), access=row.get("access", "")
    )  # fmt: skip
    happenings = [e for line in row["hidden"] for e in events.parse(line)]
    return procedure.start(what, library, seed=seed, happenings=happenings, connected=True)


@router.post("/trainer/{identifier}/step")
async def step(identifier: str, said: Step, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """The run so many seconds later, after what the operator does now."""
    run = kept.of(identifier, person)
    after = await run_in_threadpool(moved, run, said)
    kept.keep(after, identifier)
    return {"run": identifier} | shown(after, here.library)


def moved(run: Run, said: Step) -> Run:
    """The run after a step; each action is noted with its minute."""
    state = procedure.advance(run.state, said.seconds, tuple(said.actions))
    vitals, now = state.vitals[0], state.live.now[0]
    calcium = float(vitals["ionised_calcium_mmol_l"]) or math.inf
    standing = int(now["phase"]) == _ALARM
    return replace(
        run, state=state, done=(*run.done, *((run.state.run_s / 60, a) for a in said.actions)),
        lowest_calcium=min(run.lowest_calcium, calcium), alarm_s=run.alarm_s + (said.seconds if standing else 0),
    )  # fmt: skip


_ALARM: Final = int(Phase.ALARM)


@router.post("/trainer/{identifier}/branch")
def branch(identifier: str, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """A second run from this very moment: what if."""
    run = kept.of(identifier, person)
    twin = replace(run, state=procedure.branch(run.state), name=f"branch at {run.state.run_s / 60:.0f} min")
    return {"run": kept.keep(twin), "name": twin.name} | shown(twin, here.library)


def shown(run: Run, library: Library) -> dict[str, Any]:
    """What display and monitor show, the alarms with what to do, and the last lines of the journal."""
    state = run.state
    seen = {k: _plain(v) for k, v in procedure.snapshot(state).items()}
    active = [_alarm(library, name) for name in seen["alarms"]]
    return {
        "scenario": run.scenario,
        "ended": state.ended,
        "now": seen,
        "alarms": sorted(active, key=lambda a: ("high", "medium", "low").index(a["priority"])),
        "journal": [_line(e) for e in outcome.journal(state)[-12:]],
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _alarm(library: Library, name: str) -> dict[str, str]:
    row = library.document("alarms")[name]
    return {"key": name, "name": str(row["name"]), "priority": str(row["priority"]), "do": str(row["operator"])}


def _line(entry: outcome.Entry) -> dict[str, Any]:
    words = entry.subject.replace("_", " ")
    said = {"phase": f"now: {words}", "raised": f"alarm: {words}", "cleared": f"cleared: {words}"}
    said |= {"symptom": f"patient reports {words}", "retry": f"tries again: {words}", "event": words}
    return {"at_min": round(entry.at_s / 60, 1), "kind": entry.kind, "text": said.get(entry.kind, words)}


@router.post("/trainer/{identifier}/debrief")
def debrief(identifier: str, here: Here, person: Trying, kept: Training) -> dict[str, Any]:
    """What was asked for, what was done and how fast, what was delivered: and a score."""
    return score(kept.of(identifier, person), here)


def score(run: Run, here: Clinic) -> dict[str, Any]:
    """Each expectation with the minutes it took; points in per cent."""
    rows = [_judged(run, e) for e in scenarios()[run.scenario]["expect"]]
    came = outcome.summary(run.state, here.library)
    alarm_line = here.library.value("limits_shown.ionised_calcium.alarm")
    low = run.lowest_calcium if math.isfinite(run.lowest_calcium) else None
    if run.state.run_s > 0 and run.state.ended:
        rows.append({"what": "Deliver a session that counts", "met": came.counts, "took": ""})
        rows.append({"what": "Give the blood back", "met": came.rinsed_back, "took": ""})
    rows.append({"what": f"Ionised calcium not below {alarm_line:g} mmol/L", "met": low is None or low >= alarm_line,
                 "took": "" if low is None else f"lowest {low:.2f}"})  # fmt: skip
    due = [r for r in rows if r["met"] is not None]
    return {
        "rows": rows,
        "points": round(100 * sum(bool(r["met"]) for r in due) / len(due)) if due else None,
        "plasma_removed_ml": round(came.plasma_removed_ml),
        "target_ml": round(came.target_ml),
        "run_min": round(came.run_min, 1),
        "in_alarm_min": round(run.alarm_s / 60, 1),
        "alarms": [a.replace("_", " ") for a in came.alarms],
        "next_step": came.next_step.replace("_", " "),
    }


def _judged(run: Run, expect: dict[str, Any]) -> dict[str, Any]:
    at, within = float(expect["at_min"]), float(expect["within_min"])
    if run.state.run_s / 60 < at:
        return {"what": expect["what"], "met": None, "took": "not reached"}
    times = [m for m, a in run.done if m >= at and any(a.startswith(word) for word in expect["any"])]
    if not times:
        waiting = run.state.run_s / 60 < at + within
        return {"what": expect["what"], "met": None if waiting else False, "took": "not done"}
    took = min(times) - at
    return {"what": expect["what"], "met": took <= within, "took": f"after {took:.1f} min, wanted within {within:g}"}
