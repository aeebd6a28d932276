"""Every session of virtual patients by the full session model: ionised calcium, blood volume and pressure.

What `detail = "full"` of a trial asks for, in place of the screened formulas. Albumin and globulin enter each session
as the solutes of the course left them; a patient's session parameters are drawn by number, alike in every arm.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from opentpe.errors import InvariantError
from opentpe.evidence.load import Library
from opentpe.kernel import chair, patient
from opentpe.kernel import session as kernel
from opentpe.kernel.arrays import Cohort, Floats, Integers, Trajectory
from opentpe.simulation import bodies, calcium, session
from opentpe.simulation.bodies import Known
from opentpe.simulation.cohort import Columns
from opentpe.simulation.population import Group
from opentpe.simulation.setup import Setup

SOLUTES: Final = ("albumin",)  # what the sessions read from the course beside IgG
_LOWS: Final = tuple(chair.QUANTITIES.index(q) for q in ("ionised_calcium", "relative_blood_volume", "mean_pressure"))


class Felt(NamedTuple):
    """What each session did to each patient; the value at rest, and no loss, where a session did not take place."""

    resting_calcium_mmol_l: Floats  # (patients,)
    calcium_mmol_l: Floats  # (patients, sessions) lowest
    volume_loss_percent: Floats  # (patients, sessions) deepest, 0 or more
    mean_pressure_mm_hg: Floats  # (patients, sessions) lowest


class Given(NamedTuple):
    """What was done: the order, and plasma removed from each patient in each session, 0 for none."""

    setup: Setup | None
    plasma_ml: Floats  # (patients, sessions)


def sessions(
    group: Group, given: Given, columns: Columns, people: Cohort, found: Trajectory, library: Library, seed: int
) -> Felt:
    """Every session in full; raises `InvariantError` where a run broke a law of physics."""
    bodies_of = bodies.people(group, Known(people.plasma_ml), library, seed, group.rows)
    n, count = given.plasma_ml.shape
    rest = np.broadcast_to(bodies_of.citrate.calcium0, (n,)).astype(float)
    pressure = np.broadcast_to(bodies_of.circulation.mean_pressure0, (n,)).astype(float)
    lows = np.stack([rest, np.zeros(n), pressure], axis=1)[:, None, :].repeat(count, axis=1)
    if given.setup is not None:
        for k in range(count):
            here = np.flatnonzero(given.plasma_ml[:, k] > 0)
            if here.size:
                own = calcium.before(bodies_of, columns, people, found, k)
                lows[here, k] = _lowest(own, here, group, given.setup, given.plasma_ml[:, k], library)
    return Felt(rest, lows[:, :, 0], np.maximum(0.0, -lows[:, :, 1]), lows[:, :, 2])


def _lowest(
    people: patient.Person, here: Integers, group: Group, setup: Setup, plasma_ml: Floats, library: Library
) -> Floats:
    """The lowest of each quantity in one session of the patients `here`; (patients, quantities)."""
    plain: Any = session.order_of(setup, library)
    order = plain._replace(
        plasma_ml=plasma_ml[here], hct=group.hct[here], blood_ml=(group.plasma_volume_ml / (1 - group.hct))[here]
    )
    out = kernel.session_all(
        bodies.law(library), _some(people, here), order, session.recipes(setup, library)[None], kernel.PLANNING
    )
    if np.any(out.status):
        bad = group.rows[here[np.flatnonzero(out.status)[:5]]].tolist()
        raise InvariantError("sessions of virtual patients broke an invariant and are refused", {"patients": bad})
    lows: Floats = out.low[:, _LOWS]
    return lows


def _some(people: patient.Person, here: Integers) -> patient.Person:
    """The patients at these rows; a number that is the same in all stays one number."""

    def kept(record: Any) -> Any:
        return type(record)(*(np.asarray(v)[here] if np.ndim(v) else v for v in record))

    return patient.Person(*map(kept, people))
