"""What hangs at the machine and what it watches: bags with their solutes, the alarm table as arrays, a fresh machine."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from opentpe.evidence.load import Library
from opentpe.kernel import lines, records
from opentpe.kernel.controller import Alarm, Pump
from opentpe.kernel.lines import AC_BAG, ANTICOAGULANT, REPLACEMENT, REPLACEMENT_BAG, SALINE, SALINE_BAG
from opentpe.kernel.operator import Action
from opentpe.simulation.exchange import PRIORITIES, Ready, principle
from opentpe.simulation.setup import content

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
    strength = library.value("fluids/acd_a.citrate_mmol_l")
    for i, part in enumerate(parts):
        replacement[i] = solutes(part.fluid, others, library)
        citrate = library.value(f"fluids/{part.fluid}.citrate_mmol_l")
        share[i] = min(citrate / strength, ready.device["replacement_citrate_max_fraction"])
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
    normal = (library.values(f"solutes/{name}.").get("baseline_g_l", 0.0) for name in others)
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


def watch_table(library: Library) -> records.Watch:
    """The alarm table of evidence/alarms.toml as arrays, in its order."""
    rows = [library.table(f"alarms.{a.name.lower()}") for a in Alarm]

    def number(name: str, default: float) -> Any:
        return np.array([float(r[name]["value"]) if name in r else default for r in rows])

    threshold = np.array([next(float(v["value"]) for k, v in r.items() if k.startswith("threshold_")) for r in rows])
    connecting = np.array([float(r["connecting_mm_hg"]["value"]) if "connecting_mm_hg" in r else t
                           for r, t in zip(rows, threshold, strict=True)])  # fmt: skip
    stops = np.zeros((len(rows), len(Pump)), dtype=np.bool_)
    for i, row in enumerate(rows):
        for name in row["stops"]:
            stops[i, Pump[name.upper()]] = True
    return records.Watch(
        threshold, connecting, number("persistence_s", 1).astype(np.int64),
        np.array([PRIORITIES[r["priority"]] for r in rows]), np.array([PRIORITIES[r["escalated"]] for r in rows]),
        number("escalates_after_count", 0).astype(np.int64), stops, np.array([_CLEARS[r["clears"]] for r in rows]),
        number("operator_response_s", -1).astype(np.int64),
        np.array([Action[r["operator_action"].upper()] for r in rows]),
        number("retry_after_s", 0).astype(np.int64), number("retry_flow_fraction", 1.0),
        number("retries_count", 0).astype(np.int64),
    )  # fmt: skip


def fresh(ready: Ready, par: Any, bag: records.Fluids) -> records.Machine:
    """The machine before self-test: bags hung, set dry, nothing counted."""
    now = np.zeros(1, dtype=records.NOW)
    n, p = now[0], par[0]
    n["run_s"] = -int(p["self_test_s"] + p["load_s"] + p["prime_s"] + p["patient_data_s"])
    n["phase"] = n["phase_before"] = 0
    n["ended_s"] = -1
    n["inlet_set_ml_min"] = ready.inlet_flow_ml_min
    n["flow_factor"] = n["plasma_limit_factor"] = n["return_obstruction"] = n["turbulence_ratio"] = 1.0
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
    alarms = records.Alarms(*(np.zeros(count, dtype=np.int64) for _ in range(5)))
    return records.Machine(now, volume, mass, alarms, np.zeros((_JOURNAL, 4)))
