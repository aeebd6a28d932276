"""Labs judged after the fit: what surprised, what is not believed, what was drawn at another time than it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from opentpe.domain.consultation import Line
from opentpe.domain.learning import Judged, Learned
from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.kernel.arrays import Floats, Trajectory
from opentpe.simulation import bands, posterior, problem
from opentpe.simulation.labs import FILE, OTHERS, Lab
from opentpe.simulation.posterior import Posterior
from opentpe.simulation.problem import Problem

_UNUSUAL_SD: Final = 2.0  # a parameter this far from the population's middle is named


def labs_of(found: Posterior, prior_z: Floats, trajectory: Trajectory) -> tuple[tuple[Judged, ...], tuple[Line, ...]]:
    """Each lab with what was expected of it and its flags, and one alarm for each flag."""
    posed = found.problem
    if not posed.labs:
        return (), ()
    expected = np.exp(problem.predict(posed, prior_z))
    kept = found.weights @ posterior.lab_weights(posed, found.predicted)
    judged, alarms = [], []
    for i, lab in enumerate(posed.labs):
        flags = _flags(found, i, float(kept[i]), trajectory)
        scale, unit = _shown(lab, posed)
        judged.append(
            Judged(
                lab.measurement,
                math.exp(lab.log_value) * scale,
                bands.band(expected[:, i] * scale, unit),
                bands.band(np.exp(found.predicted[:, i]) * scale, unit, found.weights),
                float(found.surprise[i]),
                float(kept[i]),
                lab.log_sd,
                tuple(code for code, _ in flags),
            )
        )
        alarms += [Line(code, (*_named(lab), *values)) for code, values in flags]
    return tuple(judged), tuple(alarms)


def _shown(lab: Lab, posed: Problem) -> tuple[float, str]:
    if lab.kind in OTHERS:
        return 1.0, OTHERS[lab.kind]
    j = posed.columns.column(lab.kind)
    return float(posed.columns.scale[j]), posed.columns.units[j]


def _named(lab: Lab) -> tuple[tuple[str, float | str], ...]:
    m = lab.measurement
    day = round(m.time_min / MINUTES_PER_DAY, 1)
    return (("solute", m.solute), ("value", m.value), ("unit", m.unit), ("day", day))


Flag = tuple[str, tuple[tuple[str, float | str], ...]]


def _flags(found: Posterior, i: int, kept: float, trajectory: Trajectory) -> list[Flag]:
    posed, lab = found.problem, found.problem.labs[i]
    flags: list[Flag] = []
    if abs(found.surprise[i]) > posed.library.value(f"{FILE}.surprise_sd"):
        flags.append(("lab_surprising", (("sd", round(float(found.surprise[i]), 1)),)))
    if kept < posed.library.value(f"{FILE}.ordinary_weight_fraction"):
        flags.append(("lab_not_believed", (("weight", round(kept, 2)),)))
        shifted = _other_side(found, lab, trajectory)
        if shifted:
            flags.append(("lab_time_suspect", shifted))
    if _within_session(posed, lab):
        flags.append(("lab_within_session", ()))
    return flags


def _end(posed: Problem, i: int) -> float:
    p = posed.sessions[i]
    return p.start_min + (
        p.duration_min or posed.setup.run_of(p.plasma_removed_ml or posed.setup.volume_ml).duration_min
    )


def _within_session(posed: Problem, lab: Lab) -> bool:
    start = posed.sessions[lab.session].start_min
    return lab.kind not in OTHERS and start < lab.time_min < _end(posed, lab.session)


def _other_side(found: Posterior, lab: Lab, trajectory: Trajectory) -> tuple[tuple[str, float | str], ...]:
    """The side of a nearby session that a lab would fit: the clue to a wrong sample time; () where there is none."""
    posed = found.problem
    if lab.kind in OTHERS:
        return ()
    reach, fits = posed.library.value(f"{FILE}.time_shift_min"), posed.library.value(f"{FILE}.time_fits_sd")
    j, nearest = posed.columns.column(lab.kind), fits
    best: tuple[tuple[str, float | str], ...] = ()
    for i, p in enumerate(posed.sessions):
        for side, at, values in (
            ("before", p.start_min, trajectory.before),
            ("after", _end(posed, i), trajectory.after),
        ):
            if abs(at - lab.time_min) > reach or (side == "before") == (lab.time_min <= p.start_min):
                continue
            level = float(found.weights @ np.log(values[:, j, i]))
            away = abs(lab.log_value - level) / lab.log_sd
            if away < nearest:
                nearest, best = away, (("side", side), ("session", p.n))
    return best


def patient_of(found: Posterior, learned: Sequence[Learned]) -> tuple[Line, ...]:
    """Alarms about the patient: labs and prior in conflict, unusual parameters, too few rows to act on."""
    library, lines = found.problem.library, []
    if found.conflict_probability < library.value(f"{FILE}.conflict_probability"):
        lines.append(Line("prior_data_conflict", (("probability", found.conflict_probability),)))
    for p in learned:
        away = _away(p)
        if abs(away) > _UNUSUAL_SD and not p.name.endswith("synthesis"):
            lines.append(Line("parameter_unusual", (("parameter", p.name), ("sd", round(away, 1)))))
    if found.effective_rows < library.value(f"{FILE}.effective_rows"):
        lines.append(Line("few_effective_rows", (("rows", round(found.effective_rows)),)))
    return tuple(lines)


def _away(p: Learned) -> float:
    """Posterior median from the prior's, in the prior's standard deviations on the log scale."""
    sd = math.log(p.prior.p95 / p.prior.p05) / (2 * 1.645)
    return math.log(p.posterior.median / p.prior.median) / sd
