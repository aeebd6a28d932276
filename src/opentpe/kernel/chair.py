"""One patient at one instant of a session, the step to the next instant, and what a monitor would show there.

Each state has one owner. `fluid` owns plasma, tissue fluid, red cells, albumin and globulin; `citrate` and
`circulation` read them. Order within a step: fluid and reflex, citrate, what flows carry.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from opentpe.kernel import circulation, citrate, fluid, patient, segments
from opentpe.kernel.binding import Binding
from opentpe.kernel.compiled import compiled, woven

Array = Any  # float64 arrays; their shape stands beside the name

OK = 0

_IMBALANCE = 1e-9

QUANTITIES = (
    "ionised_calcium",
    "ionised_magnesium",
    "citrate",
    "total_calcium",
    "total_magnesium",
    "pth_ratio",
    "qtc_change",
    "bicarbonate",
    "ph",
    "potassium",
    "relative_blood_volume",
    "blood_volume_change",
    "mean_pressure",
    "systolic_pressure",
    "diastolic_pressure",
    "pulse_pressure",
    "heart_rate",
    "central_venous_pressure",
    "cardiac_output",
    "colloid_osmotic_pressure",
    "temperature",
    "haematocrit",
    "platelets",
    "plasma_volume",
    "albumin",
    "globulin",
)
HAEMATOCRIT_AT = QUANTITIES.index("haematocrit")
QTC_AT = QUANTITIES.index("qtc_change")


class Law(NamedTuple):
    """What is the same in all patients of a run."""

    binding: Binding
    pressure: fluid.Pressure


class Given(NamedTuple):
    """What came in so far: mg, mL, mmol."""

    albumin: float
    globulin: float
    water: float
    red_cells: float
    citrate: float
    calcium: float
    magnesium: float


class Live(NamedTuple):
    """One patient at one instant of the session."""

    minute: float
    fluid: fluid.State
    citrate: citrate.State
    guess: citrate.Guess
    drive: float
    carried: circulation.Carried
    given: Given
    status: int


class Bodies(NamedTuple):
    """The patient's constants with resting values filled in."""

    fluid: fluid.Body
    citrate: citrate.Body
    circulation: circulation.Body
    carriage: circulation.Carriage


@woven
def milieu(state: fluid.State, law: Law, bodies: Bodies, flows: fluid.Flows) -> citrate.Milieu:
    """What citrate reads of the fluid state."""
    return citrate.Milieu(
        state.plasma,
        state.tissue,
        state.albumin / state.plasma,
        state.globulin / state.plasma,
        state.tissue_albumin / state.tissue,
        state.tissue_globulin / state.tissue,
        fluid.filtration(law.pressure, bodies.fluid, state),
        fluid.plasma_drawn(state, flows),
    )


@compiled
def begin(law: Law, person: patient.Person) -> tuple[Bodies, Live]:
    """The patient at rest before the session; tissue proteins at rest where none are given."""
    at = person.standing
    body, state = fluid.rest(
        law.pressure,
        person.fluid,
        at.plasma_ml,
        at.tissue_ml,
        at.red_cells_ml,
        (at.albumin, at.globulin),
        (at.tissue_albumin_mg, at.tissue_globulin_mg),
    )
    bodies = Bodies(body, person.citrate, person.circulation, person.carriage)
    still = segments.rest(0.0, segments.AFTER)
    calcium, guess = citrate.rest(law.binding, person.citrate, milieu(state, law, bodies, still.flows))
    blood_l = (at.plasma_ml + at.red_cells_ml) / 1000.0
    carried = circulation.Carried(at.temperature, person.carriage.potassium0, at.platelets * blood_l)
    return bodies, Live(0.0, state, calcium, guess, 0.0, carried, Given(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), OK)


@woven
def advance(law: Law, bodies: Bodies, live: Live, segment: segments.Segment, dt: float, fluid_dt: float) -> Live:
    """The patient `dt` minutes on: fluid and reflex in small steps, then citrate in one, then what flows carry."""
    state, drive, status = live.fluid, live.drive, live.status
    before = milieu(state, law, bodies, segment.flows)
    middle = before
    half = max(1, math.ceil(dt / (2.0 * fluid_dt) - 1e-9))
    small = dt / (2 * half)
    for k in range(2 * half):
        between, state, bad = fluid.step(law.pressure, bodies.fluid, state, segment.flows, small)
        drive = circulation.step(bodies.circulation, drive, fluid.volume_change(bodies.fluid, between), small)
        status |= bad
        if k == half - 1:
            middle = milieu(state, law, bodies, segment.flows)
    three = (before, middle, milieu(state, law, bodies, segment.flows))
    calcium, guess, bad = citrate.step(law.binding, bodies.citrate, live.citrate, three, segment.supply, live.guess, dt)
    carried = circulation.carry(bodies.carriage, live.carried, segment.carrying, dt)
    return Live(live.minute + dt, state, calcium, guess, drive, carried, live.given, status | bad)


