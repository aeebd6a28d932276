"""What a forecast assumed and where it leaves what was observed: lines for the report, before anything is believed."""

from __future__ import annotations

from collections.abc import Sequence

from opentpe.domain.consultation import Line
from opentpe.domain.sourced import Sourced
from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library
from opentpe.simulation.cohort import Columns
from opentpe.simulation.setup import Setup

_DEFAULT_VIEW = ("igg", "fibrinogen", "albumin", "igm", "iga")


def assumed(subject: Subject, columns: Columns) -> tuple[Line, ...]:
    """One line for each of the main solutes that was not measured and starts at the population's value."""
    lines = []
    for key, unit, doc in zip(columns.keys, columns.units, columns.documents, strict=True):
        if key in _DEFAULT_VIEW and subject.value(key) is None and "concentration" in doc:
            entry = doc["concentration"]
            lines.append(
                Line(
                    "assumed_concentration",
                    (("solute", key), ("value", float(entry["value"])), ("unit", unit)),
                    (entry["source"],) if entry.get("source") else (),
                    entry["status"],
                )
            )
    return tuple(lines)


def recalled(used: Sequence[Sourced]) -> tuple[Line, ...]:
    """One line for each value without a source read yet that this forecast used."""
    return tuple(
        Line("recalled_value", (("key", s.key), ("value", s.value)), (), s.status.value) for s in used if s.unsourced
    )


def warnings(subject: Subject, setup: Setup, columns: Columns, library: Library) -> tuple[Line, ...]:
    """Where the forecast leaves the range its numbers come from."""
    found = []
    volumes = setup.volume_ml / setup.plasma_volume_ml
    if volumes > library.value("equations/circuit.plasma_volumes_warning"):
        found.append(Line("warning_large_session", (("plasma_volumes", volumes),)))
    per_kg = setup.plasma_volume_ml / subject.weight_kg
    low, high = (library.value(f"equations/volumes.plasma_volume_ml_kg_{end}") for end in ("low", "high"))
    if not low <= per_kg <= high:
        found.append(Line("warning_plasma_volume", (("ml_per_kg", per_kg), ("low", low), ("high", high))))
    if subject.pregnant:
        found.append(Line("warning_pregnancy"))
    igg = subject.value("igg")
    if igg is not None and igg < library.value("order.igg_consider_ivig_g_l"):
        found.append(Line("warning_low_igg", (("igg_g_l", igg),)))
    if any(library.document(f"fluids/{key}")["donor_plasma"] for key, _ in setup.fluids):
        found.append(Line("warning_plasma_content"))
    if setup.run.limited:
        found.append(Line("warning_citrate_limit", (("inlet_flow_ml_min", setup.run.inlet_flow_ml_min),)))
    if "c3" in columns.keys:
        found.append(Line("note_c3", (), ("orlin1980",)))
    return tuple(found)
