"""Fixtures: the compiled pathway, and patients described in a few words."""

from datetime import date

import pytest

from opentpe.pathway import engine
from opentpe.pathway.book import Pathway
from opentpe.pathway.cases import FOLDER, described, patient_of


@pytest.fixture(scope="session")
def pathway(library):
    return Pathway.of(library)


@pytest.fixture(scope="session")
def case(library):
    """Patient, attack and day of a base patient with some differences."""

    def build(base="moderate", **changes):
        facts = described(library.document(FOLDER + "bases"), base, changes)
        on = date.fromisoformat(facts.get("on", "2026-02-18"))
        return *patient_of(facts, on), on

    return build


@pytest.fixture(scope="session")
def decide(pathway, case):
    """The decision for a base patient with some differences."""

    def run(base="moderate", unit=None, guideline="asfa-2023", definition="opentpe", **changes):
        patient, relapse, on = case(base, **changes)
        return engine.decide(patient, relapse, on, pathway, unit, guideline, definition)

    return run
