"""What every request needs, made once by `create_app`: settings, records, evidence, clock, and the outside world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Semaphore
from typing import Annotated, Any

import httpx
from fastapi import Depends, Request

from opentpe.evidence.load import Library
from opentpe.pathway.book import Pathway
from opentpe.records.store import Store
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

    def today(self) -> date:
        """The ward's calendar day."""
        return self.clock().astimezone().date()


def of(request: Request) -> Clinic:
    """The clinic of a request."""
    clinic: Clinic = request.app.state.clinic
    return clinic


Here = Annotated[Clinic, Depends(of)]
