"""`opentpe simulate`: what a course does to a body, from size or from a bundle, without a decision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opentpe.cli import common
from opentpe.errors import InputError

if TYPE_CHECKING:
    from opentpe.domain.consultation import Forecast
    from opentpe.domain.subject import Subject
    from opentpe.domain.therapy import Course
    from opentpe.evidence.load import Library


Size = Annotated[float | None, typer.Option()]
Lab = Annotated[
    list[str] | None, typer.Option("--lab", help="A measured value before session 1: igg=9.5, fibrinogen=3.0.")
]
Dose = Annotated[
    list[str] | None, typer.Option("--dose", help='A drug dose: "natalizumab 300 mg at -10 d", from session 1.')
]
Words = Annotated[str, typer.Option("--course", help='Course words or a course.json: "5 x 1.0 PV every other day".')]
Bundle = Annotated[Path | None, typer.Option("--patient", help="A FHIR bundle instead of the size options.")]


def command(
    course: Words,
    patient: Bundle = None,
    sex: Annotated[str | None, typer.Option("--sex", help="F or M.")] = None,
    age: Size = None,
    height_cm: Size = None,
    weight_kg: Size = None,
    hct: Annotated[float | None, typer.Option("--hct", help="Haematocrit as a fraction, such as 0.39.")] = None,
    liver: Annotated[str, typer.Option("--liver", help="normal, cirrhosis or failure.")] = "normal",
    lab: Lab = None,
    dose: Dose = None,
    solutes: Annotated[str, typer.Option("--solutes", help="Only these, as igg,fibrinogen. Default: all.")] = "",
    at: Annotated[str, typer.Option("--at", help="Moments after the last session.")] = "24h,72h,7d,14d,28d,56d",
    on: common.On = None,
    unit: common.UnitFile = None,
    evidence: common.Overlay = None,
    seed: common.Seed = 20_260_101,
    draws: common.Draws = 240,
    as_json: common.AsJson = False,
) -> None:
    """Forecast a course: volumes, solutes and drugs, calcium, blood volume and pressure, with bands."""
    from opentpe import consultation as flow

    library = common.library(evidence)
    if patient is not None:
        subject = from_bundle(patient, on, library)
    else:
        subject = from_size(sex, age, height_cm, weight_kg, hct, liver, lab or [])
    common.compile_once()
    forecast = flow.simulate(
        subject,
        read_course(course, dose or []),
        library=library,
        unit=common.unit_settings(library, unit),
        solutes=names(solutes),
        at=names(at),
        seed=seed,
        draws=draws,
    )
    _show(forecast, subject, library, as_json)


def _show(forecast: Forecast, subject: Subject, library: Library, as_json: bool) -> None:
    if as_json:
        from opentpe.domain.documents import encode, simulate_document
        from opentpe.evidence import formulas

        size = (subject.female, subject.weight_kg, subject.height_cm / 100, subject.hct)
        common.print_json(simulate_document(encode(subject), forecast, formulas.estimators(*size, library)))
        return
    from rich.console import Console

    from opentpe.report.forecast_text import print_forecast

    print_forecast(forecast, library, Console())


def names(text: str) -> tuple[str, ...]:
    """Names of a comma-separated list, in lower case."""
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def read_course(text: str, given: list[str]) -> Course:
    """The course of an option, words or file, with the drug doses given beside it."""
    from dataclasses import replace

    from opentpe.domain import documents, doses, words

    course = documents.read_course(Path(text)) if text.endswith(".json") else words.parse(text)
    return replace(course, drug_doses=(*course.drug_doses, *(doses.parse(d) for d in given)))


def from_bundle(bundle: Path, on: str | None, library: Library) -> Subject:
    """The subject of a bundle on a day."""
    from opentpe.domain.subject import subject_of
    from opentpe.fhir import read

    day = common.day(on)
    subject = subject_of(read.read(bundle, day, library).patient, day)
    if subject is None:
        raise InputError(str(bundle), "no complete size", "sex, weight, height and haematocrit in the bundle")
    return subject


def from_size(
    sex: str | None,
    age: float | None,
    height_cm: float | None,
    weight_kg: float | None,
    hct: float | None,
    liver: str,
    labs: list[str],
) -> Subject:
    """The subject of the size options; `InputError` names those that are missing."""
    from opentpe.domain.subject import Subject

    given = {"--sex": sex, "--height-cm": height_cm, "--weight-kg": weight_kg, "--hct": hct}
    missing = [name for name, value in given.items() if value is None]
    if missing or sex is None or height_cm is None or weight_kg is None or hct is None:
        raise InputError("simulate", "no " + ", ".join(missing), "--patient or the size of the patient")
    if sex.upper()[:1] not in ("F", "M"):
        raise InputError("--sex", repr(sex), "F or M")
    if liver not in ("normal", "cirrhosis", "failure"):
        raise InputError("--liver", repr(liver), "normal, cirrhosis or failure")
    return Subject(
        sex.upper().startswith("F"), height_cm, weight_kg, hct, age, liver, measured=tuple(_lab(text) for text in labs)
    )


def _lab(text: str) -> tuple[str, float]:
    from opentpe.domain.subject import MEASURED

    kind, _, value = (part.strip().lower() for part in text.partition("="))
    try:
        if kind in MEASURED:
            return kind, float(value)
    except ValueError:
        pass
    raise InputError("--lab", repr(text), "kind=value with one of " + ", ".join(MEASURED))
