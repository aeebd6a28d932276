"""Which course next, for this patient: candidates screened by kinetics, the best run in full, the choice explained.

Each distinct session is run in full once per row; the course it makes is screened by linear kinetics.

Rows are the patient's posterior (the prior where there are no labs). A candidate is allowed if every limit is kept with
at least the library's probability; allowed ones are ranked by the goal. A course under way is re-planned from what
was really done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from opentpe import __version__
from opentpe.domain.consultation import Versions
from opentpe.domain.learning import PlanRanking
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import MINUTES_PER_DAY, Course
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats, Integers
from opentpe.simulation import candidates, choice, cohort, fit, labs, posterior, rank, screening, verify
from opentpe.simulation.candidates import Burden
from opentpe.simulation.choice import LIMITS, Ground, Physics, Table, Wish
from opentpe.simulation.fit import Taught

ROWS: Final = 200
FULL: Final = 6
_FRONT: Final = 60  # screened candidates kept for the trade-off plot


def plan(
    subject: Subject,
    course: Course,
    library: Library,
    unit: Mapping[str, Any],
    *,
    first: date,
    wish: Wish | None = None,
    seed: int,
    rows: int = ROWS,
    full: int = FULL,
) -> PlanRanking:
    """The ranked courses from `first` on; raises `InputError` for an unknown goal, limit or target."""
    wish = choice.checked(wish or Wish(), library)
    ground = survey(subject, course, library, unit, first, wish, seed, rows)
    table = tabulate(ground, library, wish, seed)
    complete = rank.complete(ground, library)
    order = rank.order(table, complete, wish, library)
    best = tuple(verify.in_full(ground, i, table, wish, library) for i in rank.distinct(ground, order, full))
    ranked = rank.again(best, wish, library)
    fine = rank.allowed(table, complete, wish, library)
    front = rank.front(table, order[: int(fine.sum()) or rank.POOL], _FRONT)
    return PlanRanking(
        goal=wish.goal,
        ranked=ranked,
        front=tuple(choice.told(ground, int(i), table, wish, library) for i in front),
        candidates_count=len(ground.options),
        allowed_count=int(fine.sum()),
        why=rank.why(ground, table, complete, ranked, wish, library),
        weekends=rank.weekends(ground, table, complete, wish, library),
        screened=verify.SCREENED,
        alarms=ground.taught.aside,
        versions=Versions(__version__, library.digest, library.overlaid, seed, rows),
    )


def survey(
    subject: Subject,
    course: Course,
    library: Library,
    unit: Mapping[str, Any],
    first: date,
    wish: Wish,
    seed: int,
    rows: int,
) -> Ground:
    """Patient and course as they stand on the first possible day."""
    if wish.target in cohort.given(library) and all(d.drug != wish.target for d in course.drug_doses):
        raise InputError("--target", f"{wish.target}, without a dose", "a drug the course has doses of")
    done = labs.performed(course) if any(p.status in labs.DONE for p in course.performed) else ()
    taken = tuple(p for p in done if p.status in labs.DONE)
    performed_on = _days_of(taken, course, first)
    so_far = replace(
        course,
        count=max(len(taken), 1),
        performed=tuple(replace(p, n=i + 1) for i, p in enumerate(taken)),
        schedule=replace(course.schedule, kind="daily"),
    )
    solutes = tuple(dict.fromkeys(("igg", "fibrinogen", wish.target)))
    taught = fit.learn(subject, so_far, library, unit, solutes=solutes, seed=seed, rows=max(rows, fit.ROWS // 2))
    z = posterior.resample(taught.found, seed, rows)
    kinds = candidates.kinds(subject, course, library, unit, wish.accesses)
    at_first = float((first - performed_on[0]).days * MINUTES_PER_DAY) if performed_on else 0.0
    people, amounts, now = verify.state_now(taught, z, bool(taken), ("fibrinogen", wish.target))
    counts = [_volumes(p.plasma_removed_ml, taught) for p in taken]
    least = library.value("order.partial_counts_from_plasma_volumes")
    counted = sum(v >= least for v in counts)
    target = taught.found.problem.columns.column(wish.target)
    return Ground(
        subject, so_far, taught, z, people, amounts, verify.resting_level(taught, z, target), max(at_first - now, 0.0),
        performed_on, first, kinds, candidates.options(len(kinds), counted, first, library, unit), counted, sum(counts),
    )  # fmt: skip


def _volumes(removed_ml: float | None, taught: Taught) -> float:
    setup = taught.found.problem.setup
    return (removed_ml or setup.volume_ml) / setup.plasma_volume_ml


def _days_of(taken: Sequence[Any], course: Course, first: date) -> tuple[date, ...]:
    """The calendar days of the sessions that took place; `InputError` where the plan would start before the last."""
    if not taken:
        return ()
    start = course.schedule.dates[0] if course.schedule.dates else course.schedule.start
    if start is None:
        start = taken[0].on.date() if taken[0].on else None
    if start is None:
        raise InputError(
            "course", "sessions that took place, without a date", "a schedule with dates, or `on` in session 1"
        )
    days = tuple(start + timedelta(minutes=p.start_min - taken[0].start_min) for p in taken)
    if first <= days[-1]:
        raise InputError("--on", first.isoformat(), f"a day after the last session, {days[-1].isoformat()}")
    return days


def tabulate(ground: Ground, library: Library, wish: Wish, seed: int) -> Table:
    """Every candidate screened: what it costs, which limits it keeps how surely, what falls and what is left."""
    burdens = tuple(candidates.burden(o, ground.kinds[o.kind], ground.first, library) for o in ground.options)
    columns = ground.taught.found.problem.columns
    fibrinogen, target = (
        screening.solute(
            key, ground.people, columns, ground.amounts[key], ground.lead_min, ground.kinds, ground.options, library
        )
        for key in ("fibrinogen", wish.target)
    )
    least, _ = choice.bound("fibrinogen_before_session", wish, library)
    kept = {"fibrinogen_before_session": (fibrinogen.before >= least).mean(axis=1)}
    within = verify.physics(ground, library, seed)
    of_kind = _within_sessions(ground, within, library, wish)
    which = np.array([o.kind for o in ground.options])
    kept |= {name: values[which] for name, values in of_kind.items()}
    for name, spent in _spent(ground, burdens, which).items():
        kept[name] = (spent <= choice.bound(name, wish, library)[0] + 1e-9).astype(float)
    fall = 100 * (1 - np.median(target.after / ground.resting, axis=1))
    return Table(
        burdens, np.stack([kept[name] for name in LIMITS], axis=1), np.median(fibrinogen.before, axis=1), fall, within
    )


def _within_sessions(ground: Ground, within: Sequence[Physics], library: Library, wish: Wish) -> dict[str, Floats]:
    """Probability that a session of each kind, run in full, keeps the limits within it."""
    blood = ground.people.plasma_ml + ground.people.red_cells_ml
    names = ("ionised_calcium", "blood_volume_loss", "extracorporeal_volume")
    low, loss, share = (choice.bound(n, wish, library)[0] for n in names)
    kept = []
    for kind, felt in zip(ground.kinds, within, strict=True):
        outside = library.value(f"equipment/{kind.setup.separator}.extracorporeal_volume_ml")
        fine = (
            felt.ionised_calcium_mmol_l >= low, felt.blood_volume_loss_percent <= loss, 100 * outside / blood <= share,
        )  # fmt: skip
        kept.append([float(np.mean(f)) for f in fine])
    return dict(zip(names, np.array(kept).T, strict=True))


def _spent(ground: Ground, burdens: Sequence[Burden], which: Integers) -> dict[str, Floats]:
    rates = np.array([k.run.ac_rate_ml_min_l for k in ground.kinds])[which]
    n = np.array([len(o.days) for o in ground.options])
    return {
        "citrate_rate": rates,
        "chair_time": 60 * np.array([b.chair_h for b in burdens]) / n,
        "albumin": np.array([b.albumin_g for b in burdens]),
        "plasma_units": np.array([b.plasma_units for b in burdens]),
        "staff": np.array([b.staff_h for b in burdens]),
        "cost": np.array([b.cost for b in burdens]),
    }
