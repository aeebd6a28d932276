"""The run sheet: header, a row every five minutes and at every event, the end; and the one-second log as a table.

Fields follow the run-sheet list of device book 7.4. What the simulator does not know (names, lots, signatures) stays
open for the ward; what it does not model (oxygen saturation) is named as such. Every column carries its unit.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from opentpe import __version__
from opentpe.domain.consultation import Versions
from opentpe.domain.documents import encode, schema_name
from opentpe.domain.therapy import Dose
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel.controller import Alarm, Phase
from opentpe.simulation.outcome import Entry, Plan, plan
from opentpe.simulation.procedure import Finished, Log

EVERY_S: Final = 300
_PRIORITY: Final = {1: "low", 2: "medium", 3: "high"}
# Column of the sheet, table of the log, field there.
_COLUMNS: Final = (
    ("inlet_flow_ml_min", "machine", "inlet_ml_min"), ("ac_flow_ml_min", "machine", "ac_ml_min"),
    ("plasma_flow_ml_min", "machine", "plasma_ml_min"),
    ("replacement_flow_ml_min", "machine", "replacement_ml_min"), ("return_flow_ml_min", "machine", "return_ml_min"),
    ("speed_rpm", "machine", "speed_rpm"), ("access_pressure_mm_hg", "machine", "access_mm_hg"),
    ("return_pressure_mm_hg", "machine", "return_mm_hg"), ("transmembrane_mm_hg", "machine", "transmembrane_mm_hg"),
    ("inlet_ac_ratio", "machine", "inlet_ac_ratio"), ("ac_rate_ml_min_l", "machine", "ac_rate_ml_min_l"),
    ("inlet_total_ml", "machine", "inlet_ml"), ("blood_processed_ml", "machine", "blood_ml"),
    ("ac_used_ml", "machine", "ac_used_ml"), ("plasma_removed_ml", "machine", "plasma_counted_ml"),
    ("bag_ml", "machine", "bag_ml"), ("replaced_ml", "machine", "replaced_ml"),
    ("saline_ml", "machine", "saline_bolus_ml"), ("held_outside_ml", "machine", "held_ml"),
    ("systolic_mm_hg", "vitals", "systolic_pressure_mm_hg"), ("diastolic_mm_hg", "vitals", "diastolic_pressure_mm_hg"),
    ("heart_rate_per_min", "vitals", "heart_rate_per_min"), ("temperature_cel", "vitals", "temperature_cel"),
    ("relative_blood_volume_percent", "vitals", "relative_blood_volume_percent"),
    ("ionised_calcium_mmol_l", "vitals", "ionised_calcium_mmol_l"),
)  # fmt: skip
# Fields of the machine that describe the simulation, not the run.
_INTERNAL: Final = frozenset({
    "clock_s", "journal_count", "held_mask", "cycle_s",
    "pass_bag_ml", "pass_replaced_ml", "rinse_red_cells_ml", "rinse_fluid_ml", "interface_integral",
    "redraw_due_ml", "vein_healthy_ml_min", "saline_allowed_ml", "phase_before", "since_start_s", "ramp_age_s",
    "abandoned_flag", "ended_s", "drawn_ml", "given_ml", "removed_due_ml", "ac_limit_ratio", "fluid_index",
})  # fmt: skip
_RENAMED: Final = {
    "run_s": "time_s", "phase": "phase_code", "cycle": "cycle_code", "flow_factor": "flow_factor_ratio",
    "plasma_limit_factor": "plasma_limit_ratio", "return_obstruction": "return_obstruction_ratio",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of header or end: group, name with unit, value; None is left open for the ward."""

    group: str
    name: str
    value: float | str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A run sheet: header, rows, end."""

    header: tuple[Field, ...]
    rows: tuple[dict[str, Any], ...]
    end: tuple[Field, ...]


def sheet(done: Finished, library: Library) -> Sheet:
    """The run sheet of a finished procedure that was logged."""
    notes = _notes(done.journal)
    seconds = sorted({*_grid(done.log), *(s for s in notes if s >= 0)})
    index = {int(s): i for i, s in enumerate(done.log.machine["run_s"])}
    rows = tuple(_row(done, index[s], notes.get(s, ())) for s in seconds if s in index)
    return Sheet(_header(done, library), rows, _end(done))


def _grid(log: Log) -> range:
    last = int(log.machine["run_s"][-1])
    return range(1 if last > 0 else 0, last + 1, EVERY_S) if last < EVERY_S else range(EVERY_S, last + 1, EVERY_S)


def _notes(journal: tuple[Entry, ...]) -> dict[int, tuple[str, ...]]:
    """What happened at which second, in words."""
    found: dict[int, list[str]] = {}
    for entry in journal:
        found.setdefault(entry.at_s, []).append(say(entry))
    return {s: tuple(words) for s, words in found.items()}


def say(entry: Entry) -> str:
    """One journal line as it stands on the sheet."""
    subject = entry.subject.replace("_", " ")
    if entry.kind == "raised":
        return f"alarm ({_PRIORITY[int(entry.value)]}): {subject}"
    if entry.kind == "cleared":
        return f"cleared: {subject}"
    if entry.kind == "operator":
        return f"operator: {subject}" + (f" {entry.value:g}" if entry.value else "")
    if entry.kind == "symptom":
        return f"patient reports {subject}"
    if entry.kind == "fluid":
        return "next replacement fluid"
    return subject if entry.kind == "event" else f"{entry.kind}: {subject}"


def _row(done: Finished, i: int, notes: tuple[str, ...]) -> dict[str, Any]:
    tables = {"machine": done.log.machine[i], "vitals": done.log.vitals[i]}
    now = tables["machine"]
    row: dict[str, Any] = {
        "time_min": round(int(now["run_s"]) / 60.0, 2),
        "phase": Phase(int(now["phase"])).name.lower(),
        "interface": interface(done, now),
    }
    row.update({name: round(float(tables[table][field]), 3) for name, table, field in _COLUMNS})
    row["balance_ml"] = round(row["replaced_ml"] + row["ac_used_ml"] + row["saline_ml"] - row["bag_ml"], 1)
    row["notes"] = "; ".join(notes)
    return row


def interface(done: Finished, now: Any) -> str:
    """State of the interface in words."""
    if done.state.par[0]["packing_constant"] <= 0.0:
        return "no interface"
    if float(now["plasma_line_hct_fraction"]) > 0.0:
        return "red cells at the port"
    if int(now["phase"]) == Phase.RUN_FALLBACK:
        return "not seen"
    return "stable" if int(now["phase"]) == Phase.RUN_INTERFACE else "standing"


def _header(done: Finished, library: Library) -> tuple[Field, ...]:
    ready, exchange = done.state.ready, done.state.ready.exchange
    subject, order = exchange.subject, exchange.prescription
    planned: Plan = plan(ready, library)
    open_fields = (
        ("identity", "patient, date of birth, diagnosis, consent, session number"),
        ("device", "serial, set lot and expiry, last maintenance, operators"),
        ("fluids issued", "lot or donation number, product code, expiry, verifier"),
    )
    unit = "PV" if order.dose_unit is Dose.PLASMA_VOLUMES else "mL"
    known: list[tuple[str, str, float | str]] = [
        ("patient", "sex", "female" if subject.female else "male"),
        ("patient", "height_cm", subject.height_cm),
        ("patient", "weight_kg", subject.weight_kg),
        ("patient", "haematocrit_fraction", subject.hct),
        ("plan", "haematocrit_entered_fraction", ready.hct_entered),
        ("plan", "blood_volume_ml", round(ready.blood_volume_ml)),
        ("plan", "plasma_volume_ml", round(ready.plasma_volume_ml)),
        ("plan", "target_ml", round(ready.target_ml)),
        ("plan", "dose", f"{order.dose:g} {unit}"),
        ("plan", "replacement", ", then ".join(f"{p.fraction:.0%} {p.fluid}" for p in ready.fluids)),
        ("plan", "balance_fraction", ready.balance),
        ("plan", "accounting", exchange.accounting.name.lower()),
        ("plan", "anticoagulant", str(library.document(f"equipment/{exchange.separator}")["anticoagulant"])),
        ("plan", "inlet_ac", "none" if ready.inlet_ac_ratio > _NO_AC else f"{ready.inlet_ac_ratio:g}:1"),
        ("plan", "access", exchange.access),
        ("plan", "blood_warmer", "yes" if exchange.warmer else "no"),
        ("plan", "expected_exchange_min", round(planned.run.duration_min, 1)),
        ("plan", "expected_bag_ml", round(planned.run.bag_ml)),
        ("device", "separator", exchange.separator),
        ("device", "self_test", "passed"),
    ]
    return (
        *(Field(group, name, None) for group, name in open_fields),
        *(Field(*k) for k in known),
        Field("not modelled", "oxygen saturation", None),
    )


_NO_AC: Final = 1e6  # a ratio that only stands for "no citrate"


def _end(done: Finished) -> tuple[Field, ...]:
    s = done.summary
    known: list[tuple[str, float | str]] = [
        ("plasma_removed_ml", round(s.plasma_counted_ml)),
        ("plasma_removed_true_ml", round(s.plasma_removed_ml)),
        ("target_percent", round(100 * s.plasma_counted_ml / s.target_ml, 1) if s.target_ml > 0 else ""),
        ("plasma_volumes", round(s.plasma_volumes, 3)),
        ("run_min", round(s.run_min, 1)),
        ("exchange_min", round(s.exchange_min, 1)),
        ("blood_processed_ml", round(s.blood_processed_ml)),
        ("removal_efficiency_percent", round(100 * s.efficiency_fraction, 1)),
        ("ac_used_ml", round(s.ac_used_ml)),
        ("ac_to_patient_ml", round(s.ac_to_patient_ml)),
        ("replaced_ml", round(s.replaced_ml)),
        ("saline_ml", round(s.saline_ml)),
        ("rinseback", "yes" if s.rinsed_back else "no"),
        ("net_to_patient_ml", round(s.net_ml)),
        ("red_cells_lost_ml", round(s.red_cells_lost_ml, 1)),
        ("platelet_loss_percent", round(100 * s.platelet_loss_fraction, 2)),
        ("alarms", ", ".join(a for a in s.alarms if a != Alarm.TARGET_REACHED.name.lower()) or "none"),
        ("symptoms", ", ".join(s.symptoms) or "none"),
        ("counts_as_session", "yes" if s.counts else "no"),
        ("next_step", s.next_step),
    ]
    return (*(Field("end", name, value) for name, value in known), Field("end", "signatures", None))


def rows_csv(made: Sheet) -> str:
    """The rows as CSV text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(made.rows[0]))
    writer.writeheader()
    writer.writerows(made.rows)
    return out.getvalue()


