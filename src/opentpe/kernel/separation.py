"""What happens to blood in the machine: packing, interface, spill, bowl passes, membrane.

Plasma removal efficiency is an output of packed haematocrit (`circuit.removal_efficiency`), never an input. Flows
mL/min, volumes mL, times min unless the name says seconds; equations: docs/theory/separator.md, numbered as there.
"""

from __future__ import annotations

import math
from typing import Final

from opentpe.kernel import circuit
from opentpe.kernel.compiled import compiled

_LATE_DRAW_S: Final = 1.5
_LATE_GIVE_S: Final = 0.5
NO_ANTICOAGULANT = 1e12  # inlet:AC ratio that stands for "no volume of anticoagulant" (heparin)


@compiled
def relative_centrifugal_force(radius_cm: float, speed_rpm: float) -> float:
    """Acceleration in multiples of g (equation 1, textbook constant 1.118e-5).

    >>> round(relative_centrifugal_force(10.0, 3000.0))
    1006
    """
    return 1.118e-5 * radius_cm * speed_rpm * speed_rpm


@compiled
def packing_factor(constant: float, speed_rpm: float, inlet_ml_min: float) -> float:
    """Packing factor: how hard and how long the cells are packed (equation 2; terumo_turbulence: 20 at 62 mL/min)."""
    return constant * speed_rpm * speed_rpm / inlet_ml_min if inlet_ml_min > 0.0 else math.inf


@compiled
def speed_for(constant: float, target: float, inlet_ml_min: float, speed_max_rpm: float) -> float:
    """Centrifuge speed, rpm, that holds a packing factor, as far as the motor goes (equation 2)."""
    return min(speed_max_rpm, math.sqrt(target * inlet_ml_min / constant))


@compiled
def packed_hct(packing: float, scale: float, hct_max: float) -> float:
    """Packed haematocrit leaving the channel at a packing factor (equation 3)."""
    return hct_max * -math.expm1(-packing / scale)


@compiled
def interface_flow(inlet_ml_min: float, channel_hct: float, packed: float) -> float:
    """Plasma flow that keeps the interface where it is: feed-forward of a machine without a camera (equation 4)."""
    return inlet_ml_min * max(0.0, 1.0 - channel_hct / packed)


@compiled
def interface_trim(inlet_ml_min: float, error: float, gain: float, integral: float) -> float:
    """Correction of the plasma flow by the camera; `error` = target minus position, `integral` in shares of inlet."""
    return inlet_ml_min * (gain * error + integral)


@compiled
def cells_outlet_hct(position: float, low: float, packed: float) -> float:
    """Haematocrit of the red-cell line; plasma leaves with the cells when the interface is low (equation 5)."""
    return packed if position >= low else packed * max(0.0, position) / low


@compiled
def spill_hct(position: float, threshold: float, full: float) -> float:
    """Haematocrit in the plasma line when the interface stands above the spill level (equation 6)."""
    return full * min(1.0, max(0.0, (position - threshold) / (1.0 - threshold)))


@compiled
def platelet_leak(loss_per_plasma_volume: float, efficiency: float) -> float:
    """Share of the platelets passing the machine that leave with plasma (equation 7).

    One plasma volume removed takes 1/efficiency blood volumes through the machine.
    """
    return -math.log1p(-loss_per_plasma_volume) * efficiency


@compiled
def single_needle_flow(
    draw_ml: float, draw_flow: float, return_ml: float, return_flow: float, valve_min: float
) -> float:
    """Average inlet flow of an alternating cycle with two valve changes (equation 8).

    >>> round(single_needle_flow(60.0, 60.0, 60.0, 100.0, 0.05), 1)
    35.3
    """
    return draw_ml / (draw_ml / draw_flow + return_ml / return_flow + 2.0 * valve_min)


@compiled
def needle_cycle(
    cycle_ml: float, dead_ml: float, rising_ml_min: float, return_flow: float, valve_min: float
) -> tuple[float, float]:
    """Minutes of draw and minutes until the next draw of one needle, `rising_ml_min` into the reservoir while it draws.

    The controller looks once a second and a draw ends with the second after: on average 1.5 s late, a return 0.5 s.
    """
    late = (_LATE_DRAW_S * rising_ml_min + _LATE_GIVE_S * return_flow) / 60.0
    return (cycle_ml + dead_ml + late) / rising_ml_min, (cycle_ml + late) / return_flow + 2.0 * valve_min


