"""The records as JSON: one set of addresses per kind. Identifiers in addresses say nothing about a patient."""

import logging
from collections.abc import Callable
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from opentpe.errors import UnavailableError
from opentpe.records import exchange_fhir, kinds
from opentpe.records.canonical import text
from opentpe.records.kinds import KINDS, Body
from opentpe.records.store import Kept
from opentpe.web.clinic import Clinic, Here
from opentpe.web.people import Allowed, Decider, Person, Reader, Writing

LOG: Final = logging.getLogger("opentpe.web")
B = TypeVar("B", bound=Body)
Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Keepable = AfterValidator(text)
Why = Annotated[str, Field(max_length=2000), Keepable]
After = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9._-]*$")]
Version = Annotated[int, Field(ge=1, le=1_000_000)]
Limit = Annotated[int, Field(ge=1, le=2000)]
ADDED_BY: Final[dict[type[Body], str]] = {
    **dict.fromkeys((kinds.Course, kinds.Order, kinds.Decision, kinds.Override), "decide"),
    kinds.Setting: "settings",
}
SERVED: Final = tuple(k for k in KINDS if k not in (kinds.Account, kinds.Feedback))


class Said(BaseModel):
    """A body that is refused where it holds what is not asked for."""

    model_config = ConfigDict(extra="forbid")


class Adding(Said, Generic[B]):
    """A new record; `why` is kept with it."""

    patient_id: Annotated[str, Field(max_length=64), Keepable] | None = None
    why: Why = ""
    body: B


class Changing(Said, Generic[B]):
    """A change of the version that was read."""

    version: Version
    why: Why = ""
    body: B


class Retiring(Said):
    """A record that goes out of use, and why."""

    version: Version
    why: Annotated[str, Field(min_length=3, max_length=2000), Keepable]


class KeptOut(BaseModel, Generic[B]):
    """One version of a record."""

    id: str
    version: int
    at: str
    who: str
    why: str
    retired: bool
    patient_id: str | None
    body: B


class Search(Said):
    """What is looked for; sent as a body, so that no name stands in an address."""

    identifier: Annotated[str, Field(max_length=200), Keepable] = ""
    name: Annotated[str, Field(max_length=200), Keepable] = ""


def out(kept: Kept[Any]) -> dict[str, Any]:
    """A kept version as JSON values."""
    said = kept.said()
    del said["kind"]
    return said


def _own(body: Body) -> Body:
    """What the caller may say: a signature is given by signing, never by writing it."""
    if isinstance(body, kinds.Order):
        return body.model_copy(update={"signed_by": "", "signed_at": None})
    return body


def routes() -> APIRouter:
    """The routes of every kind that is served."""
    router = APIRouter(prefix="/api", tags=["records"])
    reads = [Depends(Allowed("read"))]
    router.post("/patients/search", response_model=list[KeptOut[kinds.Patient]], dependencies=reads)(search_patients)
    router.post("/orders/{record_id}/sign", response_model=KeptOut[kinds.Order])(sign)
    router.get("/patients/{patient_id}/bundle", response_model=dict[str, Any])(patient_bundle)
    for kind in SERVED:
        _writing_routes(router, kind)
        _reading_routes(router, kind)
    return router


def _typed(function: Callable[..., Any], **annotations: Any) -> Callable[..., Any]:
    """The function with annotations that are known only here: the models of one kind."""
    function.__annotations__ |= annotations
    return function


def _writing_routes(router: APIRouter, kind: type[Body]) -> None:
    def add(said: Any, here: Here, person: Any) -> Any:
        """A new record."""
        return out(here.store.add(_own(said.body), person.name, said.why, said.patient_id))

    def change(record_id: Id, said: Any, here: Here, person: Any) -> Any:
        """A new version; 409 with both sides where somebody was first."""
        return out(here.store.change(record_id, _own(said.body), said.version, person.name, said.why))

    def retire(record_id: Id, said: Retiring, here: Here, person: Any) -> Any:
        """Out of use; the history stays."""
        return out(here.store.retire(kind, record_id, said.version, person.name, said.why))

    name = kind.table
    one, adding, changing = _models(kind)
    who = Annotated[Person, Depends(Writing(ADDED_BY.get(kind, "care")))]
    served: dict[str, Any] = {"response_model": one}
    router.post(f"/{name}", status_code=201, name=f"add {name}", **served)(_typed(add, said=adding, person=who))
    router.put(f"/{name}/{{record_id}}", name=f"change {name}", **served)(_typed(change, said=changing, person=who))
    router.post(f"/{name}/{{record_id}}/retire", name=f"retire {name}", **served)(_typed(retire, person=who))


