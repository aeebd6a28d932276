"""What fit, plan and trial share on the command line: whom it is about, and the pages and documents they leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opentpe.cli import common
from opentpe.errors import InputError

if TYPE_CHECKING:
    from opentpe.domain.subject import Subject
    from opentpe.domain.therapy import Course
    from opentpe.evidence.load import Library

CourseFile = Annotated[Path, typer.Argument(help="course.json of a consultation, with its sessions and labs.")]
Bundle = Annotated[Path | None, typer.Option("--patient", help="A FHIR bundle with the size of the patient.")]
Number = Annotated[float | None, typer.Option()]
Out = Annotated[Path, typer.Option("--out", help="Folder for the page and the JSON document.")]
LabText = Annotated[
    list[str] | None,
    typer.Option("--lab", help='A lab more: "igg 3.1 g/L at 50 h"; "fibrinogen < 0.5 g/L at 4 d". From session 1.'),
]
_PER = {"min": 1.0, "h": 60.0, "d": 1440.0}


def course(file: Path, labs: list[str]) -> Course:
    """The course of a file, with the labs given beside it."""
    from dataclasses import replace

    from opentpe.domain import documents

    read = documents.read_course(file)
    return replace(read, measurements=(*read.measurements, *(lab(text) for text in labs)))


def lab(text: str) -> Any:
    """The lab that words describe; `InputError` shows the form."""
    import re

    from opentpe.domain.therapy import Measurement

    match = re.fullmatch(
        r"(?P<kind>[a-z]\w*)\s+(?P<below><\s*)?(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>\S+)\s+at\s+"
        r"(?P<time>-?\d+(?:\.\d+)?)\s*(?P<per>min|h|d)",
        text.strip(),
    )
    if match is None:
        raise InputError("--lab", repr(text), '"igg 3.1 g/L at 50 h", counted from the start of session 1')
    time = float(match["time"]) * _PER[match["per"]]
    below = match["below"] is not None
    return Measurement(match["kind"], time, float(match["value"]), match["unit"], "command line", below)


def subject(
    file: Path,
    patient: Path | None,
    on: str | None,
    library: Library,
    sex: str | None,
    age: float | None,
    height_cm: float | None,
    weight_kg: float | None,
    hct: float | None,
    liver: str = "normal",
) -> Subject:
    """The patient: of the bundle, of the size options, or of the `subject` that stands in the course document."""
    from opentpe.cli import simulate
    from opentpe.domain import documents
    from opentpe.domain.subject import Subject

    if patient is not None:
        return simulate.from_bundle(patient, on, library)
    if any(v is not None for v in (sex, height_cm, weight_kg, hct)):
        return simulate.from_size(sex, age, height_cm, weight_kg, hct, liver, [])
    inside = documents.read_document(file, "course").get("subject")
    if inside is None:
        raise InputError(
            str(file), "a course without its patient", "--patient, or --sex, --height-cm, --weight-kg, --hct"
        )
    return documents.decode(Subject, inside, f"{file.name}.subject")


def leave(kind: str, page: str, document: Any, out: Path) -> Path:
    """Writes page and document of a result and says where."""
    from opentpe.domain import documents

    common.write_whole(out / f"{kind}.json", documents.text(documents.document(kind, document)))
    written = common.write_whole(out / f"{kind}.html", page)
    print(f"Page: {written}")
    return written