@compiled
def bowl_pass_ml(bowl_ml: float, packed: float, channel_hct: float) -> float:
    """Anticoagulated blood that fills a bowl with packed cells (equation 9); low haematocrit makes a larger pass.

    >>> round(bowl_pass_ml(225.0, 0.80, 0.375))
    480
    """
    return packed * bowl_ml / channel_hct


@compiled
def bowl_flow(
    bowl_ml: float, kept_ml: float, packed: float, channel_hct: float, draw_flow: float, return_flow: float,
    balance_share: float, valve_min: float,
) -> tuple[float, float]:  # fmt: skip
    """Average inlet flow and average bag flow of a discontinuous bowl (equation 10).

    `kept_ml` stays in the bowl at each return; `balance_share` is replacement per mL in the bag.
    """
    drawn = packed * (bowl_ml - kept_ml) / channel_hct
    bag = drawn - (bowl_ml - kept_ml)
    back = bowl_ml - kept_ml + balance_share * bag
    minutes = drawn / draw_flow + back / return_flow + 2.0 * valve_min
    return drawn / minutes, bag / minutes


@compiled
def bowl_passes(
    bag_ml: float, bowl_ml: float, kept_ml: float, packed: float, channel_hct: float, return_flow: float,
    balance_share: float, valve_min: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Blood drawn for a bag volume, minutes of return between the passes, and blood drawn in the last pass.

    The first pass fills an empty bowl; the last fills it before plasma comes, and its cells go back with rinseback.
    """
    held, gain = bowl_ml - kept_ml, packed / channel_hct - 1.0
    left, drawn, rest, holds = bag_ml, 0.0, 0.0, bowl_ml
    while left > gain * holds:
        left -= gain * holds
        drawn += (1.0 + gain) * holds
        rest += (held + balance_share * gain * holds) / return_flow + 2.0 * valve_min
        holds = held
    return drawn + holds + left, rest, holds + left


@compiled
def membrane_efficiency(filtration_fraction: float, hct: float, sieving: float) -> float:
    """Share of the processed plasma that is filtered (equation 11)."""
    return sieving * filtration_fraction / (1.0 - hct)


@compiled
def membrane_outlet_hct(hct: float, filtration_fraction: float) -> float:
    """Haematocrit behind the filter (equation 11)."""
    return hct / (1.0 - filtration_fraction)


@compiled
def transmembrane_pressure(filtrate_ml_min: float, permeability: float, area_m2: float) -> float:
    """Transmembrane pressure, mmHg, that drives a filtrate flow (equation 12)."""
    return filtrate_ml_min / (permeability * area_m2)


@compiled
def fouled(permeability: float, rate_per_min: float, pressure: float, pressure_reference: float, dt: float) -> float:
    """Permeability after `dt` minutes of fouling in proportion to transmembrane pressure (equation 13)."""
    return permeability * math.exp(-rate_per_min * pressure / pressure_reference * dt)


@compiled
def return_temperature(body_cel: float, room_cel: float, loss_j_min_k: float, heat_j_ml_k: float, flow: float) -> float:
    """Temperature of blood coming back through an unwarmed line (equation 14)."""
    if flow <= 0.0:
        return room_cel
    return room_cel + (body_cel - room_cel) * math.exp(-loss_j_min_k / (heat_j_ml_k * flow))


@compiled
def membrane_run(plasma_ml: float, hct: float, blood_flow: float, fraction: float, balance: float) -> circuit.Run:
    """Flows, volumes and duration of a membrane run without citrate: planning mode (equation 11)."""
    bag = blood_flow * fraction
    minutes = plasma_ml / bag
    back = balance * bag
    efficiency = membrane_efficiency(fraction, hct, 1.0)
    return circuit.Run(
        blood_flow, 0.0, bag, bag, back, efficiency, plasma_ml, 0.0, 0.0, back * minutes, blood_flow * minutes,
        minutes, 0.0, (back - bag) * minutes, False,
    )  # fmt: skip
