"""Runs a published exchange or dosing study through the product's own bridge and kernel, arm by arm.

An arm names sessions (plasma volumes each, hours of their starts, minutes, fluids, sieve), doses and measured starting
values. Times: `pre2`, `post3` (session 2, 3), `24h`, `7d` (after the last session; after the last dose where there is
none).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Course, Dose, DrugDose, FluidPart, Prescription, Schedule
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel import march, timeline
from opentpe.kernel.arrays import Cohort, Floats, Trajectory
from opentpe.simulation import cohort
from opentpe.simulation.cohort import Columns
from opentpe.simulation.published import SEED, Asked, Table
from opentpe.simulation.setup import Setup, prepare

DRAWS: Final = 400
_GRID_MIN: Final = 360.0
_WHEN: Final = re.compile(r"(pre|post)(\d+)|(\d+(?:\.\d+)?)(h|d)|course")


class Arm(NamedTuple):
    """One arm as it came out of the kernel."""

    table: Table
    columns: Columns
    people: Cohort
    trajectory: Trajectory
    times: Floats
    end_min: float
    minutes: float
    plain: Trajectory | None  # the same without sessions, where a metric compares


def run(study: Table, observed: Sequence[Asked], library: Library) -> list[Floats]:
    """One array of draws for each published result."""
    arms = {
        table["key"]: _arm(study, table, [o for o in observed if o.arm == table["key"]], library)
        for table in study["arm"]
    }
    return [_METRICS[o.metric](arms[o.arm], o) for o in observed]


def _subject(study: Table, arm: Table) -> Subject:
    s = {**study["subject"], **arm.get("subject", {})}
    measured = tuple((k, float(v)) for k, v in {**study.get("measured", {}), **arm.get("measured", {})}.items())
    return Subject(
        s["sex"] == "female", s["height_cm"], s["weight_kg"], s["hct"], s.get("age_years"), measured=measured
    )


def _arm(study: Table, arm: Table, asked: Sequence[Asked], library: Library) -> Arm:
    subject = _subject(study, arm)
    fluids = tuple(FluidPart(f, share) for f, share in arm.get("fluids", [["albumin_5", 1.0]]))
    order = Prescription(1.0, Dose.PLASMA_VOLUMES, fluids)
    setup = prepare(subject, Course(1, order, Schedule("daily")), library, library.document("unit"))
    if "plasma_volume_ml" in study["subject"]:
        setup = replace(setup, plasma_volume_ml=float(study["subject"]["plasma_volume_ml"]))
    drugs = [d["drug"] for d in arm.get("doses", ())]
    names = [name for o in asked for name in re.split(r"[+>]", o.solute) if name != "platelets"]
    columns = cohort.columns(library, list(dict.fromkeys(names + drugs)) or ["igg"])
    people = cohort.people(subject, columns, setup, library, SEED, np.arange(DRAWS))
    sessions, doses = _sessions(arm, setup), _doses(arm, columns, subject, library)
    end = max([s.start_min + s.duration_min for s in sessions], default=max([d.time_min for d in doses], default=0.0))
    times = _times(asked, end, min([0.0, *(d.time_min for d in doses)]))
    content = cohort.fluid_table(setup, columns, library)
    plan = timeline.build(sessions, doses, float(times[-1]), times, content, _sieves(study, columns))
    plain = timeline.build([], doses, float(times[-1]), times, content, _sieves(study, columns))
    compares = any(o.metric == "auc_change" for o in asked)
    return Arm(
        arm,
        columns,
        people,
        march.course_all(people, plan),
        times,
        end,
        float(arm.get("minutes", 120)),
        march.course_all(people, plain) if compares else None,
    )


def _sessions(arm: Table, setup: Setup) -> list[timeline.Session]:
    minutes = float(arm.get("minutes", 120))
    volume = float(arm.get("volume_ml", arm.get("plasma_volumes", 0.0) * setup.plasma_volume_ml)) * arm.get(
        "scale", 1.0
    )
    starts = arm.get("starts_h", [])
    sieves = arm.get("sieves", [0] * len(starts))
    return [
        timeline.Session(
            60.0 * start,
            minutes,
            volume / minutes,
            volume / minutes,
            tuple((i, share) for i, (_, share) in enumerate(setup.fluids)),
            sieve,
            float(arm.get("platelet_loss_fraction", 0.0)),
        )
        for start, sieve in zip(starts, sieves, strict=True)
    ]


def _doses(arm: Table, columns: Columns, subject: Subject, library: Library) -> list[timeline.Dose]:
    given = [
        DrugDose(d["drug"], 60.0 * d["hour"], float(d["mg"]) if "mg" in d else d["mg_kg"] * subject.weight_kg)
        for d in arm.get("doses", ())
    ]
    return [cohort.dose(d, columns, subject, library) for d in given]


def _sieves(study: Table, columns: Columns) -> Floats:
    rows = [{}, *study.get("sieve", ())]
    return np.array([[row.get(key, 1.0) for key in columns.keys] for row in rows], float)


def _times(asked: Sequence[Asked], end: float, start: float) -> Floats:
    wanted = [end + _offset(o.when) for o in asked]
    last = max([end + MINUTES_PER_DAY, *wanted])
    return np.unique([*np.arange(start, last, _GRID_MIN), *wanted, end, last])


def _offset(when: str) -> float:
    match = _WHEN.fullmatch(when)
    if match is None:
        raise InputError("observed.csv, when", repr(when), 'such as "pre2", "post3", "24h", "7d" or "course"')
    return float(match[3]) * (60.0 if match[4] == "h" else MINUTES_PER_DAY) if match[3] else 0.0


def _level(arm: Arm, solute: str, when: str) -> Floats:
    """Concentration (platelet count) of each draw at a time; solutes joined by + are summed."""
    match = _WHEN.fullmatch(when)
    assert match
    if match[1]:
        k, before = int(match[2]) - 1, match[1] == "pre"
        if solute == "platelets":
            return (arm.trajectory.platelets_before if before else arm.trajectory.platelets_after)[:, k]
        field = arm.trajectory.before if before else arm.trajectory.after
        return _sum(arm, field, solute)[:, k]
    at = int(np.searchsorted(arm.times, arm.end_min + _offset(when)))
    if solute == "platelets":
        return arm.trajectory.platelets[:, at]
    return _sum(arm, arm.trajectory.concentration, solute)[:, at]


def _sum(arm: Arm, field: Floats, solute: str) -> Floats:
    total: Floats = sum(field[:, arm.columns.column(s)] for s in solute.split("+"))  # type: ignore[assignment]
    return total


def _start(arm: Arm, solute: str) -> Floats:
    return _level(arm, solute, "pre1") if arm.table.get("starts_h") else _course(arm, solute)[:, 0]


def _course(arm: Arm, solute: str) -> Floats:
    return _sum(arm, arm.trajectory.concentration, solute)


def _remaining(arm: Arm, o: Asked) -> Floats:
    share: Floats = 100 * _level(arm, o.solute, o.when) / _start(arm, o.solute)
    return share


def _concentration(arm: Arm, o: Asked) -> Floats:
    level: Floats = _level(arm, o.solute, o.when) * arm.columns.scale[arm.columns.column(o.solute)]
    return level


def _nth(o: Asked) -> int:
    match = _WHEN.fullmatch(o.when)
    assert match
    assert match[2]
    return int(match[2]) - 1


def _removed_g(arm: Arm, o: Asked) -> Floats:
    grams: Floats = arm.trajectory.removed[:, arm.columns.column(o.solute), _nth(o)] / 1000
    return grams


def _fall(arm: Arm, o: Asked) -> Floats:
    """Fall over one session, per cent of its own start."""
    before = _level(arm, o.solute, o.when.replace("post", "pre"))
    fall: Floats = 100 * (1 - _level(arm, o.solute, o.when) / before)
    return fall


def _influx(arm: Arm, o: Asked) -> Floats:
    """Removed plus remaining over the plasma mass before the session, minus one, per cent."""
    j, k = arm.columns.column(o.solute), _nth(o)
    mass = arm.trajectory.before[:, j, k] * arm.people.plasma_ml
    left = arm.trajectory.after[:, j, k] * arm.people.plasma_ml
    excess: Floats = 100 * ((arm.trajectory.removed[:, j, k] + left) / mass - 1)
    return excess


def _clearance_ratio(arm: Arm, o: Asked) -> Floats:
    """Clearance by the session over the body's own clearance."""
    j, k = arm.columns.column(o.solute), _nth(o)
    before, after = arm.trajectory.before[:, j, k], arm.trajectory.after[:, j, k]
    mean = (before - after) / np.log(before / after)
    by_session = arm.trajectory.removed[:, j, k] / (mean * arm.minutes)
    own = arm.people.catabolic_rate[:, j] * arm.people.central_ratio[:, j] * arm.people.plasma_ml
    ratio: Floats = by_session / own
    return ratio


