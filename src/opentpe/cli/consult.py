"""`opentpe consult`: decision, order, forecast and report from one bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opentpe.cli import common

if TYPE_CHECKING:
    from opentpe.domain.consultation import Consultation
    from opentpe.evidence.load import Library
    from opentpe.report.view import ReportView


def command(
    bundle: Annotated[Path, typer.Argument(help="A FHIR R4 bundle (JSON).")],
    on: common.On = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the report, the leaflet, the papers and the JSON documents.")
    ] = Path("out"),
    unit: common.UnitFile = None,
    guideline: common.Guideline = "asfa-2023",
    refractory: common.Refractory = "opentpe",
    evidence: common.Overlay = None,
    seed: common.Seed = 20_260_101,
    draws: common.Draws = 240,
    language: common.Language = "en",
    as_json: common.AsJson = False,
) -> None:
    """Read a patient's bundle; decide, order, forecast; write a report with every reason sourced."""
    from opentpe import consultation as flow

    language = common.language(language)
    library = common.library(evidence)
    settings = common.unit_settings(library, unit)
    common.compile_once()
    result = flow.consult(
        bundle,
        common.day(on),
        library=library,
        unit=settings,
        guideline=guideline,
        refractory=refractory,
        seed=seed,
        draws=draws,
    )
    from opentpe.report import build

    view = build.view(result, library, language)
    written = write(result, library, out, language, view)
    if as_json:
        from opentpe.domain.documents import consult_document

        common.print_json(consult_document(result))
        return
    from rich.console import Console

    from opentpe.report import terminal

    console = Console()
    terminal.print_consultation(view, console)
    console.print(f"Report: {written['report.html']}", soft_wrap=True)


def write(
    result: Consultation, library: Library, out: Path, language: str, view: ReportView | None = None
) -> dict[str, Path]:
    """Every file of a consultation, each written whole or not at all."""
    from opentpe import consultation as flow
    from opentpe.domain import documents
    from opentpe.domain.subject import subject_of
    from opentpe.report import build, leaflet, letter, render

    files = {
        "report.html": render.html(view or build.view(result, library, language)),
        "consult.json": documents.text(documents.consult_document(result)),
        "fhir.json": documents.text(flow.to_fhir(result, library, language)),
    }
    if result.relapse is not None:
        files["leaflet.html"] = leaflet.html(result, library, language)
        papers = letter.KINDS if result.order is not None else ("referral",)
        files |= {f"{kind}.html": letter.html(result, library, language, kind) for kind in papers}
    if result.order is not None:
        course = documents.document("course", result.order.course)
        if (who := subject_of(result.patient, result.on)) is not None:
            course["subject"] = documents.encode(who)  # so that fit and plan know the patient
        files["course.json"] = documents.text(course)
    return {name: common.write_whole(out / name, text) for name, text in files.items()}
