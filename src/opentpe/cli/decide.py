"""`opentpe decide`: the pathway only, with its walk on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opentpe.cli import common


def command(
    bundle: Annotated[Path, typer.Argument(help="A FHIR R4 bundle (JSON).")],
    on: common.On = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every gate, fact, source, and what would change the advice.")
    ] = False,
    unit: common.UnitFile = None,
    guideline: common.Guideline = "asfa-2023",
    refractory: common.Refractory = "opentpe",
    evidence: common.Overlay = None,
    language: common.Language = "en",
    as_json: common.AsJson = False,
) -> None:
    """Say whether an exchange is advised for this patient on this day, and why."""
    from opentpe import consultation as flow

    language = common.language(language)
    library = common.library(evidence)
    settings = common.unit_settings(library, unit)
    outcome = flow.decide(
        bundle, common.day(on), library=library, unit=settings, guideline=guideline, refractory=refractory
    )
    if as_json:
        from opentpe.domain.documents import document

        common.print_json(document("decide", outcome))
        return
    from rich.console import Console

    from opentpe.report import build, terminal
    from opentpe.report.explain import print_walk

    view, console = build.view(outcome, library, language), Console()
    terminal.print_consultation(view, console)
    if explain:
        print_walk(view, console)
