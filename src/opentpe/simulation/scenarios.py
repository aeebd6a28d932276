"""Teaching scenarios: a setup, what happens, what is to be learnt, and the alarms that must follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opentpe.domain.subject import Subject
from opentpe.domain.therapy import Calcium, Dose, FluidPart, Prescription
from opentpe.errors import EvidenceError, InputError
from opentpe.evidence.load import Library
from opentpe.simulation import events
from opentpe.simulation.events import Event
from opentpe.simulation.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario of evidence/scenarios: `alarms` and `symptoms` in the order in which they first appear."""

    key: str
    name: str
    learning_point: str
    exchange: Exchange
    happenings: tuple[Event, ...]
    lines: tuple[str, ...]
    seed: int
    alarms: tuple[str, ...]
    symptoms: tuple[str, ...]
    counts: bool


def names(library: Library) -> tuple[str, ...]:
    """The keys of all scenarios."""
    return tuple(library.folder("scenarios"))


def read(key: str, library: Library) -> Scenario:
    """A scenario by key; `InputError` for one that does not exist, `EvidenceError` for one that is malformed."""
    if key not in library.folder("scenarios"):
        raise InputError("scenario", repr(key), ", ".join(names(library)))
    doc = library.document(f"scenarios/{key}")
    try:
        lines = tuple(doc.get("events", ()))
        return Scenario(
            key, str(doc["name"]), str(doc["learning_point"]), exchange_of(doc["exchange"]), events.parse_all(lines),
            lines, int(doc["seed"]), tuple(doc["expected"]["alarms"]), tuple(doc["expected"]["symptoms"]),
            bool(doc["expected"]["counts"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"evidence/scenarios/{key}.toml: {error!r}") from error


def exchange_of(table: Mapping[str, Any]) -> Exchange:
    """The exchange of a scenario's `[exchange]` table."""
    given = dict(table)
    subject = Subject(**given.pop("subject"))
    fluids = tuple(FluidPart(str(f), float(share)) for f, share in given.pop("fluids"))
    calcium = given.pop("calcium_ml_l", None)
    order = Prescription(
        dose=float(given.pop("plasma_volumes")),
        dose_unit=Dose.PLASMA_VOLUMES,
        fluids=fluids,
        inlet_ac_ratio=given.pop("inlet_ac_ratio", None),
        calcium=None if calcium is None else Calcium(float(calcium), "mL/L"),
    )
    return Exchange(subject, order, **given)
