"""Which uncertain parameter matters: Sobol indices of kinetic endpoints for the median virtual patient (SALib)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from opentpe.domain import words
from opentpe.domain.learning import Estimated, Influence
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel import march
from opentpe.kernel.arrays import Floats
from opentpe.kernel.normal import ndtri
from opentpe.simulation import cohort, population, problem, setup, virtual
from opentpe.simulation.draws import Stream
from opentpe.simulation.protocol import Spec

_MEDIAN_OF: Final = 501  # virtual patients, whose middle one by plasma volume is the reference
_EDGE: Final = 1e-6
# Names of positions, by stream and block, in the order in which `cohort` draws them.
_NAMES: Final = {
    (Stream.DEVICE, "efficiency"): ("removal_efficiency",),
    (Stream.VOLUME, ""): ("plasma_volume", "delivered_dose"),
    (Stream.TURNOVER, "fcrn"): ("fcrn_free_rate", "fcrn_half", "blocker_half", "blocker_loss"),
    (Stream.TURNOVER, "escape"): ("escape_shared",),
    (Stream.CELLS, ""): ("platelet_return",),
}
_SOLUTE: Final = ("intravascular_fraction", "catabolic_rate", "escape_rate")


def sobol(spec: Spec, library: Library, unit: Mapping[str, Any]) -> tuple[Influence, ...]:
    """First-order and total index of every parameter for each asked endpoint, in the first arm with an exchange."""
    asked = spec.sensitivity
    if not asked.samples or not asked.endpoints:
        return ()
    try:
        from SALib.analyze import sobol as analyse  # noqa: PLC0415 - the extra `tables`
        from SALib.sample import sobol as sample  # noqa: PLC0415 - the extra `tables`
    except ModuleNotFoundError:
        raise InputError(
            "opentpe", "no SALib", "the extra [tables]", "Install it: pip install 'opentpe[tables]'"
        ) from None
    arm = next(a for a in spec.arms if a.parsed is not None)
    posed = _reference(spec, arm.course, library, unit)
    names = _named(posed.layout)
    space = {"num_vars": len(names), "names": names, "bounds": [[_EDGE, 1 - _EDGE]] * len(names)}
    positions = ndtri(sample.sample(space, asked.samples, calc_second_order=False, seed=spec.seed))
    found = _endpoints(posed, positions)
    told = []
    for name in asked.endpoints:
        indices = analyse.analyze(space, found[name], calc_second_order=False, seed=spec.seed)
        told += [
            Influence(name, p, _estimated(indices, "S1", i), _estimated(indices, "ST", i)) for i, p in enumerate(names)
        ]
    return tuple(sorted(told, key=lambda t: (asked.endpoints.index(t.endpoint), -t.total.value)))


def _estimated(indices: Mapping[str, Any], key: str, i: int) -> Estimated:
    value, half = float(indices[key][i]), float(indices[f"{key}_conf"][i])
    return Estimated(value, value - half, value + half)


def _reference(spec: Spec, course: str, library: Library, unit: Mapping[str, Any]) -> problem.Problem:
    """The median virtual patient with the arm's course and no labs."""
    group = population.draw(spec.population, library, spec.seed, np.arange(_MEDIAN_OF))
    middle = int(np.argsort(group.plasma_volume_ml)[_MEDIAN_OF // 2])
    subject = population.person(group, middle)
    subject = type(subject)(subject.female, subject.height_cm, subject.weight_kg, subject.hct, subject.age_years)
    arm = words.parse(course)
    order = setup.prepare(subject, arm, library, unit)
    columns = cohort.columns(library, ("igg", "fibrinogen"))
    return problem.pose(subject, arm, order, columns, arm.procedures(), (), library)


def _named(layout: problem.Layout) -> list[str]:
    names = []
    for stream, block, count in layout.blocks:
        for k in range(count):
            fixed = _NAMES.get((stream, block))
            if fixed:
                names.append(fixed[k])
            elif stream is Stream.TURNOVER and block.endswith((" level", " escape")):
                names.append(block.replace(" level", " resting level"))
            elif stream is Stream.TURNOVER:
                names.append(f"{block} {_SOLUTE[k]}")
            else:
                names.append(f"{stream.name.lower()} {block} {k + 1}")
    return names


def _endpoints(posed: problem.Problem, positions: Floats) -> dict[str, Floats]:
    runs = problem.runs_of(posed.setup, posed.sessions)
    day_14 = posed.sessions[-1].start_min + virtual.AFTER_DAYS * 1440
    plan = problem.schedule(posed.setup, posed.columns, posed.subject, runs, (), np.array([day_14]), posed.library)
    people = problem.people(posed, positions)
    out = march.course_all(people, plan)
    igg, fib = (posed.columns.column(k) for k in ("igg", "fibrinogen"))
    return {
        "igg_fall_percent": 100 * (1 - out.after[:, igg, -1] / people.concentration[:, igg]),
        "igg_day_14_g_l": out.concentration[:, igg, -1],
        "fibrinogen_lowest_before_g_l": out.before[:, fib, 1:].min(axis=1),
        "fibrinogen_after_last_g_l": out.after[:, fib, -1],
    }
