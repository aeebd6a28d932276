"""One session as segments of constant flows: fill the circuit, exchange with each fluid in turn, rinse back, rest.

What an order and a circuit make of a patient; volumes mL, flows mL/min, minutes, mmol/L. The operator's arithmetic is
`kernel/circuit.py`; phases follow docs/theory/session.md.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from opentpe.kernel import circuit, circulation, citrate, fluid
from opentpe.kernel.compiled import compiled

Array = Any  # float64 arrays; their shape stands beside the name

DRAW, RUN, RINSE, AFTER = 0, 1, 2, 3


class Order(NamedTuple):
    """One session as ordered for one patient; arrays (n,) for a cohort, packed in this order."""

    plasma_ml: float
    hct: float  # as entered at the machine
    blood_ml: float  # as entered at the machine
    inlet_ac_ratio: float
    packed_hct: float
    inlet_cap_ml_min: float
    limit_ml_min_l: float
    balance_ratio: float
    accounting: float
    ac_citrate: float
    ac_acid_fraction: float
    circuit_ml: float
    prime_returned_fraction: float
    draw_min: float
    rinse_ml: float
    rinse_min: float
    rinse_plasma_fraction: float
    red_cell_return_fraction: float
    after_min: float
    drip_calcium: float  # mmol/min while the exchange runs, by vein or absorbed by mouth
    drip_magnesium: float
    drip_bicarbonate: float
    cooling: float  # Cel lost by the blood in the circuit
    warmed_to: float  # Cel; below 0 means no warmer
    platelet_loss_fraction: float
    recipe: float  # row of the recipes
    run_hct: float = 0.0  # mean haematocrit of the exchange; 0: as entered


class Part(NamedTuple):
    """One fluid of the sequence: share of the replaced volume, g/L, mmol/L, Cel, share that is anticoagulant."""

    share: float
    albumin: float
    globulin: float
    calcium: float
    magnesium: float
    citrate: float
    bicarbonate: float
    potassium: float
    temperature: float
    ac_fraction: float


class Segment(NamedTuple):
    """A stretch of constant flows."""

    minutes: float
    phase: int
    flows: fluid.Flows
    supply: citrate.Supply
    carrying: circulation.CarryingFlows


@compiled
def order_at(r: Array) -> Order:
    """One order from a row (fields,) of packed orders."""
    return Order(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7],
        r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15],
        r[16], r[17], r[18], r[19], r[20], r[21], r[22], r[23],
        r[24], r[25], r[26],
    )  # fmt: skip


@compiled
def part_at(recipe: Array, j: int) -> Part:
    """Part j of a recipe (parts, 10)."""
    r = recipe[j]
    return Part(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9])


@compiled
def part_run(order: Order, part: Part) -> circuit.Run:
    """The circuit while one fluid of the sequence runs: each fluid has its own citrate limit."""
    settings = circuit.Settings(
        order.hct,
        order.blood_ml,
        order.inlet_ac_ratio,
        order.packed_hct,
        order.inlet_cap_ml_min,
        order.limit_ml_min_l,
        part.ac_fraction,
        order.balance_ratio,
        int(order.accounting),
        order.run_hct,
    )
    return circuit.run(order.plasma_ml * part.share, settings)


@compiled
def _temperature(order: Order, part: Part) -> float:
    return part.temperature if order.warmed_to < 0.0 else order.warmed_to


@compiled
def draw(order: Order, first: Part, blood_ml: float) -> Segment:
    """Filling the circuit: whole blood out, prime saline in or diverted (equation 12)."""
    out = order.circuit_ml / order.draw_min
    prime = order.prime_returned_fraction * out
    flows = fluid.Flows(0.0, out, prime, 0.0, 0.0, 0.0, 0.0)
    supply = citrate.Supply(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    cold = _temperature(order, first)
    carrying = circulation.CarryingFlows(0.0, prime, cold, 0.0, 0.0, 0.0, 0.0, 0.0, out / blood_ml, 0.0)
    return Segment(order.draw_min, DRAW, flows, supply, carrying)


@compiled
def exchange(order: Order, part: Part) -> Segment:
    """The exchange with one fluid (equation 13; citrate by equation 1)."""
    if part.share * order.plasma_ml <= 0.0:
        return rest(0.0, RUN)
    run = part_run(order, part)
    anticoagulant = run.ac_flow_ml_min * (1.0 - run.efficiency)
    delivered = anticoagulant * order.ac_citrate / 1000.0
    flows = fluid.Flows(
        run.plasma_flow_ml_min, 0.0, anticoagulant, run.replacement_flow_ml_min, part.albumin, part.globulin, 0.0
    )
    supply = citrate.Supply(
        run.replacement_flow_ml_min,
        part.calcium,
        part.magnesium,
        part.citrate,
        part.bicarbonate,
        delivered,
        order.ac_acid_fraction * delivered,
        order.drip_calcium,
        order.drip_magnesium,
        order.drip_bicarbonate,
    )
    carrying = circulation.CarryingFlows(
        run.plasma_flow_ml_min,
        anticoagulant + run.replacement_flow_ml_min,
        _temperature(order, part),
        run.inlet_flow_ml_min - run.ac_flow_ml_min,
        order.cooling,
        run.replacement_flow_ml_min,
        part.potassium,
        0.0,
        -math.log(1.0 - order.platelet_loss_fraction) * part.share / run.duration_min,
        0.0,
    )
    return Segment(run.duration_min, RUN, flows, supply, carrying)


@compiled
def rinse(order: Order, last: Part, held_red_cells_ml: float, held_platelets: float) -> Segment:
    """Giving the circuit back: most red cells, then half last fluid, half saline (equation 14)."""
    if order.rinse_ml <= 0.0:
        return rest(0.0, RINSE)
    cells = order.red_cell_return_fraction * held_red_cells_ml
    other = max(order.rinse_ml - cells, 0.0) / order.rinse_min
    mixed, clear = order.rinse_plasma_fraction * other, (1.0 - order.rinse_plasma_fraction) * other
    flows = fluid.Flows(0.0, 0.0, clear, mixed, last.albumin, last.globulin, cells / order.rinse_min)
    supply = citrate.Supply(
        mixed, last.calcium, last.magnesium, last.citrate, last.bicarbonate, 0.0, 0.0, 0.0, 0.0, 0.0
    )
    platelets = order.red_cell_return_fraction * held_platelets / order.rinse_min
    carrying = circulation.CarryingFlows(
        0.0, other, _temperature(order, last), 0.0, 0.0, mixed, last.potassium, 0.0, 0.0, platelets
    )
    return Segment(order.rinse_min, RINSE, flows, supply, carrying)


@compiled
def rest(minutes: float, phase: int) -> Segment:
    """Nothing flows."""
    flows = fluid.Flows(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    supply = citrate.Supply(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    after = 1.0 if phase == AFTER else 0.0
    return Segment(
        minutes, phase, flows, supply, circulation.CarryingFlows(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, after, 0.0, 0.0)
    )
