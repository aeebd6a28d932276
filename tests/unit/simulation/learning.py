"""A patient with labs, and a synthetic truth to draw labs from: what the tests of fit, plan and trial share."""

from dataclasses import replace
from functools import cache

import numpy as np

from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Course, Measurement, Procedure
from opentpe.errors import InputError  # noqa: F401 - for the tests that share this room
from opentpe.evidence.load import Library, load
from opentpe.pathway.unit import settings
from opentpe.simulation import cohort, labs, problem
from opentpe.simulation.draws import Stream, normals
from opentpe.simulation.setup import prepare

SUBJECT = Subject(female=True, height_cm=165, weight_kg=60, hct=0.39, age_years=35)
EVERY_OTHER_DAY = 2880.0
COURSE = words.parse("5 x 1.0 PV every other day, albumin 5 %, inlet:AC 10:1")


@cache
def library() -> Library:
    return load()


@cache
def unit() -> dict:
    return settings(library())


def lab(solute: str, day: float, value: float, unit: str = "g/L", **more) -> Measurement:
    return Measurement(solute, day * 1440, value, unit, **more)


def done(n: int, **changed) -> Procedure:
    return replace(
        Procedure(n, (n - 1) * EVERY_OTHER_DAY, COURSE.prescription, "performed", duration_min=95.0), **changed
    )


def with_labs(*found: Measurement, course: Course = COURSE, **changed) -> Course:
    return replace(course, measurements=found, **changed)


def true_labs(z: np.ndarray, times_d: tuple[float, ...], solutes: tuple[str, ...] = ("igg", "fibrinogen")):
    """Exact labs, without assay error, of the patient at positions `z` of the layout."""
    blank = with_labs(*(lab(s, t, 1.0) for t in times_d for s in solutes))
    posed = pose(blank)
    values = np.exp(problem.predict(posed, z[None, :])[0])
    return tuple(replace(one.measurement, value=float(v)) for one, v in zip(posed.labs, values, strict=True))


def pose(course: Course, solutes: tuple[str, ...] = ("igg", "fibrinogen")):
    sessions = labs.performed(course)
    weighed, _ = labs.read(SUBJECT, course, sessions, library())
    setup = prepare(SUBJECT, course, library(), unit())
    return problem.pose(SUBJECT, course, setup, cohort.columns(library(), solutes), sessions, weighed, library())


def patient(seed: int) -> np.ndarray:
    return normals(seed, 0, Stream.PERSON, pose(with_labs(lab("igg", 0, 9.0))).layout.width)
