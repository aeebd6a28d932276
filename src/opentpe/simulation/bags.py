"""What hangs at the machine and what it watches: bags with their solutes, the alarm table, a fresh machine."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from opentpe.evidence.load import Library
from opentpe.kernel import lines, records
from opentpe.kernel.controller import Alarm, Pump
from opentpe.kernel.lines import AC_BAG, ANTICOAGULANT, REPLACEMENT, REPLACEMENT_BAG, SALINE, SALINE_BAG
from opentpe.kernel.operator import Action
from opentpe.simulation.exchange import PRIORITIES, Ready, principle
from opentpe.simulation.setup import citrate_share, content

_CLEARS: Final = {"self": 0, "retry": 1, "operator": 2}
_JOURNAL: Final = 1500
_ROWS: Final = 11
_KINDS: Final = 5


def fluids(ready: Ready, library: Library, planned_ml: float) -> records.Fluids:
    """The replacement sequence for a planned volume: boundaries, bag sizes, solutes per mL; sieving of a membrane."""
    others = ready.exchange.solutes
    parts = ready.fluids
    count = 8 + len(others)
    replacement = np.zeros((len(parts), count))
    share = np.zeros(len(parts))
    ac = str(library.document(f"equipment/{ready.exchange.separator}").get("anticoagulant", "acd_a"))
    for i, part in enumerate(parts):
        replacement[i] = solutes(part.fluid, others, library)
        share[i] = min(citrate_share(part.fluid, library), ready.device["replacement_citrate_max_fraction"])
    ends = np.cumsum([p.fraction for p in parts]) / sum(p.fraction for p in parts) * planned_ml
    spare = np.diff(np.concatenate(([0.0], ends))) + planned_ml  # a part may run long: counting follows entered values
    return records.Fluids(
        ends, spare, share, replacement, anticoagulant(ac, count, library), np.zeros(count),
        _sieving(ready, others, library),
    )  # fmt: skip


def solutes(fluid: str, others: tuple[str, ...], library: Library) -> Any:
    """What a replacement fluid carries, per mL."""
    v = library.values(f"fluids/{fluid}.")
    milli = ("citrate_mmol_l", "", "calcium_mmol_l", "magnesium_mmol_l", "bicarbonate_mmol_l", "potassium_mmol_l")
    row = [v["albumin_g_l"], v["globulin_g_l"], *(v[n] / 1000.0 if n else 0.0 for n in milli)]
    document = library.document(f"fluids/{fluid}")
    normal = (library.values(f"solutes/{name}.").get("concentration", 0.0) for name in others)
    return np.array([*row, *(content(document, name, n) for name, n in zip(others, normal, strict=True))])


def anticoagulant(key: str, count: int, library: Library) -> Any:
    """What the anticoagulant carries, per mL: citrate and the share given as acid; nothing for heparin."""
    row = np.zeros(count)
    if f"fluids/{key}" in library.documents:
        citrate = library.value(f"fluids/{key}.citrate_mmol_l") / 1000.0
        row[lines.Carried.CITRATE] = citrate
        row[lines.Carried.ACID] = citrate * library.value(f"fluids/{key}.acid_fraction")
    return row


def _sieving(ready: Ready, others: tuple[str, ...], library: Library) -> Any:
    row = np.ones(8 + len(others))
    if principle(library, ready.exchange.separator) == "membrane":
        row[lines.Carried.ALBUMIN] = ready.device.get("sieving_albumin", 1.0)
        for k, name in enumerate(others):
            row[8 + k] = ready.device.get(f"sieving_{name}", 1.0)
    return row


def watch_table(library: Library) -> Any:
    """The alarm table of evidence/alarms.toml as WATCH records, in its order."""
    table = np.zeros(len(Alarm), dtype=records.WATCH)
    for alarm in Alarm:
        entry = library.table(f"alarms.{alarm.name.lower()}")
        numbers = library.values(f"alarms.{alarm.name.lower()}")
        row = table[alarm]
        row["threshold"] = next(v for name, v in numbers.items() if name.startswith("threshold_"))
        row["connecting"] = numbers.get("connecting_mm_hg", row["threshold"])
        row["retry_flow"] = numbers.get("retry_flow_fraction", 1.0)
        row["persistence_s"] = numbers["persistence_s"]
        row["priority"], row["escalated"] = PRIORITIES[entry["priority"]], PRIORITIES[entry["escalated"]]
        row["escalates_after"] = numbers.get("escalates_after_count", 0)
        row["stops"] = sum(1 << Pump[name.upper()] for name in entry["stops"])
        row["stops_again"] = sum(1 << Pump[name.upper()] for name in entry.get("stops_again", ()))
        row["clears"] = _CLEARS[entry["clears"]]
        row["response_s"] = numbers.get("operator_response_s", -1)
        row["action"] = Action[entry["operator_action"].upper()]
        row["retry_after_s"], row["retries"] = numbers.get("retry_after_s", 0), numbers.get("retries_count", 0)
    return table


def fresh(ready: Ready, par: Any, bag: records.Fluids) -> records.Machine:
    """The machine before self-test: bags hung, set dry, nothing counted."""
    now = np.zeros(1, dtype=records.NOW)
    n, p = now[0], par[0]
    n["run_s"] = -int(p["self_test_s"] + p["load_s"] + p["prime_s"] + p["patient_data_s"])
    n["phase"] = n["phase_before"] = 0
    n["ended_s"] = -1
    n["inlet_set_ml_min"] = ready.inlet_flow_ml_min
    n["flow_factor"] = n["plasma_limit_factor"] = n["return_obstruction"] = n["turbulence_ratio"] = n[
        "delivery_ratio"
    ] = 1.0
    n["inlet_ac_ratio"], n["balance_ratio"] = ready.inlet_ac_ratio, ready.balance
    n["hct_entered_fraction"] = ready.hct_entered
    n["ac_limit_ml_min_l"] = ready.exchange.ac_limit_ml_min_l or ready.device["ac_infusion_limit_ml_min_l"]
    n["filtration_fraction"] = ready.device.get("filtration_fraction", 0.0)
    n["packed_hct_fraction"] = ready.device["packed_hct_fraction"]
    n["permeability_ml_min_m2_mm_hg"] = ready.device.get("permeability_ml_min_m2_mm_hg", 0.0)
    n["vein_max_ml_min"] = n["vein_healthy_ml_min"] = ready.reach["vein_flow_max_ml_min"]
    n["plasma_bag_room_ml"] = p["plasma_bag_ml"]
    n["saline_rate_ml_min"] = ready.device["saline_bolus_flow_ml_min"]
    volume, mass = np.zeros((_ROWS, _KINDS)), np.zeros((_ROWS, bag.replacement.shape[1]))
    lines.hang(volume, mass, AC_BAG, ANTICOAGULANT, p["ac_bag_ml"], bag.anticoagulant)
    lines.hang(volume, mass, SALINE_BAG, SALINE, p["saline_bag_ml"], bag.saline)
    lines.hang(volume, mass, REPLACEMENT_BAG, REPLACEMENT, bag.bag_ml[0], bag.replacement[0])
    n["replacement_ac_fraction"] = bag.ac_fraction[0]
    count = len(Alarm)
    alarms = np.zeros(count, dtype=records.ALARMS)
    return records.Machine(now, volume, mass, alarms, np.zeros((_JOURNAL, 4)))
