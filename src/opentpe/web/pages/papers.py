"""Report, leaflet, order, consent aid, checklist and letters: whole pages to print, under a policy without script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from opentpe.domain.consultation import Consultation
from opentpe.errors import InputError
from opentpe.report import leaflet, letter
from opentpe.web.clinic import Clinic, Here
from opentpe.web.pages import assets, care, consult, shell
from opentpe.web.people import Person, Reader, Writing

router: Final = APIRouter(include_in_schema=False)
LANGUAGES: Final = ("en", "de", "es")
KINDS: Final = ("report", *(f"leaflet.{language}" for language in LANGUAGES), *letter.KINDS)
Trying = Annotated[Person, Depends(Writing("train"))]


@router.post("/papers")
async def of_bundle(request: Request, here: Here, _: Trying) -> Response:
    """A paper of the bundle in the form."""
    said = {k: str(v) for k, v in (await request.form()).items()}
    return await run_in_threadpool(_of_bundle, here, said, shell.units_of(request))


def _of_bundle(here: Clinic, said: Mapping[str, str], units: str) -> Response:
    bundle, on = consult.asked(said, here.today())
    return paper(here, consult.advise(here, bundle, on), said.get("kind", "report"), units)


@router.get("/courses/{course_id}/papers/{kind}")
@router.get("/courses/{course_id}/papers/{kind}.json")
def of_course(request: Request, course_id: str, kind: str, here: Here, person: Reader) -> Response:
    """A paper of a kept course as the records stand today."""
    made = care.consultation(here, care.load(here, course_id))
    if shell.as_json(request):
        return shell.show(request, person, "", {"kind": kind, "consultation": made})
    return paper(here, made, kind, shell.units_of(request))


def paper(here: Clinic, made: Consultation, kind: str, units: str) -> HTMLResponse:
    """One printed page of a consultation; `InputError` names the kinds there are."""
    if kind not in KINDS:
        raise InputError("kind", repr(kind), ", ".join(KINDS))
    writer: Any = {"report": lambda: consult.told(made, here, units)}.get(kind)
    if writer is None and kind.startswith("leaflet."):
        return assets.strict(leaflet.html(made, here.library, kind.removeprefix("leaflet.")))
    return assets.strict(writer() if writer else letter.html(made, here.library, here.settings.language, kind))
