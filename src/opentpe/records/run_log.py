"""The front door for what a separator wrote: a run sheet or a one-second log becomes a run sheet of the records.

Taken: the JSON document, the CSV sheet and the Parquet or CSV log of `opentpe run`, and any CSV with columns of these
names. Times count from the connection of the patient; the caller says when that was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from opentpe.errors import InputError
from opentpe.records import run_table
from opentpe.records.kinds import RunRow
from opentpe.records.run_sheet import End, Given, Machine, Planned, RunSheet

EVERY_S: Final = 300
# Field of a row, and the columns that may hold it: as on the sheet, as in the log.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "inlet_flow_ml_min": ("inlet_flow_ml_min", "inlet_ml_min"),
    "ac_flow_ml_min": ("ac_flow_ml_min", "ac_ml_min"),
    "plasma_flow_ml_min": ("plasma_flow_ml_min", "plasma_ml_min"),
    "replacement_flow_ml_min": ("replacement_flow_ml_min", "replacement_ml_min"),
    "return_flow_ml_min": ("return_flow_ml_min", "return_ml_min"),
    "speed_rpm": ("speed_rpm",),
    "access_pressure_mmhg": ("access_pressure_mm_hg", "access_mm_hg", "access_pressure_mmhg"),
    "return_pressure_mmhg": ("return_pressure_mm_hg", "return_mm_hg", "return_pressure_mmhg"),
    "inlet_ac_ratio": ("inlet_ac_ratio",),
    "ac_infusion_ml_min_l": ("ac_rate_ml_min_l", "ac_infusion_ml_min_l"),
    "inlet_ml": ("inlet_total_ml", "inlet_ml"),
    "blood_processed_ml": ("blood_processed_ml", "blood_ml"),
    "ac_ml": ("ac_used_ml", "ac_ml"),
    "plasma_removed_ml": ("plasma_removed_ml", "plasma_counted_ml"),
    "replaced_ml": ("replaced_ml",),
    "saline_ml": ("saline_ml", "saline_bolus_ml"),
    "balance_ml": ("balance_ml",),
    "ionised_calcium_mmol_l": ("ionised_calcium_mmol_l",),
}
VITALS: Final[Mapping[str, tuple[str, ...]]] = {
    "systolic_mmhg": ("systolic_mm_hg", "systolic_pressure_mm_hg", "systolic_mmhg"),
    "diastolic_mmhg": ("diastolic_mm_hg", "diastolic_pressure_mm_hg", "diastolic_mmhg"),
    "heart_rate_per_min": ("heart_rate_per_min",),
    "temperature_cel": ("temperature_cel",),
    "oxygen_saturation_fraction": ("oxygen_saturation_fraction",),
}
_TIMES: Final[Mapping[str, float]] = {"time_s": 1.0, "time_min": 60.0}
_ENOUGH: Final = ("plasma_removed_ml",)  # a sheet without it says nothing about the dose
_RINSED: Final = ("rinseback", "10")  # the phase by name, and by its code in the log
_NO_CITRATE: Final = 1e6  # a ratio that only stands for "no anticoagulant"


@dataclass(frozen=True, slots=True)
class Imported:
    """A run as it was read: the sheet, its rows (without their procedure), whether it ran to its end."""

    sheet: RunSheet
    rows: tuple[RunRow, ...]
    status: str  # performed | partial
    ignored: tuple[str, ...]  # columns that no run sheet has

    def rows_of(self, procedure_id: str) -> tuple[RunRow, ...]:
        """The rows as they are kept beside a procedure."""
        return tuple(row.model_copy(update={"procedure_id": procedure_id}) for row in self.rows)


def read(file: Path, started_at: datetime) -> Imported:
    """The run sheet in a file; `InputError` names file, row and column of what cannot be used."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(str(file), f"no readable file ({error.strerror})", "a run sheet or log") from error
    return taken(file.name, data, started_at)


