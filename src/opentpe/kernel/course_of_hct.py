"""The haematocrit a run will have: patient and separator in step, each half minute in the separator's steady state.

Albumin and saline move the patient's haematocrit while plasma leaves, and the interface follows it: plasma flow,
efficiency and duration are those of the haematocrit of the run, not of the one before it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from opentpe.kernel import circuit, fluid
from opentpe.kernel.compiled import compiled

Array = Any  # float64 arrays; their shape stands beside the name
_STEP_MIN: Final = 0.5  # the longest step `fluid.step` is made for
_LONGEST_MIN: Final = 1440.0


class Filling(NamedTuple):
    """What fills the set: blood drawn, mL, minutes, share of the prime that goes to the patient, the interface.

    Packed cells gather in `interface_fraction` of `channel_ml`: in the channel as much plasma leaves; behind a membrane
    it is the line before the replacement joins.
    A membrane takes `filtration_fraction` of the blood whatever its haematocrit; 0 where cells pack.
    """

    blood_ml: float
    minutes: float
    prime_share: float
    channel_ml: float
    interface_fraction: float
    filtration_fraction: float


@compiled
def while_it_runs(
    pressure: fluid.Pressure,
    body: fluid.Body,
    state: fluid.State,
    settings: circuit.Settings,
    filling: Filling,
    plasma_ml: float,
    sequence: Array,
) -> float:
    """The haematocrit of the run: the one at which the separator's steady state takes the same time.

    `sequence` is (parts, 3): share of the replaced volume, albumin and globulin g/L. The haematocrit before the run
    comes back where the equations of the patient do not hold.
    """
    first = circuit.channel_hct(settings.hct, settings.inlet_ac_ratio)
    gathered = filling.channel_ml * (filling.interface_fraction * settings.packed_hct - first)
    out = filling.blood_ml / filling.minutes
    connecting = fluid.Flows(0.0, out, filling.prime_share * out, 0.0, 0.0, 0.0,
                             -gathered / filling.minutes)  # fmt: skip
    steps = int(filling.minutes / _STEP_MIN) + 1
    for _ in range(steps):
        _, state, status = fluid.step(pressure, body, state, connecting, filling.minutes / steps)
        if status != fluid.OK:
            return settings.hct
    s = settings
    entered = circuit.ac_fraction(circuit.channel_hct(s.hct, s.inlet_ac_ratio), s.inlet_ac_ratio)
    inlet = circuit.run(1.0, s).inlet_flow_ml_min
    filtered, sum_hct = inlet * filling.filtration_fraction, 0.0
    counted, minutes, part, until = gathered * (1.0 - entered), 0.0, 0, sequence[0, 0]
    if filtered > 0.0:
        counted = 0.0  # cells that stand behind a filter came in exchange for plasma that went back
    while counted < plasma_ml and minutes < _LONGEST_MIN:
        hct = fluid.haematocrit(state)
        channel = circuit.channel_hct(hct, s.inlet_ac_ratio)
        bag = filtered if filtered > 0.0 else inlet * max(0.0, 1.0 - channel / s.packed_hct)
        if bag <= 0.0:
            return settings.hct
        dt = min(_STEP_MIN, (plasma_ml - counted) / (bag * (1.0 - entered)))
        within = circuit.ac_fraction(channel, s.inlet_ac_ratio)
        anticoagulant = inlet / s.inlet_ac_ratio - bag * within
        back = circuit.replacement_share(bag, entered, inlet / s.inlet_ac_ratio, s.balance_ratio, int(s.accounting))
        flows = fluid.Flows(
            bag * (1.0 - within), 0.0, anticoagulant, back, sequence[part, 1], sequence[part, 2], 0.0
        )  # fmt: skip
        _, state, status = fluid.step(pressure, body, state, flows, dt)
        if status != fluid.OK:
            return settings.hct
        sum_hct += hct * dt
        minutes += dt
        counted += bag * (1.0 - entered) * dt
        while part + 1 < sequence.shape[0] and counted >= until * plasma_ml:
            part += 1
            until += sequence[part, 0]
    if minutes <= 0.0:
        return settings.hct
    if filtered > 0.0:
        return sum_hct / minutes
    share = plasma_ml / (1.0 - entered) / (inlet * minutes)
    return s.packed_hct * (1.0 - share) * s.inlet_ac_ratio / (s.inlet_ac_ratio - 1.0)


@compiled
def of_many(
    pressure: fluid.Pressure,
    typical: fluid.Body,
    proteins: tuple[float, float],
    settings: circuit.Settings,
    filling: Filling,
    plasma_ml: Array,
    hct: Array,
    blood_ml: Array,
    sequence: Array,
    out: Array,
) -> None:
    """The haematocrit of the run of each person, into `out` (n,); bodies differ by blood volume and haematocrit.

    `typical` is one rested body; conductances and elastances go with blood and tissue volume (`equations/fluid`).
    """
    ratio = typical.plasma0 / typical.tissue0
    blood0 = typical.plasma0 + typical.red_cells0
    s = settings
    for i in range(hct.size):
        plasma = blood_ml[i] * (1.0 - hct[i])
        b, t = blood_ml[i] / blood0, plasma / ratio / typical.tissue0
        body = fluid.Body(
            typical.filtration_ml_min_mm_hg * b, typical.vascular_elastance / b, typical.tissue_elastance / t,
            typical.urine_per_min, typical.reflection, typical.albumin_escape_per_min, typical.albumin_share,
            typical.globulin_escape_per_min, typical.globulin_share, 0.0, 0.0, 0.0, 0.0, 0.0,
        )  # fmt: skip
        body, state = fluid.rest(pressure, body, plasma, plasma / ratio, blood_ml[i] * hct[i], proteins)
        own = circuit.Settings(
            hct[i], blood_ml[i], s.inlet_ac_ratio, s.packed_hct, s.inlet_cap_ml_min, s.limit_ml_min_l,
            s.replacement_ac_fraction, s.balance_ratio, s.accounting, 0.0,
        )  # fmt: skip
        out[i] = while_it_runs(pressure, body, state, own, filling, plasma_ml[i], sequence)
