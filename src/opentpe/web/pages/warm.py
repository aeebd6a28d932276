"""Compiles the model once, before the first reader waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentpe import consultation as flow
from opentpe.domain import words
from opentpe.domain.subject import Subject
from opentpe.evidence.load import Library
from opentpe.simulation import procedure
from opentpe.web.pages import scenes


def up(library: Library, unit: Mapping[str, Any]) -> None:
    """A forecast whose answer nobody reads: its kernels are compiled, or read from the disk cache."""
    subject = Subject(female=True, height_cm=168.0, weight_kg=68.0, hct=0.38, age_years=34.0)
    flow.simulate(subject, words.parse("1 x 1.0 PV daily"), library=library, unit=unit, draws=1)
    what, happenings = scenes.exchange("first_run", library)
    procedure.start(what, library, seed=1, happenings=happenings, connected=True)


if __name__ == "__main__":  # before tests in a browser, so that none of them waits for the compiler
    from opentpe.evidence.load import load

    made = load()
    up(made, made.document("unit"))