def taken(name: str, data: bytes, started_at: datetime) -> Imported:
    """The run sheet in an upload, by its content: Parquet, JSON or CSV. `started_at` is the patient's connection."""
    document: Mapping[str, Any] = {}
    if data.lstrip()[:1] == b"{":
        document = _document(name, data)
        table = [dict(row) for row in document["sheet"]["rows"]]
    else:
        table = run_table.read(name, data)
    seconds = _seconds(name, table)
    chosen = _chosen(table, seconds)
    rows = tuple(_row(f"{name}, row {i + 1}", table[i], seconds[i], started_at) for i in chosen)
    if not any(row.plasma_removed_ml is not None for row in rows):
        raise InputError(name, "no plasma removed", " or ".join(COLUMNS[_ENOUGH[0]]),
                         "Name the column as on the run sheet of `opentpe run --csv`.")  # fmt: skip
    try:
        sheet = _sheet(rows, table, seconds, started_at, document)
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{name}.sheet", f"a header or an end that cannot be kept ({str(error)[:120]})",
                         "a document as `opentpe run --json` writes it") from error  # fmt: skip
    status = "partial" if sheet.end.stopped_early_because else "performed"
    return Imported(sheet, rows, status, _ignored(table[0]))


def _document(name: str, data: bytes) -> Mapping[str, Any]:
    try:
        said = dict(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise InputError(name, f"text that is not JSON ({error})", "a document of `opentpe run --json`") from error
    if not str(said.get("schema", "")).startswith("opentpe.run/"):
        raise InputError(
            name, f"a document of kind {said.get('schema', 'unknown')!r}", "a document of kind opentpe.run"
        )
    sheet = said.get("sheet")
    rows = sheet.get("rows") if isinstance(sheet, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) and row for row in rows):
        raise InputError(f"{name}.sheet", "no rows", "the rows of a run sheet")
    return dict(said)


