"""Every session of a course as the body feels it: calcium, blood volume, pressure, and the plasma volume they leave.

The solutes run first at rest volume and lend albumin and IgG to each session; the sessions lend the plasma volume back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Procedure
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Cohort, Floats, Integers, Trajectory
from opentpe.kernel.timeline import Volume
from opentpe.simulation import bodies, session
from opentpe.simulation.bodies import Known
from opentpe.simulation.cohort import Columns
from opentpe.simulation.session import Ran
from opentpe.simulation.setup import Setup


class Attended(NamedTuple):
    """The sessions of a course, one row a draw, and the plasma volume over the whole course."""

    sessions: tuple[Ran, ...]
    volume: tuple[Volume, ...]


def attend(
    subject: Subject,
    setup: Setup,
    procedures: Sequence[Procedure],
    columns: Columns,
    people: Cohort,
    at_rest: Trajectory,
    library: Library,
    seed: int,
    rows: Integers,
    *,
    recorded: bool = True,
) -> Attended:
    """Runs every session with the albumin and globulin the draws have by then; the first one is recorded by minute."""
    ran: list[Ran] = []
    drawn = bodies.people(subject, Known(people.plasma_ml), library, seed, rows)
    for k, procedure in enumerate(procedures):
        known = _known(columns, people, at_rest, k, ran[0] if ran else None)
        ran.append(
            session.run(
                subject, setup, known, library, seed, rows,
                volume_ml=procedure.plasma_removed_ml, recorded=recorded and k == 0, drawn=drawn,
            )
        )  # fmt: skip
    starts = [p.start_min for p in procedures]
    return Attended(tuple(ran), _knots(ran, starts, library))


# Proteins that total protein less albumin counts; those of them that are simulated stand for the rest, by mass.
_GLOBULINS: Final = ("igg", "iga", "igm", "c3", "c4", "a2_macroglobulin", "antithrombin")


def _known(columns: Columns, people: Cohort, at_rest: Trajectory, k: int, first: Ran | None) -> Known:
    albumin = globulin = None
    if "albumin" in columns.keys:
        albumin = at_rest.before[:, columns.column("albumin"), k]
    simulated = [columns.column(name) for name in _GLOBULINS if name in columns.keys]
    if first is not None and simulated:
        left = at_rest.before[:, simulated].sum(axis=1)
        globulin = first.before("globulin") * left[:, k] / left[:, 0]
    return Known(people.plasma_ml, albumin, globulin)


def _knots(ran: Sequence[Ran], starts: Sequence[float], library: Library) -> tuple[Volume, ...]:
    """Plasma volume over the course: each session's profile, cut where the next one begins.

    The profile starts with the exchange, so that a value before the session is one from before the circuit filled.
    """
    knots: list[Volume] = []
    for one, start in zip(ran, starts, strict=True):
        filling = float(one.outcome.segment_min[:, 0].mean())
        profile = session.volume_ratio(one, start + filling, library)
        knots = [k for k in knots if k.time_min < profile[0].time_min]
        knots += profile
    return tuple(knots)


def calcium_fall_percent(attended: Attended) -> Floats:
    """Deepest fall of ionised calcium, (draws, sessions)."""
    return np.stack([one.fall_percent("ionised_calcium") for one in attended.sessions], axis=1)


def volume_loss_percent(attended: Attended) -> Floats:
    """Deepest loss of relative blood volume, (draws, sessions), 0 or more."""
    return np.stack([np.maximum(0.0, -one.low("relative_blood_volume")) for one in attended.sessions], axis=1)