def markdown(made: Sheet) -> str:
    """The sheet as a page: header, rows, end."""
    lines = ["# Run sheet", "", "Simulated. Planning support, education and research; not a medical device.", ""]
    lines += [f"- {f.group}, {f.name}: {'______' if f.value is None else f.value}" for f in made.header]
    shown = ("time_min", "phase", "inlet_flow_ml_min", "plasma_flow_ml_min", "access_pressure_mm_hg",
             "return_pressure_mm_hg", "interface", "plasma_removed_ml", "replaced_ml", "balance_ml", "systolic_mm_hg",
             "heart_rate_per_min", "ionised_calcium_mmol_l", "notes")  # fmt: skip
    lines += ["", "| " + " | ".join(shown) + " |", "|" + " --- |" * len(shown)]
    lines += ["| " + " | ".join(str(row[name]) for name in shown) + " |" for row in made.rows]
    lines += ["", "## End", ""]
    lines += [f"- {f.name}: {'______' if f.value is None else f.value}" for f in made.end]
    return "\n".join(lines) + "\n"


def log_table(log: Log) -> dict[str, Any]:
    """The one-second log as columns, each with its unit in the name."""
    table: dict[str, Any] = {}
    for name in log.machine.dtype.names:
        if name not in _INTERNAL and not name.endswith("_until_s"):
            table[_RENAMED.get(name, name)] = np.ascontiguousarray(log.machine[name])
    for name in log.vitals.dtype.names:
        table["patient_" + name if name in table else name] = np.ascontiguousarray(log.vitals[name])
    for k, name in enumerate(log.solute_names):
        table[f"{name}_g_l"] = np.ascontiguousarray(log.solutes[:, k])
    return table


def write_log(log: Log, path: Path) -> None:
    """The one-second log as Parquet; `InputError` where the extra that writes it is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415 - an extra
    except ImportError:
        raise InputError("--log", "no Parquet writer", "the extra [tables]", "pip install 'opentpe[tables]'") from None
    pq.write_table(pa.table(log_table(log)), path)


def document(done: Finished, library: Library) -> dict[str, Any]:
    """The run as a JSON document of kind `run`."""
    made, ready = sheet(done, library), done.state.ready
    body = {
        "exchange": encode(ready.exchange),
        "seed": done.state.seed,
        "plan": {name: _plain(value) for name, value in plan(ready, library).run._asdict().items()},
        "summary": encode(done.summary),
        "journal": [encode(entry) for entry in done.journal],
        "sheet": {"header": [encode(f) for f in made.header], "rows": list(made.rows),
                  "end": [encode(f) for f in made.end]},
        "warnings": list(ready.warnings),
        "versions": encode(Versions(__version__, library.digest, library.overlaid, done.state.seed)),
    }  # fmt: skip
    return {"schema": schema_name("run"), **body}


def _plain(value: Any) -> float | bool:
    return bool(value) if isinstance(value, bool | np.bool_) else float(value)