def _seconds(name: str, table: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds since connection of every row; `InputError` where time is missing or runs backwards."""
    column = next((c for c in _TIMES if c in table[0]), None)
    if column is None:
        raise InputError(name, "columns " + ", ".join(list(table[0])[:8]), "a column time_min or time_s")
    found: list[float] = []
    for i, row in enumerate(table):
        value = run_table.number(f"{name}, row {i + 1}, {column}", row.get(column))
        if value is None:
            raise InputError(f"{name}, row {i + 1}", f"no {column}", "a time in every row")
        if found and value * _TIMES[column] < found[-1]:
            raise InputError(
                f"{name}, row {i + 1}", f"{column} {value:g}, before the row above", "rows in order of time"
            )
        found.append(value * _TIMES[column])
    return found


def _chosen(table: Sequence[Mapping[str, Any]], seconds: Sequence[float]) -> list[int]:
    """Rows that are kept: all of a sheet; of a one-second log every five minutes, each new phase, and the last."""
    since = [i for i, s in enumerate(seconds) if s >= 0]
    if not since:
        raise InputError("run", "no row after the connection of the patient", "times of 0 or more")
    dense = len(since) > 2 and (seconds[-1] - seconds[since[0]]) / (len(since) - 1) < EVERY_S / 10
    if not dense:
        return since
    kept, due, phase = [], 0.0, object()
    for i in since:
        now = table[i].get("phase", table[i].get("phase_code"))
        if seconds[i] >= due or now != phase or i == since[-1]:
            kept.append(i)
            due = (seconds[i] // EVERY_S + 1) * EVERY_S
        phase = now
    return kept


def _row(where: str, row: Mapping[str, Any], second: float, started_at: datetime) -> RunRow:
    numbers = {field: _first(where, row, names) for field, names in COLUMNS.items()}
    ratio = numbers["inlet_ac_ratio"]
    numbers["inlet_ac_ratio"] = None if ratio is not None and ratio >= _NO_CITRATE else ratio
    vitals = {field: _first(where, row, names) for field, names in VITALS.items()}
    words = {"interface": "interface", "alarm": "alarm", "alarm_priority": "alarm_priority"}
    said = {field: str(row.get(name) or "")[:200] for field, name in words.items()}
    symptoms = tuple(s.strip() for s in str(row.get("symptoms") or "").split(";") if s.strip())
    answered = str(row.get("alarm_acknowledged") or "")
    if numbers["balance_ml"] is None:
        numbers["balance_ml"] = _balance(where, row, numbers)
    try:
        return RunRow.model_validate({
            "procedure_id": "", "read_at": started_at + timedelta(seconds=second), **numbers, **said,
            "vitals": vitals, "symptoms": symptoms, "alarm_acknowledged": answered == "yes" if answered else None,
        })  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}, {field}", repr(first["input"]), first["msg"]) from error


def _balance(where: str, row: Mapping[str, Any], numbers: Mapping[str, float | None]) -> float | None:
    """What went in less what is in the bag, where the file says both."""
    bag = _first(where, row, ("bag_ml",))
    if bag is None or numbers["replaced_ml"] is None:
        return None
    return numbers["replaced_ml"] + (numbers["ac_ml"] or 0.0) + (numbers["saline_ml"] or 0.0) - bag


def _first(where: str, row: Mapping[str, Any], names: Iterable[str]) -> float | None:
    name = next((n for n in names if n in row), None)
    return None if name is None else run_table.number(f"{where}, {name}", row[name])


def _ignored(row: Mapping[str, Any]) -> tuple[str, ...]:
    named = {n for names in (*COLUMNS.values(), *VITALS.values()) for n in names}
    named |= {*_TIMES, "phase", "phase_code", "interface", "notes", "symptoms", "bag_ml"}
    named |= {"alarm", "alarm_priority", "alarm_acknowledged"}
    return tuple(name for name in row if name not in named)


def _sheet(
    rows: Sequence[RunRow], table: Sequence[Mapping[str, Any]], seconds: Sequence[float], started_at: datetime,
    document: Mapping[str, Any],
) -> RunSheet:  # fmt: skip
    """Plan and device as far as the file tells them, and the end as the last row says."""
    last, minutes = rows[-1], seconds[-1] / 60.0
    said = {str(f["name"]): f["value"] for f in _fields(document, "end") if f.get("value") not in (None, "")}
    head = {str(f["name"]): f["value"] for f in _fields(document, "header") if f.get("value") not in (None, "")}
    phases = {str(row.get("phase", row.get("phase_code"))) for row in table}
    given = said.get("replaced_by_product") or f"replacement {last.replaced_ml or 0:g}"
    end = {
        "ended_at": started_at + timedelta(minutes=minutes), "run_min": minutes,
        "plasma_removed_ml": last.plasma_removed_ml, "bag_ml": _first("last row", table[-1], ("bag_ml",)),
        "blood_processed_ml": last.blood_processed_ml, "ac_used_ml": last.ac_ml,
        "ac_to_patient_ml": said.get("ac_to_patient_ml", _first("last row", table[-1], ("ac_to_patient_ml",))),
        "replaced": _by_product(str(given)) if last.replaced_ml else (), "saline_ml": last.saline_ml,
        "rinseback_given": any(p in phases for p in _RINSED) if phases != {"None"} else None,
        "rinseback_ml": said.get("rinseback_ml", _first("last row", table[-1], ("rinsed_ml",))),
        "net_balance_ml": said.get("net_to_patient_ml", last.balance_ml),
        "platelets_10_9_l": _first("last row", table[-1], ("platelets_10_9_l",)),
        "haematocrit_fraction": said.get("haematocrit_fraction", _first("last row", table[-1],
                                                                        ("haematocrit_fraction",))),
        "hypocalcaemia_treatment": said.get("calcium_given", ""),
        "stopped_early_because": str(said.get("stopped_early_because", ""))[:200],
    }  # fmt: skip
    return RunSheet(planned=_planned(head), machine=_machine(head), end=End.model_validate(end))


def _fields(document: Mapping[str, Any], part: str) -> list[Mapping[str, Any]]:
    return list(document["sheet"].get(part, ())) if document else []


def _by_product(words: str) -> tuple[Given, ...]:
    """Products with their volumes, from words such as `albumin_5 2991, saline 200`."""
    parts = (part.strip().rsplit(" ", 1) for part in words.split(",") if part.strip())
    return tuple(Given(fluid=name, volume_ml=float(volume)) for name, volume in parts)


def _planned(head: Mapping[str, Any]) -> Planned:
    names = {
        "total_blood_volume_ml": "blood_volume_ml", "plasma_volume_ml": "plasma_volume_ml",
        "plasma_target_ml": "target_ml", "fluids": "replacement", "balance_fraction": "balance_fraction",
        "anticoagulant": "anticoagulant", "access": "access", "calcium": "calcium", "gauge": "gauge",
        "ac_infusion_limit_ml_min_l": "ac_infusion_limit_ml_min_l",
    }  # fmt: skip
    said = {field: head[name] for field, name in names.items() if name in head}
    ratio = str(head.get("inlet_ac", ""))
    if ratio.endswith(":1"):
        said["inlet_ac_ratio"] = float(ratio[:-2])
    if "blood_warmer" in head:
        said["warmer"] = head["blood_warmer"] == "yes"
    return Planned.model_validate(said)


def _machine(head: Mapping[str, Any]) -> Machine:
    passed = None if "self_test" not in head else head["self_test"] == "passed"
    return Machine(
        model=str(head.get("separator", "")), software=str(head.get("software", "")), self_test_passed=passed
    )
