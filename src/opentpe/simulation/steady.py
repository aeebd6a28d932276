"""The separator in its steady state: what the planning clock takes from the device.

Packed haematocrit at the flow that really runs, the average inlet flow of an alternating cycle, the filtration of a
membrane: an order's settings go in and come back as this separator runs them.
"""

from __future__ import annotations

from opentpe.evidence.load import Library
from opentpe.kernel import circuit, separation
from opentpe.kernel.circuit import Settings
from opentpe.simulation import exchange

_PASSES = 30  # between flow and packing: the citrate limit lowers the one and so raises the other


def of(settings: Settings, separator: str, library: Library) -> Settings:
    """The settings as a separator runs them; its flows become averages over its cycle."""
    device = exchange.values(library, separator)
    kind = exchange.principle(library, separator)
    if kind == "membrane":
        inlet = min(settings.inlet_cap_ml_min, device["inlet_flow_ml_min"])
        outlet = separation.membrane_outlet_hct(settings.hct, device["filtration_fraction"])
        return settings._replace(inlet_ac_ratio=separation.NO_ANTICOAGULANT, packed_hct=outlet, inlet_cap_ml_min=inlet)
    if kind == "bowl":
        inlet = min(settings.inlet_cap_ml_min, device["inlet_flow_ml_min"])
        return settings._replace(inlet_cap_ml_min=inlet * _bowl_duty(settings, device, inlet))
    settings = _packed(settings, device)
    if kind == "centrifuge_single_needle":
        return settings._replace(inlet_cap_ml_min=settings.inlet_cap_ml_min * _needle_duty(settings, device))
    return settings


def _packed(settings: Settings, device: dict[str, float]) -> Settings:
    """Packed haematocrit at the inlet flow, below the file's value where the speed is at its limit."""
    for _ in range(_PASSES):
        flow = circuit.run(1.0, settings).inlet_flow_ml_min
        factor = separation.packing_factor(device["packing_constant"], device["centrifuge_speed_max_rpm"], flow)
        if factor >= device["packing_factor_target"]:
            return settings._replace(packed_hct=device["packed_hct_fraction"])
        packed = separation.packed_hct(factor, device["packing_factor_scale"], device["packed_hct_max_fraction"])
        settings = settings._replace(packed_hct=packed)
    return settings


def _needle_duty(settings: Settings, device: dict[str, float]) -> float:
    """Share of the time that one needle draws."""
    run = circuit.run(1.0, settings)
    rising = run.inlet_flow_ml_min - run.bag_flow_ml_min + run.replacement_flow_ml_min
    draw = (device["cycle_ml"] + device["dead_space_ml"]) / rising
    return draw / (draw + device["cycle_ml"] / device["return_flow_ml_min"] + 2 * device["valve_s"] / 60)


def _bowl_duty(settings: Settings, device: dict[str, float], inlet: float) -> float:
    """Share of the time that a bowl draws, passes without end."""
    run = circuit.run(1.0, settings)
    channel = circuit.channel_hct(settings.hct, settings.inlet_ac_ratio)
    average, _ = separation.bowl_flow(
        device["bowl_ml"], device["bowl_residual_ml"], settings.packed_hct, channel, inlet,
        device["return_flow_ml_min"], run.replacement_flow_ml_min / run.bag_flow_ml_min, device["valve_s"] / 60,
    )  # fmt: skip
    return average / inlet
