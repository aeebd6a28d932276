"""The harms of a simulated course: what the run itself drives, and what the order and the patient add."""

from __future__ import annotations

import numpy as np

from opentpe.domain.consultation import Risk
from opentpe.domain.decision import Decision
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats, Trajectory
from opentpe.simulation import appraise, harm
from opentpe.simulation.cohort import Columns
from opentpe.simulation.harm import Physiology
from opentpe.simulation.physiology import Attended, calcium_fall_percent, volume_loss_percent
from opentpe.simulation.setup import Setup

_FOLLOWED_DAYS = 30.0  # the infection row counts 30 days


def risks(
    setup: Setup,
    columns: Columns,
    trajectory: Trajectory,
    time_min: Floats,
    attended: Attended | None,
    library: Library,
    seed: int,
    decision: Decision | None,
) -> tuple[Risk, ...]:
    """The risk table of a course, driven by calcium, blood volume, fibrinogen and IgG of the same draws."""
    sessions = trajectory.before.shape[2]
    facts = appraise.harm_facts(setup.prescription, sessions, setup.volume_ml, library, decision)
    low_igg = library.value("equations/harm.igg_link.below_g_l")
    physiology = Physiology(
        ionised_calcium_fall_pct=calcium_fall_percent(attended) if attended else None,
        blood_volume_loss_pct=volume_loss_percent(attended) if attended else None,
        fibrinogen_nadir_g_l=trajectory.after[:, columns.column("fibrinogen")]
        if "fibrinogen" in columns.keys
        else None,
        igg_below_5_fraction=_below(trajectory, columns, time_min, low_igg) if "igg" in columns.keys else None,
    )
    return harm.risks(facts, physiology, library, seed, trajectory.status.size)


def _below(trajectory: Trajectory, columns: Columns, time_min: Floats, limit: float) -> Floats:
    """Share of the first 30 days that each draw's IgG spends below a limit."""
    inside = (time_min >= 0) & (time_min <= _FOLLOWED_DAYS * MINUTES_PER_DAY)
    time, igg = time_min[inside], trajectory.concentration[:, columns.column("igg")][:, inside]
    low = (igg < limit).astype(float)
    spent: Floats = np.sum(0.5 * (low[:, 1:] + low[:, :-1]) * np.diff(time), axis=1)
    return spent / float(time[-1] - time[0])
