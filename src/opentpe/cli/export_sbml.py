"""`opentpe export-sbml`: the solute kinetics of a course for other simulators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opentpe.cli import common
from opentpe.cli.simulate import Bundle, Dose, Lab, Size, Words, from_bundle, from_size, names, read_course
from opentpe.errors import InputError

if TYPE_CHECKING:
    from opentpe.evidence.load import Library, Table
    from opentpe.sbml.export import Column


def command(
    course: Words,
    out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("course.xml"),
    patient: Bundle = None,
    sex: Annotated[str | None, typer.Option("--sex", help="F or M.")] = None,
    age: Size = None,
    height_cm: Size = None,
    weight_kg: Size = None,
    hct: Annotated[float | None, typer.Option("--hct", help="Haematocrit as a fraction, such as 0.39.")] = None,
    lab: Lab = None,
    dose: Dose = None,
    solutes: Annotated[str, typer.Option("--solutes", help="Only these, as igg,fibrinogen. Default: all.")] = "",
    draw: Annotated[int, typer.Option("--draw", min=0, help="Which parameter draw of the patient to export.")] = 0,
    on: common.On = None,
    unit: common.UnitFile = None,
    evidence: common.Overlay = None,
    seed: common.Seed = 20_260_101,
) -> None:
    """Write one patient's course kinetics as SBML Level 3, with units and sources."""
    try:
        from opentpe.sbml import export
    except ModuleNotFoundError as error:
        raise InputError(
            "export-sbml", f"no module {error.name}", "python-libsbml", "Install opentpe[sbml]."
        ) from error
    from opentpe.kernel.arrays import alone
    from opentpe.simulation.course import simulate

    library = common.library(evidence)
    if patient is not None:
        subject = from_bundle(patient, on, library)
    else:
        subject = from_size(sex, age, height_cm, weight_kg, hct, "normal", lab or [])
    planned = read_course(course, dose or [])
    settings = common.unit_settings(library, unit)
    common.compile_once()
    run = simulate(subject, planned, library, settings, solutes=names(solutes), seed=seed, draws=draw + 1)
    columns = [_column(key, doc, library) for key, doc in zip(run.columns.keys, run.columns.documents, strict=True)]
    text = export.export(alone(run.people, draw), run.plan, columns, f"Plasma exchange: {course}")
    out.write_text(text, encoding="utf-8")
    print(f"SBML: {out} ({len(columns)} solutes, draw {draw} of seed {seed})")


def _column(key: str, document: Table, library: Library) -> Column:
    from opentpe.evidence.load import is_sourced
    from opentpe.sbml.export import Column

    cited = dict.fromkeys(str(node["source"]) for node in document.values() if is_sourced(node) and node.get("source"))
    known = [library.citation(source) for source in cited]
    addresses = [f"https://identifiers.org/doi:{c.doi}" for c in known if c.doi]
    addresses += [f"https://identifiers.org/pubmed:{c.pmid}" for c in known if c.pmid]
    return Column(key, str(document["name"]), str(document["unit"]), tuple(addresses))
