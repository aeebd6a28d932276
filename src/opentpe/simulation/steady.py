"""The separator in its steady state: what the planning clock takes from the device.

Packed haematocrit at the flow that really runs, the average inlet flow of an alternating cycle, the filtration of a
membrane, the patient's haematocrit while it runs: an order's settings go in and come back as this separator runs them.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library
from opentpe.kernel import circuit, separation
from opentpe.kernel.circuit import Settings
from opentpe.simulation import exchange, foresee

_PASSES = 30  # between flow and packing: the citrate limit lowers the one and so raises the other


def run_as(
    settings: Settings, subject: Subject, fluids: Sequence[tuple[str, float]], volume_ml: float, separator: str,
    library: Library,
) -> Settings:  # fmt: skip
    """The settings as a separator runs them on one patient, with the haematocrit of the run."""
    still = of(settings, separator, library, volume_ml)
    device = exchange.values(library, separator)
    moved = foresee.haematocrit(subject, still, device, connecting(library), volume_ml, fluids, library)
    return of(settings._replace(run_hct=moved), separator, library, volume_ml)


def connecting(library: Library) -> tuple[float, float]:
    """Minutes that filling the set is planned with, and the share of the prime that the patient gets."""
    plan = library.values("equations/fluid")
    return plan["draw_min"], plan["prime_return_fraction"]


def of(settings: Settings, separator: str, library: Library, volume_ml: float = 0.0) -> Settings:
    """The settings as a separator runs them; its flows become averages over its cycle.

    With `volume_ml` of patient plasma a bowl is counted in whole passes, else as passes without end.
    """
    device = exchange.values(library, separator)
    kind = exchange.principle(library, separator)
    if kind == "membrane":
        inlet = min(settings.inlet_cap_ml_min, device["inlet_flow_ml_min"])
        outlet = separation.membrane_outlet_hct(settings.run_hct or settings.hct, device["filtration_fraction"])
        return settings._replace(inlet_ac_ratio=separation.NO_ANTICOAGULANT, packed_hct=outlet, inlet_cap_ml_min=inlet)
    if kind == "bowl":
        inlet = min(settings.inlet_cap_ml_min, device["inlet_flow_ml_min"])
        return settings._replace(inlet_cap_ml_min=inlet * _bowl_duty(settings, device, inlet, volume_ml))
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
    draw, rest = separation.needle_cycle(
        device["cycle_ml"], device["dead_space_ml"], rising, device["return_flow_ml_min"], device["valve_s"] / 60
    )
    return draw / (draw + rest)


def _bowl_duty(settings: Settings, device: dict[str, float], inlet: float, volume_ml: float) -> float:
    """Share of the time that a bowl draws, over the passes that a volume takes."""
    run = circuit.run(max(volume_ml, 1.0), settings)
    channel = circuit.channel_hct(settings.run_hct or settings.hct, settings.inlet_ac_ratio)
    share, valve = run.replacement_flow_ml_min / run.bag_flow_ml_min, device["valve_s"] / 60
    bowl, kept, back = device["bowl_ml"], device["bowl_residual_ml"], device["return_flow_ml_min"]
    if volume_ml <= 0.0:
        average, _ = separation.bowl_flow(bowl, kept, settings.packed_hct, channel, inlet, back, share, valve)
        return average / inlet
    drawn, rest, _ = separation.bowl_passes(run.bag_ml, bowl, kept, settings.packed_hct, channel, back, share, valve)
    bag_share = run.bag_flow_ml_min / run.inlet_flow_ml_min
    return run.bag_ml / bag_share / (drawn + rest * inlet)
