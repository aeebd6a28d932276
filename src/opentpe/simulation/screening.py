"""Thousands of candidate courses at once: every distinct session and gap worked out once per row, then multiplied.

What is left out against the full run: the FcRn-dependent rate of IgG is frozen, the plasma volume does not change, and
calcium and blood volume come from `screen`. The best candidates are run in full afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from opentpe.domain.therapy import MINUTES_PER_DAY
from opentpe.evidence.load import Library
from opentpe.kernel import affine
from opentpe.kernel.arrays import FCRN, Cohort, Floats, Integers
from opentpe.simulation import cohort
from opentpe.simulation.candidates import Kind, Option
from opentpe.simulation.cohort import Columns


class Screened(NamedTuple):
    """Lowest concentration before any session, and after the last one, of one solute; (candidates, rows)."""

    before: Floats
    after: Floats


class _Rates(NamedTuple):
    k10: Floats
    k12: Floats
    k21: Floats
    supply: Floats  # synthesis, mg/min


def solute(
    key: str,
    people: Cohort,
    columns: Columns,
    amounts: Floats,
    lead_min: float,
    kinds: Sequence[Kind],
    options: Sequence[Option],
    library: Library,
) -> Screened:
    """One solute through every candidate. `amounts` [rows, 2] hold plasma and tissue now, `lead_min` before day 0."""
    j = columns.column(key)
    rates = _rates(people, j, library)
    sessions = np.stack([_session(rates, people, j, kind, columns, library) for kind in kinds])
    kind, gap, count, lengths = _layout(options, kinds, lead_min)
    gaps = np.stack([_gap(rates, minutes) for minutes in lengths])
    before, after = (np.empty((len(options), people.plasma_ml.size)) for _ in range(2))
    affine.courses(np.ascontiguousarray(amounts), sessions, gaps, kind, gap, count, before, after)
    volume = people.plasma_ml * people.central_ratio[:, j]
    return Screened(before / volume, after / volume)


def at_rest(people: Cohort, j: int) -> Floats:
    """Plasma and tissue amounts of a solute of the body's own at rest, mg; (rows, 2)."""
    plasma = people.concentration[:, j] * people.plasma_ml * people.central_ratio[:, j]
    k21 = people.return_rate[:, j]
    ratio = np.divide(people.escape_rate[:, j], k21, out=np.zeros_like(k21), where=k21 > 0)
    return np.stack([plasma, plasma * ratio], axis=1)


def _rates(people: Cohort, j: int, library: Library) -> _Rates:
    resting = people.concentration[:, j]
    k10 = people.catabolic_rate[:, j]
    amount = resting * people.plasma_ml * people.central_ratio[:, j]
    supply = k10 * amount * people.synthesis_ratio[:, j]
    if people.law[j] & FCRN and resting.any():
        share = library.value("plan.frozen_igg_fraction")
        at_rest_rate, k10 = (_fcrn(people, j, c) for c in (resting, share * resting))
        supply = at_rest_rate * amount * people.synthesis_ratio[:, j]
    k12, k21 = people.escape_rate[:, j], people.return_rate[:, j]
    return _Rates(*(np.ascontiguousarray(rate) for rate in (k10, k12, k21, supply)))


def _fcrn(people: Cohort, j: int, concentration: Floats) -> Floats:
    """Catabolic rate of an IgG at a total IgG, per minute (equations 13 and 14)."""
    free = people.fcrn_free_rate
    share = np.maximum(0.0, 1 - people.catabolic_rate[:, j] / free)
    drive = (people.fcrn_half + people.fcrn_reference) / (people.fcrn_half + concentration)
    rate: Floats = free * (1 - np.minimum(1.0, share * drive))
    return rate


def _blank(rows: int) -> Floats:
    return np.tile(np.eye(2, 3), (rows, 1, 1))


def _session(rates: _Rates, people: Cohort, j: int, kind: Kind, columns: Columns, library: Library) -> Floats:
    """The map of one session, fluid by fluid."""
    rows = people.plasma_ml.size
    flow = kind.setup.volume_ml / kind.run.duration_min * people.delivered_ratio
    removal = flow / (people.spread_ratio[:, j] * people.plasma_ml)
    back = kind.run.replaced_ml / kind.run.duration_min * people.delivered_ratio
    table = cohort.fluid_table(kind.setup, columns, library)[:, j]
    found = _blank(rows)
    for (_, share), content in zip(kind.setup.fluids, table, strict=True):
        out = np.empty_like(found)
        minutes = share * kind.run.duration_min
        affine.stretch(rates.k10, rates.k12, rates.k21, removal, rates.supply + back * content, minutes, found, out)
        found = out
    return found


def _gap(rates: _Rates, minutes: float) -> Floats:
    rows = rates.k10.size
    out = np.empty((rows, 2, 3))
    affine.stretch(rates.k10, rates.k12, rates.k21, np.zeros(rows), rates.supply, minutes, _blank(rows), out)
    return out


def _layout(
    options: Sequence[Option], kinds: Sequence[Kind], lead_min: float
) -> tuple[Integers, Integers, Integers, list[float]]:
    """Kind, gap and count of every candidate as arrays, and the distinct lengths of gaps in minutes."""
    lengths: dict[float, int] = {}
    most = max(len(o.days) for o in options)
    gap = np.zeros((len(options), most), np.int64)
    for c, option in enumerate(options):
        run = round(kinds[option.kind].run.duration_min)  # to the minute: few distinct gaps
        for k, day in enumerate(option.days):
            minutes = lead_min + day * MINUTES_PER_DAY if k == 0 else (day - option.days[k - 1]) * MINUTES_PER_DAY - run
            gap[c, k] = lengths.setdefault(float(minutes), len(lengths))
    kind = np.array([o.kind for o in options], np.int64)
    count = np.array([len(o.days) for o in options], np.int64)
    return kind, gap, count, list(lengths)
