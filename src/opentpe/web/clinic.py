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
from opentpe.records.store import Store
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
    protocols: dict[str, tuple[Library, Pathway]] = field(default_factory=dict)  # the latest one, by what was set

    def today(self) -> date:
        """The ward's calendar day."""
        return self.clock().astimezone().date()


def of(request: Request) -> Clinic:
    """The clinic of a request."""
    clinic: Clinic = request.app.state.clinic
    return clinic


def as_set(request: Request) -> Clinic:
    """The clinic with the unit's own protocol over the evidence, as it stands on the board now."""
    here = of(request)
    own = protocol.kept(here.store, here.library)
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
