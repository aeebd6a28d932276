"""What a page or a ward waits for: a decision with its trace, a fit of twenty labs, a plan of two thousand courses."""

import os
import time
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Measurement
from opentpe.evidence.load import load
from opentpe.fhir import read
from opentpe.pathway import engine
from opentpe.pathway.book import Pathway
from opentpe.pathway.unit import settings
from opentpe.simulation import cohort, fit, labs, plan, problem
from opentpe.simulation.setup import prepare

EXAMPLES = Path("examples")
FIRST = date(2026, 2, 20)
WOMAN = Subject(female=True, height_cm=165, weight_kg=60, hct=0.39, age_years=35)
COURSE = words.parse("5 x 1.0 PV every other day, albumin 5 %, inlet:AC 10:1")
_SOLUTES = ("igg", "fibrinogen")
_DAYS = (0.0, 0.09, 2.0, 2.09, 4.0, 6.0, 8.0)
_CALCIUM_DAYS = (0.0, 0.05, 2.05, 4.05, 6.05, 8.05)
_BEST_OF = 3


def _shortest(action, repeats, clock=time.perf_counter) -> float:
    best = np.inf
    for _ in range(repeats):
        start = clock()
        action()
        best = min(best, clock() - start)
    return best


def decisions_per_s(library) -> float:
    """Bundled patients that one core decides in a second, with the trace; reading apart."""
    pathway = Pathway.of(library)
    rows = tomllib.loads((EXAMPLES / "index.toml").read_text(encoding="utf-8"))
    people = [(read.read(EXAMPLES / f, date.fromisoformat(r["on"]), library), r["on"]) for f, r in rows.items()]

    def seconds(reading, on) -> float:
        return _shortest(lambda: engine.decide(reading.patient, reading.relapse, on, pathway), 200, time.process_time)

    return len(people) / sum(seconds(reading, date.fromisoformat(on)) for reading, on in people)


def twenty_labs(library, unit, calcium: bool):
    """Five sessions with twenty labs of the typical patient; six of them ionised calcium, or none."""
    taken = [(s, d, "g/L") for d in _DAYS for s in _SOLUTES] if calcium else []
    taken += [("ionised_calcium", d, "mmol/L") for d in _CALCIUM_DAYS] if calcium else []
    taken = taken or [(s, d, "g/L") for d in (*_DAYS[:5], 4.09, 6.0, 6.09, 8.0, 8.09) for s in _SOLUTES]
    blank = tuple(Measurement(s, d * MINUTES_PER_DAY, 1.0, u) for s, d, u in taken)
    course = replace(COURSE, measurements=blank)
    sessions, setup = labs.performed(course), prepare(WOMAN, course, library, unit)
    weighed, _ = labs.read(WOMAN, course, sessions, library)
    columns = cohort.columns(library, _SOLUTES)
    posed = problem.pose(WOMAN, course, setup, columns, sessions, weighed, library)
    values = np.exp(problem.predict(posed, np.zeros((1, posed.layout.width)))[0])
    told = (replace(one.measurement, value=float(v)) for one, v in zip(posed.labs, values, strict=True))
    return replace(course, measurements=tuple(told))


def rows():
    """Rows of the benchmark page: the wall on all cores, but for decisions, which are one core's own time."""
    library = load()
    unit, cores = settings(library), f"wall, {os.cpu_count()} cores"
    found = [
        ("pathway with its trace, per core", f"{decisions_per_s(library):,.0f} /s", "bundled patients", "2,000 /s")
    ]
    for name, calcium in (("20 labs", False), ("20 labs, 6 of them calcium", True)):
        course = twenty_labs(library, unit, calcium)
        seconds = _shortest(lambda course=course: fit.fit(WOMAN, course, library, unit, seed=7), _BEST_OF)
        found.append((f"fit of five sessions, {name}", f"{seconds:.2f} s", cores, "2 s"))
    ranked = plan.plan(WOMAN, COURSE, library, unit, first=FIRST, seed=3)
    seconds = _shortest(lambda: plan.plan(WOMAN, COURSE, library, unit, first=FIRST, seed=3), _BEST_OF)
    return [*found, (f"plan over {ranked.candidates_count:,} candidates", f"{seconds:.2f} s", cores, "5 s")]
