"""What a needle, a catheter and a vein allow: pressure for a flow, collapse, what the pump really delivers.

Pressures mmHg, negative is suction; flows mL/min. Equations: docs/theory/access.md.
"""

from __future__ import annotations

import math

from opentpe.kernel.compiled import compiled

_PA_PER_MM_HG = 133.322
_M3_S_PER_ML_MIN = 1e-6 / 60
_CLOSED_MM_HG = 700.0  # a closed vein shows almost the whole atmosphere; the sensor saturates here
_HALVINGS = 40  # bisection steps: flow known to 1e-10 of the set flow


@compiled
def needle_coefficients(
    bore_mm: float, length_mm: float, viscosity_mpa_s: float, density_kg_m3: float, kinetic: float
) -> tuple[float, float]:
    """Linear and quadratic pressure coefficients of a needle: Hagen-Poiseuille and velocity heads (equation 1).

    mmHg per mL/min and per (mL/min)^2.
    """
    d, length = bore_mm * 1e-3, length_mm * 1e-3
    linear = 128.0 * viscosity_mpa_s * 1e-3 * length / (math.pi * d**4) * _M3_S_PER_ML_MIN
    speed = _M3_S_PER_ML_MIN / (math.pi * d * d / 4.0)
    return linear / _PA_PER_MM_HG, kinetic * 0.5 * density_kg_m3 * speed * speed / _PA_PER_MM_HG


@compiled
def drop(flow: float, linear: float, quadratic: float) -> float:
    """Pressure drop, mmHg, along a needle, lumen or line at a flow."""
    return linear * flow + quadratic * flow * flow


@compiled
def wall_stress_pa(flow: float, bore_mm: float, viscosity_mpa_s: float) -> float:
    """Shear stress, Pa, at the wall of a needle (equation 2); above 150 Pa for long red cells break."""
    d = bore_mm * 1e-3
    return 32.0 * viscosity_mpa_s * 1e-3 * flow * _M3_S_PER_ML_MIN / (math.pi * d**3)


@compiled
def collapse(flow: float, vein_max: float, knee: float, scale: float) -> float:
    """Suction, mmHg, that a closing vein adds; it diverges at the vein's maximum flow (equation 3)."""
    start = knee * vein_max
    if flow <= start:
        return 0.0
    if flow >= vein_max:
        return _CLOSED_MM_HG
    return min(_CLOSED_MM_HG, scale * (flow - start) / (vein_max - flow))


@compiled
def access_pressure(
    flow: float, vessel: float, linear: float, quadratic: float, vein_max: float, knee: float, scale: float
) -> float:
    """Pressure at the draw sensor, mmHg, at a true blood flow; `linear` includes the tubing (equation 4)."""
    suction = drop(flow, linear, quadratic) + collapse(flow, vein_max, knee, scale)
    return max(-_CLOSED_MM_HG, vessel - suction)


@compiled
def return_pressure(flow: float, vessel: float, linear: float, quadratic: float, obstruction: float) -> float:
    """Pressure at the return sensor, mmHg; `obstruction` multiplies the resistance (equation 5)."""
    return vessel + obstruction * drop(flow, linear, quadratic)


@compiled
def delivered(set_flow: float, pressure: float, free_suction: float, loss_per_mm_hg: float) -> float:
    """Flow a peristaltic pump really delivers against suction (equation 6; mashkoor2016 S-9)."""
    return set_flow * max(0.0, 1.0 - loss_per_mm_hg * max(0.0, -pressure - free_suction))


@compiled
def draw_flow(
    set_flow: float, vessel: float, linear: float, quadratic: float, vein_max: float, knee: float, scale: float,
    free_suction: float, loss_per_mm_hg: float,
) -> float:  # fmt: skip
    """True blood flow for a set flow: where pump delivery and vein agree (equations 4 and 6), by bisection."""
    at_set = access_pressure(set_flow, vessel, linear, quadratic, vein_max, knee, scale)
    if at_set >= -free_suction:
        return set_flow
    low, high = 0.0, set_flow
    for _ in range(_HALVINGS):
        flow = 0.5 * (low + high)
        pressure = access_pressure(flow, vessel, linear, quadratic, vein_max, knee, scale)
        if delivered(set_flow, pressure, free_suction, loss_per_mm_hg) > flow:
            low = flow
        else:
            high = flow
    return 0.5 * (low + high)


@compiled
def flow_at_pressure(
    limit: float, vessel: float, linear: float, quadratic: float, vein_max: float, knee: float, scale: float
) -> float:
    """Largest blood flow whose access pressure stays above a limit: what this needle in this vein can carry."""
    low, high = 0.0, vein_max
    for _ in range(_HALVINGS):
        flow = 0.5 * (low + high)
        if access_pressure(flow, vessel, linear, quadratic, vein_max, knee, scale) > limit:
            low = flow
        else:
            high = flow
    return low


@compiled
def return_flow_at_pressure(limit: float, vessel: float, linear: float, quadratic: float) -> float:
    """Largest return flow whose pressure stays below a limit, mL/min."""
    span = max(0.0, limit - vessel)
    if quadratic <= 0.0:
        return span / linear
    return (math.sqrt(linear * linear + 4.0 * quadratic * span) - linear) / (2.0 * quadratic)
