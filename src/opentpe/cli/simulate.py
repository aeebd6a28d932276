"""`opentpe simulate`: what a course does to a body, from size or from a bundle, without a decision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opentpe.cli import common
from opentpe.errors import InputError

if TYPE_CHECKING:
    from opentpe.domain.subject import Subject
    from opentpe.evidence.load import Library


def command(
    course: Annotated[
        str, typer.Option("--course", help='Course words, or a course.json: "5 x 1.0 PV every other day".')
    ],
    patient: Annotated[
        Path | None, typer.Option("--patient", help="A FHIR bundle instead of the size options.")
    ] = None,
    sex: Annotated[str | None, typer.Option("--sex", help="F or M.")] = None,
    age: Annotated[float | None, typer.Option("--age", help="Years.")] = None,
    height_cm: Annotated[float | None, typer.Option("--height-cm")] = None,
    weight_kg: Annotated[float | None, typer.Option("--weight-kg")] = None,
    hct: Annotated[float | None, typer.Option("--hct", help="Haematocrit as a fraction, such as 0.39.")] = None,
    igg: Annotated[float | None, typer.Option("--igg", help="g/L before session 1.")] = None,
    fibrinogen: Annotated[float | None, typer.Option("--fibrinogen", help="g/L before session 1.")] = None,
    albumin: Annotated[float | None, typer.Option("--albumin", help="g/L before session 1.")] = None,
    liver: Annotated[str, typer.Option("--liver", help="normal, cirrhosis or failure.")] = "normal",
    dose: Annotated[
        list[str] | None, typer.Option("--dose", help='A drug dose: "natalizumab 300 mg at -10 d" (from session 1).')
    ] = None,
    solutes: Annotated[str, typer.Option("--solutes", help="Only these, as igg,fibrinogen. Default: all.")] = "",
    at: Annotated[str, typer.Option("--at", help="Moments after the last session.")] = "24h,72h,7d,14d,28d,56d",
    on: common.On = None,
    unit: common.UnitFile = None,
    evidence: common.Overlay = None,
    seed: common.Seed = 20_260_101,
    draws: common.Draws = 400,
    as_json: common.AsJson = False,
) -> None:
    """Forecast a course: volumes, solutes and drugs, calcium, blood volume and pressure, with bands."""
    from dataclasses import replace

    from opentpe import consultation as flow
    from opentpe.domain import doses

    library = common.library(evidence)
    if patient is not None:
        subject = _from_bundle(patient, on, library)
    else:
        subject = _from_size(
            sex, age, height_cm, weight_kg, hct, liver, {"igg": igg, "fibrinogen": fibrinogen, "albumin": albumin}
        )
    planned = _course(course)
    planned = replace(planned, drug_doses=(*planned.drug_doses, *(doses.parse(d) for d in dose or ())))
    forecast = flow.simulate(
        subject,
        planned,
        library=library,
        unit=common.unit_settings(library, unit),
        solutes=tuple(s.strip().lower() for s in solutes.split(",") if s.strip()),
        at=tuple(s.strip() for s in at.split(",") if s.strip()),
        seed=seed,
        draws=draws,
    )
    if as_json:
        from opentpe.domain.documents import encode, simulate_document

        common.print_json(simulate_document(encode(subject), forecast))
        return
    from rich.console import Console

    from opentpe.report import terminal

    terminal.print_forecast(forecast, library, Console())


def _course(text: str):
    from opentpe.domain import documents, words

    return documents.read_course(Path(text)) if text.endswith(".json") else words.parse(text)


def _from_bundle(bundle: Path, on: str | None, library: Library) -> Subject:
    from opentpe.domain.subject import subject_of
    from opentpe.fhir import read

    day = common.day(on)
    subject = subject_of(read.read(bundle, day, library).patient, day)
    if subject is None:
        raise InputError(str(bundle), "no complete size", "sex, weight, height and haematocrit in the bundle")
    return subject


def _from_size(
    sex: str | None,
    age: float | None,
    height_cm: float | None,
    weight_kg: float | None,
    hct: float | None,
    liver: str,
    measured: dict[str, float | None],
) -> Subject:
    from opentpe.domain.subject import Subject

    given = {"--sex": sex, "--height-cm": height_cm, "--weight-kg": weight_kg, "--hct": hct}
    missing = [name for name, value in given.items() if value is None]
    if missing or sex is None or height_cm is None or weight_kg is None or hct is None:
        raise InputError("simulate", "no " + ", ".join(missing), "--patient or the size of the patient")
    if sex.upper()[:1] not in ("F", "M"):
        raise InputError("--sex", repr(sex), "F or M")
    if liver not in ("normal", "cirrhosis", "failure"):
        raise InputError("--liver", repr(liver), "normal, cirrhosis or failure")
    values = tuple((k, v) for k, v in measured.items() if v is not None)
    return Subject(sex.upper().startswith("F"), height_cm, weight_kg, hct, age, liver, False, values)
