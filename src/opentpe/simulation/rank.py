"""Which candidate is first and why: limits first, then the goal; the trade-offs, and what free weekends cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from opentpe.domain import words
from opentpe.domain.consultation import Line
from opentpe.domain.learning import Candidate
from opentpe.evidence.load import Library
from opentpe.kernel.arrays import Floats, Integers
from opentpe.simulation import choice
from opentpe.simulation.candidates import FILE
from opentpe.simulation.choice import LIMITS, Ground, Table, Wish

POOL: Final = 400  # of the best candidates, among which trade-offs are shown where none is allowed
SAME_DAYS: Final = 2  # of the candidates run in full: the others show what other days would give
Flags = npt.NDArray[np.bool_]


def complete(ground: Ground, library: Library) -> Flags:
    """True for each candidate that makes the course complete: sessions and plasma volumes, those done included."""
    sessions = np.array([len(o.days) for o in ground.options])
    volumes = np.array([ground.kinds[o.kind].plasma_volumes for o in ground.options])
    least = library.value("order.partial_counts_from_plasma_volumes")
    counts = ground.counted + np.where(volumes >= least - 1e-9, sessions, 0)
    total = ground.volumes_done + sessions * volumes
    return np.asarray(
        (counts >= library.value(f"{FILE}.complete.sessions_count"))
        & (total >= library.value(f"{FILE}.complete.plasma_volumes") - 1e-9)
    )


def needed(wish: Wish, library: Library) -> float:
    """The probability with which each limit has to be kept."""
    return library.value(f"{FILE}.kept_probability") if wish.kept_probability is None else wish.kept_probability


def allowed(table: Table, whole: Flags, wish: Wish, library: Library) -> Flags:
    """True for each complete candidate that keeps every limit surely enough and stays on open days where it must."""
    days = np.array([wish.weekends or not b.weekend_sessions for b in table.burdens])
    return np.asarray(whole & days & (table.kept >= needed(wish, library)).all(axis=1))


def order(table: Table, whole: Flags, wish: Wish, library: Library) -> Integers:
    """Candidates best first: allowed before not allowed, then by goal, then by what is spared."""
    fine = allowed(table, whole, wish, library)
    days, chair, albumin = (np.array([getattr(b, n) for b in table.burdens]) for n in ("days", "chair_h", "albumin_g"))
    goal = {"days": np.ceil(days), "fall": -np.round(table.fall), "chair": np.round(chair, 1)}[wish.goal]
    short = np.where(fine, 0.0, np.round(1 - table.kept.min(axis=1), 2))
    weekend = np.array([float(not wish.weekends and b.weekend_sessions > 0) for b in table.burdens])
    sure = -np.round(table.kept.min(axis=1), 1)
    keys = (albumin, np.ceil(days), -np.round(table.fall / 5), sure, goal, weekend, short, ~whole, ~fine)
    return np.lexsort(keys)


def again(best: Sequence[Candidate], wish: Wish, library: Library) -> tuple[Candidate, ...]:
    """The candidates that were run in full, in the order of their full numbers."""
    surely = needed(wish, library)

    def key(c: Candidate) -> tuple[float, ...]:
        fall = dict(c.values)["fall_percent"].median
        goal = {"days": np.ceil(c.days), "fall": -round(fall), "chair": round(c.chair_h, 1)}[wish.goal]
        return (float(c.all_kept_probability < surely), float(goal))

    return tuple(sorted(best, key=key))


def front(table: Table, among: Integers, most: int) -> Integers:
    """Those of some candidates that no other beats in days, fall and fibrinogen at once, fewest days first."""
    days = np.ceil([table.burdens[i].days for i in among])
    costs = np.stack([days, -table.fall[among], -table.fibrinogen[among]], axis=1).round(2)
    _, first = np.unique(costs, axis=0, return_index=True)
    kept = [i for i in first if not np.any(np.all(costs <= costs[i], axis=1) & np.any(costs < costs[i], axis=1))]
    return among[np.array(sorted(kept, key=lambda i: costs[i].tolist())[:most], np.int64)]


def why(
    ground: Ground, table: Table, whole: Flags, ranked: Sequence[Candidate], wish: Wish, library: Library
) -> tuple[Line, ...]:
    """Why the first one won: the goal it meets, the limit that stops the better ones, and what it gives up."""
    fine = allowed(table, whole, wish, library)
    best = ranked[0]
    lines = [_headline(best, wish, library, found=bool(fine.any()))]
    if not fine.any():
        lines.append(_tightest(table, whole))
        return tuple(lines)
    lines += _hurried(ground, best, library)
    stopped = _stopped(ground, table, whole, best, wish, library)
    lines += [stopped] if stopped else []
    lines += _given_up(table, fine, best)
    if len(ranked) > 1:
        lines.append(
            choice.line("plan_runner_up", words=_briefly(ranked[1]), days=_days(ranked[1]), kept=_surely(ranked[1]))
        )
    return tuple(lines)


def _hurried(ground: Ground, best: Candidate, library: Library) -> list[Line]:
    """Says so where the course would end sooner than courses in the trials did."""
    low, high = (library.value(f"{FILE}.usual.days_{side}") for side in ("low", "high"))
    begun = ground.performed_on[0] if ground.performed_on else date.fromisoformat(best.dates[0])
    days = (date.fromisoformat(best.dates[-1]) - begun).days + 1
    return [choice.line("plan_faster_than_usual", days=days, low=round(low), high=round(high))] if days < low else []


def _headline(best: Candidate, wish: Wish, library: Library, *, found: bool) -> Line:
    code = f"plan_best_{wish.goal}" if found else "plan_none_allowed"
    return choice.line(
        code,
        words=_briefly(best),
        days=_days(best),
        sessions=best.sessions_count,
        chair=round(best.chair_h, 1),
        fall=round(dict(best.values)["fall_percent"].median),
        target=wish.target,
        kept=_surely(best),
        needed=round(100 * needed(wish, library)),
    )


def _briefly(c: Candidate) -> str:
    """What is still to do: sessions, dose, days and fluids; dates as ISO text, which the report writes out."""
    order = c.course.prescription
    fluids = " then ".join(
        f"{'' if p.fraction == 1 else f'{100 * p.fraction:g} % '}{words.fluid_words(p.fluid)}" for p in order.fluids
    )
    return f"{c.sessions_count} sessions of {order.dose:g} PV on {', '.join(c.dates)}, {fluids}"


def distinct(ground: Ground, order: Integers, most: int) -> list[int]:
    """The first candidates that differ in more than calcium, and not all on the same days."""
    found: dict[tuple[object, ...], int] = {}
    on_days: dict[tuple[int, ...], int] = {}
    for i in order:
        kind, days = ground.kinds[ground.options[i].kind], ground.options[i].days
        key = (days, kind.plasma_volumes, kind.prescription.fluids, kind.prescription.access)
        if key in found or on_days.get(days, 0) >= SAME_DAYS:
            continue
        found[key] = int(i)
        on_days[days] = on_days.get(days, 0) + 1
        if len(found) == most:
            break
    return list(found.values())


def _days(c: Candidate) -> int:
    return int(np.ceil(c.days))


def _surely(c: Candidate) -> int:
    return round(100 * c.all_kept_probability)


def _tightest(table: Table, whole: Flags) -> Line:
    """The limit that keeps most complete candidates out, with the best probability any of them reaches."""
    kept = table.kept[whole] if whole.any() else table.kept
    worst = int(np.argmin(kept.mean(axis=0)))
    return choice.line("plan_limit_in_the_way", limit=LIMITS[worst], reached=round(100 * float(kept[:, worst].max())))


def _measure(table: Table, wish: Wish) -> Floats:
    if wish.goal == "fall":
        return -table.fall
    name = "days" if wish.goal == "days" else "chair_h"
    return np.array([getattr(b, name) for b in table.burdens])


def _stopped(ground: Ground, table: Table, whole: Flags, best: Candidate, wish: Wish, library: Library) -> Line | None:
    """The candidate that would serve the goal best but for limits, and the limit that stops it."""
    days = np.array([wish.weekends or not b.weekend_sessions for b in table.burdens])
    better = whole & days & ~allowed(table, whole, wish, library)
    donor = np.array([b.plasma_units > 0 for b in table.burdens])
    better &= ~donor
    measure = _measure(table, wish)
    mine = {"days": best.days, "chair": best.chair_h, "fall": -dict(best.values)["fall_percent"].median}[wish.goal]
    better &= measure < mine - 0.5
    if not better.any():
        return None
    nearest = int(np.flatnonzero(better)[np.lexsort((-table.kept[better].min(axis=1), measure[better]))[0]])
    worst = int(np.argmin(table.kept[nearest]))
    least, unit = choice.bound(LIMITS[worst], wish, library)
    return choice.line(
        "plan_stopped_by",
        words=_briefly(choice.told(ground, nearest, table, wish, library)),
        limit=LIMITS[worst],
        bound=least,
        unit=unit,
        probability=round(100 * float(table.kept[nearest, worst])),
    )


def _given_up(table: Table, fine: Flags, best: Candidate) -> list[Line]:
    """What the best allowed candidate gives up in days, fall and fibrinogen against the best in each."""
    values = dict(best.values)
    fall, fibrinogen = values["fall_percent"].median, values["fibrinogen_before_session"].median
    days = min(b.days for b, ok in zip(table.burdens, fine, strict=True) if ok)
    lines = []
    if best.days > days + 0.5:
        lines.append(choice.line("plan_gives_up_days", mine=_days(best), best=int(np.ceil(days))))
    if table.fall[fine].max() > fall + 2:
        lines.append(choice.line("plan_gives_up_fall", mine=round(fall), best=round(float(table.fall[fine].max()))))
    if table.fibrinogen[fine].max() > fibrinogen + 0.1:
        top = round(float(table.fibrinogen[fine].max()), 1)
        lines.append(choice.line("plan_gives_up_fibrinogen", mine=round(fibrinogen, 1), best=top))
    return lines


def weekends(ground: Ground, table: Table, whole: Flags, wish: Wish, library: Library) -> tuple[Line, ...]:
    """What it costs to keep weekends free: the best plan on open days beside the best on any day."""
    found: dict[str, Any] = {}
    for name, free in (("open", False), ("any", True)):
        asked = choice.Wish(wish.goal, wish.target, wish.limits, wish.kept_probability, weekends=free)
        fine = allowed(table, whole, asked, library)
        if not fine.any():
            return (choice.line("weekends_no_plan", which=name),)
        found[name] = int(order(table, whole, asked, library)[0])
    told = {n: choice.told(ground, i, table, wish, library) for n, i in found.items()}
    days = _days(told["open"]) - _days(told["any"])
    fall = float(table.fall[found["any"]] - table.fall[found["open"]])
    if days <= 0 and abs(fall) < 1:
        return (choice.line("weekends_free_cost_nothing"),)
    code = "weekends_free_cost" if fall >= 0 else "weekends_free_cost_but_fall"
    return (
        choice.line(
            code, days=days, fall=round(abs(fall), 1), words=_briefly(told["any"]),
            sessions=told["any"].weekend_sessions_count,
        ),
    )  # fmt: skip
