"""Ionised calcium at a moment of a session, by the full session: what a lab of it is weighed by.

A lab drawn while the exchange runs is compared with the session cut short at that moment, one drawn in the time after
it with the whole session and that much rest. Every other lab is compared with the resting value. The session's own
parameters (citrate clearance, transfer, calcium buffer, …) are positions of the fit like those of the solutes.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from opentpe.domain.therapy import Procedure
from opentpe.evidence.load import Library
from opentpe.kernel import chair, patient
from opentpe.kernel import session as kernel
from opentpe.kernel.arrays import Cohort, Floats, Trajectory
from opentpe.simulation import bodies, session
from opentpe.simulation.bodies import Bodied, Known
from opentpe.simulation.cohort import Columns
from opentpe.simulation.draws import Normal, Stream
from opentpe.simulation.setup import Setup

_FELT: Final = (Stream.CITRATE, Stream.FLUID, Stream.TURNOVER)  # what moves calcium; heart and cells do not
_IONISED: Final = chair.QUANTITIES.index("ionised_calcium")
_NOBODY: Final = 1e-6  # mmol/L, for a row that no body could live with: its weight vanishes


class Moment(NamedTuple):
    """When a lab was drawn: how much of the exchange had run, and minutes after its end."""

    done_fraction: float
    rest_min: float


def moment(time_min: float, procedure: Procedure, planned_min: float, library: Library) -> Moment | None:
    """Where in a session a time lies; None outside a session and the hour after it."""
    duration = procedure.duration_min or planned_min
    into = time_min - procedure.start_min
    if not 0 < into <= duration + library.value("equations/fluid.after_min"):
        return None
    return Moment(min(1.0, into / duration), max(0.0, into - duration))


def body(subject: Bodied, known: Known, library: Library, normal: Normal) -> patient.Person:
    """The patient of the session at the positions that `normal` gives; heart and cells as in the middle."""

    def felt(stream: Stream, name: str, count: int) -> Floats:
        return normal(stream, name, count) if stream in _FELT else np.zeros((known.plasma_ml.size, count))

    return bodies.people_at(subject, known, library, felt)


def before(people: patient.Person, columns: Columns, cohort: Cohort, found: Trajectory, k: int) -> patient.Person:
    """The patient as session `k` begins: albumin and globulin as the solutes of the course left them."""
    standing: Any = people.standing
    if k < found.before.shape[2]:
        igg = columns.column("igg")
        left = found.before[:, igg, k] / cohort.concentration[:, igg]
        standing = standing._replace(globulin=standing.globulin * left)
        if "albumin" in columns.keys:
            standing = standing._replace(albumin=found.before[:, columns.column("albumin"), k])
    return people._replace(standing=standing)


def at(people: patient.Person, setup: Setup, volume_ml: float, when: Moment, library: Library) -> Floats:
    """Ionised calcium of every row at a moment of a session of `volume_ml`, mmol/L."""
    whole = when.done_fraction >= 1.0
    order = session.order_of(setup, library, session.PLAIN._replace(rinseback=whole))
    order = order._replace(plasma_ml=when.done_fraction * volume_ml, after_min=when.rest_min)
    recipes = cut(session.recipes(setup, library), when.done_fraction)[None]
    out = kernel.session_all(bodies.law(library), people, order, recipes, kernel.PLANNING)
    mark = out.last if when.rest_min > 0 else out.at_end
    found: Floats = np.where(out.status == 0, mark[:, _IONISED], _NOBODY)
    return np.maximum(np.nan_to_num(found, nan=_NOBODY), _NOBODY)


def cut(recipe: Any, done_fraction: float) -> Any:
    """The fluids of a session cut short: those given until then, as shares of what was given."""
    ends = np.cumsum(recipe[:, 0])
    given = np.clip(np.minimum(ends, done_fraction * ends[-1]) - (ends - recipe[:, 0]), 0.0, None)
    short = recipe.copy()
    short[:, 0] = given / given.sum()
    return short
