"""The bundled patients, all invented, moved in time so that their day is the day of reading."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import tomli

from opentpe.errors import InputError

_DATE: Final = re.compile(r"\b(20\d\d-[01]\d-[0-3]\d)")
_SHOWN: Final = (
    "scenario-a", "scenario-b", "scenario-c", "severe-myelitis", "mild-relapse", "infection", "natalizumab",
    "steroids-just-finished", "nmosd-mimic", "obese",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """One bundled patient: file name, pinned day, title and what it is for."""

    name: str
    on: date
    title: str
    purpose: str

    def said(self) -> dict[str, str]:
        """The example as plain values."""
        return {"name": self.name, "on": self.on.isoformat(), "title": self.title, "purpose": self.purpose}


def folder() -> Path | None:
    """The examples beside the package (a checkout) or inside it (an installed wheel)."""
    here = Path(__file__).resolve()
    places = (here.parents[4] / "examples", here.parents[2] / "examples")
    return next((p for p in places if (p / "index.toml").is_file()), None)


@lru_cache(maxsize=1)
def listed() -> tuple[Example, ...]:
    """The examples that the page offers; none where they are not installed."""
    place = folder()
    if place is None:
        return ()
    index = tomli.loads((place / "index.toml").read_text(encoding="utf-8"))
    rows = ((name, index[f"{name}.json"]) for name in _SHOWN if f"{name}.json" in index)
    return tuple(
        Example(name, date.fromisoformat(str(row["on"])), str(row["title"]), str(row["purpose"])) for name, row in rows
    )


def named(name: str) -> tuple[dict[str, Any], date]:
    """The bundle of an example and its pinned day."""
    found = next((e for e in listed() if e.name == name), None)
    place = folder()
    if found is None or place is None:
        raise InputError("example", repr(name), ", ".join(e.name for e in listed()) or "an installed example")
    return json.loads((place / f"{name}.json").read_text(encoding="utf-8")), found.on


def moved(bundle: dict[str, Any], days: int) -> dict[str, Any]:
    """The bundle with every day but births moved by so many days."""

    def later(found: re.Match[str]) -> str:
        return (date.fromisoformat(found[1]) + timedelta(days=days)).isoformat()

    text = json.dumps(bundle)
    moved_bundle: dict[str, Any] = json.loads(_DATE.sub(later, text))
    return moved_bundle
