"""Sessions, doses and output times laid out as segments: the front end of `arrays.Schedule`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from opentpe.errors import InputError
from opentpe.kernel.arrays import IV, NO_SESSION, Floats, Schedule


class Session(NamedTuple):
    """One session: patient plasma flow out, replacement flow in, and the fluids in the order given.

    `parts` holds (row of the fluid table, share of the replaced volume); shares add to 1.
    """

    start_min: float
    duration_min: float
    plasma_flow_ml_min: float
    replacement_flow_ml_min: float
    parts: tuple[tuple[int, float], ...]
    sieve: int = 0
    platelet_loss_fraction: float = 0.0
    red_cells_lost_ml: float = 0.0


class Dose(NamedTuple):
    """One dose: solute column (or BLOCKER), minutes from the start of session 1, mg (or standard doses), route."""

    solute: int
    time_min: float
    amount: float
    route: int = IV


class Volume(NamedTuple):
    """A knot of the plasma-volume profile: volume relative to rest, linear between knots, 1 outside them."""

    time_min: float
    ratio: float


def build(
    sessions: Sequence[Session],
    doses: Sequence[Dose],
    end_min: float,
    output_min: Floats,
    fluid_content: Floats,
    sieving_fraction: Floats,
    volume: Sequence[Volume] = (),
) -> Schedule:
    """One schedule row from the first event to `end_min`; `InputError` where sessions overlap or shares miss 1."""
    _refuse(sessions, doses, end_min, output_min)
    start = min([0.0, *(s.start_min for s in sessions), *(d.time_min for d in doses), *output_min[:1]])
    parts = [part for n, session in enumerate(sessions) for part in _parts(n, session)]
    cuts = {start, end_min, *(d.time_min for d in doses), *(v.time_min for v in volume)}
    cuts.update(edge for part in parts for edge in part[:2])
    edges = np.array(sorted(c for c in cuts if start <= c <= end_min))
    starts, ends = edges[:-1], edges[1:]
    row = {name: np.zeros(starts.size) for name in ("plasma", "replacement")}
    fluid, sieve = np.zeros(starts.size, np.int64), np.zeros(starts.size, np.int64)
    session_of = np.full(starts.size, NO_SESSION, np.int64)
    for begin, stop, n, which in parts:
        inside = (starts >= begin) & (ends <= stop)
        row["plasma"][inside] = sessions[n].plasma_flow_ml_min
        row["replacement"][inside] = sessions[n].replacement_flow_ml_min
        fluid[inside], sieve[inside], session_of[inside] = which, sessions[n].sieve, n
    low, high = _volumes(starts, ends, volume)
    given = sorted(doses, key=lambda d: d.time_min)
    return Schedule(
        np.array([start]),
        np.array([starts.size]),
        (ends - starts)[None, :],
        row["plasma"][None, :],
        row["replacement"][None, :],
        fluid[None, :],
        sieve[None, :],
        low[None, :],
        high[None, :],
        session_of[None, :],
        np.array([len(given)]),
        np.array([[int(np.searchsorted(starts, d.time_min)) for d in given]], np.int64).reshape(1, len(given)),
        np.array([[d.solute for d in given]], np.int64).reshape(1, len(given)),
        np.array([[d.route for d in given]], np.int64).reshape(1, len(given)),
        np.array([[d.amount for d in given]], float).reshape(1, len(given)),
        np.array([[s.platelet_loss_fraction for s in sessions]], float).reshape(1, len(sessions)),
        np.array([[s.red_cells_lost_ml for s in sessions]], float).reshape(1, len(sessions)),
        np.ascontiguousarray(fluid_content, float),
        np.ascontiguousarray(sieving_fraction, float),
        np.ascontiguousarray(output_min, float),
    )


def _parts(n: int, session: Session) -> list[tuple[float, float, int, int]]:
    """(start, end, session, fluid) of every fluid part that lasts."""
    found, at = [], session.start_min
    last = session.start_min + session.duration_min
    for k, (which, share) in enumerate(session.parts):
        stop = last if k == len(session.parts) - 1 else at + share * session.duration_min
        if stop > at:
            found.append((at, stop, n, which))
        at = stop
    return found


def _volumes(starts: Floats, ends: Floats, volume: Sequence[Volume]) -> tuple[Floats, Floats]:
    """Volume ratio at start and end of each segment; a knot pair with equal times is a jump."""
    if not volume:
        return np.ones(starts.size), np.ones(starts.size)
    times, ratios = np.array([v.time_min for v in volume]), np.array([v.ratio for v in volume])
    middle = (starts + ends) / 2
    inside = (middle > times[0]) & (middle < times[-1])
    right = np.searchsorted(times, middle)
    left, right = np.clip(right - 1, 0, times.size - 1), np.clip(right, 0, times.size - 1)
    span = np.where(times[right] > times[left], times[right] - times[left], 1.0)
    slope = (ratios[right] - ratios[left]) / span
    low = ratios[left] + slope * (starts - times[left])
    high = ratios[left] + slope * (ends - times[left])
    return np.where(inside, low, 1.0), np.where(inside, high, 1.0)


def _refuse(sessions: Sequence[Session], doses: Sequence[Dose], end_min: float, output_min: Floats) -> None:
    previous = -np.inf
    for n, s in enumerate(sessions, 1):
        if s.start_min < previous:
            raise InputError(
                f"session {n}", f"start at {s.start_min:g} min", f"{previous:g} min or later", "Space out."
            )
        previous = s.start_min + s.duration_min
        shares = sum(share for _, share in s.parts)
        if abs(shares - 1.0) > 1e-9:
            raise InputError(f"session {n}, fluids", f"shares that add to {shares:g}", "1", "Correct the sequence.")
    latest = max([previous, *(d.time_min for d in doses), *output_min[-1:]])
    if end_min < latest:
        raise InputError("end of the run", f"{end_min:g} min", f"{latest:g} min or later", "Extend the run.")
    for d in doses:
        if d.amount < 0:
            raise InputError("dose", f"{d.amount:g} mg", "0 mg or more", "Correct the dose.")
    if np.any(np.diff(output_min) < 0):
        raise InputError("output times", "a time before its predecessor", "ascending times", "Sort them.")


def sessions_only(row: Schedule) -> Schedule:
    """The schedule row up to the end of its last session, with its first output alone: what the sessions start from."""
    last = int(np.flatnonzero(row.session[0] != NO_SESSION)[-1])
    return row._replace(segment_count=np.array([last + 1]), output_min=row.output_min[:1])


def stack(rows: Sequence[Schedule]) -> Schedule:
    """Several rows under each other, one per patient; they share fluids, sieving and output times with the first."""
    first = rows[0]
    packed = {}
    for name in Schedule._fields[: Schedule._fields.index("fluid_content")]:
        arrays = [getattr(row, name) for row in rows]
        if arrays[0].ndim == 1:
            packed[name] = np.concatenate(arrays)
        else:
            width = max(a.shape[1] for a in arrays)
            fill = NO_SESSION if name == "session" else 0
            packed[name] = np.concatenate(
                [np.pad(a, ((0, 0), (0, width - a.shape[1])), constant_values=fill) for a in arrays]
            )
    return Schedule(**packed, **{f: getattr(first, f) for f in ("fluid_content", "sieving_fraction", "output_min")})
