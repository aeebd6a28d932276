"""What a procedure is expected to need: the steady state of the device's equations, at the haematocrit of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opentpe.evidence.load import Library
from opentpe.kernel import circuit, separation
from opentpe.simulation import foresee, setup
from opentpe.simulation.exchange import Ready, principle

_PASSES: Final = 50  # fixed-point passes between inlet flow and packed haematocrit
_LONG_MIN: Final = 360.0  # six hours: nobody sits longer


@dataclass(frozen=True, slots=True)
class Plan:
    """The run as the device's steady state says, with the minutes around the exchange itself."""

    run: circuit.Run
    packed_hct: float
    duty_fraction: float
    connect_min: float
    rinseback_min: float
    transit_min: float  # blood from the needle back to the needle

    @property
    def total_min(self) -> float:
        """From connection to the end of rinseback."""
        return self.connect_min + self.run.duration_min + self.rinseback_min


def plan(ready: Ready, library: Library) -> Plan:
    """Flows, volumes and duration of the planned run: planning mode, from the equations of the device.

    The patient's haematocrit moves while plasma is replaced; the plan takes its mean over the exchange.
    """
    still = _plan(ready, library, 0.0)
    if ready.exchange.phantom:
        return still
    device = ready.device
    average = still.run.inlet_flow_ml_min * still.duty_fraction
    packed = still.packed_hct or separation.membrane_outlet_hct(ready.hct_entered, device["filtration_fraction"])
    settings = _settings(ready, library, packed, average, _limit(ready) / still.duty_fraction)
    connecting = (max(still.connect_min, 1.0), float(ready.exchange.prime_to_patient))
    parts = [(p.fluid, p.fraction) for p in ready.fluids]
    volume = still.run.bag_ml * (1 - _counted_ac(ready))
    moved = foresee.haematocrit(ready.exchange.subject, settings, device, connecting, volume, parts, library)
    return _plan(ready, library, moved)


def _limit(ready: Ready) -> float:
    return ready.exchange.ac_limit_ml_min_l or ready.device["ac_infusion_limit_ml_min_l"]


def _counted_ac(ready: Ready) -> float:
    """Share of anticoagulant in the bag as the machine counts it."""
    return circuit.ac_fraction(circuit.channel_hct(ready.hct_entered, ready.inlet_ac_ratio), ready.inlet_ac_ratio)


def _plan(ready: Ready, library: Library, run_hct: float) -> Plan:
    """The plan at a haematocrit of the run; 0 means the one entered."""
    kind = principle(library, ready.exchange.separator)
    device = ready.device
    if kind == "membrane":
        run, packed, duty = _membrane(ready, run_hct), 0.0, 1.0
    elif kind == "bowl":
        run, packed, duty = _bowl(ready, library, run_hct)
    else:
        run, packed, duty = _centrifuge(ready, library, run_hct, alternating=kind == "centrifuge_single_needle")
    channel = 0.0 if kind == "bowl" else device["channel_ml"]
    fill = device["inlet_line_ml"] if kind == "bowl" else (
        device["inlet_line_ml"] + channel + device["return_line_ml"] + device["reservoir_set_ml"])  # fmt: skip
    ramp = device["ramp_s"] * (1 - device["ramp_start_fraction"]) / 120.0
    return Plan(run, packed, duty, fill / device["connect_flow_ml_min"] + ramp,
                device["rinseback_ml"] / device["rinseback_flow_ml_min"],
                _transit(run, device, channel, duty))  # fmt: skip


def _transit(run: circuit.Run, device: dict[str, float], channel_ml: float, duty: float) -> float:
    """Minutes blood needs through draw line, separator and return, each at its flow averaged over a cycle."""
    drawn = run.inlet_flow_ml_min * duty
    back = (run.inlet_flow_ml_min - run.bag_flow_ml_min + run.replacement_flow_ml_min) * duty
    behind = device["return_line_ml"] + device["reservoir_set_ml"] + 0.5 * device.get("cycle_ml", 0.0)
    return (device["inlet_line_ml"] + channel_ml + device.get("bowl_ml", 0.0)) / drawn + behind / back


