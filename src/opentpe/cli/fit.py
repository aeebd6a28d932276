"""`opentpe fit`: what the labs of a course teach about this patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opentpe.cli import common, learning


def command(
    course: learning.CourseFile,
    patient: learning.Bundle = None,
    lab: learning.LabText = None,
    sex: Annotated[str | None, typer.Option("--sex", help="F or M.")] = None,
    age: learning.Number = None,
    height_cm: learning.Number = None,
    weight_kg: learning.Number = None,
    hct: learning.Number = None,
    solutes: Annotated[str, typer.Option("--solutes", help="Also forecast these, as igm,albumin.")] = "",
    steps: Annotated[bool, typer.Option("--steps", help="Show the forecast after each sample in turn.")] = False,
    on: common.On = None,
    unit: common.UnitFile = None,
    evidence: common.Overlay = None,
    seed: common.Seed = 20_260_101,
    rows: Annotated[int, typer.Option("--rows", min=100, max=100_000, help="Rows of the weighted cohort.")] = 1000,
    out: learning.Out = Path("out"),
    as_json: common.AsJson = False,
) -> None:
    """Learn from the labs: parameters and forecast before and after, labs that do not fit, alarms."""
    from opentpe.cli.simulate import names
    from opentpe.domain import documents
    from opentpe.report import learning as pages
    from opentpe.report import learning_text
    from opentpe.simulation import fit

    common.compile_once()
    library = common.library(evidence)
    settings = common.unit_settings(library, unit)
    common.compile_once()
    read = learning.course(course, lab or [])
    who = learning.subject(course, patient, on, library, sex, age, height_cm, weight_kg, hct)
    chosen = names(solutes) and ("igg", "fibrinogen", *names(solutes))
    result = fit.fit(who, read, library, settings, solutes=chosen or (), seed=seed, rows=rows)
    if as_json:
        common.print_json(documents.document("fit", result))
        return
    turns = fit.steps(who, read, library, settings, seed=seed, rows=rows) if steps else ()
    view = pages.fit_view(result, library, turns)
    learning_text.print_view(view)
    learning.leave("fit", pages.html(view), result, out)
