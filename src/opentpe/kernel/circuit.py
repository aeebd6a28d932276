"""The operator's arithmetic: inlet, anticoagulant, bag, what reaches the patient, how long it takes.

The inlet flow includes the anticoagulant: ratio 10 means 9 parts blood and 1 part anticoagulant. Packed haematocrit is
the machine's number; plasma removal efficiency is an output. Volumes mL, flows mL/min, times min. Equations: device
book 2.2, which follows terumo_optia and cobe_manual; anticoagulant mixes evenly with plasma.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from opentpe.kernel.compiled import compiled


class Accounting(IntEnum):
    """What "replacement = balance x removed" counts; the three differ by the whole anticoagulant volume."""

    BAG = 0  # of what is in the plasma bag, anticoagulant included
    PATIENT_PLASMA = 1  # of the patient plasma in the bag
    ALL_FLUIDS = 2  # so that replacement and anticoagulant together balance the bag


class Settings(NamedTuple):
    """One run as set up. `limit_ml_min_l` is the anticoagulant infusion limit per litre of blood volume."""

    hct: float
    blood_ml: float
    inlet_ac_ratio: float
    packed_hct: float
    inlet_cap_ml_min: float  # what operator, access and separator allow
    limit_ml_min_l: float
    replacement_ac_fraction: float  # anticoagulant in the replacement fluid (plasma), 0 for albumin
    balance_ratio: float
    accounting: int
    run_hct: float = 0.0  # mean haematocrit while it runs; 0: the one entered


class Run(NamedTuple):
    """One run as it comes out; `limited` says that anticoagulant, not access, set the inlet flow."""

    inlet_flow_ml_min: float
    ac_flow_ml_min: float
    bag_flow_ml_min: float
    plasma_flow_ml_min: float
    replacement_flow_ml_min: float
    efficiency: float
    bag_ml: float
    ac_used_ml: float
    ac_to_patient_ml: float
    replaced_ml: float
    blood_processed_ml: float
    duration_min: float
    ac_rate_ml_min_l: float
    net_ml: float
    limited: bool


@compiled
def inlet_flow(ac_flow_ml_min: float, inlet_ac_ratio: float) -> float:
    """Inlet flow, mL/min, that an anticoagulant pump rate stands for (cobe_manual)."""
    return ac_flow_ml_min * inlet_ac_ratio


@compiled
def channel_hct(hct: float, inlet_ac_ratio: float) -> float:
    """Haematocrit entering the channel, diluted by anticoagulant."""
    return hct * (inlet_ac_ratio - 1) / inlet_ac_ratio


@compiled
def removal_efficiency(channel: float, packed_hct: float) -> float:
    """Share of the processed patient plasma that ends in the bag, from channel and packed haematocrit."""
    return (1 - channel / packed_hct) / (1 - channel)


@compiled
def packed_hct(channel: float, efficiency: float) -> float:
    """Packed haematocrit that a published plasma removal efficiency implies."""
    return channel / (1 - efficiency * (1 - channel))


@compiled
def ac_fraction(channel: float, inlet_ac_ratio: float) -> float:
    """Share of anticoagulant in the plasma phase, and so in the bag."""
    return 1 / inlet_ac_ratio / (1 - channel)


@compiled
def replacement_share(
    bag_share: float, ac_in_plasma: float, ac_share: float, balance_ratio: float, accounting: int
) -> float:
    """Replacement flow per unit of inlet flow under one of the three accountings."""
    if accounting == Accounting.BAG:
        return balance_ratio * bag_share
    if accounting == Accounting.PATIENT_PLASMA:
        return balance_ratio * bag_share * (1 - ac_in_plasma)
    return max(0.0, balance_ratio * bag_share - ac_share)


@compiled
def _to_patient(s: Settings, channel: float, in_plasma: float) -> float:
    """Anticoagulant that reaches the patient per mL of inlet flow: past the separator, and with donor plasma."""
    efficiency = removal_efficiency(channel, s.packed_hct)
    ac_share = 1 / s.inlet_ac_ratio
    back = replacement_share(efficiency * (1 - channel), in_plasma, ac_share, s.balance_ratio, s.accounting)
    return ac_share * (1 - efficiency) + s.replacement_ac_fraction * back


@compiled
def run(plasma_ml: float, s: Settings) -> Run:
    """Flows, volumes and duration of a run that removes `plasma_ml` of patient plasma.

    The anticoagulant reaching the patient (return line and replacement plasma) slows the inlet where it would pass the
    infusion limit. The machine counts and limits by the haematocrit entered; cells pack by the one of the run.
    """
    entered = channel_hct(s.hct, s.inlet_ac_ratio)
    channel = channel_hct(s.run_hct, s.inlet_ac_ratio) if s.run_hct > 0.0 else entered
    in_plasma = ac_fraction(entered, s.inlet_ac_ratio)
    ac_share = 1 / s.inlet_ac_ratio
    limiting = _to_patient(s, entered, in_plasma)
    allowed = s.limit_ml_min_l * s.blood_ml / 1000
    limited = limiting * s.inlet_cap_ml_min > allowed
    inlet = allowed / limiting if limited else s.inlet_cap_ml_min
    efficiency = removal_efficiency(channel, s.packed_hct)
    bag_share = efficiency * (1 - channel)
    back_share = replacement_share(bag_share, in_plasma, ac_share, s.balance_ratio, s.accounting)
    to_patient_share = _to_patient(s, channel, in_plasma)
    bag_ml = plasma_ml / (1 - in_plasma)
    minutes = bag_ml / (inlet * bag_share)
    processed = inlet * minutes
    return Run(
        inlet,
        inlet * ac_share,
        inlet * bag_share,
        inlet * bag_share * (1 - in_plasma),
        inlet * back_share,
        efficiency,
        bag_ml,
        processed * ac_share,
        processed * to_patient_share,
        processed * back_share,
        processed * (1 - ac_share),
        minutes,
        inlet * to_patient_share / (s.blood_ml / 1000),
        processed * (back_share + ac_share - bag_share),
        limited,
    )
