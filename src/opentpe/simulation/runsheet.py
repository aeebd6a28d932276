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
from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.kernel.controller import Phase
from opentpe.simulation import sheet_fields
from opentpe.simulation.outcome import Entry
from opentpe.simulation.planned import plan
from opentpe.simulation.procedure import Finished, Log
from opentpe.simulation.sheet_fields import Field

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
class Sheet:
    """A run sheet: header, rows, end."""

    header: tuple[Field, ...]
    rows: tuple[dict[str, Any], ...]
    end: tuple[Field, ...]


def sheet(done: Finished, library: Library) -> Sheet:
    """The run sheet of a finished procedure that was logged."""
    entries: dict[int, list[Entry]] = {}
    for entry in done.journal:
        entries.setdefault(entry.at_s, []).append(entry)
    seconds = sorted({*_grid(done.log), *(s for s in entries if s >= 0)})
    index = {int(s): i for i, s in enumerate(done.log.machine["run_s"])}
    rows = tuple(_row(done, index[s], entries.get(s, [])) for s in seconds if s in index)
    return Sheet(sheet_fields.header(done, library), rows, sheet_fields.end(done, library))


def _grid(log: Log) -> range:
    last = int(log.machine["run_s"][-1])
    return range(1 if last > 0 else 0, last + 1, EVERY_S) if last < EVERY_S else range(EVERY_S, last + 1, EVERY_S)


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


def _row(done: Finished, i: int, entries: list[Entry]) -> dict[str, Any]:
    tables = {"machine": done.log.machine[i], "vitals": done.log.vitals[i]}
    now = tables["machine"]
    row: dict[str, Any] = {
        "time_min": round(int(now["run_s"]) / 60.0, 2),
        "phase": Phase(int(now["phase"])).name.lower(),
        "interface": interface(done, now),
    }
    row.update({name: round(float(tables[table][field]), 3) for name, table, field in _COLUMNS})
    if row["inlet_ac_ratio"] > sheet_fields.NO_AC:
        row["inlet_ac_ratio"] = ""
    row["balance_ml"] = round(row["replaced_ml"] + row["ac_used_ml"] + row["saline_ml"] - row["bag_ml"], 1)
    row["symptoms"] = "; ".join(e.subject for e in entries if e.kind == "symptom")
    row.update(_alarm(done, entries))
    row["notes"] = "; ".join(say(entry) for entry in entries)
    return row


def _alarm(done: Finished, entries: list[Entry]) -> dict[str, str]:
    """What was raised at this second, at which priority, and whether it was seen to later."""
    raised = [e for e in entries if e.kind == "raised"]
    if not raised:
        return dict.fromkeys(("alarm", "alarm_priority", "alarm_acknowledged"), "")
    cleared = {e.subject for e in done.journal if e.kind == "cleared" and e.at_s >= raised[0].at_s}
    return {
        "alarm": "; ".join(e.subject for e in raised),
        "alarm_priority": _PRIORITY[int(max(e.value for e in raised))],
        "alarm_acknowledged": "yes" if all(e.subject in cleared for e in raised) else "no",
    }


def interface(done: Finished, now: Any) -> str:
    """State of the interface in words."""
    if done.state.par[0]["packing_constant"] <= 0.0:
        return "no interface"
    if float(now["plasma_line_hct_fraction"]) > 0.0:
        return "red cells at the port"
    if int(now["phase"]) == Phase.RUN_FALLBACK:
        return "not seen"
    return "stable" if int(now["phase"]) == Phase.RUN_INTERFACE else "standing"


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
    shown = tuple(made.rows[0])
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
    """The one-second log as Parquet, or as CSV where the file ends so; `InputError` names a missing extra."""
    if path.suffix == ".csv":
        table = log_table(log)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
        return
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