def _settings(
    ready: Ready, library: Library, packed: float, inlet: float, limit: float, run_hct: float = 0.0
) -> circuit.Settings:
    citrate = setup.anticoagulant_share(ready.fluids, library)
    return circuit.Settings(
        ready.hct_entered, ready.blood_volume_ml, ready.inlet_ac_ratio, packed, inlet, limit, citrate, ready.balance,
        int(ready.exchange.accounting), run_hct,
    )  # fmt: skip


def _centrifuge(
    ready: Ready, library: Library, run_hct: float, *, alternating: bool
) -> tuple[circuit.Run, float, float]:
    d, inlet, limit = ready.device, ready.inlet_flow_ml_min, _limit(ready)
    flow, packed, duty, run = inlet, d["packed_hct_fraction"], 1.0, None
    for _ in range(_PASSES):
        speed = separation.speed_for(
            d["packing_constant"], d["packing_factor_target"], flow, d["centrifuge_speed_max_rpm"]
        )
        factor = separation.packing_factor(d["packing_constant"], speed, flow)
        packed = separation.packed_hct(factor, d["packing_factor_scale"], d["packed_hct_max_fraction"])
        run = circuit.run(_target(ready), _settings(ready, library, packed, inlet, limit / duty, run_hct))
        if alternating:
            duty = _cycle(ready, run).duty_fraction
        if abs(run.inlet_flow_ml_min - flow) < 1e-9:
            break
        flow = run.inlet_flow_ml_min
    assert run is not None
    cycle = _cycle(ready, run) if alternating else Cycle(1.0, 0.0)
    if alternating:
        run = _drawn_again(run, d["dead_space_ml"] / (cycle.draw_min * (run.inlet_flow_ml_min - run.ac_flow_ml_min)))
    return _for_target(ready, run, cycle), packed, duty


def _drawn_again(run: circuit.Run, share: float) -> circuit.Run:
    """The run where a share of the blood is what was just given back: its plasma passes the separator twice."""
    gained = run.efficiency * share * (1 - run.efficiency)
    return run._replace(
        efficiency=run.efficiency + gained, ac_to_patient_ml=run.ac_to_patient_ml - gained * run.ac_used_ml
    )


def _target(ready: Ready) -> float:
    return ready.target_ml if ready.target_ml > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Cycle:
    """An alternating cycle: minutes of draw, and minutes until the next draw begins."""

    draw_min: float
    rest_min: float

    @property
    def duty_fraction(self) -> float:
        """Share of the time that is draw."""
        return self.draw_min / (self.draw_min + self.rest_min)

    def elapsed_min(self, drawing_min: float) -> float:
        """Time that an amount of draw takes: whole cycles lie between, the last one ends with its draw."""
        return drawing_min + int(drawing_min / self.draw_min) * self.rest_min

    def drawing_min(self, elapsed_min: float) -> float:
        """Draw in a time, its inverse."""
        whole = int(elapsed_min / (self.draw_min + self.rest_min))
        return whole * self.draw_min + min(self.draw_min, elapsed_min - whole * (self.draw_min + self.rest_min))


def _cycle(ready: Ready, run: circuit.Run) -> Cycle:
    """The cycle of a single needle: draw until the batch stands in the reservoir, give it back."""
    d = ready.device
    rising = run.inlet_flow_ml_min - run.bag_flow_ml_min + run.replacement_flow_ml_min
    return Cycle(*separation.needle_cycle(
        d["cycle_ml"], d["dead_space_ml"], rising, d["return_flow_ml_min"], d["valve_s"] / 60
    ))  # fmt: skip


def _for_target(ready: Ready, run: circuit.Run, cycle: Cycle) -> circuit.Run:
    """The run in time at the chair, scaled to a target of minutes or blood where one was given."""
    scale = 1.0
    if ready.exchange.minutes:
        scale = cycle.drawing_min(ready.exchange.minutes) / run.duration_min
    elif ready.exchange.blood_ml:
        scale = ready.exchange.blood_ml / run.blood_processed_ml
    return run._replace(
        duration_min=cycle.elapsed_min(run.duration_min * scale), bag_ml=run.bag_ml * scale,
        ac_used_ml=run.ac_used_ml * scale,
        ac_to_patient_ml=run.ac_to_patient_ml * scale, replaced_ml=run.replaced_ml * scale,
        blood_processed_ml=run.blood_processed_ml * scale, net_ml=run.net_ml * scale,
    )  # fmt: skip