def _reading_routes(router: APIRouter, kind: type[Body]) -> None:
    def get(record_id: Id, here: Here, person: Any) -> Any:
        """The newest version. Opening a patient leaves a line in the audit chain."""
        kept = here.store.get(kind, record_id)
        if kind is kinds.Patient:
            looked(here, person, record_id)
        return out(kept)

    def history(record_id: Id, here: Here) -> Any:
        """Every version, oldest first."""
        return [out(kept) for kept in here.store.history(kind, record_id)]

    def of_patient(patient_id: Id, here: Here, after: After = "", limit: Limit = 500) -> Any:
        """Records of a patient that are in use."""
        return [out(kept) for kept in here.store.current(kind, patient_id, limit=limit, after=after)]

    def of_unit(here: Here, after: After = "", limit: Limit = 500) -> Any:
        """Records of the unit that are in use, page by page: `after` is the last identifier of the page before."""
        return [out(kept) for kept in here.store.current(kind, limit=limit, after=after)]

    name, (one, _, _) = kind.table, _models(kind)
    allowed = Allowed("train" if kind is kinds.Setting else "read")
    several: dict[str, Any] = {"response_model": list[one], "dependencies": [Depends(allowed)]}  # type: ignore[valid-type]
    who = Annotated[Person, Depends(allowed)]
    router.get(f"/{name}/{{record_id}}", response_model=one, name=f"get {name}")(_typed(get, person=who))
    router.get(f"/{name}/{{record_id}}/history", name=f"history of {name}", **several)(history)
    if kind.of_patient:
        router.get(f"/patients/{{patient_id}}/{name}", name=f"list {name}", **several)(of_patient)
    else:
        router.get(f"/{name}", name=f"list {name}", **several)(of_unit)


def _models(kind: type[Body]) -> tuple[Any, Any, Any]:
    """What comes back, what is added, what is changed: the models of one kind."""
    return KeptOut[kind], Adding[kind], Changing[kind]  # type: ignore[valid-type]


def looked(here: Clinic, person: Person, patient_id: str) -> None:
    """A line in the audit chain that somebody opened a patient; where it cannot be written, care goes on."""
    try:
        here.store.note("read", person.name, "", patient_id)
    except UnavailableError:
        LOG.warning("a look at a patient could not be noted: the records cannot be written")


def search_patients(said: Search, here: Here) -> list[dict[str, Any]]:
    """Patients by hospital number, or by part of the name; the first fifty."""
    if said.identifier:
        return [out(k) for k in here.store.current(kinds.Patient, where={"identifier": said.identifier}, limit=50)]
    words = said.name.casefold().split()
    found = [k for k in here.store.current(kinds.Patient) if all(w in k.body.name.casefold() for w in words)]
    return [out(k) for k in sorted(found, key=lambda k: (k.body.name, k.id))[:50]]


def sign(record_id: Id, said: Changing[kinds.Order], here: Here, person: Decider) -> dict[str, Any]:
    """The order with the signature of who is signed in: the text that was read is the text that is signed."""
    theirs = here.store.get(kinds.Order, record_id)
    if _own(theirs.body) != _own(said.body) and theirs.version == said.version:
        raise HTTPException(422, "The order to be signed is not the one that is kept. Reload it and sign again.")
    signed = theirs.body.model_copy(update={"signed_by": person.full_name or person.name, "signed_at": here.clock()})
    return out(here.store.change(record_id, signed, said.version, person.name, said.why or "signed"))


def patient_bundle(patient_id: Id, here: Here, person: Reader) -> dict[str, Any]:
    """Everything about a patient as a FHIR bundle."""
    return exchange_fhir.bundle(here.store, here.library, person.name, patient_id)
