"""One session of one patient, and of all patients in parallel: circuit, fluid, citrate, circulation.

Other solutes stay in `march`, which reads `plasma_ml` and `plasma_flow` of the outcome. Steps depend on the segment
alone, never on what is recorded or who else is in the cohort: row i is the same bits as the patient run alone.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from opentpe.kernel import chair, fluid, patient, segments, threads
from opentpe.kernel.binding import Binding
from opentpe.kernel.compiled import compiled, unlocked, woven

Array = Any  # float64 arrays; their shape stands beside the name

HAEMATOCRIT = 8
IMBALANCE = 16
NOT_FINITE = 32

_LOWEST_HCT, _HIGHEST_HCT = 0.05, 0.75  # blood outside does not flow through a circuit
_HIDDEN = 1e-9  # minutes too short to be a step


class Clock(NamedTuple):
    """Step lengths, min: citrate fine for `settle` minutes of each segment, then coarse; fluid and circulation.

    Where a patient clears or exchanges citrate fast, a citrate step is shorter: its length times (clearance + transfer)
    over plasma volume stays below the two `reach` numbers.
    """

    fine: float
    coarse: float
    settle: float
    fluid: float
    fine_reach: float
    coarse_reach: float


PLANNING = Clock(1.0, 4.0, 16.0, 1.0, 0.4, 1.5)
DEVICE = Clock(0.25, 0.25, 0.0, 1.0 / 60.0, 0.4, 0.4)


class Rows(NamedTuple):
    """What a run writes, one row a patient; q runs over `QUANTITIES`, s over draw, each fluid, rinse and after."""

    status: Array  # (n,) 0 sound
    marks: Array  # (n, 5, q) lowest, highest, before, when the last fluid has run, after the rest
    segments: Array  # (n, s, 3) minutes, plasma volume at its end (mL), mean plasma drawn (mL/min)
    totals: Array  # (n, t) see TOTALS
    instants: Array  # (n,) how many there were
    times: Array  # (n, k) min; the unused tail repeats the last instant
    series: Array  # (n, k, q)


class Outcome(NamedTuple):
    """What came of each session; q runs over `QUANTITIES`, s over draw, each fluid, rinse and after."""

    status: Array  # (n,) 0 sound
    minutes: Array  # (n,) connection to disconnection
    low: Array  # (n, q) lowest value of the session and the time after it
    high: Array  # (n, q)
    first: Array  # (n, q) before
    at_end: Array  # (n, q) when the last fluid has run
    last: Array  # (n, q) after the hour of rest
    segment_min: Array  # (n, s)
    plasma_ml: Array  # (n, s) at the end of each segment
    plasma_flow: Array  # (n, s) mean plasma drawn, mL/min
    totals: Array  # (n, t) see TOTALS
    times: Array  # (n, k) min; no columns where no series was asked for
    series: Array  # (n, k, q)


TOTALS = (
    "citrate_given_mmol",
    "citrate_removed_mmol",
    "citrate_metabolised_mmol",
    "calcium_given_mmol",
    "calcium_removed_mmol",
    "calcium_released_mmol",
    "magnesium_removed_mmol",
    "bicarbonate_removed_mmol",
    "albumin_given_mg",
    "albumin_removed_mg",
    "globulin_removed_mg",
    "plasma_drawn_and_urine_ml",
    "fluid_given_ml",
)


LOW, HIGH, FIRST, AT_END, LAST = 0, 1, 2, 3, 4


@compiled
def _note(now: Array, i: int, k: int, minute: float, out: Rows) -> int:
    """Keeps the extremes and, where asked, the series; the next free place of the series comes back."""
    marks = out.marks[i]
    for q in range(now.size):
        marks[LOW, q] = min(marks[LOW, q], now[q])
        marks[HIGH, q] = max(marks[HIGH, q], now[q])
    if k < out.times.shape[1]:
        out.times[i, k] = minute
        for q in range(now.size):
            out.series[i, k, q] = now[q]
    return k + 1


@woven
def vertex(one: tuple[float, float], two: tuple[float, float], three: tuple[float, float]) -> float:
    """The peak of the parabola through three instants (min, value), or the highest value where it lies outside."""
    left, right = two[0] - one[0], three[0] - two[0]
    up, down = (two[1] - one[1]) / left, (three[1] - two[1]) / right
    bend = (up - down) / (left + right)
    slope = (up * right + down * left) / (left + right)
    if bend > 0.0 and -2.0 * bend * left < slope < 2.0 * bend * right:
        return two[1] + 0.25 * slope * slope / bend
    return max(one[1], two[1], three[1])


@compiled
def _mark(now: Array, i: int, which: int, out: Rows) -> None:
    for q in range(now.size):
        out.marks[i, which, q] = now[q]


@compiled
def step_length(clock: Clock, elapsed: float, left: float, bodies: chair.Bodies, live: chair.Live) -> float:
    """The next step of a segment: half fine at its start, fine while it settles, coarse later, never beyond its end.

    0 at the end, and for a patient who has left the laws.
    """
    if left <= _HIDDEN or live.status != chair.OK:
        return 0.0
    pace = chair.pace(bodies, live)
    settling = elapsed < clock.settle - _HIDDEN
    wanted = min(clock.fine, clock.fine_reach / pace) if settling else min(clock.coarse, clock.coarse_reach / pace)
    if settling and elapsed < 2.0 * wanted - _HIDDEN:
        wanted *= 0.5  # what answers to a rate of change peaks within minutes
    return left if left < wanted + _HIDDEN else wanted


@compiled
def segment_at(
    s: int, parts: int, order: segments.Order, recipe: Array, first: chair.Live, live: chair.Live
) -> segments.Segment:
    """Segment s of a session: draw, the fluids of the recipe, rinse, after."""
    start = first.fluid
    blood = start.plasma + start.red_cells
    if s == 0:
        return segments.draw(order, segments.part_at(recipe, 0), blood)
    if s <= parts:
        return segments.exchange(order, segments.part_at(recipe, s - 1))
    if s == parts + 1:
        drawn = live.fluid.red_cells_out
        held = first.carried.platelets * drawn / start.red_cells
        return segments.rinse(order, last_part(recipe), drawn, held)
    return segments.rest(order.after_min, segments.AFTER)


@compiled
def last_part(recipe: Array) -> segments.Part:
    """The last fluid of a recipe that has a share."""
    j = recipe.shape[0] - 1
    while j > 0 and recipe[j, 0] <= 0.0:
        j -= 1
    return segments.part_at(recipe, j)


@compiled
def one(
    i: int,
    law: chair.Law,
    person: patient.Person,
    order: segments.Order,
    recipe: Array,
    clock: Clock,
    now: Array,
    out: Rows,
) -> None:
    """Runs one patient through one session and writes row i; `now` (q,) is scratch."""
    bodies, live = chair.begin(law, person)
    first, parts, k, zero, s = live, recipe.shape[0], 0, 0.0, 0
    segment = segment_at(s, parts, order, recipe, first, live)
    elapsed, drawn, dt, older, old = 0.0, 0.0, 0.0, (-1.0, 0.0), (-1.0, 0.0)
    while s < parts + 3:
        if dt > 0.0:
            live = chair.advance(law, bodies, live, segment, dt, clock.fluid)
            elapsed += dt
        live = chair.look(law, bodies, live, zero, now)
        if k == 0:
            for which in (LOW, HIGH, FIRST):
                _mark(now, i, which, out)
        k = _note(now, i, k, live.minute, out)
        seen = (live.minute, now[chair.QTC_AT])  # the sharpest peak: it may stand between two steps
        if older[0] >= 0.0:
            out.marks[i, HIGH, chair.QTC_AT] = max(out.marks[i, HIGH, chair.QTC_AT], vertex(older, old, seen))
        older, old = old, seen
        dt = step_length(clock, elapsed, segment.minutes - elapsed, bodies, live)
        while dt <= 0.0 and s < parts + 3:
            live = chair.receive(live, segment)
            _close(i, s, parts, segment, live, live.fluid.drawn_plasma - drawn, now, out)
            if s == 0:
                zero = fluid.haematocrit(live.fluid)
            s, older = s + 1, (-1.0, 0.0)  # a change of flows is a bend, not a peak
            segment = segment_at(s, parts, order, recipe, first, live)
            elapsed, drawn = 0.0, live.fluid.drawn_plasma
            dt = step_length(clock, elapsed, segment.minutes, bodies, live)
    out.instants[i] = k
    while k < out.times.shape[1]:
        k = _note(now, i, k, live.minute, out)
    _finish(i, first, live, out)


@compiled
def _close(
    i: int, s: int, parts: int, segment: segments.Segment, live: chair.Live, drawn: float, now: Array, out: Rows
) -> None:
    """Writes what a finished segment did."""
    row = out.segments[i, s]
    row[0], row[1] = segment.minutes, live.fluid.plasma
    row[2] = drawn / segment.minutes if segment.minutes > 0.0 else 0.0
    if s == parts:
        _mark(now, i, AT_END, out)
    _mark(now, i, LAST, out)


@compiled
def _finish(i: int, first: chair.Live, live: chair.Live, out: Rows) -> None:
    """Totals and the verdict on laws that a run may not break."""
    d, f, g = live.citrate, live.fluid, live.given
    t = out.totals[i]
    t[0], t[1], t[2] = g.citrate, d.citrate_out, d.citrate_burnt
    t[3], t[4], t[5] = g.calcium, d.calcium_out, d.calcium_released
    t[6], t[7] = d.magnesium_out, d.bicarbonate_out
    t[8], t[9], t[10], t[11], t[12] = g.albumin, f.albumin_out, f.globulin_out, f.water_out, g.water
    status, h = live.status, chair.HAEMATOCRIT_AT
    if not (out.marks[i, LOW, h] > _LOWEST_HCT and out.marks[i, HIGH, h] < _HIGHEST_HCT):
        status |= HAEMATOCRIT
    if status == chair.OK and not chair.closes(first, live):
        status |= IMBALANCE
    for q in range(out.marks.shape[2]):
        if not math.isfinite(out.marks[i, LOW, q] + out.marks[i, HIGH, q] + out.marks[i, LAST, q]):
            status |= NOT_FINITE
    out.status[i] = status


@unlocked
def sessions(
    first: int,
    last: int,
    binding: Binding,
    pressure: fluid.Pressure,
    people: Array,
    orders: Array,
    recipes: Array,
    clock: Clock,
    out: Rows,
) -> None:
    """Rows first to last - 1 of packed people and orders, into `out`."""
    now = np.zeros(out.marks.shape[2])
    for i in range(first, last):
        order = segments.order_at(orders[i])
        recipe = recipes[int(order.recipe)]
        one(i, chair.Law(binding, pressure), patient.pick(people[i]), order, recipe, clock, now, out)


def blank(count: int, parts: int, instants: int = 0) -> Rows:
    """Empty rows for `count` patients, `parts` fluids a recipe and `instants` recorded."""
    n, q = count, len(chair.QUANTITIES)
    return Rows(
        np.zeros(n, np.int64),
        np.zeros((n, 5, q)),
        np.zeros((n, parts + 3, 3)),
        np.zeros((n, len(TOTALS))),
        np.zeros(n, np.int64),
        np.zeros((n, instants)),
        np.zeros((n, instants, q)),
    )


def _run(law: chair.Law, chairs: Array, papers: Array, recipes: Array, clock: Clock, out: Rows) -> Rows:
    threads.share(
        chairs.shape[0],
        lambda a, b: sessions(a, b, law.binding, law.pressure, chairs, papers, recipes, clock, out),
    )
    return out


def session_all(
    law: chair.Law,
    people: patient.Person,
    orders: segments.Order,
    recipes: Array,
    clock: Clock = PLANNING,
    recorded: bool = False,
) -> Outcome:
    """Every patient of a cohort through one session, in parallel; row i equals the patient run alone.

    Fields of `people` and `orders` are numbers or arrays (n,). `recipes` is (r, parts, 10) in the order of
    `segments.Part`; `recorded` keeps the series, the hour after included: a run before it counts the instants.
    """
    chairs, papers = patient.pack(people), patient.pack_fields(list(orders))
    count, parts = max(chairs.shape[0], papers.shape[0]), recipes.shape[1]
    # copies: an array that may not be written is another type, and another compile
    chairs, papers = (np.array(np.broadcast_to(t, (count, t.shape[1])), order="C") for t in (chairs, papers))
    recipes = np.array(recipes, np.float64, order="C")
    out = _run(law, chairs, papers, recipes, clock, blank(count, parts))
    if recorded:
        out = _run(law, chairs, papers, recipes, clock, blank(count, parts, int(out.instants.max())))
    m, g = out.marks, out.segments
    minutes = g[:, : parts + 2, 0].sum(axis=1)
    marks = (m[:, LOW], m[:, HIGH], m[:, FIRST], m[:, AT_END], m[:, LAST])
    return Outcome(out.status, minutes, *marks, g[:, :, 0], g[:, :, 1], g[:, :, 2], out.totals, out.times, out.series)
