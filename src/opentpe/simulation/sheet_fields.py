"""Header and end of a run sheet, field by field, in the order of the run-sheet list of device book 7.4.

A value of None is a field the ward fills in; what the simulator does not model is named as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from opentpe import __version__
from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium, Dose
from opentpe.evidence.load import Library
from opentpe.kernel.controller import Alarm
from opentpe.simulation.exchange import Ready
from opentpe.simulation.planned import plan
from opentpe.simulation.procedure import Finished

NO_AC: Final = 1e6  # a ratio that only stands for "no citrate"
_LABS: Final = {
    "platelets_10_9_l": "platelets", "haemoglobin_g_l": "", "inr_ratio": "", "fibrinogen_g_l": "fibrinogen",
    "ionised_calcium_mmol_l": "ionised_calcium", "calcium_mmol_l": "calcium", "magnesium_mmol_l": "magnesium",
    "potassium_mmol_l": "potassium",
}  # fmt: skip
_IDENTITY: Final = ("identifier_1", "identifier_2", "date_of_birth", "diagnosis_and_asfa_category", "indication",
                    "ordering_physician", "apheresis_physician", "consent", "session_in_series", "date",
                    "location")  # fmt: skip
_WARD: Final = ("allergies", "ace_inhibitor_last_dose", "medicines", "assessment")
_HANDS: Final = ("model_and_serial", "set_lot_and_expiry", "anticoagulant_lot_and_expiry", "saline_lot_and_expiry",
                 "last_maintenance", "primed_by", "connected_by")  # fmt: skip
_LABEL: Final = "donation_number_or_lot, product_code, abo, expiry, time, verified_by"


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of header or end: group, name with unit, value; None is left open for the ward."""

    group: str
    name: str
    value: float | str | None


def header(done: Finished, library: Library) -> tuple[Field, ...]:
    """Order and identity, before, plan, device, fluids issued."""
    ready = done.state.ready
    return (
        *_group("identity", dict.fromkeys(_IDENTITY)),
        *_group("before", _before(done, ready.exchange.subject)),
        *_group("plan", _plan(ready, library)),
        *_group("device", _device(ready)),
        *_group("fluids issued", {f"{fluid}_ml": round(ml) for fluid, ml in by_product(done).items()}),
        *_group("fluids issued", {_LABEL: None}),
        *_group("not modelled", {"oxygen_saturation_fraction": None}),
    )


def _group(name: str, fields: dict[str, Any]) -> tuple[Field, ...]:
    return tuple(Field(name, key, value) for key, value in fields.items())


def _before(done: Finished, subject: Subject) -> dict[str, float | str | None]:
    """Size, blood and vital signs; a laboratory value that nobody measured stays open."""
    fields: dict[str, float | str | None] = {
        "sex": "female" if subject.female else "male",
        "height_cm": subject.height_cm,
        "weight_kg": subject.weight_kg,
        "haematocrit_fraction": subject.hct,
    }
    fields |= {name: subject.value(kind) if kind else None for name, kind in _LABS.items()}
    if len(done.log.vitals):
        first = done.log.vitals[0]
        for name in ("systolic_pressure_mm_hg", "diastolic_pressure_mm_hg", "heart_rate_per_min", "temperature_cel"):
            fields[name] = round(float(first[name]), 1)
    return fields | dict.fromkeys(_WARD)


def _plan(ready: Ready, library: Library) -> dict[str, float | str | None]:
    exchange = ready.exchange
    order, planned = exchange.prescription, plan(ready, library)
    access = library.document(f"equipment/access_{exchange.access}")
    unit = "PV" if order.dose_unit is Dose.PLASMA_VOLUMES else "mL"
    citrate = ready.inlet_ac_ratio < NO_AC
    calcium = order.calcium or Calcium(library.value("order.calcium_gluconate_ml_per_l"), "mL/L")
    return {
        "blood_volume_ml": round(ready.blood_volume_ml),
        "plasma_volume_ml": round(ready.plasma_volume_ml),
        "haematocrit_entered_fraction": ready.hct_entered,
        "dose": f"{order.dose:g} {unit}",
        "target_ml": round(ready.target_ml),
        "replacement": ", then ".join(f"{p.fraction:.0%} {p.fluid}" for p in ready.fluids),
        "balance_fraction": ready.balance,
        "accounting": exchange.accounting.name.lower(),
        "anticoagulant": str(library.document(f"equipment/{exchange.separator}")["anticoagulant"]),
        "inlet_ac": f"{ready.inlet_ac_ratio:g}:1" if citrate else "none",
        "ac_infusion_limit_ml_min_l": exchange.ac_limit_ml_min_l or ready.device["ac_infusion_limit_ml_min_l"],
        "inlet_flow_set_ml_min": ready.inlet_flow_ml_min,
        "access": exchange.access,
        "gauge": f"draw {access['draw']}, return {access['return']}".replace("_", " "),
        "side": None,
        "blood_warmer": "yes" if exchange.warmer else "no",
        "premedication": None,
        "calcium": f"calcium gluconate 10 % {calcium.amount:g} {calcium.unit}" if calcium.amount else "none",
        "expected_exchange_min": round(planned.run.duration_min, 1),
        "expected_total_min": round(planned.total_min, 1),
        "expected_transit_min": round(planned.transit_min, 1),
        "expected_bag_ml": round(planned.run.bag_ml),
    }


