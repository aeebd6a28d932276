"""What went wrong, with the registry's grade, and what was decided otherwise than advised, with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from opentpe.records import kinds
from opentpe.web.clinic import Here
from opentpe.web.pages import care
from opentpe.web.people import Carer, Decider

router: Final = APIRouter(include_in_schema=False)


@router.post("/courses/{course_id}/event")
def event(
    course_id: str,
    here: Here,
    person: Carer,
    what: Annotated[str, Form(min_length=2, max_length=200)],
    happened_at: Annotated[datetime, Form()],
    session: Annotated[int, Form(ge=1, le=60)],
    medication_given: Annotated[str, Form(max_length=4)] = "",
    interrupted: Annotated[str, Form(max_length=4)] = "",
    death: Annotated[str, Form(max_length=4)] = "",
    action: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """An adverse event of a session; its grade follows from what had to be done."""
    state = care.load(here, course_id)
    kept = state.procedure(session)
    body = kinds.AdverseEvent(
        procedure_id=kept.id if kept else "", event=what, happened_at=happened_at.astimezone(), action=action,
        medication_given=bool(medication_given), interrupted=bool(interrupted), death=bool(death),
    )  # fmt: skip
    here.store.add(body, person.name, f"session {session}", state.patient.id)
    return RedirectResponse(f"/courses/{course_id}#events", 303)


@router.post("/courses/{course_id}/override")
def override(
    course_id: str,
    here: Here,
    person: Decider,
    code: Annotated[str, Form(min_length=2, max_length=200)],
    reason: Annotated[str, Form(min_length=3, max_length=2000)],
    instead: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """A physician goes another way than the advice or a limit says, and why."""
    state = care.load(here, course_id)
    decision = state.decisions[-1].id if state.decisions else ""
    body = kinds.Override(decision_id=decision, code=code, instead=instead, reason=reason)
    here.store.add(body, person.name, "override", state.patient.id)
    return RedirectResponse(f"/courses/{course_id}#events", 303)