def _bowl(ready: Ready, library: Library, run_hct: float) -> tuple[circuit.Run, float, float]:
    d = ready.device
    settings = _settings(
        ready, library, d["packed_hct_fraction"], ready.inlet_flow_ml_min, _limit(ready), run_hct
    )  # fmt: skip
    run = circuit.run(_target(ready), settings)
    channel = circuit.channel_hct(run_hct or ready.hct_entered, ready.inlet_ac_ratio)
    share = run.replacement_flow_ml_min / run.bag_flow_ml_min
    held = d["bowl_ml"] - d["bowl_residual_ml"]
    drawn = separation.bowl_pass_ml(held, d["packed_hct_fraction"], channel)
    back = held + share * (drawn - held)
    cycle = Cycle(drawn / run.inlet_flow_ml_min, back / d["return_flow_ml_min"] + 2 * d["valve_s"] / 60)
    run = _for_target(ready, run, cycle)
    if not ready.exchange.minutes and not ready.exchange.blood_ml:
        run = _passes(ready, run, channel, share)
    return run, d["packed_hct_fraction"], cycle.duty_fraction


def _passes(ready: Ready, run: circuit.Run, channel: float, share: float) -> circuit.Run:
    """The run of a bowl counted pass by pass: the first fills an empty bowl, the last fills it before plasma comes."""
    d = ready.device
    drawn, rest, last = separation.bowl_passes(
        run.bag_ml, d["bowl_ml"], d["bowl_residual_ml"], d["packed_hct_fraction"], channel, d["return_flow_ml_min"],
        share, d["valve_s"] / 60,
    )  # fmt: skip
    holds = d["bowl_ml"] if last == drawn else d["bowl_ml"] - d["bowl_residual_ml"]
    scale = drawn / (run.blood_processed_ml + run.ac_used_ml)
    within = circuit.ac_fraction(channel, ready.inlet_ac_ratio)
    held = within * (holds - last * channel)  # in the bowl when the target is reached
    passed = scale * run.ac_used_ml - within * run.bag_ml - held
    donor = run.ac_to_patient_ml - (1 - run.efficiency) * run.ac_used_ml
    return run._replace(
        duration_min=drawn / run.inlet_flow_ml_min + rest, ac_used_ml=run.ac_used_ml * scale,
        blood_processed_ml=run.blood_processed_ml * scale, efficiency=run.efficiency / scale,
        ac_to_patient_ml=passed + donor,
    )  # fmt: skip


def _membrane(ready: Ready, run_hct: float) -> circuit.Run:
    run = separation.membrane_run(
        _target(ready), run_hct or ready.hct_entered, ready.inlet_flow_ml_min, ready.device["filtration_fraction"],
        ready.balance,
    )  # fmt: skip
    return _for_target(ready, run, Cycle(1.0, 0.0))


def plan_warnings(planned: Plan, ready: Ready) -> tuple[str, ...]:
    """What the plan itself warns of, with the nearest setting that avoids it."""
    found = []
    total = planned.total_min
    if total > _LONG_MIN:
        remedy = f"lower the dose to {ready.target_ml * _LONG_MIN / total:.0f} mL"
        if planned.run.limited:
            needed = _limit(ready) * planned.run.duration_min / (_LONG_MIN - total + planned.run.duration_min)
            if needed <= ready.device["ac_infusion_safety_ml_min_l"]:
                remedy = f"raise the anticoagulant limit to {needed:.2f} mL/min per L; or {remedy}"
            else:
                remedy = f"replace part of the plasma by albumin; or {remedy}"
        found.append(f"the run would take {total / 60:.1f} h, more than 6 h: {remedy}.")
    elif planned.run.limited:
        found.append(f"the anticoagulant limit slows the inlet to {planned.run.inlet_flow_ml_min:.0f} mL/min.")
    return tuple(found)