@woven
def pace(bodies: Bodies, live: Live) -> float:
    """How fast citrate leaves plasma, per min: the fastest mode of the chemistry."""
    return (bodies.citrate.clearance_ml_min + bodies.citrate.transfer_ml_min) / live.fluid.plasma


@compiled
def give(given: Given, segment: segments.Segment) -> Given:
    """What has come in once a segment is over."""
    t, f, s = segment.minutes, segment.flows, segment.supply
    return Given(
        given.albumin + t * f.fluid_in * f.fluid_albumin,
        given.globulin + t * f.fluid_in * f.fluid_globulin,
        given.water + t * (f.clear_in + f.fluid_in),
        given.red_cells + t * f.red_cells_in,
        given.citrate + t * (s.circuit_citrate + s.fluid_ml_min * s.citrate / 1000.0),
        given.calcium + t * (s.drip_calcium + s.fluid_ml_min * s.calcium / 1000.0),
        given.magnesium + t * (s.drip_magnesium + s.fluid_ml_min * s.magnesium / 1000.0),
    )


@compiled
def receive(live: Live, segment: segments.Segment) -> Live:
    """The patient with what the finished segment gave booked."""
    given = give(live.given, segment)
    return Live(live.minute, live.fluid, live.citrate, live.guess, live.drive, live.carried, given, live.status)


@woven
def look(law: Law, bodies: Bodies, live: Live, zero_hct: float, now: Array) -> Live:
    """Writes all quantities of this instant into `now` (q,), in the order of `QUANTITIES`.

    Relative blood volume is what a monitor zeroed at `zero_hct` shows; `zero_hct` 0 means not zeroed yet.
    """
    state = live.fluid
    place = milieu(state, law, bodies, segments.rest(0.0, segments.AFTER).flows)
    chemistry, guess = citrate.readout(law.binding, bodies.citrate, live.citrate, place, live.guess)
    change, hct = fluid.volume_change(bodies.fluid, state), fluid.haematocrit(state)
    pump = circulation.readout(bodies.circulation, change, live.drive)
    now[0], now[1], now[2] = chemistry.ionised_calcium, chemistry.ionised_magnesium, chemistry.citrate
    now[3], now[4], now[5] = chemistry.total_calcium, chemistry.total_magnesium, chemistry.pth_ratio
    now[6], now[7], now[8] = chemistry.qtc_change_ms, chemistry.bicarbonate, chemistry.ph
    now[9] = live.carried.potassium
    now[10] = 100.0 * (zero_hct / hct - 1.0) if zero_hct > 0.0 else 0.0
    now[11] = 100.0 * change / bodies.circulation.blood_volume0
    now[12], now[13], now[14] = pump.mean_pressure, pump.systolic_pressure, pump.diastolic_pressure
    now[15], now[16], now[17] = pump.pulse_pressure, pump.heart_rate, pump.venous_pressure
    now[18] = pump.cardiac_output_l_min
    now[19] = fluid.colloid_pressure(law.pressure, place.albumin, place.globulin)
    now[20], now[21] = live.carried.temperature, hct
    now[22] = live.carried.platelets / ((state.plasma + state.red_cells) / 1000.0)
    now[23], now[24], now[25] = state.plasma, place.albumin, place.globulin
    return Live(
        live.minute, state, live.citrate, guess, live.drive, live.carried, live.given, live.status | chemistry.status
    )


@compiled
def closes(first: Live, last: Live) -> bool:
    """True where albumin, globulin, water, red cells, citrate, calcium and magnesium close to 1e-9."""
    f, g, c, d, given = first.fluid, last.fluid, first.citrate, last.citrate, last.given
    before = (
        f.albumin + f.tissue_albumin,
        f.globulin + f.tissue_globulin,
        f.plasma + f.tissue,
        f.red_cells,
        c.citrate + c.citrate2,
        c.calcium + c.calcium_tissue,
        c.magnesium + c.magnesium_tissue,
    )
    after = (
        g.albumin + g.tissue_albumin + g.albumin_out,
        g.globulin + g.tissue_globulin + g.globulin_out,
        g.plasma + g.tissue + g.water_out,
        g.red_cells + g.red_cells_out,
        d.citrate + d.citrate2 + d.citrate_out + d.citrate_burnt,
        d.calcium + d.calcium_tissue + d.calcium_out - d.calcium_released,
        d.magnesium + d.magnesium_tissue + d.magnesium_out,
    )
    sound = True
    for k in range(len(before)):
        sound &= abs(before[k] + given[k] - after[k]) <= _IMBALANCE * (before[k] + given[k])
    return sound
