"""Simulation-based calibration of labs of ionised calcium: truth and labs from the full session, as the fit sees it.

Sessions without calcium, where such labs can tell something: one lab at rest, one in each of two sessions; the third
session is forecast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from opentpe.domain import words
from opentpe.domain.therapy import MINUTES_PER_DAY, Measurement
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats
from opentpe.simulation import calibration, cohort, labs, posterior, problem
from opentpe.simulation.calibration import Calibrated
from opentpe.simulation.draws import Stream, normals
from opentpe.simulation.problem import Problem
from opentpe.simulation.setup import prepare

COURSE: Final = words.parse("3 x 1.0 PV every other day, albumin 5 %, inlet:AC 10:1, calcium gluconate 0 mL/L")
QUANTITIES: Final = ("ionised_calcium", "citrate_clearance", "citrate_transfer", "ionised calcium in session 3")
_DAYS: Final = (0.0, 0.04, 2.04, 4.04)  # the last one is forecast, not given


def calibrate(
    patients: int, library: Library, unit: Mapping[str, Any], seed: int, rows: int = calibration.ROWS
) -> tuple[Calibrated, ...]:
    """Ranks and coverage over `patients` synthetic patients of the session model itself."""
    ranks = np.array([_ranks(i, library, unit, seed, rows) for i in range(patients)])
    return tuple(calibration.told(name, ranks[:, k]) for k, name in enumerate(QUANTITIES))


def _ranks(i: int, library: Library, unit: Mapping[str, Any], seed: int, rows: int) -> list[float]:
    """Where the truth of patient i stands in its posterior, 0 to 1, for each quantity."""
    posed = _pose(i, library, unit, seed)
    z = normals(seed, i, Stream.MEASUREMENT, posed.layout.width, "truth")[None, :]
    noise = calibration.noise(seed, i, len(posed.labs), library)
    exact = problem.predict(posed, z)[0]
    drawn = tuple(
        lab._replace(log_value=v + lab.log_sd * e) for lab, v, e in zip(posed.labs, exact, noise, strict=True)
    )
    found = posterior.infer(posed._replace(labs=drawn[:-1]), seed + i, rows)
    return [
        float(found.weights @ (guess < truth[0]))
        for guess, truth in zip(_read(posed, found.z), _read(posed, z), strict=True)
    ]


def _pose(i: int, library: Library, unit: Mapping[str, Any], seed: int) -> Problem:
    subject = calibration.synthetic(i, seed, library)
    found = (Measurement(labs.CALCIUM, d * MINUTES_PER_DAY, 1.0, "mmol/L") for d in _DAYS)
    course = replace(COURSE, measurements=tuple(found))
    sessions = labs.performed(course)
    weighed, _ = labs.read(subject, course, sessions, library)
    setup = prepare(subject, course, library, unit)
    return problem.pose(subject, course, setup, cohort.columns(library, ("igg",)), sessions, weighed, library)


def _read(posed: Problem, z: Floats) -> tuple[Floats, ...]:
    """The quantities at positions: resting calcium, clearance, transfer, and the lab that was not given."""
    body = problem.session_body(posed, z, problem.people(posed, z).plasma_ml).citrate
    ahead = problem.predict(posed._replace(labs=posed.labs[-1:]), z)[:, 0]
    parts: tuple[Any, ...] = (body.calcium0, body.clearance_ml_min, body.transfer_ml_min)
    return (*(np.broadcast_to(p, (len(z),)) for p in parts), ahead)
