"""What every request needs, made once by `create_app`: settings, records, evidence, clock, and the outside world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from threading import Semaphore
from typing import Annotated, Any

import httpx
from fastapi import Depends, Request

from opentpe.evidence.load import Library
from opentpe.pathway.book import Pathway
from opentpe.records import database
from opentpe.records.kinds import Setting
from opentpe.records.store import Kept, Store
from opentpe.web import protocol
from opentpe.web.settings import Settings


@dataclass(frozen=True, slots=True)
class Clinic:
    """The unit's application. `transport` carries calls to other servers; tests put their own there."""

    settings: Settings
    store: Store
    library: Library
    clock: Callable[[], datetime]
    pathway: Pathway
    unit: Mapping[str, Any]
    transport: httpx.BaseTransport | None = None
    turns: Semaphore = field(default_factory=lambda: Semaphore(2))  # decisions in turn are quicker than all at once
    key_sets: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)  # public keys, by address
    shipped: Library | None = None  # the library before the unit's own protocol; None where that is this one
    last: dict[tuple[int, ...], Mapping[str, Kept[Setting]]] = field(default_factory=dict)  # what was set, by mark
    protocols: dict[str, tuple[Library, Pathway]] = field(default_factory=dict)  # the latest one, by what was set

    def today(self) -> date:
        """The ward's calendar day."""
        return self.clock().astimezone().date()


def of(request: Request) -> Clinic:
    """The clinic of a request."""
    clinic: Clinic = request.app.state.clinic
    return clinic


def _own(here: Clinic) -> Mapping[str, Kept[Setting]]:
    """What the unit has set for itself; read again only after the records have changed."""
    mark = database.mark(here.store.url)
    found = here.last.get(mark) if mark else None
    if found is None:
        found = protocol.kept(here.store, here.library)
        if mark:
            here.last.clear()
            here.last[mark] = found
    return found


def as_set(request: Request) -> Clinic:
    """The clinic with the unit's own protocol over the evidence, as it stands on the board now."""
    here = of(request)
    own = _own(here)
    if not own:
        return here
    key = repr(sorted((name, k.id, k.version) for name, k in own.items()))
    if key not in here.protocols:
        library = protocol.laid(here.library, own)
        here.protocols.clear()
        here.protocols[key] = (library, Pathway.of(library))
    library, pathway = here.protocols[key]
    return replace(here, library=library, pathway=pathway, shipped=here.library)


Here = Annotated[Clinic, Depends(as_set)]