def _auc_change(arm: Arm, o: Asked) -> Floats:
    assert arm.plain is not None
    j = arm.columns.column(o.solute)
    with_sessions, without = (
        np.trapezoid(t.concentration[:, j], arm.times, axis=1) for t in (arm.trajectory, arm.plain)
    )
    return np.asarray(100 * (with_sessions / without - 1))


def _lowest(arm: Arm, o: Asked) -> Floats:
    """Lowest level of the course, per cent of the start."""
    course = _course(arm, o.solute)
    share: Floats = 100 * np.min(course, axis=1) / course[:, 0]
    return share


def _day_of_lowest(arm: Arm, o: Asked) -> Floats:
    day: Floats = (arm.times[_course(arm, o.solute).argmin(axis=1)] - arm.end_min) / MINUTES_PER_DAY
    return day


def _highest(arm: Arm, o: Asked) -> Floats:
    """Highest level after the last dose, in the unit shown."""
    after = arm.times > arm.end_min - 1
    top: Floats = _course(arm, o.solute)[:, after].max(axis=1) * arm.columns.scale[arm.columns.column(o.solute)]
    return top


def _below_margin(arm: Arm, o: Asked) -> Floats:
    """How far the lowest of the solutes named first stands above the highest of those named after `>`, in points."""
    higher, lower = (side.split("+") for side in o.solute.split(">"))
    levels = {s: 100 * _level(arm, s, o.when) / _start(arm, s) for s in (*higher, *lower)}
    margin: Floats = np.min([levels[s] for s in higher], axis=0) - np.max([levels[s] for s in lower], axis=0)
    return margin


_METRICS: Final[Mapping[str, Callable[[Arm, Asked], Floats]]] = {
    "remaining": _remaining,
    "reduction": lambda arm, o: 100 - _remaining(arm, o),
    "concentration": _concentration,
    "removed_g": _removed_g,
    "fall_in_session": _fall,
    "influx": _influx,
    "clearance_ratio": _clearance_ratio,
    "auc_change": _auc_change,
    "lowest": _lowest,
    "day_of_lowest": _day_of_lowest,
    "highest": _highest,
    "margin": _below_margin,
}
