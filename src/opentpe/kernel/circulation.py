"""Stroke volume, heart rate and pressures with a baroreflex; temperature, potassium and platelets that flows carry.

Pressures mm Hg, rates per min, volumes mL, flows mL/min, temperatures Cel, time min. The blood volume is read from
`kernel/fluid.py`; constants come as arguments (`equations/circulation`, `equations/fluid`, `equations/cells`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from opentpe.kernel.compiled import woven


class Body(NamedTuple):
    """Resting circulation of one patient and the gains of its reflexes."""

    heart_rate0: float
    stroke_volume0: float
    mean_pressure0: float
    pulse_pressure0: float
    venous_pressure0: float
    vascular_elastance: float  # the one of `fluid.Body`
    blood_volume0: float
    stroke_slope: float
    stroke_floor: float
    stroke_saturation: float
    rate_gain: float
    resistance_gain: float
    reflex_min: float
    reflex_low: float
    reflex_high: float
    autonomic_ratio: float  # 1 intact, 0 failed
    pulse_share: float  # of the pulse pressure that lies above the mean


class Readout(NamedTuple):
    """What a monitor would show: mm Hg, per min, mL, L/min."""

    mean_pressure: float
    systolic_pressure: float
    diastolic_pressure: float
    pulse_pressure: float
    heart_rate: float
    venous_pressure: float
    stroke_volume: float
    cardiac_output_l_min: float


class Carriage(NamedTuple):
    """What the flows carry besides: spaces and exchange of warmth and potassium."""

    heat_j_k: float  # of the whole body
    water_heat: float  # J/mL/K
    blood_heat: float
    potassium_space_ml: float
    potassium0: float
    potassium_return_per_min: float


class Carried(NamedTuple):
    """Body temperature (Cel), plasma potassium (mmol/L) and circulating platelets (10*9)."""

    temperature: float
    potassium: float
    platelets: float


class CarryingFlows(NamedTuple):
    """Flows that warm, cool or dilute: mL/min; Cel; potassium mmol/L; platelets lost per min and given, 10*9/min."""

    plasma_removed: float
    cold_in: float  # all fluid that enters at room temperature
    cold_temperature: float
    circuit_flow: float
    circuit_cooling: float
    fluid_in: float
    fluid_potassium: float
    recovering: float  # 1 after the session, 0 in it
    platelet_loss_per_min: float
    platelets_in: float


@woven
def stroke_ratio(body: Body, volume_fraction: float) -> float:
    """Stroke volume over its resting value at a relative change of blood volume (equation 15)."""
    gain = body.stroke_slope * volume_fraction
    if volume_fraction < 0.0:
        return max(body.stroke_floor, 1.0 + gain)
    return 1.0 + gain / (1.0 + body.stroke_saturation * volume_fraction)


@woven
def readout(body: Body, volume_change_ml: float, drive: float) -> Readout:
    """Pressures and heart rate at a change of blood volume (mL) and a reflex drive (equations 15 to 19)."""
    stroke = stroke_ratio(body, volume_change_ml / body.blood_volume0)
    venous = max(0.0, body.venous_pressure0 + body.vascular_elastance * volume_change_ml)
    rate = 1.0 + body.autonomic_ratio * body.rate_gain * drive
    resistance = 1.0 + body.autonomic_ratio * body.resistance_gain * drive
    mean = venous + (body.mean_pressure0 - body.venous_pressure0) * stroke * rate * resistance
    pulse = body.pulse_pressure0 * stroke
    return Readout(
        mean,
        mean + body.pulse_share * pulse,
        mean - (1.0 - body.pulse_share) * pulse,
        pulse,
        body.heart_rate0 * rate,
        venous,
        body.stroke_volume0 * stroke,
        body.heart_rate0 * rate * body.stroke_volume0 * stroke / 1000.0,
    )


@woven
def drive_rate(body: Body, volume_change_ml: float, drive: float) -> tuple[float, float]:
    """Change of the reflex drive per min, towards what mean and pulse pressure ask for, and its slope (equation 20)."""
    now = readout(body, volume_change_ml, drive)
    asked = (body.mean_pressure0 - now.mean_pressure) + (body.pulse_pressure0 - now.pulse_pressure)
    wanted = asked / body.mean_pressure0
    rate, resistance = body.autonomic_ratio * body.rate_gain, body.autonomic_ratio * body.resistance_gain
    driven = (body.mean_pressure0 - body.venous_pressure0) * now.stroke_volume / body.stroke_volume0
    steep = -driven * (rate * (1.0 + resistance * drive) + resistance * (1.0 + rate * drive)) / body.mean_pressure0
    if wanted < body.reflex_low or wanted > body.reflex_high:
        wanted, steep = min(max(wanted, body.reflex_low), body.reflex_high), 0.0
    return (wanted - drive) / body.reflex_min, (steep - 1.0) / body.reflex_min


@woven
def step(body: Body, drive: float, middle_ml: float, dt: float) -> float:
    """The reflex drive `dt` minutes on, with the volume change in the middle of the step.

    Exact for a linear reflex, so that the fastest mode of the session sets no step.
    """
    rate, slope = drive_rate(body, middle_ml, drive)
    return drive + rate * math.expm1(slope * dt) / slope


@woven
def carried_rates(law: Carriage, state: Carried, flows: CarryingFlows) -> Carried:
    """Time derivative of temperature, potassium and platelets (equations 21 and 22).

    No heat production and no shivering: the temperature is a worst case.
    """
    cooling = law.blood_heat * flows.circuit_flow * flows.circuit_cooling
    cooling += law.water_heat * flows.cold_in * (state.temperature - flows.cold_temperature)
    washed = flows.plasma_removed * state.potassium - flows.fluid_in * flows.fluid_potassium
    back = flows.recovering * law.potassium_return_per_min * (law.potassium0 - state.potassium)
    return Carried(
        -cooling / law.heat_j_k,
        -washed / law.potassium_space_ml + back,
        flows.platelets_in - flows.platelet_loss_per_min * state.platelets,
    )


@woven
def carry(law: Carriage, state: Carried, flows: CarryingFlows, dt: float) -> Carried:
    """Temperature, potassium and platelets `dt` minutes on by the midpoint rule."""
    k1 = carried_rates(law, state, flows)
    middle = Carried(
        state.temperature + 0.5 * dt * k1.temperature,
        state.potassium + 0.5 * dt * k1.potassium,
        state.platelets + 0.5 * dt * k1.platelets,
    )
    k2 = carried_rates(law, middle, flows)
    return Carried(
        state.temperature + dt * k2.temperature,
        state.potassium + dt * k2.potassium,
        state.platelets + dt * k2.platelets,
    )
