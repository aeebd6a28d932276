"""Patients under a script of flows instead of an order: bleeding, donation, infusions, as experiments prescribe them.

The equations, the clock and the laws checked are those of `session`; only where the flows come from differs.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from opentpe.kernel import chair, circulation, citrate, fluid, patient, segments, session
from opentpe.kernel.binding import Binding
from opentpe.kernel.compiled import compiled

Array = Any  # float64 arrays; their shape stands beside the name


class Act(NamedTuple):
    """One stretch of a script: min, mL/min, g/L, mmol/L, mmol/min."""

    minutes: float
    plasma_removed: float = 0.0
    blood_drawn: float = 0.0
    clear_in: float = 0.0
    fluid_in: float = 0.0
    fluid_albumin: float = 0.0
    fluid_globulin: float = 0.0
    fluid_calcium: float = 0.0
    fluid_magnesium: float = 0.0
    fluid_citrate: float = 0.0
    fluid_bicarbonate: float = 0.0
    citrate: float = 0.0
    citric_acid: float = 0.0
    calcium: float = 0.0
    magnesium: float = 0.0
    bicarbonate: float = 0.0


@compiled
def _segment(r: Array) -> segments.Segment:
    """A row of a script as a segment; nothing warms, cools or carries potassium."""
    flows = fluid.Flows(r[1], r[2], r[3], r[4], r[5], r[6], 0.0)
    supply = citrate.Supply(r[4], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15])
    still = circulation.CarryingFlows(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return segments.Segment(r[0], segments.RUN, flows, supply, still)


@compiled
def _run(
    binding: Binding,
    pressure: fluid.Pressure,
    people: Array,
    script: Array,
    clock: session.Clock,
    now: Array,
    times: Array,
    series: Array,
    status: Array,
) -> None:
    law = chair.Law(binding, pressure)
    for i in range(people.shape[0]):
        bodies, live = chair.begin(law, patient.pick(people[i]))
        first, k, zero = live, 0, fluid.haematocrit(live.fluid)
        live = chair.look(law, bodies, live, zero, now)
        series[i, 0] = now
        for s in range(script.shape[1]):
            segment = _segment(script[min(i, script.shape[0] - 1), s])
            elapsed = 0.0
            while segment.minutes - elapsed > 1e-9 and live.status == chair.OK and k + 1 < times.shape[1]:
                dt = session.step_length(clock, elapsed, segment.minutes - elapsed, bodies, live)
                live = chair.advance(law, bodies, live, segment, dt, clock.fluid)
                live = chair.look(law, bodies, live, zero, now)
                elapsed += dt
                k += 1
                times[i, k], series[i, k] = live.minute, now
            live = chair.receive(live, segment)
        times[i, k + 1 :] = live.minute
        series[i, k + 1 :] = now
        status[i] = live.status if live.status != chair.OK or chair.closes(first, live) else session.IMBALANCE


def _instants(minutes: float, acts: int, clock: session.Clock, pace: float) -> int:
    """Enough places for every step of a script of `minutes`.

    `pace` is the fastest of the cohort at rest; a plasma volume may fall to a third of it.
    """
    fine, coarse = min(clock.fine, clock.fine_reach / (3 * pace)), min(clock.coarse, clock.coarse_reach / (3 * pace))
    settling = min(minutes, acts * clock.settle)
    return math.ceil(settling / fine) + math.ceil(minutes / coarse) + 2 * acts


def run(
    law: chair.Law, people: patient.Person, script: Array, clock: session.Clock = session.PLANNING
) -> tuple[Array, Array, Array]:
    """Times (n, k), all quantities (n, k, q) and status (n,) of every patient under a script (1 or n, acts, fields).

    Relative blood volume is zeroed at the start.
    """
    rows = patient.pack(people)
    count, body = rows.shape[0], people.citrate
    pace = float(np.max((body.clearance_ml_min + body.transfer_ml_min) / people.standing.plasma_ml))
    places = _instants(float(script[..., 0].sum(axis=-1).max()), script.shape[1], clock, pace)
    q = len(chair.QUANTITIES)
    times, series, status = np.zeros((count, places)), np.zeros((count, places, q)), np.zeros(count, np.int64)
    _run(law.binding, law.pressure, rows, script, clock, np.zeros(q), times, series, status)
    return times, series, status