def _device(ready: Ready) -> dict[str, float | str | None]:
    known: dict[str, float | str | None] = {
        "separator": ready.exchange.separator,
        "software": f"OpenTPE {__version__}, simulated",
        "self_test": "passed",
    }
    return known | dict.fromkeys(_HANDS)


def by_product(done: Finished) -> dict[str, float]:
    """Volume of each replacement fluid that went in, mL, in the order of the sequence."""
    log = done.log.machine
    if not len(log):
        return {}
    steps = np.diff(log["replaced_ml"], prepend=0.0)
    found: dict[str, float] = {}
    for k, part in enumerate(done.state.ready.fluids):
        given = float(steps[log["fluid_index"] == k].sum())
        if given > 0:
            found[part.fluid] = found.get(part.fluid, 0.0) + given
    return found


def calcium_mmol(done: Finished) -> float:
    """Calcium given over the whole run, mmol."""
    return float(done.log.vitals["calcium_infused_mmol_min"].sum()) / 60.0


def end(done: Finished, library: Library) -> tuple[Field, ...]:
    """What was delivered, what it took, what happened, what follows."""
    s, ready = done.summary, done.state.ready
    fields: dict[str, float | str | None] = {
        "plasma_removed_ml": round(s.plasma_counted_ml),
        "plasma_removed_true_ml": round(s.plasma_removed_ml),
        "target_percent": round(100 * s.plasma_counted_ml / s.target_ml, 1) if s.target_ml > 0 else None,
        "plasma_volumes": round(s.plasma_volumes, 3),
        "time_start": None,
        "time_end": None,
        "run_min": round(s.run_min, 1),
        "exchange_min": round(s.exchange_min, 1),
        "bag_ml": round(s.bag_ml),
        "blood_processed_ml": round(s.blood_processed_ml),
        "blood_volumes_processed": round(s.blood_processed_ml / ready.blood_volume_ml, 2),
        "removal_efficiency_percent": round(100 * s.efficiency_fraction, 1),
        "ac_used_ml": round(s.ac_used_ml),
        "ac_to_patient_ml": round(s.ac_to_patient_ml),
        "replaced_ml": round(s.replaced_ml),
        "replaced_by_product": ", ".join(f"{fluid} {ml:.0f}" for fluid, ml in by_product(done).items()) or "none",
        "saline_ml": round(s.saline_ml),
        "rinseback": "yes" if s.rinsed_back else "no",
        "rinseback_ml": round(s.rinseback_ml, 1),
        "net_to_patient_ml": round(s.net_ml),
        "red_cells_lost_ml": round(s.red_cells_lost_ml, 1),
        "platelet_loss_percent": round(100 * s.platelet_loss_fraction, 2),
    }
    return (*_group("end", fields | _after(done, library)), Field("end", "signatures", None))


def _after(done: Finished, library: Library) -> dict[str, float | str | None]:
    """Blood after the run, events with what was done, and what comes next."""
    s = done.summary
    gluconate = calcium_mmol(done) / library.value("equations/citrate.calcium_gluconate_mmol_g")
    actions = [e.subject.replace("_", " ") for e in done.journal if e.kind == "operator"]
    fields: dict[str, float | str | None] = {}
    if len(done.log.vitals):
        last = done.log.vitals[-1]
        fields["haematocrit_fraction"] = round(float(last["haematocrit_fraction"]), 3)
        fields["platelets_10_9_l"] = round(float(last["platelets_10_9_l"]))
    return fields | {
        "alarms": ", ".join(a for a in s.alarms if a != Alarm.TARGET_REACHED.name.lower()) or "none",
        "adverse_events": ", ".join(s.symptoms) or "none",
        "adverse_event_grade": None,
        "actions": ", ".join(dict.fromkeys(actions)) or "none",
        "calcium_given": f"calcium gluconate {gluconate:.1f} g" if gluconate > 0 else "none",
        "stopped_early_because": s.stopped_because,
        "counts_as_session": "yes" if s.counts else "no",
        "next_step": s.next_step,
        "disposition": None,
        "next_visit": None,
    }
