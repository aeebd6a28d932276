"""The records as JSON: one set of addresses per kind. Identifiers in addresses say nothing about a patient."""

import logging
from collections.abc import Callable
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel, ConfigDict, Field

from opentpe.errors import UnavailableError
from opentpe.records import exchange_fhir, kinds
from opentpe.records.kinds import KINDS, Body
from opentpe.records.store import Kept
from opentpe.web.clinic import Clinic, Here
from opentpe.web.people import Allowed, Decider, Person, Reader, Writing

LOG: Final = logging.getLogger("opentpe.web")
B = TypeVar("B", bound=Body)
Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
Why = Annotated[str, Field(max_length=2000)]
Version = Annotated[int, Field(ge=1, le=1_000_000)]
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

    patient_id: str | None = Field(default=None, max_length=64)
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
    why: Annotated[str, Field(min_length=3, max_length=2000)]


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

    identifier: str = Field(default="", max_length=200)
    name: str = Field(default="", max_length=200)


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
    router.post("/patients/search", response_model=list[KeptOut[kinds.Patient]])(search_patients)
    router.post("/orders/{record_id}/sign", response_model=KeptOut[kinds.Order])(sign)
    router.get("/patients/{patient_id}/bundle", response_model=dict[str, Any])(patient_bundle)
    for kind in SERVED:
        _routes_of(router, kind)
    return router


def _routes_of(router: APIRouter, kind: type[Body]) -> None:
    name, one = kind.table, KeptOut[kind]  # type: ignore[valid-type]
    reads = "train" if kind is kinds.Setting else "read"
    writes = Writing(ADDED_BY.get(kind, "care"))
    add, change, retire = _writers(kind, writes)
    get, history, listed = _readers(kind, Allowed(reads))
    router.post(f"/{name}", response_model=one, status_code=201, name=f"add {name}")(add)
    router.put(f"/{name}/{{record_id}}", response_model=one, name=f"change {name}")(change)
    router.post(f"/{name}/{{record_id}}/retire", response_model=one, name=f"retire {name}")(retire)
    router.get(f"/{name}/{{record_id}}", response_model=one, name=f"get {name}")(get)
    router.get(f"/{name}/{{record_id}}/history", response_model=list[one], name=f"history of {name}")(history)
    where = f"/patients/{{patient_id}}/{name}" if kind.of_patient else f"/{name}"
    router.get(where, response_model=list[one], name=f"list {name}")(listed)


def _writers(kind: type[Body], allowed: Writing) -> tuple[Callable[..., Any], ...]:
    adding, changing, who = Adding[kind], Changing[kind], Annotated[Person, Depends(allowed)]  # type: ignore[valid-type]

    def add(said: adding, here: Here, person: who) -> dict[str, Any]:  # type: ignore[valid-type]
        """A new record."""
        return out(here.store.add(_own(said.body), person.name, said.why, said.patient_id))

    def change(record_id: Id, said: changing, here: Here, person: who) -> dict[str, Any]:  # type: ignore[valid-type]
        """A new version; 409 with both sides where somebody was first."""
        return out(here.store.change(record_id, _own(said.body), said.version, person.name, said.why))

    def retire(record_id: Id, said: Retiring, here: Here, person: who) -> dict[str, Any]:  # type: ignore[valid-type]
        """Out of use; the history stays."""
        return out(here.store.retire(kind, record_id, said.version, person.name, said.why))

    return add, change, retire


def _readers(kind: type[Body], allowed: Allowed) -> tuple[Callable[..., Any], ...]:
    who = Annotated[Person, Depends(allowed)]

    def get(record_id: Id, here: Here, person: who) -> dict[str, Any]:  # type: ignore[valid-type]
        """The newest version. Opening a patient leaves a line in the audit chain."""
        kept = here.store.get(kind, record_id)
        if kind is kinds.Patient:
            looked(here, person, record_id)
        return out(kept)

    def history(record_id: Id, here: Here, person: who) -> list[dict[str, Any]]:  # type: ignore[valid-type]  # noqa: ARG001
        """Every version, oldest first."""
        return [out(kept) for kept in here.store.history(kind, record_id)]

    def of_patient(
        patient_id: Id, here: Here, person: who, after: str = "", limit: Limit = 500
    ) -> list[dict[str, Any]]:  # type: ignore[valid-type]
        """Records of a patient that are in use."""
        return [out(kept) for kept in here.store.current(kind, patient_id, limit=limit, after=after)]

    def of_unit(here: Here, person: who, after: str = "", limit: Limit = 500) -> list[dict[str, Any]]:  # type: ignore[valid-type]  # noqa: ARG001
        """Records of the unit that are in use, page by page: `after` is the last identifier of the page before."""
        return [out(kept) for kept in here.store.current(kind, limit=limit, after=after)]

    return get, history, of_patient if kind.of_patient else of_unit


Limit = Annotated[int, Field(ge=1, le=2000)]


def looked(here: Clinic, person: Person, patient_id: str) -> None:
    """A line in the audit chain that somebody opened a patient; where it cannot be written, care goes on."""
    try:
        here.store.note("read", person.name, "", patient_id)
    except UnavailableError:
        LOG.warning("a look at a patient could not be noted: the records cannot be written")


def search_patients(said: Search, here: Here, person: Reader) -> list[dict[str, Any]]:
    """Patients by hospital number, or by part of the name; the first fifty."""
    if said.identifier:
        return [out(k) for k in here.store.current(kinds.Patient, where={"identifier": said.identifier})]
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
